//! What two sets of measurements differ in.
//!
//! Inputs: two sets and the statistic that is compared. Outputs: pairs that only one has, pairs that moved,
//! how far, and what that does to the order in which regions see each other. Invariant: nothing is estimated:
//! a pair that one side has not measured is one-sided, except that the order of regions takes the way back
//! where this way is missing, as decisions do.

use std::collections::{BTreeMap, BTreeSet};

use super::choices::{Candidate, Orders, ReplicaChoices, replica_choices};
use crate::model::{Latency, RegionKey, Statistic};
use crate::topology::{MeasuredPlace, Measurement, Measurements};

/// A pair that only one of two sets has.
#[derive(Debug, Clone, PartialEq)]
pub struct OneSided {
    /// Where it begins.
    pub from: MeasuredPlace,
    /// Where it ends.
    pub to: MeasuredPlace,
    /// The typical round trip.
    pub rtt: Latency,
}

/// A pair that takes another time.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// Where it begins.
    pub from: MeasuredPlace,
    /// Where it ends.
    pub to: MeasuredPlace,
    /// What it took.
    pub before: Latency,
    /// What it takes.
    pub after: Latency,
}

impl Moved {
    /// The change in milliseconds; above 0 is slower.
    #[must_use]
    pub fn change_ms(&self) -> f64 {
        self.after.as_ms() - self.before.as_ms()
    }

    /// The change as a share of what it took; above 0 is slower.
    #[must_use]
    pub fn change_ratio(&self) -> f64 {
        let change_ms = self.change_ms();
        if change_ms == 0.0 {
            0.0
        } else {
            change_ms / self.before.as_ms()
        }
    }

    /// Whether it moved by more than each limit that is given, faster or slower.
    #[must_use]
    pub fn exceeds(&self, over_ms: Option<f64>, over_percent: Option<f64>) -> bool {
        let exceeds = |limit: Option<f64>, change: f64| limit.is_none_or(|limit| change.abs() > limit);
        exceeds(over_ms, self.change_ms()) && exceeds(over_percent, 100.0 * self.change_ratio())
    }
}

/// A pair that is parted in one of two sets and not in the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Ends {
    /// Where it begins.
    pub from: MeasuredPlace,
    /// Where it ends.
    pub to: MeasuredPlace,
}

/// How far a number of pairs moved, faster or slower.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spread {
    /// Half of them moved at most so far.
    pub median: f64,
    /// One in twenty moved farther.
    pub p95: f64,
    /// None moved farther.
    pub largest: f64,
}

impl Spread {
    /// Nearest rank: every figure is that of some pair.
    fn of(mut changes: Vec<f64>) -> Self {
        changes.sort_by(f64::total_cmp);
        let at = |percent: usize| {
            let rank = (changes.len() * percent).div_ceil(100).max(1);
            changes.get(rank - 1).copied().unwrap_or(0.0)
        };
        Self {
            median: at(50),
            p95: at(95),
            largest: at(100),
        }
    }
}

/// A region that has another nearest region.
#[derive(Debug, Clone, PartialEq)]
pub struct NearestChange {
    /// The region.
    pub region: RegionKey,
    /// Which one was nearest.
    pub before: RegionKey,
    /// Which one is.
    pub after: RegionKey,
    /// By how many milliseconds that one is nearer now.
    pub nearer_by_ms: f64,
}

/// What two sets of measurements differ in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Comparison {
    /// Pairs that are gone.
    pub only_before: Vec<OneSided>,
    /// Pairs that are new.
    pub only_after: Vec<OneSided>,
    /// Pairs that are parted and were not.
    pub parted: Vec<Ends>,
    /// Pairs that were parted and no longer are.
    pub reached_again: Vec<Ends>,
    /// Pairs in both of which one side has not this statistic.
    pub without_statistic: usize,
    /// How many pairs were compared.
    pub compared: usize,
    /// Those of them that moved, the farthest in milliseconds first.
    pub moved: Vec<Moved>,
    /// How far the compared pairs moved, in milliseconds.
    pub change_ms: Spread,
    /// How far the compared pairs moved, as shares of what they took.
    pub change_ratio: Spread,
    /// How many regions see some others in both sets.
    pub regions: usize,
    /// How many of them see them in another order.
    pub reordered: usize,
    /// How many of them have another nearest region.
    pub nearest: Vec<NearestChange>,
    /// What the change does to choices among three replicas.
    pub choices: ReplicaChoices,
}

