//! Regions and zones for nodes that do not say where they are.

use super::draw::{Draw, Purpose, apportion};
use super::rules::SynthesisRules;
use crate::simulation::trace::{Event, REGION_LABEL, TraceNode, What};

/// Gives a region and a zone to every node that has none: each region as many as its share, by chance which.
pub(super) fn place_nodes(events: &mut [Event], rules: &SynthesisRules, seed: u64) {
    let unplaced = events.iter_mut().filter_map(|event| match &mut event.what {
        What::NodeAdd(node) if !says_where_it_is(node) => Some(node),
        _ => None,
    });
    let mut unplaced: Vec<_> = unplaced.collect();
    let shares: Vec<u64> = rules.regions.iter().map(|share| u64::from(share.share)).collect();
    let mut places = Vec::with_capacity(unplaced.len());
    for (region, count) in rules
        .regions
        .iter()
        .zip(apportion(unplaced.len() as u64, &shares))
    {
        let zones = (0..region.zones).cycle().zip(0..count);
        places.extend(zones.map(|(zone, _)| (&region.region, region.zone(zone))));
    }
    Draw::new(seed, Purpose::Places).shuffle(&mut places);
    for (node, (region, zone)) in unplaced.iter_mut().zip(places) {
        node.place(region, Some(&zone));
    }
}

fn says_where_it_is(node: &TraceNode) -> bool {
    node.provider_id.is_some() || node.spec.labels.contains_key(REGION_LABEL)
}
