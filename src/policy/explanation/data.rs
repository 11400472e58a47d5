//! To what a policy applies.

use super::{Subject, all_of, capitalised, counted, one_of};
use crate::model::{Category, Classification};
use crate::policy::definition::{Block, DataSelector, PlaceTerm, SubjectSelector, Unlabelled};
use crate::policy::phrase::selector_in_words;

/// The places that a block names as people's.
pub(super) fn places_of(block: &Block) -> impl Iterator<Item = &PlaceTerm> {
    let subjects = block.data.iter().flat_map(|data| data.subjects.iter().flatten());
    subjects.filter_map(|subject| match subject {
        SubjectSelector::Place(term) => Some(term),
        SubjectSelector::None => None,
    })
}

impl Subject<'_> {
    pub(super) fn data(&self) -> Vec<String> {
        let blocks = &self.policy.applies_to;
        let mut said = match blocks.as_slice() {
            [block] => vec![format!("It applies to {}.", self.block(block))],
            blocks => {
                let mut said = vec!["It applies to all of these:".to_owned()];
                said.extend(
                    blocks
                        .iter()
                        .map(|block| format!("{}.", capitalised(&self.block(block)))),
                );
                said
            }
        };
        said.extend(self.kinds_of_categories());
        let least = blocks
            .iter()
            .filter_map(|block| block.data.as_ref()?.at_least)
            .min();
        if least.is_some() {
            let words = Classification::ALL.map(Classification::word);
            said.push(format!(
                "The classifications, least sensitive first, are {}.",
                all_of(&words)
            ));
        }
        if blocks.iter().any(|block| block.data.is_some()) {
            said.push(format!(
                "A namespace that says nothing about its data is not found by what the data is: {}.",
                self.unlabelled()
            ));
        }
        let exempt: Vec<String> = self
            .definitions
            .settings
            .exempt_namespaces
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        if !exempt.is_empty() {
            said.push(format!(
                "What the exempt namespaces ({}) say about their data is not looked at.",
                exempt.join(", ")
            ));
        }
        said
    }

    fn block(&self, block: &Block) -> String {
        let mut sources = Vec::new();
        if let Some(labels) = &block.namespace_labels {
            let labels: Vec<String> = labels
                .iter()
                .map(|(key, value)| format!("`{key}={value}`"))
                .collect();
            let word = if labels.len() == 1 { "label" } else { "labels" };
            sources.push(format!("run in a namespace with the {word} {}", all_of(&labels)));
        }
        if let Some(classes) = &block.storage_classes {
            sources.push(format!(
                "mount a volume of the storage class {}",
                one_of(&quoted(classes))
            ));
        }
        if let Some(names) = &block.data_sets {
            sources.push(format!("name the data set {}", one_of(&quoted(names))));
        }
        let data = match &block.data {
            Some(selector) => selector_in_words(self.definitions, selector),
            None => "whatever data".to_owned(),
        };
        if sources.is_empty() {
            return data;
        }
        let pods = format!("pods that {}", sources.join(" and "));
        match &block.data {
            Some(_) => format!("{data} of {pods}"),
            None => format!("{pods}, whatever their data is"),
        }
    }

    /// Which categories a category of a selector finds besides itself.
    fn kinds_of_categories(&self) -> Vec<String> {
        let selectors = self
            .policy
            .applies_to
            .iter()
            .filter_map(|block| block.data.as_ref());
        let named: Vec<Category> = Category::ALL
            .into_iter()
            .filter(|category| selectors.clone().any(|data| names(data, *category)))
            .collect();
        let kinds = named.into_iter().filter_map(|category| {
            let kinds = Category::ALL
                .into_iter()
                .filter(|kind| *kind != category && kind.is_a(category));
            let kinds: Vec<&str> = kinds.map(Category::word).collect();
            let said = format!(
                "{} data includes {} data",
                capitalised(category.word()),
                all_of(&kinds)
            );
            (!kinds.is_empty()).then_some(format!("{said}."))
        });
        kinds.collect()
    }

    /// What the settings make of data that nobody labelled.
    fn unlabelled(&self) -> String {
        match &self.definitions.settings.unlabelled {
            Unlabelled::Allow => "its pods run anywhere, and are counted as outside control".to_owned(),
            Unlabelled::Deny => "the settings let its pods run nowhere".to_owned(),
            Unlabelled::ConfineTo(terms) => format!(
                "the settings confine its pods to {}",
                self.definitions.places_in_words(terms)
            ),
        }
    }

    pub(super) fn unknowns(&self) -> Vec<String> {
        let data = || {
            self.policy
                .applies_to
                .iter()
                .filter_map(|block| block.data.as_ref())
        };
        let mut dimensions = Vec::new();
        if data().any(|data| data.categories.is_some()) {
            dimensions.push("of what category it is");
        }
        if data().any(|data| data.subjects.is_some()) {
            dimensions.push("whose it is");
        }
        if data().any(|data| data.at_least.is_some()) {
            dimensions.push("how sensitive it is");
        }
        let mut said = Vec::new();
        if !dimensions.is_empty() {
            said.push(format!(
                "Data of which nobody says {} may be such data: this policy restricts it as if it were, and permits it \
                 nowhere.",
                one_of(&dimensions)
            ));
        }
        said.extend(self.unknown_sources());
        said.extend(self.unknown_places());
        let settings = &self.definitions.settings;
        for (classification, age) in &settings.max_fact_age {
            let days = usize::try_from(age.as_hours() / 24).unwrap_or(0);
            if days == 0 {
                said.push(format!(
                    "For data that is {} or more sensitive, or of which nobody says how sensitive it is, no place is \
                     known once the cluster has not been heard for {age:#}.",
                    classification.word()
                ));
                continue;
            }
            let days = counted(days, "day", "days");
            said.push(format!(
                "For data that is {} or more sensitive, or of which nobody says how sensitive it is, facts of a region \
                 that are older than {days} count as not known.",
                classification.word()
            ));
        }
        said.extend(self.confirmed_regions());
        said
    }

    fn unknown_sources(&self) -> Option<String> {
        let blocks = &self.policy.applies_to;
        let mut sources = Vec::new();
        if blocks.iter().any(|block| block.namespace_labels.is_some()) {
            sources.push("namespace");
        }
        if blocks.iter().any(|block| block.storage_classes.is_some()) {
            sources.push("volume claim");
        }
        if blocks.iter().any(|block| block.data_sets.is_some()) {
            sources.push("volume");
        }
        (!sources.is_empty()).then(|| {
            format!(
                "A pod whose {} is not known yet is restricted as if the policy applied to it.",
                one_of(&sources)
            )
        })
    }
}

fn names(data: &DataSelector, category: Category) -> bool {
    let mut named = data.categories.iter().flatten();
    named.any(|named| *named == Some(category))
}

fn quoted<T: std::fmt::Display>(names: &[T]) -> Vec<String> {
    names.iter().map(|name| format!("`{name}`")).collect()
}
