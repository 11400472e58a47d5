//! Domicile decides where a pod may run (data residency) and where it runs best (measured latency).

pub mod assembly;
pub mod cluster;
pub mod config;
pub mod doctor;
pub mod embedded;
pub mod extender;
pub mod files;
pub mod model;
pub mod objects;
pub mod placement;
pub mod policy;
pub mod publish;
pub mod replicas;
pub mod server;
pub mod snapshot;
pub mod topology;
