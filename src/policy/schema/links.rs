//! `NetworkLink`: which countries traffic between two places crosses, as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Text;
use super::vocabulary::{CountryCode, DateOrInstant, PlaceKey};

/// `NetworkLink`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkLinkSpec {
    /// As its author counts; free text.
    #[serde(default, rename = "version")]
    _version: Option<String>,
    /// One end. A link holds both ways.
    #[schemars(with = "PlaceKey")]
    pub from: Text,
    /// The other end, in another region.
    #[schemars(with = "PlaceKey")]
    pub to: Text,
    /// Every country that traffic may cross on the way, besides those of the two ends; `[]` where there is none.
    #[schemars(with = "Vec<CountryCode>")]
    pub countries: Vec<Text>,
    /// Who carries the traffic, and so answers for the statement.
    #[schemars(with = "String")]
    pub provider: Text,
    /// The day on which it was true.
    #[schemars(with = "DateOrInstant")]
    pub as_of: Text,
    /// Where it comes from, such as a contract or a map.
    pub source: Option<String>,
}
