use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::LabelSet;

/// What happens in a cluster, as one kind sees it.
#[derive(Debug, Clone)]
enum Happening {
    Write(u8, u8),
    WriteUnreadable(u8),
    Delete(u8),
    /// The watch breaks: what happens until it is back is seen only in the list.
    Relist(Vec<Happening>),
}

fn happening() -> impl Strategy<Value = Happening> {
    let leaf = prop_oneof![
        (0..6_u8, 0..4_u8).prop_map(|(key, value)| Happening::Write(key, value)),
        (0..6_u8).prop_map(Happening::WriteUnreadable),
        (0..6_u8).prop_map(Happening::Delete),
    ];
    leaf.prop_recursive(1, 8, 6, |inner| {
        prop_oneof![
            inner.clone(),
            proptest::collection::vec(inner, 0..6).prop_map(Happening::Relist)
        ]
    })
}

/// The cluster itself: `None` is an object that nobody can read.
type Truth = BTreeMap<u8, Option<u8>>;

fn happen(truth: &mut Truth, happening: &Happening) {
    match happening {
        Happening::Write(key, value) => {
            truth.insert(*key, Some(*value));
        }
        Happening::WriteUnreadable(key) => {
            truth.insert(*key, None);
        }
        Happening::Delete(key) => {
            truth.remove(key);
        }
        Happening::Relist(unseen) => unseen.iter().for_each(|unseen| happen(truth, unseen)),
    }
}

fn listed(truth: &Truth) -> Vec<Change<u8, u8>> {
    let objects = truth.iter().map(|(key, value)| match value {
        Some(value) => Change::Apply(*key, *value),
        None => Change::Unreadable(*key),
    });
    [Change::ListBegins]
        .into_iter()
        .chain(objects)
        .chain([Change::ListEnds])
        .collect()
}

proptest! {
    #[test]
    fn the_index_equals_a_fresh_list_after_any_events(happenings in proptest::collection::vec(happening(), 0..40)) {
        let mut truth = Truth::new();
        let mut store: Store<u8, u8> = Store::default();
        for change in listed(&truth) {
            store.take(change);
        }
        for happening in &happenings {
            happen(&mut truth, happening);
            let changes = match happening {
                Happening::Write(key, value) => vec![Change::Apply(*key, *value)],
                Happening::WriteUnreadable(key) => vec![Change::Unreadable(*key)],
                Happening::Delete(key) => vec![Change::Delete(*key)],
                Happening::Relist(_) => listed(&truth),
            };
            let before = (store.current.clone(), store.unreadable.clone());
            let said_changed = changes.into_iter().fold(false, |said, change| store.take(change) | said);
            let changed = before != (store.current.clone(), store.unreadable.clone());
            prop_assert_eq!(said_changed, changed, "{:?}", happening);
        }
        let mut fresh: Store<u8, u8> = Store::default();
        for change in listed(&truth) {
            fresh.take(change);
        }
        prop_assert_eq!(store.current, fresh.current);
        prop_assert_eq!(store.unreadable, fresh.unreadable);
    }
}

#[test]
fn nothing_is_published_before_every_kind_was_listed_whole() {
    let mut index = Index::default();
    assert_eq!(index.missing().len(), 5);
    index.nodes.take(Change::ListBegins);
    let node = NodeName::new("n").expect("a name");
    assert!(
        !index.nodes.take(Change::Apply(node, NodeRecord::default())),
        "a list that is not whole changes nothing"
    );
    assert!(index.fleet().is_none());
    assert!(index.nodes.take(Change::ListEnds));
    index.namespaces.take(Change::ListBegins);
    index.namespaces.take(Change::ListEnds);
    index.claims.take(Change::ListBegins);
    index.claims.take(Change::ListEnds);
    index.volumes.take(Change::ListBegins);
    index.volumes.take(Change::ListEnds);
    assert_eq!(index.missing(), ["storageclasses"]);
    index.storage_classes.take(Change::ListBegins);
    index.storage_classes.take(Change::Unreadable(Arc::from("gold")));
    assert!(index.storage_classes.take(Change::ListEnds));
    let fleet = index.fleet().expect("everything is listed");
    assert_eq!(fleet.nodes.len(), 1);
    let classes = fleet.storage_classes.expect("classes");
    assert!(
        !classes["gold"].annotations.malformed.is_empty(),
        "a class that cannot be read refuses"
    );
}

