//! `appliesTo` of a policy: to what it applies.

use std::sync::Arc;

use crate::model::DataSetName;
use crate::policy::definition::{Block, DataSelector};
use crate::policy::document::{Object, Origin};
use crate::policy::finding::Position;
use crate::policy::schema::{self, BlockSpec, DataSelectorSpec, PolicySpec, Text};
use crate::policy::words::Reader;

pub(super) fn applies_to(object: &Object<PolicySpec>, reader: &mut Reader) -> Vec<Block> {
    let Object { origin, spec, .. } = object;
    let written = &spec.applies_to;
    let own = &written.value;
    let names_itself = own.data.is_some()
        || own.namespaces.is_some()
        || own.storage_classes.is_some()
        || own.data_sets.is_some();
    let at = origin.position(written);
    let Some(blocks) = &own.any_of else {
        let selectors = (&own.data, &own.namespaces, &own.storage_classes, &own.data_sets);
        return vec![block(origin, selectors, at, reader)];
    };
    if names_itself {
        let sentence = "`appliesTo` is one block or `anyOf`, not both".to_owned();
        reader.error(
            "L01",
            at.clone(),
            sentence,
            Some("move the block into `anyOf`".to_owned()),
        );
    }
    if blocks.is_empty() {
        reader.error("L01", at, "`anyOf` has no block".to_owned(), None);
    }
    blocks
        .iter()
        .map(|written| {
            let BlockSpec {
                data,
                namespaces,
                storage_classes,
                data_sets,
            } = &written.value;
            block(
                origin,
                (data, namespaces, storage_classes, data_sets),
                origin.position(written),
                reader,
            )
        })
        .collect()
}

type Selectors<'a> = (
    &'a Option<DataSelectorSpec>,
    &'a Option<schema::NamespaceSelectorSpec>,
    &'a Option<Vec<Text>>,
    &'a Option<Vec<Text>>,
);

fn block(
    origin: &Origin,
    (data, namespaces, storage_classes, data_sets): Selectors<'_>,
    at: Position,
    reader: &mut Reader,
) -> Block {
    if data.is_none() && namespaces.is_none() && storage_classes.is_none() && data_sets.is_none() {
        let fix = "name `data`, `namespaces`, `storageClasses` or `dataSets`".to_owned();
        reader.error(
            "L01",
            at.clone(),
            "a block of `appliesTo` selects nothing".to_owned(),
            Some(fix),
        );
    }
    for (list, name) in [(storage_classes, "storageClasses"), (data_sets, "dataSets")] {
        if list.as_ref().is_some_and(Vec::is_empty) {
            reader.error("L01", at.clone(), format!("the list `{name}` is empty"), None);
        }
    }
    let namespace_labels = namespaces.as_ref().map(|selector| {
        if selector.match_labels.is_empty() {
            reader.error("L01", at.clone(), "`matchLabels` names no label".to_owned(), None);
        }
        let labels = selector.match_labels.iter();
        labels
            .map(|(key, value)| {
                reader.check_quoting(origin, value);
                (Arc::from(key.as_str()), Arc::from(value.value.as_str()))
            })
            .collect()
    });
    Block {
        data: data
            .as_ref()
            .map(|selector| data_selector(origin, selector, &at, reader)),
        namespace_labels,
        storage_classes: storage_classes
            .as_ref()
            .map(|texts| texts.iter().map(|text| Arc::from(text.value.as_str())).collect()),
        data_sets: data_sets.as_ref().map(|texts| {
            texts
                .iter()
                .filter_map(|text| data_set_name(origin, text, reader))
                .collect()
        }),
        written_at: at,
    }
}

/// Checks the name of a data set.
pub fn data_set_name(origin: &Origin, text: &Text, reader: &mut Reader) -> Option<DataSetName> {
    DataSetName::new(&text.value)
        .map_err(|problem| reader.error("L01", origin.position(text), problem.to_string(), None))
        .ok()
}

pub(super) fn data_selector(
    origin: &Origin,
    spec: &DataSelectorSpec,
    at: &Position,
    reader: &mut Reader,
) -> DataSelector {
    if spec.classification.is_none() && spec.categories.is_none() && spec.subjects.is_none() {
        reader.error("L01", at.clone(), "`data` selects nothing".to_owned(), None);
    }
    for (list, name) in [(&spec.categories, "categories"), (&spec.subjects, "subjects")] {
        if list.as_ref().is_some_and(Vec::is_empty) {
            reader.error("L01", at.clone(), format!("the list `{name}` is empty"), None);
        }
    }
    DataSelector {
        at_least: spec
            .classification
            .as_ref()
            .and_then(|spec| reader.classification(origin, &spec.at_least)),
        categories: spec.categories.as_ref().map(|texts| {
            texts
                .iter()
                .filter_map(|text| reader.category(origin, text))
                .collect()
        }),
        subjects: spec.subjects.as_ref().map(|texts| {
            texts
                .iter()
                .filter_map(|text| reader.subject(origin, text))
                .collect()
        }),
    }
}
