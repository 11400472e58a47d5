use proptest::prelude::*;

use super::*;
use crate::model::{
    ClaimKey, CopyHealth, FoundCopy, NamespaceName, NodeRecord, Owner, RegionReference, ReplicaRole,
    Statistic,
};
use crate::policy::PlaceIndex;
use crate::topology::parse_latency_csv;

/// `region/zone`, `region`, or nowhere.
fn locality(place: &str) -> Locality {
    let (region, zone) = place
        .split_once('/')
        .map_or((place, None), |(region, zone)| (region, Some(zone)));
    Locality {
        cluster: None,
        region: (!region.is_empty())
            .then(|| RegionReference::parse(&format!("w/{region}")).expect("a region")),
        zone: zone.map(Arc::from),
    }
}

fn class(place: &str) -> NodeClass {
    let locality = locality(place);
    NodeClass {
        region: locality
            .region
            .as_ref()
            .map(|region| RegionKey::parse(&region.to_string()).expect("a key")),
        record: NodeRecord {
            locality,
            ..NodeRecord::default()
        },
        place: PlaceIndex::UNKNOWN,
        region_is_confirmed: false,
        point: None,
        nodes: 1,
    }
}

fn domain_at(place: &str) -> Domain {
    let class = class(place);
    Domain {
        region: class.region.expect("a region"),
        zone: class.record.locality.zone,
    }
}

fn member_of(data_sets: &[(&str, &[&str])]) -> Membership {
    let copies = data_sets.iter().map(|(name, places)| {
        let domains = places.iter().map(|place| domain_at(place));
        (DataSetName::new(name).expect("a name"), domains.collect())
    });
    Membership {
        copies: copies.collect(),
        clones: Vec::new(),
    }
}

fn known(ms: f64) -> Demanded<Total> {
    Demanded::Known(Total {
        ms,
        over_limit: false,
        lacks_commit: false,
    })
}

#[test]
fn copies_crowd_the_zone_that_they_are_in_and_the_region_where_a_zone_is_not_known() {
    for (copies, place, expected) in [
        (&["a/1", "a/2"][..], "a/1", 1),
        (&["a/1", "a/1"], "a/1", 2),
        (&["a/1"], "a/2", 0),
        (&["a/1"], "b/1", 0),
        (&["a"], "a/2", 1),
        (&["a/1", "a/2", "b/1"], "a", 2),
        (&["a/1"], "", 0),
        (&[], "a/1", 0),
    ] {
        let member = member_of(&[("orders", copies)]);
        let found = member
            .crowding(&class(place))
            .map_or(0, |crowding| crowding.copies);
        assert_eq!(found, expected, "{copies:?} at {place}");
    }
}

#[test]
fn of_several_data_sets_the_one_with_the_most_copies_there_counts() {
    let member = member_of(&[
        ("carts", &["a/1"]),
        ("orders", &["a/1", "a/1"]),
        ("users", &["a/1", "a/1"]),
    ]);
    let crowding = member.crowding(&class("a/1")).expect("copies are there");
    assert_eq!((crowding.data_set.as_str(), crowding.copies), ("orders", 2));
    assert!((crowding.ms() - 2.0 * SPREAD_MS).abs() < f64::EPSILON);
}

#[test]
fn what_members_prefer_adds_to_what_is_known_and_makes_nothing_known() {
    let member = member_of(&[("orders", &["a/1"])]);
    for (cost, place, expected) in [
        (known(2.0), "a/1", known(2.0 + SPREAD_MS)),
        (known(2.0), "a/2", known(2.0)),
        (Demanded::NotDemanded, "a/1", known(SPREAD_MS)),
        (Demanded::NotDemanded, "a/2", known(0.0)),
        (Demanded::Unknown, "a/1", Demanded::Unknown),
        (Demanded::Unknown, "a/2", Demanded::Unknown),
        (Demanded::NotDemanded, "", Demanded::Unknown),
        (known(2.0), "", Demanded::Unknown),
    ] {
        assert_eq!(
            member.preferring(cost, &class(place)),
            expected,
            "{cost:?} at {place}"
        );
    }
    let over = Total {
        ms: 1.0,
        over_limit: true,
        lacks_commit: true,
    };
    let preferred = member.preferring(Demanded::Known(over), &class("a/1")).known();
    assert_eq!(
        preferred.map(|total| (total.over_limit, total.lacks_commit)),
        Some((true, true))
    );
}

