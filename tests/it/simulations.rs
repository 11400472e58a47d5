//! Simulations: committed scenarios give their committed summaries, twice the same bytes, and small worlds
//! give what can be worked out by hand.

use std::fs;
use std::path::{Path, PathBuf};

use domicile::cli::simulate::simulated;
use domicile::simulation::Report;

fn scenario(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("simulations")
        .join(name)
}

/// Simulates a run file that begins with what every run needs.
fn small(rest: &str) -> Result<Report, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.yaml");
    fs::write(
        &path,
        format!("v: 1\ntitle: small\nat: 2026-11-21T00:00:00Z\n{rest}"),
    )
    .unwrap();
    simulated(&path).map_err(|error| format!("{error:#}"))
}

#[test]
fn the_quickstart_gives_the_committed_summary_and_twice_the_same_bytes() {
    let run = scenario("quickstart/run.yaml");
    let [first, second] = [(); 2].map(|()| simulated(&run).unwrap());
    let json = first.summary_json().unwrap();
    assert_eq!(json, second.summary_json().unwrap());
    assert_eq!((&first.pods_csv, first.text()), (&second.pods_csv, second.text()));
    let expected = fs::read_to_string(scenario("quickstart/expected/summary.json")).unwrap();
    assert_eq!(
        json, expected,
        "if the change is meant: domicile simulate simulations/quickstart/run.yaml --out DIR, read the \
         summary.json in DIR and copy it to simulations/quickstart/expected/"
    );
}

#[test]
fn the_quickstart_tells_its_story() {
    let summary = simulated(&scenario("quickstart/run.yaml")).unwrap().summary;
    let (with, without) = (&summary.domicile, &summary.extender_off);
    assert_eq!((with.violations, with.refused), (0, 30));
    assert!(without.violations > 100 && without.refused == 0, "{without:?}");
    assert_eq!(with.placed + with.refused, summary.pods);
    assert!(with.latency.mean_ms.unwrap() * 5.0 < without.latency.mean_ms.unwrap());
    assert_eq!(summary.refused.len(), 2);
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
    let with = &summary.domicile;
    assert_eq!(
        (with.placed, with.no_room_where_permitted, with.refused),
        (2, 1, 0)
    );
    assert_eq!(with.pods_by_region.get("aws/eu-central-1"), Some(&2));
    let without = &summary.extender_off;
    assert_eq!((without.placed, without.no_room), (3, 0));
    assert_eq!(
        without.violations_by.get("eea-personal-data/place"),
        without.pods_by_region.get("aws/us-east-1")
    );

    let huge = run.replace("cpu: \"1\"", "cpu: \"3\"");
    let with = small(&huge).unwrap().summary.domicile;
    assert_eq!((with.no_room, with.placed), (3, 0));
    let elsewhere = run.replace("data-subjects: DE", "data-subjects: CN");
    let summary = small(&elsewhere).unwrap().summary;
    assert_eq!((summary.domicile.refused, summary.refused[0].pods), (3, 3));
    assert!(summary.refused[0].sentence.contains("`cn-personal-data/place`"));
}

#[test]
fn the_score_draws_pods_to_their_data_as_hard_as_its_weight() {
    let run = |weight: u32| {
        let text = format!(
            "{ONE_NODE_EACH}seed: 1\nscheduler: {{extenderWeight: {weight}}}\nworkloads:\n\
             - {{name: a, namespace: free, pods: 4, cpu: 100m, memory: 256Mi, \
             annotations: {{domicile.dev/clients: aws/us-east-1=1}}}}\n"
        );
        small(&text).unwrap().summary.domicile
    };
    assert_eq!(run(5).pods_by_region.get("aws/us-east-1"), Some(&4));
    let spread = run(0);
    assert_eq!(spread.pods_by_region.get("aws/us-east-1"), Some(&2));
    assert_eq!(spread.latency.pods, 4);
}

/// Pods that are placed are peers of those that come later, and the costs of a run are those at its end.
#[test]
fn pods_are_drawn_to_the_peers_that_the_run_has_placed() {
    let run = format!(
        "{ONE_NODE_EACH}seed: 3\nworkloads:\n\
         - {{name: cart, namespace: de, pods: 1, cpu: 100m, memory: 256Mi, labels: {{app: cart}}, \
         annotations: {{domicile.dev/peers: 'app=cart: calls=9'}}}}\n\
         - {{name: web, namespace: free, pods: 12, cpu: 100m, memory: 256Mi, \
         annotations: {{domicile.dev/peers: 'app=cart: calls=2 namespace=de'}}}}\n"
    );
    let run = run.replace("pods: 9}", "pods: 99}");
    let report = small(&run).unwrap();
    let rows: Vec<Vec<&str>> = report
        .pods_csv
        .lines()
        .map(|row| row.split(',').collect())
        .collect();
    let (region, ms) = (4, 6);
    let cart = rows.iter().position(|row| row[1] == "cart-0").unwrap();
    assert_eq!(rows[cart][region], "aws/eu-central-1");
    assert_eq!(rows[cart][ms], "", "a pod is not its own peer");
    let (before, after) = (&rows[1..cart], &rows[cart + 1..]);
    assert!(before.len() >= 2 && after.len() >= 2, "{}", report.pods_csv);
    for row in after {
        assert_eq!(row[region], "aws/eu-central-1", "{row:?}");
    }
    assert!(
        before.iter().any(|row| row[region] == "aws/us-east-1"),
        "{before:?}"
    );
    for row in before.iter().chain(after) {
        let ms: f64 = row[ms].parse().unwrap();
        let is_near = row[region] == "aws/eu-central-1";
        assert_eq!(ms < 5.0, is_near, "known of all by the end: {row:?}");
    }
    let summary = report.summary;
    assert_eq!(
        (
            summary.domicile.latency.pods,
            summary.domicile.latency.without_access
        ),
        (12, 1)
    );
    assert!(summary.domicile.latency.mean_ms < summary.extender_off.latency.mean_ms);
}

#[test]
fn the_seed_decides_and_the_embedded_fleet_is_the_default() {
    let run = |seed: u32| {
        small(&format!(
            "seed: {seed}\nworkloads:\n- {{name: a, namespace: public-site, pods: 40, cpu: 100m, memory: 1Gi}}\n"
        ))
        .unwrap()
    };
    assert_eq!(run(1).pods_csv, run(1).pods_csv);
    assert_ne!(run(1).pods_csv, run(2).pods_csv);
    assert_ne!(run(1).summary.run_id, run(2).summary.run_id);
    assert_eq!(run(1).summary.domicile.placed, 40);
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
}
