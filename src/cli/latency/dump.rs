//! `domicile latency dump`: the measurements as one latency file, always in the same form.
//!
//! What is dumped, read and dumped again is the same, byte for byte. With `--estimates` what nobody measured
//! is added in comments: whoever reads the file again reads no estimate as a measurement.

use std::io::{self, Write};

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::VERSION;
use super::pairs::{PairRow, Tables};
use super::sources::{LatencyFiles, Loaded};
use crate::cli::Outcome;
use crate::cli::output::write_json;
use crate::model::Statistic;
use crate::topology::{MeasuredPlace, write_latency_csv};

/// Write the measurements as one latency file
#[derive(Debug, Clone, Args)]
pub struct DumpArgs {
    /// Which measurements are meant.
    #[command(flatten)]
    pub files: LatencyFiles,
    /// Add what nobody measured between the regions of the catalogue: in CSV as comments, which are never read as measurements
    #[arg(long)]
    pub estimates: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: DumpOutput,
}

/// In which form measurements are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum DumpOutput {
    /// A latency file, which every verb and `serve` read.
    #[default]
    Csv,
    /// For programs: versioned, in its field `v`.
    Json,
}

/// The answer for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    v: u32,
    kind: &'static str,
    /// The name of the measurements, which decisions record.
    digest: String,
    measured: Vec<MeasuredRow>,
    /// Pairs of which the first place does not reach the second, measured or not.
    parted: Vec<PartedRow>,
    /// Absent where they are not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated: Option<Vec<PairRow>>,
}

/// A measurement as a latency file has it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MeasuredRow {
    from: String,
    to: String,
    rtt_ms: f64,
    p95_ms: Option<f64>,
    statistic: Option<&'static str>,
    samples: Option<u32>,
    measured_at: Option<String>,
    source: Option<String>,
    freshness: &'static str,
}

/// A pair that is parted.
#[derive(Debug, Serialize)]
struct PartedRow {
    from: String,
    to: String,
}

/// Answers `domicile latency dump`.
///
/// # Errors
/// Where something cannot be read, or the answer cannot be written.
pub fn dump(args: &DumpArgs, out: &mut dyn Write) -> Result<Outcome> {
    let loaded = Loaded::whole(&args.files)?;
    let estimated = args.estimates.then(|| estimated(&loaded));
    match args.output {
        DumpOutput::Csv => write_csv(&loaded, estimated.as_deref(), out)?,
        DumpOutput::Json => write_json(
            out,
            &Document {
                v: VERSION,
                kind: "latency-dump",
                digest: loaded.measurements.digest(),
                measured: measured(&loaded),
                parted: parted(&loaded),
                estimated,
            },
        )?,
    }
    Ok(Outcome::Holds)
}

fn measured(loaded: &Loaded) -> Vec<MeasuredRow> {
    let rows = loaded.measurements.iter();
    rows.map(|(from, to, it)| MeasuredRow {
        from: from.to_string(),
        to: to.to_string(),
        rtt_ms: it.rtt.as_ms(),
        p95_ms: it.p95.map(|p95| p95.as_ms()),
        statistic: it.statistic.map(|statistic| statistic.word()),
        samples: it.samples,
        measured_at: it.measured_at.map(|at| at.to_string()),
        source: it.source.as_deref().map(str::to_owned),
        freshness: it.freshness.word(),
    })
    .collect()
}

fn parted(loaded: &Loaded) -> Vec<PartedRow> {
    let pairs = loaded.measurements.unreachable();
    pairs
        .map(|(from, to)| PartedRow {
            from: from.to_string(),
            to: to.to_string(),
        })
        .collect()
}

/// The directed pairs of the catalogue and of the measured regions that nobody measured either way.
fn estimated(loaded: &Loaded) -> Vec<PairRow> {
    let mut regions = loaded.catalogued_regions();
    regions.extend(loaded.measured_regions());
    let places: Vec<MeasuredPlace> = regions.into_iter().map(MeasuredPlace::region).collect();
    let tables = Tables::of(loaded);
    let viewed = tables.viewed(&loaded.measurements, Statistic::P50);
    let mut rows = Vec::new();
    for from in &places {
        for to in places.iter().filter(|to| *to != from) {
            let pair = viewed.pair(from, to);
            if pair.measurement.is_none() && pair.p50.is_some() {
                rows.push(PairRow::new(&pair, Statistic::P50, None));
            }
        }
    }
    rows
}

fn write_csv(loaded: &Loaded, estimated: Option<&[PairRow]>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(write_latency_csv(&loaded.measurements).as_bytes())?;
    let Some(rows) = estimated else {
        return Ok(());
    };
    writeln!(out, "# estimated, not measured: from,to,p50_ms,p95_ms,known as")?;
    for row in rows {
        let p95_ms = row.p95_ms.map(|ms| ms.to_string()).unwrap_or_default();
        writeln!(
            out,
            "# {},{},{},{p95_ms},{}",
            row.from,
            row.to,
            row.p50_ms.unwrap_or_default(),
            row.known_as
        )?;
    }
    Ok(())
}
