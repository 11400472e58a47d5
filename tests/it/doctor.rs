//! `domicile doctor` on the files of `tests/doctor`: one trap each, with exactly what must be found.
//!
//! The head of each file says what is known besides it (`nodes`, `phase`, `extender-url`) and what is
//! expected. Whether kube-scheduler starts (`starts`) is held against a real one by the cluster tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use domicile::doctor::{Phase, Report, Situation, examine};
use domicile::placement::BlindSample;

fn cases() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doctor");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let cases: BTreeMap<String, String> = files
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    assert!(cases.len() > 50, "the cases were not found");
    cases
}

/// All values of a key in the head of a case.
fn head<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = text.lines().take_while(|line| line.starts_with('#'));
    lines.filter_map(move |line| line.strip_prefix("# ")?.strip_prefix(key)?.strip_prefix(": "))
}

fn report(text: &str) -> Report {
    let situation = Situation {
        nodes: head(text, "nodes").next().map(|nodes| nodes.parse().unwrap()),
        phase: match head(text, "phase").next() {
            Some("observe") => Phase::Observe,
            None => Phase::Enforce,
            Some(other) => unreachable!("no phase `{other}`"),
        },
        admission: false,
        extender_url: head(text, "extender-url").next().map(str::to_owned),
        definitions: Vec::new(),
    };
    examine(text, &situation)
}

#[test]
fn every_trap_is_found_and_nothing_else() {
    for (name, text) in cases() {
        let report = report(&text);
        let found: Vec<String> = report
            .findings
            .iter()
            .map(|it| {
                format!("{} {} {}", it.level.word(), it.code, it.place)
                    .trim_end()
                    .to_owned()
            })
            .collect();
        let expected: Vec<&str> = head(&text, "expect").collect();
        assert_eq!(found, expected, "{name}: {:#?}", report.findings);
        assert_eq!(
            report.extender.as_deref().unwrap_or("none"),
            head(&text, "extender").next().unwrap(),
            "{name}"
        );
        let blind = match report.on_blind_sample {
            BlindSample::Error => "error",
            BlindSample::Refuse => "refuse",
        };
        assert_eq!(Some(blind), head(&text, "on-blind-sample").next(), "{name}");
    }
}

#[test]
fn findings_say_when_kube_scheduler_does_not_start() {
    for (name, text) in cases() {
        let starts = !report(&text)
            .findings
            .iter()
            .any(|it| it.sentence.contains("does not start"));
        match head(&text, "starts").next() {
            Some("yes") => assert!(starts, "{name}"),
            Some("no") => assert!(!starts, "{name}"),
            Some("depends") => {}
            other => unreachable!("{name}: starts `{other:?}`"),
        }
    }
}

#[test]
fn every_finding_has_a_sentence_and_a_fix_in_our_form() {
    for (name, text) in cases() {
        for finding in report(&text).findings {
            for part in [&finding.sentence, &finding.fix] {
                assert!(!part.is_empty() && !part.ends_with('.'), "{name}: {finding}");
                assert!(!part.starts_with(char::is_uppercase), "{name}: {finding}");
            }
        }
    }
}

#[test]
fn errors_fail_and_warnings_only_when_strict() {
    for (name, text) in cases() {
        let report = report(&text);
        let any = |level: &str| head(&text, "expect").any(|it| it.starts_with(level));
        assert_eq!(report.fails(false), any("error"), "{name}");
        assert_eq!(report.fails(true), any("error") || any("warning"), "{name}");
    }
}

#[test]
fn a_misspelled_field_is_answered_with_the_right_one() {
    let text = cases().remove("d04-misspelled").unwrap();
    let fixes: Vec<String> = report(&text).findings.into_iter().map(|it| it.fix).collect();
    assert_eq!(fixes[0], "did you mean `ignorable`?");
    assert!(
        fixes[1].starts_with("remove it; the fields here are apiVersion, kind, "),
        "{fixes:?}"
    );
}
