//! Who carries the data of a case: a namespace, data sets, a storage class, or several of them.
//!
//! The namespace says what `data` says. Where it says nothing it leaves the word to the data sets and the
//! storage class, if they say something; else nobody says anything, which is an unlabelled namespace.

use std::sync::Arc;

use serde_saphyr::Spanned;

use crate::model::{
    DataSetUse, Dimension, NamespaceName, RequestsPerCall, StatedData, StatedProfile, Subject, nearest_word,
};
use crate::policy::data_sets::alone;
use crate::policy::definition::Carrier;
use crate::policy::document::Origin;
use crate::policy::schema::{
    TestCaseSpec, TestDataSetSpec, TestDataSpec, TestNamespaceSpec, TestStorageClassSpec, Text, WordOr,
};
use crate::policy::translate::data_set_name;
use crate::policy::translate::exceptions::workload_of;
use crate::policy::words::Reader;

/// The namespace of a case that names none. No object of Kubernetes has such a name, so neither an
/// exception nor a list of exempt namespaces means it by accident.
const NAMELESS: &str = "(a-namespace-without-a-name)";

pub(super) fn carrier(origin: &Origin, spec: &TestCaseSpec, reader: &mut Reader) -> Option<Carrier> {
    let namespace = spec.namespace.as_ref().map(|namespace| &namespace.value);
    if spec.data.is_none() && namespace.is_none() && spec.data_sets.is_none() && spec.storage_class.is_none()
    {
        let sentence = "nobody carries data in this case".to_owned();
        let fix = "write `data`, `namespace`, `dataSets` or `storageClass`".to_owned();
        reader.error("L01", origin.position(&spec.name), sentence, Some(fix));
    }
    let of_namespace = namespace.and_then(|namespace| namespace.data.as_ref());
    if let (Some(_), Some(twice)) = (&spec.data, of_namespace) {
        let sentence = "the data of the namespace stands here twice".to_owned();
        let fix = "keep `data` in one of the two places".to_owned();
        reader.error("L01", origin.position(twice), sentence, Some(fix));
    }
    let (stated, profile) = match spec.data.as_ref().or(of_namespace) {
        None => (None, StatedProfile::default()),
        Some(data) => namespace_data(origin, data, reader),
    };
    let data_sets = data_sets(origin, spec, reader);
    let storage_class = spec
        .storage_class
        .as_ref()
        .map(|written| storage_class(origin, written, reader));
    let workload = spec.workload.as_ref();
    let owner = workload.and_then(|text| workload_of(origin, text, reader));
    let (name, labels) = name_and_labels(origin, namespace, reader);
    let says_something = !data_sets.is_empty()
        || storage_class
            .as_ref()
            .is_some_and(|(_, profile)| !profile.is_empty());
    let leaves_the_word = stated.is_none() && profile.is_empty() && says_something;
    Some(Carrier {
        namespace: name?,
        labels,
        stated: if leaves_the_word {
            Some(StatedData::ByWorkload)
        } else {
            stated
        },
        profile,
        data_sets,
        storage_class,
        owner: owner.map(|workload| workload.controller()),
    })
}

type Labels = std::collections::BTreeMap<Arc<str>, Arc<str>>;

fn name_and_labels(
    origin: &Origin,
    namespace: Option<&TestNamespaceSpec>,
    reader: &mut Reader,
) -> (Option<NamespaceName>, Labels) {
    let Some(namespace) = namespace else {
        return (NamespaceName::new(NAMELESS).ok(), Labels::new());
    };
    let name = match &namespace.name {
        None => NamespaceName::new(NAMELESS).ok(),
        Some(text) => NamespaceName::new(&text.value)
            .map_err(|problem| reader.error("L01", origin.position(text), problem.to_string(), None))
            .ok(),
    };
    let labels = namespace.labels.iter().map(|(key, value)| {
        reader.check_quoting(origin, value);
        (Arc::from(key.as_str()), Arc::from(value.value.as_str()))
    });
    (name, labels.collect())
}

/// What a namespace says: a profile, or in a word that there is no governed data or that workloads say it.
fn namespace_data(
    origin: &Origin,
    data: &Spanned<WordOr<TestDataSpec>>,
    reader: &mut Reader,
) -> (Option<StatedData>, StatedProfile) {
    let word = match &data.value {
        WordOr::Fields(fields) => return (None, profile(origin, data, fields, reader)),
        WordOr::Word(word) => word.as_str(),
    };
    let stated = match word {
        "none" => Some(StatedData::NoData),
        "by-workload" => Some(StatedData::ByWorkload),
        _ => {
            let fix = match nearest_word(word, ["none", "by-workload"]) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write `none`, `by-workload` or `{classification, categories, subjects}`".to_owned(),
            };
            let sentence = format!("`{word}` is nothing that a namespace says about its data");
            reader.error("L03", origin.position(data), sentence, Some(fix));
            None
        }
    };
    (stated, StatedProfile::default())
}

