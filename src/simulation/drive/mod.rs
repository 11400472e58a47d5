//! One scheduler, one seed: what happens, in the order of time.
//!
//! Inputs: a scenario, its events and pods under a seed, a comparator. Outputs: an [`Outcome`]. Invariants: time is whole
//! milliseconds and attempts take none; events of one time happen before anything is placed, so the world is
//! published once for all of them; the same inputs give the same outcome on any machine and beside any other run.
//! A pod that loses its node comes again at once, as its Deployment would make it anew; a policy that changes moves
//! nobody, and wakes whom it admits, as the server does. Deliberately absent: dates that pass while a pod waits, and what the
//! figures mean (`answers`).
#![expect(
    clippy::indexing_slicing,
    reason = "lives, kinds and nodes are counted here, and each list has one entry for each"
)]

mod affinity;
mod attempts;
mod costs;
mod failure;
mod finish;
mod judge;
mod keeps;
mod lives;
mod nodes;
mod pods;
mod roster;
mod samples;
mod watcher;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use foldhash::fast::FixedState;
use jiff::{SignedDuration, Timestamp};

pub use failure::{EndState, FailedRegion, fail_region};
pub use finish::Outcome;
pub use lives::{Cost, Keeps, PodLife};
pub use roster::{KindIndex, PodKind, Roster};
pub use watcher::Documents;

use affinity::Confinement;
use attempts::Refusal;
use judge::{Judge, Manner, Running};
use nodes::{LabelledClass, NodeTable};
use samples::Samples;
use watcher::Watcher;

use super::comparator::{Comparator, Extends};
use super::kube::{Cluster, PodIndex, Queue, QueueSettings};
use super::scenario::Scenario;
use super::trace::{Event, What};
use super::world::World;
use crate::placement::change::Decided;

/// How long a run goes on after its last event: pods that wait are tried again after five minutes and a half at the
/// latest (kube-scheduler's `flushUnschedulablePodsLeftover`), and so once more.
const SETTLE_MS: u64 = 600_000;

/// What a drive is given.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// What happens under the seed, in the order of time.
    pub events: &'a [Event],
    /// Its pods.
    pub roster: &'a Roster<'a>,
    /// Who places them.
    pub comparator: &'a Comparator,
    /// The seed.
    pub seed: u64,
    /// Whether every attempt is recorded.
    pub records_decisions: bool,
}

/// How a drive is told to stop, and tells how far it is.
#[derive(Debug, Default)]
pub struct Control {
    /// Whether to stop as soon as possible.
    pub stop: AtomicBool,
    /// Events that happened, over all drives.
    pub events_done: AtomicU64,
}

/// A run of one comparator and one seed.
struct Drive<'a> {
    setting: Setting<'a>,
    manner: Manner,
    world: World<'a>,
    watcher: Watcher<'a>,
    cluster: Cluster,
    queue: Queue,
    nodes: NodeTable<'a>,
    lives: Vec<PodLife>,
    /// The life of each pod of the model.
    life_of: Vec<usize>,
    /// Only looked up, never walked through.
    by_uid: HashMap<&'a str, usize, FixedState>,
    running: Running,
    /// What is written into pods of each kind in the present world.
    confined_to: BTreeMap<KindIndex, Option<Confinement>>,
    /// The labels of regions by class in the present world, once somebody asked.
    region_labels: Option<Vec<LabelledClass>>,
    /// What became of the last attempt of pods of a kind and a class, in the present world. Only looked up.
    refusals: HashMap<(KindIndex, u32), Refusal, FixedState>,
    /// The number of the last refusal that was found.
    last_refusal: u64,
    samples: Samples,
    decisions: String,
    now_ms: u64,
}

/// Why a stretch in one state of the world ended.
enum Ended {
    /// The world is another one.
    WorldChanged,
    /// Nothing more happens.
    Run,
    /// Somebody stopped it.
    Stopped,
}

/// Drives a scenario to its end.
///
/// # Errors
/// Where the checker cannot read a document.
pub fn drive(setting: Setting<'_>, control: &Control) -> Result<Outcome, String> {
    let drive = Drive::new(setting)?;
    Ok(drive.run(setting.events, Vec::new(), control)?.0)
}

/// As [`drive`], with the state at the end for what comes after.
///
/// # Errors
/// As [`drive`].
pub fn drive_to_state<'a>(
    setting: Setting<'a>,
    control: &Control,
) -> Result<(Outcome, EndState<'a>), String> {
    let drive = Drive::new(setting)?;
    drive.run(setting.events, Vec::new(), control)
}

impl<'a> Drive<'a> {
    fn new(setting: Setting<'a>) -> Result<Self, String> {
        let Setting {
            scenario, comparator, ..
        } = setting;
        let (policies, documents) = match (comparator, &scenario.policies_b) {
            (Comparator::PolicyB, Some((policies, documents))) => (policies, documents),
            _ => (&scenario.start.policies, &scenario.documents),
        };
        let relaxation = comparator.relaxation();
        let world = World::new(&scenario.start, policies, relaxation.as_ref());
        Ok(Self::in_world(setting, world, Watcher::new(documents)?))
    }

    fn in_world(setting: Setting<'a>, world: World<'a>, watcher: Watcher<'a>) -> Self {
        let Setting {
            scenario,
            comparator,
            roster,
            seed,
            ..
        } = setting;
        let configured = &scenario.run.scheduler;
        let last_ms = setting.events.last().map_or(0, |event| event.t_ms);
        Self {
            manner: Manner {
                extends: comparator.extends(),
                on_blind_sample: configured.on_blind_sample.into(),
            },
            cluster: Cluster::new(comparator.profile(&configured.profile()), comparator.seed(seed)),
            queue: Queue::new(QueueSettings::default()),
            nodes: NodeTable::default(),
            lives: vec![PodLife::default(); roster.pods.len()],
            life_of: Vec::new(),
            by_uid: HashMap::default(),
            running: vec![BTreeMap::new(); roster.kinds.len()],
            confined_to: BTreeMap::new(),
            region_labels: None,
            refusals: HashMap::default(),
            last_refusal: 0,
            samples: Samples::up_to(last_ms),
            decisions: String::new(),
            now_ms: 0,
            setting,
            world,
            watcher,
        }
    }

