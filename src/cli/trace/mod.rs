//! `domicile trace import|fleet|check|show`: traces for simulations, from what there is or from rules.
//!
//! What a trace is, how it is read and made up is in [`crate::simulation::trace`]; here are files, words and layout.
//! Exit code 0 where a trace is as it should be, 1 where `check` finds something, 2 where something cannot be read.

mod check;
mod import;
mod report;

use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::path::Path;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

pub use check::{CheckArgs, ShowArgs, check, show};
pub use import::{FleetArgs, ImportArgs, fleet, import};

use super::Outcome;

/// The version of the JSON of these verbs.
const VERSION: u32 = 1;

/// Traces for simulations: import, make up, check, show
#[derive(Debug, Clone, Args)]
pub struct TraceArgs {
    #[command(subcommand)]
    verb: TraceVerb,
}

#[derive(Debug, Clone, Subcommand)]
enum TraceVerb {
    /// Make a trace of what kubectl prints, or of a published cluster trace
    Import(ImportArgs),
    /// Make up a fleet: so many nodes over shares of regions
    Fleet(FleetArgs),
    /// Find what is wrong with a trace, by line and column
    Check(CheckArgs),
    /// What is in a trace
    Show(ShowArgs),
}

/// Answers `domicile trace`.
///
/// # Errors
/// Where something cannot be read or written.
pub fn run(args: &TraceArgs, out: &mut dyn Write) -> Result<Outcome> {
    match &args.verb {
        TraceVerb::Import(args) => import(args, out),
        TraceVerb::Fleet(args) => fleet(args, out),
        TraceVerb::Check(args) => check(args, out),
        TraceVerb::Show(args) => show(args, out),
    }
}

/// Opens a trace for reading.
fn opened(path: &Path) -> Result<BufReader<File>> {
    let file = File::open(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    Ok(BufReader::with_capacity(1 << 16, file))
}

/// Reads a text file.
fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("`{}` cannot be read", path.display()))
}
