//! `domicile why-not POD.yaml`: which nodes of the fleet a pod may run on, and what refuses the others.
//!
//! Beside the policy it says what of kube-scheduler's own turns the pod away from permitted nodes. Exit code 0
//! where some node is left, 1 where none is.

mod beside;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::Outcome;
use super::counted::counted;
use super::explanation::{
    Access, DecisionCause, ExceptionUse, PodName, VERSION, World, access, causes_with_bearings,
    data_in_words, doubts_in_words, of_access, place,
};
use super::facts::{Facts, read_manifest, read_world, snapshot};
use super::live::fleet_of_cluster;
use super::output::{Output, write_json};
use super::why::passing_classes;
use crate::config::FactsArgs;
use crate::model::PodRequirements;
use crate::placement::{Assessment, ClassScores, Obstacle, assess, prioritize};
use crate::simulation::BesideFacts;
use crate::snapshot::{ClassIndex, NodeClass, Snapshot};
use beside::BesideReport;

/// How many node names stand for a group.
const MOST_EXAMPLES: usize = 3;

/// How many permitted regions the text lists.
const MOST_REGIONS: usize = 8;

/// Where a pod may run, and what refuses the other nodes
#[derive(Debug, Clone, Args)]
pub struct WhyNotArgs {
    /// The manifest of the pod (YAML or JSON), or `-` for standard input
    #[arg(value_name = "POD")]
    pub pod: PathBuf,
    /// Ask the cluster that kubeconfig names, or that we run in, for nodes, namespaces, volumes and pods
    #[arg(long, conflicts_with = "fleet", help_heading = "Facts")]
    pub cluster: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
    /// The facts.
    #[command(flatten)]
    pub facts: FactsArgs,
}

/// Answers `domicile why-not`.
///
/// # Errors
/// Where facts or the pod cannot be read, or the answer cannot be written.
pub fn run(args: &WhyNotArgs, now: Timestamp, out: &mut dyn Write) -> Result<Outcome> {
    let mut texts = read_world(&args.facts)?;
    if args.cluster {
        texts.now_has(fleet_of_cluster()?);
    }
    let facts = Facts {
        snapshot: snapshot(&texts)?,
        at: texts.instant(args.facts.at, now),
    };
    let manifest = read_manifest(&args.pod)?;
    let beside = BesideFacts {
        fleet: (&texts.fleet.name, &texts.fleet.text),
        manifest: &manifest.text,
        pod: &manifest.pod,
    };
    Ok(report(&facts, &manifest.pod, Some(beside), args.output, out)?)
}

/// Answers from facts that are already there; beside the policy only where the texts are given.
///
/// # Errors
/// Where the answer cannot be written.
pub fn report(
    facts: &Facts,
    pod: &PodRequirements,
    beside: Option<BesideFacts<'_>>,
    output: Output,
    out: &mut dyn Write,
) -> io::Result<Outcome> {
    let assessment = assess(&facts.snapshot, pod, facts.at);
    let beside = beside.and_then(|beside| BesideReport::of(&assessment, beside));
    let why_not = WhyNot::new(&assessment, pod, beside, facts.at);
    match output {
        Output::Json => write_json(out, &why_not)?,
        Output::Text => why_not.write(&assessment, pod, out)?,
    }
    let leaves_a_node = why_not.beside.as_ref().is_none_or(BesideReport::leaves_a_node);
    Ok(Outcome::holds_if(why_not.permitted_nodes > 0 && leaves_a_node))
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct WhyNot {
    v: u32,
    kind: &'static str,
    world: World,
    pod: PodName,
    governed: bool,
    nodes: usize,
    permitted_nodes: usize,
    /// What kube-scheduler would show of the refused nodes; absent where none is.
    sentence: Option<String>,
    holds_until: Option<String>,
    /// The permitted nodes, best first.
    permitted: Vec<PermittedPlace>,
    /// What refuses the others; a node that several causes refuse is counted by each.
    refused: Vec<RefusedGroup>,
    /// The exceptions without which some of the permitted nodes would be refused.
    exceptions: Vec<ExceptionGroup>,
    /// What else turns the pod away from permitted nodes; absent where none is permitted, or nobody asked.
    beside: Option<BesideReport>,
}

/// Nodes that one exception lets pass.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExceptionGroup {
    #[serde(flatten)]
    exception: ExceptionUse,
    nodes: usize,
    /// How many nodes in each region.
    regions: BTreeMap<String, usize>,
}

/// Permitted nodes of one place.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct PermittedPlace {
    region: String,
    zone: Option<String>,
    nodes: Vec<String>,
    score: u8,
    access: Access,
}

/// Nodes that one cause refuses.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct RefusedGroup {
    #[serde(flatten)]
    cause: DecisionCause,
    nodes: usize,
    /// How many nodes in each region.
    regions: BTreeMap<String, usize>,
    /// A few of them.
    examples: Vec<String>,
}

