//! `PlacementPolicy`: one legal reason, as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{RequiredSpec, Text};

/// `PlacementPolicy`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicySpec {
    /// In one line, for people.
    pub title: String,
    /// As its author counts.
    pub version: Option<String>,
    /// Who answers for it.
    pub owner: OwnerSpec,
    /// Why it exists.
    pub legal_basis: Vec<LegalBasisSpec>,
    /// `enforce`, `warn` or `audit`.
    pub mode: Text,
    /// When it is in force.
    pub effective: Option<EffectiveSpec>,
    /// Until then, `enforce` is `audit`.
    pub enforce_from: Option<Text>,
    /// The controls of a catalogue of controls that it implements.
    #[serde(default)]
    pub controls: Vec<String>,
    /// To what.
    pub applies_to: Spanned<AppliesToSpec>,
    /// What it demands.
    pub rules: Spanned<Vec<RuleSpec>>,
    /// Whether exceptions may be made; none may where it is absent.
    pub exceptions: Option<Spanned<ExceptionsSpec>>,
}

/// Whether exceptions may be made, for how long, and who approves them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExceptionsSpec {
    /// Whether they may.
    pub allowed: bool,
    /// For how many days at most.
    pub max_days: Option<u32>,
    /// Teams and people; the team of the owner where it is absent.
    pub approvers: Option<Vec<Text>>,
}

/// Who answers for a policy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnerSpec {
    /// A team.
    pub team: Text,
    /// Whom a refused user asks.
    pub contact: Text,
}

/// One legal reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegalBasisSpec {
    /// What is cited.
    pub cite: String,
    /// Where it can be read.
    pub url: Option<String>,
    /// What it asks for.
    pub note: Option<String>,
}

/// When a policy is in force.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EffectiveSpec {
    /// First day.
    pub from: Option<Text>,
    /// A day after which somebody must look; it keeps enforcing.
    pub until: Option<Text>,
    /// The day by which somebody looks again.
    pub review_by: Option<Text>,
}

/// One block, or several of which any may hold.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppliesToSpec {
    /// Several blocks.
    pub any_of: Option<Vec<Spanned<BlockSpec>>>,
    /// By what the data is.
    pub data: Option<DataSelectorSpec>,
    /// By the labels of the namespace.
    pub namespaces: Option<NamespaceSelectorSpec>,
    /// By the storage class of a mounted volume.
    pub storage_classes: Option<Vec<Text>>,
    /// By the data sets that a pod names.
    pub data_sets: Option<Vec<Text>>,
}

/// All that it names must hold.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BlockSpec {
    /// By what the data is.
    pub data: Option<DataSelectorSpec>,
    /// By the labels of the namespace.
    pub namespaces: Option<NamespaceSelectorSpec>,
    /// By the storage class of a mounted volume.
    pub storage_classes: Option<Vec<Text>>,
    /// By the data sets that a pod names.
    pub data_sets: Option<Vec<Text>>,
}

/// By what the data is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DataSelectorSpec {
    /// At least so sensitive.
    pub classification: Option<AtLeastSpec>,
    /// Any of these.
    pub categories: Option<Vec<Text>>,
    /// Any of these.
    pub subjects: Option<Vec<Text>>,
}

/// `{atLeast: confidential}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AtLeastSpec {
    /// The least classification.
    pub at_least: Text,
}

/// By labels, all of which must be equal.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamespaceSelectorSpec {
    /// Labels.
    pub match_labels: BTreeMap<String, Text>,
}

/// One demand: exactly one of `allowed`, `denied`, `required`, `writes`, `reads`, `replica`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RuleSpec {
    /// Its name within the policy.
    pub id: Text,
    /// `process`, `store`, `replicate`; the first two where it is absent.
    pub activities: Option<Vec<Text>>,
    /// Only here.
    pub allowed: Option<Vec<Text>>,
    /// Not here.
    pub denied: Option<Vec<Text>>,
    /// Only what meets this.
    pub required: Option<RequiredSpec>,
    /// On the data sets that a pod may write.
    pub writes: Option<WritesSpec>,
    /// On the data sets that a pod reads.
    pub reads: Option<ReadsSpec>,
    /// On new copies of a data set.
    pub replica: Option<ReplicaRuleSpec>,
}

/// Where writes go.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WritesSpec {
    /// Every leader is surely in one of these places.
    pub primary_must_be_in: Vec<Text>,
}

/// Where reads come from.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadsSpec {
    /// Some replica is surely in one of these places.
    pub from_replica_in: Vec<Text>,
}

/// On copies: exactly one of the two.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplicaRuleSpec {
    /// No copy is made outside these places.
    pub none_outside: Option<Vec<Text>>,
    /// A copy is in one of these places.
    pub must_exist_in: Option<Vec<Text>>,
}
