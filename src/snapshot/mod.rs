//! The world at one instant, immutable.
//!
//! Inputs: the objects of a cluster, the pods that run there, a policy set, data sets, a latency table.
//! Outputs: node classes, an index of nodes, where running pods are. Invariants: a snapshot never changes, so a decision that takes one sees one world;
//! nodes with equal (cluster, region, zone, attributes that decide) form one class; parts that did not
//! change are shared between snapshots. Deliberately absent: who publishes it and how the parts are read.

mod copies;
mod node_index;
mod peers;
mod ways;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use copies::{Before, Copies, Where};

pub use node_index::{NAMES_AT_ONCE, NodeIndex};
pub use peers::{AskingPod, PeerPlaces, PlacedPods, RunningFacts};
pub use ways::{PermittedWays, Spot, TransitWays};

use crate::model::{DataSet, DataSetName, Fleet, Locality, NodeName, NodeRecord, PeerUse, RegionKey, Volume};
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
    /// The last instant at which the cluster confirmed its objects; `None` where it confirms them still, or nobody
    /// says.
    pub confirmed_until: Option<Timestamp>,
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
    copies: Copies,
    latency: Arc<LatencyTable>,
    nodes: Arc<NodeParts>,
    /// `None` where nobody says which pods run.
    running: Option<PlacedPods>,
    ways: Arc<TransitWays>,
    confirmed_until: Option<Timestamp>,
}

/// What nodes come to.
#[derive(Debug)]
struct NodeParts {
    classes: Vec<NodeClass>,
    index: NodeIndex,
    places: PlacesOfFleet,
}

impl Snapshot {
    /// Makes a snapshot: sorts nodes into classes and finds every place once.
    #[must_use]
    pub fn new(inputs: Inputs) -> Self {
        Self::build(None, inputs)
    }

    /// Makes a snapshot that follows another: what comes from parts that did not change is shared, so that it costs what
    /// changed.
    #[must_use]
    pub fn after(before: &Self, inputs: Inputs) -> Self {
        Self::build(Some(before), inputs)
    }

    fn build(before: Option<&Self>, inputs: Inputs) -> Self {
        let id_of_rest = id_of_rest(&inputs);
        let Inputs {
            fleet,
            policies,
            data_sets,
            latency,
            running,
            confirmed_until,
            ..
        } = inputs;
        // Everything depends on these two; where copies are, on the policies alone.
        let under_same_policies = before.filter(|before| Arc::ptr_eq(&before.policies, &policies));
        let before = under_same_policies.filter(|before| Arc::ptr_eq(&before.latency, &latency));
        let ways = match before {
            Some(before) => before.ways.clone(),
            None => Arc::new(TransitWays::new(&policies, &latency)),
        };
        let world = Where {
            policies: &policies,
            latency: &latency,
            fleet: &fleet,
        };
        let copies_before = under_same_policies.map(|there| Before {
            copies: &there.copies,
            fleet: &there.fleet,
            has_same_latency: before.is_some(),
        });
        let copies = Copies::new(world, data_sets, copies_before, &running);
        let same_nodes = before.filter(|before| before.fleet.nodes.ptr_eq(&fleet.nodes));
        let nodes = match same_nodes {
            Some(before) => before.nodes.clone(),
            None => Arc::new(NodeParts::new(&fleet, &policies, &latency)),
        };
        let pods_before = same_nodes.and_then(|before| before.running.as_ref());
        let running_pods = place(&running, pods_before, &nodes);
        Self {
            id: id(&id_of_rest, running.generation),
            id_of_rest,
            copies,
            nodes,
            fleet,
            policies,
            latency,
            running: running_pods,
            ways,
            confirmed_until,
        }
    }

    /// The same world with other pods running in it; all else is shared but what these pods tell of copies.
    #[must_use]
    pub fn with_running(&self, running: &RunningFacts) -> Self {
        Self {
            id: id(&self.id_of_rest, running.generation),
            id_of_rest: self.id_of_rest.clone(),
            copies: self.copies.with_running(self.world(), running),
            nodes: self.nodes.clone(),
            fleet: self.fleet.clone(),
            policies: self.policies.clone(),
            latency: self.latency.clone(),
            running: place(running, self.running.as_ref(), &self.nodes),
            ways: self.ways.clone(),
            confirmed_until: self.confirmed_until,
        }
    }

