//! Spread and affinity against a second implementation, which walks over all pods with maps as the Go code does.

use std::collections::{BTreeMap, BTreeSet};

use rand::{Rng, RngExt as _};
use rand_pcg::Pcg64;

use super::super::spec::{
    LabelSelector, LabelSelectorOperator, LabelSelectorRequirement, Labels, NodeInclusionPolicy, NodeSpec,
    PodAffinityTerm, PodSpec, Taint, TaintEffect, TopologySpreadConstraint, UnsatisfiableConstraintAction,
};
use super::super::{
    Attempt, Causes, Cluster, NodeIndex, Opinion, PodIndex, Profile, Quantity, Question, Rejector, Reply,
    Weights,
};

/// The cluster as a list: nodes with their pods.
type World = Vec<(NodeSpec, Vec<PodSpec>)>;

fn selects(selector: Option<&LabelSelector>, labels: &Labels) -> bool {
    let Some(selector) = selector else { return false };
    let pairs = selector
        .match_labels
        .iter()
        .all(|(key, value)| labels.get(key) == Some(value));
    pairs
        && selector.match_expressions.iter().all(|requirement| {
            let value = labels.get(&requirement.key);
            match requirement.operator {
                LabelSelectorOperator::In => value.is_some_and(|value| requirement.values.contains(value)),
                LabelSelectorOperator::NotIn => {
                    !value.is_some_and(|value| requirement.values.contains(value))
                }
                LabelSelectorOperator::Exists => value.is_some(),
                LabelSelectorOperator::DoesNotExist => value.is_none(),
            }
        })
}

fn is_empty(selector: &LabelSelector) -> bool {
    selector.match_labels.is_empty() && selector.match_expressions.is_empty()
}

/// A constraint with the selector that counts.
fn constraints(pod: &PodSpec, action: UnsatisfiableConstraintAction) -> Vec<TopologySpreadConstraint> {
    let mut list = pod.topology_spread_constraints.clone();
    if list.is_empty() {
        let Some(selector) = pod
            .default_spread_selector
            .as_ref()
            .filter(|selector| !is_empty(selector))
        else {
            return list;
        };
        for (key, max_skew) in [("kubernetes.io/hostname", 3), ("topology.kubernetes.io/zone", 5)] {
            list.push(TopologySpreadConstraint {
                max_skew,
                topology_key: key.to_owned(),
                when_unsatisfiable: UnsatisfiableConstraintAction::ScheduleAnyway,
                label_selector: Some(selector.clone()),
                min_domains: None,
                node_affinity_policy: None,
                node_taints_policy: None,
                match_label_keys: Vec::new(),
            });
        }
    }
    list.retain(|constraint| constraint.when_unsatisfiable == action);
    for constraint in &mut list {
        for key in &constraint.match_label_keys {
            if let (Some(selector), Some(value)) = (&mut constraint.label_selector, pod.labels.get(key)) {
                selector.match_expressions.push(LabelSelectorRequirement {
                    key: key.clone(),
                    operator: LabelSelectorOperator::In,
                    values: vec![value.clone()],
                });
            }
        }
    }
    list
}

fn count(pods: &[PodSpec], selector: Option<&LabelSelector>, namespace: &str) -> i64 {
    if selector.is_some_and(is_empty) {
        return 0;
    }
    let counted = |pod: &&PodSpec| pod.namespace == namespace && selects(selector, &pod.labels);
    pods.iter().filter(counted).count() as i64
}

fn is_tainted_for(node: &NodeSpec, pod: &PodSpec) -> bool {
    let hard = node
        .taints
        .iter()
        .filter(|taint| taint.effect != TaintEffect::PreferNoSchedule);
    let tolerated = |taint: &Taint| {
        pod.tolerations
            .iter()
            .any(|toleration| toleration.key == taint.key)
    };
    hard.into_iter().any(|taint| !tolerated(taint))
}

fn is_selected(node: &NodeSpec, pod: &PodSpec) -> bool {
    pod.node_selector
        .iter()
        .all(|(key, value)| node.labels.get(key) == Some(value))
}

