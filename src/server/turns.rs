//! Turns at being decided: how many requests may wait for one, and for how long.
//!
//! A worker decides one request at a time, so whoever asks when it is busy stands in line. Inputs: when the body of a
//! request was there. Outputs: its turn, or why it has none. Invariants: nobody is turned away while the line is short;
//! whoever gets a turn waited no longer than the limit, so an answer is early enough for whoever waits for it, or is
//! an error that says so at once. Deliberately absent: what is decided; the bytes of bodies, which are bounded by their
//! budget; threads, for the line is one and each worker takes from it what came to its own connections.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix_web::rt::task::yield_now;

/// The line of requests that wait to be decided.
#[derive(Debug)]
pub struct Turns {
    most_waiting: usize,
    longest_wait: Duration,
    waiting: AtomicUsize,
}

/// Why a request has no turn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// The line is full.
    #[error("{limit} requests wait to be decided already, the setting `overload.most-waiting`; try again")]
    TooMany {
        /// How many may wait.
        limit: usize,
    },
    /// The line moved too slowly.
    #[error("the request waited longer than {} ms to be decided, the setting `overload.longest-wait`; try again", limit.as_millis())]
    TooLong {
        /// How long one may wait.
        limit: Duration,
    },
}

impl Busy {
    /// The word for metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooMany { .. } => "too-many-waiting",
            Self::TooLong { .. } => "waited-too-long",
        }
    }
}

impl Turns {
    /// A line of so many requests, each of which waits at most so long.
    #[must_use]
    pub fn new(most_waiting: usize, longest_wait: Duration) -> Self {
        Self {
            most_waiting,
            longest_wait,
            waiting: AtomicUsize::new(0),
        }
    }

    /// How many wait now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// Waits for a turn. Whatever has arrived on other connections stands in line before this returns, so the length of
    /// the line is true.
    ///
    /// # Errors
    /// Where the line is full, or moves too slowly.
    pub async fn next(&self) -> Result<(), Busy> {
        let since = Instant::now();
        let _place = self.stand_in_line()?;
        yield_now().await;
        match since.elapsed() <= self.longest_wait {
            true => Ok(()),
            false => Err(Busy::TooLong {
                limit: self.longest_wait,
            }),
        }
    }

    fn stand_in_line(&self) -> Result<Place<'_>, Busy> {
        let taken = self
            .waiting
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |waiting| {
                (waiting < self.most_waiting).then_some(waiting + 1)
            });
        match taken {
            Ok(_) => Ok(Place(self)),
            Err(_) => Err(Busy::TooMany {
                limit: self.most_waiting,
            }),
        }
    }
}

/// A place in line, which is free again when it is dropped: also where a client goes away meanwhile.
struct Place<'t>(&'t Turns);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn a_line_holds_so_many_and_turns_away_the_others() {
        let turns = Turns::new(2, LONG);
        let all = futures::future::join_all([turns.next(), turns.next(), turns.next()]).await;
        assert_eq!(all, [Ok(()), Ok(()), Err(Busy::TooMany { limit: 2 })]);
        assert_eq!(turns.waiting(), 0);
        assert_eq!(turns.next().await, Ok(()));
    }

    #[tokio::test]
    async fn who_has_waited_too_long_gets_no_turn() {
        let limit = Duration::from_millis(1);
        let turns = Turns::new(2, limit);
        let slow = async { std::thread::sleep(limit * 5) };
        let (waited, ()) = futures::future::join(turns.next(), slow).await;
        assert_eq!(waited, Err(Busy::TooLong { limit }));
    }

    #[tokio::test]
    async fn a_client_that_goes_away_gives_its_place_back() {
        let turns = Turns::new(1, LONG);
        let mut first = Box::pin(turns.next());
        assert!(futures::poll!(first.as_mut()).is_pending());
        assert_eq!(
            (turns.waiting(), turns.next().await),
            (1, Err(Busy::TooMany { limit: 1 }))
        );
        drop(first);
        assert_eq!((turns.waiting(), turns.next().await), (0, Ok(())));
    }
}
