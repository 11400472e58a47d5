//! What is wrong with pods that are there: what a filter that is asked once, before a pod is bound, cannot mend.
//!
//! Inputs: a snapshot, a pod with the node that it is bound to and what admission wrote on it, an instant. Outputs:
//! findings, each with a sentence and what to do. Invariants: judged by the assessment that the filter uses; policies alone
//! count, for limits and partitions pass; a pod without a finding passes. Deliberately absent: reading pods, telling anybody.

use jiff::Timestamp;

use crate::admission::{AdmittedPlaces, Staleness, staleness};
use crate::model::PodRequirements;
use crate::placement::{Assessment, Refusal, assess};
use crate::policy::Mode;
use crate::snapshot::Snapshot;

/// How many places a sentence names.
const MOST_PLACES: usize = 4;

/// What can be wrong with a pod, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// It is on a node where the policies refuse it.
    BoundWhereRefused,
    /// It waits, and no node of the fleet is permitted.
    NoPermittedNode,
    /// It waits, and its node affinity excludes places that are permitted by now.
    StaleAffinity,
    /// It waits, and its node affinity includes places that are permitted no more, which the extender refuses.
    NarrowedPlaces,
}

impl FindingKind {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::BoundWhereRefused,
        Self::NoPermittedNode,
        Self::StaleAffinity,
        Self::NarrowedPlaces,
    ];

    /// The word of the kind in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::BoundWhereRefused => "bound-where-refused",
            Self::NoPermittedNode => "no-permitted-node",
            Self::StaleAffinity => "stale-affinity",
            Self::NarrowedPlaces => "narrowed-places",
        }
    }

    /// Whether somebody must do something. Narrowed places are refused by the extender as they are.
    #[must_use]
    pub fn is_failure(self) -> bool {
        self != Self::NarrowedPlaces
    }
}

/// Something that is wrong with a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodFinding {
    /// What.
    pub kind: FindingKind,
    /// A sentence about it.
    pub says: String,
    /// The places of which it speaks, all of them.
    pub places: Vec<String>,
    /// What to do.
    pub fix: &'static str,
}

/// Judges one pod.
#[must_use]
pub fn scan_pod(snapshot: &Snapshot, pod: &PodRequirements, now: Timestamp) -> Vec<PodFinding> {
    let assessment = assess(snapshot, pod, now);
    match &pod.node {
        Some(node) => {
            let class = snapshot.class_of(node.as_str().as_bytes());
            let refusals = assessment.refusals(class);
            let enforced = refusals.filter(|(_, mode)| *mode == Mode::Enforce);
            let causes: Vec<String> = enforced
                .filter_map(|(refusal, _)| in_words(&assessment, refusal))
                .collect();
            let finding = (!causes.is_empty()).then(|| bound_where_refused(&causes));
            finding.into_iter().collect()
        }
        None => waiting(&assessment, pod),
    }
}

/// What a policy says of a node; nothing where it is no policy that refuses.
fn in_words(assessment: &Assessment<'_>, refusal: Refusal) -> Option<String> {
    match refusal {
        Refusal::Policy(cause) => Some(assessment.snapshot.policies().cause_in_words(cause)),
        Refusal::UnknownNode => Some("its node is not known".to_owned()),
        Refusal::Access(_) => None,
    }
}

fn bound_where_refused(causes: &[String]) -> PodFinding {
    PodFinding {
        kind: FindingKind::BoundWhereRefused,
        says: causes.join("; "),
        places: Vec::new(),
        fix: "delete the pod, so that its controller makes it anew where it is permitted, or ask for an exception; \
              data that it wrote there stays there",
    }
}

fn waiting(assessment: &Assessment<'_>, pod: &PodRequirements) -> Vec<PodFinding> {
    let mut findings = Vec::new();
    if assessment.permitted_nodes() == 0 && assessment.verdict.governed {
        findings.push(PodFinding {
            kind: FindingKind::NoPermittedNode,
            says: assessment.sentence(),
            places: Vec::new(),
            fix: "add nodes in permitted places, or ask for an exception; `domicile why-not` tells more",
        });
    }
    let Some(staleness) = stale(assessment, pod) else {
        return findings;
    };
    findings.extend(stale_affinity(&staleness, pod));
    if let Some(lost) = &staleness.lost {
        let places = each_of(lost);
        findings.push(PodFinding {
            kind: FindingKind::NarrowedPlaces,
            says: format!(
                "its node affinity still includes {}, where the extender refuses it now",
                some_of(&places)
            ),
            places,
            fix: "nothing: it is placed in what is left; delete it if an autoscaler adds nodes where it is refused",
        });
    }
    findings
}

/// What became stale of the affinity that admission gave a pod.
#[must_use]
pub fn stale(assessment: &Assessment<'_>, pod: &PodRequirements) -> Option<Staleness> {
    let admitted = pod.admitted_places.as_deref()?;
    staleness(assessment, admitted)
}

fn each_of(places: &AdmittedPlaces) -> Vec<String> {
    places.text().split(", ").map(str::to_owned).collect()
}

/// A few places, and how many more.
fn some_of(places: &[String]) -> String {
    let shown: Vec<&str> = places.iter().take(MOST_PLACES).map(String::as_str).collect();
    match places.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// That the affinity of a pod keeps it from places that are permitted by now, where that is so.
#[must_use]
pub fn stale_affinity(staleness: &Staleness, pod: &PodRequirements) -> Option<PodFinding> {
    let places = each_of(staleness.won.as_ref()?);
    Some(PodFinding {
        kind: FindingKind::StaleAffinity,
        says: format!(
            "its node affinity is older than the policies: it keeps the pod from {}, where it is permitted now",
            some_of(&places)
        ),
        places,
        fix: match &pod.owner {
            Some(_) => {
                "delete the pod, so that its controller makes it anew: nobody can widen the affinity of a pod"
            }
            None => "delete the pod and create it anew: nobody can widen the affinity of a pod",
        },
    })
}
