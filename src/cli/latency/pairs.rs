//! Pairs as rows: the one shape from which text, JSON and CSV are made.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::columns::{Side, write_columns};
use super::sources::Loaded;
use super::words::{age, ms, rounded};
use crate::model::{Provenance, Statistic};
use crate::spreadsheet::Table;
use crate::topology::audit::{PairView, Viewed};
use crate::topology::{Estimate, LatencyTable, Measurements};

/// How many characters of a bar are the longest time.
const LONGEST_BAR: f64 = 24.0;

/// How many characters of a source a text shows.
const LONGEST_SOURCE: usize = 40;

/// The word for what nobody knows.
const UNKNOWN: &str = "unknown";

/// The tables of both statistics.
#[derive(Debug)]
pub struct Tables {
    p50: LatencyTable,
    p95: LatencyTable,
}

impl Tables {
    /// Builds them as `serve` does.
    pub fn of(loaded: &Loaded) -> Self {
        let build = |statistic| LatencyTable::build(&loaded.measurements, &loaded.coordinates, statistic);
        Self {
            p50: build(Statistic::P50),
            p95: build(Statistic::P95),
        }
    }

    /// These tables, and what they were made of.
    pub fn viewed<'a>(&'a self, measurements: &'a Measurements, statistic: Statistic) -> Viewed<'a> {
        Viewed {
            measurements,
            p50: &self.p50,
            p95: &self.p95,
            statistic,
        }
    }
}

/// A directed pair.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PairRow {
    pub from: String,
    pub to: String,
    /// Absent where it is unknown.
    pub p50_ms: Option<f64>,
    /// Whether somebody measured the median, or it is estimated.
    pub p50_is_measured: bool,
    /// Absent where it is unknown.
    pub p95_ms: Option<f64>,
    /// Whether somebody measured it, or it is estimated.
    pub p95_is_measured: bool,
    /// How the statistic that is shown is known.
    pub known_as: &'static str,
    /// Whether the one place is known not to reach the other, whatever the time was when it did.
    pub is_parted: bool,
    /// Absent where nobody says.
    pub samples: Option<u32>,
    /// Absent where nobody says.
    pub measured_at: Option<String>,
    /// For people.
    #[serde(skip)]
    pub age: Option<String>,
    /// Absent where nobody says.
    pub source: Option<String>,
}

impl PairRow {
    /// Puts a pair into a row; ages are told where there is an instant.
    pub fn new(pair: &PairView<'_>, statistic: Statistic, at: Option<Timestamp>) -> Self {
        let rounded_ms = |estimate: Option<Estimate>| estimate.map(|it| rounded(it.latency.as_ms()));
        let is_measured = |statistic| pair.provenance(statistic).is_some_and(Provenance::is_measured);
        let measurement = pair.measurement;
        let measured_at = measurement.and_then(|it| it.measured_at);
        Self {
            from: pair.from.to_string(),
            to: pair.to.to_string(),
            p50_ms: rounded_ms(pair.p50),
            p50_is_measured: is_measured(Statistic::P50),
            p95_ms: rounded_ms(pair.p95),
            p95_is_measured: is_measured(Statistic::P95),
            known_as: pair.provenance(statistic).map_or(UNKNOWN, Provenance::word),
            is_parted: pair.is_parted,
            samples: measurement.and_then(|it| it.samples),
            measured_at: measured_at.map(|at| at.to_string()),
            age: measured_at.zip(at).map(|(then, at)| age(at, then)),
            source: measurement.and_then(|it| it.source.as_deref()).map(str::to_owned),
        }
    }

    fn of(&self, statistic: Statistic) -> Option<f64> {
        match statistic {
            Statistic::P50 => self.p50_ms,
            Statistic::P95 => self.p95_ms,
        }
    }
}

