//! `/mutate` and `/validate`, which API servers call about pods that are created.
//!
//! One snapshot and one instant for each answer, as for kube-scheduler; the decision is
//! [`admission`](crate::admission). Invariants: what is no pod that is created is admitted as it is, whatever the
//! state of the server; before every source is loaded pods of exempt namespaces pass and all others get a failure, of
//! which the API server makes what `failurePolicy` says. A pod whose namespace or claim was made right before it waits
//! a moment for these to be known.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, rt};

use super::admit_record::{admitted, validated};
use super::body::{BodyBudget, read_body};
use super::routes::{json, no_body, no_turn};
use super::sentence::sentence;
use super::state::ServerState;
use crate::admission::{
    AdmissionSettings, BadReview, Reply, Review, SubmittedPod, is_governed, knows_all_facts, mutate,
    read_review, validate, write_reply,
};
use crate::decisions::{DecisionRecord, Verb};
use crate::placement::Assessment;
use crate::snapshot::Snapshot;

/// API servers take at most 3 MiB of an object (`DefaultMaxRequestSizeBytes` of `k8s.io/apiserver` 1.36 is 3 MiB), and a
/// review of a creation says little else.
const LARGEST_REVIEW_BYTES: usize = 4 << 20;
/// The most bytes of reviews in memory together.
const ALL_REVIEWS_BYTES: usize = 64 << 20;
/// How often a waiting review looks for a newer snapshot. The cluster is published within milliseconds of a change.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// What answering API servers needs.
#[derive(Debug)]
pub struct Admission {
    /// What an operator chose.
    pub settings: AdmissionSettings,
    /// How long a review waits for what its pod names and is not known yet.
    pub wait_for_facts: Duration,
    bodies: Arc<BodyBudget>,
}

impl Admission {
    /// Answers by these settings.
    #[must_use]
    pub fn new(settings: AdmissionSettings, wait_for_facts: Duration) -> Self {
        Self {
            settings,
            wait_for_facts,
            bodies: Arc::new(BodyBudget::of_each(LARGEST_REVIEW_BYTES, ALL_REVIEWS_BYTES)),
        }
    }
}

impl Admission {
    /// How many bytes of reviews are taken now.
    #[must_use]
    pub fn bytes_in_flight(&self) -> usize {
        self.bodies.in_flight()
    }
}

impl Default for Admission {
    fn default() -> Self {
        Self::new(AdmissionSettings::default(), Duration::ZERO)
    }
}

/// An answer, and what is told of it.
struct Answer {
    body: Vec<u8>,
    outcome: &'static str,
    /// The record of a governed pod.
    record: Option<Box<DecisionRecord>>,
    /// Whether something that the pod names may become known in a moment.
    may_know_more: bool,
}

impl Answer {
    /// Admits what it was asked about as it is.
    fn unchanged(review: &Review<'_>, outcome: &'static str) -> Self {
        Self {
            body: write_reply(review.uid(), Reply::default()),
            outcome,
            record: None,
            may_know_more: false,
        }
    }
}

/// Answers a review.
pub(super) async fn admit(
    verb: Verb,
    state: Data<ServerState>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let body = match read_body(&request, payload, &state.admission.bodies).await {
        Ok(body) => body,
        Err(error) => return no_body(&state, verb, &error),
    };
    if let Err(busy) = state.turns.next().await {
        return no_turn(&state, verb, &busy);
    }
    let started = Instant::now();
    let (review, pod) = match read(body.bytes()) {
        Ok(read) => read,
        Err(error) => return bad_review(&state, verb, &error),
    };
    let Some(pod) = pod else {
        return tell(&state, verb, Answer::unchanged(&review, "passed-over"), started);
    };
    loop {
        let Some(snapshot) = state.world() else {
            return before_ready(&state, verb, &review, &pod, started);
        };
        let answer = match decide(verb, &state, &snapshot, &review, &pod) {
            Ok(answer) => answer,
            Err(error) => return bad_review(&state, verb, &error),
        };
        if !answer.may_know_more || !newer(&state, &snapshot, started).await {
            return tell(&state, verb, answer, started);
        }
    }
}

