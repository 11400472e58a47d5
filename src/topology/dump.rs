//! Measurements as the text of a latency file: what [`parse_latency_csv`](super::parse_latency_csv) reads.
//!
//! Inputs: measurements. Output: CSV with every column of a latency file, rows in the order of places.
//! Invariants: the same measurements make the same bytes, and reading them and writing them again does too,
//! so that the latencies of an incident can be kept and replayed. Deliberately absent: estimates, which must
//! never come back as measurements, and the guard of spreadsheets against formulas, which would change texts.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::measurement::MeasuredStatistic;
use super::measurements::Measurements;
use crate::model::Latency;

/// The header of every latency file that we write.
const HEADER: &str = "from,to,rtt_ms,p95_ms,statistic,samples,measured_at,source";

/// Writes measurements as the text of a latency file.
#[must_use]
pub fn write_latency_csv(measurements: &Measurements) -> String {
    let mut text = format!("{HEADER}\n");
    for (from, to, measurement) in measurements.iter() {
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
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{from},{to},{rtt_ms},{p95_ms},{statistic},{samples},{measured_at},{source}"
        );
    }
    text
}

/// A day where it is midnight in UTC, which is how a latency file reads days; else the instant.
#[must_use]
pub fn day_or_instant(instant: Timestamp) -> String {
    let zoned = instant.to_zoned(TimeZone::UTC);
    match zoned.start_of_day() {
        Ok(midnight) if midnight == zoned => zoned.date().to_string(),
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
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::topology::parse_latency_csv;

    fn read(text: &str) -> Measurements {
        parse_latency_csv("dump.csv", text, |_| None, &BTreeMap::new()).expect("a good file")
    }

    #[test]
    fn what_is_written_is_read_as_the_same_and_written_the_same() {
        let text = "\
from,to,rtt_ms,p95_ms,statistic,samples,measured_at,source
aws/a,aws/b,218.0,,p50,,2025-05-29,\" cloudping, \"\"P50\"\" over
a year \"
aws/b/1,aws/a/2,0.10,0.25,,30,2025-05-29T01:00:00.5+01:00,
aws/b/1,aws/b/2,1e1,,mean,,2025-05-29T00:00:01Z,#1
";
        let first = read(text);
        let written = write_latency_csv(&first);
        let expected = "\
from,to,rtt_ms,p95_ms,statistic,samples,measured_at,source
aws/a,aws/b,218,,p50,,2025-05-29,\"cloudping, \"\"P50\"\" over
a year\"
aws/b/1,aws/a/2,0.1,0.25,,30,2025-05-29T00:00:00.5Z,
aws/b/1,aws/b/2,10,,mean,,2025-05-29T00:00:01Z,#1
";
        assert_eq!(written, expected);
        let second = read(&written);
        assert_eq!(second, first);
        assert_eq!(write_latency_csv(&second), written);
    }

    #[test]
    fn the_shipped_matrix_keeps_its_digest() {
        let (name, text) = crate::embedded::latency();
        let shipped = parse_latency_csv(name, text, |_| None, &BTreeMap::new()).expect("the shipped file");
        let again = read(&write_latency_csv(&shipped));
        assert_eq!(again.digest(), shipped.digest());
    }
}
