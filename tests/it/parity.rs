//! One scenario through the server, the command line and the simulation gives one answer: the same nodes
//! pass, with the same scores.
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use actix_web::web::Data;
use actix_web::{App, test};
use domicile::assembly::{RuleTexts, SourceText};
use domicile::cli::facts::{FactTexts, Facts, snapshot};
use domicile::cli::{Outcome, Output, why, why_not};
use domicile::embedded;
use domicile::model::PodRequirements;
use domicile::objects::{SnapshotFile, read_pod};
use domicile::placement::{Assessment, BlindSample, assess, total};
use domicile::server::configure;
use domicile::simulation::kube::Opinion;
use domicile::simulation::{RunFile, Scenario, ScenarioTexts, filter_nodes, score_nodes};
use domicile::snapshot::{ClassIndex, Snapshot};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::webhook::state;
use crate::world::{EXCEPTION_AND_SETTINGS, NOW, SETTINGS};

/// Names that no fleet has.
const STRANGERS: [&str; 2] = ["node-that-was-deleted", "node-that-is-new"];

/// The fleet is left as it is.
const AS_SHIPPED: (&str, &str) = ("\0", "");

/// Nodes whose place is unknown or outside every group, and objects that volumes lead to.
const MORE_OBJECTS: &str = r#"
---
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: Node, metadata: {name: unlabelled-1}, status: {allocatable: {cpu: "8", memory: 32Gi, pods: "110"}}}
  - {apiVersion: v1, kind: Node, metadata: {name: unlabelled-2}, status: {allocatable: {cpu: "8", memory: 32Gi, pods: "110"}}}
  - {apiVersion: v1, kind: Node, metadata: {name: on-the-moon, labels: {topology.kubernetes.io/region: moon-east-1}}, status: {allocatable: {cpu: "8", memory: 32Gi, pods: "110"}}}
  - {apiVersion: v1, kind: Node, metadata: {name: of-two-minds, labels: {domicile.dev/provider: gcp, topology.kubernetes.io/region: eu-central-1}}, spec: {providerID: "aws:///eu-central-1a/i-1"}, status: {allocatable: {cpu: "8", memory: 32Gi, pods: "110"}}}
  - {apiVersion: v1, kind: Node, metadata: {name: in-beijing, labels: {topology.kubernetes.io/region: cn-north-1}}, spec: {providerID: "aws:///cn-north-1a/i-2"}, status: {allocatable: {cpu: "8", memory: 32Gi, pods: "110"}}}
  - {apiVersion: v1, kind: Node, metadata: {name: bare-region, labels: {topology.kubernetes.io/region: europe-north1}}, status: {allocatable: {cpu: "8", memory: 32Gi, pods: "110"}}}
  - {apiVersion: v1, kind: Pod, metadata: {name: cart-0, namespace: shop, labels: {app: cart, statefulset.kubernetes.io/pod-name: cart-0}}, spec: {nodeName: ip-10-20-1-21.eu-west-1.compute.internal}}
  - {apiVersion: v1, kind: Pod, metadata: {name: cart-1, namespace: shop, labels: {app: cart, statefulset.kubernetes.io/pod-name: cart-1}}, spec: {nodeName: gke-europe-west3-general-b7f9402c-958b}}
  - {apiVersion: v1, kind: Pod, metadata: {name: cart-2, namespace: shop, labels: {app: cart}}, spec: {nodeName: on-the-moon}}
  - {apiVersion: v1, kind: Pod, metadata: {name: cart-3, namespace: shop, labels: {app: cart}}, spec: {nodeName: aks-inc-22091372-vmss000000}, status: {phase: Failed}}
  - {apiVersion: v1, kind: Pod, metadata: {name: mail-0, namespace: default, labels: {app: mail}}, spec: {nodeName: unlabelled-1}}
  - {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: us-only, annotations: {domicile.dev/data-classification: internal, domicile.dev/data-categories: personal, domicile.dev/data-subjects: US}}}
  - {apiVersion: v1, kind: PersistentVolume, metadata: {name: pv-1, annotations: {domicile.dev/data-classification: confidential, domicile.dev/data-categories: health, domicile.dev/data-subjects: SE}}, spec: {storageClassName: plain}}
  - {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: bound, namespace: public-site}, spec: {volumeName: pv-1, storageClassName: plain}}
  - {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: unbound, namespace: public-site}, spec: {storageClassName: us-only}}
  - {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: waits}, volumeBindingMode: WaitForFirstConsumer}
  - {apiVersion: v1, kind: PersistentVolume, metadata: {name: pv-2}, spec: {storageClassName: waits, nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: topology.kubernetes.io/zone, operator: In, values: [eu-west-1a]}]}]}}}}
  - {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data-cat-0, namespace: public-site, annotations: {domicile.dev/data-sets: catalog}}, spec: {volumeName: pv-2, storageClassName: waits}}
  - {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data-cat-1, namespace: public-site, annotations: {domicile.dev/data-sets: catalog}}, spec: {storageClassName: waits}}
  - {apiVersion: v1, kind: Pod, metadata: {name: cat-0, namespace: public-site, uid: cat-0, ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: cat, uid: s, controller: true}]}, spec: {nodeName: ip-10-20-1-21.eu-west-1.compute.internal, volumes: [{name: v, persistentVolumeClaim: {claimName: data-cat-0}}]}, status: {phase: Running, conditions: [{type: Ready, status: "True"}]}}