fn read(body: &[u8]) -> Result<(Review<'_>, Option<SubmittedPod<'_>>), BadReview> {
    let review = read_review(body)?;
    let pod = match review.created_pod()? {
        Some((json, namespace)) => Some(SubmittedPod::read(json, &namespace)?),
        None => None,
    };
    Ok((review, pod))
}

/// Waits for a newer snapshot; `false` once the time for that is over.
async fn newer(state: &ServerState, known: &Arc<Snapshot>, started: Instant) -> bool {
    while started.elapsed() < state.admission.wait_for_facts {
        rt::time::sleep(LOOK_AGAIN).await;
        let current = state.snapshots.load();
        if current
            .as_ref()
            .is_some_and(|current| !Arc::ptr_eq(current, known))
        {
            return true;
        }
    }
    false
}

fn decide(
    verb: Verb,
    state: &ServerState,
    snapshot: &Snapshot,
    review: &Review<'_>,
    pod: &SubmittedPod<'_>,
) -> Result<Answer, BadReview> {
    let now = (state.clock)();
    let settings = &state.admission.settings;
    let is_recorded = |assessment: &Assessment<'_>| state.decisions.is_some() && is_governed(assessment);
    let may_know_more = |assessment: &Assessment<'_>| is_governed(assessment) && !knows_all_facts(assessment);
    let id = || state.decision_ids.next(snapshot.id());
    if verb == Verb::Validate {
        let validation = validate(snapshot, pod, review.user(), now, settings);
        let reply = Reply {
            rejection: validation.rejection(),
            ..Reply::default()
        };
        let is_recorded = is_recorded(&validation.assessment);
        return Ok(Answer {
            body: write_reply(review.uid(), reply),
            outcome: validation.outcome.word(),
            record: is_recorded.then(|| Box::new(validated(id(), pod, &validation, now))),
            may_know_more: may_know_more(&validation.assessment),
        });
    }
    let mutation = mutate(snapshot, pod, now, settings)?;
    let reply = Reply {
        rejection: mutation.rejection.as_deref(),
        operations: &mutation.operations,
        warnings: &mutation.warnings,
    };
    let is_recorded = is_recorded(&mutation.assessment);
    Ok(Answer {
        body: write_reply(review.uid(), reply),
        outcome: mutation.outcome.word(),
        record: is_recorded.then(|| Box::new(admitted(id(), pod, &mutation, now))),
        may_know_more: may_know_more(&mutation.assessment),
    })
}

/// Answers while a source is missing (docs/policies.md, 6).
fn before_ready(
    state: &ServerState,
    verb: Verb,
    review: &Review<'_>,
    pod: &SubmittedPod<'_>,
    started: Instant,
) -> HttpResponse {
    let exempt = state.exempt_before_ready.load();
    if exempt.contains(&pod.requirements.namespace) {
        return tell(state, verb, Answer::unchanged(review, "untouched"), started);
    }
    state.metrics.failed(verb, "not-ready");
    let missing = state.missing().join(" and ");
    sentence(
        StatusCode::SERVICE_UNAVAILABLE,
        format!("not ready: waiting for {missing}"),
    )
}

fn tell(state: &ServerState, verb: Verb, answer: Answer, started: Instant) -> HttpResponse {
    let took = started.elapsed();
    state.metrics.reviewed(verb, answer.outcome, took);
    if let (Some(log), Some(record)) = (&state.decisions, answer.record) {
        log.record(*record);
    }
    tracing::debug!(
        verb = verb.word(),
        outcome = answer.outcome,
        micros = took.as_micros(),
        "reviewed"
    );
    json(answer.body)
}

fn bad_review(state: &ServerState, verb: Verb, error: &BadReview) -> HttpResponse {
    state.metrics.failed(verb, error.code());
    sentence(StatusCode::BAD_REQUEST, error.to_string())
}
