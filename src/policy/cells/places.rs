//! The kinds of places that some sets can tell apart at an instant.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::facts::{Coordinate, facts};
use super::mentions::{Parts, conditions, place_lists};
use super::{FactKinds, TooManyKinds};
use crate::model::{Country, Membership, RegionKey, Subdivision, ZoneFacts};
use crate::policy::catalogue::{Catalogue, PlaceFacts, PlaceIndex};
use crate::policy::definition::{Definitions, Demand, Mode, PlaceTerm};
use crate::policy::membership::Jurisdictions;

/// Which part of its country a place is in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Nobody says.
    Unknown,
    /// One that some list names.
    Named(Subdivision),
    /// Any that no list names; this one stands for them.
    Unnamed(Subdivision),
}

impl Part {
    fn subdivision(&self) -> Option<&Subdivision> {
        match self {
            Self::Unknown => None,
            Self::Named(part) | Self::Unnamed(part) => Some(part),
        }
    }
}

/// A country, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KindOfPlace {
    /// The country.
    pub country: Country,
    /// The part of it.
    pub part: Part,
}

/// A place that may or may not be catalogued.
#[derive(Debug, Clone)]
pub struct HypotheticalPlace {
    /// What it stands for; these are alike to every rule. Never empty.
    pub stands_for: Vec<KindOfPlace>,
    facts: PlaceFacts,
}

impl HypotheticalPlace {
    /// The facts of one place of the kind.
    #[must_use]
    pub fn facts(&self) -> PlaceFacts {
        self.facts.clone()
    }

    /// What it has beyond where it lies.
    #[must_use]
    pub fn own_facts(&self) -> &ZoneFacts {
        &self.facts.facts
    }
}

/// Which conditions decide whether a place is a member, by set and by their order in it.
type Deciding = Vec<(usize, usize)>;

pub fn places(
    sets: &[&Definitions],
    parts: &Parts,
    at: Timestamp,
    kinds: FactKinds,
) -> Result<Vec<HypotheticalPlace>, TooManyKinds> {
    let candidates = candidates(parts);
    let without_facts = Catalogue::hypothetical(
        candidates
            .iter()
            .enumerate()
            .map(|(number, kind)| place(kind, number, ZoneFacts::default())),
    );
    let jurisdictions: Vec<Jurisdictions<'_>> = sets
        .iter()
        .map(|set| Jurisdictions::at(set, &without_facts, at))
        .collect();
    let mut by_kind: BTreeMap<(Vec<Membership>, Deciding), Vec<KindOfPlace>> = BTreeMap::new();
    for (kind, (index, of_place)) in candidates.into_iter().zip(without_facts.places().skip(1)) {
        let looked_at = Looked {
            sets,
            jurisdictions: &jurisdictions,
            at,
            index,
            of_place,
        };
        by_kind.entry(looked_at.key()).or_default().push(kind);
    }
    let mut known_facts: BTreeMap<Deciding, Vec<ZoneFacts>> = BTreeMap::new();
    let mut places = Vec::new();
    for ((_, deciding), stands_for) in by_kind {
        let of_kind = match known_facts.get(&deciding) {
            Some(of_kind) => of_kind.clone(),
            None => {
                let of_kind = facts(&coordinates(sets, &jurisdictions, at, &deciding, kinds), at)?;
                known_facts.insert(deciding, of_kind.clone());
                of_kind
            }
        };
        let Some(first) = stands_for.first() else {
            continue;
        };
        for own in of_kind {
            places.push(HypotheticalPlace {
                facts: place(first, places.len(), own),
                stands_for: stands_for.clone(),
            });
        }
        if places.len() > super::facts::MOST_KINDS {
            return Err(TooManyKinds(super::facts::MOST_KINDS));
        }
    }
    Ok(places)
}

fn candidates(parts: &Parts) -> Vec<KindOfPlace> {
    let unknown = Country::all().map(|country| KindOfPlace {
        country,
        part: Part::Unknown,
    });
    let named = parts
        .named()
        .map(|part| (part.country(), Part::Named(part.clone())));
    let unnamed = parts
        .unnamed()
        .map(|part| (part.country(), Part::Unnamed(part.clone())));
    let in_parts = named
        .chain(unnamed)
        .map(|(country, part)| KindOfPlace { country, part });
    unknown.chain(in_parts).collect()
}

