//! What the watches have said so far, as a [`Fleet`].
//!
//! Inputs: events of one kind at a time, in any order between kinds, with relists. Outputs: the fleet,
//! once every kind has been listed whole. Invariants: after a relist the index equals a fresh list; an
//! event that changes nothing that decides says so, and nothing is published for it; an object that
//! cannot be read is unknown, and unknown never helps a workload. Running pods only sway the order of
//! places, so the fleet does not wait for them. No client, no clock, no waiting.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{
    ByName, Claim, ClaimKey, Fleet, LabelPool, Namespace, NamespaceName, NodeName, NodeRecord, PodKey,
    RunningPod, RunningPods, StorageClass, Volume,
};

/// What happened to an object, or to a whole kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Change<K, V> {
    /// It is there, as this.
    Apply(K, V),
    /// It is there and cannot be read.
    Unreadable(K),
    /// It is gone.
    Delete(K),
    /// A new list begins.
    ListBegins,
    /// The list is whole; what it did not name is gone.
    ListEnds,
}

/// Objects of one kind.
#[derive(Debug)]
pub struct Store<K: Ord, V> {
    current: ByName<K, V>,
    unreadable: BTreeSet<K>,
    /// What a list has named so far, while it is not whole.
    listed: Option<(ByName<K, V>, BTreeSet<K>)>,
    is_whole: bool,
}

impl<K: Ord, V> Default for Store<K, V> {
    fn default() -> Self {
        Self {
            current: ByName::new(),
            unreadable: BTreeSet::new(),
            listed: None,
            is_whole: false,
        }
    }
}

impl<K: Ord + Clone, V: Clone + PartialEq> Store<K, V> {
    /// Takes a change in, and tells whether it changed anything that decides.
    pub fn take(&mut self, change: Change<K, V>) -> bool {
        match change {
            Change::ListBegins => {
                self.listed = Some((ByName::new(), BTreeSet::new()));
                false
            }
            Change::ListEnds => self.list_ends(),
            Change::Apply(key, value) => match &mut self.listed {
                Some((listed, unreadable)) => {
                    unreadable.remove(&key);
                    listed.insert(key, value);
                    false
                }
                None => {
                    let was_unreadable = self.unreadable.remove(&key);
                    let changed = self.current.get(&key) != Some(&value);
                    // What stays as it was goes on being shared with what was published.
                    if changed {
                        self.current.insert(key, value);
                    }
                    changed || was_unreadable
                }
            },
            Change::Unreadable(key) => match &mut self.listed {
                Some((listed, unreadable)) => {
                    listed.remove(&key);
                    unreadable.insert(key);
                    false
                }
                None => {
                    let was_there = self.current.remove(&key).is_some();
                    self.unreadable.insert(key) || was_there
                }
            },
            Change::Delete(key) => match &mut self.listed {
                // A list is a state of its own: what it named and has been deleted since comes as an
                // event after its end.
                Some((listed, unreadable)) => {
                    listed.remove(&key);
                    unreadable.remove(&key);
                    false
                }
                None => {
                    let was_unreadable = self.unreadable.remove(&key);
                    self.current.remove(&key).is_some() || was_unreadable
                }
            },
        }
    }

    fn list_ends(&mut self) -> bool {
        let Some((listed, unreadable)) = self.listed.take() else {
            return false;
        };
        let is_same = listed == self.current;
        let changed = !self.is_whole || !is_same || unreadable != self.unreadable;
        if !is_same {
            self.current = listed;
        }
        self.unreadable = unreadable;
        self.is_whole = true;
        changed
    }

    /// An object as it is known now.
    fn get(&self, key: &K) -> Option<&V> {
        self.current.get(key)
    }

    /// Whether a list has begun and is not whole.
    fn is_being_listed(&self) -> bool {
        self.listed.is_some()
    }

    /// This name as the store holds it, where it does: the same text is then kept once.
    fn shared(&self, key: K) -> K {
        let listed = self.listed.as_ref().map(|(listed, _)| listed);
        let mut objects = [Some(&self.current), listed].into_iter().flatten();
        let known = objects.find_map(|objects| objects.get_key_value(&key));
        known.map_or(key, |(known, _)| known.clone())
    }

    /// Whether a list has been whole once.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// How many objects are there and cannot be read.
    #[must_use]
    pub fn unreadable_count(&self) -> usize {
        self.unreadable.len()
    }

    /// The objects that are there and cannot be read.
    pub fn unreadable(&self) -> impl Iterator<Item = &K> {
        self.unreadable.iter()
    }
}