"#;

fn texts(settings: &[(&str, &str)], nodes: (&str, &str)) -> FactTexts {
    let policies = embedded::policies().iter().map(|(name, text)| {
        let replaced = settings
            .iter()
            .fold((*text).to_owned(), |text, (from, to)| match *name {
                "settings.yaml" => text.replace(from, to),
                _ => text,
            });
        SourceText::new(*name, replaced)
    });
    let text = |(name, text): (&str, &str)| SourceText::new(name, text);
    let (name, fleet) = embedded::fleet();
    FactTexts {
        rules: RuleTexts {
            policies: policies.collect(),
            data_sets: vec![text(embedded::data_sets())],
            latency: vec![text(embedded::latency())],
        },
        fleet: SourceText::new(name, format!("{fleet}{MORE_OBJECTS}").replace(nodes.0, nodes.1)),
        confirmed_until: None,
        taken_at: None,
    }
}

fn pod(name: &str, namespace: &str, annotations: &[(&str, &str)], volumes: Value) -> Value {
    let annotations: BTreeMap<String, &str> = annotations
        .iter()
        .map(|(key, value)| (format!("domicile.dev/{key}"), *value))
        .collect();
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "uid": name, "annotations": annotations},
        "spec": {"containers": null, "volumes": volumes},
    })
}

/// Pods of every kind that the profile of docs/policies.md, 2 knows.
fn pods() -> Vec<Value> {
    let plain = |name: &str, namespace: &str, annotations: &[(&str, &str)]| {
        pod(name, namespace, annotations, Value::Null)
    };
    let claim = |name: &str| json!([{"name": "v", "persistentVolumeClaim": {"claimName": name}}]);
    let orders = ("data-sets", "orders: reads=4 writes=1; catalog: reads=1");
    let clients = ("clients", "aws/eu-west-1=0.7, us-east-1=0.3");
    vec![
        plain("eea", "shop", &[]),
        plain("eea-orders", "shop", &[orders]),
        plain("eea-orders-clients", "shop", &[orders, clients]),
        plain("eea-limit", "shop", &[orders, ("max-read-ms", "20")]),
        plain("us", "shop-us", &[("data-sets", "profiles-us: reads=1 writes=1")]),
        plain("us-and-eea", "shop-us", &[("data-sets", "orders: reads=1")]),
        plain("card", "payments", &[("data-sets", "ledger: writes=2")]),
        plain("business", "back-office", &[clients]),
        plain(
            "business-and-personal",
            "back-office",
            &[("data-categories", "personal")],
        ),
        plain("silent-workload", "analytics", &[]),
        plain(
            "speaking-workload",
            "analytics",
            &[
                ("data-classification", "internal"),
                ("data-categories", "personal"),
                ("data-subjects", "DE,US"),
            ],
        ),
        plain(
            "incomplete-workload",
            "analytics",
            &[("data-categories", "personal")],
        ),
        plain(
            "workload-by-data-set",
            "analytics",
            &[("data-sets", "catalog: reads=2")],
        ),
        plain(
            "public",
            "public-site",
            &[("data-sets", "catalog: reads=3"), clients],
        ),
        plain("public-no-access", "public-site", &[]),
        plain(
            "undeclared-data-set",
            "public-site",
            &[("data-sets", "nobody-declared-it: reads=1")],
        ),
        plain("malformed", "public-site", &[("data-categories", "persnal")]),
        plain(
            "malformed-access",
            "public-site",
            &[("data-sets", "catalog reads=many")],
        ),
        plain("unlabelled", "default", &[]),
        plain("exempt", "kube-system", &[]),
        plain("unknown-namespace", "nowhere", &[]),
        plain(
            "chinese-data",
            "public-site",
            &[
                ("data-classification", "confidential"),
                ("data-categories", "personal"),
                ("data-subjects", "CN"),
            ],
        ),
        plain("unknown-client", "public-site", &[("clients", "aws/mars-1=1")]),
        plain("peers", "shop", &[("peers", "app=cart: calls=3")]),
        plain(
            "peers-and-data-elsewhere",
            "public-site",
            &[
                (
                    "peers",
                    "app=cart: calls=2 namespace=shop; app=mail: namespace=default",
                ),
                clients,
            ],
        ),
        plain(
            "peers-of-one-pod",
            "public-site",
            &[(
                "peers",
                "statefulset.kubernetes.io/pod-name=cart-1,app=cart: namespace=shop",
            )],
        ),
        plain(
            "peers-of-which-none-runs",
            "public-site",
            &[("peers", "app=cart"), clients],
        ),
        plain("malformed-peers", "public-site", &[("peers", "app: calls=3")]),
        pod("volume", "public-site", &[], claim("bound")),
        pod("storage-class", "public-site", &[orders], claim("unbound")),
        pod("missing-claim", "public-site", &[], claim("nobody-made-it")),
        pod(
            "ephemeral",
            "public-site",
            &[],
            json!([{"name": "v", "ephemeral": {"volumeClaimTemplate": {
                "metadata": {"annotations": {"domicile.dev/data-subjects": "SE"}},
                "spec": {"storageClassName": "us-only"}}}}]),
        ),
        new_member(pod("cat-1", "public-site", &[], claim("data-cat-1"))),
    ]
}

