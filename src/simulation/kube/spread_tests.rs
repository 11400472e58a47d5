use super::super::spec::{NodeSpec, PodSpec};
use super::super::{
    Attempt, Cluster, Opinion, PodIndex, Profile, Quantity, Question, Rejector, Reply, Weights,
};
use super::*;

const ONLY_SPREAD: Weights = Weights {
    taint_toleration: 0,
    node_affinity: 0,
    pod_topology_spread: 1,
    inter_pod_affinity: 0,
    node_resources_fit: 0,
    balanced_allocation: 0,
};

/// Nodes `r0-n0`, `r0-n1` and so on, each with its name as hostname and its region as zone and region.
fn cluster(regions: &[usize]) -> Cluster {
    let profile = Profile {
        weights: ONLY_SPREAD,
        ..Profile::default()
    };
    let mut cluster = Cluster::new(profile, 1);
    for (region, nodes) in regions.iter().enumerate() {
        for node in 0..*nodes {
            let name = format!("r{region}-n{node}");
            let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
            cluster
                .add_node(NodeSpec {
                    labels: [
                        pair("kubernetes.io/hostname", &name),
                        pair("topology.kubernetes.io/zone", &format!("r{region}")),
                        pair("topology.kubernetes.io/region", &format!("r{region}")),
                    ]
                    .into(),
                    name,
                    allocatable: [("pods".to_owned(), Quantity::whole(110))].into(),
                    taints: Vec::new(),
                    unschedulable: false,
                })
                .unwrap();
        }
    }
    cluster
}

fn pod(extra: &str) -> PodSpec {
    serde_saphyr::from_str(&format!("{{namespace: a, name: p, labels: {{app: web}}{extra}}}")).unwrap()
}

fn place(cluster: &mut Cluster, spec: &PodSpec, nodes: &[&str]) {
    for node in nodes {
        let pod = cluster.add_pod(spec);
        let node = cluster.node(node).unwrap();
        cluster.bind(pod, node, 0);
    }
}

/// The scores of all nodes, by name.
fn scores(cluster: &mut Cluster, spec: &PodSpec) -> Vec<(String, i64)> {
    let pod = cluster.add_pod(spec);
    let mut sample = Vec::new();
    let mut ask = |_: PodIndex, question: Question<'_>| {
        if let Question::Filter { candidates, opinions } = question {
            sample = candidates.to_vec();
            opinions.fill(Opinion::Pass);
        }
        Reply::Answered
    };
    cluster.attempt(pod, Some(&mut ask));
    let scores = cluster.scratch.scores.clone();
    let mut all: Vec<_> = sample
        .into_iter()
        .map(|node| cluster.node_spec(node).name.clone())
        .zip(scores)
        .collect();
    all.sort();
    all
}

/// `scoreForCount`, `topologyNormalizingWeight`, `NormalizeScore`, three nodes in two zones, two pods on r0-n0.
/// By hostname: ln(3 + 2) = 1.609, skew 3 adds 2: 5.219, 2, 2. By zone: ln(2 + 2) = 1.386, skew 5 adds 4:
/// 6.773, 6.773, 4. Sums, rounded: 12, 9, 6. 100 * (12 + 6 - raw) / 12: 50, 75, 100.
#[test]
fn defaults_of_the_system_pull_pods_of_a_service_apart() {
    let mut cluster = cluster(&[2, 1]);
    let web = pod(", defaultSpreadSelector: {matchLabels: {app: web}}");
    place(&mut cluster, &web, &["r0-n0", "r0-n0"]);
    let expected = [("r0-n0", 50), ("r0-n1", 75), ("r1-n0", 100)];
    assert_eq!(
        scores(&mut cluster, &web),
        expected.map(|(name, score)| (name.to_owned(), score))
    );
    // A pod of no service has no default constraint, and the plugin adds nothing.
    let plain = scores(&mut cluster, &pod(""));
    assert!(plain.iter().all(|(_, score)| *score == 0), "{plain:?}");
}

/// A wish of its own by zone, skew 1: ln(2 + 2) * 2 = 2.77, rounded 3, against 0: 100 * (3 + 0 - raw) / 3.
#[test]
fn a_node_without_the_label_of_a_wish_scores_nothing() {
    let mut cluster = cluster(&[1, 1, 1]);
    let wish = pod(
        ", topologySpreadConstraints: [{maxSkew: 1, topologyKey: topology.kubernetes.io/zone, \
         whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: web}}}]",
    );
    place(&mut cluster, &wish, &["r0-n0", "r0-n0"]);
    let bare = cluster.node("r2-n0").unwrap();
    cluster.set_labels(bare, Default::default());
    let expected = [("r0-n0", 0), ("r1-n0", 100), ("r2-n0", 0)];
    assert_eq!(
        scores(&mut cluster, &wish),
        expected.map(|(name, score)| (name.to_owned(), score))
    );
}

