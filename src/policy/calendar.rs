//! Instants as people read them, in UTC.
//!
//! Inputs: instants. Outputs: days. Invariant: what ends at a midnight ends with the day before. Deliberately absent:
//! the clock, and how dates are read from files.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The day of an instant.
#[must_use]
pub fn day(instant: Timestamp) -> String {
    instant.to_zoned(TimeZone::UTC).date().to_string()
}

/// The last day before an instant, for what ends then.
#[must_use]
pub fn last_day(end: Timestamp) -> String {
    day(end.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(end))
}

/// The day that an instant begins; the instant itself where it is no midnight.
#[must_use]
pub fn day_or_instant(instant: Timestamp) -> String {
    if is_midnight(instant) {
        day(instant)
    } else {
        instant.to_string()
    }
}

/// The day that ends at an instant; the instant itself where it is no midnight.
#[must_use]
pub fn last_day_or_instant(end: Timestamp) -> String {
    if is_midnight(end) {
        last_day(end)
    } else {
        end.to_string()
    }
}

fn is_midnight(instant: Timestamp) -> bool {
    instant.to_zoned(TimeZone::UTC).time() == jiff::civil::Time::midnight()
}