/// Compares two sets of measurements.
#[must_use]
pub fn compare(before: &Measurements, after: &Measurements, statistic: Statistic) -> Comparison {
    let mut found = Comparison {
        only_before: one_sided(before, after),
        only_after: one_sided(after, before),
        parted: newly_parted(before, after),
        reached_again: newly_parted(after, before),
        ..Comparison::default()
    };
    let mut compared = Vec::new();
    for (from, to, was) in before.iter() {
        let Some(is) = after.get(from, to) else {
            continue;
        };
        match comparable(was, is, statistic) {
            Some((before, after)) => compared.push(Moved {
                from: from.clone(),
                to: to.clone(),
                before,
                after,
            }),
            None => found.without_statistic += 1,
        }
    }
    found.compared = compared.len();
    found.change_ms = Spread::of(compared.iter().map(|pair| pair.change_ms().abs()).collect());
    found.change_ratio = Spread::of(compared.iter().map(|pair| pair.change_ratio().abs()).collect());
    compared.retain(|pair| pair.before != pair.after);
    // The sort is stable, so equal changes stay in the order of pairs.
    compared.sort_by(|one, other| other.change_ms().abs().total_cmp(&one.change_ms().abs()));
    found.moved = compared;
    compare_orders(&mut found, before, after, statistic);
    found
}

fn compare_orders(found: &mut Comparison, before: &Measurements, after: &Measurements, statistic: Statistic) {
    let (before, after) = (Seen::new(before, statistic), Seen::new(after, statistic));
    let regions: Vec<&RegionKey> = before.regions.intersection(&after.regions).copied().collect();
    let mut orders: BTreeMap<&RegionKey, Orders<'_>> = BTreeMap::new();
    for at in &regions {
        let others = regions.iter().filter(|other| *other != at);
        let seen = |other: &&'_ RegionKey| Some((before.ms(at, other)?, after.ms(at, other)?));
        let candidates: Vec<Candidate<'_>> = others
            .filter_map(|other| seen(other).map(|(before_ms, after_ms)| (*other, before_ms, after_ms)))
            .collect();
        if !candidates.is_empty() {
            orders.insert(at, Orders::new(candidates));
        }
    }
    found.regions = orders.len();
    found.reordered = orders.values().filter(|orders| orders.differ).count();
    for (region, orders) in &orders {
        if let Some((before, after)) = orders.nearest() {
            found.nearest.push(NearestChange {
                region: (*region).clone(),
                before: before.0.clone(),
                after: after.0.clone(),
                nearer_by_ms: before.2 - after.2,
            });
        }
    }
    found.choices = replica_choices(&orders);
}

fn one_sided(one: &Measurements, other: &Measurements) -> Vec<OneSided> {
    one.iter()
        .filter(|(from, to, _)| other.get(from, to).is_none())
        .map(|(from, to, measurement)| OneSided {
            from: from.clone(),
            to: to.clone(),
            rtt: measurement.rtt,
        })
        .collect()
}

fn newly_parted(before: &Measurements, after: &Measurements) -> Vec<Ends> {
    let known: BTreeSet<_> = before.unreachable().collect();
    after
        .unreachable()
        .filter(|pair| !known.contains(pair))
        .map(|(from, to)| Ends {
            from: from.clone(),
            to: to.clone(),
        })
        .collect()
}

/// The figures of one pair, where both are of one statistic: a mean is compared with a mean, never with a
/// median.
fn comparable(was: &Measurement, is: &Measurement, statistic: Statistic) -> Option<(Latency, Latency)> {
    let (before, after) = (was.reading(statistic), is.reading(statistic));
    let alike = statistic == Statistic::P50 && was.statistic == is.statistic;
    ((before.is_exact && after.is_exact) || alike).then_some((before.latency, after.latency))
}

/// What the regions of one set of measurements see of each other.
struct Seen<'a> {
    regions: BTreeSet<&'a RegionKey>,
    ms: BTreeMap<(&'a RegionKey, &'a RegionKey), f64>,
}

impl<'a> Seen<'a> {
    fn new(measurements: &'a Measurements, statistic: Statistic) -> Self {
        let whole = measurements
            .iter()
            .filter(|(from, to, _)| from.zone.is_none() && to.zone.is_none());
        let ms: BTreeMap<_, _> = whole
            .map(|(from, to, it)| (from, to, it.reading(statistic)))
            // Decisions take a mean for a median; a guessed P95 orders as the median does.
            .filter(|(_, _, reading)| reading.is_exact || statistic == Statistic::P50)
            .map(|(from, to, reading)| ((&from.region, &to.region), reading.latency.as_ms()))
            .collect();
        Self {
            regions: ms.keys().flat_map(|(from, to)| [*from, *to]).collect(),
            ms,
        }
    }

