//! A second opinion on placements: whether a pod may run on a node, by the documents alone.
//!
//! Inputs: the texts of a policy folder and of data sets, the objects of a cluster, a pod, a node, an instant. Output:
//! a [`Verdict`]. Invariants: written from docs/policies.md, 2 and 3, word by word; it shares no code with what
//! decides about pods (the engine in `crate::policy`, the filter in `crate::placement`, the reading of objects), which
//! a test of the architecture holds; groups are followed by recursion and dates compared where they stand.
//! Slow and plain on purpose: where it and the engine differ, one of them is wrong.
//!
//! Deliberately absent: limits on latency, partitions and `requireMeasured` (docs/policies.md, 9), which are no rules of
//! policies and need measurements; and nodes that nobody knows, since a node here is given by its labels.

mod annotations;
mod carried;
mod certainty;
mod documents;
mod manifest;
mod objects;
mod places;
mod rules;
mod selectors;
mod shapes;
mod ways;
mod words;

use std::collections::BTreeMap;

use jiff::Timestamp;

use carried::Carried;
use documents::Documents;
use objects::{Namespace, Objects};
use shapes::SettingsMode;

pub use objects::CheckedStorage;

/// Says whether placements are permitted.
#[derive(Debug, Clone)]
pub struct Checker {
    documents: Documents,
    objects: Objects,
    /// Every instant at which something begins or ends, in order.
    dates: Vec<Timestamp>,
}

/// A pod, as far as it decides where it may run.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckedPod {
    /// Its namespace.
    pub namespace: String,
    /// Its annotations, as they stand.
    pub annotations: BTreeMap<String, String>,
    /// Its controller, as it says itself.
    pub owner: Option<CheckedOwner>,
    /// The claims that it mounts.
    pub mounts: Vec<CheckedMount>,
    /// Whether it is taken for a new copy of the data sets that it names, whatever it mounts.
    pub replicates: bool,
}

/// The controller of a pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckedOwner {
    /// Such as `ReplicaSet`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A claim that a pod mounts.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckedMount {
    /// Its name; `pod-volume` where it is made from a template.
    pub claim: String,
    /// What it is made from, where the pod brings it along.
    pub template: Option<CheckedStorage>,
}

/// A node, as far as it says where it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckedNode {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its `spec.providerID`.
    pub provider_id: Option<String>,
}

/// What forbids a placement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Breach {
    /// `policy/rule`; or `uncovered`, `unlabelled`, `no-route` where rules with `transit` leave no way to data, or
    /// `malformed` for an annotation that cannot be read.
    pub rule: String,
    /// What it wants, where the node is, and whose data it is about: one sentence for people.
    pub sentence: String,
}

/// Whether a placement is permitted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing forbids it.
    Permitted,
    /// Something would forbid it, and the settings only observe.
    Observed(Breach),
    /// Something forbids it.
    Forbidden(Breach),
}

/// A pod with what it carries, which may be asked of many nodes: as long as the documents and the objects stay, and
/// throughout one period ([`Checker::period`]).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Carrier(Result<Carried, String>);

/// One question: the documents and objects at one instant.
#[derive(Clone, Copy)]
struct Judge<'d> {
    documents: &'d Documents,
    objects: &'d Objects,
    at: Timestamp,
}

impl Checker {
    /// Reads the documents of a set, as (name, text): those of the policy folder, then the data sets. Of two data sets
    /// of one name the later counts. No object of a cluster is known yet.
    ///
    /// # Errors
    /// The first document that cannot be read, by the name of its text.
    pub fn read(documents: &[(&str, &str)]) -> Result<Self, String> {
        let documents = Documents::read(documents)?;
        Ok(Self {
            dates: documents.dates().into_iter().collect(),
            documents,
            objects: Objects::default(),
        })
    }

