//! Pods that look at each other: rules and wishes of topology spread, the default constraints of pods of services, and
//! required and preferred affinity and anti-affinity, in zones of uneven sizes.

use domicile::simulation::kube::Profile;
use domicile::simulation::kube::spec::{
    LabelSelector, NodeInclusionPolicy, NodeSpec, PodAffinityTerm, TaintEffect, TopologySpreadConstraint,
    UnsatisfiableConstraintAction,
};
use rand::RngExt as _;
use rand_pcg::Pcg64;

use crate::fidelity::workload::{HOSTNAME, Pod, Step, Workload, ZONE, app, apps, near, node, rather, taint};

/// Zones, and how many nodes each has.
const ZONES: [(&str, &str, usize); 6] = [
    ("eu-central-1", "a", 20),
    ("eu-central-1", "b", 14),
    ("eu-west-3", "a", 10),
    ("us-east-1", "a", 8),
    ("us-east-1", "b", 5),
    ("ap-south-1", "a", 3),
];

const APPS: [&str; 10] = [
    "web", "db", "cache", "api", "batch", "beside", "shy", "clique", "store", "worker",
];

pub fn workload() -> Workload {
    let mut random = super::random(3);
    let mut nodes: Vec<NodeSpec> = Vec::new();
    for (region, letter, count) in ZONES {
        for number in 0..count {
            let (cpu, memory) = (
                random.random_range(3_000..9_000),
                random.random_range(6_000..33_000),
            );
            let mut node = node(
                format!("{region}{letter}-{number:02}"),
                region,
                letter,
                cpu,
                memory,
            );
            if number % 6 == 5 {
                node.taints
                    .push(taint("lifecycle", "ending", TaintEffect::NoSchedule));
            }
            nodes.push(node);
        }
    }
    for number in 0..2 {
        // These are in no zone.
        let mut node = node(format!("nowhere-{number}"), "us-east-1", "a", 8_000, 32_000);
        node.labels.remove(ZONE);
        nodes.push(node);
    }
    let mut steps = Vec::new();
    for number in 0..360 {
        let name = APPS[random.random_range(0..APPS.len())];
        steps.push(Step::Come(Box::new(a_pod(name, number, &mut random))));
        if number == 250 {
            steps.push(Step::Settle);
            steps.extend((0..250).step_by(9).map(Step::Go));
            steps.push(Step::Settle);
        }
    }
    Workload {
        name: "spreading",
        profile: Profile {
            percentage_of_nodes_to_score: Some(100),
            extender_weight: 5,
            ..Profile::default()
        },
        nodes,
        steps,
    }
}

fn a_pod(name: &str, number: usize, random: &mut Pcg64) -> Pod {
    let mut pod = Pod::named(format!("{name}-{number:03}"))
        .label("app", name)
        .asks_for(random.random_range(50..500), random.random_range(50..1_500));
    if random.random_range(0..4) == 0 {
        pod = pod.governed();
    }
    let rule = UnsatisfiableConstraintAction::DoNotSchedule;
    let wish = UnsatisfiableConstraintAction::ScheduleAnyway;
    let spread = &mut pod.spec.topology_spread_constraints;
    match name {
        "web" => spread.extend([
            constraint(1, ZONE, rule, "web"),
            constraint(1, HOSTNAME, wish, "web"),
        ]),
        "db" => pod.pod_anti_affinity().required.push(near(app("db"), HOSTNAME)),
        "cache" => {
            pod.pod_affinity()
                .preferred
                .push(rather(80, near(app("web"), ZONE)));
            pod.pod_anti_affinity()
                .preferred
                .push(rather(50, near(apps(&["cache", "store"]), HOSTNAME)));
        }
        "api" | "worker" => pod.spec.default_spread_selector = Some(app(name)),
        "batch" => {
            let mut by_zone = constraint(3, ZONE, rule, "batch");
            by_zone.min_domains = Some(7);
            let mut by_node = constraint(2, HOSTNAME, rule, "batch");
            by_node.node_taints_policy = Some(NodeInclusionPolicy::Honor);
            spread.extend([by_zone, by_node]);
        }
        "beside" => pod.pod_affinity().required.push(near(app("web"), ZONE)),
        "shy" => {
            let everywhere = PodAffinityTerm {
                namespace_selector: Some(LabelSelector::default()),
                ..near(apps(&["batch", "shy"]), HOSTNAME)
            };
            pod.pod_anti_affinity().required.push(everywhere);
        }
        "clique" => {
            pod.pod_affinity().required.push(near(app("clique"), ZONE));
            pod.pod_anti_affinity()
                .preferred
                .push(rather(100, near(app("clique"), HOSTNAME)));
        }
        _ => {
            let mut by_zone = constraint(2, ZONE, wish, "store");
            by_zone.match_label_keys = vec!["version".to_owned()];
            spread.extend([by_zone, constraint(1, HOSTNAME, wish, "store")]);
            let version = if number.is_multiple_of(2) { "1" } else { "2" };
            pod = pod.label("version", version);
        }
    }
    pod
}

fn constraint(
    max_skew: i32,
    topology_key: &str,
    when_unsatisfiable: UnsatisfiableConstraintAction,
    name: &str,
) -> TopologySpreadConstraint {
    TopologySpreadConstraint {
        max_skew,
        topology_key: topology_key.to_owned(),
        when_unsatisfiable,
        label_selector: Some(app(name)),
        min_domains: None,
        node_affinity_policy: None,
        node_taints_policy: None,
        match_label_keys: Vec::new(),
    }
}
