//! `domicile latency check`: what is impossible, lopsided, old or missing.
//!
//! Exit code 0 where no finding is an error (with `--strict`, a warning), else 1. The codes are explained in
//! docs/latency.md.

use crate::cli::counted::counted;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::finding::{FindingRow, rows};
use super::sources::{LatencyFiles, Loaded, fleet_regions};
use super::words::{ms, percent, rounded, to_the_second, when};
use super::{VERSION, finding};
use crate::cli::Outcome;
use crate::cli::output::{Output, write_json};
use crate::config::parse_instant;
use crate::model::{Level, Provenance, RegionKey};
use crate::topology::audit::{
    Asymmetry, AuditLimits, Audited, Coverage, Detour, Triangles, audit, triangles,
};
use crate::topology::{Freshness, LatencyTable};

/// Hours of a day.
const DAY_HOURS: i64 = 24;

/// Find what is impossible, lopsided, old or missing
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Which measurements are meant.
    #[command(flatten)]
    pub files: LatencyFiles,
    /// The pairs between the regions where a fleet has nodes ought to be measured [default: those of the catalogue]
    #[arg(long, value_name = "FILE")]
    pub fleet: Option<PathBuf>,
    /// Tell measurements that are older than so many days
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub old_after: u32,
    /// Judge ages at this instant (RFC 3339, or a date for its midnight UTC) instead of now
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    pub at: Option<Timestamp>,
    /// Let warnings fail too
    #[arg(long)]
    pub strict: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    v: u32,
    kind: &'static str,
    /// The files.
    measurements: String,
    /// The name of the measurements, which decisions record.
    digest: String,
    /// The instant of every age.
    at: String,
    errors: usize,
    warnings: usize,
    notes: usize,
    findings: Vec<FindingRow>,
    summary: Summary,
}

