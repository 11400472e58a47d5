//! The command line: one file for each verb, and no rule in any of them.
//!
//! Exit codes: 0 holds, 1 a finding or a refusal, 2 bad usage or input that cannot be read.

pub mod advise;
pub mod affinity;
mod counted;
mod custom_resources;
pub mod diff;
pub mod doctor;
mod encryption;
pub mod exceptions;
pub mod explain;
pub mod explanation;
pub mod facts;
mod first_decision;
pub mod impact;
pub mod latency;
pub mod lint;
mod live;
pub mod matrix;
pub mod new;
mod outcome;
mod output;
mod policy_set;
mod progress;
pub mod prove;
mod sarif;
pub mod scan;
pub mod schema;
mod serve;
pub mod simulate;
pub mod snapshot;
mod sources;
pub mod test;
pub mod trace;
pub mod why;
pub mod why_not;

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use jiff::Timestamp;

pub use outcome::Outcome;
pub use output::{Output, TableOutput};

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
    /// Why a pod may run on a node, or may not
    Why(Box<why::WhyArgs>),
    /// Where a pod may run, and what refuses the other nodes
    WhyNot(Box<why_not::WhyNotArgs>),
    /// Find the traps in the configuration of a kube-scheduler
    Doctor(Box<doctor::DoctorArgs>),
    /// Where pods would go with the extender, and without it
    Simulate(simulate::SimulateArgs),
    /// Where the copies of a data set would best be, and what that buys
    Advise(Box<advise::AdviseArgs>),
    /// The node affinity that admission would add to a pod, to write it by hand
    Affinity(affinity::AffinityArgs),
    /// What a change of policies newly permits and newly refuses
    Diff(diff::DiffArgs),
    /// Check policies: what is wrong, where, and how to mend it
    Lint(lint::LintArgs),
    /// A policy in plain English, good enough to sign
    Explain(explain::ExplainArgs),
    /// The JSON Schema of policy files, so that editors complete, explain and check them
    Schema(schema::SchemaArgs),
    /// List the exceptions of a set: what each lifts, for whom, where, and until when
    Exceptions(exceptions::ExceptionsArgs),
    /// What another set of policies would change for the pods of a cluster
    Impact(impact::ImpactArgs),
    /// The latency between regions: look at it, keep it, check it, compare it
    Latency(latency::LatencyArgs),
    /// Which data may be in which region, and the rules that decide it
    Matrix(matrix::MatrixArgs),
    /// Begin a new file: a policy and its test
    New(new::NewArgs),
    /// Prove the guarantees of policies, or show what breaks them
    Prove(prove::ProveArgs),
    /// Pods that are where policies refuse them, or kept from where they permit them
    Scan(scan::ScanArgs),
    /// The world as it is now, in one file that every offline verb reads
    Snapshot(snapshot::SnapshotArgs),
    /// Run the tests that stand beside policies
    Test(test::TestArgs),
    /// Traces for simulations: import, make up, check, show
    Trace(trace::TraceArgs),
}

/// Reads the command line and does what it says.
#[must_use]
pub fn run() -> ExitCode {
    let now = Timestamp::now();
    let mut out = std::io::stdout().lock();
    match Arguments::parse().verb {
        Verb::Serve(arguments) => {
            drop(out);
            serve::run(&arguments, &environment())
        }
        Verb::Why(arguments) => outcome::exit_code("why", why::run(&arguments, now, &mut out)),
        Verb::Advise(arguments) => outcome::exit_code("advise", advise::run(&arguments, now, &mut out)),
        Verb::Affinity(arguments) => outcome::exit_code("affinity", affinity::run(&arguments, now, &mut out)),
        Verb::Diff(arguments) => outcome::exit_code("diff", diff::run(&arguments, now, &mut out)),
        Verb::Lint(arguments) => outcome::exit_code("lint", lint::run(&arguments, now, &mut out)),
        Verb::Impact(arguments) => outcome::exit_code("impact", impact::run(&arguments, now, &mut out)),
        Verb::Latency(arguments) => outcome::exit_code("latency", latency::run(&arguments, now, &mut out)),
        Verb::Matrix(arguments) => outcome::exit_code("matrix", matrix::run(&arguments, now, &mut out)),
        Verb::New(arguments) => outcome::exit_code("new", new::run(&arguments, now, &mut out)),
        Verb::Prove(arguments) => outcome::exit_code("prove", prove::run(&arguments, now, &mut out)),
        Verb::Scan(arguments) => outcome::exit_code("scan", scan::run(&arguments, now, &mut out)),
        Verb::Snapshot(arguments) => outcome::exit_code("snapshot", snapshot::run(&arguments, now, &mut out)),
        Verb::Test(arguments) => outcome::exit_code("test", test::run(&arguments, &mut out)),
        Verb::Trace(arguments) => outcome::exit_code("trace", trace::run(&arguments, &mut out)),
        Verb::Explain(arguments) => outcome::exit_code("explain", explain::run(&arguments, now, &mut out)),
        Verb::Schema(arguments) => outcome::exit_code("schema", schema::run(&arguments, &mut out)),
        Verb::Exceptions(arguments) => {
            outcome::exit_code("exceptions", exceptions::run(&arguments, now, &mut out))
        }
        Verb::WhyNot(arguments) => outcome::exit_code("why-not", why_not::run(&arguments, now, &mut out)),
        Verb::Doctor(arguments) => outcome::exit_code("doctor", doctor::run(&arguments, &mut out)),
        Verb::Simulate(arguments) => outcome::exit_code("simulate", simulate::run(&arguments, &mut out)),
    }
}

/// The environment, read once; what is not text cannot be meant for us.
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
