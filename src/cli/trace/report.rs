//! What is in a trace, for people and for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::VERSION;
use crate::cli::counted::counted;
use crate::simulation::trace::{Header, TraceSummary};

/// Milliseconds of a second.
const MS_PER_SECOND: f64 = 1_000.0;
/// Seconds of a day.
const SECONDS_PER_DAY: f64 = 86_400.0;

/// A trace in counts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    v: u32,
    kind: &'static str,
    /// The file.
    trace: String,
    /// Where it comes from.
    source: String,
    /// The instant of its beginning, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    /// Its last event, in milliseconds from its beginning.
    last_ms: u64,
    events: usize,
    events_by_word: BTreeMap<&'static str, usize>,
    nodes_by_region: BTreeMap<String, usize>,
    pods_by_namespace: BTreeMap<String, usize>,
    pods_with_annotations: usize,
    most_pods_at_once: usize,
    /// The seed of what was made up, where something was.
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    /// Each rule by which it was.
    rules: Vec<String>,
    /// What it leaves out of its source.
    notes: Vec<String>,
}

impl Report {
    pub(super) fn new(trace: String, header: &Header, summary: &TraceSummary) -> Self {
        let generator = header.generator.clone();
        Self {
            v: VERSION,
            kind: "trace-summary",
            trace,
            source: header.source.clone(),
            at: header.at.map(|at| at.to_string()),
            last_ms: summary.last_ms,
            events: summary.count(),
            events_by_word: summary.events.clone(),
            nodes_by_region: summary.nodes_by_region.clone(),
            pods_by_namespace: summary.pods_by_namespace.clone(),
            pods_with_annotations: summary.pods_with_annotations,
            most_pods_at_once: summary.most_pods_at_once,
            seed: generator.as_ref().map(|generator| generator.seed),
            rules: generator.map(|generator| generator.rules).unwrap_or_default(),
            notes: header.notes.clone(),
        }
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "{}: {} over {}, from {}",
            self.trace,
            counted(self.events, "event"),
            duration(self.last_ms),
            self.source
        )?;
        if let Some(at) = &self.at {
            writeln!(out, "  it begins at {at}")?;
        }
        counts(out, "events", &self.events_by_word)?;
        counts(out, "nodes by region", &self.nodes_by_region)?;
        counts(out, "pods by namespace", &self.pods_by_namespace)?;
        if !self.pods_by_namespace.is_empty() {
            writeln!(
                out,
                "  {} at once at most; {} of them say something about data or clients",
                counted(self.most_pods_at_once, "pod"),
                self.pods_with_annotations
            )?;
        }
        if let Some(seed) = self.seed {
            sentences(out, &format!("made up by seed {seed}"), &self.rules)?;
        }
        sentences(out, "left out", &self.notes)
    }
}

fn counts<K: AsRef<str>>(out: &mut dyn Write, title: &str, counts: &BTreeMap<K, usize>) -> io::Result<()> {
    if counts.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    for (name, count) in counts {
        writeln!(out, "{count:>9}  {}", name.as_ref())?;
    }
    Ok(())
}

fn sentences(out: &mut dyn Write, title: &str, sentences: &[String]) -> io::Result<()> {
    if sentences.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    for sentence in sentences {
        writeln!(out, "  {sentence}")?;
    }
    Ok(())
}

/// A number of milliseconds as people say it.
fn duration(ms: u64) -> String {
    let seconds = ms as f64 / MS_PER_SECOND;
    match seconds {
        _ if seconds >= SECONDS_PER_DAY => format!("{:.1} days", seconds / SECONDS_PER_DAY),
        _ => format!("{seconds:.1} s"),
    }
}
