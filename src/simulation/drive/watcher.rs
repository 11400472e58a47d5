//! The independent checker at work: it is told what the events say, and asked about every placement.
//!
//! Inputs: the texts of policies and data sets, events, placements. Outputs: breaches. Invariants: it never asks what
//! decided (`placement`, `policy`), only which copies of data sets were found in the cluster, which is a fact and no
//! decision; what it said is only remembered while documents, objects and dates stay, for pods that carry the same and
//! nodes that say the same of their place.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::assembly::SourceText;
use crate::model::Replica;
use crate::replicas::Replicas;
use crate::simulation::checker::{Carrier, CheckedNode, CheckedOwner, CheckedPod, Checker};
use crate::simulation::kube::spec::Labels;
use crate::simulation::trace::{LeaderMove, TraceNode, What};

use super::roster::{KindIndex, PodKind};

/// The documents that the checker reads.
#[derive(Debug, Clone, Default)]
pub struct Documents {
    /// The folder of policies.
    pub policies: Vec<SourceText>,
    /// The data sets beside them.
    pub data_sets: Vec<SourceText>,
    /// The policies that the trace loads, by the path that it names.
    pub loads: BTreeMap<String, Vec<SourceText>>,
}

/// The checker with what it was told.
#[derive(Debug, Clone)]
pub struct Watcher<'a> {
    documents: &'a Documents,
    checker: Checker,
    /// The data sets of the trace, as they stand now.
    data_sets: BTreeMap<String, Value>,
    /// The copies that it was told of data sets of which some were found.
    copies: BTreeMap<String, Value>,
    /// Nodes that say the same of their place have one number.
    places: Numbered<CheckedNode>,
    /// Kinds of pods that carry the same have one number. This and what was said is forgotten when anything changes.
    carriers: Numbered<Carrier>,
    carrier_of: BTreeMap<KindIndex, usize>,
    /// By carrier and place.
    said: BTreeMap<(usize, usize), Option<String>>,
    period: usize,
}

/// Different things, numbered in the order in which they came.
#[derive(Debug, Clone)]
struct Numbered<T> {
    numbers: BTreeMap<Arc<T>, usize>,
    all: Vec<Arc<T>>,
}

impl<T: Ord> Numbered<T> {
    fn new() -> Self {
        Self {
            numbers: BTreeMap::new(),
            all: Vec::new(),
        }
    }

    fn number(&mut self, one: T) -> usize {
        if let Some(known) = self.numbers.get(&one) {
            return *known;
        }
        let (number, one) = (self.all.len(), Arc::new(one));
        self.numbers.insert(one.clone(), number);
        self.all.push(one);
        number
    }

    fn get(&self, number: usize) -> Option<&T> {
        self.all.get(number).map(|one| &**one)
    }
}

/// Labels that say nothing of where a node is begin otherwise.
const PLACE_LABELS: [&str; 3] = [
    "topology.kubernetes.io/",
    "failure-domain.beta.kubernetes.io/",
    "domicile.",
];

/// A copy as the document of a data set would declare it. One that is nobody knows where is in no region.
fn as_declared(replica: &Replica) -> Value {
    let region = replica.locality.region.as_ref();
    json!({
        "region": region.map_or(String::new(), ToString::to_string),
        "zone": replica.locality.zone,
        "role": replica.role.word(),
    })
}

impl<'a> Watcher<'a> {
    /// Before the first event.
    ///
    /// # Errors
    /// Where the checker cannot read a document.
    pub fn new(documents: &'a Documents) -> Result<Self, String> {
        Ok(Self {
            checker: Checker::read(&named(&documents.policies, &documents.data_sets))?,
            documents,
            data_sets: BTreeMap::new(),
            copies: BTreeMap::new(),
            places: Numbered::new(),
            carriers: Numbered::new(),
            carrier_of: BTreeMap::new(),
            said: BTreeMap::new(),
            period: 0,
        })
    }

    /// Tells it of an event.
    ///
    /// # Errors
    /// Where the checker cannot read a document.
    pub fn tell(&mut self, what: &What) -> Result<(), String> {
        match what {
            What::NamespaceSet(namespace) => {
                let name = namespace.namespace.as_str();
                self.checker
                    .namespace(name, namespace.labels.clone(), namespace.annotations.clone());
            }
            What::DataSetSet(data_set) => {
                let written = serde_json::to_value(data_set).map_err(|error| error.to_string())?;
                let name = data_set.data_set().name.to_string();
                let spec = written.get("spec").cloned().unwrap_or_default();
                self.checker.data_set(&name, &spec)?;
                self.data_sets.insert(name, spec);
            }
            What::DataSetLeader(leader) => {
                let name = leader.id.to_string();
                if let Some(spec) = self.data_sets.get_mut(&name) {
                    move_leader(spec, leader);
                    self.checker.data_set(&name, spec)?;
                }
            }
            What::PolicyLoad(load) => {
                if let Some(policies) = self.documents.loads.get(&load.path) {
                    self.checker = self.checker.reread(&named(policies, &self.documents.data_sets))?;
                    for (name, spec) in &self.data_sets {
                        self.checker.data_set(name, spec)?;
                    }
                }
            }
            _ => return Ok(()),
        }
        // What was declared stands again.
        self.copies.clear();
        self.forget();
        Ok(())
    }

