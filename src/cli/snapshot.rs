//! `domicile snapshot`: the world as it is now, in one file that every offline verb reads (`--snapshot FILE`).
//!
//! Inputs: the facts that the flags name, or a live cluster. Output: the file, and what is in it. A world that cannot be
//! used is not written. Exit code 0 where the file is there.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::Outcome;
use super::counted::counted;
use super::explanation::VERSION;
use super::facts::{lines, read_texts};
use super::live::{fleet_of_cluster, objects_of_cluster};
use super::output::{Output, write_json};
use crate::assembly::{Problem, SourceText, fleet_dump};
use crate::config::{ObjectSource, SourceArgs};
use crate::custom_resources::CustomResource;
use crate::policy::DATA_SET;

/// The world as it is now, in one file that every offline verb reads
#[derive(Debug, Clone, Args)]
pub struct SnapshotArgs {
    /// The file to write; `-` is standard output, and then nothing else is said
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Ask the cluster that kubeconfig names, or that we run in, for nodes, namespaces, volumes and pods
    #[arg(long, conflicts_with = "fleet", help_heading = "Facts")]
    pub cluster: bool,
    /// Which source of policies rules there, as for `serve` [default: files]
    #[arg(
        long,
        value_enum,
        value_name = "SOURCE",
        requires = "cluster",
        help_heading = "Facts"
    )]
    pub policies_from: Option<ObjectSource>,
    /// Which source of data sets rules there, as for `serve` [default: files]
    #[arg(
        long,
        value_enum,
        value_name = "SOURCE",
        requires = "cluster",
        help_heading = "Facts"
    )]
    pub data_sets_from: Option<ObjectSource>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
    /// Where the facts come from.
    #[command(flatten)]
    pub sources: SourceArgs,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    v: u32,
    kind: &'static str,
    file: String,
    /// The id of the snapshot.
    snapshot: String,
    taken_at: Timestamp,
    /// Whether the objects are those of a live cluster.
    of_cluster: bool,
    nodes: usize,
    namespaces: usize,
    pods: usize,
    policy_files: usize,
    latency_files: usize,
    bytes: usize,
}

/// Answers `domicile snapshot`.
///
/// # Errors
/// Where facts cannot be read or used, or the file cannot be written.
pub fn run(args: &SnapshotArgs, now: Timestamp, out: &mut dyn Write) -> Result<Outcome> {
    let mut texts = read_texts(&args.sources)?;
    if args.cluster {
        texts.fleet = fleet_of_cluster()?;
        for (from, named, files) in [
            (args.policies_from, &args.sources.policies, "policies"),
            (args.data_sets_from, &args.sources.data_sets, "data-sets"),
        ] {
            if from == Some(ObjectSource::CustomResources) && named.is_some() {
                bail!(
                    "`--{files}` is read by nobody, since `--{files}-from` is `custom-resources`: leave it out, or write `both`"
                );
            }
        }
        let sources =
            [args.policies_from, args.data_sets_from].map(|from| from.unwrap_or(ObjectSource::Files));
        if sources.iter().any(|from| *from != ObjectSource::Files) {
            let (data_sets, policies): (Vec<_>, Vec<_>) = objects_of_cluster()?
                .into_iter()
                .partition(|object| object.kind == DATA_SET);
            let [policies_from, data_sets_from] = sources;
            join(&mut texts.rules.policies, policies_from, policies);
            join(&mut texts.rules.data_sets, data_sets_from, data_sets);
        }
        texts.confirmed_until = Some(now);
    }
    let file = texts.to_file(now)?;
    let mut written = serde_json::to_string_pretty(&file)?;
    written.push('\n');
    if args.file == Path::new("-") {
        out.write_all(written.as_bytes())?;
        return Ok(Outcome::Holds);
    }
    write_whole(&args.file, &written)?;
    let dump = fleet_dump(&texts.fleet).map_err(|errors| {
        let problems: Vec<Problem> = errors.into_iter().map(Problem::Fleet).collect();
        anyhow!("the fleet cannot be used:{}", lines(&problems))
    })?;
    let fleet = &dump.facts.fleet;
    let taken = Taken {
        v: VERSION,
        kind: "snapshot-taken",
        file: args.file.display().to_string(),
        snapshot: file.id,
        taken_at: now,
        of_cluster: args.cluster,
        nodes: fleet.nodes.len(),
        namespaces: fleet.namespaces.as_ref().map_or(0, |namespaces| namespaces.len()),
        pods: dump.pods.len(),
        policy_files: file.policies.len(),
        latency_files: file.latency.len(),
        bytes: written.len(),
    };
    match args.output {
        Output::Json => write_json(out, &taken)?,
        Output::Text => taken.write(out)?,
    }
    Ok(Outcome::Holds)
}

/// Puts objects beside files, or in their place.
fn join(texts: &mut Vec<SourceText>, from: ObjectSource, objects: Vec<CustomResource>) {
    match from {
        ObjectSource::Files => return,
        ObjectSource::CustomResources => texts.clear(),
        ObjectSource::Both => {}
    }
    texts.extend(objects.into_iter().map(|object| object.text));
    texts.sort();
}

impl Taken {
    fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let nodes = counted(self.nodes, "node");
        let namespaces = counted(self.namespaces, "namespace");
        let pods = counted(self.pods, "pod");
        let policies = counted(self.policy_files, "policy file");
        writeln!(
            out,
            "{}: snapshot {} of {}",
            self.file, self.snapshot, self.taken_at
        )?;
        writeln!(out, "  {nodes}, {namespaces}, {pods}; {policies}")?;
        writeln!(out, "\nask it with --snapshot {}", self.file)
    }
}

/// Writes a file so that whoever reads it at the same time never sees half of it.
fn write_whole(path: &Path, text: &str) -> Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    fs::write(&beside, text).with_context(|| format!("`{}` cannot be written", beside.display()))?;
    fs::rename(&beside, path).with_context(|| format!("`{}` cannot be written", path.display()))
}
