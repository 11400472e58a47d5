//! What becomes of verdicts when policies are added.

use domicile::policy::{Cause, Verdict};

use super::super::choices::Choices;
use super::super::generate::{self, Kinds};
use super::super::world::*;
use super::change_of_set_never_widens;

fn new_policy(choices: &mut Choices, set: &mut Set, kinds: Kinds) {
    let name = ["b", "z"][choices.below(2)];
    let policy = generate::policy(choices, name, set.groups.len(), kinds);
    set.policies.push(policy);
}

#[test]
fn a_policy_that_only_denies_or_requires_never_widens() {
    change_of_set_never_widens(
        |choices, set| {
            new_policy(choices, set, Kinds::DenyOrRequire);
            true
        },
        |_| true,
    );
}

#[test]
fn covered_data_never_widens_when_a_policy_is_added() {
    let is_covered = |verdict: &Verdict| {
        verdict
            .restrictions
            .iter()
            .all(|restriction| !matches!(restriction.cause, Cause::Uncovered | Cause::Unlabelled))
    };
    change_of_set_never_widens(
        |choices, set| {
            new_policy(choices, set, Kinds::Any);
            true
        },
        is_covered,
    );
}
