//! What stands in the way on permitted nodes: each thing by itself, and together with spread.

use super::*;
use crate::objects::read_pod;

/// Three regions with two nodes each, named after the region; more is added as it stands.
fn fleet(more: &str) -> String {
    let mut fleet = String::new();
    for region in ["r1", "r2", "r3"] {
        for node in ["a", "b"] {
            fleet.push_str(&format!(
                "---\nkind: Node\nmetadata: {{name: {region}-{node}, labels: {{topology.kubernetes.io/region: {region}, \
                 kubernetes.io/hostname: {region}-{node}}}}}\n"
            ));
        }
    }
    fleet.push_str(more);
    fleet
}

fn judge(fleet: &str, spec: &str, permitted: &[&str]) -> Beside {
    let manifest = format!(
        "kind: Pod\nmetadata: {{name: web-9, namespace: shop, labels: {{app: web}}}}\nspec: {{{spec}}}\n"
    );
    let pod = read_pod(&manifest, "pod.yaml").expect("a pod");
    let facts = BesideFacts {
        fleet: ("fleet.yaml", fleet),
        manifest: &manifest,
        pod: &pod,
    };
    let in_region = |node: &str| permitted.iter().any(|region| node.starts_with(region));
    Beside::judge(facts, in_region).expect("a judgement")
}

fn running(name: &str, node: &str) -> String {
    format!(
        "---\nkind: Pod\nmetadata: {{name: {name}, namespace: shop, labels: {{app: web}}}}\nspec: {{nodeName: {node}}}\n"
    )
}

/// `(plugin, taint, nodes)` of each group.
fn told(beside: &Beside) -> Vec<(&'static str, Option<&str>, String)> {
    let told = beside.hindered.iter().map(|group| {
        let taint = group.taint.as_ref().map(|taint| taint.key.as_str());
        (group.by.name(), taint, group.nodes.join(" "))
    });
    told.collect()
}

const BY_REGION: &str = "topologySpreadConstraints: [{maxSkew: 1, topologyKey: topology.kubernetes.io/region, \
    whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}";

#[test]
fn each_permitted_node_counts_for_the_first_that_turns_the_pod_away() {
    let nodes = "---\nkind: Node\nmetadata: {name: r1-tainted}\nspec: {taints: [{key: gpu, value: \"yes\", effect: NoSchedule}]}\n\
        ---\nkind: Node\nmetadata: {name: r1-avoided, labels: {disk: ssd}}\nspec: {taints: [{key: old, effect: PreferNoSchedule}]}\n\
        ---\nkind: Node\nmetadata: {name: r1-cordoned}\nspec: {unschedulable: true, taints: [{key: gpu, effect: NoExecute}]}\n\
        ---\nkind: Node\nmetadata: {name: r1-other}\nspec: {taints: [{key: spot, effect: NoExecute}]}\n";
    let beside = judge(&fleet(nodes), "nodeSelector: {disk: ssd}", &["r1"]);
    assert_eq!(
        told(&beside),
        [
            ("NodeUnschedulable", None, "r1-cordoned".to_owned()),
            ("TaintToleration", Some("gpu"), "r1-tainted".to_owned()),
            ("TaintToleration", Some("spot"), "r1-other".to_owned()),
            ("NodeAffinity", None, "r1-a r1-b".to_owned()),
        ]
    );
    assert_eq!(beside.open, ["r1-avoided"]);
    let tolerant = "tolerations: [{operator: Exists}]";
    assert_eq!(told(&judge(&fleet(nodes), tolerant, &["r1"])), []);
}

#[test]
fn regions_that_policy_forbids_bring_a_hard_spread_to_a_standstill() {
    let spread = format!("{BY_REGION}}}]");
    let beside = judge(&fleet(&running("web-0", "r1-a")), &spread, &["r1", "r2"]);
    let [dead] = beside.spread.as_slice() else {
        panic!("{beside:?}")
    };
    assert_eq!((dead.domains, dead.open, dead.room), (3, 2, 1));
    assert_eq!(dead.forbidden, ["r3"]);
    assert!(dead.closed.is_empty() && dead.is_cured_by_affinity());
    // One of each is all: the nodes themselves say so then.
    let full = fleet(&(running("web-0", "r1-a") + &running("web-1", "r2-b")));
    let beside = judge(&full, &spread, &["r1", "r2"]);
    assert_eq!((beside.spread[0].room, beside.open.len()), (0, 0));
    assert_eq!(
        told(&beside),
        [("PodTopologySpread", None, "r1-a r1-b r2-a r2-b".to_owned())]
    );
}

