//! Tests of the access cost, on a small world whose times are easy to add up.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::demand::{ClientDemand, ReplicaPoint};
use super::*;
use crate::model::ReplicaRole::{Leader, ReadOnly, Voter, Witness};
use crate::model::{RegionKey, Statistic};
use crate::topology::parse_latency_csv;

/// `a` to `b` 10 ms, to `c` 100 ms; `b` to `c` 95 ms; nothing is known about `x` but one pair.
fn table() -> LatencyTable {
    let text = "from,to,rtt_ms\nw/a,w/b,10\nw/a,w/c,100\nw/b,w/c,95\nw/c,w/b,96\nw/x,w/y,1\n";
    let measurements = parse_latency_csv("t", text, |_| None, &BTreeMap::new()).expect("a good file");
    LatencyTable::build(&measurements, &BTreeMap::new(), Statistic::P50)
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
        reads,
        writes,
        replicas: replicas
            .iter()
            .map(|(region, role)| ReplicaPoint {
                point: at(table, region),
                role: *role,
            })
            .collect(),
    }
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
fn reads_go_to_the_nearest_readable_replica_and_writes_to_the_leader() {
    let table = table();
    let replicas = [("w/c", Leader), ("w/a", Witness), ("w/b", ReadOnly)];
    let demand = of_data_set(data_set(&table, Consistency::Available, (4.0, 1.0), &replicas));
    // Four reads from b at 10 ms, one write to c at 100 ms.
    check(&demand, "w/a", Demanded::Known(140.0));
    // Four reads and one write at home.
    check(&demand, "w/c", Demanded::Known(4.0));

    let cost = access_cost(&table, &demand, at(&table, "w/a"));
    let chosen = |access: Demanded<ReplicaLeg>| access.known().map(|chosen| chosen.replica);
    assert_eq!(chosen(cost.data_sets[0].read), Some(2));
    assert_eq!(chosen(cost.data_sets[0].write), Some(0));
    assert_eq!(cost.least_certain, Some(Provenance::Measured));
}

#[test]
fn strict_reads_go_to_the_leader() {
    let table = table();
    let replicas = [("w/c", Leader), ("w/b", Voter)];
    let demand = of_data_set(data_set(&table, Consistency::Strict, (2.0, 0.0), &replicas));
    check(&demand, "w/a", Demanded::Known(200.0));
    let leaderless = of_data_set(data_set(
        &table,
        Consistency::Strict,
        (2.0, 0.0),
        &[("w/b", Voter)],
    ));
    check(&leaderless, "w/a", Demanded::Unknown);
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
    check(&use_of((0.0, 1.0), &[("w/a", Voter)]), "w/a", Demanded::Unknown);
    check(&use_of((1.0, 1.0), &[("w/a", Voter)]), "w/a", Demanded::Unknown);
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
fn nothing_demanded_is_not_the_same_as_unknown() {
    let table = table();
    check(&AccessDemand::default(), "w/moon", Demanded::NotDemanded);
    let unused = of_data_set(data_set(&table, Consistency::Strict, (0.0, 0.0), &[]));
    check(&unused, "w/a", Demanded::NotDemanded);
}

#[test]
fn a_limit_is_about_one_access_and_not_about_the_sum() {
    let table = table();
    let replicas = [("w/c", Leader), ("w/b", Voter)];
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

#[test]
fn a_guess_over_a_distance_is_less_certain_than_an_assumption_at_home() {
    use Provenance::{AssumedLocal, EstimatedByDistance, Measured};
    assert_eq!(
        less_certain(AssumedLocal, EstimatedByDistance),
        EstimatedByDistance
    );
    assert_eq!(
        less_certain(EstimatedByDistance, AssumedLocal),
        EstimatedByDistance
    );
    assert_eq!(less_certain(AssumedLocal, Measured), AssumedLocal);
}

const REGIONS: [&str; 6] = ["w/a", "w/b", "w/c", "w/x", "w/y", "w/moon"];
const ROLES: [ReplicaRole; 4] = [Leader, Voter, ReadOnly, Witness];

prop_compose! {
    fn any_demand()(
        clients in prop::collection::vec((0..REGIONS.len(), 0.1..9.0), 0..3),
        data_sets in prop::collection::vec(
            (
                prop::bool::ANY,
                prop::sample::select(&[0.0, 1.0, 2.5][..]),
                prop::sample::select(&[0.0, 1.0][..]),
                prop::collection::vec((0..REGIONS.len(), 0..ROLES.len()), 0..4),
            ),
            0..3,
        ),
    ) -> AccessDemand {
        let table = table();
        AccessDemand {
            clients: clients
                .into_iter()
                .map(|(region, weight)| ClientDemand { point: at(&table, REGIONS[region]), weight })
                .collect(),
            data_sets: data_sets
                .into_iter()
                .map(|(strict, reads, writes, replicas)| {
                    let consistency = if strict { Consistency::Strict } else { Consistency::Available };
                    let replicas: Vec<_> = replicas
                        .into_iter()
                        .map(|(region, role)| (REGIONS[region], ROLES[role]))
                        .collect();
                    data_set(&table, consistency, (reads, writes), &replicas)
                })
                .collect(),
            max_read_ms: Some(50.0),
            max_write_ms: None,
        }
    }
}

proptest! {
    /// The sum of the legs, formed anew, is the total of both variants.
    #[test]
    fn the_total_is_the_sum_of_its_legs(demand in any_demand(), node in 0..REGIONS.len()) {
        let table = table();
        let node = at(&table, REGIONS[node]);
        let cost = access_cost(&table, &demand, node);
        prop_assert_eq!(total(&table, &demand, node), cost.total);

        let mut legs = vec![cost.client.map(|leg| leg.ms)];
        for (data_set, cost) in demand.data_sets.iter().zip(&cost.data_sets) {
            legs.push(cost.read.map(|chosen| data_set.reads * chosen.leg.ms));
            legs.push(cost.write.map(|chosen| data_set.writes * chosen.leg.ms));
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
}
