//! Whether evicting pods would take the last permitted copy of a data set away.
//!
//! Inputs: a snapshot, the UIDs of pods that would be evicted together, an instant. Output: the data sets that would be
//! left without a copy that can be read, may be where it is by the policies, and is ready. A copy goes where every pod that
//! holds it goes; a copy that is only declared stays, for somebody answers for it.
//!
//! Invariants: where a copy may be is what the evaluator says of a pod that is one (`advice/standing.rs`); a data set that
//! has no permitted copy to lose is not protected; what claims and pods say of copies protects their own, and counts as
//! what remains only beside such. Deliberately absent: disruption budgets, which kube-scheduler knows.

use std::borrow::Cow;

use jiff::Timestamp;

use super::advice::CopyRules;
use crate::model::{DataSetName, FoundCopy, Replica};
use crate::snapshot::Snapshot;

/// The data sets whose last permitted copy these pods hold, in the order of names.
#[must_use]
pub fn last_copies_held(snapshot: &Snapshot, uids: &[Cow<'_, str>], now: Timestamp) -> Vec<DataSetName> {
    let goes = |found: &FoundCopy| {
        let is_victim = |uid: &std::sync::Arc<str>| uids.iter().any(|victim| **victim == **uid);
        !found.held_by.is_empty() && found.held_by.iter().all(is_victim)
    };
    let all_go = |replica: &Replica| replica.found.as_deref().is_some_and(goes);
    let protected = snapshot.replicas().iter().filter_map(|placed| {
        let (name, replicas) = (&placed.data_set.name, &placed.data_set.replicas);
        if !replicas.iter().any(all_go) {
            return None;
        }
        let policies = snapshot.policies();
        let rules = CopyRules::new(policies, snapshot.facts(), name, now)?;
        let is_permitted = |replica: &Replica| {
            let place = policies.catalogue().place(&replica.locality);
            replica.role.is_readable() && rules.at(place).permits()
        };
        let mut lost = replicas
            .iter()
            .filter(|replica| all_go(replica) && is_permitted(replica))
            .peekable();
        lost.peek()?;
        let lost: Vec<&Replica> = lost.collect();
        let remains = replicas.iter().any(|replica| {
            !all_go(replica) && replica.is_ready() && is_permitted(replica) && counts_beside(replica, &lost)
        });
        (!remains).then(|| name.clone())
    });
    protected.collect()
}

/// Whether a copy counts as what remains beside those that go.
fn counts_beside(remaining: &Replica, lost: &[&Replica]) -> bool {
    let namespace = |replica: &Replica| replica.found.as_ref().map(|found| found.claim.namespace.clone());
    remaining.counts_for_rules() || lost.iter().all(|lost| namespace(lost) == namespace(remaining))
}
