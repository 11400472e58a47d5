//! A pod of the cluster, bound or not, as retries and the scan look at it.
//!
//! Inputs: the JSON of a pod. Output: what decides its placement, whose it is, and whether kube-scheduler looked for a
//! node in vain. Deliberately absent: whether it was us who refused it; an assessment tells.

use std::sync::Arc;

use serde::Deserialize;

use super::error::ObjectError;
use super::pod::{PodSpec, PodView};
use super::running_pod::is_ended;
use super::view::{Metadata, Object, Text, or_null};
use crate::model::PodRequirements;

/// The controller of a pod as an object that an Event can be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControllerReference {
    /// Such as `apps/v1`.
    pub api_version: Arc<str>,
    /// Such as `ReplicaSet`.
    pub kind: Arc<str>,
    /// Its name; its namespace is that of the pod.
    pub name: Arc<str>,
    /// Its UID.
    pub uid: Arc<str>,
}

/// A pod that has not ended.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchedPod {
    /// What decides its placement.
    pub pod: PodRequirements,
    /// Its controller.
    pub controller: Option<ControllerReference>,
    /// Whether it waits, and kube-scheduler looked for a node in vain. A pod that is held back by a gate was not
    /// looked at.
    pub is_refused: bool,
}

/// What is read of it, in one pass.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WatchedView<'a> {
    #[serde(borrow)]
    metadata: Object<Metadata<'a>>,
    #[serde(borrow)]
    spec: Object<PodSpec<'a>>,
    #[serde(borrow)]
    status: Object<StatusView<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StatusView<'a> {
    #[serde(borrow)]
    phase: Text<'a>,
    #[serde(borrow, deserialize_with = "or_null")]
    conditions: Vec<Object<ConditionView<'a>>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ConditionView<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    reason: Text<'a>,
}

/// Reads the JSON of a pod that the API server knows; `None` where it ended.
///
/// # Errors
/// Where the text is not a pod, or a name is invalid.
pub fn watched_pod_from_json(json: &[u8]) -> Result<Option<WatchedPod>, ObjectError> {
    let view: Object<WatchedView<'_>> = serde_json::from_slice(json).map_err(ObjectError::from_parser)?;
    let WatchedView {
        metadata,
        spec,
        status,
    } = view.0;
    if is_ended(&status.phase) {
        return Ok(None);
    }
    let owner = metadata.owner_references.iter().find(|owner| owner.controller);
    let controller = owner.map(|owner| ControllerReference {
        api_version: Arc::from(&*owner.api_version),
        kind: Arc::from(&*owner.kind),
        name: Arc::from(&*owner.name),
        uid: Arc::from(&*owner.uid),
    });
    let pod = PodView { metadata, spec }.requirements()?;
    let is_refused = pod.node.is_none()
        && status.conditions.iter().any(|condition| {
            &*condition.kind == "PodScheduled"
                && &*condition.status == "False"
                && &*condition.reason != "SchedulingGated"
        });
    Ok(Some(WatchedPod {
        pod,
        controller,
        is_refused,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(spec: &str, status: &str) -> Option<WatchedPod> {
        let json = format!(
            r#"{{"metadata":{{"name":"web-1","namespace":"shop","uid":"u1","ownerReferences":[
                {{"apiVersion":"v1","kind":"Other","name":"x","uid":"u2"}},
                {{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web","uid":"u3","controller":true}}]}},
                "spec":{spec},"status":{status}}}"#
        );
        watched_pod_from_json(json.as_bytes()).expect("a pod")
    }

    #[test]
    fn a_pod_is_refused_while_kube_scheduler_looked_in_vain() {
        let condition = |status: &str, reason: &str| {
            format!(
                r#"{{"phase":"Pending","conditions":[{{"type":"Other","status":"False"}},
                {{"type":"PodScheduled","status":"{status}","reason":"{reason}"}}]}}"#
            )
        };
        let refused = |spec: &str, status: &str| read(spec, status).expect("it has not ended").is_refused;
        assert!(refused("{}", &condition("False", "Unschedulable")));
        assert!(refused("{}", &condition("False", "SchedulerError")));
        assert!(!refused("{}", &condition("False", "SchedulingGated")));
        assert!(!refused("{}", &condition("True", "")));
        assert!(!refused("{}", "null"));
        assert!(!refused(
            r#"{"nodeName":"n1"}"#,
            &condition("False", "Unschedulable")
        ));
    }

    #[test]
    fn its_controller_is_an_object_and_what_ended_is_none() {
        let pod = read("{}", "{}").expect("it has not ended");
        let controller = pod.controller.expect("a controller");
        assert_eq!(
            (
                &*controller.api_version,
                &*controller.kind,
                &*controller.name,
                &*controller.uid
            ),
            ("apps/v1", "ReplicaSet", "web", "u3")
        );
        assert_eq!(read("{}", r#"{"phase":"Succeeded"}"#), None);
        assert!(watched_pod_from_json(b"[]").is_err());
    }
}