/// A pod of the controller `db`, and the copy that it holds.
fn copy(namespace: &str, pod: Option<&str>, ordinal: Option<u32>) -> Replica {
    let key = ClaimKey {
        namespace: NamespaceName::new(namespace).expect("a name"),
        name: Arc::from("data"),
    };
    Replica {
        locality: locality("a/1"),
        role: ReplicaRole::Voter,
        found: Some(Arc::new(FoundCopy {
            claim: key,
            volume: Arc::from("pv"),
            node: None,
            pod: pod.map(Arc::from),
            held_by: Vec::new(),
            stateful_set: None,
            ordinal,
            health: CopyHealth::Ready,
            is_declared: false,
            is_believed: true,
        })),
    }
}

#[test]
fn a_member_clones_from_the_greatest_number_below_its_own_of_its_own_controller() {
    let held = |pod: &str, ordinal| copy("shop", Some(pod), Some(ordinal));
    let declared = Replica::declared(locality("b"), ReplicaRole::Leader);
    for (name, replicas, expected) in [
        (
            "its predecessor",
            vec![held("db-0", 0), held("db-2", 2), held("db-1", 1)],
            Some("db-2"),
        ),
        ("a gap", vec![held("db-0", 0), held("db-1", 1)], Some("db-1")),
        ("none below", vec![held("db-3", 3), held("db-4", 4)], None),
        (
            "of another controller",
            vec![held("web-0", 0), held("db-old-1", 1)],
            None,
        ),
        (
            "of another namespace",
            vec![copy("other", Some("db-2"), Some(2))],
            None,
        ),
        ("that nobody holds", vec![copy("shop", None, None)], None),
        ("that is only declared", vec![declared], None),
    ] {
        let mut pod = PodRequirements::imagined(NamespaceName::new("shop").expect("a name"));
        pod.name = "db-3".to_owned();
        pod.owner = Some(Owner {
            kind: "StatefulSet".to_owned(),
            name: "db".to_owned(),
        });
        let source = predecessor(&replicas, (&pod, "db", 3));
        let source = source.and_then(|replica| replica.found.as_ref()?.pod.as_deref());
        assert_eq!(source, expected, "{name}");
    }
}

#[test]
fn cloning_costs_the_way_to_the_copy_and_draws_nowhere_where_nobody_knows_where_it_is() {
    let text = "from,to,rtt_ms\nw/a,w/b,10\nw/c,w/d,1\n";
    let measurements =
        parse_latency_csv("t", text, |_| None, &std::collections::BTreeMap::new()).expect("a good file");
    let table = LatencyTable::build(&measurements, &std::collections::BTreeMap::new(), Statistic::P50);
    let at = |region: &str| table.locate(&RegionKey::parse(region).expect("a key"), None);
    let clone = |source: &str| CloneDemand {
        data_set: DataSetName::new("orders").expect("a name"),
        pod: Arc::from("db-0"),
        locality: locality(""),
        point: at(source),
    };
    let ms = |source: &str, node: &str| clone(source).leg(&table, at(node)).map(|leg| leg.ms);
    assert_eq!(ms("w/b", "w/a"), Demanded::Known(10.0));
    assert_eq!(ms("w/moon", "w/a"), Demanded::NotDemanded);
    assert_eq!(ms("w/b", "w/moon"), Demanded::Unknown);
    assert_eq!(ms("w/b", "w/c"), Demanded::Unknown);
}

proptest! {
    /// A nearer place wins by more than 5 ms for each copy that it has more of, and only then.
    #[test]
    fn a_copy_in_the_same_failure_domain_counts_as_5_ms(
        copies in prop::collection::vec(prop::sample::select(vec!["a/1", "a/2", "b/1", "b"]), 0..6),
        costs in prop::array::uniform2(0_u32..60),
        places in prop::array::uniform2(prop::sample::select(vec!["a/1", "a/2", "b/1", "b/2", "c/1"])),
    ) {
        let member = member_of(&[("orders", &copies)]);
        let crowd = |place: &str| {
            let shares = |copy: &&&str| **copy == place || (**copy == "b" && place.starts_with("b/"));
            copies.iter().filter(shares).count() as u32
        };
        let counted = |index: usize| {
            let cost = member.preferring(known(f64::from(costs[index])), &class(places[index]));
            cost.known().map_or(f64::NAN, |total| total.ms)
        };
        let expected = |index: usize| costs[index] + 5 * crowd(places[index]);
        prop_assert_eq!(
            counted(0).partial_cmp(&counted(1)),
            Some(expected(0).cmp(&expected(1))),
            "{:?} at {:?} beside {:?}", costs, places, copies
        );
    }
}
