//! One run: every comparator, further seeds, what single policies cost, the loss of each region.
//!
//! Inputs: a scenario, how many threads, whether to record attempts. Outputs: a [`Run`]. Invariants: what is
//! independent goes on several threads, and nothing of the result depends on how many; whoever stops the
//! run gets what there is by then. Deliberately absent: figures (`answers`).

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::answers::{SeedRun, seed_run};
use super::comparator::Comparator;
use super::drive::{
    Control, EndState, FailedRegion, Outcome, Roster, Setting, drive, drive_to_state, fail_region,
};
use super::run_file::{Attribution, Failures};
use super::scenario::Scenario;
use super::trace::Event;
use crate::model::RegionKey;

/// How to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// On how many threads at most.
    pub threads: usize,
    /// Whether every attempt of the first seed is recorded.
    pub records_decisions: bool,
}

/// A run as it came out.
#[derive(Debug)]
pub struct Run<'e> {
    /// The pods of the first seed.
    pub roster: &'e Roster<'e>,
    /// What happened under the first seed.
    pub events: &'e [Event],
    /// The comparators under the first seed, in the order of the run file; `None` where one never began.
    pub outcomes: Vec<(Comparator, Option<Outcome>)>,
    /// Runs in which one policy is only recorded, by its name.
    pub without: Vec<(String, Option<Outcome>)>,
    /// Each region, lost.
    pub failures: Vec<(RegionKey, FailedRegion)>,
    /// The figures of every seed, the first among them; empty where there is only one.
    pub seeds: Vec<SeedRun>,
    /// Runs of one comparator and one seed that came to their end.
    pub done: u64,
    /// How many there were to be, as far as known.
    pub planned: u64,
}

impl Run<'_> {
    /// The outcome of a comparator.
    #[must_use]
    pub fn outcome(&self, comparator: &Comparator) -> Option<&Outcome> {
        let found = self.outcomes.iter().find(|(each, _)| each == comparator);
        found.and_then(|(_, outcome)| outcome.as_ref())
    }

    /// Whether everything came to its end.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.done == self.planned
    }
}

/// How many events there are to be, for whoever shows how far a run is.
#[must_use]
pub fn planned_events(scenario: &Scenario) -> u64 {
    let events = scenario.first_events().len() as u64;
    events * scenario.run.comparators().len() as u64 * u64::from(scenario.run.seeds)
}

/// Runs, and hands the result to `then`, which borrows what was simulated.
///
/// # Errors
/// Where the checker cannot read a document.
pub fn simulate<T>(
    scenario: &Scenario,
    options: Options,
    control: &Control,
    then: impl FnOnce(&Run<'_>) -> T,
) -> Result<T, String> {
    let events = scenario.first_events();
    let roster = Roster::of(events);
    let pods = SeedPods {
        scenario,
        events,
        roster: &roster,
        seed: scenario.run.seed,
    };
    let comparators = scenario.run.comparators();
    let wants_end = |comparator: &Comparator| *comparator == Comparator::Domicile;
    let driven = on_threads(&comparators, options.threads, control, |comparator| {
        let setting = pods.setting(comparator, options.records_decisions);
        match wants_end(comparator) {
            true => drive_to_state(setting, control).map(|(outcome, end)| (outcome, Some(end))),
            false => drive(setting, control).map(|outcome| (outcome, None)),
        }
    });
    let mut end = None;
    let mut outcomes = Vec::with_capacity(comparators.len());
    for (comparator, driven) in comparators.iter().zip(driven) {
        let driven = driven.transpose()?.map(|(outcome, state)| {
            end = state.or(end.take());
            outcome
        });
        outcomes.push((comparator.clone(), driven));
    }
    let without = without_policies(scenario, &outcomes, options.threads, control, |comparator| {
        drive(pods.setting(comparator, false), control)
    })?;
    let failures = match (scenario.run.failures, &end) {
        (Some(Failures::EachRegion), Some(end)) => lose_regions(end, options.threads, control)?,
        _ => Vec::new(),
    };
    let first = |outcomes: &[(Comparator, Option<Outcome>)]| seed_run(scenario.run.seed, outcomes);
    let others: Vec<u64> = scenario.run.seeds().into_iter().skip(1).collect();
    let mut seeds = Vec::new();
    if !others.is_empty() {
        seeds.push(first(&outcomes));
        let runs = on_threads(&others, options.threads, control, |seed| {
            further_seed(scenario, *seed, control)
        });
        for run in runs.into_iter().flatten() {
            seeds.push(run?);
        }
    }
    let came_to_end = |outcome: Option<&Outcome>| u64::from(outcome.is_some_and(|outcome| outcome.complete));
    let of_first = outcomes
        .iter()
        .map(|(_, outcome)| came_to_end(outcome.as_ref()))
        .sum::<u64>();
    let of_policies = without
        .iter()
        .map(|(_, outcome)| came_to_end(outcome.as_ref()))
        .sum::<u64>();
    let of_seeds = seeds.iter().skip(1).map(|seed| seed.done).sum::<u64>();
    let planned = comparators.len() * (1 + others.len()) + without.len();
    let run = Run {
        roster: &roster,
        events,
        outcomes,
        without,
        failures,
        seeds,
        done: of_first + of_policies + of_seeds,
        planned: planned as u64,
    };
    Ok(then(&run))
}

/// What happens under a seed.
struct SeedPods<'a> {
    scenario: &'a Scenario,
    events: &'a [Event],
    roster: &'a Roster<'a>,
    seed: u64,
}

