//! The world at one instant, immutable.
//!
//! Inputs: the objects of a cluster, the pods that run there, a policy set, data sets, a latency table.
//! Outputs: node classes, an index of nodes, where running pods are. Invariants: a snapshot never changes, so a decision that takes one sees one world;
//! nodes with equal (cluster, region, zone, attributes that decide) form one class; parts that did not
//! change are shared between snapshots. Deliberately absent: who publishes it and how the parts are read.

mod node_index;
mod peers;
mod ways;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

pub use node_index::{NAMES_AT_ONCE, NodeIndex};
pub use peers::{AskingPod, PeerPlaces, PlacedPods, RunningFacts};
pub use ways::{PermittedWays, Spot, TransitWays};

use crate::model::{DataSet, DataSetName, Fleet, Locality, NodeName, NodeRecord, PeerUse, RegionKey};
use crate::policy::{Facts, PlaceIndex, PlacesOfFleet, PolicySet, RegionKeyTrust, TransitIndex};
use crate::replicas::Replicas;
use crate::topology::{LatencyPoint, LatencyTable};

/// A node class, densely numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassIndex(u32);

/// Nodes between which no decision distinguishes.
#[derive(Debug, Clone)]
pub struct NodeClass {
    /// What its nodes have in common.
    pub record: NodeRecord,
    /// The region, where the catalogue knows it.
    pub region: Option<RegionKey>,
    /// Its place for rules.
    pub place: PlaceIndex,
    /// Whether the label that kubelets cannot set says the same of its region.
    pub region_is_confirmed: bool,
    /// Its point for latency; `None` is unknown.
    pub point: Option<LatencyPoint>,
    /// How many nodes it has.
    pub nodes: usize,
}

/// What a snapshot is made from.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The objects of the cluster.
    pub fleet: Arc<Fleet>,
    /// What tells this state of the objects from any other: a hash, or a generation.
    pub fleet_version: String,
    /// The pods that run there.
    pub running: RunningFacts,
    /// The policies.
    pub policies: Arc<PolicySet>,
    /// The data sets that are declared beside the policies.
    pub data_sets: Arc<BTreeMap<DataSetName, DataSet>>,
    /// What tells this state of the data sets from any other.
    pub data_sets_version: String,
    /// The latencies.
    pub latency: Arc<LatencyTable>,
}

/// The world at one instant.
#[derive(Debug)]
pub struct Snapshot {
    id: String,
    /// The id without regard to the pods that run.
    id_of_rest: String,
    fleet: Arc<Fleet>,
    policies: Arc<PolicySet>,
    data_sets: Arc<BTreeMap<DataSetName, DataSet>>,
    replicas: Arc<Replicas>,
    latency: Arc<LatencyTable>,
    classes: Arc<Vec<NodeClass>>,
    index: Arc<NodeIndex>,
    places: Arc<PlacesOfFleet>,
    /// `None` where nobody says which pods run.
    running: Option<PlacedPods>,
    ways: Arc<TransitWays>,
}

impl Snapshot {
    /// Makes a snapshot: sorts nodes into classes and finds every place once.
    #[must_use]
    pub fn new(inputs: Inputs) -> Self {
        let ways = Arc::new(TransitWays::new(&inputs.policies, &inputs.latency));
        Self::with_ways(inputs, ways)
    }

    /// Makes a snapshot that follows another: what the same policies and latencies give is shared.
    #[must_use]
    pub fn after(before: &Self, inputs: Inputs) -> Self {
        let shares_ways =
            Arc::ptr_eq(&before.policies, &inputs.policies) && Arc::ptr_eq(&before.latency, &inputs.latency);
        match shares_ways {
            true => Self::with_ways(inputs, before.ways.clone()),
            false => Self::new(inputs),
        }
    }