fn is_included(constraint: &TopologySpreadConstraint, node: &NodeSpec, pod: &PodSpec) -> bool {
    let honor = Some(NodeInclusionPolicy::Honor);
    (constraint.node_affinity_policy == Some(NodeInclusionPolicy::Ignore) || is_selected(node, pod))
        && (constraint.node_taints_policy != honor || !is_tainted_for(node, pod))
}

fn has_all(node: &NodeSpec, list: &[TopologySpreadConstraint]) -> bool {
    list.iter()
        .all(|constraint| node.labels.contains_key(&constraint.topology_key))
}

/// Whether the rules of spread pass a node.
fn spread_passes(world: &World, pod: &PodSpec, at: usize) -> bool {
    let list = constraints(pod, UnsatisfiableConstraintAction::DoNotSchedule);
    let node = &world[at].0;
    list.iter().all(|constraint| {
        let mut counts: BTreeMap<&String, i64> = BTreeMap::new();
        for (other, pods) in world {
            if has_all(other, &list) && is_included(constraint, other, pod) {
                let value = &other.labels[&constraint.topology_key];
                *counts.entry(value).or_default() +=
                    count(pods, constraint.label_selector.as_ref(), &pod.namespace);
            }
        }
        let Some(value) = node.labels.get(&constraint.topology_key) else {
            return false;
        };
        let few = (counts.len() as i64) < i64::from(constraint.min_domains.unwrap_or(1));
        let least = if few {
            0
        } else {
            counts.values().copied().min().unwrap_or(0)
        };
        let itself = i64::from(selects(constraint.label_selector.as_ref(), &pod.labels));
        counts.get(value).copied().unwrap_or(0) + itself - least <= i64::from(constraint.max_skew)
    })
}

/// What the wishes of spread make of feasible nodes.
fn spread_scores(world: &World, pod: &PodSpec, feasible: &[usize]) -> Vec<i64> {
    let list = constraints(pod, UnsatisfiableConstraintAction::ScheduleAnyway);
    let needs_all = !pod.topology_spread_constraints.is_empty();
    if list.is_empty() {
        return vec![0; feasible.len()];
    }
    let is_ignored = |node: &NodeSpec| needs_all && !has_all(node, &list);
    let kept: Vec<usize> = feasible
        .iter()
        .copied()
        .filter(|at| !is_ignored(&world[*at].0))
        .collect();
    let per_node =
        |constraint: &TopologySpreadConstraint| constraint.topology_key == "kubernetes.io/hostname";
    let empty = String::new();
    let value = |constraint: &TopologySpreadConstraint, at: usize| {
        world[at]
            .0
            .labels
            .get(&constraint.topology_key)
            .unwrap_or(&empty)
            .clone()
    };
    let mut raw: Vec<Option<i64>> = Vec::new();
    for at in feasible {
        if is_ignored(&world[*at].0) {
            raw.push(None);
            continue;
        }
        let mut sum = 0.0;
        for constraint in &list {
            let domains: BTreeSet<String> = kept.iter().map(|at| value(constraint, *at)).collect();
            let size = if per_node(constraint) {
                kept.len()
            } else {
                domains.len()
            };
            if !world[*at].0.labels.contains_key(&constraint.topology_key) {
                continue;
            }
            let selector = constraint.label_selector.as_ref();
            let pods: i64 = if per_node(constraint) {
                count(&world[*at].1, selector, &pod.namespace)
            } else {
                (0..world.len())
                    .filter(|other| value(constraint, *other) == value(constraint, *at))
                    .filter(|other| !is_ignored(&world[*other].0))
                    .filter(|other| is_included(constraint, &world[*other].0, pod))
                    .map(|other| count(&world[other].1, selector, &pod.namespace))
                    .sum()
            };
            sum += pods as f64 * ((size + 2) as f64).ln() + f64::from(constraint.max_skew - 1);
        }
        raw.push(Some(sum.round() as i64));
    }
    let least = raw.iter().flatten().copied().min().unwrap_or(0);
    let most = raw.iter().flatten().copied().max().unwrap_or(0);
    raw.into_iter()
        .map(|raw| match raw {
            None => 0,
            Some(_) if most == 0 => 100,
            Some(raw) => 100 * (most + least - raw) / most,
        })
        .collect()
}

