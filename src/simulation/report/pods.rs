//! The table of pods: `pods.csv`, a row for each comparator and pod in the order in which they came.

use std::io;

use crate::simulation::drive::{Cost, Outcome, PodKind, PodLife};
use crate::simulation::run::Run;
use crate::simulation::trace::TracePod;
use crate::spreadsheet::Table;

const HEADER: [&str; 19] = [
    "comparator",
    "namespace",
    "pod",
    "uid",
    "workload",
    "state",
    "node",
    "region",
    "came_ms",
    "waited_ms",
    "ended_ms",
    "attempts",
    "blind_attempts",
    "lost_node",
    "latency_us",
    "estimated",
    "best_us",
    "breaches",
    "reason",
];

/// Writes the table.
pub fn pods_csv(run: &Run<'_>) -> io::Result<String> {
    let mut text = Vec::new();
    let mut table = Table::new(&mut text, &HEADER)?;
    for (comparator, outcome) in &run.outcomes {
        let (id, Some(outcome)) = (comparator.id(), outcome) else {
            continue;
        };
        let lives = outcome.lives.iter().zip(&run.roster.pods);
        for (life, made) in lives.filter(|(life, _)| life.began) {
            if let Some(kind) = run.roster.kinds.get(made.kind) {
                let refused = outcome
                    .kinds
                    .get(made.kind)
                    .and_then(|kind| kind.refused.as_deref());
                table.row(row(&id, (made.pod, kind), life, outcome, refused))?;
            }
        }
    }
    table.end()?;
    String::from_utf8(text).map_err(io::Error::other)
}

fn row(
    comparator: &str,
    (pod, kind): (&TracePod, &PodKind),
    life: &PodLife,
    outcome: &Outcome,
    refused: Option<&str>,
) -> [String; 19] {
    let state = match (life.node, life.ended_ms) {
        (Some(_), None) if life.already_there => "there-already",
        (Some(_), None) => "running",
        (Some(_), Some(_)) => "ended",
        (None, None) => "waiting",
        (None, Some(_)) => "ended-waiting",
    };
    let number = |number: Option<u64>| number.map_or(String::new(), |number| number.to_string());
    let estimated = match life.cost {
        Cost::Known { is_estimated, .. } => is_estimated.to_string(),
        Cost::NotDemanded | Cost::Unknown => String::new(),
    };
    let reason = match (life.kept_by(), refused) {
        (Some(keeps), Some(sentence)) => format!("{}: {sentence}", keeps.word()),
        (Some(keeps), None) => keeps.word().to_owned(),
        (None, _) => String::new(),
    };
    [
        comparator.to_owned(),
        pod.spec.namespace.clone(),
        pod.spec.name.clone(),
        pod.uid.clone(),
        kind.workload.clone(),
        state.to_owned(),
        outcome.node(life).unwrap_or_default().to_owned(),
        outcome.region(life).unwrap_or_default().to_owned(),
        life.began_ms.to_string(),
        number(life.waited_ms()),
        number(life.ended_ms),
        life.attempts.to_string(),
        life.blind.to_string(),
        (life.evicted + life.preempted).to_string(),
        number(life.cost.us()),
        estimated,
        number(life.best_us.filter(|_| life.node.is_some())),
        life.breaches.join(" "),
        reason,
    ]
}
