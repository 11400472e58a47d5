//! The measured latencies that decide now, as a latency file: what an incident is replayed from.
//!
//! Invariant: what is read from the file is what decides now: the figures as they were measured, how each stands
//! to this instant, and which pairs are parted, so a table that is made of it is the table of the snapshot.
//! Deliberately absent: what is only estimated, because it follows from the rest.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Data;
use jiff::Timestamp;

use super::sentence::sentence;
use super::state::ServerState;
use crate::publish::MeasuredNow;
use crate::topology::write_latency_csv;

/// The media type of a latency file.
const LATENCY_CONTENT_TYPE: &str = "text/csv; charset=utf-8";

/// Every measured pair that decides now.
pub(super) async fn latency(state: Data<ServerState>) -> HttpResponse {
    let missing = state.missing();
    let measured = state.measured.load_full().filter(|_| missing.is_empty());
    let Some(measured) = measured else {
        let missing = missing.join(" and ");
        return sentence(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: waiting for {missing}"),
        );
    };
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, LATENCY_CONTENT_TYPE))
        .body(text(&measured, (state.clock)()))
}

fn text(measured: &MeasuredNow, now: Timestamp) -> String {
    format!(
        "# the measured latencies of snapshot {}, which decides at {now}\n{}",
        measured.snapshot.id(),
        write_latency_csv(&measured.measurements)
    )
}
