//! What the loss of each region would do.

use std::collections::BTreeSet;

use super::comparators::{distribution, rising, unschedulable, whole};
use crate::model::RegionKey;
use crate::simulation::drive::{FailedRegion, Outcome, Roster};
use crate::simulation::summary::RegionFailure;

/// Sums up the losses, in the order of regions.
pub fn failures(
    roster: &Roster<'_>,
    outcome: &Outcome,
    failed: &[(RegionKey, FailedRegion)],
) -> Vec<RegionFailure> {
    let of_region = |(region, failed): &(RegionKey, FailedRegion)| {
        let stranded = failed.pods.iter().filter(|(_, came_to)| came_to.is_err());
        let workload = |pod: usize| {
            let made = roster.pods.get(pod)?;
            Some(roster.kinds.get(made.kind)?.workload.clone())
        };
        let workloads: BTreeSet<String> = stranded.filter_map(|(pod, _)| workload(*pod)).collect();
        let added = failed.pods.iter().filter_map(|(pod, came_to)| {
            let after = whole(came_to.ok().flatten()?)?;
            let before = whole(outcome.lives.get(*pod)?.cost.us()?)?;
            Some(after - before)
        });
        RegionFailure {
            region: region.to_string(),
            pods: failed.pods.len() as u64,
            placed_elsewhere: failed.pods.values().filter(|came_to| came_to.is_ok()).count() as u64,
            stranded: unschedulable(failed.pods.values().filter_map(|came_to| came_to.err())),
            stranded_workloads: workloads.into_iter().collect(),
            added: distribution(&rising(added)),
            cut_off: failed.cut_off,
            data_sets_without_region: failed.data_sets_without_region.clone(),
            data_sets_lost: failed.data_sets_lost.clone(),
        }
    };
    failed.iter().map(of_region).collect()
}
