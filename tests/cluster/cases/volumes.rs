//! Where data really is, by the volumes of a live cluster: copies that are found, members that are not ready, pods that
//! create data where they land, and the last copy, which preemption spares. Nothing binds volumes or runs pods here, so
//! claims are bound and readiness is reported by hand.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::ResourceExt as _;
use kube::api::PostParams;
use serde_json::{Value, json};

use super::fleet::aws;
use super::stand::{LIMIT, Plan, Stand};
use crate::objects::{Node, Pod};
use crate::scheduler::Mode;
use crate::storage::MadeVolume;
use crate::{http, waiting};

const ZONE: &str = "topology.kubernetes.io/zone";
const DATA_SETS: &str = "domicile.dev/data-sets";

/// A data set of which nothing is declared but what it is; `shop` may hold copies.
fn data_set(name: &str) -> String {
    format!(
        "apiVersion: domicile.dev/v1alpha1\nkind: DataSet\nmetadata: {{name: {name}}}\nspec:\n  \
         profile: {{classification: public, categories: [none], subjects: [none]}}\n  consistency: available\n  \
         members: {{namespaces: [shop]}}\n  replicas: []\n"
    )
}

/// A policy with a rule about one data set.
fn policy(data_set: &str, rule: &str) -> String {
    format!(
        "apiVersion: domicile.dev/v1alpha1\nkind: PlacementPolicy\nmetadata: {{name: own-{data_set}}}\nspec:\n  \
         title: What is asked of {data_set}\n  owner: {{team: clinical-compliance, contact: clinical@corp.example}}\n  \
         legalBasis: [{{cite: a contract}}]\n  mode: enforce\n  appliesTo: {{dataSets: [{data_set}]}}\n  \
         rules: [{{id: place, allowed: [anywhere]}}, {rule}]\n"
    )
}

/// One kube-scheduler, a namespace `shop` without data of its own, and these documents among the policies.
async fn plan(name: &str, nodes: impl IntoIterator<Item = Node>, documents: &[String]) -> Plan {
    let mut plan = Plan::begin(name).await.one_mode(Mode::NamesOnly);
    let folder = plan.own_policies();
    // They hold for the shipped policies, and not beside one that permits its data anywhere.
    std::fs::remove_dir_all(folder.join("guarantees")).expect("the copy can be written");
    std::fs::write(folder.join("own.yaml"), documents.join("---\n")).expect("the copy can be written");
    let plan = plan.nodes(nodes).await;
    plan.namespace("shop", &[("domicile.dev/data", "none")]).await
}

fn volume<'a>(name: &'a str, zone: &'a str) -> MadeVolume<'a> {
    MadeVolume {
        name,
        on: (ZONE, zone),
        ..MadeVolume::default()
    }
}

