//! What keeps accesses from places: consistency, roles and partitions; limits; measured latency.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::ReplicaRole::{Leader, ReadOnly, Voter, Witness};
use crate::model::{DataSetName, RegionKey, ReplicaRole, StatedAccess, StatedReads, StatedWrites, Statistic};
use crate::placement::demand::{ClientDemand, ReplicaPoint};
use crate::topology::{MeasuredPlace, parse_latency_csv};

/// Five places, each 10 ms from the next: `a` to `e` 40 ms.
const PLACES: [&str; 5] = ["w/a", "w/b", "w/c", "w/d", "w/e"];

fn place(text: &str) -> MeasuredPlace {
    MeasuredPlace::parse(text).expect("a place")
}

/// The places with these pairs of letters cut off from each other, both ways, and these not measured.
fn table(cut: &[&str], unknown: &[&str]) -> LatencyTable {
    let mut text = "from,to,rtt_ms\n".to_owned();
    let letter = |index: usize| PLACES[index].trim_start_matches("w/");
    let holds = |pairs: &[&str], one: usize, other: usize| {
        pairs.contains(&format!("{}{}", letter(one), letter(other)).as_str())
    };
    let pairs = || (0..PLACES.len()).flat_map(|one| (one + 1..PLACES.len()).map(move |other| (one, other)));
    for (one, other) in pairs().filter(|(one, other)| !holds(unknown, *one, *other)) {
        text += &format!("{},{},{}\n", PLACES[one], PLACES[other], 10 * (other - one));
    }
    let mut measurements = parse_latency_csv("t", &text, |_| None, &BTreeMap::new()).expect("a good file");
    for (one, other) in pairs().filter(|(one, other)| holds(cut, *one, *other)) {
        measurements.set_unreachable(place(PLACES[one]), place(PLACES[other]));
        measurements.set_unreachable(place(PLACES[other]), place(PLACES[one]));
    }
    LatencyTable::build(&measurements, &BTreeMap::new(), Statistic::P50)
}

fn at(table: &LatencyTable, region: &str) -> Option<LatencyPoint> {
    table.locate(&RegionKey::parse(region).expect("a key"), None)
}

/// A data set that is read and written once for each request.
fn demand(
    table: &LatencyTable,
    (consistency, stated): (Consistency, StatedAccess),
    replicas: &[(&str, ReplicaRole)],
) -> AccessDemand {
    let points = replicas.iter().map(|(region, role)| ReplicaPoint {
        point: at(table, region),
        role: *role,
        is_ready: true,
        commit: None,
    });
    let data_set = DataSetDemand {
        name: DataSetName::new("orders").expect("a name"),
        consistency,
        paths: stated.paths(consistency, replicas.iter().map(|(_, role)| *role)),
        reads: 1.0,
        writes: 1.0,
        replicas: points.collect(),
        permitted: None,
    };
    AccessDemand {
        data_sets: vec![data_set.with_commits(table)],
        ..AccessDemand::default()
    }
}

fn kinds(table: &LatencyTable, demand: &AccessDemand, node: &str) -> Vec<(ObstacleKind, AccessOf)> {
    let found = obstacles(table, demand, at(table, node), false);
    found
        .into_iter()
        .map(|found| (found.kind, found.access))
        .collect()
}

const LED: [(&str, ReplicaRole); 4] = [("w/a", Leader), ("w/b", Voter), ("w/c", Voter), ("w/d", ReadOnly)];
const LEADERLESS: [(&str, ReplicaRole); 4] = [
    ("w/a", Voter),
    ("w/b", Voter),
    ("w/c", Witness),
    ("w/d", ReadOnly),
];
const LONELY: [(&str, ReplicaRole); 1] = [("w/a", Leader)];

