//! `domicile impact NEW --fleet DUMP` or `--snapshot FILE`: what another set of policies would change for the pods of a cluster.
//!
//! Exit code 0 where no pod would be refused on its node and none would be left without any, 1 otherwise, 2
//! where something cannot be read.

mod report;
mod rows;
mod text;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use jiff::Timestamp;

use super::Outcome;
use super::facts::{FactTexts, lines, objects_of, read_named, read_snapshot};
use super::output::{TableOutput, write_json};
use super::policy_set::{PolicyFiles, PolicySource};
use super::progress::{progress_bar, show};
use crate::assembly::{FleetDump, Problem, RuleTexts, Rules, SourceText, fleet_dump, read_rules};
use crate::config::parse_instant;
use crate::embedded;
use crate::files::SourceName;
use crate::placement::Worlds;
use crate::snapshot::Snapshot;

use report::{Names, Report};

/// What another set of policies would change for the pods of a cluster
#[derive(Debug, Clone, Args)]
pub struct ImpactArgs {
    /// The policies that would come: a directory, or one file
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// The cluster: `kubectl get nodes,namespaces,pods,pvc,pv,storageclasses -A -o json`
    #[arg(long, value_name = "DUMP", required_unless_present = "snapshot")]
    pub fleet: Option<PathBuf>,
    /// The world of a file that `domicile snapshot` wrote: the cluster, its policies and data sets, where none are named,
    /// at the instant at which it was taken
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// The policies that are there now, where those that are built in are not
    #[arg(long, value_name = "OLD")]
    pub policies: Option<PathBuf>,
    /// Data sets and their replicas, for both
    #[arg(long, value_name = "FILE|DIR")]
    pub data_sets: Option<PathBuf>,
    /// Judge at this instant (RFC 3339, or a date for its midnight UTC) instead of now
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    pub at: Option<Timestamp>,
    /// The form of the answer; JSON and CSV have every pod
    #[arg(long, value_enum, default_value_t)]
    pub output: TableOutput,
}

/// Answers `domicile impact`.
///
/// # Errors
/// Where something cannot be read, the dump has no nodes or no pods, or the answer cannot be written.
pub fn run(args: &ImpactArgs, now: Timestamp, out: &mut dyn Write) -> Result<Outcome> {
    let world = read_snapshot(args.snapshot.as_deref())?;
    let (dump, dump_name) = read_dump(args, world.as_ref())?;
    let data_sets = read_data_sets(args, world.as_ref())?;
    let before = PolicyFiles::read(PolicySource {
        path: args.policies.as_deref(),
        snapshot: args.snapshot.as_deref(),
    })?;
    let after = PolicyFiles::read(PolicySource {
        path: Some(&args.new),
        snapshot: None,
    })?;
    let at = args.at.or(world.and_then(|world| world.taken_at)).unwrap_or(now);
    let names = Names {
        before: before.name.clone(),
        after: format!("`{}`", args.new.display()),
        dump: format!("`{dump_name}`"),
    };
    let [before, after] = [before, after].map(|files| read_set(&files, &data_sets));
    let (before, after) = (before?, after?);
    let [before, after] = [before, after].map(|rules| Snapshot::new(rules.over(&dump.facts)));
    let bar = progress_bar("pods");
    let worlds = Worlds::new(&before, &after);
    let pods = worlds.impact(&dump.pods, at, &mut |done, total| show(&bar, done, total));
    bar.finish_and_clear();
    let report = Report::new(&worlds, &names, &pods, dump.ended_pods, at);
    match args.output {
        TableOutput::Text => report.write(out)?,
        TableOutput::Json => write_json(out, &report)?,
        TableOutput::Csv => report.write_csv(out)?,
    }
    Ok(Outcome::holds_if(!report.stops_pods()))
}

/// The cluster, and the file that it is of.
fn read_dump(args: &ImpactArgs, world: Option<&FactTexts>) -> Result<(FleetDump, String)> {
    let (file, path) = match (&args.fleet, world, &args.snapshot) {
        (None, Some(world), Some(path)) => (world.fleet.clone(), path),
        (Some(path), ..) => {
            let files = read_named(SourceName::Fleet, Some(path), &[])?;
            let count = files.len();
            let [file] = <[SourceText; 1]>::try_from(files)
                .map_err(|_| anyhow!("a fleet is one file and there are {count} here"))?;
            (objects_of(file)?.0, path)
        }
        (None, ..) => bail!("name the cluster by --fleet or --snapshot"),
    };
    let dump = fleet_dump(&file).map_err(|errors| {
        let problems: Vec<Problem> = errors.into_iter().map(Problem::Fleet).collect();
        anyhow!("the fleet cannot be used:{}", lines(&problems))
    })?;
    // Without either, every set would look harmless.
    for (thing, is_missing) in [
        ("nodes", dump.facts.fleet.nodes.is_empty()),
        ("pods that run or want to", dump.pods.is_empty()),
    ] {
        if is_missing {
            bail!(
                "`{}` has no {thing}, so nothing can be said about it; write it with `kubectl get \
                 nodes,namespaces,pods,pvc,pv,storageclasses -A -o json`",
                path.display()
            );
        }
    }
    Ok((dump, path.display().to_string()))
}

fn read_data_sets(args: &ImpactArgs, world: Option<&FactTexts>) -> Result<Vec<SourceText>> {
    match (&args.data_sets, world) {
        (None, Some(world)) => Ok(world.rules.data_sets.clone()),
        (named, _) => read_named(SourceName::DataSets, named.as_deref(), &[embedded::data_sets()]),
    }
}

/// Reads a set, with the data sets beside it. Latencies decide nothing here, so none are read.
fn read_set(files: &PolicyFiles, data_sets: &[SourceText]) -> Result<Rules> {
    let texts = RuleTexts {
        policies: files.files.files().to_vec(),
        data_sets: data_sets.to_vec(),
        latency: Vec::<SourceText>::new(),
    };
    read_rules(&texts)
        .map_err(|problems| anyhow!("the set does not load:{}", lines(&problems)))
        .with_context(|| files.name.clone())
}
