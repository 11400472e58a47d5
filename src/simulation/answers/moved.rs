//! Who moves from one set of policies to another, and why.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::comparators::{distribution, rising};
use super::cost::added_us;
use crate::simulation::comparator::Comparator;
use crate::simulation::drive::{KindIndex, Outcome, Roster};
use crate::simulation::percentiles::rounded_mean;
use crate::simulation::summary::{Moved, MovedPods};

/// Pods that move alike: their workload, where from, where to, and why.
type Group<'a> = (&'a str, Option<&'a str>, Option<&'a str>, String);

/// Sums up who moves.
pub fn moved(roster: &Roster<'_>, before: &Outcome, after: &Outcome) -> Moved {
    let mut moved = Moved {
        from: Comparator::Domicile.id(),
        to: Comparator::PolicyB.id(),
        pods: 0,
        same_region: 0,
        other_region: 0,
        gained_a_node: 0,
        lost_their_node: 0,
        without_a_node: 0,
        added: distribution(&[]),
        groups: Vec::new(),
    };
    let mut groups: BTreeMap<Group<'_>, (u64, Vec<i64>)> = BTreeMap::new();
    let mut added = Vec::new();
    let lives = before.lives.iter().zip(&after.lives).zip(&roster.pods);
    for ((was, is), made) in lives.filter(|((was, _), _)| was.counts()) {
        let (from, to) = (before.region(was), after.region(is));
        moved.pods += 1;
        let counted = match (from, to) {
            (Some(from), Some(to)) if from == to => &mut moved.same_region,
            (Some(_), Some(_)) => &mut moved.other_region,
            (None, Some(_)) => &mut moved.gained_a_node,
            (Some(_), None) => &mut moved.lost_their_node,
            (None, None) => &mut moved.without_a_node,
        };
        *counted += 1;
        let more = added_us(was, is);
        added.extend(more);
        if from == to {
            continue;
        }
        let workload = roster
            .kinds
            .get(made.kind)
            .map_or("", |kind| kind.workload.as_str());
        let why = why((before, from), (after, to), made.kind);
        let (pods, costs) = groups.entry((workload, from, to, why)).or_default();
        *pods += 1;
        costs.extend(more);
    }
    moved.added = distribution(&rising(added.into_iter()));
    let groups = groups
        .into_iter()
        .map(|((workload, from, to, why), (pods, costs))| MovedPods {
            workload: workload.to_owned(),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            pods,
            why,
            mean_added_us: rounded_mean(&costs),
        });
    moved.groups = groups.collect();
    // The sort is stable: equals stay in the order of names.
    moved.groups.sort_by_key(|group| Reverse(group.pods));
    moved
}

/// Why a pod is elsewhere, in a sentence.
pub fn why(
    (before, from): (&Outcome, Option<&str>),
    (after, to): (&Outcome, Option<&str>),
    kind: KindIndex,
) -> String {
    let refused = |outcome: &Outcome, region: Option<&str>| -> Option<BTreeSet<String>> {
        let refused_in = &outcome.kinds.get(kind)?.refused_in;
        refused_in.get(region?).cloned()
    };
    let named = |causes: BTreeSet<String>| {
        let causes: Vec<String> = causes.into_iter().map(|cause| format!("`{cause}`")).collect();
        causes.join(" and ")
    };
    match (refused(after, from), refused(before, to)) {
        (Some(causes), _) => format!("{} under B refuses where it was", named(causes)),
        (None, Some(causes)) => format!("{} under A refused where it is now", named(causes)),
        (None, None) if to.is_none() => "pods that moved took the room".to_owned(),
        (None, None) => "others moved: both sets permit both places".to_owned(),
    }
}
