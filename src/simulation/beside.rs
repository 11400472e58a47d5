//! What of kube-scheduler's own stands in the way of a pod on the nodes that the policy permits.
//!
//! Inputs: the text of a fleet and of a manifest, and which nodes are permitted. Outputs: per permitted node the first
//! thing that turns the pod away, and the hard spread constraints that cannot be met because domains are closed to
//! the pod: kube-scheduler counts those that its extender refuses as empty ones. Invariant: judged by the model of
//! kube-scheduler, by no second one. Deliberately absent: resources, which change by the minute; volumes and ports.

use std::collections::BTreeSet;

use super::kube::spec::{NodeInclusionPolicy, Taint};
use super::kube::{Cluster, HardSpread, NodeIndex, Profile, Rejector, SpreadDomain};
use super::trace::import::{KubectlOptions, import_kubectl, pod_of_manifest};
use super::trace::{Event, TracePod, What};
use crate::model::PodRequirements;

/// The texts that are judged.
#[derive(Debug, Clone, Copy)]
pub struct BesideFacts<'a> {
    /// The fleet: its name for problems, and its text.
    pub fleet: (&'a str, &'a str),
    /// The manifest of the pod.
    pub manifest: &'a str,
    /// What was read of it.
    pub pod: &'a PodRequirements,
}

/// What stands in the way beside the policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Beside {
    /// The permitted nodes by what turns the pod away from them, in the order in which kube-scheduler asks.
    pub hindered: Vec<HinderedNodes>,
    /// The permitted nodes from which nothing of this turns it away.
    pub open: Vec<String>,
    /// Hard spread constraints that closed domains keep from being met.
    pub spread: Vec<DeadSpread>,
    /// What of the pod and of the fleet is not judged.
    pub notes: Vec<String>,
}

/// Nodes that one thing turns the pod away from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HinderedNodes {
    /// The plugin.
    pub by: Rejector,
    /// The taint, where it is one.
    pub taint: Option<Taint>,
    /// The names of the nodes.
    pub nodes: Vec<String>,
}

/// A hard spread constraint that stops the pods of a workload before they all have a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadSpread {
    /// The label.
    pub topology_key: String,
    /// By how many pods domains may differ.
    pub max_skew: i32,
    /// With fewer domains than this the least count is 0.
    pub min_domains: Option<i32>,
    /// All domains that count.
    pub domains: usize,
    /// Those without a permitted node.
    pub forbidden: Vec<String>,
    /// Those with permitted nodes, from all of which something else turns the pod away.
    pub closed: Vec<String>,
    /// Those that the pod may use.
    pub open: usize,
    /// How many more such pods can be placed.
    pub room: u64,
    /// Whether the constraint counts nodes even where the pod's node affinity excludes them.
    pub ignores_affinity: bool,
}

impl DeadSpread {
    /// Whether telling kube-scheduler of the permitted places by node affinity is the cure.
    #[must_use]
    pub fn is_cured_by_affinity(&self) -> bool {
        !self.forbidden.is_empty() && !self.ignores_affinity
    }

    /// Whether fewer domains are open than `minDomains` asks for, which no affinity cures.
    #[must_use]
    pub fn lacks_domains(&self) -> bool {
        self.min_domains
            .is_some_and(|least| usize::try_from(least).is_ok_and(|least| self.open < least))
    }
}

