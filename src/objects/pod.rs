//! A pod into [`PodRequirements`].
//!
//! Inputs: the JSON of a pod as kube-scheduler sends it, or a manifest. Invariants: text borrows from the
//! input until it is kept; containers, statuses and all else that no decision looks at are skipped
//! unread, for this is on the path of every request.
//! Deliberately absent: resources, affinity, tolerations; kube-scheduler looks after those.

use std::sync::Arc;

use serde::Deserialize;

use super::annotations::{ADMITTED_PLACES, ObjectKind};
use super::error::{ObjectError, required_name};
use super::storage::ClaimView;
use super::view::{Metadata, Object, Text, or_null};
use crate::model::{NamespaceName, NodeName, Owner, PodRequirements, VolumeMount};

/// The scheduler that places a pod which names none.
pub const DEFAULT_SCHEDULER: &str = "default-scheduler";

/// What is read of a pod.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PodView<'a> {
    #[serde(borrow)]
    pub(super) metadata: Object<Metadata<'a>>,
    #[serde(borrow)]
    pub(super) spec: Object<PodSpec<'a>>,
}

/// What is read of its spec.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PodSpec<'a> {
    #[serde(borrow, deserialize_with = "or_null")]
    volumes: Vec<Object<PodVolume<'a>>>,
    #[serde(borrow)]
    node_name: Text<'a>,
    #[serde(borrow)]
    scheduler_name: Text<'a>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodVolume<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    persistent_volume_claim: Option<Object<ClaimReference<'a>>>,
    #[serde(borrow)]
    ephemeral: Option<Object<EphemeralVolume<'a>>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ClaimReference<'a> {
    #[serde(borrow)]
    claim_name: Text<'a>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct EphemeralVolume<'a> {
    #[serde(borrow)]
    volume_claim_template: Object<ClaimView<'a>>,
}

impl<'a> PodView<'a> {
    /// Reads the JSON of a pod.
    ///
    /// # Errors
    /// Where the text is not a pod.
    pub fn read(json: &'a [u8]) -> Result<Self, ObjectError> {
        let view: Object<Self> = serde_json::from_slice(json).map_err(ObjectError::from_parser)?;
        Ok(view.0)
    }
}

impl PodView<'_> {
    /// The value of an annotation; `None` where it is not there. Of two equal keys the later counts, as in Go.
    #[must_use]
    pub fn annotation(&self, wanted: &str) -> Option<&str> {
        let annotations = &self.metadata.annotations.0;
        let found = annotations.iter().rev().find(|(key, _)| &**key == wanted);
        found.map(|(_, value)| &**value)
    }

    /// What the pod requires.
    ///
    /// # Errors
    /// Where the namespace is missing, which the API server never leaves out, or a name is invalid.
    pub fn requirements(&self) -> Result<PodRequirements, ObjectError> {
        let namespace = required_name(&self.metadata.namespace, "metadata.namespace", NamespaceName::new)?;
        self.requirements_within(namespace)
    }

    /// What the pod requires, where a pod without a namespace is meant for the one that is given, as with
    /// `kubectl --namespace`.
    ///
    /// # Errors
    /// Where a name is invalid.
    pub fn requirements_in(&self, unstated: &NamespaceName) -> Result<PodRequirements, ObjectError> {
        if self.metadata.namespace.is_empty() {
            self.requirements_within(unstated.clone())
        } else {
            self.requirements()
        }
    }

    fn requirements_within(&self, namespace: NamespaceName) -> Result<PodRequirements, ObjectError> {
        let metadata = &self.metadata;
        let name = metadata.stated_name();
        let node = match self.spec.node_name.stated() {
            Some(name) => Some(required_name(name, "spec.nodeName", NodeName::new)?),
            None => None,
        };
        let controller = metadata.owner_references.iter().find(|owner| owner.controller);
        let volumes = self.spec.volumes.iter().filter_map(|volume| volume.mount(name));
        Ok(PodRequirements {
            namespace,
            name: name.to_owned(),
            uid: metadata.uid.to_string(),
            owner: controller.map(|owner| Owner {
                kind: owner.kind.to_string(),
                name: owner.name.to_string(),
            }),
            labels: metadata.labels.to_map(),
            annotations: metadata.read_annotations(ObjectKind::Pod),
            volumes: volumes.collect::<Result<_, _>>()?,
            node,
            scheduler: Arc::from(self.spec.scheduler_name.stated().unwrap_or(DEFAULT_SCHEDULER)),
            admitted_places: metadata.annotations.get(ADMITTED_PLACES).map(Arc::from),
        })
    }
}

