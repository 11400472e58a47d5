//! One tuple for each kind of data that some sets can tell apart.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::mentions::{Parts, selectors};
use crate::model::{Category, Classification, Country, DataTuple, Dimension, Membership, Subject};
use crate::policy::catalogue::Catalogue;
use crate::policy::definition::{DataSelector, Definitions, RegionKeyTrust};
use crate::policy::membership::Jurisdictions;
use crate::policy::selector::DataMatcher;

/// Those that state every dimension first.
pub fn tuples(sets: &[&Definitions], parts: &Parts, catalogue: &Catalogue, at: Timestamp) -> Vec<DataTuple> {
    let classifications = classifications(sets);
    let categories = categories(sets);
    let subjects = subjects(sets, parts, catalogue, at);
    let mut tuples = Vec::with_capacity(classifications.len() * categories.len() * subjects.len());
    for classification in &classifications {
        for category in &categories {
            for subject in &subjects {
                tuples.push(DataTuple {
                    classification: *classification,
                    category: category.clone(),
                    subject: subject.clone(),
                });
            }
        }
    }
    tuples.sort_by_key(|tuple| !tuple.is_complete());
    tuples
}

/// The least classification above each threshold that a set mentions. Public stands alone: it may pass
/// uncovered.
fn classifications(sets: &[&Definitions]) -> Vec<Option<Classification>> {
    let mut thresholds = BTreeSet::from([Classification::Public, Classification::Internal]);
    for set in sets {
        thresholds.extend(selectors(set).filter_map(|selector| selector.at_least));
        thresholds.extend(set.settings.max_fact_age.keys());
        if let RegionKeyTrust::NodeRestriction { from } = set.settings.region_key {
            thresholds.insert(from);
        }
    }
    thresholds.into_iter().map(Some).chain([None]).collect()
}

fn categories(sets: &[&Definitions]) -> Vec<Dimension<Category>> {
    let lists: BTreeSet<&Vec<Option<Category>>> = sets
        .iter()
        .flat_map(|set| selectors(set))
        .filter_map(|selector| selector.categories.as_ref())
        .collect();
    let is_selected = |list: &&Vec<Option<Category>>, category: Category| {
        let mut selected = list.iter().flatten();
        selected.any(|selected| category.is_a(*selected))
    };
    let mut seen: BTreeSet<Vec<bool>> = BTreeSet::new();
    let kinds = Category::ALL.into_iter().filter(|category| {
        let selected = lists.iter().map(|list| is_selected(list, *category));
        seen.insert(selected.collect())
    });
    kinds
        .map(Dimension::Is)
        .chain([Dimension::None, Dimension::Missing])
        .collect()
}

fn subjects(
    sets: &[&Definitions],
    parts: &Parts,
    catalogue: &Catalogue,
    at: Timestamp,
) -> Vec<Dimension<Subject>> {
    let mut matchers: Vec<DataMatcher> = Vec::new();
    for set in sets {
        let jurisdictions = Jurisdictions::at(set, catalogue, at);
        let mut lists = Vec::new();
        for list in selectors(set).filter_map(|selector| selector.subjects.as_ref()) {
            if lists.contains(&list) {
                continue;
            }
            lists.push(list);
            let by_subject = DataSelector {
                subjects: Some(list.clone()),
                ..DataSelector::default()
            };
            matchers.push(DataMatcher::new(&jurisdictions, &by_subject));
        }
    }
    let countries = Country::all().map(Subject::Country);
    let parts = parts.named().chain(parts.unnamed());
    let people = countries.chain(parts.map(|part| Subject::Subdivision(part.clone())));
    let mut seen: BTreeSet<Vec<Membership>> = BTreeSet::new();
    let kinds = people.map(Dimension::Is).filter(|subject| {
        let tuple = DataTuple {
            subject: subject.clone(),
            ..DataTuple::UNKNOWN
        };
        seen.insert(matchers.iter().map(|matcher| matcher.matches(&tuple)).collect())
    });
    let kinds: Vec<Dimension<Subject>> = kinds.collect();
    kinds
        .into_iter()
        .chain([Dimension::None, Dimension::Missing])
        .collect()
}
