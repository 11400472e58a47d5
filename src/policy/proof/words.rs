//! Guarantees and counterexamples in words: lowercase, no final period, what people wrote in backticks.

use jiff::Timestamp;

use crate::model::{Category, Country, DataTuple, Dimension, Subject};
use crate::policy::PolicySet;
use crate::policy::calendar::day;
use crate::policy::catalogue::{Catalogue, PlaceFacts, PlaceIndex};
use crate::policy::cells::{Domain, Part, TupleSource};
use crate::policy::definition::{
    Activity, ActivitySet, DataSelector, Definitions, Demand, ForbiddenPlaces, Guarantee, Mode, RuleIndex,
    SubjectSelector,
};
use crate::policy::epoch::EpochRule;
use crate::policy::evaluate::{Cause, Verdict};
use crate::policy::profile::Profile;

/// A counterexample.
pub struct Case<'a> {
    /// What permits it: the set, or the set over hypothetical places.
    pub set: &'a PolicySet,
    pub domain: &'a Domain,
    /// Whether the place is in the catalogue.
    pub is_catalogued: bool,
    pub catalogue: &'a Catalogue,
    pub guarantee: &'a Guarantee,
    pub tuple: &'a DataTuple,
    pub source: &'a TupleSource,
    pub performs: ActivitySet,
    pub profile: &'a Profile,
    pub verdict: &'a Verdict,
    pub place: PlaceIndex,
    pub facts: &'a PlaceFacts,
    pub now: Timestamp,
    /// The instant that was asked about.
    pub asked: Timestamp,
}

/// What a guarantee is checked as, beside what its author says.
#[must_use]
pub fn guarantee_in_words(definitions: &Definitions, guarantee: &Guarantee) -> String {
    let activities: Vec<&str> = guarantee.activities.iter().map(done).collect();
    let location = match &guarantee.forbidden {
        ForbiddenPlaces::In(terms) => format!("in {}", definitions.places_in_words(terms)),
        ForbiddenPlaces::Outside(terms) => format!("outside {}", definitions.places_in_words(terms)),
    };
    let exceptions = if guarantee.allows_exceptions {
        "unless an exception opens it, which is then listed"
    } else {
        "whatever exceptions are in force"
    };
    format!(
        "data {}, or of which that is not stated, is never {} {location}, at any place that is or may be \
         catalogued, {exceptions}",
        selector_in_words(definitions, &guarantee.data),
        activities.join(" or "),
    )
}

fn selector_in_words(definitions: &Definitions, selector: &DataSelector) -> String {
    let mut parts = Vec::new();
    if let Some(at_least) = selector.at_least {
        parts.push(format!("of classification {} or above", at_least.word()));
    }
    if let Some(categories) = &selector.categories {
        let words: Vec<&str> = categories
            .iter()
            .map(|category| category.map_or("none", Category::word))
            .collect();
        parts.push(format!("of category {} (or a kind of it)", words.join(" or ")));
    }
    if let Some(subjects) = &selector.subjects {
        let words = subjects.iter().map(|subject| match subject {
            SubjectSelector::None => "nobody".to_owned(),
            SubjectSelector::Place(term) => {
                format!(
                    "people in {}",
                    definitions.places_in_words(std::slice::from_ref(term))
                )
            }
        });
        parts.push(format!("about {}", words.collect::<Vec<_>>().join(" or ")));
    }
    parts.join(" and ")
}

fn done(activity: Activity) -> &'static str {
    match activity {
        Activity::Process => "processed",
        Activity::Store => "stored",
        Activity::Replicate => "replicated",
    }
}

/// A counterexample as one sentence.
pub fn case_in_words(case: &Case<'_>) -> String {
    let activity = case
        .performs
        .iter()
        .find(|activity| case.guarantee.activities.contains(*activity));
    let activity = activity.map_or("processed", done);
    format!(
        "{}{} may be {activity} {}{}: {}",
        tuple_in_words(case.domain, case.tuple),
        source_in_words(case.source),
        place_in_words(case),
        since_when(case),
        why(case).join("; "),
    )
}

fn tuple_in_words(domain: &Domain, tuple: &DataTuple) -> String {
    let classification = match tuple.classification {
        Some(classification) => format!("classification {}", classification.word()),
        None => "unknown classification".to_owned(),
    };
    let category = match tuple.category {
        Dimension::Is(category) => format!("category {}", category.word()),
        Dimension::None => "no category".to_owned(),
        Dimension::Missing => "unknown category".to_owned(),
    };
    let people = match &tuple.subject {
        Dimension::Is(Subject::Subdivision(part)) if domain.is_unnamed(part) => {
            format!("people in a part of {} that no list names", part.country())
        }
        Dimension::Is(subject) => format!("people in {subject}"),
        Dimension::None => "nobody".to_owned(),
        Dimension::Missing => "people of whom nobody says where they are".to_owned(),
    };
    format!("data of {classification}, {category}, about {people}")
}

