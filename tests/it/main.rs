//! The one integration binary, so that it links once.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod accesses;
mod admission;
mod advise;
mod advise_ways;
mod architecture;
mod authoring;
mod change;
mod clock;
mod cluster_index;
mod diff;
mod doctor;
mod documentation;
mod followed_copies;
mod fuzz;
mod latency;
mod latency_replay;
mod latency_route;
mod members;
mod overload;
mod parity;
mod placement;
mod pod_events;
mod policy;
mod prometheus;
mod routes;
mod simulations;
mod snapshot_file;
mod socket;
mod storage_world;
mod tls;
mod trace;
mod volumes;
mod webhook;
mod wire;
mod worked_example;
mod world;
