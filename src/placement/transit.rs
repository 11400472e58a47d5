//! What rules on transit leave of the accesses of a pod: to which of the data sets that they bind a way remains.
//!
//! Inputs: a snapshot, what a pod carries, its verdict. Outputs: for each data set that is bound, whether a read
//! and a write of it are closed at a place. Invariants: several enforced rules on one data set take away together
//! what each does; one that is only recorded is judged by itself; a pod reads and writes what it may, whether or not
//! it says how often; a place that is not known lies at the end of a way that nobody declares.
//! Deliberately absent: clients and other pods, which are no data sets; how long a way takes (`ways.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::demand::{AccessDemand, PermittedAccess};
use super::obstacles::{AccessOf, Obstacle, ObstacleKind};
use crate::model::{AccessPaths, Consistency, RegionKey, ReplicaRole, StatedAccess};
use crate::policy::{Cause, Mode, Profile, RuleIndex, TransitBinding, TransitIndex, Verdict};
use crate::snapshot::{NodeClass, PermittedWays, Snapshot, Spot};
use crate::topology::LatencyPoint;

/// A data set that rules on transit bind.
#[derive(Debug, Clone)]
pub struct BoundDataSet {
    /// Its number in the demand of the pod.
    pub data_set: usize,
    /// Whether the rules refuse, or only record.
    pub mode: Mode,
    /// Which rules, in order.
    pub rules: Vec<RuleIndex>,
    ways: Arc<PermittedWays>,
    paths: AccessPaths,
    replicas: Vec<Copy>,
    may_read: bool,
    may_write: bool,
    needs_confirmed_region: bool,
}

/// A copy of a data set.
#[derive(Debug, Clone)]
struct Copy {
    role: ReplicaRole,
    region: Option<RegionKey>,
    point: Option<LatencyPoint>,
}

/// What rules on transit mean for one pod.
#[derive(Debug, Clone, Default)]
pub struct Transit {
    /// Data sets: for each first what is enforced, then each rule that is recorded.
    pub bound: Vec<BoundDataSet>,
    /// Rules that deny what nobody declares, of a pod with something mounted that may name any data set.
    pub of_unknown: Vec<(RuleIndex, Mode)>,
}

impl Transit {
    /// What the rules of a verdict bind; nothing where there is none, which is cheap.
    #[must_use]
    pub fn of(snapshot: &Snapshot, profile: &Profile, verdict: &Verdict) -> Self {
        let mut transit = Self::default();
        if verdict.transit.is_empty() {
            return transit;
        }
        for binding in verdict.transit.iter().filter(|binding| binding.may_bind_more) {
            let denies = snapshot
                .ways(&BTreeSet::from([binding.profile]))
                .is_some_and(|ways| !ways.keep_undeclared());
            let known = (binding.rule, binding.mode);
            if denies && !transit.of_unknown.contains(&known) {
                transit.of_unknown.push(known);
            }
        }
        for number in 0..profile.data_sets.len() {
            let binds = |binding: &&TransitBinding| binding.data_sets.contains(&number);
            let all: Vec<&TransitBinding> = verdict.transit.iter().filter(binds).collect();
            let is_enforced = |binding: &&&TransitBinding| binding.mode == Mode::Enforce;
            let enforced: Vec<&TransitBinding> = all.iter().filter(is_enforced).copied().collect();
            transit.bound.extend(bound(snapshot, profile, number, &enforced));
            let mut recorded: Vec<&TransitBinding> = all;
            recorded.retain(|binding| binding.mode != Mode::Enforce);
            for of_rule in recorded.chunk_by(|one, other| one.rule == other.rule) {
                transit.bound.extend(bound(snapshot, profile, number, of_rule));
            }
        }
        transit
    }

    /// Whether some rule could refuse.
    #[must_use]
    pub fn refuses(&self) -> bool {
        let mut modes = self.bound.iter().map(|bound| bound.mode);
        modes.any(|mode| mode == Mode::Enforce)
            || self.of_unknown.iter().any(|(_, mode)| *mode == Mode::Enforce)
    }

    /// Lets the accesses of a demand go by the ways that remain, where `counts` says that they do.
    pub fn attach(&self, demand: &mut AccessDemand, snapshot: &Snapshot, counts: bool) {
        for bound in self.bound.iter().filter(|bound| bound.mode == Mode::Enforce) {
            let Some(data_set) = demand.data_sets.get_mut(bound.data_set) else {
                continue;
            };
            data_set.permitted = Some(PermittedAccess {
                ways: bound.ways.clone(),
                rules: bound.rules.clone(),
                words: in_words(snapshot, &bound.rules),
                counts,
            });
        }
    }

