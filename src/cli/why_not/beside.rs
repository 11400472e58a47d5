//! What stands in the way beside the policy, as `why-not` tells it.
//!
//! Inputs: what the model of kube-scheduler says of the permitted nodes. Outputs: a part of the answer, in words and as
//! JSON. Deliberately absent: the judgement, which is that of the simulator.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::{MOST_EXAMPLES, counted_by_region};
use crate::cli::counted::counted;
use crate::cli::explanation::place;
use crate::placement::Assessment;
use crate::simulation::kube::Rejector;
use crate::simulation::kube::spec::{Taint, TaintEffect};
use crate::simulation::{Beside, BesideFacts, DeadSpread, HinderedNodes};

/// How many domains the text names.
const MOST_DOMAINS: usize = 6;

/// What stands in the way on permitted nodes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BesideReport {
    /// Permitted nodes on which nothing of this stands in the way; absent where that is not known.
    pub open_nodes: Option<usize>,
    hindered: Vec<HinderedGroup>,
    spread: Vec<SpreadReport>,
    /// What is not judged, and why.
    not_judged: Vec<String>,
}

/// Permitted nodes from which one thing turns the pod away; each node counts for the first that does.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct HinderedGroup {
    /// The plugin of kube-scheduler.
    plugin: &'static str,
    /// The taint, as kubectl writes it.
    taint: Option<String>,
    says: String,
    fix: &'static str,
    nodes: usize,
    /// How many nodes in each region.
    regions: BTreeMap<String, usize>,
    /// A few of them.
    examples: Vec<String>,
}

/// A hard spread constraint that stops a workload.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct SpreadReport {
    topology_key: String,
    max_skew: i32,
    min_domains: Option<i32>,
    says: String,
    fix: String,
    domains: usize,
    /// Those without a permitted node.
    forbidden: Vec<String>,
    /// Those with permitted nodes, from all of which something else turns the pod away.
    closed: Vec<String>,
    open: usize,
    /// How many more such pods can be placed.
    room: u64,
}

impl BesideReport {
    /// Judges a pod on the nodes that an assessment permits; `None` where it permits none.
    pub fn of(assessment: &Assessment<'_>, facts: BesideFacts<'_>) -> Option<Self> {
        if assessment.permitted_nodes() == 0 {
            return None;
        }
        let class_of = |node: &str| assessment.snapshot.class_of(node.as_bytes());
        let is_permitted = |node: &str| assessment.permits(class_of(node));
        Some(match Beside::judge(facts, is_permitted) {
            Ok(beside) => Self {
                open_nodes: Some(beside.open.len()),
                hindered: (beside.hindered.iter())
                    .map(|group| HinderedGroup::new(assessment, group))
                    .collect(),
                spread: beside.spread.into_iter().map(SpreadReport::new).collect(),
                not_judged: beside.notes,
            },
            Err(problems) => Self {
                open_nodes: None,
                hindered: Vec::new(),
                spread: Vec::new(),
                not_judged: problems,
            },
        })
    }

    /// Whether some permitted node is left, as far as is known.
    pub fn leaves_a_node(&self) -> bool {
        self.open_nodes != Some(0)
    }

    pub fn write(&self, permitted: usize, out: &mut dyn Write) -> io::Result<()> {
        let Self {
            hindered,
            spread,
            not_judged,
            ..
        } = self;
        if hindered.is_empty() && spread.is_empty() && not_judged.is_empty() {
            return Ok(());
        }
        writeln!(out, "\nwhat stands in the way beside the policy")?;
        for group in hindered {
            writeln!(
                out,
                "  {}: {}",
                counted(group.nodes, "permitted node"),
                group.says
            )?;
            writeln!(out, "    fix: {}", group.fix)?;
            writeln!(out, "    in {}", counted_by_region(&group.regions))?;
            writeln!(out, "    such as {}", group.examples.join(", "))?;
        }
        if let Some(open) = self.open_nodes.filter(|_| !hindered.is_empty()) {
            writeln!(
                out,
                "  {open} of {} are left",
                counted(permitted, "permitted node")
            )?;
        }
        for constraint in spread {
            writeln!(out, "  {}", constraint.says)?;
            writeln!(out, "    fix: {}", constraint.fix)?;
            for (what, domains) in [
                ("without a permitted node", &constraint.forbidden),
                ("closed by something else", &constraint.closed),
            ] {
                if !domains.is_empty() {
                    writeln!(out, "    {what}: {}", some_of(domains))?;
                }
            }
        }
        for what in not_judged {
            writeln!(out, "  not judged: {what}")?;
        }
        Ok(())
    }
}

