//! `domicile simulate RUN.yaml --out DIR`: where pods would go, by several schedulers.
//!
//! Writes `summary.json` and tables into the directory and the summary for people to the output. Exit code 0 where no
//! condition of `failOn` or `--fail-on` holds (without any: where no placement of `domicile` breaks a policy), 1 where one
//! does, 130 where somebody stopped it: then what there is by then is written, and says that it is not complete.

mod reading;

use std::fs;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use clap::Args;

use super::Outcome;
use super::output::{Output, write_json};
use super::progress::{progress_bar, show};
use crate::simulation::{
    Comparator, Control, FailOn, Figures, Options, ReportFile, Scenario, Summary, planned_events,
    report_files, simulate, summarize, summary_text,
};

pub use reading::{read_scenario, read_scenario_in};

/// How often a bar is drawn.
const BETWEEN_DRAWS: Duration = Duration::from_millis(100);

/// Where pods would go with the extender, and without it
#[derive(Debug, Clone, Args)]
pub struct SimulateArgs {
    /// What to simulate; the paths in it are relative to it
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Where the reports go; made where it is not there
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Begin in the world of a file that `domicile snapshot` wrote: its cluster, policies, data sets and latencies, of
    /// which the run file then states none
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// A condition that makes the run a failure, such as `violations>0`; may be given several times, beside those of the
    /// run file
    #[arg(long, value_name = "CONDITION", value_parser = FailOn::parse)]
    pub fail_on: Vec<FailOn>,
    /// On how many threads at most; the result does not depend on it [default: one for each processor]
    #[arg(long, value_name = "NUMBER")]
    pub threads: Option<NonZeroUsize>,
    /// Write `decisions.jsonl` too: every attempt to place a pod
    #[arg(long)]
    pub decisions: bool,
    /// How the summary is printed; `summary.json` is written in any case
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// A run with its files.
#[derive(Debug)]
pub struct Simulated {
    /// The figures.
    pub summary: Summary,
    /// The files.
    pub files: Vec<ReportFile>,
}

impl Simulated {
    /// The text of a file.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&str> {
        let found = self.files.iter().find(|file| file.name == name);
        found.map(|file| file.text.as_str())
    }
}

/// Simulates and writes the reports.
///
/// # Errors
/// Where something cannot be read or written, or a condition names a figure that the run does not have.
pub fn run(args: &SimulateArgs, out: &mut dyn Write) -> Result<Outcome> {
    let scenario = read_scenario_in(&args.run, args.snapshot.as_deref())?;
    let control = Arc::new(Control::default());
    stop_on_interrupt(&control);
    let threads = args.threads.or_else(|| thread::available_parallelism().ok());
    let options = Options {
        threads: threads.map_or(1, NonZeroUsize::get),
        records_decisions: args.decisions,
    };
    let simulated = with_progress(&control, planned_events(&scenario), || {
        simulated(&scenario, options, &control)
    })?;
    fs::create_dir_all(&args.out).with_context(|| format!("`{}` cannot be made", args.out.display()))?;
    for file in &simulated.files {
        let path = args.out.join(file.name);
        fs::write(&path, &file.text).with_context(|| format!("`{}` cannot be written", path.display()))?;
    }
    match args.output {
        Output::Json => write_json(out, &simulated.summary)?,
        Output::Text => out.write_all(summary_text(&simulated.summary).as_bytes())?,
    }
    if !simulated.summary.complete {
        return Ok(Outcome::Stopped);
    }
    let failures = failures(&scenario, &args.fail_on, &simulated.summary)?;
    if args.output == Output::Text {
        for failure in &failures {
            writeln!(out, "FAILED: {failure}")?;
        }
    }
    Ok(Outcome::holds_if(failures.is_empty()))
}

/// Simulates a scenario.
///
/// # Errors
/// Where the checker cannot read a document.
pub fn simulated(scenario: &Scenario, options: Options, control: &Control) -> Result<Simulated> {
    let simulated = simulate(scenario, options, control, |run| {
        let summary = summarize(scenario, run);
        let files = report_files(run, &summary)?;
        anyhow::Ok(Simulated { summary, files })
    });
    simulated.map_err(|problem| anyhow!(problem))?
}

/// Simulates a run file as its conditions want it, on one thread.
///
/// # Errors
/// Where something cannot be read, every problem at once.
pub fn simulated_file(path: &Path, threads: usize) -> Result<Simulated> {
    let options = Options {
        threads,
        records_decisions: false,
    };
    simulated(&read_scenario(path)?, options, &Control::default())
}

/// The conditions that hold, in words.
fn failures(scenario: &Scenario, more: &[FailOn], summary: &Summary) -> Result<Vec<String>> {
    let mut conditions = scenario.run.fail_on();
    conditions.extend_from_slice(more);
    let has_product = summary.comparator(&Comparator::Domicile.id()).is_some();
    if conditions.is_empty() && has_product {
        conditions.extend(FailOn::parse("violations>0"));
    }
    let figures = Figures::of(summary);
    let mut failures = Vec::new();
    for condition in &conditions {
        let holds = condition
            .holds(&figures)
            .map_err(|problem| anyhow!("`{condition}`: {problem}"))?;
        failures.extend(holds.map(|value| format!("{condition}: it is {value}")));
    }
    Ok(failures)
}

/// Does something while a bar shows how many events happened.
fn with_progress<T: Send>(control: &Control, planned: u64, work: impl FnOnce() -> T + Send) -> T {
    let bar = progress_bar("events");
    let is_done = AtomicBool::new(false);
    let ended = thread::scope(|scope| {
        let working = scope.spawn(|| {
            let result = work();
            is_done.store(true, Ordering::Relaxed);
            result
        });
        while !bar.is_hidden() && !is_done.load(Ordering::Relaxed) && !working.is_finished() {
            let done = control.events_done.load(Ordering::Relaxed).min(planned);
            show(
                &bar,
                usize::try_from(done).unwrap_or(usize::MAX),
                usize::try_from(planned).unwrap_or(usize::MAX),
            );
            thread::sleep(BETWEEN_DRAWS);
        }
        working.join()
    });
    bar.finish_and_clear();
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The first interrupt ends the run with what there is, a second ends the program.
fn stop_on_interrupt(control: &Arc<Control>) {
    let control = control.clone();
    // Where no signal can be awaited, an interrupt ends the program as it does any other.
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    thread::spawn(move || {
        runtime.block_on(async {
            if tokio::signal::ctrl_c().await.is_ok() {
                control.stop.store(true, Ordering::Relaxed);
            }
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(i32::from(Outcome::STOPPED_CODE));
            }
        });
    });
}
