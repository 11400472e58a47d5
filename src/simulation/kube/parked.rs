//! Pods that were turned away and wait for an event: alone, or in crowds whose members are turned away alike.
//!
//! Inputs: who turned a pod away, and which refusal it was. Outputs: the pods whom an event could help. Invariants: the members
//! of a crowd had one refusal in common when they joined; being turned away again together is counted once for the
//! crowd, and each member learns of it when it leaves. So a cluster that is full costs a step for each kind of pods that
//! wait, and not for each pod. Deliberately absent: when a pod is tried again.

use std::collections::{BTreeMap, BTreeSet};

use super::PodIndex;
use super::causes::Rejector;

/// Tells a refusal that was found from every other: pods of equal ones were told the same of the same nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alike(pub u64);

/// What pods that wait together have in common: who turned them away, a bit for each, and whether it was alike.
pub(super) type Ground = (u8, Option<Alike>);

/// Pods that wait on one ground.
#[derive(Debug, Clone, Default)]
pub(super) struct Crowd {
    pub pods: BTreeSet<PodIndex>,
    /// How often all of them were turned away again.
    repeats: u64,
    /// When that was last.
    repeated_ms: u64,
    /// When the last pod came.
    joined_ms: u64,
    pub is_woken: bool,
}

/// Every pod that waits for an event.
#[derive(Debug, Clone, Default)]
pub(super) struct Parked {
    crowds: BTreeMap<Ground, Crowd>,
    woken: Vec<Ground>,
}

/// What became of a pod since it joined a crowd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Since {
    /// How often it was turned away again.
    pub repeats: u64,
    /// When that was last.
    pub repeated_ms: u64,
}

impl Parked {
    /// A pod comes: the number of repeats that it missed. Who comes to a crowd that was woken was tried for that already.
    pub fn join(&mut self, ground: Ground, pod: PodIndex, now_ms: u64) -> u64 {
        let crowd = self.crowds.entry(ground).or_default();
        crowd.pods.insert(pod);
        crowd.joined_ms = now_ms;
        crowd.repeats + u64::from(crowd.is_woken)
    }

    /// A pod goes.
    pub fn leave(&mut self, ground: Ground, pod: PodIndex) {
        let Some(crowd) = self.crowds.get_mut(&ground) else {
            return;
        };
        crowd.pods.remove(&pod);
        if crowd.pods.is_empty() {
            self.crowds.remove(&ground);
        }
    }

    /// What became of a pod that missed the first repeats of its crowd; `None` where nothing did.
    pub fn since(&self, ground: Ground, missed: u64) -> Option<Since> {
        self.crowds.get(&ground)?.since(missed)
    }

    /// Something happened: the pods outside of crowds that it could help. Crowds that it could help are remembered.
    pub fn wake(
        &mut self,
        helps: impl Fn(Rejector) -> bool,
        mut could_help: impl FnMut(PodIndex, Rejector) -> bool,
    ) -> Vec<PodIndex> {
        let mut woken = Vec::new();
        let helped = Rejector::ALL.into_iter().filter(|rejector| helps(*rejector));
        let helped = helped.fold(0, |bits, rejector| bits | bit(rejector));
        for (ground, crowd) in &mut self.crowds {
            if crowd.is_woken || ground.0 & helped == 0 {
                continue;
            }
            let asked = |rejector: &Rejector| ground.0 & helped & bit(*rejector) != 0;
            let mut is_helped = |pod: &&PodIndex| {
                let mut asked = Rejector::ALL.into_iter().filter(asked);
                asked.any(|one| could_help(**pod, one))
            };
            if ground.1.is_none() {
                woken.extend(crowd.pods.iter().filter(is_helped).copied());
            } else if crowd.pods.first().as_ref().is_some_and(&mut is_helped) {
                // What the plugins look at is the same for all of them.
                crowd.is_woken = true;
                self.woken.push(*ground);
            }
        }
        woken
    }

    /// The crowds that were woken, each with one of its pods; whoever takes them settles each.
    pub fn take_woken(&mut self) -> Vec<(Ground, PodIndex)> {
        let woken = std::mem::take(&mut self.woken);
        let first = |ground: Ground| {
            let crowd = self.crowds.get(&ground).filter(|crowd| crowd.is_woken)?;
            Some((ground, *crowd.pods.first()?))
        };
        woken.into_iter().filter_map(first).collect()
    }

    /// All pods of a crowd were tried and turned away again: how many.
    pub fn repeat(&mut self, ground: Ground, now_ms: u64) -> usize {
        let Some(crowd) = self.crowds.get_mut(&ground) else {
            return 0;
        };
        crowd.is_woken = false;
        crowd.repeats += 1;
        crowd.repeated_ms = now_ms;
        crowd.pods.len()
    }

    /// All that wait, by what they have in common.
    pub fn crowds(&self) -> impl Iterator<Item = (Ground, &Crowd)> {
        self.crowds.iter().map(|(ground, crowd)| (*ground, crowd))
    }

    /// A crowd is none any more: its pods are tried one by one.
    pub fn disperse(&mut self, ground: Ground) -> Option<Crowd> {
        self.crowds.remove(&ground)
    }
}

impl Crowd {
    /// When the last of its pods was turned away.
    pub fn last_refused_ms(&self) -> u64 {
        self.repeated_ms.max(self.joined_ms)
    }

    /// What became of a pod that missed the first repeats; `None` where nothing did.
    pub fn since(&self, missed: u64) -> Option<Since> {
        let repeats = self.repeats.checked_sub(missed).filter(|repeats| *repeats > 0)?;
        Some(Since {
            repeats,
            repeated_ms: self.repeated_ms,
        })
    }
}

/// The bit of a plugin.
pub(super) fn bit(rejector: Rejector) -> u8 {
    1 << rejector as u8
}
