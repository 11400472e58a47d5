//! What the rules of a policy demand, and where that leaves room today.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Subject, all_of, capitalised, counted, day_or_instant, one_of};
use crate::model::RESTRICTED_REGION_LABEL;
use crate::policy::definition::{
    Activity, ActivitySet, Demand, PlaceTerm, RegionKeyTrust, Requirement, Rule, RuleIndex, TransitDemand,
};
use crate::policy::phrase::requirement_in_words;

/// The places that a demand names.
pub(super) fn places_of(demand: &Demand) -> Vec<&PlaceTerm> {
    match demand {
        Demand::Allowed(terms)
        | Demand::Denied(terms)
        | Demand::PrimaryMustBeIn(terms)
        | Demand::FromReplicaIn(terms)
        | Demand::NoReplicaOutside(terms)
        | Demand::ReplicaMustExistIn(terms)
        | Demand::Transit(TransitDemand { forbid: terms, .. }) => terms.iter().collect(),
        Demand::Required(requirement) => {
            let lists = [&requirement.controlled_from, &requirement.admin_access_from];
            lists.into_iter().flatten().flatten().collect()
        }
    }
}

/// Whether a demand is about the place of a node alone.
fn is_about_the_node(demand: &Demand) -> bool {
    matches!(
        demand,
        Demand::Allowed(_) | Demand::Denied(_) | Demand::Required(_)
    )
}

/// `processed, stored or replicated`.
pub(super) fn activities_in_words(activities: ActivitySet) -> String {
    let words: Vec<&str> = activities
        .iter()
        .map(|activity| match activity {
            Activity::Process => "processed",
            Activity::Store => "stored",
            Activity::Replicate => "replicated",
        })
        .collect();
    one_of(&words)
}

