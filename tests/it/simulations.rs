//! Simulations: committed scenarios give their committed summaries, the same bytes on any number of threads, and small
//! worlds give what can be worked out by hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use domicile::cli::simulate::{Simulated, read_scenario, simulated, simulated_file};
use domicile::simulation::{Control, FailOn, Figures, Options, Summary, summary_schema, summary_text};

fn scenario(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("simulations")
        .join(name)
}

/// Simulates a run file that begins with what every run needs.
fn small(rest: &str) -> Result<Simulated, String> {
    small_with(rest, &[])
}

/// As [`small`], with files beside it.
fn small_with(rest: &str, files: &[(&str, &str)]) -> Result<Simulated, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let path = folder.path().join("run.yaml");
    let head = "v: 1\ntitle: small\nat: 2026-11-21T00:00:00Z\n";
    fs::write(&path, format!("{head}{rest}")).unwrap();
    simulated_file(&path, 1).map_err(|error| format!("{error:#}"))
}

/// Runs a committed scenario twice, and holds it to its committed summary and to the published schema.
fn held(name: &str) -> Summary {
    let run = scenario(&format!("{name}/run.yaml"));
    let [first, second] = [1, 3].map(|threads| simulated_file(&run, threads).unwrap());
    assert_eq!(
        first.files, second.files,
        "another number of threads, other bytes"
    );
    let json = first.file("summary.json").unwrap();
    let written: serde_json::Value = serde_json::from_str(json).unwrap();
    let valid = jsonschema::validate(&summary_schema(), &written).map_err(|error| error.to_string());
    assert_eq!(valid, Ok(()));
    let read: Summary = serde_json::from_str(json).unwrap();
    assert_eq!(read, first.summary);
    let expected = fs::read_to_string(scenario(&format!("{name}/expected/summary.json"))).unwrap();
    assert!(
        json == expected,
        "if the change is meant: domicile simulate simulations/{name}/run.yaml --out DIR, read the summary.json in DIR \
         and copy it to simulations/{name}/expected/\n{}",
        summary_text(&first.summary)
    );
    let failing = read_scenario(&run).unwrap().run.fail_on();
    let figures = Figures::of(&first.summary);
    for condition in failing {
        assert_eq!(condition.holds(&figures), Ok(None), "{condition}");
    }
    first.summary
}

#[test]
fn the_quickstart_tells_its_story() {
    let summary = held("quickstart");
    let of = |id: &str| summary.comparator(id).unwrap();
    let (with, without) = (of("domicile"), of("kube-default"));
    assert_eq!((with.violations, with.unschedulable.residency), (0, 30));
    assert!(
        without.violations > 100 && without.unschedulable.total == 0,
        "{without:?}"
    );
    assert_eq!(with.placed + with.unschedulable.total, summary.run.pods);
    assert!(with.latency.known.mean_us.unwrap() * 4 < without.latency.known.mean_us.unwrap());
    assert_eq!(summary.refused.len(), 2);
}

#[test]
fn the_go_live_tells_what_policies_cost_and_a_variant_buys_back() {
    let summary = held("eea-go-live");
    let cost = summary.cost.unwrap();
    assert!(cost.added.mean_us.unwrap() > 0 && cost.unplaceable == 0);
    let eea = cost
        .by_policy
        .iter()
        .find(|policy| policy.policy == "eea-personal-data")
        .unwrap();
    assert_eq!(eea.pods, 120);
    assert!(eea.alone.unwrap().added.mean_us.unwrap() > 0);
    let moved = summary.moved.unwrap();
    let london = moved
        .groups
        .iter()
        .find(|group| group.workload == "support/desk-london")
        .unwrap();
    assert_eq!(london.to.as_deref(), Some("aws/eu-west-2"));
    assert!(london.mean_added_us.unwrap() < 0, "{london:?}");
    assert!(
        london.why.contains("`eea-personal-data/place` under A refused"),
        "{london:?}"
    );
    assert!(
        moved
            .groups
            .iter()
            .all(|group| group.to.as_deref() != Some("aws/us-east-1"))
    );
    assert_eq!(summary.seeds.unwrap().seeds.len(), 3);
}

