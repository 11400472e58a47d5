//! The checks of measurements, one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::{Coordinates, Latency, Level, RegionKey};
use crate::topology::estimate::least_possible_ms;
use crate::topology::{Freshness, MeasuredPlace, MeasuredStatistic, Measurement, Measurements};

/// From when on a check tells something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AuditLimits {
    /// Measurements older than this are told. A year by default: of the matrices that clouds publish, one
    /// was refreshed every 6 to 9 months, and one kept an incident for two years.
    pub old_after: SignedDuration,
    /// By how many milliseconds the two directions of a pair must differ to be told.
    pub asymmetry_ms: f64,
    /// And by which share of the faster one.
    pub asymmetry_ratio: f64,
}

/// Hours of a year of 365 days.
const YEAR_HOURS: i64 = 365 * 24;

impl Default for AuditLimits {
    /// On 32 AWS regions (cloudping.co, median of a year, 2025-05-29) 7 of 496 pairs differ by more than
    /// 5 ms and a tenth, all of them with one region; none differs by more than 12 ms.
    fn default() -> Self {
        Self {
            old_after: SignedDuration::from_hours(YEAR_HOURS),
            asymmetry_ms: 5.0,
            asymmetry_ratio: 0.10,
        }
    }
}

/// What is audited.
#[derive(Debug, Clone, Copy)]
pub struct Audited<'a> {
    /// The measurements.
    pub measurements: &'a Measurements,
    /// Where the regions lie.
    pub coordinates: &'a BTreeMap<RegionKey, Coordinates>,
    /// The regions whose pairs ought to be measured.
    pub regions: &'a BTreeSet<RegionKey>,
    /// Whether these are the regions of a fleet, so that a missing pair matters, and not a whole catalogue.
    pub regions_are_used: bool,
    /// The instant at which ages are judged.
    pub at: Timestamp,
    /// From when on a check tells something.
    pub limits: AuditLimits,
}

/// Directed pairs that have something in common.
#[derive(Debug, Clone, PartialEq)]
pub struct PairsAlike {
    /// Whose measurements; `None` where the rows do not say.
    pub source: Option<Arc<str>>,
    /// How many.
    pub pairs: usize,
    /// The first of them.
    pub first: (MeasuredPlace, MeasuredPlace),
    /// The earliest and the latest date of them, where they have one.
    pub dates: Option<(Timestamp, Timestamp)>,
}

/// Something that whoever keeps the measurements should know.
#[derive(Debug, Clone, PartialEq)]
pub enum LatencyFinding {
    /// Light in fibre needs longer.
    Impossible {
        /// Where the pair begins.
        from: MeasuredPlace,
        /// Where it ends.
        to: MeasuredPlace,
        /// What is said to have been measured.
        rtt: Latency,
        /// What light in fibre needs at least, in milliseconds.
        least_ms: f64,
        /// The distance of the coordinates in kilometres.
        km: f64,
    },
    /// The mean is above what one in twenty exceeds: a few samples are very slow.
    MeanAboveTail {
        /// Where the pair begins.
        from: MeasuredPlace,
        /// Where it ends.
        to: MeasuredPlace,
        /// The mean.
        mean: Latency,
        /// The round trip that one in twenty exceeds.
        p95: Latency,
    },
    /// The two directions differ, although a round trip is the same loop either way.
    Asymmetric {
        /// Where the slower direction begins.
        from: MeasuredPlace,
        /// Where it ends.
        to: MeasuredPlace,
        /// The slower direction.
        there: Latency,
        /// The faster one.
        back: Latency,
    },
    /// Measured too long ago.
    Old(PairsAlike),
    /// Measured later than now.
    InTheFuture(PairsAlike),
    /// Nobody says when it was measured.
    Undated(PairsAlike),
    /// Several statistics are mixed, such as medians and means.
    MixedStatistics {
        /// How many pairs have which; what rows do not say is the median.
        statistics: BTreeMap<MeasuredStatistic, usize>,
    },
    /// Pairs that are fresh, stale or parted as of one instant.
    OfOneInstant {
        /// How many are fresh.
        fresh: usize,
        /// How many are stale.
        stale: usize,
        /// How many are parted, measured or not.
        parted: usize,
        /// The first of them.
        first: (MeasuredPlace, MeasuredPlace),
    },
    /// Regions that no measured pair touches.
    UnmeasuredRegions {
        /// Which.
        regions: Vec<RegionKey>,
        /// Whether a fleet has nodes there.
        used: bool,
    },
    /// Pairs of regions of two providers, or of one, of which each has measurements, but not with the
    /// other, in neither direction.
    MissingPairs {
        /// The providers, in order.
        providers: (String, String),
        /// How many pairs are missing.
        pairs: usize,
        /// How many there are, if each is counted once.
        of: usize,
        /// The first of them.
        first: (RegionKey, RegionKey),
        /// Whether a fleet has nodes there.
        used: bool,
    },
    /// Pairs of which only one direction was measured.
    OneWay {
        /// How many.
        pairs: usize,
        /// The first of them, in the direction that was measured.
        first: (MeasuredPlace, MeasuredPlace),
    },
}

