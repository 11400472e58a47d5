//! The data sets with every copy that is known of them, at points of the latency table.
//!
//! Inputs: data sets as declared, the objects of the cluster, the pods that run. Outputs: data sets with the copies that
//! are declared and found. Invariants: what decides is one list of copies, for rules and for latency alike; it is the same
//! whether it followed upon another or was made anew; a data set of which the copies stay is shared, so that what changes
//! costs its own claims and data sets. Deliberately absent: how copies are found (`replicas`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{RunningFacts, locate, trusted_locality};
use crate::model::{
    ClaimKey, DataSet, DataSetName, DataSets, Fleet, Locality, NodeName, RunningPods, Volume,
};
use crate::policy::PolicySet;
use crate::replicas::{
    BoundClaims, FoundCopies, KnownPlace, PlacedDataSet, Replicas, Sight, ZoneRegions, changed_keys,
    concerned, join,
};
use crate::topology::LatencyTable;

/// The data sets and their copies.
#[derive(Debug, Clone)]
pub struct Copies {
    /// Those that are declared beside the policies.
    beside: Arc<BTreeMap<DataSetName, DataSet>>,
    declared: DataSets,
    /// The zones of the nodes.
    zones: Arc<ZoneRegions>,
    bound: BoundClaims,
    found: FoundCopies,
    /// The pods by which the copies were found.
    pods: Option<Arc<RunningPods>>,
    /// The data sets with every copy.
    pub data_sets: DataSets,
    /// The same, at points of the latency table.
    pub replicas: Replicas,
}

/// In which world copies are looked for.
#[derive(Debug, Clone, Copy)]
pub struct Where<'a> {
    /// The catalogue and the settings.
    pub policies: &'a PolicySet,
    /// The latencies.
    pub latency: &'a LatencyTable,
    /// The objects of the cluster.
    pub fleet: &'a Fleet,
}

/// What there was before, under the same policies.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    /// The copies.
    pub copies: &'a Copies,
    /// The objects of the cluster.
    pub fleet: &'a Fleet,
    /// Whether the latencies were the same.
    pub has_same_latency: bool,
}

impl Where<'_> {
    /// Where a node is, by the statement that the settings trust.
    fn node(&self, name: &NodeName) -> Option<Locality> {
        let record = self.fleet.nodes.get(name)?;
        Some(trusted_locality(self.policies, record))
    }

    fn known(&self, locality: &Locality) -> Option<KnownPlace> {
        let region = self.policies.catalogue().resolve(locality.region.as_ref()?)?;
        Some((region.clone(), locality.zone.clone()))
    }

    fn zones(&self) -> ZoneRegions {
        let nodes = self.fleet.nodes.values();
        ZoneRegions::gather(nodes.map(|record| trusted_locality(self.policies, record)))
    }

    /// The nodes that came, went or are elsewhere now.
    fn moved_since(&self, before: &Fleet) -> BTreeSet<NodeName> {
        let is_elsewhere = |name: &NodeName| {
            let at = |fleet: &Fleet| Some(trusted_locality(self.policies, fleet.nodes.get(name)?));
            at(before) != at(self.fleet)
        };
        changed_keys(&before.nodes, &self.fleet.nodes)
            .filter(is_elsewhere)
            .collect()
    }
}

impl Copies {
    /// Finds the copies of the data sets that are declared beside the policies and among them.
    #[must_use]
    pub fn new(
        world: Where<'_>,
        beside: Arc<BTreeMap<DataSetName, DataSet>>,
        before: Option<Before<'_>>,
        running: &RunningFacts,
    ) -> Self {
        match before.filter(|before| Arc::ptr_eq(&before.copies.beside, &beside)) {
            Some(before) => Self::following(before, world, running),
            None => Self::anew(world, beside, running),
        }
    }

    /// The same where other pods run.
    #[must_use]
    pub fn with_running(&self, world: Where<'_>, running: &RunningFacts) -> Self {
        let before = Before {
            copies: self,
            fleet: world.fleet,
            has_same_latency: true,
        };
        Self::new(world, self.beside.clone(), Some(before), running)
    }

