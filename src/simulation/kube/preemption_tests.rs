use super::super::spec::PreemptionPolicy;
use super::super::spec::{NodeSpec, PodSpec};
use super::super::{Attempt, Chosen, Opinion, Profile, Quantity, Unschedulable};
use super::*;

/// Nodes `n0`, `n1`, ... of one CPU each.
fn cluster(nodes: usize) -> Cluster {
    let mut cluster = Cluster::new(Profile::default(), 3);
    for node in 0..nodes {
        let amounts = [("cpu", Quantity::whole(1)), ("pods", Quantity::whole(10))];
        cluster
            .add_node(NodeSpec {
                name: format!("n{node}"),
                labels: [("kubernetes.io/hostname".to_owned(), format!("n{node}"))].into(),
                allocatable: amounts.map(|(name, amount)| (name.to_owned(), amount)).into(),
                taints: Vec::new(),
                unschedulable: false,
            })
            .unwrap();
    }
    cluster
}

fn pod(cpu_millis: u32, priority: i32) -> PodSpec {
    PodSpec {
        namespace: "a".to_owned(),
        requests: [("cpu".to_owned(), Quantity::millis(cpu_millis))].into(),
        priority,
        ..PodSpec::default()
    }
}

fn bind(cluster: &mut Cluster, node: u32, cpu_millis: u32, priority: i32, at_ms: u64) -> PodIndex {
    let pod = cluster.add_pod(&pod(cpu_millis, priority));
    cluster.bind(pod, NodeIndex(node), at_ms);
    pod
}

fn nomination(cluster: &mut Cluster, pod: PodIndex) -> Option<(u32, Vec<PodIndex>)> {
    match cluster.attempt(pod, None) {
        Attempt::Unschedulable(Unschedulable { nominated, .. }) => {
            nominated.map(|Nomination { node, victims }| (node.0, victims))
        }
        other => panic!("{other:?}"),
    }
}

/// `SelectVictimsOnNode`: all of lower priority leave, and the most important come back while the pod still fits.
#[test]
fn as_few_and_as_unimportant_pods_leave_as_will_do() {
    let mut cluster = cluster(1);
    let old = bind(&mut cluster, 0, 300, 1, 10);
    let young = bind(&mut cluster, 0, 300, 1, 20);
    let important = bind(&mut cluster, 0, 200, 2, 30);
    let equal = bind(&mut cluster, 0, 200, 9, 40);
    let before = cluster.load_of(NodeIndex(0));
    let waiting = cluster.add_pod(&pod(300, 9));
    // Room of 300 is made by the younger of the two of priority 1.
    assert_eq!(nomination(&mut cluster, waiting), Some((0, vec![young])));
    assert_eq!(cluster.load_of(NodeIndex(0)), before, "as it was");
    cluster.remove_pod(waiting);
    let bigger = cluster.add_pod(&pod(600, 10));
    assert_eq!(nomination(&mut cluster, bigger), Some((0, vec![old, young])));
    cluster.remove_pod(bigger);
    let biggest = cluster.add_pod(&pod(1_000, 10));
    assert_eq!(
        nomination(&mut cluster, biggest),
        Some((0, vec![equal, important, old, young]))
    );
    cluster.remove_pod(biggest);
    let too_big = cluster.add_pod(&pod(1_001, 10));
    assert_eq!(nomination(&mut cluster, too_big), None, "the node is too small");
    let unimportant = cluster.add_pod(&pod(300, 1));
    assert_eq!(
        nomination(&mut cluster, unimportant),
        None,
        "nobody is less important"
    );
    let mut patient = pod(300, 9);
    patient.preemption_policy = PreemptionPolicy::Never;
    let patient = cluster.add_pod(&patient);
    assert_eq!(nomination(&mut cluster, patient), None);
}

/// `pickOneNodeForPreemption`: the least greatest priority, then the least sum, then the fewest pods, then the
/// latest start.
#[test]
fn the_node_is_chosen_whose_victims_matter_least() {
    type Victims = &'static [(u32, i32, u64)];
    let cases: [(&str, [Victims; 2]); 4] = [
        (
            "greatest priority",
            [&[(1_000, 5, 0)], &[(500, 4, 0), (500, 4, 0)]],
        ),
        ("sum", [&[(500, 4, 0), (500, 4, 0)], &[(500, 4, 0), (500, 1, 0)]]),
        // Priorities are lifted by 2^31, so fewer pods are always a lesser sum.
        ("number", [&[(500, 4, 0), (500, -7, 0)], &[(1_000, 4, 0)]]),
        ("start", [&[(1_000, 4, 10)], &[(1_000, 4, 20)]]),
    ];
    for (by, nodes) in cases {
        let mut cluster = cluster(2);
        for (node, victims) in (0..).zip(nodes) {
            for (cpu_millis, priority, at_ms) in victims {
                bind(&mut cluster, node, *cpu_millis, *priority, *at_ms);
            }
        }
        let waiting = cluster.add_pod(&pod(1_000, 100));
        assert_eq!(
            nomination(&mut cluster, waiting).map(|(node, _)| node),
            Some(1),
            "{by}"
        );
    }
}