    /// The same objects under other documents.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn reread(&self, documents: &[(&str, &str)]) -> Result<Self, String> {
        Ok(Self {
            objects: self.objects.clone(),
            ..Self::read(documents)?
        })
    }

    /// Makes a namespace known, or changes it. Until the first is known every namespace is unlabelled; from then on one
    /// that is not known may carry anything.
    pub fn namespace(
        &mut self,
        name: &str,
        labels: BTreeMap<String, String>,
        annotations: BTreeMap<String, String>,
    ) {
        let namespace = Namespace { labels, annotations };
        let known = self.objects.namespaces.get_or_insert_default();
        known.insert(name.to_owned(), namespace);
    }

    /// Makes a claim known, or changes it. Until the first is known a claim that is mounted says nothing; from then on
    /// one that is not known may hold anything.
    pub fn claim(&mut self, namespace: &str, name: &str, claim: CheckedStorage) {
        let known = self.objects.claims.get_or_insert_default();
        let of_namespace = known.entry(namespace.to_owned()).or_default();
        of_namespace.insert(name.to_owned(), claim);
    }

    /// Makes a volume known, or changes it. Until the first is known volumes say nothing; from then on one that is not
    /// known may hold anything.
    pub fn volume(&mut self, name: &str, volume: CheckedStorage) {
        let known = self.objects.volumes.get_or_insert_default();
        known.insert(name.to_owned(), volume);
    }

    /// Makes a storage class known by its annotations, or changes it. One that is not known says nothing.
    pub fn storage_class(&mut self, name: &str, annotations: BTreeMap<String, String>) {
        let known = self.objects.storage_classes.get_or_insert_default();
        known.insert(name.to_owned(), annotations);
    }

    /// Makes known that a storage class makes volumes only where the first pod lands.
    pub fn waiting_class(&mut self, name: &str) {
        self.objects.waiting_classes.insert(name.to_owned());
    }

    /// Declares a data set, or changes it: the `spec` of its document.
    ///
    /// # Errors
    /// Where it is no data set.
    pub fn data_set(&mut self, name: &str, spec: &serde_json::Value) -> Result<(), String> {
        self.documents.set_data_set(name, spec)
    }

    /// Tells which copies a data set has, where some were found in the cluster and not declared: what its `replicas` would
    /// say. They stand until it is declared or read again.
    ///
    /// # Errors
    /// Where these are no copies.
    pub fn copies(&mut self, name: &str, copies: &serde_json::Value) -> Result<(), String> {
        self.documents.set_copies(name, copies)
    }

    /// Whether a pod may run on a node at an instant.
    #[must_use]
    pub fn check(&self, pod: &CheckedPod, node: &CheckedNode, at: Timestamp) -> Verdict {
        self.check_carrier(&self.carrier(pod, at), node, at)
    }

    /// What a pod carries at an instant.
    #[must_use]
    pub fn carrier(&self, pod: &CheckedPod, at: Timestamp) -> Carrier {
        Carrier(self.judge(at).carried(pod))
    }

    /// As [`Self::check`], of what a pod carries.
    #[must_use]
    pub fn check_carrier(&self, carrier: &Carrier, node: &CheckedNode, at: Timestamp) -> Verdict {
        let judge = self.judge(at);
        let breach = match &carrier.0 {
            Ok(carried) => {
                let node = judge.node(node);
                let breach = judge.breach(carried, node);
                breach.or_else(|| judge.closed_way(carried, node))
            }
            Err(sentence) => Some(Breach {
                rule: "malformed".to_owned(),
                sentence: sentence.clone(),
            }),
        };
        match breach {
            None => Verdict::Permitted,
            Some(breach) if self.documents.settings.mode == SettingsMode::Observe => {
                Verdict::Observed(breach)
            }
            Some(breach) => Verdict::Forbidden(breach),
        }
    }

    fn judge(&self, at: Timestamp) -> Judge<'_> {
        Judge {
            documents: &self.documents,
            objects: &self.objects,
            at,
        }
    }

    /// Which of the periods between the dates of the documents an instant falls into. While the documents and the
    /// objects stay, [`Self::check`] says the same of a pod and a node throughout one period.
    #[must_use]
    pub fn period(&self, at: Timestamp) -> usize {
        self.dates.partition_point(|date| *date <= at)
    }
}

impl Verdict {
    /// What forbids the placement, or would.
    #[must_use]
    pub fn breach(&self) -> Option<&Breach> {
        match self {
            Self::Permitted => None,
            Self::Observed(breach) | Self::Forbidden(breach) => Some(breach),
        }
    }
}
