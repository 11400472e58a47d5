//! A decision as a record: names and facts that decided, never the pod itself.

use jiff::Timestamp;

use super::decide::{Decided, Outcome};
use crate::decisions::{
    DecisionRecord, DegradedRecord, Mode, OwnerIdentity, PodIdentity, ProfileEntry, ReasonRecord,
    RecordVersion, RuleMode, Verb, Verdict,
};
use crate::model::{PodRequirements, Tuple};
use crate::placement::{Answer, Assessment, ReasonCount};
use crate::policy::{self, SourcedTuple};

/// What was answered, in the words of records and metrics.
#[must_use]
pub(super) fn verdict(decided: &Decided<'_, '_>) -> Verdict {
    let none_permitted = decided.outcome.permitted() == 0 && decided.outcome.candidates() > 0;
    match &decided.outcome {
        Outcome::Filter(outcome) => match &outcome.answer {
            Answer::Refused(_) => Verdict::Refused,
            Answer::BlindSample => Verdict::BlindSample,
            Answer::Survivors if none_permitted => Verdict::WouldRefuse,
            Answer::Survivors => Verdict::Permitted,
        },
        Outcome::Prioritize { .. } | Outcome::Preempt { .. } if !none_permitted => Verdict::Permitted,
        Outcome::Prioritize { .. } | Outcome::Preempt { .. } if decided.assessment.observes() => {
            Verdict::WouldRefuse
        }
        Outcome::Prioritize { .. } | Outcome::Preempt { .. } => Verdict::Refused,
    }
}

/// Why candidates were refused; of policies only filter asks each.
#[must_use]
pub(super) fn reasons<'d>(decided: &'d Decided<'_, '_>) -> &'d [ReasonCount] {
    match &decided.outcome {
        Outcome::Filter(outcome) => &outcome.reasons,
        Outcome::Preempt { reasons, .. } => reasons,
        Outcome::Prioritize { .. } => &[],
    }
}

/// The record of a decision.
#[must_use]
pub(super) fn record(id: String, verb: Verb, decided: &Decided<'_, '_>, now: Timestamp) -> DecisionRecord {
    let Decided {
        pod,
        assessment,
        outcome,
        ..
    } = decided;
    let verdict = verdict(decided);
    let would_say = matches!(verdict, Verdict::Refused | Verdict::WouldRefuse);
    DecisionRecord {
        v: RecordVersion,
        id,
        time: now,
        verb,
        pod: identity(pod),
        mode: if assessment.observes() {
            Mode::Observe
        } else {
            Mode::Enforce
        },
        governed: assessment.verdict.governed,
        profile: profile(&assessment.profile.tuples),
        policy_set: assessment.snapshot.policies().digest().into(),
        snapshot: assessment.snapshot.id().into(),
        candidates: outcome.candidates() as u64,
        permitted: outcome.permitted() as u64,
        permitted_without_exceptions: (decided.by_exception.as_ref())
            .map(|by_exception| outcome.permitted().saturating_sub(by_exception.nodes) as u64),
        exceptions: (decided.by_exception.as_ref())
            .map(|by_exception| by_exception.exceptions.clone())
            .unwrap_or_default(),
        reasons: reasons(decided).iter().map(reason).collect(),
        verdict,
        sentence: would_say.then(|| refusal(decided)),
        scores: match outcome {
            Outcome::Prioritize { scores, .. } => Some(*scores),
            Outcome::Filter(_) | Outcome::Preempt { .. } => None,
        },
        creates: creates(assessment),
        degraded: degraded(assessment),
        last_copies: last_copies(outcome),
        admission: None,
        valid_until: assessment.verdict.valid_until,
        lost: 0,
    }
}

/// The data sets whose last permitted copy evictions would take away.
fn last_copies(outcome: &Outcome) -> Vec<String> {
    match outcome {
        Outcome::Preempt { last_copies, .. } => last_copies.iter().map(ToString::to_string).collect(),
        Outcome::Filter(_) | Outcome::Prioritize { .. } => Vec::new(),
    }
}

/// Why nothing passes: that evictions would take last copies away, else what the policies say of the pod.
fn refusal(decided: &Decided<'_, '_>) -> String {
    let names = last_copies(&decided.outcome);
    if names.is_empty() {
        return decided.assessment.sentence();
    }
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!(
        "domicile: no pod is evicted that holds the last permitted copy of {}",
        names.join(" or ")
    )
}

/// The claims with which the pod creates data.
pub(super) fn creates(assessment: &Assessment<'_>) -> Vec<String> {
    let claims = assessment.profile.claims.iter().filter(|claim| claim.creates);
    claims.map(|claim| claim.claim.to_string()).collect()
}

/// The data sets of the pod of which some copies cannot answer.
pub(super) fn degraded(assessment: &Assessment<'_>) -> Vec<DegradedRecord> {
    let used = assessment.profile.data_sets.iter();
    let degraded = used.filter_map(|used| {
        let copies = &assessment.snapshot.replicas().get(&used.name)?.data_set.replicas;
        let unready = copies.iter().filter(|copy| !copy.is_ready()).count();
        (unready > 0).then(|| DegradedRecord {
            data_set: used.name.to_string(),
            copies: copies.len() as u64,
            unready: unready as u64,
        })
    });
    degraded.collect()
}

/// Which pod.
pub(super) fn identity(pod: &PodRequirements) -> PodIdentity {
    PodIdentity {
        namespace: pod.namespace.to_string(),
        name: pod.name.clone(),
        uid: pod.uid.clone(),
        owner: pod.owner.as_ref().map(|owner| OwnerIdentity {
            kind: owner.kind.clone(),
            name: owner.name.clone(),
        }),
    }
}

/// One entry for each source: its tuples are the cross product of its lists, so the lists say them all.
pub(super) fn profile(tuples: &[SourcedTuple]) -> Vec<ProfileEntry> {
    let of_one_source = tuples.chunk_by(|one, next| one.source == next.source);
    of_one_source.map(entry).collect()
}

fn entry(tuples: &[SourcedTuple]) -> ProfileEntry {
    let mut entry = ProfileEntry {
        source: tuples
            .first()
            .map(|sourced| sourced.source.to_string())
            .unwrap_or_default(),
        ..ProfileEntry::default()
    };
    for sourced in tuples {
        match &sourced.tuple {
            Tuple::Unlabelled => entry.says = Some("unlabelled".to_owned()),
            Tuple::NoData => entry.says = Some("no-data".to_owned()),
            Tuple::Data(data) => {
                let [classification, category, subject] = data.words();
                for (list, word) in [
                    (&mut entry.classifications, classification),
                    (&mut entry.categories, category),
                    (&mut entry.subjects, subject),
                ] {
                    if !list.contains(&word) {
                        list.push(word);
                    }
                }
            }
        }
    }
    entry
}

fn reason(count: &ReasonCount) -> ReasonRecord {
    ReasonRecord {
        code: count.code.word().to_owned(),
        rule: count.rule.clone(),
        mode: match count.mode {
            policy::Mode::Enforce => RuleMode::Enforce,
            policy::Mode::Warn => RuleMode::Warn,
            policy::Mode::Audit => RuleMode::Audit,
        },
        nodes: count.nodes as u64,
    }
}
