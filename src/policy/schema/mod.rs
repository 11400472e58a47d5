//! The files as they are written: one struct for each kind of docs/policies.md, 1.
//!
//! Inputs: YAML or JSON. Outputs: text with its position; nothing is looked up here. Invariants: an
//! unknown field is an error, and a missing mandatory field is one, never a default.

mod custom_resources;
mod data_sets;
mod exceptions;
mod guarantees;
mod json_schema;
mod links;
mod policies;
mod structural;
mod test_cases;
mod vocabulary;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

pub use custom_resources::{
    CUSTOM_KINDS, CustomKind, DATA_SET, DEFINITION_ANNOTATION, GROUP, SETTINGS_NAME, VERSION,
    custom_resource_definition, definition_digest,
};
pub use data_sets::*;
pub use exceptions::*;
pub use guarantees::*;
pub use json_schema::{json_schema, without_null};
pub use links::*;
pub use policies::*;
pub use test_cases::*;
use vocabulary::{
    AllowOrDeny, CountryCode, DateOrInstant, FactAges, KeyCustodyWord, Place, RegionKeyWords,
    ReplicaRoleWord, SettingsMode, StatisticWord, SubdivisionCode, TenancyWord, UnlabelledSetting,
};

/// Text with its place in the file.
pub type Text = Spanned<String>;

/// The two fields that say what a document is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// Must be `domicile.dev/v1alpha1`.
    pub api_version: Option<Text>,
    /// One of the kinds of this module.
    pub kind: Option<Text>,
}

/// A whole document.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Document<S> {
    #[serde(rename = "apiVersion")]
    _api_version: serde::de::IgnoredAny,
    #[serde(rename = "kind")]
    _kind: serde::de::IgnoredAny,
    /// Its name.
    pub metadata: Metadata,
    /// What it says.
    pub spec: S,
}

/// `metadata` of an object.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// Its name.
    #[schemars(with = "String")]
    pub name: Text,
    /// Labels, for other tools.
    #[serde(default, rename = "labels")]
    _labels: BTreeMap<String, String>,
    /// Annotations, for other tools.
    #[serde(default, rename = "annotations")]
    _annotations: BTreeMap<String, String>,
}

/// `PolicySettings`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SettingsSpec {
    /// As its author counts; free text.
    #[serde(default, rename = "version")]
    _version: Option<String>,
    /// `enforce` or `observe`.
    #[schemars(with = "SettingsMode")]
    pub mode: Text,
    /// `deny` or `allow`.
    #[schemars(with = "AllowOrDeny")]
    pub uncovered: Text,
    /// What becomes of a pod about whose data nobody says anything.
    #[schemars(with = "UnlabelledSetting")]
    pub unlabelled: Unlabelled,
    /// Namespaces that assert nothing.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub exempt_namespaces: Vec<Text>,
    /// Which label of a node is trusted for its region.
    #[schemars(with = "RegionKeyWords")]
    pub region_key: Spanned<RegionKeySetting>,
    /// Who belongs to which team.
    #[serde(default)]
    pub teams: BTreeMap<String, Vec<String>>,
    /// How old facts may be, by the least classification that asks for it: those of a region and what the cluster
    /// confirms of its objects. An age of less than a day is for the latter alone.
    #[serde(default)]
    #[schemars(with = "FactAges")]
    pub max_fact_age: BTreeMap<String, Text>,
    /// What latency has to be to count.
    pub latency: Option<LatencySettingsSpec>,
    /// Which labels of pods tell the role of the copies that they hold; these come before those that are built in.
    #[serde(default)]
    pub role_labels: Vec<RoleLabelSpec>,
}

/// What latency has to be to count.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LatencySettingsSpec {
    /// `p50` or `p95`; `p50` where it is absent.
    #[schemars(with = "Option<StatisticWord>")]
    pub statistic: Option<Text>,
    /// Whether a place is refused from which an access of a pod is not measured.
    #[serde(default)]
    pub require_measured: bool,
}

/// A label by which pods tell a role.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleLabelSpec {
    /// The key of the label.
    pub label: String,
    /// Its value.
    pub value: String,
    /// `leader`, `voter`, `read-only` or `witness`.
    #[schemars(with = "ReplicaRoleWord")]
    pub role: Text,
}

