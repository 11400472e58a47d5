//! From the texts of all sources of facts to what a snapshot is made from: the one way that `serve`, the
//! offline verbs and the simulation share.
//!
//! Inputs: texts with the names that their problems are to be reported under. Outputs: [`Rules`] (policies,
//! data sets, latencies), [`FleetFacts`], or both as [`Inputs`]; or every problem of every source at once.
//! Invariants: a source is read whole or not at all; the latency file is read by the catalogue of the
//! policies that stand beside it. Deliberately absent: reading files, keeping the last good ones, the clock.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::model::{Coordinates, DataSet, DataSetName, Fleet, PodRequirements, RegionKey, RegionReference};
use crate::objects::{FleetError, read_fleet};
use crate::policy::{Finding, PolicySet};
use crate::snapshot::{Inputs, RunningFacts};
use crate::topology::{
    LatencyFile, LatencyFileError, LatencyTable, MeasuredPlace, Measurements, read_latency_csv,
};

/// How many bytes of a hash name a state of a source.
const VERSION_BYTES: usize = 8;

/// A text, and what its problems are reported under.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceText {
    /// A file name, or whatever tells people where the text came from.
    pub name: String,
    /// The text.
    pub text: String,
}

impl SourceText {
    /// Names a text.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }
}

/// The texts of everything but the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleTexts {
    /// Every file of the folder of policies.
    pub policies: Vec<SourceText>,
    /// The files of data sets; none is an empty list.
    pub data_sets: Vec<SourceText>,
    /// The latency files; no pair may be in two of them.
    pub latency: Vec<SourceText>,
}

/// A source of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactSource {
    /// The folder of policies.
    Policies,
    /// The files of data sets.
    DataSets,
    /// The latency files.
    Latency,
    /// The fleet.
    Fleet,
}

impl FactSource {
    /// Every source.
    pub const ALL: [Self; 4] = [Self::Policies, Self::DataSets, Self::Latency, Self::Fleet];

    /// The word that reports and metrics use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Policies => "policies",
            Self::DataSets => "data-sets",
            Self::Latency => "latency",
            Self::Fleet => "fleet",
        }
    }
}

/// What is wrong with a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// In the folder of policies.
    Policies(Finding),
    /// In a file of data sets.
    DataSets(Finding),
    /// In a latency file.
    Latency(LatencyFileError),
    /// In the fleet file.
    Fleet(FleetError),
}

impl Problem {
    /// Which source it is about.
    #[must_use]
    pub fn source(&self) -> FactSource {
        match self {
            Self::Policies(_) => FactSource::Policies,
            Self::DataSets(_) => FactSource::DataSets,
            Self::Latency(_) => FactSource::Latency,
            Self::Fleet(_) => FactSource::Fleet,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policies(finding) | Self::DataSets(finding) => finding.fmt(formatter),
            Self::Latency(error) => error.fmt(formatter),
            Self::Fleet(error) => error.fmt(formatter),
        }
    }
}

/// Everything that decides but the fleet.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The policies.
    pub policies: Arc<PolicySet>,
    /// The data sets that are declared beside the policies.
    pub data_sets: Arc<BTreeMap<DataSetName, DataSet>>,
    /// What tells this state of the data sets from any other.
    pub data_sets_version: String,
    /// The latencies.
    pub latency: Arc<LatencyTable>,
    /// What the authors of the policies should know; none of it is an error.
    pub findings: Vec<Finding>,
}

/// A fleet, and what tells this state of it from any other.
#[derive(Debug, Clone)]
pub struct FleetFacts {
    /// The objects of the cluster.
    pub fleet: Arc<Fleet>,
    /// A hash of what they were read from, or a generation.
    pub version: String,
    /// The pods that run.
    pub running: RunningFacts,
    /// The last instant at which the source confirmed these objects; `None` where it confirms them still, or
    /// states no time.
    pub confirmed_until: Option<Timestamp>,
}

impl Rules {
    /// What a snapshot of these rules over a fleet is made from.
    #[must_use]
    pub fn over(&self, fleet: &FleetFacts) -> Inputs {
        Inputs {
            fleet: fleet.fleet.clone(),
            fleet_version: fleet.version.clone(),
            running: fleet.running.clone(),
            confirmed_until: fleet.confirmed_until,
            policies: self.policies.clone(),
            data_sets: self.data_sets.clone(),
            data_sets_version: self.data_sets_version.clone(),
            latency: self.latency.clone(),
        }
    }
}