impl Beside {
    /// Judges a pod on the nodes of these names that are permitted.
    ///
    /// # Errors
    /// Every problem of the texts, which say less about nodes and pods than this needs.
    pub fn judge(facts: BesideFacts<'_>, is_permitted: impl Fn(&str) -> bool) -> Result<Self, Vec<String>> {
        let options = KubectlOptions {
            keep_nodes: true,
            unknown_capacity: true,
        };
        let trace = import_kubectl([facts.fleet], options)?;
        let (mut spec, notes) =
            pod_of_manifest(facts.manifest, facts.pod).map_err(|problem| vec![problem])?;
        // Which node it is on does not matter to where it might be.
        spec.node_name = None;
        let mut cluster = Cluster::new(Profile::default(), 0);
        let mut permitted = Vec::new();
        for Event { what, .. } in trace.events {
            match what {
                What::NamespaceSet(set) => cluster.set_namespace(set.namespace.as_str(), set.labels),
                What::NodeAdd(node) => {
                    let is_there = is_permitted(&node.spec.name);
                    let added = cluster
                        .add_node(node.spec)
                        .map_err(|twice| vec![twice.to_string()])?;
                    permitted.extend(is_there.then_some(added));
                }
                What::PodCreate(pod) if !is_same(&pod, facts.pod) => bind(&mut cluster, &pod),
                _ => {}
            }
        }
        let pod = cluster.add_pod(&spec);
        let mut beside = Self {
            notes,
            ..Self::default()
        };
        let hindrances = cluster.hindrances(pod, &permitted);
        let mut usable = BTreeSet::new();
        for (node, hindrance) in permitted.iter().zip(hindrances) {
            let name = cluster.node_spec(*node).name.clone();
            match &hindrance {
                // What other pods there are may be other tomorrow; the node itself is not closed.
                Some(hindrance) if closes(hindrance.by) => {}
                _ => {
                    usable.insert(*node);
                }
            }
            let Some(hindrance) = hindrance else {
                beside.open.push(name);
                continue;
            };
            let known =
                |group: &&mut HinderedNodes| group.by == hindrance.by && group.taint == hindrance.taint;
            match beside.hindered.iter_mut().find(known) {
                Some(group) => group.nodes.push(name),
                None => beside.hindered.push(HinderedNodes {
                    by: hindrance.by,
                    taint: hindrance.taint,
                    nodes: vec![name],
                }),
            }
        }
        // Of one plugin the greater group first.
        beside
            .hindered
            .sort_by_key(|group| (group.by, usize::MAX - group.nodes.len()));
        let permitted: BTreeSet<NodeIndex> = permitted.into_iter().collect();
        let constraints = cluster.hard_spread(pod);
        beside.spread = constraints
            .into_iter()
            .filter_map(|spread| dead(spread, &permitted, &usable))
            .collect();
        Ok(beside)
    }
}

/// Whether a plugin turns every such pod away from a node, however other pods are placed.
fn closes(by: Rejector) -> bool {
    matches!(
        by,
        Rejector::NodeUnschedulable | Rejector::NodeName | Rejector::TaintToleration | Rejector::NodeAffinity
    )
}

fn is_same(known: &TracePod, asked: &PodRequirements) -> bool {
    known.spec.name == asked.name && known.spec.namespace == asked.namespace.as_str()
}

fn bind(cluster: &mut Cluster, pod: &TracePod) {
    let on = pod.spec.node_name.as_deref();
    if let Some(node) = on.and_then(|name| cluster.node(name)) {
        let pod = cluster.add_pod(&pod.spec);
        cluster.bind(pod, node, 0);
    }
}

/// `matchNum + selfMatchNum - minMatchNum <= maxSkew`, where the domains that are closed keep their count for ever.
fn dead(
    spread: HardSpread,
    permitted: &BTreeSet<NodeIndex>,
    usable: &BTreeSet<NodeIndex>,
) -> Option<DeadSpread> {
    let HardSpread {
        constraint,
        counts_itself,
        domains,
    } = spread;
    let has = |domain: &SpreadDomain, nodes: &BTreeSet<NodeIndex>| {
        domain.nodes.iter().any(|node| nodes.contains(node))
    };
    let is_open = |domain: &SpreadDomain| has(domain, usable);
    let stuck = || domains.values().filter(|domain| !is_open(domain));
    let has_too_few = constraint
        .min_domains
        .is_some_and(|least| i64::try_from(domains.len()).is_ok_and(|number| number < i64::from(least)));
    let least = match stuck().map(|domain| domain.pods).min() {
        _ if has_too_few => 0,
        Some(least) => least,
        None => return None,
    };
    // A pod that its own constraint does not count fills nothing.
    if !counts_itself {
        return None;
    }
    let limit = least + i64::from(constraint.max_skew);
    let open = domains.values().filter(|domain| is_open(domain));
    let room: i64 = open.map(|domain| (limit - domain.pods).max(0)).sum();
    let named = |which: &dyn Fn(&SpreadDomain) -> bool| -> Vec<String> {
        let those = domains.iter().filter(|(_, domain)| which(domain));
        those.map(|(value, _)| value.clone()).collect()
    };
    Some(DeadSpread {
        forbidden: named(&|domain| !has(domain, permitted)),
        closed: named(&|domain| has(domain, permitted) && !is_open(domain)),
        open: domains.values().filter(|domain| is_open(domain)).count(),
        domains: domains.len(),
        room: u64::try_from(room).unwrap_or(0),
        ignores_affinity: constraint.node_affinity_policy == Some(NodeInclusionPolicy::Ignore),
        topology_key: constraint.topology_key,
        max_skew: constraint.max_skew,
        min_domains: constraint.min_domains,
    })
}

#[cfg(test)]
#[path = "beside_tests.rs"]
mod tests;
