//! Domicile decides where a pod may run (data residency) and where it runs best (measured latency).

pub mod model;
pub mod policy;
pub mod topology;
