//! Where log lines go: to standard error, as text for people or JSON for machines.
//!
//! Inputs: settings that were checked. Deliberately absent: metrics and decision records, which have
//! modules of their own, and anything that decides.

use std::io::IsTerminal;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

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
    let has_colour = std::io::stderr().is_terminal();
    subscriber(settings, has_colour, std::io::stderr)?
        .try_init()
        .map_err(|error| TelemetryError(error.to_string()))
}

/// What turns events into lines, for any writer.
fn subscriber(
    settings: &LogSettings,
    has_colour: bool,
    writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError> {
    let filter = EnvFilter::try_new(&settings.filter).map_err(|error| TelemetryError(error.to_string()))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer);
    Ok(match settings.format {
        LogFormat::Json => Box::new(lines.json().flatten_event(true).finish()),
        LogFormat::Text => Box::new(lines.with_ansi(has_colour).with_target(false).finish()),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The lines that a few events make under some settings.
    fn lines(format: LogFormat, filter: &str, has_colour: bool) -> String {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        let file = fs::File::create(&path).expect("a file");
        let settings = LogSettings {
            format,
            filter: filter.to_owned(),
        };
        let subscriber = subscriber(&settings, has_colour, file).expect("a filter that can be read");
        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!("too fine");
            tracing::error!(source = "policies", "source is bad");
        });
        fs::read_to_string(&path).expect("text")
    }

    #[test]
    fn a_machine_reads_one_object_for_each_line_that_passes_the_filter() {
        let text = lines(LogFormat::Json, "info", true);
        let line: serde_json::Value = serde_json::from_str(&text).expect("one object");
        assert_eq!(line["level"], "ERROR");
        assert_eq!(line["message"], "source is bad");
        assert_eq!(line["source"], "policies");
        assert_eq!(lines(LogFormat::Json, "debug", false).lines().count(), 2);
        assert_eq!(lines(LogFormat::Json, "off", false), "");
    }

    #[test]
    fn a_person_reads_plain_text_and_colour_only_on_a_terminal() {
        let plain = lines(LogFormat::Text, "warn", false);
        assert!(
            plain.contains("ERROR source is bad source=\"policies\""),
            "{plain}"
        );
        assert!(!plain.contains('\u{1b}'));
        assert!(lines(LogFormat::Text, "warn", true).contains('\u{1b}'));
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_told() {
        let settings = LogSettings {
            format: LogFormat::Text,
            filter: "domicile=loud".to_owned(),
        };
        let problem = subscriber(&settings, false, std::io::sink).err();
        assert!(problem.is_some_and(|problem| problem.to_string().starts_with("the log cannot be set up: ")));
    }
}
