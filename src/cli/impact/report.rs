//! The report of an impact: totals, and pods grouped by what makes the difference.
//!
//! Inputs: the impact of each pod. Outputs: serialisable values, from which the three forms are made, so that
//! they cannot disagree.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::explanation::{DemandInWords, VERSION, place};
use crate::placement::{Change, Control, PodImpact, Refusal, Worlds};
use crate::policy::{LIMITS_OF_CONTROL, Mode, PolicySet};
use crate::snapshot::{ClassIndex, Snapshot};

/// What the parts are called in the report.
#[derive(Debug)]
pub struct Names {
    /// The present set.
    pub before: String,
    /// The other set.
    pub after: String,
    /// The dump.
    pub dump: String,
}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report<'a> {
    v: u32,
    kind: &'static str,
    /// The instant of every verdict.
    pub at: String,
    /// The set that is there now.
    pub before: SetInWords<'a>,
    /// The set that would come.
    pub after: SetInWords<'a>,
    /// What was judged.
    pub fleet: FleetInWords<'a>,
    /// Pods by what changes for them.
    pub totals: Totals,
    /// Pods that stand as they did.
    pub as_before: AsBefore,
    /// What takes nodes away, under the set that would come.
    pub lost_by: Vec<CauseGroup>,
    /// What kept nodes away, under the set that is there now.
    pub gained_by: Vec<CauseGroup>,
    /// Rules of the set that would come that refuse nothing, and would refuse the node of a pod.
    pub recorded_by: Vec<RecordedGroup>,
    /// Pods about whose data nobody says anything, and which the settings let run.
    pub outside_control: OutsideControl<'a>,
    /// Every pod, in the order of namespaces, owners and names.
    pub pods: Vec<PodRow<'a>>,
    /// What no answer of ours speaks of.
    pub does_not_speak_of: &'static [&'static str],
}

/// A set of policies.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SetInWords<'a> {
    pub name: &'a str,
    /// The hash of its files.
    pub policy_set: &'a str,
    /// Whether its settings only observe, so that nothing is refused.
    pub observes: bool,
}

/// The dump.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FleetInWords<'a> {
    pub name: &'a str,
    pub nodes: usize,
    /// How many pods were judged.
    pub pods: usize,
    /// How many ended and were not.
    pub ended_pods: usize,
    /// Kinds of which the dump says nothing, so that what they state about data was not considered.
    pub not_in_dump: Vec<&'static str>,
    /// Judged pods by the scheduler that they ask for.
    pub schedulers: BTreeMap<&'a str, usize>,
}

/// How many pods; one pod may be in several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    pub refused_on_node: usize,
    pub unschedulable: usize,
    pub loses_nodes: usize,
    pub permitted_on_node: usize,
    pub schedulable: usize,
    pub gains_nodes: usize,
}

/// How many pods stand as they did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AsBefore {
    /// Nothing changes for them.
    pub unchanged: usize,
    /// They run where both sets refuse them.
    pub refused_on_node: usize,
    /// They have no node under either set.
    pub unschedulable: usize,
}

impl Totals {
    fn add(&mut self, changes: &[Change]) {
        for change in changes {
            *self.of(*change) += 1;
        }
    }

    fn of(&mut self, change: Change) -> &mut usize {
        match change {
            Change::RefusedOnNode => &mut self.refused_on_node,
            Change::Unschedulable => &mut self.unschedulable,
            Change::LosesNodes => &mut self.loses_nodes,
            Change::PermittedOnNode => &mut self.permitted_on_node,
            Change::Schedulable => &mut self.schedulable,
            Change::GainsNodes => &mut self.gains_nodes,
        }
    }

    /// The number of one change.
    #[must_use]
    pub fn get(mut self, change: Change) -> usize {
        *self.of(change)
    }
}

/// The pods for which one cause makes a difference. A pod for which several do is counted by each.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CauseGroup {
    #[serde(flatten)]
    pub demand: DemandInWords,
    pub pods: usize,
    pub totals: Totals,
    #[serde(skip)]
    pub workloads: Vec<WorkloadLine>,
}

