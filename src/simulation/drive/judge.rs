//! What Domicile says of pods in one state of the world, each kind judged once.
//!
//! Inputs: a snapshot, the kinds of pods, where pods run, questions of the model of kube-scheduler. Outputs: answers.
//! Invariants: a kind is judged by [`assess`] as the server would, and judged again when a date passes on which that
//! depends. Deliberately absent: what an access costs (`costs`), and what is remembered from one state of the world to the
//! next.
#![expect(
    clippy::indexing_slicing,
    reason = "kinds are counted by the roster, and each list has one entry for each"
)]

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::costs::{KnownCosts, score_nearest};
use super::roster::{KindIndex, Roster};
use crate::admission::{Growth, PermittedPlaces, Term, knows_all_facts, permitted};
use crate::model::RegionKey;
use crate::placement::{Assessment, BlindSample, Preemption, Refusal, assess};
use crate::policy::{Cause, Mode, PlaceIndex};
use crate::simulation::comparator::Extends;
use crate::simulation::extender::{filter_nodes, score_nodes};
use crate::simulation::kube::{NodeIndex, PodIndex, Question, Reply};
use crate::snapshot::{ClassIndex, Snapshot};

/// How many pods of a kind run on which node.
pub type Running = Vec<BTreeMap<NodeIndex, u32>>;

/// A kind of pods as it is judged now.
pub(super) struct JudgedKind<'s> {
    /// Tells one assessment of this judge from another.
    number: u64,
    pub(super) assessment: Assessment<'s>,
    /// For each of the peers of its demand the kinds that are called.
    pub(super) called: Vec<Vec<KindIndex>>,
    pub(super) costs: KnownCosts,
}

/// What Domicile says of pods now.
pub struct Judge<'s> {
    pub(super) snapshot: &'s Snapshot,
    roster: &'s Roster<'s>,
    /// The class of each node that ever came.
    pub(super) classes: Vec<Option<ClassIndex>>,
    pub(super) kinds: Vec<Option<JudgedKind<'s>>>,
    assessments: u64,
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

    pub(super) fn judged(&mut self, kind: KindIndex, at: Timestamp) -> &mut JudgedKind<'s> {
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
                costs: KnownCosts::default(),
                assessment,
            }
        })
    }

    /// Answers a question of kube-scheduler about a pod of a kind. `life_of` is for each pod of the model which of the roster
    /// it is.
    pub fn answer(
        &mut self,
        kind: KindIndex,
        question: Question<'_>,
        (running, life_of): (&Running, &[usize]),
        manner: Manner,
        at: Timestamp,
    ) -> Reply {
        self.judged(kind, at);
        let Some(judged) = &mut self.kinds[kind] else {
            return Reply::Failed;
        };
        let classes = &self.classes;
        let class_of = |node: &NodeIndex| classes.get(node.get()).copied().flatten();
        match question {
            Question::Filter { candidates, opinions } => {
                self.offered.clear();
                self.offered.extend(candidates.iter().map(class_of));
                let assessment = &judged.assessment;
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
                let totals =
                    |judged: &mut JudgedKind<'_>| judged.totals(self.snapshot, classes, running, None);
                match manner.extends {
                    Extends::FilterAndScore => {
                        let totals = totals(judged);
                        score_nodes(&judged.assessment, &totals, &self.offered, scores);
                    }
                    Extends::Nearest => score_nearest(&totals(judged), &self.offered, scores),
                    Extends::Filter | Extends::Nothing => {}
                }
                Reply::Answered
            }
            Question::Preempt { candidates, kept } => {
                let assessment = &judged.assessment;
                let mut preemption = Preemption::new(assessment, at);
                let uid = |pod: &PodIndex| self.roster.pods[life_of[pod.get()]].pod.uid.as_str();
                for (kept, candidate) in kept.iter_mut().zip(candidates) {
                    let victims: Vec<&str> = candidate.victims.iter().map(uid).collect();
                    *kept = preemption.judge(class_of(&candidate.node), &victims).is_kept;
                }
                Reply::Answered
            }
        }
    }

    /// Whether the last filter showed no permitted node, though some exist; then it is forgotten.
    pub fn take_showed_none(&mut self) -> bool {
        std::mem::take(&mut self.showed_none)
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
