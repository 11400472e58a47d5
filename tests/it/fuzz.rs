//! What fuzzing tries (`fuzz/`), without libFuzzer: every file of the corpus and the fixtures that it begins with, and
//! seeded damage of each. What a long run finds is put into the corpus, so it is tried here from then on.
#![expect(clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use targets::{Check, TARGETS};

#[path = "../../fuzz/src/targets/mod.rs"]
mod targets;

/// The longest input: damage is not the test of limits.
const MOST_BYTES: usize = 20_000;

/// Pieces that JSON, YAML or CSV gives a meaning.
const PIECES: [&[u8]; 32] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"\\",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\\ud800",
    b"\\u0000",
    b"null",
    b"true",
    b"-0",
    b"1e999",
    b"18446744073709551616",
    b"0.1",
    b"{}",
    b"[]",
    b"\"\"",
    b"---\n",
    b"#",
    b"/",
    b"~",
    b"NaN",
    b"9999-12-31",
    b"-1",
    b"\xc3\xa9",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folders of fixtures besides the corpus, which `fuzz/run` names too, and how often each input is damaged: where
/// one costs much (whole sets of policies, damaged in `policy/damage.rs` too) less often.
fn fixtures(target: &str) -> (&'static [&'static str], usize) {
    match target {
        "latency" => (&["tests/latency"], 25),
        "policies" => (&[], 40),
        "snapshot" => (&["tests/change"], 100),
        "trace" => (&["src/simulation/trace"], 300),
        "wire" => (
            &[
                "tests/golden/filter",
                "tests/golden/preempt",
                "tests/golden/prioritize",
            ],
            200,
        ),
        _ => (&[], 300),
    }
}

/// The files of a target, by their paths.
fn inputs(target: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let corpus = format!("fuzz/corpus/{target}");
    let folders = fixtures(target).0.iter().copied().chain([corpus.as_str()]);
    let files = folders.flat_map(|folder| fs::read_dir(root().join(folder)).unwrap());
    let files = files.map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.is_file() && path.extension().is_none_or(|extension| extension != "rs"))
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .filter(|(_, bytes)| bytes.len() <= MOST_BYTES)
        .collect()
}

/// Numbers by which an input is damaged.
struct Damage(Pcg64Mcg);

impl Damage {
    fn below(&mut self, limit: usize) -> usize {
        self.0.random_range(0..limit.max(1))
    }

    /// One to three changes.
    fn of(&mut self, input: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = input.to_vec();
        for _ in 0..=self.below(3) {
            self.change(&mut bytes, other);
        }
        bytes.truncate(MOST_BYTES);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(bytes.len() + 1);
        let end = (at + self.below(40)).min(bytes.len());
        let mut insert = |new: &[u8]| drop(bytes.splice(at..at, new.iter().copied()));
        match self.below(8) {
            0 => insert(PIECES[self.below(PIECES.len())]),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let byte = u8::try_from(self.below(256)).unwrap();
                if let Some(there) = bytes.get_mut(at) {
                    *there = byte;
                }
            }
            4 => {
                let from = self.below(other.len() + 1);
                let to = (from + self.below(200)).min(other.len());
                insert(&other[from..to]);
            }
            5 => {
                let again = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, again));
            }
            6 => {
                let deep: &[u8] = [b"[".as_slice(), b"{\"a\":", b"- ", b"[{\"a\":"][self.below(4)];
                insert(&deep.repeat(1 + self.below(3_000)));
            }
            // One figure of a number, or one letter of a word, becomes another.
            _ => {
                if let Some(there) = bytes.get_mut(at).filter(|there| there.is_ascii_alphanumeric()) {
                    *there = if there.is_ascii_digit() {
                        b'9'
                    } else {
                        *there ^ 0x20
                    };
                }
            }
        }
    }
}

fn tried(target: &str, check: Check, origin: &str, bytes: &[u8]) {
    if catch_unwind(|| check(bytes)).is_err() {
        let escaped = bytes.escape_ascii();
        panic!("{target} fails, by the message above, about {origin}: {escaped}");
    }
}

fn replay(target: &str) {
    let (_, check) = TARGETS.into_iter().find(|(name, _)| *name == target).unwrap();
    let inputs = inputs(target);
    let in_corpus = inputs
        .keys()
        .filter(|path| path.starts_with(root().join("fuzz/corpus")));
    assert!(in_corpus.count() >= 10, "the corpus of {target} is missing");
    let all: Vec<&[u8]> = inputs.values().map(Vec::as_slice).collect();
    for (number, (path, bytes)) in inputs.iter().enumerate() {
        let origin = path.display().to_string();
        tried(target, check, &origin, bytes);
        let mut damage = Damage(Pcg64Mcg::seed_from_u64(number as u64));
        for time in 0..fixtures(target).1 {
            let other = all[damage.below(all.len())];
            let damaged = damage.of(bytes, other);
            tried(
                target,
                check,
                &format!("{origin}, damaged for the {time}th time"),
                &damaged,
            );
        }
    }
}

#[test]
fn any_review_is_answered_and_patched_once() {
    replay("admission");
}

#[test]
fn any_latency_file_that_is_read_is_written_as_the_same() {
    replay("latency");
}

#[test]
fn any_policy_file_is_loaded_or_told_of() {
    replay("policies");
}

#[test]
fn any_snapshot_file_that_is_read_is_written_as_the_same() {
    replay("snapshot");
}

#[test]
fn any_trace_that_is_read_is_written_as_the_same() {
    replay("trace");
}

#[test]
fn any_body_is_refused_or_answered_with_its_own_names() {
    replay("wire");
}

#[test]
fn every_target_has_a_program_a_corpus_and_a_test() {
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    let script = fs::read_to_string(root().join("fuzz/run")).unwrap();
    let tests = fs::read_to_string(root().join("tests/it/fuzz.rs")).unwrap();
    for (target, _) in TARGETS {
        let program = format!("fuzz_targets/{target}.rs");
        assert!(manifest.contains(&program) && root().join("fuzz").join(program).is_file());
        assert!(tests.contains(&format!("replay(\"{target}\")")));
        assert!(root().join("fuzz/dictionaries").join(target).is_file());
        assert!(
            script.contains(&format!(" {target}")),
            "fuzz/run does not know {target}"
        );
        for folder in fixtures(target).0 {
            assert!(
                script.contains(&format!("../{folder}")),
                "fuzz/run does not begin with {folder}"
            );
        }
    }
}
