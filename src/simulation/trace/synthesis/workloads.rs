//! What data the workloads of undeclared namespaces carry, which data sets they use, and where their clients are.
//!
//! Inputs: events. Outputs: the same with more said of pods, and the namespaces and data sets that they name, all at the
//! beginning. Invariants: the pods of a workload say the same; a pod that says something about its data already, and every
//! pod of a namespace that the trace declares, stays as it is. A workload is what one controller makes; of pods without a
//! controller those that ask for the same.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;

use super::data::Kind;
use super::draw::{Draw, Purpose};
use super::rules::{AccessRule, Grouping, RegionShare, SynthesisRules};
use crate::model::{NamespaceName, RegionKey};
use crate::objects::annotations::{CLIENTS, DATA_SETS};
use crate::simulation::kube::spec::PodSpec;
use crate::simulation::trace::{Event, TraceNamespace, TracePod, What};

/// What the pods of a workload say.
#[derive(Debug, Clone)]
struct Said {
    namespace: String,
    annotations: BTreeMap<String, String>,
}

/// Gives data to the pods of undeclared namespaces; what they name has to happen before.
pub(super) fn give_data(
    events: &mut [Event],
    rules: &SynthesisRules,
    seed: u64,
) -> Result<Vec<Event>, String> {
    let mut declared = BTreeSet::new();
    let mut known_data_sets = BTreeSet::new();
    for event in &*events {
        match &event.what {
            What::NamespaceSet(set) => {
                declared.insert(set.namespace.as_str().to_owned());
            }
            What::DataSetSet(set) => {
                known_data_sets.insert(set.data_set().name.as_str().to_owned());
            }
            _ => {}
        }
    }
    let mut giving = Giving::new(rules, seed);
    for event in events.iter_mut() {
        if let What::PodCreate(pod) = &mut event.what
            && !declared.contains(&pod.spec.namespace)
        {
            giving.give(pod);
        }
    }
    giving.made(&declared, &known_data_sets)
}

/// What has been drawn so far.
struct Giving<'r> {
    rules: &'r SynthesisRules,
    kinds: Vec<Kind<'r>>,
    shares: Vec<u64>,
    regions: Vec<u64>,
    /// Only looked up.
    by_workload: HashMap<Workload, Said, FixedState>,
    kind_of_namespace: BTreeMap<String, usize>,
    /// The namespaces that pods are in now, and their kind.
    namespaces: BTreeMap<String, usize>,
    of_data: Draw,
    of_access: Draw,
    of_clients: Draw,
    of_copies: Draw,
}

impl<'r> Giving<'r> {
    fn new(rules: &'r SynthesisRules, seed: u64) -> Self {
        Self {
            rules,
            kinds: rules
                .data
                .kinds
                .iter()
                .map(|kind| Kind::new(rules, kind))
                .collect(),
            shares: rules
                .data
                .kinds
                .iter()
                .map(|kind| u64::from(kind.share))
                .collect(),
            regions: rules.regions.iter().map(|share| u64::from(share.share)).collect(),
            by_workload: HashMap::default(),
            kind_of_namespace: BTreeMap::new(),
            namespaces: BTreeMap::new(),
            of_data: Draw::new(seed, Purpose::Data),
            of_access: Draw::new(seed, Purpose::Access),
            of_clients: Draw::new(seed, Purpose::Clients),
            of_copies: Draw::new(seed, Purpose::Copies),
        }
    }

    fn give(&mut self, pod: &mut TracePod) {
        let key = Workload::of(pod);
        let said = match self.by_workload.get(&key) {
            Some(said) => said.clone(),
            None => {
                let said = self.draw(pod);
                self.by_workload.insert(key, said.clone());
                said
            }
        };
        pod.spec.namespace = said.namespace;
        if pod.annotations.is_empty() {
            pod.annotations = said.annotations;
        }
    }

    fn draw(&mut self, pod: &TracePod) -> Said {
        let namespace = &pod.spec.namespace;
        let drawn = match (self.rules.data.by, self.kind_of_namespace.get(namespace)) {
            (Grouping::Namespace, Some(kind)) => *kind,
            _ => self.of_data.weighted(&self.shares).unwrap_or(0),
        };
        self.kind_of_namespace.insert(namespace.clone(), drawn);
        let Some(kind) = self.kinds.get(drawn) else {
            return Said {
                namespace: namespace.clone(),
                annotations: BTreeMap::new(),
            };
        };
        let namespace = match self.rules.data.by {
            Grouping::Namespace => namespace.clone(),
            Grouping::Workload => format!("{namespace}-{}", kind.rule.name),
        };
        self.namespaces.insert(namespace.clone(), drawn);
        let mut annotations = BTreeMap::new();
        let applies = |rule: &&AccessRule| {
            let mut wanted = rule.pods.iter();
            wanted.all(|(key, value)| pod.spec.labels.get(key) == Some(value))
        };
        if let Some(rule) = self.rules.access.iter().find(applies) {
            let uses = uses(
                kind,
                rule,
                self.rules.data.data_sets_of_workload,
                &mut self.of_access,
            );
            annotations.extend(uses.map(|uses| (DATA_SETS.to_owned(), uses)));
            let clients = clients(kind, rule, self.rules, &self.regions, &mut self.of_clients);
            annotations.extend(clients.map(|clients| (CLIENTS.to_owned(), clients)));
        }
        Said {
            namespace,
            annotations,
        }
    }

