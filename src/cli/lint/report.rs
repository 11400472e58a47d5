//! What `domicile lint` found, and the forms in which it is told.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::beside::{Beside, ReadFleet};
use super::written::Written;
use crate::assembly::version;
use crate::cli::explanation::VERSION;
use crate::cli::sarif::{Located, SarifLog};
use crate::files::SourceFiles;
use crate::model::Statistic;
use crate::objects::FleetFile;
use crate::placement::{LintedFleet, lint_fleet};
use crate::policy::{
    Finding, Level, PolicySet, Position, WrittenDataSets, lint, lint_data_sets, read_written_data_sets,
    without_objects,
};
use crate::snapshot::{Inputs, RunningFacts, Snapshot};
use crate::topology::{LatencyTable, Measurements};

/// What a set holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    policies: usize,
    groups: usize,
    regions: usize,
    data_sets: usize,
}

impl Counts {
    fn of(set: &PolicySet) -> Self {
        let definitions = set.definitions();
        Self {
            policies: definitions.policies.len(),
            groups: definitions.groups.len(),
            regions: set.catalogue().regions().count(),
            data_sets: set.data_sets().len(),
        }
    }
}

/// What was found.
#[derive(Debug)]
pub struct Report {
    at: Timestamp,
    files: usize,
    set: Option<Counts>,
    fleet: Option<FleetCounts>,
    names_fleet: bool,
    findings: Vec<Finding>,
    passed_over: Vec<String>,
}

/// The answer for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer<'a> {
    v: u32,
    kind: &'static str,
    /// The instant as of which dates were judged.
    at: String,
    files: usize,
    /// Absent where the set does not load.
    set: Option<&'a Counts>,
    /// Absent where none is named, or the policies or data sets do not load.
    fleet: Option<&'a FleetCounts>,
    errors: usize,
    warnings: usize,
    notes: usize,
    findings: Vec<Row<'a>>,
    /// Files that were not read because of their extension.
    passed_over: &'a [String],
}

/// What a fleet holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct FleetCounts {
    nodes: usize,
    namespaces: usize,
    pods: usize,
}

impl FleetCounts {
    fn of(fleet: &ReadFleet) -> Self {
        let FleetFile { fleet, pods, .. } = &fleet.file;
        Self {
            nodes: fleet.nodes.len(),
            namespaces: fleet.namespaces.as_ref().map_or(0, |namespaces| namespaces.len()),
            pods: pods.len(),
        }
    }
}

/// A finding in the answer. A line or column of 0 is not known.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    code: &'static str,
    level: &'static str,
    file: &'a str,
    line: usize,
    column: usize,
    length: usize,
    sentence: &'a str,
    fix: Option<&'a str>,
}

impl Report {
    /// Lints a set of files, and what stands beside it, as of an instant.
    pub fn new(files: &SourceFiles, beside: &Beside, at: Timestamp) -> Self {
        let named = beside.data_sets.iter();
        let data_sets = read_written_data_sets(named.map(|file| (file.name.as_str(), file.text.as_str())));
        let mut looked_at = None;
        let (set, mut findings) = match PolicySet::load(files.iter()) {
            Ok(loaded) => {
                let mut findings = loaded.findings;
                findings.extend(lint(&loaded.set, at));
                let counts = Counts::of(&loaded.set);
                if let (Some(fleet), Ok(data_sets)) = (&beside.fleet, &data_sets) {
                    findings.extend(lint_data_sets(&loaded.set, data_sets));
                    findings.extend(lint_beside(loaded.set, fleet, data_sets, at));
                    looked_at = Some(FleetCounts::of(fleet));
                }
                (Some(counts), findings)
            }
            Err(findings) => (None, findings),
        };
        findings.extend(without_objects(files.iter()));
        findings.extend(data_sets.err().into_iter().flatten());
        findings.sort();
        Self {
            fleet: looked_at,
            names_fleet: beside.fleet.is_some(),
            at,
            files: files.files().len(),
            set,
            findings,
            passed_over: files.passed_over().to_vec(),
        }
    }

    /// Whether something is an error; under `strict`, a warning too.
    pub fn is_wrong(&self, strict: bool) -> bool {
        let wrong = self.count(Level::Error) + if strict { self.count(Level::Warning) } else { 0 };
        wrong > 0
    }

    fn count(&self, level: Level) -> usize {
        let of_level = self.findings.iter().filter(|finding| finding.level == level);
        of_level.count()
    }

