//! Claims, volumes and storage classes into `model`.
//!
//! The annotation that named the class before the field existed still counts first, as in Kubernetes
//! itself: who reads the field alone misses what the class restricts.

use std::sync::Arc;

use serde::Deserialize;

use super::annotations::ObjectKind;
use super::error::{ObjectError, required_name};
use super::view::{Metadata, Object, Text};
use super::volume_spots::{CsiVolume, VolumeAffinity, spots};
use crate::model::{Claim, ClaimKey, NamespaceName, StorageClass, Volume, VolumeBinding, VolumeMount};

/// What named the storage class of claims and volumes before `storageClassName`.
const OLD_CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";

/// What is read of a persistent volume claim, or of the template of one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ClaimView<'a> {
    #[serde(borrow)]
    metadata: Object<Metadata<'a>>,
    #[serde(borrow)]
    spec: Object<StorageSpec<'a>>,
}

/// What is read of a persistent volume.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct VolumeView<'a> {
    #[serde(borrow)]
    metadata: Object<Metadata<'a>>,
    #[serde(borrow)]
    spec: Object<VolumeSpec<'a>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct VolumeSpec<'a> {
    #[serde(borrow)]
    storage_class_name: Text<'a>,
    #[serde(borrow)]
    node_affinity: Object<VolumeAffinity<'a>>,
    #[serde(borrow)]
    csi: Object<CsiVolume<'a>>,
}

/// What is read of a storage class.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct StorageClassView<'a> {
    #[serde(borrow)]
    metadata: Object<Metadata<'a>>,
    #[serde(borrow)]
    volume_binding_mode: Text<'a>,
}

/// The word of a class that waits for the first pod; unstated, and by any other word, it does not wait.
const FIRST_CONSUMER: &str = "WaitForFirstConsumer";

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct StorageSpec<'a> {
    #[serde(borrow)]
    storage_class_name: Text<'a>,
    #[serde(borrow)]
    volume_name: Text<'a>,
}

fn class(metadata: &Metadata<'_>, stated: &Text<'_>) -> Option<Arc<str>> {
    let old = metadata.annotations.get(OLD_CLASS_ANNOTATION);
    old.or_else(|| stated.stated()).map(Arc::from)
}

fn object_name(metadata: &Metadata<'_>) -> Result<Arc<str>, ObjectError> {
    // The rule for names is one for all kinds.
    required_name(&metadata.name, "metadata.name", |name| {
        NamespaceName::new(name).map(|_| Arc::from(name))
    })
}

impl ClaimView<'_> {
    /// The claim and its key.
    ///
    /// # Errors
    /// Where the namespace or the name is missing or invalid.
    pub fn record(&self) -> Result<(ClaimKey, Claim), ObjectError> {
        let namespace = required_name(&self.metadata.namespace, "metadata.namespace", NamespaceName::new)?;
        self.record_within(namespace)
    }

    /// As [`ClaimView::record`], where a claim without a namespace is meant for the one that is given.
    ///
    /// # Errors
    /// Where a name is invalid.
    pub fn record_in(&self, unstated: &NamespaceName) -> Result<(ClaimKey, Claim), ObjectError> {
        if self.metadata.namespace.is_empty() {
            self.record_within(unstated.clone())
        } else {
            self.record()
        }
    }

    fn record_within(&self, namespace: NamespaceName) -> Result<(ClaimKey, Claim), ObjectError> {
        let name = object_name(&self.metadata)?;
        let claim = Claim {
            annotations: self.metadata.read_annotations(ObjectKind::Claim),
            storage_class: class(&self.metadata, &self.spec.storage_class_name),
            volume: self.spec.volume_name.shared(),
        };
        Ok((ClaimKey { namespace, name }, claim))
    }

    /// The claim as a template inside a pod: what it will be called is known to who reads the pod.
    pub(super) fn mount(&self, claim: Arc<str>) -> VolumeMount {
        VolumeMount::Ephemeral {
            claim,
            storage_class: class(&self.metadata, &self.spec.storage_class_name),
            annotations: Box::new(self.metadata.read_annotations(ObjectKind::Claim)),
        }
    }

    /// The name of the template.
    pub(super) fn template_name(&self) -> &str {
        &self.metadata.name
    }
}

