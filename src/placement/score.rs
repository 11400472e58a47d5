//! The score of a candidate from its access cost: delta-log.
//!
//! `10 x (1 - ln(1 + D / 5 ms) / ln(1 + S / 5 ms))`, where D is what a candidate costs above the least
//! of the *offered* candidates, and S is the span of all *permitted* classes of the snapshot. The best
//! that is offered always scores 10, since only differences within one answer move kube-scheduler. The
//! span comes from the snapshot, so a candidate's score does not depend on who else was sampled but the
//! best. On four published matrices this loses 0.001 to 0.034 ms on average against always taking the
//! best place, where a linear score over 300 ms loses 2 to 3 ms (measured 2026-11-21).
//!
//! Least scores: a cost that is unknown, and a read or write that by an estimate is over the limit that the
//! pod states (one that surely is refuses the place, `obstacles.rs`; where the settings only observe it scores
//! as here). Such a place sets neither the least nor the span.
//! Where nothing is demanded there is nothing to prefer, and every candidate scores the same.

use super::cost::{Demanded, Total};
use crate::model::Score;

/// The step of the logarithm: differences well below it hardly count, differences well above it count
/// by their ratio.
const STEP_MS: f64 = 5.0;

/// The least span: where all permitted places are about as good, 2 ms must not become 0 against 10.
const LEAST_SPAN_MS: f64 = 50.0;

/// By what the candidates of one request are scored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreScale {
    /// The least cost of the offered candidates; `None` where none has one.
    least_ms: Option<f64>,
    span_ms: f64,
}

impl ScoreScale {
    /// Makes a scale from the costs of all permitted classes of the snapshot and of the offered ones.
    #[must_use]
    pub fn new(
        permitted: impl IntoIterator<Item = Demanded<Total>>,
        offered: impl IntoIterator<Item = Demanded<Total>>,
    ) -> Self {
        let (least, greatest) = permitted
            .into_iter()
            .filter_map(scored_ms)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), ms| {
                (least.min(ms), greatest.max(ms))
            });
        Self {
            least_ms: offered.into_iter().filter_map(scored_ms).reduce(f64::min),
            // Without any cost the difference is minus infinity, and the least span counts.
            span_ms: (greatest - least).max(LEAST_SPAN_MS),
        }
    }

    /// The score of an offered candidate.
    #[must_use]
    pub fn score(&self, cost: Demanded<Total>) -> Score {
        let (Some(least_ms), Some(ms)) = (self.least_ms, scored_ms(cost)) else {
            return Score::LEAST;
        };
        let above_ms = (ms - least_ms).max(0.0);
        let share = (above_ms / STEP_MS).ln_1p() / (self.span_ms / STEP_MS).ln_1p();
        Score::from_fraction(f64::from(Score::GREATEST.get()) * (1.0 - share))
    }
}

/// The cost that counts: known, and within the limits of the pod.
fn scored_ms(cost: Demanded<Total>) -> Option<f64> {
    cost.known()
        .filter(|total| !total.over_limit)
        .map(|total| total.ms)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn costs(ms: f64) -> Demanded<Total> {
        Demanded::Known(Total {
            ms,
            over_limit: false,
            lacks_commit: false,
        })
    }

    fn over_limit(ms: f64) -> Demanded<Total> {
        Demanded::Known(Total {
            ms,
            over_limit: true,
            lacks_commit: false,
        })
    }

    fn check(permitted: &[Demanded<Total>], offered: &[Demanded<Total>], expected: &[u8]) {
        let scale = ScoreScale::new(permitted.iter().copied(), offered.iter().copied());
        let scores: Vec<u8> = offered.iter().map(|cost| scale.score(*cost).get()).collect();
        assert_eq!(scores, expected, "{offered:?}");
    }

    #[test]
    fn the_logarithm_tells_near_places_apart_and_far_ones_hardly() {
        let costs: Vec<_> = [0.0, 1.1, 1.2, 10.0, 100.0, 250.0, 300.0].map(costs).into();
        check(&costs, &costs, &[10, 10, 9, 7, 3, 0, 0]);
    }

    #[test]
    fn a_small_spread_does_not_become_everything_or_nothing() {
        let costs = [20.0, 22.0].map(costs);
        check(&costs, &costs, &[10, 9]);
    }

    #[test]
    fn the_span_comes_from_the_snapshot_and_the_best_from_the_offer() {
        let permitted = [0.0, 100.0, 110.0, 300.0].map(costs);
        check(&permitted, &permitted[1..3], &[10, 7]);
        check(&permitted, &permitted[2..3], &[10]);
    }

    #[test]
    fn unknown_and_over_the_limit_score_least() {
        let offered = [
            over_limit(1.0),
            Demanded::Unknown,
            costs(200.0),
            Demanded::NotDemanded,
        ];
        check(&offered, &offered, &[0, 0, 10, 0]);
        check(&[], &[Demanded::Unknown, Demanded::Unknown], &[0, 0]);
        check(&[], &[Demanded::NotDemanded, Demanded::NotDemanded], &[0, 0]);
        check(&[over_limit(1.0)], &[over_limit(1.0)], &[0]);
    }

    fn any_cost() -> impl Strategy<Value = Demanded<Total>> {
        prop_oneof![
            6 => (0.0..500.0).prop_map(costs),
            1 => prop::sample::select(vec![costs(0.0), costs(40.0), costs(1e9)]),
            1 => (0.0..500.0).prop_map(over_limit),
            1 => Just(Demanded::Unknown),
        ]
    }

    proptest! {
        #[test]
        fn scores_are_fair(
            permitted in prop::collection::vec(any_cost(), 1..20),
            wanted in prop::collection::vec(0_usize..20, 1..20),
        ) {
            let offered: Vec<_> = wanted.iter().map(|index| permitted[index % permitted.len()]).collect();
            let scale = ScoreScale::new(permitted.iter().copied(), offered.iter().copied());
            let score = |cost| scale.score(cost);

            for cost in &offered {
                match scored_ms(*cost) {
                    None => prop_assert_eq!(score(*cost), Score::LEAST),
                    Some(ms) => for other in &offered {
                        if scored_ms(*other).is_none_or(|other| ms <= other) {
                            prop_assert!(score(*cost) >= score(*other), "{:?} {:?}", cost, other);
                        }
                    },
                }
            }
            if let Some(best) = offered.iter().filter_map(|cost| scored_ms(*cost)).reduce(f64::min) {
                prop_assert_eq!(score(costs(best)), Score::GREATEST);
            }

            // The order of the candidates changes nothing; nor does offering all but one that is not the best.
            let backwards = ScoreScale::new(permitted.iter().rev().copied(), offered.iter().rev().copied());
            prop_assert_eq!(backwards, scale);
            let not_best = offered.iter().position(|cost| score(*cost) != Score::GREATEST);
            if let Some(not_best) = not_best {
                let mut fewer = offered.clone();
                fewer.remove(not_best);
                prop_assert_eq!(ScoreScale::new(permitted.iter().copied(), fewer), scale);
            }
        }
    }
}