/// Figures that are no findings.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    /// Measured directed pairs.
    pairs: usize,
    /// Regions that they touch.
    regions: usize,
    /// Those of the pairs that have a P95 of their own.
    pairs_with_p95: usize,
    /// Those that were measured at the instant of the file, or some minutes before it.
    fresh: usize,
    stale: usize,
    /// Directed pairs that are parted, measured or not.
    parted: usize,
    /// Absent where no pair has a date.
    oldest: Option<String>,
    newest: Option<String>,
    #[serde(skip)]
    age: String,
    two_ways: TwoWays,
    two_hops: TwoHops,
    coverage: CoverageInWords,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TwoWays {
    /// Pairs that were measured both ways.
    pairs: usize,
    mean_difference_ms: f64,
    largest_difference_ms: f64,
    /// The slower direction of the pair that differs most.
    from: Option<String>,
    to: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TwoHops {
    /// Directed pairs that two measured hops join too.
    pairs: usize,
    /// Those for which two hops take less.
    shorter: usize,
    /// Those for which the direct way takes more than 1.1 times two hops.
    shorter_by_a_tenth: usize,
    /// The worst by ratio.
    worst: Vec<DetourInWords>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DetourInWords {
    from: String,
    to: String,
    via: String,
    direct_ms: f64,
    sum_ms: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CoverageInWords {
    /// `catalogue` or `fleet`.
    of: &'static str,
    regions: usize,
    pairs: usize,
    /// By how they are known.
    known: Vec<KnownAs>,
    unknown: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct KnownAs {
    known_as: &'static str,
    pairs: usize,
}

/// Answers `domicile latency check`.
///
/// # Errors
/// Where something cannot be read, or the answer cannot be written.
pub fn check(args: &CheckArgs, now: Timestamp, out: &mut dyn Write) -> Result<Outcome> {
    let loaded = Loaded::with_problems(&args.files)?;
    let regions = match of_fleet(args) {
        Some(fleet) => fleet_regions(fleet, &loaded.policies)?,
        None => loaded.catalogued_regions(),
    };
    let at = args.files.instant(args.at, now)?;
    let report = Report::new(args, &loaded, &regions, at);
    match args.output {
        Output::Text => report.write(out)?,
        Output::Json => write_json(out, &report)?,
    }
    let wrong = report.errors + if args.strict { report.warnings } else { 0 };
    Ok(Outcome::holds_if(wrong == 0))
}

/// The file with the nodes between whose regions pairs ought to be measured, where one is named.
fn of_fleet(args: &CheckArgs) -> Option<&PathBuf> {
    args.fleet.as_ref().or(args.files.snapshot.as_ref())
}

impl Report {
    fn new(args: &CheckArgs, loaded: &Loaded, regions: &BTreeSet<RegionKey>, at: Timestamp) -> Self {
        let measurements = &loaded.measurements;
        let found = audit(&Audited {
            measurements,
            coordinates: &loaded.coordinates,
            regions,
            regions_are_used: of_fleet(args).is_some(),
            at,
            limits: AuditLimits {
                old_after: SignedDuration::from_hours(i64::from(args.old_after) * DAY_HOURS),
                ..AuditLimits::default()
            },
        });
        let findings = rows(loaded, &found.findings, at);
        let count = |level: Level| findings.iter().filter(|row| row.level == level.word()).count();
        let table = LatencyTable::build(measurements, &loaded.coordinates, loaded.statistic(None));
        let of = if of_fleet(args).is_some() {
            "fleet"
        } else {
            "catalogue"
        };
        let of_freshness = |wanted: Freshness| {
            measurements
                .iter()
                .filter(|(_, _, it)| it.freshness == wanted)
                .count()
        };
        let dates = || measurements.iter().filter_map(|(_, _, it)| it.measured_at);
        Self {
            v: VERSION,
            kind: "latency-check",
            measurements: loaded.name.clone(),
            digest: measurements.digest(),
            at: to_the_second(at).to_string(),
            errors: count(Level::Error),
            warnings: count(Level::Warning),
            notes: count(Level::Note),
            summary: Summary {
                pairs: measurements.len(),
                regions: loaded.measured_regions().len(),
                pairs_with_p95: measurements.iter().filter(|(_, _, it)| it.p95.is_some()).count(),
                fresh: of_freshness(Freshness::Fresh),
                stale: of_freshness(Freshness::Stale),
                parted: measurements.unreachable().count(),
                oldest: dates().min().map(|date| date.to_string()),
                newest: dates().max().map(|date| date.to_string()),
                age: match (dates().min(), dates().max()) {
                    (Some(oldest), Some(newest)) if oldest != newest => {
                        format!("from {} to {}", when(at, oldest), when(at, newest))
                    }
                    (Some(date), _) => when(at, date),
                    _ => "nobody says when".to_owned(),
                },
                two_ways: TwoWays::from(&found.asymmetry),
                two_hops: TwoHops::from(&triangles(measurements)),
                coverage: CoverageInWords::new(&Coverage::of(&table, regions), of),
            },
            findings,
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        for row in &self.findings {
            finding::write(row, out)?;
        }
        if !self.findings.is_empty() {
            writeln!(out)?;
        }
        self.summary.write(&self.measurements, out)?;
        writeln!(
            out,
            "\n{}, {}, {} as of {}",
            counted(self.errors, "error"),
            counted(self.warnings, "warning"),
            counted(self.notes, "note"),
            self.at
        )
    }
}

impl Summary {
    fn write(&self, name: &str, out: &mut dyn Write) -> io::Result<()> {
        let mut line = |title: &str, text: String| writeln!(out, "{title:<16}{text}");
        line("measurements", name.to_owned())?;
        line(
            "pairs",
            format!(
                "{} between {}, {} with a P95",
                counted(self.pairs, "directed pair"),
                counted(self.regions, "region"),
                if self.pairs_with_p95 == 0 {
                    "none".to_owned()
                } else {
                    self.pairs_with_p95.to_string()
                }
            ),
        )?;
        line("measured", self.age.clone())?;
        if self.fresh + self.stale + self.parted > 0 {
            let Self {
                fresh, stale, parted, ..
            } = self;
            line(
                "at its instant",
                format!("{fresh} fresh, {stale} stale, {parted} parted"),
            )?;
        }
        let ways = &self.two_ways;
        if let (Some(from), Some(to)) = (&ways.from, &ways.to) {
            line(
                "two directions",
                format!(
                    "{} measured both ways differ by {} ms on average, by {} ms at most ({from} to {to})",
                    counted(ways.pairs, "pair"),
                    ms(ways.mean_difference_ms),
                    ms(ways.largest_difference_ms)
                ),
            )?;
        }
        self.two_hops.write(&mut line)?;
        let coverage = &self.coverage;
        line(
            "coverage",
            format!(
                "of {} between the {} of the {}",
                counted(coverage.pairs, "directed pair"),
                counted(coverage.regions, "region"),
                coverage.of
            ),
        )?;
        for known in &coverage.known {
            line("", in_all(known.pairs, coverage.pairs, known.known_as))?;
        }
        if coverage.unknown > 0 {
            line("", in_all(coverage.unknown, coverage.pairs, "unknown"))?;
        }
        Ok(())
    }
}

impl TwoHops {
    fn write(&self, line: &mut impl FnMut(&str, String) -> io::Result<()>) -> io::Result<()> {
        if self.pairs == 0 {
            return Ok(());
        }
        line(
            "two hops",
            format!(
                "take less than the direct way for {} of {}, less by a tenth for {}",
                percent(self.shorter, self.pairs),
                counted(self.pairs, "pair"),
                percent(self.shorter_by_a_tenth, self.pairs)
            ),
        )?;
        if self.shorter > 0 {
            line(
                "",
                "(no mistake: 20 to 32% do in what clouds publish; a sum never stands in for a measured pair)".to_owned(),
            )?;
        }
        for worst in self.worst.iter().take(MOST_DETOURS) {
            line(
                "",
                format!(
                    "{} to {} takes {} ms, over {} {} ms",
                    worst.from,
                    worst.to,
                    ms(worst.direct_ms),
                    worst.via,
                    ms(worst.sum_ms)
                ),
            )?;
        }
        Ok(())
    }
}

fn in_all(pairs: usize, all: usize, what: &str) -> String {
    format!("{pairs} {what} ({})", percent(pairs, all))
}

/// How many detours a text shows.
const MOST_DETOURS: usize = 3;

impl From<&Asymmetry> for TwoWays {
    fn from(asymmetry: &Asymmetry) -> Self {
        let largest = asymmetry.largest.as_ref();
        Self {
            pairs: asymmetry.pairs,
            mean_difference_ms: rounded(asymmetry.mean_ms),
            largest_difference_ms: rounded(largest.map_or(0.0, |(ms, ..)| *ms)),
            from: largest.map(|(_, from, _)| from.to_string()),
            to: largest.map(|(_, _, to)| to.to_string()),
        }
    }
}

impl From<&Triangles> for TwoHops {
    fn from(triangles: &Triangles) -> Self {
        let in_words = |detour: &Detour| DetourInWords {
            from: detour.from.to_string(),
            to: detour.to.to_string(),
            via: detour.via.to_string(),
            direct_ms: rounded(detour.direct_ms),
            sum_ms: rounded(detour.sum_ms),
        };
        Self {
            pairs: triangles.pairs,
            shorter: triangles.shorter,
            shorter_by_a_tenth: triangles.shorter_by_a_tenth,
            worst: triangles.worst.iter().map(in_words).collect(),
        }
    }
}

impl CoverageInWords {
    fn new(coverage: &Coverage, of: &'static str) -> Self {
        let known = |(provenance, pairs): (&Provenance, &usize)| KnownAs {
            known_as: provenance.word(),
            pairs: *pairs,
        };
        Self {
            of,
            regions: coverage.regions,
            pairs: coverage.pairs,
            known: coverage.known.iter().map(known).collect(),
            unknown: coverage.unknown(),
        }
    }
}
