//! The metrics of the scan; their names begin with `domicile_scan_`.
//!
//! Invariants: labels are bounded, by the kinds of findings. Only the replica that scans has any of them; the age is
//! of the instant at which it is read, so that a scan that hangs grows older with every scrape.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::scan::FindingKind;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

/// Of a metric that is there only once something is known: no label.
type NoLabels = [(&'static str, &'static str); 0];

/// What a scan looked at.
#[derive(Debug, Clone, Copy)]
pub struct Scanned {
    /// When it ended.
    pub at: Timestamp,
    /// How many pods.
    pub pods: usize,
    /// How long it took.
    pub took: Duration,
}

/// What the scan counts with; clones count together.
#[derive(Debug, Clone, Default)]
pub struct ScanMetrics {
    pods: Family<NoLabels, Gauge>,
    findings: Family<KindLabels, Gauge>,
    scans: Counter,
    duration: Family<NoLabels, Gauge<f64, AtomicU64>>,
    age: Family<NoLabels, Gauge>,
    ended: Arc<Mutex<Option<Timestamp>>>,
}

impl ScanMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("scan_pods", "Pods that the last scan judged", self.pods.clone());
        registry.register(
            "scan_findings",
            "Findings that are there now, of pods and of copies of data, by kind",
            self.findings.clone(),
        );
        registry.register("scans", "Scans of all pods that ended", self.scans.clone());
        registry.register(
            "scan_duration_seconds",
            "How long the last scan of all pods took, pauses included",
            self.duration.clone(),
        );
        registry.register(
            "scan_age_seconds",
            "Time since a scan of all pods ended",
            self.age.clone(),
        );
    }

    /// A scan of all pods ended.
    pub fn ended(&self, scanned: Scanned) {
        let pods = i64::try_from(scanned.pods).unwrap_or(i64::MAX);
        self.pods.get_or_create(&[]).set(pods);
        self.duration.get_or_create(&[]).set(scanned.took.as_secs_f64());
        self.scans.inc();
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(scanned.at);
    }

    /// So many findings are there now; a kind that is not named has none.
    pub fn findings(&self, counts: &BTreeMap<FindingKind, usize>) {
        for kind in FindingKind::ALL {
            let count = counts.get(&kind).copied().unwrap_or(0);
            self.findings
                .get_or_create(&KindLabels { kind: kind.word() })
                .set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// Another replica scans: what this one knew is no longer told.
    pub fn ceased(&self) {
        self.pods.clear();
        self.findings.clear();
        self.duration.clear();
        self.age.clear();
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn age(&self, now: Timestamp) {
        if let Some(ended) = *self.ended.lock().unwrap_or_else(PoisonError::into_inner) {
            let age_s = now.duration_since(ended).as_secs().max(0);
            self.age.get_or_create(&[]).set(age_s);
        }
    }
}
