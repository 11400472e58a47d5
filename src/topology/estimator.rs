//! From single windows of samples to round trips that decisions may rest on.
//!
//! Inputs: what a live source saw of a pair in one window ([`Observation`]), and when. Output: the
//! [`Measurements`] that hold at an instant: fresh and stale pairs, and pairs known to be parted.
//!
//! For each directed pair and each of P50 and P95 (`smoothing.rs`): the median of the last three windows,
//! then a moving average, then a published value that follows the average only when it has left a band
//! around it. Reachability is counted apart (`reachability.rs`): a failure is no round trip.
//!
//! The ladder of ages, counted from the last window that had a round trip: *fresh* below
//! [`EstimatorSettings::fresh_for`] (the P50 counts), *stale* below [`EstimatorSettings::stale_for`] (the
//! higher of P50 and last P95 counts), then *expired*: the pair is absent, so that whatever it is laid over
//! (a dated file, a path, geography) takes its place, and in the end it is unknown.
//!
//! What cannot count is ignored, one observation at a time: an instant that is not after the last one of
//! the pair (repeated, or out of order), a round trip of 0 or above [`LONGEST_MS`] (a probe that did not
//! probe), a pair inside one region that joins no two zones, and a second source of a pair that another
//! source still feeds: two ways of measuring differ by more than noise, and taking turns would look like
//! movement. A P95 below the P50 of its window is dropped and the P50 counts. A pair of which nothing was
//! heard for as long as it takes to expire begins anew, and so it does where an instant is that much before
//! the last one: a clock was put back, and nobody should wait until it has caught up.
//!
//! Invariants: the same observations at the same instants give the same measurements; nothing grows with
//! time, because expired pairs are forgotten. Asymmetry: each direction keeps its own cell here; that both
//! measure the same loop is the table's to use. Deliberately absent: clocks (`at` and `now` are arguments),
//! sources, the mean of two directions.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::LONGEST_MS;
use super::measurement::{Freshness, MeasuredPlace, MeasuredStatistic, Measurement};
use super::measurements::Measurements;
use super::reachability::Reachability;
use super::smoothing::Smoothed;
use crate::model::Latency;

/// What a live source saw of a directed pair in one window.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// From where.
    pub from: MeasuredPlace,
    /// To where.
    pub to: MeasuredPlace,
    /// What it saw.
    pub observed: Observed,
}

/// What one window showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Observed {
    /// An answer came back.
    RoundTrip {
        /// The typical round trip of the window.
        p50: Latency,
        /// The one that one in twenty of the window exceeded.
        p95: Option<Latency>,
        /// How many samples the window had.
        samples: Option<u32>,
    },
    /// None came back.
    Failed,
}

/// How far a published value may be off before it follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hysteresis {
    /// By at least so many milliseconds: 1.
    pub least_ms: f64,
    /// And by at least this share of itself: 0.10.
    pub least_ratio: f64,
    /// In so many windows in a row, to the same side: 3.
    pub windows: u32,
}

/// When a pair counts as parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionRule {
    /// After so many failures: 3. It takes as many successes in a row to be reached again.
    pub failures: u32,
    /// Of so many windows: 5; at most 32.
    pub of_windows: u32,
}

/// How windows become measurements. `docs/latency.md` says what each default is good for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EstimatorSettings {
    /// How long a round trip counts as fresh: 2 minutes.
    pub fresh_for: SignedDuration,
    /// How long it counts at all: 15 minutes.
    pub stale_for: SignedDuration,
    /// The share of the newest window in the moving average: 0.2; above 0 and at most 1.
    pub ewma_weight: f64,
    /// When a published value follows.
    pub hysteresis: Hysteresis,
    /// When a pair is parted.
    pub partition: PartitionRule,
}

impl Default for EstimatorSettings {
    fn default() -> Self {
        Self {
            fresh_for: SignedDuration::from_mins(2),
            stale_for: SignedDuration::from_mins(15),
            ewma_weight: 0.2,
            hysteresis: Hysteresis {
                least_ms: 1.0,
                least_ratio: 0.10,
                windows: 3,
            },
            partition: PartitionRule {
                failures: 3,
                of_windows: 5,
            },
        }
    }
}

/// Settings that mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEstimatorSettings {
    /// Ages that do not grow.
    #[error("a round trip is fresh for a time above 0 and stale for longer than that")]
    Ages,
    /// A weight that is no share.
    #[error("the weight of the newest window is above 0 and at most 1")]
    Weight,
    /// A band that is none.
    #[error(
        "the band around a published value is 0 or more in milliseconds and as a share and lasts 1 window or more"
    )]
    Hysteresis,
    /// A count that cannot be reached.
    #[error("a pair is parted after 1 failure or more of as many windows or more and at most 32 windows")]
    Partition,
}