    /// Tells it which copies of data sets were found in a world, beside those that are declared. Rules look at what they
    /// believe alone.
    ///
    /// # Errors
    /// Where the checker cannot read them.
    pub fn found(&mut self, replicas: &Replicas) -> Result<(), String> {
        for placed in replicas.iter() {
            let (name, replicas) = (placed.data_set.name.to_string(), &placed.data_set.replicas);
            if replicas.iter().all(|replica| replica.found.is_none()) {
                continue;
            }
            let believed = replicas.iter().filter(|replica| replica.counts_for_rules());
            let copies: Value = believed.map(as_declared).collect();
            if self.copies.get(&name) != Some(&copies) {
                self.checker.copies(&name, &copies)?;
                self.copies.insert(name, copies);
                self.forget();
            }
        }
        Ok(())
    }

    /// Forgets what was true of the documents, the objects and the dates as they were.
    fn forget(&mut self) {
        self.carriers = Numbered::new();
        self.carrier_of.clear();
        self.said.clear();
    }

    /// The number of the place that a node says it is at.
    pub fn place(&mut self, node: &TraceNode) -> usize {
        let labels = node.spec.labels.iter();
        let labels: Labels = labels
            .filter(|(key, _)| PLACE_LABELS.iter().any(|beginning| key.starts_with(beginning)))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        // The last part of a providerID is the machine.
        let provider_id = node.provider_id.as_deref();
        let provider_id = provider_id.map(|id| id.rsplit_once('/').map_or(id, |(place, _)| place));
        let place = CheckedNode {
            labels,
            provider_id: provider_id.map(|place| format!("{place}/machine")),
        };
        self.places.number(place)
    }

    /// What forbids pods of a kind at a place, by name.
    pub fn breach(&mut self, kind: (KindIndex, &PodKind), place: usize, at: Timestamp) -> Option<String> {
        let period = self.checker.period(at);
        if period != self.period {
            self.period = period;
            self.forget();
        }
        let carrier = self.carrier(kind, at);
        if let Some(said) = self.said.get(&(carrier, place)) {
            return said.clone();
        }
        let carried = self.carriers.get(carrier)?;
        let verdict = self.checker.check_carrier(carried, self.places.get(place)?, at);
        let breach = verdict.breach().map(|breach| breach.rule.clone());
        self.said.insert((carrier, place), breach.clone());
        breach
    }

    /// The number of what pods of a kind carry.
    fn carrier(&mut self, (index, kind): (KindIndex, &PodKind), at: Timestamp) -> usize {
        if let Some(known) = self.carrier_of.get(&index) {
            return *known;
        }
        let pod = CheckedPod {
            namespace: kind.pod.namespace.to_string(),
            annotations: kind.annotations.clone(),
            owner: kind.pod.owner.as_ref().map(|owner| CheckedOwner {
                kind: owner.kind.clone(),
                name: owner.name.clone(),
            }),
            mounts: Vec::new(),
            replicates: false,
        };
        let number = self.carriers.number(self.checker.carrier(&pod, at));
        self.carrier_of.insert(index, number);
        number
    }
}

fn named<'d>(policies: &'d [SourceText], data_sets: &'d [SourceText]) -> Vec<(&'d str, &'d str)> {
    let texts = policies.iter().chain(data_sets);
    texts
        .map(|file| (file.name.as_str(), file.text.as_str()))
        .collect()
}

/// Moves the leader of a data set as it is written; the one that led becomes a voter.
fn move_leader(spec: &mut Value, leader: &LeaderMove) {
    let Some(replicas) = spec.get_mut("replicas").and_then(Value::as_array_mut) else {
        return;
    };
    for replica in replicas {
        let said = |field: &str| replica.get(field).and_then(Value::as_str);
        let (region, zone, role) = (said("region"), said("zone"), said("role"));
        let in_region = region.is_some_and(|region| {
            region == leader.region.to_string() || (!region.contains('/') && region == leader.region.region())
        });
        let in_zone = leader.zone.is_none() || zone == leader.zone.as_deref();
        let role = match role {
            Some("voter" | "leader") if in_region && in_zone => "leader",
            Some("leader") => "voter",
            _ => continue,
        };
        if let Some(fields) = replica.as_object_mut() {
            fields.insert("role".to_owned(), role.into());
        }
    }
}
