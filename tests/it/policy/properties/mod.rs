//! The properties of docs/policies.md, 3, on random worlds; how many cases each is tried on is set by
//! `DOMICILE_PROPERTY_CASES`. Not modelled: what is malformed (`tests/cases` has it).

mod admission;
mod data;
mod exceptions;
mod guarantees;
mod places;
mod sets;
mod whole;

use domicile::model::Tuple;
use domicile::policy::{PlacesOfFleet, PolicySet, Profile, Source, SourcedTuple, Verdict};

use super::choices::{Choices, hold};
use super::generate;
use super::world::*;
use super::written::{self, Engine, Judged, judge, timestamp};

/// How many pods and instants one set is tried with: loading is the dear part.
const PODS_PER_SET: usize = 24;

struct Case {
    objects: Objects,
    pod: Pod,
    now: i64,
}

fn case(choices: &mut Choices) -> Case {
    Case {
        objects: generate::objects(choices),
        pod: generate::pod(choices),
        now: generate::instant(choices),
    }
}

impl Case {
    fn judge(&self, engine: &Engine) -> Judged {
        judge(&engine.set, &written::fleet(&self.objects), &self.pod, self.now)
    }

    fn described(&self) -> String {
        let Self { objects, pod, now } = self;
        format!("now: {now}\n{pod:#?}\n{objects:#?}")
    }
}

/// Whether everything that `after` permits is permitted by `before`, at every node that there may be.
fn never_wider(
    (world, labels): (&Set, &[Labels]),
    (before_set, before): (&Engine, &Verdict),
    (after_set, after): (&Engine, &Verdict),
    context: impl Fn() -> String,
) -> Result<(), String> {
    for (node, labels) in labels.iter().enumerate() {
        if after_set.permits(after, node) && !before_set.permits(before, node) {
            return Err(format!("widened at {labels:?}\n{}\n{world:#?}", context()));
        }
    }
    Ok(())
}

/// Tries a change of one case against the same set.
fn change_never_widens(change: impl Fn(&mut Choices, &mut Case) -> bool) {
    hold(|choices| {
        let world = generate::set(choices);
        let labels = labels(&world);
        let engine = Engine::of(&world, &labels);
        let mut tried = 0;
        for _ in 0..PODS_PER_SET {
            let mut case = case(choices);
            let before = case.judge(&engine);
            let described = case.described();
            let is_first_source = waits_for_a_first_source(&case, &before.profile);
            if !change(choices, &mut case) {
                continue;
            }
            let mut after = case.judge(&engine);
            // An exception is for data that somebody names, so naming some may bring the pod under one.
            if some_data_is_unnamed(&before.profile)
                && let Some(without_exceptions) = after.verdict.without_exceptions.take()
            {
                after.verdict.permitted = without_exceptions;
            }
            // A first source in a by-workload namespace widens on purpose.
            if is_first_source && !waits_for_a_first_source(&case, &after.profile) {
                continue;
            }
            never_wider(
                (&world, &labels),
                (&engine, &before.verdict),
                (&engine, &after.verdict),
                || format!("before: {described}\nafter: {}", case.described()),
            )?;
            tried += 1;
        }
        Ok(tried)
    });
}

/// Whether a pod has no data that an exception could be for, or some of which nobody says what it is.
fn some_data_is_unnamed(profile: &Profile) -> bool {
    let names = |sourced: &SourcedTuple| matches!(sourced.tuple, Tuple::Data(_));
    profile.tuples.is_empty() || !profile.tuples.iter().all(names)
}

/// Whether the namespace leaves the word to its workloads and none has said anything.
fn waits_for_a_first_source(case: &Case, profile: &Profile) -> bool {
    let namespaces = case.objects.namespaces.iter().flatten();
    let by_workload = namespaces
        .filter(|namespace| namespace.name == case.pod.namespace)
        .any(|namespace| matches!(namespace.says, NamespaceSays::ByWorkload));
    by_workload
        && profile
            .tuples
            .iter()
            .any(|tuple| tuple.source == Source::Namespace)
}

/// Tries a change of the set against the same cases; the cases are judged only where `concerns` says so.
fn change_of_set_never_widens(
    change: impl Fn(&mut Choices, &mut Set) -> bool,
    concerns: impl Fn(&Verdict) -> bool,
) {
    hold(|choices| {
        let world = generate::set(choices);
        let mut changed = world.clone();
        if !change(choices, &mut changed) {
            return Ok(0);
        }
        let mut nodes = labels(&world);
        nodes.extend(labels(&changed));
        let (engine, changed_engine) = (Engine::of(&world, &nodes), Engine::of(&changed, &nodes));
        let mut tried = 0;
        for _ in 0..PODS_PER_SET {
            let case = case(choices);
            let before = case.judge(&engine);
            if !concerns(&before.verdict) {
                continue;
            }
            let after = case.judge(&changed_engine);
            never_wider(
                (&world, &nodes),
                (&engine, &before.verdict),
                (&changed_engine, &after.verdict),
                || format!("{}\nchanged: {changed:#?}", case.described()),
            )?;
            tried += 1;
        }
        Ok(tried)
    });
}

fn sentence(set: &PolicySet, judged: &Judged) -> String {
    let fleet = PlacesOfFleet {
        all: set.catalogue().every_place(),
        some_unconfirmed: true,
    };
    domicile::policy::sentence(set, &judged.profile, &judged.verdict, &fleet, &[])
}
