//! `/mutate`: what becomes of a pod that is submitted.
//!
//! Inputs: a snapshot, a pod, an instant, the settings. Output: whether it is admitted, the changes to it, warnings, and
//! what all that rests on. Invariants: what the filter would say of the pod is what is said here, by the same
//! assessment; a pod of which nothing is governed or restricted is left as it is, but for annotations that only we
//! write; where the settings only observe, no pod is confined; the changed pod gives no further change.
//! Deliberately absent: the node of a pod that names one (its affinity would be asked by nobody).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::annotation::AdmittedPlaces;
use super::patch::{Operation, confine, pointer};
use super::places::{PermittedPlaces, permitted};
use super::pod::SubmittedPod;
use super::settings::{AdmissionSettings, Nowhere};
use crate::objects::{DEFAULT_SCHEDULER, ObjectError};
use crate::placement::{Assessment, assess};
use crate::policy::PlaceIndex;
use crate::snapshot::Snapshot;

/// What became of a pod, as a word for metrics and records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MutateOutcome {
    /// Nothing governs or restricts it.
    Untouched,
    /// It is governed, and may run everywhere.
    Everywhere,
    /// It has, or had already, the affinity to where it may run.
    Confined,
    /// It may run nowhere, and was admitted.
    Nowhere,
    /// It may run nowhere, and was rejected.
    Rejected,
    /// It names its node.
    Bound,
    /// What it says of its data is not all known yet.
    FactsMissing,
    /// It would have been treated in one of these ways, were the settings not only to observe.
    Observed,
}

impl MutateOutcome {
    /// Every outcome.
    pub const ALL: [Self; 8] = [
        Self::Untouched,
        Self::Everywhere,
        Self::Confined,
        Self::Nowhere,
        Self::Rejected,
        Self::Bound,
        Self::FactsMissing,
        Self::Observed,
    ];

    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Untouched => "untouched",
            Self::Everywhere => "everywhere",
            Self::Confined => "confined",
            Self::Nowhere => "nowhere",
            Self::Rejected => "rejected",
            Self::Bound => "bound",
            Self::FactsMissing => "facts-missing",
            Self::Observed => "observed",
        }
    }
}

/// What becomes of a pod that is submitted.
#[derive(Debug)]
pub struct Mutation<'s> {
    /// What the snapshot says about it.
    pub assessment: Assessment<'s>,
    /// Where it is permitted.
    pub places: PermittedPlaces,
    /// What becomes of it.
    pub outcome: MutateOutcome,
    /// Why it is rejected; it is admitted where there is nothing.
    pub rejection: Option<String>,
    /// The changes to it.
    pub operations: Vec<Operation>,
    /// What its author is told.
    pub warnings: Vec<String>,
}

/// What an author is told whose pod came before what it names.
const FACTS_MISSING: &str = "domicile: the namespace or a volume of this pod is not known yet so no node affinity was \
    added; the scheduler extender decides about it as soon as it is";

/// Whether residency has a say about a pod.
#[must_use]
pub fn is_governed(assessment: &Assessment<'_>) -> bool {
    assessment.verdict.governed || !assessment.verdict.permits(PlaceIndex::UNKNOWN, false)
}

/// Whether the namespace and everything mounted are known: what is made right before a pod may be on its way here
/// still, and until it is, it counts as data that may be anything.
#[must_use]
pub fn knows_all_facts(assessment: &Assessment<'_>) -> bool {
    let profile = &assessment.profile;
    profile.namespace_labels.is_some() && !profile.may_name_more_data_sets
}

/// Decides what becomes of a pod that is submitted.
///
/// # Errors
/// Where what has to be changed cannot be read, such as an affinity that is none.
pub fn mutate<'s>(
    snapshot: &'s Snapshot,
    pod: &SubmittedPod<'_>,
    now: Timestamp,
    settings: &AdmissionSettings,
) -> Result<Mutation<'s>, ObjectError> {
    let assessment = assess(snapshot, &pod.requirements, now);
    let places = permitted(&assessment, settings.growth);
    let mut mutation = Mutation {
        outcome: outcome(&assessment, pod, &places, settings),
        assessment,
        places,
        rejection: None,
        operations: Vec::new(),
        warnings: Vec::new(),
    };
    match mutation.outcome {
        MutateOutcome::Untouched | MutateOutcome::Bound | MutateOutcome::Observed => {
            mutation.take_annotations(pod);
            return Ok(mutation);
        }
        MutateOutcome::Rejected => {
            mutation.rejection = Some(sentence(&mutation.assessment));
            return Ok(mutation);
        }
        MutateOutcome::FactsMissing => {
            mutation.take_annotations(pod);
            mutation.warnings.push(FACTS_MISSING.to_owned());
        }
        MutateOutcome::Everywhere | MutateOutcome::Nowhere => mutation.annotate(pod)?,
        MutateOutcome::Confined => {
            mutation.annotate(pod)?;
            if let PermittedPlaces::Only(confined) = &mutation.places {
                let affinity = pod.parts()?.affinity()?;
                let operations = confine(affinity.as_ref(), confined.terms())?;
                mutation.operations.extend(operations);
            }
        }
    }
    mutation.set_scheduler(pod, settings);
    mutation.warn();
    Ok(mutation)
}

