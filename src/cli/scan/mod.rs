//! `domicile scan`: the pods of a fleet or a cluster that are where policies refuse them, or that are kept from where they
//! are permitted.
//!
//! Exit code 0 where every pod passes, 1 where something is to be done. [`crate::scan`] judges.

mod report;
mod text;

use std::io::Write;

use anyhow::{Result, anyhow};
use clap::Args;
use jiff::Timestamp;

use super::Outcome;
use super::facts::{FactTexts, lines, read_world, snapshot};
use super::live::fleet_of_cluster;
use super::output::{TableOutput, write_json};
use crate::assembly::{Problem, fleet_dump};
use crate::config::FactsArgs;
use report::Report;

/// Pods that are where policies refuse them, or kept from where they permit them
#[derive(Debug, Clone, Args)]
pub struct ScanArgs {
    /// Ask the cluster that kubeconfig names, or that we run in, for nodes, namespaces, volumes and pods
    #[arg(long, conflicts_with = "fleet", help_heading = "Facts")]
    pub cluster: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: TableOutput,
    /// The facts.
    #[command(flatten)]
    pub facts: FactsArgs,
}

/// Answers `domicile scan`.
///
/// # Errors
/// Where facts cannot be read, or the answer cannot be written.
pub fn run(args: &ScanArgs, now: Timestamp, out: &mut dyn Write) -> Result<Outcome> {
    let mut texts = read_world(&args.facts)?;
    if args.cluster {
        texts.now_has(fleet_of_cluster()?);
    }
    report(&texts, texts.instant(args.facts.at, now), args.output, out)
}

/// Answers from texts that are already there.
///
/// # Errors
/// As [`run`].
pub fn report(texts: &FactTexts, at: Timestamp, output: TableOutput, out: &mut dyn Write) -> Result<Outcome> {
    let snapshot = snapshot(texts)?;
    let dump = fleet_dump(&texts.fleet).map_err(|errors| {
        let problems: Vec<Problem> = errors.into_iter().map(Problem::Fleet).collect();
        anyhow!("the fleet cannot be used:{}", lines(&problems))
    })?;
    let report = Report::new(&snapshot, &texts.fleet.name, &dump, at);
    match output {
        TableOutput::Text => report.write(out)?,
        TableOutput::Json => write_json(out, &report)?,
        TableOutput::Csv => report.write_csv(out)?,
    }
    Ok(Outcome::holds_if(report.passes()))
}

#[cfg(test)]
mod tests;