/// The lists of one source; a list that is not written is not stated.
fn profile<T>(origin: &Origin, at: &Spanned<T>, spec: &TestDataSpec, reader: &mut Reader) -> StatedProfile {
    let at = origin.position(at);
    if spec.classification.is_none() && spec.categories.is_none() && spec.subjects.is_none() {
        let sentence = "`data` states nothing".to_owned();
        let fix = "write `namespace: {}` for a namespace that says nothing".to_owned();
        reader.error("L01", at.clone(), sentence, Some(fix));
    }
    for (list, name) in [(&spec.categories, "categories"), (&spec.subjects, "subjects")] {
        if let Some(texts) = list {
            alone(origin, at.clone(), texts, name, reader);
        }
    }
    let classification = spec.classification.as_ref();
    let classification = classification.and_then(|text| reader.classification(origin, text));
    let categories = spec.categories.as_ref().map(|texts| {
        let read = texts.iter().filter_map(|text| reader.category(origin, text));
        read.map(|category| category.map_or(Dimension::None, Dimension::Is))
            .collect()
    });
    let subjects = spec.subjects.as_ref().map(|texts| {
        let read = texts.iter();
        read.filter_map(|text| subject(origin, text, reader)).collect()
    });
    StatedProfile {
        classifications: classification.map(|classification| vec![classification]),
        categories,
        subjects,
    }
}

fn subject(origin: &Origin, text: &Text, reader: &mut Reader) -> Option<Dimension<Subject>> {
    let word = text.value.as_str();
    if word == "none" {
        return Some(Dimension::None);
    }
    if word.starts_with("group/") {
        let sentence = format!("`{word}` is a group: annotations name the people of countries");
        let fix = "write countries of the group, or a data set that names it".to_owned();
        reader.error("L03", origin.position(text), sentence, Some(fix));
        return None;
    }
    let read = if word.contains('-') {
        reader.subdivision(origin, text).map(Subject::Subdivision)
    } else {
        reader.country(origin, text).map(Subject::Country)
    };
    read.map(Dimension::Is)
}

fn data_sets(origin: &Origin, spec: &TestCaseSpec, reader: &mut Reader) -> Vec<DataSetUse> {
    let Some(written) = &spec.data_sets else {
        return Vec::new();
    };
    if written.value.is_empty() {
        let sentence = "the list `dataSets` is empty".to_owned();
        reader.error("L01", origin.position(written), sentence, None);
    }
    let each = written.value.iter();
    each.filter_map(|written| data_set(origin, written, reader))
        .collect()
}

fn data_set(
    origin: &Origin,
    written: &Spanned<WordOr<TestDataSetSpec>>,
    reader: &mut Reader,
) -> Option<DataSetUse> {
    let (name, reads, writes) = match &written.value {
        WordOr::Word(word) => (with_text(written, word), &None, &None),
        WordOr::Fields(fields) => (fields.name.clone(), &fields.reads, &fields.writes),
    };
    let mut number = |written: &Option<Spanned<f64>>| {
        let written = written.as_ref()?;
        let number = RequestsPerCall::new(written.value);
        if number.is_none() {
            let sentence = format!("`{}` is not a number of requests", written.value);
            let fix = "write 0 or more, at most a million".to_owned();
            reader.error("L01", origin.position(written), sentence, Some(fix));
        }
        number
    };
    let (reads, writes) = (number(reads), number(writes));
    Some(DataSetUse {
        name: data_set_name(origin, &name, reader)?,
        reads,
        writes,
    })
}

fn storage_class(
    origin: &Origin,
    written: &Spanned<WordOr<TestStorageClassSpec>>,
    reader: &mut Reader,
) -> (Arc<str>, StatedProfile) {
    let (name, data) = match &written.value {
        WordOr::Word(word) => (word, None),
        WordOr::Fields(fields) => (&fields.name.value, fields.data.as_ref()),
    };
    if name.trim().is_empty() {
        let sentence = "the storage class has no name".to_owned();
        reader.error("L01", origin.position(written), sentence, None);
    }
    let profile = match data.map(|data| (data, &data.value)) {
        None => StatedProfile::default(),
        Some((data, WordOr::Fields(fields))) => profile(origin, data, fields, reader),
        Some((data, WordOr::Word(word))) => {
            let sentence = format!("`{word}` is nothing that a storage class says about its data");
            let fix = "write `{classification, categories, subjects}`".to_owned();
            reader.error("L03", origin.position(data), sentence, Some(fix));
            StatedProfile::default()
        }
    };
    (Arc::from(name.as_str()), profile)
}

/// A word at the place where something is written.
fn with_text<T>(written: &Spanned<T>, word: &str) -> Text {
    Text {
        value: word.to_owned(),
        referenced: written.referenced,
        defined: written.defined,
    }
}
