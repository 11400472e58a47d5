//! What a trace lacks, made up by seeded rules that are told in words: regions of nodes, data that workloads carry,
//! data sets and how they are used, where clients are; and whole fleets.
//!
//! Inputs: a trace, the rules, a seed. Outputs: the trace with more in it, its header telling seed and rules. Invariants:
//! the same inputs give the same bytes on every machine; what the trace says itself stays as it is. Deliberately absent:
//! arrivals and lifetimes, which a trace has.

mod data;
mod draw;
mod fleet;
mod places;
mod rules;
#[cfg(test)]
mod synthesis_tests;
mod words;
mod workloads;

use serde::de::DeserializeOwned;

use super::header::Generator;
use super::reader::Trace;

pub use fleet::{FleetRules, NodeShape, fleet};
pub use rules::{
    AccessRule, DEFAULT_RULES, DataKind, DataRules, Grouping, KindProfile, RegionShare, SynthesisRules,
};

/// Makes up what a trace lacks.
///
/// # Errors
/// Where the trace already has what would be made up: a sentence.
pub fn synthesise(mut trace: Trace, rules: &SynthesisRules, seed: u64) -> Result<Trace, String> {
    places::place_nodes(&mut trace.events, rules, seed);
    let made = workloads::give_data(&mut trace.events, rules, seed)?;
    trace.events.splice(0..0, made);
    trace.header.source.push_str(" with synthesis");
    let mut words = rules.rules_in_words();
    if let Some(earlier) = trace.header.generator.take() {
        words.splice(0..0, earlier.rules);
    }
    trace.header.generator = Some(Generator { seed, rules: words });
    Ok(trace)
}

/// Reads one document of YAML; what is wrong is told with its place.
fn read_yaml<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, String> {
    serde_saphyr::from_str(text).map_err(|error| {
        let place = error.location();
        let (line, column) = place.map_or((0, 0), |place| (place.line(), place.column()));
        let said = error.without_snippet().to_string();
        let said = said.lines().next().unwrap_or("").trim_start_matches("error: ");
        let said = said.split(" at line ").next().unwrap_or(said);
        format!("{file}:{line}:{column}: {}", super::error::in_plain_words(said))
    })
}
