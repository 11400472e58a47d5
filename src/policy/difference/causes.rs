//! Which changes decide cells that moved.
//!
//! Inputs: both sets compiled, a pod, places that moved, what is written differently. Outputs: the places,
//! those together that moved because of the same changes. What refuses on one side does not on the other, so
//! the change is in what refuses, in what it looks at, or in what covers where nothing did.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::changes::{About, Change};
use super::places::{Places, Spot, terms_of_demand, terms_of_requirement};
use crate::model::RegionKey;
use crate::policy::PolicySet;
use crate::policy::catalogue::PlaceSet;
use crate::policy::definition::{
    Definitions, Demand, GroupIndex, Mode, PlaceTerm, Policy, RuleIndex, SubjectSelector, Unlabelled,
};
use crate::policy::evaluate::{Cause, evaluate};
use crate::policy::profile::Profile;

/// A side of the comparison and how it sees a pod.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The set, compiled over the places of the comparison.
    pub set: &'a PolicySet,
    /// The pod.
    pub profile: &'a Profile,
}

/// Looks for causes among changes.
pub struct Causes<'a> {
    changes: &'a [Change],
    /// The places of regions that only one set has, or that lie elsewhere.
    regions: PlaceSet,
    /// The places of regions with other facts.
    facts: PlaceSet,
}

impl<'a> Causes<'a> {
    /// Prepares the changes of a comparison.
    #[must_use]
    pub fn new(changes: &'a [Change], places: &Places) -> Self {
        let of = |wanted: &dyn Fn(&RegionKey, &About) -> bool| {
            let mut set = places.numbering().no_place();
            for (index, _) in places.numbering().places() {
                if let Some(Spot::Catalogued(key, _)) = places.spot(index)
                    && changes.iter().any(|change| wanted(key, &change.about))
                {
                    set.insert(index);
                }
            }
            set
        };
        Self {
            changes,
            regions: of(&|key, about| matches!(about, About::Region(of) if of == key)),
            facts: of(&|key, about| matches!(about, About::RegionFacts(of) if of == key)),
        }
    }

    /// The places by the changes that move them from one side to the other.
    #[must_use]
    pub fn of(
        &self,
        refusing: Side<'_>,
        permitting: Side<'_>,
        at: Timestamp,
        moved: &PlaceSet,
    ) -> Vec<(BTreeSet<usize>, PlaceSet)> {
        let mut parts: Vec<(BTreeSet<usize>, PlaceSet)> = vec![(BTreeSet::new(), moved.clone())];
        let verdict = evaluate(refusing.set, refusing.profile, at);
        for restriction in verdict.restrictions.iter().filter(|of| of.mode == Mode::Enforce) {
            let (of_cause, looks_at_facts) = self.of_cause(restriction.cause, refusing, permitting, at);
            let mut finer = Vec::with_capacity(parts.len() + 1);
            for (because, part) in parts {
                let mut passed = part.clone();
                passed.intersect(&restriction.admits);
                let mut refused = part;
                refused.subtract(&passed);
                if !passed.is_empty() {
                    finer.push((because.clone(), passed));
                }
                for (because, part) in self.with_regions(because, refused, looks_at_facts) {
                    finer.push((because.union(&of_cause).copied().collect(), part));
                }
            }
            parts = finer;
        }
        parts
    }

    /// Places whose regions differ, apart from the others.
    fn with_regions(
        &self,
        because: BTreeSet<usize>,
        places: PlaceSet,
        looks_at_facts: bool,
    ) -> Vec<(BTreeSet<usize>, PlaceSet)> {
        let mut elsewhere = places.clone();
        elsewhere.intersect(&self.regions);
        let mut of_facts = places.clone();
        of_facts.subtract(&elsewhere);
        let mut others = of_facts.clone();
        if looks_at_facts {
            of_facts.intersect(&self.facts);
            others.subtract(&of_facts);
        } else {
            of_facts = PlaceSet::NONE;
        }
        let with = |number: Option<usize>| because.iter().copied().chain(number).collect();
        [
            (with(Some(ANY_REGION)), elsewhere),
            (with(Some(ANY_FACTS)), of_facts),
            (with(None), others),
        ]
        .into_iter()
        .filter(|(_, part)| !part.is_empty())
        .collect()
    }

    /// The changes that what refused may be undone by, and whether facts of regions may be among them.
    fn of_cause(
        &self,
        cause: Cause,
        refusing: Side<'_>,
        permitting: Side<'_>,
        at: Timestamp,
    ) -> (BTreeSet<usize>, bool) {
        match cause {
            Cause::Malformed | Cause::StaleFacts => (BTreeSet::new(), false),
            Cause::Rule(index) => self.of_rule(index, refusing, permitting),
            Cause::Unlabelled => {
                let mut groups = BTreeSet::new();
                for side in [refusing, permitting] {
                    if let Unlabelled::ConfineTo(terms) = &side.set.settings().unlabelled {
                        groups.extend(names_of_groups(&side.set.definitions, terms));
                    }
                }
                let of_settings = self.numbers(|about| match about {
                    About::Settings(part) => *part == "unlabelled",
                    About::Group(name) => groups.contains(&**name),
                    _ => false,
                });
                let (of_rules, facts) = self.of_covering(refusing, permitting, at);
                (of_settings.union(&of_rules).copied().collect(), facts)
            }
            Cause::Uncovered => {
                let of_settings =
                    self.numbers(|about| matches!(about, About::Settings(part) if *part == "uncovered"));
                let (of_rules, facts) = self.of_covering(refusing, permitting, at);
                (of_settings.union(&of_rules).copied().collect(), facts)
            }
        }
    }

