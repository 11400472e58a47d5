//! `domicile doctor --scheduler-config FILE`: the traps of a KubeSchedulerConfiguration, each with its fix.
//!
//! Reads the file and, when told to, how many nodes there are; [`crate::doctor`] judges. Exit code 0
//! where nothing is an error (or, strictly, a warning), 1 otherwise, 2 where something cannot be read.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use k8s_openapi::api::core::v1::Node;
use kube::api::{Api, ListParams};
use serde::Serialize;

use super::Outcome;
use super::facts::{objects_of, read_snapshot};
use super::live::asked;
use super::output::{Output, write_json};
use crate::assembly::SourceText;
use crate::cluster::defined_kinds;
use crate::config::ObjectSource;
use crate::custom_resources::Defined;
use crate::doctor::{Phase, Report, Situation, examine};
use crate::objects::read_fleet;
use crate::placement::BlindSample;
use crate::policy::{CUSTOM_KINDS, CustomKind, DATA_SET, Level};

/// Version of the JSON form.
const VERSION: u32 = 1;

/// Find the traps in the configuration of a kube-scheduler
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// The KubeSchedulerConfiguration (YAML or JSON), or `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub scheduler_config: PathBuf,
    /// How far the installation is: `observe` wants an outage to stop nothing, `enforce` to let nothing through
    #[arg(long, value_enum, default_value_t)]
    pub phase: PhaseArg,
    /// The admission webhook is installed: pods carry the permitted places as node affinity
    #[arg(long)]
    pub admission: bool,
    /// The `urlPrefix` of our extender [default: the first extender at port 8265]
    #[arg(long, value_name = "URL")]
    pub extender_url: Option<String>,
    /// Count the nodes of the cluster that kubeconfig names, or that we run in
    #[arg(long, conflicts_with_all = ["nodes", "fleet", "snapshot"])]
    pub cluster: bool,
    /// Which source of policies rules there, as for `serve`: where it is the cluster, it must know our kinds [default: files]
    #[arg(long, value_enum, value_name = "SOURCE", requires = "cluster")]
    pub policies_from: Option<ObjectSource>,
    /// Which source of data sets rules there, as for `serve` [default: files]
    #[arg(long, value_enum, value_name = "SOURCE", requires = "cluster")]
    pub data_sets_from: Option<ObjectSource>,
    /// How many nodes the cluster has
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["fleet", "snapshot"])]
    pub nodes: Option<u64>,
    /// Count the nodes of a fleet file
    #[arg(long, value_name = "FILE")]
    pub fleet: Option<PathBuf>,
    /// Count the nodes of a file that `domicile snapshot` wrote
    #[arg(long, value_name = "FILE", conflicts_with = "fleet")]
    pub snapshot: Option<PathBuf>,
    /// Let warnings fail too
    #[arg(long)]
    pub strict: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// How far the installation is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum PhaseArg {
    /// Verdicts are only recorded.
    Observe,
    /// Verdicts bind.
    #[default]
    Enforce,
}

/// Answers `domicile doctor`, and tells whether the configuration passes.
///
/// # Errors
/// Where the file or the nodes cannot be read, or the answer cannot be written.
pub fn run(arguments: &DoctorArgs, out: &mut dyn Write) -> Result<Outcome> {
    let text = read(&arguments.scheduler_config)?;
    let situation = Situation {
        nodes: nodes(arguments)?,
        phase: match arguments.phase {
            PhaseArg::Observe => Phase::Observe,
            PhaseArg::Enforce => Phase::Enforce,
        },
        admission: arguments.admission,
        extender_url: arguments.extender_url.clone(),
        definitions: definitions(arguments)?,
    };
    let report = examine(&text, &situation);
    let passes = !report.fails(arguments.strict);
    match arguments.output {
        Output::Text => write_text(&report, &situation, passes, out)?,
        Output::Json => write_json(out, &Document::of(&report, &situation, passes))?,
    }
    Ok(Outcome::holds_if(passes))
}

