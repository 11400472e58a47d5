//! The table of latencies that decisions read: dense, so that a look-up is one multiplication.
//!
//! A pair is known, in this order, from: the measured zones, a measured zone and a region, the measured
//! regions (each this way, else the way back: both measure the same loop, and the finer measurement of
//! the way back says more than the coarser one of this way); the assumed time inside one region; the
//! lower of the upper guesses from a path and from the distance (`estimate.rs` says why); else `None`.
//! A table of 152 regions takes 0.1 to 0.3 s in an unoptimised build (2 cores, 2026-11-21), whatever
//! the share of missing pairs.
//! Invariant: the same measurements and coordinates make the same table, whatever their order.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::estimate::{CROSS_ZONE_MS, SAME_ZONE_MS, from_distance_km, from_path_ms};
use super::graph::LatencyGraph;
use super::measurement::{MeasuredPlace, Measurements};
use crate::model::{Coordinates, Latency, Provenance, RegionKey};

/// A latency and how it came to be known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The round trip.
    pub latency: Latency,
    /// How it is known.
    pub provenance: Provenance,
}

impl Estimate {
    fn new(ms: f64, provenance: Provenance) -> Option<Self> {
        Latency::from_ms(ms).map(|latency| Self { latency, provenance })
    }
}

/// A place as a row of one table: only the table that located it understands it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LatencyPoint {
    /// The row: a region, or a zone that was measured.
    row: usize,
    /// The row of its region.
    region: usize,
    /// Which zone, measured or not, as a number: only equality means something.
    zone: Option<u64>,
}

/// What is known about the latency between places.
#[derive(Debug, Clone, Default)]
pub struct LatencyTable {
    rows: BTreeMap<MeasuredPlace, usize>,
    /// Row by row; `None` inside a region where no zones were measured, and where nothing is known.
    cells: Vec<Option<Estimate>>,
    measured_pairs: usize,
    digest: String,
    oldest: Option<Timestamp>,
    newest: Option<Timestamp>,
}

impl LatencyTable {
    /// Builds the table of every region that was measured or has coordinates.
    #[must_use]
    pub fn build(measurements: &Measurements, coordinates: &BTreeMap<RegionKey, Coordinates>) -> Self {
        let graph = LatencyGraph::build(measurements);
        let places: BTreeSet<MeasuredPlace> = graph
            .places()
            .cloned()
            .chain(coordinates.keys().cloned().map(MeasuredPlace::region))
            .collect();
        let builder = Builder {
            measurements,
            coordinates,
            graph: &graph,
        };
        let cells = places
            .iter()
            .flat_map(|from| builder.row(from, &places))
            .collect();
        let dates = || measurements.iter().filter_map(|(_, _, cell)| cell.measured_at);
        Self {
            cells,
            measured_pairs: measurements.len(),
            digest: measurements.digest(),
            oldest: dates().min(),
            newest: dates().max(),
            rows: places
                .into_iter()
                .enumerate()
                .map(|(row, place)| (place, row))
                .collect(),
        }
    }

    /// Finds a place; `None` where the region was neither measured nor has coordinates. A zone that
    /// nobody measured has the latencies of its region.
    #[must_use]
    pub fn locate(&self, region: &RegionKey, zone: Option<&str>) -> Option<LatencyPoint> {
        let mut place = MeasuredPlace::region(region.clone());
        let region = *self.rows.get(&place)?;
        place.zone = zone.map(Into::into);
        Some(LatencyPoint {
            row: self.rows.get(&place).copied().unwrap_or(region),
            region,
            zone: zone.map(zone_number),
        })
    }

    /// The round trip between two places of this table, in constant time.
    #[must_use]
    pub fn between(&self, from: LatencyPoint, to: LatencyPoint) -> Option<Estimate> {
        let cell = self.cells.get(from.row * self.rows.len() + to.row);
        if let Some(Some(estimate)) = cell {
            return Some(*estimate);
        }
        if from.region != to.region {
            return None;
        }
        let one_zone = from.zone.is_some() && from.zone == to.zone;
        let ms = if one_zone { SAME_ZONE_MS } else { CROSS_ZONE_MS };
        Estimate::new(ms, Provenance::AssumedLocal)
    }

    /// Every place with a row of its own, in order.
    pub fn places(&self) -> impl Iterator<Item = &MeasuredPlace> {
        self.rows.keys()
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
    measurements: &'a Measurements,
    coordinates: &'a BTreeMap<RegionKey, Coordinates>,
    graph: &'a LatencyGraph,
}

impl Builder<'_> {
    fn row(&self, from: &MeasuredPlace, places: &BTreeSet<MeasuredPlace>) -> Vec<Option<Estimate>> {
        // Sums are found only for a place that misses a pair: a whole matrix needs none.
        let mut sums = None;
        places
            .iter()
            .map(|to| {
                let measured = self.measured(from, to);
                if measured.is_some() || from.region == to.region {
                    return measured;
                }
                let joined = self.graph.contains(from) && self.graph.contains(to);
                let sum = joined
                    .then(|| {
                        sums.get_or_insert_with(|| self.graph.least_sums_from(from))
                            .get(to)
                    })
                    .flatten();
                self.guessed(from, to, sum.copied())
            })
            .collect()
    }

    fn measured(&self, from: &MeasuredPlace, to: &MeasuredPlace) -> Option<Estimate> {
        let from_region = MeasuredPlace::region(from.region.clone());
        let to_region = MeasuredPlace::region(to.region.clone());
        [
            (from, to),
            (from, &to_region),
            (&from_region, to),
            (&from_region, &to_region),
        ]
        .into_iter()
        .find_map(|(from, to)| {
            let ways = [
                (self.measurements.get(from, to), Provenance::Measured),
                (self.measurements.get(to, from), Provenance::MeasuredReverse),
            ];
            ways.into_iter().find_map(|(measurement, provenance)| {
                measurement.map(|measurement| Estimate {
                    latency: measurement.rtt,
                    provenance,
                })
            })
        })
    }

    fn guessed(&self, from: &MeasuredPlace, to: &MeasuredPlace, sum_ms: Option<f64>) -> Option<Estimate> {
        let path = sum_ms.and_then(|sum| Estimate::new(from_path_ms(sum), Provenance::EstimatedByPath));
        let ends = (
            self.coordinates.get(&from.region),
            self.coordinates.get(&to.region),
        );
        let (Some(start), Some(end)) = ends else {
            return path;
        };
        let distance = Estimate::new(
            from_distance_km(start.distance_km(*end)),
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
