//! Which rules on transit bind which data sets of a pod (docs/policies.md, "Ways to data").
//!
//! Inputs: a rule, a pod, one of its tuples. Output: a binding. Invariant: a data set is bound as by rules on
//! reads and writes: by a tuple that it asserted itself, or by any that it did not assert.
//! Deliberately absent: which ways remain. That needs links and latencies, which the snapshot has.

use std::collections::BTreeSet;

use super::{Evaluation, replicas};
use crate::model::Tuple;
use crate::policy::definition::{Mode, RuleIndex};
use crate::policy::epoch::EpochRule;
use crate::policy::profile::{Source, SourcedTuple};
use crate::policy::transit::TransitIndex;

/// A rule on transit and the data sets that a pod may reach only as it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitBinding {
    /// Which rule.
    pub rule: RuleIndex,
    /// Whether it refuses, or is only recorded.
    pub mode: Mode,
    /// What it takes away.
    pub profile: TransitIndex,
    /// The data sets, by their number in [`Profile::data_sets`](crate::policy::Profile::data_sets).
    pub data_sets: BTreeSet<usize>,
    /// Whether something is mounted and not known that may name any data set.
    pub may_bind_more: bool,
    /// Whether the place of a node is known only where its region is confirmed.
    pub needs_confirmed_region: bool,
}

impl Evaluation<'_> {
    /// Notes what a rule on transit that matches a tuple binds.
    pub(super) fn bind(&mut self, rule: &EpochRule, sourced: &SourcedTuple) {
        let (profile, settings) = (self.profile, &self.set.definitions.settings);
        let Some(transit) = &rule.transit else {
            return;
        };
        if !replicas::binds_any(rule, profile, sourced) {
            return;
        }
        let accessed = replicas::bound(rule, profile, sourced).filter(|used| used.may_read || used.may_write);
        let numbers = accessed.filter_map(|used| {
            let mut named = profile.data_sets.iter();
            named.position(|named| named.name == used.name)
        });
        let numbers: BTreeSet<usize> = numbers.collect();
        let may_bind_more = profile.may_name_more_data_sets && !matches!(sourced.source, Source::DataSet(_));
        let needs_confirmed_region = match &sourced.tuple {
            Tuple::Data(tuple) => settings.needs_confirmed_region(tuple.classification),
            Tuple::Unlabelled | Tuple::NoData => false,
        };
        let index = transit.for_data(&sourced.tuple);
        let binding = self
            .transit
            .entry((rule.index, index))
            .or_insert_with(|| TransitBinding {
                rule: rule.index,
                mode: rule.mode,
                profile: index,
                data_sets: BTreeSet::new(),
                may_bind_more: false,
                needs_confirmed_region: false,
            });
        binding.data_sets.extend(numbers);
        binding.may_bind_more |= may_bind_more;
        binding.needs_confirmed_region |= needs_confirmed_region;
    }
}
