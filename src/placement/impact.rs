//! What another set of policies would change for the pods of a cluster.
//!
//! Inputs: the same fleet under two sets, its pods, an instant. Outputs: for each pod where it stands under both
//! and what makes the difference. *Before* is what is refused now, so where the present settings only observe
//! nothing is; *after* is what the other set refuses once it enforces, whether or not it does so already.
//! Invariants: every verdict is one of [`assess`]; pods that are alike are judged once; the work grows with
//! pods and with node classes, never with their product. Deliberately absent: what else keeps a pod from a
//! node (capacity, affinity, taints), and words.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::assessment::{Assessment, Refusal, assess};
use crate::model::{PodRequirements, Tuple};
use crate::policy::Mode;
use crate::snapshot::{ClassIndex, Snapshot};

/// How often the caller is told how far it is.
const PODS_BETWEEN_REPORTS: usize = 256;

/// The same fleet under two sets of policies.
#[derive(Debug)]
pub struct Worlds<'s> {
    /// What is in force.
    pub before: &'s Snapshot,
    /// What would be.
    pub after: &'s Snapshot,
    /// Nodes that neither world tells apart, and how many they are.
    classes: Vec<(ClassIndex, ClassIndex, usize)>,
}

/// A change of a pod's lot, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// The node where it runs is refused from now on.
    RefusedOnNode,
    /// No node of the fleet is permitted any more.
    Unschedulable,
    /// Some nodes are refused from now on, and some are left.
    LosesNodes,
    /// The node where it runs was refused, and no longer is.
    PermittedOnNode,
    /// No node of the fleet was permitted, and some are now.
    Schedulable,
    /// Some nodes are permitted from now on, beside some that were.
    GainsNodes,
}

impl Change {
    /// Every change, the worst first.
    pub const ALL: [Self; 6] = [
        Self::RefusedOnNode,
        Self::Unschedulable,
        Self::LosesNodes,
        Self::PermittedOnNode,
        Self::Schedulable,
        Self::GainsNodes,
    ];

    /// The word that reports use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::RefusedOnNode => "refused-on-node",
            Self::Unschedulable => "unschedulable",
            Self::LosesNodes => "loses-nodes",
            Self::PermittedOnNode => "permitted-on-node",
            Self::Schedulable => "schedulable",
            Self::GainsNodes => "gains-nodes",
        }
    }

    /// Whether it takes something from the pod.
    #[must_use]
    pub fn is_loss(self) -> bool {
        matches!(self, Self::RefusedOnNode | Self::Unschedulable | Self::LosesNodes)
    }

    /// Whether it keeps a pod from running that runs, or could.
    #[must_use]
    pub fn stops_pods(self) -> bool {
        matches!(self, Self::RefusedOnNode | Self::Unschedulable)
    }
}

/// Where a pod stands under one set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Standing {
    /// Whether the node where it runs is permitted; `None` where it runs on none.
    pub on_node: Option<bool>,
    /// How many nodes of the fleet are permitted.
    pub permitted_nodes: usize,
}

/// What has no rule to go by under the other set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// The policies decide about it.
    Governed,
    /// Nobody says what its data is, and the settings let that run.
    Unlabelled,
    /// Its namespace is exempt and nothing else speaks about it.
    Exempt,
    /// It says that it has no governed data, or only public data about nobody.
    Ungoverned,
}

impl Control {
    /// The word that reports use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Governed => "governed",
            Self::Unlabelled => "unlabelled",
            Self::Exempt => "exempt",
            Self::Ungoverned => "ungoverned",
        }
    }
}

/// What changes for one pod.
#[derive(Debug, Clone)]
pub struct PodImpact<'p> {
    /// The pod.
    pub pod: &'p PodRequirements,
    /// Where it stands now.
    pub before: Standing,
    /// Where it would stand.
    pub after: Standing,
    /// How many nodes are refused that were permitted.
    pub nodes_lost: usize,
    /// How many nodes are permitted that were refused.
    pub nodes_gained: usize,
    /// What refuses them, under the other set, in the order of causes.
    pub lost_by: Vec<Refusal>,
    /// What refused them, under the present set, in the order of causes.
    pub gained_by: Vec<Refusal>,
    /// Rules of the other set that would refuse the node where it runs, were they enforced.
    pub recorded_by: Vec<(Refusal, Mode)>,
    /// Whether the policies have a say at all.
    pub control: Control,
    /// What a refused pod would bear, under the other set.
    pub sentence: Option<String>,
}

