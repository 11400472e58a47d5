//! OFFLINE SHELL: where the pods of a cluster would go, without a cluster.
//!
//! Inputs: a run file, the texts that it names, a trace. Outputs: what each of several schedulers would make of it, as one
//! summary, tables and a text. Invariants: pods are judged by the functions that the server calls (`extender`); what
//! was placed is checked again by what shares no code with them (`checker`); one seed, no clock, no order of a hash
//! map: the same inputs give the same bytes on any number of threads. Deliberately absent: reading and writing files
//! (`cli::simulate`).

mod answers;
mod beside;
pub mod checker;
mod comparator;
mod drive;
mod extender;
mod fail_on;
pub mod kube;
mod made_up;
mod percentiles;
mod report;
mod run;
mod run_file;
mod scenario;
mod summary;
pub mod trace;
mod transport;
mod world;

pub use answers::summarize;
pub use beside::{Beside, BesideFacts, DeadSpread, HinderedNodes};
pub use checker::Checker;
pub use comparator::Comparator;
pub use drive::Control;
pub use extender::{filter_nodes, score_nodes};
pub use fail_on::{FailOn, Figures};
pub use report::{ReportFile, report_files, summary_text};
pub use run::{Options, Run, planned_events, simulate};
pub use run_file::{PoliciesB, RunFile};
pub use scenario::{Scenario, ScenarioTexts};
pub use summary::{
    Agreement, AgreementOfWorkload, Attempts, BoundedBy, CdfPoint, ComparatorSummary, ComparedAttempts,
    ComplianceCost, DataSetCost, Distribution, Fidelity, Interval, LatencyFigures, LowerBound, Mark, Moved,
    MovedPods, PolicyAlone, PolicyCost, RefusedPods, RegionFailure, RegionUse, RunFacts, Sample,
    SchedulerFacts, SeedFigures, SeedIntervals, Stopped, Summary, TraceFacts, Unschedulable, Waits,
    summary_schema,
};
