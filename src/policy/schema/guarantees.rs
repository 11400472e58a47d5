//! `Guarantee`: what must never be possible under a set, as it is written.

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{DataSelectorSpec, Text};

/// `Guarantee`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GuaranteeSpec {
    #[serde(default, rename = "version")]
    _version: Option<String>,
    /// In one sentence, for people.
    pub says: Text,
    /// What must never be possible.
    pub never: NeverSpec,
    /// `listed` or `none`; none where it is absent.
    pub exceptions: Option<Text>,
}

/// What must never be possible.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeverSpec {
    /// With which data.
    pub data: DataSelectorSpec,
    /// Doing what.
    pub activities: Vec<Text>,
    /// Where.
    pub location: Spanned<NeverLocationSpec>,
}

/// Exactly one of the two.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeverLocationSpec {
    /// In one of these places.
    #[serde(rename = "in")]
    pub inside: Option<Vec<Text>>,
    /// Outside all of these places.
    pub outside: Option<Vec<Text>>,
}
