//! Every pod, for the replica that acts for all: the watch on pods that serves the index tells it of all of them.
//!
//! Inputs: somebody asks. Outputs: changes, beginning with a new list. Invariants: whoever asks is told nothing that was heard
//! before; pods are watched once, for both. Deliberately absent: more than one listener at a time; the last who asked is told.

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::watch::PodChange;

/// How many changes wait for a listener who judges, before the watch waits for him.
const MOST_WAITING: usize = 512;

/// Where to ask for every pod.
#[derive(Debug)]
pub struct EveryPod(Sender<Sender<PodChange>>);

/// Those who ask.
pub type PodListeners = Receiver<Sender<PodChange>>;

impl EveryPod {
    /// A way to ask, and its other end, which is for [`super::follow`].
    #[must_use]
    pub fn channel() -> (Self, PodListeners) {
        let (sender, listeners) = channel(1);
        (Self(sender), listeners)
    }

    /// Every pod that has not ended, listed anew and then watched, until the receiver is dropped; without anything where
    /// nobody watches any more.
    pub async fn listed_anew(&self) -> Receiver<PodChange> {
        let (sender, changes) = channel(MOST_WAITING);
        // Where nobody watches, the sender is dropped, which ends the changes.
        let _ = self.0.send(sender).await;
        changes
    }
}
