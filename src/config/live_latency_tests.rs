//! Settings of live latency, right and wrong, as tables.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;

use super::super::{ServeArgs, load};
use super::*;

fn read(text: &str) -> Result<LiveLatencySettings, Vec<String>> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("d.yaml");
    std::fs::write(&path, text).expect("a file");
    let arguments = ServeArgs {
        config: Some(path.clone()),
        ..ServeArgs::default()
    };
    let settings = load(&arguments, &BTreeMap::new()).map_err(|error| {
        let file = path.display().to_string();
        let problems = error.problems.into_iter();
        problems
            .map(|problem| problem.replace(&file, "d.yaml"))
            .collect::<Vec<_>>()
    })?;
    Ok(settings.live_latency)
}

/// The smallest source, with further lines in it.
fn with(further: &str) -> String {
    format!(
        "live-latency:\n  prometheus:\n  - name: mesh\n    url: http://127.0.0.1:9090\n    unit: seconds\n    queries: {{p50: rtt}}\n{further}"
    )
}

#[test]
fn without_sources_there_are_the_defaults_of_the_estimator() {
    let settings = read("workers: 1\n").expect("settings");
    assert_eq!(settings, LiveLatencySettings::default());
}

#[test]
fn a_source_says_where_it_is_what_to_ask_and_in_which_unit() {
    let [source] = read(&with(""))
        .expect("settings")
        .prometheus
        .try_into()
        .expect("a source");
    assert_eq!(
        source,
        PrometheusSettings {
            name: Arc::from("mesh"),
            url: BaseUrl::parse("http://127.0.0.1:9090").expect("a URL"),
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(10),
            queries: Queries {
                p50: "rtt".to_owned(),
                p95: None,
                samples: None,
                reachable: None,
            },
            labels: EndLabels {
                from: "from".to_owned(),
                to: "to".to_owned(),
            },
            unit: Unit::Seconds,
            bearer_token_file: None,
            ca_file: None,
        }
    );
    let text = r#"
live-latency:
  estimator: {fresh-for: 1m, stale-for: 1h, newest-weight: 0.5, least-change-ms: 2, least-change-ratio: 0.25,
              least-change-polls: 4, partition-failures: 2, partition-polls: 6}
  prometheus:
  - name: mimir
    url: https://mimir.example/prometheus
    interval: 15s
    timeout: 5s
    queries: {p50: a, p95: b, samples: c, reachable: d}
    labels: {from: source_region, to: target_region}
    unit: milliseconds
    bearer-token-file: /run/token
    ca-file: /run/ca.crt
  - {name: other, url: "http://prometheus:9090", unit: seconds, queries: {p50: a}, interval: 2s}
"#;
    let settings = read(text).expect("settings");
    let estimator = settings.estimator;
    assert_eq!(estimator.fresh_for, SignedDuration::from_mins(1));
    assert_eq!(estimator.stale_for, SignedDuration::from_hours(1));
    assert_eq!(estimator.ewma_weight, 0.5);
    let band = estimator.hysteresis;
    assert_eq!((band.least_ms, band.least_ratio, band.windows), (2.0, 0.25, 4));
    let partition = estimator.partition;
    assert_eq!((partition.failures, partition.of_windows), (2, 6));
    let [mimir, other] = settings.prometheus.try_into().expect("two sources");
    assert_eq!(mimir.url.to_string(), "https://mimir.example/prometheus");
    assert_eq!(
        (mimir.interval, mimir.timeout),
        (Duration::from_secs(15), Duration::from_secs(5))
    );
    assert_eq!(
        mimir.queries.asked().map(|(_, query)| query).collect::<String>(),
        "abcd"
    );
    assert_eq!(
        (mimir.labels.from.as_str(), mimir.labels.to.as_str()),
        ("source_region", "target_region")
    );
    assert_eq!(mimir.unit, Unit::Milliseconds);
    assert_eq!(mimir.bearer_token_file, Some(PathBuf::from("/run/token")));
    assert_eq!(mimir.ca_file, Some(PathBuf::from("/run/ca.crt")));
    assert_eq!(
        other.timeout,
        Duration::from_secs(2),
        "no longer than the interval"
    );
}

#[test]
fn the_environment_sets_ages_and_a_list_as_json() {
    let environment = [
        ("DOMICILE__LIVE_LATENCY__ESTIMATOR__FRESH_FOR", "90s"),
        (
            "DOMICILE__LIVE_LATENCY__PROMETHEUS",
            r#"[{"name": "mesh", "url": "http://p:9090", "unit": "seconds", "queries": {"p50": "a"}}]"#,
        ),
    ];
    let environment = environment.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let settings = load(&ServeArgs::default(), &BTreeMap::from(environment)).expect("settings");
    assert_eq!(
        settings.live_latency.estimator.fresh_for,
        SignedDuration::from_secs(90)
    );
    assert_eq!(settings.live_latency.prometheus.len(), 1);
}

