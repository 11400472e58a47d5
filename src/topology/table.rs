//! The table of latencies that decisions read: dense, so that a look-up is two reads.
//!
//! A pair is known, in this order, from: the measurement that says most about it (`readings.rs`); the assumed
//! time inside one region; the lower of the upper guesses from a path and from the distance (`estimate.rs`
//! says why); else `None`. Guesses are made between regions; a zone has those of its region. The path of two
//! regions of which only zones were measured is that of the nearest of these zones, never a longer way round.
//! Invariants: one table has one statistic, so its readers need not know which; the same measurements,
//! coordinates and statistic make the same table, whatever their order; reachability is no latency.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::estimate::{CROSS_ZONE_MS, SAME_ZONE_MS, from_distance_km, from_path_ms};
use super::graph::LatencyGraph;
use super::measurement::MeasuredPlace;
use super::measurements::Measurements;
use super::places::{Layout, Places, Spot};
use super::readings::{Partitions, Readings};
use crate::model::{Coordinates, Latency, Provenance, RegionKey, Statistic};

/// A latency and how it came to be known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The round trip.
    pub latency: Latency,
    /// How it is known.
    pub provenance: Provenance,
}

impl Estimate {
    pub(super) fn new(ms: f64, provenance: Provenance) -> Option<Self> {
        Latency::from_ms(ms).map(|latency| Self { latency, provenance })
    }
}

/// A place as numbers of one table: only the table that located it understands it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LatencyPoint {
    spot: Spot,
    /// Which zone, measured or not, as a number: only equality means something.
    zone: Option<u64>,
}

impl LatencyPoint {
    /// The region and the row in it.
    pub(super) fn spot(self) -> Spot {
        self.spot
    }
}

/// What is known about the latency between places, by one statistic.
#[derive(Debug, Clone, Default)]
pub struct LatencyTable {
    statistic: Statistic,
    places: Places,
    layout: Layout,
    /// `None` inside a region where no zones were measured, and where nothing is known.
    cells: Vec<Option<Estimate>>,
    partitions: Partitions,
    measured_pairs: usize,
    digest: String,
    oldest: Option<Timestamp>,
    newest: Option<Timestamp>,
}

impl LatencyTable {
    /// Builds the table of every region that was measured or has coordinates.
    #[must_use]
    pub fn build(
        measurements: &Measurements,
        coordinates: &BTreeMap<RegionKey, Coordinates>,
        statistic: Statistic,
    ) -> Self {
        let (places, readings) = Readings::read(measurements, coordinates.keys(), statistic);
        let ends = places.region_keys().map(|key| coordinates.get(key).copied());
        let builder = Builder {
            places: &places,
            readings: &readings,
            coordinates: ends.collect(),
        };
        let cells = builder.cells();
        let dates = || measurements.iter().filter_map(|(_, _, cell)| cell.measured_at);
        Self {
            statistic,
            cells,
            partitions: Partitions::read(measurements, &places, &readings),
            measured_pairs: measurements.len(),
            digest: measurements.digest(),
            oldest: dates().min(),
            newest: dates().max(),
            layout: readings.into_layout(),
            places,
        }
    }

    /// Finds a place; `None` where the region was neither measured nor has coordinates. A zone that
    /// nobody measured has the latencies of its region.
    #[must_use]
    pub fn locate(&self, region: &RegionKey, zone: Option<&str>) -> Option<LatencyPoint> {
        Some(LatencyPoint {
            spot: self.places.find(region, zone)?,
            zone: zone.map(zone_number),
        })
    }

    /// The round trip between two places of this table, in constant time. A pair that is parted has the
    /// latency that it had or would have: whether it is reached is another question.
    #[must_use]
    pub fn between(&self, from: LatencyPoint, to: LatencyPoint) -> Option<Estimate> {
        if let Some(estimate) = self.cell(from.spot, to.spot) {
            return Some(estimate);
        }
        if from.spot.region() != to.spot.region() {
            return None;
        }
        let one_zone = from.zone.is_some() && from.zone == to.zone;
        let ms = if one_zone { SAME_ZONE_MS } else { CROSS_ZONE_MS };
        Estimate::new(ms, Provenance::AssumedLocal)
    }

    /// Whether one place is known not to reach another. Where nobody looked, nothing is known.
    #[must_use]
    pub fn is_unreachable(&self, from: LatencyPoint, to: LatencyPoint) -> bool {
        self.partitions.is_unreachable(from.spot, to.spot)
    }

    /// Whether any place is known not to reach another.
    #[must_use]
    pub fn has_unreachable(&self) -> bool {
        self.partitions.has_any()
    }

    /// Which round trip the table holds.
    #[must_use]
    pub fn statistic(&self) -> Statistic {
        self.statistic
    }