/// The pod as the next of the StatefulSet `cat`, which has a member in Ireland.
fn new_member(mut pod: Value) -> Value {
    pod["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "cat", "uid": "s", "controller": true}]);
    pod
}

/// Which nodes pass, with their scores: absent is refused.
type Answer = BTreeMap<String, u8>;

/// Scores as kube-scheduler uses them: where all are equal they move nothing, whatever they are.
fn relative(answer: &Answer) -> Answer {
    let distinct: BTreeSet<u8> = answer.values().copied().collect();
    match distinct.len() {
        0 | 1 => answer.keys().map(|node| (node.clone(), 0)).collect(),
        _ => answer.clone(),
    }
}

async fn by_http(snapshot: Snapshot, pods: &[Value], nodes: &[String]) -> Vec<Answer> {
    let server = test::init_service(
        App::new()
            .app_data(Data::new(state(Some(snapshot))))
            .configure(configure),
    )
    .await;
    let mut answers = Vec::new();
    for pod in pods {
        let call = |path: &str, nodes: &[String]| {
            test::TestRequest::post()
                .uri(path)
                .insert_header(("content-type", "application/json"))
                .set_payload(json!({"Pod": pod, "Nodes": null, "NodeNames": nodes}).to_string())
                .to_request()
        };
        let filtered: Value = test::call_and_read_body_json(&server, call("/filter", nodes)).await;
        assert_eq!(filtered["Error"].as_str().unwrap_or(""), "", "{filtered}");
        let survivors: Vec<String> = filtered["NodeNames"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
        let mut answer: Answer = survivors.iter().map(|name| (name.clone(), 0)).collect();
        if !survivors.is_empty() {
            let scores: Value = test::call_and_read_body_json(&server, call("/prioritize", &survivors)).await;
            for score in scores.as_array().unwrap() {
                let host = score["Host"].as_str().unwrap().to_owned();
                let points = u8::try_from(score["Score"].as_u64().unwrap()).unwrap();
                assert!(
                    answer.insert(host, points).is_some(),
                    "a score for a refused node"
                );
            }
        }
        answers.push(relative(&answer));
    }
    answers
}

fn by_command_line(facts: &Facts, pod: &PodRequirements, nodes: &[String]) -> Answer {
    let mut answer = Answer::new();
    for node in nodes {
        let mut out = Vec::new();
        let outcome = why::report(facts, pod, node, Output::Json, &mut out).unwrap();
        let why: Value = serde_json::from_slice(&out).unwrap();
        if outcome == Outcome::Holds {
            let score = why["score"].as_u64().unwrap_or(0);
            answer.insert(node.clone(), u8::try_from(score).unwrap());
        }
    }
    // `why-not` speaks of the nodes that the fleet has and the policies permit.
    let mut out = Vec::new();
    why_not::report(facts, pod, None, Output::Json, &mut out).unwrap();
    let why_not: Value = serde_json::from_slice(&out).unwrap();
    for place in why_not["permitted"].as_array().unwrap() {
        for node in place["nodes"].as_array().unwrap() {
            let score = answer.get(node.as_str().unwrap()).copied().map(u64::from);
            assert_eq!(score, place["score"].as_u64(), "{node}: {why_not}");
        }
    }
    relative(&answer)
}

/// The pods without volumes as workloads of a run, the way that a user gives them: what the run makes of them, by name.
fn of_a_run(texts: &FactTexts, pods: &[Value]) -> BTreeMap<String, PodRequirements> {
    let plain = pods.iter().filter(|pod| pod["spec"]["volumes"].is_null());
    let workloads = plain.map(|pod| {
        let metadata = &pod["metadata"];
        json!({"name": metadata["name"], "namespace": metadata["namespace"],
            "annotations": metadata["annotations"], "pods": 1, "cpu": "100m", "memory": "1Mi"})
    });
    let workloads: Vec<Value> = workloads.collect();
    let run = json!({"v": 1, "title": "parity", "seed": 1, "at": NOW, "workloads": workloads}).to_string();
    let texts = ScenarioTexts {
        rules: texts.rules.clone(),
        fleet: Some(texts.fleet.clone()),
        policies_b: None,
        loads: BTreeMap::new(),
        trace: None,
        trace_version: String::new(),
        synthesis: None,
        run: run.clone(),
    };
    let scenario = Scenario::assemble(RunFile::read("run.yaml", &run).unwrap(), texts).unwrap();
    let (_, kinds) = scenario.opening();
    let named = kinds.into_iter().map(|(pod, _)| (pod.name.clone(), pod));
    named.collect()
}

fn by_simulation(
    facts: &Facts,
    of_run: &BTreeMap<String, PodRequirements>,
    pod: &Value,
    nodes: &[String],
) -> Answer {
    let classes: Vec<_> = nodes
        .iter()
        .map(|node| facts.snapshot.class_of(node.as_bytes()))
        .collect();
    if pod["spec"]["volumes"].is_null() {
        let name = pod["metadata"]["name"].as_str().unwrap();
        let pod = of_run.get(&format!("{name}-0")).unwrap();
        asked(&assess(&facts.snapshot, pod, facts.at), &classes, nodes)
    } else {
        // Workloads of a run have no volumes yet; the functions that are asked are the same.
        let pod = read_pod(&pod.to_string(), "pod.json").unwrap();
        asked(&assess(&facts.snapshot, &pod, facts.at), &classes, nodes)
    }
}

/// What the extender of a simulation answers: first to the filter, then about the scores of what is left.
fn asked(assessment: &Assessment<'_>, classes: &[Option<ClassIndex>], nodes: &[String]) -> Answer {
    let mut opinions = vec![Opinion::default(); classes.len()];
    filter_nodes(assessment, classes, BlindSample::Refuse, &mut opinions).unwrap();
    let passes = || {
        opinions
            .iter()
            .zip(classes)
            .zip(nodes)
            .filter(|((opinion, _), _)| **opinion == Opinion::Pass)
    };
    let survivors: Vec<_> = passes().map(|((_, class), _)| *class).collect();
    let mut scores = vec![0; survivors.len()];
    let (snapshot, demand) = (assessment.snapshot, assessment.demand());
    let costs = snapshot
        .classes()
        .map(|(_, class)| total(snapshot.latency(), demand, class.point));
    let costs: Vec<_> = costs.collect();
    score_nodes(assessment, &costs, &survivors, &mut scores);
    let named = passes()
        .zip(scores)
        .map(|((_, node), score)| (node.clone(), score));
    relative(&named.collect())
}

/// What `domicile snapshot` writes of these texts, and an offline verb makes of that file alone.
fn through_a_file(texts: &FactTexts) -> Facts {
    let written = serde_json::to_string_pretty(&texts.to_file(NOW.parse().unwrap()).unwrap()).unwrap();
    let file = SnapshotFile::read(&written).unwrap().expect("a snapshot");
    let id = file.id.clone();
    let read = FactTexts::of_file(file);
    let facts = Facts {
        snapshot: snapshot(&read).unwrap(),
        at: read.instant(None, Timestamp::UNIX_EPOCH),
    };
    assert_eq!(facts.snapshot.id(), id);
    assert_eq!(facts.at.to_string(), NOW, "it is asked about when it was taken");
    facts
}

async fn hold_together(settings: &[(&str, &str)], nodes: (&str, &str)) -> Vec<Answer> {
    hold_together_heard(settings, nodes, None).await
}

/// As above, of a cluster that was heard last at an instant.
async fn hold_together_heard(
    settings: &[(&str, &str)],
    nodes: (&str, &str),
    heard: Option<&str>,
) -> Vec<Answer> {
    let texts = FactTexts {
        confirmed_until: heard.map(|heard| heard.parse().unwrap()),
        ..texts(settings, nodes)
    };
    let facts = through_a_file(&texts);
    let fleet = facts.snapshot.fleet().nodes.keys().map(ToString::to_string);
    let nodes: Vec<String> = fleet.chain(STRANGERS.map(str::to_owned)).collect();
    assert!(nodes.len() >= 40, "{} nodes", nodes.len());
    let pods = pods();
    let of_run = of_a_run(&texts, &pods);
    let http = by_http(snapshot(&texts).unwrap(), &pods, &nodes).await;
    for (pod, by_http) in pods.iter().zip(&http) {
        let name = &pod["metadata"]["name"];
        let parsed = read_pod(&pod.to_string(), "pod.json").unwrap();
        assert_eq!(
            by_http,
            &by_command_line(&facts, &parsed, &nodes),
            "command line, pod {name}"
        );
        assert_eq!(
            by_http,
            &by_simulation(&facts, &of_run, pod, &nodes),
            "simulation, pod {name}"
        );
    }
    http
}

#[actix_web::test]
async fn server_command_line_and_simulation_give_one_answer() {
    let answers = hold_together(&[], AS_SHIPPED).await;
    // The scenario is worth something only where answers differ.
    let sizes: BTreeSet<usize> = answers.iter().map(BTreeMap::len).collect();
    assert!(sizes.len() >= 5 && sizes.contains(&0), "{sizes:?}");
    let scores: BTreeSet<u8> = answers.iter().flat_map(BTreeMap::values).copied().collect();
    assert!(scores.len() >= 5, "{scores:?}");
    let of_member: BTreeSet<u8> = answers
        .iter()
        .rev()
        .take(1)
        .flat_map(BTreeMap::values)
        .copied()
        .collect();
    assert!(of_member.len() >= 3, "{of_member:?}");
}

/// Confidential data runs nowhere once the cluster was away too long; all else goes on.
#[actix_web::test]
async fn they_do_so_too_where_the_cluster_was_not_heard_for_long() {
    let settings = [(
        "regionKey: topology",
        "regionKey: topology\n  maxFactAge: {confidential: 10m}",
    )];
    let now: Timestamp = NOW.parse().unwrap();
    let heard = |ago_s: i64| (now - jiff::SignedDuration::from_secs(ago_s)).to_string();
    let fresh = hold_together(&settings, AS_SHIPPED).await;
    let nearly = hold_together_heard(&settings, AS_SHIPPED, Some(&heard(599))).await;
    assert_eq!(nearly, fresh);
    let stale = hold_together_heard(&settings, AS_SHIPPED, Some(&heard(600))).await;
    let pairs = || fresh.iter().zip(&stale);
    assert!(
        pairs().any(|(fresh, stale)| !fresh.is_empty() && stale.is_empty()),
        "{stale:?}"
    );
    assert!(
        pairs().any(|(fresh, stale)| !fresh.is_empty() && stale == fresh),
        "{stale:?}"
    );
    assert!(
        pairs().all(|(fresh, stale)| stale.is_empty() || stale == fresh),
        "{stale:?}"
    );
}

#[actix_web::test]
async fn they_do_so_too_where_the_settings_only_observe() {
    let answers = hold_together(&[("mode: enforce", "mode: observe")], AS_SHIPPED).await;
    let everything = answers.iter().map(BTreeMap::len).max();
    assert!(
        answers.iter().all(|answer| Some(answer.len()) == everything),
        "observe refuses nothing"
    );
}

/// Where regions must be confirmed and some are, and an exception opens London to one namespace.
#[actix_web::test]
async fn they_do_so_too_with_an_exception_and_regions_that_must_be_confirmed() {
    let confirmed = "topology.kubernetes.io/region: europe-west2\n        domicile.node-restriction.kubernetes.io/region: europe-west2\n";
    let nodes = ("topology.kubernetes.io/region: europe-west2\n", confirmed);
    let restriction =
        "regionKey: {nodeRestriction: domicile.node-restriction.kubernetes.io/region, from: confidential}";
    let settings = [
        (SETTINGS, EXCEPTION_AND_SETTINGS),
        ("regionKey: topology", restriction),
    ];
    let answers = hold_together(&settings, nodes).await;
    // The shop runs in London alone: there it has an exception, and elsewhere nothing is confirmed.
    let shop: Vec<&String> = answers[0].keys().collect();
    assert!(
        !shop.is_empty() && shop.iter().all(|node| node.contains("europe-west2")),
        "{shop:?}"
    );
    let without = hold_together(&settings[1..], nodes).await;
    assert!(without[0].is_empty(), "{:?}", without[0]);
}
