//! A pod into [`RunningPod`]: where it is, by which labels it is found, which claims it mounts.
//!
//! Invariant: a pod that has no node, has ended, or has neither labels nor claims is no running pod, which is not an
//! error. Annotations are skipped but for the one that names data sets, and that is read only of pods that mount
//! claims: what else a running pod says about its data decides nothing any more.

use std::sync::Arc;

use serde::Deserialize;

use super::annotations::{DATA_SETS, ObjectKind, read_annotations};
use super::error::{ObjectError, required_name};
use super::view::{Object, OwnerReference, Pairs, Text, or_null};
use crate::model::{DataSetName, HeldClaims, LabelSet, NodeName, RunningPod, ordinal};

/// The controllers whose pods are numbered members.
const STATEFUL_SET: &str = "StatefulSet";

/// What is read of a pod that runs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RunningPodView<'a> {
    #[serde(borrow)]
    metadata: Object<RunningMetadata<'a>>,
    #[serde(borrow)]
    spec: Object<RunningSpec<'a>>,
    #[serde(borrow)]
    status: Object<StatusView<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RunningMetadata<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    uid: Text<'a>,
    #[serde(borrow)]
    deletion_timestamp: Text<'a>,
    #[serde(borrow)]
    labels: Pairs<'a>,
    #[serde(borrow)]
    annotations: Pairs<'a>,
    #[serde(borrow, deserialize_with = "or_null")]
    owner_references: Vec<Object<OwnerReference<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RunningSpec<'a> {
    #[serde(borrow)]
    node_name: Text<'a>,
    #[serde(borrow, deserialize_with = "or_null")]
    volumes: Vec<Object<MountedVolume<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct MountedVolume<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    persistent_volume_claim: Option<Object<ClaimName<'a>>>,
    ephemeral: Option<Object<Ephemeral>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ClaimName<'a> {
    #[serde(borrow)]
    claim_name: Text<'a>,
}

/// That there is a template is all that counts: its claim goes by the names of the pod and the volume.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ephemeral {}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StatusView<'a> {
    #[serde(borrow)]
    phase: Text<'a>,
    #[serde(borrow, deserialize_with = "or_null")]
    conditions: Vec<Object<ConditionView<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ConditionView<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
}

/// Whether a pod ended. A view of its own: what the scheduler asks about has not, so that reading its
/// requests does not look.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct EndedView<'a> {
    #[serde(borrow)]
    status: Object<PhaseView<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PhaseView<'a> {
    #[serde(borrow)]
    phase: Text<'a>,
}

/// Whether a pod in this phase ended, well or not.
pub(super) fn is_ended(phase: &str) -> bool {
    matches!(phase, "Succeeded" | "Failed")
}

impl EndedView<'_> {
    /// Whether the pod ended, well or not.
    pub(super) fn is_ended(&self) -> bool {
        is_ended(&self.status.phase)
    }
}

impl RunningPodView<'_> {
    /// The pod as one that runs; `None` where nothing can find it at any place.
    ///
    /// # Errors
    /// Where the name of its node is none.
    pub(super) fn running(&self) -> Result<Option<RunningPod>, ObjectError> {
        let Some(node) = self.spec.node_name.stated() else {
            return Ok(None);
        };
        if is_ended(&self.status.phase) {
            return Ok(None);
        }
        let labels = LabelSet::new(self.metadata.labels.iter());
        let held = self.held();
        if labels.is_empty() && held.is_none() {
            return Ok(None);
        }
        let node = required_name(node, "spec.nodeName", NodeName::new)?;
        Ok(Some(RunningPod { labels, node, held }))
    }

    /// What it says of the claims that it mounts, where it mounts any.
    fn held(&self) -> Option<Arc<HeldClaims>> {
        let metadata = &self.metadata;
        let claims: Vec<Arc<str>> = self
            .spec
            .volumes
            .iter()
            .filter_map(|volume| volume.claim(&metadata.name))
            .collect();
        if claims.is_empty() {
            return None;
        }
        let controller = metadata.owner_references.iter().find(|owner| owner.controller);
        let stateful_set = controller.filter(|owner| *owner.kind == *STATEFUL_SET);
        Some(Arc::new(HeldClaims {
            pod: Arc::from(&*metadata.name),
            uid: Arc::from(&*metadata.uid),
            stateful_set: stateful_set.and_then(|owner| owner.name.shared()),
            ordinal: controller.and_then(|owner| ordinal(&metadata.name, &owner.name)),
            is_ready: metadata.deletion_timestamp.is_empty() && self.status.is_ready(),
            claims,
            data_sets: self.data_sets(),
        }))
    }

    /// The data sets that the pod names. What cannot be read of them was told when the pod was placed.
    fn data_sets(&self) -> Vec<DataSetName> {
        let named = self
            .metadata
            .annotations
            .iter()
            .filter(|(key, _)| *key == DATA_SETS);
        let read = read_annotations(ObjectKind::Pod, named);
        read.access.data_sets.into_iter().map(|used| used.name).collect()
    }
}

