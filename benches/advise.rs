//! What advice about replicas costs, and what is lost where not every placement is tried.
//! Run: `cargo bench --bench advise`.
//!
//! The floor: the best three of 32 regions, exactly, in 100 ms on one core.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

mod timing;

use std::collections::BTreeSet;

use domicile::embedded;
use domicile::model::{Consistency, RegionKey, RegionReference, ReplicaRole, StatedAccess, Statistic};
use domicile::placement::Ways;
use domicile::placement::advice::problem::{Problem, Wanted};
use domicile::placement::advice::round_trips::RoundTrips;
use domicile::placement::advice::search::{Freedom, exact, greedy_and_swap, plans};
use domicile::policy::PolicySet;
use domicile::topology::{LatencyTable, Measurements, parse_latency_csv};
use timing::median;

/// How many regions the floor is about.
const REGIONS: usize = 32;

/// Equal demand from each of these regions, over the regions themselves.
fn problem(table: &LatencyTable, regions: &[RegionKey], reads: f64, writes: f64) -> Problem {
    let points: Vec<_> = regions.iter().map(|region| table.locate(region, None)).collect();
    let between = RoundTrips::new(points.len(), points.len(), |from, to| {
        Ways::of(table).between(points[from], points[to])
    });
    let wanted = Wanted {
        share: 1.0 / points.len() as f64,
        reads,
        writes,
    };
    Problem {
        from_demand: between.clone(),
        between,
        wanted: vec![wanted; points.len()],
        access: StatedAccess::default(),
        consistency: Consistency::Available,
    }
}

fn roles(copies: usize, is_led: bool) -> Vec<ReplicaRole> {
    let mut roles = vec![ReplicaRole::Voter; copies];
    if is_led {
        roles[0] = ReplicaRole::Leader;
    }
    roles
}

fn freedom(places: usize) -> Freedom {
    Freedom {
        places: (0..places).collect(),
        leaders: (0..places).collect(),
        one_in: Vec::new(),
    }
}

fn main() {
    let set = PolicySet::load(embedded::policies().iter().copied())
        .expect("the shipped set")
        .set;
    let coordinates = set.catalogue().coordinates();
    let (name, text) = embedded::latency();
    let resolve = |reference: &RegionReference| set.catalogue().resolve(reference).cloned();
    let measured: Measurements = parse_latency_csv(name, text, resolve, &coordinates).expect("a good file");
    let table = LatencyTable::build(&measured, &coordinates, Statistic::P50);

    let of_one_cloud = set.catalogue().regions().map(|region| region.key.clone());
    let of_one_cloud = of_one_cloud.filter(|key| key.as_str().starts_with("aws/"));
    let located: Vec<RegionKey> = of_one_cloud
        .filter(|key| table.locate(key, None).is_some())
        .take(REGIONS)
        .collect();
    assert_eq!(located.len(), REGIONS, "there are so many regions");
    for (what, reads, writes, is_led) in [
        ("reads alone, without a leader", 1.0, 0.0, false),
        ("4 reads and 1 write, with a leader", 4.0, 1.0, true),
    ] {
        let problem = problem(&table, &located, reads, writes);
        let (roles, freedom) = (roles(3, is_led), freedom(REGIONS));
        let took = median(11, || exact(&problem, &roles, &freedom));
        let swapped = median(11, || greedy_and_swap(&problem, &roles, &freedom, &[]));
        println!(
            "the best 3 of {REGIONS} regions, {what}: {} placements exactly in {:.1} ms, greedy and swap in {:.2} ms",
            plans(&roles, &freedom),
            took.as_secs_f64() * 1e3,
            swapped.as_secs_f64() * 1e3,
        );
    }

    let regions: BTreeSet<RegionKey> = measured.iter().map(|(from, _, _)| from.region.clone()).collect();
    let regions: Vec<RegionKey> = regions.into_iter().collect();
    for (what, reads, writes, is_led) in [
        ("reads", 1.0, 0.0, false),
        ("4 reads and 1 write", 4.0, 1.0, true),
    ] {
        let problem = problem(&table, &regions, reads, writes);
        for copies in 1..=4 {
            let (roles, freedom) = (roles(copies, is_led), freedom(regions.len()));
            let best = exact(&problem, &roles, &freedom).expect("a placement");
            let found = greedy_and_swap(&problem, &roles, &freedom, &[]).expect("a placement");
            println!(
                "{copies} of the {} regions that are measured, {what}: exact {:.1} ms, greedy and swap {:.2}% above",
                regions.len(),
                best.cost_ms,
                (found.cost_ms / best.cost_ms - 1.0) * 100.0,
            );
        }
    }
}
