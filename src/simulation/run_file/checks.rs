//! What is wrong with a run file that reads well.

use std::collections::BTreeSet;

use super::RunFile;
use crate::model::NamespaceName;
use crate::simulation::comparator::Comparator;
use crate::simulation::fail_on::FailOn;

/// The only version of the run file.
const VERSION: u32 = 1;

/// The most pods or nodes of one run, so that a typing error does not fill the memory.
const MOST: usize = 1_000_000;

/// The most seeds of one run.
const MOST_SEEDS: u32 = 1_000;

/// Every problem.
pub(super) fn problems(run: &RunFile) -> Vec<String> {
    let mut problems = Vec::new();
    if run.v != VERSION {
        problems.push(format!("`v` is {} where this program reads {VERSION}", run.v));
    }
    if run.seeds == 0 || run.seeds > MOST_SEEDS {
        problems.push(format!("`seeds` is {} and must be 1 to {MOST_SEEDS}", run.seeds));
    }
    if run
        .scheduler
        .percentage_of_nodes_to_score
        .is_some_and(|percent| percent > 100)
    {
        problems.push("`scheduler.percentageOfNodesToScore` is more than 100".to_owned());
    }
    if run.synthesis.is_some() && run.trace.is_none() {
        problems.push("`synthesis` makes up what a trace lacks, and there is no `trace`".to_owned());
    }
    if run.snapshot.is_some() {
        let twice = run.facts_of_a_snapshot().into_iter();
        problems
            .extend(twice.map(|key| {
                format!("`snapshot` has a world, and `{key}` is stated too; one of them must go")
            }));
    }
    fleet(run, &mut problems);
    compared(run, &mut problems);
    workloads(run, &mut problems);
    for text in &run.fail_on {
        problems.extend(
            FailOn::parse(text)
                .err()
                .map(|problem| format!("`failOn`: {problem}")),
        );
    }
    problems
}

fn fleet(run: &RunFile, problems: &mut Vec<String>) {
    let fleet = &run.fleet;
    if fleet.file.is_some() && !(fleet.nodes.is_empty() && fleet.namespaces.is_empty()) {
        problems
            .push("`fleet` has a file and nodes or namespaces to make up; one of them must go".to_owned());
    }
    if fleet.nodes.is_empty() && !fleet.namespaces.is_empty() && run.trace.is_none() {
        problems.push("`fleet` has namespaces and no nodes".to_owned());
    }
    for group in &fleet.nodes {
        if let Err(problem) = group.key() {
            problems.push(format!("`fleet.nodes`: {problem}"));
        }
        if group.zones.is_empty() || group.nodes_per_zone == 0 {
            problems.push(format!("`fleet.nodes`: `{}` has no nodes", group.region));
        }
    }
    let nodes = fleet.nodes.iter();
    let nodes = nodes.map(|group| group.zones.len().saturating_mul(group.nodes_per_zone));
    if nodes.fold(0, usize::saturating_add) > MOST {
        problems.push(format!("`fleet.nodes` are more than {MOST}"));
    }
    let mut namespaces = BTreeSet::new();
    for namespace in &fleet.namespaces {
        if let Err(problem) = NamespaceName::new(&namespace.name) {
            problems.push(format!("`fleet.namespaces`: {problem}"));
        }
        if !namespaces.insert(&namespace.name) {
            problems.push(format!("`fleet.namespaces` has `{}` twice", namespace.name));
        }
    }
}

fn compared(run: &RunFile, problems: &mut Vec<String>) {
    let mut named = BTreeSet::new();
    for name in &run.compare {
        match Comparator::parse(name) {
            Ok(comparator) => {
                if !named.insert(comparator) {
                    problems.push(format!("`compare` has `{name}` twice"));
                }
            }
            Err(problem) => problems.push(format!("`compare`: {problem}")),
        }
    }
    match (named.contains(&Comparator::PolicyB), &run.policies_b) {
        (true, None) => problems.push("`compare` has `policy-b`, and there is no `policiesB`".to_owned()),
        (false, Some(_)) => problems.push("there is `policiesB`, and `compare` lacks `policy-b`".to_owned()),
        _ => {}
    }
    let has_product = run.compare.is_empty() || named.contains(&Comparator::Domicile);
    if !has_product && run.failures.is_some() {
        problems.push("`failures` is about `domicile`, which `compare` lacks".to_owned());
    }
    if !has_product && run.attribution.is_some() {
        problems.push("`attribution` is about `domicile`, which `compare` lacks".to_owned());
    }
}

fn workloads(run: &RunFile, problems: &mut Vec<String>) {
    if run.workloads.is_empty() && run.trace.is_none() {
        problems.push("neither `workloads` nor `trace` says what to place".to_owned());
    }
    let pods = run.workloads.iter().map(|workload| workload.pods);
    if pods.fold(0, usize::saturating_add) > MOST {
        problems.push(format!("the pods of `workloads` are more than {MOST}"));
    }
    let mut names = BTreeSet::new();
    for workload in &run.workloads {
        let (name, namespace) = (&workload.name, &workload.namespace);
        if name.is_empty() {
            problems.push("a workload has an empty `name`".to_owned());
        }
        if !names.insert((namespace, name)) {
            problems.push(format!("a second workload is called `{name}` in `{namespace}`"));
        }
        if let Err(problem) = NamespaceName::new(namespace) {
            problems.push(format!("workload `{name}`: `namespace`: {problem}"));
        }
        // Of a namespace that nobody knows nothing is known, which would refuse its pods for a typing error.
        let namespaces = &run.fleet.namespaces;
        let is_known = namespaces.iter().any(|known| known.name == *namespace);
        if !namespaces.is_empty() && !is_known && run.trace.is_none() {
            problems.push(format!(
                "workload `{name}`: the namespace `{namespace}` is not among `fleet.namespaces`"
            ));
        }
    }
}