#[test]
fn a_nominated_node_is_kept_for_the_pod_and_tried_first() {
    let mut cluster = cluster(2);
    let victim = bind(&mut cluster, 0, 1_000, 0, 0);
    bind(&mut cluster, 1, 1_000, 50, 0);
    let waiting = cluster.add_pod(&pod(1_000, 10));
    assert_eq!(nomination(&mut cluster, waiting), Some((0, vec![victim])));
    assert_eq!(cluster.nominated_node(waiting), Some(NodeIndex(0)));
    cluster.remove_pod(victim);
    // Another of the same priority leaves the place alone, one of a greater takes it.
    let equal = cluster.add_pod(&pod(1_000, 10));
    assert_eq!(nomination(&mut cluster, equal), None);
    let greater = cluster.add_pod(&pod(1_000, 11));
    assert!(matches!(
        cluster.attempt(greater, None),
        Attempt::Chosen(Chosen {
            node: NodeIndex(0),
            ..
        })
    ));
    let Attempt::Chosen(chosen) = cluster.attempt(waiting, None) else {
        panic!("the place is free")
    };
    assert_eq!(
        (chosen.node, chosen.looked_at),
        (NodeIndex(0), 1),
        "no other node was looked at"
    );
    cluster.bind(waiting, chosen.node, 5);
    assert_eq!(cluster.nominated_node(waiting), None);
}

#[test]
fn a_greater_nomination_ends_lesser_ones() {
    let mut cluster = cluster(1);
    let victim = bind(&mut cluster, 0, 1_000, 0, 0);
    let lesser = cluster.add_pod(&pod(1_000, 10));
    assert_eq!(nomination(&mut cluster, lesser), Some((0, vec![victim])));
    let greater = cluster.add_pod(&pod(1_000, 20));
    assert_eq!(nomination(&mut cluster, greater), Some((0, vec![victim])));
    assert_eq!(cluster.nominated_node(lesser), None);
    assert_eq!(nomination(&mut cluster, lesser), None, "the place is promised");
}

#[test]
fn an_extender_has_its_say() {
    let ask = |keeps: Option<u32>| {
        move |_: PodIndex, question: Question<'_>| {
            match question {
                Question::Filter { opinions, .. } => opinions.fill(Opinion::Pass),
                Question::Prioritize { .. } => {}
                Question::Preempt { candidates, kept } => {
                    let Some(keeps) = keeps else { return Reply::Failed };
                    for (kept, candidate) in kept.iter_mut().zip(candidates) {
                        *kept = candidate.node.0 == keeps;
                    }
                }
            }
            Reply::Answered
        }
    };
    for (keeps, expected) in [(Some(1), Some(1)), (Some(7), None), (None, None)] {
        let mut cluster = cluster(3);
        (0..3).for_each(|node| {
            bind(&mut cluster, node, 1_000, node as i32, 0);
        });
        let waiting = cluster.add_pod(&pod(1_000, 10));
        let mut extender = ask(keeps);
        let Attempt::Unschedulable(refusal) = cluster.attempt(waiting, Some(&mut extender)) else {
            panic!("all nodes are full")
        };
        assert_eq!(
            refusal.nominated.map(|nomination| nomination.node.0),
            expected,
            "{keeps:?}"
        );
    }
}

/// A node that the extender alone refuses, even where it says that evicting may help, yields no victim.
#[test]
fn evicting_for_an_extender_that_refuses_helps_nobody() {
    let mut cluster = cluster(1);
    bind(&mut cluster, 0, 100, 0, 0);
    let waiting = cluster.add_pod(&pod(100, 10));
    let mut refuse = |_: PodIndex, question: Question<'_>| {
        match question {
            Question::Filter { opinions, .. } => opinions.fill(Opinion::Refused),
            other => panic!("{other:?}"),
        }
        Reply::Answered
    };
    let Attempt::Unschedulable(refusal) = cluster.attempt(waiting, Some(&mut refuse)) else {
        panic!("refused")
    };
    assert_eq!(refusal.nominated, None);
}

/// `SelectVictimsOnNode` with PodTopologySpread and InterPodAffinity: counts follow who leaves.
#[test]
fn rules_about_other_pods_are_judged_without_the_victims() {
    let mut cluster = cluster(1);
    let mut shy = pod(100, 10);
    shy.affinity = serde_saphyr::from_str(
        "{podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [\
         {labelSelector: {matchLabels: {app: loud}}, topologyKey: kubernetes.io/hostname}]}}",
    )
    .unwrap();
    let mut loud = pod(100, 0);
    loud.labels.insert("app".to_owned(), "loud".to_owned());
    let loud = cluster.add_pod(&loud);
    cluster.bind(loud, NodeIndex(0), 0);
    bind(&mut cluster, 0, 100, 0, 0);
    let waiting = cluster.add_pod(&shy);
    assert_eq!(nomination(&mut cluster, waiting), Some((0, vec![loud])));
    cluster.remove_pod(loud);
    assert!(matches!(cluster.attempt(waiting, None), Attempt::Chosen(_)));
}
