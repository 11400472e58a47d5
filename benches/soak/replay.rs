//! The same decision once more: from the body of a request, a world and an instant to the record and the answer that
//! the program must have written.
//!
//! Inputs: requests, worlds. Outputs: an [`Expected`]. Invariants: the decision is the pure path of the library, the
//! one that the command line takes; what the record must say of it is put together here, by other code than the
//! server's. A decision depends on its instant only from one date to the next that its policies mention, so one replay
//! stands for all records about equal requests in one world within a minute, or until that date.

use std::time::Duration;

use domicile::admission::{
    AdmissionSettings, AdmittedPlaces, Reply, SubmittedPod, is_governed, mutate, read_review, write_reply,
};
use domicile::decisions::{
    AdmissionRecord, DecisionRecord, Mode, OwnerIdentity, PodIdentity, ReasonRecord, RecordVersion, RuleMode,
    Verb, Verdict,
};
use domicile::model::PodRequirements;
use domicile::placement::{Answer, Assessment, ByException, ReasonCount};
use domicile::policy;
use domicile::server::{AnswerSettings, Decided, Outcome, filter, preempt, prioritize};
use domicile::snapshot::Snapshot;
use jiff::{SignedDuration, Timestamp};

use crate::load::hash;
use crate::pods::{REQUESTS, Request, request_of};
use crate::profile::{creates, degraded, profile};
use crate::worlds::Worlds;

/// How long one replay stands for others.
const HOLDS: Duration = Duration::from_mins(1);

/// What the program must have written and answered.
pub struct Expected {
    /// `None` where a decision is not recorded: a created pod that nothing governs.
    pub record: Option<DecisionRecord>,
    pub hash: u64,
    at: Timestamp,
}

impl Expected {
    fn holds(&self, at: Timestamp) -> bool {
        let until = self.record.as_ref().and_then(|record| record.valid_until);
        let age = at.duration_since(self.at);
        age >= SignedDuration::ZERO && age.unsigned_abs() < HOLDS && until.is_none_or(|until| at < until)
    }
}

/// Replays requests, and remembers what came of it.
pub struct Replayer<'w> {
    worlds: &'w Worlds,
    requests: Vec<Request>,
    known: Vec<Option<Expected>>,
    /// How many decisions were made.
    pub replays: u64,
}

impl<'w> Replayer<'w> {
    pub fn new(worlds: &'w Worlds) -> Self {
        let mut known = Vec::new();
        known.resize_with(worlds.all.len() * REQUESTS, || None);
        Self {
            worlds,
            requests: Request::all(),
            known,
            replays: 0,
        }
    }

    /// What is expected of a request at an instant, but for the name of the pod.
    pub fn expected(&mut self, world: usize, serial: u64, at: Timestamp) -> &Expected {
        let slot = world * REQUESTS + request_of(serial);
        if self.known[slot].as_ref().is_none_or(|known| !known.holds(at)) {
            self.known[slot] = Some(self.replay(world, serial, at));
        }
        self.known[slot].as_ref().expect("it was replayed")
    }

    /// Decides anew.
    pub fn replay(&mut self, world: usize, serial: u64, at: Timestamp) -> Expected {
        self.replays += 1;
        let request = &mut self.requests[request_of(serial)];
        request.set_serial(serial);
        let snapshot = &self.worlds.all[world].snapshot;
        let (record, answer) = match request.verb {
            Verb::Mutate | Verb::Validate => reviewed(snapshot, request.body(), at),
            verb => decided(snapshot, verb, request.body(), at),
        };
        Expected {
            record,
            hash: hash(&answer),
            at,
        }
    }
}

fn decided(snapshot: &Snapshot, verb: Verb, body: &[u8], at: Timestamp) -> (Option<DecisionRecord>, Vec<u8>) {
    let decided = match verb {
        Verb::Prioritize => prioritize(snapshot, body, at),
        Verb::Preempt => preempt(snapshot, body, at),
        _ => filter(snapshot, body, at, AnswerSettings::default()),
    };
    let decided = decided.expect("every request can be read");
    let mut record = base(verb, &decided.assessment, &decided.pod, at);
    let outcome = &decided.outcome;
    let permitted = outcome.permitted();
    record.candidates = outcome.candidates() as u64;
    by_exception(&mut record, permitted, decided.by_exception.as_ref());
    let reasons: &[ReasonCount] = match outcome {
        Outcome::Filter(outcome) => &outcome.reasons,
        Outcome::Preempt { reasons, .. } => reasons,
        Outcome::Prioritize { .. } => &[],
    };
    record.reasons = reasons.iter().map(reason).collect();
    record.verdict = verdict(&decided);
    let says_why = matches!(record.verdict, Verdict::Refused | Verdict::WouldRefuse);
    record.sentence = says_why.then(|| decided.assessment.sentence());
    if let Outcome::Prioritize { scores, .. } = outcome {
        record.scores = Some(*scores);
    }
    if let Outcome::Preempt { last_copies, .. } = outcome {
        record.last_copies = last_copies.iter().map(ToString::to_string).collect();
    }
    (Some(record), decided.answer.bytes().into_owned())
}

