//! The extender as kube-scheduler sees it in a simulation: the served functions, asked in the served order.
//!
//! Inputs: an assessment, the candidates that fit. Outputs: the survivors with their scores, or why there
//! is none. Invariant: nothing is decided here; [`filter`] and the scores are those of the server, with
//! the survivors of one being the candidates of the other.

use crate::model::Score;
use crate::placement::{AccessDemand, Answer, Assessment, BlindSample, filter, prioritize_demand};
use crate::snapshot::ClassIndex;

/// What the extender says about candidates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The answer of the filter.
    pub answer: Answer,
    /// The candidates that survive, by their position, with their scores.
    pub survivors: Vec<(usize, Score)>,
}

/// Asks the extender: first to filter, then to prioritize what is left.
#[must_use]
pub fn decide(assessment: &Assessment<'_>, candidates: &[Option<ClassIndex>]) -> Decision {
    decide_by(assessment, assessment.demand(), candidates)
}

/// As [`decide`], for a pod that comes after others which its demand knows and the snapshot does not.
#[must_use]
pub fn decide_by(
    assessment: &Assessment<'_>,
    demand: &AccessDemand,
    candidates: &[Option<ClassIndex>],
) -> Decision {
    // Every node is looked at (`kube_scheduler`), so what is missing from an offer has no room.
    let outcome = filter(assessment, candidates.iter().copied(), BlindSample::Refuse);
    if outcome.answer != Answer::Survivors {
        return Decision {
            answer: outcome.answer,
            survivors: Vec::new(),
        };
    }
    let survivors = || {
        let positions = candidates.iter().copied().enumerate();
        positions.filter(|(_, class)| assessment.passes(*class))
    };
    let scores = prioritize_demand(assessment, demand, survivors().map(|(_, class)| class));
    Decision {
        answer: outcome.answer,
        survivors: survivors()
            .map(|(position, class)| (position, scores.score(class)))
            .collect(),
    }
}