fn rule(extra: &str) -> PodSpec {
    pod(&format!(
        ", topologySpreadConstraints: [{{maxSkew: 1, topologyKey: topology.kubernetes.io/region, \
         whenUnsatisfiable: DoNotSchedule, labelSelector: {{matchLabels: {{app: web}}}}{extra}}}]"
    ))
}

/// Binds so many pods one after another; how many could be.
fn bind_all(cluster: &mut Cluster, spec: &PodSpec, pods: usize, permitted: &[&str]) -> usize {
    let mut bound = 0;
    for _ in 0..pods {
        let pod = cluster.add_pod(spec);
        let names: Vec<_> = permitted.iter().map(|name| cluster.node(name).unwrap()).collect();
        let mut ask = |_: PodIndex, question: Question<'_>| {
            if let Question::Filter { candidates, opinions } = question {
                for (opinion, node) in opinions.iter_mut().zip(candidates) {
                    if names.contains(node) {
                        *opinion = Opinion::Pass;
                    }
                }
            }
            Reply::Answered
        };
        match cluster.attempt(pod, Some(&mut ask)) {
            Attempt::Chosen(chosen) => {
                cluster.bind(pod, chosen.node, 0);
                bound += 1;
            }
            Attempt::Unschedulable(refusal) => {
                assert_eq!(
                    refusal.causes.of(Rejector::PodTopologySpread),
                    2,
                    "both permitted regions"
                );
                assert_eq!(refusal.causes.of(Rejector::Extender), 8, "and all others");
            }
            failed => panic!("{failed:?}"),
        }
    }
    bound
}

/// The deadlock: ten regions, two of which the extender permits, a rule of skew 1. The eight that are refused count as
/// empty domains, so two of four pods are bound (observed on a real scheduler). Where node affinity tells the
/// scheduler of the two regions, all four are.
#[test]
fn a_rule_of_spread_deadlocks_with_an_extender_that_refuses_domains() {
    let permitted = ["r3-n0", "r7-n0"];
    let mut blind = cluster(&[1; 10]);
    assert_eq!(bind_all(&mut blind, &rule(""), 4, &permitted), 2);
    let mut told = rule("");
    told.affinity = serde_saphyr::from_str(
        "{nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [\
         {key: topology.kubernetes.io/region, operator: In, values: [r3, r7]}]}]}}}",
    )
    .unwrap();
    let mut aware = cluster(&[1; 10]);
    assert_eq!(bind_all(&mut aware, &told, 4, &permitted), 4);
}

/// `minMatchNum`: with fewer domains than `minDomains` the least count is 0.
#[test]
fn too_few_domains_make_the_least_count_nothing() {
    for (extra, bound) in [("", 4), (", minDomains: 2", 4), (", minDomains: 3", 2)] {
        let mut cluster = cluster(&[1, 1]);
        let spec = rule(extra);
        let mut count = 0;
        for _ in 0..4 {
            let pod = cluster.add_pod(&spec);
            if let Attempt::Chosen(chosen) = cluster.attempt(pod, None) {
                cluster.bind(pod, chosen.node, 0);
                count += 1;
            }
        }
        assert_eq!(count, bound, "{extra}");
    }
}

#[test]
fn a_limit_is_skew_and_least_count_less_the_pod_itself() {
    let mut cluster = cluster(&[1, 1]);
    let other: PodSpec = serde_saphyr::from_str("{namespace: a, name: o, labels: {app: web}}").unwrap();
    let spec = rule("");
    let pod = cluster.add_pod(&spec);
    place(&mut cluster, &other, &["r0-n0", "r0-n0", "r1-n0"]);
    let mut scratch = SpreadScratch::default();
    let near = cluster.classes[cluster.class_of(pod)].near.clone();
    scratch.prepare(&near, &cluster.counters);
    // 1 + 1 - 1: a domain may have one at most.
    assert_eq!(scratch.limits, [1]);
    assert_eq!(
        scratch.turns_away(&near, &cluster.counters, 0),
        Some(TooSkewed::Skew)
    );
    assert_eq!(scratch.turns_away(&near, &cluster.counters, 1), None);
}