    fn with_ways(inputs: Inputs, ways: Arc<TransitWays>) -> Self {
        let id_of_rest = id_of_rest(&inputs);
        let Inputs {
            fleet,
            policies,
            data_sets,
            latency,
            running,
            ..
        } = inputs;
        // The files of data sets stand before what is declared among the policies.
        let mut all = policies.data_sets().clone();
        all.extend(
            data_sets
                .iter()
                .map(|(name, data_set)| (name.clone(), data_set.clone())),
        );
        let locate = |locality: &Locality| locate(&policies, &latency, locality);
        let replicas = Replicas::place(&all, locate);
        let mut places = PlacesOfFleet {
            all: policies.catalogue().no_place(),
            some_unconfirmed: false,
        };
        let mut classes: Vec<NodeClass> = Vec::new();
        let mut by_record: BTreeMap<&NodeRecord, ClassIndex> = BTreeMap::new();
        let mut members = Vec::with_capacity(fleet.nodes.len());
        for (name, record) in &fleet.nodes {
            let class = *by_record.entry(record).or_insert_with(|| {
                let locality = trusted_locality(&policies, record);
                let place = policies.catalogue().place(&locality);
                places.all.insert(place);
                let region = locality.region.as_ref();
                let region = region.and_then(|reference| policies.catalogue().resolve(reference));
                let restricted = record.restricted_region.as_ref();
                let restricted = restricted.and_then(|reference| policies.catalogue().resolve(reference));
                let region_is_confirmed = region.is_some() && region == restricted;
                places.some_unconfirmed |= !region_is_confirmed;
                classes.push(NodeClass {
                    record: record.clone(),
                    region: region.cloned(),
                    place,
                    region_is_confirmed,
                    point: locate(&locality),
                    nodes: 0,
                });
                ClassIndex(u32::try_from(classes.len() - 1).unwrap_or(u32::MAX))
            });
            if let Some(class) = classes.get_mut(class.0 as usize) {
                class.nodes += 1;
            }
            members.push((name, class));
        }
        let index = NodeIndex::new(members.into_iter());
        Self {
            id: String::new(),
            id_of_rest,
            data_sets: Arc::new(all),
            replicas: Arc::new(replicas),
            classes: Arc::new(classes),
            index: Arc::new(index),
            places: Arc::new(places),
            fleet,
            policies,
            latency,
            running: None,
            ways,
        }
        .with_running(&running)
    }

    /// The same world with other pods running in it; all else is shared.
    #[must_use]
    pub fn with_running(&self, running: &RunningFacts) -> Self {
        let point = |node: &NodeName| self.class(self.class_of(node.as_str().as_bytes())?)?.point;
        Self {
            id: id(&self.id_of_rest, running.generation),
            id_of_rest: self.id_of_rest.clone(),
            data_sets: self.data_sets.clone(),
            replicas: self.replicas.clone(),
            classes: self.classes.clone(),
            index: self.index.clone(),
            places: self.places.clone(),
            fleet: self.fleet.clone(),
            policies: self.policies.clone(),
            latency: self.latency.clone(),
            running: running.pods.clone().map(|pods| PlacedPods::new(pods, point)),
            ways: self.ways.clone(),
        }
    }

