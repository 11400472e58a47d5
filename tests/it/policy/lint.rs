//! `domicile lint`, exactly: each `tests/lint/NAME.yaml` gives the text of `tests/lint/NAME.txt`.
//!
//! A case is linted together with `base.yaml`, unless its first line is `# alone`, as of 2026-11-21 unless
//! that line is `# at: DAY`; with the fleet `NAME.fleet.yaml` and the data sets `NAME.data-sets.yaml` where
//! they stand beside it. `DOMICILE_UPDATE_EXPECTED=1` writes the texts anew, for somebody to read.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use domicile::cli::Outcome;
use domicile::cli::lint::{LintArgs, LintOutput, run};
use domicile::policy::FINDING_KINDS;
use jiff::Timestamp;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint")
}

fn arguments(directory: &Path) -> LintArgs {
    LintArgs {
        directory: Some(directory.to_owned()),
        fleet: None,
        data_sets: None,
        snapshot: None,
        at: None,
        strict: false,
        output: LintOutput::Text,
    }
}

fn linted(arguments: &LintArgs, now: &str) -> (String, Option<Outcome>) {
    let now: Timestamp = now.parse().unwrap();
    let mut out = Vec::new();
    match run(arguments, now, &mut out) {
        Ok(outcome) => (String::from_utf8(out).unwrap(), Some(outcome)),
        Err(problem) => (format!("{problem:#}"), None),
    }
}

/// A directory with these files.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

/// Every case with its path.
fn cases() -> Vec<(String, PathBuf)> {
    let mut cases: Vec<(String, PathBuf)> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            let name = name.strip_suffix(".yaml")?.to_owned();
            (name != "base" && !name.contains('.')).then_some((name, path))
        })
        .collect();
    cases.sort();
    cases
}

fn lint_case(path: &Path) -> (String, Option<Outcome>) {
    let case = fs::read_to_string(path).unwrap();
    let base = fs::read_to_string(folder().join("base.yaml")).unwrap();
    let first_line = case.lines().next().unwrap_or("");
    let mut files = Vec::new();
    // A case of what stands beside policies may have none of its own.
    if case.lines().any(|line| !line.starts_with('#')) {
        files.push(("policies/case.yaml", case.as_str()));
    }
    if first_line != "# alone" {
        files.push(("policies/base.yaml", base.as_str()));
    }
    let day = first_line.strip_prefix("# at: ").unwrap_or("2026-11-21");
    let beside: Vec<(&str, Option<String>)> = ["fleet.yaml", "data-sets.yaml"]
        .map(|name| (name, fs::read_to_string(path.with_extension(name)).ok()))
        .into();
    for (name, text) in &beside {
        files.extend(text.as_deref().map(|text| (*name, text)));
    }
    let directory = directory(&files);
    let path_of = |name: &str| {
        let path = directory.path().join(name);
        path.exists().then_some(path)
    };
    let arguments = LintArgs {
        fleet: path_of("fleet.yaml"),
        data_sets: path_of("data-sets.yaml"),
        ..arguments(&directory.path().join("policies"))
    };
    let (text, outcome) = linted(&arguments, &format!("{day}T12:00:00Z"));
    let folder = format!("{}/", directory.path().display());
    (text.replace(&folder, ""), outcome)
}

/// What SARIF says of some files: the results, and the rest of the run.
fn sarif(files: &[(&str, &str)]) -> (serde_json::Value, serde_json::Value) {
    let directory = directory(files);
    let arguments = LintArgs {
        output: LintOutput::Sarif,
        ..arguments(directory.path())
    };
    let (said, _) = linted(&arguments, "2026-11-21T12:00:00Z");
    let mut said: serde_json::Value = serde_json::from_str(&said).unwrap();
    let results = said["runs"][0]["results"].take();
    (results, said)
}

