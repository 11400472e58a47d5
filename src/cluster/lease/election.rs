//! Who may hold a Lease: the rule by which replicas agree on one, after client-go's leader election.
//!
//! Inputs: what a Lease says when it is read, the identity of this replica, the instant. Outputs: whether to
//! wait or to claim it, and what to write. Invariants: another replica's claim stands until nothing of it was
//! renewed for its whole duration *by our own clock*, so that clocks of machines need not agree; what is written
//! goes with the version that was read, so that of two claims the API server takes one. No client, no clock.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use tokio::time::Instant;

/// For how long a claim stands without being renewed.
pub const DURATION: Duration = Duration::from_secs(15);

/// How long a holder that cannot renew goes on: less than [`DURATION`], so that two never act at once.
pub const RENEW_WITHIN: Duration = Duration::from_secs(10);

/// What a replica does about the Lease now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Another holds it.
    Wait,
    /// Write our claim: nobody holds it, its holder was silent for too long, or it is ours already.
    Claim,
}

/// One replica's part in the election.
#[derive(Debug)]
pub struct Election {
    identity: String,
    seen: Option<Seen>,
}

/// The claim of another, and since when it has not changed.
#[derive(Debug)]
struct Seen {
    holder: String,
    renewed: Option<MicroTime>,
    since: Instant,
}

impl Election {
    /// A replica that has seen nothing yet.
    #[must_use]
    pub fn new(identity: String) -> Self {
        Self { identity, seen: None }
    }

    /// Looks at the Lease as it was just read; `None` where there is none.
    pub fn look(&mut self, lease: Option<&LeaseSpec>, now: Instant) -> Step {
        let holder = lease.and_then(|lease| lease.holder_identity.as_deref());
        let Some((lease, holder)) = lease.zip(holder.filter(|holder| !holder.is_empty())) else {
            self.seen = None;
            return Step::Claim;
        };
        if holder == self.identity {
            self.seen = None;
            return Step::Claim;
        }
        let is_same = |seen: &&Seen| seen.holder == holder && seen.renewed == lease.renew_time;
        match self.seen.as_ref().filter(is_same) {
            Some(seen) if now.duration_since(seen.since) >= duration(lease) => Step::Claim,
            Some(_) => Step::Wait,
            None => {
                self.seen = Some(Seen {
                    holder: holder.to_owned(),
                    renewed: lease.renew_time.clone(),
                    since: now,
                });
                Step::Wait
            }
        }
    }

    /// Our claim, to be written over what was read.
    #[must_use]
    pub fn claim(&self, before: Option<&LeaseSpec>, at: Timestamp) -> LeaseSpec {
        let transitions = before.and_then(|before| before.lease_transitions);
        let ours = before.filter(|before| before.holder_identity.as_ref() == Some(&self.identity));
        let (acquired, transitions) = match (ours, before) {
            (Some(ours), _) => (ours.acquire_time.clone(), transitions.unwrap_or(0)),
            (None, Some(_)) => (None, transitions.unwrap_or(0).saturating_add(1)),
            (None, None) => (None, 0),
        };
        let at = MicroTime(at);
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            acquire_time: Some(acquired.unwrap_or_else(|| at.clone())),
            renew_time: Some(at),
            lease_transitions: Some(transitions),
            ..LeaseSpec::default()
        }
    }

    /// Our claim given up, so that the next replica need not wait.
    #[must_use]
    pub fn release(&self, held: &LeaseSpec, at: Timestamp) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(String::new()),
            lease_duration_seconds: Some(1),
            renew_time: Some(MicroTime(at)),
            ..held.clone()
        }
    }
}

/// For how long the holder's claim stands, as it says itself.
fn duration(lease: &LeaseSpec) -> Duration {
    let seconds = lease
        .lease_duration_seconds
        .and_then(|seconds| u64::try_from(seconds).ok());
    seconds.map_or(DURATION, Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn later(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("an instant")
    }

    #[test]
    fn nobody_holds_it_so_it_is_claimed_and_then_renewed() {
        let mut election = Election::new("a".to_owned());
        let start = Instant::now();
        assert_eq!(election.look(None, start), Step::Claim);
        let first = election.claim(None, AT);
        assert_eq!(
            (first.holder_identity.as_deref(), first.lease_transitions),
            (Some("a"), Some(0))
        );
        assert_eq!(election.look(Some(&first), start), Step::Claim);
        let renewed = election.claim(Some(&first), later(2));
        assert_eq!(
            (
                renewed.acquire_time,
                renewed.renew_time,
                renewed.lease_transitions
            ),
            (Some(MicroTime(AT)), Some(MicroTime(later(2))), Some(0))
        );
    }

    #[test]
    fn a_claim_stands_until_it_was_silent_for_its_duration_whatever_its_clock_says() {
        let (holder, mut other) = (Election::new("a".to_owned()), Election::new("b".to_owned()));
        let start = Instant::now();
        // The clock of the holder is years behind.
        let first = holder.claim(None, AT);
        assert_eq!(other.look(Some(&first), start), Step::Wait);
        assert_eq!(other.look(Some(&first), start + DURATION / 2), Step::Wait);
        let renewed = holder.claim(Some(&first), later(2));
        assert_eq!(other.look(Some(&renewed), start + DURATION), Step::Wait);
        let almost = start + DURATION + DURATION - Duration::from_millis(1);
        assert_eq!(other.look(Some(&renewed), almost), Step::Wait);
        assert_eq!(other.look(Some(&renewed), start + DURATION * 2), Step::Claim);
        let taken = other.claim(Some(&renewed), later(60));
        assert_eq!(
            (taken.holder_identity.as_deref(), taken.lease_transitions),
            (Some("b"), Some(1))
        );
        assert_eq!(taken.acquire_time, Some(MicroTime(later(60))));
    }

    #[test]
    fn what_is_released_is_claimed_at_once() {
        let (holder, mut other) = (Election::new("a".to_owned()), Election::new("b".to_owned()));
        let start = Instant::now();
        let held = holder.claim(None, AT);
        assert_eq!(other.look(Some(&held), start), Step::Wait);
        let released = holder.release(&held, later(1));
        assert_eq!(other.look(Some(&released), start), Step::Claim);
        assert_eq!(other.claim(Some(&released), later(2)).lease_transitions, Some(1));
    }

    #[test]
    fn a_holder_that_cannot_renew_stops_before_another_starts() {
        assert!(RENEW_WITHIN < DURATION);
    }
}
