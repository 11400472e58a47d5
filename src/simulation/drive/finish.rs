//! What a drive came to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::failure::EndState;
use super::judge::Judge;
use super::lives::{Keeps, PodLife};
use super::nodes::UNKNOWN_PLACE;
use super::{Drive, Name};
use crate::simulation::summary::{RegionUse, Sample};
use crate::snapshot::Snapshot;

/// Bytes of a mebibyte.
const MEBI: u64 = 1 << 20;

/// What a drive came to.
#[derive(Debug)]
pub struct Outcome {
    /// Whether it came to its end.
    pub complete: bool,
    /// What became of each pod, in the order of the roster.
    pub lives: Vec<PodLife>,
    /// What is said of each kind of pods at the end, in the order of the roster.
    pub kinds: Vec<KindEnd>,
    /// The nodes that ever came, by the index of the model.
    pub nodes: Vec<OutcomeNode>,
    /// What each region carries at the end.
    pub regions: Vec<RegionUse>,
    /// The samples.
    pub timeline: Vec<Sample>,
    /// Every attempt as a line of JSON, where they were to be recorded.
    pub decisions: String,
    /// The id of the first snapshot with nodes, and the hash of its policies.
    pub first_snapshot: Option<(String, String)>,
    /// Whether the settings of that snapshot only observe.
    pub observes: bool,
}

/// What is said of a kind of pods when a run ends.
#[derive(Debug, Clone, Default)]
pub struct KindEnd {
    /// The policies that take a node of the fleet from it.
    pub binding_policies: BTreeSet<String>,
    /// What it is told, where nothing is permitted.
    pub refused: Option<String>,
    /// The data sets that it uses.
    pub data_sets: BTreeSet<String>,
    /// By region of the fleet what refuses it there; a region with a permitted node is not there.
    pub refused_in: BTreeMap<String, BTreeSet<String>>,
    /// By permitted region what an access costs there at the least, in microseconds; nothing where the policies have no say
    /// in who goes where, where others that run sway it, and of regions of which nobody knows.
    pub costs: BTreeMap<String, u64>,
}

/// A node that came.
#[derive(Debug, Clone)]
pub struct OutcomeNode {
    /// Its name.
    pub name: Name,
    /// The region in which it counts.
    pub region: Name,
}

impl<'a> Drive<'a> {
    /// Weighs what is left and sums up.
    pub(super) fn finish(
        mut self,
        judge: &mut Judge<'_>,
        first_snapshot: Option<Arc<Snapshot>>,
        complete: bool,
    ) -> (Outcome, EndState<'a>) {
        let at = self.at();
        self.sample(self.now_ms, judge);
        for life in 0..self.lives.len() {
            if let Some(pod) = self.lives[life].pod {
                self.lives[life].attempts += u64::from(self.queue.attempts(pod));
            }
            if self.lives[life].began && self.lives[life].ended_ms.is_none() {
                self.weigh(life, judge);
                let kind = self.kind(life);
                let node = self.lives[life].node.and_then(|node| self.nodes.get(node));
                if let Some(place) = node.map(|node| node.place) {
                    let roster = self.setting.roster;
                    let breach = self.watcher.breach((kind, &roster.kinds[kind]), place, at);
                    self.lives[life].forbidden_at_end = breach.is_some();
                }
            }
        }
        let kinds = (0..self.setting.roster.kinds.len()).map(|kind| self.kind_end(kind, judge));
        let kinds: Vec<KindEnd> = kinds.collect();
        let end = EndState::of(&self);
        let regions = self.regions();
        let nodes = self.nodes.all().iter().map(|node| OutcomeNode {
            name: node.name.clone(),
            region: node.region.clone(),
        });
        let outcome = Outcome {
            complete,
            kinds,
            nodes: nodes.collect(),
            regions,
            timeline: self.samples.taken,
            decisions: self.decisions,
            observes: first_snapshot
                .as_ref()
                .is_some_and(|snapshot| snapshot.policies().settings().observe),
            first_snapshot: first_snapshot
                .map(|snapshot| (snapshot.id().to_owned(), snapshot.policies().digest().to_owned())),
            lives: self.lives,
        };
        (outcome, end)
    }

    fn kind_end(&self, kind: usize, judge: &mut Judge<'_>) -> KindEnd {
        let at = self.at();
        let assessment = judge.assessment(kind, at);
        let is_refused = !assessment.observes() && assessment.permitted_nodes() == 0;
        let data_sets = assessment.profile.access.data_sets.iter();
        KindEnd {
            data_sets: data_sets.map(|used| used.name.to_string()).collect(),
            refused: is_refused.then(|| assessment.sentence()),
            binding_policies: judge.binding_policies(kind, at),
            refused_in: judge
                .refused_in(kind, at)
                .into_iter()
                .map(|(region, causes)| (region.to_string(), causes))
                .collect(),
            costs: match self.obeys_policies() {
                true => judge.costs_by_region(kind, at),
                false => BTreeMap::new(),
            },
        }
    }

    fn regions(&self) -> Vec<RegionUse> {
        let mut regions: Vec<RegionUse> = self
            .loads()
            .into_iter()
            .map(|(region, load)| RegionUse {
                nodes: load.nodes,
                pods: 0,
                cpu_asked_milli: load.cpu_asked,
                cpu_milli: load.cpu,
                memory_asked_mebi: load.memory_asked / MEBI,
                memory_mebi: load.memory / MEBI,
                most_cpu_permille: self.samples.most_cpu_permille.get(&region).copied().unwrap_or(0),
                region: region.to_string(),
            })
            .collect();
        for life in self.lives.iter().filter(|life| life.ended_ms.is_none()) {
            let node = life.node.and_then(|node| self.nodes.get(node));
            let Some(name) = node.map(|node| &*node.region) else {
                continue;
            };
            if let Ok(position) = regions.binary_search_by(|region| region.region.as_str().cmp(name))
                && let Some(region) = regions.get_mut(position)
            {
                region.pods += 1;
            }
        }
        regions
    }
}

impl Outcome {
    /// The region of a pod where it is, or was when it ended.
    #[must_use]
    pub fn region(&self, life: &PodLife) -> Option<&str> {
        let node = self.nodes.get(life.node?.get());
        Some(node.map_or(UNKNOWN_PLACE, |node| &*node.region))
    }

    /// The node of a pod where it is, or was when it ended.
    #[must_use]
    pub fn node(&self, life: &PodLife) -> Option<&str> {
        self.nodes.get(life.node?.get()).map(|node| &*node.name)
    }
}

impl PodLife {
    /// Whether it wanted a node.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.began && !self.already_there
    }

    /// How long it waited for its first node, where it got one.
    #[must_use]
    pub fn waited_ms(&self) -> Option<u64> {
        Some(self.first_bound_ms?.saturating_sub(self.began_ms))
    }

    /// What keeps it from a node, where it has none.
    #[must_use]
    pub fn kept_by(&self) -> Option<Keeps> {
        self.keeps.filter(|_| self.node.is_none())
    }
}
