//! `domicile impact` and `domicile matrix`, exactly, on the small sets of `tests/change`.
//!
//! `DOMICILE_UPDATE_EXPECTED=1` writes the expected texts anew, for somebody to read.
#![expect(clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use domicile::cli::impact::{self, ImpactArgs};
use domicile::cli::matrix::{self, MatrixArgs};
use domicile::cli::{Outcome, TableOutput};
use jiff::Timestamp;
use serde_json::Value;

use crate::world::NOW;

const FORMS: [(TableOutput, &str); 3] = [
    (TableOutput::Text, "txt"),
    (TableOutput::Json, "json"),
    (TableOutput::Csv, "csv"),
];

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// Paths are relative, as tests run where the manifest is: the answers name them.
fn impact_of(
    new: &str,
    old: Option<&str>,
    dump: &str,
    output: TableOutput,
) -> Result<(String, Outcome), String> {
    let args = ImpactArgs {
        new: new.into(),
        fleet: Some(dump.into()),
        snapshot: None,
        policies: old.map(Into::into),
        data_sets: None,
        at: None,
        output,
    };
    let mut out = Vec::new();
    match impact::run(&args, now(), &mut out) {
        Ok(outcome) => Ok((String::from_utf8(out).unwrap(), outcome)),
        Err(problem) => Err(format!("{problem:#}")),
    }
}

fn matrix_of(profiles: &[&str], output: TableOutput) -> Result<String, String> {
    let args = MatrixArgs {
        directory: Some("tests/change/old".into()),
        snapshot: None,
        data_sets: None,
        profiles: profiles.iter().map(|profile| (*profile).to_owned()).collect(),
        at: None,
        output,
    };
    let mut out = Vec::new();
    match matrix::run(&args, now(), &mut out) {
        Ok(Outcome::Holds) => Ok(String::from_utf8(out).unwrap()),
        Ok(Outcome::Finding | Outcome::Stopped) => panic!("a matrix finds nothing"),
        Err(problem) => Err(format!("{problem:#}")),
    }
}

fn check(name: &str, text: &str) {
    let path = Path::new("tests/change").join(name);
    if std::env::var_os("DOMICILE_UPDATE_EXPECTED").is_some() {
        fs::write(&path, text).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), text, "{name}");
}

/// Two directories and a dump with text replaced.
struct Changed {
    folder: tempfile::TempDir,
}

