//! The latency file: CSV `from,to,rtt_ms` with optional `p95_ms,statistic,samples,measured_at,source,
//! freshness,reachable`.
//!
//! Inputs: the text, a way to find bare regions, and coordinates against which impossible times show.
//! Outputs: all measurements, or all problems at once: one bad row refuses the file, because a matrix
//! with a hole where an operator meant a number decides differently from what he wrote, and whoever
//! loads files keeps the last good one. Empty lines and lines that begin with `#` are skipped. So is a
//! row inside one region that joins no two zones (why: `measurement.rs`), so a published matrix can be
//! used as it is. What `rtt_ms` is of its samples the column `statistic` says (`p50` where it says nothing):
//! a mean or a P95 is never taken for the median. How a row stands to the present (`freshness`) and whether
//! one place reaches the other (`reachable`) are taken as they are written: a file that was kept from a server
//! is the instant at which it was kept, and never ages.
//! Deliberately absent: reading the file, and age, which takes a clock.

mod columns;
mod row;

use std::collections::BTreeMap;

use ::csv::{ReaderBuilder, StringRecord, Trim};

use super::measurement::MeasuredPlace;
use super::measurements::Measurements;
use crate::model::{Coordinates, RegionKey, RegionReference};
use columns::Columns;
use row::{Row, Rows};

/// What is wrong in a latency file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct LatencyFileError {
    /// The file, as the caller names it.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong: a lowercase sentence with user input in backticks.
    pub problem: String,
}

/// A latency file as far as it can be read.
#[derive(Debug, Clone, Default)]
pub struct LatencyFile {
    /// The rows that can be read.
    pub measurements: Measurements,
    /// The line of each of their pairs, from 1; the first where a pair is there twice.
    pub lines: BTreeMap<(MeasuredPlace, MeasuredPlace), u64>,
    /// Every problem of the file, in the order of its lines; none where the file can be used.
    pub problems: Vec<LatencyFileError>,
}

/// Reads the text of a latency file, whole or not at all.
///
/// `file` names it in errors; `resolve` finds the region of a bare name (`eu-west-1`) and is asked for
/// nothing else, so a file may speak of regions that the catalogue does not have.
///
/// # Errors
/// Every problem of the file, in the order of its lines.
pub fn parse_latency_csv(
    file: &str,
    text: &str,
    resolve: impl Fn(&RegionReference) -> Option<RegionKey>,
    coordinates: &BTreeMap<RegionKey, Coordinates>,
) -> Result<Measurements, Vec<LatencyFileError>> {
    let read = read_latency_csv(file, text, resolve, coordinates);
    if read.problems.is_empty() {
        Ok(read.measurements)
    } else {
        Err(read.problems)
    }
}

/// Reads what can be read of the text of a latency file, for whoever tells people what is wrong with it: a
/// file with a problem is not to be decided by. The arguments are those of [`parse_latency_csv`].
#[must_use]
pub fn read_latency_csv(
    file: &str,
    text: &str,
    resolve: impl Fn(&RegionReference) -> Option<RegionKey>,
    coordinates: &BTreeMap<RegionKey, Coordinates>,
) -> LatencyFile {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let error = |line, problem| LatencyFileError {
        file: file.to_owned(),
        line,
        problem,
    };
    let mut records = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .trim(Trim::All)
        .from_reader(text.as_bytes())
        .into_records()
        .map(|record| {
            let record = record.map_err(|problem| error(1, format!("this is no CSV: {problem}")))?;
            Ok((line_of(text, &record), record))
        });
    let (line, header) = match records.next() {
        None => return unusable(vec![error(1, "the file is empty".to_owned())]),
        Some(Err(problem)) => return unusable(vec![problem]),
        Some(Ok(header)) => header,
    };
    let columns = match Columns::read(&header) {
        Ok(columns) => columns,
        Err(problems) => return unusable(problems.into_iter().map(|it| error(line, it)).collect()),
    };
    let rows = Rows {
        columns,
        resolve,
        coordinates,
    };

    let mut read = LatencyFile::default();
    for record in records {
        let (line, record) = match record {
            Ok(record) => record,
            Err(problem) => {
                read.problems.push(problem);
                continue;
            }
        };
        match rows.read(&record) {
            Err(problems) => read
                .problems
                .extend(problems.into_iter().map(|problem| error(line, problem))),
            Ok(Row {
                from,
                to,
                measurement,
                is_parted,
            }) => {
                let pair = (from.clone(), to.clone());
                if let Some(first) = read.lines.get(&pair) {
                    let problem = format!("the pair `{from}` to `{to}` is already on line {first}");
                    read.problems.push(error(line, problem));
                    continue;
                }
                read.lines.insert(pair, line);
                if is_parted {
                    read.measurements.set_unreachable(from.clone(), to.clone());
                }
                if let Some(measurement) = measurement {
                    read.measurements.insert(from, to, measurement);
                }
            }
        }
    }
    if read.problems.is_empty() && read.measurements.says_nothing() {
        read.problems
            .push(error(line, "the file has no pair of regions".to_owned()));
    }
    read
}

fn unusable(problems: Vec<LatencyFileError>) -> LatencyFile {
    LatencyFile {
        problems,
        ..LatencyFile::default()
    }
}

/// The line of a record. The reader counts from where it began to look, which is before the empty lines
/// and comments that it skipped.
fn line_of(text: &str, record: &StringRecord) -> u64 {
    let Some(position) = record.position() else {
        return 1;
    };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let skipped = text
        .get(start..)
        .unwrap_or("")
        .split('\n')
        .take_while(|line| line.trim_end_matches('\r').is_empty() || line.starts_with('#'))
        .count();
    position.line() + skipped as u64
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
