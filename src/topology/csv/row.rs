//! A row of a latency file: what it says of a directed pair, or everything that is wrong with it.
//!
//! Inputs: a record, where its columns are, a way to find bare regions, and coordinates. Output: a [`Row`],
//! or a sentence for each problem. Invariant: a row has a round trip, unless it says that the pair is parted.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::csv::StringRecord;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::columns::Columns;
use crate::model::{Coordinates, Latency, RegionKey, RegionReference, nearest_word};
use crate::topology::LONGEST_MS;
use crate::topology::estimate::least_possible_ms;
use crate::topology::measurement::{Freshness, MeasuredPlace, MeasuredStatistic, Measurement};

/// The length of `2026-11-21`.
const DATE_LENGTH: usize = 10;

/// What a row says of a directed pair.
#[derive(Debug)]
pub(super) struct Row {
    /// Where the pair begins.
    pub(super) from: MeasuredPlace,
    /// Where it ends.
    pub(super) to: MeasuredPlace,
    /// What was measured; only where it is parted nothing may have been.
    pub(super) measurement: Option<Measurement>,
    /// Whether the first place does not reach the second.
    pub(super) is_parted: bool,
}

/// How rows are read.
pub(super) struct Rows<'a, R> {
    /// Where the columns are.
    pub(super) columns: Columns,
    /// Finds the region of a bare name.
    pub(super) resolve: R,
    /// Where regions lie, for times that are impossible.
    pub(super) coordinates: &'a BTreeMap<RegionKey, Coordinates>,
}

impl<R: Fn(&RegionReference) -> Option<RegionKey>> Rows<'_, R> {
    /// Reads a row.
    ///
    /// # Errors
    /// Every problem of the row.
    pub(super) fn read(&self, record: &StringRecord) -> Result<Row, Vec<String>> {
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
        let is_parted = optional(columns.reachable)
            .and_then(|text| reachable(text).map_err(&mut checked).ok())
            .is_some_and(|is_reachable| !is_reachable);
        if is_parted && field(columns.rtt_ms).is_empty() {
            problems.extend(self.words_about_no_time(record));
            return match (from, to) {
                (Some(from), Some(to)) if problems.is_empty() => Ok(Row {
                    from,
                    to,
                    measurement: None,
                    is_parted,
                }),
                _ => Err(problems),
            };
        }

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
        let freshness =
            optional(columns.freshness).and_then(|text| freshness(text).map_err(&mut checked).ok());
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
            (Some(from), Some(to), Some(rtt)) if problems.is_empty() => Ok(Row {
                from,
                to,
                measurement: Some(Measurement {
                    rtt,
                    p95,
                    statistic,
                    samples,
                    measured_at,
                    source: optional(columns.source).map(Arc::from),
                    freshness: freshness.unwrap_or_default(),
                }),
                is_parted,
            }),
            _ => Err(problems),
        }
    }

    /// What a row says of a round trip that it does not give.
    fn words_about_no_time(&self, record: &StringRecord) -> Vec<String> {
        let columns = &self.columns;
        [
            ("p95_ms", columns.p95_ms),
            ("statistic", columns.statistic),
            ("samples", columns.samples),
            ("measured_at", columns.measured_at),
            ("source", columns.source),
            ("freshness", columns.freshness),
        ]
        .into_iter()
        .filter_map(|(name, index)| Some((name, record.get(index?)?)))
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| {
            format!("`{name}` is `{text}` where `rtt_ms` is empty: give the round trip, or leave `{name}` empty too")
        })
        .collect()
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

fn freshness(text: &str) -> Result<Freshness, String> {
    Freshness::parse(text).ok_or_else(|| {
        let words = [Freshness::Dated, Freshness::Fresh, Freshness::Stale].map(Freshness::word);
        let hint = did_you_mean(text, words);
        format!("`freshness` is `{text}` where dated, fresh or stale is expected{hint}")
    })
}

fn reachable(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(format!(
            "`reachable` is `{text}` where yes or no is expected{}",
            did_you_mean(text, ["yes", "no"])
        )),
    }
}

fn did_you_mean<const WORDS: usize>(text: &str, words: [&'static str; WORDS]) -> String {
    nearest_word(text, words).map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"))
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
