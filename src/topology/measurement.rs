//! What somebody measured: directed pairs of places with a round-trip time.
//!
//! Invariant: no pair joins a region with itself, except two zones of it. What is published as the
//! time inside a region is the time of a service there (cloudping.co: 1.2 to 8.2 ms, where machines of
//! one region measure 0.1 to 2.2 ms), so it would make a replica next door look far.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::model::{InvalidPlace, Latency, RegionKey};

/// How many hexadecimal digits of the hash name a set of measurements.
const DIGEST_LENGTH: usize = 16;

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

/// What was measured between two places.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The typical round trip.
    pub rtt: Latency,
    /// The round trip that one in twenty exceeds.
    pub p95: Option<Latency>,
    /// What `rtt` is of the samples, such as `p50`: for people, nothing decides on it.
    pub statistic: Option<Arc<str>>,
    /// When; a day counts from its beginning in UTC.
    pub measured_at: Option<Timestamp>,
    /// By whom.
    pub source: Option<Arc<str>>,
}

/// Measurements by directed pair, in the order of their places.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measurements {
    pairs: BTreeMap<(MeasuredPlace, MeasuredPlace), Measurement>,
}

impl Measurements {
    /// Adds a pair and gives back what it replaces. A pair inside one region is left out unless it
    /// joins two zones (the invariant of this module).
    pub fn insert(
        &mut self,
        from: MeasuredPlace,
        to: MeasuredPlace,
        measurement: Measurement,
    ) -> Option<Measurement> {
        if from.is_inside_one_region(&to) {
            return None;
        }
        self.pairs.insert((from, to), measurement)
    }

    /// What was measured from one place to another: this direction only.
    #[must_use]
    pub fn get(&self, from: &MeasuredPlace, to: &MeasuredPlace) -> Option<&Measurement> {
        self.pairs.get(&(from.clone(), to.clone()))
    }

    /// Every pair, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&MeasuredPlace, &MeasuredPlace, &Measurement)> {
        self.pairs
            .iter()
            .map(|((from, to), measurement)| (from, to, measurement))
    }

    /// How many directed pairs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether nothing was measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// A name for the content: equal content in any order has an equal name.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (from, to, measurement) in self.iter() {
            let Measurement {
                rtt,
                p95,
                statistic,
                measured_at,
                source,
            } = measurement;
            // `{:?}` quotes free text, so no text can look like the next column or row.
            let row = format!(
                "{from}\t{to}\t{}\t{:?}\t{statistic:?}\t{measured_at:?}\t{source:?}\n",
                rtt.as_ms(),
                p95.map(Latency::as_ms),
            );
            hash.update(row.as_bytes());
        }
        let mut name = String::with_capacity(DIGEST_LENGTH);
        for byte in hash.finalize().iter().take(DIGEST_LENGTH / 2) {
            // Writing to a String cannot fail.
            let _ = write!(name, "{byte:02x}");
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> MeasuredPlace {
        MeasuredPlace::parse(text).expect("a place")
    }

    fn measured(ms: f64) -> Measurement {
        Measurement {
            rtt: Latency::from_ms(ms).expect("a latency"),
            p95: None,
            statistic: None,
            measured_at: None,
            source: None,
        }
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
    fn only_zones_are_measured_inside_a_region() {
        let mut measurements = Measurements::default();
        measurements.insert(place("aws/a"), place("aws/a"), measured(4.5));
        measurements.insert(place("aws/a/1"), place("aws/a"), measured(4.5));
        assert!(measurements.is_empty());
        measurements.insert(place("aws/a/1"), place("aws/a/2"), measured(0.7));
        measurements.insert(place("aws/a/1"), place("aws/a/1"), measured(0.1));
        assert_eq!(measurements.len(), 2);
    }

    #[test]
    fn the_digest_follows_the_content_and_not_the_order() {
        let pairs = [("aws/a", "aws/b", 1.0), ("aws/b", "aws/a", 2.0)];
        let digest = |pairs: &[(&str, &str, f64)]| {
            let mut measurements = Measurements::default();
            for (from, to, ms) in pairs {
                measurements.insert(place(from), place(to), measured(*ms));
            }
            measurements.digest()
        };
        let [first, second] = pairs;
        assert_eq!(digest(&[first, second]), digest(&[second, first]));
        assert_ne!(digest(&[first, second]), digest(&[first]));
        assert_ne!(
            digest(&[("aws/a", "aws/b", 1.0)]),
            digest(&[("aws/b", "aws/a", 1.0)])
        );
        assert_eq!(digest(&pairs).len(), DIGEST_LENGTH);
    }
}
