//! Latency that is measured now: from the observations of any source to what decides.
//!
//! Inputs: the observations of each source whenever it has some, and the passing of time. Output: the
//! measurements that hold now, handed to the publisher. A source is only a name here: whoever measures
//! (Prometheus today) calls [`LiveLatency::take`] and needs nothing else of this module to change.
//! Invariants: each source is smoothed by itself, so that what is published does not depend on whose poll
//! came first; time passes for all sources at each call, so that one that fell silent grows stale and is
//! given up although nobody speaks of it. Nothing here can fail: without sources there are only files.
//! Deliberately absent: the network, and a clock.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::metrics::LatencyMetrics;
use crate::publish::Publisher;
use crate::topology::{
    Estimator, EstimatorSettings, Freshness, MeasuredPlace, Measurement, Measurements, Observation,
};

/// Every source of live latency, and where what they say together goes.
#[derive(Debug)]
pub struct LiveLatency {
    /// In the order of the settings, which decides between sources.
    sources: Mutex<Vec<Source>>,
    publisher: Arc<Publisher>,
    metrics: LatencyMetrics,
}

#[derive(Debug)]
struct Source {
    name: Arc<str>,
    estimator: Estimator,
}

impl LiveLatency {
    /// Sources that have said nothing yet. Where two know a pair, the one that is named first is believed.
    #[must_use]
    pub fn new(
        sources: impl IntoIterator<Item = Arc<str>>,
        settings: EstimatorSettings,
        publisher: Arc<Publisher>,
        metrics: LatencyMetrics,
    ) -> Self {
        let sources = sources.into_iter().map(|name| Source {
            name,
            estimator: Estimator::new(settings),
        });
        Self {
            sources: Mutex::new(sources.collect()),
            publisher,
            metrics,
        }
    }

    /// What a source saw in the window that ended now; nothing, where it could not say.
    pub fn take(&self, source: &str, observations: &[Observation], now: Timestamp) {
        let mut sources = self.sources();
        if let Some(source) = sources.iter_mut().find(|known| *known.name == *source) {
            source.estimator.observe(observations, &source.name, now);
        }
        self.publish(&sources, now);
    }

    /// Time passed.
    pub fn tick(&self, now: Timestamp) {
        self.publish(&self.sources(), now);
    }

    /// The lock is held while it is published, so that an older state never follows a newer one.
    fn publish(&self, sources: &[Source], now: Timestamp) {
        let of_each: Vec<Measurements> = sources
            .iter()
            .map(|source| {
                let measurements = source.estimator.measurements(now);
                let seen = || measurements.iter().filter_map(|(_, _, one)| one.measured_at);
                self.metrics.seen(&source.name, seen().min(), seen().max());
                measurements
            })
            .collect();
        self.publisher.live_latency(merged(&of_each));
    }

    fn sources(&self) -> MutexGuard<'_, Vec<Source>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What several sources say together, the first of them being believed most.
///
/// Of each directed pair the first source with a fresh round trip counts, else the first with a stale one. A
/// pair is parted where a source says so, unless another source has a fresh round trip of it.
#[must_use]
pub fn merged(of_each: &[Measurements]) -> Measurements {
    if let [only] = of_each {
        return only.clone();
    }
    let is_fresh = |one: &Measurement| one.freshness == Freshness::Fresh;
    let mut merged = Measurements::default();
    let mut parted: BTreeSet<(&MeasuredPlace, &MeasuredPlace)> = BTreeSet::new();
    for (number, measurements) in of_each.iter().enumerate() {
        for (from, to, measurement) in measurements.iter() {
            let is_better = merged
                .get(from, to)
                .is_none_or(|known| is_fresh(measurement) && !is_fresh(known));
            if is_better {
                merged.insert(from.clone(), to.clone(), measurement.clone());
            }
        }
        for (from, to) in measurements.unreachable() {
            let mut others = of_each.iter().enumerate().filter(|(other, _)| *other != number);
            if !others.any(|(_, other)| other.get(from, to).is_some_and(is_fresh)) {
                parted.insert((from, to));
            }
        }
    }
    for (from, to) in parted {
        merged.set_unreachable(from.clone(), to.clone());
    }
    merged
}

#[cfg(test)]
#[path = "live_latency_tests.rs"]
mod tests;
