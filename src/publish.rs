//! IN-SHELL: the one writer of snapshots.
//!
//! Inputs: each part of the world whenever it changes (policies, data sets, latency texts, what is measured
//! now, the fleet). Outputs: a whole snapshot, swapped in at once, and the measurements behind its
//! latencies. Invariants: nothing is published before every part is there; a part that no longer fits the
//! others keeps its last good state, and that is logged; parts that did not change are shared; what is
//! measured now is never waited for, and that it was measured again changes no snapshot. Deliberately
//! absent: how parts are read or watched, and who measures.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;
use tokio::sync::watch;

use crate::assembly::{FleetFacts, SourceText, latency_measurements, table_of, version};
use crate::metrics::PairCounts;
use crate::model::{DataSet, DataSetName};
use crate::policy::PolicySet;
use crate::snapshot::{Inputs, RunningFacts, Snapshot};
use crate::topology::{Freshness, LatencyTable, Measurement, Measurements};

/// The data sets and the texts that they came from.
#[derive(Debug, Clone)]
struct DataSets {
    by_name: Arc<BTreeMap<DataSetName, DataSet>>,
    version: String,
}

/// The parts, as far as they are there.
#[derive(Debug, Default)]
struct Parts {
    policies: Option<Arc<PolicySet>>,
    data_sets: Option<DataSets>,
    latency_texts: Option<Arc<Vec<SourceText>>>,
    /// What the latency files say, read by the present catalogue.
    dated: Option<Arc<Measurements>>,
    /// What is measured now; empty where nothing is.
    live: Measurements,
    latency: Option<Latency>,
    fleet: Option<FleetFacts>,
}

/// The latencies that decide, and what they were made of.
#[derive(Debug, Clone)]
struct Latency {
    table: Arc<LatencyTable>,
    measurements: Arc<Measurements>,
    pairs: PairCounts,
}

/// The measurements that decide now.
#[derive(Debug, Clone)]
pub struct MeasuredNow {
    /// The snapshot that they are of.
    pub snapshot: Arc<Snapshot>,
    /// The live measurements over those of the files. They say the same as the table of the snapshot, and
    /// when each pair was last measured, which may be after the snapshot was published.
    pub measurements: Arc<Measurements>,
}

/// A snapshot that was published.
#[derive(Debug, Clone, Default)]
pub struct Publication {
    /// What decides now; `None` before the first.
    pub current: Option<Arc<Snapshot>>,
    /// Counts publications, from 1.
    pub number: u64,
    /// What its latencies are made of.
    pub pairs: PairCounts,
}

/// The one writer of snapshots.
#[derive(Debug)]
pub struct Publisher {
    parts: Mutex<Parts>,
    snapshots: Arc<ArcSwapOption<Snapshot>>,
    measured: Arc<ArcSwapOption<MeasuredNow>>,
    publications: watch::Sender<Publication>,
}

impl Default for Publisher {
    fn default() -> Self {
        Self {
            parts: Mutex::default(),
            snapshots: Arc::default(),
            measured: Arc::default(),
            publications: watch::Sender::new(Publication::default()),
        }
    }
}

impl Publisher {
    /// Where the current snapshot is; empty until every part is there.
    #[must_use]
    pub fn snapshots(&self) -> Arc<ArcSwapOption<Snapshot>> {
        self.snapshots.clone()
    }

    /// Where the measurements behind the current snapshot are; empty as long as that is.
    #[must_use]
    pub fn measured(&self) -> Arc<ArcSwapOption<MeasuredNow>> {
        self.measured.clone()
    }

    /// Tells of each publication.
    #[must_use]
    pub fn publications(&self) -> watch::Receiver<Publication> {
        self.publications.subscribe()
    }

    /// The policies that decide now, for reading what depends on the catalogue.
    #[must_use]
    pub fn current_policies(&self) -> Option<Arc<PolicySet>> {
        self.parts().policies.clone()
    }

    /// New policies. The latencies are read again by their catalogue.
    pub fn policies(&self, policies: Arc<PolicySet>) {
        let mut parts = self.parts();
        parts.policies = Some(policies);
        rebuild_latency(&mut parts);
        self.publish(&parts);
    }

    /// New data sets, and the texts that they were read from.
    pub fn data_sets(&self, by_name: Arc<BTreeMap<DataSetName, DataSet>>, texts: &[SourceText]) {
        let mut parts = self.parts();
        parts.data_sets = Some(DataSets {
            by_name,
            version: version(texts),
        });
        self.publish(&parts);
    }