/// Whether a place can read and write, by consistency, roles and what is cut.
#[test]
fn a_partition_takes_what_an_access_needs() {
    use Consistency::{Available, Strict};
    let stated = StatedAccess::default();
    let by_leader = StatedAccess {
        reads: Some(StatedReads::Leader),
        writes: Some(StatedWrites::Leader),
    };
    let by_quorum = StatedAccess {
        reads: Some(StatedReads::Quorum(None)),
        writes: Some(StatedWrites::Quorum(None)),
    };
    // (consistency, what is stated, replicas, what is cut, the place, can it read, can it write)
    for (consistency, stated, replicas, cut, node, reads, writes) in [
        // Nothing is cut.
        (Strict, stated, &LED[..], &[][..], "w/e", true, true),
        // The leader is cut off from the place, and still has its majority.
        (Strict, stated, &LED, &["ae"], "w/e", false, false),
        (Available, stated, &LED, &["ae"], "w/e", true, false),
        (Strict, stated, &LED, &["ae"], "w/d", true, true),
        // One follower of two is cut off from the leader: the other makes the majority.
        (Strict, stated, &LED, &["ab"], "w/e", true, true),
        // The leader is alone: no strict read and no write anywhere, not even beside it.
        (Strict, stated, &LED, &["ab", "ac"], "w/a", false, false),
        (Strict, stated, &LED, &["ab", "ac"], "w/e", false, false),
        (Available, stated, &LED, &["ab", "ac"], "w/e", true, false),
        // A leader that need not be up to date answers reads alone.
        (Available, by_leader, &LED, &["ab", "ac"], "w/e", true, false),
        // Whoever reads anything, as long as anything is there.
        (Available, stated, &LED, &["ae", "be", "ce"], "w/e", true, false),
        (
            Available,
            stated,
            &LED,
            &["ae", "be", "ce", "de"],
            "w/e",
            false,
            false,
        ),
        // Without a leader two voters of three: a witness counts for a write and not for a read.
        (Strict, stated, &LEADERLESS, &[], "w/e", true, true),
        (Strict, stated, &LEADERLESS, &["ce"], "w/e", true, true),
        (Strict, stated, &LEADERLESS, &["be"], "w/e", false, true),
        (Strict, stated, &LEADERLESS, &["be", "ce"], "w/e", false, false),
        (Available, stated, &LEADERLESS, &["be", "ce"], "w/e", true, false),
        // What the voters are to each other is nothing to whoever asks each of them.
        (
            Strict,
            stated,
            &LEADERLESS,
            &["ab", "ac", "bc"],
            "w/e",
            true,
            true,
        ),
        // A quorum where there is a leader.
        (Strict, by_quorum, &LED, &["ae"], "w/e", true, true),
        (Strict, by_quorum, &LED, &["ae", "be"], "w/e", false, false),
        // One voter is its own majority.
        (Strict, stated, &LONELY, &["be"], "w/e", true, true),
        (Strict, stated, &LONELY, &["ae"], "w/e", false, false),
    ] {
        let table = table(cut, &[]);
        let demand = demand(&table, (consistency, stated), replicas);
        let expected: Vec<_> = [(!reads, AccessOf::Read(0)), (!writes, AccessOf::Write(0))]
            .into_iter()
            .filter_map(|(is_cut, access)| is_cut.then_some((ObstacleKind::Unreachable, access)))
            .collect();
        assert_eq!(
            kinds(&table, &demand, node),
            expected,
            "{consistency:?} {stated:?} {replicas:?} without {cut:?} at {node}"
        );
        let cost = super::super::cost::total(&table, &demand, at(&table, node));
        assert_eq!(cost == Demanded::Unknown, !reads || !writes, "{cost:?}");
    }
}

#[test]
fn what_is_unknown_is_not_cut_off() {
    let unknown = ["ae", "be", "ce", "de"];
    let table = table(&[], &unknown);
    let demand = demand(&table, (Consistency::Strict, StatedAccess::default()), &LED);
    assert_eq!(kinds(&table, &demand, "w/e"), []);
    // A data set that nobody declared, and one that has nobody to answer.
    for replicas in [&[][..], &[("w/a", Witness)]] {
        let demand = self::demand(&table, (Consistency::Strict, StatedAccess::default()), replicas);
        assert_eq!(kinds(&table, &demand, "w/a"), []);
    }
}