fn mounting(pod: Pod, claim: &str) -> Pod {
    pod.with(
        "volumes",
        json!([{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]),
    )
}

fn on(node: &str) -> Value {
    json!([{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}])
}

/// A pod `db-N` as the controller of StatefulSets makes them, on a node, with a volume in a zone.
async fn member(stand: &Stand, number: u32, place: (&str, &str), role: &str, named: &str) -> core::Pod {
    let (node, zone) = place;
    let (cluster, claim) = (stand.cluster(), format!("data-db-{number}"));
    let of_claim = volume(&claim, zone);
    cluster
        .create_bound_claim(("shop", &claim), &[(DATA_SETS, named)], &of_claim)
        .await;
    let name = format!("db-{number}");
    let pod = Pod::named(&name)
        .in_namespace("shop")
        .label("apps.kubernetes.io/pod-index", &number.to_string())
        .label("statefulset.kubernetes.io/pod-name", &name)
        .label("cnpg.io/instanceRole", role)
        .priority(1)
        .cpu("800m")
        .on_node(node);
    if let Some(priority) = pod.priority {
        cluster.ensure_priority_class(priority).await;
    }
    let mut pod = mounting(pod, &claim).object();
    pod.metadata.owner_references = Some(vec![OwnerReference {
        api_version: "apps/v1".to_owned(),
        kind: "StatefulSet".to_owned(),
        name: "db".to_owned(),
        uid: "11111111-2222-3333-4444-555555555555".to_owned(),
        controller: Some(true),
        ..OwnerReference::default()
    }]);
    let made = cluster.pods("shop").create(&PostParams::default(), &pod).await;
    let made = made.expect("the API server takes the pod");
    cluster.report_ready(&made, true).await;
    made
}

/// What domicile answers now to a question about a pod.
async fn asked(stand: &Stand, path: &str, body: Value) -> Value {
    let body = body.to_string();
    let answer = http::exchange(stand.domicile.address(), "POST", path, body.as_bytes()).await;
    let answer = answer.expect("domicile answers");
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_str(&answer.text()).expect("an answer is JSON")
}

/// Waits until domicile prefers exactly these nodes for a pod; by the scores that kube-scheduler would be given.
async fn until_best(stand: &Stand, manifest: &Value, nodes: &[&str], expected: &[&str]) {
    let what = format!("{expected:?} are best for {}", manifest["metadata"]["name"]);
    waiting::until(&what, LIMIT, async || {
        let body = json!({"Pod": manifest, "Nodes": null, "NodeNames": nodes});
        let answer = asked(stand, "/prioritize", body).await;
        let scores = answer.as_array().cloned().unwrap_or_default();
        let best = scores.iter().map(|score| score["Score"].as_u64()).max();
        let best = scores
            .iter()
            .filter(|score| Some(score["Score"].as_u64()) == best);
        let best: BTreeSet<&str> = best.filter_map(|score| score["Host"].as_str()).collect();
        match best == expected.iter().copied().collect() {
            true => Ok(()),
            false => Err(answer.to_string()),
        }
    })
    .await;
}

fn reader(data_set: &str) -> Value {
    json!({"metadata": {"name": "reader", "namespace": "shop", "annotations": {DATA_SETS: data_set}}, "spec": {}})
}

/// What `domicile why` says of a pod over a snapshot of the live cluster.
fn why(stand: &Stand, manifest: &Value, node: &str) -> String {
    let (directory, plane) = (&stand.scenario.directory, stand.scenario.plane);
    let (snapshot, pod) = (directory.join("world.json"), directory.join("asked.json"));
    let mut whole = manifest.clone();
    whole["apiVersion"] = json!("v1");
    whole["kind"] = json!("Pod");
    std::fs::write(&pod, whole.to_string()).expect("the temporary folder can be written");
    let run = |arguments: &[&std::ffi::OsStr]| {
        let output = Command::new(env!("CARGO_BIN_EXE_domicile"))
            .args(arguments)
            .env("KUBECONFIG", plane.administrator())
            .output()
            .expect("domicile can be started");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code().is_some_and(|code| code < 2), "{said}{wrong}");
        said
    };
    let policies = directory.join("policies");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let latency = root.join("defaults/latency.csv");
    run(&[
        "snapshot".as_ref(),
        snapshot.as_ref(),
        "--cluster".as_ref(),
        "--policies".as_ref(),
        policies.as_ref(),
        "--latency".as_ref(),
        latency.as_ref(),
    ]);
    run(&[
        "why".as_ref(),
        pod.as_ref(),
        "--node".as_ref(),
        node.as_ref(),
        "--snapshot".as_ref(),
        snapshot.as_ref(),
    ])
}

fn has_reason(record: &Value, code: &str) -> bool {
    let reasons = record["reasons"].as_array().into_iter().flatten();
    reasons.into_iter().any(|reason| reason["code"] == code)
}

