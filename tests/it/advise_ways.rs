//! `domicile advise` under rules on transit: tables by hand, what is cut off, and that nothing else changes.

use std::fs;
use std::path::Path;

use domicile::cli::Outcome;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::advise::{WORKED, answer, regions, row, told, written};

/// Regions w/a to w/d in four countries. `COPIES` are the replicas of the data set, `DENIED` where none may be,
/// `MODE` that of the rule on transit.
const WORLD: &str = r#"
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
    - {id: place, activities: [replicate], denied: [DENIED]}
TRANSIT---
apiVersion: domicile.dev/v1alpha1
kind: DataSet
metadata: {name: ledger}
spec:
  profile: {classification: internal, categories: [financial], subjects: [none]}
  consistency: available
  replicas: [COPIES]
"#;

const TRANSIT: &str = r#"---
apiVersion: domicile.dev/v1alpha1
kind: PlacementPolicy
metadata: {name: lines}
spec:
  title: Through where data goes
  owner: {team: privacy, contact: dpo@corp.example}
  legalBasis: [{cite: made up}]
  mode: MODE
  appliesTo: {SELECTED}
  rules:
    - {id: route, transit: {forbid: ["RU"], whenPathUnknown: UNKNOWN}}
"#;

/// w/b is 10 ms from w/a, w/c 20 and w/d 30; w/b and w/c are 5 ms apart, and w/d is 50 from both.
const MEASURED: &str =
    "from,to,rtt_ms\nw/a,w/b,10\nw/a,w/c,20\nw/a,w/d,30\nw/b,w/c,5\nw/b,w/d,50\nw/c,w/d,50\n";

/// A world, and what is asked of it.
struct Asked<'a> {
    /// Replaces a word of the texts above.
    words: Vec<(&'a str, &'a str)>,
    /// From, to, country that is crossed.
    links: &'a [(&'a str, &'a str, &'a str)],
    demand: &'a str,
    copies: usize,
}

impl<'a> Asked<'a> {
    /// Reads at w/a, where no copy may be; no rule on transit.
    fn new() -> Self {
        Self {
            words: vec![("DENIED", "\"DE\""), ("COPIES", "{region: w/a, role: leader}")],
            links: &[],
            demand: "w/a,1,1,0\n",
            copies: 1,
        }
    }

    fn with(mut self, word: &'a str, instead: &'a str) -> Self {
        self.words.insert(0, (word, instead));
        self
    }

