use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::cost::{access_cost, total};
use super::super::demand::{AccessDemand, ClientDemand};
use super::super::score::ScoreScale;
use super::*;
use crate::model::{LabelSelector, Provenance, RegionKey, RequestsPerCall, Statistic};
use crate::topology::parse_latency_csv;

/// `a` to `b` 10 ms and back 12 ms, `a` to `c` 100 ms; nothing is known about `x` but one pair.
const PAIRS: &str = "from,to,rtt_ms\nw/a,w/b,10\nw/b,w/a,12\nw/a,w/c,100\nw/b,w/c,95\nw/x,w/y,1\n";

fn table() -> LatencyTable {
    let measurements = parse_latency_csv("t", PAIRS, |_| None, &BTreeMap::new()).expect("a good file");
    LatencyTable::build(&measurements, &BTreeMap::new(), Statistic::P50)
}

/// A region, or a zone of one behind a second slash.
fn at(table: &LatencyTable, place: &str) -> Option<LatencyPoint> {
    let mut parts = place.splitn(3, '/');
    let region = format!("{}/{}", parts.next()?, parts.next()?);
    table.locate(&RegionKey::parse(&region).ok()?, parts.next())
}

fn peers(calls: f64, places: Option<PeerPlaces>) -> PeerDemand {
    PeerDemand {
        peer: PeerUse {
            namespace: None,
            selector: LabelSelector::new(&[("app", "cart")]).expect("a selector"),
            calls: RequestsPerCall::new(calls).expect("a number"),
        },
        places,
    }
}

fn places(table: &LatencyTable, at_places: &[(&str, u32)], at_unknown: u32) -> PeerPlaces {
    PeerPlaces {
        at: at_places
            .iter()
            .map(|(place, pods)| (at(table, place).expect("a place of the table"), *pods))
            .collect(),
        at_unknown,
    }
}

#[test]
fn a_call_costs_the_mean_round_trip_over_the_pods_that_are_there() {
    let table = table();
    let of = |at_places, at_unknown| Some(places(&table, at_places, at_unknown));
    for (name, places, node, expected) in [
        ("one place", of(&[("w/b", 3)], 0), "w/a", Demanded::Known(10.0)),
        (
            "from the node, not to it",
            of(&[("w/a", 1)], 0),
            "w/b",
            Demanded::Known(12.0),
        ),
        (
            "weighted by pods",
            of(&[("w/b", 3), ("w/c", 1)], 0),
            "w/a",
            Demanded::Known(32.5),
        ),
        (
            "unknown places leave",
            of(&[("w/b", 1)], 9),
            "w/a",
            Demanded::Known(10.0),
        ),
        ("none runs", of(&[], 0), "w/a", Demanded::NotDemanded),
        ("nobody says", None, "w/a", Demanded::NotDemanded),
        ("all at unknown places", of(&[], 2), "w/a", Demanded::Unknown),
        (
            "a pair that nobody knows",
            of(&[("w/b", 5), ("w/x", 1)], 0),
            "w/a",
            Demanded::Unknown,
        ),
        (
            "a node nobody knows",
            of(&[("w/b", 1)], 0),
            "w/nowhere",
            Demanded::Unknown,
        ),
    ] {
        let leg = peers(1.0, places).leg(&table, at(&table, node));
        assert_eq!(leg.map(|leg| leg.ms), expected, "{name}");
    }
    let nothing = peers(0.0, of(&[("w/c", 1)], 0)).leg(&table, at(&table, "w/a"));
    assert_eq!(nothing, Demanded::NotDemanded, "no call is no demand");
}

#[test]
fn peers_of_one_zone_are_nearer_than_those_of_the_next_and_both_are_assumed() {
    let table = table();
    let demand = peers(1.0, Some(places(&table, &[("w/a/1", 1)], 0)));
    let [same, next, other] = ["w/a/1", "w/a/2", "w/b/1"].map(|node| {
        let leg = demand.leg(&table, at(&table, node)).known();
        leg.expect("a known way")
    });
    assert!(
        same.ms < next.ms && next.ms < other.ms,
        "{same:?} {next:?} {other:?}"
    );
    assert_eq!(
        (same.provenance, other.provenance),
        (Provenance::AssumedLocal, Provenance::Measured)
    );
}

