//! From what happened to figures: the [`Summary`] of a run.
//!
//! Inputs: a scenario and a run of it. Outputs: figures. Invariants: what is summed is whole numbers; pods are compared
//! pod by pod, by their place in the roster; what was not asked for is left out, never zero. Deliberately absent: words
//! for people (`report`).

mod bound;
mod comparators;
mod cost;
mod failures;
mod moved;
mod seeds;

use std::collections::{BTreeMap, BTreeSet};

use bound::lower_bound;
use comparators::comparator_summary;
pub use cost::added_us;
pub use moved::why;
pub use seeds::{SeedRun, seed_run};

use super::comparator::Comparator;
use super::drive::{Outcome, Roster};
use super::kube::{DefaultSpread, MODELLED, NOT_MODELLED};
use super::run::Run;
use super::scenario::Scenario;
use super::summary::{
    Agreement, ComparatorSummary, Fidelity, Mark, RefusedPods, RunFacts, SUMMARY_KIND, SUMMARY_VERSION,
    SchedulerFacts, Stopped, Summary, TraceFacts,
};
use super::trace::What;

/// How often the model and a real kube-scheduler did the same, as last measured.
const AGREEMENT: &str = include_str!("../../../simulations/fidelity.json");

/// What is true of every run.
const NOTES: [&str; 4] = [
    "a pod that loses its node comes again at once, as its Deployment would make it anew",
    "a change of policies moves no pod that runs",
    "latency is that of a request at rest where a pod ended: no bandwidth, no load, no queue",
    "a pod is counted by the class of its node: what a policy says of a zone counts for all of its nodes",
];

/// Sums up a run.
#[must_use]
pub fn summarize(scenario: &Scenario, run: &Run<'_>) -> Summary {
    let roster = run.roster;
    let finished = |(comparator, outcome): &(Comparator, Option<Outcome>)| {
        let outcome = outcome.as_ref()?;
        Some(ComparatorSummary {
            lower_bound: lower_bound(roster, outcome),
            ..comparator_summary(comparator, outcome)
        })
    };
    let product = run.outcome(&Comparator::Domicile);
    let off = run.outcome(&Comparator::ResidencyOff);
    let other = run.outcome(&Comparator::PolicyB);
    Summary {
        v: SUMMARY_VERSION,
        kind: SUMMARY_KIND.to_owned(),
        complete: run.is_complete(),
        stopped: (!run.is_complete()).then(|| Stopped {
            why: "somebody stopped it; what had begun is reported as it stood then".to_owned(),
            runs_done: run.done,
            runs: run.planned,
        }),
        run: run_facts(scenario, run),
        comparators: run.outcomes.iter().filter_map(finished).collect(),
        cost: product
            .zip(off)
            .map(|(with, without)| cost::compliance_cost(roster, with, without, &run.without)),
        moved: product
            .zip(other)
            .map(|(before, after)| moved::moved(roster, before, after)),
        refused: product
            .map(|outcome| refused(roster, outcome))
            .unwrap_or_default(),
        failures: product.map_or_else(Vec::new, |outcome| {
            failures::failures(roster, outcome, &run.failures)
        }),
        seeds: seeds::intervals(&run.seeds),
        fidelity: Fidelity {
            modelled: MODELLED.iter().map(|&sentence| sentence.to_owned()).collect(),
            not_modelled: NOT_MODELLED.iter().map(|&sentence| sentence.to_owned()).collect(),
            agreement: agreement(),
        },
    }
}

/// What was measured; `None` where nobody did yet.
fn agreement() -> Option<Agreement> {
    serde_json::from_str::<Option<Agreement>>(AGREEMENT)
        .ok()
        .flatten()
}

