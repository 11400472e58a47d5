//! `domicile matrix DIR`: which data may be in which region, and the rules that decide it.
//!
//! Exit code 0 where there is a matrix, whatever it says, 2 where the set or a profile cannot be read.

mod report;
mod text;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use clap::Args;
use jiff::Timestamp;

use super::Outcome;
use super::facts::{lines, read_named, read_policies};
use super::output::{TableOutput, write_json};
use crate::assembly::{Problem, SourceText};
use crate::config::parse_instant;
use crate::files::SourceName;
use crate::model::{DataSet, DataSetName};
use crate::policy::{Finding, PolicySet, matrix, read_data_sets, read_given};

use report::Report;

/// Which data may be in which region, and the rules that decide it
#[derive(Debug, Clone, Args)]
pub struct MatrixArgs {
    /// The directory of policies, or one file
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// Data sets beside those of the directory
    #[arg(long, value_name = "FILE|DIR")]
    pub data_sets: Option<PathBuf>,
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
    let set = read_set(&args.directory)?;
    let data_sets = read_beside(args.data_sets.as_deref())?;
    let at = args.at.unwrap_or(now);
    let given = args.profiles.iter().map(|profile| {
        read_given(&set, profile, at).map_err(|problem| anyhow!("the profile `{profile}`: {problem}"))
    });
    let given: Vec<_> = given.collect::<Result<_>>()?;
    let matrix = matrix(&set, &data_sets, &given, at);
    let report = Report::new(&set, &matrix, args.directory.display().to_string(), at);
    match args.output {
        TableOutput::Text => report.write(out)?,
        TableOutput::Json => write_json(out, &report)?,
        TableOutput::Csv => report.write_csv(out)?,
    }
    Ok(Outcome::Holds)
}

fn read_set(directory: &Path) -> Result<PolicySet> {
    let files = read_policies(Some(directory))?;
    let loaded = PolicySet::load(named(&files));
    let loaded = loaded.map_err(|findings| unusable(directory, findings, Problem::Policies))?;
    Ok(loaded.set)
}

fn read_beside(path: Option<&Path>) -> Result<BTreeMap<DataSetName, DataSet>> {
    let Some(path) = path else {
        return Ok(BTreeMap::new());
    };
    let files = read_named(SourceName::DataSets, Some(path), &[])?;
    read_data_sets(named(&files)).map_err(|findings| unusable(path, findings, Problem::DataSets))
}

fn named(files: &[SourceText]) -> impl Iterator<Item = (&str, &str)> + Clone {
    files.iter().map(|file| (file.name.as_str(), file.text.as_str()))
}

fn unusable(path: &Path, findings: Vec<Finding>, problem: fn(Finding) -> Problem) -> anyhow::Error {
    let problems: Vec<Problem> = findings.into_iter().map(problem).collect();
    anyhow!("`{}` does not load:{}", path.display(), lines(&problems))
}
