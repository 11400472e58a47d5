//! Single words of the documents: dates, ages, classifications.
//!
//! Inputs: text. Outputs: instants in UTC, or why the text is none. Invariant: a day that begins something counts
//! from its first instant, one that ends something to its last (docs/policies.md, 3, "Time").

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::Deserialize;

/// The first instant of a day, or an instant.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Beginning(pub(super) Timestamp);

/// The instant after a day, or an instant.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct End(pub(super) Timestamp);

/// A number of whole days, written `400d`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Age(pub(super) SignedDuration);

/// A classification, the least sensitive first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum Level {
    Public,
    Internal,
    Confidential,
    Restricted,
}

/// A day as its first instant, or an instant; and which it was.
fn instant(text: &str) -> Result<(Timestamp, Option<Date>), String> {
    let unread = |problem: jiff::Error| format!("`{text}` is no date: {problem}");
    if text.contains('T') {
        return Ok((text.parse().map_err(unread)?, None));
    }
    let day: Date = text.parse().map_err(unread)?;
    Ok((
        day.to_zoned(TimeZone::UTC).map_err(unread)?.timestamp(),
        Some(day),
    ))
}

impl TryFrom<String> for Beginning {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        instant(&text).map(|(instant, _)| Self(instant))
    }
}

impl TryFrom<String> for End {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (instant, day) = instant(&text)?;
        let Some(day) = day else {
            return Ok(Self(instant));
        };
        let next = day.checked_add(1.day());
        let next = next.and_then(|day| day.to_zoned(TimeZone::UTC));
        next.map(|next| Self(next.timestamp()))
            .map_err(|problem| format!("`{text}` is no date: {problem}"))
    }
}

impl TryFrom<String> for Age {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // An age of less than a day is for what a cluster confirms, and no cluster is away in a simulation.
        if text.ends_with(['h', 'm', 's']) {
            return Ok(Self(SignedDuration::MAX));
        }
        let days = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok());
        let days = days.ok_or_else(|| format!("`{text}` is no number of days"))?;
        Ok(Self(days_long(days)))
    }
}

impl TryFrom<String> for Level {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::of_word(&text).ok_or_else(|| format!("`{text}` is no classification"))
    }
}

impl Level {
    pub(super) fn of_word(word: &str) -> Option<Self> {
        match word {
            "public" => Some(Self::Public),
            "internal" => Some(Self::Internal),
            "confidential" => Some(Self::Confidential),
            "restricted" => Some(Self::Restricted),
            _ => None,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Confidential => "confidential",
            Self::Restricted => "restricted",
        }
    }
}

/// So many days of 24 hours.
pub(super) fn days_long(days: u32) -> SignedDuration {
    SignedDuration::from_hours(i64::from(days) * 24)
}
