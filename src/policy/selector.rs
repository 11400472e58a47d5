//! Whether a block of `appliesTo` matches a tuple of a pod, and whether it may cover it (docs/policies.md, 3.1
//! and 3).
//!
//! A block by namespace, storage class or data set restricts every tuple of the pod, and covers only
//! tuples whose own source satisfies every such selector of the block.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::definition::{Block, DataSelector, PlaceTerm, SubjectSelector};
use super::membership::Jurisdictions;
use super::profile::{Profile, Source, SourcedTuple};
use crate::model::{
    Category, CategorySet, Classification, Country, CountrySet, DataSetName, DataTuple, Dimension,
    Membership, Subdivision, Subject, Tuple,
};

/// A block, ready to be matched at one epoch.
#[derive(Debug)]
pub struct BlockMatcher {
    data: Option<DataMatcher>,
    namespace_labels: Option<Vec<(Arc<str>, Arc<str>)>>,
    storage_classes: Option<Vec<Arc<str>>>,
    data_sets: Option<Vec<DataSetName>>,
}

/// How a block matches a tuple.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockMatch {
    /// Whether it restricts: `Out` is no, anything else is yes.
    pub restricts: Membership,
    /// Whether an `allowed` of it covers.
    pub covers: bool,
}

impl BlockMatch {
    const NO: Self = Self {
        restricts: Membership::Out,
        covers: false,
    };
}

impl BlockMatcher {
    /// Prepares a block for an instant.
    #[must_use]
    pub fn new(jurisdictions: &Jurisdictions<'_>, block: &Block) -> Self {
        Self {
            data: block
                .data
                .as_ref()
                .map(|selector| DataMatcher::new(jurisdictions, selector)),
            namespace_labels: block.namespace_labels.clone(),
            storage_classes: block.storage_classes.clone(),
            data_sets: block.data_sets.clone(),
        }
    }

    /// Whether it selects by where data comes from alone, so that it reaches a pod without any tuple.
    #[must_use]
    pub fn is_source_only(&self) -> bool {
        self.data.is_none()
    }

    /// What it selects by what the data is.
    #[must_use]
    pub fn data(&self) -> Option<&DataMatcher> {
        self.data.as_ref()
    }

    /// Matches one tuple of a pod.
    #[must_use]
    pub fn matches(&self, profile: &Profile, sourced: &SourcedTuple) -> BlockMatch {
        let data = match (&self.data, &sourced.tuple) {
            (None, _) => Membership::In,
            (Some(matcher), Tuple::Data(tuple)) => matcher.matches(tuple),
            (Some(_), Tuple::Unlabelled | Tuple::NoData) => Membership::Out,
        };
        if data == Membership::Out {
            return BlockMatch::NO;
        }
        let of_pod = self.matches_sources(profile);
        BlockMatch {
            restricts: data.and(of_pod),
            covers: data == Membership::In && self.covers_source(profile, &sourced.source),
        }
    }

    /// Whether the pod, whatever its data is, comes from where this block selects.
    #[must_use]
    pub fn matches_sources(&self, profile: &Profile) -> Membership {
        let mut matched = Membership::In;
        if let Some(wanted) = &self.namespace_labels {
            matched = matched.and(match &profile.namespace_labels {
                None => Membership::May,
                Some(labels) if has_labels(labels, wanted) => Membership::In,
                Some(_) => Membership::Out,
            });
        }
        if let Some(wanted) = &self.storage_classes {
            let any = profile.storage_classes.iter().map(|class| match class {
                None => Membership::May,
                Some(class) if wanted.contains(class) => Membership::In,
                Some(_) => Membership::Out,
            });
            matched = matched.and(any.fold(Membership::Out, Membership::or));
        }
        if let Some(wanted) = &self.data_sets {
            let named = profile.data_sets.iter().any(|used| wanted.contains(&used.name));
            matched = matched.and(match named {
                true => Membership::In,
                false if profile.may_name_more_data_sets => Membership::May,
                false => Membership::Out,
            });
        }
        matched
    }

    /// Whether a rule of it binds a data set that the pod names: a block that selects data sets is about
    /// those alone.
    #[must_use]
    pub fn binds(&self, data_set: &DataSetName) -> bool {
        let wanted = self.data_sets.as_ref();
        wanted.is_none_or(|wanted| wanted.contains(data_set))
    }

    fn covers_source(&self, profile: &Profile, source: &Source) -> bool {
        let by_namespace = self.namespace_labels.as_ref().is_none_or(|wanted| {
            *source == Source::Namespace
                && profile
                    .namespace_labels
                    .as_ref()
                    .is_some_and(|labels| has_labels(labels, wanted))
        });
        let by_class = self
            .storage_classes
            .as_ref()
            .is_none_or(|wanted| matches!(source, Source::StorageClass(class) if wanted.contains(class)));
        let by_data_set = self
            .data_sets
            .as_ref()
            .is_none_or(|wanted| matches!(source, Source::DataSet(name) if wanted.contains(name)));
        by_namespace && by_class && by_data_set
    }
}