    /// New latency files.
    pub fn latency(&self, texts: Arc<Vec<SourceText>>) {
        let mut parts = self.parts();
        parts.latency_texts = Some(texts);
        rebuild_latency(&mut parts);
        self.publish(&parts);
    }

    /// What is measured now, by whatever sources there are, all of it. A snapshot is published only where that
    /// changes what decides: a quiet network is silent here too.
    pub fn live_latency(&self, live: Measurements) {
        let mut parts = self.parts();
        let is_same = decide_the_same(&parts.live, &live);
        parts.live = live;
        if !is_same {
            join_latency(&mut parts);
            self.publish(&parts);
            return;
        }
        let (Some(dated), Some(latency)) = (&parts.dated, &parts.latency) else {
            return;
        };
        let measurements = Arc::new(parts.live.clone().over(dated));
        let latency = Latency {
            table: latency.table.clone(),
            measurements: measurements.clone(),
            pairs: latency.pairs,
        };
        parts.latency = Some(latency);
        if let Some(snapshot) = self.snapshots.load_full() {
            self.measured.store(Some(Arc::new(MeasuredNow {
                snapshot,
                measurements,
            })));
        }
    }

    /// A new state of the fleet.
    pub fn fleet(&self, fleet: FleetFacts) {
        let mut parts = self.parts();
        parts.fleet = Some(fleet);
        self.publish(&parts);
    }

