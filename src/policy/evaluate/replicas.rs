//! Rules on reads, writes and copies: they look at where the data sets are that a pod names
//! (docs/policies.md, 3.2).
//!
//! Inputs: a rule, a pod, one of its tuples, the places whose facts are young enough for it. Output: the
//! places that the rule leaves. Invariants: a data set whose copies are not known satisfies no rule, and
//! neither does one whose copies are where the facts are too old.
//! A tuple that a data set asserted is about that data set; any other tuple of the pod is about all that
//! it names.

use std::borrow::Cow;

use super::Judged;
use crate::model::Membership;
use crate::policy::catalogue::{Catalogue, PlaceIndex, PlaceSet};
use crate::policy::epoch::{EpochRule, RuleKind};
use crate::policy::profile::{Profile, Source, SourcedTuple, UsedDataSet};

/// How one data set stands to a rule.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It satisfies it, or is not bound by it.
    Satisfies,
    /// It surely does not.
    Violates,
    /// It is not known whether it does.
    Unknown,
}

/// What a rule on data sets leaves; `None` where every data set satisfies it.
pub(super) fn judge<'a>(
    rule: &'a EpochRule,
    profile: &Profile,
    sourced: &SourcedTuple,
    catalogue: &Catalogue,
    fresh: Option<&PlaceSet>,
) -> Option<Judged<'a>> {
    let mut is_refused = false;
    let mut is_known = true;
    for data_set in bound(rule, profile, sourced) {
        match standing(rule, data_set, fresh) {
            Standing::Satisfies => {}
            Standing::Violates => is_refused = true,
            Standing::Unknown => (is_refused, is_known) = (true, false),
        }
    }
    // What is mounted and not known may name any data set.
    if profile.may_name_more_data_sets && !matches!(sourced.source, Source::DataSet(_)) {
        (is_refused, is_known) = (true, false);
    }
    if !is_refused {
        return None;
    }
    let admits = match &rule.kind {
        // The pod would be the copy that is missing.
        RuleKind::SomeReplica(_) => Cow::Borrowed(&rule.admits),
        _ => Cow::Owned(catalogue.no_place()),
    };
    Some(Judged { admits, is_known })
}

/// Whether a rule on data sets asks something of a data set that the pod names, or may name.
pub(super) fn binds_any(rule: &EpochRule, profile: &Profile, sourced: &SourcedTuple) -> bool {
    let asks = |data_set: &UsedDataSet| match &rule.kind {
        RuleKind::Leaders(_) => data_set.may_write,
        RuleKind::ReadReplicas(_) => data_set.may_read,
        RuleKind::Transit => data_set.may_read || data_set.may_write,
        RuleKind::Node | RuleKind::NewReplica | RuleKind::SomeReplica(_) => true,
    };
    bound(rule, profile, sourced).any(asks)
        || profile.may_name_more_data_sets && !matches!(sourced.source, Source::DataSet(_))
}

/// The data sets of a pod that a rule is about, for one of its tuples.
pub(super) fn bound<'p>(
    rule: &EpochRule,
    profile: &'p Profile,
    sourced: &SourcedTuple,
) -> impl Iterator<Item = &'p UsedDataSet> {
    profile.data_sets.iter().filter(move |data_set| {
        let is_about_it = match &sourced.source {
            Source::DataSet(name) => *name == data_set.name,
            _ => true,
        };
        is_about_it
            && rule.blocks.iter().any(|block| {
                block.binds(&data_set.name) && block.matches(profile, sourced).restricts != Membership::Out
            })
    })
}

fn standing(rule: &EpochRule, data_set: &UsedDataSet, fresh: Option<&PlaceSet>) -> Standing {
    let (is_bound, copies, outside, all_must) = match &rule.kind {
        RuleKind::Leaders(outside) => (data_set.may_write, &data_set.leaders, outside, true),
        RuleKind::ReadReplicas(outside) => (data_set.may_read, &data_set.readable, outside, false),
        RuleKind::SomeReplica(outside) => (true, &data_set.readable, outside, false),
        RuleKind::Node | RuleKind::NewReplica | RuleKind::Transit => return Standing::Satisfies,
    };
    if !is_bound {
        return Standing::Satisfies;
    }
    let are_in = |set: &PlaceSet, place: &PlaceIndex| {
        set.contains(*place) && fresh.is_none_or(|fresh| fresh.contains(*place))
    };
    let satisfies = if all_must {
        !copies.is_empty() && copies.iter().all(|place| are_in(&rule.admits, place))
    } else {
        copies.iter().any(|place| are_in(&rule.admits, place))
    };
    if satisfies {
        return Standing::Satisfies;
    }
    let is_known = |place: &PlaceIndex| are_in(&rule.admits, place) || are_in(outside, place);
    if !copies.is_empty() && copies.iter().all(is_known) {
        Standing::Violates
    } else {
        Standing::Unknown
    }
}