/// `allow`, `deny` or `{confineTo: [places]}`.
#[derive(Debug)]
pub enum Unlabelled {
    /// Runs anywhere.
    Allow,
    /// Runs nowhere.
    Deny,
    /// Runs in these places.
    ConfineTo(Vec<Text>),
}

impl<'de> Deserialize<'de> for Unlabelled {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Unlabelled;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("`allow`, `deny` or `confineTo: [places]`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Unlabelled, E> {
                match text {
                    "allow" => Ok(Unlabelled::Allow),
                    "deny" => Ok(Unlabelled::Deny),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Unlabelled, A::Error> {
                #[derive(Deserialize)]
                #[serde(rename_all = "camelCase", deny_unknown_fields)]
                struct Confined {
                    confine_to: Vec<Text>,
                }
                let confined = Confined::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(Unlabelled::ConfineTo(confined.confine_to))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Which statement of a node is its region: `topology`, `provider-id`, or `{nodeRestriction: LABEL, from:
/// CLASSIFICATION}`.
#[derive(Debug)]
pub enum RegionKeySetting {
    /// One of the words.
    Word(String),
    /// The topology label, confirmed by a label that kubelets cannot set.
    NodeRestriction {
        /// The label.
        label: Text,
        /// The least classification that asks for it.
        from: Text,
    },
}

impl<'de> Deserialize<'de> for RegionKeySetting {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = RegionKeySetting;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("`topology`, `provider-id` or `nodeRestriction: LABEL` with `from`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<RegionKeySetting, E> {
                Ok(RegionKeySetting::Word(text.to_owned()))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<RegionKeySetting, A::Error> {
                #[derive(Deserialize)]
                #[serde(rename_all = "camelCase", deny_unknown_fields)]
                struct Restricted {
                    node_restriction: Text,
                    from: Text,
                }
                let written = Restricted::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(RegionKeySetting::NodeRestriction {
                    label: written.node_restriction,
                    from: written.from,
                })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// `Region`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegionSpec {
    /// As its author counts; free text.
    #[serde(default, rename = "version")]
    _version: Option<String>,
    /// Such as `aws`.
    #[schemars(with = "String")]
    pub provider: Text,
    /// Such as `eu-central-1`.
    #[schemars(with = "String")]
    pub region: Text,
    /// ISO 3166-1.
    #[schemars(with = "CountryCode")]
    pub country: Text,
    /// ISO 3166-2.
    #[schemars(with = "Option<SubdivisionCode>")]
    pub subdivision: Option<Text>,
    /// For people.
    pub city: Option<String>,
    /// For estimates of latency.
    #[schemars(with = "Option<CoordinatesSpec>")]
    pub coordinates: Option<Spanned<CoordinatesSpec>>,
    /// Who runs it.
    pub operator: Option<OperatorSpec>,
    /// Its attestations.
    pub certifications: Option<Vec<CertificationSpec>>,
    /// `provider`, `customer` or `external`.
    #[schemars(with = "Option<KeyCustodyWord>")]
    pub key_custody: Option<Text>,
    /// `shared` or `dedicated`.
    #[schemars(with = "Option<TenancyWord>")]
    pub tenancy: Option<Text>,
    /// Facts of single zones.
    #[serde(default)]
    pub zones: BTreeMap<String, ZoneSpec>,
    /// Where these facts come from.
    pub source: SourceSpec,
}

/// Facts of a zone; never a country.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ZoneSpec {
    /// Who runs it.
    pub operator: Option<OperatorSpec>,
    /// Its attestations.
    pub certifications: Option<Vec<CertificationSpec>>,
    /// `provider`, `customer` or `external`.
    #[schemars(with = "Option<KeyCustodyWord>")]
    pub key_custody: Option<Text>,
    /// `shared` or `dedicated`.
    #[schemars(with = "Option<TenancyWord>")]
    pub tenancy: Option<Text>,
}

/// Degrees.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoordinatesSpec {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

/// Who runs a region.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OperatorSpec {
    /// The company.
    pub legal_entity: Option<String>,
    /// ISO 3166-1 codes.
    #[schemars(with = "Option<Vec<CountryCode>>")]
    pub controlled_from: Option<Spanned<Vec<Text>>>,
    /// ISO 3166-1 codes.
    #[schemars(with = "Option<Vec<CountryCode>>")]
    pub admin_access_from: Option<Spanned<Vec<Text>>>,
}

/// An attestation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CertificationSpec {
    /// Such as `PCI-DSS`.
    #[schemars(with = "String")]
    pub scheme: Text,
    /// A level of it.
    pub level: Option<String>,
    /// The last day of validity, or an instant.
    #[schemars(with = "Option<DateOrInstant>")]
    pub valid_until: Option<Text>,
    /// Where the attestation is filed.
    #[serde(default, rename = "evidence")]
    _evidence: Option<String>,
}

/// Where a fact comes from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SourceSpec {
    /// What is cited.
    #[serde(rename = "cite")]
    _cite: String,
    /// The day on which it was true.
    #[schemars(with = "DateOrInstant")]
    pub as_of: Text,
}

/// `JurisdictionGroup`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupSpec {
    /// As its author counts; free text.
    #[serde(default, rename = "version")]
    _version: Option<String>,
    /// What `group/NAME` calls it, where that is not the name of the object: objects of a cluster have no capitals in theirs.
    #[schemars(with = "Option<String>")]
    pub name: Option<Text>,
    /// The day on which the list was right.
    #[schemars(with = "DateOrInstant")]
    pub as_of: Text,
    /// The day by which somebody looks again.
    #[schemars(with = "DateOrInstant")]
    pub review_by: Text,
    /// Where the list comes from.
    pub source: String,
    /// Who belongs to it.
    pub members: Vec<MemberSpec>,
}

/// A member of a group: exactly one of the first three.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["country"]}, {"required": ["subdivision"]}, {"required": ["group"]}]))]
pub struct MemberSpec {
    /// ISO 3166-1.
    #[schemars(with = "Option<CountryCode>")]
    pub country: Option<Text>,
    /// ISO 3166-2.
    #[schemars(with = "Option<SubdivisionCode>")]
    pub subdivision: Option<Text>,
    /// Another group.
    #[schemars(with = "Option<String>")]
    pub group: Option<Text>,
    /// First day.
    #[schemars(with = "Option<DateOrInstant>")]
    pub from: Option<Text>,
    /// Last day.
    #[schemars(with = "Option<DateOrInstant>")]
    pub until: Option<Text>,
    /// What a place there must also meet.
    pub required: Option<RequiredSpec>,
    /// What is cited.
    #[serde(default, rename = "cite")]
    _cite: Option<String>,
    /// A note for people.
    #[serde(default, rename = "note")]
    _note: Option<String>,
}

/// What a place must surely meet; all that is named must hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequiredSpec {
    /// On who runs it.
    pub operator: Option<RequiredOperatorSpec>,
    /// Any of these.
    pub certifications: Option<Vec<RequiredCertificationSpec>>,
    /// Any of these.
    #[schemars(with = "Option<Vec<KeyCustodyWord>>")]
    pub key_custody: Option<Vec<Text>>,
    /// Any of these.
    #[schemars(with = "Option<Vec<TenancyWord>>")]
    pub tenancy: Option<Vec<Text>>,
}

/// On who runs a place: every country of the operator must be inside.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequiredOperatorSpec {
    /// Any of these companies.
    #[schemars(with = "Option<Vec<String>>")]
    pub legal_entity: Option<Vec<Text>>,
    /// Places.
    #[schemars(with = "Option<Vec<Place>>")]
    pub controlled_from: Option<Vec<Text>>,
    /// Places.
    #[schemars(with = "Option<Vec<Place>>")]
    pub admin_access_from: Option<Vec<Text>>,
}

/// An attestation that is asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequiredCertificationSpec {
    /// Such as `PCI-DSS`.
    #[schemars(with = "String")]
    pub scheme: Text,
    /// A level of it, exactly.
    pub level: Option<String>,
    /// For how many more days it must be valid.
    #[serde(default)]
    pub valid_at_least_days: u32,
}
