//! What is seen of a decision from outside: metrics, the record, Events on the pod, the span.
//!
//! Labels are bounded: verbs, codes and rules, never pods or nodes. A record is handed to the log's own
//! thread, so no answer waits for a disk.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Data;
use jiff::Timestamp;

use super::decide::{Decided, Outcome};
use super::record::{reasons, record, verdict};
use super::state::ServerState;
use crate::decisions::Verb;
use crate::metrics::{DecisionMeasures, METRICS_CONTENT_TYPE};

/// Tells of a decision.
pub(super) fn decided(
    state: &ServerState,
    verb: Verb,
    decided: &Decided<'_, '_>,
    now: Timestamp,
    took: Duration,
) {
    let unknown_nodes = match &decided.outcome {
        Outcome::Filter(outcome) => outcome.unknown,
        Outcome::Prioritize { .. } | Outcome::Preempt { .. } => 0,
    };
    state.metrics.decided(&DecisionMeasures {
        verb,
        verdict: verdict(decided),
        governed: decided.assessment.verdict.governed,
        candidates: decided.outcome.candidates(),
        unknown_nodes,
        took,
    });
    for reason in reasons(decided) {
        state
            .metrics
            .refused(reason.code.word(), reason.rule.as_deref(), reason.mode.word());
    }
    if let Some(events) = state.pod_events.as_ref().filter(|_| verb == Verb::Filter) {
        events.tell(&decided.assessment, &decided.pod);
    }
    for exception in decided.by_exception.iter().flat_map(|used| &used.exceptions) {
        state.metrics.exception_used(exception);
    }
    if let Some(log) = &state.decisions {
        let id = state.decision_ids.next(decided.assessment.snapshot.id());
        log.record(record(id, verb, decided, now));
    }
    let _span = tracing::debug_span!(
        "decision",
        verb = verb.word(),
        pod_uid = decided.pod.uid,
        snapshot = decided.assessment.snapshot.id(),
        candidates = decided.outcome.candidates(),
        permitted = decided.outcome.permitted(),
        micros = took.as_micros(),
    )
    .entered();
    tracing::debug!("decided");
}

/// Tells of a request that was not decided.
pub(super) fn failed(state: &ServerState, verb: Verb, code: &'static str) {
    state.metrics.failed(verb, code);
    tracing::debug!(verb = verb.word(), code, "not decided");
}

/// Everything that is counted.
pub(super) async fn metrics(state: Data<ServerState>) -> HttpResponse {
    let missing = state.missing();
    state.metrics.ready(missing.is_empty());
    let bytes = state.bodies.in_flight() + state.admission.bytes_in_flight();
    state.metrics.load(state.turns.waiting(), bytes);
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, METRICS_CONTENT_TYPE))
        .body(state.metrics.encode((state.clock)()))
}
