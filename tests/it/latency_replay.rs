//! An incident on the day after: what a Prometheus measured decides in a server, and what that server gives
//! as `GET /latency`, loaded by `--latency`, decides the same.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use actix_web::test::{TestRequest, call_and_read_body, init_service};
use actix_web::{App, web::Data};
use clap::Parser;
use domicile::assembly::{SourceText, fleet_facts};
use domicile::cli::facts::{read_texts, snapshot};
use domicile::config::SourceArgs;
use domicile::embedded;
use domicile::live_latency::LiveLatency;
use domicile::metrics::Metrics;
use domicile::policy::{PolicySet, read_data_sets};
use domicile::prometheus::{
    Answers, BaseUrl, EndLabels, PrometheusSettings, Queries, QueryName, Unit, read, read_answer,
};
use domicile::publish::Publisher;
use domicile::server::{ServerState, configure};
use domicile::topology::EstimatorSettings;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::webhook::state;
use crate::world::NOW;

const NODES: [(&str, &str, &str); 5] = [
    ("frankfurt", "aws", "eu-central-1"),
    ("stockholm", "aws", "eu-north-1"),
    ("amsterdam", "azure", "westeurope"),
    ("frankfurt-too", "gcp", "europe-west3"),
    ("virginia", "aws", "us-east-1"),
];

const DATA_SETS: &str = r#"
apiVersion: domicile.dev/v1alpha1
kind: DataSet
metadata: {name: prices}
spec:
  version: "1"
  profile: {classification: public, categories: [none], subjects: [none]}
  consistency: available
  replicas: [{region: aws/eu-west-1, role: leader}]
  owner: shop
---
apiVersion: domicile.dev/v1alpha1
kind: DataSet
metadata: {name: stock}
spec:
  version: "1"
  profile: {classification: public, categories: [none], subjects: [none]}
  consistency: strict
  replicas: [{region: aws/eu-west-1, role: leader}]
  owner: shop
"#;

/// What counted before anything was measured now.
const DATED: &str = "from,to,rtt_ms,p95_ms,measured_at
aws/eu-central-1,aws/eu-west-1,25,34,2026-01-01
aws/eu-north-1,aws/eu-west-1,40,45,2026-01-01
aws/eu-west-1,azure/westeurope,18,200,2026-01-01
gcp/europe-west3,aws/eu-west-1,26,35,2026-01-01
aws/us-east-1,aws/eu-west-1,70,80,2026-01-01
";

/// Of each pair the P50 and perhaps the P95, in milliseconds; nothing is a probe that reached nobody.
type Poll = Vec<(&'static str, &'static str, Option<(f64, Option<f64>)>)>;

/// Two fresh ways that differ, a fresh way without a P95 beside an older way back, one that only the first poll
/// saw, and two that are cut, of which one was never measured.
fn poll(number: i64) -> Poll {
    let mut poll = vec![
        ("aws/eu-central-1", "aws/eu-west-1", Some((30.0, Some(33.0)))),
        ("aws/eu-west-1", "aws/eu-central-1", Some((80.0, Some(90.0)))),
        ("azure/westeurope", "aws/eu-west-1", Some((35.0, None))),
        ("aws/us-east-1", "aws/eu-west-1", None),
        ("aws/us-east-1", "gcp/europe-west3", None),
    ];
    if number == 0 {
        poll.push(("gcp/europe-west3", "aws/eu-west-1", Some((20.0, Some(70.0)))));
    }
    poll
}

/// What Prometheus answers to one query.
fn vector(numbers: &[(&str, &str, f64)]) -> Vec<u8> {
    let series: Vec<Value> = numbers
        .iter()
        .map(|(from, to, number)| json!({"metric": {"from": from, "to": to}, "value": [1, number.to_string()]}))
        .collect();
    let body = json!({"status": "success", "data": {"resultType": "vector", "result": series}});
    body.to_string().into_bytes()
}

