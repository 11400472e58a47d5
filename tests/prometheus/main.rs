//! Tests against a real Prometheus that scrapes real blackbox exporters, all on loopback.
//!
//! Run with `cargo test --test prometheus`; a plain `cargo test` leaves them out. The two programs are the
//! packages `prometheus` and `prometheus-blackbox-exporter` of Debian and Ubuntu. Without them every test
//! here fails and says what is missing; none is skipped.
//!
//! It is a target of its own and not a part of `cluster`, because it needs neither Go nor a control plane:
//! who changes how latency is taken in runs this in half a minute. What it shares with `cluster` is how
//! programs are run and asked.

#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking, its harness too"
)]
#![expect(
    clippy::indexing_slicing,
    reason = "an absent part of an answer fails the test"
)]

#[expect(dead_code, reason = "the cluster tests use more of it")]
#[path = "../cluster/http.rs"]
mod http;
#[expect(dead_code, reason = "the cluster tests use more of it")]
#[path = "../cluster/process.rs"]
mod process;
#[path = "../cluster/waiting.rs"]
mod waiting;

mod incident;
mod recipes;
mod slow_service;
mod stack;
