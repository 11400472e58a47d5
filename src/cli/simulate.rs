//! `domicile simulate RUN.yaml --out DIR`: where pods would go with the extender, and without it.
//!
//! Writes `summary.json` and `pods.csv` into the directory and the summary for people to the output. Exit
//! code 0 where nothing that the extender placed breaks a policy, 1 otherwise.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::Args;

use super::Outcome;
use super::facts::{FactTexts, read_texts, snapshot};
use super::progress::{progress_bar, show};
use crate::assembly::SourceText;
use crate::config::SourceArgs;
use crate::simulation::{Report, RunFile, capacities, fleet_text, report, simulate};

/// Where pods would go with the extender, and without it
#[derive(Debug, Clone, Args)]
pub struct SimulateArgs {
    /// What to simulate; the paths in it are relative to it
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Where the reports go; made where it is not there
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Simulates and writes the reports.
///
/// # Errors
/// Where something cannot be read or written.
pub fn run(args: &SimulateArgs, out: &mut dyn Write) -> Result<Outcome> {
    let report = simulated(&args.run)?;
    fs::create_dir_all(&args.out).with_context(|| format!("`{}` cannot be made", args.out.display()))?;
    let write = |name: &str, text: &str| {
        let path = args.out.join(name);
        fs::write(&path, text).with_context(|| format!("`{}` cannot be written", path.display()))
    };
    write("summary.json", &report.summary_json()?)?;
    write("pods.csv", &report.pods_csv)?;
    out.write_all(report.text().as_bytes())?;
    Ok(Outcome::holds_if(report.summary.domicile.violations == 0))
}

/// Simulates a run file.
///
/// # Errors
/// Where something cannot be read, every problem at once.
pub fn simulated(path: &Path) -> Result<Report> {
    let (run, text) = read_run(path)?;
    let texts = texts_of_run(&run, path)?;
    let snapshot = snapshot(&texts)?;
    let capacities = capacities(&texts.fleet.text)
        .map_err(|problems| anyhow!("{}: {}", texts.fleet.name, problems.join("\n  ")))?;
    let bar = progress_bar("placements");
    let simulated = simulate(&run, &snapshot, &capacities, &mut |done, total| {
        show(&bar, done, total);
    });
    bar.finish_and_clear();
    Ok(report(&run, &text, &snapshot, &simulated)?)
}

/// Reads a run file, with its text.
///
/// # Errors
/// Where it cannot be read, every problem at once.
pub(super) fn read_run(path: &Path) -> Result<(RunFile, String)> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).with_context(|| format!("`{name}` cannot be read"))?;
    let run = RunFile::read(&name, &text).map_err(|problems| anyhow!(problems.join("\n  ")))?;
    Ok((run, text))
}

/// The texts that a run names, relative to it.
///
/// # Errors
/// Where one cannot be read.
pub(super) fn texts_of_run(run: &RunFile, path: &Path) -> Result<FactTexts> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let beside = |named: &Option<String>| named.as_ref().map(|named| folder.join(named));
    let mut texts = read_texts(&SourceArgs {
        fleet: beside(&run.fleet.file),
        policies: beside(&run.policies),
        data_sets: beside(&run.data_sets),
        latency: beside(&run.latency),
    })?;
    if !run.fleet.nodes.is_empty() {
        texts.fleet = SourceText::new("the fleet of the run file", fleet_text(&run.fleet));
    }
    Ok(texts)
}