fn source_in_words(source: &TupleSource) -> String {
    if let Some(name) = &source.data_set {
        return format!(" of the data set `{name}`");
    }
    if let Some(class) = &source.storage_class {
        return format!(" from the storage class `{class}`");
    }
    if source.namespace_labels.is_empty() {
        return String::new();
    }
    let labels = source
        .namespace_labels
        .iter()
        .map(|(key, value)| format!("`{key}={value}`"));
    format!(
        " from a namespace labelled {}",
        labels.collect::<Vec<_>>().join(" and ")
    )
}

fn place_in_words(case: &Case<'_>) -> String {
    let Some(country) = case.facts.country else {
        return "at a place of which nothing is known".to_owned();
    };
    if case.is_catalogued {
        let region = case
            .facts
            .region
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        return format!("in {country}, such as in `{region}`");
    }
    let within = match case
        .domain
        .place(case.place)
        .and_then(|place| place.stands_for.first())
    {
        Some(kind) => match &kind.part {
            Part::Unknown => country.to_string(),
            Part::Named(part) => part.to_string(),
            Part::Unnamed(_) => format!("a part of {country} that no list names"),
        },
        None => country.to_string(),
    };
    let is_there = |country: Country| case.catalogue.regions().any(|region| region.country == country);
    if is_there(country) {
        format!("in {within}, in a region with other facts than the catalogued ones")
    } else {
        format!("in {within}, where no region is catalogued yet")
    }
}

fn since_when(case: &Case<'_>) -> String {
    if case.now == case.asked {
        String::new()
    } else {
        format!(" from {} on", day(case.now))
    }
}

/// What lets it through.
fn why(case: &Case<'_>) -> Vec<String> {
    let mut reasons = Vec::new();
    for used in case
        .verdict
        .exceptions
        .iter()
        .filter(|used| used.places.contains(case.place))
    {
        if let Some(exception) = case.set.definitions.exceptions.get(used.index) {
            let rule = case.set.rule_name(exception.relaxes).unwrap_or_default();
            reasons.push(format!("the exception `{}` lifts `{rule}`", exception.name));
        }
    }
    let covering = |rule: &&EpochRule| {
        let mut activities = case.performs.iter();
        let is_about_it = rule.covers && activities.any(|activity| rule.activities.contains(activity));
        let mut tuples = case.profile.tuples.iter();
        is_about_it
            && tuples.any(|tuple| {
                rule.blocks
                    .iter()
                    .any(|block| block.matches(case.profile, tuple).covers)
            })
    };
    let rules = &case.set.at(case.now).rules;
    for rule in rules.iter().filter(covering) {
        if rule.mode == Mode::Enforce && rule.admits.contains(case.place) {
            reasons.extend(permits(case.set, rule.index));
        }
    }
    let passed = case.verdict.passed;
    if passed.provisional + passed.public + passed.uncovered > 0 {
        reasons.push("no enforced rule refuses it".to_owned());
    }
    if passed.public > 0 {
        reasons.push("public data of no category and about nobody needs no policy".to_owned());
    }
    if passed.uncovered > 0 {
        reasons.push("no policy covers it and the settings let such data run".to_owned());
    }
    let mut only: Vec<(RuleIndex, Mode)> = rules
        .iter()
        .filter(covering)
        .filter(|rule| rule.mode != Mode::Enforce && passed.provisional > 0)
        .map(|rule| (rule.index, rule.mode))
        .collect();
    only.extend(
        case.verdict
            .restrictions
            .iter()
            .filter_map(|restriction| match restriction.cause {
                Cause::Rule(index)
                    if restriction.mode != Mode::Enforce && !restriction.leaves(case.place, true) =>
                {
                    Some((index, restriction.mode))
                }
                _ => None,
            }),
    );
    only.sort_by_key(|(index, _)| *index);
    only.dedup_by_key(|(index, _)| index.policy);
    for (index, mode) in only {
        if let Some(policy) = case.set.definitions.policies.get(index.policy) {
            reasons.push(format!("`{}` is only in {}", policy.name, mode.word()));
        }
    }
    reasons
}

fn permits(set: &PolicySet, index: RuleIndex) -> Option<String> {
    let rule = set.definitions.rule(index)?;
    let Demand::Allowed(terms) = &rule.demand else {
        return None;
    };
    let places = set.definitions.places_in_words(terms);
    Some(format!("`{}` permits it in {places}", set.rule_name(index)?))
}
