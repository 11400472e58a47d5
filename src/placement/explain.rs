//! Why: which part of a pod's data brings each cause into play.
//!
//! Inputs: an assessment and the instant at which it was made. Output: every cause of the verdict with the tuples that
//! brought it, so that a person can be told "this rule, because of that tuple from this source".
//! Invariant: the causes are those of the verdict, no more and no fewer. Deliberately absent: words; and
//! any second opinion, since each tuple is judged by the same [`evaluate`] that judged them together.

use jiff::Timestamp;

use super::assessment::Assessment;
use crate::policy::{Cause, Mode, PlaceSet, Profile, SourcedTuple, Verdict, evaluate};

/// A cause that bears on a pod, and what brought it.
#[derive(Debug, Clone)]
pub struct Bearing {
    /// What it is.
    pub cause: Cause,
    /// Whether it refuses, or is only recorded.
    pub mode: Mode,
    /// The places that it leaves.
    pub admits: PlaceSet,
    /// The tuples that bring it, in the order of their sources.
    pub tuples: Vec<SourcedTuple>,
    /// Whether the pod brings it whatever its data is: by its namespace, its storage or the data sets it
    /// names, or by an annotation that cannot be read.
    pub without_tuple: bool,
}

impl Assessment<'_> {
    /// Every cause of the verdict with the tuples that bring it, in the order of causes. `now` is the
    /// instant of the assessment.
    #[must_use]
    pub fn bearings(&self, now: Timestamp) -> Vec<Bearing> {
        let alone = |tuples: Vec<SourcedTuple>| {
            let profile = Profile {
                tuples,
                ..self.profile.clone()
            };
            evaluate(self.snapshot.policies(), &profile, now)
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
                    cause: restriction.cause,
                    mode: restriction.mode,
                    admits: restriction.admits.clone(),
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
