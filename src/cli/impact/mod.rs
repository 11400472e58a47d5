//! `domicile impact NEW --fleet DUMP`: what another set of policies would change for the pods of a cluster.
//!
//! Exit code 0 where no pod would be refused on its node and none would be left without any, 1 otherwise, 2
//! where something cannot be read.

mod report;
mod rows;
mod text;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use jiff::Timestamp;

use super::Outcome;
use super::facts::{lines, read_named, read_policies};
use super::output::{TableOutput, write_json};
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
    #[arg(long, value_name = "DUMP")]
    pub fleet: PathBuf,
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
    let dump = read_dump(&args.fleet)?;
    let before = read_set(args.policies.as_deref(), args)?;
    let after = read_set(Some(&args.new), args)?;
    let at = args.at.unwrap_or(now);
    let [before, after] = [before, after].map(|rules| Snapshot::new(rules.over(&dump.facts)));
    let bar = progress_bar("pods");
    let worlds = Worlds::new(&before, &after);
    let pods = worlds.impact(&dump.pods, at, &mut |done, total| show(&bar, done, total));
    bar.finish_and_clear();
    let names = Names {
        before: args
            .policies
            .as_ref()
            .map_or("the built-in policies".to_owned(), |path| {
                format!("`{}`", path.display())
            }),
        after: format!("`{}`", args.new.display()),
        dump: format!("`{}`", args.fleet.display()),
    };
    let report = Report::new(&worlds, &names, &pods, dump.ended_pods, at);
    match args.output {
        TableOutput::Text => report.write(out)?,
        TableOutput::Json => write_json(out, &report)?,
        TableOutput::Csv => report.write_csv(out)?,
    }
    Ok(Outcome::holds_if(!report.stops_pods()))
}

fn read_dump(path: &Path) -> Result<FleetDump> {
    let files = read_named(SourceName::Fleet, Some(path), &[])?;
    let [file] = files.as_slice() else {
        bail!("a fleet is one file and there are {} here", files.len());
    };
    let dump = fleet_dump(file).map_err(|errors| {
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
    Ok(dump)
}

/// Reads a set, with the data sets beside it. Latencies decide nothing here, so none are read.
fn read_set(policies: Option<&Path>, args: &ImpactArgs) -> Result<Rules> {
    let read = |policies: Option<&Path>| -> Result<Rules> {
        let data_sets = args.data_sets.as_deref();
        let texts = RuleTexts {
            policies: read_policies(policies)?,
            data_sets: read_named(SourceName::DataSets, data_sets, &[embedded::data_sets()])?,
            latency: Vec::<SourceText>::new(),
        };
        read_rules(&texts).map_err(|problems| anyhow!("the set does not load:{}", lines(&problems)))
    };
    read(policies).with_context(|| {
        policies.map_or("the built-in policies".to_owned(), |path| {
            format!("`{}`", path.display())
        })
    })
}
