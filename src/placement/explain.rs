//! Why: which part of a pod's data brings each cause into play.
//!
//! Inputs: an assessment and the instant at which it was made. Output: every cause of the verdict with the tuples that
//! brought it, so that a person can be told "this rule, because of that tuple from this source".
//! Invariant: the causes are those of the verdict, no more and no fewer. Deliberately absent: words; and
//! any second opinion, since each tuple is judged by the same [`evaluate_confirmed`] that judged them together.

use jiff::{SignedDuration, Timestamp};

use super::assessment::Assessment;
use crate::model::Tuple;
use crate::policy::{
    Cause, Mode, PlaceIndex, Profile, Restriction, SourcedTuple, Verdict, evaluate_confirmed,
};
use crate::snapshot::{ClassIndex, NodeClass};

/// A cause that bears on a pod, and what brought it.
#[derive(Debug, Clone)]
pub struct Bearing {
    /// What it is, and what it leaves.
    pub restriction: Restriction,
    /// The tuples that bring it, in the order of their sources.
    pub tuples: Vec<SourcedTuple>,
    /// Whether the pod brings it whatever its data is: by its namespace, its storage or the data sets it
    /// names, or by an annotation that cannot be read.
    pub without_tuple: bool,
}

/// Why the place of a node counts as unknown for some data although the catalogue knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The label that kubelets cannot set does not say the same region.
    Unconfirmed,
    /// What is known of the place is too old.
    TooOld {
        /// Since when it is known.
        as_of: Timestamp,
        /// How old it may be.
        most: SignedDuration,
    },
}

impl Bearing {
    /// What it is.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.restriction.cause
    }

    /// Whether it refuses, or is only recorded.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.restriction.mode
    }

    /// Whether it leaves the nodes of a class.
    #[must_use]
    pub fn leaves(&self, class: &NodeClass) -> bool {
        self.restriction.leaves(class.place, class.region_is_confirmed)
    }
}

impl Assessment<'_> {
    /// What makes the place of a class unknown for the data that brings a rule. `now` is the instant of
    /// the assessment.
    #[must_use]
    pub fn doubts(&self, bearing: &Bearing, class: ClassIndex, now: Timestamp) -> Vec<Doubt> {
        let class = self.snapshot.class(class);
        let known = class.filter(|class| class.place != PlaceIndex::UNKNOWN);
        let (Some(class), Cause::Rule(_)) = (known, bearing.cause()) else {
            return Vec::new();
        };
        let mut doubts = Vec::new();
        if bearing.restriction.needs_confirmed_region && !class.region_is_confirmed {
            doubts.push(Doubt::Unconfirmed);
        }
        let policies = self.snapshot.policies();
        let epoch = policies.at(now);
        let too_old = bearing.tuples.iter().filter_map(|sourced| match &sourced.tuple {
            Tuple::Data(tuple) => {
                let fresh = epoch.fresh(tuple.classification)?;
                let most = policies.settings().max_fact_age(tuple.classification)?;
                (!fresh.contains(class.place)).then_some(most)
            }
            Tuple::Unlabelled | Tuple::NoData => None,
        });
        let as_of = policies
            .catalogue()
            .facts(class.place)
            .and_then(|place| place.as_of);
        if let (Some(most), Some(as_of)) = (too_old.min(), as_of) {
            doubts.push(Doubt::TooOld { as_of, most });
        }
        doubts
    }

    /// Every cause of the verdict with the tuples that bring it, in the order of causes. `now` is the
    /// instant of the assessment.
    #[must_use]
    pub fn bearings(&self, now: Timestamp) -> Vec<Bearing> {
        let alone = |tuples: Vec<SourcedTuple>| {
            let profile = Profile {
                tuples,
                ..self.profile.clone()
            };
            evaluate_confirmed(
                self.snapshot.policies(),
                &profile,
                now,
                self.snapshot.confirmed_until(),
            )
        };
        let has = |verdict: &Verdict, cause: Cause| {
            let mut causes = verdict.restrictions.iter().map(|restriction| restriction.cause);
            causes.any(|of_verdict| of_verdict == cause)
        };
        let of_pod = alone(Vec::new());
        let of_tuples: Vec<(&SourcedTuple, Verdict)> = self
            .profile
            .tuples
            .iter()
            .map(|tuple| (tuple, alone(vec![tuple.clone()])))
            .collect();
        let restrictions = self.verdict.restrictions.iter();
        restrictions
            .map(|restriction| {
                let without_tuple = has(&of_pod, restriction.cause);
                let brings = |verdict: &Verdict| !without_tuple && has(verdict, restriction.cause);
                Bearing {
                    restriction: restriction.clone(),
                    tuples: of_tuples
                        .iter()
                        .filter(|(_, verdict)| brings(verdict))
                        .map(|(tuple, _)| (*tuple).clone())
                        .collect(),
                    without_tuple,
                }
            })
            .collect()
    }
}
