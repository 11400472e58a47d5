//! What somebody measured between two places: a round-trip time, and what it is worth.
//!
//! Inputs: what a file or a live source says. Output: a [`Measurement`], which says for each statistic
//! what it knows of it, and whether that is the statistic itself or only an upper guess.
//! Invariant: a place is a region or a zone of one.
//! Deliberately absent: clocks; how fresh a measurement is was decided by whoever made it.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::estimate::p95_from_p50;
use crate::model::{InvalidPlace, Latency, RegionKey, Statistic};

/// An end of a measured pair: a region, or a zone of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeasuredPlace {
    /// The region.
    pub region: RegionKey,
    /// The zone, where the measurement is that fine.
    pub zone: Option<Arc<str>>,
}

impl MeasuredPlace {
    /// A whole region.
    #[must_use]
    pub fn region(region: RegionKey) -> Self {
        Self { region, zone: None }
    }

    /// Reads `provider/region` or `provider/region/zone`.
    ///
    /// # Errors
    /// Where the text has neither form.
    pub fn parse(text: &str) -> Result<Self, InvalidPlace> {
        let invalid = || InvalidPlace::Region(text.to_owned());
        let Some((region, zone)) = text.match_indices('/').nth(1).map(|(at, _)| text.split_at(at)) else {
            return RegionKey::parse(text).map(Self::region);
        };
        let zone = zone.trim_start_matches('/');
        // A zone obeys the rule of a region's name.
        RegionKey::new("any", zone).map_err(|_| invalid())?;
        Ok(Self {
            region: RegionKey::parse(region).map_err(|_| invalid())?,
            zone: Some(Arc::from(zone)),
        })
    }

    /// Whether a time between the two is a time inside one region that no two zones bound.
    #[must_use]
    pub fn is_inside_one_region(&self, other: &Self) -> bool {
        self.region == other.region && (self.zone.is_none() || other.zone.is_none())
    }
}

impl fmt::Display for MeasuredPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.region.fmt(formatter)?;
        match &self.zone {
            Some(zone) => write!(formatter, "/{zone}"),
            None => Ok(()),
        }
    }
}

/// What the main figure of a measurement is of its samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MeasuredStatistic {
    /// The median.
    P50,
    /// The mean. A few slow samples raise it, so it is an upper guess of the median.
    Mean,
    /// The time that one in twenty exceeds. No median is above it, so it is an upper guess of one.
    P95,
}

impl MeasuredStatistic {
    /// Every word that a file may use, as an error message lists them.
    pub const WORDS: &'static str = "p50, median, mean, average or p95";

    /// Reads a word, in whatever case.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "p50" | "median" => Some(Self::P50),
            "mean" | "average" => Some(Self::Mean),
            "p95" => Some(Self::P95),
            _ => None,
        }
    }

    /// The word that files and reports use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::Mean => "mean",
            Self::P95 => "p95",
        }
    }
}

/// How a measurement stands to the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Freshness {
    /// It is from a file, as of a day that the file says: what counts where nothing is measured now.
    #[default]
    Dated,
    /// It is measured now.
    Fresh,
    /// It was measured until a moment ago.
    Stale,
}

impl Freshness {
    /// Reads a word of a file, in whatever case.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "dated" => Some(Self::Dated),
            "fresh" => Some(Self::Fresh),
            "stale" => Some(Self::Stale),
            _ => None,
        }
    }

    /// The word that files and reports use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Dated => "dated",
            Self::Fresh => "fresh",
            Self::Stale => "stale",
        }
    }

    /// Whether it is measured now, or was a moment ago.
    #[must_use]
    pub fn is_live(self) -> bool {
        self != Self::Dated
    }
}

/// What was measured between two places.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The main figure: the typical round trip, unless `statistic` says that it is something else.
    pub rtt: Latency,
    /// The round trip that one in twenty exceeds.
    pub p95: Option<Latency>,
    /// What `rtt` is of the samples; nothing stated is the median.
    pub statistic: Option<MeasuredStatistic>,
    /// How many samples it is made of, where the source says.
    pub samples: Option<u32>,
    /// When; a day counts from its beginning in UTC.
    pub measured_at: Option<Timestamp>,
    /// By whom.
    pub source: Option<Arc<str>>,
    /// How it stands to the present.
    pub freshness: Freshness,
}

/// What a measurement says of one statistic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The round trip.
    pub latency: Latency,
    /// Whether that very statistic was measured; else `latency` is an upper guess from another one.
    pub is_exact: bool,
}

impl Measurement {
    /// What it says of a statistic: the figure itself, or an upper guess.
    ///
    /// A stale median counts as the last P95 where that is more: what nobody sees any more may have
    /// become worse.
    #[must_use]
    pub fn reading(&self, statistic: Statistic) -> Reading {
        let exact = |latency| Reading {
            latency,
            is_exact: true,
        };
        let guess = |latency| Reading {
            latency,
            is_exact: false,
        };
        let is_median = matches!(self.statistic, None | Some(MeasuredStatistic::P50));
        match (statistic, self.p95) {
            (Statistic::P95, Some(p95)) => exact(p95),
            (Statistic::P95, None) if self.statistic == Some(MeasuredStatistic::P95) => exact(self.rtt),
            (Statistic::P95, None) => guess(p95_from_p50(self.rtt)),
            (Statistic::P50, Some(p95)) if is_median && self.freshness == Freshness::Stale => {
                exact(if p95 > self.rtt { p95 } else { self.rtt })
            }
            (Statistic::P50, _) if is_median => exact(self.rtt),
            (Statistic::P50, _) => guess(self.rtt),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> MeasuredPlace {
        MeasuredPlace::parse(text).expect("a place")
    }

    #[test]
    fn a_place_is_a_region_or_a_zone_of_one() {
        for text in ["aws/eu-west-1", "aws/eu-west-1/eu-west-1a"] {
            assert_eq!(place(text).to_string(), text);
        }
        for wrong in [
            "",
            "aws",
            "aws/",
            "aws/eu-west-1/",
            "aws/eu-west-1/a/b",
            "a//b",
            "a/b/ c",
        ] {
            assert!(MeasuredPlace::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_figure_is_never_taken_for_another_statistic() {
        use Freshness::{Dated, Fresh, Stale};
        use MeasuredStatistic::{Mean, P50, P95};
        // rtt 10 and perhaps a P95 of 12: the reading of P50, then of P95.
        let cases = [
            (None, None, Dated, (10.0, true), (13.0, false)),
            (Some(P50), Some(12.0), Fresh, (10.0, true), (12.0, true)),
            (Some(P50), Some(12.0), Stale, (12.0, true), (12.0, true)),
            (Some(P50), None, Stale, (10.0, true), (13.0, false)),
            (Some(Mean), None, Dated, (10.0, false), (13.0, false)),
            (Some(Mean), Some(12.0), Stale, (10.0, false), (12.0, true)),
            (Some(P95), None, Dated, (10.0, false), (10.0, true)),
        ];
        for (statistic, p95, freshness, p50_reading, p95_reading) in cases {
            let latency = |ms| Latency::from_ms(ms).expect("a latency");
            let measurement = Measurement {
                rtt: latency(10.0),
                p95: p95.map(latency),
                statistic,
                samples: None,
                measured_at: None,
                source: None,
                freshness,
            };
            let read = |statistic| {
                let Reading { latency, is_exact } = measurement.reading(statistic);
                (latency.as_ms(), is_exact)
            };
            assert_eq!(read(Statistic::P50), p50_reading, "{measurement:?}");
            assert_eq!(read(Statistic::P95), p95_reading, "{measurement:?}");
        }
    }
}
