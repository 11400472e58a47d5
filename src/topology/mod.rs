//! Latency between places: measurements, and the table that decisions read.
//!
//! Inputs: the text of a latency file ([`parse_latency_csv`]), what live sources see ([`Estimator`]) and the
//! coordinates of the catalogue. Output: a [`LatencyTable`] for one statistic, which answers "how long is a
//! round trip from here to there, and how do we know" in constant time and without allocating, and
//! [`Routes`], which answer the same where rules take links away.
//! Invariants: a measured pair is never replaced by an estimate; what nobody knows is `None`, never a
//! number; that two places are parted is no latency. Deliberately absent: files, clocks, the network;
//! whether a file's measurement is too old is judged by those who have a clock.

pub mod audit;
mod csv;
mod dump;
mod estimate;
mod estimator;
mod graph;
mod measurement;
mod measurements;
mod network;
mod places;
mod reachability;
mod readings;
mod routes;
mod smoothing;
mod table;

pub use csv::{LatencyFile, LatencyFileError, parse_latency_csv, read_latency_csv};
pub use dump::{day_or_instant, write_latency_csv};
pub use estimate::least_possible_ms;
pub use estimator::{
    Estimator, EstimatorSettings, Hysteresis, InvalidEstimatorSettings, Observation, Observed, PartitionRule,
};
pub use measurement::{Freshness, MeasuredPlace, MeasuredStatistic, Measurement, Reading};
pub use measurements::Measurements;
pub use routes::{Link, Route, RouteRules, Routes, Undeclared};
pub use table::{Estimate, LatencyPoint, LatencyTable};

/// No round trip between places takes longer; Consul refuses samples above it too.
pub const LONGEST_MS: f64 = 10_000.0;

#[cfg(test)]
#[path = "shipped_tests.rs"]
mod shipped_tests;
