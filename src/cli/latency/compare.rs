//! `domicile latency compare A B`: what moved between two sets of measurements, and which choices that changes.
//!
//! With one file, it is compared with what decides without it: `--latency`, what a running server decides by, or
//! what is built in. Exit code 0,
//! or 1 where a pair moved by more than each limit that was given.

use crate::cli::counted::counted;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use super::columns::{Side, write_columns};
use super::sources::{Loaded, catalogued};
use super::words::{ms, rounded};
use super::{StatisticArg, VERSION};
use crate::cli::Outcome;
use crate::cli::output::{Output, write_json};
use crate::model::Statistic;
use crate::topology::audit::{
    Comparison, Ends, Moved, NearestChange, OneSided, ReplicaChoices, Spread, compare as compared,
};

/// What moved between two sets of measurements, and which choices that changes
#[derive(Debug, Clone, Args)]
pub struct CompareArgs {
    /// The old measurements (a latency file, or a directory of them), then the new ones; with one, it is the new one
    #[arg(value_name = "FILE", required = true, num_args = 1..=2)]
    pub files: Vec<PathBuf>,
    /// The old measurements, where one file is named [default: what is built in]
    #[arg(long, value_name = "FILE|DIR")]
    pub latency: Option<PathBuf>,
    /// The old measurements, where one file is named: those that a running server decides by, such as
    /// http://127.0.0.1:8265 (plain HTTP)
    #[arg(long, value_name = "URL", conflicts_with = "latency")]
    pub server: Option<String>,
    /// The policies, whose regions say what a bare region means and where it lies [default: those that are built in]
    #[arg(long, value_name = "DIR")]
    pub policies: Option<PathBuf>,
    /// The old measurements and the policies of a file that `domicile snapshot` wrote, where none are named
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// Which figure is compared [default: what the settings decide by, p50 as shipped]
    #[arg(long, value_enum)]
    pub statistic: Option<StatisticArg>,
    /// Exit with 1 where a pair moved by more than so many milliseconds
    #[arg(long, value_name = "MS", value_parser = parse_limit)]
    pub fail_over_ms: Option<f64>,
    /// Exit with 1 where a pair moved by more than so many percent; with both limits, by more than both
    #[arg(long, value_name = "PERCENT", value_parser = parse_limit)]
    pub fail_over_percent: Option<f64>,
    /// How many pairs of each list a text shows; JSON has all
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub top: usize,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

fn parse_limit(text: &str) -> Result<f64, String> {
    let limit = text
        .parse()
        .ok()
        .filter(|limit: &f64| limit.is_finite() && *limit >= 0.0);
    limit.ok_or_else(|| format!("`{text}` is no limit: write a number such as 5 or 2.5"))
}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    v: u32,
    kind: &'static str,
    before: Measured,
    after: Measured,
    statistic: &'static str,
    only_before: Vec<PairInWords>,
    only_after: Vec<PairInWords>,
    /// Pairs that are parted and were not.
    parted: Vec<EndsInWords>,
    /// Pairs that were parted and no longer are.
    reached_again: Vec<EndsInWords>,
    /// Pairs in both of which one side has not this statistic.
    without_statistic: usize,
    compared: usize,
    /// How far the compared pairs moved, faster or slower.
    change_ms: SpreadInWords,
    change_percent: SpreadInWords,
    /// The pairs that moved, the farthest in milliseconds first.
    moved: Vec<MovedInWords>,
    regions: usize,
    /// Regions that see some others in another order.
    reordered: usize,
    /// Regions that have another nearest region.
    nearest: Vec<NearestInWords>,
    choices: ChoicesInWords,
    /// Absent where there is no limit.
    beyond_limits: Option<usize>,
}

/// One of the two sets.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    /// The files.
    measurements: String,
    /// The name of the measurements, which decisions record.
    digest: String,
    pairs: usize,
}