#[test]
fn calls_add_to_what_else_is_demanded() {
    let table = table();
    let demand = AccessDemand {
        clients: vec![ClientDemand {
            point: at(&table, "w/a"),
            weight: 1.0,
        }],
        peers: vec![
            peers(3.0, Some(places(&table, &[("w/b", 2)], 0))),
            peers(0.5, Some(places(&table, &[("w/c", 1)], 0))),
            peers(7.0, Some(PeerPlaces::default())),
        ],
        ..AccessDemand::default()
    };
    let cost = access_cost(&table, &demand, at(&table, "w/b"));
    let way = |from, to| {
        let estimate = table.between(at(&table, from)?, at(&table, to)?);
        estimate.map(|estimate| estimate.latency.as_ms())
    };
    let inside = way("w/b", "w/b").expect("a way inside a region");
    let known = cost.total.known().expect("a known total").ms;
    let expected = 10.0 + 3.0 * inside + 0.5 * 95.0;
    assert!((known - expected).abs() < 1e-9, "{known} is not {expected}");
    assert_eq!(cost.peers.len(), 3);
    assert_eq!(cost.peers[2], Demanded::NotDemanded);
    assert_eq!(cost.total, total(&table, &demand, at(&table, "w/b")));
    let unknown = access_cost(&table, &demand, at(&table, "w/x")).total;
    assert_eq!(unknown, Demanded::Unknown);
}

proptest! {
    #[test]
    fn a_mean_lies_between_the_ways_and_an_unknown_place_never_scores_best(
        counts in prop::collection::vec(0..50_u32, 4),
        at_unknown in 0..3_u32,
        calls in 0.1..20.0_f64,
    ) {
        let table = table();
        let regions = ["w/a", "w/b", "w/c", "w/x"];
        let present: Vec<(&str, u32)> = regions
            .into_iter()
            .zip(counts)
            .filter(|(_, pods)| *pods > 0)
            .collect();
        let demand = AccessDemand {
            peers: vec![peers(calls, Some(places(&table, &present, at_unknown)))],
            ..AccessDemand::default()
        };
        let costs: Vec<_> = regions.map(|node| total(&table, &demand, at(&table, node))).into();
        for (node, cost) in regions.iter().zip(&costs) {
            let ways: Vec<Option<f64>> = present
                .iter()
                .map(|(place, _)| {
                    let estimate = table.between(at(&table, node)?, at(&table, place)?)?;
                    Some(estimate.latency.as_ms())
                })
                .collect();
            match cost {
                Demanded::NotDemanded => prop_assert!(present.is_empty() && at_unknown == 0),
                Demanded::Unknown => prop_assert!(ways.is_empty() || ways.contains(&None)),
                Demanded::Known(total) => {
                    let known: Vec<f64> = ways.iter().copied().flatten().collect();
                    prop_assert_eq!(known.len(), ways.len());
                    let least = known.iter().copied().fold(f64::INFINITY, f64::min);
                    let most = known.iter().copied().fold(0.0, f64::max);
                    let mean = total.ms / calls;
                    prop_assert!(least - 1e-9 <= mean && mean <= most + 1e-9, "{} {} {}", least, mean, most);
                    prop_assert!(!total.over_limit, "peers refuse nothing");
                }
            }
        }
        let scale = ScoreScale::new(costs.iter().copied(), costs.iter().copied());
        let best = costs.iter().map(|cost| scale.score(*cost)).max();
        for cost in &costs {
            if *cost == Demanded::Unknown && costs.iter().any(|cost| matches!(cost, Demanded::Known(_))) {
                prop_assert!(Some(scale.score(*cost)) < best);
            }
        }
    }
}
