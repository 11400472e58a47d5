//! `domicile affinity POD.yaml`: the node affinity that admission would add to a pod, for whoever writes it by hand.
//!
//! Exit code 0 where the pod may run somewhere, 1 where it may run nowhere. Deliberately absent: the affinity that the
//! manifest has; each of its terms needs what is printed here.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::Outcome;
use super::explanation::{PodName, VERSION, World};
use super::facts::{Facts, read_facts, read_pod};
use super::output::{Output, write_json};
use crate::admission::{
    AdmittedPlaces, Growth, PermittedPlaces, Term, is_governed, knows_all_facts, permitted,
};
use crate::config::{FactsArgs, NodeProviders};
use crate::model::PodRequirements;
use crate::placement::{Assessment, assess};

/// The node affinity that admission would add to a pod, to write it by hand
#[derive(Debug, Clone, Args)]
pub struct AffinityArgs {
    /// The manifest of the pod (YAML or JSON), or `-` for standard input
    #[arg(value_name = "POD")]
    pub pod: PathBuf,
    /// From which providers nodes may still come: those of the fleet, or any of the catalogue
    #[arg(long, value_enum, default_value_t = NodeProviders::Fleet)]
    pub providers: NodeProviders,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
    /// The facts.
    #[command(flatten)]
    pub facts: FactsArgs,
}

/// Answers `domicile affinity`.
///
/// # Errors
/// Where facts or the pod cannot be read, or the answer cannot be written.
pub fn run(args: &AffinityArgs, now: Timestamp, out: &mut dyn Write) -> Result<Outcome> {
    let facts = read_facts(&args.facts, now)?;
    let pod = read_pod(&args.pod)?;
    Ok(report(&facts, &pod, args.providers.into(), args.output, out)?)
}

/// Answers from facts that are already there.
///
/// # Errors
/// Where the answer cannot be written.
pub fn report(
    facts: &Facts,
    pod: &PodRequirements,
    growth: Growth,
    output: Output,
    out: &mut dyn Write,
) -> io::Result<Outcome> {
    let assessment = assess(&facts.snapshot, pod, facts.at);
    let places = permitted(&assessment, growth);
    let answer = AffinityAnswer::new(&assessment, pod, &places, facts.at);
    match output {
        Output::Json => write_json(out, &answer)?,
        Output::Text => answer.write(out)?,
    }
    Ok(Outcome::holds_if(places != PermittedPlaces::Nowhere))
}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AffinityAnswer<'p> {
    v: u32,
    kind: &'static str,
    world: World,
    pod: PodName,
    governed: bool,
    /// Whether the namespace and everything mounted are known; else admission adds nothing.
    facts_known: bool,
    /// The places, as the annotation tells them.
    places: String,
    /// Why the pod may run nowhere.
    sentence: Option<String>,
    holds_until: Option<String>,
    /// Each term of the pod needs one of these; absent where it may run everywhere or nowhere.
    node_selector_terms: Option<&'p [Term]>,
}

impl<'p> AffinityAnswer<'p> {
    fn new(
        assessment: &Assessment<'_>,
        pod: &PodRequirements,
        places: &'p PermittedPlaces,
        now: Timestamp,
    ) -> Self {
        Self {
            v: VERSION,
            kind: "affinity",
            world: World::new(assessment.snapshot, now),
            pod: PodName::new(pod),
            governed: is_governed(assessment),
            facts_known: knows_all_facts(assessment),
            places: AdmittedPlaces::of(places).text(),
            sentence: (*places == PermittedPlaces::Nowhere).then(|| assessment.sentence_anywhere()),
            holds_until: assessment.verdict.valid_until.map(|until| until.to_string()),
            node_selector_terms: match places {
                PermittedPlaces::Only(confined) => Some(confined.terms()),
                PermittedPlaces::Everywhere | PermittedPlaces::Nowhere => None,
            },
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "# pod {}: {}", self.pod, self.places)?;
        if self.world.observes {
            writeln!(out, "# the settings only observe: admission would add nothing")?;
        }
        if !self.facts_known {
            writeln!(
                out,
                "# its namespace or a volume is not known: admission would wait and then add nothing"
            )?;
        }
        if let Some(until) = &self.holds_until {
            writeln!(out, "# holds until {until} unless policies change before")?;
        }
        if let Some(sentence) = &self.sentence {
            return writeln!(out, "# {sentence}");
        }
        let Some(terms) = self.node_selector_terms else {
            return writeln!(out, "# no affinity is needed");
        };
        writeln!(out, "affinity:")?;
        writeln!(out, "  nodeAffinity:")?;
        writeln!(out, "    requiredDuringSchedulingIgnoredDuringExecution:")?;
        writeln!(out, "      nodeSelectorTerms:")?;
        for term in terms {
            writeln!(out, "        - matchExpressions:")?;
            for expression in &term.expressions {
                // JSON is YAML, and quotes what YAML would take for something else.
                writeln!(out, "            - {}", serde_json::to_string(expression)?)?;
            }
        }
        Ok(())
    }
}
