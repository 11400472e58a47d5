//! Which replicas of a data set serve a read and a write: as its author states it, and what that means for
//! the replicas that there are.
//!
//! Invariants: a path is complete, since what is not stated follows from the consistency and the roles
//! ([`StatedAccess::paths`]); every quorum asks for one replica at least. A path may ask for more than the
//! replicas can give (no leader, too few voters): then nobody knows what such an access costs, and `lint`
//! tells. Deliberately absent: how long anything takes.

use std::num::NonZeroUsize;

use super::data_set::{Consistency, ReplicaRole};

/// What a data set says about its reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatedReads {
    /// Any readable replica.
    Nearest,
    /// The leader.
    Leader,
    /// So many voters that hold data; a majority of all voters where no number is stated.
    Quorum(Option<NonZeroUsize>),
}

/// What a data set says about its writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatedWrites {
    /// The leader, which commits with a majority of the voters.
    Leader,
    /// So many voters, without a leader; a majority of them where no number is stated.
    Quorum(Option<NonZeroUsize>),
}

/// What a data set says about its accesses; what it does not say follows from the rest of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatedAccess {
    /// Its reads.
    pub reads: Option<StatedReads>,
    /// Its writes.
    pub writes: Option<StatedWrites>,
}

/// Which replicas serve a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadPath {
    /// One readable replica.
    Nearest,
    /// A leader.
    Leader,
    /// So many voters that hold data.
    Quorum(NonZeroUsize),
}

/// Which replicas serve a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WritePath {
    /// A leader, which commits with a majority of the voters.
    Leader,
    /// So many voters.
    Quorum(NonZeroUsize),
}

/// Which replicas serve the accesses to a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessPaths {
    /// Its reads.
    pub reads: ReadPath,
    /// Its writes.
    pub writes: WritePath,
}

/// The least number of voters that is more than half of them.
#[must_use]
pub fn majority(voters: usize) -> NonZeroUsize {
    NonZeroUsize::MIN.saturating_add(voters / 2)
}

impl StatedAccess {
    /// What serves an access, given the replicas (docs/policies.md, 9). Unstated reads of a `strict` data set
    /// go to the leader, or to a quorum where there is none; of an `available` one to the nearest replica.
    /// Unstated writes go to the leader, or to a quorum where there is none.
    #[must_use]
    pub fn paths(self, consistency: Consistency, roles: impl Iterator<Item = ReplicaRole>) -> AccessPaths {
        let (mut has_leader, mut voters) = (false, 0);
        for role in roles {
            has_leader |= role == ReplicaRole::Leader;
            voters += usize::from(role.votes());
        }
        // Without voters nobody can take part in a quorum either.
        let leaderless = !has_leader && voters > 0;
        let reads = match (self.reads, consistency) {
            (Some(stated), _) => stated,
            (None, Consistency::Available) => StatedReads::Nearest,
            (None, Consistency::Strict) if leaderless => StatedReads::Quorum(None),
            (None, Consistency::Strict) => StatedReads::Leader,
        };
        let writes = match self.writes {
            Some(stated) => stated,
            None if leaderless => StatedWrites::Quorum(None),
            None => StatedWrites::Leader,
        };
        let needed = |stated: Option<NonZeroUsize>| stated.unwrap_or_else(|| majority(voters));
        AccessPaths {
            reads: match reads {
                StatedReads::Nearest => ReadPath::Nearest,
                StatedReads::Leader => ReadPath::Leader,
                StatedReads::Quorum(stated) => ReadPath::Quorum(needed(stated)),
            },
            writes: match writes {
                StatedWrites::Leader => WritePath::Leader,
                StatedWrites::Quorum(stated) => WritePath::Quorum(needed(stated)),
            },
        }
    }
}

impl ReadPath {
    /// How many replicas must answer.
    #[must_use]
    pub fn needed(self) -> usize {
        match self {
            Self::Nearest | Self::Leader => 1,
            Self::Quorum(needed) => needed.get(),
        }
    }

    /// Whether replicas of a role may answer.
    #[must_use]
    pub fn is_served_by(self, role: ReplicaRole) -> bool {
        match self {
            Self::Nearest => role.is_readable(),
            Self::Leader => role == ReplicaRole::Leader,
            Self::Quorum(_) => role.votes() && role.is_readable(),
        }
    }

    /// The word that files and reports use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::Leader => "leader",
            Self::Quorum(_) => "quorum",
        }
    }
}

impl WritePath {
    /// How many replicas must answer whoever writes.
    #[must_use]
    pub fn needed(self) -> usize {
        match self {
            Self::Leader => 1,
            Self::Quorum(needed) => needed.get(),
        }
    }

    /// Whether replicas of a role may answer whoever writes. Witnesses vote, so they count for a quorum.
    #[must_use]
    pub fn is_served_by(self, role: ReplicaRole) -> bool {
        match self {
            Self::Leader => role == ReplicaRole::Leader,
            Self::Quorum(_) => role.votes(),
        }
    }

    /// The word that files and reports use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Leader => "leader",
            Self::Quorum(_) => "quorum",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Consistency::{Available, Strict};
    use super::ReplicaRole::{Leader, ReadOnly, Voter, Witness};
    use super::*;

    fn check(consistency: Consistency, roles: &[ReplicaRole], reads: (&str, usize), writes: (&str, usize)) {
        let paths = StatedAccess::default().paths(consistency, roles.iter().copied());
        let found = (
            (paths.reads.word(), paths.reads.needed()),
            (paths.writes.word(), paths.writes.needed()),
        );
        assert_eq!(found, (reads, writes), "{consistency:?} {roles:?}");
    }

    /// The table of docs/policies.md.
    #[test]
    fn what_is_not_stated_follows_from_consistency_and_roles() {
        let led = [Leader, Voter, Voter, ReadOnly];
        let leaderless = [Voter, Voter, Witness, ReadOnly];
        check(Strict, &led, ("leader", 1), ("leader", 1));
        check(Strict, &leaderless, ("quorum", 2), ("quorum", 2));
        check(Strict, &[ReadOnly], ("leader", 1), ("leader", 1));
        check(Available, &led, ("nearest", 1), ("leader", 1));
        check(Available, &leaderless, ("nearest", 1), ("quorum", 2));
        check(Available, &[ReadOnly], ("nearest", 1), ("leader", 1));
        check(Available, &[Voter; 5], ("nearest", 1), ("quorum", 3));
    }

    #[test]
    fn what_is_stated_counts_and_its_quorum_is_a_majority_where_no_number_is() {
        let stated = StatedAccess {
            reads: Some(StatedReads::Quorum(NonZeroUsize::new(1))),
            writes: Some(StatedWrites::Quorum(None)),
        };
        let paths = stated.paths(Strict, [Leader, Voter, Voter, Voter].into_iter());
        assert_eq!((paths.reads.needed(), paths.writes.needed()), (1, 3));
        assert!(!paths.reads.is_served_by(Witness), "a witness holds no data");
        assert!(
            !paths.reads.is_served_by(ReadOnly),
            "a read-only copy has no vote"
        );
        assert!(paths.writes.is_served_by(Witness));
    }
}