#[test]
fn the_loss_of_a_region_tells_strict_from_available() {
    let summary = held("region-loss");
    let with = summary.comparator("domicile").unwrap();
    assert!(with.attempts.evicted > 0 && with.violations == 0, "{with:?}");
    // Frankfurt holds neither the leader of the ledger at the end nor a way to it.
    let frankfurt = with
        .regions
        .iter()
        .find(|region| region.region == "aws/eu-central-1")
        .unwrap();
    assert_eq!(frankfurt.nodes, 3, "it is back");
    let lost: Vec<&str> = summary
        .failures
        .iter()
        .map(|failure| failure.region.as_str())
        .collect();
    assert_eq!(
        lost,
        [
            "aws/eu-central-1",
            "aws/eu-north-1",
            "aws/eu-west-1",
            "aws/us-east-1"
        ]
    );
    let dublin = &summary.failures[2];
    assert!(
        dublin.pods > 0 && dublin.stranded.partition > 0,
        "the leader is lost: {dublin:?}"
    );
    assert!(
        dublin
            .stranded_workloads
            .iter()
            .all(|workload| workload.contains("booking")),
        "{dublin:?}"
    );
}

#[test]
fn a_sample_of_5000_nodes_is_blind_and_an_affinity_is_not() {
    let summary = held("sampling-blindness");
    let of = |id: &str| summary.comparator(id).unwrap();
    assert!(
        of("domicile").attempts.blind_pods > 0,
        "{:?}",
        of("domicile").attempts
    );
    assert_eq!(of("domicile").unschedulable.total, 0, "each is placed in the end");
    let confined = of("domicile-affinity");
    assert_eq!((confined.attempts.blind, confined.unschedulable.total), (0, 0));
    assert!(of("domicile").waits.most_ms > confined.waits.most_ms);
    assert_eq!(of("hand-affinity").violations, 0);
    assert!(of("kube-default").violations > 0);
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/simulation-summary.schema.json");
    let published: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(
        published,
        summary_schema(),
        "write it anew: `domicile schema --of simulation > docs/schema/simulation-summary.schema.json`"
    );
}

const ONE_NODE_EACH: &str = "fleet:\n  nodes:\n\
    \x20   - {region: aws/eu-central-1, zones: [eu-central-1a], nodesPerZone: 1, cpu: \"2\", memory: 8Gi, pods: 9}\n\
    \x20   - {region: aws/us-east-1, zones: [us-east-1a], nodesPerZone: 1, cpu: \"2\", memory: 8Gi, pods: 9}\n\
    \x20 namespaces:\n\
    \x20   - {name: de, annotations: {domicile.dev/data-classification: confidential, \
    domicile.dev/data-categories: personal, domicile.dev/data-subjects: DE}}\n\
    \x20   - {name: free, annotations: {domicile.dev/data: none}}\n";

#[test]
fn pods_that_find_no_room_are_told_from_pods_that_may_go_nowhere() {
    let run = format!(
        "{ONE_NODE_EACH}seed: 1\nworkloads:\n- {{name: a, namespace: de, pods: 3, cpu: \"1\", memory: 1Gi}}\n"
    );
    let summary = small(&run).unwrap().summary;
    // Frankfurt holds two; the third would fit in Virginia, where it may not be.
    let with = summary.comparator("domicile").unwrap();
    assert_eq!(
        (with.placed, with.unschedulable.capacity, with.unschedulable.total),
        (2, 1, 1)
    );
    let pods: Vec<(&str, u64)> = with
        .regions
        .iter()
        .map(|region| (region.region.as_str(), region.pods))
        .collect();
    assert_eq!(pods, [("aws/eu-central-1", 2), ("aws/us-east-1", 0)]);
    let without = summary.comparator("kube-default").unwrap();
    assert_eq!((without.placed, without.unschedulable.total), (3, 0));
    assert_eq!(
        without.violations_by.get("eea-personal-data/place"),
        Some(&without.regions[1].pods)
    );
    assert_eq!(summary.cost.unwrap().unplaceable, 1);

    let huge = run.replace("cpu: \"1\"", "cpu: \"3\"");
    let huge = small(&huge).unwrap().summary;
    assert_eq!(huge.comparator("kube-default").unwrap().unschedulable.capacity, 3);
    let elsewhere = run.replace("data-subjects: DE", "data-subjects: CN");
    let summary = small(&elsewhere).unwrap().summary;
    let refused = summary.comparator("domicile").unwrap().unschedulable.residency;
    assert_eq!((refused, summary.refused[0].pods), (3, 3));
    assert!(summary.refused[0].sentence.contains("`cn-personal-data/place`"));
}

