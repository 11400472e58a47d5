//! `domicile trace import` and `fleet`: traces from files of other tools, and from rules.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::{Args, Subcommand};

use super::report::Report;
use super::text;
use crate::assembly::SourceText;
use crate::cli::Outcome;
use crate::cli::facts::{objects_of, read_snapshot};
use crate::cli::output::{Output, write_json};
use crate::simulation::trace::import::{KubectlOptions, OpenbOptions, import_kubectl, import_openb};
use crate::simulation::trace::synthesis::{self, DEFAULT_RULES, FleetRules, SynthesisRules, synthesise};
use crate::simulation::trace::{Trace, TraceSummary};

/// What the built-in rules are called in problems.
const BUILT_IN: &str = "the built-in rules";

/// Make a trace of what kubectl prints, or of a published cluster trace
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    #[command(subcommand)]
    from: ImportFrom,
}

#[derive(Debug, Clone, Subcommand)]
enum ImportFrom {
    /// Lists as kubectl prints them: nodes and pods, and namespaces, services, ReplicaSets and StatefulSets where there are any
    Kubectl(KubectlArgs),
    /// The CSV pair of Alibaba's GPU trace of 2023 ("openb")
    Openb(OpenbArgs),
}

#[derive(Debug, Clone, Args)]
struct KubectlArgs {
    /// Files of `kubectl get nodes,pods,namespaces --all-namespaces -o json`, or `-o yaml`
    #[arg(value_name = "FILE", required_unless_present = "snapshot")]
    files: Vec<PathBuf>,
    /// The objects of a file that `domicile snapshot` wrote, beside them
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    /// Leave pods on the nodes that they run on, instead of letting each want a node anew
    #[arg(long)]
    keep_nodes: bool,
    #[command(flatten)]
    made: MadeUp,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, Clone, Args)]
struct OpenbArgs {
    /// The nodes: sn,cpu_milli,memory_mib,gpu,model
    #[arg(long, value_name = "FILE")]
    nodes: PathBuf,
    /// The pods: name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,...
    #[arg(long, value_name = "FILE")]
    pods: PathBuf,
    /// Leave the deletions of pods out, so that the fleet fills up: pods of this trace live for minutes
    #[arg(long)]
    keep_pods: bool,
    #[command(flatten)]
    made: MadeUp,
    #[command(flatten)]
    written: Written,
}

/// What is made up beside what there is.
#[derive(Debug, Clone, Args)]
struct MadeUp {
    /// Make up what the files lack: regions of nodes, data, data sets, clients
    #[arg(long)]
    synthesis: bool,
    /// The rules to make it up by [default: built in]
    #[arg(long, value_name = "FILE", requires = "synthesis")]
    rules: Option<PathBuf>,
    /// Decides every choice that is made up
    #[arg(long, value_name = "NUMBER", default_value_t = 42, requires = "synthesis")]
    seed: u64,
}

/// Where the trace goes.
#[derive(Debug, Clone, Args)]
struct Written {
    /// The trace to write
    #[arg(long, value_name = "TRACE")]
    out: PathBuf,
    /// The form of the summary
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Make up a fleet: so many nodes over shares of regions
#[derive(Debug, Clone, Args)]
pub struct FleetArgs {
    /// How many nodes, in which regions, of which shapes
    #[arg(value_name = "RULES")]
    rules: PathBuf,
    /// Decides which node has which shape
    #[arg(long, value_name = "NUMBER", default_value_t = 42)]
    seed: u64,
    #[command(flatten)]
    written: Written,
}

/// Answers `domicile trace import`.
///
/// # Errors
/// Where something cannot be read or written, every problem at once.
pub fn import(args: &ImportArgs, out: &mut dyn Write) -> Result<Outcome> {
    let (trace, made, written) = match &args.from {
        ImportFrom::Kubectl(args) => (kubectl(args)?, &args.made, &args.written),
        ImportFrom::Openb(args) => (openb(args)?, &args.made, &args.written),
    };
    let trace = match made.synthesis {
        true => synthesise(trace, &synthesis_rules(made.rules.as_deref())?, made.seed)
            .map_err(|problem| anyhow!(problem))?,
        false => trace,
    };
    write(&trace, written, out)
}

/// Answers `domicile trace fleet`.
///
/// # Errors
/// Where something cannot be read or written, every problem at once.
pub fn fleet(args: &FleetArgs, out: &mut dyn Write) -> Result<Outcome> {
    let rules = FleetRules::read(&args.rules.display().to_string(), &text(&args.rules)?);
    let rules = rules.map_err(all)?;
    write(&synthesis::fleet(&rules, args.seed), &args.written, out)
}

fn kubectl(args: &KubectlArgs) -> Result<Trace> {
    let mut texts = Vec::new();
    for file in &args.files {
        let objects = objects_of(SourceText::new(file.display().to_string(), &text(file)?))?.0;
        texts.push((objects.name, objects.text));
    }
    if let Some(world) = read_snapshot(args.snapshot.as_deref())? {
        texts.push((world.fleet.name, world.fleet.text));
    }
    let files = texts.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let options = KubectlOptions {
        keep_nodes: args.keep_nodes,
        ..KubectlOptions::default()
    };
    import_kubectl(files, options).map_err(all)
}

fn openb(args: &OpenbArgs) -> Result<Trace> {
    let (nodes, pods) = (text(&args.nodes)?, text(&args.pods)?);
    let (nodes_name, pods_name) = (args.nodes.display().to_string(), args.pods.display().to_string());
    let options = OpenbOptions {
        keep_pods: args.keep_pods,
    };
    import_openb((&nodes_name, &nodes), (&pods_name, &pods), options).map_err(all)
}

fn synthesis_rules(file: Option<&Path>) -> Result<SynthesisRules> {
    let rules = match file {
        None => SynthesisRules::read(BUILT_IN, DEFAULT_RULES),
        Some(file) => SynthesisRules::read(&file.display().to_string(), &text(file)?),
    };
    rules.map_err(all)
}

fn all(problems: Vec<String>) -> anyhow::Error {
    anyhow!(problems.join("\n  "))
}

fn write(trace: &Trace, written: &Written, out: &mut dyn Write) -> Result<Outcome> {
    let name = written.out.display().to_string();
    let cannot = || format!("`{name}` cannot be written");
    let file = File::create(&written.out).with_context(cannot)?;
    trace.write(BufWriter::new(file)).with_context(cannot)?;
    let report = Report::new(name.clone(), &trace.header, &TraceSummary::of(&trace.events));
    match written.output {
        Output::Text => report.write(out)?,
        Output::Json => write_json(out, &report)?,
    }
    Ok(Outcome::Holds)
}
