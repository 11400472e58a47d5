//! What a run is reported as: a summary for programs, a table of pods, a text for people.
//!
//! Inputs: a simulated run. Outputs: texts. Invariants: the same run gives the same bytes; every number
//! of the text stands in the summary. Residency is checked again on the outcome, pod by pod, with and without
//! the extender; an independent checker that shares no code with the filter comes with stage 5.

mod latency;
mod pods;
mod summary;
mod text;

use std::io;

use sha2::{Digest as _, Sha256};

pub use summary::{ComparatorSummary, LatencySummary, RefusedPods, Summary};

use super::run::Simulated;
use super::run_file::RunFile;
use crate::snapshot::Snapshot;

/// How many bytes of a hash name a run.
const RUN_ID_BYTES: usize = 8;

/// The texts of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The summary.
    pub summary: Summary,
    /// The table of pods, as CSV.
    pub pods_csv: String,
}

/// Reports a run. `run_text` is what the run file was read from.
///
/// # Errors
/// Where the table cannot be written, which memory always can.
pub fn report(
    run: &RunFile,
    run_text: &str,
    snapshot: &Snapshot,
    simulated: &Simulated<'_>,
) -> io::Result<Report> {
    Ok(Report {
        summary: summary::summary(run, run_id(run_text, snapshot), snapshot, simulated),
        pods_csv: pods::pods_csv(snapshot, simulated)?,
    })
}

impl Report {
    /// The summary for programs.
    ///
    /// # Errors
    /// Where a number cannot be written, which a finite number always can.
    pub fn summary_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(&self.summary).map(|json| json + "\n")
    }

    /// The summary for people.
    #[must_use]
    pub fn text(&self) -> String {
        text::text(&self.summary)
    }
}

/// A name for all that decides a run: the program, the run file, the world.
fn run_id(run_text: &str, snapshot: &Snapshot) -> String {
    let mut hasher = Sha256::new();
    for part in [env!("CARGO_PKG_VERSION"), run_text, snapshot.id()] {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part);
    }
    let hash = hasher.finalize();
    let bytes = hash.iter().take(RUN_ID_BYTES);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}
