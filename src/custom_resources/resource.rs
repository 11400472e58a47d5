//! One object of a cluster, as far as it matters here.

use std::sync::Arc;

use serde_json::{Value, json};

use super::conditions::Status;
use crate::assembly::SourceText;
use crate::policy::{CUSTOM_KINDS, CustomKind, GROUP, VERSION};

/// An object of one of our kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomResource {
    /// Its kind.
    pub kind: CustomKind,
    /// Its name in the cluster.
    pub name: Arc<str>,
    /// What tells it from another that had its name before.
    pub uid: String,
    /// Counts what was written into its specification.
    pub generation: i64,
    /// What it says, for the reader of files.
    pub text: SourceText,
    /// What its status says at present.
    pub status: Status,
}

impl CustomResource {
    /// An object as the API server prints it; `None` for one without a name.
    #[must_use]
    pub fn from_json(kind: CustomKind, object: &Value) -> Option<Self> {
        let metadata = object.get("metadata")?;
        let name = metadata.get("name")?.as_str()?;
        let text = |field: &str| {
            metadata
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let status = object.get("status").cloned();
        let status = status.and_then(|status| serde_json::from_value(status).ok());
        Some(Self {
            kind,
            name: Arc::from(name),
            uid: text("uid"),
            generation: metadata
                .get("generation")
                .and_then(Value::as_i64)
                .unwrap_or_default(),
            text: SourceText::new(text_name(kind, name), document(kind, name, object.get("spec"))),
            status: status.unwrap_or_default(),
        })
    }
}

/// The name of a text, as `kubectl get --output name` prints it.
fn text_name(kind: CustomKind, name: &str) -> String {
    format!("{}.{GROUP}/{name}", kind.singular)
}

/// Whether a text of this name is an object of a cluster and no file.
#[must_use]
pub fn is_custom_resource(text_name: &str) -> bool {
    let Some((singular, _)) = text_name
        .split_once('/')
        .and_then(|(resource, _)| resource.split_once('.'))
        .filter(|(_, group)| *group == GROUP)
    else {
        return false;
    };
    CUSTOM_KINDS.iter().any(|kind| kind.singular == singular)
}

/// What a file would say. JSON is YAML, with every word in quotes.
fn document(kind: CustomKind, name: &str, spec: Option<&Value>) -> String {
    let mut document = json!({
        "apiVersion": format!("{GROUP}/{VERSION}"),
        "kind": kind.kind,
        "metadata": {"name": name},
    });
    if let (Some(spec), Value::Object(fields)) = (spec, &mut document) {
        fields.insert("spec".to_owned(), spec.clone());
    }
    // The alternate form of a `Value` is what `to_string_pretty` gives, and cannot fail.
    format!("{document:#}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::DATA_SET;

    #[test]
    fn only_the_name_and_the_specification_are_text() {
        let object = |labels: Value, status: Value| {
            json!({
                "apiVersion": "domicile.dev/v1alpha1", "kind": "DataSet",
                "metadata": {"name": "orders", "uid": "u", "generation": 3, "labels": labels, "resourceVersion": "9"},
                "spec": {"consistency": "strict"},
                "status": status
            })
        };
        let plain = CustomResource::from_json(DATA_SET, &object(json!({}), Value::Null)).unwrap();
        let told = CustomResource::from_json(
            DATA_SET,
            &object(
                json!({"a": "b"}),
                json!({"observedGeneration": 3, "conditions": []}),
            ),
        )
        .unwrap();
        assert_eq!(plain.text, told.text);
        assert_eq!(plain.text.name, "dataset.domicile.dev/orders");
        assert_eq!(told.status.observed_generation, Some(3));
        assert_eq!((told.generation, told.uid.as_str()), (3, "u"));
        let read: Value = serde_json::from_str(&plain.text.text).unwrap();
        assert_eq!(read["metadata"], json!({"name": "orders"}));
        assert_eq!(read["spec"], json!({"consistency": "strict"}));
    }

    #[test]
    fn names_of_objects_are_told_from_names_of_files() {
        for object in [
            "placementpolicy.domicile.dev/eu-only",
            "region.domicile.dev/aws.yaml",
        ] {
            assert!(is_custom_resource(object), "{object}");
        }
        for file in [
            "eu-only.yaml",
            "placementpolicy/eu-only",
            "folder.domicile.dev/a.yaml",
            "a.b/c",
        ] {
            assert!(!is_custom_resource(file), "{file}");
        }
    }
}
