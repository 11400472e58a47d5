//! What became of a pod that was submitted, as a record.

use jiff::Timestamp;

use super::record::{creates, degraded, identity, profile};
use crate::admission::{AdmittedPlaces, Mutation, SubmittedPod, Validation};
use crate::decisions::{AdmissionRecord, DecisionRecord, Mode, RecordVersion, Verb, Verdict};
use crate::placement::Assessment;

/// The record of `/mutate`.
#[must_use]
pub(super) fn admitted(
    id: String,
    pod: &SubmittedPod<'_>,
    mutation: &Mutation<'_>,
    now: Timestamp,
) -> DecisionRecord {
    let assessment = &mutation.assessment;
    let none_permitted = assessment.permitted_nodes() == 0;
    let verdict = match &mutation.rejection {
        Some(_) => Verdict::Refused,
        None if assessment.observes() && none_permitted => Verdict::WouldRefuse,
        None => Verdict::Permitted,
    };
    DecisionRecord {
        verdict,
        sentence: none_permitted.then(|| assessment.sentence()),
        admission: Some(AdmissionRecord {
            outcome: mutation.outcome.word().to_owned(),
            places: Some(AdmittedPlaces::of(&mutation.places).text()),
        }),
        ..record(id, Verb::Mutate, pod, assessment, now)
    }
}

/// The record of `/validate`.
#[must_use]
pub(super) fn validated(
    id: String,
    pod: &SubmittedPod<'_>,
    validation: &Validation<'_>,
    now: Timestamp,
) -> DecisionRecord {
    let assessment = &validation.assessment;
    let verdict = match &validation.problem {
        Some(_) if assessment.observes() => Verdict::WouldRefuse,
        Some(_) => Verdict::Refused,
        None => Verdict::Permitted,
    };
    DecisionRecord {
        verdict,
        sentence: validation.problem.clone(),
        admission: Some(AdmissionRecord {
            outcome: validation.outcome.word().to_owned(),
            places: None,
        }),
        ..record(id, Verb::Validate, pod, assessment, now)
    }
}

/// What both say: of the whole fleet, for nobody offered nodes.
fn record(
    id: String,
    verb: Verb,
    pod: &SubmittedPod<'_>,
    assessment: &Assessment<'_>,
    now: Timestamp,
) -> DecisionRecord {
    let snapshot = assessment.snapshot;
    let permitted = assessment.permitted_nodes();
    let fleet = snapshot.classes().map(|(class, of)| (Some(class), of.nodes));
    let by_exception = assessment.by_exception(fleet);
    DecisionRecord {
        v: RecordVersion,
        id,
        time: now,
        verb,
        pod: identity(&pod.requirements),
        mode: if assessment.observes() {
            Mode::Observe
        } else {
            Mode::Enforce
        },
        governed: assessment.verdict.governed,
        profile: profile(&assessment.profile.tuples),
        policy_set: snapshot.policies().digest().into(),
        snapshot: snapshot.id().into(),
        candidates: snapshot.node_count() as u64,
        permitted: permitted as u64,
        permitted_without_exceptions: (by_exception.as_ref())
            .map(|by_exception| permitted.saturating_sub(by_exception.nodes) as u64),
        exceptions: by_exception
            .map(|by_exception| by_exception.exceptions)
            .unwrap_or_default(),
        reasons: Vec::new(),
        verdict: Verdict::Permitted,
        sentence: None,
        scores: None,
        creates: creates(assessment),
        degraded: degraded(assessment),
        last_copies: Vec::new(),
        admission: None,
        valid_until: assessment.verdict.valid_until,
        lost: 0,
    }
}
