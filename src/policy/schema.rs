//! The files as they are written: one struct for each kind of docs/policies.md, 1.
//!
//! Inputs: YAML or JSON. Outputs: text with its position; nothing is looked up here. Invariants: an
//! unknown field is an error, and a missing mandatory field is one, never a default.
//! Deliberately absent: exceptions, rules on reads, writes and replicas, guarantees, tests; a file that
//! has them is refused with a sentence rather than read in part.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

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
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// Its name.
    pub name: Text,
    #[serde(default, rename = "labels")]
    _labels: BTreeMap<String, String>,
    #[serde(default, rename = "annotations")]
    _annotations: BTreeMap<String, String>,
}

/// `PolicySettings`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SettingsSpec {
    #[serde(default, rename = "version")]
    _version: Option<String>,
    /// `enforce` or `observe`.
    pub mode: Text,
    /// `deny` or `allow`.
    pub uncovered: Text,
    /// What becomes of a pod about whose data nobody says anything.
    pub unlabelled: Unlabelled,
    /// Namespaces that assert nothing.
    #[serde(default)]
    pub exempt_namespaces: Vec<Text>,
    /// Which label of a node is trusted for its region.
    pub region_key: Spanned<RegionKeySetting>,
    /// Who belongs to which team.
    #[serde(default)]
    pub teams: BTreeMap<String, Vec<String>>,
    /// How old a fact may be.
    #[serde(default)]
    pub max_fact_age: BTreeMap<String, Text>,
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

/// `topology`, or one that comes later; kept as what was written.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum RegionKeySetting {
    /// A word.
    Word(String),
    /// A restricted label.
    Other(serde::de::IgnoredAny),
}

/// `Region`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegionSpec {
    #[serde(default, rename = "version")]
    _version: Option<String>,
    /// Such as `aws`.
    pub provider: Text,
    /// Such as `eu-central-1`.
    pub region: Text,
    /// ISO 3166-1.
    pub country: Text,
    /// ISO 3166-2.
    pub subdivision: Option<Text>,
    /// For people.
    pub city: Option<String>,
    /// For estimates of latency.
    pub coordinates: Option<Spanned<CoordinatesSpec>>,
    /// Who runs it.
    pub operator: Option<OperatorSpec>,
    /// Its attestations.
    pub certifications: Option<Vec<CertificationSpec>>,
    /// `provider`, `customer` or `external`.
    pub key_custody: Option<Text>,
    /// `shared` or `dedicated`.
    pub tenancy: Option<Text>,
    /// Facts of single zones.
    #[serde(default)]
    pub zones: BTreeMap<String, ZoneSpec>,
    /// Where these facts come from.
    pub source: SourceSpec,
}

/// Facts of a zone; never a country.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ZoneSpec {
    /// Who runs it.
    pub operator: Option<OperatorSpec>,
    /// Its attestations.
    pub certifications: Option<Vec<CertificationSpec>>,
    /// `provider`, `customer` or `external`.
    pub key_custody: Option<Text>,
    /// `shared` or `dedicated`.
    pub tenancy: Option<Text>,
}

/// Degrees.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoordinatesSpec {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

/// Who runs a region.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OperatorSpec {
    /// The company.
    pub legal_entity: Option<String>,
    /// ISO 3166-1 codes.
    pub controlled_from: Option<Spanned<Vec<Text>>>,
    /// ISO 3166-1 codes.
    pub admin_access_from: Option<Spanned<Vec<Text>>>,
}

/// An attestation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CertificationSpec {
    /// Such as `PCI-DSS`.
    pub scheme: Text,
    /// A level of it.
    pub level: Option<String>,
    /// The last day of validity, or an instant.
    pub valid_until: Option<Text>,
    #[serde(default, rename = "evidence")]
    _evidence: Option<String>,
}

/// Where a fact comes from.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SourceSpec {
    #[serde(rename = "cite")]
    _cite: String,
    /// The day on which it was true.
    pub as_of: Text,
}

