//! Reading bodies within limits: of one body, of all that are in memory at once, and of time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{Bytes, BytesMut, Payload};
use actix_web::{HttpRequest, rt};
use futures::StreamExt as _;

/// How long a body may take to arrive: six times what kube-scheduler waits for the whole answer, so
/// that only a connection that has stalled meets it, and gives back what it holds of the budget.
const LONGEST_ARRIVAL: Duration = Duration::from_secs(30);

/// How many bytes of bodies may be in memory.
#[derive(Debug)]
pub struct BodyBudget {
    limit: usize,
    together: usize,
    /// The setting that an operator would change; `None` where there is none.
    setting: Option<&'static str>,
    in_flight: AtomicUsize,
}

impl BodyBudget {
    /// A budget for one body and for all bodies together.
    #[must_use]
    pub fn new(limit_bytes: usize) -> Self {
        Self {
            limit: limit_bytes,
            together: limit_bytes,
            setting: Some("body-limit-bytes"),
            in_flight: AtomicUsize::new(0),
        }
    }

    /// A budget for each body and another for all together, which no setting changes.
    #[must_use]
    pub fn of_each(limit_bytes: usize, together_bytes: usize) -> Self {
        Self {
            limit: limit_bytes,
            together: together_bytes,
            setting: None,
            in_flight: AtomicUsize::new(0),
        }
    }

    /// How many bytes are taken now.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    fn take(&self, bytes: usize) -> bool {
        let taken = self
            .in_flight
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |in_flight| {
                in_flight.checked_add(bytes).filter(|sum| *sum <= self.together)
            });
        taken.is_ok()
    }
}

/// Why there is no body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// This body alone is too large.
    #[error("the body is larger than {limit} bytes{}", of_setting(*.setting))]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
        /// Which setting that is.
        setting: Option<&'static str>,
    },
    /// It is not, but with those that are being read now it would be.
    #[error("the bodies in flight together are larger than {limit} bytes{}; try again", of_setting(*.setting))]
    TooManyInFlight {
        /// The limit in bytes.
        limit: usize,
        /// Which setting that is.
        setting: Option<&'static str>,
    },
    /// It did not arrive in time.
    #[error("the body did not arrive within {} seconds", LONGEST_ARRIVAL.as_secs())]
    TooSlow,
    /// The connection broke.
    #[error("the body did not arrive whole")]
    Broken,
}

fn of_setting(setting: Option<&'static str>) -> String {
    setting.map_or_else(String::new, |setting| format!(", the setting `{setting}`"))
}

/// A body and its part of the budget, which is given back when nothing of the body is held any more: an answer that is
/// sent out of it keeps all of it in memory.
#[derive(Debug)]
pub struct Body {
    bytes: Bytes,
}

/// What the bytes of a body are held by.
struct Held {
    bytes: Bytes,
    _reservation: Reservation,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Body {
    fn new(bytes: Bytes, reservation: Reservation) -> Self {
        let held = Held {
            bytes,
            _reservation: reservation,
        };
        Self {
            bytes: Bytes::from_owner(held),
        }
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

#[derive(Debug)]
struct Reservation {
    budget: Arc<BodyBudget>,
    bytes: usize,
}

impl Reservation {
    fn none_of(budget: &Arc<BodyBudget>) -> Self {
        Self {
            budget: Arc::clone(budget),
            bytes: 0,
        }
    }

    fn grow_to(&mut self, bytes: usize) -> Result<(), BodyError> {
        let (limit, setting) = (self.budget.limit, self.budget.setting);
        if bytes > limit {
            return Err(BodyError::TooLarge { limit, setting });
        }
        let more = bytes.saturating_sub(self.bytes);
        if more > 0 && !self.budget.take(more) {
            let limit = self.budget.together;
            return Err(BodyError::TooManyInFlight { limit, setting });
        }
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.in_flight.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

/// Reads a whole body.
///
/// # Errors
/// Where a limit is met or the connection breaks.
pub async fn read_body(
    request: &HttpRequest,
    mut payload: Payload,
    budget: &Arc<BodyBudget>,
) -> Result<Body, BodyError> {
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok())
        .unwrap_or(0);
    let arrival = async {
        let collected = collect(&mut payload, announced, budget).await;
        // Where others hold the budget, the rest of the body is let in and thrown away: a client that is still sending
        // when the connection is closed sees only that, and not why. A body over the limit is not worth its bytes.
        if let Err(BodyError::TooManyInFlight { .. }) = collected {
            while let Some(Ok(_)) = payload.next().await {}
        }
        collected
    };
    rt::time::timeout(LONGEST_ARRIVAL, arrival)
        .await
        .unwrap_or(Err(BodyError::TooSlow))
}

async fn collect(
    payload: &mut Payload,
    announced: usize,
    budget: &Arc<BodyBudget>,
) -> Result<Body, BodyError> {
    let mut reservation = Reservation::none_of(budget);
    // Before the first byte is read, so that a body over the limit costs nothing.
    reservation.grow_to(announced)?;
    let mut gathered = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| BodyError::Broken)?;
        if gathered.is_empty() && chunk.len() == announced {
            // All of it came at once and stays where it is.
            return Ok(Body::new(chunk, reservation));
        }
        reservation.grow_to(gathered.len() + chunk.len())?;
        if gathered.is_empty() {
            gathered.reserve(announced.max(chunk.len()));
        }
        gathered.extend_from_slice(&chunk);
    }
    Ok(Body::new(gathered.freeze(), reservation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_keeps_to_both_limits_and_gives_back() {
        let budget = Arc::new(BodyBudget::new(100));
        let reserve = |bytes| {
            let mut reservation = Reservation::none_of(&budget);
            reservation.grow_to(bytes).map(|()| reservation)
        };
        assert_eq!(
            reserve(101).err(),
            Some(BodyError::TooLarge {
                limit: 100,
                setting: Some("body-limit-bytes")
            })
        );
        let too_many = Some(BodyError::TooManyInFlight {
            limit: 100,
            setting: Some("body-limit-bytes"),
        });
        let mut first = reserve(60).expect("room");
        assert_eq!(reserve(41).err(), too_many.clone());
        first.grow_to(70).expect("room");
        first.grow_to(50).expect("a reservation never shrinks");
        assert_eq!(reserve(31).err(), too_many);
        drop(first);
        assert!(reserve(100).is_ok());
        assert_eq!(budget.in_flight.load(Ordering::Acquire), 0);
    }

    #[test]
    fn an_answer_that_is_sent_out_of_a_body_holds_its_part_of_the_budget() {
        let budget = Arc::new(BodyBudget::new(100));
        let mut reservation = Reservation::none_of(&budget);
        reservation.grow_to(60).expect("room");
        let body = Body::new(Bytes::from(vec![b'a'; 60]), reservation);
        let part = body.bytes().slice(50..);
        drop(body);
        assert_eq!((part.len(), budget.in_flight()), (10, 60));
        drop(part);
        assert_eq!(budget.in_flight(), 0);
    }
}
