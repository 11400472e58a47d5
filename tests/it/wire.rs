//! Golden JSON of the extender protocol: each `NAME.request.json` of `tests/golden/VERB` has either the
//! exact answer beside it (`NAME.answer.json`) or the exact refusal (`NAME.error.txt`: code, sentence).
//!
//! The requests have the shapes that kube-scheduler 1.36 was seen to send, shortened. To write what is
//! missing after a change, and read it before it is committed: `DOMICILE_WRITE_GOLDEN=1 cargo test wire`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use domicile::extender::{BadRequest, read_arguments};
use domicile::server::{AnswerSettings, Decided, filter, preempt, prioritize};
use domicile::snapshot::{NAMES_AT_ONCE, Snapshot};

use crate::world::{NOW, fleet, policies, snapshot};

fn world() -> Snapshot {
    snapshot(
        policies(&[]),
        fleet(&[("aws/eu-central-1", 2), ("aws/us-east-1", 2), ("-", 1)]),
    )
}

fn decide<'s, 'b>(verb: &str, snapshot: &'s Snapshot, body: &'b [u8]) -> Result<Decided<'s, 'b>, BadRequest> {
    let now = NOW.parse().unwrap();
    match verb {
        "filter" => filter(snapshot, body, now, AnswerSettings::default()),
        "prioritize" => prioritize(snapshot, body, now),
        _ => preempt(snapshot, body, now),
    }
}

/// Every request with its verb.
fn requests() -> BTreeMap<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut found = BTreeMap::new();
    for verb in ["filter", "prioritize", "preempt"] {
        for entry in fs::read_dir(root.join(verb)).unwrap() {
            let path = entry.unwrap().path();
            if path.to_str().unwrap().ends_with(".request.json") {
                found.insert(path, verb.to_owned());
            }
        }
    }
    found
}

fn beside(request: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(request.to_str().unwrap().replace(".request.json", suffix))
}

#[test]
fn every_golden_request_has_its_golden_answer() {
    let world = world();
    let write = std::env::var_os("DOMICILE_WRITE_GOLDEN").is_some();
    let mut codes = BTreeSet::new();
    let mut differing = Vec::new();
    let requests = requests();
    for (path, verb) in &requests {
        let body = fs::read(path).unwrap();
        let (suffix, other, text) = match decide(verb, &world, &body) {
            Ok(decided) => {
                let answer = String::from_utf8(decided.answer.bytes().into_owned()).unwrap();
                serde_json::from_str::<serde_json::Value>(&answer).unwrap();
                (".answer.json", ".error.txt", answer)
            }
            Err(error) => {
                codes.insert(error.code());
                (".error.txt", ".answer.json", format!("{}: {error}", error.code()))
            }
        };
        let golden = beside(path, suffix);
        assert!(!beside(path, other).exists(), "{} has both", path.display());
        if write && !golden.exists() {
            fs::write(&golden, format!("{text}\n")).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if expected.trim_end_matches('\n') != text {
            differing.push(format!(
                "{}\n  expected {expected}  got      {text}",
                golden.display()
            ));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert!(requests.len() >= 60, "requests are missing");
    assert_eq!(
        codes,
        BadRequest::CODES.into_iter().collect(),
        "a code without a case"
    );
}

/// A body that is one byte away from a golden one, in one of four ways.
fn mutated(body: &[u8], random: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    const BYTES: &[u8] = br#"{}[]":,\ntu0-e.x "#;
    let mut body = body.to_vec();
    let at = random(body.len());
    let byte = *BYTES.get(random(BYTES.len())).unwrap();
    match random(4) {
        0 => *body.get_mut(at).unwrap() = byte,
        1 => body.insert(at, byte),
        2 => drop(body.remove(at)),
        _ => body.truncate(at),
    }
    body
}

/// Whatever the scanner takes for a request is JSON to serde too, with the same names in it.
#[test]
fn near_misses_are_refused_or_mean_the_same_to_another_reader() {
    let world = world();
    let mut state = 20_261_121_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let (mut taken, mut refused) = (0, 0);
    for (path, verb) in requests() {
        let golden = fs::read(&path).unwrap();
        for _ in 0..200 {
            let body = mutated(&golden, &mut random);
            let text = String::from_utf8_lossy(&body).into_owned();
            match decide(&verb, &world, text.as_bytes()) {
                Ok(_) => {
                    taken += 1;
                    let read: serde_json::Value = serde_json::from_str(&text).expect(&text);
                    let Some(names) = read["NodeNames"].as_array() else {
                        continue;
                    };
                    let arguments = read_arguments(text.as_bytes(), |_| [None; NAMES_AT_ONCE]).expect(&text);
                    let ours = arguments.candidates.nodes.iter();
                    let ours: Vec<_> = ours
                        .map(|node| String::from_utf8(node.name.unescaped().into_owned()).expect(&text))
                        .collect();
                    assert_eq!(
                        ours,
                        names
                            .iter()
                            .map(|name| name.as_str().unwrap())
                            .collect::<Vec<_>>()
                    );
                }
                Err(_) => refused += 1,
            }
        }
    }
    // Neither branch is empty, so both were tried.
    assert!(taken > 1_000 && refused > 1_000, "{taken} {refused}");
}
