//! `PlacementPolicy`: one legal reason, as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::vocabulary::{
    ActivityWord, CategoryWord, ClassificationWord, DateOrInstant, DenyOrWarn, Place, PolicyMode, RuleName,
    SubjectWord,
};
use super::{RequiredSpec, Text};

/// `PlacementPolicy`.
#[derive(Debug, Deserialize, JsonSchema)]
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
    #[schemars(with = "PolicyMode")]
    pub mode: Text,
    /// When it is in force.
    pub effective: Option<EffectiveSpec>,
    /// Until then, `enforce` is `audit`.
    #[schemars(with = "Option<DateOrInstant>")]
    pub enforce_from: Option<Text>,
    /// The controls of a catalogue of controls that it implements.
    #[serde(default)]
    pub controls: Vec<String>,
    /// To what.
    #[schemars(with = "AppliesToSpec")]
    pub applies_to: Spanned<AppliesToSpec>,
    /// What it demands.
    #[schemars(with = "Vec<RuleSpec>")]
    pub rules: Spanned<Vec<RuleSpec>>,
    /// Whether exceptions may be made; none may where it is absent.
    #[schemars(with = "Option<ExceptionsSpec>")]
    pub exceptions: Option<Spanned<ExceptionsSpec>>,
}

/// Whether exceptions may be made, for how long, and who approves them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExceptionsSpec {
    /// Whether they may.
    pub allowed: bool,
    /// For how many days at most.
    pub max_days: Option<u32>,
    /// Teams and people; the team of the owner where it is absent.
    #[schemars(with = "Option<Vec<String>>")]
    pub approvers: Option<Vec<Text>>,
}

/// Who answers for a policy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnerSpec {
    /// A team.
    #[schemars(with = "String")]
    pub team: Text,
    /// Whom a refused user asks.
    #[schemars(with = "String")]
    pub contact: Text,
}

/// One legal reason.
#[derive(Debug, Deserialize, JsonSchema)]
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
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EffectiveSpec {
    /// First day.
    #[schemars(with = "Option<DateOrInstant>")]
    pub from: Option<Text>,
    /// A day after which somebody must look; it keeps enforcing.
    #[schemars(with = "Option<DateOrInstant>")]
    pub until: Option<Text>,
    /// The day by which somebody looks again.
    #[schemars(with = "Option<DateOrInstant>")]
    pub review_by: Option<Text>,
}

/// One block, or several of which any may hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppliesToSpec {
    /// Several blocks.
    #[schemars(with = "Option<Vec<BlockSpec>>")]
    pub any_of: Option<Vec<Spanned<BlockSpec>>>,
    /// By what the data is.
    pub data: Option<DataSelectorSpec>,
    /// By the labels of the namespace.
    pub namespaces: Option<NamespaceSelectorSpec>,
    /// By the storage class of a mounted volume.
    #[schemars(with = "Option<Vec<String>>")]
    pub storage_classes: Option<Vec<Text>>,
    /// By the data sets that a pod names.
    #[schemars(with = "Option<Vec<String>>")]
    pub data_sets: Option<Vec<Text>>,
}

/// All that it names must hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BlockSpec {
    /// By what the data is.
    pub data: Option<DataSelectorSpec>,
    /// By the labels of the namespace.
    pub namespaces: Option<NamespaceSelectorSpec>,
    /// By the storage class of a mounted volume.
    #[schemars(with = "Option<Vec<String>>")]
    pub storage_classes: Option<Vec<Text>>,
    /// By the data sets that a pod names.
    #[schemars(with = "Option<Vec<String>>")]
    pub data_sets: Option<Vec<Text>>,
}

/// By what the data is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DataSelectorSpec {
    /// At least so sensitive.
    pub classification: Option<AtLeastSpec>,
    /// Any of these.
    #[schemars(with = "Option<Vec<CategoryWord>>")]
    pub categories: Option<Vec<Text>>,
    /// Any of these.
    #[schemars(with = "Option<Vec<SubjectWord>>")]
    pub subjects: Option<Vec<Text>>,
}

/// `{atLeast: confidential}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AtLeastSpec {
    /// The least classification.
    #[schemars(with = "ClassificationWord")]
    pub at_least: Text,
}

/// By labels, all of which must be equal.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamespaceSelectorSpec {
    /// Labels.
    #[schemars(with = "BTreeMap<String, String>")]
    pub match_labels: BTreeMap<String, Text>,
}

/// One demand: exactly one of `allowed`, `denied`, `required`, `writes`, `reads`, `replica`,
/// `transit`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["allowed"]}, {"required": ["denied"]}, {"required": ["required"]}, {"required": ["writes"]}, {"required": ["reads"]}, {"required": ["replica"]}, {"required": ["transit"]}]))]
pub struct RuleSpec {
    /// Its name within the policy.
    #[schemars(with = "RuleName")]
    pub id: Text,
    /// `process`, `store`, `replicate`; the first two where it is absent.
    #[schemars(with = "Option<Vec<ActivityWord>>")]
    pub activities: Option<Vec<Text>>,
    /// Only here.
    #[schemars(with = "Option<Vec<Place>>")]
    pub allowed: Option<Vec<Text>>,
    /// Not here.
    #[schemars(with = "Option<Vec<Place>>")]
    pub denied: Option<Vec<Text>>,
    /// Only what meets this.
    pub required: Option<RequiredSpec>,
    /// On the data sets that a pod may write.
    pub writes: Option<WritesSpec>,
    /// On the data sets that a pod reads.
    pub reads: Option<ReadsSpec>,
    /// On new copies of a data set.
    pub replica: Option<ReplicaRuleSpec>,
    /// On the ways to the data sets that a pod names.
    pub transit: Option<TransitSpec>,
}

/// Where writes go.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WritesSpec {
    /// Every leader is surely in one of these places.
    #[schemars(with = "Vec<Place>")]
    pub primary_must_be_in: Vec<Text>,
}

/// Where reads come from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadsSpec {
    /// Some replica is surely in one of these places.
    #[schemars(with = "Vec<Place>")]
    pub from_replica_in: Vec<Text>,
}

/// On copies: exactly one of the two.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["noneOutside"]}, {"required": ["mustExistIn"]}]))]
pub struct ReplicaRuleSpec {
    /// No copy is made outside these places.
    #[schemars(with = "Option<Vec<Place>>")]
    pub none_outside: Option<Vec<Text>>,
    /// A copy is in one of these places.
    #[schemars(with = "Option<Vec<Place>>")]
    pub must_exist_in: Option<Vec<Text>>,
}

/// Through where traffic to a data set must not lead.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransitSpec {
    /// No way that leads, or may lead, through one of these places.
    #[schemars(with = "Vec<Place>")]
    pub forbid: Vec<Text>,
    /// What becomes of a way between two regions that no NetworkLink declares: `deny` or `warn`.
    #[schemars(with = "DenyOrWarn")]
    pub when_path_unknown: Text,
}
