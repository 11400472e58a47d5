//! `domicile advise`: the worked example to the tenth of a millisecond, rules on copies, demand, bad usage.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Command, FromArgMatches};
use domicile::cli::Outcome;
use domicile::cli::advise::{AdviseArgs, run};
use domicile::cli::facts::read_facts;
use domicile::config::FactsArgs;
use domicile::model::{DataSetName, RegionKey};
use domicile::placement::advice::{DemandRow, Question, advise, joined, measured_regions};
use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

use crate::world::NOW;

pub const WORKED: &str = "--policies examples/worked/policies --data-sets examples/worked/policies/data-sets.yaml \
                      --fleet examples/worked/fleet.yaml";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// What the verb says to these flags, or why it cannot.
pub fn told(flags: &str) -> Result<(String, Outcome), String> {
    let command = AdviseArgs::augment_args(Command::new("advise").no_binary_name(true));
    let matches = command
        .try_get_matches_from(flags.split_whitespace())
        .map_err(|problem| problem.to_string())?;
    let args = AdviseArgs::from_arg_matches(&matches).map_err(|problem| problem.to_string())?;
    let mut out = Vec::new();
    let outcome = run(&args, now(), &mut out).map_err(|problem| format!("{problem:#}"))?;
    Ok((String::from_utf8(out).unwrap(), outcome))
}

pub fn answer(flags: &str) -> (Value, Outcome) {
    let (json, outcome) =
        told(&format!("{flags} --output json")).unwrap_or_else(|problem| panic!("{problem}"));
    (serde_json::from_str(&json).unwrap(), outcome)
}

pub fn row(answer: &Value, copies: u64) -> &Value {
    let rows = answer["byCopies"].as_array().unwrap();
    rows.iter().find(|row| row["copies"] == copies).unwrap()
}

pub fn regions(choice: &Value) -> Vec<&str> {
    let copies = choice["copies"].as_array().unwrap();
    copies
        .iter()
        .map(|copy| copy["region"].as_str().unwrap())
        .collect()
}

