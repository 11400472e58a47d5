//! The decision, pure: which nodes a pod may run on, and which of them is nearest.
//!
//! Inputs: a [`Snapshot`](crate::snapshot::Snapshot), a pod, an instant, candidates. Outputs: outcomes as data; edges turn them into
//! answers, records and text. Invariants: the server, the command line and the simulator call the same
//! functions; nothing is remembered between filter and prioritize; what is missing is a reason, never
//! an error. Work is done for each node class, and for each node only a look-up.

pub mod advice;
mod assessment;
pub mod change;
mod cost;
mod demand;
mod exceptions;
mod explain;
mod filter;
mod fleet_lint;
mod impact;
mod last_copy;
mod membership;
mod obstacles;
mod peers;
mod preempt;
mod prioritize;
pub mod replication;
mod score;
mod serving;
mod transit;
mod volumes;
mod warning;
mod ways;

pub use assessment::{Assessment, Refusal, assess};
pub use cost::{AccessCost, DataSetCost, Demanded, Total, access_cost, total};
pub use demand::{AccessDemand, ClientDemand, DataSetDemand, PermittedAccess, ReplicaPoint};
pub use exceptions::ByException;
pub use explain::{Bearing, Doubt};
pub use filter::{
    Answer, BlindSample, FilterOutcome, MINIMUM_SAMPLED_NODES, ReasonCode, ReasonCount, filter,
};
pub use fleet_lint::{LintedFleet, lint_fleet};
pub use impact::{Change, Control, PodImpact, Standing, Worlds};
pub use last_copy::LastCopies;
pub use membership::{CloneDemand, Crowding, Membership, SPREAD_MS};
pub use obstacles::{AccessOf, Obstacle, ObstacleKind};
pub use peers::PeerDemand;
pub use preempt::{JudgedCandidate, Preemption};
pub use prioritize::{ClassScores, prioritize, prioritize_by};
pub use score::ScoreScale;
pub use serving::{Commit, Served, UNREADY_MS};
pub use transit::Transit;
pub use volumes::VolumeDemand;
pub use ways::{Leg, View, Way, Ways};
