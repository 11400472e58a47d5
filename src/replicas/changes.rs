//! Which claims are to be asked about again when the world changed.
//!
//! Inputs: the world before and after, and the nodes that are elsewhere now. Output: every claim of which the copies may
//! be others, or that all may be. Invariants: a claim that is not named has the same copies in both worlds (held by a
//! property that compares with a world made anew); a pod that comes or goes costs its own claims; objects of storage and
//! nodes cost a look at each claim. Deliberately absent: what the copies are (`discover`).

use std::collections::BTreeSet;
use std::sync::Arc;

use imbl::ordmap::DiffItem;

use super::discover::{Sight, class_name};
use crate::model::{ByName, Claim, ClaimKey, Fleet, Known, NodeName, RunningPods};

/// The claims to ask about again; `None` is all. `moved` are the nodes that came, went or are elsewhere.
#[must_use]
pub fn concerned(
    before: &Sight<'_>,
    after: &Sight<'_>,
    moved: &BTreeSet<NodeName>,
) -> Option<BTreeSet<ClaimKey>> {
    let are_judged_alike = before.data_sets.ptr_eq(after.data_sets)
        && before.roles == after.roles
        && before.zones == after.zones;
    if !are_judged_alike {
        return None;
    }
    let mut concerned = changed_storage(before.fleet, after.fleet, moved)?;
    // Whether a pod speaks for one of its claims depends on what the others name.
    let pods = |claim| after.running.map_or(&[][..], |running| running.holders(claim));
    let siblings = concerned.iter().flat_map(pods).flat_map(|pod| {
        pod.held.claims.iter().map(|claim| ClaimKey {
            namespace: pod.namespace.clone(),
            name: claim.clone(),
        })
    });
    let siblings: Vec<ClaimKey> = siblings.collect();
    concerned.extend(siblings);
    match (before.running, after.running) {
        (None, None) => {}
        (Some(before), Some(after)) => {
            concerned.extend(changed_keys(before.holders_by_claim(), after.holders_by_claim()));
            concerned.extend(held_on(after, moved));
        }
        _ => return None,
    }
    Some(concerned)
}

/// The claims that changed, or of which the volume, its class or its nodes did.
fn changed_storage(before: &Fleet, after: &Fleet, moved: &BTreeSet<NodeName>) -> Option<BTreeSet<ClaimKey>> {
    let mut concerned = changed(&before.claims, &after.claims)?;
    let volumes: BTreeSet<Arc<str>> = changed(&before.volumes, &after.volumes)?;
    let classes: BTreeSet<Arc<str>> = changed(&before.storage_classes, &after.storage_classes)?;
    let all = || after.claims.iter().flatten();
    if !volumes.is_empty() {
        let is_bound_to_one = |name: &Arc<str>| volumes.contains(name);
        let bound = all().filter(|(_, claim)| claim.volume.as_ref().is_some_and(is_bound_to_one));
        concerned.extend(bound.map(|(key, _)| key.clone()));
    }
    if !classes.is_empty() || !moved.is_empty() {
        let depends = |claim: &Claim| {
            let volume = after.volumes.as_ref()?.get(claim.volume.as_ref()?)?;
            let of_class = class_name(claim, volume).is_some_and(|class| classes.contains(class));
            let mut nodes = volume.spots.iter().filter_map(|spot| spot.node.as_ref());
            Some(of_class || nodes.any(|node| moved.contains(node)))
        };
        let depending = all().filter(|(_, claim)| depends(claim) == Some(true));
        concerned.extend(depending.map(|(key, _)| key.clone()));
    }
    Some(concerned)
}

/// The claims that pods on these nodes hold.
fn held_on(running: &RunningPods, moved: &BTreeSet<NodeName>) -> Vec<ClaimKey> {
    if moved.is_empty() {
        return Vec::new();
    }
    let held = running.holders_by_claim().iter();
    let on_moved = held.filter(|(_, pods)| pods.iter().any(|pod| moved.contains(&pod.node)));
    on_moved.map(|(claim, _)| claim.clone()).collect()
}

/// The names of which the objects differ; `None` where one side does not speak of that kind at all and the other does.
fn changed<K: Ord + Clone, V: PartialEq + Clone>(
    before: &Known<K, V>,
    after: &Known<K, V>,
) -> Option<BTreeSet<K>> {
    match (before, after) {
        (Some(before), Some(after)) => Some(changed_keys(before, after).collect()),
        (None, None) => Some(BTreeSet::new()),
        _ => None,
    }
}

/// The names of which the objects differ, in time that grows with what is not shared.
pub fn changed_keys<'a, K: Ord + Clone, V: PartialEq + Clone>(
    before: &'a ByName<K, V>,
    after: &'a ByName<K, V>,
) -> impl Iterator<Item = K> + 'a {
    before.diff(after).map(|change| match change {
        DiffItem::Add(key, _) | DiffItem::Remove(key, _) | DiffItem::Update { new: (key, _), .. } => {
            key.clone()
        }
    })
}