impl MountedVolume<'_> {
    fn claim(&self, pod: &str) -> Option<Arc<str>> {
        match (&self.persistent_volume_claim, &self.ephemeral) {
            (Some(claim), _) => claim.claim_name.shared(),
            (None, Some(_)) => Some(Arc::from(format!("{pod}-{}", &*self.name))),
            (None, None) => None,
        }
    }
}

impl StatusView<'_> {
    fn is_ready(&self) -> bool {
        let mut conditions = self.conditions.iter();
        conditions.any(|condition| *condition.kind == *"Ready" && *condition.status == *"True")
    }
}

/// Reads the JSON of a pod; `None` where nothing can find it at any place.
///
/// # Errors
/// Where the text is not a pod, or the name of its node is none.
pub fn running_pod_from_json(json: &[u8]) -> Result<Option<RunningPod>, ObjectError> {
    let view: Object<RunningPodView<'_>> = serde_json::from_slice(json).map_err(ObjectError::from_parser)?;
    view.running()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_runs_once_it_has_a_node_and_until_it_ends() {
        let pod = |labels: &str, spec: &str, status: &str| {
            let json =
                format!(r#"{{"metadata":{{"name":"p","labels":{labels}}},"spec":{spec},"status":{status}}}"#);
            running_pod_from_json(json.as_bytes()).expect("a pod")
        };
        let (labels, on_n1) = (r#"{"b":"2","a":"1"}"#, r#"{"nodeName":"n1"}"#);
        let running = RunningPod {
            labels: LabelSet::new([("a", "1"), ("b", "2")].into_iter()),
            node: NodeName::new("n1").expect("a name"),
            held: None,
        };
        for status in ["{}", "null", r#"{"phase":"Running"}"#, r#"{"phase":"Pending"}"#] {
            assert_eq!(pod(labels, on_n1, status), Some(running.clone()), "{status}");
        }
        for status in [r#"{"phase":"Succeeded"}"#, r#"{"phase":"Failed"}"#] {
            assert_eq!(pod(labels, on_n1, status), None, "{status}");
        }
        for spec in ["null", "{}", r#"{"nodeName":null}"#, r#"{"nodeName":""}"#] {
            assert_eq!(pod(labels, spec, "{}"), None, "{spec}");
        }
        for labels in ["null", "{}"] {
            assert_eq!(pod(labels, on_n1, "{}"), None, "{labels}");
        }
    }

    #[test]
    fn a_pod_that_mounts_claims_says_which_and_whether_it_can_serve() {
        let pod = |metadata: &str, conditions: &str| {
            let json = format!(
                r#"{{"metadata":{{"name":"db-2","uid":"u",{metadata}
                     "ownerReferences":[{{"kind":"StatefulSet","name":"db","controller":true}}]}},
                   "spec":{{"nodeName":"n1","volumes":[{{"name":"tmp","emptyDir":{{}}}},
                     {{"name":"data","persistentVolumeClaim":{{"claimName":"data-db-2"}}}},
                     {{"name":"wal","ephemeral":{{"volumeClaimTemplate":{{}}}}}}]}},
                   "status":{{"phase":"Running","conditions":{conditions}}}}}"#
            );
            let running = running_pod_from_json(json.as_bytes())
                .expect("a pod")
                .expect("it runs");
            running.held.expect("it mounts claims")
        };
        let ready = r#"[{"type":"PodScheduled","status":"True"},{"type":"Ready","status":"True"}]"#;
        let held = pod(
            r#""annotations":{"domicile.dev/data-sets":"orders: reads=1; logs"},"#,
            ready,
        );
        assert_eq!(held.claims, [Arc::from("data-db-2"), Arc::from("db-2-wal")]);
        assert_eq!(
            (held.stateful_set.as_deref(), held.ordinal),
            (Some("db"), Some(2))
        );
        let names: Vec<&str> = held.data_sets.iter().map(DataSetName::as_str).collect();
        assert_eq!((names, held.is_ready), (vec!["orders", "logs"], true));
        let deleted = r#""deletionTimestamp":"2026-11-22T00:00:00Z","#;
        for (metadata, conditions) in [
            (deleted, ready),
            ("", r#"[{"type":"Ready","status":"False"}]"#),
            ("", "null"),
        ] {
            assert!(!pod(metadata, conditions).is_ready, "{metadata} {conditions}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for json in [
            "[]",
            r#"{"spec":{"nodeName":1}}"#,
            r#"{"metadata":{"labels":["a"]}}"#,
        ] {
            assert!(running_pod_from_json(json.as_bytes()).is_err(), "{json}");
        }
        let two_words = br#"{"metadata":{"labels":{"a":"1"}},"spec":{"nodeName":"two words"}}"#;
        let error = running_pod_from_json(two_words).expect_err("no name");
        assert!(error.to_string().contains("`spec.nodeName`"), "{error}");
    }
}
