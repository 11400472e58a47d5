//! Golden JSON of the extender protocol: each `NAME.request.json` of `tests/golden/VERB` has either the
//! exact answer beside it (`NAME.answer.json`) or the exact refusal (`NAME.error.txt`: code, sentence).
//!
//! The requests have the shapes that kube-scheduler 1.36 was seen to send, shortened. To write what is
//! missing after a change, and read it before it is committed: `DOMICILE_WRITE_GOLDEN=1 cargo test wire`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use domicile::extender::BadRequest;
use domicile::server::{AnswerSettings, Decided, filter, preempt, prioritize};
use domicile::snapshot::Snapshot;

use crate::world::{NOW, fleet, policies, snapshot};

fn world() -> Snapshot {
    snapshot(
        policies(&[]),
        fleet(&[("aws/eu-central-1", 2), ("aws/us-east-1", 2), ("-", 1)]),
    )
}

fn decide<'s>(verb: &str, snapshot: &'s Snapshot, body: &[u8]) -> Result<Decided<'s>, BadRequest> {
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
                let answer = String::from_utf8(decided.answer).unwrap();
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
