use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::admission::Operator;
use crate::model::{NamespaceName, PodRequirements, Statistic};
use crate::objects::read_fleet;
use crate::placement::assess;
use crate::policy::PolicySet;
use crate::snapshot::{Inputs, RunningFacts};
use crate::topology::{LatencyTable, Measurements};

const SET: &str = r#"
apiVersion: domicile.dev/v1alpha1
kind: PolicySettings
metadata: {name: default}
spec: {mode: enforce, uncovered: deny, unlabelled: allow, exemptNamespaces: [], regionKey: REGION_KEY, teams: {t: [a@b.example]}}
---
apiVersion: domicile.dev/v1alpha1
kind: PlacementPolicy
metadata: {name: personal-data}
spec: {title: t, owner: {team: t, contact: a@b.example}, legalBasis: [{cite: c}], mode: enforce,
  appliesTo: {data: {categories: [personal]}}, rules: [{id: place, allowed: ["DE", "NL"]}]}
---
apiVersion: domicile.dev/v1alpha1
kind: PlacementPolicy
metadata: {name: card-data}
spec: {title: t, owner: {team: t, contact: a@b.example}, legalBasis: [{cite: c}], mode: enforce,
  appliesTo: {data: {categories: [payment]}},
  rules: [{id: place, allowed: [anywhere]}, {id: alone, required: {tenancy: [dedicated]}}]}
"#;

/// A region: provider, name, country, tenancy, and a zone with another tenancy.
type WrittenRegion = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Option<(&'static str, &'static str)>,
);

const REGIONS: [WrittenRegion; 6] = [
    (
        "aws",
        "eu-central-1",
        "DE",
        "shared",
        Some(("eu-central-1a", "dedicated")),
    ),
    ("aws", "us-west-1", "US", "shared", None),
    ("near", "us-west-1", "DE", "shared", None),
    (
        "azure",
        "westeurope",
        "NL",
        "dedicated",
        Some(("westeurope-1", "shared")),
    ),
    ("gcp", "europe-west3", "DE", "shared", None),
    ("gcp", "us-east1", "US", "shared", None),
];

const NODES: &str = r#"
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: shop, annotations: {domicile.dev/data-classification: confidential,
    domicile.dev/data-categories: personal, domicile.dev/data-subjects: DE}}}
- {apiVersion: v1, kind: Namespace, metadata: {name: cards, annotations: {domicile.dev/data-classification: confidential,
    domicile.dev/data-categories: payment, domicile.dev/data-subjects: none}}}
- {apiVersion: v1, kind: Namespace, metadata: {name: secret, annotations: {domicile.dev/data-classification: restricted,
    domicile.dev/data-categories: personal, domicile.dev/data-subjects: DE}}}
- {apiVersion: v1, kind: Namespace, metadata: {name: nobody, annotations: {domicile.dev/data-classification: confidential}}}
- {apiVersion: v1, kind: Namespace, metadata: {name: site, annotations: {domicile.dev/data: none}}}
"#;

fn node(provider_id: &str, labels: &str) -> String {
    format!(
        "- {{apiVersion: v1, kind: Node, metadata: {{name: n{}, labels: {{{labels}}}}}, spec: {{providerID: '{provider_id}'}}}}\n",
        provider_id.len() + labels.len() * 100
    )
}

