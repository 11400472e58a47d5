//! The settings of our own extender, transport aside.

use super::configuration::{Configuration, Extender};
use super::finding::Finding;
use super::{Phase, Situation, place};
use crate::policy::Level;

/// The weight for which our scores are made: a node that is best for its data counts as much as five
/// scoring plugins of kube-scheduler at their full score.
const USUAL_WEIGHT: i64 = 5;
/// From here on all default plugins together (12 weights of 100 points) lose to one step of ours.
const OVERWHELMING_WEIGHT: i64 = 120;
const LEAST_TIMEOUT_MS: f64 = 100.0;
const USUAL_MOST_TIMEOUT_MS: f64 = 2_000.0;
const MOST_TIMEOUT_MS: f64 = 30_000.0;

/// Finds what is wrong with the extender at `index` (D07, D09 to D11, D17 to D19, D21).
pub fn check(
    configuration: &Configuration,
    index: usize,
    situation: &Situation,
    findings: &mut Vec<Finding>,
) {
    let Some(extender) = configuration.extenders.get(index) else {
        return;
    };
    let at = |field: &str| format!("{}.{field}", place(index));
    ignorable(extender, situation.phase, at("ignorable"), findings);
    timeout(extender, at("httpTimeout"), findings);
    weight(extender, at("weight"), findings);
    if !extender.names_only {
        findings.push(Finding::error(
            "D10",
            at("nodeCacheCapable"),
            "kube-scheduler sends and takes back whole nodes: megabytes for each pod at some hundred nodes, and since 1.33 it then scores every node as if it were empty",
            "set `nodeCacheCapable: true`",
        ));
    }
    if !extender.managed_resources.is_empty() {
        findings.push(Finding::error(
            "D21",
            at("managedResources"),
            format!(
                "a pod that asks for none of {} is bound without any residency check",
                extender
                    .managed_resources
                    .iter()
                    .map(|name| format!("`{name}`"))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            "remove `managedResources`: a pod without governed data costs one cheap pass",
        ));
    }
    verbs(extender, situation.phase, &at, findings);
}

fn ignorable(extender: &Extender, phase: Phase, place: String, findings: &mut Vec<Finding>) {
    match (phase, extender.ignorable) {
        (Phase::Enforce, true) => findings.push(Finding::error(
            "D07",
            place,
            "whenever the extender does not answer, kube-scheduler takes every node for permitted",
            "set `ignorable: false`; only an installation that observes may ignore, which --phase observe says",
        )),
        (Phase::Observe, false) => findings.push(Finding::warning(
            "D07",
            place,
            "nothing is enforced yet, and still an outage of the extender stops every pod of this scheduler",
            "set `ignorable: true` until you enforce",
        )),
        (Phase::Enforce, false) | (Phase::Observe, true) => {}
    }
}

fn timeout(extender: &Extender, place: String, findings: &mut Vec<Finding>) {
    let fix = "set `httpTimeout: 1s`";
    let Some(milliseconds) = extender.timeout_ms else {
        findings.push(Finding::warning(
            "D09",
            place,
            "without a timeout kube-scheduler waits 5 s for every call, and schedules nothing else meanwhile",
            fix,
        ));
        return;
    };
    if milliseconds < 0.0 {
        findings.push(Finding::error(
            "D09",
            place,
            "below zero is no limit at all: one call that hangs stops this scheduler for good",
            fix,
        ));
    } else if milliseconds < LEAST_TIMEOUT_MS {
        findings.push(Finding::error(
            "D09",
            place,
            "a busy machine or a large cluster takes longer than this for an ordinary answer, and each such call fails the pod",
            fix,
        ));
    } else if milliseconds > USUAL_MOST_TIMEOUT_MS {
        let level = if milliseconds > MOST_TIMEOUT_MS {
            Level::Error
        } else {
            Level::Warning
        };
        findings.push(Finding::new(
            level,
            "D09",
            place,
            "kube-scheduler works on one pod at a time, so a call that hangs stops all pods for as long as this, twice for each attempt",
            fix,
        ));
    }
}

fn weight(extender: &Extender, place: String, findings: &mut Vec<Finding>) {
    let fix = format!("set `weight: {USUAL_WEIGHT}`");
    if extender.prioritize_verb.is_empty() {
        if extender.weight != 0 {
            let sentence = "a weight does nothing without `prioritizeVerb`";
            findings.push(Finding::note(
                "D11",
                place,
                sentence,
                "set `prioritizeVerb: prioritize`",
            ));
        }
    } else if extender.weight <= 0 {
        let sentence = "`prioritizeVerb` needs a weight above 0, and kube-scheduler does not start without";
        findings.push(Finding::error("D11", place, sentence, fix));
    } else if extender.weight >= OVERWHELMING_WEIGHT {
        let sentence = format!(
            "at weight {} one step of our score outvotes all plugins of kube-scheduler together, free resources and spreading included",
            extender.weight
        );
        findings.push(Finding::error("D11", place, sentence, fix));
    } else if extender.weight != USUAL_WEIGHT {
        let sentence = format!(
            "at weight {} the best place for the data counts as much as {} scoring plugins at their full score; {USUAL_WEIGHT} is usual",
            extender.weight, extender.weight
        );
        findings.push(Finding::note("D11", place, sentence, fix));
    }
}

fn verbs(extender: &Extender, phase: Phase, at: &impl Fn(&str) -> String, findings: &mut Vec<Finding>) {
    let binding = match phase {
        Phase::Enforce => Level::Error,
        Phase::Observe => Level::Warning,
    };
    let verbs = [
        (
            "filterVerb",
            "filter",
            &extender.filter_verb,
            Level::Error,
            "kube-scheduler never asks where a pod may run",
        ),
        (
            "preemptVerb",
            "preempt",
            &extender.preempt_verb,
            binding,
            "a pod of high priority evicts others from nodes where it may not run, and then does not get them",
        ),
        (
            "prioritizeVerb",
            "prioritize",
            &extender.prioritize_verb,
            Level::Warning,
            "the latency to the data decides nothing",
        ),
    ];
    for (field, ours, written, level, consequence) in verbs {
        let fix = format!("set `{field}: {ours}`");
        if written.is_empty() {
            let sentence = format!("without `{field}` {consequence}");
            findings.push(Finding::new(level, "D17", at(field), sentence, fix));
        } else if written != ours {
            let sentence = format!("we serve no `{written}`: every such call fails");
            findings.push(Finding::error("D19", at(field), sentence, fix));
        }
    }
    if !extender.bind_verb.is_empty() {
        findings.push(Finding::error(
            "D18",
            at("bindVerb"),
            "we serve no bind verb: no pod of this scheduler would ever be bound",
            "remove `bindVerb`",
        ));
    }
}
