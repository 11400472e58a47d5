//! L13: policies without a test that allows and one that denies.
//!
//! A test that would still pass without a policy is none of that policy: a refusal counts for it where the
//! case names one of its rules as the reason, or nothing else refuses.

use super::Found;
use crate::policy::definition::{Demand, Outcome, Reason};
use crate::policy::finding::Level;
use crate::policy::testing::{Tried, run_tests};

impl Found<'_> {
    pub(super) fn tests(&mut self) {
        let set = self.set;
        let report = run_tests(set);
        for (index, policy) in set.definitions.policies.iter().enumerate() {
            // Of ways no test can be written.
            let mut rules = policy.rules.iter();
            if rules.all(|rule| matches!(rule.demand, Demand::Transit(_))) {
                continue;
            }
            let mut passed = report.tried.iter().filter(|tried| tried.passed);
            let is_allowed = passed.any(|tried| allows(tried, index));
            let mut passed = report.tried.iter().filter(|tried| tried.passed);
            let is_denied = passed.any(|tried| denies(tried, index));
            let missing = match (is_allowed, is_denied) {
                (true, true) => continue,
                (true, false) => "no test in which it refuses",
                (false, true) => "no test in which it allows",
                (false, false) => "no test in which it allows and none in which it refuses",
            };
            let sentence = format!("the policy `{}` has {missing}", policy.name);
            let fix = "add a case to a PolicyTest and run `domicile test`";
            self.add(Level::Warning, "L13", &policy.written_at, sentence, fix);
        }
    }
}

fn allows(tried: &Tried<'_>, policy: usize) -> bool {
    let of_policy = || tried.reached.iter().filter(|(rule, _)| rule.policy == policy);
    tried.outcome == Outcome::Allow
        && of_policy().next().is_some()
        && of_policy().all(|(_, outcome)| *outcome == Outcome::Allow)
}

fn denies(tried: &Tried<'_>, policy: usize) -> bool {
    let mut reached = tried.reached.iter();
    let refuses = reached.any(|(rule, outcome)| rule.policy == policy && *outcome == Outcome::Deny);
    let is_of_policy = |reason: &Reason| matches!(reason, Reason::Rule(rule) if rule.policy == policy);
    let is_the_reason = match tried.outcome {
        // It only records what it would refuse.
        Outcome::Allow => true,
        Outcome::Deny => {
            tried.case.because.as_ref().is_some_and(is_of_policy) || tried.reasons.iter().all(is_of_policy)
        }
    };
    refuses && is_the_reason
}