#[test]
fn every_case_gives_its_text() {
    let updates = std::env::var_os("DOMICILE_UPDATE_EXPECTED").is_some();
    let mut wrong = Vec::new();
    let mut codes = BTreeSet::new();
    for (name, path) in cases() {
        let (text, outcome) = lint_case(&path);
        let expected = path.with_extension("txt");
        if updates {
            fs::write(&expected, &text).unwrap();
        }
        if fs::read_to_string(&expected).ok().as_ref() != Some(&text) {
            wrong.push(format!("{name}:\n{text}"));
        }
        let is_error = text.contains(": error L") || text.starts_with("error L");
        assert_eq!(outcome, Some(Outcome::holds_if(!is_error)), "{name}");
        if let Some((code, _)) = name.split_once('-') {
            assert!(
                text.contains(&format!("{code}: ")),
                "{name} has no {code}:\n{text}"
            );
            codes.insert(code.to_owned());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let expected = [
        "L01", "L02", "L03", "L04", "L05", "L06", "L07", "L08", "L09", "L10", "L11", "L12", "L13", "L14",
        "L15", "L16", "L17", "L18",
    ];
    assert_eq!(codes, expected.map(str::to_owned).into());
}

#[test]
fn every_code_of_the_sources_has_a_case() {
    let mut open: Vec<PathBuf> = ["src/policy", "src/placement"]
        .map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
        .into();
    let cases = cases();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            // The table of all codes raises none; what files and a cluster say together is not in a file, and has its
            // cases beside it.
            if path.ends_with("lint/codes.rs") || path.ends_with("policy/floor.rs") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for (start, _) in text.match_indices("\"L") {
                let code = &text[start + 1..start + 4];
                let is_code = code[1..].bytes().all(|byte| byte.is_ascii_digit());
                let has_case = cases.iter().any(|(case, _)| case.starts_with(code));
                assert!(!is_code || has_case, "{code} of {} has no case", path.display());
            }
        }
    }
}

#[test]
fn strict_makes_a_warning_an_error_and_a_note_none() {
    for (case, holds) in [("L07-two-kinds-of-source", false), ("L16-not-yet", true)] {
        let text = fs::read_to_string(folder().join(format!("{case}.yaml"))).unwrap();
        let base = fs::read_to_string(folder().join("base.yaml")).unwrap();
        let directory = directory(&[("case.yaml", &text), ("base.yaml", &base)]);
        let lenient = arguments(directory.path());
        let strict = LintArgs {
            strict: true,
            ..lenient.clone()
        };
        let now = "2026-11-21T12:00:00Z";
        assert_eq!(linted(&lenient, now).1, Some(Outcome::Holds), "{case}");
        assert_eq!(linted(&strict, now).1, Some(Outcome::holds_if(holds)), "{case}");
    }
}

#[test]
fn nothing_to_lint_is_never_a_silent_success() {
    let empty = directory(&[("notes.txt", "not a policy")]);
    let (said, outcome) = linted(&arguments(empty.path()), "2026-11-21T12:00:00Z");
    assert_eq!(outcome, None);
    assert!(said.starts_with("no policy file"), "{said}");
    let (said, outcome) = linted(&arguments(&empty.path().join("nowhere")), "2026-11-21T12:00:00Z");
    assert_eq!(outcome, None);
    assert!(said.contains("cannot be read"), "{said}");
    let comments = directory(&[("a.yaml", "# nothing\n")]);
    let (said, outcome) = linted(&arguments(comments.path()), "2026-11-21T12:00:00Z");
    assert_eq!(outcome, Some(Outcome::Finding));
    assert!(said.contains("exactly one PolicySettings"), "{said}");
}