fn reviewed(snapshot: &Snapshot, body: &[u8], at: Timestamp) -> (Option<DecisionRecord>, Vec<u8>) {
    let review = read_review(body).expect("a review");
    let created = review.created_pod().expect("a review of a pod");
    let (json, namespace) = created.expect("a pod that is created");
    let pod = SubmittedPod::read(json, &namespace).expect("a pod");
    let mutation = mutate(snapshot, &pod, at, &AdmissionSettings::default()).expect("a pod");
    let reply = Reply {
        rejection: mutation.rejection.as_deref(),
        operations: &mutation.operations,
        warnings: &mutation.warnings,
    };
    let answer = write_reply(review.uid(), reply);
    let assessment = &mutation.assessment;
    if !is_governed(assessment) {
        return (None, answer);
    }
    let mut record = base(Verb::Mutate, assessment, &pod.requirements, at);
    let permitted = assessment.permitted_nodes();
    record.candidates = snapshot.node_count() as u64;
    let whole_fleet = snapshot.classes().map(|(class, of)| (Some(class), of.nodes));
    by_exception(
        &mut record,
        permitted,
        assessment.by_exception(whole_fleet).as_ref(),
    );
    record.verdict = match (&mutation.rejection, permitted) {
        (Some(_), _) => Verdict::Refused,
        (None, 0) if assessment.observes() => Verdict::WouldRefuse,
        (None, _) => Verdict::Permitted,
    };
    record.sentence = (permitted == 0).then(|| assessment.sentence());
    record.admission = Some(AdmissionRecord {
        outcome: mutation.outcome.word().to_owned(),
        places: Some(AdmittedPlaces::of(&mutation.places).text()),
    });
    (Some(record), answer)
}

/// What every record says, and the rest empty.
fn base(verb: Verb, assessment: &Assessment<'_>, pod: &PodRequirements, at: Timestamp) -> DecisionRecord {
    let snapshot = assessment.snapshot;
    DecisionRecord {
        v: RecordVersion,
        id: String::new(),
        time: at,
        verb,
        pod: PodIdentity {
            namespace: pod.namespace.to_string(),
            name: pod.name.clone(),
            uid: pod.uid.clone(),
            owner: pod.owner.as_ref().map(|owner| OwnerIdentity {
                kind: owner.kind.clone(),
                name: owner.name.clone(),
            }),
        },
        mode: match snapshot.policies().settings().observe {
            true => Mode::Observe,
            false => Mode::Enforce,
        },
        governed: assessment.verdict.governed,
        profile: profile(&assessment.profile.tuples),
        policy_set: snapshot.policies().digest().into(),
        snapshot: snapshot.id().into(),
        candidates: 0,
        permitted: 0,
        permitted_without_exceptions: None,
        exceptions: Vec::new(),
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

fn by_exception(record: &mut DecisionRecord, permitted: usize, used: Option<&ByException>) {
    record.permitted = permitted as u64;
    let Some(used) = used else { return };
    record.permitted_without_exceptions = Some(permitted.saturating_sub(used.nodes) as u64);
    record.exceptions.clone_from(&used.exceptions);
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

fn verdict(decided: &Decided<'_, '_>) -> Verdict {
    let outcome = &decided.outcome;
    if let Outcome::Filter(filtered) = outcome {
        match filtered.answer {
            Answer::Refused(_) => return Verdict::Refused,
            Answer::BlindSample => return Verdict::BlindSample,
            Answer::Survivors => {}
        }
    }
    let is_filter = matches!(outcome, Outcome::Filter(_));
    match outcome.candidates() > 0 && outcome.permitted() == 0 {
        false => Verdict::Permitted,
        true if is_filter || decided.assessment.observes() => Verdict::WouldRefuse,
        true => Verdict::Refused,
    }
}
