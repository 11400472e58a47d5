//! Pods that are only thought of: the least data that a policy is about, and a pod that reads a data set.
//!
//! Inputs: a policy or the name of a data set, the facts, an instant. Outputs: profiles to be evaluated as
//! those of any pod. Invariants: a specimen says nothing beyond what it is made for, so that other policies
//! bear on it only where they bear on every pod of its kind; what a policy leaves open is `internal` data
//! of no category and no people. Deliberately absent: combinations that no single policy names.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::definition::{
    Activity, ActivitySet, Block, DataSelector, Definitions, PlaceTerm, Policy, SubjectSelector,
};
use super::profile::{Facts, Profile, Source, SourcedTuple, profile};
use crate::model::{
    Classification, DataSetName, DataSetUse, DataTuple, Dimension, Fleet, NamespaceName, PodRequirements,
    RequestsPerCall, Subject, Tuple,
};

/// Profiles of the least data that a policy is about: one for each category, subject and data set that it
/// names. A data set that nobody declared has none, since nothing is known of it.
#[must_use]
pub fn specimens(facts: Facts<'_>, policy: &Policy, now: Timestamp) -> Vec<Profile> {
    let of_block = |block: &Block| match &block.data_sets {
        Some(names) => {
            let read = names.iter().filter_map(|name| reader_of(facts, name, now));
            read.map(|profile| from_where(profile, block)).collect()
        }
        None => of_data(facts.definitions, block, now),
    };
    policy.applies_to.iter().flat_map(of_block).collect()
}

/// The profile of a pod that reads a data set and does nothing else; `None` where it is not declared.
#[must_use]
pub fn reader_of(facts: Facts<'_>, name: &DataSetName, now: Timestamp) -> Option<Profile> {
    let declared = facts.data_sets.get(name)?;
    // Any will do: a fleet without namespaces says nothing of it.
    let mut pod = PodRequirements::imagined(NamespaceName::new("default").ok()?);
    pod.annotations.access.data_sets = vec![DataSetUse {
        name: declared.name.clone(),
        reads: None,
        writes: RequestsPerCall::new(0.0),
    }];
    let nobody = Fleet::default();
    let facts = Facts {
        fleet: &nobody,
        ..facts
    };
    let mut read = profile(facts, &pod, now);
    read.namespace = None;
    read.tuples
        .retain(|sourced| matches!(sourced.source, Source::DataSet(_)));
    Some(read)
}

fn of_data(definitions: &Definitions, block: &Block, now: Timestamp) -> Vec<Profile> {
    let source = match block.storage_classes.as_deref() {
        Some([class, ..]) if block.namespace_labels.is_none() => Source::StorageClass(class.clone()),
        _ => Source::Namespace,
    };
    let everything = DataSelector::default();
    let tuples = tuples(definitions, block.data.as_ref().unwrap_or(&everything), now);
    let profiles = tuples.into_iter().map(|tuple| Profile {
        performs: ActivitySet::default().with(Activity::Process),
        tuples: vec![SourcedTuple {
            source: source.clone(),
            tuple: Tuple::Data(tuple),
        }],
        namespace_labels: Some(BTreeMap::new()),
        ..Profile::default()
    });
    profiles.map(|profile| from_where(profile, block)).collect()
}

/// The same from where a block selects: with its labels, on its first storage class.
fn from_where(mut profile: Profile, block: &Block) -> Profile {
    if let Some(labels) = &block.namespace_labels {
        profile.namespace_labels = Some(labels.iter().cloned().collect());
    }
    if let Some(class) = block.storage_classes.as_ref().and_then(|classes| classes.first()) {
        profile.storage_classes = vec![Some(class.clone())];
        profile.performs = profile.performs.with(Activity::Store);
    }
    profile
}

fn tuples(definitions: &Definitions, selector: &DataSelector, now: Timestamp) -> Vec<DataTuple> {
    let categories = match &selector.categories {
        Some(categories) => categories
            .iter()
            .map(|category| category.map_or(Dimension::None, Dimension::Is))
            .collect(),
        None => vec![Dimension::None],
    };
    let subjects = match &selector.subjects {
        Some(subjects) => subjects
            .iter()
            .flat_map(|subject| people(definitions, subject, now))
            .collect(),
        None => vec![Dimension::None],
    };
    let classification = Some(selector.at_least.unwrap_or(Classification::Internal));
    let of_category = categories.iter().flat_map(|category| {
        subjects.iter().map(move |subject| DataTuple {
            classification,
            category: category.clone(),
            subject: subject.clone(),
        })
    });
    of_category.collect()
}

fn people(definitions: &Definitions, selector: &SubjectSelector, now: Timestamp) -> Vec<Dimension<Subject>> {
    let SubjectSelector::Place(term) = selector else {
        return vec![Dimension::None];
    };
    let subjects: Vec<Subject> = match term {
        PlaceTerm::Country(country) => vec![Subject::Country(*country)],
        PlaceTerm::Subdivision(part) => vec![Subject::Subdivision(part.clone())],
        PlaceTerm::Group(group) => definitions.subjects_of(*group, now).into_iter().collect(),
        // No selector of people names it.
        PlaceTerm::Anywhere => Vec::new(),
    };
    subjects.into_iter().map(Dimension::Is).collect()
}
