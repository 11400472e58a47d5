//! A finding about measurements in words: its code, where it is, what is wrong and what to do.

use crate::cli::counted::counted;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::sources::Loaded;
use super::words::{listed, ms, when};
use crate::model::{Level, RegionKey};
use crate::topology::LatencyFileError;
use crate::topology::audit::{LatencyFinding, PairsAlike};

/// A finding. A line of 0 is not known.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FindingRow {
    pub code: &'static str,
    pub level: &'static str,
    /// Absent where it is about what is not written, or about everything.
    pub file: Option<String>,
    pub line: u64,
    pub sentence: String,
    pub fix: String,
}

/// Puts what was found into words: what cannot be read first, then the findings in their order.
pub fn rows(loaded: &Loaded, findings: &[LatencyFinding], at: Timestamp) -> Vec<FindingRow> {
    let unreadable = loaded.problems.iter().map(unreadable);
    let found = findings.iter().map(|finding| row(loaded, finding, at));
    unreadable.chain(found).collect()
}

/// Writes a finding for people.
///
/// # Errors
/// Where the output cannot be written.
pub fn write(row: &FindingRow, out: &mut dyn Write) -> io::Result<()> {
    if let Some(file) = &row.file {
        write!(out, "{file}:{}: ", row.line)?;
    }
    writeln!(out, "{} {}: {}", row.level, row.code, row.sentence)?;
    writeln!(out, "  fix: {}", row.fix)
}

fn unreadable(problem: &LatencyFileError) -> FindingRow {
    FindingRow {
        code: "M01",
        level: Level::Error.word(),
        file: Some(problem.file.clone()),
        line: problem.line,
        sentence: problem.problem.clone(),
        fix: "correct or remove it: `serve` takes no file with such a row and keeps the last good one"
            .to_owned(),
    }
}

fn row(loaded: &Loaded, finding: &LatencyFinding, at: Timestamp) -> FindingRow {
    let (code, sentence, fix) = words(finding, at);
    let written = finding.pair();
    let written = written.and_then(|(from, to)| loaded.lines.get(&(from.clone(), to.clone())));
    FindingRow {
        code,
        level: finding.level().word(),
        file: written.map(|written| written.file.to_string()),
        line: written.map_or(0, |written| written.line),
        sentence,
        fix: fix.to_owned(),
    }
}

fn words(finding: &LatencyFinding, at: Timestamp) -> (&'static str, String, &'static str) {
    match finding {
        LatencyFinding::Impossible {
            from,
            to,
            rtt,
            least_ms,
            km,
        } => (
            "M02",
            format!(
                "{} ms from `{from}` to `{to}` is impossible: light in fibre needs at least {least_ms:.0} ms \
                 for the {km:.0} km between their coordinates",
                rtt.as_ms()
            ),
            "measure it again, or correct the coordinates of the region in the catalogue",
        ),
        LatencyFinding::MeanAboveTail { from, to, mean, p95 } => (
            "M03",
            format!(
                "from `{from}` to `{to}` the mean of {} ms is above the P95 of {} ms: a few samples are very slow",
                mean.as_ms(),
                p95.as_ms()
            ),
            "give the median: such a mean says little of a typical round trip",
        ),
        LatencyFinding::Asymmetric {
            from,
            to,
            there,
            back,
        } => (
            "M04",
            format!(
                "`{from}` to `{to}` takes {} ms and the way back {} ms, though both are the same loop",
                ms(there.as_ms()),
                ms(back.as_ms())
            ),
            "measure both directions at the same time and in the same way",
        ),
        LatencyFinding::Old(alike) => (
            "M05",
            format!("{} measured long ago: {}", in_words(alike), dates(alike, at)),
            "take a newer edition, or measure: routes change and published tables keep old incidents",
        ),
        LatencyFinding::InTheFuture(alike) => (
            "M06",
            format!(
                "{} measured later than now: {}",
                in_words(alike),
                dates(alike, at)
            ),
            "correct `measured_at`, or the clock, or name the instant by --at",
        ),
        LatencyFinding::Undated(alike) => (
            "M07",
            format!("nobody says when {} measured", in_words(alike)),
            "add the column `measured_at`: without it nobody can tell how old they are",
        ),
        LatencyFinding::UnmeasuredRegions { regions, used } => (
            "M08",
            format!(
                "{} of the {} {} in no measured pair: {}",
                counted(regions.len(), "region"),
                if *used { "fleet" } else { "catalogue" },
                if regions.len() == 1 { "is" } else { "are" },
                listed(regions)
            ),
            "measure them: until then distance stands in, which is an upper guess, or nothing",
        ),
        LatencyFinding::MissingPairs {
            providers: (one, other),
            pairs,
            of,
            first: (from, to),
            ..
        } => missing(one, other, *pairs, *of, from, to),
        LatencyFinding::OneWay { pairs, first } => (
            "M10",
            format!(
                "{} measured in one direction only, such as `{}` to `{}`",
                were(*pairs),
                first.0,
                first.1
            ),
            "nothing, where that is meant: the other direction takes the same figure",
        ),
        LatencyFinding::OfOneInstant {
            fresh, stale, parted, ..
        } => (
            "M12",
            format!(
                "some rows tell how their pairs stood at one instant, and never age: {fresh} fresh, {stale} stale, \
                 {parted} parted"
            ),
            "nothing, where that instant is replayed; to serve by the file, leave out the columns `freshness` and `reachable`",
        ),
        LatencyFinding::MixedStatistics { statistics } => (
            "M11",
            format!(
                "several statistics stand side by side: {}",
                statistics
                    .iter()
                    .map(|(statistic, pairs)| format!("`{}` ({})", statistic.word(), counted(*pairs, "pair")))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            "keep to one: a mean or a P95 counts as an upper guess of the median and loses to a median",
        ),
    }
}

fn missing(
    one: &str,
    other: &str,
    pairs: usize,
    of: usize,
    from: &RegionKey,
    to: &RegionKey,
) -> (&'static str, String, &'static str) {
    let who = if one == other {
        format!("regions of `{one}`")
    } else {
        format!("regions of `{one}` and of `{other}`")
    };
    let (missing, were) = match pairs {
        all if all == of => ("none".to_owned(), "was"),
        1 => ("1".to_owned(), "was not"),
        several => (several.to_string(), "were not"),
    };
    let all = counted(of, "pair");
    (
        "M09",
        format!(
            "{missing} of the {all} between {who} {were} measured in either direction, such as `{from}` and `{to}`"
        ),
        "measure them: until then a path over others or the distance stands in, which is an upper guess",
    )
}

fn were(pairs: usize) -> String {
    format!(
        "{} {}",
        counted(pairs, "pair"),
        if pairs == 1 { "was" } else { "were" }
    )
}

fn in_words(alike: &PairsAlike) -> String {
    let source = alike.source.as_deref();
    let source = source.map_or("without a source".to_owned(), |source| format!("of `{source}`"));
    let were = if alike.pairs == 1 { "was" } else { "were" };
    format!("{} {source} {were}", counted(alike.pairs, "pair"))
}

fn dates(alike: &PairsAlike, at: Timestamp) -> String {
    match alike.dates {
        Some((earliest, latest)) if earliest == latest => when(at, earliest),
        Some((earliest, latest)) => format!("from {} to {}", when(at, earliest), when(at, latest)),
        None => "nobody says when".to_owned(),
    }
}
