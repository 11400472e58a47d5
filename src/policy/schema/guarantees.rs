//! `Guarantee`: what must never be possible under a set, as it is written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::vocabulary::{ActivityWord, GuaranteeExceptions, Place};
use super::{DataSelectorSpec, Text};

/// `Guarantee`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GuaranteeSpec {
    /// As its author counts; free text.
    #[serde(default, rename = "version")]
    _version: Option<String>,
    /// In one sentence, for people.
    #[schemars(with = "String")]
    pub says: Text,
    /// What must never be possible.
    pub never: NeverSpec,
    /// `listed` or `none`; none where it is absent.
    #[schemars(with = "Option<GuaranteeExceptions>")]
    pub exceptions: Option<Text>,
}

/// What must never be possible.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NeverSpec {
    /// With which data.
    pub data: DataSelectorSpec,
    /// Doing what.
    #[schemars(with = "Vec<ActivityWord>")]
    pub activities: Vec<Text>,
    /// Where.
    #[schemars(with = "NeverLocationSpec")]
    pub location: Spanned<NeverLocationSpec>,
}

/// Exactly one of the two.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["in"]}, {"required": ["outside"]}]))]
pub struct NeverLocationSpec {
    /// In one of these places.
    #[serde(rename = "in")]
    #[schemars(with = "Option<Vec<Place>>")]
    pub inside: Option<Vec<Text>>,
    /// Outside all of these places.
    #[schemars(with = "Option<Vec<Place>>")]
    pub outside: Option<Vec<Text>>,
}
