//! `PolicyTest`: what a set must decide, case by case, as it is written.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde_saphyr::Spanned;

use super::{CertificationSpec, OperatorSpec, Text};

/// `PolicyTest`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyTestSpec {
    #[serde(default, rename = "version")]
    _version: Option<String>,
    /// The instant at which every case is judged.
    pub at: Text,
    /// The cases.
    pub cases: Spanned<Vec<TestCaseSpec>>,
}

/// One question and its answer: who carries which data, where it would run, and what must come of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestCaseSpec {
    /// In a few words, for people.
    pub name: Text,
    /// What the namespace says about its data.
    pub data: Option<Spanned<WordOr<TestDataSpec>>>,
    /// The namespace, where its name or its labels matter.
    pub namespace: Option<Spanned<TestNamespaceSpec>>,
    /// The data sets that the pod names.
    pub data_sets: Option<Spanned<Vec<Spanned<WordOr<TestDataSetSpec>>>>>,
    /// The storage class of the claim that the pod mounts.
    pub storage_class: Option<Spanned<WordOr<TestStorageClassSpec>>>,
    /// The workload that the pod belongs to, such as `Deployment/web`.
    pub workload: Option<Text>,
    /// What the pod does with data: `process` and `store` where it is absent.
    pub activities: Option<Spanned<Vec<Text>>>,
    /// A region of the catalogue, or `unknown`.
    pub region: Option<Text>,
    /// A place that is only thought of.
    pub facts: Option<TestFactsSpec>,
    /// `on` or `off`; on where it is absent.
    pub exceptions: Option<Text>,
    /// `allow` or `deny`.
    pub expect: Text,
    /// A rule, an exception, `uncovered` or `unlabelled`.
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

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<WordOr<T>, A::Error> {
                let fields = serde::de::value::MapAccessDeserializer::new(fields);
                T::deserialize(fields).map(WordOr::Fields)
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

/// What one source says about its data, as its annotations would; a list that is absent is not stated.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestDataSpec {
    /// One.
    pub classification: Option<Text>,
    /// Any, or `none`.
    pub categories: Option<Vec<Text>>,
    /// Any, or `none`.
    pub subjects: Option<Vec<Text>>,
}

/// A namespace.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestNamespaceSpec {
    /// Its name, which exceptions look at.
    pub name: Option<Text>,
    /// Its labels, which policies select by.
    #[serde(default)]
    pub labels: BTreeMap<String, Text>,
    /// What it says about its data; the same as `data` beside it.
    pub data: Option<Spanned<WordOr<TestDataSpec>>>,
}

/// How a pod uses a data set, in the words of its annotation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestDataSetSpec {
    /// Its name.
    pub name: Text,
    /// Reads for each request.
    pub reads: Option<Spanned<f64>>,
    /// Writes for each request.
    pub writes: Option<Spanned<f64>>,
}

/// A storage class and what it says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestStorageClassSpec {
    /// Its name.
    pub name: Text,
    /// What it says about the data of its volumes.
    pub data: Option<Spanned<WordOr<TestDataSpec>>>,
}

/// The facts of a place that is only thought of, in the words of a `Region`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestFactsSpec {
    /// ISO 3166-1.
    pub country: Text,
    /// ISO 3166-2.
    pub subdivision: Option<Text>,
    /// Who runs it.
    pub operator: Option<OperatorSpec>,
    /// Its attestations.
    pub certifications: Option<Vec<CertificationSpec>>,
    /// `provider`, `customer` or `external`.
    pub key_custody: Option<Text>,
    /// `shared` or `dedicated`.
    pub tenancy: Option<Text>,
    /// The day on which these facts were true; the instant of the test where it is absent.
    pub as_of: Option<Text>,
}
