//! IN-SHELL: a live cluster as a fleet.
//!
//! Inputs: watches of nodes, namespaces, claims, volumes, storage classes and running pods. Outputs: a
//! [`ClusterState`] for each change that decides something. Invariants: one writer; no fleet is published
//! before every kind of it was listed whole, and no running pod before all were; a heartbeat publishes
//! nothing; changes that come together are published together, and those of running pods, which never
//! rest, at most every [`PODS_APART`]. When the API server is away the last state stays, and says which
//! watches are broken. What pods should be told is written as Events. Besides, for whoever
//! asks once, the lists of the cluster as text. Deliberately absent: CRDs, the
//! decision itself.

mod events;
mod index;
mod lists;
mod wake;
mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kube::Client;
use tokio::sync::watch::Sender;
use tokio::time::{Instant, sleep_until};

use crate::model::{Fleet, RunningPods};
pub use events::write_pod_events;
pub use index::{Change, Index, Store};
pub use lists::list_fleet;
pub use wake::{is_widened, wake_after_publications};
use watch::{Heard, PODS, watch_all};

/// How long changes are gathered before they are published together.
pub const COALESCE: Duration = Duration::from_millis(2);

/// The least time between two states of the running pods: each is gathered anew and makes a snapshot.
pub const PODS_APART: Duration = Duration::from_secs(1);

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
    /// The kinds whose watch failed, and when last; a kind of which anything was heard since is not here.
    pub failed: BTreeMap<&'static str, Instant>,
    /// How many objects are there and cannot be read.
    pub unreadable: usize,
}

/// A watch that is away fails again at least so often (the longest pause of its backoff, with jitter, is
/// a minute); one that did not is back, though a quiet cluster gave it nothing to say.
const LONGEST_PAUSE: Duration = Duration::from_secs(90);

impl ClusterState {
    /// Whether the state is what the API server says now.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.fleet.is_some()
            && self
                .failed
                .values()
                .all(|failed| failed.elapsed() > LONGEST_PAUSE)
    }
}

/// When what is to be published.
#[derive(Debug, Default)]
struct Due {
    fleet: Option<Instant>,
    pods: Option<Instant>,
    /// When running pods were published last.
    pods_published: Option<Instant>,
    /// Until when the first fleet waits for running pods.
    pods_awaited: Option<Instant>,
}

impl Due {
    /// Something of the kind changed.
    fn note(&mut self, kind: &'static str, now: Instant) {
        if kind == PODS {
            let apart = self.pods_published.map(|published| published + PODS_APART);
            let soon = now + COALESCE;
            self.pods
                .get_or_insert(apart.map_or(soon, |apart| apart.max(soon)));
        } else {
            self.fleet.get_or_insert(now + COALESCE);
        }
    }

    /// When the next thing is due.
    fn next(&self) -> Option<Instant> {
        self.fleet.into_iter().chain(self.pods).min()
    }
}

/// Watches the cluster for ever and publishes its states. Returns when nobody listens any more.
pub async fn follow(client: Client, states: Sender<ClusterState>) {
    let mut heard = watch_all(&client);
    let mut index = Index::default();
    let mut state = ClusterState {
        missing: index.missing(),
        ..ClusterState::default()
    };
    let mut due = Due::default();
    while !states.is_closed() {
        let next = due.next();
        tokio::select! {
            said = heard.next() => {
                let Some(said) = said else { return };
                let kind = said.kind;
                match take(said, &mut index, &mut state) {
                    News::Nothing => {}
                    News::Objects => due.note(kind, Instant::now()),
                    // Which watches are broken is told with the fleet, at once.
                    News::Health => due.note("", Instant::now()),
                }
            }
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                publish_due(&mut due, &mut index, &mut state, Instant::now());
                states.send_replace(state.clone());
            }
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
    match said.change {
        None if state.failed.insert(said.kind, Instant::now()).is_none() => News::Health,
        None => News::Nothing,
        Some(change) => {
            let had_failed = state.failed.remove(said.kind).is_some();
            match (change.into_index(index), had_failed) {
                (true, _) => News::Objects,
                (false, true) => News::Health,
                (false, false) => News::Nothing,
            }
        }
    }
}

/// Takes over into the state what is due by now.
fn publish_due(due: &mut Due, index: &mut Index, state: &mut ClusterState, now: Instant) {
    if due.pods.is_some_and(|due| due <= now) {
        due.pods = None;
        due.pods_published = Some(now);
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
    if !is_first || state.running_pods.is_some() || state.failed.contains_key(PODS) {
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
