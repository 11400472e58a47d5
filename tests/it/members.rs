//! Members of data sets (docs/data-sets.md): where a new one is drawn, that members keep apart inside the permitted places,
//! and that preemption spares the last permitted copy; through the routes, records, `why` and the extender of simulations.
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{App, test as web_test};
use domicile::cli::facts::Facts;
use domicile::decisions::{
    DecisionLog, DecisionLogCounters, DecisionLogSettings, DecisionRecord, Mode, Verdict,
};
use domicile::metrics::Metrics;
use domicile::model::PodRequirements;
use domicile::placement::{Demanded, SPREAD_MS, assess, prioritize};
use domicile::server::{self, Outcome, ServerState, configure};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::storage_world::{Cluster, EBS, NODES, STREAM, best, explained, member, names, pod, scores};
use crate::webhook::state;
use crate::world::NOW;

/// Of `patients` no copy may be outside of Australia; `stream` may be anywhere.
const POLICIES: &str = r#"
apiVersion: domicile.dev/v1alpha1
kind: PlacementPolicy
metadata: {name: patients}
spec:
  title: Copies of patients stay in Australia
  owner: {team: clinical-compliance, contact: clinical@corp.example}
  legalBasis: [{cite: a contract}]
  mode: enforce
  appliesTo: {dataSets: [patients]}
  rules:
    - {id: place, allowed: [anywhere]}
    - {id: copies, replica: {noneOutside: ["AU"]}}
---
apiVersion: domicile.dev/v1alpha1
kind: PlacementPolicy
metadata: {name: streams}
spec:
  title: Streams are anywhere
  owner: {team: clinical-compliance, contact: clinical@corp.example}
  legalBasis: [{cite: a contract}]
  mode: enforce
  appliesTo: {dataSets: [stream]}
  rules: [{id: place, allowed: [anywhere]}]
"#;

/// The cluster under these policies alone.
fn cluster() -> Cluster {
    let mut cluster = Cluster::new();
    cluster
        .policies
        .retain(|(name, _)| name == "settings.yaml" || name == "regions/aws.yaml");
    cluster
        .policies
        .push(("own.yaml".to_owned(), POLICIES.to_owned()));
    let members = "members: {namespaces: [shop]}\n  consistency:";
    let stream = STREAM.replace("consistency:", members);
    let patients = stream.replace("name: stream", "name: patients");
    cluster.data_sets = vec![stream, patients];
    cluster
}

fn zone_of(node: &str) -> &'static str {
    let found = NODES.iter().find(|(name, ..)| *name == node);
    found.map(|(.., zone)| *zone).unwrap()
}

/// A member of a data set that runs on a node, with its volume in the zone of the node.
fn runs(cluster: &mut Cluster, number: u32, data_set: &str, node: &str, ready: bool) {
    let claim = format!("data-db-{number}");
    cluster.claim(&claim, "waits", names(data_set), Some((EBS, zone_of(node))));
    cluster.member(number, node, json!({"app": "db"}), ready);
}

/// A member that is new: its claim is not bound.
fn comes(cluster: &mut Cluster, number: u32, data_set: &str) -> PodRequirements {
    cluster.claim(&format!("data-db-{number}"), "waits", names(data_set), None);
    pod(&member(number))
}

fn order(scores: &[Option<u8>]) -> Vec<&'static str> {
    let mut named: Vec<(u8, &str)> = (scores.iter().zip(NODES))
        .filter_map(|(score, (name, ..))| Some(((*score)?, name)))
        .collect();
    named.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    named.into_iter().map(|(_, name)| name).collect()
}

#[test]
fn a_new_member_goes_to_the_copy_that_it_clones_and_to_another_zone() {
    let mut one = cluster();
    runs(&mut one, 0, "stream", "frankfurt-a", true);
    let new = comes(&mut one, 1, "stream");
    let facts = one.facts();
    let found = scores(&facts, &new);
    assert_eq!(
        order(&found)[..3],
        ["frankfurt-b", "frankfurt-a", "dublin"],
        "{found:?}"
    );
    assert!(found[0] < found[1], "{found:?}");
    let (json, text) = explained(&facts, &new, "frankfurt-a");
    let legs = json["access"]["legs"].as_array().unwrap();
    let clone = legs.iter().find(|leg| leg["leg"] == "clone").unwrap();
    assert_eq!(clone["clone"]["pod"], "db-0");
    assert_eq!(clone["dataSet"], "stream");
    let apart = json!({"dataSet": "stream", "copies": 1, "ms": SPREAD_MS});
    assert_eq!(json["access"]["apart"], apart);
    for line in [
        "cloning `stream` from pod `db-0` in aws/eu-central-1/eu-central-1a: ",
        "its failure domain has 1 copy of `stream` already: in the score that counts 5 ms more",
    ] {
        assert!(text.contains(line), "{text}");
    }
    let (json, text) = explained(&facts, &new, "frankfurt-b");
    assert!(
        json["access"]["apart"].is_null() && !text.contains("failure domain"),
        "{text}"
    );
}

