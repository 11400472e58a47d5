//! `domicile lint DIR`: what is wrong with a set of policies, where, and how to mend it.
//!
//! Exit code 0 where nothing is wrong, 1 where a finding is an error (with `--strict`, a warning too), 2
//! where there is nothing to lint.

mod beside;
mod report;
mod written;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{ArgGroup, Args, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Outcome;
use super::output::write_json;
use super::policy_set::{PolicyFiles, PolicySource};
use beside::Beside;
use report::Report;
use written::Written;

/// Check policies: what is wrong, where, and how to mend it
#[derive(Debug, Clone, Args)]
#[command(group(ArgGroup::new("world").args(["fleet", "snapshot"]).multiple(true)))]
pub struct LintArgs {
    /// The directory of policies, or one file
    #[arg(value_name = "DIR", required_unless_present = "snapshot")]
    pub directory: Option<PathBuf>,
    /// Look at a fleet too: nodes, namespaces and pods as kubectl prints them
    #[arg(long, value_name = "FILE")]
    pub fleet: Option<PathBuf>,
    /// Data sets that are declared beside the policies
    #[arg(long, value_name = "FILE|DIR", requires = "world")]
    pub data_sets: Option<PathBuf>,
    /// The world of a file that `domicile snapshot` wrote: its fleet and data sets, where none are named, and where no DIR
    /// is named its policies, at the instant at which it was taken
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// The instant or day (UTC) as of which dates are judged; the present where it is not given
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub at: Option<Timestamp>,
    /// Treat warnings as errors
    #[arg(long)]
    pub strict: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: LintOutput,
}

/// In which form findings are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LintOutput {
    /// For people.
    #[default]
    Text,
    /// For programs: versioned, in its field `v`.
    Json,
    /// For code hosts, which show it beside the lines: SARIF 2.1.0.
    Sarif,
}

/// The instant of a time, or of the beginning of a day, in UTC.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(instant) = text.parse() {
        return Ok(instant);
    }
    let date: Option<Date> = text.parse().ok().filter(|_| text.len() == "2026-12-31".len());
    date.and_then(|date| date.to_zoned(TimeZone::UTC).ok())
        .map(|zoned| zoned.timestamp())
        .ok_or_else(|| "write 2026-12-31 or 2026-12-31T00:00:00Z".to_owned())
}

/// Answers `domicile lint`.
///
/// # Errors
/// Where the files cannot be read, there is none, or the answer cannot be written.
pub fn run(args: &LintArgs, now: Timestamp, out: &mut dyn Write) -> Result<Outcome> {
    let read = PolicyFiles::read(PolicySource {
        path: args.directory.as_deref(),
        snapshot: args.snapshot.as_deref(),
    })?;
    let beside = Beside::read(args)?;
    let at = args.at.or(beside.taken_at).unwrap_or(now);
    let report = Report::new(&read.files, &beside, at);
    let mut written = Written::default();
    // Files of a snapshot stand nowhere.
    written.policies(args.directory.as_deref().unwrap_or(Path::new("")), &read.files);
    beside.write_down(&mut written);
    match args.output {
        LintOutput::Text => report.write(&written, out)?,
        LintOutput::Json => write_json(out, &report.answer())?,
        LintOutput::Sarif => write_json(out, &report.sarif(&written))?,
    }
    Ok(Outcome::holds_if(!report.is_wrong(args.strict)))
}
