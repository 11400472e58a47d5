//! A second evaluator, written from docs/policies.md alone: it reads the world word by word, follows
//! every group by recursion, and compares dates where it meets them. No sets of bits, no epochs, nothing
//! of the engine. Slow and plain on purpose: where the two differ, one of them is wrong.

mod data;
mod guarantees;
mod places;
mod rules;
mod sources;
mod ways;

use super::world::*;
use sources::Sources;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Three {
    No,
    Maybe,
    Yes,
}
use Three::{Maybe, No, Yes};

fn sure(holds: bool) -> Three {
    if holds { Yes } else { No }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum SaidBy {
    Namespace,
    Pod,
    Claim,
    Volume(String),
    Class(String),
    DataSet(String),
}

/// A missing word is `None`; the word `none` is a word.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Tuple {
    Unlabelled,
    NoData,
    Data(Option<String>, Option<String>, Option<String>),
}

const UNKNOWN: Tuple = Tuple::Data(None, None, None);

/// The part of the world that one decision looks at.
pub struct Naive<'a> {
    pub set: &'a Set,
    pub objects: &'a Objects,
    pub now: i64,
}

fn rank(classification: &str) -> usize {
    let order = ["public", "internal", "confidential", "restricted"];
    order.iter().position(|known| *known == classification).unwrap()
}

impl Naive<'_> {
    /// 3: a node is permitted when every tuple is permitted for every activity that the pod performs,
    /// and source blocks restrict a pod even when it has no tuple.
    pub fn permits(&self, pod: &Pod, labels: Labels) -> bool {
        let sources = self.sources(pod);
        for activity in &sources.looked_at() {
            if sources.tuples.is_empty() && !self.permits_no_tuple(&sources, activity, labels) {
                return false;
            }
            for (from, tuple) in &sources.tuples {
                if !self.permits_tuple(&sources, (from, tuple), activity, labels) {
                    return false;
                }
            }
        }
        true
    }

    fn permits_no_tuple(&self, sources: &Sources, activity: &str, labels: Labels) -> bool {
        self.rules_in_force(activity).iter().all(|(policy, rule, mode)| {
            let reached = policy
                .blocks
                .iter()
                .any(|block| block.data.is_none() && self.comes_from(block, sources) != No);
            // Without a data set there is no copy to look at.
            let about_copies = matches!(
                rule.demand,
                Demand::NoneOutside(_) | Demand::MustExistIn(_) | Demand::Transit(..)
            );
            let restricts = reached && *mode == "enforce" && !about_copies;
            !restricts || self.holds_of_node(rule, self.place(labels)) == Yes
        })
    }

    fn permits_tuple(
        &self,
        sources: &Sources,
        (from, tuple): (&SaidBy, &Tuple),
        activity: &str,
        labels: Labels,
    ) -> bool {
        let mut covered = false;
        let mut provisional = false;
        for (policy, rule, mode) in self.rules_in_force(activity) {
            let applicable = policy.blocks.iter().any(|block| {
                self.data_matches(block, tuple)
                    .min(self.comes_from(block, sources))
                    != No
            });
            if applicable && mode == "enforce" && !self.lets((policy, rule), sources, (from, tuple), labels) {
                return false;
            }
            let covers = policy
                .blocks
                .iter()
                .any(|block| self.data_matches(block, tuple) == Yes && self.is_from(block, sources, from));
            if covers && matches!(rule.demand, Demand::Allowed(_)) {
                covered |= mode == "enforce";
                provisional |= mode != "enforce";
            }
        }
        // What covers storing covers what is created.
        if covered || !sources.activities.contains(&activity) {
            return true;
        }
        let word = |word: &Option<String>, wanted: &str| word.as_deref() == Some(wanted);
        match tuple {
            Tuple::NoData => true,
            Tuple::Data(class, category, subject)
                if word(class, "public") && word(category, "none") && word(subject, "none") =>
            {
                true
            }
            Tuple::Unlabelled => match &self.set.unlabelled {
                Unlabelled::Allow => true,
                Unlabelled::Deny => false,
                Unlabelled::ConfineTo(places) => self.in_places(self.place(labels).as_ref(), places) == Yes,
            },
            Tuple::Data(..) => provisional || self.set.uncovered_is_allowed,
        }
    }

    fn rules_in_force(&self, activity: &str) -> Vec<(&Policy, &Rule, &'static str)> {
        let mut found = Vec::new();
        for policy in &self.set.policies {
            if policy.effective_from.is_some_and(|day| self.now < day * 24) {
                continue;
            }
            let waits = policy.enforce_from.is_some_and(|day| self.now < day * 24);
            let mode = if policy.mode == "enforce" && waits {
                "audit"
            } else {
                policy.mode
            };
            for rule in &policy.rules {
                let about = match &rule.activities {
                    Some(activities) => activities.contains(&activity),
                    None => activity == "process" || activity == "store",
                };
                if about {
                    found.push((policy, rule, mode));
                }
            }
        }
        found
    }
}
