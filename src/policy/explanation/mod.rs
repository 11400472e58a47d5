//! A policy in plain English, good enough to sign.
//!
//! Inputs: a set that loaded, one of its policies, an instant. Outputs: headings with sentences, in an order that
//! never changes. Invariants: every word of the policy that decides is said, and so is what the set around it
//! makes of it (settings, groups, exceptions); the same set and instant give the same text.
//! Deliberately absent: layout, which is the business of whoever prints it, and what other policies demand.

mod coverage;
mod data;
mod demands;
mod groups;
mod terms;
mod ways;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::PolicySet;
use super::calendar::{day_or_instant, last_day_or_instant};
use super::definition::{Definitions, GroupIndex, PlaceTerm, Policy};

/// A policy in plain English.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The name of the policy.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its version, as the file states it.
    pub version: Option<String>,
    /// What there is to say.
    pub parts: Vec<ExplanationPart>,
}

/// One question about a policy, and the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplanationPart {
    /// The question.
    pub heading: &'static str,
    /// The answer.
    pub sentences: Vec<String>,
}

/// Explains a policy by its index, as of an instant; `None` where there is none.
#[must_use]
pub fn explain(set: &PolicySet, policy: usize, at: Timestamp) -> Option<Explanation> {
    let found = set.definitions.policies.get(policy)?;
    let subject = Subject {
        set,
        definitions: &set.definitions,
        index: policy,
        policy: found,
        at,
    };
    let parts = [
        ("Who answers for it", subject.owner()),
        ("Why it exists", subject.reasons()),
        ("When it holds", subject.dates()),
        ("What its mode means", subject.mode()),
        ("To what it applies", subject.data()),
        ("What it demands", subject.demands()),
        ("What it permits", subject.coverage()),
        ("When something is not known", subject.unknowns()),
        ("Exceptions", subject.exceptions()),
        ("The groups that it names", subject.groups()),
        ("What it does not decide", subject.limits()),
    ];
    let parts = parts
        .into_iter()
        .filter(|(_, sentences)| !sentences.is_empty())
        .map(|(heading, sentences)| ExplanationPart { heading, sentences });
    Some(Explanation {
        name: found.name.to_string(),
        title: found.title.clone(),
        version: found.version.clone(),
        parts: parts.collect(),
    })
}

/// A policy, the set around it, and the instant at which it is explained.
struct Subject<'a> {
    set: &'a PolicySet,
    definitions: &'a Definitions,
    index: usize,
    policy: &'a Policy,
    at: Timestamp,
}

impl Subject<'_> {
    /// Every group that the policy names, in the order of names.
    fn named_groups(&self) -> BTreeSet<GroupIndex> {
        let mut terms: Vec<&PlaceTerm> = Vec::new();
        for block in &self.policy.applies_to {
            terms.extend(data::places_of(block));
        }
        for rule in &self.policy.rules {
            terms.extend(demands::places_of(&rule.demand));
        }
        terms
            .into_iter()
            .filter_map(|term| match term {
                PlaceTerm::Group(group) => Some(*group),
                _ => None,
            })
            .collect()
    }
}

/// `a`, `a or b`, `a, b or c`.
fn one_of<T: AsRef<str>>(words: &[T]) -> String {
    listed(words, "or")
}

/// `a`, `a and b`, `a, b and c`.
fn all_of<T: AsRef<str>>(words: &[T]) -> String {
    listed(words, "and")
}

fn listed<T: AsRef<str>>(words: &[T], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., end] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} {last} {}", first.join(", "), end.as_ref())
        }
    }
}

/// `1 day`, `2 days`.
fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// With a capital letter.
fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_days_read_as_people_write_them() {
        assert_eq!(one_of(&["a"]), "a");
        assert_eq!(one_of(&["a", "b"]), "a or b");
        assert_eq!(all_of(&["a", "b", "c"]), "a, b and c");
        assert_eq!(capitalised("data"), "Data");
        let instant = |text: &str| text.parse::<Timestamp>().expect(text);
        assert_eq!(day_or_instant(instant("2027-01-01T00:00:00Z")), "2027-01-01");
        assert_eq!(last_day_or_instant(instant("2027-01-01T00:00:00Z")), "2026-12-31");
        assert_eq!(
            last_day_or_instant(instant("2027-01-01T12:00:00Z")),
            "2027-01-01T12:00:00Z"
        );
    }
}