fn term_takes(
    owner: &PodSpec,
    term: &PodAffinityTerm,
    pod: &PodSpec,
    namespaces: &BTreeMap<String, Labels>,
) -> bool {
    let is_own =
        term.namespaces.is_empty() && term.namespace_selector.is_none() && pod.namespace == owner.namespace;
    let is_there = is_own
        || term.namespaces.contains(&pod.namespace)
        || selects(term.namespace_selector.as_ref(), &namespaces[&pod.namespace]);
    let keys = |keys: &[String], wanted: bool| {
        keys.iter()
            .filter_map(|key| Some((key, owner.labels.get(key)?)))
            .all(|(key, value)| (pod.labels.get(key) == Some(value)) == wanted)
    };
    is_there
        && selects(term.label_selector.as_ref(), &pod.labels)
        && keys(&term.match_label_keys, true)
        && keys(&term.mismatch_label_keys, false)
}

fn required(pod: &PodSpec, near: bool) -> Vec<PodAffinityTerm> {
    let affinity = pod.affinity.clone().unwrap_or_default();
    let all = if near {
        affinity.pod_affinity
    } else {
        affinity.pod_anti_affinity
    };
    all.unwrap_or_default().required
}

fn preferred(pod: &PodSpec) -> Vec<(i64, PodAffinityTerm)> {
    let affinity = pod.affinity.clone().unwrap_or_default();
    let mut all = Vec::new();
    for (stated, sign) in [(affinity.pod_affinity, 1), (affinity.pod_anti_affinity, -1)] {
        for wish in stated.unwrap_or_default().preferred {
            all.push((sign * i64::from(wish.weight), wish.pod_affinity_term));
        }
    }
    all
}

fn affinity_passes(world: &World, pod: &PodSpec, at: usize, namespaces: &BTreeMap<String, Labels>) -> bool {
    let node = &world[at].0;
    let near = required(pod, true);
    let meets_all = |other: &PodSpec| near.iter().all(|term| term_takes(pod, term, other, namespaces));
    let shares = |other: &NodeSpec, key: &str| {
        let value = node.labels.get(key);
        value.is_some() && other.labels.get(key) == value
    };
    let there = |key: &str, wanted: &dyn Fn(&PodSpec) -> bool| {
        (world.iter()).any(|(other, pods)| shares(other, key) && pods.iter().any(wanted))
    };
    if !near
        .iter()
        .all(|term| node.labels.contains_key(&term.topology_key))
    {
        return false;
    }
    if !near.iter().all(|term| there(&term.topology_key, &meets_all)) {
        let anywhere = world.iter().any(|(other, pods)| {
            let is_labelled = near
                .iter()
                .any(|term| other.labels.contains_key(&term.topology_key));
            is_labelled && pods.iter().any(meets_all)
        });
        if anywhere || !meets_all(pod) {
            return false;
        }
    }
    let away = required(pod, false);
    let unwanted = |term: &PodAffinityTerm| {
        there(&term.topology_key, &|other| {
            term_takes(pod, term, other, namespaces)
        })
    };
    if away.iter().any(unwanted) {
        return false;
    }
    !world.iter().any(|(other, pods)| {
        pods.iter().any(|running| {
            let refuses = |term: &PodAffinityTerm| {
                shares(other, &term.topology_key) && term_takes(running, term, pod, namespaces)
            };
            required(running, false).iter().any(refuses)
        })
    })
}

fn affinity_scores(
    world: &World,
    pod: &PodSpec,
    feasible: &[usize],
    namespaces: &BTreeMap<String, Labels>,
) -> Vec<i64> {
    let mut of_pairs: BTreeMap<(String, String), i64> = BTreeMap::new();
    for (node, pods) in world {
        for running in pods {
            let mut terms: Vec<(i64, PodAffinityTerm)> = preferred(pod)
                .into_iter()
                .filter(|(_, term)| term_takes(pod, term, running, namespaces))
                .collect();
            let promised = required(running, true).into_iter().map(|term| (1, term));
            let theirs = preferred(running).into_iter().chain(promised);
            terms.extend(theirs.filter(|(_, term)| term_takes(running, term, pod, namespaces)));
            for (weight, term) in terms {
                if let Some(value) = node.labels.get(&term.topology_key) {
                    *of_pairs
                        .entry((term.topology_key.clone(), value.clone()))
                        .or_default() += weight;
                }
            }
        }
    }
    let raw: Vec<i64> = feasible
        .iter()
        .map(|at| {
            let labels = world[*at].0.labels.iter();
            labels
                .map(|(key, value)| of_pairs.get(&(key.clone(), value.clone())).unwrap_or(&0))
                .sum()
        })
        .collect();
    let least = raw.iter().copied().min().unwrap_or(0);
    let difference = raw.iter().copied().max().unwrap_or(0) - least;
    raw.into_iter()
        .map(|raw| {
            if difference == 0 {
                return 0;
            }
            (100.0 * ((raw - least) as f64 / difference as f64)) as i64
        })
        .collect()
}

