//! IN-SHELL. Latency that a Prometheus knows: asked in the background, never in a scheduling call.
//!
//! Inputs: the settings of each source ([`PrometheusSettings`]): an address, PromQL that an operator wrote,
//! and which labels of the answer name the two places. Outputs: observations of pairs, handed to
//! `live_latency`, and a sentence for everything that was left out.
//! Invariants: an answer is read once, here, into types that cannot be wrong; one bad series costs nothing
//! but itself; a bad answer changes nothing, so what was good before goes on until it is too old.
//! Deliberately absent: names of metrics of any prober (none is standard), and what observations mean for
//! the latency of a pair, which `topology` decides for every source alike.

mod answer;
mod client;
mod follow;
mod journal;
mod reading;
mod settings;

pub use answer::{Answer, Labels, QueryFailure, Sample, Series, read_answer};
pub use client::{Answers, ask};
pub use follow::{Destinations, follow};
pub use journal::{Journal, News};
pub use reading::{LeftOut, Reading, Reason, read};
pub use settings::{BaseUrl, EndLabels, PrometheusSettings, Queries, QueryName, Unit};