/// Milliseconds in a text: `~` before what is estimated, `?` for what is unknown.
fn ms_in_words(value: Option<f64>, is_measured: bool) -> String {
    match value {
        None => "?".to_owned(),
        Some(value) if is_measured => ms(value),
        Some(value) => format!("~{}", ms(value)),
    }
}

/// Writes the rows as a table for people.
///
/// # Errors
/// Where the output cannot be written.
pub fn write_table(rows: &[PairRow], out: &mut dyn Write) -> io::Result<()> {
    let header = [
        ("from", Side::Left),
        ("to", Side::Left),
        ("P50 ms", Side::Right),
        ("P95 ms", Side::Right),
        ("known as", Side::Left),
        ("age", Side::Right),
        ("samples", Side::Right),
        ("source", Side::Left),
    ];
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let mut cells = vec![row.from.clone(), row.to.clone()];
            cells.extend(common_cells(row));
            cells
        })
        .collect();
    write_columns(out, "", &header, &cells)
}

/// Writes rows that have one end in common as a list for people, with a bar for the statistic that is shown.
/// `other` is the end that they do not have in common.
///
/// # Errors
/// Where the output cannot be written.
pub fn write_list(
    rows: &[PairRow],
    other: fn(&PairRow) -> &str,
    statistic: Statistic,
    out: &mut dyn Write,
) -> io::Result<()> {
    let header = [
        ("region", Side::Left),
        ("P50 ms", Side::Right),
        ("P95 ms", Side::Right),
        ("", Side::Left),
        ("known as", Side::Left),
        ("age", Side::Right),
        ("samples", Side::Right),
        ("source", Side::Left),
    ];
    let longest_ms = rows
        .iter()
        .filter_map(|row| row.of(statistic))
        .fold(1.0, f64::max);
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let mut cells = vec![other(row).to_owned()];
            cells.extend(common_cells(row));
            let blocks = row
                .of(statistic)
                .map_or(0.0, |ms| (LONGEST_BAR * ms / longest_ms).ceil());
            cells.insert(3, "▪".repeat(blocks as usize));
            cells
        })
        .collect();
    write_columns(out, "", &header, &cells)
}

fn common_cells(row: &PairRow) -> [String; 6] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    [
        ms_in_words(row.p50_ms, row.p50_is_measured),
        ms_in_words(row.p95_ms, row.p95_is_measured),
        format!("{}{}", row.known_as, if row.is_parted { ", parted" } else { "" }),
        or_dash(row.age.clone()),
        or_dash(row.samples.map(|samples| samples.to_string())),
        or_dash(row.source.as_deref().map(shortened)),
    ]
}

fn shortened(source: &str) -> String {
    if source.chars().count() <= LONGEST_SOURCE {
        return source.to_owned();
    }
    let kept: String = source.chars().take(LONGEST_SOURCE - 1).collect();
    format!("{kept}…")
}

/// Writes the rows for a spreadsheet.
///
/// # Errors
/// Where the output cannot be written.
pub fn write_csv(rows: &[PairRow], out: &mut dyn Write) -> io::Result<()> {
    let header = [
        "from",
        "to",
        "p50_ms",
        "p50_is_measured",
        "p95_ms",
        "p95_is_measured",
        "known_as",
        "is_parted",
        "samples",
        "measured_at",
        "source",
    ];
    let mut table = Table::new(out, &header)?;
    let number = |ms: Option<f64>| ms.map(|ms| ms.to_string()).unwrap_or_default();
    for row in rows {
        table.row([
            row.from.as_str(),
            &row.to,
            &number(row.p50_ms),
            if row.p50_is_measured { "yes" } else { "no" },
            &number(row.p95_ms),
            if row.p95_is_measured { "yes" } else { "no" },
            row.known_as,
            if row.is_parted { "yes" } else { "no" },
            &row.samples.map(|samples| samples.to_string()).unwrap_or_default(),
            row.measured_at.as_deref().unwrap_or(""),
            row.source.as_deref().unwrap_or(""),
        ])?;
    }
    table.end()
}
