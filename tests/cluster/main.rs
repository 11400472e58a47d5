//! Tests against a real etcd, kube-apiserver and kube-scheduler.
//!
//! Run with `cargo test --test cluster`; a plain `cargo test` leaves them out. The
//! three programs come from `tests/cluster/build-components`, which builds them on
//! first use (Go is needed, and minutes) or takes those of `KUBEBUILDER_ASSETS`.
//! Without them every test here fails and says what is missing; none is skipped.
//! `README.md` beside this file says more.
//!
//! The harness: `control_plane` (etcd and API server, shared), `scenario` (one test's
//! turn), `scheduler`, `domicile`, `recorder` (an extender that remembers), `webhook` (what the
//! API server is told of webhooks), `mutator` (one of the test itself), `api`, `objects`, `storage`,
//! `creations` and `bindings` (what tests do and see through the API server). `smoke` tests the harness alone; the
//! product is in `cases`; `fidelity` measures the model of kube-scheduler against the real one.

#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking, its harness too"
)]
#![expect(
    clippy::indexing_slicing,
    reason = "an absent part of a recorded call fails the test"
)]

mod api;
mod bindings;
mod cases;
mod certificates;
mod components;
mod control_plane;
mod creations;
mod deploy;
mod doctor;
mod domicile;
mod encryption;
mod fidelity;
mod http;
mod mutator;
mod objects;
mod process;
mod recorder;
mod scenario;
mod scheduler;
mod smoke;
mod storage;
mod waiting;
mod webhook;