/// A place of a kind. The key only tells it from the unknown place.
fn place(kind: &KindOfPlace, number: usize, facts: ZoneFacts) -> PlaceFacts {
    PlaceFacts {
        region: RegionKey::parse(&format!("hypothetical/{number}")).ok(),
        zone: None,
        country: Some(kind.country),
        subdivision: kind.part.subdivision().cloned(),
        facts,
        as_of: None,
        assumed: None,
    }
}

/// One candidate as every list looks at it.
struct Looked<'a> {
    sets: &'a [&'a Definitions],
    jurisdictions: &'a [Jurisdictions<'a>],
    at: Timestamp,
    index: PlaceIndex,
    of_place: &'a PlaceFacts,
}

impl Looked<'_> {
    /// What surely is or is not a member stays so whatever the facts are. Where facts decide, the
    /// conditions that do are part of the key.
    fn key(&self) -> (Vec<Membership>, Deciding) {
        let sets = || self.sets.iter().zip(self.jurisdictions);
        let memberships: Vec<Membership> = sets()
            .flat_map(|(set, jurisdictions)| {
                place_lists(set).map(|terms| jurisdictions.place_in_any(self.index, self.of_place, terms))
            })
            .collect();
        if !memberships.contains(&Membership::May) {
            return (memberships, Deciding::new());
        }
        let mut deciding = Deciding::new();
        let mut memberships = memberships;
        for (number, (set, jurisdictions)) in sets().enumerate() {
            for (condition, (term, _)) in conditions(set, self.at).enumerate() {
                let of_term =
                    jurisdictions.place_in_any(self.index, self.of_place, std::slice::from_ref(term));
                memberships.push(of_term);
                if of_term != Membership::Out {
                    deciding.push((number, condition));
                }
            }
        }
        // Which conditions must hold together, and in which group, is not part of the memberships.
        memberships.extend(self.group_members());
        (memberships, deciding)
    }

    /// How the place stands to each member of each group, which with the conditions decides everything.
    fn group_members(&self) -> Vec<Membership> {
        let mut found = Vec::new();
        for (set, jurisdictions) in self.sets.iter().zip(self.jurisdictions) {
            for group in 0..set.groups.len() {
                for member in set.members(group, self.at) {
                    if matches!(member.term, PlaceTerm::Group(_)) {
                        continue;
                    }
                    let term = std::slice::from_ref(&member.term);
                    found.push(jurisdictions.place_in_any(self.index, self.of_place, term));
                }
            }
        }
        found
    }
}

/// The requirements that the facts of a place are judged by.
fn coordinates<'a>(
    sets: &[&'a Definitions],
    jurisdictions: &'a [Jurisdictions<'a>],
    at: Timestamp,
    deciding: &Deciding,
    kinds: FactKinds,
) -> Vec<Coordinate<'a>> {
    let mut coordinates = Vec::new();
    for (number, (set, jurisdictions)) in sets.iter().zip(jurisdictions).enumerate() {
        for (condition, (_, requirement)) in conditions(set, at).enumerate() {
            if deciding.contains(&(number, condition)) {
                coordinates.push(Coordinate {
                    jurisdictions,
                    requirement,
                    is_exact: true,
                });
            }
        }
        for (policy_index, policy) in set.policies.iter().enumerate() {
            let in_force = policy.effective_from.is_none_or(|start| start <= at);
            let refuses = policy.mode == Mode::Enforce
                && in_force
                && policy.enforce_from.is_none_or(|start| start <= at);
            for (rule_index, rule) in policy.rules.iter().enumerate() {
                let Demand::Required(requirement) = &rule.demand else {
                    continue;
                };
                // An exception lifts what is surely not met, which is then better than not known.
                let is_relaxed = set.exceptions.iter().any(|exception| {
                    (exception.relaxes.policy, exception.relaxes.rule) == (policy_index, rule_index)
                });
                let is_exact = is_relaxed || kinds == FactKinds::All;
                if refuses || is_exact {
                    coordinates.push(Coordinate {
                        jurisdictions,
                        requirement,
                        is_exact,
                    });
                }
            }
        }
    }
    coordinates
}