impl PodImpact<'_> {
    /// What changes, the worst first.
    pub fn changes(&self) -> impl Iterator<Item = Change> {
        let (before, after) = (self.before, self.after);
        let on_node = (before.on_node, after.on_node);
        Change::ALL.into_iter().filter(move |change| match change {
            Change::RefusedOnNode => on_node == (Some(true), Some(false)),
            Change::PermittedOnNode => on_node == (Some(false), Some(true)),
            Change::Unschedulable => before.permitted_nodes > 0 && after.permitted_nodes == 0,
            Change::Schedulable => before.permitted_nodes == 0 && after.permitted_nodes > 0,
            Change::LosesNodes => self.nodes_lost > 0 && after.permitted_nodes > 0,
            Change::GainsNodes => self.nodes_gained > 0 && before.permitted_nodes > 0,
        })
    }
}

impl<'s> Worlds<'s> {
    /// Puts the two beside each other.
    #[must_use]
    pub fn new(before: &'s Snapshot, after: &'s Snapshot) -> Self {
        let mut nodes: BTreeMap<(ClassIndex, ClassIndex), usize> = BTreeMap::new();
        for name in before.fleet().nodes.keys() {
            let name = name.as_str().as_bytes();
            if let (Some(one), Some(other)) = (before.class_of(name), after.class_of(name)) {
                *nodes.entry((one, other)).or_default() += 1;
            }
        }
        let classes = nodes.into_iter().map(|((one, other), nodes)| (one, other, nodes));
        Self {
            before,
            after,
            classes: classes.collect(),
        }
    }