    /// Whether this and another differ in nothing but the pods that run, so that the same nodes are
    /// permitted in both.
    #[must_use]
    pub fn shares_all_but_running(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.classes, &other.classes)
    }

    /// The pods that a pod calls, where they run now. `None` where nobody says which pods run, or in which
    /// namespace they are meant; a profile always says the latter.
    #[must_use]
    pub fn peers(&self, peer: &PeerUse, asking: Option<&AskingPod>) -> Option<PeerPlaces> {
        let running = self.running.as_ref()?;
        Some(running.find(peer.namespace.as_ref()?, &peer.selector, asking))
    }

    /// What tells this snapshot from any other; it stands in every record.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The policies.
    #[must_use]
    pub fn policies(&self) -> &PolicySet {
        &self.policies
    }

    /// The objects of the cluster.
    #[must_use]
    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// The latencies.
    #[must_use]
    pub fn latency(&self) -> &LatencyTable {
        &self.latency
    }

    /// The ways that remain under these profiles of the policies together; `None` where there is none.
    #[must_use]
    pub fn ways(&self, profiles: &BTreeSet<TransitIndex>) -> Option<Arc<PermittedWays>> {
        self.ways.under(profiles, (&self.policies, &self.latency))
    }

    /// The data sets and where they are.
    #[must_use]
    pub fn replicas(&self) -> &Replicas {
        &self.replicas
    }

    /// The facts that a profile is made from.
    #[must_use]
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            fleet: &self.fleet,
            data_sets: &self.data_sets,
            definitions: self.policies.definitions(),
            catalogue: self.policies.catalogue(),
        }
    }

    /// The class of a node by the bytes of its name; `None` where the node is not known.
    #[must_use]
    pub fn class_of(&self, node: &[u8]) -> Option<ClassIndex> {
        self.index.get(node)
    }

    /// The classes of several nodes by the bytes of their names.
    #[must_use]
    pub fn classes_of(&self, names: [&[u8]; NAMES_AT_ONCE]) -> [Option<ClassIndex>; NAMES_AT_ONCE] {
        self.index.get_all(names)
    }

    /// A class.
    #[must_use]
    pub fn class(&self, class: ClassIndex) -> Option<&NodeClass> {
        self.classes.get(class.0 as usize)
    }

    /// Every class with its number.
    pub fn classes(&self) -> impl ExactSizeIterator<Item = (ClassIndex, &NodeClass)> {
        // Classes are counted by `u32` when they are made.
        self.classes
            .iter()
            .enumerate()
            .map(|(index, class)| (ClassIndex(index as u32), class))
    }

    /// How many nodes there are.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.index.len()
    }

    /// Where the nodes of the fleet are.
    #[must_use]
    pub fn places(&self) -> &PlacesOfFleet {
        &self.places
    }

    /// The point of a locality in the latency table; `None` where it is not known.
    #[must_use]
    pub fn locate(&self, locality: &Locality) -> Option<LatencyPoint> {
        locate(&self.policies, &self.latency, locality)
    }
}

impl ClassIndex {
    /// The number, to index a table that has one row for each class.
    #[must_use]
    pub fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// Where a node is by the statement that the settings trust. Where a providerID counts and a label
/// contradicts it, one of the two is wrong, so the region is unknown.
fn trusted_locality(policies: &PolicySet, record: &NodeRecord) -> Locality {
    let mut locality = record.locality.clone();
    if policies.settings().region_key == RegionKeyTrust::ProviderId {
        let by_label = locality.region.take();
        let by_provider_id = record.provider_id_region.clone();
        locality.region = by_provider_id.filter(|region| by_label.is_none_or(|label| label == *region));
    }
    locality
}

fn locate(policies: &PolicySet, latency: &LatencyTable, locality: &Locality) -> Option<LatencyPoint> {
    let region = policies.catalogue().resolve(locality.region.as_ref()?)?;
    latency.locate(region, locality.zone.as_deref())
}

/// The first 16 hexadecimal digits of a hash over what the parts say of themselves.
fn id_of_rest(inputs: &Inputs) -> String {
    let mut hasher = Sha256::new();
    let parts = [
        inputs.policies.digest(),
        &inputs.data_sets_version,
        inputs.latency.digest(),
        &inputs.fleet_version,
    ];
    for part in parts {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part);
    }
    digits(hasher)
}

/// The id of a snapshot in which this state of the running pods decides too.
fn id(rest: &str, pods_generation: u64) -> String {
    if pods_generation == 0 {
        return rest.to_owned();
    }
    let mut hasher = Sha256::new();
    hasher.update(rest);
    hasher.update(pods_generation.to_le_bytes());
    digits(hasher)
}

fn digits(hasher: Sha256) -> String {
    hasher
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
