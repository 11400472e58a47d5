//! Who belongs to what at an instant: whether a place or a people is in a set of places, and whether a
//! place meets a requirement. Three answers, because facts may be missing (docs/policies.md, 3, "Places").
//!
//! Inputs: the groups, the catalogue, an instant. Invariant: each group is worked out once, those that
//! it names before it, so the cost does not grow with the number of ways in which groups name groups.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::catalogue::{Catalogue, PlaceFacts, PlaceIndex};
use super::definition::{
    Definitions, GroupIndex, PlaceTerm, RequiredCertification, Requirement, inner_groups_first,
};
use crate::model::{Certification, Country, CountrySet, Membership, Subject};

/// The people of a group at an instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct People {
    /// Those that are named, surely or on a condition. A condition is one on places, so of people it
    /// says "may".
    named: BTreeMap<Subject, Membership>,
    /// Countries of which a part is named.
    in_part: CountrySet,
}

impl People {
    fn add(&mut self, subject: &Subject, membership: Membership) {
        if let Subject::Subdivision(part) = subject {
            self.in_part.insert(part.country());
        }
        self.named
            .entry(subject.clone())
            .and_modify(|known| *known = known.or(membership))
            .or_insert(membership);
    }

    fn membership(&self, subject: &Subject) -> Membership {
        let named = |subject: &Subject| self.named.get(subject).copied().unwrap_or(Membership::Out);
        match subject {
            Subject::Country(country) if self.in_part.contains(*country) => {
                named(subject).or(Membership::May)
            }
            Subject::Country(_) => named(subject),
            Subject::Subdivision(part) => named(subject).or(named(&Subject::Country(part.country()))),
        }
    }
}

/// Who belongs to each group at an instant.
#[derive(Debug)]
pub struct Jurisdictions<'a> {
    definitions: &'a Definitions,
    now: Timestamp,
    people: Vec<People>,
    /// For each group, the membership of each place.
    places: Vec<Vec<Membership>>,
}

impl<'a> Jurisdictions<'a> {
    /// Works every group out.
    #[must_use]
    pub fn at(definitions: &'a Definitions, catalogue: &Catalogue, now: Timestamp) -> Self {
        let groups = definitions.groups.len();
        let mut jurisdictions = Self {
            definitions,
            now,
            people: vec![People::default(); groups],
            places: vec![Vec::new(); groups],
        };
        let order = inner_groups_first(&definitions.groups);
        // Conditions of members look at people, so the people of all groups come first.
        for group in &order {
            let people = jurisdictions.people_of(*group);
            if let Some(slot) = jurisdictions.people.get_mut(*group) {
                *slot = people;
            }
        }
        for group in &order {
            let places = catalogue
                .places()
                .map(|(index, place)| jurisdictions.place_in_group(index, place, *group))
                .collect();
            if let Some(slot) = jurisdictions.places.get_mut(*group) {
                *slot = places;
            }
        }
        jurisdictions
    }

    /// Whether everything belongs to what it belongs to there. Requirements of rules are not compared:
    /// they may change although no group does.
    #[must_use]
    pub fn are_those_of(&self, other: &Self) -> bool {
        self.people == other.people && self.places == other.places
    }

    fn people_of(&self, group: GroupIndex) -> People {
        let mut people = People::default();
        for member in self.definitions.members(group, self.now) {
            let condition = match member.required {
                Some(_) => Membership::May,
                None => Membership::In,
            };
            match &member.term {
                PlaceTerm::Country(country) => people.add(&Subject::Country(*country), condition),
                PlaceTerm::Subdivision(part) => {
                    people.add(&Subject::Subdivision(part.clone()), condition);
                }
                PlaceTerm::Group(inner) => {
                    for (subject, membership) in self.people.get(*inner).iter().flat_map(|inner| &inner.named)
                    {
                        people.add(subject, membership.and(condition));
                    }
                }
                PlaceTerm::Anywhere => {}
            }
        }
        people
    }

    fn place_in_group(&self, index: PlaceIndex, place: &PlaceFacts, group: GroupIndex) -> Membership {
        let members = self.definitions.members(group, self.now);
        let of_members = members.map(|member| {
            let of_term = self.place_in_term(index, place, &member.term);
            match &member.required {
                Some(requirement) if of_term != Membership::Out => {
                    of_term.and(self.meets(requirement, place))
                }
                _ => of_term,
            }
        });
        let of_group = of_members.fold(Membership::Out, Membership::or);
        // Nothing at all is known of a place without a country.
        if place.country.is_none() {
            Membership::May
        } else {
            of_group
        }
    }

    fn place_in_term(&self, index: PlaceIndex, place: &PlaceFacts, term: &PlaceTerm) -> Membership {
        let Some(country) = place.country else {
            return Membership::May;
        };
        match term {
            PlaceTerm::Anywhere => Membership::In,
            PlaceTerm::Country(named) => if_surely(*named == country),
            PlaceTerm::Subdivision(named) if named.country() != country => Membership::Out,
            PlaceTerm::Subdivision(named) => match &place.subdivision {
                Some(subdivision) => if_surely(subdivision == named),
                None => Membership::May,
            },
            PlaceTerm::Group(group) => {
                let places = self.places.get(*group);
                let known = places.and_then(|places| places.get(index.as_usize()));
                known.copied().unwrap_or(Membership::May)
            }
        }
    }

