//! One pod's way, from its annotation to its binding and to its decision records, on the shipped fleet.
//!
//! The text is in `transcript.txt` in the folder of this test's logs; with `--nocapture` it is printed.

use std::fmt::Write as _;
use std::path::Path;

use k8s_openapi::api::core::v1 as core;
use serde_json::Value;

use super::stand::{LIMIT, Lane, Plan, Stand};
use crate::recorder::Call;
use crate::scheduler::Mode;

#[tokio::test(flavor = "multi_thread")]
async fn the_way_of_one_pod_can_be_followed_from_annotation_to_record() {
    let plan = Plan::begin("transcript").await.one_mode(Mode::NamesOnly);
    let nodes = shipped_fleet(&plan.scenario.cluster).await;
    let stand = plan.start().await;
    let (cluster, lane) = (stand.cluster(), &stand.lanes[0]);
    let pod = lane
        .pod("checkout")
        .in_namespace("shop")
        .annotate("domicile.dev/data-sets", "orders: reads=4 writes=1");
    let pod = cluster.create_pod(&pod).await;
    let node = cluster.until_bound(&pod, LIMIT).await;
    let records = stand.until_records(&pod, 2).await;

    let text = transcript(&stand, lane, &pod, &node).await;
    std::fs::write(stand.scenario.directory.join("transcript.txt"), &text)
        .expect("the temporary folder can be written");
    println!("{text}");

    let [filter, prioritize] = ["filter", "prioritize"].map(|verb| only_call(lane, verb));
    assert_eq!(filter.offered().len(), nodes.len());
    let survivors = answered_names(&filter);
    assert!(survivors.contains(&node), "it is bound to a survivor");
    assert_eq!(
        best_hosts(&prioritize)[0].0,
        10,
        "the best has the most that there is"
    );
    assert!(
        best_hosts(&prioritize).contains(&(10, node.clone())),
        "it is bound to one of the best"
    );
    assert!(node.contains("eu-central-1"), "where the leader of `orders` is");
    for (record, verb) in records.iter().zip(["filter", "prioritize"]) {
        assert_eq!(record["verb"], verb);
        assert_eq!(record["pod"]["uid"].as_str(), pod.metadata.uid.as_deref());
        assert_eq!(record["candidates"], call_size(verb, &filter, &prioritize));
        assert_eq!(record["permitted"], survivors.len());
        assert_eq!(record["verdict"], "permitted");
    }
    let reasons = &records[0]["reasons"];
    assert_eq!(reasons[0]["rule"], "eea-personal-data/place", "{reasons}");
    assert_eq!(reasons[0]["nodes"], nodes.len() - survivors.len(), "{reasons}");
}

/// Nodes and namespaces of the shipped fleet, made in the cluster; the names of the nodes.
async fn shipped_fleet(cluster: &crate::api::Cluster) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("defaults/fleet.yaml");
    let text = std::fs::read_to_string(path).expect("the shipped fleet can be read");
    let fleet: Value = serde_saphyr::from_str(&text).expect("the shipped fleet is YAML");
    let mut nodes = Vec::new();
    for item in fleet["items"].as_array().into_iter().flatten() {
        let name = item["metadata"]["name"]
            .as_str()
            .expect("an object has a name")
            .to_owned();
        match item["kind"].as_str() {
            Some("Node") => {
                let node: core::Node = serde_json::from_value(item.clone()).expect("a node");
                cluster.create_node_object(&node).await;
                nodes.push(name);
            }
            Some("Namespace") => {
                let namespace: core::Namespace = serde_json::from_value(item.clone()).expect("a namespace");
                cluster.ensure_namespace(&namespace).await;
            }
            other => panic!("the shipped fleet has a `{other:?}`"),
        }
    }
    nodes
}