impl LatencyFinding {
    /// How bad it is.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::Impossible { .. } => Level::Error,
            // Nobody publishes what lies between clouds, so that is told and is no fault of the file.
            Self::MissingPairs {
                providers,
                pairs,
                of,
                used: false,
                ..
            } if pairs == of && providers.0 != providers.1 => Level::Note,
            Self::MeanAboveTail { .. }
            | Self::Asymmetric { .. }
            | Self::Old(_)
            | Self::InTheFuture(_)
            | Self::Undated(_)
            | Self::MixedStatistics { .. }
            | Self::UnmeasuredRegions { used: true, .. }
            | Self::MissingPairs { .. } => Level::Warning,
            Self::OfOneInstant { .. } | Self::UnmeasuredRegions { .. } | Self::OneWay { .. } => Level::Note,
        }
    }

    /// The pair to look at; `None` where it is about a pair that is not there, or about all.
    #[must_use]
    pub fn pair(&self) -> Option<(&MeasuredPlace, &MeasuredPlace)> {
        match self {
            Self::Impossible { from, to, .. }
            | Self::MeanAboveTail { from, to, .. }
            | Self::Asymmetric { from, to, .. } => Some((from, to)),
            Self::Old(alike) | Self::InTheFuture(alike) | Self::Undated(alike) => {
                Some((&alike.first.0, &alike.first.1))
            }
            Self::OfOneInstant { first, .. } | Self::OneWay { first, .. } => Some((&first.0, &first.1)),
            Self::MixedStatistics { .. } | Self::UnmeasuredRegions { .. } | Self::MissingPairs { .. } => None,
        }
    }
}

/// How far the two directions of pairs differ.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Asymmetry {
    /// Pairs that were measured both ways.
    pub pairs: usize,
    /// The mean difference in milliseconds; 0 where there is none.
    pub mean_ms: f64,
    /// The largest difference in milliseconds, and the slower direction of its pair.
    pub largest: Option<(f64, MeasuredPlace, MeasuredPlace)>,
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq)]
pub struct Audit {
    /// The findings: those of single pairs in the order of pairs, then those of many.
    pub findings: Vec<LatencyFinding>,
    /// How far the two directions of pairs differ.
    pub asymmetry: Asymmetry,
}

/// Makes every check.
#[must_use]
pub fn audit(audited: &Audited<'_>) -> Audit {
    let mut findings = Vec::new();
    for (from, to, measurement) in audited.measurements.iter() {
        findings.extend(audited.impossible(from, to, measurement));
        findings.extend(mean_above_tail(from, to, measurement));
    }
    let asymmetry = audited.asymmetry(&mut findings);
    findings.extend(audited.ages());
    findings.extend(audited.mixed_statistics());
    findings.extend(audited.missing());
    findings.extend(audited.of_one_instant());
    Audit { findings, asymmetry }
}

fn mean_above_tail(from: &MeasuredPlace, to: &MeasuredPlace, it: &Measurement) -> Option<LatencyFinding> {
    let p95 = it.p95.filter(|p95| *p95 < it.rtt)?;
    (it.statistic == Some(MeasuredStatistic::Mean)).then(|| LatencyFinding::MeanAboveTail {
        from: from.clone(),
        to: to.clone(),
        mean: it.rtt,
        p95,
    })
}

