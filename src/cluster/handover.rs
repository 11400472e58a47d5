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
use crate::files::{SourceHealth, SourceName, SourceState};
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

/// How the cluster is as a source of facts; `None` before it was known whole.
#[must_use]
pub fn cluster_health(state: &ClusterState, now: Timestamp) -> Option<SourceHealth> {
    state.fleet.as_ref()?;
    // A kind that was never heard is not among what is known.
    let heard = state.away.values().flatten().min().copied();
    let kinds = state
        .away
        .keys()
        .map(|kind| format!("the {kind} of the cluster cannot be heard"));
    let state = match heard {
        Some(since) => SourceState::LastKnownGood {
            since,
            problems: kinds.collect(),
        },
        None => SourceState::Current { since: now },
    };
    Some(SourceHealth {
        name: SourceName::Cluster,
        state,
        digest: None,
        confirmed_at: Some(heard.unwrap_or(now)),
        state_write_failures: 0,
    })
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
            confirmed_until: now.confirmed_until,
        });
    } else if now.pods_generation != published.pods_generation {
        publisher.running(running);
    }
    *published = now;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Fleet;

    #[test]
    fn a_cluster_that_cannot_be_heard_is_as_old_as_what_was_heard_last() {
        let instant = |text: &str| text.parse::<Timestamp>().expect("an instant");
        let (early, late, now) = (
            instant("2027-01-31T12:00:00Z"),
            instant("2027-01-31T12:00:09Z"),
            instant("2027-01-31T12:05:00Z"),
        );
        let mut state = ClusterState::default();
        assert_eq!(cluster_health(&state, now), None, "nothing is known yet");
        state.fleet = Some(Arc::new(Fleet::default()));
        let health = |state: &ClusterState| cluster_health(state, now).expect("a fleet");
        assert!(!health(&state).is_last_known_good());
        assert_eq!(health(&state).confirmed_at, Some(now));
        state.away.insert("nodes", Some(late));
        state.away.insert("pods", Some(early));
        assert!(health(&state).is_last_known_good());
        assert_eq!(health(&state).confirmed_at, Some(early));
    }
}
