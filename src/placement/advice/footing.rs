//! How firmly a data set stands: where the policies let its copies be, whether today's are there, and what the
//! loss of a region leaves.
//!
//! Inputs: a snapshot, a data set, the regions that are considered, an instant. Outputs: the standing of each
//! region and of each copy. Invariants: latency plays no part; a copy at a place that nobody knows is refused to
//! governed data, as everywhere. Deliberately absent: how likely a loss is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::standing::{CopyRules, Standing, rules_on_sets};
use super::way_rules::WayRules;
use crate::model::{
    AccessPaths, DataSetName, Locality, RegionKey, RegionReference, ReplicaRole, WritePath, majority,
};
use crate::policy::Cause;
use crate::snapshot::Snapshot;

/// How many regions there must be, so that one of them can be lost.
const REGIONS_WITH_FAILOVER: usize = 2;

/// A copy that is there today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TodaysCopy {
    /// Where it is, as somebody wrote it.
    pub locality: Locality,
    /// Its region, where the catalogue knows it.
    pub region: Option<RegionKey>,
    /// What it does.
    pub role: ReplicaRole,
    /// What refuses it there.
    pub refused_by: Vec<Cause>,
    /// Whether the policies would let it lead.
    pub may_lead: bool,
}

/// What is left when a region is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Which region.
    pub region: RegionKey,
    /// Whether a copy remains that can be read.
    pub leaves_readable: bool,
    /// Whether enough voters remain for writes; `None` where nobody votes.
    pub leaves_quorum: Option<bool>,
}

/// How firmly a data set stands.
#[derive(Debug, Clone)]
pub struct Footing {
    /// Which data set.
    pub name: DataSetName,
    /// What the policies make of each region that is considered, in the order of keys.
    pub regions: BTreeMap<RegionKey, Standing>,
    /// The copies that are declared, in their order.
    pub today: Vec<TodaysCopy>,
    /// Rules that ask for a copy in certain places, of which today's copies satisfy none.
    pub unmet_today: Vec<Cause>,
    /// What the loss of each region of today leaves.
    pub losses_today: Vec<Loss>,
    /// Whether no rule speaks of replicating this data, which is then judged as data that is stored.
    pub replicating_is_uncovered: bool,
    /// The rules on transit that bind every pod that reads it.
    pub ways_of_readers: WayRules,
    /// The rules on transit that bind a copy of it, and so the ways from copy to copy.
    pub ways_of_copies: WayRules,
}

impl Footing {
    /// Judges a data set; `None` where it is not declared.
    #[must_use]
    pub fn of(
        snapshot: &Snapshot,
        name: &DataSetName,
        regions: &BTreeSet<RegionKey>,
        now: Timestamp,
    ) -> Option<Self> {
        let (set, catalogue) = (snapshot.policies(), snapshot.policies().catalogue());
        let rules = CopyRules::new(set, snapshot.facts(), name, now)?;
        let data_set = &snapshot.replicas().get(name)?.data_set;
        let at = |region: &RegionKey| {
            let locality = Locality {
                region: Some(RegionReference::Key(region.clone())),
                ..Locality::default()
            };
            rules.at(catalogue.place(&locality))
        };
        let copies = data_set.replicas.iter().map(|replica| {
            let standing = rules.at(catalogue.place(&replica.locality));
            let reference = replica.locality.region.as_ref();
            let copy = TodaysCopy {
                locality: replica.locality.clone(),
                region: reference
                    .and_then(|reference| catalogue.resolve(reference))
                    .cloned(),
                role: replica.role,
                refused_by: standing.refusing(replica.role),
                may_lead: standing.permits_leader(),
            };
            (copy, standing)
        });
        let copies: Vec<(TodaysCopy, Standing)> = copies.collect();
        let readable = || copies.iter().filter(|(copy, _)| copy.role.is_readable());
        // Without copies there is nobody to ask, and nothing is told.
        let unmet = rules_on_sets(readable().map(|(_, standing)| standing)).into_iter();
        let unmet_today =
            unmet.filter(|cause| readable().all(|(_, standing)| standing.unmet.contains(cause)));
        let unmet_today = unmet_today.collect();
        let placed = copies.iter().map(|(copy, _)| (copy.region.clone(), copy.role));
        let placed: Vec<_> = placed.collect();
        Some(Self {
            name: name.clone(),
            regions: regions
                .iter()
                .map(|region| (region.clone(), at(region)))
                .collect(),
            unmet_today,
            losses_today: losses(&placed, data_set.paths()),
            today: copies.into_iter().map(|(copy, _)| copy).collect(),
            replicating_is_uncovered: rules.replicating_is_uncovered,
            ways_of_readers: rules.ways_of_readers,
            ways_of_copies: rules.ways_of_copies,
        })
    }

    /// The regions where a copy may be.
    pub fn permitted(&self) -> impl Iterator<Item = &RegionKey> {
        let permitted = self.regions.iter().filter(|(_, standing)| standing.permits());
        permitted.map(|(region, _)| region)
    }

    /// Whether there is a region to go to when one is lost.
    #[must_use]
    pub fn has_failover(&self) -> bool {
        self.permitted().count() >= REGIONS_WITH_FAILOVER
    }

    /// Whether the policies permit today's copies where they are.
    #[must_use]
    pub fn permits_today(&self) -> bool {
        self.unmet_today.is_empty() && self.today.iter().all(|copy| copy.refused_by.is_empty())
    }
}

/// What the loss of each region leaves of these copies; a copy at an unknown place is lost with none of them.
#[must_use]
pub fn losses(copies: &[(Option<RegionKey>, ReplicaRole)], paths: AccessPaths) -> Vec<Loss> {
    let voters = copies.iter().filter(|(_, role)| role.votes()).count();
    let needed = match paths.writes {
        WritePath::Leader => majority(voters),
        WritePath::Quorum(needed) => needed,
    };
    let regions: BTreeSet<&RegionKey> = copies.iter().filter_map(|(region, _)| region.as_ref()).collect();
    let loss = |region: &RegionKey| {
        let left = || copies.iter().filter(|(at, _)| at.as_ref() != Some(region));
        Loss {
            region: region.clone(),
            leaves_readable: left().any(|(_, role)| role.is_readable()),
            leaves_quorum: (voters > 0)
                .then(|| left().filter(|(_, role)| role.votes()).count() >= needed.get()),
        }
    };
    regions.into_iter().map(loss).collect()
}
