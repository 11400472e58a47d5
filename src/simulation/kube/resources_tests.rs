use super::super::quantity::Quantity;
use super::super::spec::{NodeSpec, ResourceList};
use super::*;

fn list(cpu_millis: u32, mebibytes: u32) -> ResourceList {
    ResourceList::from([
        ("cpu".to_owned(), Quantity::millis(cpu_millis)),
        ("memory".to_owned(), Quantity::mebibytes(mebibytes)),
    ])
}

fn nodes(mut allocatable: ResourceList, pods: u32) -> Nodes {
    let mut nodes = Nodes::default();
    allocatable.insert("pods".to_owned(), Quantity::whole(pods));
    nodes.add(NodeSpec {
        name: "a".to_owned(),
        labels: Default::default(),
        allocatable,
        taints: Vec::new(),
        unschedulable: false,
    });
    nodes
}

const FIT_ONLY: Weights = Weights {
    taint_toleration: 0,
    node_affinity: 0,
    pod_topology_spread: 0,
    inter_pod_affinity: 0,
    node_resources_fit: 1,
    balanced_allocation: 0,
};

const BALANCE_ONLY: Weights = Weights {
    node_resources_fit: 0,
    balanced_allocation: 1,
    ..FIT_ONLY
};

/// `leastRequestedScore`: (4000 - 1000) * 100 / 4000 = 75 and (8192 - 1024) * 100 / 8192 = 87; (75 + 87) / 2 = 81.
#[test]
fn least_allocated_is_the_mean_of_what_is_left_cut_off() {
    let mut nodes = nodes(list(4_000, 8_192), 10);
    let request = nodes.request(&list(1_000, 1_024));
    assert_eq!(points(&nodes, 0, &request, &FIT_ONLY), 81);
    // A pod that states nothing counts as 100m and 200Mi: 3900 * 100 / 4000 = 97, 7992 * 100 / 8192 = 97.
    let nothing = nodes.request(&ResourceList::new());
    assert_eq!(points(&nodes, 0, &nothing, &FIT_ONLY), 97);
    // With it there: requested 100m + 1000m and 200Mi + 1024Mi: 72 and 85, mean 78.
    nodes.load(0, &nothing, 1);
    assert_eq!(points(&nodes, 0, &request, &FIT_ONLY), 78);
    assert_eq!((nodes.used_cpu[0], nodes.scored_cpu[0]), (0, 100));
}

/// `balancedResourceScorer`. On an empty node: without 100; with shares 1/4 and 1/8 the deviation is 0.0625, so
/// 93 (cut off); 50 + (50 + 93 - 100) / 2 = 71.
#[test]
fn balance_is_judged_against_the_balance_without_the_pod() {
    let mut nodes = nodes(list(4_000, 8_192), 10);
    let skewed = nodes.request(&list(1_000, 1_024));
    assert_eq!(points(&nodes, 0, &skewed, &BALANCE_ONLY), 71);
    // Shares alike: 50 + (50 + 100 - 100) / 2 = 75.
    let even = nodes.request(&list(1_000, 2_048));
    assert_eq!(points(&nodes, 0, &even, &BALANCE_ONLY), 75);
    // On a node at 1/4 and 0 (deviation 0.125: 87), memory of 1/4 evens out: 50 + (50 + 100 - 87) / 2 = 81.
    let lopsided = nodes.request(&list(1_000, 0));
    nodes.load(0, &lopsided, 1);
    let memory = nodes.request(&list(0, 2_048));
    assert_eq!(points(&nodes, 0, &memory, &BALANCE_ONLY), 81);
    // `isBestEffortPod`: nothing asked, plugin skipped.
    let nothing = nodes.request(&ResourceList::new());
    assert_eq!(points(&nodes, 0, &nothing, &BALANCE_ONLY), 0);
}

#[test]
fn a_pod_fits_until_any_resource_is_used_up() {
    let mut allocatable = list(2_000, 4_096);
    allocatable.insert("nvidia.com/gpu".to_owned(), Quantity::whole(2));
    allocatable.insert("ephemeral-storage".to_owned(), Quantity::mebibytes(100));
    let mut nodes = nodes(allocatable, 2);
    let with = |name: &str, amount: u32| {
        let mut requests = list(100, 100);
        requests.insert(name.to_owned(), Quantity::whole(amount));
        requests
    };
    let verdicts = |nodes: &mut Nodes, requests: &ResourceList| {
        let request = nodes.request(requests);
        misfit(nodes, 0, &request)
    };
    assert_eq!(verdicts(&mut nodes, &list(2_000, 4_096)), None);
    assert_eq!(verdicts(&mut nodes, &list(2_001, 1)), Some(TOO_SMALL));
    assert_eq!(verdicts(&mut nodes, &with("nvidia.com/gpu", 2)), None);
    assert_eq!(verdicts(&mut nodes, &with("nvidia.com/gpu", 3)), Some(TOO_SMALL));
    assert_eq!(
        verdicts(&mut nodes, &with("example.com/none", 1)),
        Some(TOO_SMALL)
    );
    assert_eq!(verdicts(&mut nodes, &with("example.com/none", 0)), None);
    let storage =
        |amount| ResourceList::from([("ephemeral-storage".to_owned(), Quantity::mebibytes(amount))]);
    assert_eq!(verdicts(&mut nodes, &storage(101)), Some(TOO_SMALL));
    let most = nodes.request(&with("nvidia.com/gpu", 2));
    nodes.load(0, &most, 1);
    assert_eq!(
        verdicts(&mut nodes, &with("nvidia.com/gpu", 1)),
        Some(TOO_LITTLE_LEFT)
    );
    assert_eq!(verdicts(&mut nodes, &list(1_900, 0)), None);
    assert_eq!(verdicts(&mut nodes, &list(1_901, 0)), Some(TOO_LITTLE_LEFT));
    nodes.load(0, &most, 1);
    assert_eq!(
        verdicts(&mut nodes, &ResourceList::new()),
        Some(TOO_LITTLE_LEFT),
        "two pods are there"
    );
    nodes.load(0, &most, -1);
    assert_eq!(verdicts(&mut nodes, &ResourceList::new()), None);
}

#[test]
fn kept_points_are_those_of_a_fresh_look() {
    let mut nodes = nodes(list(4_000, 8_192), 10);
    for name in ["b", "c"] {
        let mut spec = nodes.specs[0].clone();
        spec.name = name.to_owned();
        nodes.add(spec);
    }
    let weights = Weights::default();
    let mut shapes = Shapes::default();
    let small = nodes.request(&list(100, 300));
    let shape = shapes.intern(small.clone());
    for step in 0..50 {
        shapes.refresh(shape, &nodes, &weights);
        let fresh: Vec<i32> = (0..3)
            .map(|slot| points(&nodes, slot, &small, &weights))
            .collect();
        assert_eq!(shapes.points(shape), fresh, "after {step} steps");
        let sign = if step % 7 == 6 { -1 } else { 1 };
        nodes.load(step % 3, &small, sign);
        if step == 20 {
            let mut spec = nodes.specs[0].clone();
            spec.name = "d".to_owned();
            nodes.add(spec);
            nodes.remove(3);
            shapes.refresh(shape, &nodes, &weights);
            assert_eq!(shapes.points(shape).len(), 4);
            break;
        }
    }
}