    /// With a rule on transit that is enforced, and these links.
    fn ruled(self, unknown: &'a str, links: &'a [(&'a str, &'a str, &'a str)]) -> Self {
        let ruled = self.with("TRANSIT", TRANSIT).with("UNKNOWN", unknown);
        Self { links, ..ruled }
    }

    fn flags(&self, folder: &TempDir) -> String {
        // What is not replaced by now is what is usual.
        let mut text = WORLD.to_owned();
        let usual = [
            ("TRANSIT", ""),
            ("MODE", "enforce"),
            ("SELECTED", "dataSets: [ledger]"),
        ];
        let first = self.words.iter().filter(|(word, _)| *word == "TRANSIT");
        for (word, instead) in first.chain(&self.words).chain(&usual) {
            text = text.replace(word, instead);
        }
        for (number, (from, to, crossed)) in self.links.iter().enumerate() {
            let countries = if crossed.is_empty() {
                String::new()
            } else {
                format!("\"{crossed}\"")
            };
            text += &format!(
                "---\napiVersion: domicile.dev/v1alpha1\nkind: NetworkLink\nmetadata: {{name: l{number}}}\nspec: \
                 {{from: {from}, to: {to}, countries: [{countries}], provider: x, asOf: \"2026-11-01\"}}\n"
            );
        }
        let policies = folder.path().join("policies");
        fs::create_dir_all(&policies).unwrap();
        fs::write(policies.join("set.yaml"), text).unwrap();
        let demand = format!("region,requests,reads,writes\n{}", self.demand);
        format!(
            "ledger --policies {} --latency {} --data-sets {} --demand {} --replicas {}",
            policies.display(),
            written(folder, "latency.csv", MEASURED).display(),
            written(folder, "data-sets.yaml", "").display(),
            written(folder, "demand.csv", &demand).display(),
            self.copies,
        )
    }

    fn answer(&self) -> (Value, Outcome) {
        answer(&self.flags(&tempfile::tempdir().unwrap()))
    }

    fn text(&self) -> String {
        told(&self.flags(&tempfile::tempdir().unwrap())).unwrap().0
    }

    /// What is asked, as far as the best is concerned: regions, milliseconds, and what the policies cost for places and
    /// for ways.
    fn best(&self) -> (Vec<String>, f64, Value, Value) {
        let (answer, _) = self.answer();
        let asked = row(&answer, self.copies as u64);
        let best = &asked["permitted"];
        let of = |field: &str| asked.get(field).cloned().unwrap_or(Value::Null);
        let regions = regions(best).into_iter().map(str::to_owned);
        (
            regions.collect(),
            best["ms"].as_f64().unwrap(),
            of("residencyCostMs"),
            of("transitCostMs"),
        )
    }
}

/// The copy of a ledger that is read at w/a and may not be there.
#[test]
fn the_best_is_the_best_by_the_ways_that_remain() {
    let none = (Value::Null, Value::Null);
    let shares = |places_ms: f64, ways_ms: f64| (json!(places_ms), json!(ways_ms));
    let through_russia = ("w/a", "w/b", "RU");
    for (asked, region, ms, costs) in [
        (Asked::new(), "w/b", 10.0, none.clone()),
        // Links without a rule are not looked at, nor is a rule that does not refuse.
        (
            Asked {
                links: &[("w/a", "w/b", "RU")],
                ..Asked::new()
            },
            "w/b",
            10.0,
            none.clone(),
        ),
        (
            Asked::new().ruled("deny", &[through_russia]).with("MODE", "warn"),
            "w/b",
            10.0,
            none.clone(),
        ),
        (
            Asked::new()
                .ruled("deny", &[through_russia])
                .with("MODE", "audit"),
            "w/b",
            10.0,
            none,
        ),
        // A rule that takes no way that matters away costs nothing.
        (
            Asked::new().ruled("warn", &[("w/a", "w/b", "")]),
            "w/b",
            10.0,
            shares(9.2, 0.0),
        ),
        // The way to the nearest is taken away, so that the second is best.
        (
            Asked::new().ruled("warn", &[through_russia]),
            "w/c",
            20.0,
            shares(9.2, 10.0),
        ),
        // So it is where the nearest is reached by a detour of 25 ms.
        (
            Asked::new().ruled("deny", &[through_russia, ("w/a", "w/c", ""), ("w/b", "w/c", "")]),
            "w/c",
            20.0,
            shares(9.2, 10.0),
        ),
        // And where no copy may be at the second either, the detour is best.
        (
            Asked::new()
                .ruled("deny", &[through_russia, ("w/a", "w/c", ""), ("w/b", "w/c", "")])
                .with("DENIED", "\"DE\", \"IT\""),
            "w/b",
            25.0,
            shares(9.2, 15.0),
        ),
        // What nobody declares is denied.
        (
            Asked::new().ruled("deny", &[("w/a", "w/d", "")]),
            "w/d",
            30.0,
            shares(9.2, 20.0),
        ),
    ] {
        let (regions, best_ms, places_ms, ways_ms) = asked.best();
        let says = asked.text();
        assert_eq!(regions, [region], "{says}");
        assert!((best_ms - ms).abs() < 1e-6, "{says}");
        assert_eq!((places_ms, ways_ms), costs, "{says}");
    }
}

#[test]
fn commits_go_by_the_ways_that_remain_too() {
    let copies = "{region: w/a, role: leader}, {region: w/b, role: voter}";
    let asked = || Asked {
        demand: "w/a,1,0,1\n",
        copies: 2,
        ..Asked::new().with("DENIED", "\"KP\"").with("COPIES", copies)
    };
    let (regions, ms, ..) = asked().best();
    assert_eq!(
        (regions.as_slice(), ms),
        (["w/a", "w/b"].map(String::from).as_slice(), 10.8)
    );
    let ruled = asked().ruled("warn", &[("w/a", "w/b", "RU")]);
    let (regions, ms, places_ms, ways_ms) = ruled.best();
    assert_eq!(
        (regions.as_slice(), ms),
        (["w/a", "w/c"].map(String::from).as_slice(), 20.8)
    );
    assert_eq!((places_ms, ways_ms), (json!(0.0), json!(10.0)));
    let (answer, outcome) = ruled.answer();
    // Today's leader waits for a voter to which no way is left.
    assert_eq!(outcome, Outcome::Finding);
    assert_eq!(answer["today"]["ms"], Value::Null);
    assert_eq!(answer["today"]["cutOff"][0]["region"], "w/a");
    assert_eq!(
        answer["findings"],
        json!([
            "today's copies do not serve 100% of the requests, from w/a, by any way that is left: `lines/route` permits \
             only routes outside RU",
            "no way is left by which the copy in w/b is kept like the others: `lines/route` permits only routes outside RU"
        ])
    );
    assert_eq!(answer["doubts"], json!([]));
}

/// Readers at w/a are served by the copy there; what is written at w/a cannot be brought to the others.
#[test]
fn copies_that_no_way_joins_are_not_offered() {
    let copies = "{region: w/a, role: leader}, {region: w/d, role: read-only}";
    let asked = Asked {
        copies: 2,
        ..Asked::new().with("DENIED", "\"KP\"").with("COPIES", copies)
    };
    let ruled = asked.ruled("deny", &[("w/a", "w/c", "")]);
    let (answer, outcome) = ruled.answer();
    assert_eq!(outcome, Outcome::Finding);
    assert_eq!(answer["today"]["ms"], 0.8);
    assert_eq!(answer["today"]["apart"], json!(["w/d"]));
    assert_eq!(
        answer["findings"],
        json!([
            "no way is left by which the copy in w/d is kept like the others: `lines/route` permits only declared routes \
             outside RU"
        ])
    );
    assert_eq!(regions(&row(&answer, 2)["permitted"]), ["w/a", "w/c"]);
    assert_eq!(row(&answer, 3)["permitted"], Value::Null);
    assert_eq!(row(&answer, 3)["byEveryWay"]["ms"], 0.8);
}

#[test]
fn demand_to_which_no_way_leads_is_told_and_left_out_of_every_cost() {
    let asked = Asked {
        demand: "w/a,3,1,0\nw/d,1,1,0\n",
        ..Asked::new()
            .with("DENIED", "\"DE\", \"ES\"")
            .ruled("deny", &[("w/a", "w/b", ""), ("w/a", "w/c", "RU")])
    };
    let (answer, outcome) = asked.answer();
    assert_eq!(outcome, Outcome::Finding);
    let cut_off = &answer["demand"]["cutOff"];
    assert_eq!(
        (&cut_off[0]["region"], &cut_off[0]["share"]),
        (&json!("w/d"), &json!(0.25))
    );
    assert_eq!(answer["demand"]["rows"].as_array().unwrap().len(), 1);
    let asked_row = row(&answer, 1);
    assert_eq!(regions(&asked_row["permitted"]), ["w/b"]);
    assert_eq!(asked_row["permitted"]["ms"], 10.0);
    assert_eq!(
        asked_row["unrestricted"]["ms"], 0.8,
        "of the demand that is not cut off"
    );
    assert_eq!(
        answer["findings"],
        json!([
            "the leader in w/a stands where the policies refuse it: `copies/place` permits no place in DE or ES",
            "no way of a known latency is left from w/d (25% of the requests) to any region where a copy may be: \
             `lines/route` permits only declared routes outside RU"
        ])
    );
    let folder = tempfile::tempdir().unwrap();
    let flags = asked.flags(&folder);
    let text = told(&flags).unwrap().0;
    for said in [
        "which ways lead there: those that are left\n  `lines/route` permits only declared routes outside RU; ask dpo@corp.example\n",
        "policies cost  for places  for ways  found\n",
        "of that 9.2 ms for the places that are refused, 0.0 ms for the ways that are taken away\n",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    assert_eq!(text, told(&flags).unwrap().0, "the same twice");
}

/// Each region reaches itself alone: one copy serves but one of them, and two could not be kept alike.
#[test]
fn a_placement_that_leaves_demand_unserved_is_not_offered() {
    let asked = Asked {
        demand: "w/a,1,1,0\nw/d,1,1,0\n",
        ..Asked::new().with("DENIED", "\"KP\"").ruled("deny", &[])
    };
    let (answer, outcome) = asked.answer();
    assert_eq!(outcome, Outcome::Finding, "today's copy does not serve w/d");
    assert_eq!(row(&answer, 1)["permitted"], Value::Null);
    assert_eq!(row(&answer, 1)["byEveryWay"]["ms"], 15.4);
    assert_eq!(row(&answer, 1)["transitCostMs"], Value::Null);
    assert_eq!(row(&answer, 2)["permitted"], Value::Null);
    assert_eq!(row(&answer, 2)["byEveryWay"]["ms"], 0.8);
    assert!(
        answer["demand"].get("cutOff").is_none(),
        "w/d may have a copy of its own"
    );
    assert_eq!(answer["today"]["cutOff"][0]["region"], "w/d");
    let text = asked.text();
    assert!(
        text.contains("no placement of 1 copy is permitted and serves the demand\n  by every way: w/a (leader) at 15.4 ms"),
        "{text}"
    );
}

/// Where no way is left from anywhere, what the places would cost is told all the same.
#[test]
fn where_all_demand_is_cut_off_the_rest_is_still_told() {
    let asked = Asked::new().ruled("deny", &[]);
    let (answer, outcome) = asked.answer();
    assert_eq!(outcome, Outcome::Finding);
    assert_eq!(answer["demand"]["cutOff"][0]["share"], 1.0);
    let asked = row(&answer, 1);
    assert_eq!(asked["permitted"], Value::Null);
    assert_eq!(
        (&asked["byEveryWay"]["ms"], &asked["unrestricted"]["ms"]),
        (&json!(10.0), &json!(0.8))
    );
}

/// A rule that looks at namespaces binds the pods of some; what the others cost goes by every way.
#[test]
fn pods_of_one_region_go_by_the_ways_that_their_own_rules_leave() {
    let fleet = r#"
apiVersion: v1
kind: Namespace
metadata: {name: gold, labels: {tier: gold}, annotations: {domicile.dev/data: by-workload}}
---
apiVersion: v1
kind: Namespace
metadata: {name: plain, labels: {tier: plain}, annotations: {domicile.dev/data: by-workload}}
"#;
    let node = |region: &str| {
        format!(
            "---\napiVersion: v1\nkind: Node\nmetadata: {{name: n-{region}, labels: {{topology.kubernetes.io/region: \
             {region}, domicile.dev/provider: w}}}}\n"
        )
    };
    let pod = |namespace: &str| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p, namespace: {namespace}, uid: {namespace}, annotations: \
             {{domicile.dev/data-sets: \"ledger: reads=1 writes=0\"}}}}\nspec: {{nodeName: n-a}}\n"
        )
    };
    let nodes: Vec<String> = ["a", "b", "c"].map(node).into();
    let fleet = format!("{fleet}{}{}{}", nodes.concat(), pod("gold"), pod("plain"));
    let asked = Asked::new().ruled("warn", &[("w/a", "w/b", "RU")]).with(
        "SELECTED",
        "namespaces: {matchLabels: {tier: gold}}, dataSets: [ledger]",
    );
    let folder = tempfile::tempdir().unwrap();
    let flags = asked.flags(&folder);
    let (flags, _) = flags.split_once(" --demand").unwrap();
    let fleet = written(&folder, "fleet.yaml", &fleet);
    let flags = format!("{flags} --fleet {} --replicas 1", fleet.display());
    let (answer, _) = answer(&flags);
    let rows = answer["demand"]["rows"].as_array().unwrap();
    let rows: Vec<_> = rows
        .iter()
        .map(|row| (&row["region"], &row["share"], &row["waysRuledBy"]))
        .collect();
    let region = json!("w/a");
    let half = json!(0.5);
    assert_eq!(
        rows,
        [
            (&region, &half, &json!([])),
            (&region, &half, &json!(["lines/route"]))
        ]
    );
    // One of the two reaches w/b in 10 ms, and none but w/c serves both.
    assert_eq!(regions(&row(&answer, 1)["permitted"]), ["w/c"]);
    assert_eq!(row(&answer, 1)["permitted"]["ms"], 20.0);
}

/// Nothing is said of ways where no rule looks at them, to the byte: what was said before there were any.
#[test]
fn without_a_rule_on_transit_nothing_is_said_of_ways() {
    let (json, _) = told(&format!("customers-eu {WORKED} --at 2026-11-21 --output json")).unwrap();
    let (head, rest) = json.split_once("  \"world\": {\n").unwrap();
    let (_, tail) = rest.split_once("  },\n").unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/advise/worked.json");
    assert_eq!(format!("{head}{tail}"), fs::read_to_string(golden).unwrap());

    let folder = tempfile::tempdir().unwrap();
    let said = |links| {
        let flags = Asked {
            links,
            ..Asked::new()
        }
        .flags(&folder);
        let (json, _) = told(&format!("{flags} --at 2026-11-21 --output json")).unwrap();
        let (head, rest) = json.split_once("  \"world\": {\n").unwrap();
        // The hash of the files is another.
        format!("{head}{}", rest.split_once("  },\n").unwrap().1)
    };
    let without = said(&[]);
    assert_eq!(without, said(&[("w/a", "w/b", "RU"), ("w/a", "w/c", "")]));
    for word in [
        "waysRuledBy",
        "cutOff",
        "byEveryWay",
        "transitCostMs",
        "residencyCostMs",
    ] {
        assert!(!without.contains(word), "{word}");
    }
}

/// The page quotes an answer about `examples/routes`.
#[test]
fn the_page_shows_what_is_said_of_ways() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/advise.md")).unwrap();
    let quoted = page.split("region,requests,reads,writes\\n").nth(1).unwrap();
    let rows = quoted.split('\'').next().unwrap().replace("\\n", "\n");
    let folder = tempfile::tempdir().unwrap();
    let demand = written(
        &folder,
        "demand.csv",
        &format!("region,requests,reads,writes\n{rows}"),
    );
    let example = root.join("examples/routes");
    let file = |name: &str| example.join(name).display().to_string();
    let (text, _) = told(&format!(
        "parcels --policies {} --latency {} --fleet {} --demand {} --at 2026-11-21",
        file("policies.yaml"),
        file("latency.csv"),
        file("fleet.yaml"),
        demand.display()
    ))
    .unwrap();
    let shown = quoted
        .split("```text\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    assert_eq!(
        shown.unwrap(),
        text.replace(&demand.display().to_string(), "demand.csv")
    );
}

/// A leader at a place that nobody knows costs an unknown time, and stops nothing.
#[test]
fn a_leader_at_an_unknown_place_is_told() {
    let copies = "{region: w/moon, role: leader}, {region: w/b, role: voter}";
    let asked = Asked {
        demand: "w/a,1,1,1\n",
        ..Asked::new().with("COPIES", copies)
    };
    let (answer, _) = asked.answer();
    assert_eq!(answer["today"]["ms"], Value::Null);
    assert_eq!(regions(&row(&answer, 1)["permitted"]), ["w/b"]);
}
