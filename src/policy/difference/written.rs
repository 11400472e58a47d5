//! What a set writes, in words that do not depend on the order in which it does.

use std::collections::BTreeSet;

use crate::model::Category;
use crate::policy::PolicySet;
use crate::policy::calendar::{day_or_instant, last_day_or_instant};
use crate::policy::definition::{
    Block, DataSelector, Definitions, Demand, Member, PlaceTerm, Requirement, SubjectSelector, Unlabelled,
};
use crate::policy::phrase::demand_in_words;

/// `A, B and C`.
#[must_use]
pub fn list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A place, as a file writes it.
#[must_use]
pub fn term_in_words(definitions: &Definitions, term: &PlaceTerm) -> String {
    match term {
        PlaceTerm::Country(country) => country.code().to_owned(),
        PlaceTerm::Subdivision(part) => part.code().to_owned(),
        PlaceTerm::Group(group) => {
            let name = definitions.groups.get(*group).map_or("", |group| &group.name);
            format!("group {name}")
        }
        PlaceTerm::Anywhere => "anywhere".to_owned(),
    }
}

/// Places, each as a file writes it.
#[must_use]
pub fn terms_in_words(definitions: &Definitions, terms: &[PlaceTerm]) -> BTreeSet<String> {
    terms
        .iter()
        .map(|term| term_in_words(definitions, term))
        .collect()
}

/// A member of a group with its dates and its condition.
#[must_use]
pub fn member_in_words(definitions: &Definitions, member: &Member) -> String {
    let mut words = term_in_words(definitions, &member.term);
    if let Some(from) = member.from {
        words.push_str(&format!(" from {}", day_or_instant(from)));
    }
    if let Some(until) = member.until {
        words.push_str(&format!(" until {}", last_day_or_instant(until)));
    }
    if let Some(requirement) = &member.required {
        words.push_str(&format!(" ({})", requirement_exactly(definitions, requirement)));
    }
    words
}

/// What is done with data of which nobody says anything.
#[must_use]
pub fn unlabelled_in_words(set: &PolicySet) -> String {
    match &set.settings().unlabelled {
        Unlabelled::Allow => "`allow`".to_owned(),
        Unlabelled::Deny => "`deny`".to_owned(),
        Unlabelled::ConfineTo(places) => {
            let places: Vec<String> = terms_in_words(&set.definitions, places).into_iter().collect();
            format!("`confineTo` {}", places.join(" or "))
        }
    }
}

/// What a selector selects.
#[must_use]
pub fn selector_in_words(definitions: &Definitions, selector: &DataSelector) -> String {
    let mut words = match &selector.categories {
        None => "data".to_owned(),
        Some(categories) => {
            let names: BTreeSet<&str> = categories
                .iter()
                .map(|category| category.map_or("no category", Category::word))
                .collect();
            format!(
                "data of category {}",
                names.into_iter().collect::<Vec<_>>().join(" or ")
            )
        }
    };
    if let Some(subjects) = &selector.subjects {
        let people: BTreeSet<String> = subjects
            .iter()
            .map(|subject| match subject {
                SubjectSelector::None => "no people".to_owned(),
                SubjectSelector::Place(term) => format!("people in {}", term_in_words(definitions, term)),
            })
            .collect();
        words.push_str(&format!(
            " about {}",
            people.into_iter().collect::<Vec<_>>().join(" or ")
        ));
    }
    if let Some(at_least) = selector.at_least {
        words.push_str(&format!(", {} or above", at_least.word()));
    }
    words
}

/// What a block reaches.
#[must_use]
pub fn block_in_words(definitions: &Definitions, block: &Block) -> String {
    let mut words = match &block.data {
        Some(selector) => selector_in_words(definitions, selector),
        None => "all data".to_owned(),
    };
    if let Some(labels) = &block.namespace_labels {
        let labels: BTreeSet<String> = labels
            .iter()
            .map(|(key, value)| format!("`{key}: {value}`"))
            .collect();
        let labels: Vec<String> = labels.into_iter().collect();
        words.push_str(&format!(" of namespaces with {}", labels.join(" and ")));
    }
    if let Some(classes) = &block.storage_classes {
        let classes: BTreeSet<String> = classes.iter().map(|class| format!("`{class}`")).collect();
        let classes: Vec<String> = classes.into_iter().collect();
        words.push_str(&format!(" on storage class {}", classes.join(" or ")));
    }
    if let Some(data_sets) = &block.data_sets {
        let data_sets: BTreeSet<String> = data_sets.iter().map(|name| format!("`{name}`")).collect();
        let data_sets: Vec<String> = data_sets.into_iter().collect();
        words.push_str(&format!(" with data set {}", data_sets.join(" or ")));
    }
    words
}

/// Everything that a demand says, whatever the order.
#[must_use]
pub fn demand_exactly(definitions: &Definitions, demand: &Demand) -> String {
    match demand {
        Demand::Required(requirement) => requirement_exactly(definitions, requirement),
        _ => demand_in_words(definitions, demand),
    }
}

/// Everything that a requirement says, whatever the order.
fn requirement_exactly(definitions: &Definitions, requirement: &Requirement) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut part = |name: &str, words: BTreeSet<String>| {
        let words: Vec<String> = words.into_iter().collect();
        parts.push(format!("{name} {}", words.join(" or ")));
    };
    if let Some(entities) = &requirement.legal_entity {
        part(
            "legalEntity",
            entities.iter().map(|entity| entity.to_string()).collect(),
        );
    }
    if let Some(terms) = &requirement.controlled_from {
        part("controlledFrom", terms_in_words(definitions, terms));
    }
    if let Some(terms) = &requirement.admin_access_from {
        part("adminAccessFrom", terms_in_words(definitions, terms));
    }
    if let Some(wanted) = &requirement.certifications {
        let words = wanted.iter().map(|wanted| {
            let level = wanted
                .level
                .as_ref()
                .map_or(String::new(), |level| format!(" {level}"));
            format!("{}{level} for {} days", wanted.scheme, wanted.valid_at_least_days)
        });
        part("certification", words.collect());
    }
    if let Some(custody) = &requirement.key_custody {
        part(
            "keyCustody",
            custody
                .iter()
                .map(|word| format!("{word:?}").to_lowercase())
                .collect(),
        );
    }
    if let Some(tenancy) = &requirement.tenancy {
        part(
            "tenancy",
            tenancy
                .iter()
                .map(|word| format!("{word:?}").to_lowercase())
                .collect(),
        );
    }
    parts.join(" and ")
}
