//! What becomes of a verdict when more, or less, is said about the data of a pod.

use std::collections::BTreeSet;

use domicile::model::{DataTuple, Dimension as Known, Tuple};
use domicile::policy::{
    Activity, ActivitySet, Cause, Mode, PassedUncovered, Profile, Source, SourcedTuple, evaluate, reach,
};

use super::super::choices::{Choices, hold};
use super::super::generate::{self, Dimension};
use super::super::world::*;
use super::super::written::{Engine, timestamp};
use super::{PODS_PER_SET, case, change_never_widens, change_of_set_never_widens, never_wider};

fn add_to(choices: &mut Choices, stated: &mut Stated) -> bool {
    let (list, dimension) = match choices.below(3) {
        0 => (&mut stated.classifications, Dimension::Classification),
        1 => (&mut stated.categories, Dimension::Category),
        _ => (&mut stated.subjects, Dimension::Subject),
    };
    let Some(list) = list else {
        return false;
    };
    let word = generate::another_word(choices, list, dimension);
    list.extend(word);
    word.is_some()
}

#[test]
fn adding_a_value_to_a_stated_list_never_widens() {
    change_never_widens(|choices, case| {
        let source = choices.below(6);
        let objects = &mut case.objects;
        match source {
            0 => add_to(choices, &mut case.pod.says.stated),
            1 => objects
                .namespaces
                .iter_mut()
                .flatten()
                .fold(false, |added, namespace| match &mut namespace.says {
                    NamespaceSays::Profile(stated) => add_to(choices, stated) || added,
                    _ => added,
                }),
            2 => objects
                .storage_classes
                .iter_mut()
                .flatten()
                .any(|class| add_to(choices, &mut class.says.stated)),
            3 => objects
                .volumes
                .iter_mut()
                .flatten()
                .any(|volume| add_to(choices, &mut volume.says.stated)),
            4 => objects
                .claims
                .iter_mut()
                .flatten()
                .any(|claim| add_to(choices, &mut claim.says.stated)),
            _ => match case
                .pod
                .mounts
                .first_mut()
                .and_then(|mount| mount.template.as_mut())
            {
                Some(template) => add_to(choices, &mut template.says.stated),
                None => false,
            },
        }
    });
}

#[test]
fn adding_a_value_to_a_list_of_a_data_set_never_widens() {
    change_of_set_never_widens(
        |choices, set| {
            set.data_sets.iter_mut().fold(false, |added, data_set| {
                let word = if choices.below(2) == 0 {
                    let word = generate::another_word(choices, &data_set.categories, Dimension::Category);
                    data_set.categories.extend(word);
                    word
                } else {
                    let word = generate::another_word(choices, &data_set.subjects, Dimension::Subject);
                    data_set.subjects.extend(word);
                    word
                };
                added || word.is_some()
            })
        },
        |_| true,
    );
}

#[test]
fn the_first_annotation_of_a_pod_or_a_claim_never_widens() {
    change_never_widens(|choices, case| {
        let stated = generate::stated_by_workload(choices);
        if stated.is_empty() {
            return false;
        }
        if choices.below(2) == 0 {
            let is_first = case.pod.says.stated.is_empty();
            if is_first {
                case.pod.says.stated = stated;
            }
            return is_first;
        }
        let claims = case.objects.claims.iter_mut().flatten();
        let mut unsaid = claims.filter(|claim| claim.says.stated.is_empty());
        match unsaid.next() {
            Some(claim) => {
                claim.says.stated = stated;
                true
            }
            None => false,
        }
    });
}

#[test]
fn adding_a_source_never_widens() {
    change_never_widens(|choices, case| match choices.below(4) {
        0 => {
            let mount = generate::mount(choices);
            let is_new = case.pod.mounts.iter().all(|known| known.claim != mount.claim);
            if is_new {
                case.pod.mounts.push(mount);
            }
            is_new
        }
        1 => {
            let name = choices.one(&generate::DATA_SETS);
            // The pod may name it already: what either naming may do, the pod may do.
            case.pod
                .says
                .data_sets
                .push(generate::data_set_use(choices, name));
            true
        }
        2 => {
            let stated = generate::stated(choices);
            let classes = case.objects.storage_classes.iter_mut().flatten();
            let mut unsaid = classes.filter(|class| class.says.stated.is_empty());
            match unsaid.next() {
                Some(class) if !stated.is_empty() => {
                    class.says.stated = stated;
                    true
                }
                _ => false,
            }
        }
        _ => {
            let stated = generate::stated(choices);
            let volumes = case.objects.volumes.iter_mut().flatten();
            let mut unsaid = volumes.filter(|volume| volume.says.stated.is_empty());
            match unsaid.next() {
                Some(volume) if !stated.is_empty() => {
                    volume.says.stated = stated;
                    true
                }
                _ => false,
            }
        }
    });
}

#[test]
fn a_claim_or_volume_that_becomes_unknown_never_widens() {
    change_never_widens(|choices, case| {
        let mounted = case.pod.mounts.first().map(|mount| mount.claim);
        if choices.below(2) == 0 {
            let Some(claims) = &mut case.objects.claims else {
                return false;
            };
            // A claim that is made from a template may legitimately not be there yet.
            if case.pod.mounts.iter().any(|mount| mount.template.is_some()) {
                return false;
            }
            let before = claims.len();
            claims.retain(|claim| Some(claim.name) != mounted);
            claims.len() < before
        } else {
            let Some(volumes) = &mut case.objects.volumes else {
                return false;
            };
            volumes.remove(choices.below(volumes.len()));
            true
        }
    });
}

