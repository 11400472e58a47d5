//! `domicile trace check` and `show`: whether a trace can be read, and what is in it.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Args;
use serde::Serialize;

use super::report::Report;
use super::{VERSION, opened};
use crate::cli::Outcome;
use crate::cli::counted::counted;
use crate::cli::output::{Output, write_json};
use crate::simulation::trace::{Events, TraceError, TraceSummary};

/// Find what is wrong with a trace, by line and column
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// The trace
    #[arg(value_name = "TRACE")]
    pub trace: PathBuf,
    /// Tell no more errors than this
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub most: usize,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// What is in a trace
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// The trace
    #[arg(value_name = "TRACE")]
    pub trace: PathBuf,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// The answer of `check`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    v: u32,
    kind: &'static str,
    trace: String,
    /// Events that can be read.
    events: usize,
    /// How many lines are wrong.
    wrong: usize,
    /// The first of them.
    errors: Vec<ErrorRow>,
}

#[derive(Debug, Serialize)]
struct ErrorRow {
    line: u64,
    /// 0 where the whole line is meant.
    column: usize,
    sentence: String,
}

impl From<TraceError> for ErrorRow {
    fn from(error: TraceError) -> Self {
        Self {
            line: error.line,
            column: error.column,
            sentence: error.sentence,
        }
    }
}

/// Answers `domicile trace check`.
///
/// # Errors
/// Where the trace cannot be opened, or the answer cannot be written.
pub fn check(args: &CheckArgs, out: &mut dyn Write) -> Result<Outcome> {
    let trace = args.trace.display().to_string();
    let mut checked = Checked {
        v: VERSION,
        kind: "trace-check",
        trace: trace.clone(),
        events: 0,
        wrong: 0,
        errors: Vec::new(),
    };
    let mut tell = |error: TraceError| {
        if checked.errors.len() < args.most {
            checked.errors.push(ErrorRow::from(error));
        }
        checked.wrong += 1;
    };
    match Events::new(&trace, opened(&args.trace)?) {
        Ok(events) => {
            for event in events {
                match event {
                    Ok(_) => checked.events += 1,
                    Err(error) => tell(error),
                }
            }
        }
        Err(error) => tell(error),
    }
    match args.output {
        Output::Json => write_json(out, &checked)?,
        Output::Text => {
            for ErrorRow {
                line,
                column,
                sentence,
            } in &checked.errors
            {
                writeln!(out, "{trace}:{line}:{column}: {sentence}")?;
            }
            let untold = checked.wrong - checked.errors.len();
            if untold > 0 {
                writeln!(out, "{} more", counted(untold, "error"))?;
            }
            let wrong = counted(checked.wrong, "error");
            writeln!(out, "{trace}: {}, {wrong}", counted(checked.events, "event"))?;
        }
    }
    Ok(Outcome::holds_if(checked.wrong == 0))
}

/// Answers `domicile trace show`.
///
/// # Errors
/// Where the trace cannot be read, or the answer cannot be written.
pub fn show(args: &ShowArgs, out: &mut dyn Write) -> Result<Outcome> {
    let trace = args.trace.display().to_string();
    let told = |error: TraceError| anyhow!("{error}\n  `domicile trace check {trace}` tells every error");
    let mut events = Events::new(&trace, opened(&args.trace)?).map_err(told)?;
    let mut summary = TraceSummary::default();
    for event in events.by_ref() {
        summary.add(&event.map_err(told)?);
    }
    let report = Report::new(trace.clone(), events.header(), &summary);
    match args.output {
        Output::Text => report.write(out)?,
        Output::Json => write_json(out, &report)?,
    }
    Ok(Outcome::Holds)
}
