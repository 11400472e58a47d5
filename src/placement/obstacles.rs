//! What keeps an access of a pod from a place: a limit that it surely breaks, a partition, or a latency
//! that nobody measured where the settings demand that somebody did.
//!
//! Inputs: a latency table, the demand of a pod, a place, whether the settings demand measured latency.
//! Output: every [`Obstacle`] there, in the order of the demand. Invariants: a limit refuses only by what is
//! measured (an estimate is an upper guess, and what is unknown may be anything: both only score least, unless
//! the settings demand measured latency, when an access counts on measured ways alone); the pod's access
//! counts whole, with the slowest of the quorum and with the commit; unknown latency closes no
//! way; a data set that too few replicas could ever serve is unknown, not unreachable. The words depend on the pod
//! alone.
//!
//! In a partition a read needs a replica of its path within reach, of a `strict` data set a leader that
//! reaches a majority of the voters, or a quorum; a write needs a leader that reaches one, or a quorum.
//!
//! Nothing is remembered between calls, so a limit alone would flap where a latency moves about it. It does
//! not: what is published of a live latency has a dead band (it follows only a move of more than a least
//! share that lasts; `topology`), and a place is entered and left at values that lie that band apart. Between
//! two publications the answer is the same.
//!
//! Deliberately absent: rules on places, and what is only scored.

use super::cost::{Demanded, client};
use super::demand::{AccessDemand, DataSetDemand};
use super::filter::ReasonCode;
use super::replication::NEVER;
use super::ways::{View, counts_as_measured};
use crate::model::{Consistency, ReadPath, WritePath};
use crate::topology::{LatencyPoint, LatencyTable};

/// Why an access keeps a pod from a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObstacleKind {
    /// No way that the policies permit leads to it.
    NoRoute,
    /// What it needs is cut off.
    Unreachable,
    /// It surely takes longer than the pod allows.
    OverLimit,
    /// The settings demand that it is measured, and it is not.
    Unmeasured,
}

/// One kind of access of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessOf {
    /// The requests of its clients.
    Clients,
    /// Reads of a data set, by its number in the demand.
    Read(usize),
    /// Writes of a data set, by its number in the demand.
    Write(usize),
    /// Of something mounted that is not known, which may name any data set.
    Mounted,
}

/// An access that keeps a pod from a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Obstacle {
    /// Why.
    pub kind: ObstacleKind,
    /// Which access.
    pub access: AccessOf,
}

/// Everything that keeps a pod from a place.
#[must_use]
pub fn obstacles(
    table: &LatencyTable,
    demand: &AccessDemand,
    node: Option<LatencyPoint>,
    require_measured: bool,
) -> Vec<Obstacle> {
    let mut found = Vec::new();
    let is_unmeasured = match client(table, demand, node) {
        Demanded::NotDemanded => false,
        Demanded::Unknown => true,
        Demanded::Known(leg) => !counts_as_measured(leg.provenance),
    };
    if require_measured && is_unmeasured {
        found.push(Obstacle {
            kind: ObstacleKind::Unmeasured,
            access: AccessOf::Clients,
        });
    }
    let mut note =
        |access: AccessOf, limit_ms: Option<f64>, can_be_served: bool, ms: &dyn Fn(View) -> f64| {
            let demands = Demands {
                limit_ms,
                require_measured,
            };
            let kinds = demands.unmet(can_be_served, ms);
            found.extend(kinds.map(|kind| Obstacle { kind, access }));
        };
    for (index, data_set) in demand.data_sets.iter().enumerate() {
        if data_set.reads > 0.0 {
            let (access, limit_ms) = (AccessOf::Read(index), demand.max_read_ms);
            note(access, limit_ms, data_set.has_readers(), &|view| {
                data_set.read_ms(table, node, view)
            });
        }
        if data_set.writes > 0.0 {
            let (access, limit_ms) = (AccessOf::Write(index), demand.max_write_ms);
            note(access, limit_ms, data_set.has_writers(), &|view| {
                data_set.write_ms(table, node, view)
            });
        }
    }
    found
}

/// What one access must meet.
struct Demands {
    limit_ms: Option<f64>,
    require_measured: bool,
}

