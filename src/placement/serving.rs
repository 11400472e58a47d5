//! How the replicas of one data set serve a pod at a place: what `replication.rs` makes of ways.
//!
//! Inputs: the demand on a data set, a latency table, a place. Outputs: milliseconds in one view of the ways
//! (`ways.rs`), or how the best known access comes about. Invariants: the commit of a leader is the same
//! wherever the pod is, so it is worked out once for a pod, counts in what an access costs and against
//! `max-write-ms`, and never decides between places that write to one leader. So where nobody knows it of
//! the only leader it is left out, at every place alike; of several leaders only those count of which it is
//! known. A leader that reaches no majority
//! commits nothing, and serves no read that must see the latest write. A replica that is not ready counts
//! [`UNREADY_MS`] more than its way, wherever what is known decides; it refuses nothing, since it may be back before the
//! pod runs. Deliberately absent: how often an access
//! is made, and limits.

use super::demand::{DataSetDemand, ReplicaPoint};
use super::replication::{NEVER, commit_ms, read_ms, write_ms};
use super::ways::{Leg, View, Way, Ways, less_certain};
use crate::model::{Consistency, Provenance, ReadPath, ReplicaRole, WritePath};
use crate::topology::{LatencyPoint, LatencyTable};

/// What a replica that cannot answer at present counts beyond the way to it, in milliseconds. It is about half the score
/// where the permitted places are 50 to 250 ms apart (3 to 5 of 10 by `score.rs`), as Stork halves the score of a node
/// whose storage is down; so a pod goes to a ready replica up to 25 ms farther away, and not across an ocean.
pub const UNREADY_MS: f64 = 25.0;

/// What it takes a leader to commit a write, wherever the pod is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Commit {
    /// How long, where that is known.
    pub ms: Option<f64>,
    /// The least certain of the ways to those that it waits for; `None` where it waits for nobody.
    pub provenance: Option<Provenance>,
    /// What counts between places: 0 for an only leader of which nobody knows it.
    counted_ms: f64,
    measured_ms: f64,
    least_ms: f64,
    open_ms: f64,
}

impl Commit {
    fn of(leader: usize, replicas: &[ReplicaPoint], ways: Ways<'_>) -> Self {
        let voters = replicas.iter().filter(|replica| replica.role.votes()).count();
        let from = replicas.get(leader).and_then(|leader| leader.point);
        let others = || {
            let others = replicas.iter().enumerate();
            let others = others.filter(|(index, other)| *index != leader && other.role.votes());
            others.map(|(_, other)| (ways.between(from, other.point), other))
        };
        let in_view = |view| {
            commit_ms(
                voters,
                others().map(|(way, other)| way.ms(view) + other.wait_ms(view)),
            )
        };
        let ms = Some(in_view(View::Known)).filter(|ms| *ms < NEVER);
        let waits = voters > 1;
        Self {
            ms,
            provenance: (ms.filter(|_| waits)).and_then(|ms| least_certain(others().map(|(way, _)| way), ms)),
            counted_ms: ms.unwrap_or(NEVER),
            measured_ms: in_view(View::Measured),
            least_ms: in_view(View::Least),
            open_ms: in_view(View::Open),
        }
    }

    fn in_view(&self, view: View) -> f64 {
        match view {
            View::Known => self.counted_ms,
            View::Measured => self.measured_ms,
            View::Least => self.least_ms,
            View::Open => self.open_ms,
        }
    }
}

/// The commits of every leader, in the order of the replicas; `None` is no leader.
#[must_use]
pub fn commits(replicas: &[ReplicaPoint], ways: Ways<'_>) -> Vec<Option<Commit>> {
    let mut commits: Vec<Option<Commit>> = replicas
        .iter()
        .enumerate()
        .map(|(index, replica)| {
            (replica.role == ReplicaRole::Leader).then(|| Commit::of(index, replicas, ways))
        })
        .collect();
    let mut leaders = commits.iter_mut().flatten();
    if let (Some(only), None) = (leaders.next(), leaders.next())
        && only.ms.is_none()
    {
        // Every place writes to this leader, so what nobody knows of it is the same for all.
        only.counted_ms = only.open_ms;
    }
    commits
}

/// How the best known access comes about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Served {
    /// Until enough replicas answered; with the commit, as far as that is known.
    pub ms: f64,
    /// The least certain part of it.
    pub provenance: Provenance,
    /// Of the replicas that must answer, the one that answers last.
    pub replica: usize,
    /// The way to it.
    pub way: Leg,
    /// For a write by a leader what it commits in.
    pub commit: Option<Commit>,
}

impl Served {
    /// Whether nothing is missing in the time: what a commit takes may not be known.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.commit.is_none_or(|commit| commit.ms.is_some())
    }
}

impl ReplicaPoint {
    /// What it counts beyond the way to it, in one view.
    fn wait_ms(&self, view: View) -> f64 {
        match view {
            View::Known if !self.is_ready => UNREADY_MS,
            View::Known | View::Measured | View::Least | View::Open => 0.0,
        }
    }
}

impl DataSetDemand {
    /// The ways that are open to the data set.
    #[must_use]
    pub fn ways<'t>(&'t self, table: &'t LatencyTable) -> Ways<'t> {
        let permitted = self.permitted.as_ref().filter(|permitted| permitted.counts);
        Ways::of(table).that_remain(permitted.map(|permitted| &*permitted.ways))
    }

