//! The data and the regions that show what a new policy does: one region that it leaves, one that it refuses.
//!
//! Invariant: what a case expects is what the evaluator says of it, with every other policy of the set.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{Category, Classification, DataTuple, Dimension, Subject, Tuple};
use crate::policy::PolicySet;
use crate::policy::catalogue::{PlaceFacts, PlaceIndex, PlaceSet};
use crate::policy::definition::{
    Activity, ActivitySet, DataSelector, Demand, Mode, Outcome, PlaceTerm, Policy, Reason, RuleIndex,
    SubjectSelector,
};
use crate::policy::evaluate::{Cause, Verdict, evaluate, reach};
use crate::policy::profile::{Profile, Source, SourcedTuple};

/// How sensitive data is taken to be where a policy does not say.
const UNSTATED: Classification = Classification::Confidential;

/// A case of a test.
#[derive(Debug)]
pub(super) struct Case {
    /// In a few words.
    pub name: String,
    /// A region of the catalogue, or `unknown`.
    pub region: String,
    /// What comes of it.
    pub expects: Outcome,
    /// Why.
    pub because: Option<String>,
}

/// The cases, all about the same data.
#[derive(Debug)]
pub(super) struct Cases {
    /// Which.
    pub data: DataTuple,
    /// At least one.
    pub cases: Vec<Case>,
    /// What they do not show, and why.
    pub remarks: Vec<String>,
}

impl Cases {
    /// Chooses data that the policy selects, such that one region is permitted and another is refused by the
    /// rule; where there is no such data, the first that shows as much as there is. `None` where the policy
    /// selects no data.
    pub(super) fn choose(set: &PolicySet, rule: RuleIndex, at: Timestamp) -> Option<Self> {
        let policy = set.definitions.policies.get(rule.policy)?;
        let places_of_rule = set.at(at).rules.iter().find(|found| found.index == rule)?;
        let inside = &places_of_rule.admits;
        let mut best: Option<Shown> = None;
        for data in candidates(set, policy, at) {
            let shown = Shown::new(set, (rule, policy.mode), inside, data, at);
            if best.as_ref().is_none_or(|best| shown.worth() > best.worth()) {
                best = Some(shown);
            }
            if best.as_ref().is_some_and(Shown::is_all) {
                break;
            }
        }
        best.map(|best| best.into_cases(set, policy, (rule, inside)))
    }
}

/// What some data shows.
struct Shown {
    data: DataTuple,
    verdict: Verdict,
    permitted: Option<PlaceIndex>,
    /// A region outside the rule.
    outside: Option<PlaceIndex>,
}

impl Shown {
    fn new(
        set: &PolicySet,
        (rule, mode): (RuleIndex, Mode),
        inside: &PlaceSet,
        data: DataTuple,
        at: Timestamp,
    ) -> Self {
        let profile = Profile {
            tuples: vec![SourcedTuple {
                source: Source::Namespace,
                tuple: Tuple::Data(data.clone()),
            }],
            namespace_labels: Some(BTreeMap::new()),
            performs: ActivitySet::default()
                .with(Activity::Process)
                .with(Activity::Store),
            ..Profile::default()
        };
        let verdict = evaluate(set, &profile, at);
        let bearing = reach(set, &profile, at);
        let covers = bearing
            .iter()
            .any(|bearing| bearing.rule == rule && bearing.covers);
        let permitted = regions(set)
            .map(|(place, _)| place)
            .find(|place| covers && inside.contains(*place) && verdict.permits(*place, true));
        // The clearest is a region about which no other policy has a say.
        let is_clear = |place: &PlaceIndex| match mode {
            Mode::Enforce => refusing(&verdict, *place).all(|cause| cause == Cause::Rule(rule)),
            Mode::Warn | Mode::Audit => verdict.permits(*place, true),
        };
        let outside = || {
            let regions = regions(set).map(|(place, _)| place);
            regions.filter(|place| !inside.contains(*place))
        };
        let outside = outside().find(is_clear).or_else(|| outside().next());
        Self {
            data,
            verdict,
            permitted,
            outside,
        }
    }

    fn is_all(&self) -> bool {
        self.permitted.is_some() && self.outside.is_some()
    }

    fn worth(&self) -> (bool, bool) {
        (self.permitted.is_some(), self.outside.is_some())
    }

    fn into_cases(self, set: &PolicySet, policy: &Policy, (rule, inside): (RuleIndex, &PlaceSet)) -> Cases {
        let name = set.reason_name(Reason::Rule(rule));
        let is_enforced = policy.mode == Mode::Enforce;
        let because = is_enforced.then(|| name.clone());
        let mut cases = Vec::new();
        let mut remarks = Vec::new();
        match self.permitted {
            Some(place) => cases.push(Case {
                name: format!("allowed at {}", place_in_words(set, place)),
                region: region_key(set, place),
                expects: Outcome::Allow,
                because: because.clone(),
            }),
            None => remarks.push(self.why_none_is_permitted(set, policy, (rule, inside))),
        }
        let place = self.outside.unwrap_or(PlaceIndex::UNKNOWN);
        let permits = self.verdict.permits(place, true);
        let spoken = place_in_words(set, place);
        cases.push(Case {
            name: match (is_enforced, permits) {
                (true, _) => format!("refused at {spoken}"),
                (false, true) => format!("recorded at {spoken} and not refused"),
                (false, false) => format!("refused at {spoken} by others"),
            },
            region: region_key(set, place),
            expects: if permits { Outcome::Allow } else { Outcome::Deny },
            because,
        });
        if self.outside.is_none() {
            remarks.push(format!(
                "`{name}` refuses no region of the catalogue, so its second case is about a place that nobody knows"
            ));
        }
        if !is_enforced {
            remarks.push(format!(
                "a policy in mode `{}` refuses nothing, so no case expects a refusal by it; once it is enforced, \
                 write `expect: deny` and `because: {name}` into the second",
                policy.mode.word()
            ));
        }
        Cases {
            data: self.data,
            cases,
            remarks,
        }
    }

