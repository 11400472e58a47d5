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

use sha2::{Digest as _, Sha256};

use super::measurement::{Freshness, MeasuredPlace, Measurement};

/// How many hexadecimal digits of the hash name a set of measurements.
const DIGEST_LENGTH: usize = 16;

/// Measurements by directed pair, in the order of their places.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measurements {
    pairs: BTreeMap<MeasuredPlace, BTreeMap<MeasuredPlace, Measurement>>,
    unreachable: BTreeSet<(MeasuredPlace, MeasuredPlace)>,
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
    pub(super) fn rows(
        &self,
    ) -> impl Iterator<Item = (&MeasuredPlace, &BTreeMap<MeasuredPlace, Measurement>)> {
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
                own.entry(to.clone()).or_insert_with(|| measurement.clone());
            }
        }
        self
    }

    /// A name for the content: equal content in any order has an equal name.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let mut row = Row::default();
        for (from, to, measurement) in self.iter() {
            row.begin(from, to);
            row.add_measurement(measurement);
            hash.update(&row.bytes);
        }
        row.end();
        hash.update(&row.bytes);
        for (from, to) in self.unreachable() {
            row.begin(from, to);
            hash.update(&row.bytes);
        }
        let mut name = String::with_capacity(DIGEST_LENGTH);
        for byte in hash.finalize().iter().take(DIGEST_LENGTH / 2) {
            // Writing to a String cannot fail.
            let _ = write!(name, "{byte:02x}");
        }
        name
    }
}

/// A pair as bytes: every text has its length before it and what may be missing a byte that says so, so no two
/// sets have the same bytes. Binary, and without what the row before says too, because a large table is made of
/// 400,000 of them.
#[derive(Default)]
struct Row<'m> {
    bytes: Vec<u8>,
    from: Option<&'m MeasuredPlace>,
    source: Option<&'m str>,
}

impl<'m> Row<'m> {
    fn begin(&mut self, from: &'m MeasuredPlace, to: &MeasuredPlace) {
        self.bytes.clear();
        let new_from = (self.from.replace(from) != Some(from)).then_some(from);
        self.add_optional(new_from, Self::add_place);
        self.add_place(to);
    }

    /// What begins no row.
    fn end(&mut self) {
        self.bytes.clear();
        self.add(&[2]);
    }

    fn add_place(&mut self, place: &MeasuredPlace) {
        self.add_text(place.region.as_str());
        self.add_optional(place.zone.as_deref(), Self::add_text);
    }

    fn add_measurement(&mut self, measurement: &'m Measurement) {
        let Measurement {
            rtt,
            p95,
            statistic,
            samples,
            measured_at,
            source,
            freshness,
        } = measurement;
        self.add(&rtt.as_ms().to_le_bytes());
        self.add_optional(*p95, |row, p95| row.add(&p95.as_ms().to_le_bytes()));
        self.add_optional(*statistic, |row, statistic| row.add_text(statistic.word()));
        self.add_optional(*samples, |row, samples| row.add(&samples.to_le_bytes()));
        self.add_optional(*measured_at, |row, at| row.add(&at.as_nanosecond().to_le_bytes()));
        let source = source.as_deref();
        if std::mem::replace(&mut self.source, source) == source {
            self.add(&[2]);
        } else {
            self.add_optional(source, Self::add_text);
        }
        self.add(&[match freshness {
            Freshness::Dated => 0,
            Freshness::Fresh => 1,
            Freshness::Stale => 2,
        }]);
    }

    fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn add_text(&mut self, text: &str) {
        self.add(&(text.len() as u64).to_le_bytes());
        self.add(text.as_bytes());
    }

    fn add_optional<T>(&mut self, value: Option<T>, add: impl FnOnce(&mut Self, T)) {
        self.add(&[u8::from(value.is_some())]);
        if let Some(value) = value {
            add(self, value);
        }
    }
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
}