/// Pods of one workload for which everything is the same but the node.
#[derive(Debug)]
pub struct WorkloadLine {
    pub namespace: String,
    pub workload: String,
    pub nodes_before: usize,
    pub nodes_after: usize,
    /// Of annotations that cannot be read: which, and why.
    pub problem: Option<String>,
    pub pods: usize,
    /// Pods whose node changes sides, by its region.
    pub on_node: BTreeMap<String, usize>,
}

/// The pods that a rule would refuse where they run, were it enforced.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedGroup {
    #[serde(flatten)]
    pub demand: DemandInWords,
    pub mode: &'static str,
    pub pods: usize,
}

/// Pods that no policy has a say in.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutsideControl<'a> {
    /// How many are unlabelled.
    pub unlabelled_pods: usize,
    /// The same by namespace.
    pub unlabelled_namespaces: BTreeMap<&'a str, usize>,
    /// How many are in exempt namespaces and carry nothing else.
    pub exempt_pods: usize,
}

/// One pod.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodRow<'a> {
    pub namespace: &'a str,
    pub name: &'a str,
    pub workload: Option<String>,
    pub scheduler: &'a str,
    pub node: Option<&'a str>,
    pub region: Option<String>,
    /// What changes, the worst first; empty is nothing.
    pub changes: Vec<&'static str>,
    pub permitted_on_node_before: Option<bool>,
    pub permitted_on_node_after: Option<bool>,
    pub permitted_nodes_before: usize,
    pub permitted_nodes_after: usize,
    pub nodes_lost: usize,
    pub nodes_gained: usize,
    pub lost_by: Vec<String>,
    pub gained_by: Vec<String>,
    pub recorded_by: Vec<String>,
    /// `governed`, `unlabelled`, `exempt` or `ungoverned`.
    pub control: &'static str,
    /// Whom to ask about what takes nodes away.
    pub ask: Vec<String>,
    /// What kube-scheduler would show of a refused node.
    pub sentence: Option<&'a str>,
}

impl<'a> Report<'a> {
    /// Reports impacts.
    #[must_use]
    pub fn new(
        worlds: &Worlds<'a>,
        names: &'a Names,
        pods: &'a [PodImpact<'a>],
        ended_pods: usize,
        at: Timestamp,
    ) -> Self {
        let (before, after) = (worlds.before, worlds.after);
        let mut gathering = Gathering {
            before: Demands::of(before),
            after: Demands::of(after),
            regions: Regions::of(before),
            totals: Totals::default(),
            as_before: AsBefore::default(),
            lost_by: BTreeMap::new(),
            gained_by: BTreeMap::new(),
            recorded_by: BTreeMap::new(),
            outside_control: OutsideControl::default(),
            schedulers: BTreeMap::new(),
        };
        let rows = pods.iter().map(|impact| gathering.add(impact)).collect();
        let set = |name: &'a str, snapshot: &'a Snapshot| SetInWords {
            name,
            policy_set: snapshot.policies().digest(),
            observes: snapshot.policies().settings().observe,
        };
        let recorded = gathering.recorded_by.into_iter();
        Self {
            v: VERSION,
            kind: "impact",
            at: at.to_string(),
            before: set(&names.before, before),
            after: set(&names.after, after),
            fleet: FleetInWords {
                name: &names.dump,
                nodes: before.node_count(),
                pods: pods.len(),
                ended_pods,
                not_in_dump: not_in_dump(before),
                schedulers: gathering.schedulers,
            },
            totals: gathering.totals,
            as_before: gathering.as_before,
            lost_by: groups(after.policies(), gathering.lost_by),
            gained_by: groups(before.policies(), gathering.gained_by),
            recorded_by: recorded
                .map(|((refusal, mode), pods)| RecordedGroup {
                    demand: DemandInWords::new(after.policies(), refusal),
                    mode,
                    pods,
                })
                .collect(),
            outside_control: gathering.outside_control,
            pods: rows,
            does_not_speak_of: &LIMITS_OF_CONTROL,
        }
    }

    /// Whether a pod would be refused where it runs, or left without any node.
    #[must_use]
    pub fn stops_pods(&self) -> bool {
        let stopping = Change::ALL.into_iter().filter(|change| change.stops_pods());
        stopping.map(|change| self.totals.get(change)).sum::<usize>() > 0
    }
}

