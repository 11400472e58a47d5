//! `domicile test`, exactly: each `tests/policy-tests/NAME.yaml`, with `base.yaml` beside it, gives the texts
//! of `NAME.txt` and, where they are there, of `NAME.xml` and `NAME.json`.
//!
//! `DOMICILE_UPDATE_EXPECTED=1` writes the texts anew, for somebody to read.

use std::fs;
use std::path::{Path, PathBuf};

use domicile::cli::Outcome;
use domicile::cli::test::{TestArgs, TestOutput, run};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policy-tests")
}

fn tested(files: &[(&str, &str)], output: TestOutput) -> (String, Option<Outcome>) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let arguments = TestArgs {
        directory: Some(directory.path().to_owned()),
        snapshot: None,
        output,
    };
    let mut out = Vec::new();
    match run(&arguments, &mut out) {
        Ok(outcome) => (String::from_utf8(out).unwrap(), Some(outcome)),
        Err(problem) => (format!("{problem:#}"), None),
    }
}

/// A case of the folder, with the set that it is about.
fn case(name: &str, output: TestOutput) -> (String, Option<Outcome>) {
    let read = |name: &str| fs::read_to_string(folder().join(name)).unwrap();
    let (base, case) = (read("base.yaml"), read(&format!("{name}.yaml")));
    tested(&[("base.yaml", &base), ("case.yaml", &case)], output)
}

#[test]
fn every_case_gives_its_texts() {
    let updates = std::env::var_os("DOMICILE_UPDATE_EXPECTED").is_some();
    let mut wrong = Vec::new();
    for (name, holds) in [
        ("all-pass", true),
        ("fails", false),
        ("no-test", false),
        ("not-loaded", false),
        ("ways", true),
    ] {
        for (output, extension) in [
            (TestOutput::Text, "txt"),
            (TestOutput::Junit, "xml"),
            (TestOutput::Json, "json"),
        ] {
            // One example of what programs read is enough where all cases pass.
            if name == "all-pass" && output != TestOutput::Text {
                continue;
            }
            let (mut text, outcome) = case(name, output);
            assert_eq!(outcome, Some(Outcome::holds_if(holds)), "{name}:\n{text}");
            if output == TestOutput::Json {
                text = without_digest(&text);
            }
            let expected = folder().join(name).with_extension(extension);
            if updates {
                fs::write(&expected, &text).unwrap();
            }
            if fs::read_to_string(&expected).ok().as_ref() != Some(&text) {
                wrong.push(format!("{name}.{extension}:\n{text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The hash of a set changes with every word of it, which is for other tests to hold.
fn without_digest(text: &str) -> String {
    let mut answer: serde_json::Value = serde_json::from_str(text).unwrap();
    if let Some(digest) = answer["set"].as_str() {
        assert_eq!(digest.len(), 64);
        answer["set"] = "HASH".into();
    }
    serde_json::to_string_pretty(&answer).unwrap() + "\n"
}

#[test]
fn there_must_be_something_to_read() {
    let (said, outcome) = tested(&[("notes.txt", "not a policy")], TestOutput::Text);
    assert_eq!(outcome, None);
    assert!(said.starts_with("no policy file"), "{said}");
}

/// What a case expects is turned round, and the verb must notice: no case holds whatever comes of it.
#[test]
fn every_case_fails_where_the_opposite_is_expected() {
    let base = fs::read_to_string(folder().join("base.yaml")).unwrap();
    let cases = fs::read_to_string(folder().join("all-pass.yaml")).unwrap();
    let turned = cases
        .replace("expect: allow", "expect: DENY")
        .replace("expect: deny", "expect: allow")
        .replace("expect: DENY", "expect: deny");
    // A reason may be impossible for the opposite, which would be an error of its own.
    let turned: Vec<&str> = turned
        .lines()
        .filter(|line| !line.trim_start().starts_with("because: "))
        .collect();
    let turned = turned.join("\n").replace(", because: unlabelled", "");
    let (said, outcome) = tested(&[("base.yaml", &base), ("case.yaml", &turned)], TestOutput::Text);
    assert_eq!(outcome, Some(Outcome::Finding));
    assert!(said.ends_with(": 0 passed, 32 failed\n"), "{said}");
    assert!(said.contains("0 of 6 rules tested"), "{said}");
}