#[test]
fn it_is_the_predecessor_that_is_cloned_wherever_the_first_member_is() {
    let clones_from = |new: u32| {
        let mut three = cluster();
        runs(&mut three, 0, "stream", "frankfurt-a", true);
        runs(&mut three, 1, "stream", "virginia", true);
        runs(&mut three, 2, "stream", "sydney", true);
        let new = comes(&mut three, new, "stream");
        let (json, _) = explained(&three.facts(), &new, "dublin");
        let legs = json["access"]["legs"].as_array().unwrap().clone();
        let clone = legs.iter().find(|leg| leg["leg"] == "clone").unwrap();
        clone["clone"]["place"].as_str().unwrap().to_owned()
    };
    assert_eq!(clones_from(3), "aws/ap-southeast-2/ap-southeast-2a");
    // A number that was skipped clones from what there is.
    assert_eq!(clones_from(9), "aws/ap-southeast-2/ap-southeast-2a");
}

#[test]
fn a_member_whose_volume_is_there_already_and_a_reader_prefer_no_other_zone() {
    let mut one = cluster();
    runs(&mut one, 0, "stream", "frankfurt-a", true);
    let facts = one.facts();
    let old = pod(&member(0));
    assert_eq!(best(&facts, &old), ["frankfurt-a", "frankfurt-b"]);
    let (json, _) = explained(&facts, &old, "frankfurt-a");
    assert!(json["access"]["apart"].is_null(), "{json}");
    // One that creates data of its own is no member either.
    one.claim("data-db-1", "waits", json!({}), None);
    let facts = one.facts();
    assert!(
        assess(&facts.snapshot, &pod(&member(1)), facts.at)
            .membership
            .is_none()
    );
}

#[test]
fn the_template_of_a_stateful_set_makes_its_pods_members_and_that_of_a_deployment_does_not() {
    let mut one = cluster();
    runs(&mut one, 0, "stream", "frankfurt-a", true);
    one.claim("data-db-1", "waits", json!({}), None);
    let facts = one.facts();
    let mut manifest = member(1);
    manifest["metadata"]["annotations"] = names("stream");
    let clones = |manifest: &Value| {
        let found = assess(&facts.snapshot, &pod(manifest), facts.at).membership;
        found.map(|member| member.clones.len())
    };
    assert_eq!(clones(&manifest), Some(1));
    manifest["metadata"]["ownerReferences"][0]["kind"] = json!("ReplicaSet");
    assert_eq!(clones(&manifest), None);
}

#[test]
fn members_spread_inside_the_permitted_places_alone() {
    let mut two = cluster();
    runs(&mut two, 0, "patients", "sydney", true);
    let new = comes(&mut two, 1, "patients");
    let found = scores(&two.facts(), &new);
    assert_eq!(
        found,
        [None, None, None, None, Some(10)],
        "crowded, and the only place that is permitted"
    );
}

/// What `/preempt` answers over candidates with the numbers of their victims.
struct Answered {
    kept: BTreeSet<String>,
    outcome: Outcome,
}

fn wants_room() -> Value {
    json!({"metadata": {"name": "important", "namespace": "shop", "uid": "important"}, "spec": {"priority": 1000}})
}

fn body(candidates: &[(&str, Vec<u32>)]) -> String {
    let victims = |numbers: &[u32]| {
        let pods = numbers
            .iter()
            .map(|number| json!({"UID": format!("uid-{number}")}));
        json!({"Pods": pods.collect::<Vec<_>>(), "NumPDBViolations": 0})
    };
    let candidates: BTreeMap<&str, Value> = candidates
        .iter()
        .map(|(node, numbers)| (*node, victims(numbers)))
        .collect();
    json!({"Pod": wants_room(), "NodeNameToVictims": null, "NodeNameToMetaVictims": candidates}).to_string()
}

fn preempt(facts: &Facts, candidates: &[(&str, Vec<u32>)]) -> Answered {
    let decided = server::preempt(&facts.snapshot, body(candidates).as_bytes(), facts.at).unwrap();
    let answer: Value = serde_json::from_slice(&decided.answer.bytes()).unwrap();
    let kept = answer["NodeNameToMetaVictims"].as_object().unwrap();
    Answered {
        kept: kept.keys().cloned().collect(),
        outcome: decided.outcome,
    }
}

