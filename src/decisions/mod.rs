//! OUT-SHELL. Decision records: what was decided, about which pod, by which rules, in which world.
//!
//! Inputs: a [`DecisionRecord`] for each decision, from whoever answered. Outputs: JSON Lines in a file,
//! one object for each record, in the order in which they were handed in.
//! Invariants: handing in a record never waits for a disk; a record that is not written is counted, and
//! the next one that is accepted says how many were lost before it. Records hold names and facts that
//! decided, never the pod itself, so that no environment variable or annotation of others leaks.
//! Deliberately absent: the decision (`placement` makes it), chains and signatures of records.

mod file;
mod id;
mod log;
mod record;

pub use file::{FileSink, Moved, Sink};
pub use id::DecisionIds;
pub use log::{CloseReport, DecisionLog, DecisionLogCounters, DecisionLogSettings};
pub use record::{
    AdmissionRecord, DecisionRecord, DegradedRecord, Mode, OwnerIdentity, PodIdentity, ProfileEntry,
    ReasonRecord, RecordVersion, RuleMode, ScoreSummary, Verb, Verdict,
};
