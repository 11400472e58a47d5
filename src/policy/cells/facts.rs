//! Concrete facts of places for every way in which some requirements can be met together.
//!
//! Inputs: requirements. Outputs: facts, one for each vector of answers that a place can give them.
//! Invariants: the answers are those of [`Jurisdictions::meets`], so no second rule says what meets a
//! requirement; unknown facts are among the facts; of answers that differ only in requirements that need
//! not be told apart, those remain that no other is at least as good as in all of them.
//!
//! A requirement is met where each of its parts is, and each part looks at one fact. So the answers to
//! each fact alone are worked out first, and a place answers with the least of them. Facts that are lists
//! (countries, certifications) answer for a longer list as its members do together, so lists grow until
//! nothing new comes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::TooManyKinds;
use crate::model::{Certification, Country, KeyCustody, Membership, Operator, Tenancy, ZoneFacts};
use crate::policy::catalogue::PlaceFacts;
use crate::policy::definition::{RequiredCertification, Requirement};
use crate::policy::membership::Jurisdictions;

/// How many kinds of places are looked at.
pub const MOST_KINDS: usize = 10_000;

/// A requirement that facts are judged by.
pub struct Coordinate<'a> {
    pub jurisdictions: &'a Jurisdictions<'a>,
    pub requirement: &'a Requirement,
    /// Whether every answer to it is told apart, or only the better ones are kept.
    pub is_exact: bool,
}

/// Facts by what they answer: first to exact coordinates, then to the others.
#[derive(Default)]
struct Front {
    by_exact: BTreeMap<Vec<Membership>, Vec<(Vec<Membership>, ZoneFacts)>>,
    count: usize,
}

impl Front {
    /// Whether nothing that it has answers at least as well.
    fn would_take(&self, (exact, others): &Answers) -> bool {
        let kept = self.by_exact.get(exact).into_iter().flatten();
        !kept.into_iter().any(|(known, _)| is_at_least(known, others))
    }

    /// Takes facts unless others answer at least as well.
    fn take(&mut self, exact: Vec<Membership>, others: Vec<Membership>, facts: ZoneFacts) {
        let kept = self.by_exact.entry(exact).or_default();
        if kept.iter().any(|(known, _)| is_at_least(known, &others)) {
            return;
        }
        let before = kept.len();
        kept.retain(|(known, _)| !is_at_least(&others, known));
        self.count = self.count + 1 + kept.len() - before;
        kept.push((others, facts));
    }

    fn iter(&self) -> impl Iterator<Item = (&Vec<Membership>, &Vec<Membership>, &ZoneFacts)> {
        let by_exact = self.by_exact.iter();
        by_exact.flat_map(|(exact, kept)| kept.iter().map(move |(others, facts)| (exact, others, facts)))
    }
}

fn is_at_least(better: &[Membership], worse: &[Membership]) -> bool {
    better.iter().zip(worse).all(|(better, worse)| better >= worse)
}