/// Reads everything but the fleet.
///
/// # Errors
/// Every problem of every source, in the order of sources.
pub fn read_rules(texts: &RuleTexts) -> Result<Rules, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut note = |found: Vec<Problem>| problems.extend(found);
    let loaded = PolicySet::load_to_decide(named(&texts.policies))
        .map_err(|findings| note(findings.into_iter().map(Problem::Policies).collect()))
        .ok();
    let data_sets = crate::policy::read_data_sets(named(&texts.data_sets))
        .map_err(|findings| note(findings.into_iter().map(Problem::DataSets).collect()))
        .ok();
    let latency = latency_table(&texts.latency, loaded.as_ref().map(|loaded| &loaded.set))
        .map_err(|errors| note(errors.into_iter().map(Problem::Latency).collect()))
        .ok();
    match (loaded, data_sets, latency) {
        (Some(loaded), Some(data_sets), Some(latency)) => Ok(Rules {
            policies: Arc::new(loaded.set),
            data_sets: Arc::new(data_sets),
            data_sets_version: version(&texts.data_sets),
            latency: Arc::new(latency),
            findings: loaded.findings,
        }),
        _ => Err(problems),
    }
}

/// A fleet with the pods that are in it.
#[derive(Debug, Clone)]
pub struct FleetDump {
    /// What decides; of the pods only where those with which labels run.
    pub facts: FleetFacts,
    /// The pods that have not ended, in the order of the file.
    pub pods: Vec<PodRequirements>,
    /// How many pods ended.
    pub ended_pods: usize,
}

/// Reads a fleet file. Of its pods only those that run stay, by their labels: others call them.
///
/// # Errors
/// Every problem of the file.
pub fn fleet_facts(file: &SourceText) -> Result<FleetFacts, Vec<FleetError>> {
    fleet_dump(file).map(|dump| dump.facts)
}

/// Reads a fleet file with its pods.
///
/// # Errors
/// Every problem of the file.
pub fn fleet_dump(file: &SourceText) -> Result<FleetDump, Vec<FleetError>> {
    let read = read_fleet(&file.text, &file.name)?;
    Ok(FleetDump {
        facts: FleetFacts {
            fleet: Arc::new(read.fleet),
            version: version(std::slice::from_ref(file)),
            // The version is of the whole file, so it tells the pods apart too.
            running: RunningFacts {
                pods: read.running_pods.map(Arc::new),
                generation: 0,
            },
            confirmed_until: None,
        },
        pods: read.pods,
        ended_pods: read.ended_pods,
    })
}

/// Reads everything, for whoever reads once: what a snapshot is made from, and what the authors of the
/// policies should know.
///
/// # Errors
/// Every problem of every source, in the order of sources.
pub fn assemble(rules: &RuleTexts, fleet: &SourceText) -> Result<(Inputs, Vec<Finding>), Vec<Problem>> {
    let fleet = fleet_facts(fleet).map_err(|errors| errors.into_iter().map(Problem::Fleet));
    match (read_rules(rules), fleet) {
        (Ok(rules), Ok(fleet)) => Ok((rules.over(&fleet), rules.findings)),
        (rules, fleet) => Err(rules
            .err()
            .into_iter()
            .flatten()
            .chain(fleet.err().into_iter().flatten())
            .collect()),
    }
}

/// Reads latency files by the catalogue of a policy set and makes the table that decides.
///
/// # Errors
/// Every problem of every file.
pub fn latency_table(
    files: &[SourceText],
    policies: Option<&PolicySet>,
) -> Result<LatencyTable, Vec<LatencyFileError>> {
    latency_measurements(files, policies).map(|measurements| table_of(&measurements, policies))
}

/// The table of measurements by the catalogue and the settings of a policy set.
#[must_use]
pub fn table_of(measurements: &Measurements, policies: Option<&PolicySet>) -> LatencyTable {
    let statistic = policies.map(|set| set.settings().latency.statistic);
    LatencyTable::build(
        measurements,
        &coordinates(policies),
        statistic.unwrap_or_default(),
    )
}

