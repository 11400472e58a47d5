//! The pods that run, reduced to where pods with which labels are.
//!
//! Inputs: pods with a node. Output: groups of pods of one namespace with the same labels, and how many
//! of each are on which node. Invariants: no label is dropped, since a selector may name any; the same
//! pods in the same order make the same groups; a pod that ended or has no node is not one of them.
//! Deliberately absent: which pod is which, and where the nodes are: the snapshot looks after that.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::labels::LabelSet;
use super::names::{NamespaceName, NodeName};

/// Which pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodKey {
    /// Its namespace.
    pub namespace: NamespaceName,
    /// Its name.
    pub name: Arc<str>,
}

/// A pod that runs, or is about to, on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningPod {
    /// Its labels; a pod without any is never kept, since nothing selects it.
    pub labels: LabelSet,
    /// Its node.
    pub node: NodeName,
}

/// Pods of one namespace with the same labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodGroup {
    /// Their labels.
    pub labels: LabelSet,
    /// How many are on which node: positions in [`RunningPods::nodes`], each once, in order.
    pub on: Vec<(u32, u32)>,
}

/// The pods that run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunningPods {
    nodes: Vec<NodeName>,
    namespaces: BTreeMap<NamespaceName, Vec<PodGroup>>,
    pods: usize,
}

/// Numbers things in the order in which they are first seen. Only looked up, never walked through.
struct Numbers<K>(HashMap<K, u32, RandomState>);

impl<K: Hash + Eq> Numbers<K> {
    /// The number of a thing, and whether it is new.
    fn of(&mut self, thing: K) -> (u32, bool) {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        let number = *self.0.entry(thing).or_insert(next);
        (number, number == next)
    }
}

impl RunningPods {
    /// Groups pods, in time that grows with their number.
    pub fn gather<'a>(pods: impl Iterator<Item = (&'a NamespaceName, &'a RunningPod)>) -> Self {
        let mut node_numbers = Numbers(HashMap::default());
        let mut group_numbers = Numbers(HashMap::default());
        let mut gathered = Self::default();
        let mut groups: Vec<(&NamespaceName, &LabelSet, Vec<u32>)> = Vec::new();
        for (namespace, pod) in pods.filter(|(_, pod)| !pod.labels.is_empty()) {
            let (node, is_new) = node_numbers.of(&pod.node);
            if is_new {
                gathered.nodes.push(pod.node.clone());
            }
            let (group, is_new) = group_numbers.of((namespace, &pod.labels));
            if is_new {
                groups.push((namespace, &pod.labels, Vec::new()));
            }
            if let Some((_, _, on)) = groups.get_mut(group as usize) {
                on.push(node);
            }
            gathered.pods += 1;
        }
        for (namespace, labels, on) in groups {
            let group = PodGroup {
                labels: labels.clone(),
                on: counted(on),
            };
            match gathered.namespaces.get_mut(namespace) {
                Some(groups) => groups.push(group),
                None => {
                    gathered.namespaces.insert(namespace.clone(), vec![group]);
                }
            }
        }
        gathered
    }

    /// The nodes on which some pod is.
    #[must_use]
    pub fn nodes(&self) -> &[NodeName] {
        &self.nodes
    }

    /// The groups of a namespace.
    #[must_use]
    pub fn groups(&self, namespace: &NamespaceName) -> &[PodGroup] {
        self.namespaces.get(namespace).map_or(&[], Vec::as_slice)
    }

    /// Every namespace that has pods, with their groups.
    pub fn namespaces(&self) -> impl Iterator<Item = (&NamespaceName, &[PodGroup])> {
        self.namespaces
            .iter()
            .map(|(name, groups)| (name, groups.as_slice()))
    }

    /// How many pods there are that have labels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pods
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pods == 0
    }
}

/// How often each number is there, in the order of numbers.
fn counted(mut numbers: Vec<u32>) -> Vec<(u32, u32)> {
    numbers.sort_unstable();
    let runs = numbers.chunk_by(|one, other| one == other);
    let counts = runs.filter_map(|run| Some((*run.first()?, u32::try_from(run.len()).unwrap_or(u32::MAX))));
    counts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(labels: &[(&str, &str)], node: &str) -> RunningPod {
        RunningPod {
            labels: LabelSet::new(labels.iter().copied()),
            node: NodeName::new(node).expect("a name"),
        }
    }

    #[test]
    fn pods_with_the_same_labels_are_one_group_in_their_namespace_and_no_label_is_dropped() {
        let namespace = |name| NamespaceName::new(name).expect("a name");
        let (shop, site) = (namespace("shop"), namespace("site"));
        let cart = [("app", "cart")];
        let first = [("app", "db"), ("statefulset.kubernetes.io/pod-name", "db-0")];
        let second = [("app", "db"), ("statefulset.kubernetes.io/pod-name", "db-1")];
        let pods = [
            (&shop, pod(&cart, "n2")),
            (&site, pod(&cart, "n1")),
            (&shop, pod(&first, "n1")),
            (&shop, pod(&cart, "n2")),
            (&shop, pod(&[], "n3")),
            (&shop, pod(&second, "n1")),
            (&shop, pod(&cart, "n1")),
        ];
        let running = RunningPods::gather(pods.iter().map(|(namespace, pod)| (*namespace, pod)));
        let nodes: Vec<&str> = running.nodes().iter().map(NodeName::as_str).collect();
        assert_eq!(nodes, ["n2", "n1"], "a pod without labels needs no entry");
        assert_eq!(running.len(), 6);
        let groups = |namespace| -> Vec<Vec<(u32, u32)>> {
            running
                .groups(namespace)
                .iter()
                .map(|group| group.on.clone())
                .collect()
        };
        assert_eq!(groups(&shop), [vec![(0, 2), (1, 1)], vec![(1, 1)], vec![(1, 1)]]);
        assert_eq!(groups(&site), [vec![(1, 1)]]);
        assert!(running.groups(&namespace("nowhere")).is_empty());
    }
}
