//! IN-SHELL: a live cluster as a fleet.
//!
//! Inputs: watches of nodes, namespaces, claims, volumes, storage classes and running pods. Outputs: a
//! [`ClusterState`] for each change that decides something, and from it snapshots. Invariants: one writer; no fleet is
//! published before every kind of it was listed whole, and no running pod before all were; a heartbeat publishes
//! nothing; changes that come together are published together, and what did not change is shared with the state before,
//! so that publishing costs what changed. When the API server is away the last state stays, and says since when.
//! What pods should be told is written as Events. One replica, which a Lease elects, wakes pods that a change admits and
//! scans every pod (`duties`). Besides, for whoever asks once, the lists of the cluster as text; and objects of our own
//! kinds, which are rules and facts beside files. Deliberately absent: the decision itself.

mod custom_resources;
mod duties;
mod events;
mod every_pod;
mod handover;
mod index;
pub mod lease;
mod lists;
mod owner;
mod raw_object;
pub mod retries;
pub mod roster;
mod watch;
mod watcher;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use kube::Client;
use tokio::sync::watch::Sender;
use tokio::time::{Instant, sleep_until};

use crate::model::{Fleet, RunningPods};
pub use custom_resources::{
    CustomState, StatusSettings, defined_kinds, follow_custom_resources, keep_statuses, list_custom_resources,
};
pub use duties::{Duties, DutyMetrics, DutySettings};
pub use events::write_pod_events;
pub use every_pod::{EveryPod, PodListeners};
pub use handover::{cluster_health, hand_over};
pub use index::{Change, Index, Store};
pub use lists::list_fleet;
pub use watch::PodChange;
use watch::{Heard, PODS, Word, watch_all_but_pods, watch_every_pod, watch_running_pods};

/// How long changes of objects that decide are gathered before they are published together.
pub const COALESCE: Duration = Duration::from_millis(2);

/// How long changes of running pods are: they only sway the order of places, and each binding is one. A busy
/// kube-scheduler binds a pod every few milliseconds, so that publishing each by itself costs as much as reading it.
pub const PODS_COALESCE: Duration = Duration::from_millis(10);

/// How long the first fleet waits for the list of running pods, so that the first decisions know them.
/// Decisions without them are right, if not nearest, so a long list keeps nobody waiting.
pub const PODS_GRACE: Duration = Duration::from_secs(5);

/// What is known of the cluster.
#[derive(Debug, Clone, Default)]
pub struct ClusterState {
    /// The objects, once every kind was listed whole.
    pub fleet: Option<Arc<Fleet>>,
    /// Counts the states of the fleet, from 1.
    pub generation: u64,
    /// Where pods run, once they were listed whole; the fleet does not wait for that for long.
    pub running_pods: Option<Arc<RunningPods>>,
    /// Counts the states of the running pods, from 1.
    pub pods_generation: u64,
    /// The kinds that were not yet listed whole.
    pub missing: Vec<&'static str>,
    /// The kinds that cannot be heard, and when each was heard last.
    pub away: BTreeMap<&'static str, Option<Timestamp>>,
    /// How many objects are there and cannot be read.
    pub unreadable: usize,
}

impl ClusterState {
    /// Whether the state is what the API server says now.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.fleet.is_some() && self.away.is_empty()
    }

    /// Until when the API server confirmed the objects that decide, where some of it cannot be heard now; `None` where
    /// it confirms them. Running pods only sway the order of places, so that they do not count.
    #[must_use]
    pub fn confirmed_until(&self) -> Option<Timestamp> {
        let deciding = self.away.iter().filter(|(kind, _)| **kind != PODS);
        deciding.filter_map(|(_, heard)| *heard).min()
    }
}

/// When what is to be published.
#[derive(Debug, Default)]
struct Due {
    fleet: Option<Instant>,
    pods: Option<Instant>,
    /// Until when the first fleet waits for running pods.
    pods_awaited: Option<Instant>,
}

