//! `domicile diff`, exactly: each `tests/diff/NAME.yaml` gives the text of `tests/diff/NAME.txt`.
//!
//! A case is an old set and, behind the line `# new`, a new one; each stands beside `base.yaml`.
//! `DOMICILE_UPDATE_EXPECTED=1` writes the texts anew, for somebody to read.

use std::fs;
use std::path::{Path, PathBuf};

use domicile::cli::diff::{DiffArgs, run};
use domicile::cli::{Outcome, Output};
use jiff::Timestamp;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diff")
}

/// The two sets of a case, in a directory of their own.
fn sets(case: &str) -> (tempfile::TempDir, DiffArgs) {
    let base = fs::read_to_string(folder().join("base.yaml")).unwrap();
    let text = fs::read_to_string(folder().join(case)).unwrap();
    let (old, new) = text.split_once("# new\n").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let of = |name: &str, text: &str| {
        let set = directory.path().join(name);
        fs::create_dir(&set).unwrap();
        fs::write(set.join("base.yaml"), &base).unwrap();
        fs::write(set.join("case.yaml"), text).unwrap();
        set
    };
    let args = DiffArgs {
        old: of("old", old),
        new: of("new", new),
        at: None,
        output: Output::Text,
        allow_widening: false,
    };
    (directory, args)
}

fn said(args: &DiffArgs) -> (String, Outcome) {
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    let mut out = Vec::new();
    let outcome = run(args, now, &mut out).unwrap();
    (String::from_utf8(out).unwrap(), outcome)
}

fn cases() -> Vec<String> {
    let names = fs::read_dir(folder()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names
        .filter(|name| name.ends_with(".yaml") && name != "base.yaml")
        .collect();
    names.sort();
    names
}

#[test]
fn every_case_gives_its_text_and_exits_with_1_where_more_is_let_through() {
    let updates = std::env::var_os("DOMICILE_UPDATE_EXPECTED").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        let (directory, args) = sets(&case);
        let (text, outcome) = said(&args);
        let text = text.replace(&format!("{}/", directory.path().display()), "");
        let expected = folder().join(&case).with_extension("txt");
        if updates {
            fs::write(&expected, &text).unwrap();
        }
        if fs::read_to_string(&expected).ok().as_ref() != Some(&text) {
            wrong.push(format!("{case}:\n{text}"));
        }
        let lets_more_through = text.contains("\nthis widens:");
        assert_eq!(outcome, Outcome::holds_if(!lets_more_through), "{case}");
        let told = DiffArgs {
            allow_widening: true,
            ..args
        };
        assert_eq!(said(&told).1, Outcome::Holds, "{case}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn json_has_every_list_whole() {
    let (_directory, args) = sets("a-country-more.yaml");
    let args = DiffArgs {
        output: Output::Json,
        ..args
    };
    let said: serde_json::Value = serde_json::from_str(&said(&args).0).unwrap();
    assert_eq!(
        (&said["v"], &said["kind"]),
        (&serde_json::json!(1), &serde_json::json!("diff"))
    );
    assert_eq!(
        (&said["widens"], &said["sameMeaning"]),
        (&true.into(), &false.into())
    );
    let cells = &said["newlyPermitted"][0];
    assert_eq!(cells["subjects"], serde_json::json!(["DE", "FR", "NO"]));
    assert_eq!(cells["regions"], serde_json::json!(["aws/eu-west-2"]));
    assert_eq!(cells["countries"], serde_json::json!(["GB"]));
    assert_eq!(cells["classifications"].as_array().map(Vec::len), Some(5));
    assert_eq!(cells["when"][0]["until"], serde_json::Value::Null);
    assert_eq!(said["newlyRefused"], serde_json::json!([]));
}

#[test]
fn the_shipped_set_means_the_same_as_itself_in_one_file() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let mut texts = Vec::new();
    let mut open = vec![shipped.clone()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "yaml") {
                texts.push(fs::read_to_string(path).unwrap());
            }
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let one = directory.path().join("one.yaml");
    fs::write(&one, texts.join("\n---\n")).unwrap();
    let args = DiffArgs {
        old: shipped,
        new: one,
        at: None,
        output: Output::Text,
        allow_widening: false,
    };
    let (text, outcome) = said(&args);
    assert!(text.contains("no change of meaning"), "{text}");
    assert_eq!(outcome, Outcome::Holds);
}
