//! The routes for probes, for Prometheus and for a person with a browser.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;

use super::sentence::sentence;
use super::state::ServerState;

/// What a person finds who opens the address in a browser.
const INDEX: &str = concat!(
    "domicile ",
    env!("CARGO_PKG_VERSION"),
    ": a kube-scheduler extender that keeps pods where their data may be, and near it\n",
    "\n",
    "for kube-scheduler:  POST /filter  POST /prioritize  POST /preempt\n",
    "for API servers:     POST /mutate    POST /validate   (at their own address, docs/admission.md)\n",
    "for operators:       GET /livez    GET /readyz       GET /metrics   GET /latency"
);

pub(super) async fn index() -> HttpResponse {
    sentence(StatusCode::OK, INDEX)
}

/// The process answers.
pub(super) async fn livez() -> HttpResponse {
    sentence(StatusCode::OK, "ok")
}

/// Every source of facts is loaded; else which one is missing, one to a line.
pub(super) async fn readyz(state: Data<ServerState>) -> HttpResponse {
    let missing = state.missing();
    if missing.is_empty() {
        return sentence(StatusCode::OK, "ok");
    }
    let lines: Vec<String> = missing
        .iter()
        .map(|source| format!("waiting for {source}"))
        .collect();
    sentence(StatusCode::SERVICE_UNAVAILABLE, lines.join("\n"))
}
