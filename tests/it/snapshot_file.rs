//! Every offline verb in one world, once from separate files and once from the one file that `domicile snapshot` wrote of
//! them: the same answer, as of the instant at which it was taken. Through the program, so that flags are part of it.
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::NOW;

/// Pods of the worked example that run or want to, so that `scan` and `impact` have something to judge.
const PODS: &str = r#"
---
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: Pod, metadata: {name: fraud-1, namespace: fraud, uid: u1, labels: {app: fraud}, annotations: {domicile.dev/data-sets: "customers-eu: reads=5"}}, spec: {nodeName: NODE, containers: [{name: c, image: i, resources: {requests: {cpu: 500m, memory: 1Gi}}}]}, status: {phase: Running}}
  - {apiVersion: v1, kind: Pod, metadata: {name: pages-1, namespace: storefront, uid: u2, labels: {app: pages}, annotations: {domicile.dev/clients: "aws/eu-central-1=1"}}, spec: {containers: [{name: c, image: i, resources: {requests: {cpu: 250m, memory: 512Mi}}}]}, status: {phase: Pending}}
"#;

/// The world, named by its sources.
const FILES: [&str; 8] = [
    "--fleet",
    "fleet.yaml",
    "--policies",
    "policies",
    "--data-sets",
    "data-sets.yaml",
    "--latency",
    "latency.csv",
];

/// What people call the sources in the one case and in the other.
const NAMES: [(&str, &str); 2] = [
    ("the policies of `world.json`", "`policies`"),
    ("the latencies of `world.json`", "latency.csv"),
];

/// A folder with the worked example, and the snapshot of it.
fn world() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/worked");
    let copy = |from: &Path, to: &str| fs::write(folder.path().join(to), fs::read(from).unwrap()).unwrap();
    for beneath in ["policies", "policies/tests", "pods"] {
        fs::create_dir_all(folder.path().join(beneath)).unwrap();
        for entry in fs::read_dir(example.join(beneath)).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_file() && name != "data-sets.yaml" {
                copy(&entry.path(), &format!("{beneath}/{name}"));
            }
        }
    }
    copy(&example.join("policies/data-sets.yaml"), "data-sets.yaml");
    let (_, latency) = domicile::embedded::latency();
    fs::write(folder.path().join("latency.csv"), latency).unwrap();
    let fleet = fs::read_to_string(example.join("fleet.yaml")).unwrap();
    let node = node_of(&fleet);
    fs::write(
        folder.path().join("fleet.yaml"),
        format!("{fleet}{}", PODS.replace("NODE", &node)),
    )
    .unwrap();
    // Another set: the same without what permits transfers by an exception.
    fs::create_dir(folder.path().join("new")).unwrap();
    for entry in fs::read_dir(folder.path().join("policies"))
        .unwrap()
        .map(Result::unwrap)
    {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_file() && name != "exceptions.yaml" {
            copy(&entry.path(), &format!("new/{name}"));
        }
    }
    let mut snapshot = vec!["snapshot", "world.json"];
    snapshot.extend(FILES);
    let taken = domicile(folder.path(), &snapshot);
    assert_eq!(taken.status.code(), Some(0), "{}", told(&taken));
    // As if it had been taken at an instant of which answers are known.
    let path = folder.path().join("world.json");
    let mut file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    file["takenAt"] = json!(NOW);
    fs::write(path, file.to_string()).unwrap();
    folder
}

/// The name of the first node.
fn node_of(fleet: &str) -> String {
    let read = domicile::objects::read_fleet(fleet, "fleet.yaml").map_err(|errors| errors[0].to_string());
    let (name, _) = read
        .unwrap()
        .fleet
        .nodes
        .iter()
        .next()
        .map(|(name, node)| (name.to_string(), node.clone()))
        .unwrap();
    name
}

fn domicile(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_domicile"));
    command.current_dir(folder).args(arguments).output().unwrap()
}

fn told(output: &Output) -> String {
    let [out, err] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    format!("{out}{err}")
}

/// The exit code and the answer. Whatever is named is called as it is among the separate files.
fn answer(folder: &Path, arguments: &[&str], fleet_is: &str) -> (Option<i32>, Value) {
    let output = domicile(folder, arguments);
    let mut text = String::from_utf8(output.stdout.clone()).unwrap();
    for (one, other) in NAMES {
        text = text.replace(one, other);
    }
    text = text.replace("world.json", fleet_is);
    let read = serde_json::from_str(&text);
    let value = read.unwrap_or_else(|problem| json!(format!("{problem}: {arguments:?}: {}", told(&output))));
    assert!(value.is_object(), "{value}");
    (output.status.code(), value)
}

