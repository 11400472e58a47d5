use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::{RegionKey, RunningPod, Statistic};
use crate::topology::{LatencyTable, parse_latency_csv};

fn table() -> LatencyTable {
    let text = "from,to,rtt_ms\nw/a,w/b,10\nw/a,w/b/1,9\n";
    let measurements = parse_latency_csv("t", text, |_| None, &BTreeMap::new()).expect("a good file");
    LatencyTable::build(&measurements, &BTreeMap::new(), Statistic::P50)
}

/// Nodes `a…` lie in one region, `b…` in another, and nobody knows where the rest are.
fn point(table: &LatencyTable, node: &NodeName) -> Option<LatencyPoint> {
    let region = match node.as_str().bytes().next()? {
        b'a' => "w/a",
        b'b' => "w/b",
        _ => return None,
    };
    table.locate(&RegionKey::parse(region).ok()?, None)
}

fn namespace(name: &str) -> NamespaceName {
    NamespaceName::new(name).expect("a name")
}

fn pod(labels: &[(&str, &str)], node: &str) -> RunningPod {
    RunningPod {
        labels: LabelSet::new(labels.iter().copied()),
        node: NodeName::new(node).expect("a name"),
        held: None,
    }
}

fn placed(table: &LatencyTable, pods: &[(&str, RunningPod)]) -> PlacedPods {
    let named: Vec<(NamespaceName, &RunningPod)> =
        pods.iter().map(|(name, pod)| (namespace(name), pod)).collect();
    let running = RunningPods::gather(named.iter().map(|(namespace, pod)| (namespace, *pod)));
    PlacedPods::new(Arc::new(running), |node| point(table, node))
}

fn selector(pairs: &[(&str, &str)]) -> LabelSelector {
    LabelSelector::new(pairs).expect("a selector")
}

/// How many pods are at `w/a`, at `w/b` and at unknown places.
fn counts(table: &LatencyTable, found: &PeerPlaces) -> [u32; 3] {
    let at = |node: &str| {
        let point = point(table, &NodeName::new(node).expect("a name"));
        let mut at = found.at.iter().filter(|(other, _)| Some(*other) == point);
        at.next().map_or(0, |(_, pods)| *pods)
    };
    [at("a"), at("b"), found.at_unknown]
}

#[test]
fn a_selector_finds_pods_of_its_namespace_in_all_groups() {
    let table = table();
    let (old, new) = ([("app", "cart"), ("hash", "1")], [("app", "cart"), ("hash", "2")]);
    let placed = placed(
        &table,
        &[
            ("shop", pod(&old, "a1")),
            ("shop", pod(&new, "a2")),
            ("shop", pod(&new, "b1")),
            ("shop", pod(&new, "nowhere")),
            ("shop", pod(&[("app", "payment")], "b1")),
            ("other", pod(&new, "b1")),
        ],
    );
    let at = |node: &NodeName| point(&table, node);
    let find = |name, pairs: &[(&str, &str)]| {
        let found = placed.find(&namespace(name), &selector(pairs), None, at);
        counts(&table, &found)
    };
    assert_eq!(find("shop", &[("app", "cart")]), [2, 1, 1]);
    assert_eq!(find("shop", &[("app", "cart"), ("hash", "2")]), [1, 1, 1]);
    assert_eq!(find("other", &[("app", "cart")]), [0, 1, 0]);
    assert_eq!(find("shop", &[("app", "web")]), [0, 0, 0]);
    assert_eq!(find("nowhere", &[("app", "cart")]), [0, 0, 0]);
}