impl Subject<'_> {
    pub(super) fn demands(&self) -> Vec<String> {
        let mut said = Vec::new();
        for (number, rule) in self.policy.rules.iter().enumerate() {
            let index = RuleIndex {
                policy: self.index,
                rule: number,
            };
            let mut sentences = vec![format!(
                "`{}`, where the data is {}: {}.",
                rule.id,
                activities_in_words(rule.activities),
                self.demand(&rule.demand)
            )];
            if let Demand::Required(requirement) = &rule.demand {
                sentences.extend(requirement_notes(requirement));
            }
            sentences.extend(self.room(index, rule));
            if matches!(rule.demand, Demand::Transit(_)) {
                sentences.extend(self.ways_left(index));
                sentences.push(super::ways::WAYS.to_owned());
            }
            let about_copies = matches!(
                rule.demand,
                Demand::NoReplicaOutside(_) | Demand::ReplicaMustExistIn(_)
            );
            if about_copies || rule.activities == ActivitySet::default().with(Activity::Replicate) {
                // No profile performs `replicate` yet.
                sentences.push(
                    "Nothing tells yet which pods are copies of a data set, so this rule refuses none today."
                        .to_owned(),
                );
            }
            said.push(sentences.join(" "));
        }
        if self.policy.rules.len() > 1 {
            said.push("All of these must hold.".to_owned());
        }
        said
    }

    fn demand(&self, demand: &Demand) -> String {
        let places = |terms: &[PlaceTerm]| self.definitions.places_in_words(terms);
        match demand {
            Demand::Allowed(terms) if terms.contains(&PlaceTerm::Anywhere) => {
                "every place of the catalogue is permitted".to_owned()
            }
            Demand::Allowed(terms) => format!("only places in {} are permitted", places(terms)),
            Demand::Denied(terms) => format!("no place in {} is permitted", places(terms)),
            Demand::Required(requirement) => format!(
                "only places {} are permitted",
                requirement_in_words(self.definitions, requirement)
            ),
            Demand::PrimaryMustBeIn(terms) => format!(
                "a pod may write only to data sets of which every leader is in {}, wherever the pod runs",
                places(terms)
            ),
            Demand::FromReplicaIn(terms) => format!(
                "a pod may read only from data sets of which some readable copy is in {}, wherever the pod runs",
                places(terms)
            ),
            Demand::NoReplicaOutside(terms) => {
                format!("a new copy of a data set is made only in {}", places(terms))
            }
            Demand::Transit(transit) => self.transit(transit),
            Demand::ReplicaMustExistIn(terms) => format!(
                "a new copy of a data set is made elsewhere only while a copy is in {}",
                places(terms)
            ),
        }
    }

    /// Which regions of the catalogue satisfy a rule, counted by country.
    fn room(&self, index: RuleIndex, rule: &Rule) -> Option<String> {
        if !is_about_the_node(&rule.demand) {
            return None;
        }
        let from = self.policy.effective_from;
        let instant = from.filter(|from| self.at < *from).unwrap_or(self.at);
        let epoch = self.set.at(instant);
        let found = epoch.rules.iter().find(|found| found.index == index)?;
        let mut all = 0;
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (place, facts) in self.set.catalogue.places() {
            if facts.region.is_none() || facts.zone.is_some() {
                continue;
            }
            all += 1;
            if found.admits.contains(place) {
                *counts
                    .entry(facts.country.map_or("", |country| country.code()))
                    .or_default() += 1;
            }
        }
        let admitted: usize = counts.values().sum();
        let when = day_or_instant(day_of(instant));
        let regions = counted(all, "region", "regions");
        Some(match admitted {
            0 => format!("On {when} none of the {regions} of the catalogue satisfies it."),
            _ if admitted == all => {
                format!("On {when} every one of the {regions} of the catalogue satisfies it.")
            }
            _ => {
                let countries: Vec<String> = counts
                    .iter()
                    .map(|(country, count)| format!("{country} {count}"))
                    .collect();
                let verb = if admitted == 1 { "satisfies" } else { "satisfy" };
                format!(
                    "On {when} {admitted} of the {regions} of the catalogue {verb} it, by country: {}.",
                    countries.join(", ")
                )
            }
        })
    }

    pub(super) fn unknown_places(&self) -> Vec<String> {
        let rules = || self.policy.rules.iter().map(|rule| &rule.demand);
        let mut said = Vec::new();
        if rules().any(is_about_the_node) {
            said.push(
                "A node whose place is not known, or not precisely enough to tell, is refused to such data."
                    .to_owned(),
            );
        }
        if rules().any(|demand| matches!(demand, Demand::Required(_))) {
            said.push(
                "A fact about a place that the catalogue does not state does not count as met.".to_owned(),
            );
        }
        let about_data_sets = |demand: &Demand| {
            matches!(
                demand,
                Demand::PrimaryMustBeIn(_)
                    | Demand::FromReplicaIn(_)
                    | Demand::NoReplicaOutside(_)
                    | Demand::ReplicaMustExistIn(_)
            )
        };
        if rules().any(|demand| matches!(demand, Demand::Transit(_))) {
            said.push(
                "A link or a region of which it is not known whether it touches a forbidden place counts as if it did."
                    .to_owned(),
            );
        }
        if rules().any(about_data_sets) {
            said.push(
                "A data set whose copies are not known satisfies none of the rules about reads, writes and copies, and \
                 a volume that is not known may belong to any data set."
                    .to_owned(),
            );
        }
        said
    }

    pub(super) fn confirmed_regions(&self) -> Option<String> {
        match self.definitions.settings.region_key {
            RegionKeyTrust::Topology => None,
            RegionKeyTrust::ProviderId => Some(
                "The region of a node is the one that its cloud provider names, and not known where a label \
                 contradicts it."
                    .to_owned(),
            ),
            RegionKeyTrust::NodeRestriction { from } => Some(format!(
                "For data that is {} or more sensitive, or of which nobody says how sensitive it is, a node counts \
                 only where the label `{RESTRICTED_REGION_LABEL}` confirms its region.",
                from.word()
            )),
        }
    }
}

/// The first instant of the day in UTC.
pub(super) fn day_of(instant: Timestamp) -> Timestamp {
    let date = instant.to_zoned(TimeZone::UTC).date();
    let start = date.to_zoned(TimeZone::UTC);
    start.map_or(instant, |zoned| zoned.timestamp())
}

/// What the words of a requirement mean exactly.
fn requirement_notes(requirement: &Requirement) -> Vec<String> {
    let mut said = Vec::new();
    let mut countries = Vec::new();
    if requirement.controlled_from.is_some() {
        countries.push("that controls the operator");
    }
    if requirement.admin_access_from.is_some() {
        countries.push("from which people administer it");
    }
    if !countries.is_empty() {
        said.push(format!(
            "Every country {} must be among them.",
            all_of(&countries)
        ));
    }
    for wanted in requirement.certifications.iter().flatten() {
        let level = wanted
            .level
            .as_ref()
            .map_or(String::new(), |level| format!(" {level}"));
        if wanted.valid_at_least_days > 0 {
            let days = usize::try_from(wanted.valid_at_least_days).unwrap_or(0);
            said.push(capitalised(&format!(
                "{}{level} counts while it is valid for {} more.",
                wanted.scheme,
                counted(days, "day", "days")
            )));
        }
    }
    said
}
