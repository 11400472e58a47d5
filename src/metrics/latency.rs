//! The metrics of latency that is measured now; their names begin with `domicile_latency_`.
//!
//! Invariant: labels are bounded. Sources are those of the settings, queries and reasons are enums.
//! Ages are of the instant at which they are read: a source that hangs grows older with every scrape.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PollLabels {
    source: String,
    query: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabels {
    source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    source: String,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AgeLabels {
    source: String,
    pair: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

/// How many directed pairs of places are in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PairCounts {
    /// Measured now.
    pub fresh: usize,
    /// Measured until a moment ago.
    pub stale: usize,
    /// From a latency file.
    pub dated: usize,
    /// Known to be parted, whatever else is known of them.
    pub unreachable: usize,
}

/// When the live pairs of a source were measured, the oldest and the freshest.
#[derive(Debug, Clone, Copy)]
struct Seen {
    oldest: Timestamp,
    freshest: Timestamp,
}

/// What sources of live latency count with; clones count together.
#[derive(Debug, Clone, Default)]
pub struct LatencyMetrics {
    polls: Family<PollLabels, Counter>,
    left_out: Family<ReasonLabels, Gauge>,
    last_success: Family<SourceLabels, Gauge>,
    ages: Family<AgeLabels, Gauge>,
    pairs: Family<StateLabels, Gauge>,
    seen: Arc<Mutex<BTreeMap<String, Seen>>>,
    reasons: Arc<Mutex<BTreeSet<(String, &'static str)>>>,
}

impl LatencyMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "latency_polls",
            "Queries to sources of live latency by what came of them",
            self.polls.clone(),
        );
        registry.register(
            "latency_left_out_series",
            "Series of the last poll that do not count, by reason",
            self.left_out.clone(),
        );
        registry.register(
            "latency_last_success_timestamp_seconds",
            "When a source last answered every query",
            self.last_success.clone(),
        );
        registry.register(
            "latency_age_seconds",
            "Time since the freshest and the oldest pair that a source feeds were measured",
            self.ages.clone(),
        );
        registry.register(
            "latency_pairs",
            "Directed pairs of places by what decides on them: measured now (fresh), until a moment ago (stale), a file (dated); and how many are parted (unreachable)",
            self.pairs.clone(),
        );
    }

    /// A query was answered, or was not.
    pub fn polled(&self, source: &str, query: &'static str, outcome: &'static str) {
        let source = source.to_owned();
        self.polls
            .get_or_create(&PollLabels {
                source,
                query,
                outcome,
            })
            .inc();
    }

    /// Every query of a source was answered.
    pub fn succeeded(&self, source: &str, now: Timestamp) {
        let source = source.to_owned();
        self.last_success
            .get_or_create(&SourceLabels { source })
            .set(now.as_second());
    }

    /// Why the series of the last poll that do not count do not; a reason for each.
    pub fn left_out(&self, source: &str, reasons: impl Iterator<Item = &'static str>) {
        let mut now: BTreeMap<&'static str, i64> = BTreeMap::new();
        for reason in reasons {
            *now.entry(reason).or_default() += 1;
        }
        let mut known = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(now.keys().map(|reason| (source.to_owned(), *reason)));
        for (of_source, reason) in known.iter().filter(|(of_source, _)| of_source == source) {
            let labels = ReasonLabels {
                source: of_source.clone(),
                reason,
            };
            // What is over is 0 and not gone, so that an alert resolves.
            let series = now.get(reason).copied().unwrap_or(0);
            self.left_out.get_or_create(&labels).set(series);
        }
    }

    /// When the live pairs of a source were measured; `None` where it has none.
    pub fn seen(&self, source: &str, oldest: Option<Timestamp>, freshest: Option<Timestamp>) {
        let mut all = self.all_seen();
        match oldest.zip(freshest) {
            Some((oldest, freshest)) => {
                all.insert(source.to_owned(), Seen { oldest, freshest });
            }
            None => {
                all.remove(source);
                for pair in ["freshest", "oldest"] {
                    let source = source.to_owned();
                    self.ages.remove(&AgeLabels { source, pair });
                }
            }
        }
    }

    /// What decides now.
    pub fn pairs(&self, counts: PairCounts) {
        for (state, pairs) in [
            ("fresh", counts.fresh),
            ("stale", counts.stale),
            ("dated", counts.dated),
            ("unreachable", counts.unreachable),
        ] {
            self.pairs
                .get_or_create(&StateLabels { state })
                .set(i64::try_from(pairs).unwrap_or(i64::MAX));
        }
    }

    /// Sets ages as of now.
    pub(super) fn age(&self, now: Timestamp) {
        for (source, seen) in self.all_seen().iter() {
            for (pair, at) in [("freshest", seen.freshest), ("oldest", seen.oldest)] {
                let source = source.clone();
                let age_s = now.duration_since(at).as_secs().max(0);
                self.ages.get_or_create(&AgeLabels { source, pair }).set(age_s);
            }
        }
    }

    fn all_seen(&self) -> MutexGuard<'_, BTreeMap<String, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
