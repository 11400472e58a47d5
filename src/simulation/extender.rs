//! The extender as kube-scheduler meets it in a simulation: the served functions, asked in the served order.
//!
//! Inputs: an assessment, the classes of candidates. Outputs: opinions and scores, or that the sample was blind.
//! Invariant: nothing is decided here; [`filter`] and the scores are those of the server, and what a pod demands beyond
//! the snapshot is only where others run by then.

use super::kube::Opinion;
use crate::placement::{Answer, Assessment, BlindSample, Demanded, Total, filter, prioritize_by};
use crate::snapshot::ClassIndex;

/// Filters candidates, as `/filter` does: `None` where the server answers that the sample was blind.
pub fn filter_nodes(
    assessment: &Assessment<'_>,
    candidates: &[Option<ClassIndex>],
    on_blind_sample: BlindSample,
    opinions: &mut [Opinion],
) -> Option<Answer> {
    let outcome = filter(assessment, candidates.iter().copied(), on_blind_sample);
    if outcome.answer == Answer::BlindSample {
        return None;
    }
    if outcome.answer == Answer::Survivors {
        for (opinion, class) in opinions.iter_mut().zip(candidates) {
            // What is refused is named among the nodes where no eviction helps.
            *opinion = match assessment.passes(*class) {
                true => Opinion::Pass,
                false => Opinion::RefusedForGood,
            };
        }
    }
    Some(outcome.answer)
}

/// Scores candidates, as `/prioritize` does; `costs` are those of all classes, and may know more of where peers run than
/// the snapshot.
pub fn score_nodes(
    assessment: &Assessment<'_>,
    costs: &[Demanded<Total>],
    candidates: &[Option<ClassIndex>],
    scores: &mut [u8],
) {
    let cost = |class: ClassIndex| costs.get(class.as_usize()).copied();
    let found = prioritize_by(
        assessment,
        |class, _| cost(class).unwrap_or(Demanded::Unknown),
        candidates.iter().copied(),
    );
    for (score, class) in scores.iter_mut().zip(candidates) {
        *score = found.score(*class).get();
    }
}
