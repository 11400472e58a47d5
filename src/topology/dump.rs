//! Measurements as the text of a latency file: what [`parse_latency_csv`](super::parse_latency_csv) reads.
//!
//! Inputs: measurements. Output: CSV with every column of a latency file, rows in the order of places, one for
//! each pair that was measured or is parted.
//! Invariants: the same measurements make the same bytes, and what is read from these is the same measurements:
//! every table that is made of them has the same cells and the same partitions, so that the latencies of an
//! incident can be kept and replayed. Deliberately absent: estimates, which must never come back as
//! measurements, and the guard of spreadsheets against formulas, which would change texts.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::measurement::{Freshness, MeasuredStatistic, Measurement};
use super::measurements::Measurements;
use crate::model::Latency;

/// The header of every latency file that we write.
const HEADER: &str = "from,to,rtt_ms,p95_ms,statistic,samples,measured_at,source,freshness,reachable";

/// Writes measurements as the text of a latency file.
#[must_use]
pub fn write_latency_csv(measurements: &Measurements) -> String {
    let mut text = format!("{HEADER}\n");
    for (from, to, measurement, is_parted) in measurements.known() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{from},{to},");
        match measurement {
            Some(measurement) => write_measurement(&mut text, measurement),
            None => text.push_str(NOTHING_MEASURED),
        }
        text.push_str(if is_parted { ",no\n" } else { ",\n" });
    }
    text
}

/// The cells from `rtt_ms` to `freshness` of a pair that is parted and was never measured.
const NOTHING_MEASURED: &str = ",,,,,,";

fn write_measurement(text: &mut String, measurement: &Measurement) {
    let rtt_ms = measurement.rtt.as_ms();
    let p95_ms = measurement
        .p95
        .map(|p95| Latency::as_ms(p95).to_string())
        .unwrap_or_default();
    let statistic = measurement.statistic.map_or("", MeasuredStatistic::word);
    let samples = measurement
        .samples
        .map(|samples| samples.to_string())
        .unwrap_or_default();
    let measured_at = measurement.measured_at.map(day_or_instant).unwrap_or_default();
    let source = cell(measurement.source.as_deref().unwrap_or(""));
    // What says nothing is dated: files that people write stay as short as they were.
    let freshness = match measurement.freshness {
        Freshness::Dated => "",
        live => live.word(),
    };
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "{rtt_ms},{p95_ms},{statistic},{samples},{measured_at},{source},{freshness}"
    );
}

/// A day where it is midnight in UTC, which is how a latency file reads days; else the instant.
#[must_use]
pub fn day_or_instant(instant: Timestamp) -> String {
    let zoned = instant.to_zoned(TimeZone::UTC);
    match zoned.start_of_day() {
        // A year before 0 has a sign and no day of a latency file has one.
        Ok(midnight) if midnight == zoned && zoned.year() >= 0 => zoned.date().to_string(),
        _ => instant.to_string(),
    }
}

/// A text as a cell of CSV, without the white space around it, which a reader takes away.
fn cell(text: &str) -> String {
    let text = text.trim();
    if text.contains(['"', ',', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

#[cfg(test)]
#[path = "dump_tests.rs"]
mod tests;
