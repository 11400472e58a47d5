//! `/validate`: whether a pod that is submitted passes the scheduler by.
//!
//! Inputs: a snapshot, a pod, who submits it, an instant, the settings. Output: the sentence of a refusal, with the fix
//! in it, and what all that rests on. Invariants: only governed pods are refused; a sentence depends on the pod and
//! the settings alone. Deliberately absent: where a pod may run; that is what schedulers ask about.

use jiff::Timestamp;

use super::mutate::is_governed;
use super::pod::SubmittedPod;
use super::settings::AdmissionSettings;
use crate::objects::quoted;
use crate::placement::{Assessment, assess};
use crate::snapshot::Snapshot;

/// What became of a pod, as a word for metrics and records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValidateOutcome {
    /// Nothing governs it.
    Untouched,
    /// It passes.
    Allowed,
    /// An annotation cannot be read.
    MalformedAnnotation,
    /// It names its node.
    NamedNode,
    /// It names a scheduler that does not ask us.
    ForeignScheduler,
}

impl ValidateOutcome {
    /// Every outcome.
    pub const ALL: [Self; 5] = [
        Self::Untouched,
        Self::Allowed,
        Self::MalformedAnnotation,
        Self::NamedNode,
        Self::ForeignScheduler,
    ];

    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Untouched => "untouched",
            Self::Allowed => "allowed",
            Self::MalformedAnnotation => "malformed-annotation",
            Self::NamedNode => "named-node",
            Self::ForeignScheduler => "foreign-scheduler",
        }
    }
}

/// What becomes of a pod that is submitted.
#[derive(Debug)]
pub struct Validation<'s> {
    /// What the snapshot says about it.
    pub assessment: Assessment<'s>,
    /// What is wrong with it, or nothing.
    pub outcome: ValidateOutcome,
    /// What is wrong in words; where the settings only observe it is admitted all the same.
    pub problem: Option<String>,
}

impl Validation<'_> {
    /// Why the pod is rejected; it is admitted where there is nothing.
    #[must_use]
    pub fn rejection(&self) -> Option<&str> {
        self.problem.as_deref().filter(|_| !self.assessment.observes())
    }
}

/// Decides whether a pod that somebody submits passes.
#[must_use]
pub fn validate<'s>(
    snapshot: &'s Snapshot,
    pod: &SubmittedPod<'_>,
    user: &str,
    now: Timestamp,
    settings: &AdmissionSettings,
) -> Validation<'s> {
    let assessment = assess(snapshot, &pod.requirements, now);
    let (outcome, problem) = judge(&assessment, pod, user, settings);
    Validation {
        assessment,
        outcome,
        problem,
    }
}

fn judge(
    assessment: &Assessment<'_>,
    pod: &SubmittedPod<'_>,
    user: &str,
    settings: &AdmissionSettings,
) -> (ValidateOutcome, Option<String>) {
    if !is_governed(assessment) {
        return (ValidateOutcome::Untouched, None);
    }
    // A kubelet runs it already; it is only shown.
    if pod.is_mirror_of(user) {
        return (ValidateOutcome::Allowed, None);
    }
    if !assessment.profile.malformed.is_empty() {
        return (ValidateOutcome::MalformedAnnotation, Some(assessment.sentence()));
    }
    if pod.requirements.node.is_some() {
        let problem = "domicile: governed data goes where a scheduler puts it; take `spec.nodeName` out of the pod \
                       and select nodes by `spec.affinity` or `spec.nodeSelector`";
        return (ValidateOutcome::NamedNode, Some(problem.to_owned()));
    }
    let named = &*pod.requirements.scheduler;
    let mut ours = settings.scheduler_name.iter().chain(&settings.schedulers);
    if ours.clone().any(|ours| ours == named) {
        return (ValidateOutcome::Allowed, None);
    }
    let fix = match ours.next() {
        Some(first) => format!("; write {} into `spec.schedulerName`", quoted(first)),
        None => String::new(),
    };
    let problem = format!(
        "domicile: the scheduler {} does not ask where governed data may run{fix}",
        quoted(named)
    );
    (ValidateOutcome::ForeignScheduler, Some(problem))
}
