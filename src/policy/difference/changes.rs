//! What two sets write differently, object by object, in words.
//!
//! Inputs: two sets. Outputs: changes in the order settings, policies, groups, exceptions, regions, links,
//! data sets. Invariant: an object without a change here decides alike in both, but for the groups that it
//! names. Deliberately absent: what is written for people alone (titles, reasons, sources), and order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::routes::link_in_words;
use super::written::{block_in_words, list, member_in_words, terms_in_words};
use crate::model::{DataSet, Region, RegionKey};
use crate::policy::PolicySet;
use crate::policy::calendar::{day_or_instant, last_day_or_instant};
use crate::policy::definition::{Definitions, Demand, Exception, PathUnknown, Policy, Rule};
use crate::policy::phrase::demand_in_words;

/// What a change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// The settings: which of them.
    Settings(&'static str),
    /// A policy as a whole.
    Policy(Arc<str>),
    /// A rule of a policy.
    Rule(Arc<str>, Arc<str>),
    /// A group.
    Group(Arc<str>),
    /// An exception, with the rule that it lifts.
    Exception(Arc<str>, Arc<str>),
    /// A region that only one set has, or that lies elsewhere.
    Region(RegionKey),
    /// The facts of a region.
    RegionFacts(RegionKey),
    /// What is declared of a way.
    Link(Arc<str>),
    /// A data set.
    DataSet(String),
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it is about.
    pub about: About,
    /// In words.
    pub sentence: String,
}

/// Everything that differs.
#[must_use]
pub fn changes(old: &PolicySet, new: &PolicySet) -> Vec<Change> {
    let mut found = Found {
        old,
        new,
        changes: Vec::new(),
    };
    found.settings();
    found.policies();
    found.groups();
    found.exceptions();
    found.regions();
    found.links();
    found.data_sets();
    found.changes
}

struct Found<'a> {
    old: &'a PolicySet,
    new: &'a PolicySet,
    changes: Vec<Change>,
}

