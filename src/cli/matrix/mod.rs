//! `domicile matrix DIR`: which data may be in which region, and the rules that decide it.
//!
//! Exit code 0 where there is a matrix, whatever it says, 2 where the set or a profile cannot be read.

mod report;
mod text;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Args;
use jiff::Timestamp;

use super::Outcome;
use super::facts::{lines, read_named, read_snapshot};
use super::output::{TableOutput, write_json};
use super::policy_set::{PolicyFiles, PolicySource};
use crate::assembly::Problem;
use crate::config::parse_instant;
use crate::files::SourceName;
use crate::model::{DataSet, DataSetName};
use crate::policy::{Finding, PolicySet, matrix, read_data_sets, read_given};

use report::Report;

/// Which data may be in which region, and the rules that decide it
#[derive(Debug, Clone, Args)]
pub struct MatrixArgs {
    /// The directory of policies, or one file
    #[arg(value_name = "DIR", required_unless_present = "snapshot")]
    pub directory: Option<PathBuf>,
    /// Data sets beside those of the directory
    #[arg(long, value_name = "FILE|DIR")]
    pub data_sets: Option<PathBuf>,
    /// The policies and data sets of a file that `domicile snapshot` wrote, where none are named, at the instant at which
    /// it was taken
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// One more profile, such as "classification=confidential categories=personal subjects=DE,group/EEA"
    #[arg(long = "profile", value_name = "PROFILE")]
    pub profiles: Vec<String>,
    /// Decide at this instant (RFC 3339, or a date for its midnight UTC) instead of now
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    pub at: Option<Timestamp>,
    /// The form of the answer; CSV has every cell
    #[arg(long, value_enum, default_value_t)]
    pub output: TableOutput,
}

/// Answers `domicile matrix`.
///
/// # Errors
/// Where the set, the data sets or a profile cannot be read, or the answer cannot be written.
pub fn run(args: &MatrixArgs, now: Timestamp, out: &mut dyn Write) -> Result<Outcome> {
    let read = PolicyFiles::read(PolicySource {
        path: args.directory.as_deref(),
        snapshot: args.snapshot.as_deref(),
    })?;
    let loaded = PolicySet::load(read.files.iter());
    let set = loaded
        .map_err(|findings| unusable(&read.name, findings, Problem::Policies))?
        .set;
    let data_sets = read_beside(args)?;
    let at = read.instant(args.at, now);
    let given = args.profiles.iter().map(|profile| {
        read_given(&set, profile, at).map_err(|problem| anyhow!("the profile `{profile}`: {problem}"))
    });
    let given: Vec<_> = given.collect::<Result<_>>()?;
    let matrix = matrix(&set, &data_sets, &given, at);
    let named = args.directory.as_ref().or(args.snapshot.as_ref());
    let named = named.map(|path| path.display().to_string()).unwrap_or_default();
    let report = Report::new(&set, &matrix, named, at);
    match args.output {
        TableOutput::Text => report.write(out)?,
        TableOutput::Json => write_json(out, &report)?,
        TableOutput::Csv => report.write_csv(out)?,
    }
    Ok(Outcome::Holds)
}

fn read_beside(args: &MatrixArgs) -> Result<BTreeMap<DataSetName, DataSet>> {
    let (files, name) = match (&args.data_sets, &args.snapshot) {
        (Some(path), _) => {
            let files = read_named(SourceName::DataSets, Some(path), &[])?;
            (files, format!("`{}`", path.display()))
        }
        (None, Some(path)) => {
            let texts = read_snapshot(Some(path))?;
            let files = texts.map(|texts| texts.rules.data_sets).unwrap_or_default();
            (files, format!("the data sets of `{}`", path.display()))
        }
        (None, None) => return Ok(BTreeMap::new()),
    };
    let named = files.iter().map(|file| (file.name.as_str(), file.text.as_str()));
    read_data_sets(named).map_err(|findings| unusable(&name, findings, Problem::DataSets))
}

fn unusable(name: &str, findings: Vec<Finding>, problem: fn(Finding) -> Problem) -> anyhow::Error {
    let problems: Vec<Problem> = findings.into_iter().map(problem).collect();
    anyhow!("{name} does not load:{}", lines(&problems))
}