fn answers(poll: &Poll) -> Answers {
    let mut numbers: BTreeMap<QueryName, Vec<(&str, &str, f64)>> = BTreeMap::new();
    for (from, to, seen) in poll {
        let mut add = |query, number| numbers.entry(query).or_default().push((from, to, number));
        add(QueryName::Reachable, f64::from(u8::from(seen.is_some())));
        let Some((p50, p95)) = seen else { continue };
        add(QueryName::P50, *p50);
        add(QueryName::Samples, 8.0);
        if let Some(p95) = p95 {
            add(QueryName::P95, *p95);
        }
    }
    numbers
        .iter()
        .map(|(query, numbers)| (*query, read_answer(200, &vector(numbers))))
        .collect()
}

fn source() -> PrometheusSettings {
    let asked = || Some("asked".to_owned());
    PrometheusSettings {
        name: "probes".into(),
        url: BaseUrl::parse("http://127.0.0.1:9090").unwrap(),
        interval: Duration::from_secs(30),
        timeout: Duration::from_secs(10),
        queries: Queries {
            p50: "asked".to_owned(),
            p95: asked(),
            samples: asked(),
            reachable: asked(),
        },
        labels: EndLabels {
            from: "from".to_owned(),
            to: "to".to_owned(),
        },
        unit: Unit::Milliseconds,
        bearer_token_file: None,
        ca_file: None,
    }
}

fn fleet() -> String {
    let nodes = NODES.map(|(name, provider, region)| {
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {
            "domicile.dev/provider": provider, "topology.kubernetes.io/region": region}}})
    });
    let site = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "site"}});
    let items: Vec<Value> = std::iter::once(site).chain(nodes).collect();
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}

/// The shipped policies, deciding by a statistic.
fn policies(statistic: &str) -> Vec<SourceText> {
    let shipped = embedded::policies().iter();
    shipped
        .map(|(name, text)| {
            let settings = format!("latency: {{statistic: {statistic}}}\n  exemptNamespaces:");
            SourceText::new(*name, text.replace("exemptNamespaces:", &settings))
        })
        .collect()
}

/// A server that decides by what was measured in the five minutes before now.
fn measuring(statistic: &str) -> ServerState {
    let publisher = Arc::new(Publisher::default());
    let texts = policies(statistic);
    let named = texts.iter().map(|text| (text.name.as_str(), text.text.as_str()));
    publisher.policies(Arc::new(PolicySet::load(named).unwrap().set));
    let data_sets = read_data_sets([("data-sets.yaml", DATA_SETS)]).unwrap();
    publisher.data_sets(Arc::new(data_sets), &[]);
    publisher.fleet(fleet_facts(&SourceText::new("fleet.yaml", fleet())).unwrap());
    publisher.latency(Arc::new(vec![SourceText::new("latency.csv", DATED)]));

    let metrics = Metrics::new();
    let live = LiveLatency::new(
        [Arc::from("probes")],
        EstimatorSettings::default(),
        publisher.clone(),
        metrics.latency(),
    );
    let now: Timestamp = NOW.parse().unwrap();
    for number in 0..=10 {
        let policies = publisher.current_policies().unwrap();
        let reading = read(&source(), &answers(&poll(number)), policies.catalogue());
        assert_eq!(reading.left_out, [], "poll {number}");
        let before_now = SignedDuration::from_secs(30 * (10 - number));
        live.take("probes", &reading.observations, now - before_now);
    }
    let mut state = state(None);
    state.snapshots = publisher.snapshots();
    state.measured = publisher.measured();
    state
}

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    sources: SourceArgs,
}

