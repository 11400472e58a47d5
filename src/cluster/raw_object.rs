//! An object as the API server wrote it.
//!
//! Inputs: the bytes of a list or of a watch. Outputs: the JSON of one object, copied once, and of its metadata what a
//! watch cannot do without. Invariants: whatever else is in the object is not looked at here, so that one which is not
//! what its kind should be spoils nothing but itself, and what nobody reads (managed fields are half of most objects)
//! is never taken apart. Deliberately absent: what the object says, which is for [`crate::objects`].

use std::borrow::Cow;

use kube::Resource;
use kube::api::{ApiResource, ObjectMeta};
use kube::core::DynamicResourceScope;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The JSON of an object of any kind, with its name, namespace and version.
#[derive(Debug, Clone)]
pub struct RawObject {
    /// Of the fields only these three are ever set.
    metadata: ObjectMeta,
    json: Box<RawValue>,
}

impl RawObject {
    /// The whole object.
    pub fn json(&self) -> &[u8] {
        self.json.get().as_bytes()
    }

    /// The name, where it has one.
    pub fn name(&self) -> Option<&str> {
        self.metadata.name.as_deref()
    }

    /// The namespace, where it has one.
    pub fn namespace(&self) -> Option<&str> {
        self.metadata.namespace.as_deref()
    }
}

/// The fields that are found without a look at any other.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Outer<'a> {
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Inner<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    namespace: Option<&'a RawValue>,
    #[serde(borrow)]
    resource_version: Option<&'a RawValue>,
}

/// The text of a field; `None` where it is missing, empty, or no text.
fn text(raw: Option<&RawValue>) -> Option<String> {
    let text: String = serde_json::from_str(raw?.get()).ok()?;
    (!text.is_empty()).then_some(text)
}

impl<'de> Deserialize<'de> for RawObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        let outer: Outer<'_> = serde_json::from_str(json.get()).unwrap_or_default();
        let inner: Inner<'_> = outer
            .metadata
            .and_then(|metadata| serde_json::from_str(metadata.get()).ok())
            .unwrap_or_default();
        let metadata = ObjectMeta {
            name: text(inner.name),
            namespace: text(inner.namespace),
            resource_version: text(inner.resource_version),
            ..ObjectMeta::default()
        };
        Ok(Self { metadata, json })
    }
}

impl Resource for RawObject {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        resource.kind.as_str().into()
    }

    fn group(resource: &ApiResource) -> Cow<'_, str> {
        resource.group.as_str().into()
    }

    fn version(resource: &ApiResource) -> Cow<'_, str> {
        resource.version.as_str().into()
    }

    fn api_version(resource: &ApiResource) -> Cow<'_, str> {
        resource.api_version.as_str().into()
    }

    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        resource.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use kube::api::{ObjectList, WatchEvent};

    use super::*;

    #[test]
    fn an_object_keeps_its_text_and_what_a_watch_needs() {
        let json = r#"{"kind":"Node","metadata":{"labels":{"a":"b"},"name":"n","namespace":"","resourceVersion":"7"},"spec":{}}"#;
        let line = format!(r#"{{"type":"ADDED","object":{json}}}"#);
        let Ok(WatchEvent::Added(object)) = serde_json::from_str::<WatchEvent<RawObject>>(&line) else {
            panic!("an added object: {line}");
        };
        assert_eq!(object.json(), json.as_bytes());
        assert_eq!((object.name(), object.namespace()), (Some("n"), None));
        assert_eq!(object.meta().resource_version.as_deref(), Some("7"));
    }

    #[test]
    fn an_object_that_is_not_what_its_kind_should_be_does_not_spoil_its_list() {
        let list = r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9","continue":"c"},"items":[
            {"metadata":{"name":"a","labels":["no","map"],"annotations":7},"spec":[]},
            {"metadata":{"name":5,"namespace":"shop","resourceVersion":"8"}},
            {"metadata":[]}, [], "text", null,
            {"metadata":{"name":"\u0062","namespace":"shop"}}]}"#;
        let list: ObjectList<RawObject> = serde_json::from_str(list).expect("a list");
        let names: Vec<Option<&str>> = list.items.iter().map(RawObject::name).collect();
        assert_eq!(names, [Some("a"), None, None, None, None, None, Some("b")]);
        let numbered = list.items.get(1).expect("the second");
        assert_eq!(numbered.namespace(), Some("shop"));
        assert_eq!(list.metadata.continue_.as_deref(), Some("c"));
    }
}