    /// Judges every pod under both sets. The answer is in the order of namespaces, owners and names; `progress`
    /// is told how many of how many are done.
    pub fn impact<'p>(
        &self,
        pods: &'p [PodRequirements],
        now: Timestamp,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Vec<PodImpact<'p>> {
        // Pods of one owner are alike, so that each is judged like the one before it.
        let mut sorted: Vec<&PodRequirements> = pods.iter().collect();
        sorted.sort_by_cached_key(|pod| {
            let owner = pod.owner.as_ref().map(|owner| (&owner.kind, &owner.name));
            (&pod.namespace, owner, &pod.name, &pod.uid)
        });
        let mut impacts = Vec::with_capacity(sorted.len());
        let mut judged: Option<Judged<'_>> = None;
        for (done, pod) in sorted.into_iter().enumerate() {
            if done.is_multiple_of(PODS_BETWEEN_REPORTS) {
                progress(done, pods.len());
            }
            let like_before = judged.take().filter(|judged| are_alike(judged.pod, pod));
            let this = like_before.unwrap_or_else(|| self.judge(pod, now));
            impacts.push(self.of_pod(&this, pod));
            judged = Some(this);
        }
        progress(pods.len(), pods.len());
        impacts
    }

    fn judge<'p>(&self, pod: &'p PodRequirements, now: Timestamp) -> Judged<'p>
    where
        's: 'p,
    {
        let before = assess(self.before, pod, now);
        let after = assess(self.after, pod, now);
        let mut judged = Judged {
            pod,
            permitted_before: 0,
            permitted_after: 0,
            nodes_lost: 0,
            nodes_gained: 0,
            lost_by: Vec::new(),
            gained_by: Vec::new(),
            control: control(&after, pod),
            before,
            after,
        };
        for (one, other, nodes) in &self.classes {
            let (one, other) = (Some(*one), Some(*other));
            let (was, is) = (judged.before.passes(one), judged.after.permits(other));
            judged.permitted_before += if was { *nodes } else { 0 };
            judged.permitted_after += if is { *nodes } else { 0 };
            match (was, is) {
                (true, false) => {
                    judged.nodes_lost += nodes;
                    judged.lost_by.extend(refusing(&judged.after, other));
                }
                (false, true) => {
                    judged.nodes_gained += nodes;
                    judged.gained_by.extend(refusing(&judged.before, one));
                }
                _ => {}
            }
        }
        sort_and_dedup(&mut judged.lost_by);
        sort_and_dedup(&mut judged.gained_by);
        judged
    }

    fn of_pod<'p>(&self, judged: &Judged<'_>, pod: &'p PodRequirements) -> PodImpact<'p> {
        let (before, after) = (&judged.before, &judged.after);
        let mut impact = PodImpact {
            pod,
            before: Standing {
                on_node: None,
                permitted_nodes: judged.permitted_before,
            },
            after: Standing {
                on_node: None,
                permitted_nodes: judged.permitted_after,
            },
            nodes_lost: judged.nodes_lost,
            nodes_gained: judged.nodes_gained,
            lost_by: judged.lost_by.clone(),
            gained_by: judged.gained_by.clone(),
            recorded_by: Vec::new(),
            control: judged.control,
            sentence: None,
        };
        if let Some(node) = &pod.node {
            // A node that the dump does not hold is no class of either world; its refusals are not among
            // those of the classes.
            let name = node.as_str().as_bytes();
            let (was_in, is_in) = (self.before.class_of(name), self.after.class_of(name));
            let (was, is) = (before.passes(was_in), after.permits(is_in));
            impact.before.on_node = Some(was);
            impact.after.on_node = Some(is);
            if was && !is {
                impact.lost_by.extend(refusing(after, is_in));
            }
            if !was && is {
                impact.gained_by.extend(refusing(before, was_in));
            }
            sort_and_dedup(&mut impact.lost_by);
            sort_and_dedup(&mut impact.gained_by);
            let recorded = after.refusals(is_in).filter(|(_, mode)| *mode != Mode::Enforce);
            impact.recorded_by = recorded.collect();
        }
        let loses = !impact.lost_by.is_empty();
        impact.sentence = loses.then(|| after.sentence());
        impact
    }
}

/// A pod under both sets, as far as pods like it share the answer.
struct Judged<'p> {
    pod: &'p PodRequirements,
    before: Assessment<'p>,
    after: Assessment<'p>,
    permitted_before: usize,
    permitted_after: usize,
    nodes_lost: usize,
    nodes_gained: usize,
    lost_by: Vec<Refusal>,
    gained_by: Vec<Refusal>,
    control: Control,
}

/// Whether two pods differ in nothing that decides: their names, their nodes and what became of them do not.
fn are_alike(one: &PodRequirements, other: &PodRequirements) -> bool {
    let PodRequirements {
        namespace,
        name: _,
        uid: _,
        owner,
        labels,
        annotations,
        volumes,
        node: _,
        scheduler: _,
        admitted_places: _,
    } = one;
    *namespace == other.namespace
        && *owner == other.owner
        && *labels == other.labels
        && *annotations == other.annotations
        && *volumes == other.volumes
}

fn refusing(assessment: &Assessment<'_>, class: Option<ClassIndex>) -> impl Iterator<Item = Refusal> {
    let refusals = assessment.refusals(class);
    refusals.filter_map(|(refusal, mode)| (mode == Mode::Enforce).then_some(refusal))
}

fn sort_and_dedup(refusals: &mut Vec<Refusal>) {
    refusals.sort();
    refusals.dedup();
}

fn control(assessment: &Assessment<'_>, pod: &PodRequirements) -> Control {
    let settings = assessment.snapshot.policies().settings();
    let tuples = &assessment.profile.tuples;
    if assessment.verdict.governed {
        Control::Governed
    } else if tuples.iter().any(|sourced| sourced.tuple == Tuple::Unlabelled) {
        Control::Unlabelled
    } else if tuples.is_empty() && settings.exempt_namespaces.contains(&pod.namespace) {
        Control::Exempt
    } else {
        Control::Ungoverned
    }
}