impl Demands {
    fn unmet(&self, can_be_served: bool, ms: &dyn Fn(View) -> f64) -> impl Iterator<Item = ObstacleKind> {
        let is_cut_off = can_be_served && ms(View::Open) == NEVER;
        let is_unmeasured = self.require_measured && !is_cut_off && ms(View::Measured) == NEVER;
        // Where measured latency is demanded, nobody counts on a way that is not measured.
        let sure = match self.require_measured {
            true => View::Measured,
            false => View::Least,
        };
        let is_over = |limit_ms| can_be_served && !is_cut_off && !is_unmeasured && ms(sure) > limit_ms;
        let is_over_limit = self.limit_ms.is_some_and(is_over);
        [
            (is_cut_off, ObstacleKind::Unreachable),
            (is_over_limit, ObstacleKind::OverLimit),
            (is_unmeasured, ObstacleKind::Unmeasured),
        ]
        .into_iter()
        .filter_map(|(is_there, kind)| is_there.then_some(kind))
    }
}

impl ObstacleKind {
    /// Every kind, in order.
    pub const ALL: [Self; 4] = [
        Self::NoRoute,
        Self::Unreachable,
        Self::OverLimit,
        Self::Unmeasured,
    ];

    /// The word of it for metrics and records.
    #[must_use]
    pub fn code(self) -> ReasonCode {
        match self {
            Self::NoRoute => ReasonCode::NoRoute,
            Self::Unreachable => ReasonCode::Unreachable,
            Self::OverLimit => ReasonCode::OverLimit,
            Self::Unmeasured => ReasonCode::Unmeasured,
        }
    }

    /// What is said where it is not told of one pod.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::NoRoute => "no route that the policies permit leads to a data set of the pod",
            Self::Unreachable => "what an access of the pod needs is cut off from there",
            Self::OverLimit => "an access of the pod surely takes longer than the pod allows",
            Self::Unmeasured => "the settings demand measured latency and an access of the pod has none",
        }
    }
}

impl Obstacle {
    /// As what it is told: that no route is permitted is said once for reads and writes.
    #[must_use]
    pub fn told_as(self) -> Self {
        match (self.kind, self.access) {
            (ObstacleKind::NoRoute, AccessOf::Write(index)) => Self {
                access: AccessOf::Read(index),
                ..self
            },
            _ => self,
        }
    }

    /// The constant sentence of it: of the pod and its data sets, never of a place or a measurement.
    #[must_use]
    pub fn in_words(&self, demand: &AccessDemand) -> String {
        let (word, limit, data_set) = match self.access {
            AccessOf::Clients => {
                return "the settings demand measured latency and the way from the clients has none"
                    .to_owned();
            }
            AccessOf::Mounted => {
                return "no route is permitted to what a volume that is not known may hold".to_owned();
            }
            AccessOf::Read(index) => ("read", demand.max_read_ms, demand.data_sets.get(index)),
            AccessOf::Write(index) => ("write", demand.max_write_ms, demand.data_sets.get(index)),
        };
        let name = data_set.map_or("", |data_set| data_set.name.as_str());
        match self.kind {
            ObstacleKind::NoRoute => {
                let permitted = data_set.and_then(|data_set| data_set.permitted.as_ref());
                let words = permitted.map_or("", |permitted| permitted.words.as_str());
                format!("no permitted route leads to `{name}`: {words}")
            }
            ObstacleKind::Unreachable => match data_set {
                Some(data_set) if word == "read" => unreachable_read(data_set),
                Some(data_set) => unreachable_write(data_set),
                None => ObstacleKind::Unreachable.in_words().to_owned(),
            },
            ObstacleKind::OverLimit => format!(
                "a {word} of `{name}` takes longer than the `{}` ms of `domicile.dev/max-{word}-ms`",
                limit.unwrap_or_default()
            ),
            ObstacleKind::Unmeasured => {
                format!("the settings demand measured latency and a {word} of `{name}` has none")
            }
        }
    }
}

fn unreachable_read(data_set: &DataSetDemand) -> String {
    let name = &data_set.name;
    match (data_set.paths.reads, data_set.consistency) {
        (ReadPath::Nearest, _) => format!("no replica of `{name}` that can be read is within reach"),
        (ReadPath::Leader, Consistency::Available) => format!("no leader of `{name}` is within reach"),
        (ReadPath::Leader, Consistency::Strict) => no_majority(data_set),
        (ReadPath::Quorum(_), _) => format!("no quorum of `{name}` for a read is within reach"),
    }
}

fn unreachable_write(data_set: &DataSetDemand) -> String {
    match data_set.paths.writes {
        WritePath::Leader => no_majority(data_set),
        WritePath::Quorum(_) => format!("no quorum of `{}` for a write is within reach", data_set.name),
    }
}

/// Said alike of reads and writes, so that a sentence has it once.
fn no_majority(data_set: &DataSetDemand) -> String {
    format!(
        "no leader of `{}` that reaches a majority of its voters is within reach",
        data_set.name
    )
}

#[cfg(test)]
#[path = "obstacles_tests.rs"]
mod tests;