    /// Every place with a row of its own, in order.
    pub fn places(&self) -> impl Iterator<Item = &MeasuredPlace> {
        self.places.all().iter()
    }

    /// How many directed pairs were measured.
    #[must_use]
    pub fn measured_pairs(&self) -> usize {
        self.measured_pairs
    }

    /// The name of the measurements that the table was made of.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// When the oldest dated measurement was taken.
    #[must_use]
    pub fn oldest_measurement(&self) -> Option<Timestamp> {
        self.oldest
    }

    /// When the newest dated measurement was taken.
    #[must_use]
    pub fn newest_measurement(&self) -> Option<Timestamp> {
        self.newest
    }

    /// How many regions the table has, and so the numbers of their spots.
    pub(super) fn regions(&self) -> usize {
        self.places.regions()
    }

    /// Finds a place without regard to zones that were not measured.
    pub(super) fn spot(&self, place: &MeasuredPlace) -> Option<Spot> {
        self.places.find(&place.region, place.zone.as_deref())
    }

    /// What the cell of a pair says.
    pub(super) fn cell(&self, from: Spot, to: Spot) -> Option<Estimate> {
        *self.cells.get(self.layout.cell(from, to)?)?
    }
}

/// A number for the name of a zone, without a register of zones: two names of one region share it with
/// a chance of 2^-64, and then 0.7 ms are lost.
fn zone_number(zone: &str) -> u64 {
    Sha256::digest(zone.as_bytes())
        .iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

struct Builder<'a> {
    places: &'a Places,
    readings: &'a Readings,
    /// Of each region.
    coordinates: Vec<Option<Coordinates>>,
}

impl Builder<'_> {
    /// Every cell, in the order of the layout.
    fn cells(&self) -> Vec<Option<Estimate>> {
        let layout = self.readings.layout();
        let mut cells = Vec::with_capacity(layout.cells());
        // Sums are found only from a region that misses a pair: a whole matrix needs none.
        let mut graph = None;
        for from in 0..self.places.regions() {
            let mut sums = None;
            for to in 0..self.places.regions() {
                let start = cells.len();
                if layout.is_fine(from, to) {
                    for row in 0..self.places.rows(from) {
                        let from = Spot::of(from, row);
                        let rows = 0..self.places.rows(to);
                        cells.extend(rows.map(|row| self.readings.counting(from, Spot::of(to, row))));
                    }
                } else {
                    cells.push(self.readings.counting(Spot::whole(from), Spot::whole(to)));
                }
                let added = cells.get_mut(start..).unwrap_or_default();
                if from == to || added.iter().all(Option::is_some) {
                    continue;
                }
                let sum_ms = self.nearest_zones_ms(from, to, added).or_else(|| {
                    let joined = self.readings.touches(from) && self.readings.touches(to);
                    let mut sums_from = || {
                        let graph =
                            graph.get_or_insert_with(|| LatencyGraph::build(self.places, self.readings));
                        graph.least_sums_from(from)
                    };
                    joined
                        .then(|| sums.get_or_insert_with(&mut sums_from).get(to).copied().flatten())
                        .flatten()
                });
                let guess = self.guessed(from, to, sum_ms);
                for cell in added.iter_mut().filter(|cell| cell.is_none()) {
                    *cell = guess;
                }
            }
        }
        cells
    }

    /// The least way between two regions over zones of them that were measured.
    fn nearest_zones_ms(&self, from: usize, to: usize, cells: &[Option<Estimate>]) -> Option<f64> {
        let (from_rows, to_rows) = (self.places.rows(from), self.places.rows(to));
        if cells.len() != from_rows * to_rows {
            return None;
        }
        let pairs = (0..from_rows).flat_map(|from_row| (0..to_rows).map(move |to_row| (from_row, to_row)));
        pairs
            .zip(cells)
            .filter_map(|((from_row, to_row), cell)| {
                let zones = u8::from(from_row > 0) + u8::from(to_row > 0);
                Some((*cell)?.latency.as_ms() + f64::from(zones) * CROSS_ZONE_MS)
            })
            .reduce(f64::min)
    }

    fn guessed(&self, from: usize, to: usize, sum_ms: Option<f64>) -> Option<Estimate> {
        let path = sum_ms.and_then(|sum| Estimate::new(from_path_ms(sum), Provenance::EstimatedByPath));
        let end = |region: usize| self.coordinates.get(region).copied().flatten();
        let (Some(start), Some(end)) = (end(from), end(to)) else {
            return path;
        };
        let distance = Estimate::new(
            from_distance_km(start.distance_km(end)),
            Provenance::EstimatedByDistance,
        );
        match (path, distance) {
            (Some(path), Some(distance)) if distance.latency < path.latency => Some(distance),
            (None, distance) => distance,
            (path, _) => path,
        }
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