#[test]
fn what_is_wrong_in_a_source_is_told_with_its_number() {
    for (further, expected) in [
        (
            "    interval: 0s\n",
            "`interval` is `0s`: write a time with its unit such as 10s, 1s to 600s",
        ),
        (
            "    interval: 2m\n",
            "`interval` is 120s, and what is measured is fresh for 120s only, so it would be stale before each poll: \
             poll more often, or let `live-latency.estimator.fresh-for` be longer",
        ),
        (
            "    timeout: 31s\n",
            "`timeout` is `31s`: write a time with its unit such as 10s, 100ms to 30s",
        ),
        (
            "    labels: {from: to}\n",
            "`labels.to` is `to`, which is `labels.from` too",
        ),
        ("    labels: [a]\n", "`labels` is no table; its keys are from, to"),
        (
            "    labels: {frm: a}\n",
            "`labels.frm` is no setting; did you mean `from`",
        ),
        (
            "    bearerTokenFile: a\n",
            "`bearerTokenFile` is no setting; did you mean `bearer-token-file`",
        ),
        (
            "    intervall: 1s\n",
            "`intervall` is no setting; did you mean `interval`",
        ),
        ("    colour: blue\n", "`colour` is no setting"),
        (
            "    ca-file: a\n",
            "`ca-file` has no use with an address that nothing encrypts: use https",
        ),
        (
            "    timeout: [1s]\n",
            "`timeout` has several values where one is expected",
        ),
    ] {
        let told = read(&with(further)).expect_err(further);
        let sentence = format!("`live-latency.prometheus` from the file `d.yaml` in source 1: {expected}");
        assert_eq!(told, [sentence]);
    }
}

#[test]
fn every_problem_of_every_source_is_told() {
    let told = read(
        r#"
live-latency:
  prometheus:
  - {name: "a b", url: "http://me:secret@p", unit: minutes, queries: {p55: a}}
  - {}
  - mesh
  - {name: one, url: "http://p:1", unit: seconds, queries: {p50: a}, bearer-token-file: t}
  - {name: one, url: "http://p:1", unit: seconds, queries: {p50: a}}
"#,
    )
    .expect_err("wrong settings");
    let told: Vec<&str> = told
        .iter()
        .map(|problem| {
            let begin = "`live-latency.prometheus` from the file `d.yaml` in source ";
            problem.strip_prefix(begin).expect("where it is")
        })
        .collect();
    assert_eq!(
        told,
        [
            "1: `name` is `a b`: write letters, digits, `-`, `_` and `.`, at most 63",
            "1: `url` has a name or a password in it, which would be written in logs: use `bearer-token-file`",
            "1: `queries.p50` is missing",
            "1: `queries.p55` is no setting; did you mean `p50`",
            "1: `unit` is `minutes`: write seconds or milliseconds",
            "2: `name` is missing",
            "2: `url` is missing",
            "2: `queries` is missing: it has at least the PromQL of `p50`",
            "2: `unit` is missing",
            "3: it is no table; its keys are name, url, interval, timeout, queries, labels, unit, bearer-token-file, ca-file",
            "4: `bearer-token-file` would be sent to an address that nothing encrypts: use https",
            "5: `name` is `one`, as another source is called",
        ]
    );
}

#[test]
fn an_estimator_that_means_nothing_is_told() {
    for (setting, expected) in [
        (
            "fresh-for: 20m",
            "`live-latency.estimator.stale-for` from the defaults cannot be: a round trip",
        ),
        (
            "fresh-for: 1ms",
            "`live-latency.estimator.fresh-for` from the file `d.yaml` is `1ms`: write a time",
        ),
        (
            "newest-weight: 0",
            "`live-latency.estimator.newest-weight` from the file `d.yaml` cannot be: the weight",
        ),
        ("newest-weight: much", "is `much`: write a number such as 0.2"),
        (
            "least-change-ms: -1",
            "`live-latency.estimator.least-change-ms` from the file `d.yaml` cannot be",
        ),
        (
            "partition-failures: 9",
            "`live-latency.estimator.partition-polls` from the defaults cannot be",
        ),
        (
            "freshFor: 1m",
            "sets `live-latency.estimator.freshFor`, which is no setting",
        ),
    ] {
        let told = read(&format!("live-latency:\n  estimator: {{{setting}}}\n")).expect_err(setting);
        let [told] = told.try_into().expect("one problem");
        assert!(told.contains(expected), "{told}");
    }
    for (value, expected) in [
        ("5", "is no list of sources"),
        ("http://p:9090", "is text where a list is expected"),
        ("{a: b}", "sets `live-latency.prometheus.a`, which is no setting"),
    ] {
        let told = read(&format!("live-latency:\n  prometheus: {value}\n")).expect_err(value);
        assert!(told[0].contains(expected), "{told:?}");
    }
}
