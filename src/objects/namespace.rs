//! A namespace into [`Namespace`].

use serde::Deserialize;

use super::annotations::ObjectKind;
use super::error::{ObjectError, required_name};
use super::view::{Metadata, Object};
use crate::model::{Namespace, NamespaceName};

/// What is read of a namespace.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct NamespaceView<'a> {
    #[serde(borrow)]
    metadata: Object<Metadata<'a>>,
}

impl NamespaceView<'_> {
    /// The namespace and its name.
    ///
    /// # Errors
    /// Where the name is missing or invalid.
    pub fn record(&self) -> Result<(NamespaceName, Namespace), ObjectError> {
        let name = required_name(&self.metadata.name, "metadata.name", NamespaceName::new)?;
        let namespace = Namespace {
            labels: self.metadata.labels.to_map(),
            annotations: self.metadata.read_annotations(ObjectKind::Namespace),
        };
        Ok((name, namespace))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::StatedData;

    #[test]
    fn labels_and_annotations_are_read() {
        let json = r#"{"metadata":{"name":"shop","labels":{"programme":"x"},
            "annotations":{"domicile.dev/data":"none"}},"spec":{"finalizers":["kubernetes"]}}"#;
        let view: NamespaceView<'_> = serde_json::from_str(json).expect("a namespace");
        let (name, namespace) = view.record().expect("a record");
        assert_eq!(name.as_str(), "shop");
        assert_eq!(namespace.labels.get("programme").map(|value| &**value), Some("x"));
        assert_eq!(namespace.annotations.data, Some(StatedData::NoData));
    }
}