fn snapshot(region_key: &str, nodes: &[String]) -> Snapshot {
    let regions: Vec<String> = REGIONS
        .iter()
        .map(|(provider, region, country, tenancy, zone)| {
            let zones = zone.map_or_else(String::new, |(zone, tenancy)| {
                format!("zones: {{{zone}: {{tenancy: {tenancy}}}}}, ")
            });
            format!(
                "---\napiVersion: domicile.dev/v1alpha1\nkind: Region\nmetadata: {{name: {provider}.{region}}}\n\
                 spec: {{provider: {provider}, region: {region}, country: \"{country}\", tenancy: {tenancy}, {zones}\
                 source: {{cite: c, asOf: \"2026-01-01\"}}}}\n"
            )
        })
        .collect();
    let set = SET.replace("REGION_KEY", region_key);
    let loaded = PolicySet::load([
        ("set.yaml", set.as_str()),
        ("regions.yaml", regions.concat().as_str()),
    ]);
    let policies = loaded.expect("a good set").set;
    let fleet = read_fleet(&format!("{NODES}{}", nodes.concat()), "fleet.yaml").expect("a good fleet");
    Snapshot::new(Inputs {
        fleet: Arc::new(fleet.fleet),
        fleet_version: "1".to_owned(),
        running: RunningFacts::default(),
        confirmed_until: None,
        policies: Arc::new(policies),
        data_sets: Arc::default(),
        data_sets_version: "1".to_owned(),
        latency: Arc::new(LatencyTable::build(
            &Measurements::default(),
            &BTreeMap::new(),
            Statistic::P50,
        )),
    })
}

/// The terms for a pod of a namespace, one to a line.
fn told(snapshot: &Snapshot, namespace: &str, growth: Growth) -> Vec<String> {
    let pod = PodRequirements::imagined(NamespaceName::new(namespace).expect("a name"));
    let assessment = assess(snapshot, &pod, Timestamp::UNIX_EPOCH);
    let confined = match permitted(&assessment, growth) {
        PermittedPlaces::Everywhere => return vec!["everywhere".to_owned()],
        PermittedPlaces::Nowhere => return vec!["nowhere".to_owned()],
        PermittedPlaces::Only(confined) => confined,
    };
    let expression = |of: &crate::admission::Expression| {
        let key = match of.key.as_str() {
            "topology.kubernetes.io/region" => "region",
            "topology.kubernetes.io/zone" => "zone",
            "failure-domain.beta.kubernetes.io/region" => "old-region",
            "failure-domain.beta.kubernetes.io/zone" => "old-zone",
            "domicile.dev/provider" => "provider",
            "domicile.node-restriction.kubernetes.io/region" => "confirmed",
            other => other,
        };
        let operator = match of.operator {
            Operator::In => "=",
            Operator::NotIn => "!=",
            Operator::Exists => " is there",
            Operator::DoesNotExist => " is not there",
            Operator::Gt | Operator::Lt => "?",
        };
        format!("{key}{operator}{}", of.values.join("|"))
    };
    let term = |term: &Term| {
        let expressions: Vec<String> = term.expressions.iter().map(expression).collect();
        expressions.join(" & ")
    };
    confined.terms().iter().map(term).collect()
}

#[test]
fn regions_are_named_as_clouds_label_them_and_a_shared_name_by_who_has_it_not() {
    let world = snapshot("topology", &[]);
    assert_eq!(
        told(&world, "shop", Growth::Catalogue),
        [
            "region=eu-central-1|europe-west3|westeurope",
            // Two providers share the name: the label of the other one keeps its nodes out, where it is there.
            "region=us-west-1 & provider!=aws",
        ]
    );
    assert_eq!(told(&world, "site", Growth::Catalogue), ["everywhere"]);
    assert_eq!(told(&world, "nobody", Growth::Catalogue), ["nowhere"]);
}

#[test]
fn zones_are_named_only_where_they_differ_from_their_region() {
    let world = snapshot("topology", &[]);
    assert_eq!(
        told(&world, "cards", Growth::Catalogue),
        [
            "region=westeurope & zone!=westeurope-1",
            "region=eu-central-1 & zone=eu-central-1a",
        ]
    );
}

