//! What it costs to know latencies: the table with the routes of many rules, and the estimator of live
//! samples. Run: `cargo bench --bench latency`.
//!
//! The floors: 200 regions of 3 zones and 50 transit profiles in 50 ms, 1,000 samples a second with 5% of a
//! core, that is 50 µs for each sample with its share of what is published.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

mod timing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domicile::model::{Latency, RegionKey, Statistic};
use domicile::topology::{
    Estimator, EstimatorSettings, Freshness, LatencyTable, Link, MeasuredPlace, Measurement, Measurements,
    Observation, Observed, RouteRules, Routes, Undeclared,
};
use jiff::{SignedDuration, Timestamp};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use timing::median;

const REGIONS: usize = 200;
const ZONES: usize = 3;
const PROFILES: usize = 50;
/// Links of each region to others.
const LINKS: usize = 6;
/// Seconds between two windows: what a source polls.
const WINDOW_SECONDS: u32 = 30;
const SAMPLES_PER_SECOND: u32 = 1_000;

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn region(number: usize) -> RegionKey {
    RegionKey::new("cloud", &format!("region-{number}")).expect("a key")
}

fn zones(number: usize) -> impl Iterator<Item = MeasuredPlace> {
    (0..ZONES).map(move |zone| MeasuredPlace {
        region: region(number),
        zone: Some(Arc::from(format!("region-{number}-{zone}"))),
    })
}

/// A time like one between two of 200 places on a globe.
fn latency(from: usize, to: usize, random: &mut Pcg64Mcg) -> Latency {
    let apart = from.abs_diff(to).min(REGIONS - from.abs_diff(to));
    let ms = if from == to { 0.7 } else { 2.0 + 2.5 * apart as f64 };
    Latency::from_ms(ms * random.random_range(1.0..1.2)).expect("a latency")
}

fn measured(rtt: Latency, source: &Arc<str>) -> Measurement {
    Measurement {
        rtt,
        p95: Latency::from_ms(rtt.as_ms() * 1.1),
        statistic: None,
        samples: Some(100),
        measured_at: "2026-11-21T12:00:00Z".parse().ok(),
        source: Some(Arc::clone(source)),
        freshness: Freshness::Fresh,
    }
}

/// All pairs of regions, and all pairs of zones: those of one region, or all.
fn measurements(all_zones: bool) -> Measurements {
    let source = Arc::from("probes of the benchmark");
    let mut random = Pcg64Mcg::seed_from_u64(1);
    let mut measurements = Measurements::default();
    let zones: Vec<Vec<MeasuredPlace>> = (0..REGIONS).map(|number| zones(number).collect()).collect();
    for from in 0..REGIONS {
        for to in 0..REGIONS {
            let ends = [from, to].map(|number| MeasuredPlace::region(region(number)));
            let [start, end] = ends;
            let rtt = latency(from, to, &mut random);
            measurements.insert(start, end, measured(rtt, &source));
            if from != to && !all_zones {
                continue;
            }
            for start in &zones[from] {
                for end in zones[to].iter().filter(|end| *end != start) {
                    let rtt = latency(from, to, &mut random);
                    measurements.insert(start.clone(), end.clone(), measured(rtt, &source));
                }
            }
        }
    }
    measurements
}

/// Each region is joined with its neighbour and with some others.
fn links(random: &mut Pcg64Mcg) -> Vec<Link> {
    let place = |number| MeasuredPlace::region(region(number));
    let mut links = Vec::new();
    for from in 0..REGIONS {
        for number in 0..LINKS / 2 {
            let step = if number == 0 {
                1
            } else {
                random.random_range(2..REGIONS)
            };
            links.push(Link {
                from: place(from),
                to: place((from + step) % REGIONS),
            });
        }
    }
    links
}

/// Each profile forbids some links and some regions; every second one also what no link declares.
fn profiles(links: usize, random: &mut Pcg64Mcg) -> Vec<RouteRules> {
    (0..PROFILES)
        .map(|number| {
            let share = random.random_range(0.01..0.15);
            RouteRules {
                forbidden_links: (0..links).map(|_| random.random_bool(share)).collect(),
                forbidden_regions: (0..number % 6)
                    .map(|_| region(random.random_range(0..REGIONS)))
                    .collect::<BTreeSet<_>>(),
                undeclared: if number % 2 == 0 {
                    Undeclared::Taken
                } else {
                    Undeclared::Kept
                },
            }
        })
        .collect()
}

fn rebuild(name: &str, measurements: &Measurements) {
    let mut random = Pcg64Mcg::seed_from_u64(2);
    let links = links(&mut random);
    let profiles = profiles(links.len(), &mut random);
    let build = || LatencyTable::build(measurements, &BTreeMap::new(), Statistic::P50);
    let table = build();
    let (for_table, for_routes) = (
        median(21, build),
        median(21, || Routes::build(&table, &links, &profiles)),
    );
    let both = median(21, || Routes::build(&build(), &links, &profiles));
    println!(
        "{name}: {} measured pairs, {} links, {PROFILES} transit profiles: {:.1} ms (table {:.1} ms, of it digest \
         {:.1} ms; routes {:.1} ms)",
        measurements.len(),
        links.len(),
        ms(both),
        ms(for_table),
        ms(median(21, || measurements.digest())),
        ms(for_routes),
    );
}