#[test]
fn json_has_every_field_of_a_finding() {
    let text = fs::read_to_string(folder().join("L02-block-list.yaml")).unwrap();
    let directory = directory(&[("case.yaml", &text)]);
    let arguments = LintArgs {
        output: LintOutput::Json,
        ..arguments(directory.path())
    };
    let (said, _) = linted(&arguments, "2026-11-21T12:00:00Z");
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    let finding = said["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["code"] == "L02")
        .unwrap();
    assert_eq!(
        *finding,
        serde_json::json!({
            "code": "L02", "level": "error", "file": "case.yaml", "line": 14, "column": 11, "length": 2,
            "sentence": "`NO` is not quoted and other YAML readers make it a boolean",
            "fix": "write `\"NO\"`",
        })
    );
    assert_eq!(
        (&said["v"], &said["kind"]),
        (&serde_json::json!(1), &serde_json::json!("lint"))
    );
}

#[test]
fn sarif_has_the_rules_once_and_columns_in_characters() {
    let text = fs::read_to_string(folder().join("L02-block-list.yaml")).unwrap();
    let (results, run) = sarif(&[("a b/case.yaml", &text)]);
    assert_eq!(
        results[1],
        serde_json::json!({
            "ruleId": "L02", "ruleIndex": 1, "level": "error",
            "message": {"text": "`NO` is not quoted and other YAML readers make it a boolean; write `\"NO\"`"},
            "locations": [{"physicalLocation": {
                "artifactLocation": {"uri": "a%20b/case.yaml"},
                "region": {"startLine": 14, "startColumn": 11, "endColumn": 13},
            }}],
        })
    );
    let rules: Vec<serde_json::Value> = FINDING_KINDS
        .iter()
        .map(|kind| {
            serde_json::json!({
                "id": kind.code, "shortDescription": {"text": kind.about},
                "defaultConfiguration": {"level": kind.level.word()},
            })
        })
        .collect();
    assert_eq!(
        run,
        serde_json::json!({
            "$schema":
                "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": {"driver": {
                    "name": "domicile", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules,
                }},
                "columnKind": "unicodeCodePoints",
                "results": null,
            }],
        })
    );
    let without_place = sarif(&[("a.yaml", "# nothing\n")]).0;
    assert_eq!(without_place[0]["ruleId"], "L04");
    assert_eq!(without_place[0].get("locations"), None);
}

#[test]
fn sarif_regions_lie_within_their_lines() {
    for (_, path) in cases() {
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        for result in sarif(&[("case.yaml", &text)]).0.as_array().unwrap() {
            let region = &result["locations"][0]["physicalLocation"]["region"];
            if region.is_null() {
                continue;
            }
            let number = |field: &str| usize::try_from(region[field].as_u64().unwrap()).unwrap();
            let (start, end) = (number("startColumn"), number("endColumn"));
            let line = lines.get(number("startLine") - 1).copied();
            assert!(start >= 1 && end > start, "{}: {result}", path.display());
            // The end of a file that ends too early may be beyond its last line.
            let last = line.map_or(end, |line| line.max(start) + 1);
            assert!(end <= last, "{}: {result}", path.display());
        }
    }
}

#[test]
fn every_code_that_a_case_gives_is_a_kind_and_kinds_are_in_order() {
    let known: Vec<&str> = FINDING_KINDS.iter().map(|kind| kind.code).collect();
    let in_order: Vec<String> = (1..=19).map(|number| format!("L{number:02}")).collect();
    assert_eq!(known, in_order);
    let mut given = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "txt") {
            continue;
        }
        for line in fs::read_to_string(&path).unwrap().lines() {
            let code = ["error ", "warning ", "note "]
                .iter()
                .find_map(|level| line.split_once(&format!("{level}L"))?.1.split_once(": "))
                .map(|(number, _)| format!("L{number}"));
            let Some(code) = code else { continue };
            assert!(known.contains(&code.as_str()), "{}: {code}", path.display());
            given += 1;
        }
    }
    assert!(given > 50, "only {given} findings were looked at");
}

#[test]
fn the_shipped_set_is_lint_clean_even_under_strict() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let strict = LintArgs {
        strict: true,
        ..arguments(&shipped)
    };
    let (said, outcome) = linted(&strict, "2026-11-21T12:00:00Z");
    assert_eq!(outcome, Some(Outcome::Holds), "{said}");
    assert!(said.ends_with(" no findings\n"), "{said}");
}