#[tokio::test(flavor = "multi_thread")]
async fn volumes_are_copies_whatever_names_the_data_set_and_pods_go_to_them() {
    const NODES: [&str; 3] = ["frankfurt", "virginia", "sydney"];
    let documents = [
        data_set("by-claim"),
        data_set("by-volume"),
        data_set("by-class"),
        policy("by-volume", "{id: copy, reads: {fromReplicaIn: [DE]}}"),
    ];
    let nodes = [
        aws("frankfurt", "eu-central-1"),
        aws("virginia", "us-east-1"),
        aws("sydney", "ap-southeast-2"),
    ];
    let stand = plan("volumes-copies", nodes, &documents).await.start().await;
    stand.until_nodes(3).await;
    let (cluster, lane) = (stand.cluster(), &stand.lanes[0]);
    cluster
        .create_storage_class("archive", "Immediate", &[(DATA_SETS, "by-class")])
        .await;
    let none = &[][..];
    cluster
        .create_bound_claim(
            ("shop", "of-claim"),
            &[(DATA_SETS, "by-claim")],
            &volume("pv-claim", "us-east-1a"),
        )
        .await;
    cluster
        .create_bound_claim(("shop", "of-volume"), none, &volume("pv-volume", "eu-central-1a"))
        .await;
    let archived = MadeVolume {
        class: "archive",
        ..volume("pv-class", "ap-southeast-2a")
    };
    cluster
        .create_bound_claim(("shop", "of-class"), none, &archived)
        .await;
    let using =
        |name: &str, data_set: &str| lane.pod(name).in_namespace("shop").annotate(DATA_SETS, data_set);
    until_best(&stand, &reader("by-claim"), &NODES, &["virginia"]).await;
    until_best(&stand, &reader("by-class"), &NODES, &["sydney"]).await;
    for (data_set, node) in [("by-claim", "virginia"), ("by-class", "sydney")] {
        let pod = cluster.create_pod(&using(data_set, data_set)).await;
        assert_eq!(cluster.until_bound(&pod, LIMIT).await, node, "{data_set}");
    }

    // Until the volume says what it holds no copy is in Germany, and reading from there is what is asked.
    let waiting = cluster.create_pod(&using("by-volume", "by-volume")).await;
    cluster.until_refused(&waiting, "own-by-volume/copy", LIMIT).await;
    cluster
        .annotate_volume("pv-volume", &[(DATA_SETS, "by-volume")])
        .await;
    until_best(&stand, &reader("by-volume"), &NODES, &["frankfurt"]).await;
    assert_eq!(cluster.until_bound(&waiting, 2 * LIMIT).await, "frankfurt");

    // Who mounts the volume itself goes where it can be reached, and is scored and explained so.
    let mounts = mounting(lane.pod("mounts").in_namespace("shop"), "of-claim");
    let pod = cluster.create_pod(&mounts).await;
    assert_eq!(cluster.until_bound(&pod, LIMIT).await, "virginia");
    let manifest = serde_json::to_value(mounts.object()).expect("a pod is JSON");
    until_best(&stand, &manifest, &NODES, &["virginia"]).await;
    let told = why(&stand, &manifest, "sydney");
    for said in [
        "claim `of-claim`: volume `pv-claim`, in aws/us-east-1/us-east-1a",
        "its volume `pv-claim` (in aws/us-east-1/us-east-1a): ",
    ] {
        assert!(told.contains(said), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_a_stateful_set_are_copies_and_one_that_is_not_ready_counts_less() {
    const NODES: [&str; 3] = ["frankfurt", "dublin", "virginia"];
    let strict = data_set("ledger").replace("available", "strict");
    let nodes = [
        aws("frankfurt", "eu-central-1"),
        aws("dublin", "eu-west-1"),
        aws("virginia", "us-east-1"),
    ];
    let stand = plan("volumes-members", nodes, &[data_set("stream"), strict])
        .await
        .start()
        .await;
    stand.until_nodes(3).await;
    let (cluster, lane) = (stand.cluster(), &stand.lanes[0]);
    let both = "stream; ledger";
    let first = member(&stand, 0, ("frankfurt", "eu-central-1a"), "replica", both).await;
    member(&stand, 1, ("dublin", "eu-west-1a"), "primary", both).await;
    until_best(&stand, &reader("ledger: reads=1 writes=1"), &NODES, &["dublin"]).await;
    until_best(&stand, &reader("stream"), &NODES, &["frankfurt", "dublin"]).await;
    let told = why(&stand, &reader("ledger: reads=1 writes=1"), "frankfurt");
    assert!(
        told.contains("to the leader in aws/eu-west-1 (pod `db-1`)"),
        "{told}"
    );

    cluster.report_ready(&first, false).await;
    until_best(&stand, &reader("stream"), &NODES, &["dublin"]).await;
    let pod = lane
        .pod("reads")
        .in_namespace("shop")
        .annotate(DATA_SETS, "stream");
    let pod = cluster.create_pod(&pod).await;
    assert_eq!(cluster.until_bound(&pod, LIMIT).await, "dublin");
    let records = stand.until_records(&pod, 2).await;
    let degraded = json!([{"data_set": "stream", "copies": 2, "unready": 1}]);
    assert!(
        records.iter().all(|record| record["degraded"] == degraded),
        "{records:?}"
    );
    let told = why(&stand, &reader("stream"), "frankfurt");
    assert!(
        told.contains("(pod `db-0` that is not ready: it counts 25 ms more)"),
        "{told}"
    );

    // A new ordinal of the set is drawn to its predecessor.
    cluster
        .create_storage_class("waits", "WaitForFirstConsumer", &[])
        .await;
    cluster
        .create_claim("shop", "data-db-2", "waits", &[(DATA_SETS, "stream")])
        .await;
    let mut new =
        serde_json::to_value(mounting(Pod::named("db-2").in_namespace("shop"), "data-db-2").object())
            .expect("a pod is JSON");
    new["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "s", "controller": true}]);
    until_best(&stand, &new, &NODES, &["dublin"]).await;
    let told = why(&stand, &new, "dublin");
    for said in [
        "cloning `stream` from pod `db-1` in aws/eu-west-1/eu-west-1a: ",
        "its failure domain has 1 copy of `stream` already",
    ] {
        assert!(told.contains(said), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_whose_claim_waits_for_it_stores_only_where_copies_may_be() {
    let documents = [
        data_set("records"),
        policy("records", "{id: copies, replica: {noneOutside: [AU]}}"),
    ];
    let nodes = [aws("frankfurt", "eu-central-1"), aws("sydney", "ap-southeast-2")];
    let stand = plan("volumes-first-consumer", nodes, &documents)
        .await
        .start()
        .await;
    stand.until_nodes(2).await;
    let (cluster, lane) = (stand.cluster(), &stand.lanes[0]);
    cluster
        .create_storage_class("waits", "WaitForFirstConsumer", &[])
        .await;
    for claim in ["data-stuck", "data-home"] {
        cluster
            .create_claim("shop", claim, "waits", &[(DATA_SETS, "records")])
            .await;
    }
    // Both claims are known; what is not would be refused for that.
    let first = json!({"metadata": {"name": "asked", "namespace": "shop"}, "spec": {"volumes": [
        {"name": "a", "persistentVolumeClaim": {"claimName": "data-stuck"}},
        {"name": "b", "persistentVolumeClaim": {"claimName": "data-home"}},
    ]}});
    waiting::until("sydney alone is permitted", LIMIT, async || {
        let names = ["frankfurt", "sydney"];
        let answer = asked(
            &stand,
            "/filter",
            json!({"Pod": first, "Nodes": null, "NodeNames": names}),
        )
        .await;
        match answer["NodeNames"] == json!(["sydney"]) {
            true => Ok(()),
            false => Err(answer.to_string()),
        }
    })
    .await;
    let stuck = mounting(lane.pod("stuck").in_namespace("shop"), "data-stuck").requires(on("frankfurt"));
    let stuck = cluster.create_pod(&stuck).await;
    let sentence = "its claim `data-stuck` is not bound so the pod creates data where it runs";
    let message = cluster.until_refused(&stuck, sentence, LIMIT).await;
    assert!(message.contains("own-records/copies"), "{message}");
    let records = stand.until_records(&stuck, 1).await;
    assert_eq!(records[0]["creates"], json!(["data-stuck"]), "{records:?}");
    assert_eq!(records[0]["verdict"], "refused", "{records:?}");

    let home = mounting(lane.pod("home").in_namespace("shop"), "data-home");
    let home = cluster.create_pod(&home).await;
    assert_eq!(
        cluster.until_volume_wanted("shop", "data-home", LIMIT).await,
        "sydney"
    );
    let made = MadeVolume {
        class: "waits",
        ..volume("pv-home", "ap-southeast-2a")
    };
    cluster.provision("shop", "data-home", &made).await;
    assert_eq!(cluster.until_bound(&home, LIMIT).await, "sydney");
    assert_eq!(cluster.node_of(&stuck).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn preemption_spares_the_last_permitted_copy_and_the_record_says_why() {
    let documents = [
        data_set("records"),
        policy("records", "{id: copies, replica: {noneOutside: [AU]}}"),
    ];
    let nodes = [
        aws("sydney", "ap-southeast-2").cpu("1"),
        aws("frankfurt", "eu-central-1").cpu("1"),
        aws("virginia", "us-east-1").cpu("1"),
    ];
    let stand = plan("volumes-preemption", nodes, &documents).await.start().await;
    stand.until_nodes(3).await;
    let (cluster, lane) = (stand.cluster(), &stand.lanes[0]);
    let last = member(&stand, 0, ("sydney", "ap-southeast-2a"), "primary", "records").await;
    // A copy where none may be saves nobody.
    let stray = member(&stand, 1, ("virginia", "us-east-1a"), "replica", "records").await;
    // More important than the member, so that kube-scheduler by itself would take that.
    let busy = Pod::named("busy").cpu("800m").priority(10).on_node("frankfurt");
    let busy = cluster.create_pod(&busy).await;
    let until_spared = async |is_spared: bool| {
        let uid = last.uid();
        waiting::until("domicile knows who holds which copy", LIMIT, async || {
            let victims = json!({"sydney": {"Pods": [{"UID": uid}], "NumPDBViolations": 0}});
            let pod = json!({"metadata": {"name": "asked", "namespace": "default"}, "spec": {}});
            let body = json!({"Pod": pod, "NodeNameToVictims": null, "NodeNameToMetaVictims": victims});
            let answer = asked(&stand, "/preempt", body).await;
            match answer["NodeNameToMetaVictims"].get("sydney").is_none() == is_spared {
                true => Ok(()),
                false => Err(answer.to_string()),
            }
        })
        .await;
    };
    until_spared(true).await;

    let important = |name: &str| lane.pod(name).cpu("800m").priority(1_000);
    let only_there = cluster
        .create_pod(&important("only-there").requires(on("sydney")))
        .await;
    let preempted = |records: Vec<Value>| {
        let preempted = records.into_iter().filter(|record| record["verb"] == "preempt");
        preempted.collect::<Vec<Value>>()
    };
    let of_preemption = async |pod: &core::Pod| {
        waiting::until("preemption is recorded", LIMIT, async || {
            let records = preempted(stand.until_records(pod, 1).await);
            records.first().cloned().ok_or_else(|| "it is not".to_owned())
        })
        .await
    };
    let record = of_preemption(&only_there).await;
    assert_eq!(record["verdict"], "refused", "{record}");
    assert_eq!(record["last_copies"], json!(["records"]), "{record}");
    let sentence = "domicile: no pod is evicted that holds the last permitted copy of `records`";
    assert_eq!(record["sentence"], sentence, "{record}");
    cluster
        .expect_pending_for(&only_there, Duration::from_secs(2))
        .await;
    assert!(cluster.node_of(&last).await.is_ok(), "the last copy stays");

    // Where there is a choice, kube-scheduler takes one that is left.
    let anywhere = important("anywhere").requires(json!([
        {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["sydney", "frankfurt"]}]},
    ]));
    let anywhere = cluster.create_pod(&anywhere).await;
    assert_eq!(cluster.until_bound(&anywhere, LIMIT).await, "frankfurt");
    cluster.until_gone(&busy, LIMIT).await;
    let record = of_preemption(&anywhere).await;
    assert!(has_reason(&record, "last-copy"), "{record}");
    let counts = (&record["candidates"], &record["permitted"], &record["verdict"]);
    assert_eq!(counts, (&json!(2), &json!(1), &json!("permitted")), "{record}");
    for pod in [&last, &stray] {
        assert!(cluster.node_of(pod).await.is_ok(), "members stay");
    }
    let manifest = serde_json::to_value(&last).expect("a pod is JSON");
    let told = why(&stand, &manifest, "sydney");
    assert!(
        told.contains("no permitted copy of `records` would be ready"),
        "{told}"
    );

    // With another copy that may be where it is, and is ready, the first is a victim like others.
    cluster
        .create_nodes([aws("melbourne", "ap-southeast-4").cpu("1")])
        .await;
    member(&stand, 2, ("melbourne", "ap-southeast-4a"), "replica", "records").await;
    until_spared(false).await;
    let at_last = cluster
        .create_pod(&important("at-last").requires(on("sydney")))
        .await;
    cluster.until_gone(&last, LIMIT).await;
    let bound = async |pod: &core::Pod| cluster.node_of(pod).await.ok().flatten();
    waiting::until("sydney is taken", 2 * LIMIT, async || {
        // The pod that was refused may have been tried again first.
        let nodes = [bound(&at_last).await, bound(&only_there).await];
        match nodes.iter().flatten().any(|node| node == "sydney") {
            true => Ok(()),
            false => Err(format!("{nodes:?}")),
        }
    })
    .await;
}