impl VolumeView<'_> {
    /// The volume and its name.
    ///
    /// # Errors
    /// Where the name is missing or invalid.
    pub fn record(&self) -> Result<(Arc<str>, Volume), ObjectError> {
        let volume = Volume {
            annotations: self.metadata.read_annotations(ObjectKind::Volume),
            storage_class: class(&self.metadata, &self.spec.storage_class_name),
            spots: spots(&self.spec.node_affinity, &self.spec.csi, &self.metadata.labels),
        };
        Ok((object_name(&self.metadata)?, volume))
    }
}

impl StorageClassView<'_> {
    /// The storage class and its name.
    ///
    /// # Errors
    /// Where the name is missing or invalid.
    pub fn record(&self) -> Result<(Arc<str>, StorageClass), ObjectError> {
        let class = StorageClass {
            annotations: self.metadata.read_annotations(ObjectKind::StorageClass),
            binding: match &*self.volume_binding_mode {
                FIRST_CONSUMER => VolumeBinding::FirstConsumer,
                _ => VolumeBinding::Immediate,
            },
        };
        Ok((object_name(&self.metadata)?, class))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InvalidName;

    #[test]
    fn a_claim_leads_to_its_class_and_its_volume() {
        for (json, class, volume) in [
            (r#"{"metadata":{"name":"c","namespace":"n"}}"#, None, None),
            (
                r#"{"metadata":{"name":"c","namespace":"n"},"spec":{"storageClassName":"","volumeName":"v"}}"#,
                None,
                Some("v"),
            ),
            (
                r#"{"metadata":{"name":"c","namespace":"n"},"spec":{"storageClassName":"gold","volumeName":null}}"#,
                Some("gold"),
                None,
            ),
            (
                r#"{"metadata":{"name":"c","namespace":"n","annotations":
                    {"volume.beta.kubernetes.io/storage-class":"old"}},"spec":{"storageClassName":"gold"}}"#,
                Some("old"),
                None,
            ),
        ] {
            let view: ClaimView<'_> = serde_json::from_str(json).expect("a claim");
            let (key, claim) = view.record().expect("a record");
            assert_eq!((key.namespace.as_str(), &*key.name), ("n", "c"));
            assert_eq!(claim.storage_class.as_deref(), class, "{json}");
            assert_eq!(claim.volume.as_deref(), volume, "{json}");
        }
        let homeless: ClaimView<'_> = serde_json::from_str(r#"{"metadata":{"name":"c"}}"#).expect("a claim");
        assert_eq!(homeless.record(), Err(ObjectError::Missing("metadata.namespace")));
        let unstated = NamespaceName::new("default").expect("a name");
        assert_eq!(
            homeless.record_in(&unstated).expect("a record").0.namespace,
            unstated
        );
    }

    #[test]
    fn volumes_and_classes_may_state_what_a_claim_may_not() {
        let json = r#"{"metadata":{"name":"x","annotations":{"domicile.dev/data-classification":"public"}},
            "spec":{"storageClassName":"gold"},"provisioner":"p"}"#;
        let volume: VolumeView<'_> = serde_json::from_str(json).expect("a volume");
        let (name, volume) = volume.record().expect("a record");
        assert_eq!((&*name, volume.storage_class.as_deref()), ("x", Some("gold")));
        assert!(volume.annotations.malformed.is_empty());
        let class: StorageClassView<'_> = serde_json::from_str(json).expect("a class");
        let (name, class) = class.record().expect("a record");
        assert_eq!(&*name, "x");
        assert!(class.annotations.malformed.is_empty() && !class.annotations.profile.is_empty());
        assert_eq!(class.binding, VolumeBinding::Immediate);
        let waits = r#"{"metadata":{"name":"x"},"volumeBindingMode":"WaitForFirstConsumer"}"#;
        let waits: StorageClassView<'_> = serde_json::from_str(waits).expect("a class");
        assert_eq!(
            waits.record().expect("a record").1.binding,
            VolumeBinding::FirstConsumer
        );
        let nameless: StorageClassView<'_> = serde_json::from_str("{}").expect("a class");
        assert_eq!(nameless.record(), Err(ObjectError::Missing("metadata.name")));
        let invalid: VolumeView<'_> = serde_json::from_str(r#"{"metadata":{"name":"a b"}}"#).expect("JSON");
        assert!(matches!(
            invalid.record(),
            Err(ObjectError::Name {
                field: "metadata.name",
                error: InvalidName::Character(_)
            })
        ));
    }
}
