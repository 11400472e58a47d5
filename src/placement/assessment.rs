//! What a snapshot has to say about a pod, before any candidate is looked at.
//!
//! Inputs: a snapshot, a pod, an instant. Output: for each node class whether it is permitted, and what refuses
//! it: the policies, or an access of the pod. Invariant: accesses are judged only where something could come of it
//! (the pod states a limit, the settings demand measured latency, or some places are cut off from each other), so
//! that all other pods pay nothing for them.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use jiff::Timestamp;

use super::demand::AccessDemand;
use super::membership::Membership;
use super::obstacles::{AccessOf, Obstacle, ObstacleKind, obstacles};
use super::peers::PeerDemand;
use super::transit::{Transit, in_words};
use super::volumes::volume_demands;

use crate::model::{LabelSet, Locality, PodRequirements};
use crate::policy::{
    Cause, Mode, PlacesOfFleet, Profile, RefusedAccess, RuleIndex, Verdict, evaluate_confirmed, profile,
    sentence,
};
use crate::snapshot::{AskingPod, ClassIndex, NodeClass, Snapshot};

/// A pod judged against every node class of a snapshot.
#[derive(Debug)]
pub struct Assessment<'s> {
    /// The world that it was judged in.
    pub snapshot: &'s Snapshot,
    /// What data the pod carries.
    pub profile: Profile,
    /// Which places it may be put in.
    pub verdict: Verdict,
    permitted: Vec<bool>,
    /// The pod itself, where it runs already and calls others.
    asking: Option<AskingPod>,
    /// What the pod becomes a member of, where it creates a copy of a data set.
    pub membership: Option<Membership>,
    /// What rules on transit leave of its accesses.
    pub transit: Transit,
    demand: OnceLock<AccessDemand>,
    obstacles: Obstacles,
}

/// What keeps accesses from places.
#[derive(Debug, Default)]
struct Obstacles {
    /// By class; empty where accesses were not judged.
    by_class: Vec<Vec<Obstacle>>,
    /// At a node that is not known.
    at_unknown_node: Vec<Obstacle>,
}

/// Why a node is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// The policies refuse its place.
    Policy(Cause),
    /// An access of the pod does.
    Access(ObstacleKind),
    /// The node is not known, and the pod is governed.
    UnknownNode,
}

/// Judges a pod against every node class.
#[must_use]
pub fn assess<'s>(snapshot: &'s Snapshot, pod: &PodRequirements, now: Timestamp) -> Assessment<'s> {
    let profile = profile(snapshot.facts(), pod, now);
    let verdict = evaluate_confirmed(snapshot.policies(), &profile, now, snapshot.confirmed_until());
    let permitted = snapshot
        .classes()
        .map(|(_, class)| verdict.permits(class.place, class.region_is_confirmed))
        .collect();
    let asking = (!profile.access.peers.is_empty()).then(|| asking(pod)).flatten();
    let membership = (profile.creates_data())
        .then(|| Membership::of(snapshot, pod, &profile))
        .flatten();
    let transit = Transit::of(snapshot, &profile, &verdict);
    let mut assessment = Assessment {
        snapshot,
        profile,
        verdict,
        permitted,
        asking,
        membership,
        transit,
        demand: OnceLock::new(),
        obstacles: Obstacles::default(),
    };
    if assessment.accesses_may_refuse() {
        assessment.judge_accesses();
    }
    assessment
}

/// The pod as one that runs, so that it is not its own peer. What wants a node runs on none.
fn asking(pod: &PodRequirements) -> Option<AskingPod> {
    let node = pod.node.clone()?;
    let labels = pod.labels.iter();
    Some(AskingPod {
        namespace: pod.namespace.clone(),
        labels: LabelSet::new(labels.map(|(key, value)| (key.as_str(), value.as_str()))),
        node,
    })
}

