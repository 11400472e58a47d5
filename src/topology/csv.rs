//! The latency file: CSV `from,to,rtt_ms` with optional `p95_ms,statistic,samples,measured_at,
//! source`.
//!
//! Inputs: the text, a way to find bare regions, and coordinates against which impossible times show.
//! Outputs: all measurements, or all problems at once: one bad row refuses the file, because a matrix
//! with a hole where an operator meant a number decides differently from what he wrote, and whoever
//! loads files keeps the last good one. Empty lines and lines that begin with `#` are skipped. So is a
//! row inside one region that joins no two zones (why: `measurement.rs`), so a published matrix can be
//! used as it is. What `rtt_ms` is of its samples the column `statistic` says (`p50` where it says nothing):
//! a mean or a P95 is never taken for the median. Deliberately absent: reading the file, and age, which takes a clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::csv::{ReaderBuilder, StringRecord, Trim};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::LONGEST_MS;
use super::estimate::least_possible_ms;
use super::measurement::{Freshness, MeasuredPlace, MeasuredStatistic, Measurement};
use super::measurements::Measurements;
use crate::model::{Coordinates, Latency, RegionKey, RegionReference};

/// The length of `2026-11-21`.
const DATE_LENGTH: usize = 10;

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
            Ok((from, to, measurement)) => {
                let pair = (from.clone(), to.clone());
                if let Some(first) = read.lines.get(&pair) {
                    let problem = format!("the pair `{from}` to `{to}` is already on line {first}");
                    read.problems.push(error(line, problem));
                    continue;
                }
                read.lines.insert(pair, line);
                read.measurements.insert(from, to, measurement);
            }
        }
    }
    if read.problems.is_empty() && read.measurements.is_empty() {
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

/// Where the columns are.
#[derive(Debug)]
struct Columns {
    from: usize,
    to: usize,
    rtt_ms: usize,
    p95_ms: Option<usize>,
    statistic: Option<usize>,
    samples: Option<usize>,
    measured_at: Option<usize>,
    source: Option<usize>,
    count: usize,
}

/// The columns that a file may have; the first three it must.
const COLUMNS: [&str; 8] = [
    "from",
    "to",
    "rtt_ms",
    "p95_ms",
    "statistic",
    "samples",
    "measured_at",
    "source",
];

impl Columns {
    fn read(header: &StringRecord) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let mut found: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, name) in header.iter().enumerate() {
            if !COLUMNS.contains(&name) {
                let known = COLUMNS.join(", ");
                problems.push(format!(
                    "the column `{name}` is not known; the columns are {known}"
                ));
            } else if found.insert(name, index).is_some() {
                problems.push(format!("the column `{name}` is there twice"));
            }
        }
        let column = |name: &str| found.get(name).copied();
        let required = [column("from"), column("to"), column("rtt_ms")];
        for (name, index) in COLUMNS.iter().zip(required) {
            if index.is_none() {
                problems.push(format!("the column `{name}` is missing"));
            }
        }
        match required {
            [Some(from), Some(to), Some(rtt_ms)] if problems.is_empty() => Ok(Self {
                from,
                to,
                rtt_ms,
                p95_ms: column("p95_ms"),
                statistic: column("statistic"),
                samples: column("samples"),
                measured_at: column("measured_at"),
                source: column("source"),
                count: header.len(),
            }),
            _ => Err(problems),
        }
    }
}

struct Rows<'a, R> {
    columns: Columns,
    resolve: R,
    coordinates: &'a BTreeMap<RegionKey, Coordinates>,
}

