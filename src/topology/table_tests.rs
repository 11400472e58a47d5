//! Tests of the table: where each latency comes from.

use super::super::csv::parse_latency_csv;
use super::*;

const FRANKFURT: (f64, f64) = (50.11, 8.68);
const DUBLIN: (f64, f64) = (53.35, -6.26);

fn key(text: &str) -> RegionKey {
    RegionKey::parse(text).expect("a key")
}

fn at(places: &[(&str, (f64, f64))]) -> BTreeMap<RegionKey, Coordinates> {
    places
        .iter()
        .map(|(text, (latitude, longitude))| {
            (
                key(text),
                Coordinates::new(*latitude, *longitude).expect("coordinates"),
            )
        })
        .collect()
}

fn table(rows: &[&str], coordinates: &BTreeMap<RegionKey, Coordinates>) -> LatencyTable {
    let text = format!("from,to,rtt_ms,measured_at\n{}\n", rows.join("\n"));
    let measurements = parse_latency_csv("t", &text, |_| None, coordinates).expect("a good file");
    LatencyTable::build(&measurements, coordinates, Statistic::P50)
}

fn check(table: &LatencyTable, from: &str, to: &str, expected: Option<(f64, Provenance)>) {
    let point = |text: &str| {
        let place = MeasuredPlace::parse(text).expect("a place");
        table
            .locate(&place.region, place.zone.as_deref())
            .expect("a known place")
    };
    let found = table.between(point(from), point(to));
    match (found, expected) {
        (Some(found), Some((ms, provenance))) => {
            assert!(
                (found.latency.as_ms() - ms).abs() < 0.05,
                "{from} {to}: {found:?}"
            );
            assert_eq!(found.provenance, provenance, "{from} {to}");
        }
        (found, expected) => assert_eq!(found.is_some(), expected.is_some(), "{from} {to}: {found:?}"),
    }
}

#[test]
fn a_measured_pair_wins_over_any_shorter_sum() {
    let table = table(
        &["aws/a,aws/b,100,", "aws/a,aws/c,10,", "aws/c,aws/b,10,"],
        &BTreeMap::new(),
    );
    check(&table, "aws/a", "aws/b", Some((100.0, Provenance::Measured)));
    check(
        &table,
        "aws/b",
        "aws/a",
        Some((100.0, Provenance::MeasuredReverse)),
    );
}

#[test]
fn each_direction_has_its_own_measurement() {
    let table = table(
        &["aws/a,aws/b,30,2025-05-29", "aws/b,aws/a,40,2026-07-30"],
        &BTreeMap::new(),
    );
    check(&table, "aws/a", "aws/b", Some((30.0, Provenance::Measured)));
    check(&table, "aws/b", "aws/a", Some((40.0, Provenance::Measured)));
    let day = |text: &str| text.parse::<Timestamp>().ok();
    assert_eq!(table.oldest_measurement(), day("2025-05-29T00:00:00Z"));
    assert_eq!(table.newest_measurement(), day("2026-07-30T00:00:00Z"));
    assert_eq!(table.measured_pairs(), 2);
}

#[test]
fn the_finest_measurement_counts() {
    let rows = [
        "aws/a,aws/b,30,",
        "aws/b/1,aws/a/1,25,",
        "aws/a/2,aws/b,28,",
        "aws/a/1,aws/a/2,0.5,",
    ];
    let table = table(&rows, &BTreeMap::new());
    check(
        &table,
        "aws/a/1",
        "aws/b/1",
        Some((25.0, Provenance::MeasuredReverse)),
    );
    check(&table, "aws/a/2", "aws/b/1", Some((28.0, Provenance::Measured)));
    check(&table, "aws/a/1", "aws/b", Some((30.0, Provenance::Measured)));
    check(&table, "aws/a/9", "aws/b/9", Some((30.0, Provenance::Measured)));
    check(&table, "aws/a/1", "aws/a/2", Some((0.5, Provenance::Measured)));
    check(
        &table,
        "aws/a/2",
        "aws/a/1",
        Some((0.5, Provenance::MeasuredReverse)),
    );
}

#[test]
fn inside_a_region_the_zone_decides() {
    let table = table(&["aws/a,aws/b,30,", "aws/a/1,aws/b/1,30,"], &BTreeMap::new());
    for zone in ["1", "unmeasured"] {
        let place = format!("aws/a/{zone}");
        check(&table, &place, &place, Some((0.1, Provenance::AssumedLocal)));
        check(
            &table,
            &place,
            "aws/a/other",
            Some((0.8, Provenance::AssumedLocal)),
        );
        check(&table, &place, "aws/a", Some((0.8, Provenance::AssumedLocal)));
    }
    check(&table, "aws/a", "aws/a", Some((0.8, Provenance::AssumedLocal)));
}

#[test]
fn a_missing_pair_is_the_lower_of_the_two_upper_guesses() {
    let coordinates = at(&[("aws/a", FRANKFURT), ("aws/b", DUBLIN), ("gcp/lonely", DUBLIN)]);
    // By distance: 2 + 3.2 x 1,088 km / 100.
    let by_distance = Some((36.8, Provenance::EstimatedByDistance));
    let near = table(&["aws/a,aws/c,13,", "aws/c,aws/b,13,"], &coordinates);
    check(&near, "aws/a", "aws/b", Some((31.2, Provenance::EstimatedByPath)));
    check(&near, "aws/a", "gcp/lonely", by_distance);
    check(
        &near,
        "aws/b",
        "gcp/lonely",
        Some((2.0, Provenance::EstimatedByDistance)),
    );
    let far = table(&["aws/a,aws/c,150,", "aws/c,aws/b,150,"], &coordinates);
    check(&far, "aws/a", "aws/b", by_distance);
}

#[test]
fn measured_zones_make_paths_for_their_regions() {
    let table = table(&["aws/a/1,aws/b/1,10,", "aws/b/2,aws/c/1,10,"], &BTreeMap::new());
    // The nearest zones: a - a/1 - b/1 - b.
    check(
        &table,
        "aws/a",
        "aws/b",
        Some((1.2 * 11.6, Provenance::EstimatedByPath)),
    );
    // a - a/1 - b/1 - b - b/2 - c/1 - c: four times 0.8 across zones and two measured pairs.
    check(
        &table,
        "aws/a",
        "aws/c",
        Some((1.2 * 23.2, Provenance::EstimatedByPath)),
    );
    check(
        &table,
        "aws/a/1",
        "aws/c/1",
        Some((1.2 * 23.2, Provenance::EstimatedByPath)),
    );
}

#[test]
fn what_nobody_knows_is_no_number() {
    let table = table(&["aws/a,aws/b,10,", "gcp/a,gcp/b,10,"], &at(&[("aws/c", DUBLIN)]));
    check(&table, "aws/a", "gcp/a", None);
    check(&table, "aws/a", "aws/c", None);
    assert_eq!(table.locate(&key("aws/moon"), None), None);
    assert_eq!(LatencyTable::default().locate(&key("aws/a"), Some("1")), None);
}

#[test]
fn the_order_of_the_rows_changes_nothing() {
    let rows = [
        "aws/a,aws/b,30,",
        "aws/b,aws/c,10,",
        "aws/c/1,aws/d,7,",
        "aws/d,aws/a/2,9,",
    ];
    let reversed: Vec<&str> = rows.iter().rev().copied().collect();
    let (one, other) = (table(&rows, &BTreeMap::new()), table(&reversed, &BTreeMap::new()));
    assert_eq!(one.cells, other.cells);
    assert_eq!(one.digest(), other.digest());
}