fn some_of(domains: &[String]) -> String {
    let shown: Vec<&str> = domains.iter().take(MOST_DOMAINS).map(String::as_str).collect();
    let more = domains.len() - shown.len();
    let shown = shown.join(", ");
    match more {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

impl HinderedGroup {
    fn new(assessment: &Assessment<'_>, group: &HinderedNodes) -> Self {
        let snapshot = assessment.snapshot;
        let (mut regions, mut examples) = (BTreeMap::new(), Vec::new());
        for node in &group.nodes {
            let class = snapshot.class_of(node.as_bytes());
            let region = class
                .and_then(|class| snapshot.class(class))
                .map_or_else(String::new, |class| place(snapshot, class).region_in_words());
            // One example of a place is enough, so that the examples show several.
            if examples.len() < MOST_EXAMPLES && !regions.contains_key(&region) {
                examples.push(node.clone());
            }
            *regions.entry(region).or_default() += 1;
        }
        let taint = group.taint.as_ref().map(taint_in_words);
        let (says, fix) = says(group.by, taint.as_deref());
        Self {
            plugin: group.by.name(),
            says,
            fix,
            nodes: group.nodes.len(),
            taint,
            regions,
            examples,
        }
    }
}

/// As kubectl writes it: `key=value:effect`.
fn taint_in_words(taint: &Taint) -> String {
    let effect = match taint.effect {
        TaintEffect::NoSchedule => "NoSchedule",
        TaintEffect::PreferNoSchedule => "PreferNoSchedule",
        TaintEffect::NoExecute => "NoExecute",
    };
    match taint.value.as_str() {
        "" => format!("{}:{effect}", taint.key),
        value => format!("{}={value}:{effect}", taint.key),
    }
}

/// What one plugin says, and how to mend it.
fn says(by: Rejector, taint: Option<&str>) -> (String, &'static str) {
    let (says, fix) = match by {
        Rejector::NodeUnschedulable => ("cordoned", "uncordon the nodes, or let the pod wait"),
        Rejector::TaintToleration => {
            let taint = taint.unwrap_or_default();
            return (
                format!("the taint `{taint}`, which the pod does not tolerate"),
                "add a toleration to the pod if it is meant to run there, or other nodes in permitted places",
            );
        }
        Rejector::NodeAffinity => (
            "not what the nodeSelector or the required node affinity of the pod asks for",
            "let the two agree with the permitted places, or label nodes there",
        ),
        Rejector::PodTopologySpread => (
            "a DoNotSchedule topology spread constraint: their domain has too many such pods already, or they lack its label",
            "place more evenly, raise `maxSkew`, or set `whenUnsatisfiable: ScheduleAnyway`",
        ),
        Rejector::InterPodAffinity => (
            "required affinity or anti-affinity of pods",
            "prefer instead of requiring, or allow for it in more of the permitted places",
        ),
        Rejector::NodeName | Rejector::NodeResourcesFit | Rejector::Extender => {
            (by.name(), "see what kube-scheduler says of the pod")
        }
    };
    (says.to_owned(), fix)
}

impl SpreadReport {
    fn new(spread: DeadSpread) -> Self {
        let (says, fix) = (spread_says(&spread), spread_fix(&spread));
        Self {
            says,
            fix,
            topology_key: spread.topology_key,
            max_skew: spread.max_skew,
            min_domains: spread.min_domains,
            domains: spread.domains,
            forbidden: spread.forbidden,
            closed: spread.closed,
            open: spread.open,
            room: spread.room,
        }
    }
}

fn spread_says(spread: &DeadSpread) -> String {
    let shut = spread.forbidden.len() + spread.closed.len();
    let why = match shut {
        0 => format!(
            "there are {} and `minDomains` asks for more",
            counted(spread.domains, "domain")
        ),
        shut => format!(
            "{shut} of its {} are closed to the pod and count as empty",
            counted(spread.domains, "domain")
        ),
    };
    let room = match spread.room {
        0 => "no such pod can be placed any more".to_owned(),
        1 => "only 1 more such pod can be placed".to_owned(),
        room => format!("only {room} more such pods can be placed"),
    };
    format!(
        "the topology spread constraint on `{}` (DoNotSchedule, maxSkew {}) comes to a standstill: {why}, so {room}",
        spread.topology_key, spread.max_skew
    )
}

fn spread_fix(spread: &DeadSpread) -> String {
    let mut ways = Vec::new();
    if spread.lacks_domains() {
        ways.push(format!(
            "lower `minDomains` to {} or less",
            counted(spread.open, "domain")
        ));
    }
    if spread.ignores_affinity && !spread.forbidden.is_empty() {
        ways.push("take `nodeAffinityPolicy: Ignore` out".to_owned());
    }
    if !spread.forbidden.is_empty() {
        ways.push(
            "let the admission webhook write the permitted places into the pod as required node affinity, or write that affinity yourself (docs/admission.md)"
                .to_owned(),
        );
    }
    if !spread.closed.is_empty() {
        ways.push(
            "set `nodeTaintsPolicy: Honor` where taints close domains, and a node affinity where cordons do"
                .to_owned(),
        );
    }
    format!(
        "{}; or set `whenUnsatisfiable: ScheduleAnyway`",
        ways.join("; and ")
    )
}
