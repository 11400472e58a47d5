//! The loss of one region at the end of a run, and what becomes of its pods.
//!
//! Inputs: the state at the end, a region. Outputs: where its pods go, and who is cut off. Invariants: every other pod
//! stays where it is; the region is lost as by `region.down` of a trace; each region is lost by itself.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::judge::Judge;
use super::lives::Keeps;
use super::watcher::Watcher;
use super::{Control, Drive, Name, Setting};
use crate::model::{DataSetName, NodeName, RegionKey, RegionReference};
use crate::placement::ObstacleKind;
use crate::policy::{evaluate, reader_of};
use crate::simulation::kube::spec::PodSpec;
use crate::simulation::trace::{NamedRegion, TraceNode, What};
use crate::simulation::world::World;
use crate::snapshot::Snapshot;

/// The state at the end of a run.
#[derive(Debug, Clone)]
pub struct EndState<'a> {
    setting: Setting<'a>,
    world: World<'a>,
    watcher: Watcher<'a>,
    nodes: Vec<Cow<'a, TraceNode>>,
    /// The pods that run, by their place in the roster, with the names of their nodes.
    running: Vec<(usize, Name)>,
    now_ms: u64,
}

/// What the loss of a region does.
#[derive(Debug, Clone, Default)]
pub struct FailedRegion {
    /// The pods that ran there, by their place in the roster: what keeps them from a node, or what an access costs them
    /// where they go, where that is known.
    pub pods: BTreeMap<usize, Result<Option<u64>, Keeps>>,
    /// Pods that run elsewhere and whose accesses are cut off from there.
    pub cut_off: u64,
    /// Data sets that have a permitted region with nodes before, and none after.
    pub data_sets_without_region: Vec<String>,
    /// Data sets that have every copy there.
    pub data_sets_lost: Vec<String>,
}

impl<'a> EndState<'a> {
    pub(super) fn of(drive: &Drive<'a>) -> Self {
        let there = drive.nodes.all().iter().filter(|node| node.is_there);
        let nodes = there.filter_map(|node| drive.nodes.said(&NodeName::new(&node.name).ok()?).cloned());
        let lives = drive
            .lives
            .iter()
            .enumerate()
            .filter(|(_, life)| life.ended_ms.is_none());
        let running = lives.filter_map(|(index, life)| {
            let node = drive.nodes.get(life.node?)?;
            Some((index, node.name.clone()))
        });
        Self {
            setting: drive.setting,
            world: drive.world.clone(),
            watcher: drive.watcher.clone(),
            nodes: nodes.collect(),
            running: running.collect(),
            now_ms: drive.now_ms,
        }
    }

    /// The regions in which pods run or nodes are, in order.
    #[must_use]
    pub fn regions(&self) -> Vec<RegionKey> {
        let mut world = self.world.clone();
        let snapshot = world.snapshot();
        let classes = snapshot.classes().filter(|(_, class)| class.nodes > 0);
        let regions: BTreeSet<RegionKey> = classes.filter_map(|(_, class)| class.region.clone()).collect();
        regions.into_iter().collect()
    }
}

