//! The pods that run, reduced to where pods with which labels are.
//!
//! Inputs: pods with a node. Output: groups of pods of one namespace with the same labels, and how many
//! of each are on which node; for each claim the pods that mount it. Invariants: no label is dropped, since a selector may name any; the same
//! pods make the same groups, in whatever order they came and went; a copy costs nothing, and a pod that comes or goes
//! costs its own group; a pod that ended or has no node is not one of them.
//! Deliberately absent: which of the other pods is which, and where the nodes are: the snapshot looks after that.

use std::cmp::Ordering;
use std::sync::Arc;

use super::fleet::{ByName, ClaimKey};
use super::labels::LabelSet;
use super::names::{NamespaceName, NodeName};
use super::volume::{HeldClaims, Holder};

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
    /// Its labels; a pod without any that mounts no claim is never kept, since nothing asks for it.
    pub labels: LabelSet,
    /// Its node.
    pub node: NodeName,
    /// What it says of the claims that it mounts; `None` where it mounts none.
    pub held: Option<Arc<HeldClaims>>,
}

/// Pods of one namespace with the same labels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodGroup {
    /// How many are on which node, in the order of nodes, each once.
    pub on: Vec<(NodeName, u32)>,
}

impl PodGroup {
    /// How many are on this node.
    #[must_use]
    pub fn on_node(&self, node: &NodeName) -> u32 {
        let found = self.position(node).ok();
        found.and_then(|at| self.on.get(at)).map_or(0, |(_, pods)| *pods)
    }

    /// The nodes on which a later state of this group has another number of pods, with the number before and after.
    pub fn changed_on<'a>(&'a self, later: &'a Self) -> impl Iterator<Item = (&'a NodeName, u32, u32)> {
        let (mut old, mut new) = (self.on.iter().peekable(), later.on.iter().peekable());
        let of_each = std::iter::from_fn(move || {
            let order = match (old.peek(), new.peek()) {
                (Some((old, _)), Some((new, _))) => old.cmp(new),
                (Some(_), None) => Ordering::Less,
                (None, _) => Ordering::Greater,
            };
            let before = old.next_if(|_| order.is_le());
            let after = new.next_if(|_| order.is_ge());
            let (node, _) = before.or(after)?;
            let pods = |on: Option<&(NodeName, u32)>| on.map_or(0, |(_, pods)| *pods);
            Some((node, pods(before), pods(after)))
        });
        of_each.filter(|(_, before, after)| before != after)
    }

    fn position(&self, node: &NodeName) -> Result<usize, usize> {
        self.on.binary_search_by(|(other, _)| other.cmp(node))
    }

    fn add(&mut self, node: &NodeName) {
        match self.position(node) {
            Ok(at) => {
                if let Some((_, pods)) = self.on.get_mut(at) {
                    *pods += 1;
                }
            }
            Err(at) => self.on.insert(at, (node.clone(), 1)),
        }
    }

    /// One pod less on the node; whether there was one.
    fn remove(&mut self, node: &NodeName) -> bool {
        let Ok(at) = self.position(node) else { return false };
        match self.on.get_mut(at) {
            Some((_, pods)) if *pods > 1 => *pods -= 1,
            _ => drop(self.on.remove(at)),
        }
        true
    }
}

/// The groups of one namespace by their labels.
pub type PodGroups = ByName<LabelSet, Arc<PodGroup>>;

/// The pods that mount each claim, in the order of their names.
pub type HoldersByClaim = ByName<ClaimKey, Vec<Arc<Holder>>>;

/// The pods that run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunningPods {
    namespaces: ByName<NamespaceName, PodGroups>,
    pods: usize,
    holders: HoldersByClaim,
}

