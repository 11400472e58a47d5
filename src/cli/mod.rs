//! The command line: one file for each verb, and no rule in any of them.
//!
//! Exit codes: 0 holds, 1 a finding or a refusal, 2 bad usage or input that cannot be read.

mod first_decision;
mod serve;
mod sources;

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::ServeArgs;

/// Where pods may run, by data residency, and where they run best, by measured latency.
#[derive(Debug, Parser)]
#[command(name = "domicile", version, about, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Answer kube-scheduler: which nodes a pod may run on, and which of them is nearest
    Serve(Box<ServeArgs>),
}

/// Reads the command line and does what it says.
#[must_use]
pub fn run() -> ExitCode {
    match Arguments::parse().verb {
        Verb::Serve(arguments) => serve::run(&arguments, &environment()),
    }
}

/// The environment, read once; what is not text cannot be meant for us.
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
