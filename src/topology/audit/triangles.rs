//! Pairs for which two hops take less than the direct way.
//!
//! That is no mistake: it is so for 20 to 32% of the pairs that clouds publish, because routes follow cables
//! and contracts. It is why a sum of pairs never stands in for a measured one. A pair that two hops beat by
//! far may be an incident that somebody measured, so the worst ones are named.

use std::collections::BTreeMap;

use crate::topology::{MeasuredPlace, Measurements};

/// How many of the worst pairs are named.
const MOST_NAMED: usize = 5;

/// What a pair must take, as a multiple of two hops, to count as beaten by more than a tenth.
const TENTH: f64 = 1.1;

/// A measured pair with a shorter sum of two measured hops.
#[derive(Debug, Clone, PartialEq)]
pub struct Detour {
    /// Where the pair begins.
    pub from: MeasuredPlace,
    /// Where it ends.
    pub to: MeasuredPlace,
    /// The place between, by which the sum is least.
    pub via: MeasuredPlace,
    /// The measured round trip in milliseconds.
    pub direct_ms: f64,
    /// The least sum of two hops in milliseconds.
    pub sum_ms: f64,
}

/// How often two hops take less than the direct way.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Triangles {
    /// Directed pairs that are measured and that two measured hops join.
    pub pairs: usize,
    /// Those of them that take longer than two hops.
    pub shorter: usize,
    /// Those that take longer than 1.1 times two hops.
    pub shorter_by_a_tenth: usize,
    /// The worst of them by ratio.
    pub worst: Vec<Detour>,
}

/// Counts the measured pairs with a shorter sum of two measured hops, by the median. Only directed
/// measurements count, so that no hop is assumed. Cost: the cube of the number of places, in additions.
#[must_use]
pub fn triangles(measurements: &Measurements) -> Triangles {
    let places: BTreeMap<&MeasuredPlace, usize> = numbered(measurements);
    let names: Vec<&MeasuredPlace> = places.keys().copied().collect();
    let mut rows = vec![vec![f64::INFINITY; names.len()]; names.len()];
    for (from, to, measurement) in measurements.iter() {
        let cell = places.get(from).and_then(|row| rows.get_mut(*row));
        let cell = cell.and_then(|row| places.get(to).and_then(|column| row.get_mut(*column)));
        if let Some(cell) = cell {
            *cell = measurement.rtt.as_ms();
        }
    }
    let mut found = Triangles::default();
    let mut detours = Vec::new();
    for (from, row) in names.iter().zip(&rows) {
        let sums = least_two_hops(row, &rows);
        for ((to, direct_ms), (sum_ms, via)) in names.iter().zip(row).zip(sums) {
            // One zone measured against itself is no way that a detour could replace.
            if from == to || direct_ms.is_infinite() || sum_ms.is_infinite() {
                continue;
            }
            found.pairs += 1;
            let Some(via) = names.get(via).filter(|_| sum_ms < *direct_ms) else {
                continue;
            };
            found.shorter += 1;
            found.shorter_by_a_tenth += usize::from(*direct_ms > TENTH * sum_ms);
            detours.push(Detour {
                from: (*from).clone(),
                to: (*to).clone(),
                via: (*via).clone(),
                direct_ms: *direct_ms,
                sum_ms,
            });
        }
    }
    detours.sort_by(|one, other| {
        let ratio = |detour: &Detour| detour.direct_ms / detour.sum_ms;
        ratio(other).total_cmp(&ratio(one))
    });
    detours.truncate(MOST_NAMED);
    found.worst = detours;
    found
}

fn numbered(measurements: &Measurements) -> BTreeMap<&MeasuredPlace, usize> {
    let mut places: BTreeMap<&MeasuredPlace, usize> = BTreeMap::new();
    for (from, to, _) in measurements.iter() {
        places.insert(from, 0);
        places.insert(to, 0);
    }
    for (number, place) in places.values_mut().enumerate() {
        *place = number;
    }
    places
}

/// The least sum of two hops from the place of a row to every place, and the place between.
fn least_two_hops(row: &[f64], rows: &[Vec<f64>]) -> Vec<(f64, usize)> {
    let mut least = vec![(f64::INFINITY, 0); row.len()];
    for (via, (first_ms, hops)) in row.iter().zip(rows).enumerate() {
        if first_ms.is_infinite() {
            continue;
        }
        for ((sum_ms, by), second_ms) in least.iter_mut().zip(hops) {
            if first_ms + second_ms < *sum_ms {
                *sum_ms = first_ms + second_ms;
                *by = via;
            }
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::parse_latency_csv;

    #[test]
    fn two_measured_hops_are_compared_with_the_direct_way() {
        let text = "from,to,rtt_ms\n\
            p/a,p/b,100\np/a,p/c,40\np/c,p/b,50\n\
            p/b,p/a,100\np/b,p/c,47\np/c,p/a,48\n\
            p/a,p/d,1\n";
        let measurements = parse_latency_csv("t.csv", text, |_| None, &BTreeMap::new()).expect("a good file");
        let found = triangles(&measurements);
        // No two hops join a and d.
        assert_eq!(found.pairs, 6, "{found:?}");
        assert_eq!((found.shorter, found.shorter_by_a_tenth), (2, 1), "{found:?}");
        let worst: Vec<String> = found
            .worst
            .iter()
            .map(|it| format!("{} {} {} {} {}", it.from, it.to, it.via, it.direct_ms, it.sum_ms))
            .collect();
        assert_eq!(worst, ["p/a p/b p/c 100 90", "p/b p/a p/c 100 95"]);
    }
}
