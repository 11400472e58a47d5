//! `examples/routes`, as it is and with one thing changed: a way that is a detour, one that is closed, what is only
//! recorded, and that without a rule nothing is different.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use domicile::assembly::{RuleTexts, SourceText, assemble};
use domicile::cli::facts::{Facts, read_pod};
use domicile::cli::{Output, why, why_not};
use domicile::placement::{BlindSample, assess, filter, prioritize};
use domicile::snapshot::Snapshot;
use serde_json::Value;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/routes")
}

/// The example with these words of its policies exchanged.
fn world(changes: &[(&str, &str)]) -> Facts {
    let text = |name: &str| SourceText::new(name, fs::read_to_string(example().join(name)).unwrap());
    let mut policies = text("policies.yaml");
    for (old, new) in changes {
        assert!(policies.text.contains(old), "{old}");
        policies.text = policies.text.replace(old, new);
    }
    let rules = RuleTexts {
        policies: vec![policies],
        data_sets: Vec::new(),
        latency: vec![text("latency.csv")],
    };
    let (inputs, _) = assemble(&rules, &text("fleet.yaml")).unwrap();
    Facts {
        snapshot: Snapshot::new(inputs),
        at: "2026-11-21T12:00:00Z".parse().unwrap(),
    }
}

fn asked(facts: &Facts, pod: &str, node: Option<&str>) -> Value {
    let pod = read_pod(&example().join(format!("pods/{pod}.yaml"))).unwrap();
    let mut out = Vec::new();
    match node {
        Some(node) => why::report(facts, &pod, node, Output::Json, &mut out),
        None => why_not::report(facts, &pod, None, Output::Json, &mut out),
    }
    .unwrap();
    serde_json::from_slice(&out).unwrap()
}

/// The regions where a pod may run.
fn permitted(facts: &Facts, pod: &str) -> BTreeSet<String> {
    let answer = asked(facts, pod, None);
    let places = answer.get("permitted").and_then(Value::as_array).unwrap();
    let regions = places
        .iter()
        .map(|place| place.get("region").and_then(Value::as_str).unwrap());
    regions.map(|region| region.replace("fern/", "")).collect()
}

