//! A thousand equal nodes in thirty zones of the EEA, further ones elsewhere, and data of which each region has a copy.

use std::collections::BTreeMap;

use crate::objects::Node;

pub const NODES: usize = 1_000;
/// Where no governed pod may run, and no copy of the data is.
pub const FARTHER_NODES: usize = 99;
const ZONES: [&str; 3] = ["a", "b", "c"];

/// In the EEA, by provider.
const REGIONS: [(&str, &str); 10] = [
    ("aws", "eu-central-1"),
    ("aws", "eu-north-1"),
    ("aws", "eu-south-1"),
    ("aws", "eu-west-1"),
    ("aws", "eu-west-3"),
    ("gce", "europe-central2"),
    ("gce", "europe-west1"),
    ("gce", "europe-west3"),
    ("gce", "europe-west4"),
    ("gce", "europe-west9"),
];

/// A copy in each of the regions, so that no node has a longer way to read than another.
pub fn data_sets() -> String {
    let mut text =
        "apiVersion: domicile.dev/v1alpha1\nkind: DataSet\nmetadata: {name: everywhere}\nspec:\n  \
         version: \"1\"\n  profile: {classification: public, categories: [none], subjects: [none]}\n  \
         consistency: available\n  owner: shop\n  replicas:\n"
            .to_owned();
    for (number, (provider, region)) in REGIONS.into_iter().enumerate() {
        let provider = if provider == "gce" { "gcp" } else { provider };
        let role = if number == 0 { "leader" } else { "read-only" };
        text.push_str(&format!("    - {{region: {provider}/{region}, role: {role}}}\n"));
    }
    text
}

fn node(provider: &str, region: &str, number: usize, letter: &str) -> Node {
    let zone = match provider {
        "gce" => format!("{region}-{letter}"),
        _ => format!("{region}{letter}"),
    };
    let name = format!("{region}-{letter}-{number:04}");
    let provider_id = match provider {
        "gce" => format!("gce://shop/{zone}/{name}"),
        _ => format!("aws:///{zone}/i-{number:017x}"),
    };
    Node::named(name).in_zone(region, &zone).provider_id(&provider_id)
}

/// The thousand, regions and zones in turns.
pub fn nodes() -> impl Iterator<Item = Node> {
    (0..NODES).map(|number| {
        let (provider, region) = REGIONS[number % REGIONS.len()];
        node(provider, region, number, ZONES[number / REGIONS.len() % 3])
    })
}

pub fn farther_nodes() -> impl Iterator<Item = Node> {
    (0..FARTHER_NODES).map(|number| node("aws", "us-east-1", number, ZONES[number % 3]))
}

/// The zones of the thousand, by the names of nodes.
pub fn zones() -> BTreeMap<String, String> {
    nodes().map(|node| zone_of(&node)).collect()
}

fn zone_of(node: &Node) -> (String, String) {
    let metadata = node.object().metadata;
    let zone = metadata
        .labels
        .and_then(|mut labels| labels.remove("topology.kubernetes.io/zone"));
    (
        metadata.name.expect("a node has a name"),
        zone.expect("a node has a zone"),
    )
}
