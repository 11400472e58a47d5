//! What Domicile says of pods in one state of the world, each kind judged once.
//!
//! Inputs: a snapshot, the kinds of pods, where pods run, questions of the model of kube-scheduler. Outputs: answers
//! and costs. Invariants: a kind is judged by [`assess`] as the server would; a pod that
//! runs is a peer of those that call it, and never of itself. Deliberately absent: what is remembered from one state
//! of the world to the next.
#![expect(
    clippy::indexing_slicing,
    reason = "kinds are counted by the roster, and each list has one entry for each"
)]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;
use jiff::Timestamp;

use super::lives::{Cost, whole_us};
use super::nodes::UNKNOWN_PLACE;
use super::roster::{KindIndex, Roster};
use crate::admission::{Growth, PermittedPlaces, Term, knows_all_facts, permitted};
use crate::model::RegionKey;
use crate::placement::{
    AccessDemand, Assessment, BlindSample, Demanded, Refusal, access_cost, assess, keeps_candidate, total,
};
use crate::policy::{Cause, Mode, PlaceIndex};
use crate::simulation::comparator::Extends;
use crate::simulation::extender::{filter_nodes, score_nodes};
use crate::simulation::kube::{NodeIndex, Question, Reply};
use crate::snapshot::{ClassIndex, PeerPlaces, Snapshot};

/// How many pods of a kind run on which node.
pub type Running = Vec<BTreeMap<NodeIndex, u32>>;

/// A kind of pods as it is judged now.
struct JudgedKind<'s> {
    /// Tells one assessment of this judge from another.
    number: u64,
    assessment: Assessment<'s>,
    /// For each of the peers of its demand the kinds that are called.
    called: Vec<Vec<KindIndex>>,
    /// What an access costs at the best permitted place, where no peer sways it.
    best_us: Option<Option<u64>>,
}

/// What Domicile says of pods now.
pub struct Judge<'s> {
    snapshot: &'s Snapshot,
    roster: &'s Roster<'s>,
    /// The class of each node that ever came.
    classes: Vec<Option<ClassIndex>>,
    kinds: Vec<Option<JudgedKind<'s>>>,
    assessments: u64,
    /// What an access costs by the number of an assessment and the class of a node, where no peer sways it. Only looked up.
    costs_us: HashMap<(u64, ClassIndex), Option<u64>, FixedState>,
    /// Lists that are used again from question to question.
    offered: Vec<Option<ClassIndex>>,
    /// Whether the last question showed no permitted node, though some exist.
    showed_none: bool,
}

/// How the extender answers.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// What it does.
    pub extends: Extends,
    /// What it says to a sample without a permitted node.
    pub on_blind_sample: BlindSample,
}

