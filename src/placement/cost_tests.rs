//! Tests of the access cost, on a small world whose times are easy to add up.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::demand::{ClientDemand, ReplicaPoint};
use super::*;
use crate::model::ReplicaRole::{Leader, ReadOnly, Voter, Witness};
use crate::model::{Consistency, RegionKey, ReplicaRole, StatedAccess, Statistic};
use crate::topology::parse_latency_csv;

/// `a` to `b` 10 ms, to `c` 100 ms; `b` to `c` 95 ms; nothing is known about `x` but one pair.
const PAIRS: &str = "from,to,rtt_ms\nw/a,w/b,10\nw/a,w/c,100\nw/b,w/c,95\nw/c,w/b,96\nw/x,w/y,1\n";

fn table_of(text: &str) -> LatencyTable {
    let measurements = parse_latency_csv("t", text, |_| None, &BTreeMap::new()).expect("a good file");
    LatencyTable::build(&measurements, &BTreeMap::new(), Statistic::P50)
}

fn table() -> LatencyTable {
    table_of(PAIRS)
}

fn at(table: &LatencyTable, region: &str) -> Option<LatencyPoint> {
    table.locate(&RegionKey::parse(region).expect("a key"), None)
}

fn data_set(
    table: &LatencyTable,
    consistency: Consistency,
    (reads, writes): (f64, f64),
    replicas: &[(&str, ReplicaRole)],
) -> DataSetDemand {
    DataSetDemand {
        name: DataSetName::new("orders").expect("a name"),
        consistency,
        paths: StatedAccess::default().paths(consistency, replicas.iter().map(|(_, role)| *role)),
        reads,
        writes,
        replicas: replicas
            .iter()
            .map(|(region, role)| ReplicaPoint {
                point: at(table, region),
                role: *role,
                is_ready: true,
                commit: None,
            })
            .collect(),
        permitted: None,
    }
    .with_commits(table)
}

fn of_data_set(data_set: DataSetDemand) -> AccessDemand {
    AccessDemand {
        data_sets: vec![data_set],
        ..AccessDemand::default()
    }
}

fn check(demand: &AccessDemand, node: &str, expected: Demanded<f64>) {
    let table = table();
    let node = at(&table, node);
    let found = total(&table, demand, node);
    assert_eq!(found, access_cost(&table, demand, node).total);
    match (found, expected) {
        (Demanded::Known(found), Demanded::Known(ms)) => {
            assert!(
                (found.ms - ms).abs() < 1e-9,
                "{found:?} where {ms} ms are expected"
            );
        }
        (found, expected) => assert_eq!(found.map(|total| total.ms), expected),
    }
}

#[test]
fn reads_go_to_the_nearest_readable_replica_and_writes_to_the_leader_which_commits() {
    let table = table();
    let replicas = [("w/c", Leader), ("w/a", Witness), ("w/b", ReadOnly)];
    let demand = of_data_set(data_set(&table, Consistency::Available, (4.0, 1.0), &replicas));
    // Four reads from b at 10 ms, one write to c at 100 ms, which asks the witness at a.
    check(&demand, "w/a", Demanded::Known(240.0));
    // Four reads and one write at home, and the same commit.
    check(&demand, "w/c", Demanded::Known(4.0 + 100.0));

    let cost = access_cost(&table, &demand, at(&table, "w/a"));
    let chosen = |access: Demanded<Served>| access.known().map(|served| served.replica);
    assert_eq!(chosen(cost.data_sets[0].read), Some(2));
    assert_eq!(chosen(cost.data_sets[0].write), Some(0));
    // The commit goes from c to a, which was measured the other way.
    assert_eq!(cost.least_certain, Some(Provenance::MeasuredReverse));
    let commit = cost.data_sets[0].write.known().and_then(|served| served.commit);
    assert_eq!(commit.and_then(|commit| commit.ms), Some(100.0));
}

#[test]
fn strict_reads_go_to_the_leader_or_to_a_quorum() {
    let table = table();
    let replicas = [("w/c", Leader), ("w/b", Voter)];
    let demand = of_data_set(data_set(&table, Consistency::Strict, (2.0, 0.0), &replicas));
    check(&demand, "w/a", Demanded::Known(200.0));
    let voters = [("w/a", Voter), ("w/b", Voter), ("w/c", Voter)];
    let demand = of_data_set(data_set(&table, Consistency::Strict, (1.0, 1.0), &voters));
    // The second nearest of three, for the read and for the write.
    check(&demand, "w/a", Demanded::Known(20.0));
    check(&demand, "w/c", Demanded::Known(2.0 * 96.0));
    let cost = access_cost(&table, &demand, at(&table, "w/a"));
    let served = cost.data_sets[0].read.known().expect("a known read");
    assert_eq!(served.replica, 1, "the last that is waited for");
    assert_eq!(
        served.provenance,
        Provenance::AssumedLocal,
        "the less certain of the two"
    );
}

