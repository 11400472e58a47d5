//! The ways between regions that rules on transit leave, for the policies and the latencies of a snapshot.
//!
//! Inputs: a policy set with its links, a latency table. Outputs: [`PermittedWays`] for one profile of the set,
//! or for several together: then each takes its own away. Invariants: ways within a region always remain; where
//! ways that nobody declares are taken away, so is one that ends at an unknown place; equal inputs give equal
//! ways. The ways of few profiles are found when a snapshot is made, with every union of them, and shared by
//! the snapshots that follow; a union of many is found when it is asked for, once for a request.
//! Deliberately absent: which rules bind which data sets (`policy`), and what an access needs (`placement`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::RegionKey;
use crate::policy::{LinkEnd, NetworkLink, PolicySet, TransitIndex, TransitProfile};
use crate::topology::{
    LatencyPoint, LatencyTable, Link, MeasuredPlace, Route, RouteRules, Routes, Undeclared,
};

/// Up to how many profiles every union is found beforehand: six make 63.
const MOST_PROFILES_WITH_UNIONS: usize = 6;

/// The ways of every profile of a policy set.
#[derive(Debug, Default)]
pub struct TransitWays {
    links: Vec<Link>,
    found: BTreeMap<BTreeSet<TransitIndex>, Arc<PermittedWays>>,
}

/// A place for accesses: its region for rules, and its point for latency.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spot<'a> {
    /// The region; `None` is unknown.
    pub region: Option<&'a RegionKey>,
    /// The point of the latency table; `None` where there is none.
    pub point: Option<LatencyPoint>,
}

/// The ways that remain under one profile, or several together.
#[derive(Debug, Clone)]
pub struct PermittedWays {
    profile: TransitProfile,
    routes: Routes,
    /// For two regions that some link joins, whether one remains.
    declared: BTreeMap<[RegionKey; 2], bool>,
    /// For regions that links which remain join, the first of all that they join together.
    joined: BTreeMap<RegionKey, RegionKey>,
}

impl TransitWays {
    /// Finds the ways of a set; none where it has no rule on transit.
    #[must_use]
    pub fn new(policies: &PolicySet, table: &LatencyTable) -> Self {
        let count = policies.transit_profiles().len();
        if count == 0 {
            return Self::default();
        }
        let links = policies.definitions().links.iter().map(link);
        let mut ways = Self {
            links: links.collect(),
            found: BTreeMap::new(),
        };
        let all = policies.transit_indices();
        let sets: Vec<BTreeSet<TransitIndex>> = match count {
            0..=MOST_PROFILES_WITH_UNIONS => subsets(&all.collect::<Vec<_>>()),
            _ => all.map(|index| BTreeSet::from([index])).collect(),
        };
        let profiles: Vec<TransitProfile> = sets.iter().map(|set| union(policies, set)).collect();
        let rules: Vec<RouteRules> = profiles.iter().map(rules).collect();
        let routes = Routes::build(table, &ways.links, &rules);
        for ((set, profile), routes) in sets.into_iter().zip(profiles).zip(routes) {
            let permitted = Arc::new(PermittedWays::new(policies, profile, routes));
            ways.found.insert(set, permitted);
        }
        ways
    }

    /// The ways that remain under these profiles of the set together; `None` where there is none.
    #[must_use]
    pub fn under(
        &self,
        profiles: &BTreeSet<TransitIndex>,
        (policies, table): (&PolicySet, &LatencyTable),
    ) -> Option<Arc<PermittedWays>> {
        if profiles.is_empty() {
            return None;
        }
        if let Some(found) = self.found.get(profiles) {
            return Some(found.clone());
        }
        let profile = union(policies, profiles);
        let routes = Routes::build(table, &self.links, &[rules(&profile)]).pop()?;
        Some(Arc::new(PermittedWays::new(policies, profile, routes)))
    }
}

/// The same profile of the same set leaves the same ways of the same table.
impl PartialEq for PermittedWays {
    fn eq(&self, other: &Self) -> bool {
        (&self.profile, &self.declared) == (&other.profile, &other.declared)
    }
}

impl PermittedWays {
    fn new(policies: &PolicySet, profile: TransitProfile, routes: Routes) -> Self {
        let mut declared: BTreeMap<[RegionKey; 2], bool> = BTreeMap::new();
        let links = policies.definitions().links.iter();
        for (link, is_taken) in links.zip(&profile.forbidden_links) {
            *declared.entry(link.regions().map(Clone::clone)).or_default() |= !is_taken;
        }
        Self {
            joined: joined(&declared),
            profile,
            routes,
            declared,
        }
    }

    /// The way between two points of the table, as it remains.
    #[must_use]
    pub fn between(&self, table: &LatencyTable, from: LatencyPoint, to: LatencyPoint) -> Route {
        self.routes.between(table, from, to)
    }