/// One of the choices.
fn one<'a>(random: &mut impl Rng, of: &[&'a str]) -> &'a str {
    of[random.random_range(0..of.len())]
}

fn random_node(random: &mut impl Rng, name: usize) -> NodeSpec {
    let mut labels = Labels::from([("kubernetes.io/hostname".to_owned(), format!("n{name}"))]);
    for (key, values) in [
        ("topology.kubernetes.io/zone", &["z1", "z2", "z3", ""][..]),
        ("rack", &["r1", "r2", ""]),
        ("disk", &["ssd", "ssd", ""]),
    ] {
        let value = one(random, values);
        if !value.is_empty() {
            labels.insert(key.to_owned(), value.to_owned());
        }
    }
    NodeSpec {
        name: format!("n{name}"),
        labels,
        allocatable: [("pods".to_owned(), Quantity::whole(1_000))].into(),
        taints: random_taints(random),
        unschedulable: false,
    }
}

fn random_taints(random: &mut impl Rng) -> Vec<Taint> {
    if random.random_ratio(3, 4) {
        return Vec::new();
    }
    vec![Taint {
        key: "t".to_owned(),
        value: String::new(),
        effect: TaintEffect::NoSchedule,
    }]
}

fn random_selector(random: &mut impl Rng) -> &'static str {
    one(
        random,
        &[
            "{matchLabels: {app: x}}",
            "{matchLabels: {app: y}}",
            "{matchExpressions: [{key: app, operator: In, values: [x, y]}]}",
            "{matchExpressions: [{key: app, operator: NotIn, values: [x]}]}",
            "{matchExpressions: [{key: v, operator: DoesNotExist}]}",
            "{}",
        ],
    )
}

fn random_term(random: &mut impl Rng) -> String {
    format!(
        "{{labelSelector: {}, topologyKey: {}{}{}}}",
        random_selector(random),
        one(
            random,
            &["kubernetes.io/hostname", "topology.kubernetes.io/zone", "rack"]
        ),
        one(
            random,
            &[
                "",
                "",
                ", namespaces: [b]",
                ", namespaceSelector: {}",
                ", namespaceSelector: {matchLabels: {team: one}}"
            ]
        ),
        one(
            random,
            &["", "", ", matchLabelKeys: [v]", ", mismatchLabelKeys: [v]"]
        ),
    )
}