/// Pairs things of two sets by their names.
fn pairs<'a, K: Ord, T>(
    old: impl Iterator<Item = (K, &'a T)>,
    new: impl Iterator<Item = (K, &'a T)>,
) -> BTreeMap<K, (Option<&'a T>, Option<&'a T>)> {
    let mut pairs: BTreeMap<K, (Option<&T>, Option<&T>)> = BTreeMap::new();
    for (name, thing) in old {
        pairs.entry(name).or_default().0 = Some(thing);
    }
    for (name, thing) in new {
        pairs.entry(name).or_default().1 = Some(thing);
    }
    pairs
}

impl Found<'_> {
    fn add(&mut self, about: About, sentence: String) {
        self.changes.push(Change { about, sentence });
    }

    /// What the settings change by themselves is said elsewhere; here only which of them decide cells.
    fn settings(&mut self) {
        let (old, new) = (self.old.settings(), self.new.settings());
        if old.uncovered_is_allowed != new.uncovered_is_allowed {
            let word = if new.uncovered_is_allowed { "allow" } else { "deny" };
            self.add(
                About::Settings("uncovered"),
                format!("the setting `uncovered` is now `{word}`"),
            );
        }
        let words = [self.old, self.new].map(super::written::unlabelled_in_words);
        if let [before, after] = words
            && before != after
        {
            let sentence = format!("the setting `unlabelled` is now {after} (before: {before})");
            self.add(About::Settings("unlabelled"), sentence);
        }
        if old.max_fact_age != new.max_fact_age {
            let sentence = "the setting `maxFactAge` differs".to_owned();
            self.add(About::Settings("maxFactAge"), sentence);
        }
    }

    fn policies(&mut self) {
        let (old, new) = (self.old, self.new);
        let policies = pairs(
            old.definitions
                .policies
                .iter()
                .map(|policy| (&policy.name, policy)),
            new.definitions
                .policies
                .iter()
                .map(|policy| (&policy.name, policy)),
        );
        for (name, pair) in policies {
            let about = About::Policy(name.clone());
            match pair {
                (Some(before), Some(after)) => self.policy(before, after),
                (None, _) => self.add(about, format!("policy `{name}` is new")),
                (_, None) => self.add(about, format!("policy `{name}` is gone")),
            }
        }
    }

    fn policy(&mut self, before: &Policy, after: &Policy) {
        let name = &after.name;
        let about = || About::Policy(name.clone());
        if before.mode != after.mode {
            let (was, is) = (before.mode.word(), after.mode.word());
            self.add(
                about(),
                format!("the mode of `{name}` is now `{is}` (before: `{was}`)"),
            );
        }
        for (what, was, is) in [
            ("is in force from", before.effective_from, after.effective_from),
            ("enforces from", before.enforce_from, after.enforce_from),
        ] {
            if was != is {
                let say =
                    |instant: Option<Timestamp>| instant.map_or("ever since".to_owned(), day_or_instant);
                let sentence = format!("`{name}` {what} {} (before: {})", say(is), say(was));
                self.add(about(), sentence);
            }
        }
        let blocks = |set: &PolicySet, policy: &Policy| -> BTreeSet<String> {
            let blocks = policy.applies_to.iter();
            blocks
                .map(|block| block_in_words(&set.definitions, block))
                .collect()
        };
        let (was, is) = (blocks(self.old, before), blocks(self.new, after));
        if was != is {
            let words = |blocks: BTreeSet<String>| blocks.into_iter().collect::<Vec<_>>().join("; or ");
            let sentence = format!("`{name}` now applies to {} (before: {})", words(is), words(was));
            self.add(about(), sentence);
        }
        let rules = pairs(
            before.rules.iter().map(|rule| (&rule.id, rule)),
            after.rules.iter().map(|rule| (&rule.id, rule)),
        );
        for (id, pair) in rules {
            let about = About::Rule(name.clone(), id.clone());
            match pair {
                (Some(before), Some(after)) => self.rule(name, before, after),
                (None, _) => self.add(about, format!("rule `{name}/{id}` is new")),
                (_, None) => self.add(about, format!("rule `{name}/{id}` is gone")),
            }
        }
    }

    fn rule(&mut self, policy: &Arc<str>, before: &Rule, after: &Rule) {
        let name = format!("`{policy}/{}`", after.id);
        let about = || About::Rule(policy.clone(), after.id.clone());
        if before.activities != after.activities {
            let words = |rule: &Rule| {
                let words = rule.activities.iter().map(|activity| activity.word());
                words.collect::<Vec<_>>().join(" and ")
            };
            let (was, is) = (words(before), words(after));
            self.add(about(), format!("{name} is now about {is} (before: {was})"));
        }
        if std::mem::discriminant(&before.demand) == std::mem::discriminant(&after.demand)
            && answer_to_unknown(before) == answer_to_unknown(after)
            && let (Some(was), Some(is)) = (before.demand.places(), after.demand.places())
        {
            let was = terms_in_words(&self.old.definitions, was);
            let is = terms_in_words(&self.new.definitions, is);
            if let Some(changed) = members_changed(&was, &is) {
                self.add(about(), format!("the list of {name} {changed}"));
            }
            return;
        }
        let was = demand_in_words(&self.old.definitions, &before.demand);
        let is = demand_in_words(&self.new.definitions, &after.demand);
        let was_exactly = super::written::demand_exactly(&self.old.definitions, &before.demand);
        if was_exactly != super::written::demand_exactly(&self.new.definitions, &after.demand) {
            self.add(about(), format!("{name} now {is} (before: {was})"));
        }
    }

    fn groups(&mut self) {
        let (old, new) = (self.old, self.new);
        let groups = pairs(
            old.definitions.groups.iter().map(|group| (&group.name, group)),
            new.definitions.groups.iter().map(|group| (&group.name, group)),
        );
        for (name, pair) in groups {
            let sentence = match pair {
                (None, _) => Some(format!("group `{name}` is new")),
                (_, None) => Some(format!("group `{name}` is gone")),
                (Some(_), Some(_)) => {
                    let [was, is] = [old, new].map(|set| member_words(&set.definitions, name));
                    members_changed(&was, &is).map(|changed| format!("group `{name}` {changed}"))
                }
            };
            if let Some(sentence) = sentence {
                self.add(About::Group(name.clone()), sentence);
            }
        }
    }

    fn exceptions(&mut self) {
        let (old, new) = (self.old, self.new);
        let exceptions = pairs(
            old.definitions
                .exceptions
                .iter()
                .map(|exception| (&exception.name, exception)),
            new.definitions
                .exceptions
                .iter()
                .map(|exception| (&exception.name, exception)),
        );
        for (name, (before, after)) in exceptions {
            let [was, is] = [(old, before), (new, after)]
                .map(|(set, exception)| exception.map(|exception| exception_in_words(set, exception)));
            let sentence = match (&was, &is) {
                (None, Some(is)) => format!("exception `{name}` is new: {is}"),
                (Some(was), None) => format!("exception `{name}` is gone: {was}"),
                (Some(was), Some(is)) if was != is => {
                    format!("exception `{name}` differs: {is} (before: {was})")
                }
                _ => continue,
            };
            let relaxed: BTreeSet<String> = [(old, before), (new, after)]
                .into_iter()
                .filter_map(|(set, exception)| set.rule_name(exception?.relaxes))
                .collect();
            for rule in relaxed {
                if let Some((policy, id)) = rule.rsplit_once('/') {
                    self.add(
                        About::Exception(Arc::from(policy), Arc::from(id)),
                        sentence.clone(),
                    );
                }
            }
        }
    }

    fn regions(&mut self) {
        let (old, new) = (self.old, self.new);
        let regions = pairs(
            old.catalogue.regions().map(|region| (&region.key, region)),
            new.catalogue.regions().map(|region| (&region.key, region)),
        );
        for (key, pair) in regions {
            let about = About::Region(key.clone());
            match pair {
                (None, Some(after)) => {
                    self.add(
                        about,
                        format!("region `{key}` ({}) is new in the catalogue", after.country),
                    );
                }
                (Some(before), None) => {
                    let sentence = format!("region `{key}` ({}) is gone from the catalogue", before.country);
                    self.add(about, sentence);
                }
                (Some(before), Some(after)) => self.region(before, after),
                (None, None) => {}
            }
        }
    }

    fn region(&mut self, before: &Region, after: &Region) {
        let key = &after.key;
        if (before.country, &before.subdivision) != (after.country, &after.subdivision) {
            let say = |region: &Region| match &region.subdivision {
                Some(part) => part.to_string(),
                None => region.country.to_string(),
            };
            let sentence = format!(
                "region `{key}` is now in {} (before: {})",
                say(after),
                say(before)
            );
            self.add(About::Region(key.clone()), sentence);
        }
        let differing: Vec<&str> = [
            ("operator", before.facts.operator != after.facts.operator),
            (
                "certifications",
                before.facts.certifications != after.facts.certifications,
            ),
            ("keyCustody", before.facts.key_custody != after.facts.key_custody),
            ("tenancy", before.facts.tenancy != after.facts.tenancy),
            ("zones", before.zones != after.zones),
            ("source.asOf", before.as_of != after.as_of),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect();
        if !differing.is_empty() {
            let sentence = format!("region `{key}` has other facts: {}", differing.join(", "));
            self.add(About::RegionFacts(key.clone()), sentence);
        }
    }

    fn links(&mut self) {
        let (old, new) = (self.old, self.new);
        let links = pairs(
            old.definitions.links.iter().map(|link| (&link.name, link)),
            new.definitions.links.iter().map(|link| (&link.name, link)),
        );
        for (name, pair) in links {
            let [was, is] = [pair.0, pair.1].map(|link| link.map(link_in_words));
            let sentence = match (was, is) {
                (None, Some(is)) => format!("link `{name}` is new: {is}"),
                (Some(was), None) => format!("link `{name}` is gone: {was}"),
                (Some(was), Some(is)) if was != is => format!("link `{name}`: now {is} (before: {was})"),
                _ => continue,
            };
            self.add(About::Link(name.clone()), sentence);
        }
    }

    fn data_sets(&mut self) {
        let (old, new) = (self.old, self.new);
        let data_sets = pairs(
            old.data_sets
                .iter()
                .map(|(name, data_set)| (name.as_str(), data_set)),
            new.data_sets
                .iter()
                .map(|(name, data_set)| (name.as_str(), data_set)),
        );
        for (name, pair) in data_sets {
            let about = About::DataSet(name.to_owned());
            match pair {
                (None, _) => self.add(about, format!("data set `{name}` is now declared")),
                (_, None) => self.add(about, format!("data set `{name}` is no longer declared")),
                (Some(before), Some(after)) => self.data_set(before, after),
            }
        }
    }

    fn data_set(&mut self, before: &DataSet, after: &DataSet) {
        let name = &after.name;
        let about = || About::DataSet(name.to_string());
        if before.profile != after.profile {
            self.add(about(), format!("the profile of data set `{name}` differs"));
        }
        if before.replicas != after.replicas {
            self.add(about(), format!("the replicas of data set `{name}` differ"));
        }
        if before.consistency != after.consistency || before.access != after.access {
            let sentence = format!("which replicas of data set `{name}` serve an access differs");
            self.add(about(), sentence);
        }
    }
}

/// The members of a group, in words; none where there is no such group.
pub(super) fn member_words(definitions: &Definitions, group: &str) -> BTreeSet<String> {
    let found = definitions.group(group);
    let found = found.and_then(|group| definitions.groups.get(group));
    let members = found.into_iter().flat_map(|group| &group.members);
    members
        .map(|member| member_in_words(definitions, member))
        .collect()
}

/// What a rule on transit makes of a way that nobody declares.
fn answer_to_unknown(rule: &Rule) -> Option<PathUnknown> {
    match &rule.demand {
        Demand::Transit(transit) => Some(transit.when_path_unknown),
        _ => None,
    }
}

/// `now has GB and no longer has FR`; `None` where both hold the same.
fn members_changed(was: &BTreeSet<String>, is: &BTreeSet<String>) -> Option<String> {
    let added: Vec<&str> = is.difference(was).map(String::as_str).collect();
    let removed: Vec<&str> = was.difference(is).map(String::as_str).collect();
    let parts: Vec<String> = [("now has", added), ("no longer has", removed)]
        .into_iter()
        .filter(|(_, members)| !members.is_empty())
        .map(|(verb, members)| format!("{verb} {}", list(&members)))
        .collect();
    (!parts.is_empty()).then(|| parts.join(" and "))
}

fn exception_in_words(set: &PolicySet, exception: &Exception) -> String {
    let rule = set.rule_name(exception.relaxes).unwrap_or_default();
    let workload = exception.workload.as_ref();
    let workload = workload.map_or(String::new(), |workload| {
        format!(" ({} `{}`)", workload.kind, workload.name)
    });
    let places: Vec<String> = terms_in_words(&set.definitions, &exception.locations)
        .into_iter()
        .collect();
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    format!(
        "it lifts `{rule}` for {} of namespace `{}`{workload} in {}, from {} to the end of {}",
        super::written::selector_in_words(&set.definitions, &exception.data),
        exception.namespace,
        list(&places),
        day_or_instant(exception.not_before),
        last_day_or_instant(exception.expires),
    )
}
