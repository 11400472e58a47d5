//! What Prometheus reads: counters, gauges and histograms whose names begin with `domicile_`.
//!
//! Inputs: typed calls, so that no other module names a metric. Outputs: [`Metrics::encode`], in the
//! OpenMetrics text format, which Prometheus reads. Invariant: labels are bounded, by enums or by a
//! cap; never a pod, a node or a namespace. Deliberately absent: a clock. Ages are made from the `now`
//! of whoever reads.

mod latency;
mod lease;
mod retries;
mod scan;
mod tls;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::decisions::{DecisionLogCounters, Verb, Verdict};
use crate::files::{SourceHealth, SourceName, SourceState};
use crate::pod_events::PodEventCounters;

pub use latency::{LatencyMetrics, PairCounts};
pub use lease::LeaseMetrics;
pub use retries::RetryMetrics;
pub use scan::{ScanMetrics, Scanned};
pub use tls::TlsMetrics;

/// The media type of what [`Metrics::encode`] gives.
pub const METRICS_CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The most rules, and the most exceptions, that bear their own name as a label; those beyond are `other`.
const MOST_NAMES: usize = 1_000;

/// Upper bounds of the duration histogram in seconds. kube-scheduler gives up after 5 s by default.
const DURATION_BUCKETS_S: [f64; 14] = [
    0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0,
];

