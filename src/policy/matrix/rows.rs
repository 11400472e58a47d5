//! Which data the matrix speaks of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::{GivenProfile, RowData, RowOrigin, RowSubject};
use crate::model::{Category, Classification, DataSet, DataSetName, Dimension, Subject, SubjectTerm};
use crate::policy::PolicySet;
use crate::policy::definition::{Block, DataSelector, Definitions, GroupIndex, PlaceTerm, SubjectSelector};
use crate::policy::profile::{Profile, Source, UsedDataSet};

/// How sensitive data is of which a policy does not say it.
const UNSTATED_CLASSIFICATION: Classification = Classification::Confidential;

pub(super) fn rows(
    set: &PolicySet,
    data_sets: &BTreeMap<DataSetName, DataSet>,
    given: &[GivenProfile],
    now: Timestamp,
) -> Vec<RowData> {
    let mut all = set.data_sets.clone();
    let beside = data_sets.iter();
    all.extend(beside.map(|(name, data_set)| (name.clone(), data_set.clone())));
    let mut gatherer = Gatherer {
        set,
        data_sets: &all,
        now,
        rows: Vec::new(),
    };
    for data_set in all.values() {
        gatherer.data_set(data_set);
    }
    for policy in &set.definitions.policies {
        for block in &policy.applies_to {
            gatherer.block(&policy.name, block);
        }
    }
    for profile in given {
        gatherer.given(profile);
    }
    gatherer.rows
}

/// The members of a group at an instant, as a subject of a row.
pub(super) fn group(definitions: &Definitions, group: GroupIndex, now: Timestamp) -> RowSubject {
    let named = definitions.groups.get(group);
    RowSubject::Group {
        name: named.map_or_else(|| Arc::from(""), |group| group.name.clone()),
        members: definitions.subjects_of(group, now).into_iter().collect(),
    }
}

/// Three lists, every combination of which is data.
struct Lists {
    classifications: Vec<Option<Classification>>,
    categories: Vec<Dimension<Category>>,
    subjects: Vec<RowSubject>,
}

struct Gatherer<'a> {
    set: &'a PolicySet,
    data_sets: &'a BTreeMap<DataSetName, DataSet>,
    now: Timestamp,
    rows: Vec<RowData>,
}

