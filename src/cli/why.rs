//! `domicile why POD.yaml --node NAME`: may this pod run there, by which rule, because of which data, and
//! what would its accesses cost.
//!
//! Exit code 0 where the node passes the filter, 1 where it is refused.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::Outcome;
use super::explanation::{
    Access, DecisionCause, ExceptionUse, MountedVolume, NodePlace, PodName, VERSION, World, access, causes,
    data_in_words, last_copies_in_words, last_copies_of, mounted_volumes, place,
};
use super::facts::{Facts, read_facts, read_pod};
use super::output::{Output, write_json};
use crate::config::FactsArgs;
use crate::model::PodRequirements;
use crate::placement::{Assessment, assess, prioritize};
use crate::snapshot::ClassIndex;

/// Why a pod may run on a node, or may not
#[derive(Debug, Clone, Args)]
pub struct WhyArgs {
    /// The manifest of the pod (YAML or JSON), or `-` for standard input
    #[arg(value_name = "POD")]
    pub pod: PathBuf,
    /// The node
    #[arg(long, value_name = "NAME")]
    pub node: String,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
    /// The facts.
    #[command(flatten)]
    pub facts: FactsArgs,
}

/// Answers `domicile why`.
///
/// # Errors
/// Where facts or the pod cannot be read, or the answer cannot be written.
pub fn run(args: &WhyArgs, now: Timestamp, out: &mut dyn Write) -> Result<Outcome> {
    let facts = read_facts(&args.facts, now)?;
    let pod = read_pod(&args.pod)?;
    Ok(report(&facts, &pod, &args.node, args.output, out)?)
}