/// Upper bounds of the histogram of offered nodes. 100 is where kube-scheduler begins to sample.
const CANDIDATE_BUCKETS: [f64; 11] = [
    0.0, 1.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 15_000.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    verb: &'static str,
    verdict: &'static str,
    governed: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabels {
    code: &'static str,
    rule: String,
    mode: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ExceptionLabels {
    exception: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FailureLabels {
    verb: &'static str,
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReviewLabels {
    verb: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerbLabels {
    verb: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabels {
    source: &'static str,
}

/// What the metrics take of one decision.
#[derive(Debug, Clone, Copy)]
pub struct DecisionMeasures {
    /// What was asked.
    pub verb: Verb,
    /// What was answered.
    pub verdict: Verdict,
    /// Whether any policy has a say about the pod. A count of those without is what is outside control.
    pub governed: bool,
    /// How many nodes were offered.
    pub candidates: usize,
    /// How many of them the snapshot does not know.
    pub unknown_nodes: usize,
    /// How long it took from the last byte of the request to the first of the answer.
    pub took: Duration,
}

#[derive(Debug)]
struct SourceMemory {
    confirmed_at: Option<Timestamp>,
    state_write_failures: u64,
}

/// Every metric of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    decisions: Family<DecisionLabels, Counter>,
    refusals: Family<RefusalLabels, Counter>,
    exceptions: Family<ExceptionLabels, Counter>,
    failures: Family<FailureLabels, Counter>,
    reviews: Family<ReviewLabels, Counter>,
    durations: Family<VerbLabels, Histogram>,
    candidates: Family<VerbLabels, Histogram>,
    blind_samples: Counter,
    unknown_nodes: Counter,
    source_age: Family<SourceLabels, Gauge>,
    source_loaded: Family<SourceLabels, Gauge>,
    source_last_known_good: Family<SourceLabels, Gauge>,
    state_write_failures: Family<SourceLabels, Counter>,
    ready: Gauge,
    waiting: Gauge,
    body_bytes: Gauge,
    observing: Gauge,
    nodes: Gauge,
    node_classes: Gauge,
    publications: Counter,
    decision_log: DecisionLogCounters,
    pod_events: PodEventCounters,
    latency: LatencyMetrics,
    lease: LeaseMetrics,
    retries: RetryMetrics,
    scan: ScanMetrics,
    tls: TlsMetrics,
    rules: RwLock<BTreeSet<String>>,
    exception_names: RwLock<BTreeSet<String>>,
    sources: Mutex<BTreeMap<SourceName, SourceMemory>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("domicile"),
            decisions: Family::default(),
            refusals: Family::default(),
            exceptions: Family::default(),
            failures: Family::default(),
            reviews: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATION_BUCKETS_S)),
            candidates: Family::new_with_constructor(|| Histogram::new(CANDIDATE_BUCKETS)),
            blind_samples: Counter::default(),
            unknown_nodes: Counter::default(),
            source_age: Family::default(),
            source_loaded: Family::default(),
            source_last_known_good: Family::default(),
            state_write_failures: Family::default(),
            ready: Gauge::default(),
            waiting: Gauge::default(),
            body_bytes: Gauge::default(),
            observing: Gauge::default(),
            nodes: Gauge::default(),
            node_classes: Gauge::default(),
            publications: Counter::default(),
            decision_log: DecisionLogCounters::default(),
            pod_events: PodEventCounters::default(),
            latency: LatencyMetrics::default(),
            lease: LeaseMetrics::default(),
            retries: RetryMetrics::default(),
            scan: ScanMetrics::default(),
            tls: TlsMetrics::default(),
            rules: RwLock::default(),
            exception_names: RwLock::default(),
            sources: Mutex::default(),
        };
        metrics.register_requests();
        metrics.register_world();
        metrics.latency.register(&mut metrics.registry);
        metrics.lease.register(&mut metrics.registry);
        metrics.retries.register(&mut metrics.registry);
        metrics.scan.register(&mut metrics.registry);
        metrics.tls.register(&mut metrics.registry);
        metrics
    }
}

impl Metrics {
    /// Metrics at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn register_requests(&mut self) {
        let Self { registry, .. } = self;
        registry.register(
            "decisions",
            "Decisions by verb and verdict; governed=\"false\" is what no policy has a say about",
            self.decisions.clone(),
        );
        registry.register(
            "refusals",
            "Decisions in which a reason refused at least one candidate, or would have (mode)",
            self.refusals.clone(),
        );
        registry.register(
            "exceptions_used",
            "Decisions in which candidates passed that would be refused without the exception",
            self.exceptions.clone(),
        );
        registry.register(
            "undecided_requests",
            "Requests that were not decided, by code: bad requests, not ready, too large, too many",
            self.failures.clone(),
        );
        registry.register(
            "waiting_requests",
            "Requests that wait to be decided",
            self.waiting.clone(),
        );
        registry.register(
            "body_bytes_in_flight",
            "Bytes of bodies that are read, wait or are decided",
            self.body_bytes.clone(),
        );
        registry.register(
            "admission_reviews",
            "Pods that API servers asked about, by verb and outcome",
            self.reviews.clone(),
        );
        registry.register(
            "request_duration_seconds",
            "Time from the last byte of a request to the first of its answer",
            self.durations.clone(),
        );
        registry.register(
            "candidates",
            "Nodes that a request offered",
            self.candidates.clone(),
        );
        registry.register(
            "blind_samples",
            "Filter requests to which permitted nodes existed and none was offered",
            self.blind_samples.clone(),
        );
        registry.register(
            "unknown_nodes",
            "Candidates that the snapshot did not know",
            self.unknown_nodes.clone(),
        );
        registry.register(
            "decision_records_written",
            "Decision records that were written",
            self.decision_log.written.clone(),
        );
        registry.register(
            "decision_records_lost",
            "Decision records that were not written",
            self.decision_log.lost.clone(),
        );
        registry.register(
            "decision_log_failures",
            "Failed attempts to write decision records; each is tried again",
            self.decision_log.failures.clone(),
        );
        registry.register(
            "pod_events_written",
            "Events that were written on pods",
            self.pod_events.written.clone(),
        );
        registry.register(
            "pod_events_failed",
            "Events on pods that the API server did not take",
            self.pod_events.failed.clone(),
        );
        registry.register(
            "pod_events_lost",
            "Events on pods for which the queue had no room",
            self.pod_events.lost.clone(),
        );
    }

    fn register_world(&mut self) {
        let Self { registry, .. } = self;
        registry.register(
            "build",
            "What runs",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        registry.register(
            "ready",
            "1 once every source of facts is loaded",
            self.ready.clone(),
        );
        registry.register(
            "observe_mode",
            "1 while the settings only observe and nothing is refused",
            self.observing.clone(),
        );
        registry.register(
            "source_age_seconds",
            "Time since a source last said what decides now",
            self.source_age.clone(),
        );
        registry.register(
            "source_loaded",
            "1 where something good of a source decides",
            self.source_loaded.clone(),
        );
        registry.register(
            "source_last_known_good",
            "1 while a source is bad and what it said before decides",
            self.source_last_known_good.clone(),
        );
        registry.register(
            "state_write_failures",
            "Failed attempts to save good files in the state directory",
            self.state_write_failures.clone(),
        );
        registry.register("nodes", "Nodes of the snapshot that decides", self.nodes.clone());
        registry.register(
            "node_classes",
            "Node classes of the snapshot that decides",
            self.node_classes.clone(),
        );
        registry.register(
            "snapshot_publications",
            "Snapshots that were published",
            self.publications.clone(),
        );
    }

    /// One decision.
    pub fn decided(&self, measures: &DecisionMeasures) {
        let verb = measures.verb.word();
        self.decisions
            .get_or_create(&DecisionLabels {
                verb,
                verdict: measures.verdict.word(),
                governed: if measures.governed { "true" } else { "false" },
            })
            .inc();
        self.durations
            .get_or_create(&VerbLabels { verb })
            .observe(measures.took.as_secs_f64());
        self.candidates
            .get_or_create(&VerbLabels { verb })
            .observe(measures.candidates as f64);
        if measures.verdict == Verdict::BlindSample {
            self.blind_samples.inc();
        }
        self.unknown_nodes.inc_by(measures.unknown_nodes as u64);
    }

    /// A reason that refused candidates of one decision, or would have. `rule` is `policy/rule`.
    pub fn refused(&self, code: &'static str, rule: Option<&str>, mode: &'static str) {
        let rule = rule.map_or_else(String::new, |rule| label(&self.rules, rule));
        self.refusals
            .get_or_create(&RefusalLabels { code, rule, mode })
            .inc();
    }

    /// An exception without which candidates of one decision would have been refused.
    pub fn exception_used(&self, name: &str) {
        let exception = label(&self.exception_names, name);
        self.exceptions
            .get_or_create(&ExceptionLabels { exception })
            .inc();
    }

    /// One answer to an API server.
    pub fn reviewed(&self, verb: Verb, outcome: &'static str, took: Duration) {
        let verb = verb.word();
        self.reviews.get_or_create(&ReviewLabels { verb, outcome }).inc();
        self.durations
            .get_or_create(&VerbLabels { verb })
            .observe(took.as_secs_f64());
    }

    /// A request that was not decided.
    pub fn failed(&self, verb: Verb, code: &'static str) {
        let verb = verb.word();
        self.failures.get_or_create(&FailureLabels { verb, code }).inc();
    }

    /// How a source is.
    pub fn source(&self, health: &SourceHealth) {
        let labels = SourceLabels {
            source: health.name.word(),
        };
        let is_loaded = !matches!(health.state, SourceState::NeverLoaded { .. });
        self.source_loaded
            .get_or_create(&labels)
            .set(i64::from(is_loaded));
        self.source_last_known_good
            .get_or_create(&labels)
            .set(i64::from(health.is_last_known_good()));
        let memory = SourceMemory {
            confirmed_at: health.confirmed_at,
            state_write_failures: health.state_write_failures,
        };
        let before = self.sources().insert(health.name, memory);
        let before = before.map_or(0, |memory| memory.state_write_failures);
        self.state_write_failures
            .get_or_create(&labels)
            .inc_by(health.state_write_failures.saturating_sub(before));
    }

    /// Whether every source is loaded.
    pub fn ready(&self, is_ready: bool) {
        self.ready.set(i64::from(is_ready));
    }

    /// How many requests wait to be decided, and how many bytes their bodies have.
    pub fn load(&self, waiting: usize, body_bytes: usize) {
        self.waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        self.body_bytes.set(i64::try_from(body_bytes).unwrap_or(i64::MAX));
    }

    /// So many snapshots were published, and this is what the last one is like.
    pub fn published(&self, snapshots: u64, nodes: usize, node_classes: usize, is_observing: bool) {
        self.publications.inc_by(snapshots);
        self.nodes.set(i64::try_from(nodes).unwrap_or(i64::MAX));
        self.node_classes
            .set(i64::try_from(node_classes).unwrap_or(i64::MAX));
        self.observing.set(i64::from(is_observing));
    }

    /// What the log of decisions counts with.
    #[must_use]
    pub fn decision_log(&self) -> DecisionLogCounters {
        self.decision_log.clone()
    }

    /// The counters of Events on pods, for whoever writes them.
    #[must_use]
    pub fn pod_events(&self) -> PodEventCounters {
        self.pod_events.clone()
    }

    /// What sources of live latency count with.
    #[must_use]
    pub fn latency(&self) -> LatencyMetrics {
        self.latency.clone()
    }

    /// What the election among replicas counts with.
    #[must_use]
    pub fn lease(&self) -> LeaseMetrics {
        self.lease.clone()
    }

    /// What counts pods that are tried again.
    #[must_use]
    pub fn retries(&self) -> RetryMetrics {
        self.retries.clone()
    }

    /// What the scan counts with.
    #[must_use]
    pub fn scan(&self) -> ScanMetrics {
        self.scan.clone()
    }

    /// What encrypted addresses count with.
    #[must_use]
    pub fn tls(&self) -> TlsMetrics {
        self.tls.clone()
    }

    /// Every metric as text, with ages as of now.
    #[must_use]
    pub fn encode(&self, now: Timestamp) -> String {
        self.latency.age(now);
        self.scan.age(now);
        self.tls.age(now);
        for (name, memory) in self.sources().iter() {
            let Some(confirmed_at) = memory.confirmed_at else {
                continue;
            };
            let age_s = now.duration_since(confirmed_at).as_secs().max(0);
            let labels = SourceLabels { source: name.word() };
            self.source_age.get_or_create(&labels).set(age_s);
        }
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &self.registry) {
            // Writing into a `String` cannot fail; half a text would be worse than none.
            tracing::error!(%error, "metrics cannot be written");
            text.clear();
        }
        text
    }

    fn sources(&self) -> MutexGuard<'_, BTreeMap<SourceName, SourceMemory>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names are as many as the policies that were ever loaded have, so they are capped.
fn label(known: &RwLock<BTreeSet<String>>, name: &str) -> String {
    if known
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .contains(name)
    {
        return name.to_owned();
    }
    let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= MOST_NAMES && !known.contains(name) {
        return "other".to_owned();
    }
    known.insert(name.to_owned());
    name.to_owned()
}

#[cfg(test)]
mod tests;
