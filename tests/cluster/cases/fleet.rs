//! Nodes as the cloud controllers label them, and the namespaces that the cases use.

use crate::objects::Node;

/// Personal data about people in the EEA: the shipped policy `eea-personal-data` speaks of it.
pub const EEA_PERSONAL: [(&str, &str); 3] = personal("DE,FR,NL");
/// Personal data about people in mainland China, where none of these fleets has a node.
pub const CN_PERSONAL: [(&str, &str); 3] = personal("CN");
/// Personal data about people of two places that have no place in common: no region of any provider will do.
pub const HOMELESS_PERSONAL: [(&str, &str); 3] = personal("DE,CN");

/// What a refusal of [`EEA_PERSONAL`] says.
pub const EEA_SENTENCE: &str =
    "domicile: `eea-personal-data/place` permits only group EEA; ask dpo@corp.example";
/// What a refusal of [`CN_PERSONAL`] says.
pub const CN_SENTENCE: &str = "domicile: `cn-personal-data/place` permits only CN; ask dpo@corp.example";

const fn personal(subjects: &'static str) -> [(&'static str, &'static str); 3] {
    [
        ("domicile.dev/data-classification", "confidential"),
        ("domicile.dev/data-categories", "personal"),
        ("domicile.dev/data-subjects", subjects),
    ]
}

/// A node of AWS in zone `a` of a region.
pub fn aws(name: &str, region: &str) -> Node {
    let zone = format!("{region}a");
    Node::named(name)
        .in_zone(region, &zone)
        .provider_id(&format!("aws:///{zone}/i-{name}"))
}

/// Nodes of AWS in one region, named by region and number.
pub fn aws_nodes(region: &str, count: usize) -> impl Iterator<Item = Node> {
    (0..count).map(move |number| aws(&format!("{region}-{number}"), region))
}

/// A node of Google Cloud in zone `a` of a region.
pub fn gcp(name: &str, region: &str) -> Node {
    let zone = format!("{region}-a");
    Node::named(name)
        .in_zone(region, &zone)
        .provider_id(&format!("gce://shop/{zone}/{name}"))
}

/// A node of Azure in zone 1 of a region.
pub fn azure(name: &str, region: &str) -> Node {
    Node::named(name)
        .in_zone(region, &format!("{region}-1"))
        .provider_id(&format!(
            "azure:///subscriptions/shop/resourceGroups/nodes/providers/Microsoft.Compute/virtualMachines/{name}"
        ))
}
