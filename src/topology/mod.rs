//! Latency between places: measurements, and the table that decisions read.
//!
//! Inputs: the text of a latency file ([`parse_latency_csv`]) and the coordinates of the catalogue.
//! Output: a [`LatencyTable`], which answers "how long is a round trip from here to there, and how do
//! we know" in constant time and without allocating.
//! Invariants: a measured pair is never replaced by an estimate; what nobody knows is `None`, never a
//! number. Deliberately absent: files, clocks, the network; whether a measurement is too old is judged
//! by those who have a clock. Only the median (`rtt_ms`) is looked up: a choice of P95 is a later stage.

mod csv;
mod dump;
mod estimate;
mod graph;
mod measurement;
mod table;

pub use csv::{LatencyFile, LatencyFileError, parse_latency_csv, read_latency_csv};
pub use dump::{day_or_instant, write_latency_csv};
pub use graph::LatencyGraph;
pub use measurement::{MeasuredPlace, Measurement, Measurements};
pub use table::{Estimate, LatencyPoint, LatencyTable};

#[cfg(test)]
#[path = "shipped_tests.rs"]
mod shipped_tests;
