use super::super::spec::TolerationOperator;
use super::*;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn node(name: &str, pairs: &[(&str, &str)]) -> NodeSpec {
    NodeSpec {
        name: name.to_owned(),
        labels: labels(pairs),
        allocatable: Default::default(),
        taints: Vec::new(),
        unschedulable: false,
    }
}

fn requirement(key: &str, operator: NodeSelectorOperator, values: &[&str]) -> NodeSelectorRequirement {
    NodeSelectorRequirement {
        key: key.to_owned(),
        operator,
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

fn selector(yaml: &str) -> LabelSelector {
    serde_saphyr::from_str(yaml).unwrap()
}

#[test]
fn selections_of_labels() {
    let web = labels(&[("app", "web"), ("tier", "1")]);
    for (yaml, takes) in [
        ("{}", true),
        ("matchLabels: {app: web}", true),
        ("matchLabels: {app: web, tier: '2'}", false),
        (
            "matchExpressions: [{key: app, operator: In, values: [api, web]}]",
            true,
        ),
        (
            "matchExpressions: [{key: app, operator: NotIn, values: [api]}]",
            true,
        ),
        (
            "matchExpressions: [{key: none, operator: NotIn, values: [api]}]",
            true,
        ),
        (
            "matchExpressions: [{key: app, operator: NotIn, values: [web]}]",
            false,
        ),
        ("matchExpressions: [{key: tier, operator: Exists}]", true),
        ("matchExpressions: [{key: tier, operator: DoesNotExist}]", false),
    ] {
        assert_eq!(Selection::of(Some(&selector(yaml))).takes(&web), takes, "{yaml}");
    }
    assert!(!Selection::of(None).takes(&web), "no selector takes nothing");
    assert!(Selection::of(Some(&LabelSelector::default())).is_everything());
    assert!(!Selection::of(None).is_everything());
    let one = selector("matchLabels: {app: web, tier: '1'}");
    let two = selector(
        "matchExpressions: [{key: tier, operator: In, values: ['1']}, {key: app, operator: In, values: [web]}]",
    );
    assert_eq!(Selection::of(Some(&one)), Selection::of(Some(&two)), "one form");
}

/// `mergeLabelSetWithSelector`: keys that the pod has not add nothing; what takes nothing takes nothing still.
#[test]
fn keys_of_the_pod_narrow_a_selection() {
    let pod = labels(&[("app", "web"), ("version", "7")]);
    let keys = ["version".to_owned(), "none".to_owned()];
    let base = Selection::of(Some(&selector("matchLabels: {app: web}")));
    let same = base.clone().with_keys(&pod, &keys, &[]);
    assert!(same.takes(&pod) && !same.takes(&labels(&[("app", "web"), ("version", "8")])));
    let other = base.with_keys(&pod, &[], &keys);
    assert!(!other.takes(&pod) && other.takes(&labels(&[("app", "web"), ("version", "8")])));
    assert!(!Selection::of(None).with_keys(&pod, &keys, &[]).takes(&pod));
}

#[test]
fn every_operator_on_nodes() {
    use NodeSelectorOperator::{DoesNotExist, Exists, Gt, In, Lt, NotIn};
    let big = node("n1", &[("cores", "16"), ("zone", "a"), ("word", "x")]);
    for (key, operator, values, matches) in [
        ("zone", In, &["a", "b"][..], true),
        ("zone", In, &["b"], false),
        ("none", In, &["a"], false),
        ("zone", NotIn, &["b"], true),
        ("none", NotIn, &["b"], true),
        ("zone", NotIn, &["a"], false),
        ("zone", Exists, &[], true),
        ("none", Exists, &[], false),
        ("none", DoesNotExist, &[], true),
        ("cores", Gt, &["8"], true),
        ("cores", Gt, &["16"], false),
        ("cores", Lt, &["17"], true),
        ("word", Lt, &["17"], false),
        ("none", Gt, &["1"], false),
        ("cores", Gt, &["8", "9"], false),
    ] {
        let term = NodeSelectorTerm {
            match_expressions: vec![requirement(key, operator, values)],
            match_fields: Vec::new(),
        };
        assert_eq!(
            term_matches(&term, &big),
            matches,
            "{key} {operator:?} {values:?}"
        );
    }
    for (operator, values, matches) in [
        (In, &["n1"][..], true),
        (In, &["n2"], false),
        (NotIn, &["n2"], true),
        (In, &["n1", "n2"], false),
        (Exists, &[], false),
    ] {
        let term = NodeSelectorTerm {
            match_expressions: Vec::new(),
            match_fields: vec![requirement(NAME_FIELD, operator, values)],
        };
        assert_eq!(term_matches(&term, &big), matches, "name {operator:?} {values:?}");
    }
    assert!(
        !term_matches(&NodeSelectorTerm::default(), &big),
        "an empty term matches no node"
    );
}

#[test]
fn required_terms_are_any_and_the_node_selector_is_all() {
    let rules: NodeRules = NodeRules::of(
        &serde_saphyr::from_str(
            "{namespace: a, name: b, nodeSelector: {disk: ssd}, affinity: {nodeAffinity: {\
             requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [\
             {matchExpressions: [{key: zone, operator: In, values: [a]}]}, \
             {matchExpressions: [{key: zone, operator: In, values: [b]}, {key: gpu, operator: Exists}]}]}, \
             preferredDuringSchedulingIgnoredDuringExecution: [\
             {weight: 10, preference: {matchExpressions: [{key: zone, operator: In, values: [a]}]}}, \
             {weight: 3, preference: {matchExpressions: [{key: disk, operator: Exists}]}}, \
             {weight: 50, preference: {}}]}}}",
        )
        .unwrap(),
    );
    for (pairs, matches, preference) in [
        (&[("disk", "ssd"), ("zone", "a")][..], true, 13),
        (&[("disk", "ssd"), ("zone", "b")], false, 3),
        (&[("disk", "ssd"), ("zone", "b"), ("gpu", "")], true, 3),
        (&[("zone", "a")], false, 10),
    ] {
        let node = node("n", pairs);
        assert_eq!(rules.required_match(&node), matches, "{pairs:?}");
        assert_eq!(rules.preference(&node), preference, "{pairs:?}");
    }
    assert_eq!(rules.named_nodes(), None);
}

#[test]
fn terms_that_all_name_nodes_name_the_only_ones() {
    let fields = |lists: &[&[&str]]| NodeSelectorTerm {
        match_expressions: Vec::new(),
        match_fields: lists
            .iter()
            .map(|values| requirement(NAME_FIELD, NodeSelectorOperator::In, values))
            .collect(),
    };
    let named = |terms: Vec<NodeSelectorTerm>| {
        let rules = NodeRules {
            required: Some(NodeSelector {
                node_selector_terms: terms,
            }),
            ..NodeRules::default()
        };
        rules
            .named_nodes()
            .map(|names| names.into_iter().map(str::to_owned).collect::<Vec<_>>())
    };
    assert_eq!(
        named(vec![fields(&[&["b"]]), fields(&[&["a"]])]),
        Some(vec!["a".to_owned(), "b".to_owned()])
    );
    assert_eq!(
        named(vec![fields(&[&["b"], &["a"]])]),
        Some(Vec::new()),
        "a conflict"
    );
    assert_eq!(named(vec![fields(&[&["b"]]), NodeSelectorTerm::default()]), None);
    assert_eq!(named(Vec::new()), None);
}

#[test]
fn taints_and_what_tolerates_them() {
    use TaintEffect::{NoExecute, NoSchedule, PreferNoSchedule};
    let toleration = |key: &str, operator, value: &str, effect| Toleration {
        key: key.to_owned(),
        operator,
        value: value.to_owned(),
        effect,
        toleration_seconds: None,
    };
    let mut tainted = node("n", &[]);
    let mut taint = |key: &str, value: &str, effect| {
        tainted.taints.push(Taint {
            key: key.to_owned(),
            value: value.to_owned(),
            effect,
        });
    };
    taint("gpu", "yes", NoSchedule);
    taint("old", "", NoExecute);
    taint("slow", "", PreferNoSchedule);
    taint("far", "", PreferNoSchedule);
    use TolerationOperator::{Equal, Exists};
    for (tolerations, kept_away, unwanted) in [
        (vec![], true, 2),
        (vec![toleration("gpu", Equal, "yes", None)], true, 2),
        (
            vec![
                toleration("gpu", Equal, "yes", Some(NoSchedule)),
                toleration("old", Exists, "", None),
            ],
            false,
            2,
        ),
        (
            vec![
                toleration("gpu", Equal, "no", None),
                toleration("old", Exists, "", None),
            ],
            true,
            2,
        ),
        (vec![toleration("", Exists, "", None)], false, 0),
        (vec![toleration("", Exists, "", Some(NoSchedule))], true, 2),
        (
            vec![toleration("slow", Exists, "", Some(PreferNoSchedule))],
            true,
            1,
        ),
    ] {
        let rules = NodeRules {
            tolerations,
            ..NodeRules::default()
        };
        assert_eq!(rules.is_kept_away_by_taints(&tainted), kept_away, "{rules:?}");
        assert_eq!(rules.unwanted_taints(&tainted), unwanted, "{rules:?}");
    }
    let cordons = |tolerations| {
        NodeRules {
            tolerations,
            ..NodeRules::default()
        }
        .tolerates_cordons()
    };
    assert!(cordons(vec![toleration(
        UNSCHEDULABLE_TAINT,
        Exists,
        "",
        Some(NoSchedule)
    )]));
    assert!(!cordons(vec![toleration(
        UNSCHEDULABLE_TAINT,
        Exists,
        "",
        Some(NoExecute)
    )]));
}
