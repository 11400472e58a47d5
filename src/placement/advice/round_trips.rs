//! Round trips as dense matrices, so that a plan of copies is weighed by reading rows.
//!
//! Inputs: how long a round trip takes, pair by pair. Invariant: what nobody knows takes for ever, so that no
//! plan is better for what is not known about it. Deliberately absent: places; these are numbers.

use crate::model::Provenance;
use crate::placement::replication::NEVER;
use crate::topology::{LatencyPoint, LatencyTable};

/// One round trip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RoundTrip {
    /// How long it takes, in milliseconds.
    pub ms: f64,
    /// Whether it is a guess from a path or a distance, and nobody measured it.
    pub is_estimate: bool,
}

impl RoundTrip {
    /// What a table knows of a way; `None` where an end is unknown, or the way is.
    #[must_use]
    pub fn between(
        table: &LatencyTable,
        from: Option<LatencyPoint>,
        to: Option<LatencyPoint>,
    ) -> Option<Self> {
        let estimate = table.between(from?, to?)?;
        Some(Self {
            ms: estimate.latency.as_ms(),
            // What is assumed inside one region is off by a millisecond or two.
            is_estimate: !estimate.provenance.is_measured()
                && estimate.provenance != Provenance::AssumedLocal,
        })
    }
}

/// Round trips from every row to every column.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundTrips {
    columns: usize,
    ms: Vec<f64>,
    is_estimate: Vec<bool>,
}

impl RoundTrips {
    /// Asks for every pair; `None` is not known.
    #[must_use]
    pub fn new(
        rows: usize,
        columns: usize,
        mut between: impl FnMut(usize, usize) -> Option<RoundTrip>,
    ) -> Self {
        let mut trips = Self {
            columns,
            ms: Vec::with_capacity(rows * columns),
            is_estimate: Vec::with_capacity(rows * columns),
        };
        for row in 0..rows {
            for column in 0..columns {
                let trip = between(row, column);
                trips.ms.push(trip.map_or(NEVER, |trip| trip.ms));
                trips.is_estimate.push(trip.is_some_and(|trip| trip.is_estimate));
            }
        }
        trips
    }

    /// The round trips of a row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f64] {
        let start = row * self.columns;
        self.ms.get(start..start + self.columns).unwrap_or_default()
    }

    /// One round trip.
    #[must_use]
    pub fn ms(&self, row: usize, column: usize) -> f64 {
        self.row(row).get(column).copied().unwrap_or(NEVER)
    }

    /// Whether a round trip is a guess.
    #[must_use]
    pub fn is_estimate(&self, row: usize, column: usize) -> bool {
        let cell = self.is_estimate.get(row * self.columns + column);
        cell.copied().unwrap_or(false)
    }
}