    /// A new state of the running pods. Everything else is shared with the snapshot before.
    pub fn running(&self, running: RunningFacts) {
        let mut parts = self.parts();
        let Some(fleet) = &mut parts.fleet else { return };
        fleet.running = running.clone();
        let before = self.snapshots.load_full();
        if let Some((before, latency)) = before.zip(parts.latency.as_ref()) {
            self.swap_in(before.with_running(&running), latency);
        }
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        // A panic while the lock was held cannot leave parts half written: each is assigned whole.
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes the parts if all are there. The lock is held, so publications are in order.
    fn publish(&self, parts: &Parts) {
        let Parts {
            policies: Some(policies),
            data_sets: Some(data_sets),
            latency: Some(latency),
            fleet: Some(fleet),
            ..
        } = parts
        else {
            return;
        };
        let inputs = Inputs {
            fleet: fleet.fleet.clone(),
            fleet_version: fleet.version.clone(),
            running: fleet.running.clone(),
            confirmed_until: fleet.confirmed_until,
            policies: policies.clone(),
            data_sets: data_sets.by_name.clone(),
            data_sets_version: data_sets.version.clone(),
            latency: latency.table.clone(),
        };
        let snapshot = match self.snapshots.load_full() {
            Some(before) => Snapshot::after(&before, inputs),
            None => Snapshot::new(inputs),
        };
        self.swap_in(snapshot, latency);
    }

    /// Lets a snapshot decide from now on. The parts are locked, so publications are in order.
    fn swap_in(&self, snapshot: Snapshot, latency: &Latency) {
        let snapshot = Arc::new(snapshot);
        tracing::debug!(
            snapshot = snapshot.id(),
            nodes = snapshot.node_count(),
            "published"
        );
        self.snapshots.store(Some(snapshot.clone()));
        self.measured.store(Some(Arc::new(MeasuredNow {
            snapshot: snapshot.clone(),
            measurements: latency.measurements.clone(),
        })));
        self.publications.send_modify(|publication| {
            publication.number += 1;
            publication.current = Some(snapshot);
            publication.pairs = latency.pairs;
        });
    }
}

/// Reads the latency texts by the present catalogue. Where they do not fit it, the last table stays.
fn rebuild_latency(parts: &mut Parts) {
    let (Some(policies), Some(texts)) = (&parts.policies, &parts.latency_texts) else {
        return;
    };
    match latency_measurements(texts, Some(policies)) {
        Ok(dated) => {
            parts.dated = Some(Arc::new(dated));
            join_latency(parts);
        }
        Err(errors) => {
            for problem in errors {
                tracing::error!(%problem, "the latency files do not fit the catalogue; the last table stays");
            }
        }
    }
}

/// Lays what is measured now over what the files say.
fn join_latency(parts: &mut Parts) {
    let (Some(policies), Some(dated)) = (&parts.policies, &parts.dated) else {
        return;
    };
    // Without live sources, which is usual, nothing is copied.
    let measurements = match parts.live.says_nothing() {
        true => dated.clone(),
        false => Arc::new(parts.live.clone().over(dated)),
    };
    parts.latency = Some(Latency {
        table: Arc::new(table_of(&measurements, Some(policies))),
        pairs: counts(&measurements),
        measurements,
    });
}

/// Whether the same latencies follow from both: when a pair was measured, by whom and of how many samples
/// says nothing about how long it takes.
fn decide_the_same(one: &Measurements, other: &Measurements) -> bool {
    let deciding = |measurement: &Measurement| {
        let Measurement {
            rtt,
            p95,
            statistic,
            samples: _,
            measured_at: _,
            source: _,
            freshness,
        } = measurement;
        (*rtt, *p95, *statistic, *freshness)
    };
    one.len() == other.len()
        && one.unreachable().eq(other.unreachable())
        && one
            .iter()
            .zip(other.iter())
            .all(|(one, other)| (one.0, one.1) == (other.0, other.1) && deciding(one.2) == deciding(other.2))
}

fn counts(measurements: &Measurements) -> PairCounts {
    let mut counts = PairCounts {
        unreachable: measurements.unreachable().count(),
        ..PairCounts::default()
    };
    for (_, _, measurement) in measurements.iter() {
        match measurement.freshness {
            Freshness::Fresh => counts.fresh += 1,
            Freshness::Stale => counts.stale += 1,
            Freshness::Dated => counts.dated += 1,
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded;
    use crate::model::Fleet;

    fn texts((name, text): (&str, &str)) -> Vec<SourceText> {
        vec![SourceText {
            name: name.to_owned(),
            text: text.to_owned(),
        }]
    }

    #[test]
    fn running_pods_make_a_snapshot_that_shares_all_else_with_the_one_before() {
        let publisher = Publisher::default();
        publisher.latency(Arc::new(texts(embedded::latency())));
        publisher.data_sets(Arc::default(), &[]);
        let policies = PolicySet::load(embedded::policies().iter().copied()).unwrap().set;
        publisher.policies(Arc::new(policies));
        let running = |generation| RunningFacts {
            pods: Some(Arc::default()),
            generation,
        };
        publisher.running(running(1));
        assert!(publisher.snapshots().load().is_none(), "pods alone are no fleet");
        publisher.fleet(FleetFacts {
            fleet: Arc::new(Fleet::default()),
            version: "1".to_owned(),
            running: running(1),
            confirmed_until: None,
        });
        let first = publisher.snapshots().load_full().unwrap();
        publisher.running(running(2));
        let second = publisher.snapshots().load_full().unwrap();
        assert!(second.shares_all_but_running(&first));
        assert_ne!(
            second.id(),
            first.id(),
            "they decide scores, so records must tell them apart"
        );
        assert_eq!(second.id(), first.with_running(&running(2)).id());

        publisher.latency(Arc::new(texts(embedded::latency())));
        let third = publisher.snapshots().load_full().unwrap();
        assert!(!third.shares_all_but_running(&second));
        assert_eq!(
            third.id(),
            second.id(),
            "the pods stay when something else is read again"
        );
    }

    #[test]
    fn nothing_is_published_before_every_part_is_there_and_then_everything_is() {
        let publisher = Publisher::default();
        let fleet = FleetFacts {
            fleet: Arc::new(Fleet::default()),
            version: "1".to_owned(),
            running: RunningFacts::default(),
            confirmed_until: None,
        };
        publisher.fleet(fleet.clone());
        publisher.latency(Arc::new(texts(embedded::latency())));
        publisher.data_sets(Arc::default(), &[]);
        assert!(publisher.snapshots().load().is_none());

        let policies = PolicySet::load(embedded::policies().iter().copied()).unwrap().set;
        publisher.policies(Arc::new(policies));
        let first = publisher.snapshots().load_full().unwrap();
        assert!(
            first.latency().measured_pairs() > 0,
            "the latencies were read once the catalogue was there"
        );

        publisher.fleet(FleetFacts {
            version: "2".to_owned(),
            ..fleet
        });
        let publication = publisher.publications().borrow().clone();
        assert_eq!(publication.number, 2);
        assert_ne!(publication.current.unwrap().id(), first.id());
    }
}