#[test]
fn of_several_leaders_the_best_with_its_commit() {
    let table = table();
    let replicas = [("w/a", Leader), ("w/c", Leader), ("w/c", Voter)];
    let demand = of_data_set(data_set(&table, Consistency::Available, (0.0, 1.0), &replicas));
    // The leader in a is at hand and commits in 100 ms; the one in c commits at once, 95 ms away from b.
    check(&demand, "w/b", Demanded::Known(95.0 + 0.8));
    check(&demand, "w/a", Demanded::Known(100.8));
}

#[test]
fn clients_are_a_mean_by_weight() {
    let table = table();
    let client = |region, weight| ClientDemand {
        point: at(&table, region),
        weight,
    };
    let mut demand = AccessDemand {
        clients: vec![client("w/b", 3.0), client("w/c", 1.0)],
        ..AccessDemand::default()
    };
    check(&demand, "w/a", Demanded::Known((3.0 * 10.0 + 100.0) / 4.0));
    let cost = access_cost(&table, &demand, at(&table, "w/a"));
    // The way from b to a was measured from a to b.
    assert_eq!(cost.least_certain, Some(Provenance::MeasuredReverse));
    demand.clients.push(client("w/moon", 0.001));
    check(&demand, "w/a", Demanded::Unknown);
}

#[test]
fn what_is_missing_never_makes_a_place_cheaper() {
    let table = table();
    let use_of =
        |numbers, replicas: &[_]| of_data_set(data_set(&table, Consistency::Available, numbers, replicas));
    check(&use_of((1.0, 0.0), &[]), "w/a", Demanded::Unknown);
    check(&use_of((1.0, 0.0), &[("w/a", Witness)]), "w/a", Demanded::Unknown);
    check(
        &use_of((0.0, 1.0), &[("w/a", ReadOnly)]),
        "w/a",
        Demanded::Unknown,
    );
    check(
        &use_of((0.0, 1.0), &[("w/a", Voter)]),
        "w/b",
        Demanded::Known(10.0),
    );
    check(&use_of((1.0, 0.0), &[("w/a", Voter)]), "w/x", Demanded::Unknown);
    check(
        &use_of((1.0, 0.0), &[("w/a", Voter)]),
        "w/moon",
        Demanded::Unknown,
    );
    // A replica at an unknown place may be the nearest: the known one is an upper bound.
    check(
        &use_of((1.0, 0.0), &[("w/moon", Voter), ("w/b", Voter)]),
        "w/a",
        Demanded::Known(10.0),
    );
}

#[test]
fn a_commit_that_nobody_knows_ranks_no_place_and_is_told() {
    let table = table();
    let replicas = [("w/b", Leader), ("w/moon", Voter)];
    let demand = of_data_set(data_set(&table, Consistency::Available, (0.0, 1.0), &replicas));
    check(&demand, "w/a", Demanded::Known(10.0));
    check(&demand, "w/c", Demanded::Known(96.0));
    let lacks = |demand: &AccessDemand, node| {
        total(&table, demand, at(&table, node))
            .known()
            .map(|total| total.lacks_commit)
    };
    assert_eq!([lacks(&demand, "w/a"), lacks(&demand, "w/c")], [Some(true); 2]);
    // A leader whose commit is known stands before one whose commit is not, however near that is.
    let replicas = [("w/a", Leader), ("w/x", Leader), ("w/y", Voter)];
    let demand = of_data_set(data_set(&table, Consistency::Available, (0.0, 1.0), &replicas));
    check(&demand, "w/x", Demanded::Known(0.8 + 1.0));
    check(&demand, "w/a", Demanded::Unknown);
    // Of several it would not be the same at every place.
    let replicas = [
        ("w/a", Leader),
        ("w/b", Leader),
        ("w/moon", Voter),
        ("w/moon", Voter),
    ];
    let demand = of_data_set(data_set(&table, Consistency::Available, (0.0, 1.0), &replicas));
    check(&demand, "w/a", Demanded::Unknown);
}

#[test]
fn nothing_demanded_is_not_the_same_as_unknown() {
    let table = table();
    check(&AccessDemand::default(), "w/moon", Demanded::NotDemanded);
    let unused = of_data_set(data_set(&table, Consistency::Strict, (0.0, 0.0), &[]));
    check(&unused, "w/a", Demanded::NotDemanded);
}

#[test]
fn a_limit_is_about_one_access_and_not_about_the_sum() {
    let table = table();
    let replicas = [("w/c", Leader), ("w/b", ReadOnly)];
    let mut demand = of_data_set(data_set(&table, Consistency::Available, (50.0, 1.0), &replicas));
    let over = |demand: &AccessDemand| {
        total(&table, demand, at(&table, "w/a"))
            .known()
            .map(|total| total.over_limit)
    };
    demand.max_read_ms = Some(10.0);
    demand.max_write_ms = Some(100.0);
    assert_eq!(over(&demand), Some(false));
    demand.max_read_ms = Some(9.9);
    assert_eq!(over(&demand), Some(true));
    demand.max_read_ms = None;
    demand.max_write_ms = Some(99.0);
    assert_eq!(over(&demand), Some(true));
}

const REGIONS: [&str; 6] = ["w/a", "w/b", "w/c", "w/x", "w/y", "w/moon"];
const ROLES: [ReplicaRole; 4] = [Leader, Voter, ReadOnly, Witness];

