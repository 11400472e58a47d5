//! Tests of which measurement of a pair counts, and of what is known of its reachability.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::measurement::{MeasuredStatistic, Measurement};
use super::super::table::LatencyTable;
use super::*;
use Freshness::{Dated, Fresh, Stale};
use Provenance::{EstimatedByPath, EstimatedByStatistic, Measured, MeasuredReverse, MeasuredStale};
use Statistic::{P50, P95};

/// From, to, the main figure, a P95, how fresh.
type Row<'a> = (&'a str, &'a str, f64, Option<f64>, Freshness);

fn place(text: &str) -> MeasuredPlace {
    MeasuredPlace::parse(text).expect("a place")
}

fn measurement(ms: f64, p95: Option<f64>, freshness: Freshness) -> Measurement {
    let latency = |ms| Latency::from_ms(ms).expect("a latency");
    Measurement {
        rtt: latency(ms),
        p95: p95.map(latency),
        statistic: Some(MeasuredStatistic::P50),
        samples: None,
        measured_at: None,
        source: None,
        freshness,
    }
}

fn measurements(rows: &[Row<'_>], parted: &[(&str, &str)]) -> Measurements {
    let mut measurements = Measurements::default();
    for (from, to, ms, p95, freshness) in rows {
        measurements.insert(place(from), place(to), measurement(*ms, *p95, *freshness));
    }
    for (from, to) in parted {
        measurements.set_unreachable(place(from), place(to));
    }
    measurements
}

fn points(table: &LatencyTable, ends: (&str, &str)) -> [super::super::table::LatencyPoint; 2] {
    [ends.0, ends.1].map(|text| {
        let place = place(text);
        let point = table.locate(&place.region, place.zone.as_deref());
        point.expect("a known place")
    })
}

#[test]
fn what_says_most_of_a_pair_counts() {
    let cases: [(&str, Vec<Row<'_>>, Statistic, f64, Provenance); 17] = [
        (
            "live before dated, however coarse and whichever way",
            vec![
                ("w/a/1", "w/b/1", 10.0, None, Dated),
                ("w/b", "w/a", 40.0, None, Fresh),
            ],
            P50,
            40.0,
            MeasuredReverse,
        ),
        (
            "stale before dated",
            vec![
                ("w/a", "w/b", 10.0, None, Dated),
                ("w/b", "w/a", 40.0, None, Stale),
            ],
            P50,
            40.0,
            MeasuredStale,
        ),
        (
            "fresh before stale, whichever way",
            vec![
                ("w/a", "w/b", 10.0, None, Stale),
                ("w/b", "w/a", 40.0, None, Fresh),
            ],
            P50,
            40.0,
            MeasuredReverse,
        ),
        (
            "the finer before the fresher",
            vec![
                ("w/a/1", "w/b/1", 10.0, None, Stale),
                ("w/a", "w/b", 40.0, None, Fresh),
            ],
            P50,
            10.0,
            MeasuredStale,
        ),
        (
            "the finer way back before the coarser way",
            vec![
                ("w/b/1", "w/a/1", 10.0, None, Fresh),
                ("w/a", "w/b", 40.0, None, Fresh),
            ],
            P50,
            10.0,
            MeasuredReverse,
        ),
        (
            "two fresh ways are one loop",
            vec![
                ("w/a", "w/b", 10.0, None, Fresh),
                ("w/b", "w/a", 12.0, None, Fresh),
            ],
            P50,
            11.0,
            Measured,
        ),
        (
            "two fresh ways of zones are one loop",
            vec![
                ("w/a/1", "w/b/1", 10.0, None, Fresh),
                ("w/b/1", "w/a/1", 12.0, None, Fresh),
            ],
            P50,
            11.0,
            Measured,
        ),
        (
            "two dated ways may be of two days",
            vec![
                ("w/a", "w/b", 10.0, None, Dated),
                ("w/b", "w/a", 12.0, None, Dated),
            ],
            P50,
            10.0,
            Measured,
        ),
        (
            "two stale ways are what they were",
            vec![
                ("w/a", "w/b", 10.0, None, Stale),
                ("w/b", "w/a", 12.0, None, Stale),
            ],
            P50,
            10.0,
            MeasuredStale,
        ),
        (
            "a stale P50 counts as the last P95",
            vec![("w/a", "w/b", 10.0, Some(15.0), Stale)],
            P50,
            15.0,
            MeasuredStale,
        ),
        (
            "a measured P95",
            vec![("w/a", "w/b", 10.0, Some(15.0), Dated)],
            P95,
            15.0,
            Measured,
        ),
        (
            "a P95 guessed from a P50",
            vec![("w/a", "w/b", 10.0, None, Dated)],
            P95,
            13.0,
            EstimatedByStatistic,
        ),
        (
            "a measured P95 of the way back before a guess",
            vec![
                ("w/a", "w/b", 10.0, None, Fresh),
                ("w/b", "w/a", 10.0, Some(19.0), Fresh),
            ],
            P95,
            19.0,
            MeasuredReverse,
        ),
        (
            "a coarser measured P95 before a finer guess",
            vec![
                ("w/a/1", "w/b/1", 10.0, None, Fresh),
                ("w/a", "w/b", 10.0, Some(19.0), Fresh),
            ],
            P95,
            19.0,
            Measured,
        ),
        (
            "a live guess before a dated P95",
            vec![
                ("w/a", "w/b", 100.0, None, Fresh),
                ("w/b", "w/a", 10.0, Some(19.0), Dated),
            ],
            P95,
            130.0,
            EstimatedByStatistic,
        ),
        (
            "two fresh guesses are one loop too",
            vec![
                ("w/a", "w/b", 10.0, None, Fresh),
                ("w/b", "w/a", 20.0, None, Fresh),
            ],
            P95,
            19.5,
            EstimatedByStatistic,
        ),
        (
            "a sum of P95 makes a path of P95",
            vec![
                ("w/a", "w/c", 1.0, Some(10.0), Fresh),
                ("w/c", "w/b", 1.0, Some(20.0), Fresh),
            ],
            P95,
            36.0,
            EstimatedByPath,
        ),
    ];
    for (name, rows, statistic, ms, provenance) in cases {
        // Another order, and another region that has nothing to do with it.
        let mut rows = rows;
        for _ in 0..2 {
            rows.reverse();
            rows.push(("w/x/1", "w/y", 1.0, None, Fresh));
            let table = LatencyTable::build(&measurements(&rows, &[]), &BTreeMap::new(), statistic);
            assert_eq!(table.statistic(), statistic);
            let [from, to] = points(&table, ("w/a/1", "w/b/1"));
            let found = table.between(from, to).expect(name);
            assert!((found.latency.as_ms() - ms).abs() < 1e-9, "{name}: {found:?}");
            assert_eq!(found.provenance, provenance, "{name}");
        }
    }
}

#[test]
fn the_finest_that_is_known_of_a_partition_decides() {
    type Known<'a> = (Vec<Row<'a>>, Vec<(&'a str, &'a str)>);
    let cases: [(&str, Known<'_>, bool, bool); 9] = [
        ("nothing is known", (vec![], vec![]), false, false),
        (
            "the regions are parted",
            (vec![], vec![("w/a", "w/b")]),
            true,
            true,
        ),
        (
            "a slow answer is one",
            (vec![("w/a", "w/b", 9_999.0, None, Fresh)], vec![]),
            false,
            false,
        ),
        (
            "parted now, though there was a round trip",
            (vec![("w/a", "w/b", 10.0, None, Fresh)], vec![("w/a", "w/b")]),
            true,
            true,
        ),
        (
            "each way has its own word",
            (vec![("w/b", "w/a", 10.0, None, Fresh)], vec![("w/a", "w/b")]),
            true,
            false,
        ),
        (
            "a stale answer was one",
            (vec![("w/b", "w/a", 10.0, None, Stale)], vec![("w/a", "w/b")]),
            true,
            false,
        ),
        (
            "a file says nothing of now",
            (vec![("w/b", "w/a", 10.0, None, Dated)], vec![("w/a", "w/b")]),
            true,
            true,
        ),
        (
            "the zones reach each other",
            (vec![("w/a/1", "w/b/1", 10.0, None, Fresh)], vec![("w/a", "w/b")]),
            false,
            false,
        ),
        (
            "only these zones are parted",
            (vec![("w/a", "w/b", 10.0, None, Fresh)], vec![("w/a/1", "w/b")]),
            true,
            true,
        ),
    ];
    for (name, (rows, parted), this, back) in cases {
        let rows = [
            &rows[..],
            &[("w/a", "w/z", 1.0, None, Dated), ("w/b", "w/z", 1.0, None, Dated)],
        ]
        .concat();
        let table = LatencyTable::build(&measurements(&rows, &parted), &BTreeMap::new(), P50);
        let [from, to] = points(&table, ("w/a/1", "w/b/1"));
        assert_eq!(table.is_unreachable(from, to), this, "{name}");
        assert_eq!(table.is_unreachable(to, from), back, "{name}, the way back");
        assert!(!table.is_unreachable(from, from), "{name}");
        assert!(
            table.between(from, to).is_some(),
            "{name}: a partition takes no latency away"
        );
    }
}

/// The least sum of measured pairs over at most so many regions, by trying all.
fn by_trying(
    direct: &BTreeMap<(usize, usize), f64>,
    from: usize,
    to: usize,
    passed: &[usize],
) -> Option<f64> {
    let way = |from: usize, to: usize| {
        direct
            .get(&(from, to))
            .or_else(|| direct.get(&(to, from)))
            .copied()
    };
    let last = way(from, to);
    let others = (0..5).filter(|next| *next != to && !passed.contains(next));
    others
        .filter_map(|next| Some(way(from, next)? + by_trying(direct, next, to, &[passed, &[next]].concat())?))
        .chain(last)
        .reduce(f64::min)
}

proptest! {
    #[test]
    fn a_missing_pair_is_the_least_sum_and_a_measured_one_itself(
        pairs in prop::collection::btree_map((0_usize..5, 0_usize..5), 1.0_f64..100.0, 0..12),
    ) {
        let direct: BTreeMap<(usize, usize), f64> =
            pairs.into_iter().filter(|((from, to), _)| from != to).collect();
        let name = |number: usize| format!("w/r{number}");
        let mut set = measurements(&[("w/x", "w/y", 1.0, None, Dated)], &[]);
        for number in 0..5 {
            // So that every region is known.
            set.insert(place(&format!("w/r{number}/1")), place(&format!("w/r{number}/2")), measurement(0.5, None, Dated));
        }
        for ((from, to), ms) in &direct {
            set.insert(place(&name(*from)), place(&name(*to)), measurement(*ms, None, Dated));
        }
        let table = LatencyTable::build(&set, &BTreeMap::new(), P50);
        for (from, to) in (0..5).flat_map(|from| (0..5).map(move |to| (from, to))).filter(|(a, b)| a != b) {
            let [start, end] = points(&table, (&name(from), &name(to)));
            let found = table.between(start, end).map(|found| (found.latency.as_ms(), found.provenance));
            let measured = direct.get(&(from, to)).map(|ms| (*ms, Measured));
            let back = direct.get(&(to, from)).map(|ms| (*ms, MeasuredReverse));
            if let Some(expected) = measured.or(back) {
                prop_assert_eq!(found, Some(expected));
                continue;
            }
            match (found, by_trying(&direct, from, to, &[from])) {
                (Some((ms, EstimatedByPath)), Some(sum)) => prop_assert!((ms - 1.2 * sum).abs() < 1e-6, "{ms} {sum}"),
                (found, sum) => prop_assert!(found.is_none() && sum.is_none(), "{from} {to}: {found:?} {sum:?}"),
            }
        }
    }
}