#[test]
fn a_limit_refuses_where_an_access_surely_takes_longer() {
    use ObstacleKind::OverLimit;
    let check = |unknown: &[&str], node: &str, limits: (f64, f64), expected: &[AccessOf]| {
        let table = table(&[], unknown);
        let mut demand = demand(&table, (Consistency::Available, StatedAccess::default()), &LED);
        (demand.max_read_ms, demand.max_write_ms) = (Some(limits.0), Some(limits.1));
        let expected: Vec<_> = expected.iter().map(|access| (OverLimit, *access)).collect();
        assert_eq!(
            kinds(&table, &demand, node),
            expected,
            "{unknown:?} {node} {limits:?}"
        );
    };
    // Reads from d in 10 ms; writes to a in 40 ms with 10 ms to commit.
    check(&[], "w/e", (10.0, 50.0), &[]);
    check(&[], "w/e", (9.0, 50.0), &[AccessOf::Read(0)]);
    check(&[], "w/e", (10.0, 49.0), &[AccessOf::Write(0)]);
    // What is not measured may be anything, and so may an access that has a choice of it.
    check(&["de"], "w/e", (9.0, 50.0), &[]);
    check(&["ae"], "w/e", (10.0, 9.0), &[AccessOf::Write(0)]);
    check(&["ae"], "w/e", (10.0, 10.0), &[]);
    check(&["ab"], "w/e", (10.0, 40.0), &[]);
    check(&["ab"], "w/e", (10.0, 39.0), &[AccessOf::Write(0)]);
}

#[test]
fn measured_latency_is_demanded_of_every_access() {
    use ObstacleKind::Unmeasured;
    let check = |unknown: &[&str], node: &str, expected: &[AccessOf]| {
        let table = table(&[], unknown);
        let mut demand = demand(&table, (Consistency::Available, StatedAccess::default()), &LED);
        demand.clients = vec![ClientDemand {
            point: at(&table, "w/c"),
            weight: 1.0,
        }];
        let found = obstacles(&table, &demand, at(&table, node), true);
        let expected: Vec<_> = expected
            .iter()
            .map(|access| Obstacle {
                kind: Unmeasured,
                access: *access,
            })
            .collect();
        assert_eq!(found, expected, "{unknown:?} {node}");
    };
    check(&[], "w/e", &[]);
    check(&[], "w/c", &[]);
    check(&["ce"], "w/e", &[AccessOf::Clients]);
    // Another replica is measured, and one that is measured makes the majority.
    check(&["de"], "w/e", &[]);
    check(&["ab"], "w/e", &[]);
    check(&["ae"], "w/e", &[AccessOf::Write(0)]);
    check(&["ab", "ac"], "w/a", &[AccessOf::Clients, AccessOf::Write(0)]);
    check(
        &["de", "ce", "be", "ae"],
        "w/e",
        &[AccessOf::Clients, AccessOf::Read(0), AccessOf::Write(0)],
    );
    check(
        &[],
        "w/moon",
        &[AccessOf::Clients, AccessOf::Read(0), AccessOf::Write(0)],
    );
}

