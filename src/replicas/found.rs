//! The copies that were found, by data set, kept so that a claim that changes costs itself.
//!
//! Inputs: for a claim the copies that its volume is. Outputs: for a data set its copies in the order of their claims.
//! Invariants: what is found depends on the last word on each claim alone, never on the order of words; a copy of the
//! whole costs nothing. Deliberately absent: how a claim is judged (`discover`), and which claims to ask about (`changes`).

use std::collections::BTreeSet;
use std::sync::Arc;

use imbl::OrdSet;

use super::discover::Discovered;
use crate::model::{ByName, ClaimKey, CopyHealth, DataSetName, Locality, ReplicaRole};

/// More copies than this of one data set are told apart by place, role, health and belief alone.
const MOST_COPIES: usize = 100;

/// Every copy that was found.
#[derive(Debug, Clone, Default)]
pub struct FoundCopies {
    by_claim: ByName<ClaimKey, CopiesOfClaim>,
    by_data_set: ByName<DataSetName, CopiesOfOne>,
}

/// The copies that the volume of a claim is, by data set.
type CopiesOfClaim = Arc<[(DataSetName, Arc<Discovered>)]>;

/// The copies of one data set.
#[derive(Debug, Clone, Default)]
struct CopiesOfOne {
    copies: ByName<CopyKey, Arc<Discovered>>,
    kinds: ByName<Kind, OrdSet<CopyKey>>,
}

/// Which copy: the claim, and the how manieth of it, for a volume that can be used from several regions.
type CopyKey = (ClaimKey, usize);

/// Of very many copies one of each kind is as near as all of them.
type Kind = (Locality, Option<ReplicaRole>, CopyHealth, bool);

impl FoundCopies {
    /// Takes the word on a claim, and gives the data sets of which the copies are others now.
    pub fn replace(
        &mut self,
        claim: &ClaimKey,
        copies: Vec<(DataSetName, Discovered)>,
    ) -> BTreeSet<DataSetName> {
        let copies: CopiesOfClaim = (copies.into_iter().map(|(name, copy)| (name, Arc::new(copy)))).collect();
        let before = self.by_claim.get(claim).cloned().unwrap_or_default();
        if before == copies {
            return BTreeSet::new();
        }
        for (number, (name, copy)) in before.iter().enumerate() {
            if let Some(of_one) = self.by_data_set.get_mut(name) {
                of_one.remove(&(claim.clone(), number), copy);
                if of_one.copies.is_empty() {
                    self.by_data_set.remove(name);
                }
            }
        }
        for (number, (name, copy)) in copies.iter().enumerate() {
            let of_one = self.by_data_set.entry(name.clone()).or_default();
            of_one.insert((claim.clone(), number), copy);
        }
        let names = before.iter().chain(&*copies).map(|(name, _)| name.clone());
        let changed = names.collect();
        match copies.is_empty() {
            true => drop(self.by_claim.remove(claim)),
            false => drop(self.by_claim.insert(claim.clone(), copies)),
        }
        changed
    }

    /// The claims that are any copy.
    pub fn claims(&self) -> impl Iterator<Item = &ClaimKey> {
        self.by_claim.keys()
    }

    /// The data sets of which any copy was found.
    pub fn data_sets(&self) -> impl Iterator<Item = &DataSetName> {
        self.by_data_set.keys()
    }

    /// The copies of a data set, in the order of their claims; of very many one of each kind.
    #[must_use]
    pub fn of(&self, name: &DataSetName) -> Vec<Arc<Discovered>> {
        let Some(of_one) = self.by_data_set.get(name) else {
            return Vec::new();
        };
        if of_one.copies.len() <= MOST_COPIES {
            return of_one.copies.values().cloned().collect();
        }
        let first: BTreeSet<&CopyKey> = of_one.kinds.values().filter_map(OrdSet::get_min).collect();
        first
            .into_iter()
            .filter_map(|key| of_one.copies.get(key))
            .cloned()
            .collect()
    }
}

impl CopiesOfOne {
    fn insert(&mut self, key: CopyKey, copy: &Arc<Discovered>) {
        self.kinds.entry(kind(copy)).or_default().insert(key.clone());
        self.copies.insert(key, Arc::clone(copy));
    }

    fn remove(&mut self, key: &CopyKey, copy: &Discovered) {
        self.copies.remove(key);
        let kind = kind(copy);
        if let Some(of_kind) = self.kinds.get_mut(&kind) {
            of_kind.remove(key);
            if of_kind.is_empty() {
                self.kinds.remove(&kind);
            }
        }
    }
}

fn kind(copy: &Discovered) -> Kind {
    (
        copy.locality.clone(),
        copy.role,
        copy.copy.health,
        copy.copy.is_believed,
    )
}
