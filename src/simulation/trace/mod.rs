//! The trace: what happens to a cluster over time, as JSON Lines with a version and a published schema.
//!
//! Inputs: a file of one header and events in the order of their times; the lists that kubectl prints; the CSV pair of
//! a published cluster trace; rules for making up what a trace lacks. Outputs: a [`Trace`], or its [`Events`] one at a
//! time, with what is wrong told by line and column. Invariants: pods, nodes, namespaces and data sets say in a trace what
//! real ones say, in the same words, so what is simulated is what is served; the same events are written as the same
//! bytes. Deliberately absent: what events do to a cluster (`run`), opening files, the clock.

mod data_set;
mod error;
mod event;
mod header;
pub mod import;
mod known;
mod line;
mod names;
mod node;
mod reader;
mod schema;
mod summary;
pub mod synthesis;
#[cfg(test)]
mod trace_tests;
mod writer;

pub use data_set::{TraceDataSet, with_leader};
pub use error::TraceError;
pub use event::{
    Event, LatencyChange, LeaderMove, NamedNode, NamedPod, NamedRegion, PolicyLoad, RegionLink,
    TraceNamespace, TracePod, What,
};
pub use header::{Generator, Header, TRACE_KIND, TRACE_VERSION};
pub use line::EVENTS;
pub use node::{REGION_LABEL, TraceNode, ZONE_LABEL};
pub use reader::{Events, Trace};
pub use schema::trace_schema;
pub use summary::TraceSummary;
pub use writer::Writer;
