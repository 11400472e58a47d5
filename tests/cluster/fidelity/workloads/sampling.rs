//! 320 nodes in zones of uneven sizes under the default sampling: 48% of them are looked at. The extender refuses most
//! regions to half of the pods, and the few nodes that it permits stand together in the order of the search, so
//! that many samples hold none of them.

use domicile::simulation::kube::Profile;
use domicile::simulation::kube::spec::NodeSpec;
use rand::RngExt as _;

use crate::fidelity::workload::{Pod, Step, Workload, node};

/// Zones, and how many nodes each has. Those of `eu-west-3` and `eu-north-1` are in the EEA.
const ZONES: [(&str, &str, usize); 7] = [
    ("us-east-1", "a", 110),
    ("us-east-1", "b", 70),
    ("us-west-2", "a", 50),
    ("ap-south-1", "a", 45),
    ("ap-northeast-1", "c", 30),
    ("eu-west-3", "a", 10),
    ("eu-north-1", "b", 5),
];

pub fn workload() -> Workload {
    let mut random = super::random(2);
    let mut nodes: Vec<NodeSpec> = Vec::new();
    for (region, letter, count) in ZONES {
        for number in 0..count {
            let (cpu, memory) = (
                random.random_range(2_000..9_000),
                random.random_range(4_000..33_000),
            );
            nodes.push(node(
                format!("{region}{letter}-{number:03}"),
                region,
                letter,
                cpu,
                memory,
            ));
        }
    }
    let mut steps = Vec::new();
    for number in 0..330 {
        let (cpu, memory) = (random.random_range(100..900), random.random_range(100..2_000));
        let pod = Pod::named(format!("pod-{number:03}"));
        let small = |pod: Pod| pod.asks_for(cpu / 10 + 1, memory / 4);
        let pod = match random.random_range(0..8) {
            0..3 => pod.asks_for(cpu, memory),
            3 => pod.asks_for(cpu * 4, memory * 4),
            // The data set is of people in the EEA, whatever the namespace says. Its pods must fit there: for want of room
            // they would be tried for ever.
            4 => small(pod).reads_orders(),
            5 | 6 => small(pod).governed().reads_orders(),
            _ => small(pod).governed(),
        };
        steps.push(Step::Come(Box::new(pod)));
    }
    Workload {
        name: "sampling",
        profile: Profile {
            extender_weight: 5,
            ..Profile::default()
        },
        nodes,
        steps,
    }
}