    /// The answer for programs.
    pub fn answer(&self) -> Answer<'_> {
        Answer {
            v: VERSION,
            kind: "lint",
            at: self.at.to_string(),
            files: self.files,
            set: self.set.as_ref(),
            fleet: self.fleet.as_ref(),
            errors: self.count(Level::Error),
            warnings: self.count(Level::Warning),
            notes: self.count(Level::Note),
            findings: self.findings.iter().map(Row::from).collect(),
            passed_over: &self.passed_over,
        }
    }

    /// The answer for code hosts.
    pub fn sarif(&self, written: &Written<'_>) -> SarifLog {
        SarifLog::new(self.findings.iter().map(|finding| Located {
            finding,
            uri: written.uri(&finding.position),
            underlined: written.underlined(&finding.position),
        }))
    }

    /// Writes the answer for people.
    pub fn write(&self, written: &Written<'_>, out: &mut dyn Write) -> io::Result<()> {
        for finding in &self.findings {
            let Position {
                file, line, column, ..
            } = &finding.position;
            let mut place = file.clone();
            for number in [line, column].into_iter().filter(|_| *line > 0) {
                write!(place, ":{number}").map_err(io::Error::other)?;
            }
            if !place.is_empty() {
                place.push_str(": ");
            }
            let (level, code) = (finding.level.word(), finding.code);
            writeln!(out, "{place}{level} {code}: {}", finding.sentence)?;
            if let Some(text) = written.line(&finding.position) {
                writeln!(out, "{line:>6} | {text}")?;
                let carets = "^".repeat(written.underlined(&finding.position));
                writeln!(out, "       | {}{carets}", indent(text, *column))?;
            }
            if let Some(fix) = &finding.fix {
                writeln!(out, "       = {fix}")?;
            }
        }
        if !self.passed_over.is_empty() {
            writeln!(out, "not read, by extension: {}", self.passed_over.join(", "))?;
        }
        writeln!(out, "{}", self.summary())
    }

    fn summary(&self) -> String {
        let counted = |count: usize, one: &str, several: &str| {
            format!("{count} {}", if count == 1 { one } else { several })
        };
        let mut held = match &self.set {
            Some(set) => [
                counted(set.policies, "policy", "policies"),
                counted(set.groups, "group", "groups"),
                counted(set.regions, "region", "regions"),
                counted(set.data_sets, "data set", "data sets"),
            ]
            .join(", "),
            None => format!("{}, not loaded", counted(self.files, "file", "files")),
        };
        match &self.fleet {
            Some(fleet) => {
                let nodes = counted(fleet.nodes, "node", "nodes");
                let namespaces = counted(fleet.namespaces, "namespace", "namespaces");
                let pods = counted(fleet.pods, "pod", "pods");
                held.push_str(&format!("; a fleet of {nodes}, {namespaces}, {pods}"));
            }
            None if self.names_fleet => held.push_str("; the fleet was not looked at"),
            None => {}
        }
        let found = [
            (Level::Error, "error", "errors"),
            (Level::Warning, "warning", "warnings"),
            (Level::Note, "note", "notes"),
        ]
        .map(|(level, one, several)| (self.count(level), one, several));
        let found: Vec<String> = found
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, several)| counted(count, one, several))
            .collect();
        if found.is_empty() {
            format!("{held}: no findings")
        } else {
            format!("{held}: {}", found.join(", "))
        }
    }
}

impl<'a> From<&'a Finding> for Row<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            code: finding.code,
            level: finding.level.word(),
            file: &finding.position.file,
            line: finding.position.line,
            column: finding.position.column,
            length: finding.position.length,
            sentence: &finding.sentence,
            fix: finding.fix.as_deref(),
        }
    }
}

/// Lints a fleet under a set that loaded.
fn lint_beside(set: PolicySet, read: &ReadFleet, data_sets: &WrittenDataSets, at: Timestamp) -> Vec<Finding> {
    // Files of data sets stand before what is declared among the policies.
    let mut written_at = set.data_sets_written_at().clone();
    written_at.extend(data_sets.written_at.clone());
    let latency = LatencyTable::build(
        &Measurements::default(),
        &set.catalogue().coordinates(),
        Statistic::P50,
    );
    let snapshot = Snapshot::new(Inputs {
        fleet: Arc::new(read.file.fleet.clone()),
        fleet_version: version(std::slice::from_ref(&read.text)),
        running: RunningFacts::default(),
        confirmed_until: None,
        policies: Arc::new(set),
        data_sets: Arc::new(data_sets.data_sets.clone()),
        // No record of a decision names this snapshot.
        data_sets_version: String::new(),
        latency: Arc::new(latency),
    });
    lint_fleet(&LintedFleet {
        snapshot: &snapshot,
        pods: &read.file.pods,
        contradicting_providers: &read.file.contradicting_providers,
        data_sets_written_at: &written_at,
        file: &read.text.name,
        at,
    })
}

/// What stands before a column. Tabs stay tabs, so that carets stand below the text.
fn indent(line: &str, column: usize) -> String {
    line.chars()
        .take(column.saturating_sub(1))
        .map(|character| if character == '\t' { '\t' } else { ' ' })
        .collect()
}
