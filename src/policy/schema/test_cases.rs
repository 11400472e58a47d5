//! `PolicyTest`: what a set must decide, case by case, as it is written.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::vocabulary::{
    ActivityWord, AllowOrDeny, CategoryWord, ClassificationWord, CountryCode, DateOrInstant, KeyCustodyWord,
    OnOrOff, SubdivisionCode, SubjectWord, TenancyWord, WorkloadName,
};
use super::{CertificationSpec, OperatorSpec, Text};

/// `PolicyTest`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyTestSpec {
    /// As its author counts; free text.
    #[serde(default, rename = "version")]
    _version: Option<String>,
    /// The instant at which every case is judged.
    #[schemars(with = "DateOrInstant")]
    pub at: Text,
    /// The cases.
    #[schemars(with = "Vec<TestCaseSpec>")]
    pub cases: Spanned<Vec<TestCaseSpec>>,
}

/// One question and its answer: who carries which data, where it would run, and what must come of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestCaseSpec {
    /// In a few words, for people.
    #[schemars(with = "String")]
    pub name: Text,
    /// What the namespace says about its data.
    #[schemars(with = "Option<WordOr<TestDataSpec>>")]
    pub data: Option<Spanned<WordOr<TestDataSpec>>>,
    /// The namespace, where its name or its labels matter.
    #[schemars(with = "Option<TestNamespaceSpec>")]
    pub namespace: Option<Spanned<TestNamespaceSpec>>,
    /// The data sets that the pod names.
    #[schemars(with = "Option<Vec<WordOr<TestDataSetSpec>>>")]
    pub data_sets: Option<Spanned<Vec<Spanned<WordOr<TestDataSetSpec>>>>>,
    /// The storage class of the claim that the pod mounts.
    #[schemars(with = "Option<WordOr<TestStorageClassSpec>>")]
    pub storage_class: Option<Spanned<WordOr<TestStorageClassSpec>>>,
    /// The workload that the pod belongs to, such as `Deployment/web`.
    #[schemars(with = "Option<WorkloadName>")]
    pub workload: Option<Text>,
    /// What the pod does with data: `process` and `store` where it is absent.
    #[schemars(with = "Option<Vec<ActivityWord>>")]
    pub activities: Option<Spanned<Vec<Text>>>,
    /// A region of the catalogue, or `unknown`.
    #[schemars(with = "Option<String>")]
    pub region: Option<Text>,
    /// A place that is only thought of.
    pub facts: Option<TestFactsSpec>,
    /// `on` or `off`; on where it is absent.
    #[schemars(with = "Option<OnOrOff>")]
    pub exceptions: Option<Text>,
    /// `allow` or `deny`.
    #[schemars(with = "AllowOrDeny")]
    pub expect: Text,
    /// A rule, an exception, `uncovered` or `unlabelled`.
    #[schemars(with = "Option<String>")]
    pub because: Option<Text>,
}

/// One word, or fields.
#[derive(Debug)]
pub enum WordOr<T> {
    /// A word.
    Word(String),
    /// Fields.
    Fields(T),
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for WordOr<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: DeserializeOwned> Visitor<'de> for Either<T> {
            type Value = WordOr<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("one word, or fields")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<WordOr<T>, E> {
                Ok(WordOr::Word(word.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _list: A) -> Result<WordOr<T>, A::Error> {
                Err(serde::de::Error::custom("one word or fields belong here"))
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<WordOr<T>, A::Error> {
                let fields = serde::de::value::MapAccessDeserializer::new(fields);
                T::deserialize(fields).map(WordOr::Fields)
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

/// What one source says about its data, as its annotations would; a list that is absent is not stated.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestDataSpec {
    /// One.
    #[schemars(with = "Option<ClassificationWord>")]
    pub classification: Option<Text>,
    /// Any, or `none`.
    #[schemars(with = "Option<Vec<CategoryWord>>")]
    pub categories: Option<Vec<Text>>,
    /// Any, or `none`.
    #[schemars(with = "Option<Vec<SubjectWord>>")]
    pub subjects: Option<Vec<Text>>,
}

/// A namespace.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestNamespaceSpec {
    /// Its name, which exceptions look at.
    #[schemars(with = "Option<String>")]
    pub name: Option<Text>,
    /// Its labels, which policies select by.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub labels: BTreeMap<String, Text>,
    /// What it says about its data; the same as `data` beside it.
    #[schemars(with = "Option<WordOr<TestDataSpec>>")]
    pub data: Option<Spanned<WordOr<TestDataSpec>>>,
}

/// How a pod uses a data set, in the words of its annotation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestDataSetSpec {
    /// Its name.
    #[schemars(with = "String")]
    pub name: Text,
    /// Reads for each request.
    #[schemars(with = "Option<f64>")]
    pub reads: Option<Spanned<f64>>,
    /// Writes for each request.
    #[schemars(with = "Option<f64>")]
    pub writes: Option<Spanned<f64>>,
}

/// A storage class and what it says.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestStorageClassSpec {
    /// Its name.
    #[schemars(with = "String")]
    pub name: Text,
    /// What it says about the data of its volumes.
    #[schemars(with = "Option<WordOr<TestDataSpec>>")]
    pub data: Option<Spanned<WordOr<TestDataSpec>>>,
}

/// The facts of a place that is only thought of, in the words of a `Region`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestFactsSpec {
    /// ISO 3166-1.
    #[schemars(with = "CountryCode")]
    pub country: Text,
    /// ISO 3166-2.
    #[schemars(with = "Option<SubdivisionCode>")]
    pub subdivision: Option<Text>,
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
    /// The day on which these facts were true; the instant of the test where it is absent.
    #[schemars(with = "Option<DateOrInstant>")]
    pub as_of: Option<Text>,
}