/// The facts of one place for every way in which it can answer.
pub fn facts(coordinates: &[Coordinate<'_>], at: Timestamp) -> Result<Vec<ZoneFacts>, TooManyKinds> {
    let everything_met = |is_exact: bool| {
        let of_kind = coordinates
            .iter()
            .filter(|coordinate| coordinate.is_exact == is_exact);
        of_kind.map(|_| Membership::In).collect::<Vec<_>>()
    };
    let mut found = Front::default();
    found.take(everything_met(true), everything_met(false), ZoneFacts::default());
    for fact in FACTS {
        let Some(alone) = front_of(fact, coordinates, at)? else {
            continue;
        };
        let mut joined = Front::default();
        for (exact, others, facts) in found.iter() {
            for (exact_alone, others_alone, of_fact) in alone.iter() {
                let (exact, others) = (
                    combined(exact, exact_alone, Membership::and),
                    combined(others, others_alone, Membership::and),
                );
                joined.take(exact, others, merged(facts, of_fact));
                if joined.count > MOST_KINDS {
                    return Err(TooManyKinds(MOST_KINDS));
                }
            }
        }
        found = joined;
    }
    Ok(found.iter().map(|(_, _, facts)| facts.clone()).collect())
}

/// One fact of a place: the part of a requirement that looks at it, what it can be where it is known, and
/// for lists how the answers of two lists make that of both together.
#[derive(Clone, Copy)]
struct Fact {
    part: fn(&Requirement) -> Option<Requirement>,
    can_be: fn(&[Requirement], Timestamp) -> Vec<ZoneFacts>,
    together: Option<fn(Membership, Membership) -> Membership>,
}

const FACTS: [Fact; 6] = [
    Fact {
        part: |requirement| {
            let legal_entity = Some(requirement.legal_entity.clone()?);
            Some(Requirement {
                legal_entity,
                ..Requirement::default()
            })
        },
        can_be: |parts, _| legal_entities(parts),
        together: None,
    },
    Fact {
        part: |requirement| {
            let controlled_from = Some(requirement.controlled_from.clone()?);
            Some(Requirement {
                controlled_from,
                ..Requirement::default()
            })
        },
        can_be: |_, _| {
            countries(|controlled_from| Operator {
                controlled_from,
                ..Operator::default()
            })
        },
        together: Some(Membership::and),
    },
    Fact {
        part: |requirement| {
            let admin_access_from = Some(requirement.admin_access_from.clone()?);
            Some(Requirement {
                admin_access_from,
                ..Requirement::default()
            })
        },
        can_be: |_, _| {
            countries(|admin_access_from| Operator {
                admin_access_from,
                ..Operator::default()
            })
        },
        together: Some(Membership::and),
    },
    Fact {
        part: |requirement| {
            let certifications = Some(requirement.certifications.clone()?);
            Some(Requirement {
                certifications,
                ..Requirement::default()
            })
        },
        can_be: certifications,
        together: Some(Membership::or),
    },
    Fact {
        part: |requirement| {
            let key_custody = Some(requirement.key_custody.clone()?);
            Some(Requirement {
                key_custody,
                ..Requirement::default()
            })
        },
        can_be: |_, _| {
            let known = [KeyCustody::Provider, KeyCustody::Customer, KeyCustody::External];
            known
                .map(|key_custody| ZoneFacts {
                    key_custody: Some(key_custody),
                    ..ZoneFacts::default()
                })
                .to_vec()
        },
        together: None,
    },
    Fact {
        part: |requirement| {
            let tenancy = Some(requirement.tenancy.clone()?);
            Some(Requirement {
                tenancy,
                ..Requirement::default()
            })
        },
        can_be: |_, _| {
            [Tenancy::Shared, Tenancy::Dedicated]
                .map(|tenancy| ZoneFacts {
                    tenancy: Some(tenancy),
                    ..ZoneFacts::default()
                })
                .to_vec()
        },
        together: None,
    },
];

/// Every answer that one fact can give; `None` where no requirement looks at it.
fn front_of(
    fact: Fact,
    coordinates: &[Coordinate<'_>],
    at: Timestamp,
) -> Result<Option<Front>, TooManyKinds> {
    let parts: Vec<Option<Requirement>> = coordinates
        .iter()
        .map(|coordinate| (fact.part)(coordinate.requirement))
        .collect();
    let stated: Vec<Requirement> = parts.iter().flatten().cloned().collect();
    if stated.is_empty() {
        return Ok(None);
    }
    let answers = |facts: &ZoneFacts| {
        let place = PlaceFacts {
            facts: facts.clone(),
            ..PlaceFacts::default()
        };
        let (mut exact, mut others) = (Vec::new(), Vec::new());
        for (coordinate, part) in coordinates.iter().zip(&parts) {
            let met = part.as_ref().map_or(Membership::In, |part| {
                coordinate.jurisdictions.meets(part, &place)
            });
            if coordinate.is_exact {
                &mut exact
            } else {
                &mut others
            }
            .push(met);
        }
        (exact, others)
    };
    let mut front = Front::default();
    let (exact, others) = answers(&ZoneFacts::default());
    front.take(exact, others, ZoneFacts::default());
    let mut distinct: BTreeMap<Answers, ZoneFacts> = BTreeMap::new();
    for facts in (fact.can_be)(&stated, at) {
        let (exact, others) = answers(&facts);
        front.take(exact.clone(), others.clone(), facts.clone());
        distinct.entry((exact, others)).or_insert(facts);
    }
    let Some(together) = fact.together else {
        return Ok(Some(front));
    };
    let mut open: Vec<(Answers, ZoneFacts)> = distinct.clone().into_iter().collect();
    while let Some(((exact, others), facts)) = open.pop() {
        for ((more_exact, more_others), more) in &distinct {
            let answers = (
                combined(&exact, more_exact, together),
                combined(&others, more_others, together),
            );
            let longer = || merged(&facts, more);
            if front.would_take(&answers) {
                front.take(answers.0.clone(), answers.1.clone(), longer());
                open.push((answers, longer()));
            }
            if front.count > MOST_KINDS {
                return Err(TooManyKinds(MOST_KINDS));
            }
        }
    }
    Ok(Some(front))
}

/// Answers to exact coordinates, and to the others.
type Answers = (Vec<Membership>, Vec<Membership>);

fn combined(
    one: &[Membership],
    other: &[Membership],
    how: fn(Membership, Membership) -> Membership,
) -> Vec<Membership> {
    one.iter()
        .zip(other)
        .map(|(one, other)| how(*one, *other))
        .collect()
}

/// Every company that is named, and another one.
fn legal_entities(parts: &[Requirement]) -> Vec<ZoneFacts> {
    let named: BTreeSet<Arc<str>> = parts
        .iter()
        .filter_map(|part| part.legal_entity.as_ref())
        .flatten()
        .cloned()
        .collect();
    let mut another = "another company".to_owned();
    while named.contains(another.as_str()) {
        another.push('.');
    }
    let known = named.into_iter().chain([Arc::from(another)]).map(Some);
    let operated = known.map(|legal_entity| ZoneFacts {
        operator: Some(Operator {
            legal_entity,
            ..Operator::default()
        }),
        ..ZoneFacts::default()
    });
    operated.collect()
}

fn countries(operator: fn(Option<Vec<Country>>) -> Operator) -> Vec<ZoneFacts> {
    let known = Country::all().map(|country| Some(vec![country]));
    let operated = known.map(|countries| ZoneFacts {
        operator: Some(operator(countries)),
        ..ZoneFacts::default()
    });
    operated.collect()
}

/// No certification, and each that is asked for: of each level and of another, valid for
/// just as long as somebody asks for, and with what is not known of it.
fn certifications(parts: &[Requirement], at: Timestamp) -> Vec<ZoneFacts> {
    let asked: Vec<&RequiredCertification> = parts
        .iter()
        .filter_map(|part| part.certifications.as_ref())
        .flatten()
        .collect();
    let schemes: BTreeSet<&Arc<str>> = asked.iter().map(|asked| &asked.scheme).collect();
    let mut held = vec![Some(Vec::new())];
    for scheme in schemes {
        let of_scheme = || asked.iter().filter(|asked| asked.scheme == *scheme);
        let named: BTreeSet<&Arc<str>> = of_scheme().filter_map(|asked| asked.level.as_ref()).collect();
        let mut another = "another level".to_owned();
        while named.iter().any(|level| ***level == *another) {
            another.push('.');
        }
        let levels = named.into_iter().cloned().chain([Arc::from(another)]);
        let days: BTreeSet<u32> = of_scheme().map(|asked| asked.valid_at_least_days).collect();
        let ends = days.into_iter().filter_map(|days| {
            let long_enough = SignedDuration::from_hours(i64::from(days) * 24 + 1);
            at.checked_add(long_enough).ok()
        });
        let ends: Vec<Option<Timestamp>> = ends.map(Some).chain([None]).collect();
        for level in levels.map(Some).chain([None]) {
            held.extend(ends.iter().map(|valid_until| {
                Some(vec![Certification {
                    scheme: scheme.clone(),
                    level: level.clone(),
                    valid_until: *valid_until,
                }])
            }));
        }
    }
    let held = held.into_iter().map(|certifications| ZoneFacts {
        certifications,
        ..ZoneFacts::default()
    });
    held.collect()
}

/// The facts of both; lists of both are one list.
fn merged(one: &ZoneFacts, other: &ZoneFacts) -> ZoneFacts {
    let operator = match (&one.operator, &other.operator) {
        (Some(one), Some(other)) => Some(Operator {
            legal_entity: one.legal_entity.clone().or_else(|| other.legal_entity.clone()),
            controlled_from: joined(one.controlled_from.as_ref(), other.controlled_from.as_ref()),
            admin_access_from: joined(one.admin_access_from.as_ref(), other.admin_access_from.as_ref()),
        }),
        (one, other) => one.clone().or_else(|| other.clone()),
    };
    ZoneFacts {
        operator,
        certifications: joined(one.certifications.as_ref(), other.certifications.as_ref()),
        key_custody: one.key_custody.or(other.key_custody),
        tenancy: one.tenancy.or(other.tenancy),
    }
}

fn joined<T: Clone + PartialEq>(one: Option<&Vec<T>>, other: Option<&Vec<T>>) -> Option<Vec<T>> {
    let (Some(one), Some(other)) = (one, other) else {
        return one.or(other).cloned();
    };
    let mut all = one.clone();
    all.extend(other.iter().filter(|item| !one.contains(item)).cloned());
    Some(all)
}
