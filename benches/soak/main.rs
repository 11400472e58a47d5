//! Steady load on the built program while its facts change, and every decision replayed.
//!
//! `domicile serve` runs on files. A few connections ask it about pods of sixteen kinds, without a pause; every second
//! one source of its facts is replaced: policies, data sets, latencies, the fleet. Its records are moved away under it,
//! each is compared with a replay in the world that it names, as is the answer that the client got, and then removed.
//! docs/soak.md says what is held. Run:
//!
//! ```text
//! cargo bench --bench soak [-- --minutes=10 --per-second=5000 --connections=4]
//! ```
#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

mod fleet;
mod judge;
mod load;
mod memory;
mod pods;
#[expect(dead_code, reason = "the cluster tests restart what they start")]
#[path = "../../tests/cluster/process.rs"]
mod process;
mod profile;
mod program;
mod putting;
mod replay;
mod report;
mod tampering;
mod variants;
#[expect(dead_code, reason = "the cluster tests wait for more than a port")]
#[path = "../../tests/cluster/waiting.rs"]
mod waiting;
#[expect(
    dead_code,
    reason = "other benchmarks have a cluster of its own; here it is the pod that is wanted"
)]
#[path = "../world.rs"]
mod world;
mod worlds;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use domicile::assembly::FactSource;
use jiff::Timestamp;

use judge::Judge;
use load::Pace;
use memory::Memory;
use program::Running;
use putting::Facts;
use replay::Replayer;
use report::Report;
use variants::Variants;
use worlds::Worlds;

/// How often one source is replaced.
const CHANGE_EVERY: Duration = Duration::from_secs(1);
/// How often memory is looked at.
const SAMPLE_EVERY: Duration = Duration::from_secs(2);

/// What the command line may change.
struct Options {
    run: Duration,
    per_second: u32,
    connections: u32,
}

impl Options {
    fn read() -> Self {
        let mut options = Self {
            run: Duration::from_mins(10),
            per_second: 5_000,
            connections: 4,
        };
        // cargo adds `--bench`.
        for argument in std::env::args().skip(1).filter(|argument| argument != "--bench") {
            let whole = |value: &str| match value.parse() {
                Ok(number) if number > 0 => number,
                _ => panic!("`{argument}` needs a whole number above 0"),
            };
            match argument.split_once('=') {
                Some(("--minutes", value)) => match value.parse::<f64>() {
                    Ok(minutes) if minutes > 0.0 => options.run = Duration::from_secs_f64(minutes * 60.0),
                    _ => panic!("`{argument}` needs a number above 0"),
                },
                Some(("--per-second", value)) => options.per_second = whole(value),
                Some(("--connections", value)) => options.connections = whole(value),
                _ => panic!("`{argument}` is none of --minutes=N --per-second=N --connections=N"),
            }
        }
        options
    }
}

/// Replaces one source after the other, each by another of its states, until an instant.
fn change(facts: &Facts<'_>, variants: &Variants, until: Instant) {
    for source in FactSource::ALL.into_iter().cycle() {
        std::thread::sleep(CHANGE_EVERY);
        if Instant::now() >= until {
            return;
        }
        // Scrambled, so that every state meets every state of the other sources, and the same in every run.
        let states = variants.states(source).len();
        let scrambled = load::hash(&facts.changes().to_le_bytes()) as usize;
        let onward = 1 + scrambled % (states - 1);
        facts.put(source, (facts.current(source) + onward) % states);
    }
}

fn main() -> ExitCode {
    let options = Options::read();
    let variants = Variants::of(variants::day(Timestamp::now()));
    let worlds = Worlds::of(&variants);
    let mut replayer = Replayer::new(&worlds);
    let tampered = tampering::is_found(&worlds, &mut replayer);
    tampering::growth_is_found();
    eprintln!(
        "{} worlds; the judge refused {tampered} tampered records",
        worlds.all.len()
    );
    let directory = tempfile::tempdir().expect("a directory");
    let facts = Facts::begin(directory.path(), &variants);
    let mut program = Running::start(directory.path(), &facts);
    let (pace, has_ended) = (Pace::default(), AtomicBool::new(false));
    let (answers, answered) = mpsc::channel();
    let judge = Judge::new(&worlds, &facts, &pace, replayer, answered);
    let mut memory = Memory::default();
    let every = Duration::from_secs(1) * options.connections / options.per_second;
    let began = Instant::now();
    let until = began + options.run;
    let (pid, addresses, records) = (program.pid, program.addresses, program.decisions.clone());
    let report = std::thread::scope(|scope| {
        let judge = scope.spawn(|| judge.follow(&records, &has_ended));
        scope.spawn(|| change(&facts, &variants, until));
        let clients: Vec<_> = (0..options.connections)
            .map(|_| {
                let (answers, pace) = (answers.clone(), &pace);
                scope.spawn(move || load::ask(addresses, every, until, pace, &answers))
            })
            .collect();
        while Instant::now() < until && memory.sample(pid, began.elapsed()) {
            std::thread::sleep(SAMPLE_EVERY.min(until.saturating_duration_since(Instant::now())));
        }
        let seen = clients
            .into_iter()
            .map(|client| client.join().expect("no client fails"));
        let seen = seen.collect();
        let ran = began.elapsed();
        let own_count = program.own_count();
        let ended = program.stop().is_some_and(|status| status.success());
        has_ended.store(true, Ordering::Release);
        let (found, replays) = judge.join().expect("the judge does not fail");
        Report {
            ran,
            seen,
            found,
            replays,
            changes: facts.changes(),
            worlds: worlds.all.len(),
            tampered,
            growth: memory.growth(options.run),
            own_count,
            ended,
            errors: program.errors(),
        }
    });
    println!("{}", report.markdown());
    let problems = report.problems();
    for problem in &problems {
        eprintln!("{problem}");
    }
    match problems.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