    fn ms(&self, from: &RegionKey, to: &RegionKey) -> Option<f64> {
        let way = self.ms.get(&(from, to)).or_else(|| self.ms.get(&(to, from)));
        way.copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{Freshness, MeasuredStatistic};

    /// From, to, the main figure, the P95, and what the main figure is.
    type Row = (
        &'static str,
        &'static str,
        f64,
        Option<f64>,
        Option<MeasuredStatistic>,
    );

    fn measured(pairs: &[Row]) -> Measurements {
        let mut measurements = Measurements::default();
        let latency = |ms| Latency::from_ms(ms).expect("a latency");
        let place = |text| MeasuredPlace::parse(text).expect("a place");
        for (from, to, rtt_ms, p95_ms, statistic) in pairs {
            let measurement = Measurement {
                rtt: latency(*rtt_ms),
                p95: p95_ms.map(latency),
                statistic: *statistic,
                samples: None,
                measured_at: None,
                source: None,
                freshness: Freshness::Dated,
            };
            measurements.insert(place(from), place(to), measurement);
        }
        measurements
    }

    #[test]
    fn pairs_are_one_sided_or_moved_or_of_another_statistic() {
        use MeasuredStatistic::{Mean, P50};
        let before = measured(&[
            ("p/a", "p/b", 10.0, Some(20.0), None),
            ("p/a", "p/c", 50.0, None, Some(Mean)),
            ("p/b", "p/c", 40.0, Some(41.0), Some(P50)),
            ("p/c", "p/a", 60.0, None, None),
        ]);
        let after = measured(&[
            ("p/a", "p/b", 12.0, Some(20.0), Some(P50)),
            ("p/a", "p/c", 45.0, None, Some(Mean)),
            ("p/b", "p/c", 40.0, None, None),
            ("p/c", "p/b", 39.0, None, None),
        ]);
        let found = compare(&before, &after, Statistic::P50);
        let ends = |pairs: &[OneSided]| -> Vec<String> {
            pairs
                .iter()
                .map(|pair| format!("{} {}", pair.from, pair.to))
                .collect()
        };
        assert_eq!(ends(&found.only_before), ["p/c p/a"]);
        assert_eq!(ends(&found.only_after), ["p/c p/b"]);
        assert_eq!((found.compared, found.without_statistic), (3, 0));
        let moved: Vec<f64> = found.moved.iter().map(Moved::change_ms).collect();
        assert_eq!(moved, [-5.0, 2.0], "the farthest first, and what stayed is none");
        assert_eq!((found.change_ms.median, found.change_ms.largest), (2.0, 5.0));
        assert_eq!(
            (found.change_ratio.median, found.change_ratio.largest),
            (0.1, 0.2)
        );

        let found = compare(&before, &after, Statistic::P95);
        assert_eq!(
            (found.compared, found.without_statistic, found.moved.len()),
            (1, 2, 0)
        );

        let mean_for_median = measured(&[("p/a", "p/c", 50.0, None, None)]);
        let found = compare(&before, &mean_for_median, Statistic::P50);
        assert_eq!((found.compared, found.without_statistic), (0, 1));
    }

    #[test]
    fn a_pair_is_beyond_the_limits_where_it_is_beyond_each() {
        let latency = |ms| Latency::from_ms(ms).expect("a latency");
        let place = |text| MeasuredPlace::parse(text).expect("a place");
        let moved = Moved {
            from: place("p/a"),
            to: place("p/b"),
            before: latency(100.0),
            after: latency(90.0),
        };
        for (over_ms, over_percent, beyond) in [
            (Some(9.0), None, true),
            (Some(10.0), None, false),
            (None, Some(9.0), true),
            (Some(9.0), Some(11.0), false),
            (Some(9.0), Some(9.0), true),
        ] {
            assert_eq!(
                moved.exceeds(over_ms, over_percent),
                beyond,
                "{over_ms:?} {over_percent:?}"
            );
        }
    }

    #[test]
    fn the_nearest_region_changes_only_where_another_is_nearer() {
        let way = |to: &'static str, ms| ("p/a", to, ms, None, None);
        let before = measured(&[
            way("p/b", 10.0),
            way("p/c", 20.0),
            way("p/d", 30.0),
            way("p/e", 40.0),
        ]);
        let swapped = measured(&[
            way("p/b", 10.0),
            way("p/c", 35.0),
            way("p/d", 30.0),
            way("p/e", 40.0),
        ]);
        let found = compare(&before, &swapped, Statistic::P50);
        assert_eq!((found.regions, found.reordered, found.nearest.len()), (5, 1, 0));
        // Of the four choices of `p/a` only c, d and e has no nearer replica than those that swapped.
        assert_eq!((found.choices.choices, found.choices.changed), (4, 1));
        assert_eq!(found.choices.mean_loss_ms, 5.0);

        let tied = measured(&[
            way("p/b", 20.0),
            way("p/c", 20.0),
            way("p/d", 20.0),
            way("p/e", 40.0),
        ]);
        let found = compare(&before, &tied, Statistic::P50);
        assert_eq!((found.nearest.len(), found.choices.changed), (0, 0));

        let nearer = measured(&[
            way("p/b", 10.0),
            way("p/c", 20.0),
            way("p/d", 4.0),
            way("p/e", 40.0),
        ]);
        let found = compare(&before, &nearer, Statistic::P50);
        let nearest: Vec<_> = found
            .nearest
            .iter()
            .map(|it| (it.before.as_str(), it.after.as_str()))
            .collect();
        assert_eq!(nearest, [("p/b", "p/d")]);
    }
}
