//! `PlacementException`: one rule, one namespace, named data, named places, an end; as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::vocabulary::{DateOrInstant, ExceptionCategoryWord, Place, WorkloadName};
use super::{DataSelectorSpec, Text};

/// `PlacementException`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExceptionSpec {
    /// As its author counts; free text.
    #[serde(default, rename = "version")]
    _version: Option<String>,
    /// Which rule it lifts.
    pub relaxes: RelaxesSpec,
    /// For what.
    pub scope: ScopeSpec,
    /// `waiver` or `mitigated`.
    #[schemars(with = "ExceptionCategoryWord")]
    pub category: Text,
    /// Why.
    #[schemars(with = "String")]
    pub reason: Text,
    /// What is done instead of what the rule asks for.
    #[serde(default)]
    pub compensating_controls: Vec<String>,
    /// Who asked for it.
    #[schemars(with = "String")]
    pub requested_by: Text,
    /// Who approved it; somebody else.
    #[schemars(with = "String")]
    pub approved_by: Text,
    /// Where the approval is filed.
    #[schemars(with = "String")]
    pub ticket: Text,
    /// The first instant.
    #[schemars(with = "DateOrInstant")]
    pub not_before: Text,
    /// The first instant after.
    #[schemars(with = "DateOrInstant")]
    pub expires: Text,
}

/// The rule that an exception lifts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RelaxesSpec {
    /// The policy.
    #[schemars(with = "String")]
    pub policy: Text,
    /// The id of its rule.
    #[schemars(with = "String")]
    pub rule: Text,
}

/// What an exception is for; all of it must surely hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeSpec {
    /// The namespace of the pods.
    #[schemars(with = "String")]
    pub namespace: Text,
    /// Where they may run.
    #[schemars(with = "Vec<Place>")]
    pub locations: Vec<Text>,
    /// Which data.
    pub data: DataSelectorSpec,
    /// Such as `Deployment/fraud-model`; narrows, and pods write their owners themselves.
    #[schemars(with = "Option<WorkloadName>")]
    pub workload: Option<Text>,
}