impl EstimatorSettings {
    /// Checks that the settings mean something.
    ///
    /// # Errors
    /// The first that does not.
    pub fn checked(self) -> Result<Self, InvalidEstimatorSettings> {
        let at_least_0 = |number: f64| number.is_finite() && number >= 0.0;
        let Hysteresis {
            least_ms,
            least_ratio,
            windows,
        } = self.hysteresis;
        let PartitionRule { failures, of_windows } = self.partition;
        if self.fresh_for <= SignedDuration::ZERO || self.stale_for <= self.fresh_for {
            return Err(InvalidEstimatorSettings::Ages);
        }
        if !(self.ewma_weight > 0.0 && self.ewma_weight <= 1.0) {
            return Err(InvalidEstimatorSettings::Weight);
        }
        if !at_least_0(least_ms) || !at_least_0(least_ratio) || windows == 0 {
            return Err(InvalidEstimatorSettings::Hysteresis);
        }
        if failures == 0 || failures > of_windows || of_windows > 32 {
            return Err(InvalidEstimatorSettings::Partition);
        }
        Ok(self)
    }

    /// Where an age is on the ladder; `None` has fallen off it. What is of the near future is fresh: a clock
    /// was put back a little.
    fn freshness(&self, age: SignedDuration) -> Option<Freshness> {
        if age <= -self.stale_for {
            None
        } else if age < self.fresh_for {
            Some(Freshness::Fresh)
        } else if age < self.stale_for {
            Some(Freshness::Stale)
        } else {
            None
        }
    }
}

/// What is known of every pair that live sources feed.
#[derive(Debug, Clone)]
pub struct Estimator {
    settings: EstimatorSettings,
    pairs: BTreeMap<MeasuredPlace, BTreeMap<MeasuredPlace, Pair>>,
    /// When expired pairs were last forgotten.
    swept_at: Option<Timestamp>,
}

impl Estimator {
    /// An estimator that has seen nothing.
    #[must_use]
    pub fn new(settings: EstimatorSettings) -> Self {
        Self {
            settings,
            pairs: BTreeMap::new(),
            swept_at: None,
        }
    }

    /// Takes in what one source saw in the window that ended `at`.
    pub fn observe(&mut self, observations: &[Observation], source: &Arc<str>, at: Timestamp) {
        self.sweep(at);
        for Observation { from, to, observed } in observations {
            if from.is_inside_one_region(to) {
                continue;
            }
            let Some(seen) = Seen::of(*observed) else {
                continue;
            };
            let settings = &self.settings;
            // An entry takes its key by value: most pairs are there already.
            match self.pairs.get_mut(from).and_then(|row| row.get_mut(to)) {
                Some(pair) => pair.observe(seen, source, at, settings),
                None => {
                    let pair = Pair::begin(seen, source, at, settings);
                    self.pairs
                        .entry(from.clone())
                        .or_default()
                        .insert(to.clone(), pair);
                }
            }
        }
    }

    /// What holds at an instant. Expired pairs are absent.
    #[must_use]
    pub fn measurements(&self, now: Timestamp) -> Measurements {
        let mut measurements = Measurements::default();
        for (from, row) in &self.pairs {
            for (to, pair) in row {
                if let Some(measurement) = pair.measurement(now, &self.settings) {
                    measurements.insert(from.clone(), to.clone(), measurement);
                }
                if pair.is_unreachable(now, &self.settings) {
                    measurements.set_unreachable(from.clone(), to.clone());
                }
            }
        }
        measurements
    }

    /// Forgets what expired; once in the time that it takes to expire, because it looks at every pair.
    fn sweep(&mut self, at: Timestamp) {
        let stale_for = self.settings.stale_for;
        let is_due = self
            .swept_at
            .is_none_or(|last| at.duration_since(last).abs() >= stale_for);
        if !is_due {
            return;
        }
        self.swept_at = Some(at);
        for row in self.pairs.values_mut() {
            row.retain(|_, pair| at.duration_since(pair.heard_at) < stale_for);
        }
        self.pairs.retain(|_, row| !row.is_empty());
    }
}

/// An observation that counts.
#[derive(Debug, Clone, Copy)]
enum Seen {
    RoundTrip {
        p50: Latency,
        p95: Option<Latency>,
        samples: Option<u32>,
    },
    Failed,
}

