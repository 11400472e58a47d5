//! Data sets: named data with replicas at places.

use std::sync::Arc;

use super::access_path::{AccessPaths, StatedAccess};
use super::data::{Category, Classification, Dimension, Subject};
use super::locality::Locality;
use super::names::DataSetName;

/// What a replica does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplicaRole {
    /// Takes the writes; serves reads.
    Leader,
    /// Votes on writes and may become leader; serves reads.
    Voter,
    /// Serves reads.
    ReadOnly,
    /// Votes and holds no data: serves nothing.
    Witness,
}

impl ReplicaRole {
    /// The word that files use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Leader => "leader",
            Self::Voter => "voter",
            Self::ReadOnly => "read-only",
            Self::Witness => "witness",
        }
    }

    /// Whether reads can be served.
    #[must_use]
    pub fn is_readable(self) -> bool {
        self != Self::Witness
    }

    /// Whether it counts for a quorum.
    #[must_use]
    pub fn votes(self) -> bool {
        self != Self::ReadOnly
    }
}

/// What readers of a data set demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// Reads must see the latest write.
    Strict,
    /// Any readable replica will do.
    Available,
}

/// One copy of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// Where it is.
    pub locality: Locality,
    /// What it does.
    pub role: ReplicaRole,
}

/// A subject of a data set; unlike an annotation, it may name a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubjectTerm {
    /// No people.
    None,
    /// People of one place.
    Of(Subject),
    /// People of every member of a jurisdiction group.
    Group(Arc<str>),
}

/// What a data set says about itself. Every list has a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataProfile {
    /// How sensitive it is.
    pub classification: Classification,
    /// What it is about.
    pub categories: Vec<Dimension<Category>>,
    /// Whose it is.
    pub subjects: Vec<SubjectTerm>,
}

/// Named data with its replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSet {
    /// Its name.
    pub name: DataSetName,
    /// What it is.
    pub profile: DataProfile,
    /// What its readers demand.
    pub consistency: Consistency,
    /// What it says about which copies serve an access.
    pub access: StatedAccess,
    /// Its copies.
    pub replicas: Vec<Replica>,
    /// Who answers for it.
    pub owner: Option<String>,
}

impl DataSet {
    /// Which of its replicas serve an access.
    #[must_use]
    pub fn paths(&self) -> AccessPaths {
        let roles = self.replicas.iter().map(|replica| replica.role);
        self.access.paths(self.consistency, roles)
    }
}
