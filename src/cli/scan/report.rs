//! The report of a scan: each pod with what is wrong with it.
//!
//! Inputs: findings. Outputs: serialisable values, from which all forms are made, so that they cannot disagree.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use crate::assembly::FleetDump;
use crate::cli::explanation::{VERSION, World, place};
use crate::model::PodRequirements;
use crate::policy::LIMITS_OF_CONTROL;
use crate::scan::{FindingKind, PodFinding, scan_pod};
use crate::snapshot::Snapshot;
use crate::spreadsheet::Table;

const HEADER: [&str; 9] = [
    "namespace",
    "pod",
    "workload",
    "scheduler",
    "node",
    "region",
    "finding",
    "says",
    "fix",
];

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    v: u32,
    kind: &'static str,
    pub world: World,
    /// What was scanned.
    pub fleet: String,
    pub pods: usize,
    /// Pods of which nothing is to be said.
    pub passing_pods: usize,
    /// How many findings of each kind, with those of which there are none.
    pub counts: BTreeMap<&'static str, usize>,
    /// In the order of kinds, the worst first, then of namespaces and names.
    pub findings: Vec<FindingRow>,
    /// What no answer of ours speaks of.
    does_not_speak_of: &'static [&'static str],
    #[serde(skip)]
    passing: Vec<FindingRow>,
}

/// A pod with a finding; in the table also pods without.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FindingRow {
    #[serde(skip)]
    pub kind: Option<FindingKind>,
    pub finding: &'static str,
    /// Whether something is to be done.
    pub fails: bool,
    pub namespace: String,
    pub pod: String,
    pub workload: Option<String>,
    pub scheduler: String,
    pub node: Option<String>,
    pub region: Option<String>,
    pub says: String,
    /// The places of which it speaks, all of them.
    pub places: Vec<String>,
    pub fix: &'static str,
}

impl Report {
    pub fn new(snapshot: &Snapshot, fleet: &str, dump: &FleetDump, at: Timestamp) -> Self {
        let mut counts: BTreeMap<&'static str, usize> = FindingKind::ALL.map(|kind| (kind.word(), 0)).into();
        let (mut findings, mut passing) = (Vec::new(), Vec::new());
        for pod in &dump.pods {
            let found = scan_pod(snapshot, pod, at);
            if found.is_empty() {
                passing.push(FindingRow::new(snapshot, pod, None));
            }
            for finding in found {
                *counts.entry(finding.kind.word()).or_default() += 1;
                findings.push(FindingRow::new(snapshot, pod, Some(finding)));
            }
        }
        let key = |row: &FindingRow| (row.kind, row.namespace.clone(), row.pod.clone());
        findings.sort_by_cached_key(key);
        passing.sort_by_cached_key(key);
        Self {
            v: VERSION,
            kind: "scan",
            world: World::new(snapshot, at),
            fleet: fleet.to_owned(),
            pods: dump.pods.len(),
            passing_pods: passing.len(),
            counts,
            findings,
            does_not_speak_of: &LIMITS_OF_CONTROL,
            passing,
        }
    }

    /// Whether nothing is to be done.
    pub fn passes(&self) -> bool {
        !self.findings.iter().any(|row| row.fails)
    }

    /// Writes every pod: those with findings first, a row for each, then those that pass.
    pub fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(out, &HEADER)?;
        for row in self.findings.iter().chain(&self.passing) {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            table.row([
                row.namespace.clone(),
                row.pod.clone(),
                text(&row.workload),
                row.scheduler.clone(),
                text(&row.node),
                text(&row.region),
                row.finding.to_owned(),
                row.says.clone(),
                row.fix.to_owned(),
            ])?;
        }
        table.end()
    }
}

impl FindingRow {
    fn new(snapshot: &Snapshot, pod: &PodRequirements, finding: Option<PodFinding>) -> Self {
        let class = pod
            .node
            .as_ref()
            .and_then(|node| snapshot.class_of(node.as_str().as_bytes()));
        let region = class
            .and_then(|class| snapshot.class(class))
            .map(|class| place(snapshot, class).region_in_words());
        let workload = pod
            .workload()
            .map(|owner| format!("{}/{}", owner.kind, owner.name));
        let kind = finding.as_ref().map(|finding| finding.kind);
        let (says, places, fix) = finding.map_or_else(Default::default, |finding| {
            (finding.says, finding.places, finding.fix)
        });
        Self {
            kind,
            finding: kind.map_or("passes", FindingKind::word),
            fails: kind.is_some_and(FindingKind::is_failure),
            namespace: pod.namespace.to_string(),
            pod: pod.name.clone(),
            workload,
            scheduler: pod.scheduler.to_string(),
            node: pod.node.as_ref().map(ToString::to_string),
            region,
            says,
            places,
            fix,
        }
    }
}