fn random_pod(random: &mut impl Rng) -> PodSpec {
    let mut fields = vec![
        format!("namespace: {}", one(random, &["a", "a", "b"])),
        "name: p".to_owned(),
        format!(
            "labels: {{app: {}{}}}",
            one(random, &["x", "y", "z"]),
            one(random, &["", ", v: '1'", ", v: '2'"])
        ),
        one(
            random,
            &[
                "nodeSelector: {disk: ssd}",
                "nodeSelector: {}",
                "nodeSelector: {}",
            ],
        )
        .to_owned(),
        one(
            random,
            &["tolerations: [{key: t, operator: Exists}]", "tolerations: []"],
        )
        .to_owned(),
    ];
    if random.random_ratio(1, 3) {
        fields.push(format!("defaultSpreadSelector: {}", random_selector(random)));
    }
    let spread: Vec<String> = (0..random.random_range(0..3))
        .map(|_| {
            let is_hard = random.random_ratio(1, 2);
            format!(
                "{{maxSkew: {}, topologyKey: {}, whenUnsatisfiable: {}, labelSelector: {}{}{}{}{}}}",
                random.random_range(1..3),
                one(
                    random,
                    &["kubernetes.io/hostname", "topology.kubernetes.io/zone", "rack"]
                ),
                if is_hard {
                    "DoNotSchedule"
                } else {
                    "ScheduleAnyway"
                },
                random_selector(random),
                if is_hard {
                    one(random, &["", "", ", minDomains: 3"])
                } else {
                    ""
                },
                one(
                    random,
                    &["", ", nodeAffinityPolicy: Ignore", ", nodeAffinityPolicy: Honor"]
                ),
                one(
                    random,
                    &["", ", nodeTaintsPolicy: Ignore", ", nodeTaintsPolicy: Honor"]
                ),
                one(random, &["", "", ", matchLabelKeys: [v, none]"]),
            )
        })
        .collect();
    fields.push(format!("topologySpreadConstraints: [{}]", spread.join(", ")));
    let mut lists = Vec::new();
    for kind in ["podAffinity", "podAntiAffinity"] {
        let rare = random.random_range(0..4);
        let required: Vec<String> = (0..usize::from(rare == 0) * 2)
            .map(|_| random_term(random))
            .collect();
        let preferred: Vec<String> = (0..usize::from(rare == 1) * 2)
            .map(|_| {
                format!(
                    "{{weight: {}, podAffinityTerm: {}}}",
                    random.random_range(1..100),
                    random_term(random)
                )
            })
            .collect();
        lists.push(format!(
            "{kind}: {{requiredDuringSchedulingIgnoredDuringExecution: [{}], \
             preferredDuringSchedulingIgnoredDuringExecution: [{}]}}",
            required.join(", "),
            preferred.join(", ")
        ));
    }
    fields.push(format!("affinity: {{{}}}", lists.join(", ")));
    let text = format!("{{{}}}", fields.join(", "));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Feasible nodes, by their index, and what the attempt says.
fn attempt(cluster: &mut Cluster, pod: PodIndex) -> (Vec<usize>, Vec<i64>, Causes) {
    let mut sample = Vec::new();
    let mut ask = |_: PodIndex, question: Question<'_>| {
        if let Question::Filter { candidates, opinions } = question {
            sample = candidates.to_vec();
            opinions.fill(Opinion::Pass);
        }
        Reply::Answered
    };
    let causes = match cluster.attempt(pod, Some(&mut ask)) {
        Attempt::Unschedulable(refusal) => refusal.causes,
        _ => Causes::default(),
    };
    let scores = if sample.len() > 1 {
        cluster.scratch.scores.clone()
    } else {
        Vec::new()
    };
    (sample.into_iter().map(NodeIndex::get).collect(), scores, causes)
}

