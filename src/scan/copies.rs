//! Copies of data sets that are where the policies refuse a new one, and those that a policy wants and nobody made.
//!
//! Inputs: a snapshot with the replicas that are declared or were found, an instant. Outputs: findings, in the order of
//! data sets and of their replicas. Invariants: judged as a new copy would be (`advice` judges by the same rules), so
//! that a place of which nothing is known is refused; a data set without any replica is wanted nowhere. A copy that was
//! found is told with its claim, whoever says that it is one: only whom rules believe makes up for one that is wanted.
//! Deliberately absent: exceptions, which are for pods of one namespace.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::FindingKind;
use crate::model::{ClaimKey, DataSetName, FoundCopy, Locality, NodeName, Replica, ReplicaRole};
use crate::placement::advice::{CopyRules, Standing};
use crate::policy::{Cause, Demand};
use crate::snapshot::Snapshot;

/// Something that is wrong with a copy, or with a copy that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyFinding {
    /// [`FindingKind::StrayCopy`] or [`FindingKind::MissingCopy`].
    pub kind: FindingKind,
    /// Of which data set.
    pub data_set: DataSetName,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The copy; `None` where it is missing.
    pub copy: Option<(ReplicaRole, Locality)>,
    /// By which objects it was found; `None` where it is only declared.
    pub found: Option<FoundAs>,
    /// A sentence about it.
    pub says: String,
    /// What to do.
    pub fix: &'static str,
}

/// The objects by which a copy was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundAs {
    /// The claim.
    pub claim: ClaimKey,
    /// Its volume.
    pub volume: Arc<str>,
    /// The only node from which the volume can be used, of a local one.
    pub node: Option<NodeName>,
}

impl From<&Arc<FoundCopy>> for FoundAs {
    fn from(found: &Arc<FoundCopy>) -> Self {
        Self {
            claim: found.claim.clone(),
            volume: found.volume.clone(),
            node: found.node.clone(),
        }
    }
}

/// What to do about a copy that is declared.
const MEND_DECLARED: &str = "move the copy to where a new one is permitted (`domicile advise`), and delete this one; or correct \
                             the data set if there is none";

/// What to do about a copy that was found and that nobody declared.
const MEND_FOUND: &str = "move the data to where a copy is permitted (`domicile advise`), and delete the claim with its volume; \
                          or take the name of the data set off the object that names it, if it holds none of it";

/// Judges every copy of every data set.
#[must_use]
pub fn scan_copies(snapshot: &Snapshot, now: Timestamp) -> Vec<CopyFinding> {
    let policies = snapshot.policies();
    let mut findings = Vec::new();
    for placed in snapshot.replicas().iter() {
        let data_set = &placed.data_set;
        let Some(rules) = CopyRules::new(policies, snapshot.facts(), &data_set.name, now) else {
            continue;
        };
        let in_words = |causes: &[Cause]| {
            let words: Vec<String> = causes
                .iter()
                .map(|cause| policies.cause_in_words(*cause))
                .collect();
            words.join("; ")
        };
        let finding = |kind, replica: Option<&Replica>, says, fix| CopyFinding {
            kind,
            data_set: data_set.name.clone(),
            owner: data_set.owner.clone(),
            copy: replica.map(|replica| (replica.role, replica.locality.clone())),
            found: replica
                .and_then(|replica| replica.found.as_ref())
                .map(FoundAs::from),
            says,
            fix,
        };
        let mut standings = Vec::new();
        for replica in &data_set.replicas {
            let standing = rules.at(policies.catalogue().place(&replica.locality));
            let refusing = standing.refusing(replica.role);
            if !refusing.is_empty() {
                let is_declared = replica.found.as_ref().is_none_or(|found| found.is_declared);
                let fix = if is_declared { MEND_DECLARED } else { MEND_FOUND };
                let says = in_words(&refusing);
                findings.push(finding(FindingKind::StrayCopy, Some(replica), says, fix));
            }
            if replica.role.is_readable() && replica.counts_for_rules() {
                standings.push(standing);
            }
        }
        let missing: Vec<Cause> = unmet_by_all(&standings)
            .into_iter()
            .filter(|cause| wants_a_copy(snapshot, *cause))
            .collect();
        if !missing.is_empty() {
            findings.push(finding(
                FindingKind::MissingCopy,
                None,
                in_words(&missing),
                "make a copy where the policy wants one (`domicile advise`)",
            ));
        }
    }
    findings
}

/// The rules that no copy satisfies.
fn unmet_by_all(standings: &[Standing]) -> BTreeSet<Cause> {
    let mut unmet = standings
        .iter()
        .map(|standing| standing.unmet.iter().copied().collect::<BTreeSet<_>>());
    let first = unmet.next().unwrap_or_default();
    unmet.fold(first, |left, next| left.intersection(&next).copied().collect())
}

fn wants_a_copy(snapshot: &Snapshot, cause: Cause) -> bool {
    let Cause::Rule(rule) = cause else { return false };
    let rule = snapshot.policies().definitions().rule(rule);
    rule.is_some_and(|rule| matches!(rule.demand, Demand::ReplicaMustExistIn(_)))
}
