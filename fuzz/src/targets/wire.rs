//! Any bytes as the body of `/filter`, `/prioritize` and `/preempt`.
//!
//! What is taken is JSON to another reader too; the answer is JSON with the fields that Go knows, names nothing but
//! what the request names, in its order, and is the same a second time; what is refused has a code and a position.

use std::collections::{BTreeMap, BTreeSet};

use domicile::extender::{BadRequest, NodeVictims, read_arguments, read_preemption_arguments};
use domicile::placement::{Answer, Preemption, assess};
use domicile::server::{AnswerSettings, Outcome, filter, preempt, prioritize};
use domicile::snapshot::{NAMES_AT_ONCE, Snapshot};
use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{says_something, small_world};
use crate::world::NOW;

type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let world = small_world();
    let now = NOW.parse().unwrap();
    filtered(world, bytes, now);
    prioritized(world, bytes, now);
    preempted(world, bytes, now);
}

fn filtered(world: &Snapshot, bytes: &[u8], now: Timestamp) {
    let settings = AnswerSettings::default();
    let decided = match filter(world, bytes, now, settings) {
        Ok(decided) => decided,
        Err(error) => return refused(&error, bytes),
    };
    taken(bytes);
    let again = filter(world, bytes, now, settings).unwrap();
    assert_eq!(
        decided.answer, again.answer,
        "the same request is answered in two ways"
    );

    let arguments = read_arguments(bytes, |names| world.classes_of(names)).unwrap();
    let assessment = assess(world, &arguments.pod, now);
    let bytes = decided.answer.bytes();
    let answer: Fields<'_> = fields(&bytes);
    let Outcome::Filter(outcome) = &decided.outcome else {
        panic!("filter decided something else");
    };
    assert_eq!(outcome.candidates, arguments.candidates.nodes.len());
    let survivors: Vec<&[u8]> = match (answer.get("NodeNames"), answer.get("Nodes")) {
        (Some(names), None) => texts(list(names)),
        (None, Some(nodes)) => list(fields(nodes.get().as_bytes())["items"])
            .into_iter()
            .map(|node| inner(name_of(node)))
            .collect(),
        _ => {
            assert_eq!(outcome.answer, Answer::BlindSample, "neither names nor nodes");
            Vec::new()
        }
    };
    let expected = arguments.candidates.nodes.iter();
    let expected: Vec<&[u8]> = expected
        .filter(|node| outcome.answer == Answer::Survivors && assessment.passes(node.class))
        .map(|node| node.name.as_bytes())
        .collect();
    assert_eq!(survivors, expected);

    let offered = arguments.candidates.nodes.iter();
    let offered: BTreeSet<String> = offered.map(|node| unescaped(node.name.as_bytes())).collect();
    if let Some(failed) = answer.get("FailedAndUnresolvableNodes") {
        let failed: BTreeMap<String, String> = serde_json::from_str(failed.get()).unwrap();
        assert!(survivors.is_empty() && failed.keys().all(|name| offered.contains(name)));
        failed.values().for_each(|sentence| says_something(sentence));
    }
    let known = ["NodeNames", "Nodes", "FailedAndUnresolvableNodes", "Error"];
    assert!(answer.keys().all(|field| known.contains(&field.as_str())));
}

fn prioritized(world: &Snapshot, bytes: &[u8], now: Timestamp) {
    let decided = match prioritize(world, bytes, now) {
        Ok(decided) => decided,
        Err(error) => return refused(&error, bytes),
    };
    let arguments = read_arguments(bytes, |names| world.classes_of(names)).unwrap();
    let mut offered = arguments.candidates.nodes.iter().map(|node| node.name.as_bytes());
    let bytes = decided.answer.bytes();
    let scores: Vec<&RawValue> = serde_json::from_slice(&bytes).unwrap();
    for score in scores {
        let score = fields(score.get().as_bytes());
        let host = inner(score["Host"]);
        assert!(
            offered.any(|name| name == host),
            "a host that is not there, or out of order"
        );
        let given: u8 = serde_json::from_str(score["Score"].get()).unwrap();
        assert!((1..=10).contains(&given) && score.len() == 2);
    }
}

fn preempted(world: &Snapshot, bytes: &[u8], now: Timestamp) {
    let decided = match preempt(world, bytes, now) {
        Ok(decided) => decided,
        Err(error) => return refused(&error, bytes),
    };
    taken(bytes);
    let arguments = read_preemption_arguments(bytes, |names| world.classes_of(names)).unwrap();
    let assessment = assess(world, &arguments.pod, now);
    let mut preemption = Preemption::new(&assessment, now);
    let is_kept = |node: &&NodeVictims<'_>| {
        let uids: Vec<String> = node.uids.iter().map(|uid| unescaped(uid.as_bytes())).collect();
        let uids: Vec<&str> = uids.iter().map(String::as_str).collect();
        preemption.judge(node.class, &uids).is_kept
    };
    let kept: Vec<_> = arguments.nodes.iter().filter(is_kept).collect();
    // A name that is there twice is one key to whoever reads the answer; the last of its values counts.
    let expected: BTreeMap<String, (Vec<String>, i64)> = kept
        .iter()
        .map(|node| {
            let uids = node.uids.iter().map(|uid| unescaped(uid.as_bytes())).collect();
            (unescaped(node.node.as_bytes()), (uids, node.violations))
        })
        .collect();
    let answer: Value = serde_json::from_slice(&decided.answer.bytes()).unwrap();
    let answered = answer["NodeNameToMetaVictims"].as_object().unwrap();
    let answered: BTreeMap<String, (Vec<String>, i64)> = answered
        .iter()
        .map(|(node, victims)| {
            let pods = victims["Pods"].as_array().unwrap().iter();
            let uids = pods.map(|pod| pod["UID"].as_str().unwrap().to_owned()).collect();
            (
                node.clone(),
                (uids, victims["NumPDBViolations"].as_i64().unwrap()),
            )
        })
        .collect();
    assert_eq!(answered, expected);
}

/// What is taken for a request, another reader takes for JSON.
fn taken(bytes: &[u8]) {
    let read = serde_json::from_slice::<serde::de::IgnoredAny>(bytes);
    assert!(read.is_ok(), "{read:?}");
    read_arguments(bytes, |_| [None; NAMES_AT_ONCE]).ok();
}

fn refused(error: &BadRequest, bytes: &[u8]) {
    assert!(BadRequest::CODES.contains(&error.code()));
    says_something(&error.to_string());
    if let BadRequest::MalformedJson { byte } = error {
        assert!(*byte <= bytes.len(), "{byte} is behind the end");
    }
}

fn fields(json: &[u8]) -> Fields<'_> {
    serde_json::from_slice(json).unwrap()
}

fn list(json: &RawValue) -> Vec<&RawValue> {
    serde_json::from_str(json.get()).unwrap()
}

fn texts(list: Vec<&RawValue>) -> Vec<&[u8]> {
    list.into_iter().map(inner).collect()
}

/// A string of JSON without its quotes, still escaped.
fn inner(json: &RawValue) -> &[u8] {
    let text = json.get().as_bytes();
    &text[1..text.len() - 1]
}

fn name_of(node: &RawValue) -> &RawValue {
    fields(fields(node.get().as_bytes())["metadata"].get().as_bytes())["name"]
}

fn unescaped(text: &[u8]) -> String {
    serde_json::from_slice(&[b"\"", text, b"\""].concat()).unwrap()
}
