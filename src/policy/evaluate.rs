//! The decision of docs/policies.md, 3: which places a profile permits at an instant, and what refuses the
//! others.
//!
//! Inputs: a policy set, a profile, an instant. Outputs: one set of places and what took places away.
//! Invariants: every tuple must be permitted for every activity; rules intersect, so their order is
//! irrelevant; an unknown place satisfies no rule. Deliberately absent: nodes. A node is permitted
//! exactly where its place is.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::PolicySet;
use super::catalogue::PlaceSet;
use super::definition::Mode;
use super::epoch::{Epoch, RuleIndex};
use super::profile::{Profile, SourcedTuple};
use crate::model::{Classification, DataTuple, Dimension, Membership, Tuple};

/// What takes places away from a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// An annotation that cannot be read.
    Malformed,
    /// A rule.
    Rule(RuleIndex),
    /// No policy covers the data.
    Uncovered,
    /// Nobody says what the data is, and the settings confine or deny that.
    Unlabelled,
}

/// A cause and the places that it leaves.
#[derive(Debug, Clone)]
pub struct Restriction {
    /// What.
    pub cause: Cause,
    /// Whether it refuses, or is only recorded.
    pub mode: Mode,
    /// The places that it leaves.
    pub admits: PlaceSet,
}

/// How a tuple that no enforced rule covers came through, for the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PassedUncovered {
    /// Tuples that state that there is no governed data.
    pub no_data: usize,
    /// Public data of no category and no people.
    pub public: usize,
    /// Tuples of which nobody says what they are.
    pub unlabelled: usize,
    /// Tuples that a policy which is not enforced would cover.
    pub provisional: usize,
    /// Tuples that the settings let through.
    pub uncovered: usize,
}

/// Which places a pod may be put in.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The places that everything enforced leaves. Whether the settings only observe is not yet considered.
    pub permitted: PlaceSet,
    /// Each cause that takes a place away, in the order of causes; rules in the order of policy names.
    pub restrictions: Vec<Restriction>,
    /// Whether residency has a say at all (docs/policies.md, 3, "Governed").
    pub governed: bool,
    /// How uncovered tuples came through.
    pub passed: PassedUncovered,
    /// The first instant at which the verdict may change; `None` is never.
    pub valid_until: Option<Timestamp>,
}

/// Evaluates a profile.
#[must_use]
pub fn evaluate(set: &PolicySet, profile: &Profile, now: Timestamp) -> Verdict {
    let epoch = set.at(now);
    let mut evaluation = Evaluation {
        set,
        epoch,
        profile,
        causes: BTreeMap::new(),
        permitted: set.catalogue.every_place(),
        passed: PassedUncovered::default(),
        reached_by_source: false,
    };
    if !profile.malformed.is_empty() {
        evaluation.restrict(Cause::Malformed, Mode::Enforce, &set.catalogue.no_place());
    }
    evaluation.sources();
    for tuple in &profile.tuples {
        evaluation.tuple(tuple);
    }
    let governed_tuple = |sourced: &SourcedTuple| match &sourced.tuple {
        Tuple::NoData => false,
        Tuple::Unlabelled => !set.unlabelled_is_allowed(),
        Tuple::Data(tuple) => !is_public_without_people(tuple),
    };
    let governed = !profile.malformed.is_empty()
        || evaluation.reached_by_source
        || profile.tuples.iter().any(governed_tuple);
    let restrictions = evaluation
        .causes
        .into_iter()
        .map(|(cause, (mode, admits))| Restriction { cause, mode, admits });
    Verdict {
        restrictions: restrictions.collect(),
        permitted: evaluation.permitted,
        governed,
        passed: evaluation.passed,
        valid_until: epoch.until,
    }
}

struct Evaluation<'a> {
    set: &'a PolicySet,
    epoch: &'a Epoch,
    profile: &'a Profile,
    causes: BTreeMap<Cause, (Mode, PlaceSet)>,
    permitted: PlaceSet,
    passed: PassedUncovered,
    reached_by_source: bool,
}

impl Evaluation<'_> {
    fn restrict(&mut self, cause: Cause, mode: Mode, admits: &PlaceSet) {
        self.causes
            .entry(cause)
            .and_modify(|(_, left)| left.intersect(admits))
            .or_insert_with(|| (mode, admits.clone()));
        if mode == Mode::Enforce {
            self.permitted.intersect(admits);
        }
    }

    /// A block that selects by source alone restricts a pod even when it has no tuple.
    fn sources(&mut self) {
        let (epoch, profile) = (self.epoch, self.profile);
        for rule in &epoch.rules {
            let performed = profile
                .performs
                .iter()
                .any(|activity| rule.activities.contains(activity));
            let reaches = |block: &super::selector::BlockMatcher| {
                block.is_source_only() && block.matches_sources(profile) != Membership::Out
            };
            if rule.blocks.iter().any(reaches) {
                self.reached_by_source = true;
                if performed {
                    self.restrict(Cause::Rule(rule.index), rule.mode, &rule.admits);
                }
            }
        }
    }

    fn tuple(&mut self, sourced: &SourcedTuple) {
        let (epoch, profile) = (self.epoch, self.profile);
        for activity in profile.performs.iter() {
            let mut covered = false;
            let mut provisional = false;
            for rule in epoch
                .rules
                .iter()
                .filter(|rule| rule.activities.contains(activity))
            {
                let mut restricts = false;
                let mut covers = false;
                for block in rule.blocks.iter() {
                    let matched = block.matches(profile, sourced);
                    restricts |= matched.restricts != Membership::Out;
                    covers |= matched.covers;
                }
                if restricts {
                    self.restrict(Cause::Rule(rule.index), rule.mode, &rule.admits);
                }
                if covers && rule.covers {
                    covered |= rule.mode == Mode::Enforce;
                    provisional |= rule.mode != Mode::Enforce;
                }
            }
            if !covered {
                self.uncovered(&sourced.tuple, provisional);
            }
        }
    }

    fn uncovered(&mut self, tuple: &Tuple, provisional: bool) {
        let set = self.set;
        match tuple {
            Tuple::NoData => self.passed.no_data += 1,
            Tuple::Data(tuple) if is_public_without_people(tuple) => self.passed.public += 1,
            Tuple::Unlabelled if set.unlabelled_is_allowed() => self.passed.unlabelled += 1,
            Tuple::Unlabelled => {
                self.restrict(Cause::Unlabelled, Mode::Enforce, &self.epoch.unlabelled.clone())
            }
            Tuple::Data(_) if provisional => self.passed.provisional += 1,
            Tuple::Data(_) if set.definitions.settings.uncovered_is_allowed => self.passed.uncovered += 1,
            Tuple::Data(_) => self.restrict(Cause::Uncovered, Mode::Enforce, &set.catalogue.no_place()),
        }
    }
}

fn is_public_without_people(tuple: &DataTuple) -> bool {
    tuple.classification == Some(Classification::Public)
        && tuple.category == Dimension::None
        && tuple.subject == Dimension::None
}