/// Nodes, pods, labels and taints come and go in a random order; after each step a pod is tried.
#[test]
fn counters_agree_with_a_walk_over_all_pods() {
    let mut scored = 0;
    let mut turned_away = [0; 2];
    for seed in 0..60_u64 {
        let mut random = Pcg64::new(u128::from(seed), 1);
        let mut cluster = Cluster::new(
            Profile {
                weights: Weights {
                    taint_toleration: 0,
                    node_affinity: 0,
                    node_resources_fit: 0,
                    balanced_allocation: 0,
                    pod_topology_spread: 1_000,
                    inter_pod_affinity: 1,
                },
                ..Profile::default()
            },
            seed,
        );
        let mut namespaces: BTreeMap<String, Labels> =
            ["a", "b"].map(|name| (name.to_owned(), Labels::new())).into();
        let mut specs: Vec<PodSpec> = (0..6).map(|_| random_pod(&mut random)).collect();
        // What the cluster should hold: nodes by index, pods with their nodes.
        let mut nodes: BTreeMap<usize, NodeSpec> = BTreeMap::new();
        let mut bound: Vec<(PodIndex, PodSpec, usize)> = Vec::new();
        for step in 0..80 {
            let at = |random: &mut Pcg64, nodes: &BTreeMap<usize, NodeSpec>| {
                nodes
                    .keys()
                    .copied()
                    .nth(random.random_range(0..nodes.len().max(1)))
            };
            match random.random_range(0..12) {
                _ if nodes.len() < 4 => {
                    let node = random_node(&mut random, step);
                    let index = cluster.add_node(node.clone()).unwrap();
                    nodes.insert(index.get(), node);
                }
                0 if nodes.len() > 5 => {
                    let gone = at(&mut random, &nodes).unwrap();
                    cluster.remove_node(NodeIndex(gone as u32));
                    nodes.remove(&gone);
                    bound.retain(|(_, _, node)| *node != gone);
                }
                1 => {
                    let node = random_node(&mut random, step);
                    let index = cluster.add_node(node.clone()).unwrap();
                    nodes.insert(index.get(), node);
                }
                2 => {
                    let changed = at(&mut random, &nodes).unwrap();
                    let labels = random_node(&mut random, changed).labels;
                    cluster.set_labels(NodeIndex(changed as u32), labels.clone());
                    nodes.get_mut(&changed).unwrap().labels = labels;
                }
                3 => {
                    let changed = at(&mut random, &nodes).unwrap();
                    let taints = random_taints(&mut random);
                    cluster.set_taints(NodeIndex(changed as u32), taints.clone());
                    nodes.get_mut(&changed).unwrap().taints = taints;
                }
                4 if !bound.is_empty() => {
                    let (gone, ..) = bound.swap_remove(random.random_range(0..bound.len()));
                    cluster.unbind(gone);
                }
                5 => specs.push(random_pod(&mut random)),
                6 if step > 40 => {
                    let labels = Labels::from([("team".to_owned(), "one".to_owned())]);
                    cluster.set_namespace("b", labels.clone());
                    namespaces.insert("b".to_owned(), labels);
                }
                _ => {
                    let spec = specs[random.random_range(0..specs.len())].clone();
                    let node = at(&mut random, &nodes).unwrap();
                    let pod = cluster.add_pod(&spec);
                    cluster.bind(pod, NodeIndex(node as u32), step as u64);
                    bound.push((pod, spec, node));
                }
            }
            let indices: Vec<usize> = nodes.keys().copied().collect();
            let pods_of = |index: usize| {
                let there = bound.iter().filter(move |(_, _, node)| *node == index);
                there.map(|(_, spec, _)| spec.clone()).collect()
            };
            let world: World = (nodes.iter())
                .map(|(index, node)| (node.clone(), pods_of(*index)))
                .collect();
            let spec = &specs[random.random_range(0..specs.len())];
            let pod = cluster.add_pod(spec);
            let (feasible, scores, causes) = attempt(&mut cluster, pod);
            let place = |index: &usize| indices.iter().position(|known| known == index).unwrap();
            let feasible: Vec<usize> = feasible.iter().map(place).collect();
            let by_node =
                |at: &usize| !is_tainted_for(&world[*at].0, spec) && is_selected(&world[*at].0, spec);
            let mut expected: Vec<usize> = (0..world.len()).filter(by_node).collect();
            turned_away[0] += expected
                .iter()
                .filter(|at| !spread_passes(&world, spec, **at))
                .count();
            expected.retain(|at| spread_passes(&world, spec, *at));
            let before = expected.len();
            expected.retain(|at| affinity_passes(&world, spec, *at, &namespaces));
            turned_away[1] += before - expected.len();
            let sorted: BTreeSet<usize> = feasible.iter().copied().collect();
            assert_eq!(
                sorted,
                expected.into_iter().collect(),
                "seed {seed} step {step}: {spec:?}\n{world:#?}"
            );
            if feasible.is_empty() {
                let by_company = causes.of(Rejector::InterPodAffinity) as usize;
                assert_eq!(by_company, before, "seed {seed} step {step}");
            }
            if feasible.len() > 1 {
                let spread = spread_scores(&world, spec, &feasible);
                let company = affinity_scores(&world, spec, &feasible, &namespaces);
                let sums: Vec<i64> = spread
                    .iter()
                    .zip(&company)
                    .map(|(spread, company)| 1_000 * spread + company)
                    .collect();
                assert_eq!(scores, sums, "seed {seed} step {step}: {spec:?}\n{world:#?}");
                scored += usize::from(company.iter().any(|score| *score > 0));
            }
            cluster.remove_pod(pod);
        }
    }
    assert!(
        scored > 200 && turned_away.iter().all(|count| *count > 500),
        "{scored} {turned_away:?}"
    );
}
