//! Domicile decides where a pod may run (data residency) and where it runs best (measured latency).
//!
//! ```text
//! HTTP body ─ extender (wire) ─┐                                           ┌─ extender ─ HTTP
//! pod.yaml ─ objects ──────────┼─ PodRequirements ─ placement::assess ─────┤
//! simulation event ────────────┘        │           filter · prioritize    └─ text, report, record
//!      cluster | files | simulation ─► assembly ─► Arc<Snapshot>
//! ```
//!
//! The middle is pure: `model`, `policy`, `topology`, `replicas`, `objects`, `snapshot`, `placement`.
//! Everything else is a shell around it. ARCHITECTURE.md is the map.

pub mod admission;
pub mod assembly;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod custom_resources;
pub mod decisions;
pub mod doctor;
pub mod embedded;
pub mod extender;
pub mod files;
pub mod live_latency;
pub mod metrics;
pub mod model;
pub mod objects;
pub mod placement;
pub mod pod_events;
pub mod policy;
pub mod prometheus;
pub mod publish;
pub mod replicas;
pub mod scan;
pub mod server;
pub mod simulation;
pub mod snapshot;
pub mod spreadsheet;
pub mod telemetry;
pub mod topology;
