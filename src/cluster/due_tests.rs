use super::index::Change;
use super::watch::KindChange;
use super::*;
use crate::model::{LabelSet, NamespaceName, NodeName, PodKey, RunningPod};

fn pod(name: &str) -> Heard {
    let key = PodKey {
        namespace: NamespaceName::new("shop").expect("a name"),
        name: Arc::from(name),
    };
    let pod = RunningPod {
        labels: LabelSet::new([("app", "cart")].into_iter()),
        node: NodeName::new("n1").expect("a name"),
        held: None,
    };
    pods(Change::Apply(key, Some(pod)))
}

fn pods(change: Change<PodKey, Option<RunningPod>>) -> Heard {
    Heard {
        kind: PODS,
        word: Word::Changed(KindChange::Pods(change)),
    }
}

fn away(kind: &'static str, heard: Option<&str>) -> Heard {
    let heard = heard.map(|heard| heard.parse().expect("an instant"));
    Heard {
        kind,
        word: Word::Away { heard },
    }
}

fn confirmed(kind: &'static str) -> Heard {
    Heard {
        kind,
        word: Word::Confirmed,
    }
}

#[test]
fn changes_that_come_together_are_told_together() {
    let start = Instant::now();
    let mut due = Due::default();
    let (mut index, mut state) = (Index::default(), ClusterState::default());
    assert_eq!(
        take(pods(Change::ListBegins), &mut index, &mut state),
        News::Nothing
    );
    assert_eq!(
        take(pods(Change::ListEnds), &mut index, &mut state),
        News::Objects
    );
    due.note(PODS, start);
    assert_eq!(due.next(), Some(start + PODS_COALESCE));
    publish_due(&mut due, &mut index, &mut state, start + PODS_COALESCE);
    assert_eq!((state.pods_generation, due.next()), (1, None));

    let published = start + PODS_COALESCE;
    for number in 0..100_u32 {
        assert_eq!(
            take(pod(&format!("p{number}")), &mut index, &mut state),
            News::Objects
        );
        due.note(PODS, published + PODS_COALESCE / 200 * number);
    }
    assert_eq!(
        due.next(),
        Some(published + PODS_COALESCE),
        "the first waits no longer for the last"
    );
    publish_due(&mut due, &mut index, &mut state, published + PODS_COALESCE);
    assert_eq!((state.pods_generation, due.next()), (2, None));
    assert_eq!(state.running_pods.as_deref().map(RunningPods::len), Some(100));
}

#[test]
fn pods_that_run_where_they_ran_make_no_new_state() {
    let (mut index, mut state) = (Index::default(), ClusterState::default());
    for heard in [pods(Change::ListBegins), pod("p"), pods(Change::ListEnds)] {
        take(heard, &mut index, &mut state);
    }
    publish_pods(&mut index, &mut state);
    assert_eq!(
        take(pod("p"), &mut index, &mut state),
        News::Nothing,
        "a heartbeat of a pod"
    );
    take(pods(Change::ListBegins), &mut index, &mut state);
    take(pod("another-name"), &mut index, &mut state);
    assert_eq!(
        take(pods(Change::ListEnds), &mut index, &mut state),
        News::Objects
    );
    publish_pods(&mut index, &mut state);
    assert_eq!(
        state.pods_generation, 1,
        "nothing that a selector could tell is different"
    );
}

/// Every kind of the fleet is listed, and no pods are.
fn fleet_listed() -> Index {
    let mut index = Index::default();
    for change in [Change::ListBegins, Change::ListEnds] {
        index.nodes.take(change);
    }
    for change in [Change::ListBegins, Change::ListEnds] {
        index.namespaces.take(change);
    }
    for change in [Change::ListBegins, Change::ListEnds] {
        index.claims.take(change);
    }
    for change in [Change::ListBegins, Change::ListEnds] {
        index.volumes.take(change);
    }
    for change in [Change::ListBegins, Change::ListEnds] {
        index.storage_classes.take(change);
    }
    assert_eq!(index.missing(), [""; 0]);
    index
}

#[test]
fn the_first_fleet_waits_a_little_for_pods_and_comes_with_them() {
    let start = Instant::now();
    let (mut due, mut index, mut state) = (Due::default(), fleet_listed(), ClusterState::default());
    due.note("nodes", start);
    publish_due(&mut due, &mut index, &mut state, start + COALESCE);
    let until = start + COALESCE + PODS_GRACE;
    assert_eq!((state.generation, due.next()), (0, Some(until)));
    for heard in [pods(Change::ListBegins), pod("p"), pods(Change::ListEnds)] {
        take(heard, &mut index, &mut state);
    }
    let listed = start + Duration::from_secs(1);
    due.note(PODS, listed);
    publish_due(&mut due, &mut index, &mut state, listed + PODS_COALESCE);
    assert_eq!(
        (state.generation, state.pods_generation, due.next()),
        (1, 1, None)
    );
}

#[test]
fn it_does_not_wait_long_nor_for_a_watch_that_is_broken() {
    let start = Instant::now();
    let (mut due, mut index, mut state) = (Due::default(), fleet_listed(), ClusterState::default());
    due.note("nodes", start);
    publish_due(&mut due, &mut index, &mut state, start + COALESCE);
    let until = due.next().expect("it waits");
    publish_due(&mut due, &mut index, &mut state, until);
    assert_eq!((state.generation, due.next()), (1, None));
    assert_eq!(state.running_pods, None);

    let (mut due, mut state) = (Due::default(), ClusterState::default());
    take(away(PODS, None), &mut index, &mut state);
    due.note("nodes", start);
    publish_due(&mut due, &mut index, &mut state, start + COALESCE);
    assert_eq!((state.generation, due.next()), (1, None));
}

#[test]
fn that_the_api_server_is_away_is_told_once_and_that_it_is_back_too() {
    let (mut index, mut state) = (fleet_listed(), ClusterState::default());
    publish(&index, &mut state);
    assert!(state.is_current());
    let mut news = |said| take(said, &mut index, &mut state);
    let (early, late) = (Some("2027-01-31T12:00:00Z"), Some("2027-01-31T12:00:09Z"));
    assert_eq!(news(away("nodes", late)), News::Health);
    assert_eq!(news(away("nodes", late)), News::Nothing, "it was heard no later");
    assert_eq!(news(away("namespaces", early)), News::Health);
    assert_eq!(news(away(PODS, Some("2027-01-31T11:00:00Z"))), News::Health);
    let heard = |heard: Option<&str>| heard.map(|heard| heard.parse::<Timestamp>().expect("an instant"));
    assert!(!state.is_current());
    assert_eq!(
        state.confirmed_until(),
        heard(early),
        "pods only sway the order of places"
    );
    let mut news = |said| take(said, &mut index, &mut state);
    assert_eq!(
        news(pods(Change::ListBegins)),
        News::Nothing,
        "half a list confirms nothing"
    );
    assert_eq!(news(confirmed("namespaces")), News::Health);
    assert_eq!(news(confirmed(PODS)), News::Health);
    assert_eq!(state.confirmed_until(), heard(late));
    assert_eq!(take(confirmed("nodes"), &mut index, &mut state), News::Health);
    assert_eq!(take(confirmed("nodes"), &mut index, &mut state), News::Nothing);
    assert_eq!((state.confirmed_until(), state.is_current()), (None, true));
}