/// `JurisdictionGroup`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupSpec {
    #[serde(default, rename = "version")]
    _version: Option<String>,
    /// The day on which the list was right.
    pub as_of: Text,
    /// The day by which somebody looks again.
    pub review_by: Text,
    #[serde(rename = "source")]
    _source: String,
    /// Who belongs to it.
    pub members: Vec<MemberSpec>,
}

/// A member of a group: exactly one of the first three.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberSpec {
    /// ISO 3166-1.
    pub country: Option<Text>,
    /// ISO 3166-2.
    pub subdivision: Option<Text>,
    /// Another group.
    pub group: Option<Text>,
    /// First day.
    pub from: Option<Text>,
    /// Last day.
    pub until: Option<Text>,
    /// What a place there must also meet.
    pub required: Option<RequiredSpec>,
    #[serde(default, rename = "cite")]
    _cite: Option<String>,
    #[serde(default, rename = "note")]
    _note: Option<String>,
}

/// What a place must surely meet; all that is named must hold.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequiredSpec {
    /// On who runs it.
    pub operator: Option<RequiredOperatorSpec>,
    /// Any of these.
    pub certifications: Option<Vec<RequiredCertificationSpec>>,
    /// Any of these.
    pub key_custody: Option<Vec<Text>>,
    /// Any of these.
    pub tenancy: Option<Vec<Text>>,
}

/// On who runs a place: every country of the operator must be inside.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequiredOperatorSpec {
    /// Any of these companies.
    pub legal_entity: Option<Vec<Text>>,
    /// Places.
    pub controlled_from: Option<Vec<Text>>,
    /// Places.
    pub admin_access_from: Option<Vec<Text>>,
}

/// An attestation that is asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequiredCertificationSpec {
    /// Such as `PCI-DSS`.
    pub scheme: Text,
    /// A level of it, exactly.
    pub level: Option<String>,
    /// For how many more days it must be valid.
    #[serde(default)]
    pub valid_at_least_days: u32,
}

/// `DataSet`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DataSetSpec {
    #[serde(default, rename = "version")]
    _version: Option<String>,
    /// What it is.
    pub profile: ProfileSpec,
    /// `strict` or `available`.
    pub consistency: Text,
    /// Its copies.
    pub replicas: Vec<ReplicaSpec>,
    /// Who answers for it.
    pub owner: Option<OwnerOrText>,
}

/// Who answers for a data set: a name, or a team with its contact.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum OwnerOrText {
    /// A name.
    Text(String),
    /// A team.
    Owner(OwnerSpec),
}

/// All three are mandatory.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileSpec {
    /// One.
    pub classification: Text,
    /// At least one, or `none`.
    pub categories: Vec<Text>,
    /// At least one, or `none`; may name groups.
    pub subjects: Vec<Text>,
}

/// A copy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplicaSpec {
    /// A region key, or a bare region.
    pub region: Text,
    /// A zone of it.
    pub zone: Option<String>,
    /// A cluster.
    pub cluster: Option<String>,
    /// `leader`, `voter`, `read-only` or `witness`.
    pub role: Text,
}

/// `PlacementPolicy`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicySpec {
    /// In one line, for people.
    pub title: String,
    #[serde(default, rename = "version")]
    _version: Option<String>,
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
    #[serde(default, rename = "controls")]
    _controls: Vec<String>,
    /// To what.
    pub applies_to: Spanned<AppliesToSpec>,
    /// What it demands.
    pub rules: Spanned<Vec<RuleSpec>>,
    /// Not supported yet unless `allowed: false`.
    pub exceptions: Option<Spanned<ExceptionsSpec>>,
}

/// Whether exceptions may be made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExceptionsSpec {
    /// Only `false` is supported yet.
    pub allowed: bool,
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
    #[serde(default, rename = "url")]
    _url: Option<String>,
    #[serde(default, rename = "note")]
    _note: Option<String>,
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

/// One demand: exactly one of `allowed`, `denied`, `required`.
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
}