    /// Whether a way remains. A place that is not known may be anywhere, so only ways that nobody declares
    /// lead there.
    #[must_use]
    pub fn remain(&self, table: &LatencyTable, from: Spot<'_>, to: Spot<'_>) -> bool {
        let is_forbidden = |region| self.profile.forbidden_regions.contains(region);
        let (Some(start), Some(end)) = (from.region, to.region) else {
            let mut known = from.region.into_iter().chain(to.region);
            return !self.profile.undeclared_is_taken && !known.any(is_forbidden);
        };
        if start == end {
            return true;
        }
        if let (Some(from), Some(to)) = (from.point, to.point) {
            return self.between(table, from, to) != Route::Closed;
        }
        // Nothing is known of how long it takes, which closes no way.
        let is_joined = || {
            let (start, end) = (self.joined.get(start), self.joined.get(end));
            start.is_some() && start == end
        };
        let stays = || {
            let declared = self.declaration(start, end);
            declared.unwrap_or(!self.profile.undeclared_is_taken)
        };
        !is_forbidden(start) && !is_forbidden(end) && (stays() || is_joined())
    }

    /// Whether the way that remains is one of which somebody declares what it crosses.
    #[must_use]
    pub fn is_declared(&self, table: &LatencyTable, from: Spot<'_>, to: Spot<'_>) -> bool {
        let (Some(start), Some(end)) = (from.region, to.region) else {
            return false;
        };
        let leads_over_links = || match (from.point, to.point) {
            (Some(from), Some(to)) => !matches!(self.between(table, from, to), Route::Direct(_)),
            _ => false,
        };
        start == end || self.declaration(start, end).is_some() || leads_over_links()
    }

    /// Whether ways that nobody declares remain, and are to be recorded.
    #[must_use]
    pub fn keep_undeclared(&self) -> bool {
        !self.profile.undeclared_is_taken
    }

    /// Whether some link that joins two regions remains; `None` where none joins them.
    fn declaration(&self, from: &RegionKey, to: &RegionKey) -> Option<bool> {
        let mut regions = [from.clone(), to.clone()];
        regions.sort();
        self.declared.get(&regions).copied()
    }
}

/// Joins regions by the links that remain.
fn joined(declared: &BTreeMap<[RegionKey; 2], bool>) -> BTreeMap<RegionKey, RegionKey> {
    let mut joined: BTreeMap<RegionKey, RegionKey> = BTreeMap::new();
    let remaining = declared.iter().filter(|(_, remains)| **remains);
    for ([one, other], _) in remaining {
        let first = |joined: &BTreeMap<RegionKey, RegionKey>, region: &RegionKey| {
            joined.get(region).unwrap_or(region).clone()
        };
        let (of_one, of_other) = (first(&joined, one), first(&joined, other));
        let together = of_one.clone().min(of_other.clone());
        for region in [one, other] {
            joined.insert(region.clone(), together.clone());
        }
        for region in joined
            .values_mut()
            .filter(|region| **region == of_one || **region == of_other)
        {
            *region = together.clone();
        }
    }
    joined
}

fn link(declared: &NetworkLink) -> Link {
    let place = |end: &LinkEnd| MeasuredPlace {
        zone: end.zone.clone(),
        ..MeasuredPlace::region(end.region.clone())
    };
    Link {
        from: place(&declared.from),
        to: place(&declared.to),
    }
}

fn union(policies: &PolicySet, set: &BTreeSet<TransitIndex>) -> TransitProfile {
    let all = policies.transit_profiles();
    let profiles = set.iter().filter_map(|index| all.get(index.as_usize()));
    let union = profiles.cloned().reduce(|one, other| one.union(&other));
    union.unwrap_or_default()
}

fn rules(profile: &TransitProfile) -> RouteRules {
    RouteRules {
        forbidden_links: profile.forbidden_links.clone(),
        forbidden_regions: profile.forbidden_regions.clone(),
        undeclared: match profile.undeclared_is_taken {
            true => Undeclared::Taken,
            false => Undeclared::Kept,
        },
    }
}

/// Every set of some of these.
fn subsets(all: &[TransitIndex]) -> Vec<BTreeSet<TransitIndex>> {
    let mut sets: Vec<BTreeSet<TransitIndex>> = Vec::new();
    for index in all {
        let with = sets.iter().map(|set| {
            let mut with = set.clone();
            with.insert(*index);
            with
        });
        let with: Vec<BTreeSet<TransitIndex>> = with.collect();
        sets.extend(with);
        sets.push(BTreeSet::from([*index]));
    }
    sets
}

#[cfg(test)]
#[path = "ways_tests.rs"]
mod tests;
