//! Figures over several seeds, with intervals.

use std::collections::BTreeMap;

use super::comparators::{comparator_summary, distribution, rising};
use super::cost::{added_us, is_without_node};
use crate::simulation::comparator::Comparator;
use crate::simulation::drive::Outcome;
use crate::simulation::percentiles::t_interval;
use crate::simulation::summary::{ComparatorSummary, Distribution, Interval, SeedFigures, SeedIntervals};

/// How sure the intervals are.
const CONFIDENCE_PERCENT: u32 = 95;

/// The figures of one seed.
#[derive(Debug, Clone, Default)]
pub struct SeedRun {
    /// The seed.
    pub seed: u64,
    /// Comparators that came to their end.
    pub done: u64,
    /// By comparator, in the order of the run file.
    comparators: Vec<(String, BTreeMap<&'static str, f64>)>,
    cost: BTreeMap<&'static str, f64>,
}

/// The figures of a seed.
#[must_use]
pub fn seed_run(seed: u64, outcomes: &[(Comparator, Option<Outcome>)]) -> SeedRun {
    let finished = outcomes.iter().filter_map(|(comparator, outcome)| {
        let outcome = outcome.as_ref().filter(|outcome| outcome.complete)?;
        Some((comparator, outcome))
    });
    let comparators: Vec<(String, BTreeMap<&'static str, f64>)> = finished
        .clone()
        .map(|(comparator, outcome)| (comparator.id(), figures(&comparator_summary(comparator, outcome))))
        .collect();
    let of = |wanted: Comparator| finished.clone().find(|(comparator, _)| **comparator == wanted);
    let mut cost = BTreeMap::new();
    if let (Some((_, with)), Some((_, without))) = (of(Comparator::Domicile), of(Comparator::ResidencyOff)) {
        let pairs = || {
            with.lives
                .iter()
                .zip(&without.lives)
                .filter(|(with, _)| with.counts())
        };
        let added = pairs().filter_map(|(with, without)| added_us(without, with));
        add(&mut cost, ADDED, &distribution(&rising(added)));
        let unplaceable =
            pairs().filter(|(with, without)| is_without_node(with) && !is_without_node(without));
        cost.insert("unplaceable", unplaceable.count() as f64);
    }
    SeedRun {
        seed,
        done: comparators.len() as u64,
        comparators,
        cost,
    }
}

/// The names of the figures of a distribution.
type Names = [&'static str; 4];

const ADDED: Names = ["added.meanUs", "added.p50Us", "added.p95Us", "added.p99Us"];
const LATENCY: Names = [
    "latency.known.meanUs",
    "latency.known.p50Us",
    "latency.known.p95Us",
    "latency.known.p99Us",
];
const GAP: Names = ["gap.meanUs", "gap.p50Us", "gap.p95Us", "gap.p99Us"];

fn add(figures: &mut BTreeMap<&'static str, f64>, names: Names, of: &Distribution) {
    let values = [of.mean_us, of.p50_us, of.p95_us, of.p99_us];
    for (name, value) in names.into_iter().zip(values) {
        if let Some(value) = value {
            figures.insert(name, value as f64);
        }
    }
}

fn figures(summary: &ComparatorSummary) -> BTreeMap<&'static str, f64> {
    let counts = [
        ("placed", summary.placed),
        ("unschedulable.total", summary.unschedulable.total),
        ("unschedulable.residency", summary.unschedulable.residency),
        (
            "unschedulable.samplingBlind",
            summary.unschedulable.sampling_blind,
        ),
        ("violations", summary.violations),
        ("attempts.total", summary.attempts.total),
        ("attempts.blind", summary.attempts.blind),
    ];
    let mut figures: BTreeMap<&'static str, f64> = counts
        .into_iter()
        .map(|(name, count)| (name, count as f64))
        .collect();
    add(&mut figures, LATENCY, &summary.latency.known);
    add(&mut figures, GAP, &summary.gap);
    figures
}

/// The intervals over the seeds; `None` for fewer than two.
pub fn intervals(runs: &[SeedRun]) -> Option<SeedIntervals> {
    let first = runs.first().filter(|_| runs.len() > 1)?;
    let over = |of: &dyn Fn(&SeedRun) -> Option<&BTreeMap<&'static str, f64>>| {
        let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for (name, value) in runs.iter().filter_map(of).flatten() {
            values.entry((*name).to_owned()).or_default().push(*value);
        }
        let figures = values
            .into_iter()
            .filter_map(|(name, values)| Some((name, interval(&values)?)));
        figures.collect::<BTreeMap<String, Interval>>()
    };
    let comparators = first.comparators.iter().map(|(id, _)| SeedFigures {
        id: id.clone(),
        figures: over(&|run| {
            let found = run.comparators.iter().find(|(each, _)| each == id);
            found.map(|(_, figures)| figures)
        }),
    });
    Some(SeedIntervals {
        seeds: runs.iter().map(|run| run.seed).collect(),
        confidence_percent: CONFIDENCE_PERCENT,
        comparators: comparators.collect(),
        cost: over(&|run| Some(&run.cost)),
    })
}

fn interval(values: &[f64]) -> Option<Interval> {
    let (mean, half) = t_interval(values)?;
    let hundredths = |value: f64| (value * 100.0).round() / 100.0;
    Some(Interval {
        seeds: values.len() as u64,
        mean: hundredths(mean),
        low: hundredths(mean - half),
        high: hundredths(mean + half),
    })
}
