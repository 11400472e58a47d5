//! `PlacementException`: one rule, one namespace, named data, named places, an end; as it is written.

use serde::Deserialize;

use super::{DataSelectorSpec, Text};

/// `PlacementException`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExceptionSpec {
    #[serde(default, rename = "version")]
    _version: Option<String>,
    /// Which rule it lifts.
    pub relaxes: RelaxesSpec,
    /// For what.
    pub scope: ScopeSpec,
    /// `waiver` or `mitigated`.
    pub category: Text,
    /// Why.
    pub reason: Text,
    /// What is done instead of what the rule asks for.
    #[serde(default)]
    pub compensating_controls: Vec<String>,
    /// Who asked for it.
    pub requested_by: Text,
    /// Who approved it; somebody else.
    pub approved_by: Text,
    /// Where the approval is filed.
    pub ticket: Text,
    /// The first instant.
    pub not_before: Text,
    /// The first instant after.
    pub expires: Text,
}

/// The rule that an exception lifts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelaxesSpec {
    /// The policy.
    pub policy: Text,
    /// The id of its rule.
    pub rule: Text,
}

/// What an exception is for; all of it must surely hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeSpec {
    /// The namespace of the pods.
    pub namespace: Text,
    /// Where they may run.
    pub locations: Vec<Text>,
    /// Which data.
    pub data: DataSelectorSpec,
    /// Such as `Deployment/fraud-model`; narrows, and pods write their owners themselves.
    pub workload: Option<Text>,
}