fn read(path: &PathBuf) -> Result<String> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin()
            .read_to_string(&mut text)
            .context("standard input cannot be read")?;
        return Ok(text);
    }
    std::fs::read_to_string(path).with_context(|| format!("`{}` cannot be read", path.display()))
}

fn nodes(arguments: &DoctorArgs) -> Result<Option<u64>> {
    if arguments.cluster {
        return count_nodes().map(Some);
    }
    let file = match (&arguments.fleet, read_snapshot(arguments.snapshot.as_deref())?) {
        (Some(path), _) => objects_of(SourceText::new(path.display().to_string(), &read(path)?))?.0,
        (None, Some(world)) => world.fleet,
        (None, None) => return Ok(arguments.nodes),
    };
    match read_fleet(&file.text, &file.name) {
        Ok(file) => Ok(Some(u64::try_from(file.fleet.nodes.len())?)),
        Err(errors) => match errors.first() {
            Some(error) => bail!("the fleet cannot be read: {error}"),
            None => bail!("the fleet cannot be read"),
        },
    }
}

/// What the cluster has of the definitions of the kinds whose objects are to count.
fn definitions(arguments: &DoctorArgs) -> Result<Vec<(CustomKind, Defined)>> {
    let counts = |from: Option<ObjectSource>| from.is_some_and(|from| from != ObjectSource::Files);
    let wanted = |kind: &CustomKind| match *kind == DATA_SET {
        true => counts(arguments.data_sets_from),
        false => counts(arguments.policies_from),
    };
    let kinds: Vec<CustomKind> = CUSTOM_KINDS.into_iter().filter(wanted).collect();
    if kinds.is_empty() {
        return Ok(Vec::new());
    }
    asked(async |client| {
        let defined = defined_kinds(&client, &kinds).await;
        defined.context("the definitions of custom resources cannot be read from the cluster")
    })
}

/// Asks for one node and how many there are besides.
fn count_nodes() -> Result<u64> {
    asked(async |client| {
        let nodes: Api<Node> = Api::all(client);
        let page = nodes
            .list_metadata(&ListParams::default().limit(1))
            .await
            .context("the nodes of the cluster cannot be listed")?;
        let further = page.metadata.remaining_item_count.unwrap_or(0);
        Ok(u64::try_from(page.items.len())? + u64::try_from(further)?)
    })
}

fn write_text(report: &Report, situation: &Situation, passes: bool, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        write!(out, "{} {}", finding.level.word(), finding.code)?;
        if !finding.place.is_empty() {
            write!(out, " {}", finding.place)?;
        }
        writeln!(out, ": {}\n  fix: {}", finding.sentence, finding.fix)?;
    }
    if !report.findings.is_empty() {
        writeln!(out)?;
    }
    if let Some(extender) = &report.extender {
        writeln!(
            out,
            "our extender is {extender}; {}",
            blind_sample_advice(report, situation)
        )?;
    }
    let count = |level: Level| {
        report
            .findings
            .iter()
            .filter(|finding| finding.level == level)
            .count()
    };
    writeln!(
        out,
        "{}; errors: {}, warnings: {}, notes: {}",
        if passes { "passes" } else { "fails" },
        count(Level::Error),
        count(Level::Warning),
        count(Level::Note)
    )
}

fn blind_sample_advice(report: &Report, situation: &Situation) -> String {
    match report.on_blind_sample {
        BlindSample::Refuse => "every node is offered, so run it with `--on-blind-sample refuse`".to_owned(),
        BlindSample::Error => {
            let of = match situation.nodes {
                Some(nodes) => format!("of the {nodes} nodes"),
                None => "of 100 nodes or more".to_owned(),
            };
            format!("only a sample {of} is offered, so run it with `--on-blind-sample error`")
        }
    }
}

/// The JSON form.
#[derive(Serialize)]
struct Document<'a> {
    v: u32,
    passes: bool,
    nodes: Option<u64>,
    phase: &'static str,
    extender: Option<&'a str>,
    on_blind_sample: &'static str,
    findings: Vec<FindingDocument<'a>>,
}

