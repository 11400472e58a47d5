//! `domicile test DIR`: whether a set of policies decides as its tests say.
//!
//! Each test says at which instant it judges, so this verb asks no clock. Exit code 0 where there is a test
//! and every case passes; 1 where a case fails, there is no test, or the set does not load; 2 where there is
//! nothing to read.

mod junit;
mod report;

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::Outcome;
use super::output::write_json;
use super::policy_set::{PolicyFiles, PolicySource};
use crate::policy::PolicySet;
use report::Report;

/// Run the tests that stand beside policies
#[derive(Debug, Clone, Args)]
pub struct TestArgs {
    /// The directory of policies and their tests, or one file
    #[arg(value_name = "DIR", required_unless_present = "snapshot")]
    pub directory: Option<PathBuf>,
    /// The policies and tests of a file that `domicile snapshot` wrote, where none are named
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: TestOutput,
}

/// For people, for programs, or for what shows tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum TestOutput {
    /// For people.
    #[default]
    Text,
    /// For programs: versioned, in its field `v`.
    Json,
    /// For what shows the tests of a build: `JUnit` XML.
    Junit,
}

/// Answers `domicile test`.
///
/// # Errors
/// Where the files cannot be read, there is none, or the answer cannot be written.
pub fn run(args: &TestArgs, out: &mut dyn Write) -> Result<Outcome> {
    let read = PolicyFiles::read(PolicySource {
        path: args.directory.as_deref(),
        snapshot: args.snapshot.as_deref(),
    })?;
    let loaded = PolicySet::load(read.files.iter()).map(|loaded| loaded.set);
    let report = match &loaded {
        Ok(set) => Report::of_set(set),
        Err(findings) => Report::of_findings(findings),
    };
    match args.output {
        TestOutput::Text => report.write(out)?,
        TestOutput::Json => write_json(out, &report)?,
        TestOutput::Junit => junit::write(&report, out)?,
    }
    Ok(Outcome::holds_if(report.holds))
}