pub fn written(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

/// The fraud model runs in London by an exception, and reads from a leader in Frankfurt: on a cloud from which the
/// way is only estimated, while Google's own Frankfurt is 13.0 ms away (docs/advise.md shows the text).
#[test]
fn the_worked_example_has_a_better_leader_and_its_policy_has_a_price() {
    let (answer, outcome) = answer(&format!("customers-eu {WORKED}"));
    assert_eq!(outcome, Outcome::Holds);
    assert_eq!((&answer["v"], &answer["kind"]), (&1.into(), &"advise".into()));
    let demand = &answer["demand"]["rows"];
    assert_eq!(demand.as_array().unwrap().len(), 1);
    assert_eq!(
        (&demand[0]["region"], &demand[0]["reads"]),
        (&"gcp/europe-west2".into(), &5.0.into())
    );

    let today = &answer["today"];
    let leader = &today["leader"];
    assert_eq!(leader["present"], "aws/eu-central-1");
    assert_eq!(leader["best"], "gcp/europe-west3");
    let asked = row(&answer, 3);
    assert_eq!(asked["permitted"]["method"], "exact");
    // A strict read goes to the leader, whose place alone counts; of equally good places today's come first.
    assert_eq!(
        regions(&asked["permitted"]),
        ["gcp/europe-west3", "aws/eu-central-1", "azure/westeurope"]
    );
    let best_ms = asked["permitted"]["ms"].as_f64().unwrap();
    let saves_ms = leader["savesMs"].as_f64().unwrap();
    assert!(
        (today["ms"].as_f64().unwrap() - saves_ms - best_ms).abs() < 0.01,
        "{today}"
    );
    assert!(saves_ms > 40.0, "{today}");

    // Without policies the leader stands beside the pod: five reads inside one region.
    assert_eq!(regions(&asked["unrestricted"])[0], "gcp/europe-west2");
    assert_eq!(asked["unrestricted"]["ms"], 4.0);
    assert_eq!(
        asked["policyCostMs"].as_f64().unwrap(),
        ((best_ms - 4.0) * 1000.0).round() / 1000.0
    );
    let in_the_way = &answer["inTheWay"][0];
    assert_eq!(in_the_way["rule"], "eea-personal-data/place");
    assert_eq!(in_the_way["regions"][0], "gcp/europe-west2");
    assert_eq!(
        row(&answer, 5)["permitted"],
        Value::Null,
        "four regions are permitted"
    );

    let (text, _) = told(&format!("customers-eu {WORKED}")).unwrap();
    for said in [
        "this is advice: nothing is changed",
        "the best leader among its voters is gcp/europe-west3",
        "refused there: gcp/europe-west2: `eea-personal-data/place` permits only group EEA; ask dpo@ferngate.example",
        "requests wait for a round trip that nobody measured",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    assert_eq!(
        text,
        told(&format!("customers-eu {WORKED}")).unwrap().0,
        "the same twice"
    );
}

#[test]
fn every_data_set_of_the_worked_example_has_a_region_to_fail_over_to() {
    let (answer, outcome) = answer(&format!("--all {WORKED}"));
    assert_eq!(outcome, Outcome::Holds);
    let data_sets = answer["dataSets"].as_array().unwrap();
    let said: Vec<(&str, usize)> = data_sets
        .iter()
        .map(|set| {
            let permitted = set["permittedRegions"].as_array().unwrap();
            (set["dataSet"].as_str().unwrap(), permitted.len())
        })
        .collect();
    assert_eq!(said, [("claims-au", 3), ("customers-eu", 4), ("customers-us", 3)]);
    assert!(data_sets.iter().all(|set| set["hasFailoverRegion"] == true));
}

#[test]
fn a_copy_where_policies_refuse_it_and_a_single_region_are_findings() {
    let folder = tempfile::tempdir().unwrap();
    let data_set = |name: &str, subject: &str, regions: &[&str]| {
        let replicas: Vec<String> = regions
            .iter()
            .map(|region| format!("{{region: {region}, role: voter}}"))
            .collect();
        format!(
            "---\napiVersion: domicile.dev/v1alpha1\nkind: DataSet\nmetadata: {{name: {name}}}\nspec:\n  profile: \
             {{classification: confidential, categories: [personal], subjects: [\"{subject}\"]}}\n  consistency: \
             available\n  replicas: [{}]\n",
            replicas.join(", ")
        )
    };
    let astray = data_set(
        "astray",
        "DE",
        &["aws/eu-central-1", "aws/eu-west-3", "aws/ap-southeast-1"],
    );
    let alone = data_set("alone", "CN", &["azure/chinanorth3"]);
    let data_sets = written(&folder, "data-sets.yaml", &(astray + &alone));
    let demand = written(
        &folder,
        "demand.csv",
        "region,requests,reads,writes\neu-central-1,1,1,0\n",
    );
    let flags = format!(
        "--data-sets {} --regions aws/eu-central-1,aws/eu-west-3,azure/chinanorth3",
        data_sets.display()
    );

    let (one, outcome) = answer(&format!("astray {flags} --demand {}", demand.display()));
    assert_eq!(outcome, Outcome::Finding);
    assert_eq!(
        one["findings"],
        serde_json::json!([
            "the voter in aws/ap-southeast-1 stands where the policies refuse it: `eea-personal-data/place` permits only \
             group EEA"
        ])
    );
    // It is at home in Frankfurt, where it is read; a better place for the refused copy is of no use to anybody there.
    assert_eq!(row(&one, 2)["permitted"]["ms"], 0.8);
    assert_eq!(row(&one, 3)["permitted"], Value::Null);

    let (all, outcome) = answer(&format!("--all {flags}"));
    assert_eq!(outcome, Outcome::Finding);
    let alone = &all["dataSets"][0];
    assert_eq!(
        (&alone["dataSet"], &alone["hasFailoverRegion"]),
        (&"alone".into(), &false.into())
    );
    let finding = alone["findings"][0].as_str().unwrap();
    assert!(
        finding.starts_with("no compliant region to fail over to"),
        "{finding}"
    );
    assert_eq!(alone["losses"][0]["leavesReadable"], false);
    // Two voters of three are a quorum, and any of the three can be lost.
    assert_eq!(all["dataSets"][1]["losses"][0]["leavesQuorum"], true);
}

/// Regions w/a to w/d in four countries, and policies on the copies of one data set.
const RULED: &str = r#"
apiVersion: domicile.dev/v1alpha1
kind: PolicySettings
metadata: {name: default}
spec: {mode: enforce, uncovered: allow, unlabelled: allow, exemptNamespaces: [], regionKey: topology}
---
apiVersion: domicile.dev/v1alpha1
kind: Region
metadata: {name: w.a}
spec: {provider: w, region: a, country: "DE", source: {cite: made up, asOf: "2026-11-01"}}
---
apiVersion: domicile.dev/v1alpha1
kind: Region
metadata: {name: w.b}
spec: {provider: w, region: b, country: "FR", source: {cite: made up, asOf: "2026-11-01"}}
---
apiVersion: domicile.dev/v1alpha1
kind: Region
metadata: {name: w.c}
spec: {provider: w, region: c, country: "IT", source: {cite: made up, asOf: "2026-11-01"}}
---
apiVersion: domicile.dev/v1alpha1
kind: Region
metadata: {name: w.d}
spec: {provider: w, region: d, country: "ES", source: {cite: made up, asOf: "2026-11-01"}}
---
apiVersion: domicile.dev/v1alpha1
kind: PlacementPolicy
metadata: {name: copies}
spec:
  title: Where copies are
  owner: {team: privacy, contact: dpo@corp.example}
  legalBasis: [{cite: made up}]
  mode: enforce
  appliesTo: {dataSets: [ledger]}
  rules:
RULES
---
apiVersion: domicile.dev/v1alpha1
kind: DataSet
metadata: {name: ledger}
spec:
  profile: {classification: internal, categories: [financial], subjects: [none]}
  consistency: available
  replicas: [{region: w/a, role: leader}, {region: w/b, role: voter}]
"#;

/// All demand is at w/a; w/b is 10 ms away, w/c 20 and w/d 30; everything else is 50 ms from everything.
const WAYS: &str = "from,to,rtt_ms\nw/a,w/b,10\nw/a,w/c,20\nw/a,w/d,30\nw/b,w/c,50\nw/b,w/d,50\nw/c,w/d,50\n";

#[test]
fn rules_on_copies_bind_the_copy_the_leader_or_the_set_as_a_whole() {
    let free = ("", vec!["w/a", "w/b"], 0.8 + 0.8 + 10.0);
    for (rules, wanted, wanted_ms) in [
        free.clone(),
        // The leader may not be beside its readers, so that each write goes to it, and back for the commit.
        (
            "    - {id: primary, writes: {primaryMustBeIn: [\"FR\"]}}\n",
            vec!["w/b", "w/a"],
            0.8 + 10.0 + 10.0,
        ),
        (
            "    - {id: copies, replica: {noneOutside: [\"DE\", \"ES\"]}}\n",
            vec!["w/a", "w/d"],
            0.8 + 0.8 + 30.0,
        ),
        (
            "    - {id: somewhere, replica: {mustExistIn: [\"IT\", \"ES\"]}}\n",
            vec!["w/a", "w/c"],
            0.8 + 0.8 + 20.0,
        ),
        (
            "    - {id: read, reads: {fromReplicaIn: [\"ES\"]}}\n",
            vec!["w/a", "w/d"],
            0.8 + 0.8 + 30.0,
        ),
        (
            "    - {id: place, activities: [process, store], denied: [\"FR\", \"IT\"]}\n",
            vec!["w/a", "w/d"],
            0.8 + 0.8 + 30.0,
        ),
        (
            "    - {id: place, activities: [replicate], denied: [\"FR\"]}\n",
            vec!["w/a", "w/c"],
            0.8 + 0.8 + 20.0,
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let rules = if rules.is_empty() {
            "    - {id: none, denied: [\"KP\"]}\n"
        } else {
            rules
        };
        let policies = folder.path().join("policies");
        fs::create_dir(&policies).unwrap();
        fs::write(policies.join("set.yaml"), RULED.replace("RULES\n", rules)).unwrap();
        let latency = written(&folder, "latency.csv", WAYS);
        let demand = written(
            &folder,
            "demand.yaml",
            "v: 1\nrows: [{region: w/a, requests: 3, reads: 1, writes: 1}]\n",
        );
        let nothing = written(&folder, "data-sets.yaml", "");
        let (answer, _) = answer(&format!(
            "ledger --policies {} --latency {} --demand {} --data-sets {}",
            policies.display(),
            latency.display(),
            demand.display(),
            nothing.display()
        ));
        let asked = row(&answer, 2);
        assert_eq!(regions(&asked["permitted"]), wanted, "{rules}");
        assert!(
            (asked["permitted"]["ms"].as_f64().unwrap() - wanted_ms).abs() < 1e-6,
            "{rules}: {asked}"
        );
        assert_eq!(regions(&asked["unrestricted"]), free.1, "{rules}");
        let refused = answer["inTheWay"].as_array().unwrap().len()
            + answer["unmetWithoutPolicies"].as_array().unwrap().len();
        assert_eq!(refused > 0, wanted != free.1, "{rules}: {answer}");
    }
}

/// Random demand over the shipped world: what policies cost is never negative, one more region to choose from never
/// costs, and the same question has the same answer.
#[test]
fn what_policies_cost_is_never_negative() {
    let facts = read_facts(&FactsArgs::default(), now()).unwrap();
    let snapshot = &facts.snapshot;
    // A third of them, so that every placement is tried in little time.
    let all: Vec<RegionKey> = measured_regions(snapshot).into_iter().step_by(3).collect();
    let mut state = 0x9e37_79b9_u64;
    let mut below = |limit: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    for round in 0..8 {
        let names = ["orders", "profiles-us", "ledger", "catalog"];
        let name = DataSetName::new(names[round % names.len()]).unwrap();
        let rows: Vec<DemandRow> = (0..4)
            .map(|_| DemandRow {
                region: all[below(all.len())].clone(),
                requests: 1.0 + below(9) as f64,
                reads: below(5) as f64,
                writes: 1.0 + below(2) as f64,
                ways: None,
            })
            .collect();
        let demand = joined(rows);
        let few: BTreeSet<RegionKey> = all.iter().filter(|_| below(2) == 0).cloned().collect();
        let mut more = few.clone();
        more.insert(all[below(all.len())].clone());
        let question = |candidates| Question {
            data_set: &name,
            demand: &demand,
            candidates,
            copies: Some(3),
            at: now(),
        };
        let (Ok(of_few), Ok(of_more)) = (
            advise(snapshot, &question(&few)),
            advise(snapshot, &question(&more)),
        ) else {
            continue;
        };
        for (of_few, of_more) in of_few.by_copies.iter().zip(&of_more.by_copies) {
            for choices in [of_few, of_more] {
                assert!(
                    choices.policy_cost_ms().is_none_or(|cost| cost > -1e-9),
                    "{name}: {choices:?}"
                );
            }
            if let Some(permitted) = &of_few.permitted
                && permitted.method.words() == "exact"
            {
                let wider = of_more.permitted.as_ref().unwrap();
                assert!(
                    wider.method.words() != "exact" || wider.cost_ms <= permitted.cost_ms + 1e-9,
                    "{name}"
                );
            }
        }
        let again = advise(snapshot, &question(&few)).unwrap();
        assert_eq!(again.by_copies, of_few.by_copies);
    }
}

/// The workloads of the quickstart are where their clients are, as far as they may be.
#[test]
fn a_run_file_is_demand_too() {
    let (answer, outcome) = answer("orders --run simulations/quickstart/run.yaml");
    assert_eq!(outcome, Outcome::Holds);
    assert_eq!(answer["world"]["at"], "2026-11-21T00:00:00Z");
    let rows = answer["demand"]["rows"].as_array().unwrap();
    let share = |region: &str| {
        let row = rows.iter().find(|row| row["region"] == region);
        row.and_then(|row| row["share"].as_f64()).unwrap_or(0.0)
    };
    // 60 pods with clients in three regions, and 80 with others: (60 x 0.3 + 80 x 0.4) / 140.
    assert_eq!(share("aws/eu-west-1"), 0.357);
    assert_eq!(share("aws/us-east-1"), 0.0);
    assert_eq!(answer["candidates"]["considered"], 12);
    assert_eq!(answer["footing"]["permittedRegions"].as_array().unwrap().len(), 5);
}

#[test]
fn what_cannot_be_answered_says_why_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let demand = |text: &str| written(&folder, "demand.csv", text).display().to_string();
    let good = demand("region,requests,reads,writes\naws/eu-west-1,1,1,0\n");
    for (flags, wanted) in [
        (
            "orders".to_owned(),
            "no pod of the built-in fleet names `orders`; say where the demand is",
        ),
        (
            format!("order --demand {good}"),
            "no data set is called `order`; did you mean `orders`?",
        ),
        (
            format!("zebra --demand {good}"),
            "no data set is called `zebra`; there are catalog, ledger",
        ),
        (
            format!("orders --demand {good} --regions aws/eu-centrl-1"),
            "the region `aws/eu-centrl-1` is not known; did you mean `aws/eu-central-1`?",
        ),
        (
            format!("orders --demand {good} --replicas 0"),
            "0 is not in 1..=64",
        ),
        (
            format!("orders --demand {good} --run x.yaml"),
            "cannot be used with",
        ),
        (format!("orders --all --demand {good}"), "cannot be used with"),
        (String::new(), "required"),
        (
            "orders --demand nowhere.csv".to_owned(),
            "`nowhere.csv` cannot be read",
        ),
    ] {
        let problem = told(&flags).expect_err(&flags);
        assert!(problem.contains(wanted), "{flags}: {problem}");
    }
    let bad = demand("region,requests,reads,writes\naws/eu-west-1,1,1,0\nmoon,1,1,0\n");
    let problem = told(&format!("orders --demand {bad}")).unwrap_err();
    assert!(
        problem.contains("demand.csv:3: the region `moon` is not known"),
        "{problem}"
    );
}

/// What a page quotes is what is printed.
#[test]
fn the_page_shows_what_is_said() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/advise.md")).unwrap();
    let (text, _) = told(&format!("customers-eu {WORKED} --at 2026-11-21")).unwrap();
    let shown = page
        .split("```text\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    assert_eq!(shown, text);
}
