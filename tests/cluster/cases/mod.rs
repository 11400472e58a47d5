//! What Domicile promises, judged by what the API server shows afterwards.
//!
//! Each case runs etcd, API server, `domicile serve --cluster` with the shipped policies, data sets and
//! latencies, and real kube-schedulers: one that sends names and one that sends whole nodes, both of one
//! extender. `stand` puts that together; a theme is a module.

mod admission;
mod chaos;
mod chaos_checker;
mod clock;
mod custom_resources;
mod faults;
pub mod fleet;
mod outage;
mod placement;
mod policies;
mod preemption;
mod refusal;
mod retries;
mod sampling;
mod scan;
mod second_extender;
mod spreading;
mod spreading_fleet;
pub mod stand;
mod transcript;
mod volumes;
mod waking;
mod watches;