    /// One read from a place, in one view; [`NEVER`] where too few replicas answer.
    #[must_use]
    pub fn read_ms(&self, table: &LatencyTable, node: Option<LatencyPoint>, view: View) -> f64 {
        let ways = self.ways(table);
        read_ms(self.paths.reads, self.with_roles(), |replica| {
            self.read_from(replica, ways.between(node, replica.point), view)
        })
    }

    /// One write from a place, in one view; [`NEVER`] where too few replicas answer.
    #[must_use]
    pub fn write_ms(&self, table: &LatencyTable, node: Option<LatencyPoint>, view: View) -> f64 {
        let ways = self.ways(table);
        write_ms(self.paths.writes, self.with_roles(), |replica| {
            self.write_to(replica, ways.between(node, replica.point), view)
        })
    }

    /// Whether there are enough replicas for a read, were they all reached.
    #[must_use]
    pub fn has_readers(&self) -> bool {
        let path = self.paths.reads;
        self.has_enough(path.needed(), |role| path.is_served_by(role))
    }

    /// Whether there are enough replicas for a write, were they all reached.
    #[must_use]
    pub fn has_writers(&self) -> bool {
        let path = self.paths.writes;
        self.has_enough(path.needed(), |role| path.is_served_by(role))
    }

    /// How the best known read comes about.
    #[must_use]
    pub fn served_read(&self, table: &LatencyTable, node: Option<LatencyPoint>) -> Option<Served> {
        let ms = self.read_ms(table, node, View::Known);
        let path = self.paths.reads;
        self.served(table, node, (path.needed(), ms), |replica, way| {
            (path.is_served_by(replica.role)).then(|| self.read_from(replica, way, View::Known))
        })
    }

    /// How the best known write comes about.
    #[must_use]
    pub fn served_write(&self, table: &LatencyTable, node: Option<LatencyPoint>) -> Option<Served> {
        let ms = self.write_ms(table, node, View::Known);
        let path = self.paths.writes;
        let mut served = self.served(table, node, (path.needed(), ms), |replica, way| {
            (path.is_served_by(replica.role)).then(|| self.write_to(replica, way, View::Known))
        })?;
        if path == WritePath::Leader {
            served.commit = self.replicas.get(served.replica).and_then(|leader| leader.commit);
            let of_commit = served.commit.and_then(|commit| commit.provenance);
            // Of several leaders only the chosen one counts, and it is the only one that is waited for.
            served.provenance = of_commit.map_or(served.way.provenance, |of_commit| {
                less_certain(served.way.provenance, of_commit)
            });
        }
        Some(served)
    }

    /// Whether nobody knows what the commit of its only leader takes, so that a write takes more than is told.
    /// It is the same at every place.
    #[must_use]
    pub fn lacks_commit(&self) -> bool {
        let mut commits = self.replicas.iter().filter_map(|replica| replica.commit);
        let only = (commits.next(), commits.next());
        self.paths.writes == WritePath::Leader && matches!(only, (Some(only), None) if only.ms.is_none())
    }

    fn has_enough(&self, needed: usize, serves: impl Fn(ReplicaRole) -> bool) -> bool {
        let serving = self.replicas.iter().filter(|replica| serves(replica.role));
        serving.count() >= needed
    }

    fn with_roles(&self) -> impl Iterator<Item = (ReplicaRole, &ReplicaPoint)> {
        self.replicas.iter().map(|replica| (replica.role, replica))
    }

    fn read_from(&self, replica: &ReplicaPoint, way: Way, view: View) -> f64 {
        let must_see_latest = self.consistency == Consistency::Strict && self.paths.reads == ReadPath::Leader;
        let commit = replica.commit.filter(|_| must_see_latest);
        way.ms(view) + replica.wait_ms(view) + commit.map_or(0.0, |commit| commit.open_ms)
    }

    fn write_to(&self, replica: &ReplicaPoint, way: Way, view: View) -> f64 {
        let commit = replica.commit.filter(|_| self.paths.writes == WritePath::Leader);
        way.ms(view) + replica.wait_ms(view) + commit.map_or(0.0, |commit| commit.in_view(view))
    }

    /// Of the replicas that are waited for the last, and the least certain way to any of them. `ms` is what
    /// the whole takes.
    fn served(
        &self,
        table: &LatencyTable,
        node: Option<LatencyPoint>,
        (needed, ms): (usize, f64),
        takes_ms: impl Fn(&ReplicaPoint, Way) -> Option<f64>,
    ) -> Option<Served> {
        let ways = self.ways(table);
        let answers = || {
            let replicas = self.replicas.iter().enumerate();
            replicas.filter_map(|(index, replica)| {
                let way = ways.between(node, replica.point);
                Some((index, takes_ms(replica, way)?, way.known()?))
            })
        };
        let sooner = answers().filter(|(_, takes_ms, _)| *takes_ms < ms);
        // Of several that answer last as many as are still needed, in the order of the replicas.
        let last = answers().filter(|(_, takes_ms, _)| *takes_ms == ms && *takes_ms < NEVER);
        let last = last.take(needed.saturating_sub(sooner.clone().count()));
        let (replica, _, way) = last.clone().last()?;
        let all = sooner.chain(last).map(|(_, _, leg)| leg.provenance);
        Some(Served {
            ms,
            provenance: all.reduce(less_certain)?,
            replica,
            way,
            commit: None,
        })
    }
}

/// The least certain of the ways that take no longer than this.
fn least_certain(ways: impl Iterator<Item = Way>, ms: f64) -> Option<Provenance> {
    let legs = ways.filter_map(Way::known).filter(|leg| leg.ms <= ms);
    legs.map(|leg| leg.provenance).reduce(less_certain)
}
