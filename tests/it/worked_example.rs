//! The worked example, end to end: `examples/worked` lints, its tests pass, and each of its five workloads is
//! permitted in exactly the countries that its README names, with the sentence that it quotes elsewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Command, FromArgMatches};
use domicile::cli::facts::{read_facts, read_pod};
use domicile::cli::lint::{LintArgs, run as lint};
use domicile::cli::simulate::simulated_file;
use domicile::cli::{Outcome, Output, why_not};
use domicile::config::{FactsArgs, SourceArgs};
use domicile::policy::{PolicySet, run_tests};
use jiff::Timestamp;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/worked")
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The policies as (name, text).
fn files() -> Vec<(String, String)> {
    let folder = example().join("policies");
    let mut found = Vec::new();
    let mut open = vec![folder.clone()];
    while let Some(current) = open.pop() {
        for entry in fs::read_dir(current).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

fn policies() -> PolicySet {
    let files = files();
    let files = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    PolicySet::load(files).unwrap().set
}

/// Where a workload may run, and what is said of the other nodes.
fn asked(workload: &str, at: &str) -> (BTreeSet<String>, serde_json::Value) {
    let args = FactsArgs {
        snapshot: None,
        sources: SourceArgs {
            fleet: Some(example().join("fleet.yaml")),
            policies: Some(example().join("policies")),
            data_sets: Some(example().join("policies/data-sets.yaml")),
            latency: None,
        },
        at: Some(instant(at)),
    };
    let facts = read_facts(&args, Timestamp::UNIX_EPOCH).unwrap();
    let pod = read_pod(&example().join(format!("pods/{workload}.yaml"))).unwrap();
    let mut out = Vec::new();
    let outcome = why_not::report(&facts, &pod, None, Output::Json, &mut out).unwrap();
    assert_eq!(outcome, Outcome::Holds, "{workload} has no place");
    let answer: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let permitted = answer
        .get("permitted")
        .and_then(|places| places.as_array())
        .unwrap();
    let regions = permitted.iter().map(|place| {
        place
            .get("region")
            .and_then(|region| region.as_str())
            .unwrap()
            .to_owned()
    });
    (regions.collect(), answer)
}

/// The countries of regions.
fn countries(set: &PolicySet, regions: &BTreeSet<String>) -> BTreeSet<String> {
    let catalogue = set.catalogue().regions();
    let named = catalogue.filter(|region| regions.contains(region.key.as_str()));
    named.map(|region| region.country.code().to_owned()).collect()
}

const NOW: &str = "2026-11-21T12:00:00Z";

#[test]
fn each_workload_is_permitted_in_its_countries_and_each_refusal_reads_well() {
    let set = policies();
    let eea_only = "domicile: `eea-personal-data/place` permits only group EEA; ask dpo@ferngate.example";
    for (workload, wanted, sentence) in [
        (
            "settlement",
            vec!["US"],
            Some(
                "domicile: `card-data/attested` permits only places attested for PCI-DSS; \
                 `us-personal-data/place` permits only US; ask pci@ferngate.example or dpo@ferngate.example",
            ),
        ),
        ("fraud-model", vec!["DE", "GB", "IE", "NL"], Some(eea_only)),
        (
            "claims",
            vec!["AU"],
            Some("domicile: `au-health-records/place` permits only AU; ask clinical@ferngate.example"),
        ),
        ("pages", vec!["AU", "DE", "GB", "IE", "NL", "US"], None),
        (
            "build-cache",
            vec!["DE", "IE", "NL"],
            Some("domicile: data that nobody labelled is confined to group EEA"),
        ),
    ] {
        let (regions, answer) = asked(workload, NOW);
        let wanted: BTreeSet<String> = wanted.into_iter().map(str::to_owned).collect();
        assert_eq!(countries(&set, &regions), wanted, "{workload}");
        assert_eq!(answer["sentence"].as_str(), sentence, "{workload}");
    }
}

#[test]
fn settlement_needs_the_country_and_the_attestation() {
    let (regions, answer) = asked("settlement", NOW);
    // azure/eastus is in the US too, and nobody attested it.
    assert_eq!(
        regions,
        ["aws/us-east-1", "gcp/us-central1"].map(str::to_owned).into()
    );
    let causes: Vec<&str> = answer["refused"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|group| group["rule"].as_str())
        .collect();
    assert_eq!(causes, ["card-data/attested", "us-personal-data/place"]);
    // From thirty days before its last day, the attestation of Amazon is not enough for a pod that starts.
    let (regions, _) = asked("settlement", "2027-03-02T12:00:00Z");
    assert_eq!(regions, ["gcp/us-central1"].map(str::to_owned).into());
}

#[test]
fn the_exception_is_for_london_for_one_workload_and_until_a_day() {
    let set = policies();
    let within = |at: &str| countries(&set, &asked("fraud-model", at).0).contains("GB");
    assert!(within("2026-11-01T00:00:00Z") && within("2027-03-31T23:59:59Z"));
    assert!(!within("2026-10-31T23:59:59Z") && !within("2027-04-01T00:00:00Z"));
}

#[test]
fn the_pods_of_the_fleet_are_those_of_the_manifests() {
    let fleet = fs::read_to_string(example().join("fleet.yaml")).unwrap();
    for entry in fs::read_dir(example().join("pods")).unwrap() {
        let path = entry.unwrap().path();
        let pod = read_pod(&path).unwrap();
        let workload = path.file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let (_, after) = fleet
            .split_once(&format!("\n      name: {workload}-"))
            .unwrap_or_else(|| panic!("{workload} has no pod in the fleet"));
        let of_pod = after.split("kind: Pod").next().unwrap();
        assert!(
            of_pod.contains(&format!("namespace: {}\n", pod.namespace)),
            "{workload}"
        );
        for line in text.lines().filter(|line| line.contains("domicile.dev/")) {
            assert!(of_pod.contains(line.trim()), "{workload}: {line}");
        }
    }
}

#[test]
fn the_policies_lint_strictly_and_every_test_passes_and_every_rule_is_tested() {
    let folder = example().join("policies");
    let command = LintArgs::augment_args(Command::new("lint"));
    let words = command.get_matches_from(["lint", "--strict", "--at", NOW, folder.to_str().unwrap()]);
    let arguments = LintArgs::from_arg_matches(&words).unwrap();
    let mut out = Vec::new();
    let outcome = lint(&arguments, Timestamp::UNIX_EPOCH, &mut out).unwrap();
    assert_eq!(outcome, Outcome::Holds, "{}", String::from_utf8_lossy(&out));
    let set = policies();
    let report = run_tests(&set);
    let failed: Vec<&str> = report
        .tried
        .iter()
        .filter(|tried| !tried.passed)
        .map(|tried| &*tried.case.name)
        .collect();
    assert_eq!(failed, Vec::<&str>::new());
    assert!(report.tried.len() >= 25, "cases are missing");
    assert!(report.coverage.iter().all(|rule| rule.is_tested()));
}

#[test]
fn the_run_breaks_no_policy_and_the_same_pods_without_us_do() {
    let summary = simulated_file(&example().join("run.yaml"), 2).unwrap().summary;
    let with = summary.comparator("domicile").unwrap();
    assert_eq!(
        (with.placed, with.violations),
        (100, 0),
        "{:?}",
        with.unschedulable
    );
    let without = summary.comparator("kube-default").unwrap();
    assert!(
        without.placed == 100 && without.violations > 30,
        "{:?}",
        without.violations_by
    );
}