impl<R: Fn(&RegionReference) -> Option<RegionKey>> Rows<'_, R> {
    fn read(
        &self,
        record: &StringRecord,
    ) -> Result<(MeasuredPlace, MeasuredPlace, Measurement), Vec<String>> {
        let columns = &self.columns;
        if record.len() != columns.count {
            let (has, wants) = (record.len(), columns.count);
            return Err(vec![format!(
                "the row has {has} fields where the header has {wants}"
            )]);
        }
        let field = |index: usize| record.get(index).unwrap_or("");
        let optional = |index: Option<usize>| index.map(field).filter(|text| !text.is_empty());
        let mut problems = Vec::new();
        let mut checked = |problem: String| problems.push(problem);

        let from = self.place(field(columns.from)).map_err(&mut checked).ok();
        let to = self.place(field(columns.to)).map_err(&mut checked).ok();
        let rtt = milliseconds("rtt_ms", field(columns.rtt_ms))
            .map_err(&mut checked)
            .ok();
        let p95 =
            optional(columns.p95_ms).and_then(|text| milliseconds("p95_ms", text).map_err(&mut checked).ok());
        let statistic =
            optional(columns.statistic).and_then(|text| statistic(text).map_err(&mut checked).ok());
        let samples = optional(columns.samples).and_then(|text| samples(text).map_err(&mut checked).ok());
        let measured_at =
            optional(columns.measured_at).and_then(|text| instant(text).map_err(&mut checked).ok());
        if let (Some(rtt), Some(p95)) = (rtt, p95)
            && let Some(problem) = contradiction(rtt, p95, statistic)
        {
            checked(problem);
        }
        if let (Some(from), Some(to), Some(rtt)) = (&from, &to, rtt)
            && let Some(problem) = self.too_fast(from, to, rtt)
        {
            checked(problem);
        }
        match (from, to, rtt) {
            (Some(from), Some(to), Some(rtt)) if problems.is_empty() => Ok((
                from,
                to,
                Measurement {
                    rtt,
                    p95,
                    statistic,
                    samples,
                    measured_at,
                    source: optional(columns.source).map(Arc::from),
                    freshness: Freshness::Dated,
                },
            )),
            _ => Err(problems),
        }
    }

    fn place(&self, text: &str) -> Result<MeasuredPlace, String> {
        if text.contains('/') {
            return MeasuredPlace::parse(text)
                .map_err(|_| format!("`{text}` is neither `provider/region` nor `provider/region/zone`"));
        }
        let reference = RegionReference::parse(text).map_err(|problem| problem.to_string())?;
        (self.resolve)(&reference)
            .map(MeasuredPlace::region)
            .ok_or_else(|| {
                format!("the region `{text}` is unknown or of several providers; write `provider/{text}`")
            })
    }

    fn too_fast(&self, from: &MeasuredPlace, to: &MeasuredPlace, rtt: Latency) -> Option<String> {
        let (start, end) = (
            self.coordinates.get(&from.region)?,
            self.coordinates.get(&to.region)?,
        );
        let km = start.distance_km(*end);
        let least_ms = least_possible_ms(km);
        let ms = rtt.as_ms();
        (ms < least_ms).then(|| {
            format!(
                "{ms} ms from `{from}` to `{to}` is impossible: light in fibre needs at least {least_ms:.0} \
                 ms for the {km:.0} km between their coordinates"
            )
        })
    }
}

fn milliseconds(column: &str, text: &str) -> Result<Latency, String> {
    let in_range = |ms: &f64| *ms > 0.0 && *ms <= LONGEST_MS;
    text.parse()
        .ok()
        .filter(in_range)
        .and_then(Latency::from_ms)
        .ok_or_else(|| {
            format!("`{column}` is `{text}` where milliseconds above 0 and up to {LONGEST_MS} are expected")
        })
}

fn statistic(text: &str) -> Result<MeasuredStatistic, String> {
    MeasuredStatistic::parse(text).ok_or_else(|| {
        let words = MeasuredStatistic::WORDS;
        format!("`statistic` is `{text}` where {words} is expected")
    })
}

fn samples(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(|| format!("`samples` is `{text}` where a whole number above 0 is expected"))
}

/// What cannot be true of one set of samples. A mean may be above the P95, where a few samples are very slow.
fn contradiction(rtt: Latency, p95: Latency, statistic: Option<MeasuredStatistic>) -> Option<String> {
    let (rtt_ms, p95_ms) = (rtt.as_ms(), p95.as_ms());
    match statistic {
        Some(MeasuredStatistic::P95) if rtt != p95 => Some(format!(
            "`statistic` makes {rtt_ms} ms the P95 where `p95_ms` is {p95_ms}"
        )),
        None | Some(MeasuredStatistic::P50) if p95 < rtt => Some(format!(
            "`p95_ms` is {p95_ms} where the typical round trip is {rtt_ms} ms already"
        )),
        _ => None,
    }
}

fn instant(text: &str) -> Result<Timestamp, String> {
    let date = || {
        let date: Date = (text.len() == DATE_LENGTH).then(|| text.parse().ok()).flatten()?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    text.parse().ok().or_else(date).ok_or_else(|| {
        format!("`measured_at` is `{text}` where a date `2026-11-21` or an instant `2026-11-21T09:00:00Z` is expected")
    })
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