impl WhyNot {
    fn new(
        assessment: &Assessment<'_>,
        pod: &PodRequirements,
        beside: Option<BesideReport>,
        now: Timestamp,
    ) -> Self {
        let snapshot = assessment.snapshot;
        let names = names_by_class(snapshot);
        let classes = passing_classes(assessment);
        let scores = prioritize(assessment, classes.iter().copied().map(Some));
        let permitted = permitted(assessment, &classes, &scores, &names);
        let permitted_nodes = assessment.permitted_nodes();
        Self {
            v: VERSION,
            kind: "why-not",
            world: World::new(snapshot, now),
            pod: PodName::new(pod),
            governed: assessment.verdict.governed,
            nodes: snapshot.node_count(),
            permitted_nodes,
            sentence: (permitted_nodes < snapshot.node_count()).then(|| assessment.sentence()),
            holds_until: assessment.verdict.valid_until.map(|until| until.to_string()),
            permitted,
            refused: refused(assessment, pod, &names, now),
            exceptions: exceptions(assessment, &classes),
            beside,
        }
    }

    fn write(
        &self,
        assessment: &Assessment<'_>,
        pod: &PodRequirements,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        writeln!(
            out,
            "pod {}: {} of {} nodes are permitted",
            self.pod, self.permitted_nodes, self.nodes
        )?;
        if self.world.observes {
            writeln!(
                out,
                "  (the settings only observe: kube-scheduler is told that all are)"
            )?;
        }
        if let Some(sentence) = &self.sentence {
            let whom = if self.permitted_nodes == 0 {
                "they all"
            } else {
                "the others"
            };
            writeln!(out, "  {whom} bear this reason: {sentence}")?;
        }
        writeln!(out, "\nthe data of the pod")?;
        for line in data_in_words(pod, &assessment.profile.tuples) {
            writeln!(out, "  {line}")?;
        }
        if !self.governed {
            writeln!(out, "  nothing in it is governed: residency has no say")?;
        }
        self.write_refused(pod, out)?;
        self.write_exceptions(out)?;
        if let Some(beside) = &self.beside {
            beside.write(self.permitted_nodes, out)?;
        }
        self.write_permitted(out)
    }

    fn write_refused(&self, pod: &PodRequirements, out: &mut dyn Write) -> io::Result<()> {
        if !self.refused.is_empty() {
            writeln!(
                out,
                "\nwhat refuses nodes (a node that several refuse is counted by each)"
            )?;
        }
        for group in &self.refused {
            let cause = &group.cause;
            writeln!(
                out,
                "  {}: {}{}",
                counted(group.nodes, "node"),
                cause.says,
                cause.only_recorded()
            )?;
            cause.write_grounds(pod, out)?;
            writeln!(out, "    in {}", counted_by_region(&group.regions))?;
            writeln!(out, "    such as {}", group.examples.join(", "))?;
        }
        Ok(())
    }

    fn write_exceptions(&self, out: &mut dyn Write) -> io::Result<()> {
        if !self.exceptions.is_empty() {
            writeln!(out, "\nwhat exceptions permit")?;
        }
        for group in &self.exceptions {
            let nodes = counted(group.nodes, "node");
            writeln!(out, "  {nodes}: {}", group.exception.in_words())?;
            writeln!(out, "    in {}", counted_by_region(&group.regions))?;
        }
        Ok(())
    }

    fn write_permitted(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.permitted.is_empty() {
            return writeln!(out, "\nno node of the fleet is permitted");
        }
        writeln!(out, "\nwhere it may run, best first")?;
        let regions = by_region(&self.permitted);
        for (best, nodes) in regions.iter().take(MOST_REGIONS) {
            writeln!(
                out,
                "  score {:>2}  {} ({}, such as {}): {}",
                best.score,
                best.region,
                counted(*nodes, "node"),
                best.nodes.first().map_or("", String::as_str),
                best.access.total_in_words(),
            )?;
        }
        let more = regions.len().saturating_sub(MOST_REGIONS);
        if more > 0 {
            writeln!(out, "  and {} more", counted(more, "region"))?;
        }
        Ok(())
    }
}

fn counted_by_region(regions: &BTreeMap<String, usize>) -> String {
    let regions = regions.iter();
    let words: Vec<String> = regions
        .map(|(region, nodes)| format!("{region} ({nodes})"))
        .collect();
    words.join(", ")
}

/// The best place of each region, in the order of places, and how many nodes the region has in all.
fn by_region(places: &[PermittedPlace]) -> Vec<(&PermittedPlace, usize)> {
    let mut regions: Vec<(&PermittedPlace, usize)> = Vec::new();
    for place in places {
        match regions.iter_mut().find(|(best, _)| best.region == place.region) {
            Some((_, nodes)) => *nodes += place.nodes.len(),
            None => regions.push((place, place.nodes.len())),
        }
    }
    regions
}

fn names_by_class(snapshot: &Snapshot) -> BTreeMap<ClassIndex, Vec<String>> {
    let mut names: BTreeMap<ClassIndex, Vec<String>> = BTreeMap::new();
    for name in snapshot.fleet().nodes.keys() {
        if let Some(class) = snapshot.class_of(name.as_str().as_bytes()) {
            names.entry(class).or_default().push(name.to_string());
        }
    }
    names
}

