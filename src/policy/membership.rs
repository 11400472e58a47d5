//! Whether a place is in a set of places at an instant, and whether it meets a requirement: three
//! answers, because facts may be missing (POLICY.md A4, "Places").

use jiff::{Timestamp, ToSpan};

use super::catalogue::PlaceFacts;
use super::definition::{Definitions, PlaceTerm, RequiredCertification, Requirement};
use crate::model::{Certification, Country, Membership, Subject};

/// Membership of a place in the union of the terms.
#[must_use]
pub fn in_any(
    definitions: &Definitions,
    terms: &[PlaceTerm],
    place: &PlaceFacts,
    now: Timestamp,
) -> Membership {
    terms
        .iter()
        .map(|term| in_term(definitions, term, place, now))
        .fold(Membership::Out, Membership::or)
}

fn in_term(definitions: &Definitions, term: &PlaceTerm, place: &PlaceFacts, now: Timestamp) -> Membership {
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
        PlaceTerm::Group(group) => definitions
            .members(*group, now)
            .map(|member| {
                let condition = match &member.required {
                    Some(requirement) => meets(definitions, requirement, place, now),
                    None => Membership::In,
                };
                in_term(definitions, &member.term, place, now).and(condition)
            })
            .fold(Membership::Out, Membership::or),
    }
}

/// Whether a place meets a requirement; `In` is surely.
#[must_use]
pub fn meets(
    definitions: &Definitions,
    requirement: &Requirement,
    place: &PlaceFacts,
    now: Timestamp,
) -> Membership {
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
            met = met.and(if_known(countries, |countries| {
                all_inside(definitions, countries, terms, now)
            }));
        }
    }
    if let Some(wanted) = &requirement.certifications {
        met = met.and(if_known(place.facts.certifications.as_ref(), |held| {
            wanted
                .iter()
                .map(|wanted| attested(held, wanted, now))
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

fn if_surely(holds: bool) -> Membership {
    if holds { Membership::In } else { Membership::Out }
}

fn if_known<T>(fact: Option<&T>, judge: impl FnOnce(&T) -> Membership) -> Membership {
    fact.map_or(Membership::May, judge)
}

/// Every country must be inside. A country of an operator has no facts of its own, so a conditional
/// member of a group is at most "may".
fn all_inside(
    definitions: &Definitions,
    countries: &[Country],
    terms: &[PlaceTerm],
    now: Timestamp,
) -> Membership {
    countries
        .iter()
        .map(|country| {
            terms
                .iter()
                .map(|term| definitions.subject_membership(&Subject::Country(*country), term, now))
                .fold(Membership::Out, Membership::or)
        })
        .fold(Membership::In, Membership::and)
}

fn attested(held: &[Certification], wanted: &RequiredCertification, now: Timestamp) -> Membership {
    held.iter()
        .filter(|certification| certification.scheme == wanted.scheme)
        .filter(|certification| wanted.level.is_none() || certification.level == wanted.level)
        .map(|certification| match certification.valid_until {
            None => Membership::May,
            Some(until) => if_surely(
                first_insufficient_instant(until, wanted.valid_at_least_days)
                    .is_some_and(|first| now < first),
            ),
        })
        .fold(Membership::Out, Membership::or)
}

/// The first instant at which a certification is no longer valid for long enough.
#[must_use]
pub fn first_insufficient_instant(valid_until: Timestamp, at_least_days: u32) -> Option<Timestamp> {
    valid_until
        .checked_sub((i64::from(at_least_days) * 24).hours())
        .ok()
}
