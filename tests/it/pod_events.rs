//! What a pod is told by Events: a node that may host it is missing, or a policy warns.

use domicile::metrics::Metrics;
use domicile::objects::pod_from_json;
use domicile::placement::assess;
use domicile::pod_events::{EventReason, PodEvents, pod_events, stale_event};
use domicile::snapshot::Snapshot;

use crate::world::{NOW, fleet, policies, policies_with, snapshot};

fn told(world: &Snapshot) -> Vec<(EventReason, String)> {
    let pod =
        pod_from_json(br#"{"metadata":{"name":"web","namespace":"shop","uid":"u1"},"spec":{}}"#).unwrap();
    let assessment = assess(world, &pod, NOW.parse().unwrap());
    let events = pod_events(&assessment, &pod).into_iter();
    events
        .map(|event| {
            assert_eq!(
                (event.namespace.as_str(), event.name.as_str(), event.uid.as_str()),
                ("shop", "web", "u1")
            );
            (event.reason, event.sentence)
        })
        .collect()
}

#[test]
fn a_pod_that_no_node_may_host_is_told_the_sentence_of_its_refusal() {
    let nowhere = snapshot(policies(&[]), fleet(&[("aws/us-east-1", 2)]));
    let events = told(&nowhere);
    let [(EventReason::NoPermittedNode, sentence)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert!(sentence.contains("permits only group EEA"), "{sentence}");
    let somewhere = snapshot(
        policies(&[]),
        fleet(&[("aws/us-east-1", 2), ("aws/eu-central-1", 1)]),
    );
    assert_eq!(told(&somewhere), []);
}

#[test]
fn a_policy_in_mode_warn_tells_what_it_would_permit() {
    let set = || policies_with("eea-personal-data.yaml", &[("mode: enforce", "mode: warn")]);
    let warned = snapshot(set(), fleet(&[("aws/us-east-1", 2)]));
    let events = told(&warned);
    let [(EventReason::PolicyWarning, sentence)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert!(
        sentence.starts_with("domicile: not enforced yet: `") && sentence.contains("permits only group EEA"),
        "{sentence}"
    );
    let nothing_to_warn_of = snapshot(set(), fleet(&[("aws/eu-central-1", 2)]));
    assert_eq!(told(&nothing_to_warn_of), []);
}

#[test]
fn where_the_settings_only_observe_nobody_is_told_anything() {
    let observing = policies(&[("mode: enforce", "mode: observe")]);
    assert_eq!(told(&snapshot(observing, fleet(&[("aws/us-east-1", 2)]))), []);
}

#[test]
fn events_without_room_are_counted_and_nobody_waits() {
    let metrics = Metrics::new();
    let (events, mut waiting) = PodEvents::queue(metrics.pod_events());
    let nowhere = snapshot(policies(&[]), fleet(&[("aws/us-east-1", 2)]));
    let pod = pod_from_json(br#"{"metadata":{"name":"web","namespace":"shop"},"spec":{}}"#).unwrap();
    let assessment = assess(&nowhere, &pod, NOW.parse().unwrap());
    for _ in 0..1_100 {
        events.tell(&assessment, &pod);
    }
    let mut queued = 0;
    while waiting.try_recv().is_ok() {
        queued += 1;
    }
    assert_eq!(metrics.pod_events().lost.get(), 1_100 - queued);
    assert!(queued >= 1_000, "{queued}");
    let text = metrics.encode(NOW.parse().unwrap());
    assert!(text.contains("domicile_pod_events_lost_total 76"), "{text}");
}

#[test]
fn a_pod_that_waits_with_an_affinity_older_than_the_policies_is_told_so() {
    let admitted = |owner: &str| {
        let json = format!(
            r#"{{"metadata":{{"name":"web","namespace":"shop","uid":"u1"{owner},
                "annotations":{{"domicile.dev/admitted-places":"aws/eu-central-1, aws/eusc-de-east-1, aws/eu-west-1"}}}},"spec":{{}}}}"#
        );
        pod_from_json(json.as_bytes()).unwrap()
    };
    let event = |world: &Snapshot, owner: &str| {
        let pod = admitted(owner);
        stale_event(&assess(world, &pod, NOW.parse().unwrap()), &pod)
    };
    let fleet = || fleet(&[("aws/eu-central-1", 1)]);
    let wider = snapshot(policies(&[]), fleet());
    let told = event(
        &wider,
        r#","ownerReferences":[{"kind":"ReplicaSet","name":"web","controller":true}]"#,
    )
    .unwrap();
    assert_eq!(
        (told.reason, told.uid.as_str()),
        (EventReason::StaleNodeAffinity, "u1")
    );
    assert!(
        told.sentence.starts_with(
            "domicile: its node affinity is older than the policies: it keeps the pod from aws/eu-"
        ) && told.sentence.ends_with(
            "delete the pod, so that its controller makes it anew: nobody can widen the affinity of a pod"
        ),
        "{}",
        told.sentence
    );
    let alone = event(&wider, "").unwrap();
    assert!(alone.sentence.contains("create it anew"), "{}", alone.sentence);
    // Narrowed is refused by the filter, and observed binds nobody.
    let narrower = policies_with(
        "eea-personal-data.yaml",
        &[("allowed: [group/EEA]", "allowed: [DE]")],
    );
    assert_eq!(event(&snapshot(narrower, fleet()), ""), None);
    let observing = policies(&[("mode: enforce", "mode: observe")]);
    assert_eq!(event(&snapshot(observing, fleet()), ""), None);
}
