//! What the estimates are worth on the matrix that is shipped.

use std::collections::BTreeMap;

use super::*;
use crate::model::{Coordinates, Provenance, RegionKey, Statistic};

const CATALOGUE: [&str; 3] = [
    include_str!("../../policies/regions/aws.yaml"),
    include_str!("../../policies/regions/azure.yaml"),
    include_str!("../../policies/regions/gcp.yaml"),
];

fn coordinates() -> BTreeMap<RegionKey, Coordinates> {
    CATALOGUE
        .iter()
        .flat_map(|file| file.split("\n---\n"))
        .filter_map(|document| {
            let document: serde_json::Value = serde_saphyr::from_str(document).ok()?;
            let spec = document.get("spec")?;
            let degrees = |name: &str| spec["coordinates"][name].as_f64();
            let key = RegionKey::new(spec["provider"].as_str()?, spec["region"].as_str()?).ok()?;
            let place = Coordinates::new(degrees("latitude")?, degrees("longitude")?).ok()?;
            Some((key, place))
        })
        .collect()
}

fn shipped(coordinates: &BTreeMap<RegionKey, Coordinates>) -> Measurements {
    let text = include_str!("../../defaults/latency.csv");
    parse_latency_csv("defaults/latency.csv", text, |_| None, coordinates).expect("a good file")
}

/// The guess for every measured pair, as a multiple of what was measured, when the pair and its way
/// back are left out.
fn leave_one_out(
    measurements: &Measurements,
    coordinates: &BTreeMap<RegionKey, Coordinates>,
) -> Vec<(f64, Provenance)> {
    measurements
        .iter()
        .map(|(from, to, left_out)| {
            let mut others = Measurements::default();
            for (start, end, measurement) in measurements.iter() {
                if (start, end) != (from, to) && (start, end) != (to, from) {
                    others.insert(start.clone(), end.clone(), measurement.clone());
                }
            }
            let ends = [from, to].map(|place| (place.region.clone(), coordinates[&place.region]));
            let table = LatencyTable::build(&others, &ends.into(), Statistic::P50);
            let point = |place: &MeasuredPlace| table.locate(&place.region, None).expect("a known place");
            let guess = table.between(point(from), point(to)).expect("a guess");
            (guess.latency.as_ms() / left_out.rtt.as_ms(), guess.provenance)
        })
        .collect()
}

fn share_too_low(guesses: &[(f64, Provenance)]) -> f64 {
    guesses.iter().filter(|(ratio, _)| *ratio < 1.0).count() as f64 / guesses.len() as f64
}

#[test]
fn leave_one_out_finds_few_guesses_below_what_was_measured() {
    let coordinates = coordinates();
    assert!(coordinates.len() > 100, "{} regions", coordinates.len());
    let measurements = shipped(&coordinates);
    assert!(measurements.len() > 300, "{} pairs", measurements.len());

    let mut guesses = leave_one_out(&measurements, &coordinates);
    assert!(guesses.iter().all(|(_, provenance)| !provenance.is_measured()));
    let too_low = share_too_low(&guesses);
    assert!(
        too_low <= 0.05,
        "{too_low:.3} of the guesses are below the measured time"
    );

    // A guess that is never low because it is absurdly high would help nobody.
    guesses.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (median, _) = guesses[guesses.len() / 2];
    assert!(
        (1.0..1.5).contains(&median),
        "the median guess is {median:.2} times the truth"
    );
}

#[test]
fn distance_alone_is_seldom_below_what_was_measured() {
    let coordinates = coordinates();
    let measurements = shipped(&coordinates);
    let table = LatencyTable::build(&Measurements::default(), &coordinates, Statistic::P50);
    let point = |place: &MeasuredPlace| table.locate(&place.region, None).expect("a known place");
    let guesses: Vec<(f64, Provenance)> = measurements
        .iter()
        .map(|(from, to, measured)| {
            let guess = table.between(point(from), point(to)).expect("a guess");
            (guess.latency.as_ms() / measured.rtt.as_ms(), guess.provenance)
        })
        .collect();
    let too_low = share_too_low(&guesses);
    assert!(
        too_low <= 0.05,
        "{too_low:.3} of the guesses are below the measured time"
    );
}

#[test]
fn between_clouds_the_shipped_default_guesses_from_geography_and_says_so() {
    let coordinates = coordinates();
    let table = LatencyTable::build(&shipped(&coordinates), &coordinates, Statistic::P50);
    let point = |text: &str| {
        table
            .locate(&RegionKey::parse(text).expect("a key"), None)
            .expect("a known region")
    };
    let guess = table
        .between(point("aws/eu-central-1"), point("gcp/europe-west3"))
        .expect("a guess");
    assert_eq!(guess.provenance, Provenance::EstimatedByDistance);
    assert!(
        guess.latency.as_ms() < 5.0,
        "Frankfurt is next to Frankfurt: {guess:?}"
    );
    for from in coordinates.keys() {
        for to in coordinates.keys() {
            assert!(
                table.between(point(from.as_str()), point(to.as_str())).is_some(),
                "{from} {to}"
            );
        }
    }
}

#[test]
fn few_p95_are_above_what_is_guessed_from_their_p50() {
    let coordinates = coordinates();
    let measurements = shipped(&coordinates);
    let ratios: Vec<f64> = measurements
        .iter()
        .filter_map(|(_, _, measured)| Some(measured.p95?.as_ms() / measured.rtt.as_ms()))
        .collect();
    assert!(ratios.len() > 100, "{} pairs", ratios.len());
    let too_low = ratios
        .iter()
        .filter(|ratio| **ratio > estimate::P95_OF_P50)
        .count();
    assert!(
        too_low * 20 <= ratios.len(),
        "{too_low} of {} guesses are too low",
        ratios.len()
    );
}
