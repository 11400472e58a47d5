//! Tests of what is written: it is read as the same, and makes the same tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::super::measurement::MeasuredPlace;
use super::super::parse_latency_csv;
use super::super::table::{Estimate, LatencyPoint, LatencyTable};
use super::*;
use crate::model::{Coordinates, RegionKey, Statistic};

const PLACES: [&str; 9] = [
    "aws/a", "aws/a/1", "aws/a/2", "aws/b", "aws/b/1", "aws/b/2", "aws/c", "gcp/a", "gcp/a/1",
];

const SOURCES: [&str; 4] = ["probes", "#1", "a, b", "\"quoted\" over\ntwo lines"];

fn place(text: &str) -> MeasuredPlace {
    MeasuredPlace::parse(text).expect("a place")
}

fn read(text: &str) -> Measurements {
    parse_latency_csv("dump.csv", text, |_| None, &BTreeMap::new()).expect("a good file")
}

#[test]
fn what_is_written_is_read_as_the_same_and_written_the_same() {
    let text = "\
from,to,rtt_ms,p95_ms,statistic,samples,measured_at,source,freshness,reachable
aws/a,aws/b,218.0,,p50,,2025-05-29,\" cloudping, \"\"P50\"\" over
a year \",,
aws/a/1,aws/b/2,3.5,9,p50,4,2025-05-29T00:00:01Z,probes,Fresh,NO
aws/a/1,aws/b/1,3.5,9,,4,2025-05-29T00:00:01Z,probes,stale,yes
aws/b/1,aws/a/2,0.10,0.25,,30,2025-05-29T01:00:00.5+01:00,,dated,
aws/b/1,aws/b/2,1e1,,mean,,2025-05-29T00:00:01Z,#1,,
aws/a,aws/c,,,,,,,,no
aws/b,aws/a,1,,,,-000001-01-01T00:00:00Z,,,
";
    let first = read(text);
    let written = write_latency_csv(&first);
    let expected = "\
from,to,rtt_ms,p95_ms,statistic,samples,measured_at,source,freshness,reachable
aws/a,aws/b,218,,p50,,2025-05-29,\"cloudping, \"\"P50\"\" over
a year\",,
aws/a,aws/c,,,,,,,,no
aws/a/1,aws/b/1,3.5,9,,4,2025-05-29T00:00:01Z,probes,stale,
aws/a/1,aws/b/2,3.5,9,p50,4,2025-05-29T00:00:01Z,probes,fresh,no
aws/b,aws/a,1,,,,-000001-01-01T00:00:00Z,,,
aws/b/1,aws/a/2,0.1,0.25,,30,2025-05-29T00:00:00.5Z,,,
aws/b/1,aws/b/2,10,,mean,,2025-05-29T00:00:01Z,#1,,
";
    assert_eq!(written, expected);
    let second = read(&written);
    assert_eq!(second, first);
    assert_eq!(write_latency_csv(&second), written);
}

#[test]
fn the_shipped_matrix_keeps_its_digest() {
    let (name, text) = crate::embedded::latency();
    let shipped = parse_latency_csv(name, text, |_| None, &BTreeMap::new()).expect("the shipped file");
    let again = read(&write_latency_csv(&shipped));
    assert_eq!(again.digest(), shipped.digest());
}

