//! `DataSet`: named data, where its copies are and which of them serve an access, as it is written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::vocabulary::{
    CategoryWord, ClassificationWord, ConsistencyWord, ReadPathWord, ReplicaRoleWord, SubjectWord,
    WritePathWord,
};
use super::{OwnerSpec, Text};

/// `DataSet`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DataSetSpec {
    /// As its author counts; free text.
    #[serde(default, rename = "version")]
    _version: Option<String>,
    /// What it is.
    pub profile: ProfileSpec,
    /// `strict` or `available`.
    #[schemars(with = "ConsistencyWord")]
    pub consistency: Text,
    /// Which copies serve an access, where that does not follow from the consistency and the roles.
    pub access: Option<AccessSpec>,
    /// Its copies.
    pub replicas: Vec<ReplicaSpec>,
    /// Whose claims and StatefulSets may hold others; any namespace's, which no rule then believes, where it is absent.
    pub members: Option<MembersSpec>,
    /// Who answers for it.
    pub owner: Option<OwnerOrText>,
}

/// Whose claims and StatefulSets may hold copies.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MembersSpec {
    /// The namespaces; what they say of copies counts for rules too.
    #[schemars(with = "Vec<String>")]
    pub namespaces: Vec<Text>,
}

/// Which copies serve an access.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessSpec {
    /// `nearest`, `leader` or `quorum`.
    #[schemars(with = "Option<ReadPathWord>")]
    pub reads: Option<Text>,
    /// `leader` or `quorum`.
    #[schemars(with = "Option<WritePathWord>")]
    pub writes: Option<Text>,
    /// How many voters that hold data answer a read; a majority of all voters where it is absent.
    #[schemars(with = "Option<std::num::NonZeroU32>")]
    pub read_quorum: Option<Spanned<u32>>,
    /// How many voters answer a write; a majority of them where it is absent.
    #[schemars(with = "Option<std::num::NonZeroU32>")]
    pub write_quorum: Option<Spanned<u32>>,
}

/// Who answers for a data set: a name, or a team with its contact.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OwnerOrText {
    /// A name.
    Text(String),
    /// A team.
    Owner(OwnerSpec),
}

/// All three are mandatory.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileSpec {
    /// One.
    #[schemars(with = "ClassificationWord")]
    pub classification: Text,
    /// At least one, or `none`.
    #[schemars(with = "Vec<CategoryWord>")]
    pub categories: Vec<Text>,
    /// At least one, or `none`; may name groups.
    #[schemars(with = "Vec<SubjectWord>")]
    pub subjects: Vec<Text>,
}

/// A copy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplicaSpec {
    /// A region key, or a bare region.
    #[schemars(with = "String")]
    pub region: Text,
    /// A zone of it.
    pub zone: Option<String>,
    /// A cluster.
    pub cluster: Option<String>,
    /// `leader`, `voter`, `read-only` or `witness`.
    #[schemars(with = "ReplicaRoleWord")]
    pub role: Text,
}
