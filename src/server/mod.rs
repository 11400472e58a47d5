//! The HTTP server that kube-scheduler calls, and the routes that its operators look at.
//!
//! Inputs: requests; the latest published [`Snapshot`](crate::snapshot::Snapshot); a clock. Outputs:
//! answers, each with a `Content-Length`; metrics; decision records. Invariants: one snapshot and one
//! reading of the clock for each request; nothing is remembered between requests; a request is decided
//! inline, for a decision takes less time than handing it over; those that wait for it are few and wait
//! shortly, and others are told so at once ([`Turns`]); what cannot be read is a 4xx with one sentence.
//! Deliberately absent: Kubernetes, files except those of TLS, who publishes snapshots.
//!
//! ```text
//! body ─ [body] ─ bytes ─ [decide] extender wire + placement ─ answer ─ [routes] ─ response
//!                                     └─ what was decided ─ [observe] metrics, record, span
//! ```

mod admin;
mod admit;
mod admit_record;
mod body;
mod decide;
mod latency;
mod observe;
mod pieces;
mod readiness;
mod record;
mod routes;
mod run;
mod sentence;
mod state;
mod tls;
mod turns;

pub use admit::Admission;
pub use body::{Body, BodyBudget, BodyError, read_body};
pub use decide::{AnswerSettings, Decided, Outcome, filter, preempt, prioritize};
pub use readiness::Readiness;
pub use routes::{configure, configure_admin, configure_admission, configure_extender};
pub use run::{Endpoint, RunSettings, run};
pub use state::ServerState;
pub use tls::{ClientSettings, ServerTls, TlsAddress, TlsHealth, TlsKeeper, TlsProblem, TlsSettings};
pub use turns::{Busy, Turns};
