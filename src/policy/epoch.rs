//! A stretch of time in which nothing that a date decides changes.
//!
//! Every date that a set mentions (a policy takes effect, a member joins a group, a certification is
//! about to expire) cuts time. Between two cuts each rule is one set of bits over places, so a decision
//! at an instant is a look-up of its epoch, and a verdict knows until when it holds.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::catalogue::{Catalogue, PlaceSet};
use super::definition::{ActivitySet, Definitions, Demand, Mode, Policy, Requirement, Rule, Unlabelled};
use super::membership::{first_insufficient_instant, in_any, meets};
use super::selector::BlockMatcher;
use crate::model::Membership;

/// A rule of one policy, by their indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleIndex {
    /// Index into [`Definitions::policies`].
    pub policy: usize,
    /// Index into that policy's rules.
    pub rule: usize,
}

/// A rule, ready to be evaluated.
#[derive(Debug)]
pub struct EpochRule {
    /// Which rule.
    pub index: RuleIndex,
    /// What becomes of its verdict in this epoch.
    pub mode: Mode,
    /// What it is about.
    pub activities: ActivitySet,
    /// Places that it surely admits. The unknown place is never among them.
    pub admits: PlaceSet,
    /// Whether it can cover data: only a rule with `allowed` does.
    pub covers: bool,
    /// To what: any of these.
    pub blocks: Arc<[BlockMatcher]>,
}

/// A stretch of time.
#[derive(Debug)]
pub struct Epoch {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after; `None` is for ever.
    pub until: Option<Timestamp>,
    /// The rules in force, in the order of policy names and of rules.
    pub rules: Vec<EpochRule>,
    /// Where unlabelled pods may run when the settings confine them.
    pub unlabelled: PlaceSet,
}

/// Cuts time at every date of the set.
#[must_use]
pub fn epochs(definitions: &Definitions, catalogue: &Catalogue) -> Vec<Epoch> {
    let mut starts: Vec<Timestamp> = vec![Timestamp::MIN];
    starts.extend(boundaries(definitions, catalogue));
    let ends = starts.iter().skip(1).copied().map(Some).chain([None]);
    starts
        .iter()
        .zip(ends)
        .map(|(from, until)| epoch(definitions, catalogue, *from, until))
        .collect()
}

fn boundaries(definitions: &Definitions, catalogue: &Catalogue) -> BTreeSet<Timestamp> {
    let mut dates = BTreeSet::new();
    let mut days_asked_for: BTreeSet<u32> = BTreeSet::new();
    let mut note_requirement = |requirement: &Requirement| {
        let wanted = requirement.certifications.iter().flatten();
        days_asked_for.extend(wanted.map(|wanted| wanted.valid_at_least_days));
    };
    for policy in &definitions.policies {
        dates.extend([policy.effective_from, policy.enforce_from].into_iter().flatten());
        for rule in &policy.rules {
            if let Demand::Required(requirement) = &rule.demand {
                note_requirement(requirement);
            }
        }
    }
    for member in definitions.groups.iter().flat_map(|group| &group.members) {
        dates.extend([member.from, member.until].into_iter().flatten());
        if let Some(requirement) = &member.required {
            note_requirement(requirement);
        }
    }
    let held = catalogue
        .places()
        .flat_map(|(_, place)| place.facts.certifications.iter().flatten());
    for valid_until in held.filter_map(|certification| certification.valid_until) {
        dates.extend(
            days_asked_for
                .iter()
                .filter_map(|days| first_insufficient_instant(valid_until, *days)),
        );
    }
    dates.remove(&Timestamp::MIN);
    dates
}

fn epoch(
    definitions: &Definitions,
    catalogue: &Catalogue,
    from: Timestamp,
    until: Option<Timestamp>,
) -> Epoch {
    let mut rules = Vec::new();
    for (policy_index, policy) in definitions.policies.iter().enumerate() {
        let in_force = policy.effective_from.is_none_or(|start| start <= from);
        if !in_force {
            continue;
        }
        let mode = mode_at(policy, from);
        let blocks: Arc<[BlockMatcher]> = policy
            .applies_to
            .iter()
            .map(|block| BlockMatcher::new(definitions, block, from))
            .collect();
        for (rule_index, rule) in policy.rules.iter().enumerate() {
            rules.push(EpochRule {
                index: RuleIndex {
                    policy: policy_index,
                    rule: rule_index,
                },
                mode,
                activities: rule.activities,
                admits: admitted(definitions, catalogue, rule, from),
                covers: matches!(rule.demand, Demand::Allowed(_)),
                blocks: blocks.clone(),
            });
        }
    }
    let unlabelled = match &definitions.settings.unlabelled {
        Unlabelled::Allow => catalogue.every_place(),
        Unlabelled::Deny => catalogue.no_place(),
        Unlabelled::ConfineTo(terms) => places_where(catalogue, |place| {
            in_any(definitions, terms, place, from) == Membership::In
        }),
    };
    Epoch {
        from,
        until,
        rules,
        unlabelled,
    }
}

fn mode_at(policy: &Policy, from: Timestamp) -> Mode {
    let waits = policy.enforce_from.is_some_and(|start| from < start);
    if waits && policy.mode == Mode::Enforce {
        Mode::Audit
    } else {
        policy.mode
    }
}

/// The places that a rule surely admits (POLICY.md A4, 2).
fn admitted(definitions: &Definitions, catalogue: &Catalogue, rule: &Rule, now: Timestamp) -> PlaceSet {
    places_where(catalogue, |place| match &rule.demand {
        Demand::Allowed(terms) => in_any(definitions, terms, place, now) == Membership::In,
        Demand::Denied(terms) => in_any(definitions, terms, place, now) == Membership::Out,
        Demand::Required(requirement) => meets(definitions, requirement, place, now) == Membership::In,
    })
}

/// The catalogued places that satisfy a condition; the unknown place satisfies none.
fn places_where(
    catalogue: &Catalogue,
    condition: impl Fn(&super::catalogue::PlaceFacts) -> bool,
) -> PlaceSet {
    let mut set = catalogue.no_place();
    for (index, place) in catalogue.places() {
        if place.region.is_some() && condition(place) {
            set.insert(index);
        }
    }
    set
}
