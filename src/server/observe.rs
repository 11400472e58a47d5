//! What is seen of a decision from outside: metrics, the record, the span.
//!
//! Labels are bounded: verbs, codes and rules, never pods or nodes.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use jiff::Timestamp;

use super::decide::Decided;
use super::sentence::sentence;
use super::state::ServerState;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// Which nodes may the pod run on.
    Filter,
    /// Which of them is best.
    Prioritize,
    /// On which nodes may others be evicted for it.
    Preempt,
}

impl Verb {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Prioritize => "prioritize",
            Self::Preempt => "preempt",
        }
    }
}

/// Tells of a decision.
pub(super) fn decided(
    _state: &ServerState,
    verb: Verb,
    decided: &Decided<'_>,
    _now: Timestamp,
    took: Duration,
) {
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
pub(super) fn failed(_state: &ServerState, verb: Verb, code: &'static str) {
    tracing::debug!(verb = verb.word(), code, "not decided");
}

pub(super) async fn metrics(_state: Data<ServerState>) -> HttpResponse {
    sentence(StatusCode::OK, "")
}
