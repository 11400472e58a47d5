//! What is wrong with pods that are there, and with copies of data: what a filter that is asked once, before a pod is
//! bound, cannot mend.
//!
//! Inputs: a snapshot, a pod with the node that it is bound to and what admission wrote on it, an instant. Outputs:
//! findings, each with a sentence and what to do. Invariants: judged by the assessment that the filter uses, once for
//! all pods that differ in nothing but their name and node ([`Judgement`]); policies alone
//! count, for limits and partitions pass; a pod without a finding passes. Deliberately absent: reading pods, telling anybody.

mod copies;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::admission::{AdmittedPlaces, Staleness, staleness};
use crate::model::PodRequirements;
use crate::placement::{Assessment, Refusal, assess};
use crate::policy::{Activity, Cause, Demand, ExceptionState, Mode, Verdict, evaluate_confirmed};
use crate::snapshot::{ClassIndex, Snapshot};

pub use copies::{CopyFinding, FoundAs, scan_copies};

/// How many places a sentence names.
const MOST_PLACES: usize = 4;

/// What can be wrong, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// A pod is on a node where the policies refuse it.
    BoundWhereRefused,
    /// A copy of a data set is where the policies refuse a new one.
    StrayCopy,
    /// No copy of a data set is where a policy wants one.
    MissingCopy,
    /// A pod waits, and no node of the fleet is permitted.
    NoPermittedNode,
    /// It waits, and its node affinity excludes places that are permitted by now.
    StaleAffinity,
    /// It waits, and its node affinity includes places that are permitted no more, which the extender refuses.
    NarrowedPlaces,
    /// A pod uses a data set where a policy wants no copy of it: it may, and what it keeps of it is one.
    ConsumerOutside,
}

impl FindingKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::BoundWhereRefused,
        Self::StrayCopy,
        Self::MissingCopy,
        Self::NoPermittedNode,
        Self::StaleAffinity,
        Self::NarrowedPlaces,
        Self::ConsumerOutside,
    ];

    /// The word of the kind in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::BoundWhereRefused => "bound-where-refused",
            Self::StrayCopy => "stray-copy",
            Self::MissingCopy => "missing-copy",
            Self::NoPermittedNode => "no-permitted-node",
            Self::StaleAffinity => "stale-affinity",
            Self::NarrowedPlaces => "narrowed-places",
            Self::ConsumerOutside => "consumer-outside",
        }
    }

    /// Whether somebody must do something. Narrowed places are refused by the extender as they are, and consumers
    /// are permitted.
    #[must_use]
    pub fn is_failure(self) -> bool {
        !matches!(self, Self::NarrowedPlaces | Self::ConsumerOutside)
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
    let judgement = Judgement::new(snapshot, pod, now);
    match &pod.node {
        Some(node) => judgement.bound(snapshot.class_of(node.as_str().as_bytes())),
        None => judgement.waiting(pod),
    }
}

/// What the policies make of all pods that differ in nothing but their name and node.
#[derive(Debug)]
pub struct Judgement<'s> {
    assessment: Assessment<'s>,
    /// What they would make of them if they were copies of the data sets that they use; `None` where they use none.
    as_copies: Option<Verdict>,
    now: Timestamp,
}

impl<'s> Judgement<'s> {
    /// Judges a pod, whatever its node.
    #[must_use]
    pub fn new(snapshot: &'s Snapshot, pod: &PodRequirements, now: Timestamp) -> Self {
        let assessment = assess(snapshot, pod, now);
        let profile = &assessment.profile;
        let is_consumer = !profile.data_sets.is_empty() && !profile.performs.contains(Activity::Replicate);
        let as_copies = is_consumer.then(|| {
            let mut copy = profile.clone();
            copy.performs = copy.performs.with(Activity::Replicate);
            evaluate_confirmed(snapshot.policies(), &copy, now, snapshot.confirmed_until())
        });
        Self {
            assessment,
            as_copies,
            now,
        }
    }

    /// Of a pod on a node of a class; `None` is a node that is not known.
    #[must_use]
    pub fn bound(&self, class: Option<ClassIndex>) -> Vec<PodFinding> {
        let refusals = self.assessment.refusals(class);
        let enforced = refusals.filter(|(_, mode)| *mode == Mode::Enforce);
        let causes: BTreeSet<Refusal> = enforced.map(|(refusal, _)| refusal).collect();
        let causes: Vec<String> = causes
            .into_iter()
            .filter_map(|refusal| self.in_words(refusal))
            .collect();
        let refused = (!causes.is_empty()).then(|| bound_where_refused(&causes));
        let outside = class.and_then(|class| self.consumer_outside(class));
        refused.into_iter().chain(outside).collect()
    }

    /// Of a pod that waits.
    #[must_use]
    pub fn waiting(&self, pod: &PodRequirements) -> Vec<PodFinding> {
        waiting(&self.assessment, pod)
    }

    /// Whether the settings only observe, so that nothing of this is refused.
    #[must_use]
    pub fn observes(&self) -> bool {
        self.assessment.observes()
    }

    fn consumer_outside(&self, class: ClassIndex) -> Option<PodFinding> {
        let (snapshot, as_copies) = (self.assessment.snapshot, self.as_copies.as_ref()?);
        let (policies, class) = (snapshot.policies(), snapshot.class(class)?);
        let mut refusing = as_copies.restrictions.iter().filter(|restriction| {
            let is_about_copies = match restriction.cause {
                Cause::Rule(rule) => policies
                    .definitions()
                    .rule(rule)
                    .is_some_and(|rule| matches!(rule.demand, Demand::NoReplicaOutside(_))),
                _ => false,
            };
            is_about_copies
                && restriction.mode == Mode::Enforce
                && !restriction.leaves(class.place, class.region_is_confirmed)
        });
        let causes: Vec<String> = refusing
            .by_ref()
            .map(|restriction| policies.cause_in_words(restriction.cause))
            .collect();
        (!causes.is_empty()).then(|| PodFinding {
            kind: FindingKind::ConsumerOutside,
            says: format!("it uses data of which no copy may be here: {}", causes.join("; ")),
            places: Vec::new(),
            fix: "nothing, if it keeps nothing of what it reads; else run it where copies are permitted",
        })
    }

    /// What a policy says of a node; nothing where it is no policy that refuses.
    fn in_words(&self, refusal: Refusal) -> Option<String> {
        match refusal {
            Refusal::Policy(cause) => {
                let mut words = self.assessment.snapshot.policies().cause_in_words(cause);
                if let Some(exception) = self.expired(cause) {
                    words.push_str(&format!(" (the exception `{exception}` expired)"));
                }
                Some(words)
            }
            Refusal::UnknownNode => Some("its node is not known".to_owned()),
            Refusal::Access(_) => None,
        }
    }

    /// The first exception from a rule, by name, that was for such pods and is past.
    fn expired(&self, cause: Cause) -> Option<&str> {
        let Cause::Rule(rule) = cause else { return None };
        let definitions = self.assessment.snapshot.policies().definitions();
        let mut exceptions = definitions.exceptions.iter();
        let past = exceptions.find(|exception| {
            exception.relaxes == rule
                && exception.state(self.now) == ExceptionState::Expired
                && exception.is_for(&self.assessment.profile)
        });
        past.map(|exception| &*exception.name)
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
