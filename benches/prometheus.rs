//! What one poll of a large mesh costs at the edge: from the bodies that Prometheus answers to observations.
//! Run: `cargo bench --bench prometheus`.
//!
//! Two queries, P50 and P95, of 40,000 series each: about 200 places, each with each other. There is no floor;
//! a poll is every 30 s by default and off the thread of the calls, so a second would be 3% of a core.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

mod timing;

use std::fmt::Write as _;
use std::time::Duration;

use domicile::embedded;
use domicile::policy::PolicySet;
use domicile::prometheus::{
    Answers, BaseUrl, EndLabels, PrometheusSettings, Queries, QueryName, Unit, read, read_answer,
};
use domicile::topology::MeasuredPlace;
use timing::median;

const SERIES: usize = 40_000;
const CALLS: usize = 21;
/// No two places of the earth are farther apart in fibre, so that every series counts.
const SECONDS: f64 = 0.25;

/// Every region of the shipped catalogue, and then zones of them.
fn places(policies: &PolicySet) -> Vec<MeasuredPlace> {
    let catalogue = policies.catalogue();
    let regions = catalogue.regions().map(|region| region.key.to_string());
    let zones = catalogue.regions().map(|region| format!("{}/zone-1", region.key));
    let place = |text: String| MeasuredPlace::parse(&text).expect("a place");
    regions.chain(zones).map(place).collect()
}

/// The body of an answer, with the labels that a scrape adds.
fn body(places: &[MeasuredPlace], seconds: f64) -> Vec<u8> {
    let mesh = || places.iter().take(SERIES.isqrt() + 1);
    let pairs = mesh().flat_map(|from| mesh().map(move |to| (from, to)));
    let pairs = pairs.filter(|(from, to)| from != to && !from.is_inside_one_region(to));
    let mut body = String::from(r#"{"status":"success","data":{"resultType":"vector","result":["#);
    for (number, (from, to)) in pairs.take(SERIES).enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let seconds = seconds + number as f64 * 1e-7;
        write!(
            body,
            r#"{comma}{{"metric":{{"from":"{from}","instance":"10.20.0.9:9115","job":"probes","to":"{to}"}},"value":[1795262400.123,"{seconds}"]}}"#
        )
        .expect("a String takes everything");
    }
    body.push_str("]}}");
    body.into_bytes()
}

fn source() -> PrometheusSettings {
    PrometheusSettings {
        name: "mesh".into(),
        url: BaseUrl::parse("http://127.0.0.1:9090").expect("a URL"),
        interval: Duration::from_secs(30),
        timeout: Duration::from_secs(10),
        queries: Queries {
            p50: "p50".to_owned(),
            p95: Some("p95".to_owned()),
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
}

/// A body into series.
fn answers(bodies: &[(QueryName, Vec<u8>)]) {
    let (_, first) = bodies.first().expect("a body");
    let took = median(CALLS, || read_answer(200, first).expect("a vector"));
    let ms = took.as_secs_f64() * 1e3;
    println!(
        "one body of {SERIES} series, {} bytes, read: {ms:.1} ms",
        first.len()
    );
}

/// The series of both queries into observations.
fn observations(bodies: &[(QueryName, Vec<u8>)], policies: &PolicySet) {
    let answers: Answers = bodies
        .iter()
        .map(|(query, body)| (*query, read_answer(200, body)))
        .collect();
    let source = source();
    let reading = read(&source, &answers, policies.catalogue());
    assert_eq!((reading.observations.len(), reading.left_out.len()), (SERIES, 0));
    let took = median(CALLS, || read(&source, &answers, policies.catalogue()));
    let ms = took.as_secs_f64() * 1e3;
    println!("{SERIES} series of P50 and of P95 into observations: {ms:.1} ms");
}

fn main() {
    let policies = PolicySet::load(embedded::policies().iter().copied());
    let policies = policies.expect("the shipped policies").set;
    let places = places(&policies);
    let bodies = [
        (QueryName::P50, body(&places, SECONDS)),
        (QueryName::P95, body(&places, 1.1 * SECONDS)),
    ];
    answers(&bodies);
    observations(&bodies, &policies);
}
