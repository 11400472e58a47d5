//! A stretch of time in which nothing that a date decides changes.
//!
//! Every date that a set mentions (a policy takes effect, a member joins a group, a certification is
//! about to expire) cuts time. Between two cuts each rule is one set of bits over places, so a decision
//! at an instant is a look-up of its epoch, and a verdict knows until when it holds.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::catalogue::{Catalogue, PlaceFacts, PlaceIndex, PlaceSet};
use super::definition::{ActivitySet, Definitions, Demand, Mode, Policy, Requirement, Rule, Unlabelled};
use super::membership::{Jurisdictions, first_insufficient_instant};
use super::selector::BlockMatcher;
use crate::model::Membership;

/// How many rules a set may have, each counted once for every epoch. Three hundred policies of two rules
/// with three hundred dates have 180,000; far beyond that a set would take seconds to load.
pub const MOST_EPOCH_RULES: usize = 400_000;

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

/// Cuts time at every date of the set; `None` where that makes more than [`MOST_EPOCH_RULES`].
#[must_use]
pub fn epochs(definitions: &Definitions, catalogue: &Catalogue) -> Option<Vec<Epoch>> {
    let mut starts: Vec<Timestamp> = vec![Timestamp::MIN];
    starts.extend(boundaries(definitions, catalogue));
    let rules: usize = definitions.policies.iter().map(|policy| policy.rules.len()).sum();
    if starts.len().saturating_mul(rules) > MOST_EPOCH_RULES {
        return None;
    }
    let ends = starts.iter().skip(1).copied().map(Some).chain([None]);
    let mut epochs = Vec::with_capacity(starts.len());
    let mut before: Option<Compiled<'_>> = None;
    for (from, until) in starts.iter().zip(ends) {
        let compiled = Compiled::at(definitions, catalogue, *from, before.take());
        epochs.push(compiled.epoch(definitions, *from, until));
        before = Some(compiled);
    }
    Some(epochs)
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

/// Everything of a set that looks at groups and facts, at one instant. It is taken over from the epoch
/// before where the groups are the same, because most dates change little.
struct Compiled<'a> {
    jurisdictions: Jurisdictions<'a>,
    /// For each policy its blocks.
    blocks: Vec<Arc<[BlockMatcher]>>,
    /// For each policy the places that each rule admits.
    admits: Vec<Vec<PlaceSet>>,
    unlabelled: PlaceSet,
}

impl<'a> Compiled<'a> {
    fn at(
        definitions: &'a Definitions,
        catalogue: &Catalogue,
        from: Timestamp,
        before: Option<Self>,
    ) -> Self {
        let jurisdictions = Jurisdictions::at(definitions, catalogue, from);
        let before = before.filter(|before| before.jurisdictions.are_those_of(&jurisdictions));
        if let Some(mut before) = before {
            for (policy, of_policy) in definitions.policies.iter().zip(&mut before.admits) {
                for (rule, admits) in policy.rules.iter().zip(of_policy) {
                    // Certifications end by themselves.
                    if matches!(rule.demand, Demand::Required(_)) {
                        *admits = admitted(&jurisdictions, catalogue, rule);
                    }
                }
            }
            before.jurisdictions = jurisdictions;
            return before;
        }
        let blocks = definitions.policies.iter().map(|policy| {
            let blocks = policy.applies_to.iter();
            blocks
                .map(|block| BlockMatcher::new(&jurisdictions, block))
                .collect()
        });
        let admits = definitions.policies.iter().map(|policy| {
            let rules = policy.rules.iter();
            rules
                .map(|rule| admitted(&jurisdictions, catalogue, rule))
                .collect()
        });
        let unlabelled = match &definitions.settings.unlabelled {
            Unlabelled::Allow => catalogue.every_place(),
            Unlabelled::Deny => catalogue.no_place(),
            Unlabelled::ConfineTo(terms) => places_where(catalogue, |index, place| {
                jurisdictions.place_in_any(index, place, terms) == Membership::In
            }),
        };
        Self {
            blocks: blocks.collect(),
            admits: admits.collect(),
            unlabelled,
            jurisdictions,
        }
    }

    fn epoch(&self, definitions: &Definitions, from: Timestamp, until: Option<Timestamp>) -> Epoch {
        let mut rules = Vec::new();
        let compiled = definitions.policies.iter().zip(&self.blocks).zip(&self.admits);
        for (policy_index, ((policy, blocks), of_policy)) in compiled.enumerate() {
            let in_force = policy.effective_from.is_none_or(|start| start <= from);
            if !in_force {
                continue;
            }
            let mode = mode_at(policy, from);
            for (rule_index, (rule, admits)) in policy.rules.iter().zip(of_policy).enumerate() {
                rules.push(EpochRule {
                    index: RuleIndex {
                        policy: policy_index,
                        rule: rule_index,
                    },
                    mode,
                    activities: rule.activities,
                    admits: admits.clone(),
                    covers: matches!(rule.demand, Demand::Allowed(_)),
                    blocks: blocks.clone(),
                });
            }
        }
        Epoch {
            from,
            until,
            rules,
            unlabelled: self.unlabelled.clone(),
        }
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

/// The places that a rule surely admits (docs/policies.md, 3.2).
fn admitted(jurisdictions: &Jurisdictions<'_>, catalogue: &Catalogue, rule: &Rule) -> PlaceSet {
    places_where(catalogue, |index, place| match &rule.demand {
        Demand::Allowed(terms) => jurisdictions.place_in_any(index, place, terms) == Membership::In,
        Demand::Denied(terms) => jurisdictions.place_in_any(index, place, terms) == Membership::Out,
        Demand::Required(requirement) => jurisdictions.meets(requirement, place) == Membership::In,
    })
}

/// The catalogued places that satisfy a condition; the unknown place satisfies none.
fn places_where(catalogue: &Catalogue, condition: impl Fn(PlaceIndex, &PlaceFacts) -> bool) -> PlaceSet {
    let mut set = catalogue.no_place();
    for (index, place) in catalogue.places() {
        if place.region.is_some() && condition(index, place) {
            set.insert(index);
        }
    }
    set
}