    /// What keeps a pod from a class, enforced, in the order of data sets; `None` is an unknown node.
    pub fn obstacles(
        &self,
        snapshot: &Snapshot,
        class: Option<&NodeClass>,
    ) -> impl Iterator<Item = Obstacle> {
        let enforced = self.bound.iter().filter(|bound| bound.mode == Mode::Enforce);
        let closed = enforced.flat_map(move |bound| bound.closed(snapshot, class));
        let mut of_unknown = self.of_unknown.iter();
        let of_unknown = of_unknown.any(|(_, mode)| *mode == Mode::Enforce);
        let mounted = of_unknown.then_some(AccessOf::Mounted);
        closed.chain(mounted).map(|access| Obstacle {
            kind: ObstacleKind::NoRoute,
            access,
        })
    }

    /// The rules that close an access at a class, enforced or recorded.
    #[must_use]
    pub fn closing(&self, snapshot: &Snapshot, class: Option<&NodeClass>) -> BTreeSet<(RuleIndex, bool)> {
        let bound = self.bound.iter();
        let closing = bound.filter(|bound| bound.closed(snapshot, class).next().is_some());
        let closing = closing.flat_map(|bound| bound.rules.iter().map(|rule| (*rule, bound.mode)));
        let all = closing.chain(self.of_unknown.iter().copied());
        all.map(|(rule, mode)| (rule, mode == Mode::Enforce)).collect()
    }

    /// The modes of rules that close an access at a class and are only recorded, each once.
    #[must_use]
    pub fn recorded(&self, snapshot: &Snapshot, class: Option<&NodeClass>) -> Vec<Mode> {
        let bound = self.bound.iter().filter(|bound| bound.mode != Mode::Enforce);
        let closing = bound.filter(|bound| bound.closed(snapshot, class).next().is_some());
        let of_unknown = self.of_unknown.iter().map(|(_, mode)| *mode);
        let all = closing.map(|bound| bound.mode).chain(of_unknown);
        let mut modes: Vec<Mode> = Vec::new();
        for mode in all.filter(|mode| *mode != Mode::Enforce) {
            if !modes.contains(&mode) {
                modes.push(mode);
            }
        }
        modes
    }

    /// The rules under which an access from a class goes a way that nobody declares.
    #[must_use]
    pub fn undeclared(&self, snapshot: &Snapshot, class: Option<&NodeClass>) -> BTreeSet<RuleIndex> {
        let bound = self.bound.iter();
        let undeclared = bound.filter(|bound| bound.goes_undeclared(snapshot, class));
        undeclared.flat_map(|bound| bound.rules.iter().copied()).collect()
    }

    /// Every rule that binds something, with its mode.
    #[must_use]
    pub fn rules(&self) -> BTreeSet<(RuleIndex, bool)> {
        let bound = self.bound.iter();
        let bound = bound.flat_map(|bound| bound.rules.iter().map(|rule| (*rule, bound.mode)));
        let all = bound.chain(self.of_unknown.iter().copied());
        all.map(|(rule, mode)| (rule, mode == Mode::Enforce)).collect()
    }