    /// The namespaces and data sets that pods name.
    fn made(
        mut self,
        declared: &BTreeSet<String>,
        known_data_sets: &BTreeSet<String>,
    ) -> Result<Vec<Event>, String> {
        let mut made = Vec::new();
        let at_once = |what| Event { t_ms: 0, what };
        for (namespace, kind) in &self.namespaces {
            if declared.contains(namespace) {
                return Err(format!(
                    "the namespace `{namespace}` would be made up, and the trace has it already"
                ));
            }
            let annotations = self.kinds.get(*kind).map(|kind| kind.rule.annotations());
            made.push(at_once(What::NamespaceSet(TraceNamespace {
                namespace: NamespaceName::new(namespace).map_err(|error| error.to_string())?,
                labels: BTreeMap::new(),
                annotations: annotations.unwrap_or_default(),
            })));
        }
        if self.namespaces.is_empty() {
            return Ok(made);
        }
        for kind in &self.kinds {
            for data_set in kind.data_sets(&mut self.of_copies)? {
                let name = &data_set.data_set().name;
                if known_data_sets.contains(name.as_str()) {
                    return Err(format!(
                        "the data set `{name}` would be made up, and the trace has it already"
                    ));
                }
                made.push(at_once(What::DataSetSet(Box::new(data_set))));
            }
        }
        Ok(made)
    }
}

/// What tells the workload of a pod from others, beside its namespace: its controller, or else all that it asks for.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Workload {
    Controlled {
        namespace: String,
        kind: String,
        name: String,
    },
    /// Without its name and its node.
    Alike(Box<PodSpec>),
}

impl Workload {
    fn of(pod: &TracePod) -> Self {
        match pod.workload() {
            Some(owner) => Self::Controlled {
                namespace: pod.spec.namespace.clone(),
                kind: owner.kind,
                name: owner.name,
            },
            None => Self::Alike(Box::new(PodSpec {
                name: String::new(),
                node_name: None,
                ..pod.spec.clone()
            })),
        }
    }
}

/// The data sets that a workload uses, as its annotation says it.
fn uses(kind: &Kind<'_>, rule: &AccessRule, most: u32, draw: &mut Draw) -> Option<String> {
    let drawn = draw.several(&kind.popularity, most as usize);
    let mut used = Vec::new();
    for name in drawn.into_iter().filter_map(|position| kind.names.get(position)) {
        let [first, last] = rule.reads;
        let reads = draw.between(first, last);
        let [first, last] = rule.writes;
        let writes = draw.between(first, last);
        used.push(format!("{name}: reads={reads} writes={writes}"));
    }
    (!used.is_empty()).then(|| used.join("; "))
}

/// Where the clients of a workload are, as its annotation says it: each region weighs its share.
fn clients(
    kind: &Kind<'_>,
    rule: &AccessRule,
    rules: &SynthesisRules,
    regions: &[u64],
    draw: &mut Draw,
) -> Option<String> {
    let home: Vec<u64> = kind.home.iter().map(|share| u64::from(share.share)).collect();
    let mut weights: BTreeMap<&RegionKey, u32> = BTreeMap::new();
    for _ in 0..rule.client_regions {
        let at_home = draw.below(100) < u64::from(rules.data.clients_at_home_percent);
        let drawn: Option<&RegionShare> = match at_home {
            true => draw
                .weighted(&home)
                .and_then(|position| kind.home.get(position).copied()),
            false => draw
                .weighted(regions)
                .and_then(|position| rules.regions.get(position)),
        };
        // A region that is drawn again weighs no more than once.
        if let Some(share) = drawn {
            weights.insert(&share.region, share.share);
        }
    }
    let weights = weights
        .into_iter()
        .map(|(region, weight)| format!("{region}={weight}"));
    let weights: Vec<String> = weights.collect();
    (!weights.is_empty()).then(|| weights.join(", "))
}
