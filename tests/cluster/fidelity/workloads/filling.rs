//! Nodes of several shapes fill up until pods no longer fit: by CPU, memory, disk, number of pods and GPUs, with
//! cordons, taints, node selectors and node affinity; then some pods go and make room.

use domicile::simulation::kube::spec::{
    NodeSelector, NodeSelectorOperator, NodeSelectorRequirement, NodeSelectorTerm, NodeSpec,
    PreferredSchedulingTerm, TaintEffect, Toleration, TolerationOperator,
};
use domicile::simulation::kube::{Profile, Quantity};
use rand::RngExt as _;
use rand_pcg::Pcg64;

use crate::fidelity::workload::{GPU, Pod, Step, Workload, ZONE, node, taint};

const ZONES: [(&str, &str); 6] = [
    ("eu-central-1", "a"),
    ("eu-central-1", "b"),
    ("eu-west-3", "a"),
    ("us-east-1", "a"),
    ("us-east-1", "b"),
    ("ap-south-1", "a"),
];

pub fn workload() -> Workload {
    let mut random = super::random(1);
    let nodes: Vec<NodeSpec> = (0..48).map(|number| a_node(number, &mut random)).collect();
    let mut steps = Vec::new();
    for number in 0..380 {
        steps.push(Step::Come(Box::new(a_pod(number, &nodes, &mut random))));
        if number == 300 {
            // Every seventh of those that came goes.
            steps.push(Step::Settle);
            steps.extend((0..300).step_by(7).map(Step::Go));
            steps.push(Step::Settle);
        }
    }
    Workload {
        name: "filling",
        profile: Profile {
            percentage_of_nodes_to_score: Some(100),
            extender_weight: 5,
            ..Profile::default()
        },
        nodes,
        steps,
    }
}

fn a_node(number: usize, random: &mut Pcg64) -> NodeSpec {
    let (region, letter) = ZONES[number % ZONES.len()];
    let shape = number / 2 % 4;
    let (cpu, memory) = [(2_000, 4_096), (4_000, 16_384), (8_000, 32_768), (8_000, 32_768)][shape];
    let cpu = cpu - random.random_range(50..400);
    let memory = memory - random.random_range(100..900);
    let mut node = node(format!("node-{number:02}"), region, letter, cpu, memory);
    let mut allocatable = |name: &str, amount| node.allocatable.insert(name.to_owned(), amount);
    if shape == 0 {
        allocatable("pods", Quantity::whole(9));
    }
    if shape == 3 {
        allocatable(GPU, Quantity::whole(4));
        node.taints.push(taint(GPU, "present", TaintEffect::NoSchedule));
    }
    if number % 7 == 3 {
        node.taints
            .push(taint("lifecycle", "spot", TaintEffect::PreferNoSchedule));
    }
    if number % 13 == 5 {
        node.taints
            .push(taint("ending", "", TaintEffect::PreferNoSchedule));
    }
    node.unschedulable = number % 17 == 9;
    let disk = if number.is_multiple_of(3) { "ssd" } else { "hdd" };
    node.labels.insert("disk".to_owned(), disk.to_owned());
    node.labels
        .insert("generation".to_owned(), (number % 5).to_string());
    node
}

fn a_pod(number: usize, nodes: &[NodeSpec], random: &mut Pcg64) -> Pod {
    let pod = Pod::named(format!("pod-{number:03}"));
    let (cpu, memory) = (random.random_range(200..1_100), random.random_range(100..2_000));
    let mut pod = match random.random_range(0..14) {
        0 => pod,
        1 => pod.asks("cpu", Quantity::millis(cpu)),
        2 => pod.asks("memory", Quantity::mebibytes(memory)),
        3 => pod.asks_for(cpu * 3, memory * 3),
        4 => {
            let disk = random.random_range(5_000..40_000);
            pod.asks_for(cpu, memory)
                .asks("ephemeral-storage", Quantity::mebibytes(disk))
        }
        5 => {
            let mut pod = pod.asks_for(cpu, memory);
            let name = nodes[random.random_range(0..nodes.len())].name.clone();
            pod.node_affinity().required = Some(NodeSelector {
                node_selector_terms: vec![NodeSelectorTerm {
                    match_fields: vec![requirement("metadata.name", NodeSelectorOperator::In, &[&name])],
                    ..NodeSelectorTerm::default()
                }],
            });
            pod
        }
        6 | 7 => {
            let mut pod = pod
                .asks_for(cpu, memory)
                .asks(GPU, Quantity::whole(random.random_range(1..3)));
            pod.spec
                .tolerations
                .push(tolerates(GPU, TolerationOperator::Exists, ""));
            pod
        }
        8 => {
            let mut pod = pod.asks_for(cpu, memory);
            pod.spec.node_selector.insert("disk".to_owned(), "ssd".to_owned());
            pod
        }
        9 => {
            let mut pod = pod.asks_for(cpu, memory);
            pod.node_affinity().preferred = vec![
                preferred(30, requirement("generation", NodeSelectorOperator::Gt, &["2"])),
                preferred(
                    70,
                    requirement(ZONE, NodeSelectorOperator::In, &["us-east-1a", "eu-west-3a"]),
                ),
            ];
            pod
        }
        10 => {
            let mut pod = pod.asks_for(cpu, memory);
            pod.spec.tolerations = vec![
                tolerates("lifecycle", TolerationOperator::Equal, "spot"),
                tolerates("node.kubernetes.io/unschedulable", TolerationOperator::Exists, ""),
            ];
            pod
        }
        11 => pod.asks_for(cpu, memory).governed(),
        12 => pod.asks_for(cpu, memory).governed().reads_orders(),
        _ => pod.asks_for(cpu, memory).reads_orders(),
    };
    if random.random_range(0..6) == 0 {
        let term = |operator, values: &[&str]| NodeSelectorTerm {
            match_expressions: vec![requirement("disk", operator, values)],
            ..NodeSelectorTerm::default()
        };
        let required = &mut pod.node_affinity().required;
        let terms = vec![
            term(NodeSelectorOperator::NotIn, &["ssd"]),
            term(NodeSelectorOperator::DoesNotExist, &[]),
        ];
        required.get_or_insert(NodeSelector {
            node_selector_terms: terms,
        });
    }
    pod
}

fn requirement(key: &str, operator: NodeSelectorOperator, values: &[&str]) -> NodeSelectorRequirement {
    NodeSelectorRequirement {
        key: key.to_owned(),
        operator,
        values: values.iter().map(|&value| value.to_owned()).collect(),
    }
}

fn preferred(weight: i32, requirement: NodeSelectorRequirement) -> PreferredSchedulingTerm {
    PreferredSchedulingTerm {
        weight,
        preference: NodeSelectorTerm {
            match_expressions: vec![requirement],
            ..NodeSelectorTerm::default()
        },
    }
}

fn tolerates(key: &str, operator: TolerationOperator, value: &str) -> Toleration {
    Toleration {
        key: key.to_owned(),
        operator,
        value: value.to_owned(),
        ..Toleration::default()
    }
}
