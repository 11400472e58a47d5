//! IN-SHELL: a live cluster as a fleet.
//!
//! Inputs: watches of nodes, namespaces, claims, volumes and storage classes. Outputs: a
//! [`ClusterState`] for each change that decides something. Invariants: one writer; nothing is published
//! before every kind was listed whole; a heartbeat publishes nothing; changes that come together are
//! published together. When the API server is away the last state stays, and says which watches are
//! broken. What pods should be told is written as Events. Deliberately absent: running pods, CRDs, the decision itself.

mod events;
mod index;
mod wake;
mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kube::Client;
use tokio::sync::watch::Sender;
use tokio::time::{Instant, sleep_until};

use crate::model::Fleet;
pub use events::write_pod_events;
pub use index::{Change, Index, Store};
pub use wake::{is_widened, wake_after_publications};
use watch::{Heard, watch_all};

/// How long changes are gathered before they are published together.
pub const COALESCE: Duration = Duration::from_millis(2);

/// What is known of the cluster.
#[derive(Debug, Clone, Default)]
pub struct ClusterState {
    /// The objects, once every kind was listed whole.
    pub fleet: Option<Arc<Fleet>>,
    /// Counts the states of the fleet, from 1.
    pub generation: u64,
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

/// Watches the cluster for ever and publishes its states. Returns when nobody listens any more.
pub async fn follow(client: Client, states: Sender<ClusterState>) {
    let mut heard = watch_all(&client);
    let mut index = Index::default();
    let mut state = ClusterState {
        missing: index.missing(),
        ..ClusterState::default()
    };
    let mut publish_at: Option<Instant> = None;
    while !states.is_closed() {
        let due = publish_at.unwrap_or_else(Instant::now);
        tokio::select! {
            said = heard.next() => {
                let Some(said) = said else { return };
                if take(said, &mut index, &mut state) {
                    publish_at.get_or_insert_with(|| Instant::now() + COALESCE);
                }
            }
            () = sleep_until(due), if publish_at.is_some() => {
                publish_at = None;
                publish(&index, &mut state);
                states.send_replace(state.clone());
            }
        }
    }
}

/// Takes in what a watch said, and tells whether anything is to be published.
fn take(said: Heard, index: &mut Index, state: &mut ClusterState) -> bool {
    match said.change {
        None => state.failed.insert(said.kind, Instant::now()).is_none(),
        Some(change) => {
            let had_failed = state.failed.remove(said.kind).is_some();
            change.into_index(index) || had_failed
        }
    }
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
