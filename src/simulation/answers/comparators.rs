//! The figures of one comparator.

use std::collections::BTreeMap;

use crate::simulation::comparator::Comparator;
use crate::simulation::drive::{Cost, Keeps, Outcome, PodLife};
use crate::simulation::percentiles::{nearest_rank, rounded_mean};
use crate::simulation::summary::{
    Attempts, CdfPoint, ComparatorSummary, Distribution, LatencyFigures, Unschedulable, Waits,
};

/// Points of a curve.
const CDF_POINTS: usize = 100;

/// Sums up an outcome, but for its lower bound.
#[must_use]
pub fn comparator_summary(comparator: &Comparator, outcome: &Outcome) -> ComparatorSummary {
    let lives = || outcome.lives.iter().filter(|life| life.counts());
    let count = |is: &dyn Fn(&PodLife) -> bool| lives().filter(|life| is(life)).count() as u64;
    let mut violations_by: BTreeMap<String, u64> = BTreeMap::new();
    for breach in lives().flat_map(|life| &life.breaches) {
        *violations_by.entry(breach.clone()).or_default() += 1;
    }
    let known = lives().filter_map(|life| whole(life.cost.us()?));
    let known = rising(known);
    ComparatorSummary {
        id: comparator.id(),
        is: comparator.sentence(),
        pods: lives().count() as u64,
        placed: count(&|life| life.first_bound_ms.is_some()),
        running: count(&|life| life.node.is_some() && life.ended_ms.is_none()),
        ended: count(&|life| life.ended_ms.is_some()),
        already_there: outcome.lives.iter().filter(|life| life.already_there).count() as u64,
        unschedulable: unschedulable(lives().filter_map(PodLife::kept_by)),
        violations: lives().map(|life| life.violations).sum(),
        violations_by,
        forbidden_at_end: outcome.lives.iter().filter(|life| life.forbidden_at_end).count() as u64,
        attempts: Attempts {
            total: lives().map(|life| life.attempts).sum(),
            most: lives().map(|life| life.attempts).max().unwrap_or(0),
            blind: lives().map(|life| life.blind).sum(),
            blind_pods: count(&|life| life.blind > 0),
            preempted: count(&|life| life.preempted > 0),
            evicted: outcome.lives.iter().filter(|life| life.evicted > 0).count() as u64,
        },
        waits: waits(outcome),
        latency: LatencyFigures {
            estimated_permille: estimated_permille(lives().map(|life| life.cost)),
            unknown: count(&|life| life.node.is_some() && life.cost == Cost::Unknown),
            without_access: count(&|life| life.node.is_some() && life.cost == Cost::NotDemanded),
            known: distribution(&known),
        },
        cdf: cdf(&known),
        gap: distribution(&rising(lives().filter_map(gap_us))),
        lower_bound: None,
        regions: outcome.regions.clone(),
        timeline: outcome.timeline.clone(),
    }
}

/// Pods by what keeps them from a node.
pub fn unschedulable(kept: impl Iterator<Item = Keeps>) -> Unschedulable {
    let mut sum = Unschedulable::default();
    for keeps in kept {
        sum.total += 1;
        let counted = match keeps {
            Keeps::Capacity => &mut sum.capacity,
            Keeps::SchedulingRules => &mut sum.scheduling_rules,
            Keeps::Residency => &mut sum.residency,
            Keeps::SamplingBlind => &mut sum.sampling_blind,
            Keeps::Partition => &mut sum.partition,
            Keeps::LatencyLimit => &mut sum.latency_limit,
            Keeps::UnknownPlace => &mut sum.unknown_place,
        };
        *counted += 1;
    }
    sum
}

/// The figures of values that rise.
#[must_use]
pub fn distribution(rising: &[i64]) -> Distribution {
    Distribution {
        pods: rising.len() as u64,
        mean_us: rounded_mean(rising),
        p50_us: nearest_rank(rising, 500),
        p95_us: nearest_rank(rising, 950),
        p99_us: nearest_rank(rising, 990),
        most_us: rising.last().copied(),
    }
}

/// Values in rising order.
pub fn rising(values: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut values: Vec<i64> = values.collect();
    values.sort_unstable();
    values
}

/// Microseconds as differences are counted; no latency is beyond that.
pub fn whole(us: u64) -> Option<i64> {
    i64::try_from(us).ok()
}

/// How much more an access costs than at the best place.
pub fn gap_us(life: &PodLife) -> Option<i64> {
    Some(whole(life.cost.us()?)? - whole(life.best_us?)?)
}

fn estimated_permille(costs: impl Iterator<Item = Cost>) -> u64 {
    let (mut known, mut estimated) = (0_u64, 0_u64);
    for cost in costs {
        if let Cost::Known { is_estimated, .. } = cost {
            known += 1;
            estimated += u64::from(is_estimated);
        }
    }
    (estimated * 1_000).checked_div(known).unwrap_or(0)
}

fn waits(outcome: &Outcome) -> Waits {
    let waited = outcome
        .lives
        .iter()
        .filter_map(|life| life.waited_ms())
        .filter_map(whole);
    let waited = rising(waited);
    let at = |permille| nearest_rank(&waited, permille).and_then(|ms| u64::try_from(ms).ok());
    Waits {
        pods: waited.len() as u64,
        p50_ms: at(500),
        p95_ms: at(950),
        p99_ms: at(990),
        most_ms: at(1_000),
    }
}

/// A curve of at most a hundred points, the last of them at all.
fn cdf(rising: &[i64]) -> Vec<CdfPoint> {
    let count = rising.len();
    let steps = count.min(CDF_POINTS);
    let points = (1..=steps).filter_map(|step| {
        let rank = (count * step).div_ceil(steps);
        let us = *rising.get(rank - 1)?;
        Some(CdfPoint {
            us,
            permille: (rank * 1_000 / count) as u64,
        })
    });
    let mut curve: Vec<CdfPoint> = points.collect();
    // Of several points at one latency the highest says all.
    curve.reverse();
    curve.dedup_by_key(|point| point.us);
    curve.reverse();
    curve
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_rises_to_all_and_has_each_latency_once() {
        assert_eq!(cdf(&[]), []);
        let point = |us, permille| CdfPoint { us, permille };
        assert_eq!(cdf(&[5, 5, 9]), [point(5, 666), point(9, 1_000)]);
        let many: Vec<i64> = (0..1_000).collect();
        let curve = cdf(&many);
        assert_eq!((curve.len(), curve.last()), (100, Some(&point(999, 1_000))));
    }

    #[test]
    fn every_cause_is_counted_once() {
        let all = [
            Keeps::Capacity,
            Keeps::SchedulingRules,
            Keeps::Residency,
            Keeps::SamplingBlind,
            Keeps::Partition,
            Keeps::LatencyLimit,
            Keeps::UnknownPlace,
        ];
        let counted = unschedulable(all.into_iter());
        let by_cause = serde_json::to_value(counted).expect("figures");
        let by_cause = by_cause.as_object().expect("an object");
        assert!(
            by_cause
                .iter()
                .all(|(cause, pods)| *pods == if cause == "total" { 7 } else { 1 }),
            "{by_cause:?}"
        );
    }
}