/// The kinds that state what data is and of which the dump says nothing.
fn not_in_dump(snapshot: &Snapshot) -> Vec<&'static str> {
    let fleet = snapshot.fleet();
    let kinds = [
        ("namespaces", fleet.namespaces.is_none()),
        ("persistent volume claims", fleet.claims.is_none()),
        ("persistent volumes", fleet.volumes.is_none()),
        ("storage classes", fleet.storage_classes.is_none()),
    ];
    kinds
        .into_iter()
        .filter_map(|(kind, is_missing)| is_missing.then_some(kind))
        .collect()
}

/// What a group is known by while it grows: a workload, its numbers, and an annotation's problem.
type WorkloadKey = (String, String, usize, usize, Option<String>);

#[derive(Default)]
struct Growing {
    pods: usize,
    totals: Totals,
    workloads: BTreeMap<WorkloadKey, (usize, BTreeMap<String, usize>)>,
}

struct Gathering<'a> {
    before: Demands<'a>,
    after: Demands<'a>,
    regions: Regions<'a>,
    totals: Totals,
    as_before: AsBefore,
    lost_by: BTreeMap<Refusal, Growing>,
    gained_by: BTreeMap<Refusal, Growing>,
    recorded_by: BTreeMap<(Refusal, &'static str), usize>,
    outside_control: OutsideControl<'a>,
    schedulers: BTreeMap<&'a str, usize>,
}

impl<'a> Gathering<'a> {
    fn add(&mut self, impact: &'a PodImpact<'a>) -> PodRow<'a> {
        let pod = impact.pod;
        let changes: Vec<Change> = impact.changes().collect();
        let workload = pod
            .workload()
            .map(|owner| format!("{}/{}", owner.kind, owner.name));
        let node = pod.node.as_ref().map(|node| node.as_str());
        let region = node.map(|node| self.regions.of_node(node));
        self.totals.add(&changes);
        let both = [impact.before, impact.after];
        let as_before = &mut self.as_before;
        as_before.unchanged += usize::from(changes.is_empty());
        as_before.refused_on_node += usize::from(both.iter().all(|it| it.on_node == Some(false)));
        as_before.unschedulable += usize::from(both.iter().all(|it| it.permitted_nodes == 0));
        *self.schedulers.entry(&pod.scheduler).or_default() += 1;
        match impact.control {
            Control::Unlabelled => {
                let outside = &mut self.outside_control;
                outside.unlabelled_pods += 1;
                *outside
                    .unlabelled_namespaces
                    .entry(pod.namespace.as_str())
                    .or_default() += 1;
            }
            Control::Exempt => self.outside_control.exempt_pods += 1,
            Control::Governed | Control::Ungoverned => {}
        }
        for (is_loss, causes, groups) in [
            (true, &impact.lost_by, &mut self.lost_by),
            (false, &impact.gained_by, &mut self.gained_by),
        ] {
            let of_side: Vec<Change> = changes
                .iter()
                .copied()
                .filter(|change| change.is_loss() == is_loss)
                .collect();
            let switches = [Change::RefusedOnNode, Change::PermittedOnNode];
            let moves = of_side.iter().any(|change| switches.contains(change));
            for cause in causes {
                let group = groups.entry(*cause).or_default();
                group.pods += 1;
                group.totals.add(&of_side);
                let is_malformed = cause.code() == crate::placement::ReasonCode::MalformedAnnotation;
                let key = (
                    pod.namespace.as_str().to_owned(),
                    workload.clone().unwrap_or_else(|| format!("Pod/{}", pod.name)),
                    impact.before.permitted_nodes,
                    impact.after.permitted_nodes,
                    impact.sentence.clone().filter(|_| is_malformed),
                );
                let (pods, on_node) = group.workloads.entry(key).or_default();
                *pods += 1;
                if let Some(region) = region.as_ref().filter(|_| moves) {
                    *on_node.entry(region.clone()).or_default() += 1;
                }
            }
        }
        for (refusal, mode) in &impact.recorded_by {
            *self.recorded_by.entry((*refusal, mode.word())).or_default() += 1;
        }
        let lost_by = self.after.named(&impact.lost_by);
        PodRow {
            namespace: pod.namespace.as_str(),
            name: &pod.name,
            workload,
            scheduler: &pod.scheduler,
            node,
            region,
            changes: changes.into_iter().map(Change::word).collect(),
            permitted_on_node_before: impact.before.on_node,
            permitted_on_node_after: impact.after.on_node,
            permitted_nodes_before: impact.before.permitted_nodes,
            permitted_nodes_after: impact.after.permitted_nodes,
            nodes_lost: impact.nodes_lost,
            nodes_gained: impact.nodes_gained,
            ask: self.after.contacts(&impact.lost_by),
            lost_by,
            gained_by: self.before.named(&impact.gained_by),
            recorded_by: impact
                .recorded_by
                .iter()
                .flat_map(|(refusal, _): &(Refusal, Mode)| self.after.named(&[*refusal]))
                .collect(),
            control: impact.control.word(),
            sentence: impact.sentence.as_deref(),
        }
    }
}