impl Gatherer<'_> {
    fn push(&mut self, origin: &RowOrigin, source: &Source, pod: &Profile, lists: &Lists) {
        for classification in &lists.classifications {
            for category in &lists.categories {
                for subject in &lists.subjects {
                    let is_known = self.rows.iter().rev().any(|row| {
                        row.origin == *origin
                            && row.classification == *classification
                            && row.category == *category
                            && row.subject == *subject
                    });
                    if is_known {
                        continue;
                    }
                    self.rows.push(RowData {
                        origin: origin.clone(),
                        classification: *classification,
                        category: category.clone(),
                        subject: subject.clone(),
                        source: source.clone(),
                        pod: pod.clone(),
                    });
                }
            }
        }
    }

    fn data_set(&mut self, data_set: &DataSet) {
        let definitions = &self.set.definitions;
        let subjects = data_set.profile.subjects.iter().map(|term| match term {
            SubjectTerm::None => RowSubject::One(Dimension::None),
            SubjectTerm::Of(subject) => RowSubject::One(Dimension::Is(subject.clone())),
            SubjectTerm::Group(name) => match definitions.group(name) {
                Some(index) => group(definitions, index, self.now),
                None => RowSubject::Group {
                    name: name.clone(),
                    members: Vec::new(),
                },
            },
        });
        let lists = Lists {
            classifications: vec![Some(data_set.profile.classification)],
            categories: data_set.profile.categories.clone(),
            subjects: subjects.collect(),
        };
        let pod = Profile {
            namespace_labels: Some(BTreeMap::new()),
            data_sets: vec![self.used(&data_set.name)],
            ..Profile::default()
        };
        let origin = RowOrigin::DataSet(data_set.name.clone());
        self.push(&origin, &Source::DataSet(data_set.name.clone()), &pod, &lists);
    }

    /// A data set as it is known; one that nobody declared has no replica.
    fn used(&self, name: &DataSetName) -> UsedDataSet {
        let replicas = self.data_sets.get(name).map(|data_set| &*data_set.replicas);
        UsedDataSet::new(name.clone(), replicas.unwrap_or_default(), &self.set.catalogue)
    }

    /// The data that a block selects, asserted by the kind of source that the block names. Data sets that
    /// it names without more have rows of their own.
    fn block(&mut self, policy: &Arc<str>, block: &Block) {
        let named = block.data_sets.iter().flatten();
        let all_declared = named.clone().all(|name| self.data_sets.contains_key(name));
        let only_data_sets =
            block.data.is_none() && block.namespace_labels.is_none() && block.storage_classes.is_none();
        if only_data_sets && all_declared {
            return;
        }
        let mut sources: Vec<String> = Vec::new();
        let mut source = Source::Namespace;
        let mut pod = Profile {
            namespace_labels: Some(BTreeMap::new()),
            ..Profile::default()
        };
        if let Some(names) = &block.data_sets {
            sources.push(format!(
                "data sets {}",
                joined(names.iter().map(DataSetName::as_str))
            ));
            pod.data_sets = names.iter().take(1).map(|name| self.used(name)).collect();
            source = names.first().cloned().map_or(source, Source::DataSet);
        }
        if let Some(classes) = &block.storage_classes {
            sources.push(format!(
                "storage classes {}",
                joined(classes.iter().map(|class| &**class))
            ));
            pod.storage_classes = classes.iter().take(1).cloned().map(Some).collect();
            source = classes.first().cloned().map_or(source, Source::StorageClass);
        }
        if let Some(labels) = &block.namespace_labels {
            let words: Vec<String> = labels
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            sources.push(format!("namespaces {}", joined(words.iter().map(String::as_str))));
            pod.namespace_labels = Some(labels.iter().cloned().collect());
            source = Source::Namespace;
        }
        let origin = RowOrigin::Policy {
            name: policy.clone(),
            sources: sources.join(" and "),
        };
        let lists = self.selected(block.data.as_ref());
        self.push(&origin, &source, &pod, &lists);
    }

    /// The least data that a selector finds.
    fn selected(&self, selector: Option<&DataSelector>) -> Lists {
        let unstated = DataSelector::default();
        let selector = selector.unwrap_or(&unstated);
        let categories = selector
            .categories
            .iter()
            .flatten()
            .map(|category| match category {
                Some(category) => Dimension::Is(*category),
                None => Dimension::None,
            });
        let subjects = selector.subjects.iter().flatten().map(|subject| match subject {
            SubjectSelector::None => RowSubject::One(Dimension::None),
            SubjectSelector::Place(PlaceTerm::Country(country)) => {
                RowSubject::One(Dimension::Is(Subject::Country(*country)))
            }
            SubjectSelector::Place(PlaceTerm::Subdivision(part)) => {
                RowSubject::One(Dimension::Is(Subject::Subdivision(part.clone())))
            }
            SubjectSelector::Place(PlaceTerm::Group(index)) => group(&self.set.definitions, *index, self.now),
            SubjectSelector::Place(PlaceTerm::Anywhere) => RowSubject::Anywhere,
        });
        let mut lists = Lists {
            classifications: vec![Some(selector.at_least.unwrap_or(UNSTATED_CLASSIFICATION))],
            categories: categories.collect(),
            subjects: subjects.collect(),
        };
        if lists.categories.is_empty() {
            lists.categories.push(Dimension::None);
        }
        if lists.subjects.is_empty() {
            lists.subjects.push(RowSubject::One(Dimension::None));
        }
        lists
    }

    fn given(&mut self, given: &GivenProfile) {
        let lists = Lists {
            classifications: given.classifications.clone(),
            categories: given.categories.clone(),
            subjects: given.subjects.clone(),
        };
        let pod = Profile {
            namespace_labels: Some(BTreeMap::new()),
            ..Profile::default()
        };
        let origin = RowOrigin::Given(given.words.clone());
        self.push(&origin, &Source::Namespace, &pod, &lists);
    }
}

/// Words in their order, each once.
fn joined<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let words: BTreeSet<&str> = words.collect();
    words.into_iter().collect::<Vec<_>>().join(", ")
}
