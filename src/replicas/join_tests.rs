use super::*;
use crate::model::{
    ClaimKey, Classification, Consistency, CopyHealth, DataProfile, DataSetName, Members, NamespaceName,
    RegionReference, StatedAccess,
};

fn locality(place: &str) -> Locality {
    let (region, zone) = place
        .split_once('#')
        .map_or((place, None), |(region, zone)| (region, Some(zone)));
    Locality {
        cluster: None,
        region: RegionReference::parse(region).ok(),
        zone: zone.map(Arc::from),
    }
}

fn found(place: &str, role: Option<ReplicaRole>, is_believed: bool) -> Discovered {
    Discovered {
        locality: locality(place),
        role,
        copy: FoundCopy {
            claim: ClaimKey {
                namespace: NamespaceName::new("shop").expect("a name"),
                name: Arc::from(place),
            },
            volume: Arc::from("pv"),
            node: None,
            pod: None,
            held_by: Vec::new(),
            stateful_set: None,
            ordinal: None,
            health: CopyHealth::Unready,
            is_declared: false,
            is_believed,
        },
    }
}

/// `place role`, and `*` for what was found.
fn joined(declared: &[(&str, ReplicaRole)], found: &[Discovered]) -> Vec<String> {
    let data_set = DataSet {
        name: DataSetName::new("orders").expect("a name"),
        profile: DataProfile {
            classification: Classification::Internal,
            categories: Vec::new(),
            subjects: Vec::new(),
        },
        consistency: Consistency::Available,
        access: StatedAccess::default(),
        replicas: declared
            .iter()
            .map(|(place, role)| Replica::declared(locality(place), *role))
            .collect(),
        members: Members::default(),
        owner: None,
    };
    let place = |locality: &Locality| match locality.region.as_ref()? {
        RegionReference::Key(key) => Some((key.clone(), locality.zone.clone())),
        RegionReference::Bare(_) => None,
    };
    let found: Vec<Arc<Discovered>> = found.iter().cloned().map(Arc::new).collect();
    let joined = join(&data_set, &found, place)
        .replicas
        .into_iter()
        .map(|replica| {
            let region = replica.locality.region.as_ref().expect("a region");
            let zone = replica
                .locality
                .zone
                .as_deref()
                .map_or(String::new(), |zone| format!("#{zone}"));
            let mark = if replica.found.is_some() { "*" } else { "" };
            let rules = if replica.counts_for_rules() {
                ""
            } else {
                " unbelieved"
            };
            format!("{region}{zone} {}{mark}{rules}", replica.role.word())
        });
    joined.collect()
}

use ReplicaRole::{Leader, ReadOnly, Voter};

#[test]
fn a_copy_at_a_declared_place_is_the_declared_one_and_its_label_wins_where_it_is_believed() {
    let declared = [("a/r1", Leader), ("a/r2", Voter)];
    assert_eq!(joined(&declared, &[]), ["a/r1 leader", "a/r2 voter"]);
    let both = [found("a/r1#1", None, true), found("a/r2#2", None, true)];
    assert_eq!(joined(&declared, &both), ["a/r1#1 leader*", "a/r2#2 voter*"]);
    // Somebody failed over.
    let moved = [
        found("a/r1", Some(ReadOnly), true),
        found("a/r2", Some(Leader), true),
    ];
    assert_eq!(joined(&declared, &moved), ["a/r1 read-only*", "a/r2 leader*"]);
    let hearsay = [
        found("a/r1#9", Some(ReadOnly), false),
        found("a/r2", Some(Leader), false),
    ];
    assert_eq!(joined(&declared, &hearsay), ["a/r1 leader*", "a/r2 voter*"]);
}

#[test]
fn copies_of_one_region_pair_one_to_one_and_equal_roles_first() {
    let members = [
        found("a/r1#1", Some(ReadOnly), true),
        found("a/r1#2", Some(Leader), true),
        found("a/r1#3", Some(ReadOnly), true),
    ];
    assert_eq!(
        joined(&[("a/r1", Leader)], &members),
        ["a/r1#2 leader*", "a/r1#1 read-only*", "a/r1#3 read-only*"]
    );
    assert_eq!(
        joined(&[("a/r1#3", Leader), ("b/r1", Voter)], &members[..1]),
        ["a/r1#3 leader", "b/r1 voter", "a/r1#1 read-only*"],
        "another zone is another place"
    );
}

#[test]
fn a_copy_without_a_role_votes_where_nothing_leads_and_moves_no_majority_elsewhere() {
    let members = [found("a/r1", None, true), found("a/r2", None, false)];
    assert_eq!(joined(&[], &members), ["a/r1 voter*", "a/r2 voter* unbelieved"]);
    assert_eq!(
        joined(&[("c/r3", Leader)], &members),
        ["c/r3 leader", "a/r1 read-only*", "a/r2 read-only* unbelieved"]
    );
    let led = [found("a/r1", Some(Leader), true), found("a/r2", None, true)];
    assert_eq!(joined(&[], &led), ["a/r1 leader*", "a/r2 read-only*"]);
}