fn has_labels(
    labels: &std::collections::BTreeMap<Arc<str>, Arc<str>>,
    wanted: &[(Arc<str>, Arc<str>)],
) -> bool {
    wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// A selector by what data is, ready to be matched at one epoch.
#[derive(Debug)]
pub struct DataMatcher {
    at_least: Option<Classification>,
    categories: Option<CategoryMatcher>,
    subjects: Option<SubjectMatcher>,
}

impl DataMatcher {
    /// Prepares a selector for an instant.
    #[must_use]
    pub fn new(jurisdictions: &Jurisdictions<'_>, selector: &DataSelector) -> Self {
        let categories = selector.categories.as_ref();
        let subjects = selector.subjects.as_ref();
        Self {
            at_least: selector.at_least,
            categories: categories.map(|categories| CategoryMatcher::new(categories)),
            subjects: subjects.map(|subjects| SubjectMatcher::new(jurisdictions, subjects)),
        }
    }

    /// Whether data is among what it selects.
    #[must_use]
    pub fn matches(&self, tuple: &DataTuple) -> Membership {
        self.classification(tuple.classification)
            .and(self.category(&tuple.category))
            .and(self.subject(&tuple.subject))
    }

    /// Whether data so sensitive is among what it selects, as far as that decides.
    #[must_use]
    pub fn classification(&self, of_data: Option<Classification>) -> Membership {
        self.at_least.map_or(Membership::In, |at_least| match of_data {
            None => Membership::May,
            Some(classification) if classification >= at_least => Membership::In,
            Some(_) => Membership::Out,
        })
    }

    /// Whether data about this is among what it selects, as far as that decides.
    #[must_use]
    pub fn category(&self, of_data: &Dimension<Category>) -> Membership {
        self.categories
            .as_ref()
            .map_or(Membership::In, |categories| match of_data {
                Dimension::Missing => Membership::May,
                Dimension::None if categories.none => Membership::In,
                Dimension::Is(category) if categories.set.contains(*category) => Membership::In,
                Dimension::None | Dimension::Is(_) => Membership::Out,
            })
    }

    /// Whether data of these people is among what it selects, as far as that decides.
    #[must_use]
    pub fn subject(&self, of_data: &Dimension<Subject>) -> Membership {
        self.subjects
            .as_ref()
            .map_or(Membership::In, |subjects| subjects.matches(of_data))
    }
}

#[derive(Debug)]
struct CategoryMatcher {
    set: CategorySet,
    none: bool,
}

impl CategoryMatcher {
    fn new(categories: &[Option<Category>]) -> Self {
        let mut set = CategorySet::default();
        for category in categories.iter().flatten() {
            set.insert_with_descendants(*category);
        }
        Self {
            set,
            none: categories.contains(&None),
        }
    }
}

/// Membership of every country is computed once; parts of countries are few and listed.
#[derive(Debug)]
struct SubjectMatcher {
    none: bool,
    surely: CountrySet,
    may: CountrySet,
    /// Every part that the selector names.
    named_parts: Vec<(Subdivision, Membership)>,
    /// For a country of which a part is named: what holds for its other parts.
    other_parts: Vec<(Country, Membership)>,
}

impl SubjectMatcher {
    fn new(jurisdictions: &Jurisdictions<'_>, selectors: &[SubjectSelector]) -> Self {
        let terms: Vec<&PlaceTerm> = selectors
            .iter()
            .filter_map(|selector| match selector {
                SubjectSelector::None => None,
                SubjectSelector::Place(term) => Some(term),
            })
            .collect();
        let membership = |subject: &Subject| {
            let each = terms.iter().map(|term| jurisdictions.subject_in(subject, term));
            each.fold(Membership::Out, Membership::or)
        };
        let mut matcher = Self {
            none: selectors.contains(&SubjectSelector::None),
            surely: CountrySet::default(),
            may: CountrySet::default(),
            named_parts: Vec::new(),
            other_parts: Vec::new(),
        };
        for country in Country::all() {
            match membership(&Subject::Country(country)) {
                Membership::In => matcher.surely.insert(country),
                Membership::May => matcher.may.insert(country),
                Membership::Out => {}
            }
        }
        let named: BTreeSet<Subdivision> = terms
            .iter()
            .flat_map(|term| jurisdictions.parts_in(term))
            .collect();
        let countries: BTreeSet<Country> = named.iter().map(Subdivision::country).collect();
        for country in countries {
            let unnamed = (0..)
                .map(|number| format!("{country}-{number:03}"))
                .filter_map(|code| Subdivision::new(&code).ok());
            let other = unnamed.into_iter().find(|part| !named.contains(part));
            let of_others = other.map_or(Membership::May, |part| membership(&Subject::Subdivision(part)));
            matcher.other_parts.push((country, of_others));
        }
        matcher.named_parts = named
            .into_iter()
            .map(|part| {
                let of_part = membership(&Subject::Subdivision(part.clone()));
                (part, of_part)
            })
            .collect();
        matcher
    }

    fn matches(&self, subject: &Dimension<Subject>) -> Membership {
        match subject {
            Dimension::Missing => Membership::May,
            Dimension::None => in_if(self.none),
            Dimension::Is(Subject::Country(country)) => self.matches_country(*country),
            Dimension::Is(Subject::Subdivision(part)) => self.matches_part(part),
        }
    }

    fn matches_country(&self, country: Country) -> Membership {
        if self.surely.contains(country) {
            return Membership::In;
        }
        if self.may.contains(country) {
            Membership::May
        } else {
            Membership::Out
        }
    }

    /// A country of which a part is named may be in because of that part alone, so the others are kept
    /// apart from it.
    fn matches_part(&self, part: &Subdivision) -> Membership {
        let named = self
            .named_parts
            .iter()
            .find(|(named, _)| named == part)
            .map(|(_, membership)| *membership);
        let other = || {
            self.other_parts
                .iter()
                .find(|(country, _)| *country == part.country())
                .map(|(_, of)| *of)
        };
        named
            .or_else(other)
            .unwrap_or_else(|| self.matches_country(part.country()))
    }
}

fn in_if(holds: bool) -> Membership {
    if holds { Membership::In } else { Membership::Out }
}
