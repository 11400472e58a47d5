//! The kinds of data that some sets can tell apart.
//!
//! Inputs: sets, compiled. Outputs: for each dimension of a tuple its values, those together that every
//! selector treats alike at every instant from now on. Invariant: tuples of the same kinds are treated
//! alike by every rule.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::places::parts_named;
use crate::model::{
    Category, Classification, Country, DataTuple, Dimension, Membership, Subdivision, Subject, SubjectTerm,
    Tuple,
};
use crate::policy::PolicySet;
use crate::policy::epoch::Epoch;
use crate::policy::selector::DataMatcher;

/// The kinds of data of a comparison; each kind has a member.
#[derive(Debug)]
pub struct DataKinds {
    pub classifications: Vec<Vec<Option<Classification>>>,
    pub categories: Vec<Vec<Dimension<Category>>>,
    pub subjects: Vec<Vec<Dimension<Subject>>>,
}

/// One kind of data, by the numbers of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Datum {
    /// A tuple.
    Data {
        /// Index into [`DataKinds::classifications`].
        classification: usize,
        /// Index into [`DataKinds::categories`].
        category: usize,
        /// Index into [`DataKinds::subjects`].
        subject: usize,
    },
    /// Nobody says what it is.
    Unlabelled,
    /// Stated to be no governed data.
    NoData,
}

impl DataKinds {
    /// The kinds that these epochs of these sets tell apart.
    #[must_use]
    pub fn of(sets: &[&PolicySet], epochs: &[&Epoch]) -> Self {
        let matchers = matchers(epochs);
        let classifications = Classification::ALL.into_iter().map(Some).chain([None]);
        let classifications = together(classifications, |classification| {
            let selected = matchers
                .iter()
                .map(|matcher| matcher.classification(*classification));
            let settings = sets.iter().map(|set| {
                let settings = set.settings();
                let age = settings.max_fact_age(*classification);
                (age, settings.needs_confirmed_region(*classification))
            });
            let passes_uncovered = *classification == Some(Classification::Public);
            let is_stated = classification.is_some();
            let selected: Vec<Membership> = selected.collect();
            (
                is_stated,
                passes_uncovered,
                selected,
                settings.collect::<Vec<_>>(),
            )
        });
        let stated = Category::ALL.into_iter().map(Dimension::Is);
        let categories = together(stated.chain([Dimension::None, Dimension::Missing]), |category| {
            let selected = matchers.iter().map(|matcher| matcher.category(category));
            (rank(category), selected.collect::<Vec<_>>())
        });
        let stated = subjects(sets).into_iter().map(Dimension::Is);
        let subjects = together(stated.chain([Dimension::None, Dimension::Missing]), |subject| {
            let selected = matchers.iter().map(|matcher| matcher.subject(subject));
            (rank(subject), selected.collect::<Vec<_>>())
        });
        Self {
            classifications,
            categories,
            subjects,
        }
    }

    /// Every kind of data.
    #[must_use]
    pub fn all(&self) -> Vec<Datum> {
        let mut all = vec![Datum::Unlabelled, Datum::NoData];
        for classification in 0..self.classifications.len() {
            for category in 0..self.categories.len() {
                all.extend((0..self.subjects.len()).map(|subject| Datum::Data {
                    classification,
                    category,
                    subject,
                }));
            }
        }
        all
    }

    /// A tuple that stands for a kind of data; `None` for a kind that is not among these.
    #[must_use]
    pub fn tuple(&self, datum: Datum) -> Option<Tuple> {
        match datum {
            Datum::Unlabelled => Some(Tuple::Unlabelled),
            Datum::NoData => Some(Tuple::NoData),
            Datum::Data {
                classification,
                category,
                subject,
            } => Some(Tuple::Data(DataTuple {
                classification: *self.classifications.get(classification)?.first()?,
                category: self.categories.get(category)?.first()?.clone(),
                subject: self.subjects.get(subject)?.first()?.clone(),
            })),
        }
    }
}

/// What is stated, none and missing are never together: words say them apart.
fn rank<T>(dimension: &Dimension<T>) -> u8 {
    match dimension {
        Dimension::Is(_) => 0,
        Dimension::None => 1,
        Dimension::Missing => 2,
    }
}

/// Every selector of data, once where epochs share it.
fn matchers<'a>(epochs: &[&'a Epoch]) -> Vec<&'a DataMatcher> {
    let mut seen = BTreeSet::new();
    let mut matchers = Vec::new();
    for rule in epochs.iter().flat_map(|epoch| &epoch.rules) {
        if seen.insert(Arc::as_ptr(&rule.blocks).cast::<()>()) {
            matchers.extend(rule.blocks.iter().filter_map(|block| block.data()));
        }
        for exception in &rule.exceptions {
            if seen.insert(Arc::as_ptr(exception).cast::<()>()) {
                matchers.push(&exception.data);
            }
        }
    }
    matchers
}

/// Values that have the same key, in the order of their first.
fn together<T, K: Ord>(values: impl Iterator<Item = T>, key: impl Fn(&T) -> K) -> Vec<Vec<T>> {
    let mut numbers: BTreeMap<K, usize> = BTreeMap::new();
    let mut kinds: Vec<Vec<T>> = Vec::new();
    for value in values {
        let number = *numbers.entry(key(&value)).or_insert(kinds.len());
        match kinds.get_mut(number) {
            Some(kind) => kind.push(value),
            None => kinds.push(vec![value]),
        }
    }
    kinds
}

/// Every country, every part that somebody names, and for each country with such a part one that nobody
/// names.
fn subjects(sets: &[&PolicySet]) -> Vec<Subject> {
    let mut named: BTreeSet<Subdivision> = BTreeSet::new();
    for set in sets {
        named.extend(parts_named(&set.definitions));
        for data_set in set.data_sets.values() {
            named.extend(data_set.profile.subjects.iter().filter_map(|term| match term {
                SubjectTerm::Of(Subject::Subdivision(part)) => Some(part.clone()),
                _ => None,
            }));
        }
    }
    let unnamed = unnamed_parts(&named);
    let parts = named.into_iter().chain(unnamed).map(Subject::Subdivision);
    Country::all().map(Subject::Country).chain(parts).collect()
}

/// For each country of which a part is named, one that is not; it stands for all such.
#[must_use]
pub fn unnamed_parts(named: &BTreeSet<Subdivision>) -> BTreeSet<Subdivision> {
    let countries: BTreeSet<Country> = named.iter().map(Subdivision::country).collect();
    let unnamed = countries.into_iter().filter_map(|country| {
        let mut codes =
            (0..1_000).filter_map(|number| Subdivision::new(&format!("{country}-{number:03}")).ok());
        codes.find(|part| !named.contains(part))
    });
    unnamed.collect()
}
