//! From the states of a cluster to the one writer of snapshots.
//!
//! Invariants: a state that changed only where pods run changes nothing else of the snapshot; that the API server is away
//! or back makes a snapshot too, since it decides how old its facts are. Deliberately absent: what a snapshot is made of.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch::Receiver;

use super::ClusterState;
use crate::assembly::FleetFacts;
use crate::publish::Publisher;
use crate::snapshot::RunningFacts;

/// How often a state is looked at where nothing changes, so that its age is told.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// What of a state was published.
#[derive(Debug, Default, PartialEq, Eq)]
struct Published {
    generation: u64,
    pods_generation: u64,
    confirmed_until: Option<Timestamp>,
}

/// Publishes each state of a cluster, for ever. `look` is shown each state after that, and the same again every few
/// seconds. Returns when there will be no more states.
pub async fn hand_over(
    mut states: Receiver<ClusterState>,
    publisher: Arc<Publisher>,
    look: impl Fn(&ClusterState),
) {
    let mut published = Published::default();
    let mut interval = tokio::time::interval(LOOK_INTERVAL);
    loop {
        tokio::select! {
            changed = states.changed() => if changed.is_err() { return },
            _ = interval.tick() => {}
        }
        let state = states.borrow_and_update().clone();
        publish(&state, &mut published, &publisher);
        look(&state);
    }
}

fn publish(state: &ClusterState, published: &mut Published, publisher: &Publisher) {
    let Some(fleet) = &state.fleet else { return };
    let running = RunningFacts {
        pods: state.running_pods.clone(),
        generation: state.pods_generation,
    };
    let now = Published {
        generation: state.generation,
        pods_generation: state.pods_generation,
        confirmed_until: state.confirmed_until(),
    };
    if (now.generation, now.confirmed_until) != (published.generation, published.confirmed_until) {
        publisher.fleet(FleetFacts {
            fleet: fleet.clone(),
            version: format!("cluster-{}", state.generation),
            running,
        });
    } else if now.pods_generation != published.pods_generation {
        publisher.running(running);
    }
    *published = now;
}