impl Due {
    /// Something of the kind changed.
    fn note(&mut self, kind: &'static str, now: Instant) {
        let (due, gathered) = match kind {
            PODS => (&mut self.pods, PODS_COALESCE),
            _ => (&mut self.fleet, COALESCE),
        };
        due.get_or_insert(now + gathered);
    }

    /// When the next thing is due.
    fn next(&self) -> Option<Instant> {
        self.fleet.into_iter().chain(self.pods).min()
    }
}

/// Watches the cluster for ever and publishes its states, and tells every pod to whoever asks for that. Returns when nobody
/// listens to the states any more.
pub async fn follow(client: Client, states: Sender<ClusterState>, mut listeners: PodListeners) {
    let mut objects = watch_all_but_pods(&client);
    let mut pods = watch_running_pods(&client);
    let mut index = Index::default();
    let mut state = ClusterState {
        missing: index.missing(),
        ..ClusterState::default()
    };
    let mut due = Due::default();
    while !states.is_closed() {
        let next = due.next();
        let said = tokio::select! {
            said = objects.next() => said,
            said = pods.next() => said,
            Some(listener) = listeners.recv() => {
                pods = watch_every_pod(&client, listener);
                continue;
            }
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                publish_due(&mut due, &mut index, &mut state, Instant::now());
                states.send_replace(state.clone());
                continue;
            }
        };
        let Some(said) = said else { return };
        let kind = said.kind;
        match take(said, &mut index, &mut state) {
            News::Nothing => {}
            News::Objects => due.note(kind, Instant::now()),
            // Which watches are broken is told with the fleet, at once.
            News::Health => due.note("", Instant::now()),
        }
    }
}

/// What a watch said that others should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    /// Nothing that decides.
    Nothing,
    /// Objects that decide.
    Objects,
    /// The watch broke, or is back; its objects may have changed too.
    Health,
}

/// Takes in what a watch said.
fn take(said: Heard, index: &mut Index, state: &mut ClusterState) -> News {
    let is_news = match said.word {
        Word::Changed(change) => {
            return match change.into_index(index) {
                true => News::Objects,
                false => News::Nothing,
            };
        }
        Word::Confirmed => state.away.remove(said.kind).is_some(),
        Word::Away { heard } => state.away.insert(said.kind, heard) != Some(heard),
    };
    if is_news { News::Health } else { News::Nothing }
}

/// Takes over into the state what is due by now.
fn publish_due(due: &mut Due, index: &mut Index, state: &mut ClusterState, now: Instant) {
    if due.pods.is_some_and(|due| due <= now) {
        due.pods = None;
        publish_pods(index, state);
        if due.pods_awaited.is_some() && state.fleet.is_none() {
            due.fleet = Some(now);
        }
    }
    if due.fleet.is_some_and(|due| due <= now) {
        due.fleet = awaited(due, index, state, now);
        if due.fleet.is_none() {
            publish(index, state);
        }
    }
}

/// Until when the first fleet waits, if it waits for running pods.
fn awaited(due: &mut Due, index: &Index, state: &ClusterState, now: Instant) -> Option<Instant> {
    let is_first = state.fleet.is_none() && index.missing().is_empty();
    if !is_first || state.running_pods.is_some() || state.away.contains_key(PODS) {
        return None;
    }
    let until = *due.pods_awaited.get_or_insert(now + PODS_GRACE);
    (now < until).then_some(until)
}

fn publish(index: &Index, state: &mut ClusterState) {
    state.missing = index.missing();
    state.unreadable = index.unreadable_count();
    let Some(fleet) = index.fleet() else {
        return;
    };
    // A watch that broke and came back changes the state and not the fleet.
    if state.fleet.as_deref() != Some(&fleet) {
        state.generation += 1;
        state.fleet = Some(Arc::new(fleet));
    }
}

fn publish_pods(index: &mut Index, state: &mut ClusterState) {
    state.unreadable = index.unreadable_count();
    let Some(pods) = index.running_pods() else {
        return;
    };
    if state.running_pods.as_deref() != Some(&pods) {
        state.pods_generation += 1;
        state.running_pods = Some(Arc::new(pods));
    }
}

#[cfg(test)]
#[path = "due_tests.rs"]
mod tests;
