//! Where log lines go: to standard error, as text for people or JSON for machines.
//!
//! Inputs: settings that were checked. Deliberately absent: metrics and decision records, which have
//! modules of their own, and anything that decides.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, LogSettings};

/// Log lines cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("the log cannot be set up: {0}")]
pub struct TelemetryError(String);

/// Sets up the log of this process.
///
/// # Errors
/// Where it was set up before, or the filter cannot be read.
pub fn start(settings: &LogSettings) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(&settings.filter).map_err(|error| TelemetryError(error.to_string()))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match settings.format {
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
        LogFormat::Text => lines
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .try_init(),
    };
    started.map_err(|error| TelemetryError(error.to_string()))
}
