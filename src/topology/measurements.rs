//! A set of measurements by directed pair, and which pairs are known to be parted.
//!
//! Invariants: no pair joins a region with itself, except two zones of it. What is published as the
//! time inside a region is the time of a service there (cloudping.co: 1.2 to 8.2 ms, where machines of
//! one region measure 0.1 to 2.2 ms), so it would make a replica next door look far. That two places do
//! not reach each other is no time, and a time is no reachability: a pair may have either, both or none.
//! Deliberately absent: what the pairs mean together, which is the table's.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use hashbrown::HashSet;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::measurement::{Freshness, MeasuredPlace, MeasuredStatistic, Measurement};

/// How many hexadecimal digits of the hash name a set of measurements.
const DIGEST_LENGTH: usize = 16;

/// Measurements by directed pair, in the order of their places.
#[derive(Debug, Clone, Default)]
pub struct Measurements {
    pairs: BTreeMap<MeasuredPlace, RowOf>,
    unreachable: BTreeSet<(MeasuredPlace, MeasuredPlace)>,
    /// Every place, so that its name is in memory once however many pairs it ends: two are compared without
    /// reading them.
    places: HashSet<MeasuredPlace>,
}

/// What was measured from one place.
type RowOf = BTreeMap<MeasuredPlace, Measurement>;

impl PartialEq for Measurements {
    fn eq(&self, other: &Self) -> bool {
        self.pairs == other.pairs && self.unreachable == other.unreachable
    }
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
        let [from, to] = [from, to].map(|place| self.places.get_or_insert(place).clone());
        self.pairs.entry(from).or_default().insert(to, measurement)
    }

    /// States that one place does not reach another, whatever the round trip was when it did. A pair
    /// inside one region is left out as in [`Self::insert`].
    pub fn set_unreachable(&mut self, from: MeasuredPlace, to: MeasuredPlace) {
        if !from.is_inside_one_region(&to) {
            self.unreachable.insert((from, to));
        }
    }

    /// What was measured from one place to another: this direction only.
    #[must_use]
    pub fn get(&self, from: &MeasuredPlace, to: &MeasuredPlace) -> Option<&Measurement> {
        self.pairs.get(from)?.get(to)
    }

    /// Every pair, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&MeasuredPlace, &MeasuredPlace, &Measurement)> {
        self.pairs
            .iter()
            .flat_map(|(from, row)| row.iter().map(move |(to, measurement)| (from, to, measurement)))
    }

    /// Every place that something was measured from, in order, and what was measured from there.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&MeasuredPlace, &RowOf)> {
        self.pairs.iter()
    }

    /// Every directed pair of places of which the first does not reach the second, in order.
    pub fn unreachable(&self) -> impl Iterator<Item = (&MeasuredPlace, &MeasuredPlace)> {
        self.unreachable.iter().map(|(from, to)| (from, to))
    }

    /// How many directed pairs were measured.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.values().map(BTreeMap::len).sum()
    }

    /// Whether nothing was measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Whether nothing is known of any pair: neither measured nor parted.
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        self.pairs.is_empty() && self.unreachable.is_empty()
    }

    /// Every pair of which something is known, in order: what was measured of it, and whether it is parted.
    pub fn known(
        &self,
    ) -> impl Iterator<Item = (&MeasuredPlace, &MeasuredPlace, Option<&Measurement>, bool)> {
        let mut parted = self.unreachable().peekable();
        let mut measured = self.iter().peekable();
        std::iter::from_fn(move || {
            let next_measured = measured.peek().map(|(from, to, _)| (*from, *to));
            let order = match (next_measured, parted.peek()) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(measured), Some(parted)) => measured.cmp(parted),
            };
            if order == Ordering::Greater {
                return parted.next().map(|(from, to)| (from, to, None, true));
            }
            if order == Ordering::Equal {
                parted.next();
            }
            let (from, to, measurement) = measured.next()?;
            Some((from, to, Some(measurement), order == Ordering::Equal))
        })
    }

    /// These measurements, and of `prior` what they do not have: what these say wins directed pair by
    /// directed pair. A pair that these measured is not parted because the prior says so.
    #[must_use]
    pub fn over(mut self, prior: &Self) -> Self {
        for (from, to) in prior.unreachable() {
            if self.get(from, to).is_none() {
                self.set_unreachable(from.clone(), to.clone());
            }
        }
        for (from, row) in &prior.pairs {
            let own = self.pairs.entry(from.clone()).or_default();
            for (to, measurement) in row {
                if !own.contains_key(to) {
                    let to = self.places.get_or_insert(to.clone()).clone();
                    own.insert(to, measurement.clone());
                }
            }
        }
        self
    }

    /// A name for the content: equal content in any order has an equal name.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let mut content = Content::default();
        let mut row_before = None;
        for (from, row) in &self.pairs {
            content.add_row(from, row, row_before.replace(row));
            hash.update(&content.bytes);
            content.bytes.clear();
        }
        content.add(&END);
        for (from, to) in self.unreachable() {
            content.add_place(from);
            content.add_place(to);
        }
        hash.update(&content.bytes);
        let mut name = String::with_capacity(DIGEST_LENGTH);
        for byte in hash.finalize().iter().take(DIGEST_LENGTH / 2) {
            // Writing to a String cannot fail.
            let _ = write!(name, "{byte:02x}");
        }
        name
    }
}

