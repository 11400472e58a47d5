//! The run file: what to simulate.
//!
//! Inputs: the text. Outputs: a [`RunFile`]. Invariants: a field that is not known is an error; what
//! decides (seed, instant, what to place) is stated and has no default. Paths stay text: whoever reads files
//! takes them relative to the run file. Deliberately absent: what the files say that it names (`scenario`).

mod checks;
mod spec;

use jiff::Timestamp;
use serde::Deserialize;

pub use spec::{FleetSpec, NodeGroupSpec, PoliciesB, SchedulerSpec, SynthesisSpec, WorkloadSpec};

use super::comparator::Comparator;
use super::fail_on::FailOn;

/// A run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RunFile {
    v: u32,
    /// One line about it.
    pub title: String,
    /// Decides every random choice.
    pub seed: u64,
    /// How many seeds, this and those after it; one where the file does not say.
    #[serde(default = "one")]
    pub seeds: u32,
    /// The instant of `t` 0, at which policies are judged first.
    pub at: Timestamp,
    /// A file that `domicile snapshot` wrote: the cluster, policies, data sets and latencies at the beginning, none of
    /// which is then stated besides.
    pub snapshot: Option<String>,
    /// The nodes; absent is the embedded fleet, or with a trace what the trace says.
    #[serde(default)]
    pub fleet: FleetSpec,
    /// The folder of policies; absent is the embedded one.
    pub policies: Option<String>,
    /// The policies that `policy-b` takes.
    pub policies_b: Option<PoliciesB>,
    /// The file or folder of data sets; absent is the embedded one.
    pub data_sets: Option<String>,
    /// The file or folder of latencies; absent is the embedded one.
    pub latency: Option<String>,
    /// What of kube-scheduler and of how it asks the extender can be set.
    #[serde(default)]
    pub scheduler: SchedulerSpec,
    /// Who places the pods; absent is `kube-default`, `domicile` and `residency-off`.
    #[serde(default)]
    compare: Vec<String>,
    /// What the loss of regions would do.
    pub failures: Option<Failures>,
    /// What of the cost is attributed to which policy.
    pub attribution: Option<Attribution>,
    /// What makes the run a failure.
    #[serde(default)]
    fail_on: Vec<String>,
    /// What happens, as a file of events.
    pub trace: Option<String>,
    /// What is made up that the trace lacks.
    pub synthesis: Option<SynthesisSpec>,
    /// What to place at the beginning.
    #[serde(default)]
    pub workloads: Vec<WorkloadSpec>,
}

/// What the loss of regions would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Failures {
    /// Each region by itself, at the end.
    EachRegion,
}

/// What of the cost is attributed to which policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Attribution {
    /// To each policy that takes a node of the fleet from some pod, by a run in which it is only recorded.
    EachPolicy,
}

fn one() -> u32 {
    1
}

impl RunFile {
    /// Reads a run file; `name` is what its problems are reported under.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(name: &str, text: &str) -> Result<Self, Vec<String>> {
        let run: Self = serde_saphyr::from_str(text).map_err(|error| {
            let (line, column) = error
                .location()
                .map_or((0, 0), |location| (location.line(), location.column()));
            let said = error.without_snippet().to_string();
            let said = said.lines().next().unwrap_or("").trim_start_matches("error: ");
            let said = said.split(" at line ").next().unwrap_or(said);
            vec![format!("{name}:{line}:{column}: {said}")]
        })?;
        let problems = checks::problems(&run);
        if problems.is_empty() {
            Ok(run)
        } else {
            Err(problems
                .into_iter()
                .map(|problem| format!("{name}: {problem}"))
                .collect())
        }
    }

    /// Who places the pods, in the order of the file.
    #[must_use]
    pub fn comparators(&self) -> Vec<Comparator> {
        if self.compare.is_empty() {
            return vec![
                Comparator::KubeDefault,
                Comparator::Domicile,
                Comparator::ResidencyOff,
            ];
        }
        // The names have been checked.
        self.compare
            .iter()
            .filter_map(|name| Comparator::parse(name).ok())
            .collect()
    }

    /// What makes the run a failure.
    #[must_use]
    pub fn fail_on(&self) -> Vec<FailOn> {
        self.fail_on
            .iter()
            .filter_map(|text| FailOn::parse(text).ok())
            .collect()
    }

    /// The facts that the file states and a snapshot has, by their keys.
    #[must_use]
    pub fn facts_of_a_snapshot(&self) -> Vec<&'static str> {
        let fleet = &self.fleet;
        let makes_up = !(fleet.nodes.is_empty() && fleet.namespaces.is_empty());
        let stated = [
            ("fleet", fleet.file.is_some() || makes_up),
            ("policies", self.policies.is_some()),
            ("dataSets", self.data_sets.is_some()),
            ("latency", self.latency.is_some()),
        ];
        let stated = stated.into_iter().filter(|(_, is_stated)| *is_stated);
        stated.map(|(key, _)| key).collect()
    }

    /// The seeds of the run.
    #[must_use]
    pub fn seeds(&self) -> Vec<u64> {
        (0..u64::from(self.seeds))
            .map(|step| self.seed.wrapping_add(step))
            .collect()
    }
}

#[cfg(test)]
mod tests;
