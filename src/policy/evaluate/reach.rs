//! Which rules bear on a pod, whether or not they take a place away, and which of them cover data of it.
//!
//! Inputs: a policy set, a profile, an instant. Output: the rules that apply. Invariant: what applies here is
//! what [`evaluate`](super::evaluate()) lets restrict; both ask the same matchers. Deliberately absent: places.

use jiff::Timestamp;

use super::{RuleMatch, replicas};
use crate::model::Membership;
use crate::policy::PolicySet;
use crate::policy::definition::{Mode, RuleIndex};
use crate::policy::epoch::{EpochRule, RuleKind};
use crate::policy::profile::{Profile, SourcedTuple};

/// A rule that bears on a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Which rule.
    pub rule: RuleIndex,
    /// What becomes of its verdict at that instant.
    pub mode: Mode,
    /// Whether it covers data of the pod.
    pub covers: bool,
}

/// The rules that bear on a pod, in the order of policy names and of rules.
#[must_use]
pub fn reach(set: &PolicySet, profile: &Profile, now: Timestamp) -> Vec<Reach> {
    let performed = |rule: &&EpochRule| {
        let mut performs = profile.looked_at().iter();
        performs.any(|activity| rule.activities.contains(activity))
    };
    let rules = set.at(now).rules.iter().filter(performed);
    rules.filter_map(|rule| of_rule(rule, profile)).collect()
}

fn of_rule(rule: &EpochRule, profile: &Profile) -> Option<Reach> {
    let mut applies = profile.tuples.is_empty() && rule.kind == RuleKind::Node && by_source(rule, profile);
    let mut covers = false;
    for sourced in &profile.tuples {
        let matched = RuleMatch::of(rule, profile, sourced);
        applies |= matched.restricts && is_about(rule, profile, sourced);
        covers |= matched.covers && rule.covers;
    }
    (applies || covers).then_some(Reach {
        rule: rule.index,
        mode: rule.mode,
        covers,
    })
}

fn by_source(rule: &EpochRule, profile: &Profile) -> bool {
    let mut blocks = rule.blocks.iter();
    blocks.any(|block| block.is_source_only() && block.matches_sources(profile) != Membership::Out)
}

/// Whether a rule on data sets is about something that the pod does.
fn is_about(rule: &EpochRule, profile: &Profile, sourced: &SourcedTuple) -> bool {
    let replicates = profile.is_new_copy();
    match &rule.kind {
        RuleKind::Node => true,
        RuleKind::NewReplica => replicates,
        RuleKind::SomeReplica(_) => replicates && replicas::binds_any(rule, profile, sourced),
        RuleKind::Leaders(_) | RuleKind::ReadReplicas(_) | RuleKind::Transit => {
            replicas::binds_any(rule, profile, sourced)
        }
    }
}
