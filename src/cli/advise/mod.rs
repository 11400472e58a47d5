//! `domicile advise DATASET`: where the copies of a data set would best be, by where its readers and writers are
//! and by what the policies permit; what that buys, and what the policies cost.
//!
//! Exit code 0 where the policies permit every copy that is there and some region to fail over to, 1 otherwise, 2
//! where something cannot be read or nothing is known to answer from. Nothing is changed, and nothing that decides
//! about pods reads the answer.

mod footing;
mod gathered;
mod report;
mod text;
mod ways;
mod words;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use clap::Args;
use jiff::Timestamp;

use super::Outcome;
use super::output::{Output, write_json};
use crate::config::FactsArgs;
use crate::model::{DataSetName, nearest_word};
use crate::placement::advice::{Footing, Question, advise};
use crate::snapshot::Snapshot;

use footing::FootingsReport;
use gathered::Gathered;
use report::Report;

/// The most copies that can be asked about: far beyond what anybody keeps in regions of their own.
const MOST_COPIES: i64 = 64;

/// Where the copies of a data set would best be, and what that buys
#[derive(Debug, Clone, Args)]
pub struct AdviseArgs {
    /// The data set
    #[arg(
        value_name = "DATASET",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    pub data_set: Option<String>,
    /// Of every data set how firmly it stands: where copies may be, and whether there is a region to fail over to
    #[arg(long, conflicts_with_all = ["demand", "run", "replicas"])]
    pub all: bool,
    /// Where requests come from: `region,requests,reads,writes` (CSV, or YAML with `v: 1` and `rows`), instead of the
    /// pods of the fleet
    #[arg(long, value_name = "FILE", conflicts_with = "run", help_heading = "Demand")]
    pub demand: Option<PathBuf>,
    /// The workloads, the fleet and the facts of a simulation
    #[arg(
        long,
        value_name = "RUN",
        conflicts_with_all = ["fleet", "policies", "data_sets", "latency"],
        help_heading = "Demand"
    )]
    pub run: Option<PathBuf>,
    /// How many copies [default: as many as there are]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u16).range(1..=MOST_COPIES))]
    pub replicas: Option<u16>,
    /// The regions to consider [default: those of the fleet or run that is named, else every catalogued region of which
    /// a latency is measured]
    #[arg(long, value_name = "REGION", value_delimiter = ',')]
    pub regions: Vec<String>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
    /// The facts.
    #[command(flatten)]
    pub facts: FactsArgs,
}

/// Answers `domicile advise`.
///
/// # Errors
/// Where something cannot be read, the data set or a region is not known, no demand is, or the answer cannot be
/// written.
pub fn run(args: &AdviseArgs, now: Timestamp, out: &mut dyn Write) -> Result<Outcome> {
    let gathered = Gathered::read(args, now)?;
    let Some(name) = &args.data_set else {
        return all(&gathered, args.output, out);
    };
    let name = data_set(&gathered.snapshot, name)?;
    let demand = gathered.demand(args.demand.as_deref(), &name)?;
    let question = Question {
        data_set: &name,
        demand: &demand.rows,
        candidates: &gathered.candidates,
        copies: args.replicas.map(usize::from),
        at: gathered.at,
    };
    let advice = advise(&gathered.snapshot, &question).map_err(|problem| anyhow!("{problem}"))?;
    let report = Report::new(&gathered, &demand, &advice);
    match args.output {
        Output::Text => report.write(out)?,
        Output::Json => write_json(out, &report)?,
    }
    Ok(Outcome::holds_if(report.findings.is_empty()))
}

/// How firmly every data set stands.
fn all(gathered: &Gathered, output: Output, out: &mut dyn Write) -> Result<Outcome> {
    let snapshot = &gathered.snapshot;
    let names = snapshot.replicas().iter().map(|placed| &placed.data_set.name);
    let footings = names.filter_map(|name| Footing::of(snapshot, name, &gathered.candidates, gathered.at));
    let footings: Vec<Footing> = footings.collect();
    if footings.is_empty() {
        bail!("no data set is declared; name their file with `--data-sets`");
    }
    let report = FootingsReport::new(gathered, &footings);
    match output {
        Output::Text => report.write(out)?,
        Output::Json => write_json(out, &report)?,
    }
    Ok(Outcome::holds_if(report.holds()))
}

/// The data set of a name.
fn data_set(snapshot: &Snapshot, written: &str) -> Result<DataSetName> {
    let declared = || snapshot.replicas().iter().map(|placed| &placed.data_set.name);
    if let Some(name) = declared().find(|name| name.as_str() == written) {
        return Ok(name.clone());
    }
    let names: Vec<&str> = declared().map(DataSetName::as_str).collect();
    match nearest_word(written, names.iter().copied()) {
        Some(near) => bail!("no data set is called `{written}`; did you mean `{near}`?"),
        None if names.is_empty() => {
            bail!(
                "no data set is called `{written}`, and none is declared; name their file with `--data-sets`"
            )
        }
        None => bail!(
            "no data set is called `{written}`; there are {}",
            names.join(", ")
        ),
    }
}
