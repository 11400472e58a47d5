//! A day in the life of a pair of regions: measured, cut, and nobody left to measure.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::slow_service::SlowService;
use crate::stack::{Probe, Served, domicile, monitoring};
use crate::waiting::until;

const FLEET: &str = r"
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: site}}
- apiVersion: v1
  kind: Node
  metadata: {name: frankfurt, labels: {topology.kubernetes.io/region: eu-central-1}}
  spec: {providerID: aws:///eu-central-1a/i-1}
- apiVersion: v1
  kind: Node
  metadata: {name: stockholm, labels: {topology.kubernetes.io/region: eu-north-1}}
  spec: {providerID: aws:///eu-north-1a/i-2}
";

const DATA_SETS: &str = r#"
apiVersion: domicile.dev/v1alpha1
kind: DataSet
metadata: {name: prices}
spec:
  version: "1"
  profile: {classification: public, categories: [none], subjects: [none]}
  consistency: available
  replicas: [{region: aws/eu-west-1, role: leader}]
  owner: shop
"#;

/// By the file Frankfurt is nearer to Dublin.
const LATENCY: &str = "from,to,rtt_ms
aws/eu-central-1,aws/eu-west-1,27
aws/eu-north-1,aws/eu-west-1,40
";

/// What the log says of what cannot count, and for how many queries.
const TOLD: [(&str, usize); 4] = [
    (
        r#"latency source `probes`: the series `{from="aws/eu-north-1", instance="#,
        4,
    ),
    (
        "has `aws/eu-wst-1` in its label `to`, which is no region of the catalogue; did you mean `aws/eu-west-1`",
        4,
    ),
    (
        "ms from `aws/eu-central-1` to `aws/ap-northeast-1`, and light in fibre needs at least",
        2,
    ),
    (
        "latency source `mistyped`: the query `p50` tells nothing: Prometheus refuses the query (bad_data): ",
        1,
    ),
];

const ENOUGH: Duration = Duration::from_secs(40);

fn settings(prometheus: &str) -> String {
    format!(
        r#"
live-latency:
  estimator:
    fresh-for: 3s
    stale-for: 12s
    newest-weight: 1
    least-change-polls: 1
    partition-failures: 2
    partition-polls: 3
  prometheus:
  - name: probes
    url: http://{prometheus}
    interval: 1s
    unit: seconds
    queries:
      p50: quantile_over_time(0.5, (probe_duration_seconds and probe_success == 1)[4s:1s])
      p95: quantile_over_time(0.95, (probe_duration_seconds and probe_success == 1)[4s:1s])
      samples: count_over_time((probe_duration_seconds and probe_success == 1)[4s:1s])
      reachable: max_over_time(probe_success[2s])
  - name: mistyped
    url: http://{prometheus}
    interval: 1s
    unit: seconds
    queries: {{p50: "quantile_over_time(0.5, probe_duration_seconds["}}
"#
    )
}

/// The row of a pair in the dump: what decides, from `rtt_ms` on.
async fn row(domicile: &Served, from: &str) -> Result<Vec<String>, String> {
    let dump = domicile.get("/latency").await;
    let start = format!("{from},aws/eu-west-1,");
    let row = dump.lines().find_map(|line| line.strip_prefix(&start));
    let row = row.ok_or_else(|| format!("no row of {from} in {dump}"))?;
    Ok(row.split(',').map(str::to_owned).collect())
}

async fn nearest(domicile: &Served) -> String {
    let request = json!({
        "Pod": {
            "metadata": {
                "name": "cart", "namespace": "site", "uid": "u",
                "annotations": {"domicile.dev/data-sets": "prices: reads=1"},
            },
            "spec": {},
        },
        "NodeNames": ["frankfurt", "stockholm"],
    });
    let answer = domicile.post("/prioritize", &request).await;
    let scored = answer.as_array().expect("a list");
    let best = scored
        .iter()
        .max_by_key(|host| host["Score"].as_i64())
        .unwrap_or_else(|| panic!("no host is better than another: {answer}"));
    best["Host"].as_str().expect("a name").to_owned()
}

async fn until_nearest(domicile: &Served, expected: &str) {
    until(
        &format!("{expected} is nearest"),
        ENOUGH,
        async || match nearest(domicile).await {
            best if best == expected => Ok(()),
            best => Err(format!("{best} is; {}", domicile.get("/latency").await)),
        },
    )
    .await;
}

async fn until_metric(domicile: &Served, line: &str) {
    until(&format!("the metrics say `{line}`"), ENOUGH, async || {
        let metrics = domicile.get("/metrics").await;
        match metrics.lines().any(|told| told == line) {
            true => Ok(()),
            false => Err(metrics),
        }
    })
    .await;
}

fn write(directory: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        std::fs::write(directory.join(name), text).expect("a file");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_prometheus_measures_decides_and_what_it_no_longer_measures_ages() {
    let directory = tempfile::tempdir().expect("a directory");
    let directory = directory.path();
    write(
        directory,
        &[
            ("fleet.yaml", FLEET),
            ("data-sets.yaml", DATA_SETS),
            ("latency.csv", LATENCY),
        ],
    );
    let [frankfurt, stockholm, tokyo] = [120, 60, 5].map(SlowService::start);
    let probes = [
        ("aws/eu-central-1", "aws/eu-west-1", frankfurt.port),
        ("eu-north-1", "aws/eu-west-1", stockholm.port),
        ("aws/eu-north-1", "aws/eu-wst-1", stockholm.port),
        // Sooner than light could be there and back.
        ("aws/eu-central-1", "aws/ap-northeast-1", tokyo.port),
    ];
    let probes = probes.map(|(from, to, port)| Probe { from, to, port });
    let mut monitoring = monitoring(directory, &probes).await;
    let domicile = domicile(directory, &settings(&monitoring.prometheus.address.to_string())).await;

    // Measured: where the file says the contrary, what is measured decides.
    until_nearest(&domicile, "stockholm").await;
    let measured = until("Frankfurt is measured", ENOUGH, async || {
        let row = row(&domicile, "aws/eu-central-1").await?;
        let ms: f64 = row[0].parse().map_err(|_| format!("{row:?}"))?;
        match ms >= 120.0 && row[6] == "fresh" {
            true => Ok(row),
            false => Err(format!("{row:?}")),
        }
    })
    .await;
    let [rtt_ms, p95_ms] = [&measured[0], &measured[1]].map(|ms| ms.parse::<f64>().expect("a time"));
    assert!(
        (120.0..500.0).contains(&rtt_ms) && p95_ms >= rtt_ms,
        "{measured:?}"
    );
    assert_eq!(measured[5..], ["probes", "fresh", ""], "{measured:?}");
    until_metric(&domicile, r#"domicile_latency_pairs{state="fresh"} 2"#).await;

    // What cannot count is told, with the series and what was meant. Each probe has its own moment
    // within a round of Prometheus, so one may be told of rounds after another is fresh.
    for (sentence, queries) in TOLD {
        until(&format!("the log says `{sentence}`"), ENOUGH, async || {
            let log = domicile.log();
            match log.matches(sentence).count() >= queries {
                true => Ok(()),
                false => Err(log),
            }
        })
        .await;
    }
    until_metric(
        &domicile,
        r#"domicile_latency_left_out_series{source="probes",reason="unknown-place"} 4"#,
    )
    .await;
    let metrics = domicile.get("/metrics").await;
    assert!(
        metrics.contains(r#"domicile_latency_polls_total{source="mistyped",query="p50",outcome="refused"}"#),
        "{metrics}"
    );

    // It follows: the way from Stockholm becomes slow.
    stockholm.answer_after(400);
    until_nearest(&domicile, "frankfurt").await;
    stockholm.answer_after(60);
    until_nearest(&domicile, "stockholm").await;

    // Dozens of polls later each of them is still told once.
    let log = domicile.log();
    for (sentence, queries) in TOLD {
        assert_eq!(log.matches(sentence).count(), queries, "{sentence} in\n{log}");
    }

    // Parted: a failure is no round trip.
    stockholm.go_down();
    until_metric(&domicile, r#"domicile_latency_pairs{state="unreachable"} 1"#).await;
    let parted = row(&domicile, "aws/eu-north-1").await.expect("a row");
    assert_eq!(parted.last().map(String::as_str), Some("no"), "{parted:?}");

    // Kept and served by another server it is the same, and nothing in it ages.
    let kept = domicile.get("/latency").await;
    let replay = directory.join("replay");
    std::fs::create_dir(&replay).expect("a directory");
    let files = [
        ("fleet.yaml", FLEET),
        ("data-sets.yaml", DATA_SETS),
        ("latency.csv", &kept),
    ];
    write(&replay, &files);
    let replayed = crate::stack::domicile(&replay, "{}\n").await;
    let again = replayed.get("/latency").await;
    let rows = |file: &str| file.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rows(&again), rows(&kept));
    assert_eq!(
        nearest(&replayed).await,
        "frankfurt",
        "who is cut off is not nearest"
    );

    // Nobody measures: stale, then as the file says, and ready all the time.
    monitoring.prometheus.kill();
    until_metric(&domicile, r#"domicile_latency_pairs{state="fresh"} 0"#).await;
    let stale = row(&domicile, "aws/eu-central-1").await.expect("a row");
    assert_eq!(stale[6], "stale", "{stale:?}");
    until_metric(&domicile, r#"domicile_latency_pairs{state="dated"} 2"#).await;
    until_nearest(&domicile, "frankfurt").await;
    let given_up = row(&domicile, "aws/eu-central-1").await.expect("a row");
    assert_eq!(given_up[0], "27");
    assert_eq!(domicile.get("/readyz").await, "ok\n");
    assert!(
        domicile
            .log()
            .contains("latency source `probes`: the query `p50` tells nothing: there is no answer"),
        "{}",
        domicile.log()
    );
}
