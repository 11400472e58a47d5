//! `diff` against brute force: whatever pod the engine newly permits or newly refuses, the comparison of the
//! sets tells.

use std::collections::BTreeSet;

use domicile::policy::{Difference, PolicySet, difference};

use super::choices::{Choices, hold_for, wanted_cases};
use super::generate::{self, Kinds};
use super::world::*;
use super::written::{self, Engine, Judged, documents, judge, load_documents, timestamp, ways};

/// How many pods and instants each pair of sets is tried with.
const PODS_PER_PAIR: usize = 40;

fn loaded(set: &Set) -> Option<PolicySet> {
    let text = documents(set).join("\n---\n");
    PolicySet::load([("set.yaml", text.as_str())])
        .ok()
        .map(|loaded| loaded.set)
}

/// Changes one thing. Parts of another world may name groups that this one lacks; such a set does not load.
fn edit(choices: &mut Choices, set: &mut Set) -> bool {
    let other = generate::set(choices);
    let groups = set.groups.len();
    let policies = set.policies.len();
    match choices.below(17) {
        0 => set.uncovered_is_allowed = !set.uncovered_is_allowed,
        1 => set.unlabelled = other.unlabelled,
        2 => {
            set.exempt = if set.exempt.len() == 1 {
                vec!["sys", "n0"]
            } else {
                vec![]
            }
        }
        3 => set.observe = !set.observe,
        4 => {
            let index = choices.below(groups);
            set.groups[index].members = other.groups[0].members.clone();
        }
        5 => {
            set.regions[0] = Region {
                zone: set.regions[0].zone.clone(),
                ..other.regions[0].clone()
            }
        }
        6 => {
            set.regions.pop();
        }
        7 => set.data_sets = other.data_sets,
        8 => set
            .policies
            .push(generate::policy(choices, "z", groups, Kinds::Any)),
        9 => set.max_fact_age = generate::max_fact_age(choices),
        15 => set.links = generate::links(choices, &set.regions),
        16 if set.links.is_empty() => return false,
        16 => set.links[0].countries = vec!["NO"],
        // What follows needs a policy.
        _ if policies == 0 => return false,
        10 => {
            let index = choices.below(policies);
            set.policies.remove(index);
        }
        kind => {
            let index = choices.below(policies);
            let policy = &mut set.policies[index];
            let new = generate::policy(choices, policy.name, groups, Kinds::Any);
            match kind {
                11 => policy.mode = new.mode,
                12 => policy.blocks = new.blocks,
                13 => policy.rules = new.rules,
                _ => {
                    policy.effective_from = new.effective_from;
                    policy.enforce_from = new.enforce_from;
                }
            }
        }
    }
    true
}

fn compared(old: &PolicySet, new: &PolicySet, hours: i64) -> Difference {
    difference(old, new, timestamp(hours)).unwrap()
}

/// A node that says the provider of its region: without one, what it means depends on which others there are.
fn labels_with_provider(old: &Set, new: &Set) -> Vec<Labels> {
    let mut all = labels(old);
    all.extend(labels(new));
    all.retain(|labels| labels.provider.is_some() || labels.region.is_none());
    all
}

/// Something that an enforced rule took away of the way to a data set, and that none does any more.
fn opened(old: (&PolicySet, &Judged), new: (&PolicySet, &Judged)) -> Option<String> {
    let refused = |(set, judged): (&PolicySet, &Judged)| -> BTreeSet<String> {
        let lines = ways(set, judged);
        let enforced = lines.iter().filter_map(|line| line.split_once(" enforce "));
        enforced.map(|(_, taken)| taken.to_owned()).collect()
    };
    let (before, after) = (refused(old), refused(new));
    before.difference(&after).next().cloned()
}

#[test]
fn whatever_pod_is_newly_permitted_or_refused_is_told() {
    hold_for(wanted_cases() / 4, |choices| {
        let world = generate::set(choices);
        let mut edited = world.clone();
        if !edit(choices, &mut edited) {
            return Ok(0);
        }
        let (Some(old), Some(new)) = (loaded(&world), loaded(&edited)) else {
            return Ok(0);
        };
        let since = generate::instant(choices);
        let told = compared(&old, &new, since);
        let nodes = labels_with_provider(&world, &edited);
        let (old, new) = (Engine::new(old, &nodes), Engine::new(new, &nodes));
        for _ in 0..PODS_PER_PAIR {
            let objects = generate::objects(choices);
            let pod = generate::pod(choices);
            let now = generate::instant(choices);
            if now < since {
                continue;
            }
            let fleet = written::fleet(&objects);
            let before = judge(&old.set, &fleet, &pod, now);
            let after = judge(&new.set, &fleet, &pod, now);
            if let Some(opened) = opened((&old.set, &before), (&new.set, &after))
                && !told.widens()
            {
                return Err(format!(
                    "opened and not told: {opened}: {pod:#?} {objects:#?} now {now} since {since}\n{world:#?}\n{edited:#?}\n{told:#?}"
                ));
            }
            for (node, labels) in nodes.iter().enumerate() {
                let was = old.permits(&before.verdict, node);
                let is = new.permits(&after.verdict, node);
                let context = || {
                    format!(
                        "{labels:?} {pod:#?} {objects:#?} now {now} since {since}\n{world:#?}\n{edited:#?}\n{told:#?}"
                    )
                };
                if is && !was && !told.widens() {
                    return Err(format!("newly permitted and not told: {}", context()));
                }
                let tells_refusal =
                    !told.refused.is_empty() || told.settings.iter().any(|change| !change.widens);
                if was && !is && !tells_refusal {
                    return Err(format!("newly refused and not told: {}", context()));
                }
            }
        }
        Ok(PODS_PER_PAIR)
    });
}

#[test]
fn another_order_is_no_change_of_meaning() {
    hold_for(wanted_cases() / 4, |choices| {
        let world = generate::set(choices);
        let mut shuffled = documents(&world);
        choices.shuffle(&mut shuffled);
        let mut reordered = world.clone();
        for policy in &mut reordered.policies {
            choices.shuffle(&mut policy.blocks);
            choices.shuffle(&mut policy.rules);
        }
        for group in &mut reordered.groups {
            choices.shuffle(&mut group.members);
        }
        let old = written::load(&world);
        for new in [load_documents(&shuffled), written::load(&reordered)] {
            let told = compared(&old, &new, generate::instant(choices));
            if !told.is_empty() {
                return Err(format!("{told:#?}\n{world:#?}"));
            }
        }
        Ok(2)
    });
}