/// Clients by region with their weight; data sets with reads, writes and replicas by region and role.
type Drawn = (Vec<(usize, f64)>, Vec<(bool, f64, f64, Vec<(usize, usize)>)>);

fn any_demand() -> impl Strategy<Value = Drawn> {
    (
        prop::collection::vec((0..REGIONS.len(), 0.1..9.0), 0..3),
        prop::collection::vec(
            (
                prop::bool::ANY,
                prop::sample::select(&[0.0, 1.0, 2.5][..]),
                prop::sample::select(&[0.0, 1.0][..]),
                prop::collection::vec((0..REGIONS.len(), 0..ROLES.len()), 0..5),
            ),
            0..3,
        ),
    )
}

fn demand_in(table: &LatencyTable, (clients, data_sets): &Drawn) -> AccessDemand {
    AccessDemand {
        clients: clients
            .iter()
            .map(|(region, weight)| ClientDemand {
                point: at(table, REGIONS[*region]),
                weight: *weight,
            })
            .collect(),
        data_sets: data_sets
            .iter()
            .map(|(strict, reads, writes, replicas)| {
                let consistency = if *strict {
                    Consistency::Strict
                } else {
                    Consistency::Available
                };
                let replicas: Vec<_> = replicas
                    .iter()
                    .map(|(region, role)| (REGIONS[*region], ROLES[*role]))
                    .collect();
                data_set(table, consistency, (*reads, *writes), &replicas)
            })
            .collect(),
        peers: Vec::new(),
        volumes: Vec::new(),
        clones: Vec::new(),
        max_read_ms: Some(50.0),
        max_write_ms: None,
    }
}

proptest! {
    /// The sum of the legs, formed anew, is the total of both variants.
    #[test]
    fn the_total_is_the_sum_of_its_legs(drawn in any_demand(), node in 0..REGIONS.len()) {
        let table = table();
        let demand = demand_in(&table, &drawn);
        let node = at(&table, REGIONS[node]);
        let cost = access_cost(&table, &demand, node);
        prop_assert_eq!(total(&table, &demand, node), cost.total);

        let mut legs = vec![cost.client.map(|leg| leg.ms)];
        for (data_set, cost) in demand.data_sets.iter().zip(&cost.data_sets) {
            legs.push(cost.read.map(|served| data_set.reads * served.ms));
            legs.push(cost.write.map(|served| data_set.writes * served.ms));
            for served in [cost.read, cost.write].into_iter().filter_map(Demanded::known) {
                let commit_ms = served.commit.and_then(|commit| commit.ms).unwrap_or(0.0);
                prop_assert!((served.way.ms + commit_ms - served.ms).abs() < 1e-6);
            }
        }
        let known: Vec<f64> = legs.iter().filter_map(|leg| leg.known()).collect();
        match cost.total {
            Demanded::Unknown => prop_assert!(legs.contains(&Demanded::Unknown)),
            Demanded::NotDemanded => {
                prop_assert!(legs.iter().all(|leg| *leg == Demanded::NotDemanded));
            }
            Demanded::Known(total) => {
                prop_assert!(!legs.contains(&Demanded::Unknown) && !known.is_empty());
                prop_assert!((total.ms - known.iter().sum::<f64>()).abs() < 1e-6);
            }
        }
    }

    /// Leaving out a measured pair makes no place cheaper. A total that lacks a commit is more than is told,
    /// at every place alike.
    #[test]
    fn a_pair_that_is_not_known_makes_no_place_better(
        drawn in any_demand(),
        // Both ways of a pair, since the way back stands for the way there.
        left_out in prop::sample::select(&[1..2, 2..3, 3..5, 5..6][..]),
    ) {
        let lines = PAIRS.lines().enumerate().filter(|(line, _)| !left_out.contains(line));
        let less: String = lines.map(|(_, line)| format!("{line}\n")).collect();
        let (before, after) = (table(), table_of(&less));
        let (demand_before, demand_after) = (demand_in(&before, &drawn), demand_in(&after, &drawn));
        let mut lacking = Vec::new();
        for node in REGIONS {
            let was = total(&before, &demand_before, at(&before, node));
            let is = total(&after, &demand_after, at(&after, node));
            match (was, is) {
                (Demanded::Known(was), Demanded::Known(is)) => {
                    lacking.push(is.lacks_commit);
                    let is_whole = was.lacks_commit || !is.lacks_commit;
                    prop_assert!(!is_whole || is.ms >= was.ms - 1e-6, "{node}: {was:?} {is:?}");
                    prop_assert!(is.lacks_commit || !was.lacks_commit, "{node}: {was:?} {is:?}");
                }
                (was, Demanded::Known(is)) => prop_assert!(false, "{node}: {was:?} {is:?}"),
                (Demanded::NotDemanded, is) => prop_assert_eq!(is, Demanded::NotDemanded),
                _ => {}
            }
        }
        lacking.dedup();
        prop_assert!(lacking.len() < 2, "{lacking:?}");
    }
}