/// Loses a region.
///
/// # Errors
/// Where the checker cannot read a document.
pub fn fail_region(
    end: &EndState<'_>,
    region: &RegionKey,
    control: &Control,
) -> Result<FailedRegion, String> {
    let mut world = end.world.clone();
    let before = world.snapshot();
    let down = What::RegionDown(NamedRegion {
        region: region.clone(),
    });
    let lost: BTreeSet<NodeName> = world.apply(&down).go.into_iter().collect();
    let after = world.snapshot();
    let setting = Setting {
        events: &[],
        records_decisions: false,
        ..end.setting
    };
    let mut drive = Drive::in_world(setting, world, end.watcher.clone());
    drive.now_ms = end.now_ms;
    for node in &end.nodes {
        drive.nodes.know(node.clone());
        let name = NodeName::new(&node.spec.name)
            .ok()
            .filter(|name| !lost.contains(name));
        if let Some(name) = name {
            drive.gain_node(&name);
        }
    }
    let mut stranded = Vec::new();
    for (life, node) in &end.running {
        drive.lives[*life].began = true;
        match drive.cluster.node(node) {
            None => stranded.push(*life),
            Some(node) => {
                let spec = PodSpec {
                    node_name: None,
                    ..drive.setting.roster.pods[*life].pod.spec.clone()
                };
                let pod = drive.cluster.add_pod(&spec);
                super::remember(&mut drive.life_of, pod, *life);
                drive.lives[*life].pod = Some(pod);
                drive.settle(*life, node);
            }
        }
    }
    let cut_off = drive.cut_off(&after);
    let at = drive.at();
    let used = used_data_sets(&drive, &before);
    let regions_of = |snapshot: &Snapshot, name: &DataSetName| permitted_regions(snapshot, name, at);
    let without_region = used
        .iter()
        .filter(|name| !regions_of(&before, name).is_empty() && regions_of(&after, name).is_empty());
    let data_sets_without_region = without_region.map(ToString::to_string).collect();
    let lost = used.iter().filter(|name| is_all_in(&before, name, region));
    let data_sets_lost = lost.map(ToString::to_string).collect();
    let (outcome, _) = drive.run(&[], stranded.clone(), control)?;
    let pods = stranded.into_iter().filter_map(|index| {
        let life = outcome.lives.get(index)?;
        Some((index, life.kept_by().map_or(Ok(life.cost.us()), Err)))
    });
    Ok(FailedRegion {
        pods: pods.collect(),
        cut_off,
        data_sets_without_region,
        data_sets_lost,
    })
}

impl Drive<'_> {
    /// Pods whose accesses are cut off from where they run.
    fn cut_off(&self, snapshot: &Snapshot) -> u64 {
        let at = self.at();
        let mut judge = Judge::new(snapshot, self.setting.roster, self.nodes.names());
        let mut pods = 0;
        for (kind, nodes) in self.running.iter().enumerate() {
            for (node, count) in nodes {
                let class = judge.class(*node);
                let obstacles = judge.assessment(kind, at).obstacles(class);
                if obstacles
                    .iter()
                    .any(|obstacle| obstacle.kind == ObstacleKind::Unreachable)
                {
                    pods += u64::from(*count);
                }
            }
        }
        pods
    }
}

/// The data sets that pods of the run use.
fn used_data_sets(drive: &Drive<'_>, snapshot: &Snapshot) -> BTreeSet<DataSetName> {
    let kinds = drive.setting.roster.kinds.iter();
    let used = kinds.flat_map(|kind| kind.pod.annotations.access.data_sets.iter());
    let used = used.map(|used| used.name.clone());
    used.filter(|name| snapshot.replicas().get(name).is_some())
        .collect()
}

/// The regions with nodes where the policies permit a pod that reads a data set and does nothing else.
fn permitted_regions(snapshot: &Snapshot, name: &DataSetName, at: jiff::Timestamp) -> BTreeSet<RegionKey> {
    let Some(profile) = reader_of(snapshot.facts(), name, at) else {
        return BTreeSet::new();
    };
    let verdict = evaluate(snapshot.policies(), &profile, at);
    let classes = snapshot
        .classes()
        .filter(|(_, class)| class.nodes > 0 && verdict.permits(class.place, class.region_is_confirmed));
    classes.filter_map(|(_, class)| class.region.clone()).collect()
}

/// Whether every copy of a data set is in a region.
fn is_all_in(snapshot: &Snapshot, name: &DataSetName, region: &RegionKey) -> bool {
    let resolve = |reference: &RegionReference| snapshot.policies().catalogue().resolve(reference).cloned();
    let placed = snapshot.replicas().get(name);
    let replicas = placed.map_or(&[][..], |placed| placed.data_set.replicas.as_slice());
    let is_there = |reference: Option<&RegionReference>| reference.and_then(resolve).as_ref() == Some(region);
    !replicas.is_empty()
        && replicas
            .iter()
            .all(|replica| is_there(replica.locality.region.as_ref()))
}
