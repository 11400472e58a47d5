//! How many pods a second a real kube-scheduler binds on 5,000 nodes, by what stands beside it.
//!
//! Each row is one configuration: no extender, one of ours that decides nothing, Domicile; pods with no affinity,
//! with affinity written by hand, or with what the webhook injects. Rows take turns, so that whatever else the machine
//! does falls on all alike; medians are compared. docs/throughput.md says what is timed and keeps a table. Run:
//!
//! ```text
//! cargo bench --bench throughput [-- --pods=1000 --rounds=5 --rows=PART-OF-NAME]
//! cargo bench --bench throughput -- --creations=5000
//! ```
#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]
#![expect(dead_code, reason = "the harness of the cluster tests does more than this")]

#[path = "../../tests/cluster/api.rs"]
mod api;
#[path = "../../tests/cluster/bindings.rs"]
mod bindings;
mod burst;
#[path = "../../tests/cluster/certificates.rs"]
mod certificates;
#[path = "../../tests/cluster/components.rs"]
mod components;
#[path = "../../tests/cluster/control_plane.rs"]
mod control_plane;
#[path = "../../tests/cluster/creations.rs"]
mod creations;
#[path = "../../tests/cluster/domicile.rs"]
mod domicile;
mod fleet;
#[path = "../../tests/cluster/http.rs"]
mod http;
mod no_op;
#[path = "../../tests/cluster/objects.rs"]
mod objects;
#[path = "../../tests/cluster/process.rs"]
mod process;
mod rows;
mod runs;
#[path = "../../tests/cluster/scenario.rs"]
mod scenario;
#[path = "../../tests/cluster/scheduler.rs"]
mod scheduler;
mod table;
#[path = "../../tests/cluster/waiting.rs"]
mod waiting;
#[path = "../../tests/cluster/webhook.rs"]
mod webhook;

use std::time::Instant;

use rows::ROWS;
use runs::{Bench, Run};

/// What the command line may change.
struct Options {
    pods: usize,
    rounds: usize,
    /// Only rows whose description contains this.
    rows: String,
    /// So many creations are timed, and nothing else.
    creations: Option<usize>,
}

impl Options {
    fn read() -> Self {
        let mut options = Self {
            pods: 1_000,
            rounds: 5,
            rows: String::new(),
            creations: None,
        };
        // cargo adds `--bench`.
        for argument in std::env::args().skip(1).filter(|argument| argument != "--bench") {
            let number = |value: &str| match value.parse() {
                Ok(number) if number > 0 => number,
                _ => panic!("`{argument}` needs a number above 0"),
            };
            match argument.split_once('=') {
                Some(("--pods", value)) => options.pods = number(value),
                Some(("--rounds", value)) => options.rounds = number(value),
                Some(("--rows", value)) => value.clone_into(&mut options.rows),
                Some(("--creations", value)) => options.creations = Some(number(value)),
                _ => panic!("`{argument}` is none of --pods=N --rounds=N --rows=TEXT --creations=N"),
            }
        }
        options
    }
}

#[tokio::main]
async fn main() {
    let options = Options::read();
    let wanted = |row: &&rows::Row| row.description().contains(&options.rows);
    let rows: Vec<&rows::Row> = ROWS.iter().filter(wanted).collect();
    assert!(!rows.is_empty(), "no row contains `{}`", options.rows);
    let begin = Instant::now();
    let mut bench = Bench::begin().await;
    if let Some(creations) = options.creations {
        return bench.burst(creations).await;
    }
    let mut all: Vec<Vec<Run>> = rows.iter().map(|_| Vec::new()).collect();
    for round in 0..options.rounds {
        for (row, runs) in rows.iter().zip(&mut all) {
            let run = bench.run(row, options.pods).await;
            eprintln!(
                "{:>4.0} s  round {}  {:>6.1} pods/s  {}",
                begin.elapsed().as_secs_f64(),
                round + 1,
                run.pods_per_second,
                row.description(),
            );
            runs.push(run);
        }
    }
    let results: Vec<(&rows::Row, Vec<Run>)> = rows.into_iter().zip(all).collect();
    println!("{}", table::markdown(&results, options.pods));
}
