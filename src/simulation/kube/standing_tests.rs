use super::*;
use crate::simulation::kube::spec::{NodeSpec, PodSpec};
use crate::simulation::kube::{Attempt, NodeIndex, Profile};

fn cluster(nodes: usize) -> Cluster {
    let mut cluster = Cluster::new(Profile::default(), 1);
    for index in 0..nodes {
        let spec: NodeSpec = serde_saphyr::from_str(&format!(
            "{{name: n{index}, labels: {{disk: ssd}}, allocatable: {{cpu: '4', memory: 8Gi, pods: '10'}}}}"
        ))
        .expect("a node");
        cluster.add_node(spec).expect("names differ");
    }
    cluster
}

fn pod(cluster: &mut Cluster, text: &str) -> PodIndex {
    let spec: PodSpec = serde_saphyr::from_str(&format!("{{namespace: a, name: p, {text}}}")).expect("a pod");
    cluster.add_pod(&spec)
}

fn node(cluster: &Cluster, index: usize) -> NodeIndex {
    cluster.node(&format!("n{index}")).expect("a node")
}

#[test]
fn a_standing_stays_until_some_node_opens_or_closes() {
    let mut cluster = cluster(3);
    let big = pod(&mut cluster, "requests: {cpu: '3'}");
    let first = cluster.standing(big).expect("a plain pod");
    let small = pod(&mut cluster, "requests: {cpu: '1'}");
    let n0 = node(&cluster, 0);
    cluster.bind(small, n0, 0);
    assert_eq!(cluster.standing(big), Some(first), "3 CPUs are left");
    let second = pod(&mut cluster, "requests: {cpu: '1'}");
    cluster.bind(second, n0, 0);
    let closed = cluster.standing(big).expect("a plain pod");
    assert_ne!(closed, first);
    cluster.remove_pod(second);
    let open_again = cluster.standing(big);
    assert!(open_again.is_some() && open_again != Some(closed));
    let n1 = node(&cluster, 1);
    cluster.set_unschedulable(n1, true);
    assert_ne!(cluster.standing(big), open_again, "a node says another thing");
    cluster.remove_node(n1);
    let with_two = cluster.standing(big);
    let spec: NodeSpec =
        serde_saphyr::from_str("{name: n9, allocatable: {cpu: '1', memory: 8Gi, pods: '10'}}")
            .expect("a node");
    cluster.add_node(spec).expect("another name");
    assert_ne!(cluster.standing(big), with_two, "one more is counted");
}

#[test]
fn equal_standings_are_equal_attempts() {
    let mut cluster = cluster(3);
    let big = pod(&mut cluster, "requests: {cpu: '5'}");
    let standing = cluster.standing(big);
    let attempt = cluster.attempt(big, None);
    assert!(matches!(attempt, Attempt::Unschedulable(_)));
    let other = pod(&mut cluster, "requests: {cpu: '1'}");
    let n2 = node(&cluster, 2);
    cluster.bind(other, n2, 0);
    assert_eq!(cluster.standing(big), standing);
    assert_eq!(cluster.attempt(big, None), attempt);
}

#[test]
fn where_others_have_a_say_there_is_no_standing() {
    let mut small = cluster(3);
    for text in [
        "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: disk, \
         labelSelector: {matchLabels: {app: db}}}]}}",
        "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: \
         [{matchFields: [{key: metadata.name, operator: In, values: [n1]}]}]}}}",
    ] {
        let pod = pod(&mut small, text);
        assert_eq!(small.standing(pod), None, "{text}");
    }
    let important = pod(&mut small, "priority: 5");
    assert!(small.standing(important).is_some(), "nobody to evict");
    let other = pod(&mut small, "priority: 1");
    let n0 = node(&small, 0);
    small.bind(other, n0, 0);
    assert_eq!(small.standing(important), None);
    let modest = pod(&mut small, "priority: 5, preemptionPolicy: Never");
    assert!(small.standing(modest).is_some());

    // 100 nodes are sought of 200, and more are feasible.
    let mut large = cluster(200);
    let pod = pod(&mut large, "requests: {cpu: '1'}");
    assert_eq!(large.standing(pod), None);
}
