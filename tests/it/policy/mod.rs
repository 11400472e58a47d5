//! The policy engine against docs/policies.md: properties, a naive second evaluator, cases in YAML, the shipped
//! set, the linter.
#![expect(clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

pub mod affinity;
mod cases;
mod checker;
mod choices;
mod damage;
mod difference;
mod generate;
mod limits;
mod lint;
mod naive;
mod proof;
mod properties;
mod regressions;
mod shipped;
mod verb_test;
mod world;
mod written;