#[test]
fn every_offline_verb_answers_from_one_file_as_it_does_from_several() {
    let folder = world();
    let node = node_of(&fs::read_to_string(folder.path().join("fleet.yaml")).unwrap());
    let at = ["--at", NOW];
    let policies = ["--policies", "policies"];
    let beside = ["--fleet", "fleet.yaml", "--data-sets", "data-sets.yaml"];
    // The verb; what names the separate files, with the instant where there is one.
    let verbs: Vec<(Vec<&str>, Vec<&str>)> = vec![
        (
            vec!["why", "pods/claims.yaml", "--node", &node],
            [&FILES[..], &at].concat(),
        ),
        (
            vec!["why-not", "pods/fraud-model.yaml"],
            [&FILES[..], &at].concat(),
        ),
        (
            vec!["affinity", "pods/settlement.yaml"],
            [&FILES[..], &at].concat(),
        ),
        (vec!["scan"], [&FILES[..], &at].concat()),
        (vec!["advise", "--all"], [&FILES[..], &at].concat()),
        (vec!["advise", "customers-eu"], [&FILES[..], &at].concat()),
        (vec!["lint"], [&["policies"], &beside[..], &at].concat()),
        (vec!["impact", "new"], [&beside[..], &policies, &at].concat()),
        (vec!["prove"], [&["policies"], &at[..]].concat()),
        (vec!["test"], vec!["policies"]),
        (
            vec!["matrix"],
            [&["policies", "--data-sets", "data-sets.yaml"], &at[..]].concat(),
        ),
        (vec!["explain", "--all"], [&policies[..], &at].concat()),
        (vec!["exceptions", "list"], [&policies[..], &at].concat()),
        (
            vec!["latency", "show"],
            [&["latency.csv"], &policies[..], &at].concat(),
        ),
        (
            vec!["latency", "dump"],
            [&["latency.csv"], &policies[..]].concat(),
        ),
        (
            vec!["latency", "check"],
            [&["latency.csv", "--fleet", "fleet.yaml"], &policies[..], &at].concat(),
        ),
        (
            vec!["latency", "compare", "latency.csv"],
            [&["--latency", "latency.csv"], &policies[..]].concat(),
        ),
    ];
    for (verb, files) in verbs {
        let form = ["--output", "json"];
        // A matrix names the set that it is of, and others the fleet.
        let named = if verb == ["matrix"] {
            "policies"
        } else {
            "fleet.yaml"
        };
        let several = answer(folder.path(), &[&verb[..], &files, &form].concat(), named);
        let one = answer(
            folder.path(),
            &[&verb[..], &["--snapshot", "world.json"], &form].concat(),
            named,
        );
        assert_eq!(one, several, "{verb:?}");
        assert!(several.0.is_some_and(|code| code <= 1), "{verb:?}: {several:?}");
    }
}

/// Where policies are compared, a snapshot stands for those that it has.
#[test]
fn policies_of_a_snapshot_are_compared_with_files() {
    let folder = world();
    let form = ["--at", NOW, "--output", "json"];
    for (one, several) in [
        (["world.json", "new"], ["policies", "new"]),
        (["new", "world.json"], ["new", "policies"]),
    ] {
        let one = answer(folder.path(), &[&["diff"], &one[..], &form].concat(), "policies");
        let several = answer(
            folder.path(),
            &[&["diff"], &several[..], &form].concat(),
            "policies",
        );
        assert_eq!(one, several);
        assert_eq!(several.1["sameMeaning"], false, "{several:?}");
    }
    let itself = answer(
        folder.path(),
        &[&["diff", "world.json", "policies"], &form[..]].concat(),
        "policies",
    );
    assert_eq!((itself.0, &itself.1["sameMeaning"]), (Some(0), &json!(true)));
}

#[test]
fn a_snapshot_tells_how_many_nodes_there_are() {
    let folder = world();
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doctor/clean.yaml");
    let doctor = [
        "doctor",
        "--scheduler-config",
        config.to_str().unwrap(),
        "--output",
        "json",
    ];
    let several = answer(
        folder.path(),
        &[&doctor[..], &["--fleet", "fleet.yaml"]].concat(),
        "",
    );
    for named in ["--snapshot", "--fleet"] {
        let one = answer(folder.path(), &[&doctor[..], &[named, "world.json"]].concat(), "");
        assert_eq!(one, several);
    }
    assert!(several.1["nodes"].as_u64().is_some_and(|nodes| nodes > 1));
}

