//! Round trips as dense matrices, so that a plan of copies is weighed by reading rows.
//!
//! Inputs: the way of every pair, as far as it remains. Invariant: what nobody knows takes for ever, so that no
//! plan is better for what is not known about it; only of what is closed it is certain that nothing goes there.
//! Deliberately absent: places; these are numbers.

use crate::placement::replication::NEVER;
use crate::placement::ways::{View, Way, counts_as_measured};

/// Round trips from every row to every column.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundTrips {
    columns: usize,
    ms: Vec<f64>,
    is_estimate: Vec<bool>,
    /// Empty where no way is closed.
    is_closed: Vec<bool>,
}

impl RoundTrips {
    /// Asks for the way of every pair.
    #[must_use]
    pub fn new(rows: usize, columns: usize, mut between: impl FnMut(usize, usize) -> Way) -> Self {
        let mut trips = Self {
            columns,
            ms: Vec::with_capacity(rows * columns),
            is_estimate: Vec::with_capacity(rows * columns),
            is_closed: Vec::with_capacity(rows * columns),
        };
        for row in 0..rows {
            for column in 0..columns {
                let way = between(row, column);
                let leg = way.known();
                trips.ms.push(way.ms(View::Known));
                // What is assumed inside one region is off by a millisecond or two.
                let is_estimate = leg.is_some_and(|leg| !counts_as_measured(leg.provenance));
                trips.is_estimate.push(is_estimate);
                trips.is_closed.push(way == Way::Unreachable);
            }
        }
        if !trips.is_closed.contains(&true) {
            trips.is_closed.clear();
        }
        trips
    }

    /// The round trips of a row; none of one that is not there.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f64] {
        let start = row.checked_mul(self.columns);
        let row = start.and_then(|start| self.ms.get(start..start + self.columns));
        row.unwrap_or_default()
    }

    /// One round trip.
    #[must_use]
    pub fn ms(&self, row: usize, column: usize) -> f64 {
        self.row(row).get(column).copied().unwrap_or(NEVER)
    }

    /// Whether a round trip is a guess from a path or a distance, and nobody measured it.
    #[must_use]
    pub fn is_estimate(&self, row: usize, column: usize) -> bool {
        self.is_set(&self.is_estimate, row, column)
    }

    /// Whether any way is closed.
    #[must_use]
    pub fn has_closed(&self) -> bool {
        !self.is_closed.is_empty()
    }

    /// Nothing where a way is open, however long it takes; [`NEVER`] where it is closed.
    #[must_use]
    pub fn open_ms(&self, row: usize, column: usize) -> f64 {
        match self.is_set(&self.is_closed, row, column) {
            true => NEVER,
            false => 0.0,
        }
    }

    fn is_set(&self, flags: &[bool], row: usize, column: usize) -> bool {
        let start = row.checked_mul(self.columns).filter(|_| column < self.columns);
        start.is_some_and(|start| flags.get(start + column).copied().unwrap_or(false))
    }
}