#[expect(clippy::panic, reason = "a test fails by panicking")]
fn last_copies(outcome: &Outcome) -> Vec<String> {
    match outcome {
        Outcome::Preempt { last_copies, .. } => last_copies.iter().map(ToString::to_string).collect(),
        _ => panic!("{outcome:?}"),
    }
}

/// Members by number, data set, node and readiness, and whether the only candidate stays, which has the numbers on it.
type Case = (
    &'static str,
    &'static [(u32, &'static str, &'static str, bool)],
    (&'static str, &'static [u32]),
    bool,
);

#[test]
fn the_last_permitted_copy_is_no_victim() {
    let cases: [Case; 10] = [
        (
            "the only copy",
            &[(0, "stream", "dublin", true)],
            ("dublin", &[0]),
            false,
        ),
        (
            "one of two",
            &[(0, "stream", "dublin", true), (1, "stream", "sydney", true)],
            ("dublin", &[0]),
            true,
        ),
        (
            "both of two",
            &[(0, "stream", "dublin", true), (1, "stream", "dublin", true)],
            ("dublin", &[0, 1]),
            false,
        ),
        (
            "the other is not ready",
            &[(0, "stream", "dublin", true), (1, "stream", "sydney", false)],
            ("dublin", &[0]),
            false,
        ),
        (
            "the one that is not ready itself",
            &[(0, "stream", "dublin", true), (1, "stream", "sydney", false)],
            ("sydney", &[1]),
            true,
        ),
        (
            "the only one, not ready",
            &[(0, "stream", "dublin", false)],
            ("dublin", &[0]),
            false,
        ),
        (
            "the other is where none may be",
            &[(0, "patients", "sydney", true), (1, "patients", "dublin", true)],
            ("sydney", &[0]),
            false,
        ),
        (
            "one that is where none may be",
            &[(0, "patients", "sydney", true), (1, "patients", "dublin", true)],
            ("dublin", &[1]),
            true,
        ),
        (
            "the others are of another data set",
            &[(0, "stream", "dublin", true), (1, "patients", "sydney", true)],
            ("dublin", &[0]),
            false,
        ),
        (
            "a pod without a copy",
            &[(0, "stream", "dublin", true)],
            ("dublin", &[7]),
            true,
        ),
    ];
    for (name, members, (node, victims), stays) in cases {
        let mut cluster = cluster();
        for (number, data_set, node, ready) in members {
            runs(&mut cluster, *number, data_set, node, *ready);
        }
        let answered = preempt(&cluster.facts(), &[(node, victims.to_vec())]);
        assert_eq!(answered.kept.contains(node), stays, "{name}");
        assert_eq!(last_copies(&answered.outcome).is_empty(), stays, "{name}");
    }
}

/// What is only declared stays, and so does what is not taken; whoever may only write claims protects nobody else's copy,
/// and takes the protection of none away.
#[test]
fn a_declared_copy_remains_and_a_claim_of_a_stranger_is_not_believed_to() {
    let mut cluster = cluster();
    runs(&mut cluster, 0, "stream", "dublin", true);
    let keeps = |cluster: &Cluster| preempt(&cluster.facts(), &[("dublin", vec![0])]).kept.len() == 1;
    assert!(!keeps(&cluster));
    let known = cluster.data_sets[0].clone();
    let declares = "replicas: [{region: aws/us-east-1, role: read-only}]";
    cluster.data_sets[0] = known.replace("replicas: []", declares);
    assert!(keeps(&cluster), "a copy outside the cluster is declared");
    let witness = "replicas: [{region: aws/us-east-1, role: witness}]";
    cluster.data_sets[0] = known.replace("replicas: []", witness);
    assert!(!keeps(&cluster), "a witness has no data");

    // Nobody's namespace is named, so claims of all count, each beside its own.
    cluster.data_sets[0] = STREAM.to_owned();
    let mut theirs = Cluster::new();
    runs(&mut theirs, 1, "stream", "sydney", true);
    let added = theirs.items.split_off(Cluster::new().items.len());
    let in_other = |mut item: Value| {
        if item["metadata"]["namespace"] == "shop" {
            item["metadata"]["namespace"] = json!("other");
        }
        item
    };
    let volume_for_other = added.into_iter().map(in_other);
    cluster.items.extend(volume_for_other);
    assert!(
        !keeps(&cluster),
        "what a stranger's claim says takes no protection away"
    );
    runs(&mut cluster, 2, "stream", "sydney", true);
    assert!(keeps(&cluster), "one of its own namespace remains");
}