    fn anew(world: Where<'_>, beside: Arc<BTreeMap<DataSetName, DataSet>>, running: &RunningFacts) -> Self {
        // The files of data sets stand before what is declared among the policies.
        let all = world.policies.data_sets().iter().chain(&*beside);
        let declared: DataSets = all
            .map(|(name, data_set)| (name.clone(), Arc::new(data_set.clone())))
            .collect();
        let mut copies = Self {
            beside,
            zones: Arc::new(world.zones()),
            bound: BoundClaims::gather(world.fleet),
            found: FoundCopies::default(),
            pods: running.pods.clone(),
            replicas: Replicas::default(),
            data_sets: declared.clone(),
            declared,
        };
        let claims = world.fleet.claims.iter().flat_map(|claims| claims.keys());
        copies.find(world, claims);
        let found: Vec<DataSetName> = copies.found.data_sets().cloned().collect();
        for name in &found {
            copies.join(world, name);
        }
        copies.place(world);
        copies
    }

    /// What follows upon a world with the same declared data sets.
    fn following(before: Before<'_>, world: Where<'_>, running: &RunningFacts) -> Self {
        let mut copies = before.copies.clone();
        copies.pods = running.pods.clone();
        copies.bound.follow(before.fleet, world.fleet);
        let moved = world.moved_since(before.fleet);
        if !moved.is_empty() {
            copies.zones = Arc::new(world.zones());
        }
        let there = before.copies.sight(before.fleet, world.policies);
        let claims = concerned(&there, &copies.sight(world.fleet, world.policies), &moved);
        let claims = claims.unwrap_or_else(|| {
            let there_now = world.fleet.claims.iter().flat_map(|claims| claims.keys());
            there_now.chain(copies.found.claims()).cloned().collect()
        });
        for name in copies.find(world, claims.iter()) {
            if copies.join(world, &name) && before.has_same_latency {
                copies.place_one(world, &name);
            }
        }
        if !before.has_same_latency {
            copies.place(world);
        }
        copies
    }

    fn sight<'a>(&'a self, fleet: &'a Fleet, policies: &'a PolicySet) -> Sight<'a> {
        Sight {
            data_sets: &self.declared,
            fleet,
            running: self.pods.as_deref(),
            roles: &policies.settings().role_labels,
            bound: &self.bound,
            zones: &self.zones,
        }
    }

    /// Looks for the copies of these claims again, and gives the data sets of which others were found.
    fn find<'k>(
        &mut self,
        world: Where<'_>,
        claims: impl Iterator<Item = &'k ClaimKey>,
    ) -> BTreeSet<DataSetName> {
        let mut found = std::mem::take(&mut self.found);
        let sight = self.sight(world.fleet, world.policies);
        let mut changed = BTreeSet::new();
        for claim in claims {
            let copies = sight.copies(claim, &|name| world.node(name));
            changed.append(&mut found.replace(claim, copies));
        }
        self.found = found;
        changed
    }

    /// Joins what was found of a data set to what is declared; whether that changed it.
    fn join(&mut self, world: Where<'_>, name: &DataSetName) -> bool {
        let Some(declared) = self.declared.get(name) else {
            return false;
        };
        let found = self.found.of(name);
        let joined = match found.is_empty() {
            true => declared.clone(),
            false => Arc::new(join(declared, &found, |locality| world.known(locality))),
        };
        // Nothing is to be published anew where the same copies are found.
        if self.data_sets.get(name) == Some(&joined) {
            return false;
        }
        self.data_sets.insert(name.clone(), joined);
        true
    }

    fn place(&mut self, world: Where<'_>) {
        let point = |locality: &Locality| locate(world.policies, world.latency, locality);
        self.replicas = Replicas::place(&self.data_sets, point);
    }

    fn place_one(&mut self, world: Where<'_>, name: &DataSetName) {
        let point = |locality: &Locality| locate(world.policies, world.latency, locality);
        if let Some(data_set) = self.data_sets.get(name) {
            self.replicas.replace(PlacedDataSet::new(data_set.clone(), point));
        }
    }

    /// Where a volume is: one locality for each region; none where nobody knows.
    #[must_use]
    pub fn localities(&self, world: Where<'_>, volume: &Volume) -> Vec<Locality> {
        self.zones.localities(volume, |name| world.node(name))
    }
}
