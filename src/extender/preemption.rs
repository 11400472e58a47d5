//! `ExtenderPreemptionArgs`: which pods would be evicted on which node.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::arguments::{Field, NO_OBJECT, read_pod};
use super::candidates::{FindClasses, class_of};
use super::error::BadRequest;
use super::scan::{RawText, Scanner};
use crate::model::PodRequirements;
use crate::snapshot::ClassIndex;

/// The pods that would be evicted on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeVictims<'b> {
    /// The node's name as it stands in the body.
    pub node: RawText<'b>,
    /// Its class; `None` where the node is not known.
    pub class: Option<ClassIndex>,
    /// The UIDs of the victims as they stand in the body.
    pub uids: Vec<RawText<'b>>,
    /// How many disruption budgets the evictions would violate.
    pub violations: i64,
}

/// A pod and where room could be made for it.
#[derive(Debug)]
pub struct PreemptionArguments<'b> {
    /// The pod that wants the room.
    pub pod: PodRequirements,
    /// Each node in the order of the request.
    pub nodes: Vec<NodeVictims<'b>>,
}

/// Reads a body of preempt, in either form.
///
/// # Errors
/// Where the body is not exactly one pod with one map of victims.
pub fn read_preemption_arguments<'b>(
    body: &'b [u8],
    classes_of: impl FindClasses,
) -> Result<PreemptionArguments<'b>, BadRequest> {
    let mut scanner = Scanner::new(body);
    let mut pod = Field::new("Pod");
    let mut from_pods = Field::new("NodeNameToVictims");
    let mut from_uids = Field::new("NodeNameToMetaVictims");
    scanner.object(&NO_OBJECT, |scanner, key| match key.unescaped().as_ref() {
        b"Pod" => pod.read(scanner, read_pod),
        b"NodeNameToVictims" => from_pods.read(scanner, |scanner| {
            victims::<WholePod<'b>>(scanner, "`NodeNameToVictims`", &classes_of)
        }),
        b"NodeNameToMetaVictims" => from_uids.read(scanner, |scanner| {
            victims::<MetaPod<'b>>(scanner, "`NodeNameToMetaVictims`", &classes_of)
        }),
        _ => scanner.skip(),
    })?;
    scanner.end()?;
    let pod = pod.value.ok_or(BadRequest::MissingPod)?;
    let nodes = match (from_pods.value, from_uids.value) {
        (Some(nodes), None) | (None, Some(nodes)) => nodes,
        (None, None) => return Err(BadRequest::NoVictims),
        (Some(_), Some(_)) => return Err(BadRequest::BothVictims),
    };
    Ok(PreemptionArguments { pod, nodes })
}

/// `Victims` and `MetaVictims`: they differ in what stands for a pod. Without `Pods`, or with `null`,
/// there is no victim.
#[derive(Deserialize)]
struct Victims<P> {
    #[serde(rename = "Pods")]
    pods: Option<Vec<P>>,
    #[serde(rename = "NumPDBViolations", default)]
    violations: i64,
}

impl<P> Default for Victims<P> {
    fn default() -> Self {
        Self {
            pods: None,
            violations: 0,
        }
    }
}

trait Victim<'b> {
    fn uid(&self) -> &'b RawValue;
}

#[derive(Deserialize)]
struct WholePod<'b> {
    #[serde(borrow)]
    metadata: PodMetadata<'b>,
}

#[derive(Deserialize)]
struct PodMetadata<'b> {
    #[serde(borrow)]
    uid: &'b RawValue,
}

#[derive(Deserialize)]
struct MetaPod<'b> {
    #[serde(borrow, rename = "UID")]
    uid: &'b RawValue,
}

impl<'b> Victim<'b> for WholePod<'b> {
    fn uid(&self) -> &'b RawValue {
        self.metadata.uid
    }
}

impl<'b> Victim<'b> for MetaPod<'b> {
    fn uid(&self) -> &'b RawValue {
        self.uid
    }
}

fn victims<'b, P: Victim<'b> + Deserialize<'b>>(
    scanner: &mut Scanner<'b>,
    field: &'static str,
    classes_of: &impl FindClasses,
) -> Result<Vec<NodeVictims<'b>>, BadRequest> {
    let not_a_map = BadRequest::WrongType {
        field,
        expected: "a map from node names to victims",
    };
    let mut nodes = Vec::new();
    scanner.object(&not_a_map, |scanner, node| {
        // The value is a pointer in Go, so `null` is possible and means nobody.
        let victims = match scanner.take_null() {
            true => Victims::default(),
            false => scanner.object_value::<Victims<P>>(BadRequest::InvalidVictims)?.0,
        };
        let pods = victims.pods.unwrap_or_default();
        let uids = pods.iter().map(|pod| RawText::from_json(pod.uid().get()));
        let uids = uids
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| BadRequest::InvalidVictims("a UID is not a text".to_owned()))?;
        nodes.push(NodeVictims {
            node,
            class: class_of(node, classes_of),
            uids,
            violations: victims.violations,
        });
        Ok(())
    })?;
    Ok(nodes)
}