#[test]
fn where_the_settings_only_observe_the_candidate_stays_and_it_is_told() {
    let mut cluster = cluster();
    for (_, text) in &mut cluster.policies {
        *text = text.replace("mode: enforce\n  # Data", "mode: observe\n  # Data");
    }
    runs(&mut cluster, 0, "stream", "dublin", true);
    let answered = preempt(&cluster.facts(), &[("dublin", vec![0])]);
    assert_eq!(answered.kept.len(), 1);
    assert_eq!(last_copies(&answered.outcome), ["stream"]);
    assert_eq!(answered.outcome.permitted(), 0);
}

#[test]
fn why_says_that_preemption_spares_a_pod() {
    let mut cluster = cluster();
    runs(&mut cluster, 0, "stream", "dublin", true);
    let manifest = cluster.items.last().unwrap().clone();
    let (json, text) = explained(&cluster.facts(), &pod(&manifest), "dublin");
    assert_eq!(json["lastCopies"], json!(["stream"]));
    assert!(
        text.contains("without it no permitted copy of `stream` would be ready: preemption spares it"),
        "{text}"
    );
    runs(&mut cluster, 1, "stream", "sydney", true);
    let (json, text) = explained(&cluster.facts(), &pod(&manifest), "dublin");
    assert!(json["lastCopies"].is_null() && !text.contains("spares"), "{text}");
}

