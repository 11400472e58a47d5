//! L05 and L06: lists that name nobody, and rules of one policy that leave no place. L07: blocks that
//! cover nothing.

use std::collections::BTreeSet;

use super::Found;
use crate::policy::definition::{Activity, Definitions, Demand, PlaceTerm, Policy};
use crate::policy::epoch::{Epoch, EpochRule, RuleKind};
use crate::policy::finding::Level;

impl Found<'_> {
    /// Reports each rule once, for the first stretch of time in which something is wrong with it.
    pub(super) fn places(&mut self) {
        let set = self.set;
        for (index, policy) in set.definitions.policies.iter().enumerate() {
            let mut reported: BTreeSet<(usize, &'static str)> = BTreeSet::new();
            for epoch in self.epochs() {
                // What ends is renewed as a rule: it is news only shortly before.
                let is_news = epoch.from <= self.at || self.notice(epoch.from).is_some();
                let rules: Vec<&EpochRule> = epoch
                    .rules
                    .iter()
                    .filter(|rule| rule.index.policy == index)
                    .collect();
                self.empty_lists(policy, &rules, epoch, &mut reported);
                if is_news {
                    self.rules_alone(policy, &rules, epoch, &mut reported);
                    self.rules_together(policy, &rules, epoch, &mut reported);
                }
            }
        }
    }

    /// An error now, a warning where it is still to come.
    pub(super) fn level(&self, epoch: &Epoch) -> Level {
        if epoch.from <= self.at {
            Level::Error
        } else {
            Level::Warning
        }
    }

    /// A list of groups that all are empty in this stretch of time.
    fn empty_lists(
        &mut self,
        policy: &Policy,
        rules: &[&EpochRule],
        epoch: &Epoch,
        reported: &mut BTreeSet<(usize, &'static str)>,
    ) {
        let definitions = &self.set.definitions;
        for compiled in rules {
            let Some(rule) = policy.rules.get(compiled.index.rule) else {
                continue;
            };
            let (terms, fix) = match &rule.demand {
                Demand::Allowed(terms) => (terms, "write the places that the rule is to allow"),
                Demand::Transit(transit) => (&transit.forbid, "write the places that the rule is to forbid"),
                _ => continue,
            };
            if names_nobody(definitions, terms, epoch) && reported.insert((compiled.index.rule, "L05")) {
                let sentence = format!(
                    "the list of `{}/{}` has no member{}: its groups are empty then",
                    policy.name,
                    rule.id,
                    self.since_when(epoch)
                );
                self.add(Level::Error, "L05", &rule.written_at, sentence, fix);
            }
        }
    }

    fn rules_alone(
        &mut self,
        policy: &Policy,
        rules: &[&EpochRule],
        epoch: &Epoch,
        reported: &mut BTreeSet<(usize, &'static str)>,
    ) {
        let definitions = &self.set.definitions;
        for compiled in rules {
            let Some(rule) = policy.rules.get(compiled.index.rule) else {
                continue;
            };
            if !compiled.admits.is_empty() || reported.contains(&(compiled.index.rule, "L05")) {
                continue;
            }
            let since = self.since_when(epoch);
            let name = format!("`{}/{}`", policy.name, rule.id);
            match &rule.demand {
                Demand::Allowed(terms) => {
                    let places = definitions.places_in_words(terms);
                    let sentence =
                        format!("no catalogued place is surely in {places}, so {name} allows none{since}");
                    let fix = "add the regions to the catalogue, or mend the list";
                    self.add(Level::Warning, "L05", &rule.written_at, sentence, fix);
                }
                Demand::Required(_) => {
                    let sentence = format!("no catalogued place surely meets {name}{since}");
                    let fix = "state the facts in the Region objects, or mend the rule";
                    self.add(self.level(epoch), "L06", &rule.written_at, sentence, fix);
                }
                Demand::PrimaryMustBeIn(terms)
                | Demand::FromReplicaIn(terms)
                | Demand::NoReplicaOutside(terms)
                | Demand::ReplicaMustExistIn(terms) => {
                    let places = definitions.places_in_words(terms);
                    let sentence = format!(
                        "no catalogued place is surely in {places}, so nothing satisfies {name}{since}"
                    );
                    let fix = "add the regions to the catalogue, or mend the list";
                    self.add(Level::Warning, "L05", &rule.written_at, sentence, fix);
                }
                // Of no place by itself; what it leaves of ways is L18.
                Demand::Transit(_) => {}
                Demand::Denied(_) => {
                    let sentence = format!("{name} denies every catalogued place{since}");
                    self.add(
                        self.level(epoch),
                        "L06",
                        &rule.written_at,
                        sentence,
                        "mend the list",
                    );
                }
            }
            reported.insert((compiled.index.rule, "L05"));
        }
    }

    fn rules_together(
        &mut self,
        policy: &Policy,
        rules: &[&EpochRule],
        epoch: &Epoch,
        reported: &mut BTreeSet<(usize, &'static str)>,
    ) {
        for activity in Activity::ALL {
            let about: Vec<&&EpochRule> = rules
                .iter()
                .filter(|rule| {
                    let is_about_the_node = rule.kind == RuleKind::Node;
                    is_about_the_node && rule.activities.contains(activity) && !rule.admits.is_empty()
                })
                .collect();
            // The rule that takes the last place is named together with those before it.
            let mut left = self.set.catalogue.every_place();
            let mut names = Vec::new();
            for compiled in about {
                let Some(rule) = policy.rules.get(compiled.index.rule) else {
                    continue;
                };
                left.intersect(&compiled.admits);
                names.push(format!("`{}`", rule.id));
                if left.is_empty() {
                    if reported.insert((compiled.index.rule, "L06")) {
                        let sentence = format!(
                            "the rules {} of `{}` leave no place to {} in{}",
                            names.join(" and "),
                            policy.name,
                            activity.word(),
                            self.since_when(epoch)
                        );
                        let fix = "let one place satisfy them all";
                        self.add(self.level(epoch), "L06", &rule.written_at, sentence, fix);
                    }
                    break;
                }
            }
        }
    }

    /// A tuple has one source, so no tuple satisfies selectors by two kinds of source.
    pub(super) fn blocks(&mut self) {
        for policy in &self.set.definitions.policies {
            let allows = policy
                .rules
                .iter()
                .any(|rule| matches!(rule.demand, Demand::Allowed(_)));
            for block in policy.applies_to.iter().filter(|_| allows) {
                let kinds: Vec<&str> = [
                    (block.namespace_labels.is_some(), "`namespaces`"),
                    (block.storage_classes.is_some(), "`storageClasses`"),
                    (block.data_sets.is_some(), "`dataSets`"),
                ]
                .into_iter()
                .filter_map(|(is_named, word)| is_named.then_some(word))
                .collect();
                if kinds.len() > 1 {
                    let sentence = format!(
                        "a block of `{}` names {}, so it restricts pods but covers no data",
                        policy.name,
                        kinds.join(" and ")
                    );
                    let fix = "write one block for each under `anyOf`, or select by `data`";
                    self.add(Level::Warning, "L07", &block.written_at, sentence, fix);
                }
            }
        }
    }
}

/// Whether the list is one of groups alone that all are empty in this stretch of time.
fn names_nobody(definitions: &Definitions, terms: &[PlaceTerm], epoch: &Epoch) -> bool {
    terms.iter().all(|term| match term {
        PlaceTerm::Group(group) => definitions.subjects_of(*group, epoch.from).is_empty(),
        PlaceTerm::Country(_) | PlaceTerm::Subdivision(_) | PlaceTerm::Anywhere => false,
    })
}