impl Assessment<'_> {
    /// What the pod asks for, as points of the latency table.
    #[must_use]
    pub fn demand(&self) -> &AccessDemand {
        let snapshot = self.snapshot;
        self.demand.get_or_init(|| {
            let (access, table) = (&self.profile.access, snapshot.latency());
            let peers = access.peers.iter().map(|peer| PeerDemand {
                peer: peer.clone(),
                places: snapshot.peers(peer, self.asking.as_ref()),
            });
            let locate = |locality: &Locality| snapshot.locate(locality);
            let mut demand = AccessDemand {
                peers: peers.collect(),
                volumes: volume_demands(snapshot, &self.profile),
                clones: self
                    .membership
                    .as_ref()
                    .map(|member| member.clones.clone())
                    .unwrap_or_default(),
                ..AccessDemand::resolve(access, snapshot.replicas(), table, locate)
            };
            self.transit.attach(&mut demand, snapshot, !self.observes());
            demand
        })
    }

    /// Whether anything could be refused to the pod, now or after a change of latencies.
    #[must_use]
    pub fn may_be_refused(&self) -> bool {
        self.verdict.governed || self.accesses_may_refuse()
    }

    fn accesses_may_refuse(&self) -> bool {
        let access = &self.profile.access;
        access.max_read_ms.is_some()
            || access.max_write_ms.is_some()
            || self.requires_measured()
            || self.transit.refuses()
            || self.snapshot.latency().has_unreachable()
    }

    fn requires_measured(&self) -> bool {
        self.snapshot.policies().settings().latency.require_measured
    }

    fn judge_accesses(&mut self) {
        let (snapshot, require_measured) = (self.snapshot, self.requires_measured());
        let demand = self.demand();
        let at = |class: Option<&NodeClass>| {
            let point = class.and_then(|class| class.point);
            let mut found: Vec<Obstacle> = self.transit.obstacles(snapshot, class).collect();
            let of_latency = obstacles(snapshot.latency(), demand, point, require_measured);
            // Where no way is permitted, that it takes too long as well says nothing.
            let is_told = |access| found.iter().any(|known| known.access == access);
            let others: Vec<Obstacle> = of_latency.into_iter().filter(|of| !is_told(of.access)).collect();
            found.extend(others);
            found
        };
        let found = Obstacles {
            by_class: snapshot.classes().map(|(_, class)| at(Some(class))).collect(),
            at_unknown_node: at(None),
        };
        for (permitted, obstacles) in self.permitted.iter_mut().zip(&found.by_class) {
            *permitted &= obstacles.is_empty();
        }
        self.obstacles = found;
    }

    /// What keeps the pod's accesses from a class, in the order of its demand; `None` is an unknown node.
    #[must_use]
    pub fn obstacles(&self, class: Option<ClassIndex>) -> &[Obstacle] {
        match class {
            Some(class) => {
                let by_class = self.obstacles.by_class.get(class.as_usize());
                by_class.map(Vec::as_slice).unwrap_or_default()
            }
            None => &self.obstacles.at_unknown_node,
        }
    }

    /// Whether nothing is refused, by the settings.
    #[must_use]
    pub fn observes(&self) -> bool {
        self.snapshot.policies().settings().observe
    }

    /// Whether the policies and the pod's accesses permit a class, whatever the settings make of that. A
    /// node without a class is unknown: it is permitted only for a pod that is not governed.
    #[must_use]
    pub fn permits(&self, class: Option<ClassIndex>) -> bool {
        match class {
            Some(class) => self.permitted.get(class.as_usize()).copied().unwrap_or(false),
            None => !self.verdict.governed && self.obstacles.at_unknown_node.is_empty(),
        }
    }

    /// Whether a class passes the filter: as [`Assessment::permits`], or anything where the settings
    /// only observe.
    #[must_use]
    pub fn passes(&self, class: Option<ClassIndex>) -> bool {
        self.permits(class) || self.observes()
    }

    /// How many nodes of the fleet are permitted.
    #[must_use]
    pub fn permitted_nodes(&self) -> usize {
        let permitted = self
            .snapshot
            .classes()
            .filter(|(index, _)| self.permits(Some(*index)));
        permitted.map(|(_, class)| class.nodes).sum()
    }

    /// The one constant sentence of a refusal of this pod.
    #[must_use]
    pub fn sentence(&self) -> String {
        sentence(
            self.snapshot.policies(),
            &self.profile,
            &self.verdict,
            self.snapshot.places(),
            &self.obstacles_in_words(),
        )
    }

    /// The same sentence for a fleet that has nodes everywhere.
    #[must_use]
    pub fn sentence_anywhere(&self) -> String {
        let policies = self.snapshot.policies();
        let everywhere = PlacesOfFleet {
            all: policies.catalogue().every_place(),
            some_unconfirmed: true,
        };
        sentence(policies, &self.profile, &self.verdict, &everywhere, &[])
    }

    /// The rules on transit in mode `warn` that would close an access at some node of the fleet.
    #[must_use]
    pub fn warned_ways(&self) -> Vec<RuleIndex> {
        let is_warning = |rule: &RuleIndex| {
            let mut bindings = self.verdict.transit.iter();
            bindings.any(|binding| binding.rule == *rule && binding.mode == Mode::Warn)
        };
        if self.transit.rules().is_empty() {
            return Vec::new();
        }
        let classes = self.snapshot.classes();
        let closing = classes.flat_map(|(_, class)| self.transit.closing(self.snapshot, Some(class)));
        let rules: BTreeSet<RuleIndex> = closing.map(|(rule, _)| rule).filter(is_warning).collect();
        rules.into_iter().collect()
    }

    /// The constant sentence of what keeps an access from a place.
    #[must_use]
    pub fn obstacle_in_words(&self, obstacle: Obstacle) -> String {
        let words = obstacle.in_words(self.demand());
        match (obstacle.kind, obstacle.access) {
            (ObstacleKind::NoRoute, AccessOf::Mounted) => {
                let rules = self.transit.enforced_on(obstacle.access);
                format!("{words}: {}", in_words(self.snapshot, &rules))
            }
            _ => words,
        }
    }

    /// What keeps accesses from places that the policies permit: of the pod and the fleet, so that it is
    /// the same whatever is offered.
    fn obstacles_in_words(&self) -> Vec<RefusedAccess> {
        let permits = |class: &NodeClass| self.verdict.permits(class.place, class.region_is_confirmed);
        let classes = self.snapshot.classes().filter(|(_, class)| permits(class));
        let found: BTreeSet<Obstacle> = classes
            .flat_map(|(index, _)| self.obstacles(Some(index)))
            .copied()
            .collect();
        let mut said: Vec<RefusedAccess> = Vec::new();
        for obstacle in found {
            let words = self.obstacle_in_words(obstacle);
            if !said.iter().any(|known| known.words == words) {
                let rules = match obstacle.kind {
                    ObstacleKind::NoRoute => self.transit.enforced_on(obstacle.access),
                    _ => Vec::new(),
                };
                said.push(RefusedAccess { words, rules });
            }
        }
        said
    }

    /// Everything that refuses a class, enforced or only recorded.
    pub fn refusals(&self, class: Option<ClassIndex>) -> impl Iterator<Item = (Refusal, Mode)> {
        let unknown =
            (class.is_none() && self.verdict.governed).then_some((Refusal::UnknownNode, Mode::Enforce));
        let kinds: BTreeSet<ObstacleKind> = self.obstacles(class).iter().map(|found| found.kind).collect();
        let by_access = kinds
            .into_iter()
            .map(|kind| (Refusal::Access(kind), Mode::Enforce));
        let class = class.and_then(|class| self.snapshot.class(class));
        let no_route = Refusal::Access(ObstacleKind::NoRoute);
        let recorded = self.transit.recorded(self.snapshot, class);
        let recorded = recorded.into_iter().map(move |mode| (no_route, mode));
        let by_policy = self.verdict.restrictions.iter().filter_map(move |restriction| {
            let leaves = class.is_none_or(|class| restriction.leaves(class.place, class.region_is_confirmed));
            (!leaves).then_some((Refusal::Policy(restriction.cause), restriction.mode))
        });
        unknown
            .into_iter()
            .chain(by_policy)
            .chain(by_access)
            .chain(recorded)
    }
}
