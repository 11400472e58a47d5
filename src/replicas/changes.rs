//! Which claims are to be asked about again when the world changed.
//!
//! Inputs: the world before and after, and the nodes that are elsewhere now. Output: every claim of which the copies may
//! be others, or that all may be. Invariants: a claim that is not named has the same copies in both worlds (held by a
//! property that compares with a world made anew); a pod, claim or volume that comes or goes costs itself; storage classes
//! and nodes cost a look at each claim. Deliberately absent: what the copies are (`discover`).

use std::collections::BTreeSet;
use std::sync::Arc;

use imbl::ordmap::DiffItem;

use super::discover::{Sight, class_name};
use crate::model::{ByName, Claim, ClaimKey, Fleet, Known, NodeName, RunningPods};

/// The claims that name each volume: one as a rule.
#[derive(Debug, Clone, Default)]
pub struct BoundClaims(ByName<Arc<str>, Vec<ClaimKey>>);

impl BoundClaims {
    /// Gathers those of a fleet.
    #[must_use]
    pub fn gather(fleet: &Fleet) -> Self {
        let mut bound = Self::default();
        for (key, claim) in fleet.claims.iter().flatten() {
            bound.add(key, claim);
        }
        bound
    }

    /// Makes those of one fleet the ones of the next.
    pub fn follow(&mut self, before: &Fleet, after: &Fleet) {
        let (Some(before), Some(there)) = (&before.claims, &after.claims) else {
            *self = Self::gather(after);
            return;
        };
        for change in before.diff(there) {
            match change {
                DiffItem::Add(key, claim) => self.add(key, claim),
                DiffItem::Remove(key, claim) => self.remove(key, claim),
                DiffItem::Update {
                    old,
                    new: (key, claim),
                } => {
                    self.remove(key, old.1);
                    self.add(key, claim);
                }
            }
        }
    }

    fn add(&mut self, key: &ClaimKey, claim: &Claim) {
        if let Some(volume) = &claim.volume {
            self.0.entry(volume.clone()).or_default().push(key.clone());
        }
    }

    fn remove(&mut self, key: &ClaimKey, claim: &Claim) {
        let Some(volume) = &claim.volume else { return };
        if let Some(claims) = self.0.get_mut(volume) {
            claims.retain(|other| other != key);
            if claims.is_empty() {
                self.0.remove(volume);
            }
        }
    }

    fn of(&self, volume: &str) -> impl Iterator<Item = &ClaimKey> {
        self.0.get(volume).into_iter().flatten()
    }
}

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
    let mut concerned = changed_storage(before.fleet, after, moved)?;
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
fn changed_storage(
    before: &Fleet,
    after: &Sight<'_>,
    moved: &BTreeSet<NodeName>,
) -> Option<BTreeSet<ClaimKey>> {
    let (bound_now, after) = (after.bound, after.fleet);
    let mut concerned = changed(&before.claims, &after.claims)?;
    let volumes: BTreeSet<Arc<str>> = changed(&before.volumes, &after.volumes)?;
    let classes: BTreeSet<Arc<str>> = changed(&before.storage_classes, &after.storage_classes)?;
    let all = || after.claims.iter().flatten();
    let bound = volumes.iter().flat_map(|volume| bound_now.of(volume));
    concerned.extend(bound.cloned());
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
