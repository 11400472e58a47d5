//! `domicile latency show`: a heat map of the regions, and the pairs as a table.
//!
//! With one end named (`--from`, `--to`) it is a list, the nearest first. Colours only on a terminal: the
//! caller says what the output is shown on. Exit code 0 where there is something to show.

mod bands;
mod heat_map;
mod selection;

use crate::cli::counted::counted;
use std::io::{self, Write};

use anyhow::Result;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde::Serialize;

use super::pairs::{PairRow, Tables, write_csv, write_list, write_table};
use super::sources::{LatencyFiles, Loaded};
use super::words::{to_the_second, when};
use super::{Screen, StatisticArg, VERSION};
use crate::cli::Outcome;
use crate::cli::output::{TableOutput, write_json};
use crate::config::parse_instant;
use crate::model::Statistic;
use crate::topology::audit::{PairView, Viewed};
use heat_map::HeatMap;
use selection::{Selection, select};

/// How many rows a table may have to be written below a heat map that nobody asked to go without.
const SHORT_TABLE: usize = 42;

/// A heat map and a table of the pairs, with how each is known
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// Which measurements are meant.
    #[command(flatten)]
    pub files: LatencyFiles,
    /// Which figure the heat map and the order show [default: what the settings decide by, p50 as shipped]
    #[arg(long, value_enum)]
    pub statistic: Option<StatisticArg>,
    /// List the ways from this region, the nearest first
    #[arg(long, value_name = "REGION", help_heading = "What is shown")]
    pub from: Option<String>,
    /// List the ways to this region, the nearest first
    #[arg(long, value_name = "REGION", help_heading = "What is shown")]
    pub to: Option<String>,
    /// Only these regions, in this order, measured or not
    #[arg(
        long,
        value_name = "REGIONS",
        value_delimiter = ',',
        help_heading = "What is shown"
    )]
    pub regions: Vec<String>,
    /// Only the regions of this provider
    #[arg(long, value_name = "PROVIDER", help_heading = "What is shown")]
    pub provider: Option<String>,
    /// Only the regions where a fleet has nodes, measured or not
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "regions",
        help_heading = "What is shown"
    )]
    pub fleet: Option<std::path::PathBuf>,
    /// Every region of the catalogue, not only those that were measured
    #[arg(long, conflicts_with_all = ["regions", "fleet"], help_heading = "What is shown")]
    pub all: bool,
    /// Zones that were measured too, not only regions
    #[arg(long, help_heading = "What is shown")]
    pub zones: bool,
    /// Map, table or both [default: the map, and the table where it is short]
    #[arg(long, value_enum, help_heading = "How it is shown")]
    pub view: Option<View>,
    /// What stands in the cells of the map [default: milliseconds where they fit]
    #[arg(long, value_enum, help_heading = "How it is shown")]
    pub cells: Option<Cells>,
    /// In which order regions stand in the map
    #[arg(long, value_enum, default_value_t, help_heading = "How it is shown")]
    pub order: Order,
    /// How many columns a line may have [default: those of the terminal, 160 elsewhere]
    #[arg(long, value_name = "COLUMNS", help_heading = "How it is shown")]
    pub width: Option<usize>,
    /// Judge ages at this instant (RFC 3339, or a date for its midnight UTC) instead of now
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    pub at: Option<Timestamp>,
    /// The form of the answer; JSON and CSV have every pair that is selected
    #[arg(long, value_enum, default_value_t)]
    pub output: TableOutput,
}

/// Which view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum View {
    /// The heat map.
    Map,
    /// A row for each directed pair.
    Table,
    /// Both.
    Both,
}

/// What stands in a cell of the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Cells {
    /// Milliseconds.
    Ms,
    /// One character for a range of milliseconds.
    Shades,
}

/// The order of regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Order {
    /// By their names, or as `--regions` names them.
    #[default]
    Name,
    /// Each after the one that it is nearest to, so that neighbours stand together.
    Near,
}

/// The answer for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    v: u32,
    kind: &'static str,
    /// The files.
    measurements: &'a str,
    /// The name of the measurements, which decisions record.
    digest: String,
    /// The instant of every age.
    at: String,
    /// What `knownAs` is about.
    statistic: &'static str,
    /// How many directed pairs were measured, selected or not.
    measured_pairs: usize,
    /// How many directed pairs are parted, selected or not.
    parted_pairs: usize,
    pairs: &'a [PairRow],
}

