//! Any text as a latency file.
//!
//! What is read is written and read again as the same, and every cell of the tables that are made of it is a finite
//! time. What is refused is refused line by line, in the order of the lines.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use domicile::model::{Coordinates, RegionKey, Statistic};
use domicile::topology::{LatencyTable, Measurements, parse_latency_csv, write_latency_csv};

use super::says_something;
use crate::world::policies;

/// The most places of which every pair is looked at.
const MOST_PLACES: usize = 12;

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let measurements = match read(text) {
        Ok(measurements) => measurements,
        Err(lines) => {
            assert!(!lines.is_empty() && lines.is_sorted(), "{lines:?}");
            let last = text.lines().count() as u64 + 1;
            assert!(
                lines.iter().all(|line| (1..=last).contains(line)),
                "{lines:?} of {last}"
            );
            return;
        }
    };
    let written = write_latency_csv(&measurements);
    let again = read(&written).unwrap_or_else(|lines| panic!("{lines:?} of what was written: {written}"));
    assert_eq!(again, measurements, "{written}");
    assert_eq!(
        (again.digest(), write_latency_csv(&again)),
        (measurements.digest(), written)
    );
    for statistic in [Statistic::P50, Statistic::P95] {
        let table = LatencyTable::build(&measurements, coordinates(), statistic);
        assert_eq!(
            table.digest(),
            LatencyTable::build(&again, coordinates(), statistic).digest()
        );
        let places = table.places().take(MOST_PLACES);
        let points: Vec<_> = places
            .filter_map(|place| table.locate(&place.region, place.zone.as_deref()))
            .collect();
        for from in &points {
            for to in &points {
                if let Some(estimate) = table.between(*from, *to) {
                    let ms = estimate.latency.as_ms();
                    assert!(ms.is_finite() && ms >= 0.0, "{ms}");
                }
            }
        }
    }
}

/// The measurements of a text, or the lines that are wrong.
fn read(text: &str) -> Result<Measurements, Vec<u64>> {
    parse_latency_csv("fuzz.csv", text, |_| None, coordinates()).map_err(|problems| {
        let told = problems
            .iter()
            .inspect(|problem| says_something(&problem.problem));
        told.map(|problem| problem.line).collect()
    })
}

fn coordinates() -> &'static BTreeMap<RegionKey, Coordinates> {
    static COORDINATES: OnceLock<BTreeMap<RegionKey, Coordinates>> = OnceLock::new();
    COORDINATES.get_or_init(|| policies(&[]).catalogue().coordinates())
}