    /// The changes of rules that cover on the side that permits.
    fn of_covering(
        &self,
        refusing: Side<'_>,
        permitting: Side<'_>,
        at: Timestamp,
    ) -> (BTreeSet<usize>, bool) {
        let (mut found, mut looks_at_facts) = (BTreeSet::new(), false);
        let profile = permitting.profile;
        for rule in permitting.set.at(at).rules.iter().filter(|rule| rule.covers) {
            let performed = profile
                .performs
                .iter()
                .any(|activity| rule.activities.contains(activity));
            let covers = profile.tuples.iter().any(|tuple| {
                rule.blocks
                    .iter()
                    .any(|block| block.matches(profile, tuple).covers)
            });
            if performed && covers {
                let (of_rule, facts) = self.of_rule(rule.index, permitting, refusing);
                found.extend(of_rule);
                looks_at_facts |= facts;
            }
        }
        (found, looks_at_facts)
    }

    /// The changes of a rule of one side and of what bears its name on the other.
    fn of_rule(&self, index: RuleIndex, side: Side<'_>, other: Side<'_>) -> (BTreeSet<usize>, bool) {
        let definitions = &side.set.definitions;
        let Some(policy) = definitions.policies.get(index.policy) else {
            return (BTreeSet::new(), false);
        };
        let Some(rule) = policy.rules.get(index.rule) else {
            return (BTreeSet::new(), false);
        };
        let mut groups = BTreeSet::new();
        let mut looks_at_facts = false;
        for definitions in [definitions, &other.set.definitions] {
            let policies = definitions.policies.iter();
            for policy in policies.filter(|of| of.name == policy.name) {
                groups.extend(groups_of_blocks(definitions, policy));
                for rule in policy.rules.iter().filter(|of| of.id == rule.id) {
                    let terms = terms_of_demand(&rule.demand)
                        .into_iter()
                        .cloned()
                        .collect::<Vec<_>>();
                    groups.extend(names_of_groups(definitions, &terms));
                    looks_at_facts |= matches!(rule.demand, Demand::Required(_));
                }
            }
            let conditional = definitions
                .groups
                .iter()
                .filter(|group| groups.contains(&*group.name));
            looks_at_facts |= conditional
                .flat_map(|group| &group.members)
                .any(|member| member.required.is_some());
            looks_at_facts |= !definitions.settings.max_fact_age.is_empty();
        }
        let found = self.numbers(|about| match about {
            About::Policy(name) => *name == policy.name,
            About::Rule(name, id) => (name, id) == (&policy.name, &rule.id),
            About::Group(name) => groups.contains(&**name),
            About::Exception(name, id) => {
                side.profile.namespace.is_some() && (name, id) == (&policy.name, &rule.id)
            }
            About::Settings(part) => *part == "maxFactAge",
            About::DataSet(_) | About::Link(_) | About::Region(_) | About::RegionFacts(_) => false,
        });
        (found, looks_at_facts)
    }

    fn numbers(&self, concerns: impl Fn(&About) -> bool) -> BTreeSet<usize> {
        let changes = self.changes.iter().enumerate();
        changes
            .filter(|(_, change)| concerns(&change.about))
            .map(|(number, _)| number)
            .collect()
    }
}

/// Stands for the changes of the regions of a rectangle, which are looked up when it is told.
pub const ANY_REGION: usize = usize::MAX;

/// The same for changes of their facts.
pub const ANY_FACTS: usize = usize::MAX - 1;

pub(super) fn groups_of_blocks(definitions: &Definitions, policy: &Policy) -> BTreeSet<String> {
    let selectors = policy.applies_to.iter().filter_map(|block| block.data.as_ref());
    let subjects = selectors.flat_map(|selector| selector.subjects.iter().flatten());
    let terms: Vec<PlaceTerm> = subjects
        .filter_map(|subject| match subject {
            SubjectSelector::Place(term) => Some(term.clone()),
            SubjectSelector::None => None,
        })
        .collect();
    names_of_groups(definitions, &terms)
}

/// The groups that a list names, and those that these name.
pub(super) fn names_of_groups(definitions: &Definitions, terms: &[PlaceTerm]) -> BTreeSet<String> {
    let group_of = |term: &PlaceTerm| match term {
        PlaceTerm::Group(group) => Some(*group),
        PlaceTerm::Country(_) | PlaceTerm::Subdivision(_) | PlaceTerm::Anywhere => None,
    };
    let mut seen: BTreeSet<GroupIndex> = BTreeSet::new();
    let mut open: Vec<GroupIndex> = terms.iter().filter_map(group_of).collect();
    while let Some(index) = open.pop() {
        if !seen.insert(index) {
            continue;
        }
        for member in definitions
            .groups
            .get(index)
            .iter()
            .flat_map(|group| &group.members)
        {
            open.extend(group_of(&member.term));
            let of_condition = member.required.iter().flat_map(terms_of_requirement);
            open.extend(of_condition.filter_map(group_of));
        }
    }
    let names = seen.into_iter().filter_map(|index| definitions.groups.get(index));
    names.map(|group| group.name.to_string()).collect()
}