impl Changed {
    fn new(old: &[(&str, &str)], new: &[(&str, &str)], dump: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, changes) in [("old/set.yaml", old), ("new/set.yaml", new), ("dump.yaml", dump)] {
            let mut text = fs::read_to_string(Path::new("tests/change").join(name)).unwrap();
            for (from, to) in changes {
                assert!(text.contains(from), "{name} has no {from}");
                text = text.replace(from, to);
            }
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn impact(&self, output: TableOutput) -> Result<(String, Outcome), String> {
        let (new, old, dump) = (self.path("new"), self.path("old"), self.path("dump.yaml"));
        impact_of(&new, Some(&old), &dump, output)
    }

    fn json(&self) -> (Value, Outcome) {
        let (json, outcome) = self.impact(TableOutput::Json).unwrap();
        (serde_json::from_str(&json).unwrap(), outcome)
    }
}

const OBSERVE: (&str, &str) = ("mode: enforce\n  uncovered", "mode: observe\n  uncovered");

/// The numbers of the totals, in their order.
fn totals(report: &Value) -> [u64; 6] {
    [
        "refusedOnNode",
        "unschedulable",
        "losesNodes",
        "permittedOnNode",
        "schedulable",
        "gainsNodes",
    ]
    .map(|name| report["totals"][name].as_u64().unwrap())
}

#[test]
fn the_impact_of_a_change_is_told_in_three_forms() {
    for (output, ending) in FORMS {
        let (text, outcome) = impact_of(
            "tests/change/new",
            Some("tests/change/old"),
            "tests/change/dump.yaml",
            output,
        )
        .unwrap();
        assert_eq!(outcome, Outcome::Finding);
        check(&format!("impact.{ending}"), &text);
    }
}

#[test]
fn the_same_set_changes_nothing_and_holds_although_it_refuses() {
    let changed = Changed::new(&[], &[], &[]);
    let (old, dump) = (changed.path("old"), changed.path("dump.yaml"));
    let (json, outcome) = impact_of(&old, Some(&old), &dump, TableOutput::Json).unwrap();
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((totals(&report), outcome), ([0; 6], Outcome::Holds));
    assert_eq!(report["asBefore"]["unchanged"], report["fleet"]["pods"]);
    assert_eq!(report["asBefore"]["refusedOnNode"], 3);
    assert_eq!(report["lostBy"], Value::Array(Vec::new()));
}

#[test]
fn the_order_of_the_dump_changes_nothing() {
    let text = fs::read_to_string("tests/change/dump.yaml").unwrap();
    let (head, items) = text.split_once("items:\n").unwrap();
    let mut lines: Vec<&str> = items
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect();
    lines.reverse();
    let changed = Changed::new(&[], &[], &[]);
    fs::write(
        changed.path("dump.yaml"),
        format!("{head}items:\n{}\n", lines.join("\n")),
    )
    .unwrap();
    let (reversed, _) = changed.json();
    let (straight, _) = Changed::new(&[], &[], &[]).json();
    assert_eq!(reversed["pods"], straight["pods"]);
}

#[test]
fn a_set_that_observes_is_judged_as_it_would_enforce_and_the_report_says_so() {
    let changed = Changed::new(&[], &[OBSERVE], &[]);
    let (text, outcome) = changed.impact(TableOutput::Text).unwrap();
    assert!(
        text.contains("after: the settings only observe: nothing of this is refused"),
        "{text}"
    );
    let (enforced, of_enforced) = Changed::new(&[], &[], &[]).json();
    assert_eq!(outcome, of_enforced);
    assert_eq!(totals(&changed.json().0), totals(&enforced));
}

#[test]
fn from_observing_to_enforcing_everything_that_is_refused_is_new() {
    let changed = Changed::new(&[OBSERVE], &[], &[]);
    let dump = changed.path("dump.yaml");
    let new = Changed::new(&[], &[], &[]);
    let (json, outcome) = impact_of(
        &new.path("old"),
        Some(&changed.path("old")),
        &dump,
        TableOutput::Json,
    )
    .unwrap();
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(outcome, Outcome::Finding);
    // The database without a place, the pod with an annotation that cannot be read, the pod on the lost node.
    assert_eq!(totals(&report)[..2], [3, 2]);
    let causes: Vec<&str> = report["lostBy"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["rule"].as_str().or(group["cause"].as_str()).unwrap())
        .collect();
    assert_eq!(
        causes,
        [
            "eea-personal-data/place",
            "card-data/place",
            "malformed-annotation"
        ]
    );
}

#[test]
fn a_pod_on_a_node_that_the_dump_does_not_hold_is_refused_where_it_is_governed() {
    let gone = (
        "nodeName: us-1}, status: {phase: Running}}\n  - {apiVersion: v1, kind: Pod, metadata: {name: db-0",
        "nodeName: gone-1}, status: {phase: Running}}\n  - {apiVersion: v1, kind: Pod, metadata: {name: db-0",
    );
    let (report, _) = Changed::new(&[OBSERVE], &[], &[gone]).json();
    let pods = report["pods"].as_array().unwrap();
    let till = pods.iter().find(|pod| pod["name"] == "till-x").unwrap();
    assert_eq!(till["region"], "a node that is not in the dump");
    assert_eq!(till["changes"][0], "refused-on-node");
    assert!(
        till["lostBy"]
            .as_array()
            .unwrap()
            .contains(&"unknown-node".into()),
        "{till}"
    );
}

#[test]
fn unlabelled_pods_are_refused_where_the_new_settings_deny_them() {
    let deny = ("unlabelled: allow", "unlabelled: deny");
    let (report, _) = Changed::new(&[], &[deny], &[]).json();
    assert_eq!(report["outsideControl"]["unlabelledPods"], 0);
    let pods = report["pods"].as_array().unwrap();
    let toy = pods.iter().find(|pod| pod["name"] == "toy").unwrap();
    assert_eq!(toy["lostBy"], serde_json::json!(["unlabelled"]));
    assert_eq!(
        toy["changes"],
        serde_json::json!(["refused-on-node", "unschedulable"])
    );
}

#[test]
fn what_says_nothing_is_no_impact_but_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let dump = |text: &str| {
        let path = folder.path().join("dump.json");
        fs::write(&path, text).unwrap();
        impact_of(
            "tests/change/new",
            None,
            path.to_str().unwrap(),
            TableOutput::Text,
        )
        .unwrap_err()
    };
    let no_pods = dump(r#"{"kind":"List","items":[{"kind":"Node","metadata":{"name":"n"}}]}"#);
    assert!(
        no_pods.contains("has no pods that run or want to") && no_pods.contains("kubectl get"),
        "{no_pods}"
    );
    let no_nodes =
        dump(r#"{"kind":"List","items":[{"kind":"Pod","metadata":{"name":"n","namespace":"a"}}]}"#);
    assert!(no_nodes.contains("has no nodes"), "{no_nodes}");
    let unreadable = dump(r#"{"kind":"Nonsense"}"#);
    assert!(
        unreadable.contains("fleet: ") && unreadable.contains("unknown kind"),
        "{unreadable}"
    );
    let no_files = tempfile::tempdir().unwrap();
    let no_set = impact_of(
        no_files.path().to_str().unwrap(),
        None,
        "tests/change/dump.yaml",
        TableOutput::Text,
    );
    assert!(
        no_set
            .unwrap_err()
            .contains("no policy file (.yaml, .yml, .json) is beneath")
    );
}

#[test]
fn the_matrix_is_told_in_three_forms() {
    let profiles = [
        "classification=confidential categories=personal,health subjects=DE,US,group/EEA",
        "classification=public",
        "categories=payment",
    ];
    for (output, ending) in FORMS {
        check(
            &format!("matrix.{ending}"),
            &matrix_of(&profiles, output).unwrap(),
        );
    }
}

#[test]
fn members_of_a_group_that_differ_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string("tests/change/new/set.yaml").unwrap();
    fs::write(folder.path().join("set.yaml"), text).unwrap();
    let args = MatrixArgs {
        directory: Some(folder.path().to_owned()),
        snapshot: None,
        data_sets: None,
        profiles: vec!["classification=restricted categories=health subjects=group/EEA".to_owned()],
        at: None,
        output: TableOutput::Csv,
    };
    let mut out = Vec::new();
    matrix::run(&args, now(), &mut out).unwrap();
    let table = String::from_utf8(out).unwrap();
    let rows: Vec<&str> = table
        .lines()
        .filter(|row| row.starts_with("given ") && row.contains("eu-"))
        .collect();
    // Health data about people in France may not be in Germany, and about others it may.
    let given =
        "given classification=restricted categories=health subjects=group/EEA,restricted,health,group/EEA";
    assert_eq!(
        rows,
        [
            format!("{given},aws/eu-central-1,DE,differs,french-health-data/place"),
            format!("{given},aws/eu-west-1,IE,no,eea-personal-data/place french-health-data/place"),
        ]
    );
}

#[test]
fn a_profile_that_cannot_be_read_is_an_error_with_its_fix() {
    for (profile, problem) in [
        (
            "categories=helth",
            "unknown category `helth`; did you mean `health`?",
        ),
        (
            "category=health",
            "unknown list `category`; write one of classification, categories, subjects",
        ),
        (
            "classification=secret",
            "unknown classification `secret`; write one of public",
        ),
        ("subjects=UK", "`UK` is no country code; write `GB`"),
        ("subjects=group/EAA", "unknown group `EAA`; did you mean `EEA`?"),
        ("subjects=Mars", "`Mars` is no subject"),
        ("subjects=DE subjects=FR", "`subjects` is there twice"),
        (" ", "the profile is empty"),
    ] {
        let told = matrix_of(&[profile], TableOutput::Text).unwrap_err();
        assert!(told.contains(problem), "{profile}: {told}");
    }
}