const RUN: &str = r#"v: 1
title: a run in a world
seed: 42
at: 2026-11-21T12:00:00Z
workloads:
  - {name: settlement, namespace: payments, pods: 4, cpu: 500m, memory: 1Gi, annotations: {domicile.dev/data-sets: "customers-us: reads=2 writes=1"}}
  - {name: pages, namespace: storefront, pods: 4, cpu: 250m, memory: 512Mi}
"#;

/// What a run comes to, without what names it: the run file is part of that.
fn summary(folder: &Path, arguments: &[&str]) -> Value {
    let form = ["--out", "out", "--output", "json"];
    let (code, mut summary) = answer(folder, &[&["simulate"], arguments, &form].concat(), "");
    assert!(code.is_some_and(|code| code <= 1), "{code:?}: {summary}");
    assert!(summary["run"]["id"].take().is_string());
    summary
}

#[test]
fn a_run_begins_in_the_world_of_a_snapshot() {
    let folder = world();
    let write =
        |name: &str, facts: &str| fs::write(folder.path().join(name), format!("{RUN}{facts}")).unwrap();
    write(
        "several.yaml",
        "policies: policies\ndataSets: data-sets.yaml\nlatency: latency.csv\nfleet: {file: fleet.yaml}\n",
    );
    write("one.yaml", "snapshot: world.json\n");
    write("none.yaml", "");
    let several = summary(folder.path(), &["several.yaml"]);
    assert_eq!(summary(folder.path(), &["one.yaml"]), several);
    assert_eq!(
        summary(folder.path(), &["none.yaml", "--snapshot", "world.json"]),
        several
    );
    assert_ne!(summary(folder.path(), &["none.yaml"]), several);
    // The demand of the run, in that world.
    let advise = |run: &[&str]| {
        let fixed = ["advise", "customers-us", "--output", "json", "--run"];
        let (code, mut advice) = answer(folder.path(), &[&fixed[..], run].concat(), "");
        let source = advice.to_string();
        advice = serde_json::from_str(&source.replace(run[0], "run.yaml")).unwrap();
        (code, advice)
    };
    let several = advise(&["several.yaml"]);
    assert_eq!(advise(&["one.yaml"]), several);
    assert_eq!(advise(&["none.yaml", "--snapshot", "world.json"]), several);
}

#[test]
fn a_fact_that_is_stated_twice_is_an_error() {
    let folder = world();
    let simulate = |run: &str, more: &[&str]| {
        fs::write(folder.path().join("run.yaml"), run).unwrap();
        let fixed = ["simulate", "run.yaml", "--out", "out"];
        let output = domicile(folder.path(), &[&fixed[..], more].concat());
        assert_eq!(output.status.code(), Some(2), "{}", told(&output));
        told(&output)
    };
    let flag = ["--snapshot", "world.json"];
    let twice = simulate(&format!("{RUN}snapshot: world.json\npolicies: policies\n"), &[]);
    assert!(
        twice.contains("`snapshot` has a world, and `policies` is stated too; one of them must go"),
        "{twice}"
    );
    for (facts, keys) in [
        (
            "latency: latency.csv\nfleet: {file: fleet.yaml}\n",
            "`fleet`, `latency`",
        ),
        ("snapshot: world.json\n", "`snapshot`"),
        ("dataSets: data-sets.yaml\n", "`dataSets`"),
    ] {
        let twice = simulate(&format!("{RUN}{facts}"), &flag);
        let said =
            format!("`world.json` has a world, and the run file states {keys} too; one of them must go");
        assert!(twice.contains(&said), "{twice}");
    }
}

/// What kubectl lists is no snapshot, and a file that a verb needs is asked for.
#[test]
fn what_is_no_snapshot_or_not_named_is_an_error() {
    let folder = world();
    for arguments in [
        vec!["prove", "--snapshot", "fleet.yaml"],
        vec!["lint", "--snapshot", "nowhere.json"],
        vec![
            "simulate",
            "several.yaml",
            "--out",
            "out",
            "--snapshot",
            "fleet.yaml",
        ],
        vec!["prove"],
        vec!["lint"],
        vec!["impact", "new"],
        vec!["matrix"],
        vec!["test"],
    ] {
        let output = domicile(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", told(&output));
    }
}