/// A pod as the watch tells it: where it runs, or `None` where it does not.
fn running(labels: u8, node: u8) -> Option<RunningPod> {
    (labels > 0).then(|| RunningPod {
        labels: LabelSet::new([("app", "cart"), ("hash", labels.to_string().as_str())].into_iter()),
        node: NodeName::new(&format!("n{node}")).expect("a name"),
        held: None,
    })
}

fn pod_key(number: u8) -> PodKey {
    PodKey {
        namespace: NamespaceName::new(&format!("ns{}", number % 2)).expect("a name"),
        name: Arc::from(format!("p{number}")),
    }
}

/// What happens to pods: one is as this from now on, or gone; or the watch breaks and lists anew.
#[derive(Debug, Clone)]
enum OfPods {
    Write(u8, u8, u8),
    Delete(u8),
    Relist,
    Publish,
}

fn of_pods() -> impl Strategy<Value = OfPods> {
    prop_oneof![
        6 => (0..12_u8, 0..4_u8, 0..4_u8).prop_map(|(key, labels, node)| OfPods::Write(key, labels, node)),
        2 => (0..12_u8).prop_map(OfPods::Delete),
        1 => Just(OfPods::Relist),
        1 => Just(OfPods::Publish),
    ]
}

fn list_pods(index: &mut Index, truth: &BTreeMap<PodKey, RunningPod>) {
    index.take_pod(Change::ListBegins);
    for (key, pod) in truth {
        index.take_pod(Change::Apply(key.clone(), Some(pod.clone())));
    }
    index.take_pod(Change::ListEnds);
}

proptest! {
    #[test]
    fn where_pods_run_equals_a_fresh_list_after_any_events(
        happenings in proptest::collection::vec(of_pods(), 0..60),
    ) {
        let mut truth = BTreeMap::new();
        let mut index = Index::default();
        prop_assert_eq!(index.running_pods(), None, "nothing is known before the list is whole");
        list_pods(&mut index, &truth);
        for happening in happenings {
            let before = index.running_pods();
            let said_changed = match happening {
                OfPods::Write(key, labels, node) => {
                    let (key, pod) = (pod_key(key), running(labels, node));
                    match &pod {
                        Some(pod) => truth.insert(key.clone(), pod.clone()),
                        None => truth.remove(&key),
                    };
                    index.take_pod(Change::Apply(key, pod))
                }
                OfPods::Delete(key) => {
                    truth.remove(&pod_key(key));
                    index.take_pod(Change::Delete(pod_key(key)))
                }
                OfPods::Relist => {
                    list_pods(&mut index, &truth);
                    false
                }
                OfPods::Publish => {
                    index.labels.forget_unused();
                    false
                }
            };
            prop_assert!(said_changed || before == index.running_pods());
            let mut fresh = Index::default();
            list_pods(&mut fresh, &truth);
            prop_assert_eq!(index.running_pods(), fresh.running_pods());
        }
    }
}

#[test]
fn labels_of_pods_that_are_gone_are_let_go() {
    let mut index = Index::default();
    list_pods(&mut index, &BTreeMap::new());
    for number in 0..5_000_u32 {
        let labels = LabelSet::new([("job-name", number.to_string().as_str())].into_iter());
        let node = NodeName::new("n").expect("a name");
        let held = None;
        index.take_pod(Change::Apply(pod_key(0), Some(RunningPod { labels, node, held })));
        if number % 100 == 0 {
            assert!(index.running_pods().is_some());
        }
    }
    assert!(
        index.labels.len() <= MOST_UNUSED_LABEL_SETS + 102,
        "{}",
        index.labels.len()
    );
}

#[test]
fn the_fleet_does_not_wait_for_pods() {
    let mut index = Index::default();
    index.take_pod(Change::ListBegins);
    assert!(!index.missing().contains(&"pods"));
    assert_eq!(index.running_pods(), None);
    assert!(index.take_pod(Change::ListEnds));
    assert_eq!(index.running_pods(), Some(RunningPods::default()));
}
