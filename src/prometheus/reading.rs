//! From answers to observations: the edge where numbers with labels become latencies between places.
//!
//! Inputs: the answers to the queries of one source, its settings and the catalogue. Outputs: an
//! observation for each pair of which enough is known, and what was left out with the reason. Pure.
//! Invariants: a series that cannot be true is left out alone and all others count; whatever the answers
//! are, each observation has places of the catalogue and a time that light in fibre could need. A pair
//! inside one region that joins no two zones is passed over, as in a latency file.
//! Deliberately absent: age, smoothing and what a failure of a probe means (`topology`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::answer::{Labels, Sample, Series, quote};
use super::client::Answers;
use super::settings::{PrometheusSettings, QueryName};
use crate::model::{Coordinates, Latency, RegionKey, RegionReference, nearest_word};
use crate::policy::Catalogue;
use crate::topology::{LONGEST_MS, MeasuredPlace, Observation, Observed, least_possible_ms};

/// What the answers of one poll say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// In the order of pairs; each pair at most once.
    pub observations: Vec<Observation>,
    /// In the order of queries.
    pub left_out: Vec<LeftOut>,
}

/// A series that does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The query that gave it.
    pub query: QueryName,
    /// Its labels.
    pub series: Labels,
    /// Why, in a word.
    pub reason: Reason,
    /// Why, as a sentence whose subject is the series.
    pub problem: String,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the series `{}` of the query `{}` {}",
            self.series,
            self.query.word(),
            self.problem
        )
    }
}

/// Why a series does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It does not name both places.
    MissingLabel,
    /// A label names no place of the catalogue.
    UnknownPlace,
    /// Another series of the query speaks of the same pair.
    TwoSeries,
    /// It is a native histogram, or a text.
    NoNumber,
    /// It is NaN or infinite.
    NotFinite,
    /// It is a time of zero or less.
    NotPositive,
    /// It is longer than any round trip takes.
    TooLong,
    /// Light in fibre would need longer.
    TooFast,
    /// It is no count, or no share from 0 to 1.
    OutOfRange,
    /// No sample was taken.
    NoSamples,
    /// The query `p50` does not know the pair.
    NoMedian,
    /// It is a P95 below the P50.
    BelowMedian,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 12] = [
        Self::MissingLabel,
        Self::UnknownPlace,
        Self::TwoSeries,
        Self::NoNumber,
        Self::NotFinite,
        Self::NotPositive,
        Self::TooLong,
        Self::TooFast,
        Self::OutOfRange,
        Self::NoSamples,
        Self::NoMedian,
        Self::BelowMedian,
    ];

    /// The word that metrics use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::MissingLabel => "missing-label",
            Self::UnknownPlace => "unknown-place",
            Self::TwoSeries => "two-series",
            Self::NoNumber => "no-number",
            Self::NotFinite => "not-finite",
            Self::NotPositive => "not-positive",
            Self::TooLong => "too-long",
            Self::TooFast => "too-fast",
            Self::OutOfRange => "out-of-range",
            Self::NoSamples => "no-samples",
            Self::NoMedian => "no-p50",
            Self::BelowMedian => "below-p50",
        }
    }
}

type Pair = (MeasuredPlace, MeasuredPlace);
/// What one query says of each pair, with the labels to name it by.
type ByPair<'a, T> = BTreeMap<Pair, (T, &'a Labels)>;

