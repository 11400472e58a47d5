//! The run file: what to simulate.
//!
//! Inputs: the text. Outputs: a [`RunFile`]. Invariants: a field that is not known is an error; what
//! decides (seed, instant, workloads) is stated and has no default. Paths stay text: whoever reads files
//! takes them relative to the run file. Deliberately absent: events over time; the fields of this version
//! grow into the header of a trace.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::capacity::Resources;
use super::quantity::{cpu_millis, whole};
use crate::model::{NamespaceName, RegionKey};

/// The only version of the run file.
const VERSION: u32 = 1;

/// The weight of the extender where the file does not state one.
const DEFAULT_WEIGHT: u32 = 5;

/// The most pods or nodes of one run, so that a typing error does not fill the memory.
const MOST: usize = 1_000_000;

/// A run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RunFile {
    v: u32,
    /// One line about it.
    pub title: String,
    /// Decides every random choice.
    pub seed: u64,
    /// The instant at which policies are judged.
    pub at: Timestamp,
    /// The nodes; absent is the embedded fleet.
    #[serde(default)]
    pub fleet: FleetSpec,
    /// The folder of policies; absent is the embedded one.
    pub policies: Option<String>,
    /// The file or folder of data sets; absent is the embedded one.
    pub data_sets: Option<String>,
    /// The file or folder of latencies; absent is the embedded one.
    pub latency: Option<String>,
    /// What of kube-scheduler can be set.
    #[serde(default)]
    pub scheduler: SchedulerSpec,
    /// What to place.
    pub workloads: Vec<WorkloadSpec>,
}

/// Where the nodes come from.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FleetSpec {
    /// A fleet file.
    pub file: Option<String>,
    /// Nodes to make up.
    #[serde(default)]
    pub nodes: Vec<NodeGroupSpec>,
    /// Namespaces beside the nodes that are made up.
    #[serde(default)]
    pub namespaces: Vec<NamespaceSpec>,
}

/// Equal nodes of one region.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NodeGroupSpec {
    /// `provider/region`.
    pub region: String,
    /// The names of its zones, as the provider writes them.
    pub zones: Vec<String>,
    /// How many nodes in each zone.
    pub nodes_per_zone: usize,
    /// What a node can allocate: CPUs.
    pub cpu: String,
    /// Memory.
    pub memory: String,
    /// Pods.
    pub pods: u64,
}

/// A namespace.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NamespaceSpec {
    /// Its name.
    pub name: String,
    /// Its labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// What of kube-scheduler can be set.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SchedulerSpec {
    /// The weight of the extender.
    #[serde(default = "default_weight")]
    pub extender_weight: u32,
}

impl Default for SchedulerSpec {
    fn default() -> Self {
        Self {
            extender_weight: DEFAULT_WEIGHT,
        }
    }
}

fn default_weight() -> u32 {
    DEFAULT_WEIGHT
}

/// Equal pods.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WorkloadSpec {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// How many pods.
    pub pods: usize,
    /// What a pod asks for: CPUs.
    pub cpu: String,
    /// Memory.
    pub memory: String,
    /// The labels of its pods.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The annotations of its pods: their data, data sets and clients.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