    fn at(&self) -> Timestamp {
        let since = SignedDuration::from_millis(i64::try_from(self.now_ms).unwrap_or(i64::MAX));
        let at = self.setting.scenario.run.at;
        at.checked_add(since).unwrap_or(Timestamp::MAX)
    }

    /// The first millisecond of the run that is not before an instant.
    fn ms_of(&self, instant: Timestamp) -> u64 {
        let since = instant.duration_since(self.setting.scenario.run.at);
        let whole_ms = since.as_millis() + i128::from(since.subsec_nanos() % 1_000_000 > 0);
        u64::try_from(whole_ms).unwrap_or(0)
    }

    /// Lets everything happen; `arrivals` are pods that want a node from the beginning.
    fn run(
        mut self,
        events: &'a [Event],
        mut arrivals: Vec<usize>,
        control: &Control,
    ) -> Result<(Outcome, EndState<'a>), String> {
        let last_ms = events.last().map_or(self.now_ms, |event| event.t_ms);
        let end_ms = last_ms.saturating_add(SETTLE_MS);
        let mut events = events.iter().zip(&self.setting.roster.pod_of_event).peekable();
        let mut first_snapshot = None;
        let mut decided: Option<Decided> = None;
        loop {
            let snapshot = self.world.snapshot();
            self.watcher.found(snapshot.replicas())?;
            let mut judge = Judge::new(&snapshot, self.setting.roster, self.nodes.names());
            self.nodes.locate(&judge);
            let decides = Decided {
                snapshot: snapshot.clone(),
                at: self.at(),
            };
            if let Some(before) = decided.replace(decides.clone()) {
                self.wake_admitted(before, decides);
            }
            self.confined_to.clear();
            self.region_labels = None;
            self.refusals.clear();
            if first_snapshot.is_none() && !self.nodes.is_empty() {
                first_snapshot = Some(snapshot.clone());
            }
            let ended = loop {
                for life in arrivals.drain(..) {
                    self.admit(life, &mut judge);
                }
                self.place_waiting(&mut judge, control);
                if control.stop.load(Ordering::Relaxed) {
                    break Ended::Stopped;
                }
                let next_event_ms = events.peek().map(|(event, _)| event.t_ms);
                let due = [next_event_ms, self.queue.next_ms()].into_iter().flatten().min();
                let Some(due_ms) = due.filter(|due_ms| *due_ms <= end_ms) else {
                    let last_ms = self.queue.run_out(end_ms).unwrap_or(0);
                    self.now_ms = self.now_ms.max(last_ms);
                    break Ended::Run;
                };
                self.sample_until(due_ms, &mut judge);
                self.now_ms = self.now_ms.max(due_ms);
                while let Some((event, pod)) = events.next_if(|(event, _)| event.t_ms <= self.now_ms) {
                    self.happen(&event.what, *pod, &mut judge, &mut arrivals)?;
                    control.events_done.fetch_add(1, Ordering::Relaxed);
                }
                if self.world.is_old() {
                    break Ended::WorldChanged;
                }
            };
            match ended {
                Ended::WorldChanged => {}
                Ended::Run => return Ok(self.finish(&mut judge, first_snapshot, true)),
                Ended::Stopped => return Ok(self.finish(&mut judge, first_snapshot, false)),
            }
        }
    }

    fn happen(
        &mut self,
        what: &'a What,
        pod: Option<usize>,
        judge: &mut Judge<'_>,
        arrivals: &mut Vec<usize>,
    ) -> Result<(), String> {
        match what {
            What::PodCreate(made) => {
                if let Some(life) = pod {
                    self.by_uid.insert(&made.uid, life);
                    arrivals.push(life);
                }
            }
            What::PodDelete(gone) => {
                if let Some(life) = self.by_uid.remove(gone.uid.as_str()) {
                    match arrivals.iter().position(|waits| *waits == life) {
                        Some(position) => {
                            arrivals.remove(position);
                            self.lives[life].ended_ms = Some(self.now_ms);
                        }
                        None => self.end(life, judge),
                    }
                }
            }
            What::NodeCordon(node) => self.cordon(&node.node, true),
            What::NodeUncordon(node) => self.cordon(&node.node, false),
            other => {
                if let What::NodeAdd(node) = other {
                    self.nodes.know(Cow::Borrowed(node));
                }
                self.watcher.tell(other)?;
                let changes = self.world.apply(other);
                for node in &changes.go {
                    self.lose_node(node, arrivals);
                }
                for node in &changes.come {
                    self.gain_node(node);
                }
            }
        }
        Ok(())
    }

    /// The kind of the pod of a life.
    fn kind(&self, life: usize) -> KindIndex {
        self.setting.roster.pods[life].kind
    }

    /// Whether the policies have a say in where this comparator puts pods.
    fn obeys_policies(&self) -> bool {
        self.manner.extends != Extends::Nothing || self.setting.comparator.writes_affinity().is_some()
    }
}

/// A pod that somebody made, by the index of the model.
fn remember(life_of: &mut Vec<usize>, pod: PodIndex, life: usize) {
    // Pods are counted in the order in which they come.
    debug_assert_eq!(life_of.len(), pod.get());
    life_of.push(life);
}

/// A name as many may share it.
type Name = Arc<str>;