impl From<&Loaded> for Measured {
    fn from(loaded: &Loaded) -> Self {
        Self {
            measurements: loaded.name.clone(),
            digest: loaded.measurements.digest(),
            pairs: loaded.measurements.len(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PairInWords {
    from: String,
    to: String,
    rtt_ms: f64,
}

impl From<&OneSided> for PairInWords {
    fn from(pair: &OneSided) -> Self {
        Self {
            from: pair.from.to_string(),
            to: pair.to.to_string(),
            rtt_ms: rounded(pair.rtt.as_ms()),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EndsInWords {
    from: String,
    to: String,
}

impl From<&Ends> for EndsInWords {
    fn from(ends: &Ends) -> Self {
        Self {
            from: ends.from.to_string(),
            to: ends.to.to_string(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SpreadInWords {
    median: f64,
    p95: f64,
    largest: f64,
}

impl SpreadInWords {
    fn of(spread: &Spread, times: f64) -> Self {
        Self {
            median: rounded(times * spread.median),
            p95: rounded(times * spread.p95),
            largest: rounded(times * spread.largest),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MovedInWords {
    from: String,
    to: String,
    before_ms: f64,
    after_ms: f64,
    /// Above 0 is slower.
    change_ms: f64,
    change_percent: f64,
    /// Whether it moved by more than each limit; without limits none does.
    beyond_limits: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NearestInWords {
    region: String,
    before: String,
    after: String,
    nearer_by_ms: f64,
}

impl From<&NearestChange> for NearestInWords {
    fn from(change: &NearestChange) -> Self {
        Self {
            region: change.region.to_string(),
            before: change.before.to_string(),
            after: change.after.to_string(),
            nearer_by_ms: rounded(change.nearer_by_ms),
        }
    }
}

/// Choices of the nearest among three replicas.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ChoicesInWords {
    choices: u64,
    changed: u64,
    mean_loss_ms: f64,
    worst: Option<LossInWords>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LossInWords {
    at: String,
    chosen: String,
    nearest: String,
    loss_ms: f64,
}

impl From<&ReplicaChoices> for ChoicesInWords {
    fn from(choices: &ReplicaChoices) -> Self {
        Self {
            choices: choices.choices,
            changed: choices.changed,
            mean_loss_ms: rounded(choices.mean_loss_ms),
            worst: choices.worst.as_ref().map(|worst| LossInWords {
                at: worst.at.to_string(),
                chosen: worst.chosen.to_string(),
                nearest: worst.nearest.to_string(),
                loss_ms: rounded(worst.loss_ms),
            }),
        }
    }
}

/// Answers `domicile latency compare`.
///
/// # Errors
/// Where something cannot be read, nothing can be compared, or the answer cannot be written.
pub fn compare(args: &CompareArgs, out: &mut dyn Write) -> Result<Outcome> {
    let snapshot = args.snapshot.as_deref();
    let policies = catalogued(args.policies.as_deref(), snapshot)?;
    let given: Vec<&Path> = args.files.iter().map(PathBuf::as_path).collect();
    let (before, after) = match (&*given, args.latency.as_deref(), args.server.as_deref()) {
        ([before, after], None, None) => (Loaded::of(&[*before], None, policies.clone())?, *after),
        ([after], None, Some(server)) => (Loaded::of_server(server, policies.clone())?, *after),
        ([after], latency, None) => {
            let before: Vec<&Path> = latency.into_iter().collect();
            (Loaded::of(&before, snapshot, policies.clone())?, *after)
        }
        _ => bail!("name the old measurements once: as the first FILE, by --latency or by --server"),
    };
    let after = Loaded::of(&[after], None, policies)?;
    let statistic = after.statistic(args.statistic);
    let comparison = compared(&before.measurements, &after.measurements, statistic);
    let report = Report::new(args, &before, &after, statistic, &comparison);
    match args.output {
        Output::Text => report.write(args.top, out)?,
        Output::Json => write_json(out, &report)?,
    }
    Ok(Outcome::holds_if(report.beyond_limits.unwrap_or(0) == 0))
}

impl Report {
    fn new(
        args: &CompareArgs,
        before: &Loaded,
        after: &Loaded,
        statistic: Statistic,
        comparison: &Comparison,
    ) -> Self {
        let has_limit = args.fail_over_ms.is_some() || args.fail_over_percent.is_some();
        let moved = |pair: &Moved| MovedInWords {
            from: pair.from.to_string(),
            to: pair.to.to_string(),
            before_ms: rounded(pair.before.as_ms()),
            after_ms: rounded(pair.after.as_ms()),
            change_ms: rounded(pair.change_ms()),
            change_percent: rounded(100.0 * pair.change_ratio()),
            beyond_limits: has_limit && pair.exceeds(args.fail_over_ms, args.fail_over_percent),
        };
        let moved: Vec<MovedInWords> = comparison.moved.iter().map(moved).collect();
        Self {
            v: VERSION,
            kind: "latency-compare",
            before: before.into(),
            after: after.into(),
            statistic: statistic.word(),
            only_before: comparison.only_before.iter().map(PairInWords::from).collect(),
            only_after: comparison.only_after.iter().map(PairInWords::from).collect(),
            parted: comparison.parted.iter().map(EndsInWords::from).collect(),
            reached_again: comparison.reached_again.iter().map(EndsInWords::from).collect(),
            without_statistic: comparison.without_statistic,
            compared: comparison.compared,
            change_ms: SpreadInWords::of(&comparison.change_ms, 1.0),
            change_percent: SpreadInWords::of(&comparison.change_ratio, 100.0),
            beyond_limits: has_limit.then(|| moved.iter().filter(|pair| pair.beyond_limits).count()),
            moved,
            regions: comparison.regions,
            reordered: comparison.reordered,
            nearest: comparison.nearest.iter().map(NearestInWords::from).collect(),
            choices: ChoicesInWords::from(&comparison.choices),
        }
    }

    fn write(&self, top: usize, out: &mut dyn Write) -> io::Result<()> {
        for (title, side) in [("before", &self.before), ("after", &self.after)] {
            let pairs = counted(side.pairs, "directed pair");
            writeln!(out, "{title:<8}{}: {pairs} ({})", side.measurements, side.digest)?;
        }
        let figure = self.statistic.to_uppercase();
        write!(
            out,
            "\n{} in both, compared by {figure}",
            counted(self.compared, "pair")
        )?;
        if self.without_statistic > 0 {
            write!(
                out,
                "; {} more have no such figure on both sides",
                self.without_statistic
            )?;
        }
        writeln!(out)?;
        if self.compared > 0 {
            self.write_changes(top, out)?;
        }
        write_one_sided("only before", &self.only_before, top, out)?;
        write_one_sided("only after", &self.only_after, top, out)?;
        write_ends("parted", &self.parted, top, out)?;
        write_ends("reached again", &self.reached_again, top, out)?;
        if self.regions > 0 {
            self.write_choices(top, out)?;
        }
        match self.beyond_limits {
            None => Ok(()),
            Some(0) => writeln!(out, "\nno pair moved beyond the limits"),
            Some(pairs) => writeln!(
                out,
                "\n{} moved beyond the limits (marked !)",
                counted(pairs, "pair")
            ),
        }
    }

    fn write_changes(&self, top: usize, out: &mut dyn Write) -> io::Result<()> {
        if self.moved.is_empty() {
            return writeln!(out, "none moved");
        }
        let slower = self.moved.iter().filter(|pair| pair.change_ms > 0.0).count();
        writeln!(
            out,
            "{} moved: {slower} slower, {} faster",
            self.moved.len(),
            self.moved.len() - slower
        )?;
        for (title, spread, unit) in [("by", &self.change_ms, " ms"), ("or", &self.change_percent, "%")] {
            writeln!(
                out,
                "  {title} {}{unit} in the median, {}{unit} at the 95th percentile, {}{unit} at most",
                ms(spread.median),
                ms(spread.p95),
                ms(spread.largest)
            )?;
        }
        writeln!(out)?;
        let header = [
            ("from", Side::Left),
            ("to", Side::Left),
            ("before ms", Side::Right),
            ("after ms", Side::Right),
            ("change ms", Side::Right),
            ("%", Side::Right),
            ("", Side::Left),
        ];
        let row = |pair: &MovedInWords| {
            vec![
                pair.from.clone(),
                pair.to.clone(),
                ms(pair.before_ms),
                ms(pair.after_ms),
                signed(pair.change_ms),
                signed(pair.change_percent),
                if pair.beyond_limits { "!" } else { "" }.to_owned(),
            ]
        };
        let rows: Vec<Vec<String>> = self.moved.iter().take(top).map(row).collect();
        write_columns(out, "  ", &header, &rows)?;
        write_rest(self.moved.len(), top, out)
    }

    fn write_choices(&self, top: usize, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "\nof {} in both, {} see the others in another order and {} another nearest one",
            counted(self.regions, "region"),
            self.reordered,
            if self.nearest.len() == 1 {
                "1 has".to_owned()
            } else {
                format!("{} have", self.nearest.len())
            }
        )?;
        for change in self.nearest.iter().take(top) {
            writeln!(
                out,
                "  {}: {} was nearest, {} is, by {} ms",
                change.region,
                change.before,
                change.after,
                ms(change.nearer_by_ms)
            )?;
        }
        write_rest(self.nearest.len(), top, out)?;
        let choices = &self.choices;
        if choices.choices == 0 {
            return Ok(());
        }
        writeln!(
            out,
            "the nearest of three replicas is another one for {} of {} choices ({:.1}%)",
            choices.changed,
            choices.choices,
            100.0 * choices.changed as f64 / choices.choices as f64
        )?;
        let Some(worst) = &choices.worst else {
            return Ok(());
        };
        writeln!(
            out,
            "  whoever chose by the old ones loses {} ms there on average; most at {}: {} ms by {} instead of {}",
            ms(choices.mean_loss_ms),
            worst.at,
            ms(worst.loss_ms),
            worst.chosen,
            worst.nearest
        )
    }
}

/// A change with its sign, as precise as [`ms`].
fn signed(change: f64) -> String {
    if change.abs() < 10.0 {
        format!("{change:+.2}")
    } else {
        format!("{change:+.1}")
    }
}

fn write_one_sided(title: &str, pairs: &[PairInWords], top: usize, out: &mut dyn Write) -> io::Result<()> {
    if pairs.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}: {}", counted(pairs.len(), "pair"))?;
    let header = [("from", Side::Left), ("to", Side::Left), ("ms", Side::Right)];
    let rows: Vec<Vec<String>> = pairs
        .iter()
        .take(top)
        .map(|pair| vec![pair.from.clone(), pair.to.clone(), ms(pair.rtt_ms)])
        .collect();
    write_columns(out, "  ", &header, &rows)?;
    write_rest(pairs.len(), top, out)
}

fn write_ends(title: &str, pairs: &[EndsInWords], top: usize, out: &mut dyn Write) -> io::Result<()> {
    if pairs.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}: {}", counted(pairs.len(), "pair"))?;
    let header = [("from", Side::Left), ("to", Side::Left)];
    let rows: Vec<Vec<String>> = pairs
        .iter()
        .take(top)
        .map(|pair| vec![pair.from.clone(), pair.to.clone()])
        .collect();
    write_columns(out, "  ", &header, &rows)?;
    write_rest(pairs.len(), top, out)
}

fn write_rest(all: usize, shown: usize, out: &mut dyn Write) -> io::Result<()> {
    if all > shown {
        writeln!(out, "  and {} more (--top shows more, JSON has all)", all - shown)?;
    }
    Ok(())
}