/// Answers from facts that are already there.
///
/// # Errors
/// Where the answer cannot be written.
pub fn report(
    facts: &Facts,
    pod: &PodRequirements,
    node: &str,
    output: Output,
    out: &mut dyn Write,
) -> io::Result<Outcome> {
    let assessment = assess(&facts.snapshot, pod, facts.at);
    let why = Why::new(&assessment, pod, node, facts.at);
    match output {
        Output::Json => write_json(out, &why)?,
        Output::Text => why.write(&assessment, pod, out)?,
    }
    Ok(Outcome::holds_if(why.verdict != "refused"))
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Why {
    v: u32,
    kind: &'static str,
    world: World,
    pod: PodName,
    node: String,
    /// Whether the fleet has the node.
    node_known: bool,
    /// `permitted`, `refused`, or `would-refuse` where the settings only observe.
    verdict: &'static str,
    /// Whether residency has a say at all.
    governed: bool,
    /// What kube-scheduler would show.
    sentence: Option<String>,
    /// Until when the answer holds, where a date of the policies ends it.
    holds_until: Option<String>,
    /// The exceptions without which the node would be refused.
    exceptions: Vec<ExceptionUse>,
    place: Option<NodePlace>,
    /// The claims of the pod.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    volumes: Vec<MountedVolume>,
    /// The data sets whose last permitted copy it holds, being a pod that runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    last_copies: Vec<String>,
    causes: Vec<DecisionCause>,
    access: Option<Access>,
    /// Among all nodes that pass the filter; only for one of them.
    score: Option<u8>,
    /// The place of the best of them.
    best: Option<NodePlace>,
}

impl Why {
    fn new(assessment: &Assessment<'_>, pod: &PodRequirements, node: &str, now: Timestamp) -> Self {
        let snapshot = assessment.snapshot;
        let class = snapshot.class_of(node.as_bytes());
        let permitted = assessment.permits(class);
        let classes = passing_classes(assessment);
        let scores = prioritize(assessment, classes.iter().copied().map(Some));
        let best = classes.iter().copied().max_by_key(|class| {
            // Of equals the first, as everywhere.
            (scores.score(Some(*class)), std::cmp::Reverse(*class))
        });
        let at = |class: ClassIndex| snapshot.class(class).map(|class| place(snapshot, class));
        Self {
            v: VERSION,
            kind: "why",
            world: World::new(snapshot, now),
            pod: PodName::new(pod),
            node: node.to_owned(),
            node_known: class.is_some(),
            verdict: match (permitted, assessment.observes()) {
                (true, _) => "permitted",
                (false, true) => "would-refuse",
                (false, false) => "refused",
            },
            governed: assessment.verdict.governed,
            sentence: (!permitted).then(|| assessment.sentence()),
            holds_until: assessment.verdict.valid_until.map(|until| until.to_string()),
            exceptions: class
                .map(|class| assessment.exceptions_at(class))
                .unwrap_or_default()
                .into_iter()
                .map(|exception| ExceptionUse::new(snapshot.policies(), exception))
                .collect(),
            place: class.and_then(at),
            volumes: mounted_volumes(assessment),
            last_copies: last_copies_of(snapshot, pod, now),
            causes: causes(assessment, pod, class, now),
            access: class.map(|class| access(assessment, class)),
            score: class
                .filter(|class| assessment.passes(Some(*class)))
                .map(|class| scores.score(Some(class)).get()),
            best: best.and_then(at),
        }
    }

    fn write(
        &self,
        assessment: &Assessment<'_>,
        pod: &PodRequirements,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let verdict = match self.verdict {
            "would-refuse" => "would be refused (the settings only observe)",
            other => other,
        };
        writeln!(out, "pod {} on node {}: {verdict}", self.pod, self.node)?;
        if let Some(sentence) = &self.sentence {
            writeln!(out, "  {sentence}")?;
        }
        for exception in &self.exceptions {
            writeln!(out, "  {}", exception.in_words())?;
        }
        writeln!(out, "\nthe data of the pod")?;
        for line in data_in_words(pod, &assessment.profile.tuples) {
            writeln!(out, "  {line}")?;
        }
        for volume in &self.volumes {
            writeln!(out, "  {}", volume.in_words())?;
        }
        if let Some(held) = last_copies_in_words(&self.last_copies) {
            writeln!(out, "  {held}")?;
        }
        if !self.governed {
            writeln!(out, "  nothing in it is governed: residency has no say")?;
        }
        writeln!(out, "\nthe place of the node")?;
        match &self.place {
            Some(place) => {
                for (fact, words) in place.facts_in_words() {
                    writeln!(out, "  {fact:<13} {words}")?;
                }
            }
            None => writeln!(out, "  the fleet has no node `{}`", self.node)?,
        }
        writeln!(out, "\nwhat decides")?;
        if self.causes.is_empty() {
            writeln!(out, "  no rule applies to this data")?;
        }
        for cause in &self.causes {
            write_cause(out, cause, pod, self.node_known)?;
        }
        if let Some(until) = &self.holds_until {
            writeln!(
                out,
                "  (this holds until {until}; then a date in the policies may change it)"
            )?;
        }
        self.write_access(out)
    }

    fn write_access(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some(access) = &self.access else {
            return Ok(());
        };
        writeln!(
            out,
            "\nwhat an access costs from there (round trips are {})",
            access.statistic.to_uppercase()
        )?;
        for leg in &access.legs {
            writeln!(out, "  {}", leg.in_words())?;
        }
        writeln!(out, "  in all: {}", access.total_in_words())?;
        if let Some(apart) = &access.apart {
            writeln!(out, "  {}", apart.in_words())?;
        }
        match (self.score, &self.best) {
            (Some(score), Some(best)) => writeln!(
                out,
                "  score {score} of 10 among all nodes that pass; the best of them is in {}",
                best.region_in_words()
            ),
            (_, Some(best)) => writeln!(
                out,
                "  no score: it is not permitted; the best permitted node is in {}",
                best.region_in_words()
            ),
            (_, None) => writeln!(out, "  no score: no node of the fleet is permitted"),
        }
    }
}

/// Every class that passes the filter, in order.
pub(super) fn passing_classes(assessment: &Assessment<'_>) -> Vec<ClassIndex> {
    let classes = assessment.snapshot.classes().map(|(class, _)| class);
    classes.filter(|class| assessment.passes(Some(*class))).collect()
}

fn write_cause(
    out: &mut dyn Write,
    cause: &DecisionCause,
    pod: &PodRequirements,
    node_known: bool,
) -> io::Result<()> {
    let word = match (cause.refuses, cause.mode) {
        (true, "enforce") => "refuses",
        (true, _) => "would refuse",
        (false, _) if node_known => "permits",
        // Nobody knows what the rule makes of a node that nobody knows.
        (false, _) => "applies",
    };
    writeln!(out, "  {word}: {}{}", cause.says, cause.only_recorded())?;
    if let Some(title) = &cause.title {
        writeln!(out, "    policy: {title}")?;
    }
    cause.write_grounds(pod, out)
}
