//! Attempts to place the pods that wait.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use serde_json::{Map, Value, json};

use super::judge::Judge;
use super::nodes::UNKNOWN_PLACE;
use super::roster::KindIndex;
use super::{Control, Drive};
use crate::placement::change::{Change, Decided};
use crate::simulation::comparator::Extends;
use crate::simulation::kube::{
    Alike, Attempt, Causes, ClusterEvent, PodIndex, Question, Recurring, Standing,
};

/// An attempt that ended without a node.
#[derive(Debug)]
pub(super) struct Refusal {
    alike: Alike,
    /// How the nodes stood, and which assessment held.
    standing: (Standing, u64),
    attempt: Attempt,
    was_blind: bool,
}

impl Drive<'_> {
    /// Tries every pod that is ready, until none is; those who would be turned away again, alike and together, last.
    pub(super) fn place_waiting(&mut self, judge: &mut Judge<'_>, control: &Control) {
        self.refuse_due_crowds(judge);
        loop {
            while let Some(pod) = self.queue.pop(self.now_ms) {
                self.try_pod(pod, judge);
                if control.stop.load(Ordering::Relaxed) {
                    return;
                }
            }
            let some_disperse = self.try_crowds(judge);
            if !self.release_stuck(judge) && !some_disperse {
                return;
            }
        }
    }

    /// Lets pods go that were stuck and would not fail alike in the world as it is now; tells whether there were some.
    fn release_stuck(&mut self, judge: &mut Judge<'_>) -> bool {
        let mut some_are_free = false;
        for (alike, pod) in self.queue.stuck_crowds() {
            if !self.is_refused_again(pod, Some(alike), judge) {
                self.queue.release(alike, self.now_ms);
                some_are_free = true;
            }
        }
        some_are_free
    }

    /// Turns the crowds away again that are due for want of an event, where that is what becomes of all of them.
    fn refuse_due_crowds(&mut self, judge: &mut Judge<'_>) {
        let due = self.queue.due_crowds(self.now_ms);
        let mut crowds = due.iter();
        if crowds.all(|(crowd, pod)| self.is_refused_again(*pod, crowd.alike(), judge)) {
            for (crowd, _) in due {
                self.queue.refuse_crowd(crowd, self.now_ms);
            }
        }
    }

    /// Tries the crowds that something could have helped, and tells whether pods of one are to be tried one by one.
    fn try_crowds(&mut self, judge: &mut Judge<'_>) -> bool {
        let mut some_disperse = false;
        for (crowd, pod) in self.queue.take_woken_crowds() {
            if self.is_refused_again(pod, crowd.alike(), judge) {
                self.queue.refuse_crowd(crowd, self.now_ms);
            } else {
                self.queue.disperse(crowd, self.now_ms);
                some_disperse = true;
            }
        }
        some_disperse
    }

    /// Whether a pod would be told again what it and its like were told.
    fn is_refused_again(&mut self, pod: PodIndex, alike: Option<Alike>, judge: &mut Judge<'_>) -> bool {
        let (kind, at) = (self.kind(self.life_of[pod.get()]), self.at());
        let Some(standing) = self.cluster.standing(pod) else {
            return false;
        };
        let refusal = self.refusals.get(&(kind, standing.class()));
        let number = judge.assessment_number(kind, at);
        refusal.is_some_and(|refusal| Some(refusal.alike) == alike && refusal.standing == (standing, number))
    }

    fn try_pod(&mut self, pod: PodIndex, judge: &mut Judge<'_>) {
        let life = self.life_of[pod.get()];
        let (attempt, was_blind, alike) = self.attempt(pod, life, judge);
        if self.setting.records_decisions {
            self.record(pod, &attempt, was_blind, judge);
        }
        match attempt {
            Attempt::Chosen(chosen) => {
                self.leave_queue(pod);
                self.settle(life, chosen.node);
                self.watch(life);
                let record = &mut self.lives[life];
                record.first_bound_ms.get_or_insert(self.now_ms);
                self.wake(ClusterEvent::PodBound(pod));
            }
            Attempt::Failed(causes) => {
                self.note_refusal(life, causes, was_blind);
                let (kind, at) = (self.kind(life), self.at());
                let until = judge.assessment(kind, at).verdict.valid_until;
                let recurring = alike.map(|alike| Recurring {
                    alike,
                    ends_ms: until.map(|until| self.ms_of(until)),
                });
                self.queue.fail(pod, recurring, self.now_ms);
            }
            Attempt::Unschedulable(refusal) => {
                self.note_refusal(life, refusal.causes, was_blind);
                self.queue.refuse(pod, &refusal.causes, alike, self.now_ms);
                for victim in refusal
                    .nominated
                    .into_iter()
                    .flat_map(|nominated| nominated.victims)
                {
                    let victim = self.life_of[victim.get()];
                    self.preempt(victim, judge);
                }
            }
        }
    }

    /// A pod waits no more.
    pub(super) fn leave_queue(&mut self, pod: PodIndex) {
        let attempts = self.queue.remove(pod, self.now_ms).unwrap_or(0);
        self.lives[self.life_of[pod.get()]].attempts += u64::from(attempts);
    }

    /// What becomes of an attempt, whether it was blind, and whether others may be turned away alike. Who was turned away
    /// before, and is told the same of the same nodes, is turned away again without a search.
    fn attempt(
        &mut self,
        pod: PodIndex,
        life: usize,
        judge: &mut Judge<'_>,
    ) -> (Attempt, bool, Option<Alike>) {
        let (kind, at, manner) = (self.kind(life), self.at(), self.manner);
        let was_refused = self.lives[life].last.is_some();
        let standing = match was_refused {
            true => self.cluster.standing(pod),
            false => None,
        };
        let standing = standing.map(|standing| (standing, judge.assessment_number(kind, at)));
        let remembered = standing.and_then(|(standing, _)| self.refusals.get(&(kind, standing.class())));
        if let Some(refusal) = remembered.filter(|refusal| Some(refusal.standing) == standing) {
            return (refusal.attempt.clone(), refusal.was_blind, self.alike(refusal));
        }
        let running = (&self.running, self.life_of.as_slice());
        let attempt = match manner.extends {
            Extends::Nothing => self.cluster.attempt(pod, None),
            _ => {
                let mut ask =
                    |_: PodIndex, question: Question<'_>| judge.answer(kind, question, running, manner, at);
                self.cluster.attempt(pod, Some(&mut ask))
            }
        };
        let looked_at_all = |causes: &Causes| causes.looked_at >= causes.nodes;
        let showed_none = judge.take_showed_none();
        let was_blind = showed_none
            && match &attempt {
                Attempt::Chosen(_) => false,
                Attempt::Failed(causes) => !looked_at_all(causes),
                Attempt::Unschedulable(refusal) => !looked_at_all(&refusal.causes),
            };
        if let Some(standing) = standing.filter(|_| !matches!(attempt, Attempt::Chosen(_))) {
            self.last_refusal += 1;
            let refusal = Refusal {
                alike: Alike(self.last_refusal),
                standing,
                attempt: attempt.clone(),
                was_blind,
            };
            let alike = self.alike(&refusal);
            self.refusals.insert((kind, standing.0.class()), refusal);
            return (attempt, was_blind, alike);
        }
        (attempt, was_blind, None)
    }

    /// What pods that a refusal turns away have in common; nothing where each attempt is to be seen by itself.
    fn alike(&self, refusal: &Refusal) -> Option<Alike> {
        let each_is_seen = refusal.was_blind || self.setting.records_decisions;
        (!each_is_seen).then_some(refusal.alike)
    }

    /// Has those who wait tried again whom an event could help.
    pub(super) fn wake(&mut self, event: ClusterEvent) {
        let cluster = &self.cluster;
        self.queue.wake(event, self.now_ms, |waiting, rejector| {
            cluster.could_help(event, waiting, rejector)
        });
    }

    /// Has the pods tried again that the world admits now and did not before, as the server has (docs/retries.md): it
    /// patches a condition of each.
    pub(super) fn wake_admitted(&mut self, before: Decided, after: Decided) {
        if self.queue.is_empty() || self.manner.extends == Extends::Nothing {
            return;
        }
        let change = Change::new(vec![before], after);
        let mut admits: BTreeMap<KindIndex, bool> = BTreeMap::new();
        for life in 0..self.lives.len() {
            let waits = self.lives[life].node.is_none();
            let Some(pod) = self.lives[life].pod.filter(|_| waits) else {
                continue;
            };
            let kind = self.kind(life);
            let pods = &self.setting.roster.kinds;
            if *admits
                .entry(kind)
                .or_insert_with(|| change.admits(&pods[kind].pod))
            {
                self.queue.nudge(pod, self.now_ms);
            }
        }
    }

    fn note_refusal(&mut self, life: usize, causes: Causes, was_blind: bool) {
        let record = &mut self.lives[life];
        record.blind += u64::from(was_blind);
        record.last = Some((causes, was_blind));
    }

    /// Has the checker look at a placement.
    fn watch(&mut self, life: usize) {
        let (kind, at) = (self.kind(life), self.at());
        let node = self.lives[life].node.and_then(|node| self.nodes.get(node));
        let Some(place) = node.map(|node| node.place) else {
            return;
        };
        let roster = self.setting.roster;
        if let Some(breach) = self.watcher.breach((kind, &roster.kinds[kind]), place, at) {
            let record = &mut self.lives[life];
            record.violations += 1;
            if !record.breaches.contains(&breach) {
                record.breaches.push(breach);
            }
        }
    }

    /// Writes an attempt down, as one line of JSON.
    fn record(&mut self, pod: PodIndex, attempt: &Attempt, was_blind: bool, judge: &mut Judge<'_>) {
        let life = self.life_of[pod.get()];
        let (kind, at) = (self.kind(life), self.at());
        let spec = &self.setting.roster.pods[life].pod.spec;
        let turned_away = |causes: &Causes| -> Map<String, Value> {
            let each = causes.iter();
            each.map(|(rejector, nodes)| (rejector.name().to_owned(), nodes.into()))
                .collect()
        };
        let mut line = json!({
            "tMs": self.now_ms,
            "comparator": self.setting.comparator.id(),
            "pod": format!("{}/{}", spec.namespace, spec.name),
            "attempt": self.lives[life].attempts + u64::from(self.queue.attempts(pod)),
        });
        let more = match attempt {
            Attempt::Chosen(chosen) => {
                let node = self.nodes.get(chosen.node);
                // By how much the place won: what the best node of each region was worth.
                let mut best: BTreeMap<&str, i64> = BTreeMap::new();
                for (node, score) in self.cluster.last_scores() {
                    let region = self.nodes.get(node).map_or(UNKNOWN_PLACE, |node| &*node.region);
                    let known = best.entry(region).or_insert(score);
                    *known = score.max(*known);
                }
                json!({
                    "outcome": "chosen",
                    "node": node.map(|node| &*node.name),
                    "region": node.map(|node| &*node.region),
                    "lookedAt": chosen.looked_at,
                    "feasible": chosen.feasible,
                    "survivors": chosen.survivors,
                    "score": chosen.score,
                    "ties": chosen.ties,
                    "bestByRegion": best,
                })
            }
            Attempt::Unschedulable(refusal) => json!({
                "outcome": "refused",
                "lookedAt": refusal.causes.looked_at,
                "feasible": refusal.causes.feasible,
                "turnedAway": turned_away(&refusal.causes),
                "blind": was_blind,
                "sentence": self.obeys_policies().then(|| judge.assessment(kind, at).sentence()),
            }),
            Attempt::Failed(causes) => json!({
                "outcome": "error",
                "lookedAt": causes.looked_at,
                "feasible": causes.feasible,
                "turnedAway": turned_away(causes),
                "blind": was_blind,
            }),
        };
        if let (Value::Object(line), Value::Object(more)) = (&mut line, more) {
            line.extend(more);
        }
        self.decisions.push_str(&line.to_string());
        self.decisions.push('\n');
    }
}
