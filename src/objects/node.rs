//! A node into [`NodeRecord`].
//!
//! Labels carry the region key and no law. Where the scheme of the providerID is that of a known cloud and
//! a label names another provider, one of the two is wrong, so the place is unknown.
//! Deliberately absent: capacity, conditions, taints; kube-scheduler looks after those, and a heartbeat
//! must not change a record.

use std::sync::Arc;

use serde::Deserialize;

use super::error::{ObjectError, required_name};
use super::view::{Metadata, Object, Text};
use crate::model::{
    ContradictingProviders, Locality, NodeName, NodeRecord, PROVIDER_LABEL, RESTRICTED_REGION_LABEL,
    RegionKey, RegionReference,
};

/// The labels of a region, the one that counts first.
pub const REGION_LABELS: [&str; 2] = [
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/region",
];
/// The labels of a zone, the one that counts first.
pub const ZONE_LABELS: [&str; 2] = [
    "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/zone",
];

/// Schemes of providerID that the clouds' own controllers write, and the provider that each stands for.
const CLOUD_SCHEMES: [(&str, &str); 3] = [("aws", AWS), ("azure", "azure"), ("gce", GCP)];

/// The providers whose providerIDs name the region.
pub const PROVIDERS_THAT_NAME_REGIONS: [&str; 2] = [AWS, GCP];
const AWS: &str = "aws";
const GCP: &str = "gcp";

/// What is read of a node.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct NodeView<'a> {
    #[serde(borrow)]
    metadata: Object<Metadata<'a>>,
    #[serde(borrow)]
    spec: Object<NodeSpec<'a>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct NodeSpec<'a> {
    #[serde(borrow, rename = "providerID")]
    provider_id: Text<'a>,
}

/// Who runs the node, as far as it says.
enum Provider<'a> {
    /// By its providerID.
    Named(&'a str),
    /// By a label alone.
    Labelled(&'a str),
    Unnamed,
    /// Two statements that cannot both be right.
    Contradictory {
        by_label: &'a str,
        by_provider_id: &'a str,
    },
}

impl NodeView<'_> {
    /// The node and its name.
    ///
    /// # Errors
    /// Where the name is missing or invalid. A label that cannot be read makes a place unknown instead.
    pub fn record(&self) -> Result<(NodeName, NodeRecord), ObjectError> {
        let name = required_name(&self.metadata.name, "metadata.name", NodeName::new)?;
        let provider = self.provider();
        let locality = Locality {
            cluster: None,
            region: region(&provider, self.label(&REGION_LABELS)),
            zone: self.label(&ZONE_LABELS).map(Arc::from),
        };
        let provider_id_region = match provider {
            Provider::Contradictory { .. } => None,
            _ => region_of_provider_id(&self.spec.provider_id),
        };
        // A kubelet can set the label that names its provider, so only a providerID helps to confirm.
        let confirming = match provider {
            Provider::Labelled(_) => Provider::Unnamed,
            other => other,
        };
        let record = NodeRecord {
            locality,
            restricted_region: region(&confirming, self.label(&[RESTRICTED_REGION_LABEL])),
            provider_id_region,
            has_legacy_labels: [REGION_LABELS, ZONE_LABELS]
                .iter()
                .any(|[newest, legacy]| self.label(&[newest]).is_none() && self.label(&[legacy]).is_some()),
        };
        Ok((name, record))
    }

    fn label(&self, keys: &[&str]) -> Option<&str> {
        keys.iter().find_map(|key| self.metadata.labels.get(key))
    }

    /// The two providers that the node names, where they cannot both be right.
    #[must_use]
    pub fn contradicting_providers(&self) -> Option<ContradictingProviders> {
        match self.provider() {
            Provider::Contradictory {
                by_label,
                by_provider_id,
            } => Some(ContradictingProviders {
                by_label: Arc::from(by_label),
                by_provider_id: Arc::from(by_provider_id),
            }),
            Provider::Named(_) | Provider::Labelled(_) | Provider::Unnamed => None,
        }
    }

    fn provider(&self) -> Provider<'_> {
        let label = self.label(&[PROVIDER_LABEL]);
        let scheme = self.spec.provider_id.split_once("://").map(|(scheme, _)| scheme);
        let cloud = CLOUD_SCHEMES.iter().find(|(known, _)| Some(*known) == scheme);
        match (cloud, label) {
            (Some((_, cloud)), Some(label)) if *cloud != label => Provider::Contradictory {
                by_label: label,
                by_provider_id: cloud,
            },
            (Some((_, cloud)), _) => Provider::Named(cloud),
            // Schemes such as `kind` or `k3s` say what made the node and not whose region it is in.
            (None, Some(label)) => Provider::Labelled(label),
            (None, None) => scheme
                .filter(|scheme| !scheme.is_empty())
                .map_or(Provider::Unnamed, Provider::Named),
        }
    }
}

