//! Where the policies let a copy of a data set stand, and where its leader.
//!
//! Inputs: the facts, a data set, an instant. Output: for each place what refuses a copy, what refuses a leader,
//! and which rules ask for a copy elsewhere. Every verdict is one of [`evaluate`], asked about a pod that is a new
//! copy: it carries the data of the data set and nothing else, processes, stores and replicates it, its node's
//! region is confirmed, and the data set has one copy, at that place, which is its leader. So rules on reads, writes
//! and copies answer for a place by itself, and a set of places is judged by the answers for its members.
//!
//! Invariants: what is unknown refuses, as everywhere; only enforced rules refuse, and whether the settings
//! only observe is not considered. Data that some rule permits to be processed and stored, while no rule speaks of
//! replicating it, is not refused for that: `activities` leaves it out unless it is written. Deliberately absent:
//! exceptions, which are for pods of one namespace; rules that select by namespace or storage class.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::way_rules::WayRules;
use crate::model::{DataSetName, ReplicaRole};
use crate::policy::{
    Activity, ActivitySet, Cause, Demand, Facts, Mode, PlaceIndex, PolicySet, Profile, UsedDataSet, Verdict,
    evaluate, reader_of,
};

/// What the policies make of one place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// What refuses a copy there, in the order of causes.
    pub refused_by: Vec<Cause>,
    /// What refuses a leader there beyond that.
    pub leader_refused_by: Vec<Cause>,
    /// Rules that a copy there does not satisfy, and one elsewhere may.
    pub unmet: Vec<Cause>,
}

impl Standing {
    /// Whether a copy may be there.
    #[must_use]
    pub fn permits(&self) -> bool {
        self.refused_by.is_empty()
    }

    /// Whether a leader may be there.
    #[must_use]
    pub fn permits_leader(&self) -> bool {
        self.permits() && self.leader_refused_by.is_empty()
    }

    /// What refuses a copy of a role there, in the order of causes.
    #[must_use]
    pub fn refusing(&self, role: ReplicaRole) -> Vec<Cause> {
        let mut causes = self.refused_by.clone();
        if role == ReplicaRole::Leader {
            causes.extend(&self.leader_refused_by);
            causes.sort();
        }
        causes
    }
}

/// The rules of a set on the copies of one data set.
#[derive(Debug)]
pub struct CopyRules<'s> {
    set: &'s PolicySet,
    name: DataSetName,
    profile: Profile,
    now: Timestamp,
    /// Whether processing and storing is covered, and replicating is not.
    pub replicating_is_uncovered: bool,
    /// The rules on transit that bind every pod that reads it.
    pub ways_of_readers: WayRules,
    /// The rules on transit that bind a copy of it.
    pub ways_of_copies: WayRules,
}

impl<'s> CopyRules<'s> {
    /// The rules on a data set; `None` where it is not declared.
    #[must_use]
    pub fn new(set: &'s PolicySet, facts: Facts<'_>, name: &DataSetName, now: Timestamp) -> Option<Self> {
        let profile = reader_of(facts, name, now)?;
        let kept = ActivitySet::default()
            .with(Activity::Process)
            .with(Activity::Store);
        let judged = |performs: ActivitySet| {
            let profile = Profile {
                performs,
                ..profile.clone()
            };
            (evaluate(set, &profile, now), profile)
        };
        let is_uncovered = |verdict: &Verdict| {
            let mut restrictions = verdict.restrictions.iter();
            restrictions.any(|restriction| restriction.cause == Cause::Uncovered)
        };
        let (of_reader, reader) = judged(profile.performs);
        let (of_kept, _) = judged(kept);
        let (of_copied, copy) = judged(kept.with(Activity::Replicate));
        Some(Self {
            ways_of_readers: WayRules::of(&of_reader, &reader, name),
            ways_of_copies: WayRules::of(&of_copied, &copy, name),
            replicating_is_uncovered: is_uncovered(&of_copied) && !is_uncovered(&of_kept),
            set,
            name: name.clone(),
            profile: copy,
            now,
        })
    }

    /// What the policies make of a place.
    #[must_use]
    pub fn at(&self, place: PlaceIndex) -> Standing {
        let only_copy = UsedDataSet {
            name: self.name.clone(),
            may_read: true,
            may_write: true,
            leaders: vec![place],
            readable: vec![place],
        };
        let profile = Profile {
            data_sets: vec![only_copy],
            ..self.profile.clone()
        };
        let verdict = evaluate(self.set, &profile, self.now);
        let mut standing = Standing::default();
        let refusing = verdict.restrictions.iter().filter(|restriction| {
            restriction.mode == Mode::Enforce
                && !restriction.leaves(place, true)
                && !(self.replicating_is_uncovered && restriction.cause == Cause::Uncovered)
        });
        for restriction in refusing {
            let list = match self.demand(restriction.cause) {
                Some(Demand::PrimaryMustBeIn(_)) => &mut standing.leader_refused_by,
                Some(Demand::FromReplicaIn(_) | Demand::ReplicaMustExistIn(_)) => &mut standing.unmet,
                _ => &mut standing.refused_by,
            };
            list.push(restriction.cause);
        }
        standing
    }

    fn demand(&self, cause: Cause) -> Option<&Demand> {
        match cause {
            Cause::Rule(index) => self.set.definitions().rule(index).map(|rule| &rule.demand),
            _ => None,
        }
    }
}

/// The rules that some of these places do not satisfy and that one place of a set must.
#[must_use]
pub fn rules_on_sets<'a>(standings: impl Iterator<Item = &'a Standing>) -> BTreeSet<Cause> {
    standings.flat_map(|standing| &standing.unmet).copied().collect()
}
