//! Which roles so many copies of a data set have.
//!
//! Inputs: the data set, a number of copies. Output: a role for each, leaders first. Invariant: for as many
//! copies as are declared these are the declared roles; with fewer the last are left out (leaders, voters and
//! read-only copies stay in this order), with more they are of the kind that is there beside the leader.

use crate::model::{Consistency, DataSet, ReplicaRole};

/// How many copies are thought of where none is declared.
const UNDECLARED_COPIES: usize = 3;

/// The declared number of copies; of a data set that declares none, three.
#[must_use]
pub fn declared_copies(data_set: &DataSet) -> usize {
    match data_set.replicas.len() {
        0 => UNDECLARED_COPIES,
        declared => declared,
    }
}

/// The roles of so many copies.
#[must_use]
pub fn roles_of(data_set: &DataSet, copies: usize) -> Vec<ReplicaRole> {
    let mut roles: Vec<ReplicaRole> = data_set.replicas.iter().map(|replica| replica.role).collect();
    if roles.is_empty() {
        roles.push(ReplicaRole::Leader);
    }
    roles.sort();
    let has_read_only = roles.contains(&ReplicaRole::ReadOnly);
    let more = match data_set.consistency {
        _ if roles.contains(&ReplicaRole::Voter) => ReplicaRole::Voter,
        Consistency::Strict if !has_read_only => ReplicaRole::Voter,
        Consistency::Strict | Consistency::Available => ReplicaRole::ReadOnly,
    };
    roles.resize(copies.max(roles.len()), more);
    roles.truncate(copies);
    roles.sort();
    roles
}