/// The routes as kube-scheduler asks them, and what the log of decisions says.
#[actix_web::test]
async fn the_routes_answer_so_and_the_record_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("decisions.jsonl");
    let (settings, counters) = (DecisionLogSettings::default(), DecisionLogCounters::default());
    let log = Arc::new(DecisionLog::open(&path, settings, counters).unwrap());
    let metrics = Arc::new(Metrics::new());
    let mut cluster = cluster();
    runs(&mut cluster, 0, "patients", "sydney", true);
    runs(&mut cluster, 1, "stream", "virginia", true);
    runs(&mut cluster, 2, "stream", "frankfurt-a", true);
    comes(&mut cluster, 3, "stream");
    let server = web_test::init_service(
        App::new()
            .app_data(Data::new(ServerState {
                decisions: Some(Arc::clone(&log)),
                metrics: Arc::clone(&metrics),
                ..state(Some(cluster.facts().snapshot))
            }))
            .configure(configure),
    )
    .await;
    let post = |path: &str, body: String| {
        let request = web_test::TestRequest::post().uri(path);
        let request = request.insert_header(("content-type", "application/json"));
        request.set_payload(body).to_request()
    };
    let some = body(&[("sydney", vec![0]), ("virginia", vec![1])]);
    let answer: Value = web_test::call_and_read_body_json(&server, post("/preempt", some)).await;
    let kept = json!({"virginia": {"Pods": [{"UID": "uid-1"}], "NumPDBViolations": 0}});
    assert_eq!(answer, json!({"NodeNameToMetaVictims": kept}));
    // The same with whole pods, which are answered by their UIDs too.
    let whole = json!({
        "Pod": wants_room(), "NodeNameToMetaVictims": null,
        "NodeNameToVictims": {"sydney": {"Pods": [{"metadata": {"name": "db-0", "uid": "uid-0"}}]}},
    });
    let answer: Value = web_test::call_and_read_body_json(&server, post("/preempt", whole.to_string())).await;
    assert_eq!(answer, json!({"NodeNameToMetaVictims": {}}));
    let names: Vec<&str> = NODES.iter().map(|(name, ..)| *name).collect();
    let offer = json!({"Pod": member(3), "Nodes": null, "NodeNames": names}).to_string();
    let answer: Value = web_test::call_and_read_body_json(&server, post("/prioritize", offer)).await;
    let scored = answer.as_array().unwrap().iter();
    let best = scored.max_by_key(|score| score["Score"].as_u64()).unwrap();
    assert_eq!(best["Host"], "frankfurt-b", "{answer}");

    assert_eq!(log.close(std::time::Duration::from_secs(5)).lost, 0);
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines();
    let records: Vec<DecisionRecord> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let [some, none, _] = records.as_slice() else {
        panic!("{text}");
    };
    let told = |record: &DecisionRecord| {
        let reasons = record
            .reasons
            .iter()
            .map(|reason| (reason.code.clone(), reason.nodes));
        (
            (record.candidates, record.permitted, record.verdict, record.mode),
            reasons.collect::<Vec<_>>(),
            record.last_copies.clone(),
        )
    };
    let reasons = vec![("last-copy".to_owned(), 1)];
    let protected = vec!["patients".to_owned()];
    let one_stays = (2, 1, Verdict::Permitted, Mode::Enforce);
    assert_eq!(told(some), (one_stays, reasons.clone(), protected.clone()));
    assert_eq!(some.sentence, None);
    let none_stays = (1, 0, Verdict::Refused, Mode::Enforce);
    assert_eq!(told(none), (none_stays, reasons, protected));
    let sentence = "domicile: no pod is evicted that holds the last permitted copy of `patients`";
    assert_eq!(none.sentence.as_deref(), Some(sentence));
    let counted = metrics.encode(NOW.parse().unwrap());
    assert!(counted.contains(r#"code="last-copy""#), "{counted}");
}

/// A member that is drawn: its data set, its node, whether it is ready, whether it is a victim.
type Drawn = (&'static str, usize, bool, bool);

fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    let data_set = prop::sample::select(vec!["stream", "patients"]);
    prop::collection::vec((data_set, 0..NODES.len(), any::<bool>(), any::<bool>()), 0..7)
}

fn built(members: &[Drawn]) -> Cluster {
    let mut cluster = cluster();
    for (number, (data_set, node, ready, _)) in (0..).zip(members) {
        runs(&mut cluster, number, data_set, NODES[*node].0, *ready);
    }
    cluster
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whoever is evicted by an answer, each data set of which a permitted copy goes keeps one that is ready; and nobody is
    /// spared for less.
    #[test]
    fn no_answer_takes_the_last_permitted_copy_away(members in drawn()) {
        let is_permitted = |(data_set, node, ..): &Drawn| *data_set == "stream" || NODES[*node].0 == "sydney";
        let mut candidates: Vec<(&str, Vec<u32>)> = Vec::new();
        for (index, (name, ..)) in NODES.iter().enumerate() {
            let numbered = (0..).zip(&members);
            let victims = numbered.filter(|(_, (_, node, _, is_victim))| *is_victim && *node == index);
            candidates.push((name, victims.map(|(number, _)| number).collect()));
        }
        let answered = preempt(&built(&members).facts(), &candidates);
        for (node, victims) in &candidates {
            let goes = |number: u32| victims.contains(&number);
            let loses = |data_set: &str| {
                let of_it = || {
                    let numbered = (0..).zip(&members).filter(|(_, member)| member.0 == data_set);
                    numbered.filter(|(_, member)| is_permitted(member))
                };
                of_it().any(|(number, _)| goes(number))
                    && !of_it().any(|(number, (_, _, is_ready, _))| !goes(number) && *is_ready)
            };
            let expected = !victims.is_empty() && !loses("stream") && !loses("patients");
            prop_assert_eq!(answered.kept.contains(*node), expected, "{} of {:?}", node, members);
        }
    }

    /// Members sway the order of a new one's places by 5 ms for each copy in a zone, and permit and refuse none.
    #[test]
    fn members_sway_the_order_and_permit_nothing(members in drawn(), of in prop::sample::select(vec!["stream", "patients"])) {
        let number = u32::try_from(members.len()).unwrap();
        let (mut alone, mut beside) = (cluster(), built(&members));
        let new = comes(&mut alone, number, of);
        comes(&mut beside, number, of);
        let (alone, beside) = (alone.facts(), beside.facts());
        let permitted = |facts: &Facts| -> Vec<bool> {
            scores(facts, &new).iter().map(Option::is_some).collect()
        };
        prop_assert_eq!(permitted(&alone), permitted(&beside));

        let assessment = assess(&beside.snapshot, &new, beside.at);
        let class = |node: &str| beside.snapshot.class_of(node.as_bytes());
        let found = prioritize(&assessment, NODES.iter().map(|(name, ..)| class(name)));
        let crowd = |place: usize| {
            let copies = members.iter().filter(|(data_set, node, ..)| *data_set == of && *node == place);
            copies.count() as f64
        };
        let counted: Vec<Option<(f64, u8)>> = (0..NODES.len())
            .map(|place| {
                let class = class(NODES[place].0).filter(|class| assessment.permits(Some(*class)))?;
                let access_ms = match assessment.cost(class).total {
                    Demanded::Known(total) => total.ms,
                    Demanded::NotDemanded => 0.0,
                    Demanded::Unknown => return None,
                };
                Some((access_ms + SPREAD_MS * crowd(place), found.score(Some(class)).get()))
            })
            .collect();
        for (one_ms, one) in counted.iter().flatten() {
            for (other_ms, other) in counted.iter().flatten() {
                prop_assert!(one_ms > other_ms || one >= other, "{:?} beside {:?}", counted, members);
            }
        }
    }
}
