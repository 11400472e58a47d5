//! The places over which sets are compared: the unknown one, every region and zone of either catalogue,
//! and each country and each part of one that a set names, once as a place that meets every requirement
//! and once as one that meets none. The last show a widened list even where no region exists yet.
//!
//! Inputs: sets. Outputs: places with one numbering for all of them, and each set compiled over that.
//! Invariant: a region that a set lacks is a place of which that set knows nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{
    Country, Locality, Membership, RegionKey, RegionReference, Replica, Subdivision, ZoneFacts,
};
use crate::policy::PolicySet;
use crate::policy::catalogue::{Catalogue, PlaceFacts, PlaceIndex};
use crate::policy::definition::{Definitions, Demand, PlaceTerm, Requirement, SubjectSelector, Unlabelled};
use crate::policy::epoch;

/// A place of the comparison.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// A region of a catalogue, or a zone of it that has facts of its own.
    Catalogued(RegionKey, Option<Arc<str>>),
    /// A place that need not exist.
    ThoughtOf {
        /// Its country.
        country: Country,
        /// The part of it.
        part: Option<Subdivision>,
        /// Whether it meets every requirement, or none.
        meets_requirements: bool,
    },
}

/// The places of a comparison, numbered from 1; 0 is the unknown place.
#[derive(Debug)]
pub struct Places {
    spots: Vec<Spot>,
    countries: Vec<Option<Country>>,
    numbers: BTreeMap<Spot, PlaceIndex>,
    numbering: Catalogue,
}

impl Places {
    /// The places of some sets.
    #[must_use]
    pub fn of(sets: &[&PolicySet]) -> Self {
        let mut spots: BTreeSet<Spot> = BTreeSet::new();
        for set in sets {
            let known = set.catalogue.places();
            spots.extend(
                known.filter_map(|(_, place)| {
                    Some(Spot::Catalogued(place.region.clone()?, place.zone.clone()))
                }),
            );
            let parts = parts_named(&set.definitions).into_iter().map(Some);
            let countries = Country::all().map(|country| (country, None));
            let kinds = parts.filter_map(|part| Some((part.as_ref()?.country(), part)));
            for (country, part) in countries.chain(kinds) {
                spots.extend([true, false].map(|meets_requirements| Spot::ThoughtOf {
                    country,
                    part: part.clone(),
                    meets_requirements,
                }));
            }
        }
        let spots: Vec<Spot> = spots.into_iter().collect();
        let countries = spots.iter().map(|spot| match spot {
            Spot::ThoughtOf { country, .. } => Some(*country),
            // The newest set is the last one.
            Spot::Catalogued(key, _) => sets
                .iter()
                .rev()
                .find_map(|set| set.catalogue.region(key))
                .map(|region| region.country),
        });
        let countries = countries.collect();
        let numbering = Catalogue::hypothetical(spots.iter().map(|_| PlaceFacts::default()));
        let indices = numbering.places().skip(1).map(|(index, _)| index);
        Self {
            numbers: spots.iter().cloned().zip(indices).collect(),
            spots,
            countries,
            numbering,
        }
    }

    /// What a place is; `None` for the unknown one.
    #[must_use]
    pub fn spot(&self, place: PlaceIndex) -> Option<&Spot> {
        self.spots.get(place.as_usize().checked_sub(1)?)
    }

    /// The country of a place; `None` for the unknown one.
    #[must_use]
    pub fn country(&self, place: PlaceIndex) -> Option<Country> {
        *self.countries.get(place.as_usize().checked_sub(1)?)?
    }

    /// Every place, the unknown one first, to make sets of.
    #[must_use]
    pub fn numbering(&self) -> &Catalogue {
        &self.numbering
    }

    /// A set as the engine compiles it over these places; `None` where the engine finds it too large.
    #[must_use]
    pub fn compile(&self, set: &PolicySet) -> Option<PolicySet> {
        let catalogue = Catalogue::hypothetical(self.spots.iter().map(|spot| facts(set, spot)));
        let timeline = epoch::epochs(&set.definitions, &catalogue)?;
        Some(PolicySet {
            digest: set.digest.clone(),
            definitions: set.definitions.clone(),
            catalogue,
            data_sets: set.data_sets.clone(),
            epochs: timeline.epochs,
            transit_profiles: timeline.transit_profiles,
            written_at: crate::policy::lint::WrittenAt::default(),
        })
    }

