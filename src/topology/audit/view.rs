//! Pairs as people look at them: what is known of each, by whom, and since when.

use crate::model::{Latency, Provenance, Statistic};
use crate::topology::{Estimate, Freshness, LatencyTable, MeasuredPlace, Measurement, Measurements};

/// What is known of a directed pair.
#[derive(Debug, Clone, PartialEq)]
pub struct PairView<'a> {
    /// Where it begins.
    pub from: &'a MeasuredPlace,
    /// Where it ends.
    pub to: &'a MeasuredPlace,
    /// The typical round trip; `None` is unknown.
    pub p50: Option<Estimate>,
    /// The round trip that one in twenty exceeds; `None` is unknown.
    pub p95: Option<Estimate>,
    /// The measurement that counts for it; `None` where nobody measured it.
    pub measurement: Option<&'a Measurement>,
    /// Whether the one place is known not to reach the other.
    pub is_parted: bool,
}

impl PairView<'_> {
    /// What is known of a statistic.
    #[must_use]
    pub fn of(&self, statistic: Statistic) -> Option<Estimate> {
        match statistic {
            Statistic::P50 => self.p50,
            Statistic::P95 => self.p95,
        }
    }

    /// The latency of a statistic.
    #[must_use]
    pub fn latency(&self, statistic: Statistic) -> Option<Latency> {
        self.of(statistic).map(|estimate| estimate.latency)
    }

    /// How a statistic is known.
    #[must_use]
    pub fn provenance(&self, statistic: Statistic) -> Option<Provenance> {
        self.of(statistic).map(|estimate| estimate.provenance)
    }
}

/// One set of measurements, with the table of each statistic.
#[derive(Debug, Clone, Copy)]
pub struct Viewed<'a> {
    /// The measurements.
    pub measurements: &'a Measurements,
    /// The table of medians.
    pub p50: &'a LatencyTable,
    /// The table of what one in twenty exceeds.
    pub p95: &'a LatencyTable,
    /// By which statistic it is judged which measurement counts.
    pub statistic: Statistic,
}

impl<'a> Viewed<'a> {
    /// What is known of a directed pair.
    #[must_use]
    pub fn pair(&self, from: &'a MeasuredPlace, to: &'a MeasuredPlace) -> PairView<'a> {
        let ends = |table: &LatencyTable| {
            let point = |place: &MeasuredPlace| table.locate(&place.region, place.zone.as_deref());
            Some((point(from)?, point(to)?))
        };
        let estimate = |table: &LatencyTable| ends(table).and_then(|(from, to)| table.between(from, to));
        PairView {
            from,
            to,
            p50: estimate(self.p50),
            p95: estimate(self.p95),
            measurement: self.counting(from, to),
            // Reachability is of no statistic, so either table says the same.
            is_parted: ends(self.p50).is_some_and(|(from, to)| self.p50.is_unreachable(from, to)),
        }
    }

    /// The measurement that a table takes for a pair: what is live before what is dated, a figure before a
    /// guess from another one, the finer before the coarser, fresh before stale, this way before the way back.
    fn counting(&self, from: &MeasuredPlace, to: &MeasuredPlace) -> Option<&'a Measurement> {
        let widened = |place: &MeasuredPlace| MeasuredPlace::region(place.region.clone());
        let (from_region, to_region) = (widened(from), widened(to));
        let levels = [
            (from, to),
            (from, &to_region),
            (&from_region, to),
            (&from_region, &to_region),
        ];
        let mut found: Vec<_> = Vec::new();
        for (level, (from, to)) in levels.into_iter().enumerate() {
            let ways = [
                (self.measurements.get(from, to), false),
                (self.measurements.get(to, from), true),
            ];
            found.extend(
                ways.into_iter()
                    .filter_map(|(it, is_back)| Some((it?, level, is_back))),
            );
        }
        let counting = found.into_iter().min_by_key(|(it, level, is_back)| {
            let is_guess = !it.reading(self.statistic).is_exact;
            let is_stale = it.freshness == Freshness::Stale;
            (!it.freshness.is_live(), is_guess, *level, is_stale, *is_back)
        });
        counting.map(|(measurement, ..)| measurement)
    }
}