    /// Membership of a place in the union of the terms.
    #[must_use]
    pub fn place_in_any(&self, index: PlaceIndex, place: &PlaceFacts, terms: &[PlaceTerm]) -> Membership {
        terms
            .iter()
            .map(|term| self.place_in_term(index, place, term))
            .fold(Membership::Out, Membership::or)
    }

    /// Whether the people of a subject are among those that a term names. A conditional member counts
    /// as "may".
    #[must_use]
    pub fn subject_in(&self, subject: &Subject, term: &PlaceTerm) -> Membership {
        match term {
            PlaceTerm::Anywhere => Membership::In,
            PlaceTerm::Country(country) => match subject {
                Subject::Country(of) => if_surely(of == country),
                Subject::Subdivision(of) => if_surely(of.country() == *country),
            },
            PlaceTerm::Subdivision(part) => match subject {
                Subject::Subdivision(of) => if_surely(of == part),
                Subject::Country(of) if *of == part.country() => Membership::May,
                Subject::Country(_) => Membership::Out,
            },
            PlaceTerm::Group(group) => {
                let people = self.people.get(*group);
                people.map_or(Membership::May, |people| people.membership(subject))
            }
        }
    }

    /// The parts of countries that a term names.
    pub fn parts_in(&self, term: &PlaceTerm) -> Vec<crate::model::Subdivision> {
        match term {
            PlaceTerm::Subdivision(part) => vec![part.clone()],
            PlaceTerm::Group(group) => {
                let named = self
                    .people
                    .get(*group)
                    .into_iter()
                    .flat_map(|people| people.named.keys());
                named
                    .filter_map(|subject| match subject {
                        Subject::Subdivision(part) => Some(part.clone()),
                        Subject::Country(_) => None,
                    })
                    .collect()
            }
            PlaceTerm::Country(_) | PlaceTerm::Anywhere => Vec::new(),
        }
    }

    /// Whether a place meets a requirement; `In` is surely.
    #[must_use]
    pub fn meets(&self, requirement: &Requirement, place: &PlaceFacts) -> Membership {
        if let Some(assumed) = place.assumed {
            return assumed;
        }
        let operator = place.facts.operator.as_ref();
        let mut met = Membership::In;
        if let Some(entities) = &requirement.legal_entity {
            let entity = operator.and_then(|operator| operator.legal_entity.as_ref());
            met = met.and(if_known(entity, |entity| if_surely(entities.contains(entity))));
        }
        for (terms, countries) in [
            (
                &requirement.controlled_from,
                operator.and_then(|operator| operator.controlled_from.as_ref()),
            ),
            (
                &requirement.admin_access_from,
                operator.and_then(|operator| operator.admin_access_from.as_ref()),
            ),
        ] {
            if let Some(terms) = terms {
                met = met.and(if_known(countries, |countries| self.all_inside(countries, terms)));
            }
        }
        if let Some(wanted) = &requirement.certifications {
            met = met.and(if_known(place.facts.certifications.as_ref(), |held| {
                wanted
                    .iter()
                    .map(|wanted| attested(held, wanted, self.now))
                    .fold(Membership::Out, Membership::or)
            }));
        }
        if let Some(custody) = &requirement.key_custody {
            met = met.and(if_known(place.facts.key_custody.as_ref(), |fact| {
                if_surely(custody.contains(fact))
            }));
        }
        if let Some(tenancy) = &requirement.tenancy {
            met = met.and(if_known(place.facts.tenancy.as_ref(), |fact| {
                if_surely(tenancy.contains(fact))
            }));
        }
        met
    }

    /// Every country must be inside. A country of an operator has no facts of its own, so a conditional
    /// member of a group is at most "may". A list without a country says nothing.
    fn all_inside(&self, countries: &[Country], terms: &[PlaceTerm]) -> Membership {
        if countries.is_empty() {
            return Membership::May;
        }
        countries
            .iter()
            .map(|country| {
                terms
                    .iter()
                    .map(|term| self.subject_in(&Subject::Country(*country), term))
                    .fold(Membership::Out, Membership::or)
            })
            .fold(Membership::In, Membership::and)
    }
}

fn if_surely(holds: bool) -> Membership {
    if holds { Membership::In } else { Membership::Out }
}

fn if_known<T>(fact: Option<&T>, judge: impl FnOnce(&T) -> Membership) -> Membership {
    fact.map_or(Membership::May, judge)
}

fn attested(held: &[Certification], wanted: &RequiredCertification, now: Timestamp) -> Membership {
    held.iter()
        .filter(|certification| certification.scheme == wanted.scheme)
        .map(|certification| {
            let level = match (&wanted.level, &certification.level) {
                (None, _) => Membership::In,
                (Some(_), None) => Membership::May,
                (Some(wanted), Some(level)) => if_surely(wanted == level),
            };
            let validity = match certification.valid_until {
                None => Membership::May,
                Some(until) => if_surely(
                    first_insufficient_instant(until, wanted.valid_at_least_days)
                        .is_some_and(|first| now < first),
                ),
            };
            level.and(validity)
        })
        .fold(Membership::Out, Membership::or)
}

/// The first instant at which a certification is no longer valid for long enough.
#[must_use]
pub fn first_insufficient_instant(valid_until: Timestamp, at_least_days: u32) -> Option<Timestamp> {
    let days = SignedDuration::from_hours(i64::from(at_least_days) * 24);
    valid_until.checked_sub(days).ok()
}