/// The checker took declared copies alone, and called every pod a violation that only a found copy permits.
#[test]
fn a_copy_that_a_volume_of_the_fleet_shows_counts_for_the_checker_too() {
    let region = |name: &str, country: &str| {
        format!(
            "apiVersion: domicile.dev/v1alpha1\nkind: Region\nmetadata: {{name: a.{name}}}\nspec: {{provider: a, region: {name}, \
             country: {country}, source: {{cite: none, asOf: \"2026-11-21\"}}}}\n---\n"
        )
    };
    let policies = format!(
        "{}{}apiVersion: domicile.dev/v1alpha1\nkind: PolicySettings\nmetadata: {{name: default}}\nspec: {{mode: enforce, \
         uncovered: allow, unlabelled: allow, regionKey: topology}}\n---\napiVersion: domicile.dev/v1alpha1\nkind: PlacementPolicy\n\
         metadata: {{name: reads}}\nspec:\n  title: Orders are read from Germany\n  \
         owner: {{team: any, contact: any@corp.example}}\n  legalBasis: [{{cite: none, url: \"https://www.example.com/\", note: none}}]\n  \
         mode: enforce\n  effective: {{from: \"2026-01-01\", reviewBy: \"2027-03-31\"}}\n  appliesTo: {{dataSets: [orders]}}\n  rules:\n  \
         - {{id: place, allowed: [anywhere]}}\n  - {{id: german, reads: {{fromReplicaIn: [DE]}}}}\n",
        region("de", "DE"),
        region("ie", "IE"),
    );
    let data_sets = "apiVersion: domicile.dev/v1alpha1\nkind: DataSet\nmetadata: {name: orders}\nspec:\n  profile: {classification: internal, \
                     categories: [none], subjects: [none]}\n  consistency: available\n  replicas: [{region: a/ie, role: voter}]\n";
    let fleet = |annotations: &str| {
        let node = |region: &str| {
            format!(
                "- {{apiVersion: v1, kind: Node, metadata: {{name: n-{region}, labels: {{domicile.dev/provider: a, \
                 topology.kubernetes.io/region: {region}, topology.kubernetes.io/zone: {region}-1}}}}, \
                 status: {{allocatable: {{cpu: \"8\", memory: 32Gi, pods: \"110\"}}}}}}\n"
            )
        };
        format!(
            "apiVersion: v1\nkind: List\nitems:\n{}{}- {{apiVersion: v1, kind: Namespace, metadata: {{name: shop, \
             annotations: {{domicile.dev/data: none}}}}}}\n- {{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: data-0, \
             namespace: shop}}, spec: {{volumeName: pv-0}}}}\n- {{apiVersion: v1, kind: PersistentVolume, metadata: {{name: pv-0, \
             annotations: {{{annotations}}}}}, spec: {{nodeAffinity: {{required: {{nodeSelectorTerms: [{{matchExpressions: \
             [{{key: topology.kubernetes.io/zone, operator: In, values: [de-1]}}]}}]}}}}}}}}\n",
            node("de"),
            node("ie"),
        )
    };
    let run = "seed: 1\npolicies: policies.yaml\ndataSets: data-sets.yaml\nfleet: {file: fleet.yaml}\n\
               workloads: [{namespace: shop, name: web, pods: 4, cpu: 100m, memory: 1Gi, \
               annotations: {domicile.dev/data-sets: \"orders: reads=1\"}}]\n";
    for (annotations, placed) in [("", 0), ("domicile.dev/data-sets: orders", 4)] {
        let fleet = fleet(annotations);
        let files = [
            ("policies.yaml", policies.as_str()),
            ("data-sets.yaml", data_sets),
            ("fleet.yaml", &fleet),
        ];
        let summary = small_with(run, &files).unwrap().summary;
        let with = summary.comparator("domicile").unwrap();
        assert_eq!((with.placed, with.violations), (placed, 0), "{annotations:?}");
        let without = summary.comparator("kube-default").unwrap();
        assert_eq!(without.violations, 4 - placed, "{annotations:?}");
    }
}

#[test]
fn the_score_draws_pods_to_their_data_as_hard_as_its_weight() {
    let run = |weight: u32| {
        let text = format!(
            "{ONE_NODE_EACH}seed: 1\nscheduler: {{extenderWeight: {weight}}}\nworkloads:\n\
             - {{name: a, namespace: free, pods: 4, cpu: 100m, memory: 256Mi, \
             annotations: {{domicile.dev/clients: aws/us-east-1=1}}}}\n"
        );
        let summary = small(&text).unwrap().summary;
        summary.comparator("domicile").unwrap().regions[1].pods
    };
    assert_eq!(run(5), 4);
    assert_eq!(run(0), 2);
}

