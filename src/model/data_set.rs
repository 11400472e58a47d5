//! Data sets: named data with replicas at places.

use std::sync::Arc;

use super::access_path::{AccessPaths, StatedAccess};
use super::data::{Category, Classification, Dimension, Subject};
use super::fleet::{ByName, ClaimKey};
use super::locality::Locality;
use super::names::{DataSetName, NamespaceName, NodeName};

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
    /// What was found of it in the cluster; `None` where it is only declared.
    pub found: Option<Arc<FoundCopy>>,
}

impl Replica {
    /// A copy of which somebody only says that it is there.
    #[must_use]
    pub fn declared(locality: Locality, role: ReplicaRole) -> Self {
        Self {
            locality,
            role,
            found: None,
        }
    }

    /// Whether rules look at it: it is declared, or who says that it is there is believed.
    #[must_use]
    pub fn counts_for_rules(&self) -> bool {
        self.found
            .as_ref()
            .is_none_or(|found| found.is_declared || found.is_believed)
    }

    /// Whether it can answer at present, as far as anybody knows.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.found
            .as_ref()
            .is_none_or(|found| found.health == CopyHealth::Ready)
    }
}

/// Whether a copy that was found can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CopyHealth {
    /// A pod that holds it is ready, or nobody says which pods run.
    Ready,
    /// Pods hold it, and none of them is ready.
    Unready,
    /// No pod that runs holds it.
    Unheld,
}

impl CopyHealth {
    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Unready => "not-ready",
            Self::Unheld => "unheld",
        }
    }
}

/// What was found of a copy in the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCopy {
    /// The claim that is bound to its volume.
    pub claim: ClaimKey,
    /// Its volume.
    pub volume: Arc<str>,
    /// The only node from which the volume can be used, of a local volume.
    pub node: Option<NodeName>,
    /// The name of the pod that holds it; of several the first.
    pub pod: Option<Arc<str>>,
    /// The UIDs of the pods that hold it.
    pub held_by: Vec<Arc<str>>,
    /// The name of the StatefulSet of that pod.
    pub stateful_set: Option<Arc<str>>,
    /// The number of that pod among those of its controller.
    pub ordinal: Option<u32>,
    /// Whether it can answer.
    pub health: CopyHealth,
    /// Whether a copy at its place is declared too.
    pub is_declared: bool,
    /// Whether who names the data set is believed by rules: whoever answers for volumes and classes, and the namespaces
    /// that the data set names.
    pub is_believed: bool,
}

/// Whose claims and pods may hold copies of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Members {
    /// The namespaces, which rules then believe; `None` is any namespace, none of which rules believe.
    pub namespaces: Option<Vec<NamespaceName>>,
}

impl Members {
    /// Whether a namespace may hold copies.
    #[must_use]
    pub fn admit(&self, namespace: &NamespaceName) -> bool {
        self.namespaces
            .as_ref()
            .is_none_or(|named| named.contains(namespace))
    }

    /// Whether rules believe what a namespace says of copies.
    #[must_use]
    pub fn are_believed(&self, namespace: &NamespaceName) -> bool {
        self.namespaces
            .as_ref()
            .is_some_and(|named| named.contains(namespace))
    }
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
    /// Whose claims and pods may hold others.
    pub members: Members,
    /// Who answers for it.
    pub owner: Option<String>,
}

/// Every data set, by name. A copy costs nothing, and what did not change is shared.
pub type DataSets = ByName<DataSetName, Arc<DataSet>>;

impl DataSet {
    /// Which of its replicas serve an access.
    #[must_use]
    pub fn paths(&self) -> AccessPaths {
        let roles = self.replicas.iter().map(|replica| replica.role);
        self.access.paths(self.consistency, roles)
    }
}