impl Audited<'_> {
    fn impossible(
        &self,
        from: &MeasuredPlace,
        to: &MeasuredPlace,
        measurement: &Measurement,
    ) -> Option<LatencyFinding> {
        let start = self.coordinates.get(&from.region)?;
        let km = start.distance_km(*self.coordinates.get(&to.region)?);
        let least_ms = least_possible_ms(km);
        (measurement.rtt.as_ms() < least_ms).then(|| LatencyFinding::Impossible {
            from: from.clone(),
            to: to.clone(),
            rtt: measurement.rtt,
            least_ms,
            km,
        })
    }

    fn asymmetry(&self, findings: &mut Vec<LatencyFinding>) -> Asymmetry {
        let mut found = Asymmetry::default();
        let mut sum_ms = 0.0;
        for (from, to, there) in self.measurements.iter().filter(|(from, to, _)| from < to) {
            let Some(back) = self.measurements.get(to, from) else {
                continue;
            };
            let (from, to, there, back) = if there.rtt < back.rtt {
                (to, from, back.rtt, there.rtt)
            } else {
                (from, to, there.rtt, back.rtt)
            };
            let difference_ms = there.as_ms() - back.as_ms();
            found.pairs += 1;
            sum_ms += difference_ms;
            if found
                .largest
                .as_ref()
                .is_none_or(|(largest_ms, ..)| difference_ms > *largest_ms)
            {
                found.largest = Some((difference_ms, from.clone(), to.clone()));
            }
            let limit_ms = f64::max(
                self.limits.asymmetry_ms,
                self.limits.asymmetry_ratio * back.as_ms(),
            );
            if difference_ms > limit_ms {
                findings.push(LatencyFinding::Asymmetric {
                    from: from.clone(),
                    to: to.clone(),
                    there,
                    back,
                });
            }
        }
        if found.pairs > 0 {
            found.mean_ms = sum_ms / found.pairs as f64;
        }
        found
    }

    /// One finding for each source, because a source ages as a whole.
    fn ages(&self) -> Vec<LatencyFinding> {
        let mut old = BySource::default();
        let mut future = BySource::default();
        let mut undated = BySource::default();
        for (from, to, measurement) in self.measurements.iter() {
            let group = match measurement.measured_at {
                None => &mut undated,
                Some(date) if date > self.at => &mut future,
                Some(date) if self.at.duration_since(date) > self.limits.old_after => &mut old,
                Some(_) => continue,
            };
            group.add(from, to, measurement);
        }
        let old = old.groups.into_values().map(LatencyFinding::Old);
        let future = future.groups.into_values().map(LatencyFinding::InTheFuture);
        let undated = undated.groups.into_values().map(LatencyFinding::Undated);
        old.chain(future).chain(undated).collect()
    }

    fn of_one_instant(&self) -> Option<LatencyFinding> {
        let (mut fresh, mut stale, mut parted, mut first) = (0, 0, 0, None);
        for (from, to, measurement, is_parted) in self.measurements.known() {
            match measurement.map(|it| it.freshness) {
                Some(Freshness::Fresh) => fresh += 1,
                Some(Freshness::Stale) => stale += 1,
                Some(Freshness::Dated) | None if is_parted => {}
                Some(Freshness::Dated) | None => continue,
            }
            parted += usize::from(is_parted);
            first.get_or_insert((from, to));
        }
        first.map(|(from, to)| LatencyFinding::OfOneInstant {
            fresh,
            stale,
            parted,
            first: (from.clone(), to.clone()),
        })
    }

    fn mixed_statistics(&self) -> Option<LatencyFinding> {
        let mut statistics: BTreeMap<MeasuredStatistic, usize> = BTreeMap::new();
        for (_, _, measurement) in self.measurements.iter() {
            let statistic = measurement.statistic.unwrap_or(MeasuredStatistic::P50);
            *statistics.entry(statistic).or_default() += 1;
        }
        (statistics.len() > 1).then_some(LatencyFinding::MixedStatistics { statistics })
    }
}

/// Pairs by their source.
#[derive(Debug, Default)]
struct BySource {
    groups: BTreeMap<Option<Arc<str>>, PairsAlike>,
}

impl BySource {
    fn add(&mut self, from: &MeasuredPlace, to: &MeasuredPlace, measurement: &Measurement) {
        let source = measurement.source.clone();
        let group = self.groups.entry(source.clone()).or_insert_with(|| PairsAlike {
            source,
            pairs: 0,
            first: (from.clone(), to.clone()),
            dates: None,
        });
        group.pairs += 1;
        if let Some(date) = measurement.measured_at {
            let (earliest, latest) = group.dates.unwrap_or((date, date));
            group.dates = Some((earliest.min(date), latest.max(date)));
        }
    }
}
