//! A pod into [`RunningPod`]: where it is and by which labels it is found, and nothing else.
//!
//! Invariant: a pod that has no node, has ended, or has no labels is no running pod, which is not an
//! error. Annotations are skipped: what a running pod says about its data decides nothing any more.

use serde::Deserialize;

use super::error::{ObjectError, required_name};
use super::view::{Object, Pairs, Text};
use crate::model::{LabelSet, NodeName, RunningPod};

/// What is read of a pod that runs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RunningPodView<'a> {
    #[serde(borrow)]
    metadata: Object<LabelsView<'a>>,
    #[serde(borrow)]
    spec: Object<NodeNameView<'a>>,
    #[serde(borrow)]
    status: Object<PhaseView<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LabelsView<'a> {
    #[serde(borrow)]
    labels: Pairs<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NodeNameView<'a> {
    #[serde(borrow)]
    node_name: Text<'a>,
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

impl PhaseView<'_> {
    fn is_ended(&self) -> bool {
        matches!(&*self.phase, "Succeeded" | "Failed")
    }
}

impl EndedView<'_> {
    /// Whether the pod ended, well or not.
    pub(super) fn is_ended(&self) -> bool {
        self.status.is_ended()
    }
}

/// Reads the JSON of a pod; `None` where nothing can find it at any place.
///
/// # Errors
/// Where the text is not a pod, or the name of its node is none.
pub fn running_pod_from_json(json: &[u8]) -> Result<Option<RunningPod>, ObjectError> {
    let view: Object<RunningPodView<'_>> = serde_json::from_slice(json).map_err(ObjectError::from_parser)?;
    let Some(node) = view.spec.node_name.stated() else {
        return Ok(None);
    };
    let labels = LabelSet::new(view.metadata.labels.iter());
    if view.status.is_ended() || labels.is_empty() {
        return Ok(None);
    }
    let node = required_name(node, "spec.nodeName", NodeName::new)?;
    Ok(Some(RunningPod { labels, node }))
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