async fn transcript(stand: &Stand, lane: &Lane, pod: &core::Pod, node: &str) -> String {
    let cluster = stand.cluster();
    let mut text = String::new();
    let mut say = |line: String| writeln!(text, "{line}").expect("a text takes lines");
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    say(format!(
        "pod {namespace}/{}",
        pod.metadata.name.as_deref().unwrap_or_default()
    ));
    for (of, annotations) in [
        ("pod", pod.metadata.annotations.clone().unwrap_or_default()),
        ("namespace", cluster.namespace_annotations(namespace).await),
    ] {
        for (key, value) in annotations {
            say(format!("  annotation of the {of}: {key}: {value}"));
        }
    }
    for verb in ["filter", "prioritize"] {
        let call = only_call(lane, verb);
        say(format!("\nPOST /{verb}"));
        say(format!(
            "  request: {} bytes, about {} nodes: {}",
            call.body.len(),
            call.offered().len(),
            few(&call.offered())
        ));
        let answer = call
            .response
            .as_ref()
            .map(|response| response.text())
            .unwrap_or_default();
        say(format!("  answer:  {} bytes: {}", answer.len(), trimmed(&answer)));
    }
    for event in cluster.events_of(pod, "Scheduled").await {
        say(format!(
            "\nevent Scheduled: {}",
            event.message.unwrap_or_default()
        ));
    }
    say(format!("\nspec.nodeName: {node}"));
    for (key, value) in cluster.node_labels(node).await {
        if key.starts_with("topology.kubernetes.io/") {
            say(format!("  label of the node: {key}: {value}"));
        }
    }
    say("\ndecision records:".to_owned());
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    let lines = stand.domicile.decision_lines();
    for line in lines.iter().filter(|line| line.contains(uid)) {
        say(format!("  {}", with_short_profile(line)));
    }
    text
}

fn only_call(lane: &Lane, verb: &str) -> Call {
    let calls = lane.recorder.calls(verb);
    assert_eq!(calls.len(), 1, "{verb} calls");
    calls[0].clone()
}

fn answered_names(call: &Call) -> Vec<String> {
    let answer = call.answer().expect("the answer is JSON");
    serde_json::from_value(answer["NodeNames"].clone()).expect("survivors are names")
}

/// Scores with their nodes, the greatest first.
fn best_hosts(call: &Call) -> Vec<(u64, String)> {
    let answer = call.answer().expect("the answer is JSON");
    let scores = answer.as_array().expect("scores are a list").iter();
    let mut scores: Vec<(u64, String)> = scores
        .map(|score| {
            (
                score["Score"].as_u64().unwrap_or(0),
                score["Host"].as_str().unwrap_or("").to_owned(),
            )
        })
        .collect();
    scores.sort_by(|one, other| other.cmp(one));
    scores
}

fn call_size(verb: &str, filter: &Call, prioritize: &Call) -> usize {
    match verb {
        "filter" => filter.offered().len(),
        _ => prioritize.offered().len(),
    }
}

fn few(names: &[&str]) -> String {
    let shown = names.iter().take(3).copied().collect::<Vec<_>>().join(", ");
    if names.len() > 3 {
        format!("{shown}, ...")
    } else {
        shown
    }
}

fn trimmed(text: &str) -> String {
    const SHOWN: usize = 600;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{} ...", &text[..end]),
        None => text.to_owned(),
    }
}

/// A record of a pod whose data is about a whole group has a tuple for each country; two show the form.
fn with_short_profile(record: &str) -> String {
    let (begin, end) = ("\"profile\":[", "],\"policy_set\"");
    let parts = record
        .split_once(begin)
        .and_then(|(head, rest)| Some((head, rest.split_once(end)?)));
    let Some((head, (profile, tail))) = parts else {
        return record.to_owned();
    };
    let tuples: Vec<&str> = profile.split_inclusive("},").collect();
    let shown = &tuples[..tuples.len().min(2)];
    match tuples.len() - shown.len() {
        0 => record.to_owned(),
        more => format!("{head}{begin}{} ... {more} more{end}{tail}", shown.concat()),
    }
}
