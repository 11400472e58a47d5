//! From where a persistent volume can be used: its node affinity, and the labels that stood for it before.
//!
//! Inputs: `spec.nodeAffinity`, `spec.csi.driver` and the labels of a volume. Outputs: [`VolumeSpot`]s, of which any
//! will do. Invariants: terms are alternatives and the expressions of a term hold together, as in Kubernetes; an
//! operator other than `In` and a key that says no place make nothing known, so a term of such alone is a spot of which
//! nothing is known; one such spot means that the volume may be anywhere. Which cloud a zone is of follows from the key
//! or from the driver, and then the region from the name of the zone. Deliberately absent: whether there are nodes in a
//! zone.

use std::sync::Arc;

use serde::Deserialize;

use super::node::{REGION_LABELS, ZONE_LABELS};
use super::view::{Object, Pairs, Text, or_null};
use crate::model::{NodeName, RegionKey, RegionReference, VolumeSpot};

/// Keys of a zone that a driver of one cloud writes, and the cloud.
const ZONE_KEYS_OF_CLOUDS: [(&str, &str); 5] = [
    ("topology.gke.io/zone", "gcp"),
    ("topology.ebs.csi.aws.com/zone", "aws"),
    ("topology.disk.csi.azure.com/zone", "azure"),
    ("topology.cinder.csi.openstack.org/zone", "openstack"),
    ("topology.csi.vmware.com/zone", "vsphere"),
];

/// Keys of the one node of a local volume: Kubernetes', and those of the drivers of the CSI host path, TopoLVM and OpenEBS.
const NODE_KEYS: [&str; 4] = [
    "kubernetes.io/hostname",
    "topology.hostpath.csi/node",
    "topology.topolvm.io/node",
    "openebs.io/nodename",
];

/// Drivers of one cloud, and the cloud.
const DRIVERS_OF_CLOUDS: [(&str, &str); 6] = [
    ("pd.csi.storage.gke.io", "gcp"),
    ("filestore.csi.storage.gke.io", "gcp"),
    ("ebs.csi.aws.com", "aws"),
    ("fsx.csi.aws.com", "aws"),
    ("disk.csi.azure.com", "azure"),
    ("file.csi.azure.com", "azure"),
];

/// What stands between the zones of a regional disk in the old label.
const BETWEEN_ZONES: &str = "__";

/// More combinations of regions, zones and nodes than any volume has: a file that has them says nothing.
const MOST_SPOTS: usize = 64;

/// What is read of `spec.nodeAffinity`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct VolumeAffinity<'a> {
    #[serde(borrow)]
    required: Object<Terms<'a>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Terms<'a> {
    #[serde(borrow, deserialize_with = "or_null")]
    node_selector_terms: Vec<Object<Term<'a>>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Term<'a> {
    #[serde(borrow, deserialize_with = "or_null")]
    match_expressions: Vec<Object<Expression<'a>>>,
    #[serde(borrow, deserialize_with = "or_null")]
    match_fields: Vec<Object<Expression<'a>>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Expression<'a> {
    #[serde(borrow)]
    key: Text<'a>,
    #[serde(borrow)]
    operator: Text<'a>,
    #[serde(borrow, deserialize_with = "or_null")]
    values: Vec<Text<'a>>,
}

/// What is read of `spec.csi`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct CsiVolume<'a> {
    #[serde(borrow)]
    driver: Text<'a>,
}

/// From where a volume can be used; none where it does not say.
pub(super) fn spots(
    affinity: &VolumeAffinity<'_>,
    csi: &CsiVolume<'_>,
    labels: &Pairs<'_>,
) -> Vec<VolumeSpot> {
    let of_driver = DRIVERS_OF_CLOUDS
        .iter()
        .find(|(driver, _)| *driver == &*csi.driver);
    let cloud = of_driver.map(|(_, cloud)| *cloud);
    let terms = &affinity.required.node_selector_terms;
    let mut spots: Vec<VolumeSpot> = terms.iter().flat_map(|term| term.spots(cloud)).collect();
    if spots.is_empty() {
        spots = of_labels(labels, cloud);
    }
    spots.sort();
    spots.dedup();
    if spots.len() > MOST_SPOTS || spots.iter().any(VolumeSpot::is_unknown) {
        return Vec::new();
    }
    spots
}

impl Term<'_> {
    fn spots(&self, cloud: Option<&'static str>) -> Vec<VolumeSpot> {
        let mut cloud = cloud;
        let (mut regions, mut zones, mut nodes) = (Vec::new(), Vec::new(), Vec::new());
        for expression in self.match_expressions.iter().filter(|one| *one.operator == *"In") {
            let values = || {
                expression
                    .values
                    .iter()
                    .filter_map(Text::stated)
                    .filter(|value| !value.trim().is_empty())
            };
            let key = &*expression.key;
            let of_cloud = ZONE_KEYS_OF_CLOUDS.iter().find(|(known, _)| *known == key);
            if let Some((_, named)) = of_cloud {
                cloud = Some(named);
            }
            if of_cloud.is_some() || ZONE_LABELS.contains(&key) {
                keep_common(&mut zones, values());
            } else if REGION_LABELS.contains(&key) {
                keep_common(&mut regions, values());
            } else if NODE_KEYS.contains(&key) {
                keep_common(&mut nodes, values());
            }
        }
        for field in self
            .match_fields
            .iter()
            .filter(|one| *one.key == *"metadata.name")
        {
            keep_common(&mut nodes, field.values.iter().filter_map(Text::stated));
        }
        let mut spots = Vec::new();
        for region in or_unsaid(&regions) {
            for zone in or_unsaid(&zones) {
                for node in or_unsaid(&nodes) {
                    spots.push(spot(cloud, region, zone, node));
                }
            }
        }
        spots
    }
}

