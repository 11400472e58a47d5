//! What a change of policies changes of the ways to data, which no cell shows: a cell is a pod at a place.
//!
//! Inputs: both sets, what is written differently. Outputs: those changes that rules on transit look at, each
//! with whether it may open a way. Invariant: what is not shown to close ways only is told as one that may open
//! some, where the old set enforced a rule on transit. Deliberately absent: which ways there are. That needs
//! latencies and a fleet, which `impact` has.

use std::collections::{BTreeMap, BTreeSet};

use super::causes::{groups_of_blocks, names_of_groups};
use super::changes::{About, Change, member_words};
use crate::policy::PolicySet;
use crate::policy::definition::{
    Definitions, Demand, LinkEnd, Mode, NetworkLink, PathUnknown, PlaceTerm, Policy, TransitDemand,
};

/// A change that rules on transit look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteChange {
    /// Whether it may open a way that was closed.
    pub widens: bool,
    /// In words.
    pub sentence: String,
}

/// Every change that rules on transit look at, by its number, in the order of changes.
pub fn route_changes(old: &PolicySet, new: &PolicySet, changes: &[Change]) -> BTreeMap<usize, RouteChange> {
    let sides = Sides::new(&old.definitions, &new.definitions);
    if !sides.look_at_ways {
        return BTreeMap::new();
    }
    let told = changes.iter().enumerate().filter_map(|(number, change)| {
        let widens = sides.closes_only(&change.about)?.not_surely() && sides.refused_before;
        let sentence = change.sentence.clone();
        Some((number, RouteChange { widens, sentence }))
    });
    told.collect()
}

/// Whether a change closes ways and opens none.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ClosesOnly {
    Surely,
    NotSurely,
}

impl ClosesOnly {
    fn if_surely(holds: bool) -> Self {
        if holds { Self::Surely } else { Self::NotSurely }
    }

    fn not_surely(self) -> bool {
        self == Self::NotSurely
    }
}

/// Both sets, as far as rules on transit go.
struct Sides<'a> {
    old: &'a Definitions,
    new: &'a Definitions,
    /// Whether either has such a rule.
    look_at_ways: bool,
    /// Whether the old one enforces one, now or later: else nothing was closed that could open.
    refused_before: bool,
    /// The groups that such rules and the blocks of their policies name, in either.
    groups: BTreeSet<String>,
}

impl<'a> Sides<'a> {
    fn new(old: &'a Definitions, new: &'a Definitions) -> Self {
        let mut groups = BTreeSet::new();
        for definitions in [old, new] {
            for policy in definitions.policies.iter().filter(|policy| has_transit(policy)) {
                groups.extend(groups_of_blocks(definitions, policy));
                let forbidden: Vec<PlaceTerm> = transits(policy)
                    .flat_map(|(_, demand)| demand.forbid.iter().cloned())
                    .collect();
                groups.extend(names_of_groups(definitions, &forbidden));
            }
        }
        let has = |definitions: &Definitions| definitions.policies.iter().any(has_transit);
        let enforces = |policy: &Policy| policy.mode == Mode::Enforce && has_transit(policy);
        Self {
            look_at_ways: has(old) || has(new),
            refused_before: old.policies.iter().any(enforces),
            groups,
            old,
            new,
        }
    }

    /// `None` where no rule on transit looks at what changed.
    fn closes_only(&self, about: &About) -> Option<ClosesOnly> {
        match about {
            About::Policy(name) => self.policy(name),
            About::Rule(policy, rule) => self.rule(policy, rule),
            About::Link(name) => Some(ClosesOnly::if_surely(self.link(name))),
            About::Group(name) => self
                .groups
                .contains(&**name)
                .then(|| ClosesOnly::if_surely(self.group(name))),
            // A copy that is found elsewhere, or data that is something else, may be reached otherwise.
            About::Region(_) | About::DataSet(_) => Some(ClosesOnly::NotSurely),
            About::RegionFacts(_) => self.facts_count().then_some(ClosesOnly::NotSurely),
            // The settings are told by themselves, and no exception lifts such a rule.
            About::Settings(_) | About::Exception(..) => None,
        }
    }

