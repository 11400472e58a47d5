//! A cluster that is full of pods of low priority, and pods of three higher priorities that evict them, one at a time;
//! what still waits is tried again whenever somebody goes.

use domicile::simulation::kube::Profile;
use domicile::simulation::kube::spec::NodeSpec;
use rand::RngExt as _;

use crate::fidelity::workload::{HOSTNAME, Pod, Step, Workload, app, near, node};

const ZONES: [(&str, &str); 4] = [
    ("eu-central-1", "a"),
    ("eu-west-3", "a"),
    ("us-east-1", "a"),
    ("us-east-1", "b"),
];

pub fn workload() -> Workload {
    let mut random = super::random(4);
    let nodes: Vec<NodeSpec> = (0..29)
        .map(|number| {
            let (region, letter) = ZONES[number % ZONES.len()];
            let (cpu, memory) = (
                random.random_range(3_000..6_000),
                random.random_range(12_000..24_000),
            );
            node(format!("node-{number:02}"), region, letter, cpu, memory)
        })
        .collect();
    let mut steps = Vec::new();
    for number in 0..250 {
        let (cpu, memory) = (random.random_range(200..900), random.random_range(100..2_500));
        let mut pod = Pod::named(format!("low-{number:03}")).asks_for(cpu, memory);
        if random.random_range(0..3) == 0 {
            pod = pod.governed();
        }
        if random.random_range(0..9) == 0 {
            pod = pod.label("app", "loner");
        }
        steps.push(Step::Come(Box::new(pod)));
    }
    steps.push(Step::Settle);
    for number in 0..70 {
        let priority = [10, 100, 1_000][random.random_range(0..3)];
        let (cpu, memory) = (random.random_range(300..2_200), random.random_range(100..6_000));
        let mut pod = Pod::named(format!("high-{number:02}"))
            .asks_for(cpu, memory)
            .priority(priority);
        if random.random_range(0..2) == 0 {
            pod = pod.governed().reads_orders();
        } else if random.random_range(0..5) == 0 {
            // Loners must go for it wherever it comes, and it goes where there is one of its kind no more.
            pod = pod.label("app", "loner");
            pod.pod_anti_affinity()
                .required
                .push(near(app("loner"), HOSTNAME));
        }
        steps.push(Step::Come(Box::new(pod)));
        steps.push(Step::Settle);
    }
    Workload {
        name: "priorities",
        profile: Profile {
            percentage_of_nodes_to_score: Some(100),
            extender_weight: 5,
            ..Profile::default()
        },
        nodes,
        steps,
    }
}
