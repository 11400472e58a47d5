//! A small world for tests: the shipped policies over nodes and namespaces of one's choice.

use std::sync::Arc;

use domicile::embedded;
use domicile::model::{
    ByName, Category, Classification, Country, Dimension, Fleet, Locality, Namespace, NamespaceName,
    NodeName, NodeRecord, PodRequirements, RegionReference, SourceAnnotations, StatedProfile, Statistic,
    Subject,
};
use domicile::policy::PolicySet;
use domicile::snapshot::{Inputs, RunningFacts, Snapshot};
use domicile::topology::{LatencyTable, parse_latency_csv};

/// What begins the shipped settings.
pub const SETTINGS: &str = "apiVersion: domicile.dev/v1alpha1\nkind: PolicySettings";

/// The same behind an exception: until the end of 2026 the namespace `shop` may run in London.
pub const EXCEPTION_AND_SETTINGS: &str = r#"apiVersion: domicile.dev/v1alpha1
kind: PlacementException
metadata: {name: ex-london}
spec:
  relaxes: {policy: eea-personal-data, rule: place}
  scope: {namespace: shop, locations: ["GB"], data: {categories: [personal], subjects: [group/EEA]}}
  category: waiver
  reason: a move to another vendor
  requestedBy: somebody@corp.example
  approvedBy: dpo@corp.example
  ticket: T-1
  notBefore: "2026-11-01"
  expires: "2026-12-31"
---
apiVersion: domicile.dev/v1alpha1
kind: PolicySettings"#;

/// An instant at which the shipped policies are in force.
pub const NOW: &str = "2026-11-21T12:00:00Z";

/// The shipped policies, with text replaced in the settings.
pub fn policies(replace: &[(&str, &str)]) -> PolicySet {
    policies_with("settings.yaml", replace)
}

/// The shipped policies, with text replaced in one file.
pub fn policies_with(file: &str, replace: &[(&str, &str)]) -> PolicySet {
    let files = embedded::policies().iter().map(|(name, text)| {
        let replaced = replace
            .iter()
            .filter(|_| *name == file)
            .fold((*text).to_owned(), |text, (from, to)| text.replace(from, to));
        ((*name).to_owned(), replaced)
    });
    let files: Vec<(String, String)> = files.collect();
    let loaded = PolicySet::load(files.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    loaded.expect("the shipped policies load").set
}

/// A fleet with so many nodes in each region; `-` is a node without any label. The namespace `shop` holds
/// personal data of Germany, `site` nothing governed, and `plain` says nothing.
pub fn fleet(regions: &[(&str, usize)]) -> Fleet {
    let mut nodes = ByName::new();
    for (region, count) in regions {
        for number in 0..*count {
            let name = format!("{}-{number}", region.replace('/', "-"));
            let reference = (*region != "-").then(|| RegionReference::parse(region).expect("a region"));
            let locality = Locality {
                region: reference,
                ..Locality::default()
            };
            nodes.insert(
                NodeName::new(&name).expect("a name"),
                NodeRecord {
                    locality,
                    ..NodeRecord::default()
                },
            );
        }
    }
    let germany = Subject::Country(Country::new("DE").expect("Germany"));
    let personal = SourceAnnotations {
        profile: StatedProfile {
            classifications: Some(vec![Classification::Confidential]),
            categories: Some(vec![Dimension::Is(Category::Personal)]),
            subjects: Some(vec![Dimension::Is(germany)]),
        },
        ..SourceAnnotations::default()
    };
    let nothing = SourceAnnotations {
        data: Some(domicile::model::StatedData::NoData),
        ..SourceAnnotations::default()
    };
    let namespaces = [
        ("shop", personal),
        ("site", nothing),
        ("plain", SourceAnnotations::default()),
    ];
    let namespaces = namespaces.map(|(name, annotations)| {
        (
            NamespaceName::new(name).expect("a name"),
            Namespace {
                annotations,
                ..Namespace::default()
            },
        )
    });
    Fleet {
        nodes,
        namespaces: Some(namespaces.into_iter().collect()),
        ..Fleet::default()
    }
}

/// A snapshot of a policy set over a fleet, with the shipped latencies and no data sets of its own.
pub fn snapshot(policies: PolicySet, fleet: Fleet) -> Snapshot {
    Snapshot::new(inputs(policies, fleet))
}

/// What such a snapshot is made from.
pub fn inputs(policies: PolicySet, fleet: Fleet) -> Inputs {
    let (name, text) = embedded::latency();
    let coordinates = policies.catalogue().coordinates();
    let measurements =
        parse_latency_csv(name, text, |_| None, &coordinates).expect("the shipped latencies load");
    let (name, text) = embedded::data_sets();
    let data_sets = domicile::policy::read_data_sets([(name, text)]).expect("the shipped data sets load");
    Inputs {
        fleet: Arc::new(fleet),
        fleet_version: "test".to_owned(),
        running: RunningFacts::default(),
        confirmed_until: None,
        data_sets: Arc::new(data_sets),
        data_sets_version: "shipped".to_owned(),
        latency: Arc::new(LatencyTable::build(&measurements, &coordinates, Statistic::P50)),
        policies: Arc::new(policies),
    }
}

/// A pod of a namespace that says nothing itself.
pub fn pod(namespace: &str) -> PodRequirements {
    let json = format!(r#"{{"metadata":{{"name":"p","namespace":"{namespace}","uid":"u"}},"spec":{{}}}}"#);
    domicile::objects::pod_from_json(json.as_bytes()).expect("a pod")
}