/// A table with holes: no pair of the last region was measured, and one pair of each other region is missing.
fn holes(measurements: &Measurements) {
    let mut fewer = Measurements::default();
    for (from, to, measurement) in measurements.iter() {
        let number = |place: &MeasuredPlace| {
            place
                .region
                .region()
                .trim_start_matches("region-")
                .parse::<usize>()
                .expect("a number")
        };
        if (number(from) + 7) % REGIONS != number(to) && (number(to) + 7) % REGIONS != number(from) {
            fewer.insert(from.clone(), to.clone(), measurement.clone());
        }
    }
    let took = median(21, || {
        LatencyTable::build(&fewer, &BTreeMap::new(), Statistic::P50)
    });
    println!(
        "a table in which each region misses two pairs: {:.1} ms",
        ms(took)
    );
}

/// Windows of so many samples a second, over as many pairs as a window holds.
fn estimate(measurements: &Measurements) {
    let mut random = Pcg64Mcg::seed_from_u64(3);
    let source: Arc<str> = Arc::from("probes");
    let per_window = (WINDOW_SECONDS * SAMPLES_PER_SECOND) as usize;
    let pairs: Vec<(MeasuredPlace, MeasuredPlace, f64)> = measurements
        .iter()
        .take(per_window)
        .map(|(from, to, measurement)| (from.clone(), to.clone(), measurement.rtt.as_ms()))
        .collect();
    assert_eq!(pairs.len(), per_window, "there are as many pairs as samples");
    let mut window = |pairs: &[(MeasuredPlace, MeasuredPlace, f64)]| -> Vec<Observation> {
        let pairs = pairs.iter();
        pairs
            .map(|(from, to, rtt_ms)| {
                let p50 = Latency::from_ms(rtt_ms * random.random_range(0.9..1.3)).expect("a latency");
                Observation {
                    from: from.clone(),
                    to: to.clone(),
                    observed: if random.random_bool(0.01) {
                        Observed::Failed
                    } else {
                        Observed::RoundTrip {
                            p50,
                            p95: Latency::from_ms(p50.as_ms() * 1.2),
                            samples: Some(10),
                        }
                    },
                }
            })
            .collect()
    };
    let windows: Vec<Vec<Observation>> = (0..8).map(|_| window(&pairs)).collect();
    let mut estimator = Estimator::new(EstimatorSettings::default());
    let mut now: Timestamp = "2026-11-21T12:00:00Z".parse().expect("an instant");
    let mut next = 0;
    let mut observe = |estimator: &mut Estimator| {
        now += SignedDuration::from_secs(i64::from(WINDOW_SECONDS));
        estimator.observe(&windows[next % windows.len()], &source, now);
        next += 1;
        now
    };
    let observed = median(21, || observe(&mut estimator));
    let now = observe(&mut estimator);
    let collected = median(21, || estimator.measurements(now));
    let live = estimator.measurements(now);
    let built = median(21, || {
        LatencyTable::build(&live.clone().over(measurements), &BTreeMap::new(), Statistic::P50)
    });
    let per_sample = |took: Duration| took.as_secs_f64() * 1e6 / per_window as f64;
    let whole = observed + collected + built;
    println!(
        "{per_window} samples in a window of {WINDOW_SECONDS} s: {:.2} µs a sample (observe {:.2}, collect {:.2}, lay over \
         the prior and build the table {:.2}), {:.2}% of a core at {SAMPLES_PER_SECOND} samples/s",
        per_sample(whole),
        per_sample(observed),
        per_sample(collected),
        per_sample(built),
        100.0 * whole.as_secs_f64() / f64::from(WINDOW_SECONDS),
    );
}

fn look_up(table: &LatencyTable) {
    let points: Vec<_> = table
        .places()
        .map(|place| {
            table
                .locate(&place.region, place.zone.as_deref())
                .expect("a point")
        })
        .collect();
    let took = median(21, || {
        let mut sum = 0.0;
        for from in &points {
            for to in &points {
                sum += table
                    .between(*from, *to)
                    .map_or(0.0, |estimate| estimate.latency.as_ms());
            }
        }
        sum
    });
    let count = points.len() * points.len();
    println!(
        "look a pair up: {:.1} ns",
        took.as_secs_f64() * 1e9 / count as f64
    );
}

fn main() {
    let regions = measurements(false);
    rebuild("200 regions, zones measured within each", &regions);
    rebuild(
        "200 regions, all pairs of their 600 zones measured",
        &measurements(true),
    );
    holes(&regions);
    estimate(&regions);
    look_up(&LatencyTable::build(&regions, &BTreeMap::new(), Statistic::P50));
}