/// The groups, those that stop most pods first.
fn groups(set: &PolicySet, groups: BTreeMap<Refusal, Growing>) -> Vec<CauseGroup> {
    let groups = groups.into_iter().map(|(refusal, group)| CauseGroup {
        demand: DemandInWords::new(set, refusal),
        pods: group.pods,
        totals: group.totals,
        workloads: workload_lines(group.workloads),
    });
    let mut groups: Vec<CauseGroup> = groups.collect();
    groups.sort_by_key(|group| {
        let stopped = group.totals.refused_on_node + group.totals.unschedulable;
        Reverse((stopped, group.pods))
    });
    groups
}

fn workload_lines(workloads: BTreeMap<WorkloadKey, (usize, BTreeMap<String, usize>)>) -> Vec<WorkloadLine> {
    let lines = workloads.into_iter().map(|(key, (pods, on_node))| {
        let (namespace, workload, nodes_before, nodes_after, problem) = key;
        WorkloadLine {
            namespace,
            workload,
            nodes_before,
            nodes_after,
            problem,
            pods,
            on_node,
        }
    });
    let mut lines: Vec<WorkloadLine> = lines.collect();
    lines.sort_by_key(|line| {
        let moved: usize = line.on_node.values().sum();
        Reverse((moved, line.nodes_after == 0, line.pods))
    });
    lines
}

/// What each cause of a set is called, and whom to ask about it.
struct Demands<'a> {
    set: &'a PolicySet,
    known: BTreeMap<Refusal, (String, Option<String>)>,
}

impl<'a> Demands<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        Self {
            set: snapshot.policies(),
            known: BTreeMap::new(),
        }
    }

    fn get(&mut self, refusal: Refusal) -> &(String, Option<String>) {
        self.known.entry(refusal).or_insert_with(|| {
            let demand = DemandInWords::new(self.set, refusal);
            (demand.short_name().to_owned(), demand.contact)
        })
    }

    fn named(&mut self, refusals: &[Refusal]) -> Vec<String> {
        let names = refusals.iter().map(|refusal| self.get(*refusal).0.clone());
        names.collect()
    }

    fn contacts(&mut self, refusals: &[Refusal]) -> Vec<String> {
        let mut contacts: Vec<String> = Vec::new();
        for refusal in refusals {
            if let (_, Some(contact)) = self.get(*refusal)
                && !contacts.contains(contact)
            {
                contacts.push(contact.clone());
            }
        }
        contacts
    }
}

/// The region of each node in words.
struct Regions<'a> {
    snapshot: &'a Snapshot,
    known: BTreeMap<ClassIndex, String>,
}

impl<'a> Regions<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        Self {
            snapshot,
            known: BTreeMap::new(),
        }
    }

    fn of_node(&mut self, node: &str) -> String {
        let Some(index) = self.snapshot.class_of(node.as_bytes()) else {
            return "a node that is not in the dump".to_owned();
        };
        let describe = || {
            let class = self.snapshot.class(index);
            class.map_or(String::new(), |class| {
                place(self.snapshot, class).region_in_words()
            })
        };
        self.known.entry(index).or_insert_with(describe).clone()
    }
}
