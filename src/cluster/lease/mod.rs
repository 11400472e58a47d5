//! Which replica does what must be done once: waking pods, scanning, writing status.
//!
//! Inputs: a Lease of coordination.k8s.io. Output: [`Leadership`], a cheap handle. Invariants: a replica holds it
//! only until the instant that its last renewal carries it, by its own clock, so that one which hangs or is cut off
//! stops by itself before another starts; a replica that is not elected does nothing of this kind. Where no Lease may
//! be used (no namespace is known, or the account may not) the replica acts as the only one, and says so.
//! Deliberately absent: what the holder does.

mod election;
mod stand;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

pub use stand::{LeaseSettings, stand_for_election};

/// How a replica stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Another holds the Lease, or nobody knows yet.
    Standby,
    /// It holds the Lease, and does no more at this instant unless it renews.
    Held {
        /// The instant.
        until: Instant,
    },
    /// There is no election: it acts as the only one.
    Alone,
    /// It stopped, and gave back what it held.
    Resigned,
}

impl Standing {
    fn is_held(self, now: Instant) -> bool {
        match self {
            Self::Standby | Self::Resigned => false,
            Self::Held { until } => now < until,
            Self::Alone => true,
        }
    }
}

/// Whether this replica is the one that acts. Clones are cheap and say the same.
#[derive(Debug, Clone)]
pub struct Leadership {
    standing: watch::Receiver<Standing>,
    resign: Arc<watch::Sender<bool>>,
}

impl Leadership {
    /// Whether this replica acts now. Ask again before each thing that must be done once.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.standing.borrow().is_held(Instant::now())
    }

    /// Returns when this replica acts; never where it will not any more.
    pub async fn until_held(&mut self) {
        loop {
            if self.standing.borrow_and_update().is_held(Instant::now()) {
                return;
            }
            if self.standing.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Returns when this replica acts no more.
    pub async fn until_lost(&mut self) {
        loop {
            let standing = *self.standing.borrow_and_update();
            let changed = self.standing.changed();
            match standing {
                Standing::Standby | Standing::Resigned => return,
                Standing::Alone => {
                    if changed.await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
                Standing::Held { until } => {
                    tokio::select! {
                        () = sleep_until(until) => return,
                        changed = changed => if changed.is_err() { sleep_until(until).await },
                    }
                }
            }
        }
    }

    /// Gives the Lease back, so that another replica acts at once; waits for that no longer than `limit`.
    pub async fn resign(mut self, limit: Duration) {
        self.resign.send_replace(true);
        let resigned = self.standing.wait_for(|standing| *standing == Standing::Resigned);
        if timeout(limit, resigned).await.is_err() {
            tracing::warn!("the Lease is not given back in time; another replica acts once it ran out");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leadership(standing: Standing) -> (watch::Sender<Standing>, Leadership) {
        let (sender, receiver) = watch::channel(standing);
        let leadership = Leadership {
            standing: receiver,
            resign: Arc::new(watch::Sender::new(false)),
        };
        (sender, leadership)
    }

    #[tokio::test]
    async fn a_holder_that_hangs_stops_by_itself() {
        let until = Instant::now() + Duration::from_millis(50);
        let (_election, mut held) = leadership(Standing::Held { until });
        assert!(held.is_held());
        held.until_lost().await;
        assert!(Instant::now() >= until && !held.is_held());
    }

    #[tokio::test]
    async fn who_waits_is_told_of_each_change() {
        let (election, mut waiting) = leadership(Standing::Standby);
        assert!(!waiting.is_held());
        waiting.until_lost().await;
        election.send_replace(Standing::Alone);
        waiting.until_held().await;
        assert!(waiting.is_held());
        election.send_replace(Standing::Standby);
        waiting.until_lost().await;
        assert!(!waiting.is_held());
    }
}
