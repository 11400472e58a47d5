//! The measured latencies that decide now, as a latency file: what an incident is replayed from.
//!
//! Invariants: a stale round trip is written as what it counts as; what is only estimated is not written,
//! because it follows from the rest. A latency file has no cell for a pair that is parted: such pairs are told
//! in comments, and a replay takes them as reached. Deliberately absent: what the table makes of the two ways
//! of a pair, so a replay may differ by what they differ (docs/latency.md says when).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Data;
use jiff::Timestamp;

use super::sentence::sentence;
use super::state::ServerState;
use crate::model::Statistic;
use crate::publish::MeasuredNow;
use crate::topology::{Freshness, Measurement, Measurements, write_latency_csv};

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
    let mut text = format!(
        "# the measured latencies of snapshot {}, which decides at {now}\n",
        measured.snapshot.id()
    );
    for (from, to) in measured.measurements.unreachable() {
        text.push_str(&format!("# {from} does not reach {to} now\n"));
    }
    text.push_str(&write_latency_csv(&as_it_counts(&measured.measurements)));
    text
}

/// The measurements with the round trips that decisions take from them.
fn as_it_counts(measurements: &Measurements) -> Measurements {
    let mut counted = Measurements::default();
    for (from, to, measurement) in measurements.iter() {
        let mut counts = measurement.clone();
        if measurement.freshness == Freshness::Stale {
            counts.rtt = Measurement::reading(measurement, Statistic::P50).latency;
        }
        counted.insert(from.clone(), to.clone(), counts);
    }
    counted
}