#[test]
fn what_cures_a_standstill_leaves_no_finding() {
    let affinity = ", affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: \
        [{matchExpressions: [{key: topology.kubernetes.io/region, operator: In, values: [r1, r2]}]}]}}}";
    let hard = format!("{BY_REGION}}}]");
    for (spec, permitted, standstills) in [
        (hard.clone(), &["r1", "r2"][..], 1),
        (hard.clone() + affinity, &["r1", "r2"], 0),
        (
            format!("{BY_REGION}, nodeAffinityPolicy: Ignore}}]{affinity}"),
            &["r1", "r2"],
            1,
        ),
        (hard.replace("DoNotSchedule", "ScheduleAnyway"), &["r1", "r2"], 0),
        (hard.clone(), &["r1", "r2", "r3"], 0),
        // A constraint that does not count the pod is filled by others.
        (hard.replace("app: web", "app: db"), &["r1", "r2"], 0),
        // Fewer domains than are asked for: the least count is 0 for ever.
        (format!("{BY_REGION}, minDomains: 4}}]"), &["r1", "r2", "r3"], 1),
    ] {
        let beside = judge(&fleet(""), &spec, permitted);
        assert_eq!(beside.spread.len(), standstills, "{spec} {permitted:?}");
    }
}

#[test]
fn a_domain_of_tainted_nodes_is_closed_and_not_forbidden() {
    let tainted = "---\nkind: Node\nmetadata: {name: r4-a, labels: {topology.kubernetes.io/region: r4}}\n\
        spec: {taints: [{key: gpu, effect: NoSchedule}]}\n";
    let all = ["r1", "r2", "r3", "r4"];
    let beside = judge(&fleet(tainted), &format!("{BY_REGION}}}]"), &all);
    assert_eq!(beside.spread[0].closed, ["r4"]);
    assert!(beside.spread[0].forbidden.is_empty() && !beside.spread[0].is_cured_by_affinity());
    let honors = format!("{BY_REGION}, nodeTaintsPolicy: Honor}}]");
    assert_eq!(judge(&fleet(tainted), &honors, &all).spread, []);
}

/// The formula, held against the model itself: so many pods can be placed one after another, and no more.
#[test]
fn the_room_is_how_many_pods_the_model_places() {
    let spread = format!("{BY_REGION}, SKEW}}]")
        .replace("maxSkew: 1", "maxSkew: 3")
        .replace(", SKEW", "");
    let mut placed = running("odd-0", "r1-a") + &running("odd-1", "r3-a");
    let told = judge(&fleet(&placed), &spread, &["r1", "r2"]).spread[0].room;
    let mut room = 0;
    loop {
        let beside = judge(&fleet(&placed), &spread, &["r1", "r2"]);
        let Some(node) = beside.open.first() else { break };
        placed.push_str(&running(&format!("web-{room}"), node));
        room += 1;
    }
    // A domain may have 3 more than r3, which has 1 for ever; r1 has 1 already.
    assert_eq!((told, room), (7, 7));
}

#[test]
fn the_pod_itself_and_those_that_wait_are_not_counted() {
    let spread = format!("{BY_REGION}}}]");
    let others = running("web-9", "r1-a")
        + "---\nkind: Pod\nmetadata: {name: web-8, namespace: shop, labels: {app: web}}\nspec: {}\n";
    let beside = judge(&fleet(&others), &spread, &["r1", "r2"]);
    assert_eq!((beside.open.len(), beside.spread[0].room), (4, 2));
}

#[test]
fn a_template_is_judged_as_its_pods_and_what_is_not_judged_is_told() {
    let manifest = "kind: DaemonSet\nmetadata: {name: agent, namespace: shop}\nspec: {template: {spec: {nodeSelector: {disk: ssd}}}}\n\
        ---\nkind: ConfigMap\nmetadata: {name: c}\nspec: {template: text}\n";
    let pod = read_pod(manifest, "pod.yaml").expect("a pod");
    let facts = BesideFacts {
        fleet: ("fleet.yaml", &fleet("")),
        manifest,
        pod: &pod,
    };
    let beside = Beside::judge(facts, |_| true).expect("a judgement");
    assert_eq!(beside.hindered[0].by, Rejector::NodeAffinity);
    assert_eq!(
        beside.notes,
        ["pods of a DaemonSet are given tolerations by its controller, which are not here"]
    );
}