/// Several expressions about one thing hold together, so what any of them leaves out is out.
fn keep_common<'v>(kept: &mut Vec<String>, values: impl Iterator<Item = &'v str>) {
    let values: Vec<String> = values.map(str::to_owned).collect();
    if kept.is_empty() {
        *kept = values;
    } else {
        kept.retain(|known| values.contains(known));
    }
}

fn or_unsaid(values: &[String]) -> Vec<Option<&str>> {
    match values {
        [] => vec![None],
        _ => values.iter().map(|value| Some(value.as_str())).collect(),
    }
}

/// What was written on volumes before they had an affinity, and still is beside it.
fn of_labels(labels: &Pairs<'_>, cloud: Option<&str>) -> Vec<VolumeSpot> {
    let label = |keys: &[&str]| keys.iter().find_map(|key| labels.get(key));
    let region = label(&REGION_LABELS);
    match label(&ZONE_LABELS) {
        Some(zones) => zones
            .split(BETWEEN_ZONES)
            .map(|zone| spot(cloud, region, Some(zone), None))
            .collect(),
        None => region
            .map(|region| spot(cloud, Some(region), None, None))
            .into_iter()
            .collect(),
    }
}

fn spot(cloud: Option<&str>, region: Option<&str>, zone: Option<&str>, node: Option<&str>) -> VolumeSpot {
    let region = match (cloud, region) {
        (Some(cloud), Some(region)) => RegionKey::new(cloud, region).map(RegionReference::Key).ok(),
        // A label has no slash, so it cannot pass for a key.
        (None, Some(region)) if !region.contains('/') => RegionReference::parse(region).ok(),
        (None, Some(_)) => None,
        (Some(cloud), None) => zone.and_then(|zone| region_of_zone(cloud, zone)),
        (None, None) => None,
    };
    VolumeSpot {
        region,
        zone: zone.map(Arc::from),
        node: node.and_then(|node| NodeName::new(node).ok()),
    }
}