    /// The place of a replica, as a set resolves it.
    #[must_use]
    pub fn of_replica(&self, set: &PolicySet, replica: &Replica) -> PlaceIndex {
        let facts = set.catalogue.facts(set.catalogue.place(&replica.locality));
        let spot = facts.and_then(|facts| Some(Spot::Catalogued(facts.region.clone()?, facts.zone.clone())));
        let number = spot.and_then(|spot| self.numbers.get(&spot));
        number.copied().unwrap_or(PlaceIndex::UNKNOWN)
    }
}

fn facts(set: &PolicySet, spot: &Spot) -> PlaceFacts {
    match spot {
        Spot::Catalogued(key, zone) => {
            let locality = Locality {
                cluster: None,
                region: Some(RegionReference::Key(key.clone())),
                zone: zone.clone(),
            };
            let place = set.catalogue.place(&locality);
            set.catalogue.facts(place).cloned().unwrap_or_default()
        }
        Spot::ThoughtOf {
            country,
            part,
            meets_requirements,
        } => PlaceFacts {
            region: RegionKey::new("thought-of", country.code()).ok(),
            zone: None,
            country: Some(*country),
            subdivision: part.clone(),
            facts: ZoneFacts::default(),
            as_of: None,
            assumed: Some(if *meets_requirements {
                Membership::In
            } else {
                Membership::Out
            }),
        },
    }
}

/// Every part of a country that a set names anywhere.
#[must_use]
pub fn parts_named(definitions: &Definitions) -> BTreeSet<Subdivision> {
    terms(definitions)
        .into_iter()
        .filter_map(|term| match term {
            PlaceTerm::Subdivision(part) => Some(part.clone()),
            PlaceTerm::Country(_) | PlaceTerm::Group(_) | PlaceTerm::Anywhere => None,
        })
        .collect()
}

/// Every place that a set names anywhere.
fn terms(definitions: &Definitions) -> Vec<&PlaceTerm> {
    let mut terms: Vec<&PlaceTerm> = Vec::new();
    for member in definitions.groups.iter().flat_map(|group| &group.members) {
        terms.push(&member.term);
        terms.extend(member.required.iter().flat_map(terms_of_requirement));
    }
    for policy in &definitions.policies {
        for rule in &policy.rules {
            terms.extend(terms_of_demand(&rule.demand));
        }
        let selectors = policy.applies_to.iter().filter_map(|block| block.data.as_ref());
        terms.extend(selectors.flat_map(|selector| places_of_subjects(selector.subjects.as_deref())));
    }
    for exception in &definitions.exceptions {
        terms.extend(&exception.locations);
        terms.extend(places_of_subjects(exception.data.subjects.as_deref()));
    }
    if let Unlabelled::ConfineTo(places) = &definitions.settings.unlabelled {
        terms.extend(places);
    }
    terms
}

fn places_of_subjects(subjects: Option<&[SubjectSelector]>) -> impl Iterator<Item = &PlaceTerm> {
    subjects
        .into_iter()
        .flatten()
        .filter_map(|subject| match subject {
            SubjectSelector::Place(term) => Some(term),
            SubjectSelector::None => None,
        })
}

/// The places that a demand names.
#[must_use]
pub fn terms_of_demand(demand: &Demand) -> Vec<&PlaceTerm> {
    match demand {
        Demand::Required(requirement) => terms_of_requirement(requirement).collect(),
        _ => demand.places().unwrap_or_default().iter().collect(),
    }
}

/// The places that a requirement names.
pub fn terms_of_requirement(requirement: &Requirement) -> impl Iterator<Item = &PlaceTerm> {
    let controlled = requirement.controlled_from.iter().flatten();
    controlled.chain(requirement.admin_access_from.iter().flatten())
}