/// Reads the answers of one poll.
#[must_use]
pub fn read(source: &PrometheusSettings, answers: &Answers, catalogue: &Catalogue) -> Reading {
    let mut reader = Reader {
        source,
        catalogue,
        coordinates: catalogue.coordinates(),
        places: BTreeMap::new(),
        left_out: Vec::new(),
    };
    let of = |query| answers.get(&query).and_then(|answer| answer.as_ref().ok());
    let series = |query| of(query).map_or(&[][..], |answer| answer.series.as_slice());

    // Where the whole query failed, that is told once and not for each pair.
    let asked = of(QueryName::P50).map(|answer| reader.pairs_of(&answer.series));
    let medians = reader.numbers(QueryName::P50, series(QueryName::P50));
    let medians = reader.times(QueryName::P50, medians);
    let p95 = reader.numbers(QueryName::P95, series(QueryName::P95));
    let p95 = reader.known(QueryName::P95, p95, asked.as_ref());
    let mut p95 = reader.times(QueryName::P95, p95);
    let counts = reader.numbers(QueryName::Samples, series(QueryName::Samples));
    let counts = reader.known(QueryName::Samples, counts, asked.as_ref());
    let counts = reader.counts(counts);
    let shares = reader.numbers(QueryName::Reachable, series(QueryName::Reachable));
    let shares = reader.shares(shares);

    let mut observed: BTreeMap<Pair, Observed> = BTreeMap::new();
    for (pair, (p50, _)) in medians {
        let samples = counts.get(&pair).map(|(count, _)| *count);
        if samples == Some(0) {
            continue;
        }
        let p95 = p95.remove(&pair).and_then(|(p95, labels)| {
            if p95 >= p50 {
                return Some(p95);
            }
            let (p95, p50) = (rounded(p95.as_ms()), rounded(p50.as_ms()));
            let problem = format!("is {p95:?} ms, less than the P50 of {p50:?} ms");
            reader.leave_out(QueryName::P95, labels, Reason::BelowMedian, problem);
            None
        });
        observed.insert(pair, Observed::RoundTrip { p50, p95, samples });
    }
    for (pair, (share, _)) in shares {
        // What a prober measures while it reaches nobody is its own timeout.
        if share == 0.0 {
            observed.insert(pair, Observed::Failed);
        }
    }
    let mut left_out = reader.left_out;
    left_out.sort_by(|one, other| (one.query, &one.series).cmp(&(other.query, &other.series)));
    Reading {
        observations: observed
            .into_iter()
            .map(|((from, to), observed)| Observation { from, to, observed })
            .collect(),
        left_out,
    }
}

struct Reader<'a> {
    source: &'a PrometheusSettings,
    catalogue: &'a Catalogue,
    coordinates: BTreeMap<RegionKey, Coordinates>,
    /// What each value of a label means; every place is in many series.
    places: BTreeMap<&'a str, Result<MeasuredPlace, String>>,
    left_out: Vec<LeftOut>,
}

impl<'a> Reader<'a> {
    fn leave_out(&mut self, query: QueryName, series: &Labels, reason: Reason, problem: String) {
        self.left_out.push(LeftOut {
            query,
            series: series.clone(),
            reason,
            problem,
        });
    }

    /// The finite number of each pair of which one series speaks.
    fn numbers(&mut self, query: QueryName, series: &'a [Series]) -> ByPair<'a, f64> {
        let mut by_pair: BTreeMap<Pair, Vec<&'a Series>> = BTreeMap::new();
        for one in series {
            match self.pair(&one.labels) {
                Ok((from, to)) if from.is_inside_one_region(&to) => {}
                Ok(pair) => by_pair.entry(pair).or_default().push(one),
                Err((reason, problem)) => self.leave_out(query, &one.labels, reason, problem),
            }
        }
        let mut numbers = BTreeMap::new();
        for ((from, to), series) in by_pair {
            let [one] = series.as_slice() else {
                for one in &series {
                    let EndNames { from: a, to: b } = self.end_names();
                    let problem = format!(
                        "is one of {} for the pair `{from}` to `{to}`: make them one in the query, for \
                         example with `avg by ({a}, {b}) (…)`",
                        series.len()
                    );
                    self.leave_out(query, &one.labels, Reason::TwoSeries, problem);
                }
                continue;
            };
            match number(&one.sample) {
                Ok(number) => {
                    numbers.insert((from, to), (number, &one.labels));
                }
                Err((reason, problem)) => self.leave_out(query, &one.labels, reason, problem),
            }
        }
        numbers
    }

    /// Every pair that a query speaks of, whatever it says.
    fn pairs_of(&mut self, series: &'a [Series]) -> BTreeSet<Pair> {
        series
            .iter()
            .filter_map(|one| self.pair(&one.labels).ok())
            .collect()
    }

    /// What is said of pairs that the query `p50` speaks of too; `None` where that has failed.
    fn known(
        &mut self,
        query: QueryName,
        numbers: ByPair<'a, f64>,
        asked: Option<&BTreeSet<Pair>>,
    ) -> ByPair<'a, f64> {
        let Some(asked) = asked else {
            return BTreeMap::new();
        };
        let (known, unknown): (BTreeMap<_, _>, BTreeMap<_, _>) =
            numbers.into_iter().partition(|(pair, _)| asked.contains(pair));
        for ((from, to), (_, labels)) in unknown {
            let problem = format!("has a pair that the query `p50` does not know, `{from}` to `{to}`");
            self.leave_out(query, labels, Reason::NoMedian, problem);
        }
        known
    }