/// Measurements as bytes: a pair begins with a heading that says which of its parts follow and which are as they
/// were last said, and each text has its length before it, so no two sets have the same bytes. Binary, and
/// nothing is said twice, because a large table is made of 400,000 pairs.
#[derive(Default)]
struct Content<'m> {
    bytes: Vec<u8>,
    said: LastSaid<'m>,
}

#[derive(Default)]
struct LastSaid<'m> {
    statistic: Option<MeasuredStatistic>,
    samples: Option<u32>,
    measured_at: Option<Timestamp>,
    source: Option<&'m str>,
}

/// Stands where the place of another row could: longer than any name.
const END: [u8; 4] = [u8::MAX; 4];

impl<'m> Content<'m> {
    fn add_row(&mut self, from: &MeasuredPlace, row: &'m RowOf, row_before: Option<&RowOf>) {
        self.add_place(from);
        add_length(&mut self.bytes, row.len());
        let mut places_before = row_before.into_iter().flat_map(BTreeMap::keys);
        for (to, measurement) in row {
            // Most rows of a matrix name the same places in the same order.
            self.add_pair(places_before.next() == Some(to), to, measurement);
        }
    }

    fn add_pair(&mut self, to_is_as_before: bool, to: &MeasuredPlace, measurement: &'m Measurement) {
        let Measurement {
            rtt,
            p95,
            statistic,
            samples,
            measured_at,
            source,
            freshness,
        } = measurement;
        let heading = self.bytes.len();
        self.add(&[0; 2]);
        if !to_is_as_before {
            self.add_place(to);
        }
        self.add(&rtt.as_ms().to_le_bytes());
        if let Some(p95) = p95 {
            self.add(&p95.as_ms().to_le_bytes());
        }
        let mut parts = match freshness {
            Freshness::Dated => 0,
            Freshness::Fresh => 1,
            Freshness::Stale => 2,
        };
        parts = parts << 1 | u16::from(to_is_as_before);
        parts = parts << 1 | u16::from(p95.is_some());
        let Self { bytes, said } = self;
        parts = parts << 2
            | say(&mut said.statistic, *statistic, |word| {
                add_text(bytes, word.word())
            });
        parts = parts << 2
            | say(&mut said.samples, *samples, |samples| {
                bytes.extend(samples.to_le_bytes())
            });
        let say_date = |at: Timestamp| bytes.extend(at.as_nanosecond().to_le_bytes());
        parts = parts << 2 | say(&mut said.measured_at, *measured_at, say_date);
        parts = parts << 2
            | say(&mut said.source, source.as_deref(), |source| {
                add_text(bytes, source)
            });
        if let Some(heading) = bytes.get_mut(heading..heading + 2) {
            heading.copy_from_slice(&parts.to_le_bytes());
        }
    }