fn outcome(
    assessment: &Assessment<'_>,
    pod: &SubmittedPod<'_>,
    places: &PermittedPlaces,
    settings: &AdmissionSettings,
) -> MutateOutcome {
    if !is_governed(assessment) {
        return MutateOutcome::Untouched;
    }
    if assessment.observes() {
        return MutateOutcome::Observed;
    }
    if pod.requirements.node.is_some() {
        return MutateOutcome::Bound;
    }
    if !knows_all_facts(assessment) {
        return MutateOutcome::FactsMissing;
    }
    match (places, settings.nowhere) {
        (PermittedPlaces::Everywhere, _) => MutateOutcome::Everywhere,
        (PermittedPlaces::Only(_), _) => MutateOutcome::Confined,
        (PermittedPlaces::Nowhere, Nowhere::Warn) => MutateOutcome::Nowhere,
        (PermittedPlaces::Nowhere, Nowhere::Reject) => MutateOutcome::Rejected,
    }
}

/// The sentence of the filter, for a pod that no node may host.
fn sentence(assessment: &Assessment<'_>) -> String {
    match assessment.snapshot.node_count() {
        // A fleet without nodes has no place that anything refuses.
        0 => assessment.sentence_anywhere(),
        _ => assessment.sentence(),
    }
}

impl Mutation<'_> {
    /// Takes annotations off that only we write.
    fn take_annotations(&mut self, pod: &SubmittedPod<'_>) {
        let there = SubmittedPod::OURS.into_iter().zip(pod.admitted());
        let taken = there
            .filter(|(_, value)| value.is_some())
            .map(|(key, _)| Operation::Remove {
                path: pointer(&["metadata", "annotations", key]),
            });
        self.operations.extend(taken);
    }

    /// Says on the pod what its admission rests on, whatever its author wrote there.
    fn annotate(&mut self, pod: &SubmittedPod<'_>) -> Result<(), ObjectError> {
        let snapshot = self.assessment.snapshot;
        let by = format!(
            "policies={} snapshot={}",
            snapshot.policies().digest(),
            snapshot.id()
        );
        let wanted = [by, AdmittedPlaces::of(&self.places).text()];
        let there = pod.admitted();
        if there.iter().all(Option::is_none) && !pod.parts()?.has_annotations() {
            let all = SubmittedPod::OURS.iter().zip(wanted);
            let all: serde_json::Map<String, Value> = all
                .map(|(key, value)| ((*key).to_owned(), Value::String(value)))
                .collect();
            let path = pointer(&["metadata", "annotations"]);
            self.operations.push(Operation::Add {
                path,
                value: Value::Object(all),
            });
            return Ok(());
        }
        for ((key, value), there) in SubmittedPod::OURS.into_iter().zip(wanted).zip(there) {
            if there != Some(value.as_str()) {
                let path = pointer(&["metadata", "annotations", key]);
                self.operations.push(Operation::Add {
                    path,
                    value: json!(value),
                });
            }
        }
        Ok(())
    }

    fn set_scheduler(&mut self, pod: &SubmittedPod<'_>, settings: &AdmissionSettings) {
        if let Some(name) = &settings.scheduler_name
            && *pod.requirements.scheduler == *DEFAULT_SCHEDULER
            && name != DEFAULT_SCHEDULER
        {
            let path = pointer(&["spec", "schedulerName"]);
            self.operations.push(Operation::Add {
                path,
                value: json!(name),
            });
        }
    }

    /// Tells the author what an Event would, had kube-scheduler a node to ask the extender about.
    fn warn(&mut self) {
        let assessment = &self.assessment;
        let is_known = self.outcome != MutateOutcome::FactsMissing;
        if !is_known {
            return;
        }
        if assessment.permitted_nodes() == 0 {
            self.warnings.push(sentence(assessment));
        }
        self.warnings.extend(assessment.warning());
    }
}