/// Pods that are placed are peers of those that come later, and the costs of a run are those at its end.
#[test]
fn pods_are_drawn_to_the_peers_that_the_run_has_placed() {
    let run = format!(
        "{ONE_NODE_EACH}seed: 3\ncompare: [domicile]\nworkloads:\n\
         - {{name: cart, namespace: de, pods: 1, cpu: 100m, memory: 256Mi, labels: {{app: cart}}, \
         annotations: {{domicile.dev/peers: 'app=cart: calls=9'}}}}\n\
         - {{name: web, namespace: free, pods: 12, cpu: 100m, memory: 256Mi, atMs: 5, \
         annotations: {{domicile.dev/peers: 'app=cart: calls=2 namespace=de'}}}}\n"
    );
    let run = run.replace("pods: 9}", "pods: 99}");
    let simulated = small(&run).unwrap();
    let rows: Vec<Vec<&str>> = simulated
        .file("pods.csv")
        .unwrap()
        .lines()
        .map(|row| row.split(',').collect())
        .collect();
    let column = |name: &str| rows[0].iter().position(|field| *field == name).unwrap();
    let (region, latency) = (column("region"), column("latency_us"));
    let cart = rows.iter().find(|row| row[2] == "cart-0").unwrap();
    assert_eq!(
        (cart[region], cart[latency]),
        ("aws/eu-central-1", ""),
        "a pod is not its own peer"
    );
    let web: Vec<&Vec<&str>> = rows.iter().filter(|row| row[2].starts_with("web-")).collect();
    assert_eq!(web.len(), 12);
    assert!(web.iter().all(|row| row[region] == "aws/eu-central-1"), "{web:?}");
    let with = simulated.summary.comparator("domicile").unwrap();
    assert_eq!((with.latency.known.pods, with.latency.without_access), (12, 1));
}

#[test]
fn the_seed_decides_and_the_embedded_fleet_is_the_default() {
    let run = |seed: u32| {
        small(&format!(
            "seed: {seed}\nworkloads:\n- {{name: a, namespace: public-site, pods: 40, cpu: 100m, memory: 1Gi}}\n"
        ))
        .unwrap()
    };
    assert_eq!(run(1).files, run(1).files);
    assert_ne!(run(1).file("pods.csv"), run(2).file("pods.csv"));
    assert_ne!(run(1).summary.run.id, run(2).summary.run.id);
    assert_eq!(run(1).summary.comparator("domicile").unwrap().placed, 40);
}

/// Equal policies place equally, so that who moves from A to B moves because of B.
#[test]
fn nobody_moves_from_policies_to_the_same_policies() {
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let run = format!(
        "{ONE_NODE_EACH}seed: 1\npolicies: {0}\npoliciesB: {{folder: {0}}}\ncompare: [domicile, policy-b]\nworkloads:\n\
         - {{name: a, namespace: free, pods: 8, cpu: 100m, memory: 256Mi}}\n",
        policies.display()
    );
    let moved = small(&run).unwrap().summary.moved.unwrap();
    assert_eq!((moved.pods, moved.same_region, moved.groups.len()), (8, 8, 0));
}

#[test]
fn events_of_a_trace_happen_in_their_order() {
    let trace = r#"{"v":1,"kind":"trace","source":"a test","t_unit":"ms"}
{"t":1000,"ev":"region.down","region":"aws/us-east-1"}
{"t":2000,"ev":"pod.create","uid":"late","spec":{"namespace":"free","name":"late","requests":{"cpu":"2"}}}
{"t":3000,"ev":"region.up","region":"aws/us-east-1"}
{"t":4000,"ev":"pod.delete","uid":"late"}
"#;
    let run = format!(
        "{ONE_NODE_EACH}seed: 1\ntrace: t.jsonl\ncompare: [domicile]\nworkloads:\n\
         - {{name: a, namespace: free, pods: 2, cpu: \"1\", memory: 1Gi, annotations: {{domicile.dev/clients: aws/us-east-1=1}}}}\n"
    );
    let simulated = small_with(&run, &[("t.jsonl", trace)]).unwrap();
    let with = simulated.summary.comparator("domicile").unwrap();
    // Both were drawn to Virginia, lost it and came again in Frankfurt; the late one waited until Virginia was back.
    assert_eq!(
        (with.attempts.evicted, with.running, with.ended, with.placed),
        (2, 2, 1, 3)
    );
    assert_eq!(with.regions[0].pods, 2);
    let pods = simulated.file("pods.csv").unwrap();
    let late = pods.lines().find(|row| row.contains(",late,")).unwrap();
    assert!(
        late.contains(",ended,aws-us-east-1a-001,aws/us-east-1,2000,1"),
        "{late}"
    );
    let marks: Vec<&str> = simulated
        .summary
        .run
        .marks
        .iter()
        .map(|mark| mark.what.as_str())
        .collect();
    assert_eq!(marks, ["region.down aws/us-east-1", "region.up aws/us-east-1"]);
}