/// Every kind that is watched.
#[derive(Debug, Default)]
pub struct Index {
    /// Nodes.
    pub nodes: Store<NodeName, NodeRecord>,
    /// Namespaces.
    pub namespaces: Store<NamespaceName, Namespace>,
    /// Persistent volume claims.
    pub claims: Store<ClaimKey, Claim>,
    /// Persistent volumes.
    pub volumes: Store<Arc<str>, Volume>,
    /// Storage classes.
    pub storage_classes: Store<Arc<str>, StorageClass>,
    /// Pods that have a node and have not ended.
    pods: Store<PodKey, RunningPod>,
    /// The same pods by their labels.
    running: RunningPods,
    /// Their labels, each set once.
    labels: LabelPool,
}

/// Label sets that may be kept beside those of the pods that are there, before unused ones are let go.
const MOST_UNUSED_LABEL_SETS: usize = 1_000;

impl Index {
    /// Takes a change of pods in, and tells whether it changed where pods run. What is applied as `None`
    /// is a pod that does not run.
    pub fn take_pod(&mut self, change: Change<PodKey, Option<RunningPod>>) -> bool {
        match change {
            Change::Apply(key, Some(pod)) => {
                let pod = RunningPod {
                    labels: self.labels.share(&pod.labels),
                    node: self.nodes.shared(pod.node),
                    held: pod.held,
                };
                let key = PodKey {
                    namespace: self.namespaces.shared(key.namespace),
                    name: key.name,
                };
                self.take_one_pod(key.clone(), Change::Apply(key, pod))
            }
            Change::Apply(key, None) | Change::Delete(key) => {
                self.take_one_pod(key.clone(), Change::Delete(key))
            }
            Change::Unreadable(key) => self.take_one_pod(key.clone(), Change::Unreadable(key)),
            Change::ListBegins => self.pods.take(Change::ListBegins),
            Change::ListEnds => {
                let changed = self.pods.take(Change::ListEnds);
                if changed {
                    let pods = self.pods.current.iter();
                    self.running = RunningPods::gather(pods.map(|(key, pod)| (&key.namespace, pod)));
                }
                changed
            }
        }
    }

    /// Takes a change of one pod in, and moves it among the groups.
    fn take_one_pod(&mut self, key: PodKey, change: Change<PodKey, RunningPod>) -> bool {
        if self.pods.is_being_listed() {
            return self.pods.take(change);
        }
        let before = self.pods.get(&key).cloned();
        let changed = self.pods.take(change);
        if changed {
            if let Some(before) = before {
                self.running.remove(&key.namespace, &before);
            }
            if let Some(after) = self.pods.get(&key) {
                self.running.add(&key.namespace, after);
            }
        }
        changed
    }

    /// Where pods with which labels run, once they have been listed whole. One that cannot be read is
    /// nowhere: nobody is drawn to it.
    #[must_use]
    pub fn running_pods(&mut self) -> Option<RunningPods> {
        // Rollouts and jobs give every generation of pods labels of its own.
        if self.labels.len() > 2 * self.pods.current.len() + MOST_UNUSED_LABEL_SETS {
            self.labels.forget_unused();
        }
        self.pods.is_whole().then(|| self.running.clone())
    }

    /// The kinds that have not been listed whole yet.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let kinds = [
            ("nodes", self.nodes.is_whole()),
            ("namespaces", self.namespaces.is_whole()),
            ("persistentvolumeclaims", self.claims.is_whole()),
            ("persistentvolumes", self.volumes.is_whole()),
            ("storageclasses", self.storage_classes.is_whole()),
        ];
        kinds
            .into_iter()
            .filter(|(_, whole)| !whole)
            .map(|(kind, _)| kind)
            .collect()
    }

    /// How many objects cannot be read, of all kinds.
    #[must_use]
    pub fn unreadable_count(&self) -> usize {
        self.nodes.unreadable_count()
            + self.namespaces.unreadable_count()
            + self.claims.unreadable_count()
            + self.volumes.unreadable_count()
            + self.storage_classes.unreadable_count()
            + self.pods.unreadable_count()
    }

    /// The fleet, once every kind has been listed whole.
    ///
    /// What cannot be read is left out, and so unknown: a node that is unknown is refused, a namespace,
    /// claim or volume that is unknown restricts by everything. Only a storage class may legitimately
    /// not exist, so one that cannot be read says so.
    #[must_use]
    pub fn fleet(&self) -> Option<Fleet> {
        if !self.missing().is_empty() {
            return None;
        }
        let mut storage_classes = self.storage_classes.current.clone();
        for name in self.storage_classes.unreadable() {
            storage_classes.insert(name.clone(), StorageClass::unreadable());
        }
        Some(Fleet {
            nodes: self.nodes.current.clone(),
            namespaces: Some(self.namespaces.current.clone()),
            claims: Some(self.claims.current.clone()),
            volumes: Some(self.volumes.current.clone()),
            storage_classes: Some(storage_classes),
        })
    }
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
