//! The metrics of pods that are tried again after a change; their names begin with `domicile_retries`.
//!
//! Invariant: labels are bounded, by the causes and outcomes of our code.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the time from a change to a binding, in seconds. After 300 s kube-scheduler comes back by itself.
const TO_BINDING_BUCKETS_S: [f64; 11] = [0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 60.0, 300.0, 600.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CauseLabels {
    cause: &'static str,
}

/// What counts pods that are tried again; clones count together.
#[derive(Debug, Clone)]
pub struct RetryMetrics {
    retries: Family<OutcomeLabels, Counter>,
    held_back: Counter,
    waiting: Gauge,
    to_binding: Family<CauseLabels, Histogram>,
}

impl Default for RetryMetrics {
    fn default() -> Self {
        Self {
            retries: Family::default(),
            held_back: Counter::default(),
            waiting: Gauge::default(),
            to_binding: Family::new_with_constructor(|| Histogram::new(TO_BINDING_BUCKETS_S)),
        }
    }
}

impl RetryMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "retries",
            "Pods that a change may admit, by outcome: woken, gone (meanwhile), failed (and tried again)",
            self.retries.clone(),
        );
        registry.register(
            "retries_held_back",
            "Pods that were woken later than they could have been, so as not to wake too many at once",
            self.held_back.clone(),
        );
        registry.register(
            "retries_waiting",
            "Pods that are to be woken and are not yet",
            self.waiting.clone(),
        );
        registry.register(
            "retries_change_to_binding_seconds",
            "Time from the publication, or the date, that admitted a refused pod until it was seen bound, by cause",
            self.to_binding.clone(),
        );
    }

    /// What became of waking a pod.
    pub fn tried(&self, outcome: &'static str) {
        self.retries.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// A pod waited for others before it was woken.
    pub fn held_back(&self) {
        self.held_back.inc();
    }

    /// So many pods are to be woken and are not yet.
    pub fn waiting(&self, pods: usize) {
        self.waiting.set(i64::try_from(pods).unwrap_or(i64::MAX));
    }

    /// A pod that was woken has a node.
    pub fn bound(&self, cause: &'static str, after: Duration) {
        self.to_binding
            .get_or_create(&CauseLabels { cause })
            .observe(after.as_secs_f64());
    }
}
