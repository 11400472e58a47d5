//! What exceptions do, and what they never do.

use domicile::model::{DataTuple, Tuple};
use domicile::policy::Verdict;

use super::super::choices::{Choices, hold};
use super::super::generate;
use super::super::world::*;
use super::super::written::Engine;
use super::{Case, PODS_PER_SET, case, change_of_set_never_widens};

#[test]
fn removing_an_exception_never_widens() {
    change_of_set_never_widens(
        |choices, set| {
            let is_there = !set.exceptions.is_empty();
            if is_there {
                set.exceptions.remove(choices.below(set.exceptions.len()));
            }
            is_there
        },
        |_| true,
    );
}

#[test]
fn a_narrower_exception_never_widens() {
    change_of_set_never_widens(
        |choices, set| {
            let Some(exception) = set.exceptions.first_mut() else {
                return false;
            };
            match choices.below(4) {
                0 if exception.workload.is_none() => exception.workload = Some(("Deployment", "web")),
                1 if exception.locations.len() > 1 => {
                    exception.locations.pop();
                }
                2 if exception.data.subjects.is_none() => exception.data.subjects = Some(vec!["DE"]),
                3 => exception.expires = exception.not_before + 1,
                _ => return false,
            }
            true
        },
        |_| true,
    );
}

/// Compares the verdicts of two sets, the second of which has fewer exceptions.
fn compare(
    drop: impl Fn(&Exception, i64) -> bool,
    compare: impl Fn(&Case, (&Engine, &Verdict), (&Engine, &Verdict), usize) -> Result<(), String>,
) {
    hold(|choices: &mut Choices| {
        let world = generate::set(choices);
        if world.exceptions.is_empty() {
            return Ok(0);
        }
        let now = generate::instant(choices);
        let mut fewer = world.clone();
        fewer.exceptions.retain(|exception| !drop(exception, now));
        if fewer.exceptions.len() == world.exceptions.len() {
            return Ok(0);
        }
        let labels = labels(&world);
        let (engine, other) = (Engine::of(&world, &labels), Engine::of(&fewer, &labels));
        for _ in 0..PODS_PER_SET {
            let case = Case { now, ..case(choices) };
            let (with, without) = (case.judge(&engine).verdict, case.judge(&other).verdict);
            compare(&case, (&engine, &with), (&other, &without), labels.len())
                .map_err(|problem| format!("{problem}\n{}\n{world:#?}", case.described()))?;
        }
        Ok(PODS_PER_SET)
    });
}

#[test]
fn what_is_permitted_without_exceptions_is_what_a_set_without_them_permits() {
    compare(
        |_, _| true,
        |_, (engine, with), (other, without), nodes| {
            let mut differs = false;
            for node in 0..nodes {
                let said = engine.permits_without_exceptions(with, node);
                if said != other.permits(without, node) {
                    return Err(format!("node {node}: {said} is not what the other set says"));
                }
                differs |= said != engine.permits(with, node);
            }
            if with.needs_confirmed_region != without.needs_confirmed_region {
                return Err("exceptions change what must be confirmed".to_owned());
            }
            if differs && with.exceptions.is_empty() {
                return Err("a permission that rests on an exception names none".to_owned());
            }
            if with.without_exceptions.is_none() && !with.exceptions.is_empty() {
                return Err("an exception is named that changes nothing".to_owned());
            }
            Ok(())
        },
    );
}

#[test]
fn an_exception_that_is_not_in_force_changes_nothing() {
    compare(
        |exception, now| now < exception.not_before * 24 || exception.expires * 24 <= now,
        |_, (engine, with), (other, without), nodes| {
            let alike = (0..nodes).all(|node| {
                engine.permits(with, node) == other.permits(without, node)
                    && engine.permits_without_exceptions(with, node)
                        == other.permits_without_exceptions(without, node)
            });
            match alike && with.exceptions.len() == without.exceptions.len() {
                true => Ok(()),
                false => Err("an exception that is over, or not begun, decides".to_owned()),
            }
        },
    );
}

#[test]
fn data_of_which_nothing_is_known_is_never_helped_by_an_exception() {
    hold(|choices| {
        let world = generate::set(choices);
        let engine = Engine::of(&world, &[]);
        let mut tried = 0;
        for _ in 0..PODS_PER_SET {
            let case = case(choices);
            let mut profile = case.judge(&engine).profile;
            if profile.tuples.is_empty() {
                continue;
            }
            for sourced in &mut profile.tuples {
                if choices.below(4) > 0 || matches!(sourced.tuple, Tuple::Data(_)) {
                    sourced.tuple = Tuple::Data(DataTuple::UNKNOWN);
                }
            }
            let now = super::timestamp(case.now);
            let verdict = domicile::policy::evaluate(&engine.set, &profile, now);
            if verdict.without_exceptions.is_some() || !verdict.exceptions.is_empty() {
                return Err(format!("{}\n{world:#?}", case.described()));
            }
            tried += 1;
        }
        Ok(tried)
    });
}