    fn world(&self) -> Where<'_> {
        Where {
            policies: &self.policies,
            latency: &self.latency,
            fleet: &self.fleet,
        }
    }

    /// Whether this and another differ in nothing but the pods that run, and these hold the same copies of data, so
    /// that the same nodes are permitted in both.
    #[must_use]
    pub fn shares_all_but_running(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.fleet, &other.fleet)
            && Arc::ptr_eq(&self.policies, &other.policies)
            && Arc::ptr_eq(&self.latency, &other.latency)
            && self.copies.data_sets.ptr_eq(&other.copies.data_sets)
            && self.confirmed_until == other.confirmed_until
    }

    /// The pods that a pod calls, where they run now. `None` where nobody says which pods run, or in which
    /// namespace they are meant; a profile always says the latter.
    #[must_use]
    pub fn peers(&self, peer: &PeerUse, asking: Option<&AskingPod>) -> Option<PeerPlaces> {
        let running = self.running.as_ref()?;
        let point = |node: &NodeName| self.nodes.point(node);
        Some(running.find(peer.namespace.as_ref()?, &peer.selector, asking, point))
    }

    /// What tells this snapshot from any other; it stands in every record.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The last instant at which the cluster confirmed its objects, where it does so no longer.
    #[must_use]
    pub fn confirmed_until(&self) -> Option<Timestamp> {
        self.confirmed_until
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
        &self.copies.replicas
    }

    /// Where a volume is: one locality for each region; none where nobody knows.
    #[must_use]
    pub fn volume_localities(&self, volume: &Volume) -> Vec<Locality> {
        self.copies.localities(self.world(), volume)
    }

    /// The facts that a profile is made from.
    #[must_use]
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            fleet: &self.fleet,
            data_sets: &self.copies.data_sets,
            definitions: self.policies.definitions(),
            catalogue: self.policies.catalogue(),
        }
    }

    /// The class of a node by the bytes of its name; `None` where the node is not known.
    #[must_use]
    pub fn class_of(&self, node: &[u8]) -> Option<ClassIndex> {
        self.nodes.index.get(node)
    }

    /// The classes of several nodes by the bytes of their names.
    #[must_use]
    pub fn classes_of(&self, names: [&[u8]; NAMES_AT_ONCE]) -> [Option<ClassIndex>; NAMES_AT_ONCE] {
        self.nodes.index.get_all(names)
    }

    /// A class.
    #[must_use]
    pub fn class(&self, class: ClassIndex) -> Option<&NodeClass> {
        self.nodes.classes.get(class.0 as usize)
    }

    /// Every class with its number.
    pub fn classes(&self) -> impl ExactSizeIterator<Item = (ClassIndex, &NodeClass)> {
        // Classes are counted by `u32` when they are made.
        let classes = self.nodes.classes.iter();
        classes
            .enumerate()
            .map(|(index, class)| (ClassIndex(index as u32), class))
    }

    /// How many nodes there are.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.nodes.index.len()
    }

    /// Where the nodes of the fleet are.
    #[must_use]
    pub fn places(&self) -> &PlacesOfFleet {
        &self.nodes.places
    }

    /// The point of a locality in the latency table; `None` where it is not known.
    #[must_use]
    pub fn locate(&self, locality: &Locality) -> Option<LatencyPoint> {
        locate(&self.policies, &self.latency, locality)
    }
}

impl NodeParts {
    fn new(fleet: &Fleet, policies: &PolicySet, latency: &LatencyTable) -> Self {
        let mut places = PlacesOfFleet {
            all: policies.catalogue().no_place(),
            some_unconfirmed: false,
        };
        let mut classes: Vec<NodeClass> = Vec::new();
        let mut by_record: BTreeMap<&NodeRecord, ClassIndex> = BTreeMap::new();
        let mut members = Vec::with_capacity(fleet.nodes.len());
        for (name, record) in &fleet.nodes {
            let class = *by_record.entry(record).or_insert_with(|| {
                let class = class_of(record, policies, latency);
                places.all.insert(class.place);
                places.some_unconfirmed |= !class.region_is_confirmed;
                classes.push(class);
                ClassIndex(u32::try_from(classes.len() - 1).unwrap_or(u32::MAX))
            });
            if let Some(class) = classes.get_mut(class.0 as usize) {
                class.nodes += 1;
            }
            members.push((name, class));
        }
        let index = NodeIndex::new(members.into_iter());
        Self {
            classes,
            index,
            places,
        }
    }

    fn point(&self, node: &NodeName) -> Option<LatencyPoint> {
        let class = self.index.get(node.as_str().as_bytes())?;
        self.classes.get(class.0 as usize)?.point
    }
}

/// The class of nodes with this record, before any is counted.
fn class_of(record: &NodeRecord, policies: &PolicySet, latency: &LatencyTable) -> NodeClass {
    let locality = trusted_locality(policies, record);
    let region = locality.region.as_ref();
    let region = region.and_then(|reference| policies.catalogue().resolve(reference));
    let restricted = record.restricted_region.as_ref();
    let restricted = restricted.and_then(|reference| policies.catalogue().resolve(reference));
    NodeClass {
        record: record.clone(),
        region: region.cloned(),
        place: policies.catalogue().place(&locality),
        region_is_confirmed: region.is_some() && region == restricted,
        point: locate(policies, latency, &locality),
        nodes: 0,
    }
}

/// The pods that run, placed; those before, if they were placed on the same nodes, give what did not change.
fn place(running: &RunningFacts, before: Option<&PlacedPods>, nodes: &NodeParts) -> Option<PlacedPods> {
    let pods = running.pods.clone()?;
    let point = |node: &NodeName| nodes.point(node);
    Some(match before {
        Some(before) => before.followed_by(pods, point),
        None => PlacedPods::new(pods, point),
    })
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
    if let Some(confirmed_until) = inputs.confirmed_until {
        hasher.update(confirmed_until.as_nanosecond().to_le_bytes());
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