/// The region of a zone, by the names that the clouds give: `eu-central-1a` of AWS, `europe-west3-b` of Google,
/// `westeurope-1` of Azure.
fn region_of_zone(cloud: &str, zone: &str) -> Option<RegionReference> {
    let region = match cloud {
        "aws" => {
            let region = zone.strip_suffix(|last: char| last.is_ascii_lowercase())?;
            // A Local Zone is named after its region with a place behind it.
            let numbers = region
                .split('-')
                .filter(|part| part.parse::<u32>().is_ok())
                .count();
            (numbers == 1 && region.ends_with(|last: char| last.is_ascii_digit())).then_some(region)?
        }
        "gcp" | "azure" => zone.rsplit_once('-')?.0,
        _ => return None,
    };
    RegionKey::new(cloud, region).map(RegionReference::Key).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(spec: &str, labels: &str) -> Vec<String> {
        #[derive(Default, Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        struct Spec<'a> {
            #[serde(borrow)]
            node_affinity: Object<VolumeAffinity<'a>>,
            #[serde(borrow)]
            csi: Object<CsiVolume<'a>>,
        }
        let spec: Spec<'_> = serde_json::from_str(spec).expect("a spec");
        let labels: Pairs<'_> = serde_json::from_str(labels).expect("labels");
        let in_words = |spot: VolumeSpot| {
            let region = spot.region.map_or("-".to_owned(), |region| region.to_string());
            let zone = spot.zone.as_deref().unwrap_or("-").to_owned();
            let node = spot.node.map_or("-".to_owned(), |node| node.to_string());
            format!("{region} {zone} {node}")
        };
        spots(&spec.node_affinity, &spec.csi, &labels)
            .into_iter()
            .map(in_words)
            .collect()
    }

    /// One term of `key In values`, one after the other.
    fn affinity(expressions: &[(&str, &[&str])]) -> String {
        let expressions: Vec<String> = expressions
            .iter()
            .map(|(key, values)| format!(r#"{{"key":"{key}","operator":"In","values":{values:?}}}"#))
            .collect();
        format!(
            r#"{{"nodeAffinity":{{"required":{{"nodeSelectorTerms":[{{"matchExpressions":[{}]}}]}}}}}}"#,
            expressions.join(",")
        )
    }

    #[test]
    fn drivers_and_kubernetes_say_where_a_volume_is() {
        const ZONE: &str = "topology.kubernetes.io/zone";
        const REGION: &str = "topology.kubernetes.io/region";
        for (expressions, expected) in [
            (
                &[("topology.gke.io/zone", &["europe-west3-a"][..])][..],
                &["gcp/europe-west3 europe-west3-a -"][..],
            ),
            (
                &[("topology.ebs.csi.aws.com/zone", &["eu-central-1a"])],
                &["aws/eu-central-1 eu-central-1a -"],
            ),
            (
                &[("topology.ebs.csi.aws.com/zone", &["us-east-1-bos-1a"])],
                &["- us-east-1-bos-1a -"],
            ),
            (
                &[
                    ("topology.disk.csi.azure.com/zone", &["westus2-2"]),
                    (ZONE, &["westus2-2"]),
                ],
                &["azure/westus2 westus2-2 -"],
            ),
            (
                &[("topology.gke.io/zone", &["europe-west3-a", "europe-west3-b"])],
                &[
                    "gcp/europe-west3 europe-west3-a -",
                    "gcp/europe-west3 europe-west3-b -",
                ],
            ),
            (&[(ZONE, &["z1"]), (REGION, &["r1"])], &["r1 z1 -"]),
            (&[(ZONE, &["z1", "z2"]), (ZONE, &["z2", "z3"])], &["- z2 -"]),
            (&[("kubernetes.io/hostname", &["n1"])], &["- - n1"]),
            (
                &[("kubernetes.io/hostname", &["n1"]), ("disk", &["ssd"])],
                &["- - n1"],
            ),
            (&[("disk", &["ssd"])], &[]),
            // A node of Azure without zones has an empty label, or one of a space.
            (&[("topology.disk.csi.azure.com/zone", &[" "])], &[]),
        ] {
            assert_eq!(said(&affinity(expressions), "{}"), expected, "{expressions:?}");
        }
    }

    #[test]
    fn terms_are_alternatives_and_one_that_says_nothing_may_be_anywhere() {
        let two = r#"{"nodeAffinity":{"required":{"nodeSelectorTerms":[
            {"matchExpressions":[{"key":"topology.kubernetes.io/zone","operator":"In","values":["a"]}]},
            {"matchFields":[{"key":"metadata.name","operator":"In","values":["n2"]}]}]}}}"#;
        assert_eq!(said(two, "{}"), ["- - n2", "- a -"]);
        let anywhere = two.replace("metadata.name", "metadata.other");
        assert_eq!(said(&anywhere, "{}"), [""; 0]);
        let not_in = two.replace("\"In\",\"values\":[\"a\"]", "\"NotIn\",\"values\":[\"a\"]");
        assert_eq!(said(&not_in, "{}"), [""; 0]);
    }

    #[test]
    fn a_driver_tells_the_cloud_and_labels_stand_in_for_an_affinity() {
        let ebs = r#"{"csi":{"driver":"ebs.csi.aws.com"}}"#;
        for (spec, labels, expected) in [
            (
                ebs,
                r#"{"topology.kubernetes.io/zone":"eu-west-1b"}"#,
                &["aws/eu-west-1 eu-west-1b -"][..],
            ),
            (
                "{}",
                r#"{"failure-domain.beta.kubernetes.io/zone":"us-east1-a__us-east1-b",
                    "failure-domain.beta.kubernetes.io/region":"us-east1"}"#,
                &["us-east1 us-east1-a -", "us-east1 us-east1-b -"],
            ),
            (
                "{}",
                r#"{"topology.kubernetes.io/region":"westeurope"}"#,
                &["westeurope - -"],
            ),
            ("{}", r#"{"app":"x"}"#, &[]),
            ("null", "null", &[]),
        ] {
            let spec = if spec == "null" {
                r#"{"nodeAffinity":null,"csi":null}"#
            } else {
                spec
            };
            assert_eq!(said(spec, labels), expected, "{spec} {labels}");
        }
    }
}