impl<'a> SeedPods<'a> {
    fn setting<'s>(&self, comparator: &'s Comparator, records_decisions: bool) -> Setting<'s>
    where
        'a: 's,
    {
        Setting {
            scenario: self.scenario,
            events: self.events,
            roster: self.roster,
            comparator,
            seed: self.seed,
            records_decisions,
        }
    }
}

/// Every comparator under a further seed.
fn further_seed(scenario: &Scenario, seed: u64, control: &Control) -> Result<SeedRun, String> {
    let events = scenario.further_events(seed)?;
    let roster = Roster::of(&events);
    let pods = SeedPods {
        scenario,
        events: &events,
        roster: &roster,
        seed,
    };
    let mut outcomes = Vec::new();
    for comparator in scenario.run.comparators() {
        let outcome = drive(pods.setting(&comparator, false), control)?;
        outcomes.push((comparator, Some(outcome)));
    }
    Ok(seed_run(seed, &outcomes))
}

/// A run without each policy that takes a node of the fleet from some pod.
fn without_policies(
    scenario: &Scenario,
    outcomes: &[(Comparator, Option<Outcome>)],
    threads: usize,
    control: &Control,
    drive: impl Fn(&Comparator) -> Result<Outcome, String> + Sync,
) -> Result<Vec<(String, Option<Outcome>)>, String> {
    if scenario.run.attribution != Some(Attribution::EachPolicy) {
        return Ok(Vec::new());
    }
    let product = outcomes
        .iter()
        .find(|(comparator, _)| *comparator == Comparator::Domicile);
    let kinds = product
        .and_then(|(_, outcome)| outcome.as_ref())
        .map(|outcome| outcome.kinds.iter());
    let policies: BTreeSet<String> = kinds
        .into_iter()
        .flatten()
        .flat_map(|kind| kind.binding_policies.iter().cloned())
        .collect();
    let policies: Vec<String> = policies.into_iter().collect();
    let driven = on_threads(&policies, threads, control, |policy| {
        drive(&Comparator::WithoutPolicy(policy.clone()))
    });
    policies
        .into_iter()
        .zip(driven)
        .map(|(policy, driven)| Ok((policy, driven.transpose()?)))
        .collect()
}

fn lose_regions(
    end: &EndState<'_>,
    threads: usize,
    control: &Control,
) -> Result<Vec<(RegionKey, FailedRegion)>, String> {
    let regions = end.regions();
    let failed = on_threads(&regions, threads, control, |region| {
        fail_region(end, region, control)
    });
    let failed = regions.into_iter().zip(failed);
    let failed =
        failed.filter_map(|(region, failed)| failed.map(|failed| failed.map(|failed| (region, failed))));
    failed.collect()
}

/// Does jobs on several threads; the results are in the order of the jobs, `None` for those that did not begin before
/// somebody stopped the run.
fn on_threads<'j, J: Sync, R: Send>(
    jobs: &'j [J],
    threads: usize,
    control: &Control,
    job: impl Fn(&'j J) -> R + Sync,
) -> Vec<Option<R>> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<R>>> = Mutex::new(jobs.iter().map(|_| None).collect());
    let work = || {
        while !control.stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(one) = jobs.get(index) else { break };
            let result = job(one);
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(slot) = results.get_mut(index) {
                *slot = Some(result);
            }
        }
    };
    std::thread::scope(|scope| {
        // This thread works too.
        for _ in 1..threads.clamp(1, jobs.len().max(1)) {
            scope.spawn(work);
        }
        work();
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_jobs_on_any_number_of_threads() {
        let control = Control::default();
        let jobs: Vec<u64> = (0..100).collect();
        for threads in [0, 1, 3, 200] {
            let results = on_threads(&jobs, threads, &control, |job| job * 2);
            let expected: Vec<Option<u64>> = jobs.iter().map(|job| Some(job * 2)).collect();
            assert_eq!(results, expected);
        }
        control.stop.store(true, Ordering::Relaxed);
        assert_eq!(on_threads(&jobs, 2, &control, |job| *job), vec![None; 100]);
    }
}