fn permitted(
    assessment: &Assessment<'_>,
    classes: &[ClassIndex],
    scores: &ClassScores,
    names: &BTreeMap<ClassIndex, Vec<String>>,
) -> Vec<PermittedPlace> {
    let snapshot = assessment.snapshot;
    let mut places: Vec<PermittedPlace> = classes
        .iter()
        .filter(|index| assessment.permits(Some(**index)))
        .filter_map(|index| {
            let place = place(snapshot, snapshot.class(*index)?);
            Some(PermittedPlace {
                region: place.region_in_words(),
                zone: place.zone,
                nodes: names.get(index).cloned().unwrap_or_default(),
                score: scores.score(Some(*index)).get(),
                access: access(assessment, *index),
            })
        })
        .collect();
    let cost = |place: &PermittedPlace| place.access.total_ms.unwrap_or(f64::INFINITY);
    places.sort_by(|one, other| {
        let by_score = other.score.cmp(&one.score);
        let by_cost = cost(one).total_cmp(&cost(other));
        let by_name = (&one.region, &one.zone).cmp(&(&other.region, &other.zone));
        by_score.then(by_cost).then(by_name)
    });
    places
}

fn refused(
    assessment: &Assessment<'_>,
    pod: &PodRequirements,
    names: &BTreeMap<ClassIndex, Vec<String>>,
    now: Timestamp,
) -> Vec<RefusedGroup> {
    let snapshot = assessment.snapshot;
    let mut groups = Vec::new();
    for (cause, bearing) in causes_with_bearings(assessment, pod, now) {
        let mut group = RefusedGroup::new(cause);
        for (index, class) in snapshot.classes().filter(|(_, class)| !bearing.leaves(class)) {
            group.count(index, class, snapshot, names);
            for doubt in doubts_in_words(assessment, &bearing, index, now) {
                let doubts = &mut group.cause.doubts;
                if doubts.len() < MOST_EXAMPLES && !doubts.contains(&doubt) {
                    doubts.push(doubt);
                }
            }
        }
        if group.nodes > 0 {
            groups.push(group);
        }
    }
    groups.extend(refused_by_accesses(assessment, names));
    groups
}

/// What refuses nodes because of an access of the pod, in the order of obstacles.
fn refused_by_accesses(
    assessment: &Assessment<'_>,
    names: &BTreeMap<ClassIndex, Vec<String>>,
) -> Vec<RefusedGroup> {
    let snapshot = assessment.snapshot;
    let mut groups: BTreeMap<Obstacle, RefusedGroup> = BTreeMap::new();
    for (index, class) in snapshot.classes() {
        let obstacles = assessment.obstacles(Some(index)).iter();
        let told: BTreeSet<Obstacle> = obstacles.map(|obstacle| obstacle.told_as()).collect();
        for obstacle in told {
            let group = groups
                .entry(obstacle)
                .or_insert_with(|| RefusedGroup::new(of_access(assessment, obstacle)));
            group.count(index, class, snapshot, names);
        }
    }
    groups.into_values().collect()
}

impl RefusedGroup {
    fn new(cause: DecisionCause) -> Self {
        Self {
            cause,
            nodes: 0,
            regions: BTreeMap::new(),
            examples: Vec::new(),
        }
    }

    fn count(
        &mut self,
        index: ClassIndex,
        class: &NodeClass,
        snapshot: &Snapshot,
        names: &BTreeMap<ClassIndex, Vec<String>>,
    ) {
        let region = place(snapshot, class).region_in_words();
        // One example of a place is enough, so that the examples show several.
        if self.examples.len() < MOST_EXAMPLES && !self.regions.contains_key(&region) {
            let first = names.get(&index).and_then(|names| names.first());
            self.examples.extend(first.cloned());
        }
        self.nodes += class.nodes;
        *self.regions.entry(region).or_default() += class.nodes;
    }
}

/// What each exception permits among these classes, in the order of names.
fn exceptions(assessment: &Assessment<'_>, classes: &[ClassIndex]) -> Vec<ExceptionGroup> {
    let snapshot = assessment.snapshot;
    let mut groups: BTreeMap<String, ExceptionGroup> = BTreeMap::new();
    for index in classes {
        let Some(class) = snapshot.class(*index) else {
            continue;
        };
        for exception in assessment.exceptions_at(*index) {
            let group = groups
                .entry(exception.name.to_string())
                .or_insert_with(|| ExceptionGroup {
                    exception: ExceptionUse::new(snapshot.policies(), exception),
                    nodes: 0,
                    regions: BTreeMap::new(),
                });
            group.nodes += class.nodes;
            let region = place(snapshot, class).region_in_words();
            *group.regions.entry(region).or_default() += class.nodes;
        }
    }
    groups.into_values().collect()
}

#[cfg(test)]
#[path = "why_tests.rs"]
mod tests;
