//! From answers to observations, as a table: what counts, what is left out, and in which words.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::super::answer::{Answer, QueryFailure, read_answer};
use super::super::settings::{BaseUrl, EndLabels, Queries, Unit};
use super::*;
use crate::embedded;
use crate::policy::PolicySet;

const FRANKFURT: &str = "aws/eu-central-1";
const DUBLIN: &str = "aws/eu-west-1";
const STOCKHOLM: &str = "aws/eu-north-1";

static SHIPPED: LazyLock<PolicySet> = LazyLock::new(|| {
    let shipped = PolicySet::load(embedded::policies().iter().copied());
    shipped.expect("the shipped set").set
});

fn source(unit: Unit) -> PrometheusSettings {
    PrometheusSettings {
        name: Arc::from("mesh"),
        url: BaseUrl::parse("http://127.0.0.1:9090").expect("a URL"),
        interval: Duration::from_secs(30),
        timeout: Duration::from_secs(10),
        queries: Queries {
            p50: "a".to_owned(),
            p95: None,
            samples: None,
            reachable: None,
        },
        labels: EndLabels {
            from: "from".to_owned(),
            to: "to".to_owned(),
        },
        unit,
        bearer_token_file: None,
        ca_file: None,
    }
}

/// A vector with a series for each row: from, to, number.
fn vector(rows: &[(&str, &str, &str)]) -> Answer {
    let series: Vec<String> = rows
        .iter()
        .map(|(from, to, number)| {
            let labels: Vec<String> = [("from", from), ("to", to)]
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| format!(r#""{name}":"{value}""#))
                .collect();
            format!(r#"{{"metric":{{{}}},"value":[1,"{number}"]}}"#, labels.join(","))
        })
        .collect();
    let series = series.join(",");
    let body = format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{series}]}}}}"#);
    read_answer(200, body.as_bytes()).expect("a vector")
}

fn read_all(unit: Unit, answers: Vec<(QueryName, Result<Answer, QueryFailure>)>) -> Reading {
    read(&source(unit), &BTreeMap::from_iter(answers), SHIPPED.catalogue())
}

fn seen(reading: &Reading) -> Vec<String> {
    let lines = reading.observations.iter().map(|one| {
        let seen = match one.observed {
            Observed::Failed => "failed".to_owned(),
            Observed::RoundTrip { p50, p95, samples } => {
                format!("{} {:?} {samples:?}", p50.as_ms(), p95.map(Latency::as_ms))
            }
        };
        format!("{} {} {seen}", one.from, one.to)
    });
    lines.collect()
}

fn told(reading: &Reading) -> Vec<(&'static str, String)> {
    let told = reading.left_out.iter();
    told.map(|one| (one.reason.word(), one.to_string())).collect()
}

#[test]
fn every_query_of_a_pair_becomes_one_observation() {
    use QueryName::{P50, P95, Reachable, Samples};
    let reading = read_all(
        Unit::Seconds,
        vec![
            (
                P50,
                Ok(vector(&[
                    (FRANKFURT, DUBLIN, "0.025"),
                    (DUBLIN, FRANKFURT, "0.026"),
                    (FRANKFURT, STOCKHOLM, "5"),
                    // What a prober sees of its own region is passed over, as in a latency file.
                    (DUBLIN, DUBLIN, "0.0001"),
                    ("aws/eu-west-1/eu-west-1a", "aws/eu-west-1/eu-west-1b", "0.0007"),
                ])),
            ),
            (
                P95,
                Ok(vector(&[
                    (FRANKFURT, DUBLIN, "0.031"),
                    (FRANKFURT, STOCKHOLM, "5"),
                ])),
            ),
            (
                Samples,
                Ok(vector(&[(FRANKFURT, DUBLIN, "11.8"), (DUBLIN, FRANKFURT, "12")])),
            ),
            (
                Reachable,
                Ok(vector(&[
                    (FRANKFURT, DUBLIN, "1"),
                    (DUBLIN, FRANKFURT, "0.25"),
                    (FRANKFURT, STOCKHOLM, "0"),
                    (STOCKHOLM, DUBLIN, "0"),
                ])),
            ),
        ],
    );
    assert_eq!(told(&reading), []);
    assert_eq!(
        seen(&reading),
        [
            "aws/eu-central-1 aws/eu-north-1 failed",
            "aws/eu-central-1 aws/eu-west-1 25 Some(31.0) Some(12)",
            "aws/eu-north-1 aws/eu-west-1 failed",
            "aws/eu-west-1 aws/eu-central-1 26 None Some(12)",
            "aws/eu-west-1/eu-west-1a aws/eu-west-1/eu-west-1b 0.7 None None",
        ]
    );
}

