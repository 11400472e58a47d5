//! Retries and the scan over time, on the built-in facts with what the policy about people in the EEA allows changed.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::retrying::Retrying;
use super::scanning::{Scanning, Told};
use crate::assembly::{RuleTexts, SourceText, assemble};
use crate::cluster::index::Change;
use crate::cluster::roster::{News, Roster};
use crate::embedded;
use crate::model::{NamespaceName, PodKey};
use crate::objects::watched_pod_from_json;
use crate::placement::change::Cause;
use crate::pod_events::{AboutKind, EventReason};
use crate::scan::FindingKind;
use crate::snapshot::{Inputs, Snapshot};

const AT: &str = "2026-11-21T12:00:00Z";
const IN_VIRGINIA: &str = "ip-10-30-1-21.ec2.internal";
const IN_FRANKFURT: &str = "ip-10-10-2-28.eu-central-1.compute.internal";

fn at() -> Timestamp {
    AT.parse().expect("an instant")
}

/// The built-in world, where the policy allows these places, and these objects stand beside the policies.
fn world(allowed: &str, beside: &str) -> Arc<Snapshot> {
    world_confirmed(allowed, beside, None)
}

/// The same; confirmed by the cluster until an instant, or still.
fn world_confirmed(allowed: &str, beside: &str, confirmed_until: Option<Timestamp>) -> Arc<Snapshot> {
    let text = |(name, text): (&str, &str)| SourceText::new(name, text);
    let mut policies: Vec<SourceText> = embedded::policies().iter().copied().map(text).collect();
    for file in &mut policies {
        if file.name.ends_with("eea-personal-data.yaml") {
            let wanted = format!("allowed: {allowed}");
            file.text = file.text.replacen("allowed: [group/EEA]", &wanted, 1);
        }
    }
    if !beside.is_empty() {
        policies.push(SourceText::new("beside.yaml", beside));
    }
    let rules = RuleTexts {
        policies,
        data_sets: vec![text(embedded::data_sets())],
        latency: vec![text(embedded::latency())],
    };
    let (inputs, _) = assemble(&rules, &text(embedded::fleet())).expect("the facts fit");
    Arc::new(Snapshot::new(Inputs {
        confirmed_until,
        ..inputs
    }))
}

/// In force for an hour from this minute on: the namespace `shop` may run in the United States.
fn exception(not_before: &str, expires: &str) -> String {
    format!(
        "apiVersion: domicile.dev/v1alpha1\nkind: PlacementException\nmetadata: {{name: ex-us}}\nspec:\n  \
         relaxes: {{policy: eea-personal-data, rule: place}}\n  \
         scope: {{namespace: shop, locations: [\"US\"], data: {{categories: [personal], subjects: [group/EEA]}}}}\n  \
         category: waiver\n  reason: a move\n  requestedBy: somebody@corp.example\n  approvedBy: dpo@corp.example\n  \
         ticket: T-1\n  notBefore: \"{not_before}\"\n  expires: \"{expires}\"\n"
    )
}

fn key(namespace: &str, name: &str) -> PodKey {
    PodKey {
        namespace: NamespaceName::new(namespace).expect("a name"),
        name: Arc::from(name),
    }
}

/// A pod of a ReplicaSet: on a node, or waiting and refused, or waiting and not looked at.
enum Pod<'a> {
    On(&'a str),
    Refused,
    New,
}