#[derive(Serialize)]
struct FindingDocument<'a> {
    code: &'static str,
    level: &'static str,
    place: &'a str,
    sentence: &'a str,
    fix: &'a str,
}

impl<'a> Document<'a> {
    fn of(report: &'a Report, situation: &Situation, passes: bool) -> Self {
        Self {
            v: VERSION,
            passes,
            nodes: situation.nodes,
            phase: match situation.phase {
                Phase::Observe => "observe",
                Phase::Enforce => "enforce",
            },
            extender: report.extender.as_deref(),
            on_blind_sample: match report.on_blind_sample {
                BlindSample::Error => "error",
                BlindSample::Refuse => "refuse",
            },
            findings: report
                .findings
                .iter()
                .map(|finding| FindingDocument {
                    code: finding.code,
                    level: finding.level.word(),
                    place: &finding.place,
                    sentence: &finding.sentence,
                    fix: &finding.fix,
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        doctor: DoctorArgs,
    }

    fn answer(arguments: &[&str]) -> (Result<Outcome>, String) {
        let case = |name: &str| format!("{}/tests/doctor/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
        let mut line = vec![
            "doctor".to_owned(),
            "--scheduler-config".to_owned(),
            case(arguments[0]),
        ];
        line.extend(arguments[1..].iter().map(|&argument| argument.to_owned()));
        let command = Command::try_parse_from(line).expect("the arguments are good");
        let mut out = Vec::new();
        let outcome = run(&command.doctor, &mut out);
        (outcome, String::from_utf8(out).expect("text"))
    }

    #[test]
    fn text_names_place_sentence_and_fix_and_says_what_to_run_it_with() {
        let (outcome, text) = answer(&["d08-default-sampling", "--nodes", "5000"]);
        assert_eq!(outcome.expect("an outcome"), Outcome::Finding);
        assert!(
            text.starts_with("error D08 percentageOfNodesToScore: only 500 of 5000 nodes"),
            "{text}"
        );
        assert!(
            text.contains(
                "\n  fix: set `percentageOfNodesToScore: 100`, or let the admission webhook write the permitted places into pods and say so by --admission\n"
            ),
            "{text}"
        );
        assert!(text.contains("`--on-blind-sample error`"), "{text}");
        assert!(
            text.ends_with("\nfails; errors: 1, warnings: 0, notes: 0\n"),
            "{text}"
        );
    }

    #[test]
    fn a_sample_is_no_trap_where_pods_carry_the_permitted_places() {
        let (outcome, text) = answer(&["d08-default-sampling", "--nodes", "5000", "--admission"]);
        assert_eq!(outcome.expect("an outcome"), Outcome::Holds);
        assert!(!text.contains("D08"), "{text}");
        // A pod that was made while the webhook was down can still meet a blind sample.
        assert!(text.contains("`--on-blind-sample error`"), "{text}");
    }

    #[test]
    fn nodes_are_counted_in_a_fleet_file_too() {
        let fleet = concat!(env!("CARGO_MANIFEST_DIR"), "/defaults/fleet.yaml");
        let (outcome, text) = answer(&["d08-default-sampling", "--fleet", fleet, "--output", "json"]);
        // Fewer than 100: nothing is sampled.
        assert_eq!(outcome.expect("an outcome"), Outcome::Holds);
        let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(document["v"], 1);
        assert_eq!(document["on_blind_sample"], "refuse");
        assert!(
            document["nodes"].as_u64().is_some_and(|nodes| nodes > 10),
            "{text}"
        );
    }

    #[test]
    fn warnings_fail_when_strict_and_an_absent_file_is_an_error() {
        let strict = answer(&["d13-system-roots", "--strict"]).0.expect("an outcome");
        let lax = answer(&["d13-system-roots"]).0.expect("an outcome");
        assert_eq!((strict, lax), (Outcome::Finding, Outcome::Holds));
        assert!(answer(&["no-such-case"]).0.is_err());
        assert!(answer(&["clean", "--fleet", "/no/such/fleet"]).0.is_err());
    }
}
