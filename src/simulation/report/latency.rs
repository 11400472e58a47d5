//! Access latency of placed pods: mean and 95th percentile.

use super::summary::LatencySummary;
use crate::model::Provenance;
use crate::placement::{AccessCost, Demanded};

/// The share of pods below or at the percentile.
const PERCENTILE: f64 = 0.95;

/// Sums up what accesses cost pods, one cost each.
pub fn latency<'a>(costs: impl Iterator<Item = &'a AccessCost>) -> LatencySummary {
    let mut known_ms = Vec::new();
    let (mut not_demanded, mut unknown, mut estimated) = (0, 0, 0);
    for cost in costs {
        match cost.total {
            Demanded::NotDemanded => not_demanded += 1,
            Demanded::Unknown => unknown += 1,
            Demanded::Known(total) => {
                known_ms.push(total.ms);
                estimated += usize::from(cost.least_certain.is_some_and(is_estimated));
            }
        }
    }
    known_ms.sort_by(f64::total_cmp);
    let pods = known_ms.len();
    let mean_ms = (pods > 0).then(|| known_ms.iter().sum::<f64>() / pods as f64);
    // Nearest rank: the least value that at least 95% do not exceed.
    let rank = (PERCENTILE * pods as f64).ceil() as usize;
    let p95_ms = known_ms.get(rank.saturating_sub(1)).copied();
    LatencySummary {
        pods,
        mean_ms: mean_ms.map(hundredths),
        p95_ms: p95_ms.map(hundredths),
        estimated_share: hundredths(if pods > 0 {
            estimated as f64 / pods as f64
        } else {
            0.0
        }),
        unknown,
        without_access: not_demanded,
    }
}

/// Whether somebody guessed; what is assumed inside a region is off by a millisecond or two.
fn is_estimated(provenance: Provenance) -> bool {
    !provenance.is_measured() && provenance != Provenance::AssumedLocal
}

/// Figures are stated to a hundredth: no measurement is finer.
pub fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::Total;

    fn cost(ms: f64, provenance: Provenance) -> AccessCost {
        AccessCost {
            total: Demanded::Known(Total {
                ms,
                over_limit: false,
                lacks_commit: false,
            }),
            client: Demanded::NotDemanded,
            data_sets: Vec::new(),
            peers: Vec::new(),
            least_certain: Some(provenance),
        }
    }

    #[test]
    fn the_mean_the_nearest_rank_and_the_share_of_guesses() {
        let mut costs: Vec<AccessCost> = (1..=19)
            .map(|ms| cost(f64::from(ms), Provenance::Measured))
            .collect();
        costs.push(cost(100.0, Provenance::EstimatedByPath));
        let of_twenty = latency(costs.iter());
        assert_eq!((of_twenty.mean_ms, of_twenty.p95_ms), (Some(14.5), Some(19.0)));
        assert_eq!((of_twenty.pods, of_twenty.estimated_share), (20, 0.05));
        costs.truncate(1);
        assert_eq!(latency(costs.iter()).p95_ms, Some(1.0));
    }

    #[test]
    fn what_is_unknown_or_not_asked_for_is_counted_apart() {
        let of = |total| AccessCost {
            total,
            ..cost(0.0, Provenance::Measured)
        };
        let costs = [of(Demanded::Unknown), of(Demanded::NotDemanded)];
        let summed = latency(costs.iter());
        assert_eq!((summed.pods, summed.unknown, summed.without_access), (0, 1, 1));
        assert_eq!((summed.mean_ms, summed.p95_ms), (None, None));
    }
}