impl PodVolume<'_> {
    /// The claim behind the volume, where there is one.
    fn mount(&self, pod: &str) -> Option<Result<VolumeMount, ObjectError>> {
        if let Some(claim) = &self.persistent_volume_claim {
            let name = claim.claim_name.shared();
            let missing = ObjectError::Missing("spec.volumes[].persistentVolumeClaim.claimName");
            return Some(name.map(VolumeMount::Claim).ok_or(missing));
        }
        let template = &self.ephemeral.as_ref()?.volume_claim_template;
        Some(Ok(template.mount(Arc::from(format!("{pod}-{}", &*self.name)))))
    }
}

/// Reads the JSON of a pod that the API server knows.
///
/// # Errors
/// Where the text is not a pod, or as [`PodView::requirements`].
pub fn pod_from_json(json: &[u8]) -> Result<PodRequirements, ObjectError> {
    PodView::read(json)?.requirements()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DataSetName, SourceAnnotations};

    #[test]
    fn a_pod_as_kube_scheduler_sends_it_is_read() {
        let pod = pod_from_json(
            br#"{"metadata":{"name":"db-0","generateName":"db-","namespace":"shop","uid":"u1",
                "creationTimestamp":null,"labels":{"app":"db"},
                "annotations":{"domicile.dev/data-sets":"orders","other":"\u0041"},
                "ownerReferences":[{"kind":"Other","name":"x"},
                  {"apiVersion":"apps/v1","kind":"StatefulSet","name":"db","controller":true}],
                "managedFields":[{"manager":"m","fieldsV1":{"f:spec":{}}}]},
               "spec":{"schedulerName":"domicile","containers":[{"name":"c","env":null}],
                "volumes":[{"name":"data","persistentVolumeClaim":{"claimName":"data-db-0"}},
                  {"name":"tmp","emptyDir":{}},
                  {"name":"scratch","ephemeral":{"volumeClaimTemplate":{
                    "metadata":{"creationTimestamp":null,"annotations":{"domicile.dev/data-subjects":"DE"}},
                    "spec":{"storageClassName":"gold","resources":{}}}}}]},
               "status":{"phase":"Pending"}}"#,
        )
        .expect("a pod");
        assert_eq!(
            (pod.namespace.as_str(), pod.name.as_str(), pod.uid.as_str()),
            ("shop", "db-0", "u1")
        );
        let owner = pod.owner.expect("a controller");
        assert_eq!((owner.kind.as_str(), owner.name.as_str()), ("StatefulSet", "db"));
        assert_eq!(pod.labels.get("app").map(String::as_str), Some("db"));
        let orders = DataSetName::new("orders").expect("a name");
        assert_eq!(
            pod.annotations.access.data_sets.first().map(|used| &used.name),
            Some(&orders)
        );
        assert_eq!((pod.node, &*pod.scheduler), (None, "domicile"));
        let [VolumeMount::Claim(data), scratch] = pod.volumes.as_slice() else {
            panic!("two volumes with claims: {:?}", pod.volumes);
        };
        assert_eq!(&**data, "data-db-0");
        let VolumeMount::Ephemeral {
            claim,
            storage_class,
            annotations,
        } = scratch
        else {
            panic!("an ephemeral volume: {scratch:?}");
        };
        assert_eq!(
            (&**claim, storage_class.as_deref()),
            ("db-0-scratch", Some("gold"))
        );
        assert_eq!(annotations.profile.subjects.as_ref().map(Vec::len), Some(1));
    }

    #[test]
    fn null_is_empty_everywhere() {
        let bare = pod_from_json(br#"{"metadata":{"name":"p","namespace":"n"},"spec":{}}"#).expect("a pod");
        assert_eq!(bare.annotations, SourceAnnotations::default());
        assert_eq!(&*bare.scheduler, "default-scheduler");
        let nulls = br#"{"metadata":{"name":"p","generateName":null,"namespace":"n","uid":null,"labels":null,
            "annotations":null,"ownerReferences":null},
            "spec":{"volumes":null,"nodeName":null,"schedulerName":null},"status":null}"#;
        assert_eq!(pod_from_json(nulls), Ok(bare.clone()));
        let no_spec = br#"{"metadata":{"name":"p","namespace":"n"},"spec":null}"#;
        assert_eq!(pod_from_json(no_spec), Ok(bare));
        let inner = br#"{"metadata":{"namespace":"n","ownerReferences":[{"kind":null,"name":null,"controller":null}]},
            "spec":{"volumes":[{"name":"a","persistentVolumeClaim":null,"ephemeral":null},
              {"name":"b","ephemeral":{"volumeClaimTemplate":null}},
              {"name":"c","ephemeral":{"volumeClaimTemplate":{"metadata":null,"spec":null}}}]}}"#;
        assert_eq!(pod_from_json(inner).expect("a pod").volumes.len(), 2);
    }

    #[test]
    fn a_pod_that_is_not_created_goes_by_its_generated_name_and_its_namespace_may_be_given() {
        let view: PodView<'_> =
            serde_json::from_str(r#"{"metadata":{"generateName":"web-"}}"#).expect("a pod");
        let missing = ObjectError::Missing("metadata.namespace");
        assert_eq!(view.requirements(), Err(missing));
        let unstated = NamespaceName::new("default").expect("a name");
        let pod = view.requirements_in(&unstated).expect("a pod");
        assert_eq!((pod.namespace, pod.name.as_str()), (unstated, "web-"));
    }

    #[test]
    fn what_is_not_a_pod_is_told_with_its_place() {
        for (json, sentence) in [
            ("[]", "invalid type: sequence, expected an object"),
            (
                r#"{"metadata":{"namespace":"n"},"spec":{"volumes":[["a"]]}}"#,
                "invalid type: sequence, expected an object",
            ),
            (
                r#"{"metadata":{"name":1,"namespace":"n"}}"#,
                "invalid type: integer `1`, expected a string",
            ),
            (
                r#"{"metadata":{"labels":["a"],"namespace":"n"}}"#,
                "expected a map of strings",
            ),
            (r#"{"metadata":{"name":"p"}}"#, "`metadata.namespace` is missing"),
            (
                r#"{"metadata":{"namespace":"two words"}}"#,
                "`metadata.namespace`: the name `two words` has white space or a control character",
            ),
            (
                r#"{"metadata":{"namespace":"n"},"spec":{"volumes":[{"persistentVolumeClaim":{}}]}}"#,
                "`spec.volumes[].persistentVolumeClaim.claimName` is missing",
            ),
        ] {
            let error = pod_from_json(json.as_bytes()).expect_err(json).to_string();
            assert!(error.contains(sentence), "{json}: {error}");
        }
    }

    #[test]
    fn text_borrows_from_the_request() {
        let json = r#"{"metadata":{"name":"plain","namespace":"esc\u0061ped","labels":{"a":"b"}}}"#;
        let view: PodView<'_> = serde_json::from_str(json).expect("a pod");
        assert!(matches!(
            view.metadata.name.0,
            std::borrow::Cow::Borrowed("plain")
        ));
        assert_eq!(&*view.metadata.namespace, "escaped");
        let (key, value) = view.metadata.labels.0.first().expect("a label");
        assert!(matches!(
            (&key.0, &value.0),
            (std::borrow::Cow::Borrowed("a"), std::borrow::Cow::Borrowed("b"))
        ));
    }
}
