//! Whether a block selects a tuple, and where a pod comes from (docs/policies.md, 1 and 3).
//!
//! Inputs: blocks, tuples, what a pod carries. Outputs: surely, perhaps or surely not. Invariant: a dimension that
//! nobody stated matches perhaps, so it restricts and never covers.

use super::Judge;
use super::carried::{Carried, Source, Tuple};
use super::certainty::Holds::{self, Maybe, No, Yes};
use super::shapes::{Block, DataSelector};

impl Judge<'_> {
    /// Whether a block is about a tuple of a pod.
    pub(super) fn matches(&self, block: &Block, carried: &Carried, tuple: &Tuple) -> Holds {
        self.is_about(block, tuple).min(comes_from(block, carried))
    }

    /// Whether the data of a block is that of a tuple.
    pub(super) fn is_about(&self, block: &Block, tuple: &Tuple) -> Holds {
        let data = block.data.as_ref();
        data.map_or(Yes, |data| self.is_selected(data, tuple))
    }

    /// Whether a tuple is among the data that is selected. Where there is no data, none is.
    pub(super) fn is_selected(&self, selector: &DataSelector, tuple: &Tuple) -> Holds {
        let Tuple::Data(data) = tuple else {
            return No;
        };
        let mut all = Yes;
        if let Some(least) = selector.classification {
            all = all.min(Holds::of_fact(data.level, |level| level >= least.at_least));
        }
        if let Some(wanted) = &selector.categories {
            let category = data.category.as_deref();
            all = all.min(Holds::of_fact(category, |category| {
                with_kinds_above(category).any(|kind| wanted.iter().any(|wanted| wanted == kind))
            }));
        }
        // Who people are is dear to tell, and what is not selected already stays so.
        if let Some(wanted) = selector.subjects.as_ref().filter(|_| all != No) {
            all = all.min(match data.subject.as_deref() {
                None => Maybe,
                Some("none") => Holds::known(wanted.iter().any(|wanted| wanted == "none")),
                Some(subject) => {
                    let places = wanted.iter().filter(|wanted| *wanted != "none");
                    Holds::any(places.map(|place| self.people_in(subject, place)))
                }
            });
        }
        all
    }
}

/// Whether a pod comes from where a block selects.
pub(super) fn comes_from(block: &Block, carried: &Carried) -> Holds {
    let mut all = Yes;
    if let Some(selector) = &block.namespaces {
        all = all.min(Holds::of_fact(carried.labels.as_ref(), |labels| {
            let mut wanted = selector.match_labels.iter();
            wanted.all(|(key, value)| labels.get(key) == Some(value))
        }));
    }
    if let Some(wanted) = &block.storage_classes {
        let classes = carried.classes.iter();
        all = all.min(Holds::any(classes.map(|class| {
            Holds::of_fact(class.as_ref(), |class| wanted.contains(class))
        })));
    }
    if let Some(wanted) = &block.data_sets {
        let names_one = wanted.iter().any(|name| carried.uses.contains_key(name));
        all = all.min(match names_one {
            true => Yes,
            false if carried.may_name_more => Maybe,
            false => No,
        });
    }
    all
}

/// Whether the source of a tuple itself satisfies every selector by source of a block.
pub(super) fn is_its_own_source(block: &Block, carried: &Carried, source: &Source) -> bool {
    let by_namespace = block.namespaces.is_none()
        || *source == Source::Namespace && {
            let labels_alone = Block {
                data: None,
                namespaces: block.namespaces.clone(),
                storage_classes: None,
                data_sets: None,
            };
            comes_from(&labels_alone, carried) == Yes
        };
    let by_class = match (&block.storage_classes, source) {
        (None, _) => true,
        (Some(wanted), Source::StorageClass(class)) => wanted.contains(class),
        (Some(_), _) => false,
    };
    let by_data_set = match (&block.data_sets, source) {
        (None, _) => true,
        (Some(wanted), Source::DataSet(name)) => wanted.contains(name),
        (Some(_), _) => false,
    };
    by_namespace && by_class && by_data_set
}

/// A category and what it is a kind of.
fn with_kinds_above(category: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(category), |kind| match *kind {
        "health" | "biometric" | "genetic" => Some("special-category"),
        "special-category" | "child" | "precise-location" | "criminal-justice" => Some("personal"),
        _ => None,
    })
}