#[test]
fn a_data_set_that_becomes_undeclared_never_widens() {
    change_of_set_never_widens(
        |choices, set| {
            set.data_sets.remove(choices.below(2));
            true
        },
        |_| true,
    );
}

/// Forgets one dimension of what one source says.
fn forget(choices: &mut Choices, tuple: &mut DataTuple) -> bool {
    let before = tuple.clone();
    match choices.below(3) {
        0 => tuple.classification = None,
        1 => tuple.category = Known::Missing,
        _ => tuple.subject = Known::Missing,
    }
    *tuple != before
}

/// Neither a rule nor an exception helps data of which less is known.
#[test]
fn data_of_which_less_is_known_never_has_more_places() {
    hold(|choices| {
        let world = generate::set(choices);
        let labels = labels(&world);
        let engine = Engine::of(&world, &labels);
        let mut tried = 0;
        for _ in 0..PODS_PER_SET {
            let case = case(choices);
            let judged = case.judge(&engine);
            let mut profile = judged.profile.clone();
            let said = profile
                .tuples
                .iter_mut()
                .filter_map(|sourced| match &mut sourced.tuple {
                    Tuple::Data(tuple) => Some(tuple),
                    Tuple::Unlabelled | Tuple::NoData => None,
                });
            let mut said: Vec<&mut DataTuple> = said.collect();
            if said.is_empty() {
                continue;
            }
            let which = choices.below(said.len());
            if !forget(choices, said[which]) {
                continue;
            }
            let after = evaluate(&engine.set, &profile, timestamp(case.now));
            never_wider(
                (&world, &labels),
                (&engine, &judged.verdict),
                (&engine, &after),
                || format!("{}\n{profile:#?}", case.described()),
            )?;
            tried += 1;
        }
        Ok(tried)
    });
}

/// A pod that has nothing but one tuple from its own source.
fn alone(profile: &Profile, sourced: &SourcedTuple) -> Profile {
    let mut single = Profile {
        tuples: vec![sourced.clone()],
        namespace_labels: Some(std::collections::BTreeMap::new()),
        performs: profile.performs,
        namespace: profile.namespace.clone(),
        owner: profile.owner.clone(),
        ..Profile::default()
    };
    match &sourced.source {
        Source::Namespace => single.namespace_labels.clone_from(&profile.namespace_labels),
        Source::StorageClass(name) => single.storage_classes.push(Some(name.clone())),
        Source::DataSet(name) => {
            let of_pod = profile.data_sets.iter();
            single
                .data_sets
                .extend(of_pod.filter(|used| used.name == *name).cloned());
        }
        Source::Pod | Source::Claim(_) | Source::Volume(_) => {}
    }
    single
}

#[test]
fn what_a_pod_is_permitted_lies_within_what_each_of_its_tuples_is() {
    hold(|choices| {
        let world = generate::set(choices);
        let labels = labels(&world);
        let engine = Engine::of(&world, &labels);
        for _ in 0..PODS_PER_SET {
            let case = case(choices);
            let judged = case.judge(&engine);
            for sourced in &judged.profile.tuples {
                let single = evaluate(&engine.set, &alone(&judged.profile, sourced), timestamp(case.now));
                never_wider(
                    (&world, &labels),
                    (&engine, &single),
                    (&engine, &judged.verdict),
                    || format!("{sourced:?} of {}", case.described()),
                )?;
            }
        }
        Ok(PODS_PER_SET)
    });
}

/// What says which rules bear on a pod, and which cover, agrees with what decides.
#[test]
fn what_bears_on_a_pod_is_what_decides_about_it() {
    hold(|choices| {
        let world = generate::set(choices);
        let engine = Engine::of(&world, &labels(&world));
        let set = &*engine.set;
        for _ in 0..PODS_PER_SET {
            let case = case(choices);
            let now = timestamp(case.now);
            let judged = case.judge(&engine);
            let bearing: BTreeSet<_> = reach(set, &judged.profile, now)
                .iter()
                .map(|reach| reach.rule)
                .collect();
            for restriction in &judged.verdict.restrictions {
                if let Cause::Rule(rule) = restriction.cause
                    && !bearing.contains(&rule)
                {
                    return Err(format!("{rule:?} restricts {:#?}\n{world:#?}", case.pod));
                }
            }
            let performed: Vec<Activity> = judged.profile.performs.iter().collect();
            for sourced in &judged.profile.tuples {
                for activity in &performed {
                    let mut profile = alone(&judged.profile, sourced);
                    profile.performs = ActivitySet::default().with(*activity);
                    let verdict = evaluate(set, &profile, now);
                    let reaches = reach(set, &profile, now);
                    let mut covering = reaches.iter().filter(|reach| reach.covers);
                    let covered = covering.any(|reach| reach.mode == Mode::Enforce);
                    let mut causes = verdict.restrictions.iter().map(|restriction| restriction.cause);
                    let is_refused =
                        causes.any(|cause| matches!(cause, Cause::Uncovered | Cause::Unlabelled));
                    let is_uncovered = is_refused || verdict.passed != PassedUncovered::default();
                    if covered == is_uncovered {
                        return Err(format!("{sourced:?} {activity:?} {reaches:?}\n{world:#?}"));
                    }
                }
            }
        }
        Ok(PODS_PER_SET)
    });
}
