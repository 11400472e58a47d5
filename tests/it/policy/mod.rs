//! The policy engine against POLICY.md: properties, a naive second evaluator, cases in YAML, the shipped
//! set, the linter.
#![expect(clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod choices;
mod generate;
mod lint;
mod naive;
mod properties;
mod world;
mod written;