#[test]
fn every_obstacle_has_a_sentence_of_the_pod_alone() {
    let table = table(&[], &[]);
    let said = |consistency, stated, replicas: &[_], kind, access| {
        let mut demand = demand(&table, (consistency, stated), replicas);
        (demand.max_read_ms, demand.max_write_ms) = (Some(10.0), Some(2.5));
        Obstacle { kind, access }.in_words(&demand)
    };
    let (read, write) = (AccessOf::Read(0), AccessOf::Write(0));
    let stated = StatedAccess::default();
    let by_leader = StatedAccess {
        reads: Some(StatedReads::Leader),
        ..stated
    };
    for (consistency, stated, replicas, kind, access, expected) in [
        (
            Consistency::Strict,
            stated,
            &LED[..],
            ObstacleKind::OverLimit,
            read,
            "a read of `orders` takes longer than the `10` ms of `domicile.dev/max-read-ms`",
        ),
        (
            Consistency::Strict,
            stated,
            &LED,
            ObstacleKind::OverLimit,
            write,
            "a write of `orders` takes longer than the `2.5` ms of `domicile.dev/max-write-ms`",
        ),
        (
            Consistency::Strict,
            stated,
            &LED,
            ObstacleKind::Unreachable,
            read,
            "no leader of `orders` that reaches a majority of its voters is within reach",
        ),
        (
            Consistency::Strict,
            stated,
            &LED,
            ObstacleKind::Unreachable,
            write,
            "no leader of `orders` that reaches a majority of its voters is within reach",
        ),
        (
            Consistency::Available,
            by_leader,
            &LED,
            ObstacleKind::Unreachable,
            read,
            "no leader of `orders` is within reach",
        ),
        (
            Consistency::Available,
            stated,
            &LED,
            ObstacleKind::Unreachable,
            read,
            "no replica of `orders` that can be read is within reach",
        ),
        (
            Consistency::Strict,
            stated,
            &LEADERLESS,
            ObstacleKind::Unreachable,
            read,
            "no quorum of `orders` for a read is within reach",
        ),
        (
            Consistency::Strict,
            stated,
            &LEADERLESS,
            ObstacleKind::Unreachable,
            write,
            "no quorum of `orders` for a write is within reach",
        ),
        (
            Consistency::Strict,
            stated,
            &LED,
            ObstacleKind::Unmeasured,
            read,
            "the settings demand measured latency and a read of `orders` has none",
        ),
        (
            Consistency::Strict,
            stated,
            &LED,
            ObstacleKind::Unmeasured,
            AccessOf::Clients,
            "the settings demand measured latency and the way from the clients has none",
        ),
    ] {
        assert_eq!(said(consistency, stated, replicas, kind, access), expected);
        assert!(!expected.contains(", ") && !expected.ends_with('.'));
    }
}

proptest! {
    /// Cutting one more pair never permits a place; with measured latency demanded, neither does one that is
    /// no longer measured.
    #[test]
    fn less_reach_and_less_knowledge_permit_no_place(
        roles in prop::collection::vec((0..PLACES.len(), prop::sample::select(&[Leader, Voter, ReadOnly, Witness][..])), 0..5),
        strict in prop::bool::ANY,
        cut in prop::collection::vec(prop::sample::select(&["ab", "ac", "ae", "bc", "bd", "ce", "de"][..]), 0..4),
        more in prop::sample::select(&["ab", "ac", "ad", "be", "cd", "ce", "de"][..]),
        limit_ms in prop::sample::select(&[5.0, 15.0, 35.0][..]),
    ) {
        let replicas: Vec<_> = roles.iter().map(|(place, role)| (PLACES[*place], *role)).collect();
        let consistency = if strict { Consistency::Strict } else { Consistency::Available };
        let refused = |table: &LatencyTable, node: &str, require_measured: bool| {
            let mut demand = demand(table, (consistency, StatedAccess::default()), &replicas);
            (demand.max_read_ms, demand.max_write_ms) = (Some(limit_ms), Some(2.0 * limit_ms));
            !obstacles(table, &demand, at(table, node), require_measured).is_empty()
        };
        let with_more: Vec<&str> = cut.iter().copied().chain([more]).collect();
        let (before, after, forgotten) = (table(&cut, &[]), table(&with_more, &[]), table(&cut, &[more]));
        for node in PLACES {
            prop_assert!(!refused(&before, node, false) || refused(&after, node, false), "{node}");
            prop_assert!(!refused(&before, node, true) || refused(&forgotten, node, true), "{node}");
        }
    }
}
