//! Four workloads that together use all that the model models. Each is made from a seed and always the same.

pub mod filling;
pub mod priorities;
pub mod sampling;
pub mod spreading;

use rand_pcg::Pcg64;

/// A stream of its own for each workload.
fn random(stream: u128) -> Pcg64 {
    Pcg64::new(20_261_121, stream)
}
