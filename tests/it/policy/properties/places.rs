//! What becomes of verdicts when less is known of places, or what is known is older.

use super::super::choices::{Choices, hold};
use super::super::generate;
use super::super::world::*;
use super::super::written::Engine;
use super::{PODS_PER_SET, case, change_of_set_never_widens};

/// Makes one fact unknown.
fn forget(choices: &mut Choices, facts: &mut Facts) -> bool {
    match choices.below(7) {
        0 => facts.operator.take().is_some(),
        1 => facts.certifications.take().is_some(),
        2 => facts.key_custody.take().is_some(),
        3 => facts.tenancy.take().is_some(),
        4 => {
            let operator = facts.operator.as_mut();
            operator.is_some_and(|operator| {
                operator.controlled_from.take().is_some()
                    | operator.admin_access_from.take().is_some()
                    | operator.legal_entity.take().is_some()
            })
        }
        5 => {
            let mut held = facts.certifications.iter_mut().flatten();
            held.any(|held| held.valid_until.take().is_some())
        }
        _ => {
            let mut held = facts.certifications.iter_mut().flatten();
            held.any(|held| held.level.take().is_some())
        }
    }
}

#[test]
fn a_place_fact_that_becomes_unknown_never_widens() {
    change_of_set_never_widens(
        |choices, set| {
            let index = choices.below(set.regions.len());
            match choices.below(5) {
                4 => {
                    let replicas = set
                        .data_sets
                        .iter_mut()
                        .flat_map(|data_set| &mut data_set.replicas);
                    let mut known: Vec<&mut Replica> = replicas.collect();
                    if known.is_empty() {
                        return false;
                    }
                    let which = choices.below(known.len());
                    known[which].region = "nowhere";
                    true
                }
                0 => {
                    let region = set.regions.remove(index);
                    let key = (region.provider, region.region);
                    set.links.retain(|link| !link.ends.contains(&key));
                    // A bare key may resolve once its namesake is gone: that is an edit of the catalogue.
                    set.regions.iter().all(|other| other.region != region.region)
                }
                1 => set.regions[index].subdivision.take().is_some(),
                _ => forget(choices, &mut set.regions[index].facts),
            }
        },
        |_| true,
    );
}

#[test]
fn older_facts_never_widen() {
    change_of_set_never_widens(
        |choices, set| {
            let index = choices.below(set.regions.len());
            set.regions[index].as_of -= choices.one(&[1, 30, 91, 400]);
            true
        },
        |_| true,
    );
}

#[test]
fn a_stricter_age_of_facts_never_widens() {
    change_of_set_never_widens(
        |choices, set| {
            let more = generate::max_fact_age(choices);
            for (classification, days) in more {
                let known = set
                    .max_fact_age
                    .iter_mut()
                    .find(|known| known.0 == classification);
                match known {
                    Some((_, most)) => *most = days.min(*most),
                    None => set.max_fact_age.push((classification, days)),
                }
            }
            true
        },
        |_| true,
    );
}

#[test]
fn asking_for_a_confirmed_region_never_widens() {
    change_of_set_never_widens(
        |choices, set| {
            let from = choices.one(&["internal", "confidential", "restricted", "public"]);
            let is_new = set.region_key == RegionKey::Topology;
            set.region_key = RegionKey::NodeRestriction(from);
            is_new
        },
        |_| true,
    );
}

#[test]
fn a_node_that_nothing_confirms_has_no_pod_that_a_confirmed_one_has_not() {
    hold(|choices| {
        let mut world = generate::set(choices);
        if !matches!(world.region_key, RegionKey::NodeRestriction(_)) {
            world.region_key = RegionKey::NodeRestriction("internal");
        }
        let labels = labels(&world);
        let engine = Engine::of(&world, &labels);
        let confirmed_as: Vec<(usize, usize)> = labels
            .iter()
            .enumerate()
            .filter(|(_, labels)| labels.restricted != labels.region && labels.region.is_some())
            .filter_map(|(node, unconfirmed)| {
                let wanted = Labels {
                    restricted: unconfirmed.region,
                    ..*unconfirmed
                };
                Some((node, labels.iter().position(|labels| *labels == wanted)?))
            })
            .collect();
        for _ in 0..PODS_PER_SET {
            let case = case(choices);
            let verdict = case.judge(&engine).verdict;
            for (unconfirmed, confirmed) in &confirmed_as {
                if engine.permits(&verdict, *unconfirmed) && !engine.permits(&verdict, *confirmed) {
                    let at = &labels[*unconfirmed];
                    return Err(format!(
                        "{at:?} is better than confirmed\n{}\n{world:#?}",
                        case.described()
                    ));
                }
            }
        }
        Ok(PODS_PER_SET)
    });
}