fn run_facts(scenario: &Scenario, run: &Run<'_>) -> RunFacts {
    let file = &scenario.run;
    // Every comparator but `policy-b` begins in the same world, whatever its extender makes of it.
    let plain =
        |comparator: &Comparator| comparator.relaxation().is_none() && *comparator != Comparator::PolicyB;
    let of = |wanted: &dyn Fn(&Comparator) -> bool| {
        let found = run
            .outcomes
            .iter()
            .find(|(comparator, outcome)| wanted(comparator) && outcome.is_some());
        found.and_then(|(_, outcome)| outcome.as_ref())
    };
    let first = of(&plain).or_else(|| of(&|_| true));
    let (snapshot, policy_set) = first
        .and_then(|outcome| outcome.first_snapshot.clone())
        .unwrap_or_default();
    let nodes = first.map_or(&[][..], |outcome| &outcome.nodes);
    let names: BTreeSet<&str> = nodes.iter().map(|node| &*node.name).collect();
    let regions: BTreeSet<&str> = nodes.iter().map(|node| &*node.region).collect();
    let workloads: BTreeSet<&str> = run
        .roster
        .kinds
        .iter()
        .map(|kind| kind.workload.as_str())
        .collect();
    let mut notes: Vec<String> = NOTES.iter().map(|&note| note.to_owned()).collect();
    notes.extend(scenario.notes.iter().cloned());
    RunFacts {
        id: scenario.id.clone(),
        engine: concat!("domicile ", env!("CARGO_PKG_VERSION")).to_owned(),
        title: file.title.clone(),
        seed: file.seed,
        at: file.at.to_string(),
        snapshot,
        policy_set,
        policy_set_b: scenario
            .policies_b
            .as_ref()
            .map(|(policies, _)| policies.digest().to_owned()),
        observes: first.is_some_and(|outcome| outcome.observes),
        nodes: names.len() as u64,
        regions: regions.len() as u64,
        pods: run.roster.pods.len() as u64,
        workloads: workloads.len() as u64,
        trace: TraceFacts {
            source: scenario.source.clone(),
            events: run.events.len() as u64,
            last_ms: run.events.last().map_or(0, |event| event.t_ms),
            generator: scenario.generator.clone(),
        },
        scheduler: SchedulerFacts {
            percentage_of_nodes_to_score: file.scheduler.percentage_of_nodes_to_score,
            extender_weight: file.scheduler.extender_weight,
            default_spread: match file.scheduler.default_spread {
                DefaultSpread::System => "system",
                DefaultSpread::List(_) => "list",
                DefaultSpread::Nothing => "nothing",
            }
            .to_owned(),
            preemption: file.scheduler.preemption,
        },
        marks: run
            .events
            .iter()
            .filter_map(|event| {
                Some(Mark {
                    t_ms: event.t_ms,
                    what: mark(&event.what)?,
                })
            })
            .collect(),
        notes,
    }
}

/// What happens to the world after its beginning, in words.
fn mark(what: &What) -> Option<String> {
    let about = match what {
        What::RegionDown(region) | What::RegionUp(region) => region.region.to_string(),
        What::LinkCut(link) | What::LinkHeal(link) => {
            let side = |side: &[crate::model::RegionKey]| {
                side.iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            format!("{} | {}", side(&link.a), side(&link.b))
        }
        What::DataSetLeader(leader) => format!("{} to {}", leader.id, leader.region),
        What::PolicyLoad(load) => load.path.clone(),
        What::NodeRemove(node) | What::NodeCordon(node) | What::NodeUncordon(node) => node.node.to_string(),
        What::LatencySet(change) => format!("{} to {}: {} us", change.from, change.to, change.p50_us),
        What::NodeAdd(_)
        | What::PodCreate(_)
        | What::PodDelete(_)
        | What::NamespaceSet(_)
        | What::DataSetSet(_) => {
            return None;
        }
    };
    Some(format!("{} {about}", what.word()))
}

/// Pods that the policies leave nowhere, by what they are told.
fn refused(roster: &Roster<'_>, outcome: &Outcome) -> Vec<RefusedPods> {
    let mut by_sentence: BTreeMap<&str, (u64, BTreeSet<&str>)> = BTreeMap::new();
    for (life, made) in outcome.lives.iter().zip(&roster.pods) {
        let is_waiting = life.counts() && life.node.is_none() && life.ended_ms.is_none();
        let end = outcome.kinds.get(made.kind).filter(|_| is_waiting);
        let told = end.and_then(|end| end.refused.as_deref());
        if let (Some(told), Some(kind)) = (told, roster.kinds.get(made.kind)) {
            let (pods, workloads) = by_sentence.entry(told).or_default();
            *pods += 1;
            workloads.insert(&kind.workload);
        }
    }
    let groups = by_sentence
        .into_iter()
        .map(|(sentence, (pods, workloads))| RefusedPods {
            sentence: sentence.to_owned(),
            pods,
            workloads: workloads.into_iter().map(str::to_owned).collect(),
        });
    let mut groups: Vec<RefusedPods> = groups.collect();
    // The sort is stable: equals stay in the order of their sentences.
    groups.sort_by_key(|group| std::cmp::Reverse(group.pods));
    groups
}
