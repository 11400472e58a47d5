//! L18: rules on transit and the links beside them: where no way between regions remains, where none is taken
//! away, and links that no rule looks at.
//!
//! Deliberately absent: how old a declaration is. No law says for how long one is good.

use super::Found;
use crate::policy::definition::{Demand, Policy, Rule, TransitDemand};
use crate::policy::epoch::{Epoch, EpochRule};
use crate::policy::finding::Level;
use crate::policy::transit::TransitProfile;

impl Found<'_> {
    pub(super) fn ways(&mut self) {
        let set = self.set;
        let mut is_looked_at = false;
        for (policy_index, policy) in set.definitions.policies.iter().enumerate() {
            for (rule_index, rule) in policy.rules.iter().enumerate() {
                let Demand::Transit(demand) = &rule.demand else {
                    continue;
                };
                is_looked_at = true;
                let is_it = |of: &&EpochRule| (of.index.policy, of.index.rule) == (policy_index, rule_index);
                for epoch in self.epochs() {
                    let compiled = epoch.rules.iter().find(is_it);
                    // Told once, for the first stretch of time in which it is so.
                    if compiled.is_some_and(|compiled| self.way((policy, rule, demand), compiled, epoch)) {
                        break;
                    }
                }
            }
        }
        if let Some(link) = set.definitions.links.first().filter(|_| !is_looked_at) {
            let sentence = "no rule of the set looks at links: it has none with `transit`".to_owned();
            let fix = "write a rule with `transit`, or keep the links for later";
            self.add(Level::Note, "L18", &link.written_at, sentence, fix);
        }
    }

    /// Whether something is told of a rule in a stretch of time.
    fn way(
        &mut self,
        (policy, rule, demand): (&Policy, &Rule, &TransitDemand),
        compiled: &EpochRule,
        epoch: &Epoch,
    ) -> bool {
        let set = self.set;
        let index = compiled.transit.map(|transit| transit.whatever_the_age());
        let profile = index.and_then(|index| set.transit_profiles.get(index.as_usize()));
        let Some(profile) = profile else {
            return false;
        };
        let name = format!("`{}/{}`", policy.name, rule.id);
        let since = self.since_when(epoch);
        let places = set.definitions.places_in_words(&demand.forbid);
        let regions = set.catalogue.regions().count();
        let (sentence, fix) = match what_remains(profile, regions) {
            Remains::NothingIsDeclared => (
                format!(
                    "{name} denies every way that no NetworkLink declares and the set declares none, so data is \
                     reached only from its own region{since}"
                ),
                "declare links, or write `whenPathUnknown: warn`",
            ),
            Remains::NoLink => (
                format!(
                    "{name} takes every declared link away and denies what is not declared, so data is reached \
                     only from its own region{since}"
                ),
                "declare links that avoid these places, or mend the list",
            ),
            Remains::NoRegion => (
                format!(
                    "{name} forbids every catalogued place, so data is reached only from its own region{since}"
                ),
                "mend the list",
            ),
            Remains::Everything => (
                format!(
                    "no link crosses {places} and no catalogued region lies there, so {name} takes no way away{since}"
                ),
                "declare what links cross, or write `whenPathUnknown: deny`",
            ),
            Remains::Some => return false,
        };
        self.add(Level::Warning, "L18", &rule.written_at, sentence, fix);
        true
    }
}

/// What a rule leaves of the ways between regions.
enum Remains {
    /// None, for want of links.
    NothingIsDeclared,
    /// None, since every link is taken away.
    NoLink,
    /// None, since no region may be an end.
    NoRegion,
    /// All.
    Everything,
    /// Some and not all.
    Some,
}

fn what_remains(profile: &TransitProfile, regions: usize) -> Remains {
    let links = &profile.forbidden_links;
    if regions > 0 && profile.forbidden_regions.len() == regions {
        return Remains::NoRegion;
    }
    let takes_a_link = links.contains(&true);
    match profile.undeclared_is_taken {
        true if links.is_empty() => Remains::NothingIsDeclared,
        true if !links.contains(&false) => Remains::NoLink,
        false if !takes_a_link && profile.forbidden_regions.is_empty() => Remains::Everything,
        _ => Remains::Some,
    }
}
