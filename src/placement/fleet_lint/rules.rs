//! L09 for what is written: policies whose data finds no node or only one region, and data sets.

use std::collections::BTreeMap;

use super::LintedFleet;
use super::reach::TooLittle;
use crate::model::{DataSetName, RESTRICTED_REGION_LABEL, Tuple};
use crate::policy::{
    Activity, Cause, Finding, Level, Mode, Position, Profile, Restriction, RuleKind, Verdict, evaluate,
    reader_of, specimens,
};

/// What becomes of some data of a policy, for those that fare alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Outcome {
    left: TooLittle,
    /// Whether it is so today, or only once the policy is enforced.
    is_enforced: bool,
    because: String,
    fix: Option<String>,
}

impl LintedFleet<'_> {
    /// Policies of which some data finds too little of the fleet.
    pub(super) fn policies_without_places(&self) -> Vec<Finding> {
        let definitions = self.snapshot.policies().definitions();
        let mut findings = Vec::new();
        for (index, policy) in definitions.policies.iter().enumerate() {
            let processed = specimens(self.snapshot.facts(), policy, self.at);
            let stored = processed.iter().map(|profile| Profile {
                performs: profile.performs.with(Activity::Store),
                ..profile.clone()
            });
            let stored: Vec<Profile> = stored.collect();
            let kinds = processed.len();
            let mut told = Vec::new();
            for (data, profiles) in [("the data", processed), ("stored data", stored)] {
                for (outcome, (count, example)) in self.outcomes(index, &profiles) {
                    // What holds of all data holds of stored data too.
                    if told.contains(&outcome) {
                        continue;
                    }
                    let name = &policy.name;
                    let what = if count == kinds {
                        format!("{data} of the policy `{name}`")
                    } else {
                        format!(
                            "{count} of the {kinds} kinds of {} of the policy `{name}` (such as {example})",
                            data.trim_start_matches("the ")
                        )
                    };
                    findings.push(outcome.finding(&policy.written_at, &what));
                    told.push(outcome);
                }
            }
        }
        findings
    }

    /// What becomes of the specimens of a policy: how many fare so, and the first of them in words.
    fn outcomes(&self, policy: usize, specimens: &[Profile]) -> BTreeMap<Outcome, (usize, String)> {
        let mut outcomes: BTreeMap<Outcome, (usize, String)> = BTreeMap::new();
        for specimen in specimens {
            let verdict = evaluate(self.snapshot.policies(), specimen, self.at);
            if let Some(outcome) = self.outcome(policy, &verdict) {
                let (count, _) = outcomes
                    .entry(outcome)
                    .or_insert_with(|| (0, data_in_words(specimen)));
                *count += 1;
            }
        }
        outcomes
    }

    /// What the rules leave to one specimen. Whether a policy covers it is not asked here: another policy
    /// may do that, or nobody have such data.
    fn outcome(&self, policy: usize, verdict: &Verdict) -> Option<Outcome> {
        let of_policy = |restriction: &&Restriction| policy_of(restriction.cause) == Some(policy);
        let rules = verdict
            .restrictions
            .iter()
            .filter(|restriction| policy_of(restriction.cause).is_some());
        let own: Vec<&Restriction> = rules.clone().filter(of_policy).collect();
        if own.is_empty() {
            return None;
        }
        let enforced: Vec<&Restriction> = rules
            .clone()
            .filter(|restriction| restriction.mode == Mode::Enforce)
            .collect();
        let all: Vec<&Restriction> = rules
            .filter(|restriction| restriction.mode == Mode::Enforce || of_policy(restriction))
            .collect();
        let left = self.left(&all)?;
        let responsible = if self.left(&own).as_ref() == Some(&left) {
            own
        } else {
            let others: Vec<usize> = all
                .iter()
                .filter_map(|restriction| policy_of(restriction.cause))
                .filter(|other| *other != policy)
                .collect();
            let alone = |other: usize| -> Vec<&Restriction> {
                let of_other = all.iter().copied();
                of_other
                    .filter(|restriction| policy_of(restriction.cause) == Some(other))
                    .collect()
            };
            // What another policy does alone is told there.
            if others
                .iter()
                .any(|other| self.left(&alone(*other)).as_ref() == Some(&left))
            {
                return None;
            }
            all
        };
        Some(Outcome {
            is_enforced: self.left(&enforced).as_ref() == Some(&left),
            because: self.because(&responsible),
            fix: left.fix(responsible),
            left,
        })
    }

    fn left(&self, restrictions: &[&Restriction]) -> Option<TooLittle> {
        TooLittle::of(self.snapshot, |class| {
            let mut all = restrictions.iter();
            all.all(|restriction| restriction.leaves(class.place, class.region_is_confirmed))
        })
    }

    /// Those that refuse some node, as what they permit.
    fn because(&self, restrictions: &[&Restriction]) -> String {
        let set = self.snapshot.policies();
        let mut refusing = restrictions.to_vec();
        refusing.retain(|restriction| {
            let mut classes = self.snapshot.classes();
            classes.any(|(_, class)| !restriction.leaves(class.place, class.region_is_confirmed))
        });
        let mut words: Vec<String> = refusing
            .iter()
            .map(|restriction| {
                let said = set.cause_in_words(restriction.cause);
                if self.is_about_age(restriction) {
                    format!("{said} by facts that are not older than `maxFactAge`")
                } else {
                    said
                }
            })
            .collect();
        if refusing
            .iter()
            .any(|restriction| restriction.needs_confirmed_region)
            && self.snapshot.places().some_unconfirmed
        {
            words.push(format!(
                "the label `{RESTRICTED_REGION_LABEL}` must confirm the region"
            ));
        }
        words.join(" and ")
    }

    /// Whether the facts of a place that the rule admits are too old for the data.
    fn is_about_age(&self, restriction: &Restriction) -> bool {
        let Cause::Rule(index) = restriction.cause else {
            return false;
        };
        let epoch = self.snapshot.policies().at(self.at);
        let rule = epoch.rules.iter().find(|rule| rule.index == index);
        rule.is_some_and(|rule| {
            let lacks = |class: &crate::snapshot::NodeClass| {
                rule.admits.contains(class.place) && !restriction.admits.contains(class.place)
            };
            rule.kind == RuleKind::Node && self.snapshot.classes().any(|(_, class)| lacks(class))
        })
    }

    /// Data sets that a pod could read in too little of the fleet.
    pub(super) fn data_sets_without_places(&self) -> Vec<Finding> {
        let unknown = Position::default();
        let names = self.snapshot.facts().data_sets.keys();
        let finding = |name: &DataSetName| {
            let reader = reader_of(self.snapshot.facts(), name, self.at)?;
            let verdict = evaluate(self.snapshot.policies(), &reader, self.at);
            let enforced = verdict.restrictions.iter();
            let enforced: Vec<&Restriction> = enforced
                .filter(|restriction| restriction.mode == Mode::Enforce)
                .collect();
            let left = self.left(&enforced)?;
            let outcome = Outcome {
                is_enforced: true,
                because: self.because(&enforced),
                fix: left.fix(enforced),
                left,
            };
            let at = self.data_sets_written_at.get(name).unwrap_or(&unknown);
            Some(outcome.finding(at, &format!("a pod that reads the data set `{name}`")))
        };
        names.filter_map(finding).collect()
    }
}

impl Outcome {
    fn finding(&self, at: &Position, what: &str) -> Finding {
        let when = if self.is_enforced {
            ""
        } else {
            " once it is enforced"
        };
        let sentence = format!("{} for {what}{when}: {}", self.left.in_words(), self.because);
        let level = if self.is_enforced {
            self.left.level()
        } else {
            Level::Warning
        };
        Finding {
            level,
            ..Finding::error("L09", at.clone(), sentence).with_fix(self.fix.clone())
        }
    }
}

fn policy_of(cause: Cause) -> Option<usize> {
    match cause {
        Cause::Rule(index) => Some(index.policy),
        Cause::Malformed | Cause::StaleFacts | Cause::Uncovered | Cause::Unlabelled => None,
    }
}

fn data_in_words(profile: &Profile) -> String {
    let tuples = profile.tuples.iter().map(|sourced| &sourced.tuple);
    let first = tuples.clone().find(|tuple| matches!(tuple, Tuple::Data(_)));
    first.map(ToString::to_string).unwrap_or_default()
}