fn regions(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The legs of the accesses of `parcels` from Frankfurt: way and milliseconds.
fn from_frankfurt(facts: &Facts) -> Vec<(Value, Value)> {
    let answer = asked(facts, "parcels", Some("frankfurt-1"));
    let legs = answer.pointer("/access/legs").and_then(Value::as_array).unwrap();
    let at = |leg: &Value, path| leg.pointer(path).cloned().unwrap_or_default();
    legs.iter()
        .map(|leg| (at(leg, "/route/way"), at(leg, "/ms")))
        .collect()
}

/// What a filter call over the whole fleet records: code, rule, mode, nodes.
fn recorded(facts: &Facts, pod: &str) -> Vec<String> {
    let pod = read_pod(&example().join(format!("pods/{pod}.yaml"))).unwrap();
    let assessment = assess(&facts.snapshot, &pod, facts.at);
    let offered = facts.snapshot.classes().map(|(class, _)| Some(class));
    let outcome = filter(&assessment, offered, BlindSample::Refuse);
    let reasons = outcome.reasons.iter().map(|reason| {
        let rule = reason.rule.as_deref().unwrap_or("-");
        format!(
            "{} {rule} {} {}",
            reason.code.word(),
            reason.mode.word(),
            reason.nodes
        )
    });
    reasons.collect()
}

const CLOSED: &str = "domicile: no permitted route leads to `invoices`: `customer-data/route` permits only declared \
                      routes outside group not-through; ask dpo@ferngate.example";

#[test]
fn a_detour_is_taken_and_told_and_where_there_is_none_the_pod_is_refused() {
    let facts = world(&[]);
    assert_eq!(
        permitted(&facts, "parcels"),
        regions(&["frankfurt", "milan", "paris"])
    );
    let detour = (Value::from("detour"), Value::from(28.0));
    assert_eq!(from_frankfurt(&facts), [detour.clone(), detour]);
    assert_eq!(permitted(&facts, "invoices"), regions(&["helsinki"]));
    let answer = asked(&facts, "invoices", Some("frankfurt-1"));
    assert_eq!(answer["sentence"], CLOSED);
    let causes = answer["causes"].as_array().unwrap();
    let told: Vec<&Value> = causes
        .iter()
        .filter(|cause| cause["cause"] == "no-route")
        .collect();
    let [told] = told.as_slice() else {
        panic!("{causes:?}");
    };
    assert_eq!(
        (&told["rule"], &told["refuses"]),
        (&"customer-data/route".into(), &true.into())
    );
    assert_eq!(told["contact"], "dpo@ferngate.example");
    assert_eq!(
        recorded(&facts, "invoices"),
        ["no-route customer-data/route enforce 3"]
    );
    let page = fs::read_to_string(example().join("README.md")).unwrap();
    assert!(
        page.contains(CLOSED.trim_start_matches("domicile: ")),
        "the page says it otherwise"
    );
}

#[test]
fn the_nearest_by_what_remains_is_preferred() {
    let facts = world(&[]);
    let pod = read_pod(&example().join("pods/parcels.yaml")).unwrap();
    let best_but_home = |facts: &Facts| {
        let assessment = assess(&facts.snapshot, &pod, facts.at);
        let class = |node: &str| facts.snapshot.class_of(node.as_bytes());
        let offered = [class("frankfurt-1"), class("paris-1")];
        let scores = prioritize(&assessment, offered.into_iter());
        offered.map(|class| scores.score(class).get())
    };
    let [frankfurt, paris] = best_but_home(&facts);
    assert!(paris > frankfurt, "{paris} {frankfurt}");
    // By the direct way Frankfurt is nearer.
    let [frankfurt, paris] = best_but_home(&world(&[("{country: \"CH\"}, ", "")]));
    assert!(frankfurt > paris, "{frankfurt} {paris}");
}

#[test]
fn what_is_only_recorded_closes_nothing_and_moves_nothing() {
    let direct = (Value::Null, Value::from(9.0));
    for mode in ["audit", "warn"] {
        let mode_of_policy = format!("mode: {mode}\n  appliesTo");
        let facts = world(&[("mode: enforce\n  appliesTo", &mode_of_policy)]);
        assert_eq!(permitted(&facts, "invoices").len(), 4, "{mode}");
        assert_eq!(from_frankfurt(&facts), [direct.clone(), direct.clone()], "{mode}");
        assert_eq!(
            recorded(&facts, "invoices"),
            [format!("no-route customer-data/route {mode} 3")]
        );
    }
    let observing = world(&[("mode: enforce\n  uncovered", "mode: observe\n  uncovered")]);
    assert_eq!(from_frankfurt(&observing), [direct.clone(), direct]);
    assert_eq!(
        recorded(&observing, "invoices"),
        ["no-route customer-data/route enforce 3"]
    );
    assert_eq!(
        asked(&observing, "invoices", Some("frankfurt-1"))["verdict"],
        "would-refuse"
    );
}

#[test]
fn a_way_that_nobody_declares_is_taken_away_or_recorded() {
    let without_rhone = (
        "to: fern/milan, countries: [\"MC\"]",
        "to: fern/helsinki, countries: [\"MC\"]",
    );
    let denied = world(&[without_rhone]);
    assert_eq!(permitted(&denied, "parcels"), regions(&["milan"]));
    let recording = world(&[without_rhone, ("whenPathUnknown: deny", "whenPathUnknown: warn")]);
    // The direct way from Frankfurt is declared, and crosses what is forbidden.
    assert_eq!(
        permitted(&recording, "parcels"),
        regions(&["helsinki", "milan", "paris"])
    );
    assert_eq!(
        recorded(&recording, "parcels"),
        [
            "no-route customer-data/route enforce 1",
            "undeclared-route customer-data/route warn 2"
        ]
    );
}

#[test]
fn without_a_rule_links_change_nothing() {
    let rule = "    - {id: route, transit: {forbid: [group/not-through], whenPathUnknown: deny}}\n";
    let with_links = world(&[(rule, "")]);
    let links = fs::read_to_string(example().join("policies.yaml")).unwrap();
    let documents = links
        .split("---\n")
        .filter(|document| document.contains("kind: NetworkLink"));
    let mut changes: Vec<(&str, &str)> = documents.map(|document| (document, "# none\n")).collect();
    changes.push((rule, ""));
    let without = world(&changes);
    for pod in ["parcels", "invoices"] {
        assert_eq!(permitted(&with_links, pod).len(), 4);
        for node in [None, Some("frankfurt-1"), Some("helsinki-1")] {
            let said = |facts: &Facts| {
                let mut answer = asked(facts, pod, node);
                // The hash of the files is another.
                answer.as_object_mut().unwrap().remove("world");
                answer.to_string()
            };
            assert_eq!(said(&with_links), said(&without));
            assert!(!said(&without).contains("route\""));
        }
        assert!(recorded(&with_links, pod).is_empty());
    }
}