/// Takes a pod in, and lets both look at it; gives whether a pod that was woken is bound.
fn apply(
    (namespace, name): (&str, &str),
    pod: &Pod<'_>,
    (roster, retrying, scanning): (&mut Roster, &mut Retrying, &mut Scanning),
    now: Instant,
) -> bool {
    let node = match pod {
        Pod::On(node) => format!(r#""nodeName":"{node}""#),
        Pod::Refused | Pod::New => String::new(),
    };
    let condition = match pod {
        Pod::Refused => r#"{"type":"PodScheduled","status":"False","reason":"Unschedulable"}"#,
        Pod::On(_) | Pod::New => "",
    };
    let json = format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"{namespace}","uid":"u-{name}",
            "annotations":{{"domicile.dev/admitted-places":"nowhere"}},
            "ownerReferences":[{{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web","uid":"r1","controller":true}}]}},
            "spec":{{{node}}},"status":{{"conditions":[{condition}]}}}}"#
    );
    let pod = watched_pod_from_json(json.as_bytes()).expect("a pod");
    let News::Pod { key, was, is } = roster.take(Change::Apply(key(namespace, name), pod)) else {
        panic!("a pod of a whole list");
    };
    scanning.pod(&key, was.as_ref(), is.as_ref());
    retrying.pod(&key, was.as_ref(), is.as_ref(), now).is_some()
}

fn empty() -> (Roster, Retrying, Scanning) {
    let mut roster = Roster::default();
    roster.take(Change::ListBegins);
    roster.take(Change::ListEnds);
    (
        roster,
        Retrying::new(100),
        Scanning::new(Duration::from_secs(600)),
    )
}

/// Whom to wake at an instant, with what changed.
fn woken(retrying: &mut Retrying, roster: &Roster, now: Instant, at: Timestamp) -> Vec<(String, Cause)> {
    retrying.step(roster, now, at, || false);
    let mut woken = Vec::new();
    while let Some((key, retry)) = retrying.queue.next(now) {
        woken.push((key.name.to_string(), retry.reason.cause));
    }
    woken
}

#[test]
fn a_policy_that_permits_more_wakes_those_whom_it_admits_and_nobody_else() {
    let (mut roster, mut retrying, mut scanning) = empty();
    let start = Instant::now();
    for pod in [("shop", "a"), ("shop", "b"), ("shop-us", "c"), ("default", "d")] {
        apply(
            pod,
            &Pod::Refused,
            (&mut roster, &mut retrying, &mut scanning),
            start,
        );
    }
    apply(
        ("shop", "e"),
        &Pod::New,
        (&mut roster, &mut retrying, &mut scanning),
        start,
    );
    let on = Pod::On(IN_VIRGINIA);
    apply(
        ("shop", "f"),
        &on,
        (&mut roster, &mut retrying, &mut scanning),
        start,
    );
    // No node is in Iceland, so at the beginning only the pod that may run in the United States is woken.
    retrying.published(world("[IS]", ""), start, at());
    let beginning = vec![("c".to_owned(), Cause::Beginning)];
    assert_eq!(woken(&mut retrying, &roster, start, at()), beginning);

    let later = start + Duration::from_secs(60);
    retrying.published(world("[IS]", ""), later, at());
    retrying.published(world("[group/EEA]", ""), later, at());
    assert_eq!(
        woken(&mut retrying, &roster, later, at()),
        [],
        "they are gathered"
    );
    let due = retrying.due(later, at()).expect("something is due");
    assert!(due > later && due < later + Duration::from_secs(1));
    let admitted = ["a", "b"].map(|name| (name.to_owned(), Cause::Policies));
    assert_eq!(woken(&mut retrying, &roster, due, at()), admitted);
    assert_eq!(
        woken(&mut retrying, &roster, due + Duration::from_secs(5), at()),
        []
    );

    let on = Pod::On(IN_FRANKFURT);
    let all = (&mut roster, &mut retrying, &mut scanning);
    assert!(apply(("shop", "a"), &on, all, due), "its time is taken");
    let all = (&mut roster, &mut retrying, &mut scanning);
    assert!(!apply(("shop", "e"), &on, all, due), "it was never woken");
    // The other way round, nobody gains anything.
    let last = due + Duration::from_secs(60);
    retrying.published(world("[DE]", ""), last, at());
    assert_eq!(
        woken(&mut retrying, &roster, last + Duration::from_secs(1), at()),
        []
    );
}

#[test]
fn a_refusal_that_is_seen_right_after_the_change_is_held_against_it() {
    let (mut roster, mut retrying, mut scanning) = empty();
    let start = Instant::now();
    retrying.published(world("[IS]", ""), start, at());
    assert_eq!(woken(&mut retrying, &roster, start, at()), []);
    apply(
        ("shop", "a"),
        &Pod::New,
        (&mut roster, &mut retrying, &mut scanning),
        start,
    );
    retrying.published(world("[group/EEA]", ""), start, at());
    let changed = start + Duration::from_millis(500);
    assert_eq!(woken(&mut retrying, &roster, changed, at()), []);
    // kube-scheduler was told of the world before, and says so now.
    let late = changed + Duration::from_millis(500);
    apply(
        ("shop", "a"),
        &Pod::Refused,
        (&mut roster, &mut retrying, &mut scanning),
        late,
    );
    let admitted = vec![("a".to_owned(), Cause::Policies)];
    assert_eq!(woken(&mut retrying, &roster, late, at()), admitted);
    // Much later it is refused for another reason.
    let much_later = late + Duration::from_secs(60);
    apply(
        ("shop", "b"),
        &Pod::Refused,
        (&mut roster, &mut retrying, &mut scanning),
        much_later,
    );
    assert_eq!(woken(&mut retrying, &roster, much_later, at()), []);
}

#[test]
fn a_date_that_passes_is_a_change_and_is_due_when_it_does() {
    let (mut roster, mut retrying, mut scanning) = empty();
    let start = Instant::now();
    for pod in [("shop", "a"), ("shop-us", "c")] {
        apply(
            pod,
            &Pod::Refused,
            (&mut roster, &mut retrying, &mut scanning),
            start,
        );
    }
    let allowed = exception("2026-11-21T12:00:30Z", "2026-11-21T13:00:00Z");
    retrying.published(world("[IS]", &allowed), start, at());
    assert_eq!(
        woken(&mut retrying, &roster, start, at()).len(),
        1,
        "the beginning"
    );
    let due = retrying.due(start, at()).expect("the exception begins");
    let in_half_a_minute = start + Duration::from_secs(30);
    assert!((in_half_a_minute..in_half_a_minute + Duration::from_secs(1)).contains(&due));
    let begun = "2026-11-21T12:00:30.005Z".parse().expect("an instant");
    let admitted = vec![("a".to_owned(), Cause::Date)];
    assert_eq!(woken(&mut retrying, &roster, due, begun), admitted);
    // What ends admits nobody.
    let ended = "2026-11-21T13:00:00.005Z".parse().expect("an instant");
    assert_eq!(
        woken(&mut retrying, &roster, due + Duration::from_secs(3_570), ended),
        []
    );
}

/// Set, it may stand long after the date that is passed thereby, or after one of years ago.
#[test]
fn a_clock_that_is_set_changes_things_when_that_is_seen_and_not_hours_before() {
    let (mut roster, mut retrying, mut scanning) = empty();
    let start = Instant::now();
    let allowed = exception("2026-11-21T12:00:00Z", "2026-11-21T13:00:00Z");
    let [before, within, after] = ["11:00", "12:45", "13:30"].map(|time| {
        let instant = format!("2026-11-21T{time}:00Z");
        instant.parse::<Timestamp>().expect("an instant")
    });
    retrying.published(world("[IS]", &allowed), start, after);
    assert_eq!(woken(&mut retrying, &roster, start, after), []);
    for (seconds, name, at, admits) in [
        (10, "a", within, true),
        (20, "b", before, false),
        (30, "c", within, true),
    ] {
        let set = start + Duration::from_secs(seconds);
        assert_eq!(woken(&mut retrying, &roster, set, at), [], "nobody waits");
        // It was refused before, and that is seen now.
        let late = set + Duration::from_millis(500);
        apply(
            ("shop", name),
            &Pod::Refused,
            (&mut roster, &mut retrying, &mut scanning),
            late,
        );
        retrying.step(&roster, late, at, || false);
        let next = retrying.queue.next(late);
        assert_eq!(next.is_some(), admits, "{name}");
        if let Some((key, retry)) = next {
            assert_eq!((&*key.name, retry.reason.cause), (name, Cause::Date));
            assert_eq!(retry.reason.since, set, "{name}");
        }
        roster.take(Change::Delete(key("shop", name)));
    }
}

/// What the scan tells until nothing is due by `now`: Events with the kind of their object, and whether a scan ended.
fn scanned(
    scanning: &mut Scanning,
    roster: &Roster,
    now: Instant,
    at: Timestamp,
) -> (Vec<(EventReason, String, String)>, usize) {
    let mut told = Vec::new();
    while scanning.due(now, at).is_some_and(|due| due <= now) {
        scanning.step(roster, now, at, || false, &mut told);
    }
    let ended = told.iter().filter(|told| matches!(told, Told::Ended(_))).count();
    let events = told.into_iter().filter_map(|told| match told {
        Told::Event(event) => {
            let kind = match event.about {
                AboutKind::Pod => "Pod".to_owned(),
                AboutKind::Controller { kind, .. } => kind,
            };
            Some((event.reason, kind, event.name))
        }
        _ => None,
    });
    (events.collect(), ended)
}

fn count(scanning: &Scanning, kind: FindingKind) -> usize {
    scanning.counts().get(&kind).copied().unwrap_or(0)
}

#[test]
fn every_pod_is_scanned_at_the_start_after_a_change_and_again_and_told_once() {
    let (mut roster, mut retrying, mut scanning) = empty();
    let start = Instant::now();
    let on = Pod::On(IN_VIRGINIA);
    for (pod, place) in [
        (("shop", "strayed"), &on),
        (("shop-us", "home"), &on),
        (("shop", "confined"), &Pod::Refused),
        (("shop", "new"), &Pod::New),
    ] {
        apply(pod, place, (&mut roster, &mut retrying, &mut scanning), start);
    }
    scanning.published(&world("[IS]", ""), start);
    let soon = start + Duration::from_secs(1);
    let (mut told, ended) = scanned(&mut scanning, &roster, soon, at());
    told.sort_by(|one, other| (&one.1, &one.2).cmp(&(&other.1, &other.2)));
    let event = |reason, kind: &str, name: &str| (reason, kind.to_owned(), name.to_owned());
    let strayed = [
        event(EventReason::NoPermittedNode, "Pod", "confined"),
        event(EventReason::BoundWhereRefused, "Pod", "strayed"),
        event(EventReason::BoundWhereRefused, "ReplicaSet", "web"),
    ];
    assert_eq!((told.as_slice(), ended), (strayed.as_slice(), 1));
    assert_eq!(count(&scanning, FindingKind::BoundWhereRefused), 1);
    assert_eq!(count(&scanning, FindingKind::NoPermittedNode), 1);

    // One that kube-scheduler looks at later is told then.
    apply(
        ("shop", "new"),
        &Pod::Refused,
        (&mut roster, &mut retrying, &mut scanning),
        soon,
    );
    let news = vec![event(EventReason::NoPermittedNode, "Pod", "new")];
    assert_eq!(scanned(&mut scanning, &roster, soon, at()), (news, 0));

    // Again after the interval, with nothing new to tell; once an hour what is there is told anew.
    let interval = Duration::from_secs(601);
    assert_eq!(
        scanned(&mut scanning, &roster, soon + interval, at()),
        (Vec::new(), 1)
    );
    let hour = soon + Duration::from_secs(3_600);
    assert_eq!(scanned(&mut scanning, &roster, hour, at()).0.len(), 4);

    // A change asks for a scan by itself, and what is mended is gone.
    scanning.published(&world("[group/EEA, \"US\"]", ""), hour);
    let later = hour + Duration::from_secs(4);
    assert_eq!(scanned(&mut scanning, &roster, later, at()), (Vec::new(), 1));
    assert_eq!(count(&scanning, FindingKind::BoundWhereRefused), 0);
    assert_eq!(count(&scanning, FindingKind::NoPermittedNode), 0);
}

#[test]
fn a_pod_that_is_bound_past_us_is_found_at_once_and_forgotten_when_it_goes() {
    let (mut roster, mut retrying, mut scanning) = empty();
    let start = Instant::now();
    scanning.published(&world("[group/EEA]", ""), start);
    let soon = start + Duration::from_secs(1);
    assert_eq!(scanned(&mut scanning, &roster, soon, at()), (Vec::new(), 1));
    let on = Pod::On(IN_VIRGINIA);
    apply(
        ("shop", "strayed"),
        &on,
        (&mut roster, &mut retrying, &mut scanning),
        soon,
    );
    let (told, ended) = scanned(&mut scanning, &roster, soon, at());
    assert_eq!((told.len(), ended), (2, 0));
    assert_eq!(count(&scanning, FindingKind::BoundWhereRefused), 1);
    roster.take(Change::Delete(key("shop", "strayed")));
    scanning.pod(&key("shop", "strayed"), None, None);
    assert_eq!(count(&scanning, FindingKind::BoundWhereRefused), 0);
}

#[test]
fn an_exception_that_expires_leaves_its_pods_where_they_are_refused() {
    let (mut roster, mut retrying, mut scanning) = empty();
    let start = Instant::now();
    let on = Pod::On(IN_VIRGINIA);
    apply(
        ("shop", "lent"),
        &on,
        (&mut roster, &mut retrying, &mut scanning),
        start,
    );
    let allowed = exception("2026-11-01", "2026-11-21T12:00:30Z");
    scanning.published(&world("[group/EEA]", &allowed), start);
    let soon = start + Duration::from_secs(1);
    assert_eq!(scanned(&mut scanning, &roster, soon, at()), (Vec::new(), 1));
    let due = scanning.due(soon, at()).expect("the exception ends");
    assert!(
        due < soon + Duration::from_secs(32),
        "and not only after the interval"
    );
    let ended = "2026-11-21T12:00:30.5Z".parse().expect("an instant");
    let (told, scans) = scanned(&mut scanning, &roster, due, ended);
    assert_eq!((told.len(), scans), (2, 1));
}

#[test]
fn what_is_remembered_of_a_template_ends_with_the_exception_that_permits_it() {
    let (mut roster, mut retrying, mut scanning) = empty();
    let start = Instant::now();
    let allowed = exception("2026-11-01", "2026-11-21T12:00:30Z");
    scanning.published(&world("[group/EEA]", &allowed), start);
    let soon = start + Duration::from_secs(1);
    assert_eq!(scanned(&mut scanning, &roster, soon, at()), (Vec::new(), 1));
    let ended = "2026-11-21T12:00:30.5Z".parse().expect("an instant");
    for (name, at, refused) in [("one", at(), 0), ("two", at(), 0), ("three", ended, 1)] {
        apply(
            ("shop", name),
            &Pod::On(IN_VIRGINIA),
            (&mut roster, &mut retrying, &mut scanning),
            soon,
        );
        // This pod alone, not the scan that its date asks for.
        scanning.step(&roster, soon, at, || true, &mut Vec::new());
        assert_eq!(
            count(&scanning, FindingKind::BoundWhereRefused),
            refused,
            "{name}"
        );
    }
}

#[test]
fn nothing_is_scanned_while_the_api_server_is_away_and_all_when_it_is_back() {
    let (roster, _, mut scanning) = empty();
    let start = Instant::now();
    scanning.published(&world("[group/EEA]", ""), start);
    let soon = start + Duration::from_secs(1);
    assert_eq!(scanned(&mut scanning, &roster, soon, at()), (Vec::new(), 1));
    scanning.published(&world_confirmed("[group/EEA]", "", Some(at())), soon);
    let later = soon + Duration::from_secs(3_600);
    assert_eq!(scanning.due(later, at()), None);
    assert_eq!(scanned(&mut scanning, &roster, later, at()), (Vec::new(), 0));
    scanning.published(&world("[group/EEA]", ""), later);
    let back = later + Duration::from_secs(1);
    assert_eq!(scanned(&mut scanning, &roster, back, at()), (Vec::new(), 1));
}
