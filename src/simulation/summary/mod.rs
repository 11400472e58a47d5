//! The summary of a run: `summary.json`, version 2, of which `report.html` and the text are views.
//!
//! Inputs: none; these are types, filled by `answers`. Invariants: times and latencies are whole numbers in the unit that
//! the name of a field ends with (`Ms` milliseconds of simulated time, `Us` microseconds of latency, `Permille`
//! thousandths); lists and maps have one order, so the same run gives the same bytes; what does not exist is
//! `null` or an empty list, never a zero. Fields are added in place; a change that an older reader would
//! misunderstand is a new version. Deliberately absent: how a figure is worked out.

mod answers;
mod comparator;
mod run_facts;
mod schema;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use answers::{
    ComplianceCost, DataSetCost, Interval, Moved, MovedPods, PolicyAlone, PolicyCost, RefusedPods,
    RegionFailure, SeedFigures, SeedIntervals,
};
pub use comparator::{
    Attempts, BoundedBy, CdfPoint, ComparatorSummary, Distribution, LatencyFigures, LowerBound, RegionUse,
    Sample, Unschedulable, Waits,
};
pub use run_facts::{
    Agreement, AgreementOfWorkload, ComparedAttempts, Fidelity, Mark, RunFacts, SchedulerFacts, Stopped,
    TraceFacts,
};
pub use schema::summary_schema;

/// The version of the summary.
pub const SUMMARY_VERSION: u32 = 2;

/// The word that tells a summary of a run from other JSON.
pub const SUMMARY_KIND: &str = "simulation-summary";

/// A run in figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Summary {
    /// The version of this schema: 2.
    pub v: u32,
    /// `simulation-summary`.
    pub kind: String,
    /// Whether the run came to its end.
    pub complete: bool,
    /// How far it came, where it did not.
    pub stopped: Option<Stopped>,
    /// What was run.
    pub run: RunFacts,
    /// Each scheduler that placed the pods, in the order of the run file.
    pub comparators: Vec<ComparatorSummary>,
    /// What the policies cost: `domicile` against `residency-off`; `null` where one of them did not run.
    pub cost: Option<ComplianceCost>,
    /// Who moves from policies A to policies B: `domicile` against `policy-b`; `null` where one of them did not run.
    pub moved: Option<Moved>,
    /// Pods that no node of the fleet may host by the policies, by what they are told, most first.
    pub refused: Vec<RefusedPods>,
    /// What the loss of each region would do at the end of the run, where the run file asks.
    pub failures: Vec<RegionFailure>,
    /// The figures over several seeds, where the run file asks.
    pub seeds: Option<SeedIntervals>,
    /// What the model of kube-scheduler is worth.
    pub fidelity: Fidelity,
}

impl Summary {
    /// A comparator by its name.
    #[must_use]
    pub fn comparator(&self, id: &str) -> Option<&ComparatorSummary> {
        self.comparators.iter().find(|comparator| comparator.id == id)
    }

    /// The text of `summary.json`.
    ///
    /// # Errors
    /// Where a number cannot be written, which a finite number always can.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|json| json + "\n")
    }
}