/// Answers `domicile latency show`.
///
/// # Errors
/// Where something cannot be read or selected, or the answer cannot be written.
pub fn show(args: &ShowArgs, now: Timestamp, screen: &Screen, out: &mut dyn Write) -> Result<Outcome> {
    let loaded = Loaded::whole(&args.files)?;
    let at = args.files.instant(args.at, now)?;
    let statistic = loaded.statistic(args.statistic);
    let tables = Tables::of(&loaded);
    let viewed = tables.viewed(&loaded.measurements, statistic);
    let selection = select(args, &loaded, &viewed, statistic)?;
    let rows: Vec<PairRow> = pairs(&selection, &viewed, statistic)
        .iter()
        .map(|pair| PairRow::new(pair, statistic, Some(at)))
        .collect();
    match args.output {
        TableOutput::Json => write_json(
            out,
            &Document {
                v: VERSION,
                kind: "latency-show",
                measurements: &loaded.name,
                digest: loaded.measurements.digest(),
                at: to_the_second(at).to_string(),
                statistic: statistic.word(),
                measured_pairs: loaded.measurements.len(),
                parted_pairs: loaded.measurements.unreachable().count(),
                pairs: &rows,
            },
        )?,
        TableOutput::Csv => write_csv(&rows, out)?,
        TableOutput::Text => {
            write_head(&loaded, &selection, statistic, at, out)?;
            let width = args.width.unwrap_or(screen.width);
            let screen = Screen { width, ..*screen };
            Text {
                args,
                viewed: &viewed,
                selection: &selection,
                statistic,
                screen,
                rows: &rows,
            }
            .write(out)?;
        }
    }
    Ok(Outcome::Holds)
}

/// The selected pairs: those of a map in the order of its rows, those of a list the nearest first.
fn pairs<'a>(selection: &'a Selection, viewed: &Viewed<'a>, statistic: Statistic) -> Vec<PairView<'a>> {
    let mut pairs = Vec::new();
    for from in selection.rows() {
        for to in selection.columns().filter(|to| *to != from) {
            pairs.push(viewed.pair(from, to));
        }
    }
    if selection.is_list() {
        // What is unknown comes last; the sort is stable.
        let ms = |pair: &PairView<'_>| pair.latency(statistic).map_or(f64::INFINITY, |it| it.as_ms());
        pairs.sort_by(|one, other| ms(one).total_cmp(&ms(other)));
    }
    pairs
}

fn write_head(
    loaded: &Loaded,
    selection: &Selection,
    statistic: Statistic,
    at: Timestamp,
    out: &mut dyn Write,
) -> io::Result<()> {
    let measurements = &loaded.measurements;
    let places = loaded.measured_regions().len();
    let parted = match measurements.unreachable().count() {
        0 => String::new(),
        parted => format!(", {parted} parted"),
    };
    writeln!(
        out,
        "{}: {} measured between {}{parted}",
        loaded.name,
        counted(measurements.len(), "directed pair"),
        counted(places, "region")
    )?;
    let dates = || measurements.iter().filter_map(|(_, _, it)| it.measured_at);
    let undated = measurements.len() - dates().count();
    match (dates().min(), dates().max()) {
        (Some(oldest), Some(newest)) if oldest == newest => {
            write!(out, "measured at {}", when(at, oldest))?;
        }
        (Some(oldest), Some(newest)) => {
            write!(out, "measured from {} to {}", when(at, oldest), when(at, newest))?
        }
        _ => write!(out, "nobody says when it was measured")?,
    }
    if undated > 0 && undated < measurements.len() {
        write!(out, ", {} without a date", counted(undated, "pair"))?;
    }
    writeln!(out)?;
    let figure = match statistic {
        Statistic::P50 => "round trips, P50 in milliseconds (half take longer)",
        Statistic::P95 => "round trips, P95 in milliseconds (one in twenty takes longer)",
    };
    writeln!(out, "{figure}{}\n", selection.in_words())
}

/// Everything that the text is made of.
struct Text<'a> {
    args: &'a ShowArgs,
    viewed: &'a Viewed<'a>,
    selection: &'a Selection,
    statistic: Statistic,
    screen: Screen,
    rows: &'a [PairRow],
}

impl Text<'_> {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        match self.selection {
            Selection::From(..) => return write_list(self.rows, |row| &row.to, self.statistic, out),
            Selection::To(..) => return write_list(self.rows, |row| &row.from, self.statistic, out),
            Selection::Among(_) => {}
        }
        let is_short = self.rows.len() <= SHORT_TABLE;
        let (has_map, has_table) = match self.args.view {
            Some(View::Map) => (true, false),
            Some(View::Table) => (false, true),
            Some(View::Both) => (true, true),
            None => (true, is_short),
        };
        if has_map {
            let map = HeatMap::new(self.selection, self.viewed, self.statistic);
            map.write(self.args.cells, &self.screen, out)?;
        }
        if has_map && has_table {
            writeln!(out)?;
        }
        if has_table {
            write_table(self.rows, out)?;
        } else if self.args.view.is_none() {
            let pairs = counted(self.rows.len(), "pair");
            writeln!(
                out,
                "\n{pairs}: `--view table` lists them, `--from REGION` the nearest of one region"
            )?;
        }
        Ok(())
    }
}