    fn end_names(&self) -> EndNames<'a> {
        let labels = &self.source.labels;
        EndNames {
            from: &labels.from,
            to: &labels.to,
        }
    }

    fn pair(&mut self, labels: &'a Labels) -> Result<Pair, (Reason, String)> {
        let EndNames { from, to } = self.end_names();
        Ok((self.end(labels, from)?, self.end(labels, to)?))
    }

    fn end(&mut self, labels: &'a Labels, name: &str) -> Result<MeasuredPlace, (Reason, String)> {
        let Some(value) = labels.get(name) else {
            return Err((Reason::MissingLabel, format!("has no label `{name}`")));
        };
        let catalogue = self.catalogue;
        let place = self
            .places
            .entry(value)
            .or_insert_with(|| place(value, catalogue));
        place.clone().map_err(|problem| {
            let problem = format!("has `{}` in its label `{name}`, {problem}", quote(value));
            (Reason::UnknownPlace, problem)
        })
    }

    fn times(&mut self, query: QueryName, numbers: ByPair<'a, f64>) -> ByPair<'a, Latency> {
        let mut times = BTreeMap::new();
        for (pair, (number, labels)) in numbers {
            match self.time(&pair, number) {
                Ok(time) => {
                    times.insert(pair, (time, labels));
                }
                Err((reason, problem)) => self.leave_out(query, labels, reason, problem),
            }
        }
        times
    }

    fn time(&self, (from, to): &Pair, number: f64) -> Result<Latency, (Reason, String)> {
        let ms = number * self.source.unit.as_ms();
        let Some(time) = Latency::from_ms(ms).filter(|_| ms > 0.0) else {
            let problem = format!("is {:?} ms, and a round trip takes more than 0", rounded(ms));
            return Err((Reason::NotPositive, problem));
        };
        if ms > LONGEST_MS {
            let problem = format!(
                "is {:?} ms, and no round trip takes more than {LONGEST_MS} ms: look at `unit`",
                rounded(ms)
            );
            return Err((Reason::TooLong, problem));
        }
        let ends = (
            self.coordinates.get(&from.region),
            self.coordinates.get(&to.region),
        );
        let (Some(start), Some(end)) = ends else {
            return Ok(time);
        };
        let km = start.distance_km(*end);
        let least_ms = least_possible_ms(km);
        if ms < least_ms {
            let problem = format!(
                "is {:?} ms from `{from}` to `{to}`, and light in fibre needs at least {least_ms:.0} ms for the \
                 {km:.0} km between their coordinates: look at `unit`, and at what answers the probes",
                rounded(ms)
            );
            return Err((Reason::TooFast, problem));
        }
        Ok(time)
    }

    fn counts(&mut self, numbers: ByPair<'a, f64>) -> ByPair<'a, u32> {
        let mut counts = BTreeMap::new();
        for (pair, (number, labels)) in numbers {
            if number < 0.0 || number > f64::from(u32::MAX) {
                let problem = format!("is {number:?} where a count is expected");
                self.leave_out(QueryName::Samples, labels, Reason::OutOfRange, problem);
                continue;
            }
            // `increase()` extrapolates, so a count may have a fraction.
            let count = number.round() as u32;
            if count == 0 {
                let problem = "says that no sample was taken: the pair is left out".to_owned();
                self.leave_out(QueryName::Samples, labels, Reason::NoSamples, problem);
            }
            counts.insert(pair, (count, labels));
        }
        counts
    }

    fn shares(&mut self, numbers: ByPair<'a, f64>) -> ByPair<'a, f64> {
        let (shares, others): (BTreeMap<_, _>, BTreeMap<_, _>) = numbers
            .into_iter()
            .partition(|(_, (number, _))| (0.0..=1.0).contains(number));
        for (number, labels) in others.into_values() {
            let problem = format!("is {number:?} where the share of probes that arrived is expected, 0 to 1");
            self.leave_out(QueryName::Reachable, labels, Reason::OutOfRange, problem);
        }
        shares
    }
}

/// The names of the labels of both ends.
struct EndNames<'a> {
    from: &'a str,
    to: &'a str,
}

fn number(sample: &Sample) -> Result<f64, (Reason, String)> {
    match sample {
        Sample::Number(number) if number.is_finite() => Ok(*number),
        Sample::Number(number) if number.is_nan() => Err((
            Reason::NotFinite,
            "is NaN, as where nothing was sampled in the window".to_owned(),
        )),
        Sample::Number(_) => Err((
            Reason::NotFinite,
            "is infinite, as where a histogram has too few buckets".to_owned(),
        )),
        Sample::Histogram => Err((
            Reason::NoNumber,
            "is a native histogram: ask for `histogram_quantile(0.5, …)` of it".to_owned(),
        )),
        Sample::Text(text) => Err((Reason::NoNumber, format!("is `{text}`, which is no number"))),
    }
}

/// Microseconds are enough for people.
fn rounded(ms: f64) -> f64 {
    (ms * 1_000.0).round() / 1_000.0
}

/// What the value of a label means; else a clause that says what it is not.
fn place(text: &str, catalogue: &Catalogue) -> Result<MeasuredPlace, String> {
    let known = || catalogue.regions().map(|region| region.key.to_string());
    if text.contains('/') {
        let place = MeasuredPlace::parse(text)
            .map_err(|_| "which is neither `provider/region` nor `provider/region/zone`".to_owned())?;
        if catalogue.region(&place.region).is_some() {
            return Ok(place);
        }
        let (known, region): (Vec<String>, String) = (known().collect(), place.region.to_string());
        let hint = nearest_word(&region, known.iter().map(String::as_str))
            .map_or_else(String::new, |meant| format!("; did you mean `{meant}`"));
        return Err(format!("which is no region of the catalogue{hint}"));
    }
    let reference = RegionReference::parse(text).map_err(|_| "which is no name of a region".to_owned())?;
    if let Some(region) = catalogue.resolve(&reference) {
        return Ok(MeasuredPlace::region(region.clone()));
    }
    let (known, bare): (Vec<String>, String) = (known().collect(), format!("/{text}"));
    let same: Vec<&String> = known.iter().filter(|key| key.ends_with(&bare)).collect();
    if let [first, _, ..] = same.as_slice() {
        return Err(format!(
            "which several providers have: write `provider/region` such as `{first}`"
        ));
    }
    let names = known
        .iter()
        .filter_map(|key| key.split_once('/').map(|(_, name)| name));
    let hint =
        nearest_word(text, names).map_or_else(String::new, |meant| format!("; did you mean `{meant}`"));
    Err(format!("which is no region of the catalogue{hint}"))
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