/// Pods that would be turned away again alike are tried as one where nobody asks for each attempt, and pods whose error
/// comes again are not tried at all: all that is told is the same.
#[test]
fn whether_attempts_are_written_down_changes_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let full = folder.path().join("full.yaml");
    // What is permitted to `de` is soon full, and the other node never is.
    let text = format!(
        "v: 1\ntitle: full\nat: 2026-11-21T00:00:00Z\n{ONE_NODE_EACH}seed: 1\n\
         compare: [kube-default, domicile, random-compliant, nearest-first]\nworkloads:\n\
         - {{name: a, namespace: de, pods: 30, cpu: \"1\", memory: 1Gi}}\n\
         - {{name: b, namespace: free, pods: 1, cpu: \"1\", memory: 1Gi, atMs: 95000}}\n\
         - {{name: c, namespace: de, pods: 5, cpu: \"2\", memory: 1Gi, atMs: 40000}}\n"
    );
    fs::write(&full, text).unwrap();
    let committed = ["quickstart", "eea-go-live", "region-loss"];
    let committed = committed.map(|name| scenario(&format!("{name}/run.yaml")));
    for path in committed.into_iter().chain([full]) {
        let scenario = read_scenario(&path).unwrap();
        let [alone, together] = [true, false].map(|records_decisions| {
            let options = Options {
                threads: 1,
                records_decisions,
            };
            simulated(&scenario, options, &Control::default()).unwrap()
        });
        let name = path.display();
        assert_eq!(alone.summary, together.summary, "{name}");
        assert_eq!(alone.file("pods.csv"), together.file("pods.csv"), "{name}");
        let attempts: u64 = alone.summary.comparators.iter().map(|of| of.attempts.total).sum();
        let lines = alone.file("decisions.jsonl").unwrap().lines().count() as u64;
        // Of several seeds the summary tells the attempts of the first.
        assert!(
            lines >= attempts && attempts > 0,
            "{name}: {lines} lines, {attempts} attempts"
        );
    }
}

#[test]
fn a_run_that_is_stopped_says_so() {
    let control = Control::default();
    control.stop.store(true, Ordering::Relaxed);
    let options = Options {
        threads: 1,
        records_decisions: false,
    };
    let scenario = read_scenario(&scenario("quickstart/run.yaml")).unwrap();
    let simulated = simulated(&scenario, options, &control).unwrap();
    assert!(!simulated.summary.complete);
    assert_eq!(
        simulated
            .summary
            .stopped
            .as_ref()
            .map(|stopped| stopped.runs_done),
        Some(0)
    );
    assert!(summary_text(&simulated.summary).contains("THE RUN IS NOT COMPLETE (0 of 3 runs)"));
}

#[test]
fn conditions_find_their_figures() {
    let run = format!(
        "{ONE_NODE_EACH}seed: 1\nworkloads:\n- {{name: a, namespace: de, pods: 3, cpu: \"1\", memory: 1Gi}}\n"
    );
    let figures = Figures::of(&small(&run).unwrap().summary);
    let holds = |text: &str| FailOn::parse(text).unwrap().holds(&figures);
    assert_eq!(holds("unschedulable>0"), Ok(Some(1.0)));
    assert_eq!(holds("kube-default.unschedulable.total>0"), Ok(None));
    assert_eq!(holds("cost.unplaceable>=1"), Ok(Some(1.0)));
    assert!(
        holds("violatons>0")
            .unwrap_err()
            .contains("did you mean `violations`")
    );
}

#[test]
fn what_is_wrong_with_a_run_names_it() {
    let workload = "seed: 1\nworkloads:\n- {name: a, namespace: x, pods: 1, cpu: \"1\", memory: 1Gi}\n";
    let missing = small(&format!("policies: no-such-folder\n{workload}")).unwrap_err();
    assert!(
        missing.contains("the policies cannot be read") && missing.contains("no-such-folder"),
        "{missing}"
    );
    let stranger = small(&format!("{ONE_NODE_EACH}{workload}")).unwrap_err();
    assert!(stranger.contains("the namespace `x` is not among"), "{stranger}");
    let trace = "{\"v\":1,\"kind\":\"trace\",\"source\":\"a test\",\"t_unit\":\"ms\"}\n{\"t\":0,\"ev\":\"region.dwn\"}\n";
    let wrong = small_with(&format!("trace: t.jsonl\n{workload}"), &[("t.jsonl", trace)]).unwrap_err();
    assert!(
        wrong.contains("t.jsonl:2") && wrong.contains("did you mean `region.down`"),
        "{wrong}"
    );
}
