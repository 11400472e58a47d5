use super::*;
use crate::simulation::kube::Profile;
use crate::simulation::kube::spec::{NodeSpec, PodSpec};

fn node(text: &str) -> NodeSpec {
    serde_saphyr::from_str(text).expect("a node")
}

fn pod(text: &str) -> PodSpec {
    serde_saphyr::from_str(&format!("{{namespace: a, name: p, {text}}}")).expect("a pod")
}

const SPREAD: &str = "labels: {app: web}, topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, \
                      whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}]";
const NEAR: &str = "affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone, \
                    labelSelector: {matchLabels: {app: db}}}]}}";
const AWAY: &str = "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone, \
                    labelSelector: {matchLabels: {app: db}}}]}}";
const SHUNNED: &str = "labels: {app: db}";

#[test]
fn a_new_node_helps_those_who_could_go_there() {
    let new = "{name: new, labels: {disk: ssd}, taints: [{key: gpu, effect: NoSchedule}], \
               allocatable: {cpu: '4', memory: 8Gi, pods: '10'}}";
    for (waiting, rejector, expected) in [
        ("nodeSelector: {disk: ssd}", Rejector::NodeAffinity, true),
        ("nodeSelector: {disk: hdd}", Rejector::NodeAffinity, false),
        ("labels: {}", Rejector::TaintToleration, false),
        (
            "tolerations: [{key: gpu, operator: Exists}]",
            Rejector::TaintToleration,
            true,
        ),
        ("requests: {cpu: '4'}", Rejector::NodeResourcesFit, true),
        ("requests: {cpu: '5'}", Rejector::NodeResourcesFit, false),
        ("labels: {}", Rejector::NodeUnschedulable, true),
        ("labels: {}", Rejector::NodeName, true),
        ("labels: {}", Rejector::Extender, true),
        // It has no such label.
        (SPREAD, Rejector::PodTopologySpread, false),
        (NEAR, Rejector::InterPodAffinity, false),
        (AWAY, Rejector::InterPodAffinity, true),
        (SHUNNED, Rejector::InterPodAffinity, false),
    ] {
        let mut cluster = Cluster::new(Profile::default(), 1);
        let pod = cluster.add_pod(&pod(waiting));
        let node = cluster.add_node(node(new)).expect("the first");
        let helps = cluster.could_help(ClusterEvent::NodeAdded(node), pod, rejector);
        assert_eq!(helps, expected, "{waiting} {rejector:?}");
    }
}

#[test]
fn a_node_of_a_zone_changes_spread_and_company_whether_it_comes_or_goes() {
    let mut cluster = Cluster::new(Profile::default(), 1);
    let zoned = cluster
        .add_node(node("{name: zoned, labels: {zone: z1}}"))
        .expect("the first");
    let bare = cluster.add_node(node("{name: bare}")).expect("the second");
    let spread = cluster.add_pod(&pod(SPREAD));
    let near = cluster.add_pod(&pod(NEAR));
    for (node, helps) in [(zoned, true), (bare, false)] {
        let came = ClusterEvent::NodeAdded(node);
        assert_eq!(
            cluster.could_help(came, spread, Rejector::PodTopologySpread),
            helps
        );
        assert_eq!(cluster.could_help(came, near, Rejector::InterPodAffinity), helps);
        cluster.remove_node(node);
        let went = ClusterEvent::NodeRemoved(node);
        assert_eq!(
            cluster.could_help(went, spread, Rejector::PodTopologySpread),
            helps
        );
    }
}

#[test]
fn a_pod_helps_those_whom_its_labels_or_its_own_rules_concern() {
    use ClusterEvent::{PodBound, PodGone};
    type Event = fn(PodIndex) -> ClusterEvent;
    let both: [Event; 2] = [PodBound, PodGone];
    let [bound, gone] = both;
    for (waiting, rejector, changed, event, expected) in [
        (
            SPREAD,
            Rejector::PodTopologySpread,
            "labels: {app: web}",
            bound,
            true,
        ),
        (
            SPREAD,
            Rejector::PodTopologySpread,
            "labels: {app: web}",
            gone,
            true,
        ),
        (
            SPREAD,
            Rejector::PodTopologySpread,
            "labels: {app: db}",
            bound,
            false,
        ),
        (NEAR, Rejector::InterPodAffinity, "labels: {app: db}", bound, true),
        (NEAR, Rejector::InterPodAffinity, "labels: {app: db}", gone, false),
        (
            NEAR,
            Rejector::InterPodAffinity,
            "labels: {app: web}",
            bound,
            false,
        ),
        (
            AWAY,
            Rejector::InterPodAffinity,
            "labels: {app: db}",
            bound,
            false,
        ),
        (AWAY, Rejector::InterPodAffinity, "labels: {app: db}", gone, true),
        (
            AWAY,
            Rejector::InterPodAffinity,
            "labels: {app: web}",
            gone,
            false,
        ),
        // The one that goes shunned the one that waits.
        (SHUNNED, Rejector::InterPodAffinity, AWAY, gone, true),
        (SHUNNED, Rejector::InterPodAffinity, AWAY, bound, false),
        ("labels: {}", Rejector::NodeResourcesFit, "labels: {}", gone, true),
        ("labels: {}", Rejector::Extender, "labels: {}", bound, true),
    ] {
        let mut cluster = Cluster::new(Profile::default(), 1);
        let waits = cluster.add_pod(&pod(waiting));
        let changes = cluster.add_pod(&pod(changed));
        let helps = cluster.could_help(event(changes), waits, rejector);
        assert_eq!(helps, expected, "{waiting} {rejector:?} {changed}");
    }
}