#[test]
fn a_pod_is_not_its_own_peer() {
    let table = table();
    let labels = [("app", "cart")];
    let placed = placed(
        &table,
        &[
            ("shop", pod(&labels, "a1")),
            ("shop", pod(&labels, "a2")),
            ("shop", pod(&labels, "nowhere")),
        ],
    );
    let at = |node: &NodeName| point(&table, node);
    let asking = |name: &str, labels: &[(&str, &str)], node: &str| {
        let asking = AskingPod {
            namespace: namespace(name),
            labels: LabelSet::new(labels.iter().copied()),
            node: NodeName::new(node).expect("a name"),
        };
        let found = placed.find(
            &namespace("shop"),
            &selector(&[("app", "cart")]),
            Some(&asking),
            at,
        );
        counts(&table, &found)
    };
    assert_eq!(asking("shop", &labels, "a1"), [1, 0, 1]);
    assert_eq!(asking("shop", &labels, "nowhere"), [2, 0, 0]);
    assert_eq!(
        asking("shop", &labels, "b1"),
        [2, 0, 1],
        "none of its kind is there"
    );
    assert_eq!(asking("other", &labels, "a1"), [2, 0, 1], "a namesake elsewhere");
    assert_eq!(asking("shop", &[("app", "web")], "a1"), [2, 0, 1], "another kind");
}

proptest! {
    #[test]
    fn what_is_found_is_what_a_look_at_every_pod_finds(
        pods in prop::collection::vec((0..2_usize, 0..3_usize, 0..3_usize, 0..5_usize), 0..60),
        wanted in (0..3_usize, prop::option::of(0..3_usize)),
    ) {
        let table = table();
        let nodes = ["a1", "a2", "b1", "b2", "x"];
        let values = ["1", "2", "3"];
        let labels = |app: usize, hash: usize| [("app", values[app]), ("hash", values[hash])];
        let pods: Vec<(&str, RunningPod)> = pods
            .into_iter()
            .map(|(name, app, hash, node)| (["shop", "site"][name], pod(&labels(app, hash), nodes[node])))
            .collect();
        let mut pairs = vec![("app", values[wanted.0])];
        pairs.extend(wanted.1.map(|hash| ("hash", values[hash])));
        let selector = selector(&pairs);
        let found = placed(&table, &pods).find(&namespace("shop"), &selector, None, |node| point(&table, node));
        let mut expected = [0; 3];
        for (_, pod) in pods.iter().filter(|(name, pod)| *name == "shop" && selector.selects(&pod.labels)) {
            match pod.node.as_str().as_bytes()[0] {
                b'a' => expected[0] += 1,
                b'b' => expected[1] += 1,
                _ => expected[2] += 1,
            }
        }
        prop_assert_eq!(counts(&table, &found), expected);
        prop_assert_eq!(found.pods(), u64::from(expected.iter().sum::<u32>()));
    }
}

proptest! {
    /// Whatever ran before, what is found is what a snapshot made from nothing finds.
    #[test]
    fn pods_that_follow_upon_others_are_placed_as_if_they_were_the_first(
        steps in prop::collection::vec((any::<[bool; 2]>(), 0..2_usize, 0..3_usize, 0..4_usize), 0..40),
    ) {
        let table = table();
        let at = |node: &NodeName| point(&table, node);
        let mut running = RunningPods::default();
        let mut placed = PlacedPods::default();
        for ([comes, is_placed], name, app, node) in steps {
            let namespace = namespace(["shop", "site"][name]);
            let pod = pod(&[("app", ["1", "2", "3"][app])], ["a1", "a2", "b1", "x"][node]);
            match comes {
                true => running.add(&namespace, &pod),
                false => running.remove(&namespace, &pod),
            }
            // Several pods may come and go before they are placed.
            if !is_placed {
                continue;
            }
            placed = placed.followed_by(Arc::new(running.clone()), at);
            let fresh = PlacedPods::new(Arc::new(running.clone()), at);
            for app in ["1", "2", "3"] {
                let selector = selector(&[("app", app)]);
                let find = |placed: &PlacedPods| placed.find(&namespace, &selector, None, at);
                prop_assert_eq!(find(&placed), find(&fresh));
            }
        }
    }
}