    /// The rules that are enforced on a data set of the demand, or on what is mounted and not known.
    #[must_use]
    pub fn enforced_on(&self, access: AccessOf) -> Vec<RuleIndex> {
        match access {
            AccessOf::Read(number) | AccessOf::Write(number) => {
                let mut bound = self.bound.iter();
                let bound = bound.find(|bound| bound.data_set == number && bound.mode == Mode::Enforce);
                bound.map(|bound| bound.rules.clone()).unwrap_or_default()
            }
            AccessOf::Mounted => {
                let enforced = self.of_unknown.iter().filter(|(_, mode)| *mode == Mode::Enforce);
                enforced.map(|(rule, _)| *rule).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// What rules permit: "`p/r` permits only routes outside CN".
#[must_use]
pub fn in_words(snapshot: &Snapshot, rules: &[RuleIndex]) -> String {
    let policies = snapshot.policies();
    let rules = rules
        .iter()
        .map(|rule| policies.cause_in_words(Cause::Rule(*rule)));
    rules.collect::<Vec<_>>().join(" and ")
}

/// A data set under these rules together; `None` where there is none.
fn bound(
    snapshot: &Snapshot,
    profile: &Profile,
    number: usize,
    bindings: &[&TransitBinding],
) -> Option<BoundDataSet> {
    let first = bindings.first()?;
    let used = profile.data_sets.get(number)?;
    let mut demanded = profile.access.data_sets.iter();
    let placed = snapshot.replicas().get(&used.name);
    let profiles: BTreeSet<TransitIndex> = bindings.iter().map(|binding| binding.profile).collect();
    let rules: BTreeSet<RuleIndex> = bindings.iter().map(|binding| binding.rule).collect();
    let undeclared = || StatedAccess::default().paths(Consistency::Strict, std::iter::empty());
    let catalogue = snapshot.policies().catalogue();
    let replicas = placed.into_iter().flat_map(|placed| {
        let replicas = placed.data_set.replicas.iter().zip(&placed.points);
        // Rules take nobody's word for a copy who could not answer for the data.
        let believed = replicas.filter(|(replica, _)| replica.counts_for_rules());
        believed.map(|(replica, point)| Copy {
            role: replica.role,
            region: replica
                .locality
                .region
                .as_ref()
                .and_then(|region| catalogue.resolve(region).cloned()),
            point: *point,
        })
    });
    Some(BoundDataSet {
        data_set: demanded.position(|demanded| demanded.name == used.name)?,
        mode: first.mode,
        rules: rules.into_iter().collect(),
        ways: snapshot.ways(&profiles)?,
        paths: placed.map_or_else(undeclared, |placed| placed.data_set.paths()),
        replicas: replicas.collect(),
        may_read: used.may_read,
        may_write: used.may_write,
        needs_confirmed_region: bindings.iter().any(|binding| binding.needs_confirmed_region),
    })
}

impl BoundDataSet {
    /// The accesses to which no way remains from a class.
    fn closed(&self, snapshot: &Snapshot, class: Option<&NodeClass>) -> impl Iterator<Item = AccessOf> {
        let remains = |from: Spot<'_>, to: Spot<'_>| self.ways.remain(snapshot.latency(), from, to);
        let is_open =
            |needed, serves: &dyn Fn(ReplicaRole) -> bool| self.reaches(class, (needed, serves), &remains);
        let AccessPaths { reads, writes } = self.paths;
        let read = self.may_read && !is_open(reads.needed(), &|role| reads.is_served_by(role));
        let write = self.may_write && !is_open(writes.needed(), &|role| writes.is_served_by(role));
        let read = read.then_some(AccessOf::Read(self.data_set));
        let write = write.then_some(AccessOf::Write(self.data_set));
        read.into_iter().chain(write)
    }

    /// Whether an access from a class goes a way that nobody declares, and that remains.
    fn goes_undeclared(&self, snapshot: &Snapshot, class: Option<&NodeClass>) -> bool {
        if !self.ways.keep_undeclared() || self.closed(snapshot, class).next().is_some() {
            return false;
        }
        let table = snapshot.latency();
        let is_declared = |from: Spot<'_>, to: Spot<'_>| {
            self.ways.remain(table, from, to) && self.ways.is_declared(table, from, to)
        };
        let is_known = |needed, serves: &dyn Fn(ReplicaRole) -> bool| {
            let mut serving = self.replicas.iter().filter(|copy| serves(copy.role));
            serving.next().is_some() && self.reaches(class, (needed, serves), &is_declared)
        };
        let AccessPaths { reads, writes } = self.paths;
        self.may_read && !is_known(reads.needed(), &|role| reads.is_served_by(role))
            || self.may_write && !is_known(writes.needed(), &|role| writes.is_served_by(role))
    }

    /// Whether enough copies are reached. Of copies that nobody knows, as many as are missing may be anywhere.
    fn reaches(
        &self,
        class: Option<&NodeClass>,
        (needed, serves): (usize, &dyn Fn(ReplicaRole) -> bool),
        way: &dyn Fn(Spot<'_>, Spot<'_>) -> bool,
    ) -> bool {
        let is_known = |class: &&NodeClass| class.region_is_confirmed || !self.needs_confirmed_region;
        let from = class.filter(is_known).map_or(Spot::default(), |class| Spot {
            region: class.region.as_ref(),
            point: class.point,
        });
        let serving = || self.replicas.iter().filter(|copy| serves(copy.role));
        if serving().count() < needed {
            return self.ways.keep_undeclared();
        }
        let reached = serving().filter(|copy| {
            let to = Spot {
                region: copy.region.as_ref(),
                point: copy.point,
            };
            way(from, to)
        });
        reached.count() >= needed
    }
}
