use super::*;
use crate::model::NamespaceName;
use crate::objects::watched_pod_from_json;

fn key(name: &str) -> PodKey {
    PodKey {
        namespace: NamespaceName::new("shop").expect("a name"),
        name: Arc::from(name),
    }
}

/// A pod of the ReplicaSet `web`, as the API server tells it.
fn apply(name: &str, spec: &str, conditions: &str) -> Change<PodKey, Option<WatchedPod>> {
    let json = format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"shop","uid":"u-{name}","labels":{{"app":"web"}},
            "ownerReferences":[{{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web","uid":"r1","controller":true}}]}},
            "spec":{spec},"status":{{"conditions":[{conditions}]}}}}"#
    );
    Change::Apply(key(name), watched_pod_from_json(json.as_bytes()).expect("a pod"))
}

const REFUSED: &str = r#"{"type":"PodScheduled","status":"False","reason":"Unschedulable"}"#;

fn listed(roster: &mut Roster, changes: impl IntoIterator<Item = Change<PodKey, Option<WatchedPod>>>) {
    assert!(matches!(roster.take(Change::ListBegins), News::Nothing));
    for change in changes {
        assert!(matches!(roster.take(change), News::Nothing));
    }
    assert!(matches!(roster.take(Change::ListEnds), News::Listed));
}

#[test]
fn pods_of_one_template_are_kept_once_wherever_they_are() {
    let mut roster = Roster::default();
    let other = apply(
        "other",
        r#"{"volumes":[{"name":"d","persistentVolumeClaim":{"claimName":"c"}}]}"#,
        "",
    );
    let alike = [apply("a", r#"{"nodeName":"n1"}"#, ""), apply("b", "{}", REFUSED)];
    listed(&mut roster, alike.into_iter().chain([other]));
    let pod = |name| roster.get(&key(name)).expect("it is there");
    assert!(Arc::ptr_eq(&pod("a").subject, &pod("b").subject));
    assert!(!Arc::ptr_eq(&pod("a").subject, &pod("other").subject));
    let refused: Vec<&str> = roster.refused().map(|(key, _)| &*key.name).collect();
    assert_eq!(refused, ["b"]);
    let whole = pod("a").requirements(&key("a"));
    assert_eq!(
        (
            whole.name.as_str(),
            whole.uid.as_str(),
            whole.node.as_ref().map(NodeName::as_str)
        ),
        ("a", "u-a", Some("n1"))
    );
}

#[test]
fn a_change_tells_what_a_pod_was_and_is() {
    let mut roster = Roster::default();
    listed(&mut roster, [apply("a", "{}", REFUSED)]);
    let News::Pod {
        was: Some(was),
        is: Some(is),
        ..
    } = roster.take(apply("a", r#"{"nodeName":"n1"}"#, ""))
    else {
        panic!("a pod that was bound");
    };
    assert!(was.is_refused && !is.is_refused && !was.decides_as(&is));
    let News::Pod {
        was: Some(was),
        is: Some(is),
        ..
    } = roster.take(apply("a", r#"{"nodeName":"n1"}"#, ""))
    else {
        panic!("a pod of which nothing changed");
    };
    assert!(was.decides_as(&is));
    assert!(matches!(
        roster.take(Change::Delete(key("a"))),
        News::Pod { is: None, .. }
    ));
    assert!(matches!(roster.take(Change::Delete(key("a"))), News::Nothing));
}

#[test]
fn a_list_is_all_there_is_and_what_cannot_be_read_is_counted() {
    let mut roster = Roster::default();
    listed(
        &mut roster,
        [
            apply("a", "{}", ""),
            apply("b", "{}", ""),
            Change::Unreadable(key("c")),
        ],
    );
    assert_eq!((roster.after(None).count(), roster.unreadable_count()), (2, 1));
    listed(
        &mut roster,
        [apply("b", r#"{"nodeName":"n1"}"#, ""), apply("d", "{}", "")],
    );
    let names: Vec<&str> = roster.after(None).map(|(key, _)| &*key.name).collect();
    assert_eq!(names, ["b", "d"]);
    assert_eq!(roster.unreadable_count(), 0);
    let later: Vec<&str> = roster.after(Some(&key("b"))).map(|(key, _)| &*key.name).collect();
    assert_eq!(later, ["d"]);
    // One that ended is gone, and one that becomes unreadable too.
    roster.take(Change::Apply(key("d"), None));
    roster.take(Change::Unreadable(key("b")));
    assert_eq!((roster.after(None).count(), roster.unreadable_count()), (0, 1));
}

#[test]
fn templates_that_no_pod_has_any_more_are_let_go() {
    let mut roster = Roster::default();
    listed(&mut roster, []);
    for number in 0..3 * MOST_UNUSED {
        let volume =
            format!(r#"{{"volumes":[{{"name":"d","persistentVolumeClaim":{{"claimName":"c{number}"}}}}]}}"#);
        roster.take(apply("a", &volume, ""));
    }
    assert!(
        roster.subjects.kept <= MOST_UNUSED + 3,
        "{}",
        roster.subjects.kept
    );
}