#[test]
fn a_bare_region_that_is_unique_is_a_place() {
    let reading = read_all(
        Unit::Milliseconds,
        vec![(QueryName::P50, Ok(vector(&[("eu-central-1", "eu-west-1", "25")])))],
    );
    assert_eq!(seen(&reading), ["aws/eu-central-1 aws/eu-west-1 25 None None"]);
}

#[test]
fn a_series_that_cannot_be_true_is_left_out_alone() {
    let named = |problem: &str| {
        format!(
            "the series `{{from=\"aws/eu-central-1\", to=\"aws/eu-west-1\"}}` of the query `p50` {problem}"
        )
    };
    for (number, reason, problem) in [
        (
            "NaN",
            "not-finite",
            "is NaN, as where nothing was sampled in the window",
        ),
        (
            "+Inf",
            "not-finite",
            "is infinite, as where a histogram has too few buckets",
        ),
        (
            "-0.1",
            "not-positive",
            "is -100.0 ms, and a round trip takes more than 0",
        ),
        (
            "0",
            "not-positive",
            "is 0.0 ms, and a round trip takes more than 0",
        ),
        (
            "25",
            "too-long",
            "is 25000.0 ms, and no round trip takes more than 10000 ms: look at `unit`",
        ),
        (
            "1e300",
            "too-long",
            "is 1e303 ms, and no round trip takes more than 10000 ms: look at `unit`",
        ),
        (
            "0.0098",
            "too-fast",
            "is 9.8 ms from `aws/eu-central-1` to `aws/eu-west-1`, and light in fibre needs at least 10 ms for \
             the 1090 km between their coordinates: look at `unit`, and at what answers the probes",
        ),
        ("fast", "no-number", "is `fast`, which is no number"),
    ] {
        let rows = [(FRANKFURT, DUBLIN, number), (DUBLIN, FRANKFURT, "0.025")];
        let reading = read_all(Unit::Seconds, vec![(QueryName::P50, Ok(vector(&rows)))]);
        assert_eq!(told(&reading), [(reason, named(problem))]);
        assert_eq!(seen(&reading), ["aws/eu-west-1 aws/eu-central-1 25 None None"]);
    }
}

#[test]
fn a_label_that_names_no_place_is_told_with_what_was_meant() {
    for (from, reason, problem) in [
        ("", "missing-label", "has no label `from`"),
        (
            "aws/eu-wst-1",
            "unknown-place",
            "has `aws/eu-wst-1` in its label `from`, which is no region of the catalogue; did you mean `aws/eu-west-1`",
        ),
        (
            "eu-wst-1",
            "unknown-place",
            "has `eu-wst-1` in its label `from`, which is no region of the catalogue; did you mean `eu-west-1`",
        ),
        (
            "10.1.2.3:9115",
            "unknown-place",
            "has `10.1.2.3:9115` in its label `from`, which is no name of a region",
        ),
        (
            "aws/a/b/c",
            "unknown-place",
            "has `aws/a/b/c` in its label `from`, which is neither `provider/region` nor `provider/region/zone`",
        ),
    ] {
        let rows = [(from, DUBLIN, "0.025"), (DUBLIN, FRANKFURT, "0.025")];
        let reading = read_all(Unit::Seconds, vec![(QueryName::P50, Ok(vector(&rows)))]);
        let [(found, sentence)] = told(&reading).try_into().expect("one sentence");
        assert_eq!(found, reason);
        assert!(sentence.ends_with(problem), "{sentence}");
        assert_eq!(seen(&reading).len(), 1);
    }
}

