//! Copies of data that are in the cluster, from a fleet file to answers: where a pod is drawn, what refuses it, what is
//! told and recorded (docs/data-sets.md).

use domicile::placement::assess;
use serde_json::json;

use crate::storage_world::{
    Cluster, EBS, NODES, STREAM, best, explained, member, names, pod, reader, scores,
};

#[test]
fn pods_are_drawn_to_the_volumes_that_hold_a_data_set() {
    let mut cluster = Cluster::new();
    assert_eq!(
        scores(&cluster.facts(), &reader("stream")),
        [Some(0); 5],
        "nobody knows where it is"
    );
    cluster.claim("data-db-0", "at-once", names("stream"), Some((EBS, "us-east-1a")));
    let facts = cluster.facts();
    assert_eq!(best(&facts, &reader("stream")), ["virginia"]);
    // A local volume is where its node is.
    cluster.claim(
        "data-db-1",
        "at-once",
        names("stream"),
        Some(("kubernetes.io/hostname", "dublin")),
    );
    assert_eq!(best(&cluster.facts(), &reader("stream")), ["dublin", "virginia"]);
    // A claim that is not bound holds nothing.
    let mut unbound = Cluster::new();
    unbound.claim("data-db-0", "waits", names("stream"), None);
    assert_eq!(scores(&unbound.facts(), &reader("stream")), [Some(0); 5]);
}

#[test]
fn the_template_of_a_stateful_set_speaks_for_its_volumes_and_its_labels_tell_roles() {
    let mut cluster = Cluster::new();
    cluster.data_sets[0] = STREAM.replace(
        "consistency: available",
        "consistency: strict\n  members: {namespaces: [shop]}",
    );
    for (number, node, zone, role) in [
        (0, "dublin", "eu-west-1a", "replica"),
        (1, "virginia", "us-east-1a", "primary"),
    ] {
        cluster.claim(
            &format!("data-db-{number}"),
            "at-once",
            json!({}),
            Some((EBS, zone)),
        );
        cluster.member(number, node, json!({"cnpg.io/instanceRole": role}), true);
        let last = cluster.items.len() - 1;
        cluster.items[last]["metadata"]["annotations"] = names("stream");
    }
    let facts = cluster.facts();
    assert_eq!(
        best(&facts, &reader("stream: reads=1 writes=1")),
        ["virginia"],
        "strict reads go to the leader"
    );
    let (json, text) = explained(&facts, &reader("stream"), "virginia");
    let replica = &json["access"]["legs"][0]["replica"];
    assert_eq!(
        (&replica["role"], &replica["found"]["pod"]),
        (&json!("leader"), &json!("db-1"))
    );
    assert_eq!(replica["found"]["ordinal"], 1);
    assert!(
        text.contains("to the leader in aws/us-east-1 (pod `db-1`)"),
        "{text}"
    );
}

#[test]
fn a_copy_that_is_not_ready_counts_less_and_is_said_to() {
    let facts = |ready: bool| {
        let mut cluster = Cluster::new();
        for (number, node, zone) in [(0, "frankfurt-a", "eu-central-1a"), (1, "dublin", "eu-west-1a")] {
            cluster.claim(
                &format!("data-db-{number}"),
                "at-once",
                names("stream"),
                Some((EBS, zone)),
            );
            cluster.member(number, node, json!({"app": "db"}), number > 0 || ready);
        }
        cluster.facts()
    };
    let web = reader("stream");
    assert_eq!(best(&facts(true), &web), ["frankfurt-a", "frankfurt-b", "dublin"]);
    let unready = facts(false);
    assert_eq!(best(&unready, &web), ["dublin"]);
    let (json, text) = explained(&unready, &web, "frankfurt-a");
    assert_eq!(
        json["access"]["legs"][0]["replica"]["found"]["health"],
        "not-ready"
    );
    assert!(
        text.contains("(pod `db-0` that is not ready: it counts 25 ms more)"),
        "{text}"
    );
}