    fn why_none_is_permitted(
        &self,
        set: &PolicySet,
        policy: &Policy,
        (rule, inside): (RuleIndex, &PlaceSet),
    ) -> String {
        let inner: Vec<PlaceIndex> = regions(set)
            .map(|(place, _)| place)
            .filter(|place| inside.contains(*place))
            .collect();
        if inner.is_empty() {
            let terms = policy.rules.get(rule.rule).map(|rule| &rule.demand);
            let places = match terms {
                Some(Demand::Allowed(terms)) => set.definitions.places_in_words(terms),
                _ => String::new(),
            };
            return format!("no region of the catalogue is surely in {places}, so no case expects `allow`");
        }
        let causes: BTreeSet<Cause> = inner
            .iter()
            .flat_map(|place| refusing(&self.verdict, *place))
            .collect();
        let names: Vec<String> = causes
            .into_iter()
            .map(|cause| match cause {
                Cause::Rule(other) if other == rule => "the age of the facts of these regions".to_owned(),
                Cause::Rule(other) => format!("`{}`", set.reason_name(Reason::Rule(other))),
                Cause::Uncovered => "that no policy surely covers the data".to_owned(),
                Cause::Unlabelled | Cause::Malformed | Cause::StaleFacts => "what the data is".to_owned(),
            })
            .collect();
        format!(
            "no region of the catalogue is permitted for such data, so no case expects `allow`: what the new \
             policy allows is refused by {}",
            names.join(" and ")
        )
    }
}

/// Data that a policy surely selects, the most natural first.
fn candidates(set: &PolicySet, policy: &Policy, at: Timestamp) -> Vec<DataTuple> {
    let Some(selector) = policy.applies_to.first().and_then(|block| block.data.as_ref()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for category in categories(selector) {
        for subject in subjects(set, selector, &category, at) {
            found.push(DataTuple {
                classification: Some(selector.at_least.unwrap_or(UNSTATED)),
                category: category.clone(),
                subject,
            });
        }
    }
    found
}

fn categories(selector: &DataSelector) -> Vec<Dimension<Category>> {
    let named = |category: &Option<Category>| category.map_or(Dimension::None, Dimension::Is);
    match &selector.categories {
        Some(categories) => categories.iter().map(named).collect(),
        // Data of people is personal.
        None if selector.subjects.is_some() => vec![Dimension::Is(Category::Personal), Dimension::None],
        None => vec![Dimension::None, Dimension::Is(Category::Personal)],
    }
}

fn subjects(
    set: &PolicySet,
    selector: &DataSelector,
    category: &Dimension<Category>,
    at: Timestamp,
) -> Vec<Dimension<Subject>> {
    let Some(subjects) = &selector.subjects else {
        let countries: BTreeSet<_> = regions(set).filter_map(|(_, facts)| facts.country).collect();
        let countries = countries
            .into_iter()
            .map(|country| Dimension::Is(Subject::Country(country)));
        let is_personal = matches!(category, Dimension::Is(category) if category.is_a(Category::Personal));
        return match is_personal {
            true => countries.chain([Dimension::None]).collect(),
            false => std::iter::once(Dimension::None).chain(countries).collect(),
        };
    };
    let mut found = Vec::new();
    for subject in subjects {
        match subject {
            SubjectSelector::None => found.push(Dimension::None),
            SubjectSelector::Place(PlaceTerm::Country(country)) => {
                found.push(Dimension::Is(Subject::Country(*country)));
            }
            SubjectSelector::Place(PlaceTerm::Subdivision(part)) => {
                found.push(Dimension::Is(Subject::Subdivision(part.clone())));
            }
            SubjectSelector::Place(PlaceTerm::Group(group)) => {
                let members = set.definitions.subjects_of(*group, at);
                found.extend(members.into_iter().map(Dimension::Is));
            }
            SubjectSelector::Place(PlaceTerm::Anywhere) => {}
        }
    }
    found
}

/// The regions of the catalogue, in the order of their keys; zones are left out, as no test names one.
fn regions(set: &PolicySet) -> impl Iterator<Item = (PlaceIndex, &PlaceFacts)> {
    let places = set.catalogue.places();
    places.filter(|(_, facts)| facts.region.is_some() && facts.zone.is_none())
}

fn refusing(verdict: &Verdict, place: PlaceIndex) -> impl Iterator<Item = Cause> {
    verdict
        .restrictions
        .iter()
        .filter(move |restriction| restriction.mode == Mode::Enforce && !restriction.leaves(place, true))
        .map(|restriction| restriction.cause)
}

fn region_key(set: &PolicySet, place: PlaceIndex) -> String {
    let key = set.catalogue.facts(place).and_then(|facts| facts.region.as_ref());
    key.map_or_else(|| "unknown".to_owned(), ToString::to_string)
}

fn place_in_words(set: &PolicySet, place: PlaceIndex) -> String {
    let key = set.catalogue.facts(place).and_then(|facts| facts.region.as_ref());
    let Some(region) = key.and_then(|key| set.catalogue.region(key)) else {
        return "a place that nobody knows".to_owned();
    };
    match &region.city {
        Some(city) => format!("{city} in {}", region.country.code()),
        None => region.country.code().to_owned(),
    }
}