    fn add_place(&mut self, place: &MeasuredPlace) {
        add_text(&mut self.bytes, place.region.as_str());
        self.add(&[u8::from(place.zone.is_some())]);
        if let Some(zone) = place.zone.as_deref() {
            add_text(&mut self.bytes, zone);
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }
}

/// Says what differs from what was last said. Gives the two bits of it: absent, here, or as last said.
fn say<T: PartialEq + Copy>(last: &mut Option<T>, value: Option<T>, add: impl FnOnce(T)) -> u16 {
    let Some(value) = value else { return 0 };
    if last.replace(value) == Some(value) {
        return 2;
    }
    add(value);
    1
}

fn add_text(bytes: &mut Vec<u8>, text: &str) {
    add_length(bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
}

fn add_length(bytes: &mut Vec<u8>, length: usize) {
    // No text and no row is as long as that.
    bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Latency;

    fn place(text: &str) -> MeasuredPlace {
        MeasuredPlace::parse(text).expect("a place")
    }

    fn measured(ms: f64) -> Measurement {
        Measurement {
            rtt: Latency::from_ms(ms).expect("a latency"),
            p95: None,
            statistic: None,
            samples: None,
            measured_at: None,
            source: None,
            freshness: Freshness::Dated,
        }
    }

    fn set(pairs: &[(&str, &str, f64)], unreachable: &[(&str, &str)]) -> Measurements {
        let mut measurements = Measurements::default();
        for (from, to, ms) in pairs {
            measurements.insert(place(from), place(to), measured(*ms));
        }
        for (from, to) in unreachable {
            measurements.set_unreachable(place(from), place(to));
        }
        measurements
    }

    #[test]
    fn only_zones_are_measured_inside_a_region() {
        let inside = [("aws/a", "aws/a"), ("aws/a/1", "aws/a")];
        let pairs = inside.map(|(from, to)| (from, to, 4.5));
        assert_eq!(set(&pairs, &inside), Measurements::default());
        let zones = set(
            &[("aws/a/1", "aws/a/2", 0.7), ("aws/a/1", "aws/a/1", 0.1)],
            &[("aws/a/2", "aws/a/1")],
        );
        assert_eq!((zones.len(), zones.unreachable().count()), (2, 1));
    }

    #[test]
    fn what_is_laid_over_wins_pair_by_pair() {
        let live = set(&[("aws/a", "aws/b", 1.0)], &[("aws/b", "aws/a")]);
        let prior = set(
            &[("aws/a", "aws/b", 9.0), ("aws/b", "aws/a", 8.0)],
            &[("aws/a", "aws/b"), ("aws/c", "aws/d")],
        );
        let both = set(
            &[("aws/a", "aws/b", 1.0), ("aws/b", "aws/a", 8.0)],
            &[("aws/b", "aws/a"), ("aws/c", "aws/d")],
        );
        assert_eq!(live.over(&prior), both);
    }

    #[test]
    fn the_digest_follows_the_content_and_not_the_order() {
        let pairs = [("aws/a", "aws/b", 1.0), ("aws/b", "aws/a", 2.0)];
        let digest = |pairs: &[(&str, &str, f64)]| set(pairs, &[]).digest();
        let [first, second] = pairs;
        assert_eq!(digest(&[first, second]), digest(&[second, first]));
        assert_ne!(digest(&[first, second]), digest(&[first]));
        assert_ne!(
            digest(&[("aws/a", "aws/b", 1.0)]),
            digest(&[("aws/b", "aws/a", 1.0)])
        );
        assert_ne!(digest(&pairs), set(&pairs, &[("aws/a", "aws/b")]).digest());
        assert_eq!(digest(&pairs).len(), DIGEST_LENGTH);
    }

    #[test]
    fn no_two_of_all_small_sets_have_one_digest() {
        let latency = |ms: f64| Latency::from_ms(ms);
        let date = |text: &str| text.parse::<Timestamp>().ok();
        let plain = measured(1.0);
        let variants = [
            plain.clone(),
            measured(2.0),
            Measurement {
                p95: latency(1.0),
                ..plain.clone()
            },
            Measurement {
                p95: latency(2.0),
                ..plain.clone()
            },
            Measurement {
                statistic: Some(MeasuredStatistic::P50),
                ..plain.clone()
            },
            Measurement {
                statistic: Some(MeasuredStatistic::P95),
                ..plain.clone()
            },
            Measurement {
                samples: Some(1),
                ..plain.clone()
            },
            Measurement {
                samples: Some(2),
                ..plain.clone()
            },
            Measurement {
                measured_at: date("2026-11-21T00:00:00Z"),
                ..plain.clone()
            },
            Measurement {
                measured_at: date("2026-11-22T00:00:00Z"),
                ..plain.clone()
            },
            Measurement {
                source: Some("a".into()),
                ..plain.clone()
            },
            Measurement {
                source: Some("b".into()),
                ..plain.clone()
            },
            Measurement {
                freshness: Freshness::Fresh,
                ..plain.clone()
            },
            Measurement {
                freshness: Freshness::Stale,
                ..plain.clone()
            },
        ];
        let shapes = [
            [("aws/a", "aws/b"), ("aws/a", "aws/c")],
            [("aws/a", "aws/b"), ("aws/b", "aws/c")],
            [("aws/a", "aws/c"), ("aws/b", "aws/c")],
            [("aws/a", "aws/b/c"), ("aws/b/c", "aws/a")],
        ];
        let mut seen = BTreeSet::new();
        for pairs in shapes {
            for first in &variants {
                for second in &variants {
                    let mut set = Measurements::default();
                    for ((from, to), measurement) in pairs.iter().zip([first, second]) {
                        set.insert(place(from), place(to), measurement.clone());
                    }
                    assert!(seen.insert(set.digest()), "{set:?} has the digest of another");
                    set.set_unreachable(place("aws/a"), place("aws/b"));
                    assert!(seen.insert(set.digest()), "{set:?} has the digest of another");
                }
            }
        }
    }
}
