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
use crate::scan::{CopyFinding, FindingKind, PodFinding, scan_copies, scan_pod};
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
    /// What is wrong with copies of data sets, in the order of kinds and data sets.
    pub copies: Vec<CopyRow>,
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

/// A copy of a data set with a finding, or one that is missing.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CopyRow {
    #[serde(skip)]
    pub kind: FindingKind,
    pub finding: &'static str,
    /// Whether something is to be done.
    pub fails: bool,
    pub data_set: String,
    pub owner: Option<String>,
    /// What the copy does; missing where the copy is.
    pub role: Option<&'static str>,
    /// Where it is; missing where that is not known.
    pub place: Option<String>,
    /// The claim that holds it, such as `shop/data-db-0`; missing where the copy is only declared.
    pub claim: Option<String>,
    /// The volume of that.
    pub volume: Option<String>,
    /// The only node from which the volume can be used, of a local one.
    pub node: Option<String>,
    pub says: String,
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
        let mut copies: Vec<CopyRow> = scan_copies(snapshot, at).into_iter().map(CopyRow::new).collect();
        copies.sort_by_key(|row| row.kind);
        for row in &copies {
            *counts.entry(row.finding).or_default() += 1;
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
            copies,
            does_not_speak_of: &LIMITS_OF_CONTROL,
            passing,
        }
    }

    /// Whether nothing is to be done.
    pub fn passes(&self) -> bool {
        !self.findings.iter().any(|row| row.fails) && !self.copies.iter().any(|row| row.fails)
    }

    /// Writes every pod: those with findings first, a row for each, then copies of data with findings, then the pods that
    /// pass.
    pub fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(out, &HEADER)?;
        for row in &self.findings {
            table.row(row.cells())?;
        }
        for row in &self.copies {
            table.row(row.cells())?;
        }
        for row in &self.passing {
            table.row(row.cells())?;
        }
        table.end()
    }
}

impl CopyRow {
    fn new(finding: CopyFinding) -> Self {
        let CopyFinding {
            kind,
            data_set,
            owner,
            copy,
            found,
            says,
            fix,
        } = finding;
        let place = copy.as_ref().and_then(|(_, place)| place.region.as_ref());
        Self {
            kind,
            finding: kind.word(),
            fails: kind.is_failure(),
            data_set: data_set.to_string(),
            owner,
            role: copy.as_ref().map(|(role, _)| role.word()),
            place: place.map(ToString::to_string),
            claim: found
                .as_ref()
                .map(|found| format!("{}/{}", found.claim.namespace, found.claim.name)),
            volume: found.as_ref().map(|found| found.volume.to_string()),
            node: found.and_then(|found| found.node).map(|node| node.to_string()),
            says,
            fix,
        }
    }

    /// Who holds it, in words; empty where it is only declared.
    pub fn held(&self) -> String {
        match (&self.claim, &self.volume) {
            (Some(claim), Some(volume)) => format!(", held by the claim {claim} with the volume {volume}"),
            _ => String::new(),
        }
    }

    fn cells(&self) -> [String; HEADER.len()] {
        let namespace = self.claim.as_ref().and_then(|claim| claim.split('/').next());
        [
            namespace.unwrap_or_default().to_owned(),
            String::new(),
            format!("DataSet/{}", self.data_set),
            String::new(),
            self.node.clone().unwrap_or_default(),
            self.place.clone().unwrap_or_default(),
            self.finding.to_owned(),
            format!("{}{}", self.says, self.held()),
            self.fix.to_owned(),
        ]
    }
}

impl FindingRow {
    fn cells(&self) -> [String; HEADER.len()] {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        [
            self.namespace.clone(),
            self.pod.clone(),
            text(&self.workload),
            self.scheduler.clone(),
            text(&self.node),
            text(&self.region),
            self.finding.to_owned(),
            self.says.clone(),
            self.fix.to_owned(),
        ]
    }

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