#[test]
fn two_series_of_one_pair_are_both_left_out() {
    // Two ways to write one place are one place.
    let rows = [
        (FRANKFURT, DUBLIN, "0.025"),
        ("eu-central-1", DUBLIN, "0.2"),
        (DUBLIN, FRANKFURT, "0.025"),
    ];
    let reading = read_all(Unit::Seconds, vec![(QueryName::P50, Ok(vector(&rows)))]);
    let told = told(&reading);
    assert_eq!(told.len(), 2);
    for (reason, sentence) in told {
        assert_eq!(reason, "two-series");
        assert!(
            sentence.ends_with(
                "is one of 2 for the pair `aws/eu-central-1` to `aws/eu-west-1`: make them one in the query, for \
                 example with `avg by (from, to) (…)`"
            ),
            "{sentence}"
        );
    }
    assert_eq!(seen(&reading), ["aws/eu-west-1 aws/eu-central-1 25 None None"]);
}

#[test]
fn what_a_further_query_says_wrongly_costs_that_query_alone() {
    use QueryName::{P50, P95, Reachable, Samples};
    let pair = [(FRANKFURT, DUBLIN, "0.025")];
    let median = "aws/eu-central-1 aws/eu-west-1 25 None None";
    for (query, rows, reason, expected) in [
        (P95, [(FRANKFURT, DUBLIN, "0.024")], "below-p50", Some(median)),
        (P95, [(FRANKFURT, DUBLIN, "NaN")], "not-finite", Some(median)),
        (P95, [(DUBLIN, FRANKFURT, "0.025")], "no-p50", Some(median)),
        (Samples, [(FRANKFURT, DUBLIN, "-1")], "out-of-range", Some(median)),
        (
            Samples,
            [(FRANKFURT, DUBLIN, "1e12")],
            "out-of-range",
            Some(median),
        ),
        (Samples, [(FRANKFURT, DUBLIN, "0")], "no-samples", None),
        (
            Reachable,
            [(FRANKFURT, DUBLIN, "1.5")],
            "out-of-range",
            Some(median),
        ),
        (
            Reachable,
            [(FRANKFURT, DUBLIN, "NaN")],
            "not-finite",
            Some(median),
        ),
    ] {
        let reading = read_all(
            Unit::Seconds,
            vec![(P50, Ok(vector(&pair))), (query, Ok(vector(&rows)))],
        );
        let told = told(&reading);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told.iter().all(|(found, _)| *found == reason), "{told:?}");
        assert_eq!(seen(&reading), Vec::from_iter(expected), "{query:?} {rows:?}");
    }
}

#[test]
fn a_query_that_failed_is_not_told_again_for_each_pair() {
    let reading = read_all(
        Unit::Seconds,
        vec![
            (QueryName::P50, Err(QueryFailure::Status(500))),
            (QueryName::P95, Ok(vector(&[(FRANKFURT, DUBLIN, "0.025")]))),
            (QueryName::Reachable, Ok(vector(&[(FRANKFURT, DUBLIN, "0")]))),
        ],
    );
    assert_eq!(told(&reading), []);
    assert_eq!(seen(&reading), ["aws/eu-central-1 aws/eu-west-1 failed"]);
}

#[test]
fn the_order_of_series_changes_nothing() {
    let rows = [
        (FRANKFURT, DUBLIN, "0.025"),
        (DUBLIN, FRANKFURT, "NaN"),
        ("nowhere", DUBLIN, "0.1"),
        (FRANKFURT, STOCKHOLM, "0.03"),
        (FRANKFURT, STOCKHOLM, "0.04"),
    ];
    let mut reversed = rows;
    reversed.reverse();
    let of = |rows: &[_]| read_all(Unit::Seconds, vec![(QueryName::P50, Ok(vector(rows)))]);
    assert_eq!(of(&rows), of(&reversed));
}

#[test]
fn every_reason_has_a_word_of_its_own() {
    let words: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.word()).collect();
    assert_eq!(words.len(), Reason::ALL.len());
}
