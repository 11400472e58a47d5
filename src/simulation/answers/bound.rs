//! What no placement could better: a lower bound on what accesses cost.
//!
//! Inputs: where pods ended, what an access costs each kind in each permitted region, the room of regions. Outputs: the bound
//! and how far above it the outcome is. Invariants: the bound is never above what a placement of these pods costs that obeys
//! the policies: pods may be split, a region is one node, room is counted in one resource at a time and the better bound
//! taken, and quotients are rounded down. Pods that call others, whose cost moves with them, stay where they are.

use std::collections::BTreeMap;

use super::comparators::whole;
use crate::simulation::drive::{Cost, Outcome, Roster};
use crate::simulation::kube::spec::PodSpec;
use crate::simulation::summary::{BoundedBy, LowerBound, RegionUse};
use crate::simulation::transport::{Group, least_cost};

/// Costs of a unit are kept in so many parts of a microsecond.
const PARTS: i64 = 1_000_000;

/// A pod that could be elsewhere.
struct Movable<'a> {
    spec: &'a PodSpec,
    kind: usize,
    region: &'a str,
    us: u64,
}

/// The bound on an outcome; `None` where no pod could be elsewhere.
pub fn lower_bound(roster: &Roster<'_>, outcome: &Outcome) -> Option<LowerBound> {
    let made = outcome.lives.iter().zip(&roster.pods);
    let here = made.filter(|(life, _)| life.ended_ms.is_none());
    let movable = here.filter_map(|(life, made)| {
        let region = outcome.region(life)?;
        outcome.kinds.get(made.kind)?.costs.get(region)?;
        let us = match life.cost {
            Cost::NotDemanded => 0,
            Cost::Known { us, .. } => us,
            Cost::Unknown => return None,
        };
        Some(Movable {
            spec: &made.pod.spec,
            kind: made.kind,
            region,
            us,
        })
    });
    let movable: Vec<Movable<'_>> = movable.collect();
    let asking = movable.iter().filter(|pod| pod.us > 0).count();
    if asking == 0 {
        return None;
    }
    let actual: u64 = movable.iter().map(|pod| pod.us).sum();
    let bounds = [
        (BoundedBy::Distance, least_us(outcome, &movable, |_| 0, |_| 0)),
        (
            BoundedBy::Cpu,
            least_us(outcome, &movable, cpu_milli, |region| {
                region.cpu_milli.saturating_sub(region.cpu_asked_milli)
            }),
        ),
        (
            BoundedBy::Memory,
            least_us(outcome, &movable, memory_mebi, |region| {
                region.memory_mebi.saturating_sub(region.memory_asked_mebi)
            }),
        ),
    ];
    let bounds = bounds.into_iter().filter_map(|(by, least)| Some((least?, by)));
    // Of equals the simplest.
    let (least, by) = bounds.rev().max_by_key(|(least, _)| *least)?;
    let pods = movable.len() as u64;
    let above = actual.saturating_sub(least);
    Some(LowerBound {
        pods,
        mean_us: whole(actual / pods)?,
        bound_mean_us: whole(least / pods)?,
        gap_permille: (above * 1_000).checked_div(least),
        by,
    })
}

fn cpu_milli(spec: &PodSpec) -> u64 {
    let cpu = spec.requests.get("cpu").copied().unwrap_or_default();
    u64::try_from(cpu.milli_value()).unwrap_or(0)
}

fn memory_mebi(spec: &PodSpec) -> u64 {
    let memory = spec.requests.get("memory").copied().unwrap_or_default();
    u64::try_from(memory.value()).unwrap_or(0) >> 20
}

/// The least that pods can cost together where only the room of one resource limits them: what they ask for, and what is
/// left of a region beside them and all others.
fn least_us(
    outcome: &Outcome,
    movable: &[Movable<'_>],
    asked: impl Fn(&PodSpec) -> u64,
    left: impl Fn(&RegionUse) -> u64,
) -> Option<u64> {
    let regions: BTreeMap<&str, usize> = outcome
        .regions
        .iter()
        .map(|region| region.region.as_str())
        .zip(0..)
        .collect();
    let mut room: Vec<u64> = outcome.regions.iter().map(left).collect();
    let (mut free_us, mut groups) = (0, BTreeMap::<(usize, u64), u64>::new());
    for pod in movable {
        let costs = &outcome.kinds.get(pod.kind)?.costs;
        let asked = asked(pod.spec);
        if asked == 0 {
            free_us += costs.values().min().copied()?;
            continue;
        }
        *room.get_mut(*regions.get(pod.region)?)? += asked;
        *groups.entry((pod.kind, asked)).or_default() += asked;
    }
    let groups: Option<Vec<Group>> = groups
        .into_iter()
        .map(|((kind, asked), amount)| {
            let costs = &outcome.kinds.get(kind)?.costs;
            let unit = |region: &RegionUse| {
                let us = whole(*costs.get(&region.region)?)?;
                us.checked_mul(PARTS)?.checked_div(whole(asked)?)
            };
            let costs = outcome.regions.iter().map(unit).collect();
            Some(Group { amount, costs })
        })
        .collect();
    let parts = least_cost(&groups?, &room)?;
    Some(free_us + u64::try_from(parts / i128::from(PARTS)).ok()?)
}