impl WorkloadSpec {
    /// What one pod asks for.
    ///
    /// # Errors
    /// Where a quantity cannot be read.
    pub fn request(&self) -> Result<Resources, String> {
        let said = |field: &str, problem: String| format!("workload `{}`: `{field}`: {problem}", self.name);
        Ok(Resources {
            cpu_millis: cpu_millis(&self.cpu).map_err(|problem| said("cpu", problem.to_string()))?,
            memory_bytes: whole(&self.memory).map_err(|problem| said("memory", problem.to_string()))?,
            pods: 1,
        })
    }
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
        let problems = run.problems();
        if problems.is_empty() {
            Ok(run)
        } else {
            Err(problems
                .into_iter()
                .map(|problem| format!("{name}: {problem}"))
                .collect())
        }
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.v != VERSION {
            problems.push(format!("`v` is {} where this program reads {VERSION}", self.v));
        }
        if self.fleet.file.is_some() && !(self.fleet.nodes.is_empty() && self.fleet.namespaces.is_empty()) {
            problems.push(
                "`fleet` has a file and nodes or namespaces to make up; one of them must go".to_owned(),
            );
        }
        if self.fleet.nodes.is_empty() && !self.fleet.namespaces.is_empty() {
            problems.push("`fleet` has namespaces and no nodes".to_owned());
        }
        for group in &self.fleet.nodes {
            if let Err(problem) = RegionKey::parse(&group.region) {
                problems.push(format!("`fleet.nodes`: {problem}"));
            }
            if group.zones.is_empty() || group.nodes_per_zone == 0 {
                problems.push(format!("`fleet.nodes`: `{}` has no nodes", group.region));
            }
        }
        let nodes = self
            .fleet
            .nodes
            .iter()
            .map(|group| group.zones.len().saturating_mul(group.nodes_per_zone));
        if nodes.fold(0, usize::saturating_add) > MOST {
            problems.push(format!("`fleet.nodes` are more than {MOST}"));
        }
        if self.workloads.is_empty() {
            problems.push("`workloads` is empty".to_owned());
        }
        if self
            .workloads
            .iter()
            .map(|workload| workload.pods)
            .fold(0, usize::saturating_add)
            > MOST
        {
            problems.push(format!("the pods of `workloads` are more than {MOST}"));
        }
        let mut names = BTreeMap::new();
        for workload in &self.workloads {
            if names.insert((&workload.namespace, &workload.name), ()).is_some() {
                let (namespace, name) = (&workload.namespace, &workload.name);
                problems.push(format!("a second workload is called `{name}` in `{namespace}`"));
            }
            if let Err(problem) = NamespaceName::new(&workload.namespace) {
                problems.push(format!("workload `{}`: `namespace`: {problem}", workload.name));
            }
            problems.extend(workload.request().err());
            // Of a namespace that nobody knows nothing is known, which would refuse its pods for a typing error.
            let namespaces = &self.fleet.namespaces;
            if !namespaces.is_empty() && !namespaces.iter().any(|known| known.name == workload.namespace) {
                let (name, namespace) = (&workload.name, &workload.namespace);
                problems.push(format!(
                    "workload `{name}`: the namespace `{namespace}` is not among `fleet.namespaces`"
                ));
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "v: 1\ntitle: t\nseed: 7\nat: 2026-11-21T00:00:00Z\nworkloads:\n\
        - {name: a, namespace: shop, pods: 2, cpu: 500m, memory: 1Gi}\n";

    fn problems(text: &str) -> Vec<String> {
        RunFile::read("run.yaml", text).expect_err("a bad run file")
    }

    #[test]
    fn a_small_run_takes_defaults_from_what_is_embedded() {
        let run = RunFile::read("run.yaml", GOOD).expect("a run file");
        assert!(run.fleet.file.is_none() && run.policies.is_none());
        assert_eq!(run.scheduler.extender_weight, 5);
        assert_eq!(
            run.workloads[0].request().map(|request| request.cpu_millis),
            Ok(500)
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_or_name() {
        let unknown = problems(&GOOD.replace("seed: 7", "seed: 7\nsead: 8"));
        assert!(
            unknown[0].starts_with("run.yaml:4:") && unknown[0].contains("sead"),
            "{unknown:?}"
        );
        assert!(problems(&GOOD.replace("seed: 7\n", ""))[0].contains("seed"));
        assert!(problems(&GOOD.replace("v: 1", "v: 2"))[0].contains("`v` is 2"));
        assert!(problems(&GOOD.replace("500m", "half"))[0].contains("workload `a`: `cpu`: `half`"));
        assert!(problems(&GOOD.replace("pods: 2", "pods: 2000000"))[0].contains("more than"));
        let twice = format!("{GOOD}- {{name: a, namespace: shop, pods: 1, cpu: 1, memory: 1Gi}}\n");
        assert!(problems(&twice)[0].contains("second workload"));
        let both = format!(
            "{GOOD}fleet: {{file: x, nodes: [{{region: nowhere, zones: [], nodesPerZone: 1, cpu: 1, memory: 1, pods: 1}}]}}\n"
        );
        assert_eq!(problems(&both).len(), 3, "{:?}", problems(&both));
    }
}
