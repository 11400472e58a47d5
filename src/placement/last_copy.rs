//! Whether evicting pods would take the last permitted copy of a data set away.
//!
//! Inputs: a snapshot, an instant, the UIDs of pods that would be evicted together. Output: the data sets that would be
//! left without a copy that can be read, may be where it is by the policies, and is ready. A copy goes where every pod that
//! holds it goes; a copy that is only declared stays, for somebody answers for it.
//!
//! Invariants: where a copy may be is what the evaluator says of a pod that is one (`advice/standing.rs`); a data set that
//! has no permitted copy to lose is not protected; what claims and pods say of copies protects their own, and counts as
//! what remains only beside such of the same namespace, so that nobody takes the protection of others away by a claim.
//! Only data sets of which a pod holds a copy are looked at, each once. Deliberately absent: disruption budgets, which
//! kube-scheduler knows; the volumes, which stay where they are when a pod goes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::advice::CopyRules;
use crate::model::{DataSetName, FoundCopy, NamespaceName, Replica};
use crate::replicas::PlacedDataSet;
use crate::snapshot::Snapshot;

/// The copies that pods of one snapshot hold, asked about at one instant.
#[derive(Debug)]
pub struct LastCopies<'s> {
    snapshot: &'s Snapshot,
    now: Timestamp,
    /// The UID of each pod with a data set of which it holds a copy, in the order of UIDs.
    held: Vec<(&'s str, &'s PlacedDataSet)>,
    /// For each data set that was asked about which of its copies may be where they are.
    permitted: BTreeMap<&'s DataSetName, Vec<bool>>,
}

impl<'s> LastCopies<'s> {
    /// Gathers who holds what, in time that grows with the copies.
    #[must_use]
    pub fn new(snapshot: &'s Snapshot, now: Timestamp) -> Self {
        let mut held: Vec<(&str, &PlacedDataSet)> = Vec::new();
        for placed in snapshot.replicas().iter() {
            let found = placed.data_set.replicas.iter();
            let holders = found
                .filter_map(|replica| replica.found.as_deref())
                .flat_map(|found| &found.held_by);
            // A pod without a UID is in no cluster, and nobody can name it.
            let named = holders.filter(|uid| !uid.is_empty());
            held.extend(named.map(|uid| (&**uid, placed)));
        }
        held.sort_by_key(|(uid, placed)| (*uid, &placed.data_set.name));
        Self {
            snapshot,
            now,
            held,
            permitted: BTreeMap::new(),
        }
    }

    /// The data sets whose last permitted copy goes with these pods, in the order of names.
    pub fn lost_with(&mut self, uids: &[&str]) -> Vec<DataSetName> {
        let mut touched: BTreeMap<&DataSetName, &'s PlacedDataSet> = BTreeMap::new();
        for uid in uids {
            let from = self.held.partition_point(|(held_by, _)| held_by < uid);
            let of_pod = self.held.iter().skip(from);
            let of_pod = of_pod.take_while(|(held_by, _)| held_by == uid);
            touched.extend(of_pod.map(|(_, placed)| (&placed.data_set.name, *placed)));
        }
        if touched.is_empty() {
            return Vec::new();
        }
        let uids: BTreeSet<&str> = uids.iter().copied().collect();
        let touched = touched.into_values();
        let lost = touched.filter(|placed| self.is_lost(placed, &uids));
        lost.map(|placed| placed.data_set.name.clone()).collect()
    }

    fn is_lost(&mut self, placed: &'s PlacedDataSet, uids: &BTreeSet<&str>) -> bool {
        let replicas = &placed.data_set.replicas;
        let permitted = self.permitted(placed);
        let goes = |replica: &Replica| {
            let found = replica.found.as_deref();
            found.is_some_and(|found| is_held_by_them(found, uids))
        };
        let permitted = || {
            replicas
                .iter()
                .zip(permitted)
                .filter(|(_, permitted)| **permitted)
        };
        let lost: Vec<&Replica> = permitted()
            .map(|(replica, _)| replica)
            .filter(|replica| goes(replica))
            .collect();
        let remains =
            |replica: &Replica| !goes(replica) && replica.is_ready() && counts_beside(replica, &lost);
        !lost.is_empty() && !permitted().any(|(replica, _)| remains(replica))
    }

    /// Which copies can be read and may be where they are.
    fn permitted(&mut self, placed: &'s PlacedDataSet) -> &[bool] {
        let (snapshot, now) = (self.snapshot, self.now);
        self.permitted.entry(&placed.data_set.name).or_insert_with(|| {
            let (policies, data_set) = (snapshot.policies(), &placed.data_set);
            let rules = CopyRules::new(policies, snapshot.facts(), &data_set.name, now);
            let is_permitted = |replica: &Replica| {
                let place = policies.catalogue().place(&replica.locality);
                let rules = rules.as_ref();
                replica.role.is_readable() && rules.is_some_and(|rules| rules.at(place).permits())
            };
            data_set.replicas.iter().map(is_permitted).collect()
        })
    }
}

/// Whether every pod that holds a copy is one of these.
fn is_held_by_them(found: &FoundCopy, uids: &BTreeSet<&str>) -> bool {
    let is_one = |uid: &Arc<str>| !uid.is_empty() && uids.contains(&**uid);
    !found.held_by.is_empty() && found.held_by.iter().all(is_one)
}

/// Whether a copy counts as what remains beside those that go.
fn counts_beside(remaining: &Replica, lost: &[&Replica]) -> bool {
    fn namespace(replica: &Replica) -> Option<&NamespaceName> {
        Some(&replica.found.as_deref()?.claim.namespace)
    }
    let is_beside = |lost: &&Replica| namespace(lost) == namespace(remaining);
    remaining.counts_for_rules() || lost.iter().all(is_beside)
}