#[test]
fn whoever_only_writes_claims_satisfies_no_rule_unless_the_data_set_says_so() {
    let policy = "
apiVersion: domicile.dev/v1alpha1
kind: PlacementPolicy
metadata: {name: streams}
spec:
  title: Streams are read from a copy in Ireland
  owner: {team: privacy-office, contact: dpo@corp.example}
  legalBasis: [{cite: a contract}]
  mode: enforce
  appliesTo: {dataSets: [stream]}
  rules:
    - {id: place, allowed: [anywhere]}
    - {id: copy, reads: {fromReplicaIn: [\"IE\"]}}
";
    let mut cluster = Cluster::new();
    cluster
        .policies
        .push(("streams.yaml".to_owned(), policy.to_owned()));
    cluster.claim("data-db-0", "at-once", names("stream"), Some((EBS, "eu-west-1a")));
    let permitted = |cluster: &Cluster| {
        scores(&cluster.facts(), &reader("stream"))
            .into_iter()
            .flatten()
            .count()
    };
    assert_eq!(permitted(&cluster), 0, "a claim alone is not believed");
    cluster.data_sets[0] = STREAM.replace("consistency:", "members: {namespaces: [shop]}\n  consistency:");
    assert_eq!(permitted(&cluster), NODES.len());
    cluster.data_sets[0] = STREAM.to_owned();
    let volume = cluster
        .items
        .iter_mut()
        .find(|item| item["kind"] == "PersistentVolume")
        .unwrap();
    volume["metadata"]["annotations"] = names("stream");
    assert_eq!(permitted(&cluster), NODES.len(), "whoever runs the storage is");
}

#[test]
fn a_pod_with_a_bound_volume_is_scored_and_told_where_the_volume_is() {
    let mut cluster = Cluster::new();
    cluster.claim("data-db-0", "at-once", json!({}), Some((EBS, "us-east-1a")));
    cluster.claim(
        "data-db-1",
        "at-once",
        json!({}),
        Some(("kubernetes.io/hostname", "sydney")),
    );
    let facts = cluster.facts();
    assert_eq!(best(&facts, &pod(&member(0))), ["virginia"]);
    let (json, text) = explained(&facts, &pod(&member(0)), "dublin");
    assert_eq!(
        json["volumes"][0]["bound"]["places"],
        json!(["aws/us-east-1/us-east-1a"])
    );
    assert_eq!(json["access"]["legs"][0]["leg"], "volume");
    assert!(
        text.contains("its volume `pv-data-db-0` (in aws/us-east-1/us-east-1a): "),
        "{text}"
    );
    assert_eq!(best(&facts, &pod(&member(1))), ["sydney"]);
    let (_, text) = explained(&facts, &pod(&member(1)), "sydney");
    assert!(
        text.contains("local to node `sydney` in aws/ap-southeast-2/ap-southeast-2a"),
        "{text}"
    );
}

#[test]
fn a_pod_whose_claim_is_not_bound_creates_data_where_it_lands() {
    let outside_of_place =
        |text: &str| text.replace("[process, store, replicate], allowed", "[replicate], allowed");
    let mut cluster = Cluster::new();
    // Only where copies are is Australia's: what processes and stores may be elsewhere too.
    for (name, text) in &mut cluster.policies {
        if name == "au-my-health-record.yaml" {
            *text = outside_of_place(text);
        }
        if name == "settings.yaml" {
            *text = text.replace("uncovered: deny", "uncovered: allow");
        }
    }
    // Its guarantee no longer holds.
    cluster
        .policies
        .retain(|(name, _)| !name.contains("guarantees/") && !name.contains("tests/"));
    cluster.claim("data-db-0", "waits", names("records"), None);
    cluster.claim("data-db-1", "at-once", names("records"), None);
    cluster.claim("data-db-2", "waits", names("records"), Some((EBS, "us-east-1a")));
    let facts = cluster.facts();
    let permitted = |number| {
        let assessment = assess(&facts.snapshot, &pod(&member(number)), facts.at);
        let permits = |name: &str| assessment.permits(facts.snapshot.class_of(name.as_bytes()));
        let names = NODES.iter().map(|(name, ..)| *name).filter(|name| permits(name));
        names.collect::<Vec<_>>()
    };
    assert_eq!(permitted(0), ["sydney"]);
    assert_eq!(
        permitted(1).len(),
        NODES.len(),
        "the volume is made whatever node it gets"
    );
    assert_eq!(permitted(2).len(), NODES.len(), "it has its data already");
    let (json, text) = explained(&facts, &pod(&member(0)), "dublin");
    let sentence = json["sentence"].as_str().unwrap();
    assert!(
        sentence.contains("its claim `data-db-0` is not bound so the pod creates data where it runs"),
        "{sentence}"
    );
    assert!(!sentence.contains(", "), "{sentence}");
    assert_eq!(json["volumes"][0]["creates"], true);
    assert!(
        text.contains("claim `data-db-0`: not bound, so the pod creates data"),
        "{text}"
    );
}

/// A claim that became unknown once permitted more than the same claim, known and not bound.
#[test]
fn a_claim_that_nobody_knows_may_wait_for_the_pod() {
    let mut cluster = Cluster::new();
    cluster.claim("data-db-0", "waits", names("records"), None);
    let (json, text) = explained(&cluster.facts(), &pod(&member(7)), "dublin");
    assert_eq!(json["volumes"][0]["known"], false);
    assert_eq!(json["volumes"][0]["creates"], true);
    assert!(
        text.contains("claim `data-db-7`: not known, so the pod may create data"),
        "{text}"
    );
}