impl<'s> Judge<'s> {
    /// A judge of one state of the world; `nodes` are the names of all nodes that ever came, by their index.
    pub fn new<'n>(
        snapshot: &'s Snapshot,
        roster: &'s Roster<'s>,
        nodes: impl Iterator<Item = &'n str>,
    ) -> Self {
        Self {
            snapshot,
            classes: nodes.map(|name| snapshot.class_of(name.as_bytes())).collect(),
            kinds: (0..roster.kinds.len()).map(|_| None).collect(),
            roster,
            assessments: 0,
            costs_us: HashMap::default(),
            offered: Vec::new(),
            showed_none: false,
        }
    }

    /// The state of the world.
    pub fn snapshot(&self) -> &'s Snapshot {
        self.snapshot
    }

    /// The class of a node.
    pub fn class(&self, node: NodeIndex) -> Option<ClassIndex> {
        self.classes.get(node.get()).copied().flatten()
    }

    /// The class of each node that ever came.
    pub fn classes(&self) -> &[Option<ClassIndex>] {
        &self.classes
    }

    /// The region of a class, where it is known.
    pub fn region_of_class(&self, class: Option<ClassIndex>) -> Option<&'s RegionKey> {
        self.snapshot.class(class?)?.region.as_ref()
    }

    /// What is said of a kind at an instant.
    pub fn assessment(&mut self, kind: KindIndex, at: Timestamp) -> &Assessment<'s> {
        &self.judged(kind, at).assessment
    }

    /// A number that stays as long as the same is said of a kind.
    pub fn assessment_number(&mut self, kind: KindIndex, at: Timestamp) -> u64 {
        self.judged(kind, at).number
    }

    fn judged(&mut self, kind: KindIndex, at: Timestamp) -> &mut JudgedKind<'s> {
        let (snapshot, roster) = (self.snapshot, self.roster);
        let slot = &mut self.kinds[kind];
        let still_holds = |judged: &JudgedKind<'s>| {
            let until = judged.assessment.verdict.valid_until;
            until.is_none_or(|until| at < until)
        };
        if !slot.as_ref().is_some_and(still_holds) {
            *slot = None;
        }
        let assessments = &mut self.assessments;
        slot.get_or_insert_with(|| {
            *assessments += 1;
            let assessment = assess(snapshot, &roster.kinds[kind].pod, at);
            let peers = assessment.demand().peers.iter();
            JudgedKind {
                number: *assessments,
                called: peers.map(|demand| roster.called(&demand.peer)).collect(),
                best_us: None,
                assessment,
            }
        })
    }

    /// What pods of a kind demand, now that others run where they do; `without` is one of them that is not to be
    /// its own peer.
    fn demand<'j>(
        snapshot: &Snapshot,
        classes: &[Option<ClassIndex>],
        judged: &'j JudgedKind<'_>,
        running: &Running,
        without: Option<(KindIndex, NodeIndex)>,
    ) -> Cow<'j, AccessDemand> {
        let mut demand = Cow::Borrowed(judged.assessment.demand());
        let point = |node: NodeIndex| {
            let class = classes.get(node.get()).copied().flatten();
            class
                .and_then(|class| snapshot.class(class))
                .and_then(|class| class.point)
        };
        for (position, called) in judged.called.iter().enumerate() {
            let mut places = PeerPlaces::default();
            for kind in called {
                for (node, pods) in &running[*kind] {
                    for _ in 0..*pods {
                        places.add(point(*node));
                    }
                }
                if let Some((_, node)) = without.filter(|(own, _)| own == kind) {
                    places.take(point(node));
                }
            }
            if let Some(peers) = demand.to_mut().peers.get_mut(position) {
                peers.places = Some(places);
            }
        }
        demand
    }

    /// Answers a question of kube-scheduler about a pod of a kind.
    pub fn answer(
        &mut self,
        kind: KindIndex,
        question: Question<'_>,
        running: &Running,
        manner: Manner,
        at: Timestamp,
    ) -> Reply {
        self.judged(kind, at);
        let Some(judged) = &self.kinds[kind] else {
            return Reply::Failed;
        };
        let classes = &self.classes;
        let class_of = |node: &NodeIndex| classes.get(node.get()).copied().flatten();
        let assessment = &judged.assessment;
        match question {
            Question::Filter { candidates, opinions } => {
                self.offered.clear();
                self.offered.extend(candidates.iter().map(class_of));
                let none_passes = !self.offered.iter().any(|class| assessment.passes(*class));
                self.showed_none = none_passes
                    && candidates.len() < self.snapshot.node_count()
                    && assessment.permitted_nodes() > 0;
                match filter_nodes(assessment, &self.offered, manner.on_blind_sample, opinions) {
                    Some(_) => Reply::Answered,
                    None => Reply::Failed,
                }
            }
            Question::Prioritize { candidates, scores } => {
                self.offered.clear();
                self.offered.extend(candidates.iter().map(class_of));
                let demand = Self::demand(self.snapshot, classes, judged, running, None);
                match manner.extends {
                    Extends::FilterAndScore => score_nodes(assessment, &demand, &self.offered, scores),
                    Extends::Nearest => {
                        let cost = |class| cost_us(self.snapshot, &demand, class);
                        let (costs_us, number) = (&mut self.costs_us, judged.number);
                        let known = |class| match judged.called.is_empty() {
                            true => *costs_us.entry((number, class)).or_insert_with(|| cost(class)),
                            false => cost(class),
                        };
                        nearest(known, &self.offered, scores);
                    }
                    Extends::Filter | Extends::Nothing => {}
                }
                Reply::Answered
            }
            Question::Preempt { candidates, kept } => {
                for (kept, candidate) in kept.iter_mut().zip(candidates) {
                    *kept = keeps_candidate(assessment, class_of(&candidate.node), candidate.victims.len());
                }
                Reply::Answered
            }
        }
    }

    /// Whether the last filter showed no permitted node, though some exist; then it is forgotten.
    pub fn take_showed_none(&mut self) -> bool {
        std::mem::take(&mut self.showed_none)
    }

    /// What an access costs a pod of a kind on a node.
    pub fn cost(&mut self, kind: KindIndex, node: NodeIndex, running: &Running, at: Timestamp) -> Cost {
        let class = self.class(node);
        self.judged(kind, at);
        let Some(judged) = &self.kinds[kind] else {
            return Cost::Unknown;
        };
        let demand = Self::demand(self.snapshot, &self.classes, judged, running, Some((kind, node)));
        let point = class
            .and_then(|class| self.snapshot.class(class))
            .and_then(|class| class.point);
        Cost::of(&access_cost(self.snapshot.latency(), &demand, point))
    }

    /// What an access would cost a pod of a kind at the best place that is permitted and has a node, room or not.
    pub fn best_us(
        &mut self,
        kind: KindIndex,
        node: NodeIndex,
        running: &Running,
        at: Timestamp,
    ) -> Option<u64> {
        if let Some(best_us) = self.judged(kind, at).best_us {
            return best_us;
        }
        let judged = self.kinds[kind].as_ref()?;
        let has_peers = !judged.called.is_empty();
        let demand = Self::demand(self.snapshot, &self.classes, judged, running, Some((kind, node)));
        let permitted = self
            .snapshot
            .classes()
            .filter(|(class, _)| judged.assessment.passes(Some(*class)));
        let costs = permitted.filter_map(|(_, class)| {
            let cost = total(self.snapshot.latency(), &demand, class.point);
            cost.known().map(|total| whole_us(total.ms))
        });
        let best_us = costs.min();
        drop(demand);
        if let Some(judged) = self.kinds[kind].as_mut().filter(|_| !has_peers) {
            judged.best_us = Some(best_us);
        }
        best_us
    }

    /// By region that the extender lets pods of a kind go to, what an access costs there at the least; nothing where others
    /// that run sway it, and of regions of which nobody knows.
    pub fn costs_by_region(&mut self, kind: KindIndex, at: Timestamp) -> BTreeMap<String, u64> {
        self.judged(kind, at);
        let mut costs = BTreeMap::new();
        let Some(judged) = self.kinds[kind]
            .as_ref()
            .filter(|judged| judged.called.is_empty())
        else {
            return costs;
        };
        let passing = self
            .snapshot
            .classes()
            .filter(|(class, _)| judged.assessment.passes(Some(*class)));
        for (_, class) in passing {
            let us = match total(self.snapshot.latency(), judged.assessment.demand(), class.point) {
                Demanded::Known(total) => whole_us(total.ms),
                Demanded::NotDemanded => 0,
                Demanded::Unknown => continue,
            };
            let region = class.region.as_ref();
            let region = region.map_or_else(|| UNKNOWN_PLACE.to_owned(), ToString::to_string);
            let least = costs.entry(region).or_insert(us);
            *least = us.min(*least);
        }
        costs
    }

    /// What the webhook asks of the labels of nodes for pods of a kind; `None` where it writes nothing, for nothing is refused
    /// to them, or everything, or not all that they carry is known: then the extender says so.
    pub fn admission_terms(&mut self, kind: KindIndex, at: Timestamp) -> Option<Vec<Term>> {
        let assessment = self.assessment(kind, at);
        if assessment.observes() || !knows_all_facts(assessment) {
            return None;
        }
        match permitted(assessment, Growth::default()) {
            PermittedPlaces::Only(places) => Some(places.terms().to_vec()),
            PermittedPlaces::Everywhere | PermittedPlaces::Nowhere => None,
        }
    }

    /// The classes that the policies permit to a kind, whatever is parted or slow now; `None` where they permit it everywhere
    /// or only observe.
    pub fn permitted(&mut self, kind: KindIndex, at: Timestamp) -> Option<Vec<bool>> {
        let snapshot = self.snapshot;
        let assessment = self.assessment(kind, at);
        let verdict = &assessment.verdict;
        if assessment.observes() || verdict.permits(PlaceIndex::UNKNOWN, false) {
            return None;
        }
        let classes = snapshot.classes();
        let permits = classes.map(|(_, class)| verdict.permits(class.place, class.region_is_confirmed));
        Some(permits.collect())
    }

    /// Whether the extender lets pods of a kind go to each node that ever came.
    pub fn passing(&mut self, kind: KindIndex, at: Timestamp) -> impl Fn(NodeIndex) -> bool {
        self.judged(kind, at);
        let judged = self.kinds[kind].as_ref();
        let classes = &self.classes;
        move |node| {
            let class = classes.get(node.get()).copied().flatten();
            judged.is_some_and(|judged| judged.assessment.passes(class))
        }
    }

    /// By region what refuses it to a kind, rules by their names and other causes by their words; a region with a
    /// permitted node is not there.
    pub fn refused_in(&mut self, kind: KindIndex, at: Timestamp) -> BTreeMap<RegionKey, BTreeSet<String>> {
        let snapshot = self.snapshot;
        let policies = snapshot.policies();
        let assessment = self.assessment(kind, at);
        let mut refused: BTreeMap<RegionKey, BTreeSet<String>> = BTreeMap::new();
        if assessment.observes() {
            return refused;
        }
        let mut open = BTreeSet::new();
        for (index, class) in snapshot.classes() {
            let Some(region) = &class.region else { continue };
            if assessment.permits(Some(index)) {
                open.insert(region);
                continue;
            }
            let refusals = assessment.refusals(Some(index));
            let enforced = refusals.filter(|(_, mode)| *mode == Mode::Enforce);
            let causes = enforced.map(|(refusal, _)| match refusal {
                Refusal::Policy(Cause::Rule(index)) => policies.rule_name(index).unwrap_or_default(),
                other => other.code().word().to_owned(),
            });
            refused.entry(region.clone()).or_default().extend(causes);
        }
        refused.retain(|region, _| !open.contains(region));
        refused
    }

    /// The policies that take a node of the fleet from a kind.
    pub fn binding_policies(&mut self, kind: KindIndex, at: Timestamp) -> BTreeSet<String> {
        let snapshot = self.snapshot;
        let verdict = &self.assessment(kind, at).verdict;
        let binding = verdict.restrictions.iter().filter_map(|restriction| {
            let Cause::Rule(index) = restriction.cause else {
                return None;
            };
            let takes = snapshot
                .classes()
                .any(|(_, class)| !restriction.leaves(class.place, class.region_is_confirmed));
            (takes && restriction.mode == Mode::Enforce).then_some(index.policy)
        });
        let policies = &snapshot.policies().definitions().policies;
        binding
            .filter_map(|index| Some(policies.get(index)?.name.to_string()))
            .collect()
    }
}

/// What an access costs on nodes of a class; `None` where nothing is accessed, or nobody knows.
fn cost_us(snapshot: &Snapshot, demand: &AccessDemand, class: ClassIndex) -> Option<u64> {
    let point = snapshot.class(class).and_then(|class| class.point);
    match total(snapshot.latency(), demand, point) {
        Demanded::Known(total) => Some(whole_us(total.ms)),
        Demanded::NotDemanded | Demanded::Unknown => None,
    }
}

/// All points for the nearest, none for the others; where nobody knows, none is nearer.
fn nearest(
    mut cost_us: impl FnMut(ClassIndex) -> Option<u64>,
    offered: &[Option<ClassIndex>],
    scores: &mut [u8],
) {
    const ALL_POINTS: u8 = 10;
    let mut by_class: BTreeMap<ClassIndex, Option<u64>> = BTreeMap::new();
    for class in offered.iter().flatten() {
        by_class.entry(*class).or_insert_with(|| cost_us(*class));
    }
    let least = by_class.values().flatten().min().copied();
    for (score, class) in scores.iter_mut().zip(offered) {
        let us = class.and_then(|class| by_class.get(&class).copied().flatten());
        if us.is_some() && us == least {
            *score = ALL_POINTS;
        }
    }
}