#[test]
fn lists_keep_to_the_providers_of_a_fleet_whose_places_are_all_known() {
    let aws = node(
        "aws:///eu-central-1a/i-1",
        "topology.kubernetes.io/region: eu-central-1",
    );
    let gcp = node("gce://p/us-east1-b/n", "topology.kubernetes.io/region: us-east1");
    let lost = node("aws:///eu-central-1a/i-12", "");
    let all = [
        "region=eu-central-1|europe-west3|westeurope",
        "region=us-west-1 & provider!=aws",
    ];
    let of = |nodes: &[String]| told(&snapshot("topology", nodes), "shop", Growth::ProvidersOfFleet);
    assert_eq!(of(std::slice::from_ref(&aws)), ["region=eu-central-1"]);
    assert_eq!(of(&[aws.clone(), gcp]), ["region=eu-central-1|europe-west3"]);
    assert_eq!(
        of(&[aws.clone(), lost]),
        all,
        "a node of which nobody knows where it is"
    );
    assert_eq!(of(&[]), all);
    let elsewhere = told(&snapshot("topology", &[aws]), "cards", Growth::Catalogue);
    assert_eq!(elsewhere.len(), 2, "the setting that does not keep to them");
    let only_us = node(
        "near-us://x",
        "topology.kubernetes.io/region: us-west-1, domicile.dev/provider: near",
    );
    assert_eq!(of(&[only_us]), ["region=us-west-1 & provider!=aws"]);
}

#[test]
fn a_provider_id_may_say_what_no_label_does() {
    let world = snapshot("provider-id", &[]);
    assert_eq!(
        told(&world, "shop", Growth::Catalogue),
        [
            // Azure writes no region into providerIDs, so no node of its is known.
            "region=eu-central-1|europe-west3",
            "region is not there & provider!=azure|near",
        ]
    );
    assert_eq!(
        told(&world, "cards", Growth::Catalogue),
        [
            "region=eu-central-1 & zone=eu-central-1a",
            "region is not there & provider!=azure|gcp|near & zone=eu-central-1a",
        ]
    );
}

#[test]
fn where_a_region_must_be_confirmed_so_must_the_label() {
    let key = "{nodeRestriction: domicile.node-restriction.kubernetes.io/region, from: restricted}";
    let world = snapshot(key, &[]);
    assert_eq!(
        told(&world, "secret", Growth::Catalogue),
        [
            "region=eu-central-1|europe-west3|westeurope & confirmed=eu-central-1|europe-west3|westeurope",
            "region=us-west-1 & confirmed=us-west-1 & provider!=aws",
        ]
    );
    assert_eq!(told(&world, "shop", Growth::Catalogue).len(), 2);
    assert!(
        !told(&world, "shop", Growth::Catalogue)
            .concat()
            .contains("confirmed")
    );
}

#[test]
fn old_labels_count_where_a_node_has_no_others() {
    let old = node(
        "aws:///eu-central-1a/i-1",
        "failure-domain.beta.kubernetes.io/region: eu-central-1",
    );
    let world = snapshot("topology", &[old]);
    assert_eq!(
        told(&world, "shop", Growth::ProvidersOfFleet),
        ["region=eu-central-1", "old-region=eu-central-1"]
    );
    assert_eq!(
        told(&world, "cards", Growth::Catalogue),
        [
            "region=westeurope & zone is there & zone!=westeurope-1",
            "region=westeurope & zone is not there & old-zone!=westeurope-1",
            "old-region=westeurope & zone is there & zone!=westeurope-1",
            "old-region=westeurope & zone is not there & old-zone!=westeurope-1",
            "region=eu-central-1 & zone=eu-central-1a",
            "region=eu-central-1 & old-zone=eu-central-1a",
            "old-region=eu-central-1 & zone=eu-central-1a",
            "old-region=eu-central-1 & old-zone=eu-central-1a",
        ]
    );
}

#[test]
fn only_what_a_label_can_say_is_a_value() {
    for (text, is_value) in [
        ("eu-central-1", true),
        ("a.b_c", true),
        ("1", true),
        ("", false),
        ("-a", false),
        ("a-", false),
        ("a b", false),
        ("a/b", false),
    ] {
        assert_eq!(is_label_value(text), is_value, "{text}");
    }
    assert!(is_label_value(&"a".repeat(63)) && !is_label_value(&"a".repeat(64)));
}