impl RunningPods {
    /// Groups pods, in time that grows with their number.
    pub fn gather<'a>(pods: impl Iterator<Item = (&'a NamespaceName, &'a RunningPod)>) -> Self {
        let mut all: Vec<(&NamespaceName, &RunningPod)> = pods.collect();
        let mut gathered = Self::default();
        for (namespace, pod) in &all {
            gathered.hold(namespace, pod);
        }
        all.retain(|(_, pod)| !pod.labels.is_empty());
        all.sort_unstable_by(|(one_namespace, one), (other_namespace, other)| {
            (one_namespace, &one.labels, &one.node).cmp(&(other_namespace, &other.labels, &other.node))
        });
        gathered.pods = all.len();
        for of_namespace in all.chunk_by(|one, other| one.0 == other.0) {
            let groups = of_namespace.chunk_by(|one, other| one.1.labels == other.1.labels);
            let groups: PodGroups = groups.filter_map(group).collect();
            if let Some((namespace, _)) = of_namespace.first() {
                gathered.namespaces.insert((*namespace).clone(), groups);
            }
        }
        gathered
    }

    /// What a pod says of the claims that it mounts.
    fn hold(&mut self, namespace: &NamespaceName, pod: &RunningPod) {
        let Some(held) = &pod.held else { return };
        let holder = Arc::new(Holder {
            namespace: namespace.clone(),
            node: pod.node.clone(),
            labels: pod.labels.clone(),
            held: held.clone(),
        });
        for claim in &held.claims {
            let holders = self.holders.entry(claim_key(namespace, claim)).or_default();
            let at = holders.partition_point(|other| other.held.pod < held.pod);
            holders.insert(at, holder.clone());
        }
    }

    /// The pod no longer holds its claims.
    fn release(&mut self, namespace: &NamespaceName, pod: &RunningPod) {
        let Some(held) = &pod.held else { return };
        for claim in &held.claims {
            let key = claim_key(namespace, claim);
            if let Some(holders) = self.holders.get_mut(&key) {
                holders.retain(|other| other.held.pod != held.pod);
                if holders.is_empty() {
                    self.holders.remove(&key);
                }
            }
        }
    }

    /// The pods that mount a claim, in the order of their names.
    #[must_use]
    pub fn holders(&self, claim: &ClaimKey) -> &[Arc<Holder>] {
        self.holders.get(claim).map_or(&[], Vec::as_slice)
    }

    /// The pods that mount each claim that some pod mounts.
    #[must_use]
    pub fn holders_by_claim(&self) -> &HoldersByClaim {
        &self.holders
    }

    /// One more pod; one without labels is found by its claims alone.
    pub fn add(&mut self, namespace: &NamespaceName, pod: &RunningPod) {
        self.hold(namespace, pod);
        if pod.labels.is_empty() {
            return;
        }
        let groups = self.namespaces.entry(namespace.clone()).or_default();
        let group = groups.entry(pod.labels.clone()).or_default();
        Arc::make_mut(group).add(&pod.node);
        self.pods += 1;
    }

    /// One pod less, where there is such a one.
    pub fn remove(&mut self, namespace: &NamespaceName, pod: &RunningPod) {
        self.release(namespace, pod);
        let Some(groups) = self.namespaces.get_mut(namespace) else {
            return;
        };
        let Some(group) = groups.get_mut(&pod.labels) else {
            return;
        };
        let group = Arc::make_mut(group);
        if group.remove(&pod.node) {
            self.pods -= 1;
        }
        if group.on.is_empty() {
            groups.remove(&pod.labels);
        }
        if groups.is_empty() {
            self.namespaces.remove(namespace);
        }
    }

    /// The groups of a namespace; `None` where it has no pods.
    #[must_use]
    pub fn groups(&self, namespace: &NamespaceName) -> Option<&PodGroups> {
        self.namespaces.get(namespace)
    }

    /// Every namespace that has pods, with their groups.
    #[must_use]
    pub fn namespaces(&self) -> &ByName<NamespaceName, PodGroups> {
        &self.namespaces
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

fn claim_key(namespace: &NamespaceName, claim: &Arc<str>) -> ClaimKey {
    ClaimKey {
        namespace: namespace.clone(),
        name: claim.clone(),
    }
}

/// The group of pods with equal labels, which come in the order of their nodes.
fn group(pods: &[(&NamespaceName, &RunningPod)]) -> Option<(LabelSet, Arc<PodGroup>)> {
    let (_, first) = pods.first()?;
    let runs = pods.chunk_by(|one, other| one.1.node == other.1.node);
    let counted = runs.filter_map(|run| {
        let (_, pod) = run.first()?;
        Some((pod.node.clone(), u32::try_from(run.len()).unwrap_or(u32::MAX)))
    });
    let group = PodGroup {
        on: counted.collect(),
    };
    Some((first.labels.clone(), Arc::new(group)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pod(labels: &[(&str, &str)], node: &str) -> RunningPod {
        RunningPod {
            labels: LabelSet::new(labels.iter().copied()),
            node: NodeName::new(node).expect("a name"),
            held: None,
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
        assert_eq!(running.len(), 6, "a pod without labels needs no entry");
        let groups = |namespace| -> Vec<String> {
            let groups = running.groups(namespace).into_iter().flatten();
            let counts = groups.map(|(_, group)| {
                let on: Vec<String> = group
                    .on
                    .iter()
                    .map(|(node, pods)| format!("{node}={pods}"))
                    .collect();
                on.join(" ")
            });
            counts.collect()
        };
        assert_eq!(groups(&shop), ["n1=1 n2=2", "n1=1", "n1=1"]);
        assert_eq!(groups(&site), ["n1=1"]);
        assert_eq!(running.groups(&namespace("nowhere")), None);
        let cart = LabelSet::new(cart.into_iter());
        let group = running
            .groups(&shop)
            .and_then(|groups| groups.get(&cart))
            .expect("a group");
        let on_node = |name| group.on_node(&NodeName::new(name).expect("a name"));
        assert_eq!([on_node("n1"), on_node("n2"), on_node("n3")], [1, 2, 0]);
    }

    proptest! {
        #[test]
        fn whatever_came_and_went_the_groups_are_those_of_the_pods_that_are_there(
            steps in prop::collection::vec((any::<bool>(), 0..2_usize, 0..3_usize, 0..3_usize), 0..60),
        ) {
            let namespaces = ["shop", "site"].map(|name| NamespaceName::new(name).expect("a name"));
            let labels: [&[(&str, &str)]; 3] = [&[], &[("app", "cart")], &[("app", "web")]];
            let mut there: Vec<(NamespaceName, RunningPod)> = Vec::new();
            let mut running = RunningPods::default();
            for (comes, namespace, of, node) in steps {
                let namespace = &namespaces[namespace];
                let pod = pod(labels[of], ["n1", "n2", "n3"][node]);
                if comes {
                    running.add(namespace, &pod);
                    there.push((namespace.clone(), pod));
                } else {
                    running.remove(namespace, &pod);
                    if let Some(at) = there.iter().position(|other| (&other.0, &other.1) == (namespace, &pod)) {
                        there.remove(at);
                    }
                }
                let gathered = RunningPods::gather(there.iter().map(|(namespace, pod)| (namespace, pod)));
                prop_assert_eq!(&running, &gathered);
                prop_assert_eq!(running.len(), there.iter().filter(|(_, pod)| !pod.labels.is_empty()).count());
            }
        }
    }
}
