//! What rules on transit take away, as sets: the links, the regions, and ways that nobody declares.
//!
//! Inputs: the demand of a rule, the links, the catalogue, who belongs to what at an instant. Outputs: a
//! [`TransitProfile`], and a number for each that differs. Invariants: what may cross or lie in a forbidden
//! place counts as if it did; two rules together take away what either does. Deliberately absent: latency and
//! the routes that remain (`topology` has them), and whether what links declare is true.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::{Catalogue, PlaceFacts, PlaceIndex, PlaceSet};
use super::definition::{Definitions, NetworkLink, PathUnknown, PlaceTerm, TransitDemand};
use super::membership::Jurisdictions;
use crate::model::{Classification, Membership, RegionKey, Subject, Tuple};

/// What one rule, or several together, take away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct TransitProfile {
    /// For each of [`Definitions::links`] whether it is taken away.
    pub forbidden_links: Vec<bool>,
    /// The regions in which no way between regions may begin or end.
    pub forbidden_regions: BTreeSet<RegionKey>,
    /// Whether a way between two regions that no link declares is taken away too.
    pub undeclared_is_taken: bool,
}

impl TransitProfile {
    /// What a demand takes away. Where `fresh` is present, regions whose facts are not among these are not
    /// known to lie anywhere.
    #[must_use]
    pub fn of(
        demand: &TransitDemand,
        (definitions, catalogue): (&Definitions, &Catalogue),
        jurisdictions: &Jurisdictions<'_>,
        fresh: Option<&PlaceSet>,
    ) -> Self {
        let may_be_forbidden = |index: PlaceIndex, place: &PlaceFacts| {
            fresh.is_some_and(|fresh| !fresh.contains(index))
                || jurisdictions.place_in_any(index, place, &demand.forbid) != Membership::Out
        };
        // A zone with facts of its own may be a conditional member where its region is none.
        let forbidden_regions: BTreeSet<RegionKey> = catalogue
            .places()
            .filter(|(index, place)| may_be_forbidden(*index, place))
            .filter_map(|(_, place)| place.region.clone())
            .collect();
        let crossing = definitions
            .links
            .iter()
            .filter(|link| crosses(link, &demand.forbid, jurisdictions));
        // Zones of two regions may be joined by several links, and nobody says which of them traffic takes.
        let crossing: BTreeSet<[&RegionKey; 2]> = crossing.map(NetworkLink::regions).collect();
        let is_taken = |link: &NetworkLink| {
            let mut ends = link.regions().into_iter();
            ends.any(|region| forbidden_regions.contains(region)) || crossing.contains(&link.regions())
        };
        Self {
            forbidden_links: definitions.links.iter().map(is_taken).collect(),
            undeclared_is_taken: demand.when_path_unknown == PathUnknown::Deny,
            forbidden_regions,
        }
    }

    /// What both take away.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let pairs = self.forbidden_links.iter().zip(&other.forbidden_links);
        Self {
            forbidden_links: pairs.map(|(one, other)| *one || *other).collect(),
            forbidden_regions: &self.forbidden_regions | &other.forbidden_regions,
            undeclared_is_taken: self.undeclared_is_taken || other.undeclared_is_taken,
        }
    }
}

/// Whether a link crosses, or may cross, one of these places. Of a country that is crossed nothing else is
/// known, so a part of it may be crossed, and a member of a group on a condition may be meant.
fn crosses(link: &NetworkLink, forbid: &[PlaceTerm], jurisdictions: &Jurisdictions<'_>) -> bool {
    link.countries.iter().any(|country| {
        let country = Subject::Country(*country);
        forbid
            .iter()
            .any(|term| jurisdictions.subject_in(&country, term) != Membership::Out)
    })
}

/// A profile by its number in [`PolicySet::transit_profiles`](super::PolicySet::transit_profiles).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransitIndex(usize);

impl TransitIndex {
    /// The numbers of the first so many profiles.
    pub(super) fn first(count: usize) -> impl Iterator<Item = Self> {
        (0..count).map(Self)
    }

    /// The number, to index a table that has one row for each profile.
    #[must_use]
    pub fn as_usize(self) -> usize {
        self.0
    }
}

/// The profiles of one rule in one stretch of time: regions whose facts are too old for some data lie in no
/// known place for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransitOfRule {
    by_classification: [TransitIndex; Classification::ALL.len()],
    of_unknown: TransitIndex,
    whatever_the_age: TransitIndex,
}

impl TransitOfRule {
    /// Numbers the profiles of a rule.
    #[must_use]
    pub fn number(
        mut profile: impl FnMut(Option<&PlaceSet>) -> TransitProfile,
        fresh: &[Option<PlaceSet>; Classification::ALL.len() + 1],
        numbers: &mut TransitNumbers,
    ) -> Self {
        let whatever_the_age = numbers.number(profile(None));
        let mut of = |fresh: &Option<PlaceSet>| match fresh {
            None => whatever_the_age,
            Some(fresh) => numbers.number(profile(Some(fresh))),
        };
        let [public, internal, confidential, restricted, of_unknown] = fresh;
        Self {
            by_classification: [of(public), of(internal), of(confidential), of(restricted)],
            of_unknown: of(of_unknown),
            whatever_the_age,
        }
    }

    /// The profile where no age of facts matters.
    #[must_use]
    pub fn whatever_the_age(&self) -> TransitIndex {
        self.whatever_the_age
    }

    /// The profile for some data.
    #[must_use]
    pub fn for_data(&self, tuple: &Tuple) -> TransitIndex {
        let Tuple::Data(data) = tuple else {
            return self.whatever_the_age;
        };
        let Some(classification) = data.classification else {
            return self.of_unknown;
        };
        let found = self.by_classification.get(classification as usize);
        found.copied().unwrap_or(self.of_unknown)
    }
}

/// Numbers for profiles: equal ones have the same.
#[derive(Debug, Default)]
pub struct TransitNumbers {
    numbers: BTreeMap<TransitProfile, usize>,
}

impl TransitNumbers {
    fn number(&mut self, profile: TransitProfile) -> TransitIndex {
        let next = self.numbers.len();
        TransitIndex(*self.numbers.entry(profile).or_insert(next))
    }

    /// The profiles in the order of their numbers.
    #[must_use]
    pub fn profiles(self) -> Vec<TransitProfile> {
        let mut numbered: Vec<(TransitProfile, usize)> = self.numbers.into_iter().collect();
        numbered.sort_by_key(|(_, number)| *number);
        numbered.into_iter().map(|(profile, _)| profile).collect()
    }
}