fn region(provider: &Provider<'_>, label: Option<&str>) -> Option<RegionReference> {
    let label = label?;
    match provider {
        Provider::Named(provider) | Provider::Labelled(provider) => {
            RegionKey::new(provider, label).map(RegionReference::Key).ok()
        }
        // The value of a label has no slash, so it cannot pass for a key.
        Provider::Unnamed if !label.contains('/') => RegionReference::parse(label).ok(),
        Provider::Unnamed | Provider::Contradictory { .. } => None,
    }
}

/// The region that a providerID names: AWS writes the zone (`aws:///eu-central-1a/i-0`), Google too
/// (`gce://project/europe-west3-b/node`); Azure writes none.
fn region_of_provider_id(provider_id: &str) -> Option<RegionReference> {
    let (scheme, path) = provider_id.split_once("://")?;
    let region = match scheme {
        "aws" => {
            let zone = path.trim_start_matches('/').split('/').next()?;
            let of_zone = zone.strip_suffix(|last: char| last.is_ascii_lowercase())?;
            // A Local Zone is named after its region, whose number then stands in the middle.
            let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
            let numbers = of_zone.split('-').filter(is_number).count();
            let ends_with_it = of_zone.ends_with(|last: char| last.is_ascii_digit());
            (numbers == 1 && ends_with_it).then_some((AWS, of_zone))?
        }
        "gce" => {
            let zone = path.split('/').nth(1)?;
            let (of_zone, _) = zone.rsplit_once('-')?;
            (GCP, of_zone)
        }
        _ => return None,
    };
    let (provider, name) = region;
    RegionKey::new(provider, name).map(RegionReference::Key).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(spec: &str, labels: &str) -> NodeRecord {
        let json = format!(r#"{{"metadata":{{"name":"n","labels":{{{labels}}}}},"spec":{spec}}}"#);
        let view: NodeView<'_> = serde_json::from_str(&json).expect("a node");
        view.record().expect("a record").1
    }

    fn region_of(spec: &str, labels: &str) -> Option<String> {
        record(spec, labels)
            .locality
            .region
            .map(|region| region.to_string())
    }

    #[test]
    fn the_provider_comes_from_the_provider_id_or_from_the_label() {
        const REGION: &str = r#""topology.kubernetes.io/region":"r1""#;
        let aws = r#"{"providerID":"aws:///r1a/i-0"}"#;
        let kind = r#"{"providerID":"kind://docker/kind/n"}"#;
        for (spec, provider, region) in [
            (aws, "", Some("aws/r1")),
            (r#"{"providerID":"gce://project/r1-b/n"}"#, "", Some("gcp/r1")),
            (
                r#"{"providerID":"azure:///subscriptions/s"}"#,
                "",
                Some("azure/r1"),
            ),
            (r#"{"providerID":"openstack:///u"}"#, "", Some("openstack/r1")),
            (r#"{"providerID":"no-scheme"}"#, "", Some("r1")),
            ("{}", "", Some("r1")),
            ("null", "", Some("r1")),
            ("{}", "gcp", Some("gcp/r1")),
            (kind, "gcp", Some("gcp/r1")),
            (aws, "aws", Some("aws/r1")),
            (aws, "gcp", None),
            ("{}", "two words", None),
        ] {
            let labels = format!(r#"{REGION},"domicile.dev/provider":"{provider}""#);
            assert_eq!(region_of(spec, &labels).as_deref(), region, "{spec} {provider}");
        }
    }

    #[test]
    fn places_come_from_the_labels_and_the_old_labels_stand_in() {
        const OLD: &str = r#""failure-domain.beta.kubernetes.io/region":"old",
            "failure-domain.beta.kubernetes.io/zone":"old-1""#;
        let old = record("{}", OLD).locality;
        assert_eq!(old.region, RegionReference::parse("old").ok());
        assert_eq!(old.zone.as_deref(), Some("old-1"));
        let both = format!(
            r#"{OLD},"topology.kubernetes.io/region":"westeurope","topology.kubernetes.io/zone":"westeurope-1""#
        );
        let new = record("{}", &both).locality;
        assert_eq!(new.region, RegionReference::parse("westeurope").ok());
        assert_eq!(new.zone.as_deref(), Some("westeurope-1"));
        for nothing in [
            "",
            r#""topology.kubernetes.io/region":"""#,
            r#""topology.kubernetes.io/region":"aws/eu-west-1""#,
            r#""topology.kubernetes.io/region":"not a label""#,
        ] {
            assert_eq!(region_of("{}", nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_node_that_has_old_labels_alone_says_so() {
        const OLD: &str = r#""failure-domain.beta.kubernetes.io/zone":"z""#;
        const NEW: &str = r#""topology.kubernetes.io/zone":"z""#;
        for (labels, is_legacy) in [
            (OLD.to_owned(), true),
            (format!(r#"{OLD},"topology.kubernetes.io/region":"r""#), true),
            (format!("{OLD},{NEW}"), false),
            (NEW.to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(record("{}", &labels).has_legacy_labels, is_legacy, "{labels}");
        }
    }

    #[test]
    fn the_restricted_region_is_a_fact_of_its_own() {
        let labels = r#""topology.kubernetes.io/region":"r1",
            "domicile.node-restriction.kubernetes.io/region":"r2""#;
        let record = record(r#"{"providerID":"aws:///r1a/i-0"}"#, labels);
        let text = |region: Option<RegionReference>| region.map(|region| region.to_string());
        assert_eq!(text(record.locality.region).as_deref(), Some("aws/r1"));
        assert_eq!(text(record.restricted_region).as_deref(), Some("aws/r2"));
    }

    #[test]
    fn a_label_that_a_kubelet_can_set_does_not_help_to_confirm_a_region() {
        let labels = r#""domicile.dev/provider":"forged","topology.kubernetes.io/region":"r1",
            "domicile.node-restriction.kubernetes.io/region":"r1""#;
        let text = |region: Option<RegionReference>| region.map(|region| region.to_string());
        let record = record(r#"{"providerID":"kind://docker/kind/n"}"#, labels);
        assert_eq!(text(record.locality.region).as_deref(), Some("forged/r1"));
        // A bare region counts only where one provider has it.
        assert_eq!(text(record.restricted_region).as_deref(), Some("r1"));
    }

    #[test]
    fn a_provider_id_that_a_label_contradicts_names_no_region() {
        let contradicted = record(
            r#"{"providerID":"aws:///eu-central-1a/i-0"}"#,
            r#""domicile.dev/provider":"gcp""#,
        );
        assert_eq!(contradicted.provider_id_region, None);
    }

    #[test]
    fn a_provider_id_names_the_region_where_the_cloud_writes_it() {
        for (provider_id, region) in [
            ("aws:///eu-central-1a/i-0abc", Some("aws/eu-central-1")),
            ("aws:///us-gov-west-1b/i-0abc", Some("aws/us-gov-west-1")),
            ("aws:///us-west-2-lax-1a/i-0abc", None),
            ("aws:///i-0abc", None),
            ("gce://project/europe-west3-b/node", Some("gcp/europe-west3")),
            ("gce://project", None),
            ("azure:///subscriptions/s/resourceGroups/g", None),
            ("kind://docker/kind/node", None),
            ("", None),
        ] {
            let record = record(&format!(r#"{{"providerID":"{provider_id}"}}"#), "");
            let found = record.provider_id_region.map(|region| region.to_string());
            assert_eq!(found.as_deref(), region, "{provider_id}");
        }
    }

    #[test]
    fn a_heartbeat_changes_nothing() {
        let beat = |time: &str| {
            let json = format!(
                r#"{{"metadata":{{"name":"n","resourceVersion":"{time}","annotations":{{"a":"{time}"}}}},
                   "spec":{{"taints":[{{"key":"{time}"}}]}},
                   "status":{{"conditions":[{{"lastHeartbeatTime":"{time}"}}]}}}}"#
            );
            let view: NodeView<'_> = serde_json::from_str(&json).expect("a node");
            view.record().expect("a record")
        };
        assert_eq!(beat("1"), beat("2"));
    }

    #[test]
    fn a_node_without_a_name_is_no_node() {
        let view: NodeView<'_> = serde_json::from_str(r#"{"metadata":{}}"#).expect("JSON");
        assert_eq!(view.record(), Err(ObjectError::Missing("metadata.name")));
    }
}
