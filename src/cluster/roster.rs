//! Every pod that has not ended, bound or waiting: what retries and the scan work through.
//!
//! Inputs: changes of pods as a watch tells them, with relists. Outputs: the pods by name, and for each change what a
//! pod was and is. Invariants: after a relist the roster equals a fresh list; pods that differ in nothing but their
//! name and node share one [`Subject`], so that what decides is kept and judged once for all of them; a pod that
//! cannot be read is left out, and counted. Deliberately absent: what is made of it; a client.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, Hash, Hasher};
use std::ops::Bound;
use std::sync::{Arc, Weak};

use foldhash::fast::FixedState;

use super::index::Change;
use crate::model::{NodeName, PodKey, PodRequirements};
use crate::objects::{ControllerReference, WatchedPod};

/// What pods of one template have in common: all that decides where they may run.
#[derive(Debug, PartialEq)]
pub struct Subject {
    /// What decides, without name, UID and node.
    pub pod: PodRequirements,
    /// Their controller.
    pub controller: Option<ControllerReference>,
}

impl Subject {
    /// What tells it from any other, for as long as it is kept.
    #[must_use]
    pub fn id(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self).addr()
    }
}

/// A pod of the roster. Clones are cheap.
#[derive(Debug, Clone)]
pub struct RosterPod {
    /// Its UID.
    pub uid: Arc<str>,
    /// What decides.
    pub subject: Arc<Subject>,
    /// Its node; `None` while it waits.
    pub node: Option<NodeName>,
    /// Whether it waits, and kube-scheduler looked for a node in vain.
    pub is_refused: bool,
}

impl RosterPod {
    /// The whole pod, for whoever has to name it.
    #[must_use]
    pub fn requirements(&self, key: &PodKey) -> PodRequirements {
        PodRequirements {
            name: key.name.to_string(),
            uid: self.uid.to_string(),
            node: self.node.clone(),
            ..self.subject.pod.clone()
        }
    }

    /// Whether another is the same pod, and nothing that decides differs.
    #[must_use]
    pub fn decides_as(&self, other: &Self) -> bool {
        self.uid == other.uid && self.node == other.node && Arc::ptr_eq(&self.subject, &other.subject)
    }
}

/// What a change made of the roster.
#[derive(Debug)]
pub enum News {
    /// Nothing.
    Nothing,
    /// A pod came, changed or went.
    Pod {
        /// Which.
        key: PodKey,
        /// What it was.
        was: Option<RosterPod>,
        /// What it is.
        is: Option<RosterPod>,
    },
    /// A list is whole: any pod may have come, changed or gone.
    Listed,
}

/// The pods.
#[derive(Debug, Default)]
pub struct Roster {
    pods: BTreeMap<PodKey, RosterPod>,
    unreadable: BTreeSet<PodKey>,
    /// What a list has named so far, while it is not whole.
    listed: Option<BTreeSet<PodKey>>,
    is_whole: bool,
    subjects: Subjects,
}

impl Roster {
    /// Takes a change in. What is applied as `None` is a pod that ended.
    pub fn take(&mut self, change: Change<PodKey, Option<WatchedPod>>) -> News {
        let (key, is) = match change {
            Change::ListBegins => {
                self.listed = Some(BTreeSet::new());
                return News::Nothing;
            }
            Change::ListEnds => return self.list_ends(),
            Change::Apply(key, Some(pod)) => {
                self.unreadable.remove(&key);
                let is = self.subjects.keep(pod);
                (key, Some(is))
            }
            Change::Apply(key, None) | Change::Delete(key) => {
                self.unreadable.remove(&key);
                (key, None)
            }
            Change::Unreadable(key) => {
                self.unreadable.insert(key.clone());
                (key, None)
            }
        };
        if let Some(listed) = &mut self.listed {
            listed.insert(key.clone());
        }
        let was = match &is {
            Some(is) => self.pods.insert(key.clone(), is.clone()),
            None => self.pods.remove(&key),
        };
        // Of a list that is not whole nothing is told but its end.
        match (&was, &is) {
            (None, None) => News::Nothing,
            _ if self.listed.is_some() => News::Nothing,
            _ => News::Pod { key, was, is },
        }
    }

    fn list_ends(&mut self) -> News {
        let Some(listed) = self.listed.take() else {
            return News::Nothing;
        };
        self.pods.retain(|key, _| listed.contains(key));
        self.unreadable.retain(|key| listed.contains(key));
        self.subjects.forget_unused();
        self.is_whole = true;
        News::Listed
    }

    /// Whether a list has been whole once.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// How many pods are there and cannot be read.
    #[must_use]
    pub fn unreadable_count(&self) -> usize {
        self.unreadable.len()
    }

    /// A pod.
    #[must_use]
    pub fn get(&self, key: &PodKey) -> Option<&RosterPod> {
        self.pods.get(key)
    }

    /// The pods after one, in the order of namespaces and names; all of them after `None`.
    pub fn after(&self, key: Option<&PodKey>) -> impl Iterator<Item = (&PodKey, &RosterPod)> {
        let from = key.map_or(Bound::Unbounded, Bound::Excluded);
        self.pods.range::<PodKey, _>((from, Bound::Unbounded))
    }

    /// The pods for which kube-scheduler looked for a node in vain.
    pub fn refused(&self) -> impl Iterator<Item = (&PodKey, &RosterPod)> {
        self.pods.iter().filter(|(_, pod)| pod.is_refused)
    }
}

/// How many unused subjects may be remembered before they are let go.
const MOST_UNUSED: usize = 1_000;

/// Subjects that are in use, each once. Only looked up, never walked through in an order that counts.
#[derive(Debug, Default)]
struct Subjects {
    by_hash: HashMap<u64, Vec<Weak<Subject>>, FixedState>,
    kept: usize,
    /// How many there were when unused ones were let go last.
    in_use: usize,
}

impl Subjects {
    fn keep(&mut self, watched: WatchedPod) -> RosterPod {
        let WatchedPod {
            mut pod,
            controller,
            is_refused,
        } = watched;
        let uid: Arc<str> = Arc::from(std::mem::take(&mut pod.uid));
        let node = pod.node.take();
        pod.name.clear();
        RosterPod {
            uid,
            subject: self.share(Subject { pod, controller }),
            node,
            is_refused,
        }
    }

    fn share(&mut self, subject: Subject) -> Arc<Subject> {
        let mut hasher = self.by_hash.hasher().build_hasher();
        subject.pod.namespace.hash(&mut hasher);
        subject.pod.labels.hash(&mut hasher);
        let uid = subject.controller.as_ref().map(|controller| &controller.uid);
        uid.hash(&mut hasher);
        let hash = hasher.finish();
        let alike = self.by_hash.get(&hash).into_iter().flatten();
        if let Some(known) = alike.filter_map(Weak::upgrade).find(|known| **known == subject) {
            return known;
        }
        if self.kept > 2 * self.in_use + MOST_UNUSED {
            self.forget_unused();
        }
        let subject = Arc::new(subject);
        self.by_hash
            .entry(hash)
            .or_default()
            .push(Arc::downgrade(&subject));
        self.kept += 1;
        subject
    }

    fn forget_unused(&mut self) {
        self.by_hash.retain(|_, alike| {
            alike.retain(|subject| subject.strong_count() > 0);
            !alike.is_empty()
        });
        self.kept = self.by_hash.values().map(Vec::len).sum();
        self.in_use = self.kept;
    }
}

#[cfg(test)]
#[path = "roster_tests.rs"]
mod tests;
