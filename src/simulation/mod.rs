//! OFFLINE SHELL: where the pods of a cluster would go, without a cluster.
//!
//! Inputs: a run file, a snapshot, what the nodes can allocate. Outputs: a report with and without the
//! extender. Invariants: pods are judged by the functions that the server calls (`extender`); one seed, no
//! clock, no order of a hash map: the same inputs give the same bytes. Deliberately absent: reading and
//! writing files (`cli::simulate`); failures and further comparators, which come with stage 5 and for which
//! `run::Comparator` and `kube_scheduler` are the seams. What happens to a cluster over time is a [`trace`].

mod capacity;
pub mod checker;
mod extender;
mod generated_fleet;
pub mod kube;
mod kube_scheduler;
mod peers;
mod quantity;
mod report;
mod run;
mod run_file;
pub mod trace;

pub use capacity::{Capacities, Resources, capacities};
pub use extender::{Decision, decide};
pub use generated_fleet::fleet_text;
pub use quantity::InvalidQuantity;
pub use report::{ComparatorSummary, LatencySummary, RefusedPods, Report, Summary, report};
pub use run::{Comparator, Placement, Simulated, SimulatedNode, SimulatedPod, SimulatedWorkload, simulate};
pub use run_file::{FleetSpec, NamespaceSpec, NodeGroupSpec, RunFile, SchedulerSpec, WorkloadSpec};