/// What a file or a live source may say of a pair.
fn any_measurement() -> impl Strategy<Value = Measurement> {
    let statistic = select(vec![
        None,
        Some(MeasuredStatistic::P50),
        Some(MeasuredStatistic::Mean),
        Some(MeasuredStatistic::P95),
    ]);
    let freshness = select(vec![Freshness::Dated, Freshness::Fresh, Freshness::Stale]);
    (
        0.001..5_000.0,
        option::of(1.0..2.0),
        statistic,
        option::of(1_u32..),
        option::of((0_i64..2_000_000_000, prop_oneof![Just(0), 0..1_000_000_000_i32])),
        option::of(select(SOURCES.to_vec())),
        freshness,
    )
        .prop_map(
            |(rtt_ms, slower, statistic, samples, measured_at, source, freshness)| {
                let rtt = Latency::from_ms(rtt_ms).expect("a latency");
                let p95 = match statistic {
                    Some(MeasuredStatistic::P95) => slower.map(|_| rtt),
                    // A mean may be above it.
                    Some(MeasuredStatistic::Mean) => {
                        slower.and_then(|times| Latency::from_ms(0.7 * times * rtt_ms))
                    }
                    _ => slower.and_then(|times| Latency::from_ms(times * rtt_ms)),
                };
                Measurement {
                    rtt,
                    p95,
                    statistic,
                    samples,
                    measured_at: measured_at
                        .map(|(second, nanosecond)| Timestamp::new(second, nanosecond).expect("an instant")),
                    source: source.map(Arc::from),
                    freshness,
                }
            },
        )
}

/// Some pairs measured, some parted, some both; at least one, because an empty file is refused.
fn any_measurements() -> impl Strategy<Value = Measurements> {
    let ends = || (select(PLACES.to_vec()), select(PLACES.to_vec()));
    let measured = prop::collection::vec((ends(), any_measurement()), 0..24);
    let parted = prop::collection::vec(ends(), 0..6);
    // Both at once would be rare by chance.
    let also_parted = prop::collection::vec(any::<Index>(), 0..3);
    let all = (measured, parted, also_parted).prop_map(|(measured, parted, also_parted)| {
        let mut measurements = Measurements::default();
        for index in also_parted.iter().filter(|_| !measured.is_empty()) {
            let ((from, to), _) = index.get(&measured);
            measurements.set_unreachable(place(from), place(to));
        }
        for ((from, to), measurement) in measured {
            measurements.insert(place(from), place(to), measurement);
        }
        for (from, to) in parted {
            measurements.set_unreachable(place(from), place(to));
        }
        measurements
    });
    all.prop_filter("something is said", |measurements| !measurements.says_nothing())
}

/// What the table of these measurements says of each pair: its cell, and whether it is parted.
type Answers = Vec<(&'static str, &'static str, Option<(Option<Estimate>, bool)>)>;

fn answers(measurements: &Measurements, statistic: Statistic) -> Answers {
    let table = LatencyTable::build(measurements, &coordinates(), statistic);
    let points: Vec<Option<LatencyPoint>> = PLACES
        .map(place)
        .iter()
        .map(|place| table.locate(&place.region, place.zone.as_deref()))
        .collect();
    let mut pairs = Vec::new();
    for (from, from_name) in points.iter().zip(PLACES) {
        for (to, to_name) in points.iter().zip(PLACES) {
            let ends = from.zip(*to);
            let cell = ends.map(|(from, to)| (table.between(from, to), table.is_unreachable(from, to)));
            pairs.push((from_name, to_name, cell));
        }
    }
    pairs
}

/// Only some regions have coordinates, near enough to each other for every time.
fn coordinates() -> BTreeMap<RegionKey, Coordinates> {
    [("aws/a", 50.1), ("aws/b", 50.2), ("aws/d", 50.3)]
        .map(|(key, latitude)| {
            let key = RegionKey::parse(key).expect("a key");
            (key, Coordinates::new(latitude, 8.7).expect("coordinates"))
        })
        .into()
}

proptest! {
    #[test]
    fn what_is_read_again_makes_the_same_tables(measurements in any_measurements()) {
        let text = write_latency_csv(&measurements);
        let again = parse_latency_csv("dump.csv", &text, |_| None, &coordinates())
            .map_err(|problems| TestCaseError::fail(format!("{problems:?} in\n{text}")))?;
        prop_assert_eq!(again.digest(), measurements.digest());
        prop_assert_eq!(&again, &measurements);
        prop_assert_eq!(write_latency_csv(&again), text);
        for statistic in [Statistic::P50, Statistic::P95] {
            prop_assert_eq!(answers(&again, statistic), answers(&measurements, statistic));
        }
    }
}
