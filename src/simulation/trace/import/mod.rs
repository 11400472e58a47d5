//! Traces from what people have: the lists that kubectl prints, the CSV pair of a published cluster trace.
//!
//! Inputs: texts with the names that problems are reported under. Outputs: a [`Trace`](super::Trace), whose header tells
//! what was left out and how often; or every problem. Invariant: what cannot be read is a problem or a note, and never
//! silently another pod. Deliberately absent: reading files, recording a cluster over time.

mod kubectl;
#[cfg(test)]
mod kubectl_tests;
mod manifest;
mod notes;
mod openb;
mod requests;
mod selectors;
mod views;

pub use kubectl::{KubectlOptions, import_kubectl};
pub use manifest::pod_of_manifest;
pub use openb::{OpenbOptions, import_openb};
