//! A node in a trace: what kube-scheduler looks at, and what its cloud says about where it is.
//!
//! Invariants: in memory a node says its place by labels alone, as a real one does. A file may say it shorter, by
//! `region` and `zone`; the shorthand stands for three labels, and what has those labels is written short again.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::json;

use crate::model::{ContradictingProviders, NodeName, NodeRecord, PROVIDER_LABEL, RegionKey};
use crate::objects::{NodeView, ObjectError};
use crate::simulation::kube::spec::NodeSpec;

/// The label of a node's region.
pub const REGION_LABEL: &str = "topology.kubernetes.io/region";
/// The label of a node's zone.
pub const ZONE_LABEL: &str = "topology.kubernetes.io/zone";

/// A node.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceNode {
    /// As its cloud names it, such as `aws:///eu-west-1a/i-0abc`.
    pub provider_id: Option<String>,
    /// What kube-scheduler looks at. Its labels say where the node is.
    pub spec: NodeSpec,
}

/// The node as it is written.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenNode<'a> {
    /// Short for the labels `domicile.dev/provider` and `topology.kubernetes.io/region`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "RegionKey")]
    region: Option<RegionKey>,
    /// Short for the label `topology.kubernetes.io/zone`; beside a region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    zone: Option<String>,
    /// As its cloud names it, such as `aws:///eu-west-1a/i-0abc`.
    #[serde(default, rename = "providerID", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    provider_id: Option<Cow<'a, str>>,
    /// What kube-scheduler looks at, in the words of Kubernetes.
    #[schemars(with = "NodeSpec")]
    spec: Cow<'a, NodeSpec>,
}

impl TraceNode {
    /// A node of a region.
    #[must_use]
    pub fn in_region(spec: NodeSpec, region: &RegionKey, zone: Option<&str>) -> Self {
        let mut node = Self {
            provider_id: None,
            spec,
        };
        node.place(region, zone);
        node
    }

    /// Says that it is in a region.
    pub fn place(&mut self, region: &RegionKey, zone: Option<&str>) {
        self.spec.labels.extend(place_labels(region, zone));
    }

    /// The name and the record of the node, as the server reads those of a real one.
    ///
    /// # Errors
    /// Where its name is none.
    pub fn record(&self) -> Result<(NodeName, NodeRecord, Option<ContradictingProviders>), ObjectError> {
        let object = json!({
            "metadata": {"name": self.spec.name, "labels": self.spec.labels},
            "spec": {"providerID": self.provider_id},
        });
        let text = object.to_string();
        let view: NodeView<'_> =
            serde_json::from_str(&text).map_err(|error| ObjectError::Syntax(error.to_string()))?;
        let (name, record) = view.record()?;
        Ok((name, record, view.contradicting_providers()))
    }

    /// The region that two of its labels name, where they do.
    #[must_use]
    pub fn region(&self) -> Option<RegionKey> {
        let label = |key: &str| self.spec.labels.get(key);
        RegionKey::new(label(PROVIDER_LABEL)?, label(REGION_LABEL)?).ok()
    }
}

/// The labels that a region and a zone of it stand for.
fn place_labels(region: &RegionKey, zone: Option<&str>) -> BTreeMap<String, String> {
    let labels = [
        (PROVIDER_LABEL, Some(region.provider())),
        (REGION_LABEL, Some(region.region())),
        (ZONE_LABEL, zone),
    ];
    let stated = labels.into_iter().filter_map(|(key, value)| Some((key, value?)));
    stated
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

impl Serialize for TraceNode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut written = WrittenNode {
            region: self.region(),
            zone: None,
            provider_id: self.provider_id.as_deref().map(Cow::Borrowed),
            spec: Cow::Borrowed(&self.spec),
        };
        if written.region.is_some() {
            let spec = written.spec.to_mut();
            spec.labels.remove(PROVIDER_LABEL);
            spec.labels.remove(REGION_LABEL);
            written.zone = spec.labels.remove(ZONE_LABEL);
        }
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TraceNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = WrittenNode::deserialize(deserializer)?;
        let mut spec = written.spec.into_owned();
        let labels = match (&written.region, &written.zone) {
            (Some(region), zone) => place_labels(region, zone.as_deref()),
            (None, None) => BTreeMap::new(),
            (None, Some(_)) => {
                let sentence =
                    format!("`zone` stands beside a `region`; write the label `{ZONE_LABEL}` instead");
                return Err(serde::de::Error::custom(sentence));
            }
        };
        for (key, value) in labels {
            let stated = spec.labels.entry(key.clone()).or_insert_with(|| value.clone());
            if *stated != value {
                let sentence = format!(
                    "the label `{key}` is `{stated}` where `region` and `zone` say `{value}`; keep one of them"
                );
                return Err(serde::de::Error::custom(sentence));
            }
        }
        Ok(Self {
            provider_id: written.provider_id.map(Cow::into_owned),
            spec,
        })
    }
}