    fn policy(&self, name: &str) -> Option<ClosesOnly> {
        let [before, after] = [self.old, self.new].map(|of| policy(of, name).filter(|of| has_transit(of)));
        let (before, after) = match (before, after) {
            (None, None) => return None,
            (None, Some(_)) => return Some(ClosesOnly::Surely),
            (Some(_), None) => return Some(ClosesOnly::NotSurely),
            (Some(before), Some(after)) => (before, after),
        };
        let blocks = |definitions: &Definitions, policy: &Policy| -> BTreeSet<String> {
            let blocks = policy.applies_to.iter();
            blocks
                .map(|block| super::written::block_in_words(definitions, block))
                .collect()
        };
        let is_no_weaker = after.mode == Mode::Enforce || before.mode != Mode::Enforce;
        let is_no_later =
            after.effective_from <= before.effective_from && after.enforce_from <= before.enforce_from;
        // Blocks are any-of, so one more binds more.
        let reaches_no_less = blocks(self.old, before).is_subset(&blocks(self.new, after));
        Some(ClosesOnly::if_surely(
            is_no_weaker && is_no_later && reaches_no_less,
        ))
    }

    fn rule(&self, policy_name: &str, id: &str) -> Option<ClosesOnly> {
        let [before, after] = [self.old, self.new].map(|definitions| {
            let rule = policy(definitions, policy_name)?
                .rules
                .iter()
                .find(|rule| *rule.id == *id)?;
            match &rule.demand {
                Demand::Transit(demand) => Some((definitions, rule.activities, demand)),
                _ => None,
            }
        });
        let (before, after) = match (before, after) {
            (None, None) => return None,
            (None, Some(_)) => return Some(ClosesOnly::Surely),
            (Some(_), None) => return Some(ClosesOnly::NotSurely),
            (Some(before), Some(after)) => (before, after),
        };
        let places = |(definitions, _, demand): (&Definitions, _, &TransitDemand)| {
            super::written::terms_in_words(definitions, &demand.forbid)
        };
        let forbids_no_less = places(before).is_subset(&places(after));
        let is_no_weaker =
            after.2.when_path_unknown == PathUnknown::Deny || before.2.when_path_unknown == PathUnknown::Warn;
        let is_about_no_less = before.1.iter().all(|activity| after.1.contains(activity));
        Some(ClosesOnly::if_surely(
            forbids_no_less && is_no_weaker && is_about_no_less,
        ))
    }

    /// A link that crosses more closes; one that is new may open a way, and so may one that is gone, where
    /// undeclared ways are taken.
    fn link(&self, name: &str) -> bool {
        let found = [self.old, self.new].map(|definitions| {
            let mut links = definitions.links.iter();
            links.find(|link| *link.name == *name)
        });
        let [Some(before), Some(after)] = found else {
            return false;
        };
        let is_same_way = before.ends() == after.ends();
        is_same_way && before.countries.is_subset(&after.countries)
    }

    /// A group that only has members more forbids more, and finds more data.
    fn group(&self, name: &str) -> bool {
        let [was, is] = [self.old, self.new].map(|definitions| member_words(definitions, name));
        was.is_subset(&is)
    }

    /// Whether facts of regions other than their country decide what is forbidden.
    fn facts_count(&self) -> bool {
        [self.old, self.new].into_iter().any(|definitions| {
            let named = definitions
                .groups
                .iter()
                .filter(|group| self.groups.contains(&*group.name));
            let mut members = named.flat_map(|group| &group.members);
            members.any(|member| member.required.is_some()) || !definitions.settings.max_fact_age.is_empty()
        })
    }
}

fn policy<'a>(definitions: &'a Definitions, name: &str) -> Option<&'a Policy> {
    definitions.policies.iter().find(|policy| *policy.name == *name)
}

fn has_transit(policy: &Policy) -> bool {
    transits(policy).next().is_some()
}

fn transits(policy: &Policy) -> impl Iterator<Item = (&str, &TransitDemand)> {
    policy.rules.iter().filter_map(|rule| match &rule.demand {
        Demand::Transit(demand) => Some((&*rule.id, demand)),
        _ => None,
    })
}

/// What a link says, in words.
#[must_use]
pub fn link_in_words(link: &NetworkLink) -> String {
    let [one, other]: [&LinkEnd; 2] = link.ends();
    let countries: Vec<&str> = link.countries.iter().map(|country| country.code()).collect();
    let crossed = match countries.is_empty() {
        true => "no other country".to_owned(),
        false => super::written::list(&countries),
    };
    format!("`{one}` and `{other}` are joined across {crossed}")
}
