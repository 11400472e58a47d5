//! The data follows the application: where the copies of a data set would best be, by where its readers and writers
//! are and by what the policies permit (docs/advise.md).
//!
//! ```text
//! file | pods ─ demand ─────────────┐
//! policies ─ standing ─ footing ────┤─ places ─ problem ─ search ─ answer ─► Advice
//! latencies ─ way_rules, round_trips ┘
//! ```
//!
//! Inputs: a snapshot, demand, regions. Outputs: advice as data. Invariants: what a plan costs is the formula that
//! pods are scored with (`replication.rs`), by the ways that accesses of pods go by (`placement/ways.rs`); where a
//! copy may be is what the evaluator says of a pod that is one; the same inputs give the same advice. Deliberately
//! absent: moving anything, what copies cost in money, and zones.

mod answer;
mod demand;
mod demand_file;
mod footing;
mod places;
pub mod problem;
mod regions;
mod roles;
pub mod round_trips;
pub mod search;
mod standing;
mod way_rules;

pub use answer::{
    Advice, ByCopies, Choice, InTheWay, LeaderAdvice, MOST_COPIES_TOLD, Question, Today, Unanswerable, advise,
};
pub use demand::{DemandRow, DemandingPods, PodDemand, joined};
pub use demand_file::{DemandFileError, KnownRegions, read_demand};
pub use footing::{Footing, Loss, TodaysCopy};
pub use regions::{fleet_regions, measured_regions};
pub use roles::{declared_copies, roles_of};
pub use search::Method;
pub use standing::{CopyRules, Standing};
pub use way_rules::WayRules;