/// Reads latency files by the catalogue of a policy set. Without policies the files are read all the same,
/// so that their own problems are told at once.
///
/// # Errors
/// Every problem of every file.
pub fn latency_measurements(
    files: &[SourceText],
    policies: Option<&PolicySet>,
) -> Result<Measurements, Vec<LatencyFileError>> {
    let read = read_latency(files, policies, &coordinates(policies));
    if read.problems.is_empty() {
        Ok(read.measurements)
    } else {
        Err(read.problems)
    }
}

fn coordinates(policies: Option<&PolicySet>) -> BTreeMap<RegionKey, Coordinates> {
    policies
        .map(|set| set.catalogue().coordinates())
        .unwrap_or_default()
}

/// Where a measured pair is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenPair {
    /// The file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u64,
}

/// Latency files as far as they can be read.
#[derive(Debug, Clone, Default)]
pub struct ReadLatency {
    /// The measurements of all files.
    pub measurements: Measurements,
    /// Where each pair is written.
    pub lines: BTreeMap<(MeasuredPlace, MeasuredPlace), WrittenPair>,
    /// Every problem of every file; none where the files can be used.
    pub problems: Vec<LatencyFileError>,
}

/// Reads what can be read of latency files, for whoever tells people what is wrong with them. `coordinates`
/// are those against which impossible times show: none where somebody else looks for them.
#[must_use]
pub fn read_latency(
    files: &[SourceText],
    policies: Option<&PolicySet>,
    coordinates: &BTreeMap<RegionKey, Coordinates>,
) -> ReadLatency {
    let resolve = |reference: &RegionReference| match (policies, reference) {
        (Some(set), reference) => set.catalogue().resolve(reference).cloned(),
        // Nobody can say what a bare region means: it must not look like a mistake of this file.
        (None, RegionReference::Bare(region)) => RegionKey::new("unresolved", region).ok(),
        (None, RegionReference::Key(key)) => Some(key.clone()),
    };
    let mut all = ReadLatency::default();
    for file in files {
        let read = read_latency_csv(&file.name, &file.text, resolve, coordinates);
        all.problems.extend(read.problems.iter().cloned());
        all.join(file, &read);
    }
    all
}

impl ReadLatency {
    /// Adds the measurements of one more file; a pair that an earlier file has too is an error of this one.
    fn join(&mut self, file: &SourceText, more: &LatencyFile) {
        let name: Arc<str> = file.name.as_str().into();
        for (from, to, measurement, is_parted) in more.measurements.known() {
            let pair = (from.clone(), to.clone());
            let line = more.lines.get(&pair).copied().unwrap_or(1);
            if let Some(first) = self.lines.get(&pair) {
                self.problems.push(LatencyFileError {
                    file: file.name.clone(),
                    line,
                    problem: format!(
                        "the pair `{from}` to `{to}` is already in `{}` on line {}",
                        first.file, first.line
                    ),
                });
                continue;
            }
            self.lines.insert(
                pair,
                WrittenPair {
                    file: name.clone(),
                    line,
                },
            );
            if is_parted {
                self.measurements.set_unreachable(from.clone(), to.clone());
            }
            if let Some(measurement) = measurement {
                self.measurements
                    .insert(from.clone(), to.clone(), measurement.clone());
            }
        }
    }
}

fn named(files: &[SourceText]) -> impl Iterator<Item = (&str, &str)> + Clone {
    files.iter().map(|file| (file.name.as_str(), file.text.as_str()))
}

/// What tells these texts from any others: the same files under the same names, in any order, give the
/// same version anywhere.
#[must_use]
pub fn version(files: &[SourceText]) -> String {
    let mut sorted: Vec<&SourceText> = files.iter().collect();
    sorted.sort();
    let mut hasher = Sha256::new();
    for part in sorted.into_iter().flat_map(|file| [&file.name, &file.text]) {
        // Lengths keep two neighbouring texts from being read as one.
        hasher.update(part.len().to_le_bytes());
        hasher.update(part);
    }
    let hash = hasher.finalize();
    let bytes = hash.iter().take(VERSION_BYTES);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "assembly_tests.rs"]
mod tests;