impl Seen {
    fn of(observed: Observed) -> Option<Self> {
        let is_possible = |latency: Latency| latency.as_ms() > 0.0 && latency.as_ms() <= LONGEST_MS;
        match observed {
            Observed::Failed => Some(Self::Failed),
            Observed::RoundTrip { p50, p95, samples } => is_possible(p50).then(|| Self::RoundTrip {
                p50,
                p95: p95.filter(|p95| *p95 >= p50 && is_possible(*p95)),
                samples,
            }),
        }
    }
}

/// What is known of one directed pair.
#[derive(Debug, Clone)]
struct Pair {
    /// Who feeds it.
    source: Arc<str>,
    /// When anything was last seen of it, a failure too.
    heard_at: Timestamp,
    reachability: Reachability,
    round_trip: Option<RoundTrip>,
}

/// The round trips of one directed pair.
#[derive(Debug, Clone)]
struct RoundTrip {
    p50: Smoothed,
    p95: Option<Smoothed>,
    /// When the last window that had a P95 was.
    p95_at: Timestamp,
    samples: Option<u32>,
    at: Timestamp,
}

impl Pair {
    fn begin(seen: Seen, source: &Arc<str>, at: Timestamp, settings: &EstimatorSettings) -> Self {
        let mut pair = Self {
            source: Arc::clone(source),
            heard_at: at,
            reachability: Reachability::default(),
            round_trip: None,
        };
        pair.take(seen, at, settings);
        pair
    }

    fn observe(&mut self, seen: Seen, source: &Arc<str>, at: Timestamp, settings: &EstimatorSettings) {
        let silent_for = at.duration_since(self.heard_at);
        let is_other_source = *self.source != **source;
        let begins_anew =
            silent_for.abs() >= settings.stale_for || (is_other_source && silent_for >= settings.fresh_for);
        if !begins_anew && (is_other_source || silent_for <= SignedDuration::ZERO) {
            return;
        }
        if begins_anew {
            *self = Self::begin(seen, source, at, settings);
            return;
        }
        self.heard_at = at;
        self.take(seen, at, settings);
    }

    fn take(&mut self, seen: Seen, at: Timestamp, settings: &EstimatorSettings) {
        let Seen::RoundTrip { p50, p95, samples } = seen else {
            self.reachability.failed(settings.partition);
            return;
        };
        self.reachability.succeeded(settings.partition);
        let last = self
            .round_trip
            .take()
            .filter(|last| at.duration_since(last.at) < settings.stale_for);
        self.round_trip = Some(match last {
            None => RoundTrip {
                p50: Smoothed::begin(p50),
                p95: p95.map(Smoothed::begin),
                p95_at: at,
                samples,
                at,
            },
            Some(last) => last.followed_by(p50, p95, samples, at, settings),
        });
    }

    fn measurement(&self, now: Timestamp, settings: &EstimatorSettings) -> Option<Measurement> {
        let last = self.round_trip.as_ref()?;
        let freshness = settings.freshness(now.duration_since(last.at))?;
        let p50 = last.p50.published();
        let p95 = last
            .p95
            .filter(|_| now.duration_since(last.p95_at) < settings.stale_for)
            // Each follows its own average, so one may have followed where the other has not.
            .map(|p95| {
                if p95.published() < p50 {
                    p50
                } else {
                    p95.published()
                }
            });
        Some(Measurement {
            rtt: p50,
            p95,
            statistic: Some(MeasuredStatistic::P50),
            samples: last.samples,
            measured_at: Some(last.at),
            source: Some(Arc::clone(&self.source)),
            freshness,
        })
    }

    /// Whether it is known to be parted: nobody knows where nothing was heard for too long.
    fn is_unreachable(&self, now: Timestamp, settings: &EstimatorSettings) -> bool {
        self.reachability.is_unreachable() && settings.freshness(now.duration_since(self.heard_at)).is_some()
    }
}

impl RoundTrip {
    fn followed_by(
        mut self,
        p50: Latency,
        p95: Option<Latency>,
        samples: Option<u32>,
        at: Timestamp,
        settings: &EstimatorSettings,
    ) -> Self {
        self.p50.follow(p50, settings);
        if let Some(p95) = p95 {
            let is_known = at.duration_since(self.p95_at) < settings.stale_for;
            match self.p95.as_mut().filter(|_| is_known) {
                Some(smoothed) => smoothed.follow(p95, settings),
                None => self.p95 = Some(Smoothed::begin(p95)),
            }
            self.p95_at = at;
        }
        self.samples = match (self.samples, samples) {
            (Some(before), Some(more)) => Some(before.saturating_add(more)),
            (known, None) | (None, known) => known,
        };
        self.at = at;
        self
    }
}

#[cfg(test)]
#[path = "estimator_tests.rs"]
mod tests;