/// A server over files, as the command line names them.
fn replaying(statistic: &str, latency: &str) -> ServerState {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::create_dir(path("policies")).unwrap();
    for text in policies(statistic) {
        let file = folder.path().join("policies").join(&text.name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, &text.text).unwrap();
    }
    let fleet = fleet();
    for (name, text) in [
        ("fleet.yaml", fleet.as_str()),
        ("data-sets.yaml", DATA_SETS),
        ("incident.csv", latency),
    ] {
        fs::write(path(name), text).unwrap();
    }
    let flags = [
        ("--policies", "policies"),
        ("--fleet", "fleet.yaml"),
        ("--data-sets", "data-sets.yaml"),
        ("--latency", "incident.csv"),
    ];
    let words = flags
        .iter()
        .flat_map(|(flag, name)| [(*flag).to_owned(), path(name)]);
    let arguments = CommandLine::parse_from(std::iter::once("domicile".to_owned()).chain(words));
    state(Some(snapshot(&read_texts(&arguments.sources).unwrap()).unwrap()))
}

/// What a server answers to `/filter` and `/prioritize` for a pod of each data set.
async fn decided(state: &Data<ServerState>) -> Vec<String> {
    let server = init_service(App::new().app_data(state.clone()).configure(configure)).await;
    let mut answers = Vec::new();
    for data_set in ["prices", "stock"] {
        let annotations = json!({"domicile.dev/data-sets": format!("{data_set}: reads=1")});
        let metadata = json!({"name": "cart", "namespace": "site", "uid": "u", "annotations": annotations});
        let request =
            json!({"Pod": {"metadata": metadata, "spec": {}}, "NodeNames": NODES.map(|node| node.0)});
        for path in ["/filter", "/prioritize"] {
            let request = TestRequest::post()
                .uri(path)
                .insert_header(("content-type", "application/json"))
                .set_payload(request.to_string());
            let answer = call_and_read_body(&server, request.to_request()).await;
            answers.push(String::from_utf8(answer.to_vec()).unwrap());
        }
    }
    answers
}

/// The file without its last two columns, and without the rows that then say nothing.
fn without_the_instant(file: &str) -> String {
    let rows = file.lines().map(|line| match line.starts_with('#') {
        true => line,
        false => line.rsplitn(3, ',').last().unwrap(),
    });
    let rows = rows.filter(|row| !row.contains(",,,,,"));
    rows.map(|row| format!("{row}\n")).collect()
}

#[actix_web::test]
async fn what_decided_in_an_incident_decides_the_same_when_it_is_replayed() {
    for statistic in ["p50", "p95"] {
        let served = Data::new(measuring(statistic));
        let in_the_incident = decided(&served).await;
        let server = init_service(App::new().app_data(served.clone()).configure(configure)).await;
        let get = TestRequest::get().uri("/latency").to_request();
        let file = String::from_utf8(call_and_read_body(&server, get).await.to_vec()).unwrap();
        for row in [
            "aws/eu-central-1,aws/eu-west-1,30,33,p50,88,2026-11-21T12:00:00Z,probes,fresh,\n",
            "aws/eu-north-1,aws/eu-west-1,40,45,,,2026-01-01,,,\n",
            "aws/us-east-1,aws/eu-west-1,70,80,,,2026-01-01,,,no\n",
            "aws/us-east-1,gcp/europe-west3,,,,,,,,no\n",
            "azure/westeurope,aws/eu-west-1,35,,p50,88,2026-11-21T12:00:00Z,probes,fresh,\n",
            "gcp/europe-west3,aws/eu-west-1,20,70,p50,8,2026-11-21T11:55:00Z,probes,stale,\n",
        ] {
            assert!(file.contains(row), "{row} in\n{file}");
        }

        let replayed = Data::new(replaying(statistic, &file));
        assert_eq!(decided(&replayed).await, in_the_incident, "{statistic}");

        // The incident is worth something only where the figures alone decide otherwise.
        let figures_alone = Data::new(replaying(statistic, &without_the_instant(&file)));
        let by_figures_alone = decided(&figures_alone).await;
        for (by_figures, by_all) in by_figures_alone.iter().zip(&in_the_incident) {
            assert_ne!(by_figures, by_all, "{statistic}");
        }
    }
}
