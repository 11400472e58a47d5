//! `domicile latency show|dump|check|compare`: what is known of the time between places, and whether it can
//! be trusted.
//!
//! Inputs: latency files (what is built in where none is named) and the catalogue of the policies, for bare
//! regions and coordinates. The judging is in [`crate::topology::audit`]; here are words and layout. Exit code
//! 0 where nothing is wrong, 1 for a finding or a change beyond the limits that were given, 2 where something
//! cannot be read. Deliberately absent: measuring, which is the work of a live source.

mod check;
mod columns;
mod compare;
mod dump;
mod finding;
mod pairs;
mod screen;
mod server;
pub mod show;
mod sources;
mod words;

use std::io::Write;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

pub use check::{CheckArgs, check};
pub use compare::{CompareArgs, compare};
pub use dump::{DumpArgs, DumpOutput, dump};
pub use screen::Screen;
pub use show::{ShowArgs, show};
pub use sources::LatencyFiles;

use super::Outcome;
use crate::model::Statistic;

/// The version of the JSON of these verbs.
const VERSION: u32 = 1;

/// The latency between regions: look at it, keep it, check it, compare it
#[derive(Debug, Clone, Args)]
pub struct LatencyArgs {
    #[command(subcommand)]
    verb: LatencyVerb,
}

#[derive(Debug, Clone, Subcommand)]
enum LatencyVerb {
    /// A heat map and a table of the pairs, with how each is known
    Show(Box<ShowArgs>),
    /// Write the measurements as one latency file
    Dump(DumpArgs),
    /// Find what is impossible, lopsided, old or missing
    Check(CheckArgs),
    /// What moved between two sets of measurements, and which choices that changes
    Compare(CompareArgs),
}

/// Which figure of a pair is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatisticArg {
    /// The typical round trip: half take longer.
    P50,
    /// The round trip that one in twenty exceeds.
    P95,
}

impl From<StatisticArg> for Statistic {
    fn from(statistic: StatisticArg) -> Self {
        match statistic {
            StatisticArg::P50 => Self::P50,
            StatisticArg::P95 => Self::P95,
        }
    }
}

/// Answers `domicile latency`.
///
/// # Errors
/// Where something cannot be read, or the answer cannot be written.
pub fn run(args: &LatencyArgs, now: Timestamp, out: &mut dyn Write) -> Result<Outcome> {
    run_on(args, now, &Screen::of_standard_output(), out)
}

/// Answers `domicile latency` for a screen.
///
/// # Errors
/// Where something cannot be read, or the answer cannot be written.
pub fn run_on(args: &LatencyArgs, now: Timestamp, screen: &Screen, out: &mut dyn Write) -> Result<Outcome> {
    match &args.verb {
        LatencyVerb::Show(args) => show(args, now, screen, out),
        LatencyVerb::Dump(args) => dump(args, out),
        LatencyVerb::Check(args) => check(args, now, out),
        LatencyVerb::Compare(args) => compare(args, out),
    }
}
