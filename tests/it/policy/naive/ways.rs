//! What rules on transit take away of the ways to the data sets of a pod (docs/policies.md, "Ways to data").

use std::collections::BTreeSet;

use super::super::world::*;
use super::{Naive, No, SaidBy, Tuple};

impl Naive<'_> {
    /// A line for each rule and data set that it binds, and for each thing that it takes away.
    pub fn ways(&self, pod: &Pod) -> BTreeSet<String> {
        let sources = self.sources(pod);
        let mut lines = BTreeSet::new();
        for activity in &sources.looked_at() {
            for (from, tuple) in &sources.tuples {
                for (policy, rule, mode) in self.rules_in_force(activity) {
                    let Demand::Transit(forbidden, undeclared) = &rule.demand else {
                        continue;
                    };
                    let applies = policy.blocks.iter().any(|block| {
                        let matches = self.data_matches(block, tuple);
                        matches.min(self.comes_from(block, &sources)) != No
                    });
                    if !applies {
                        continue;
                    }
                    let mut bound = self.bound(policy, &sources, (from, tuple));
                    bound.retain(|name| {
                        let mut uses = sources.uses.iter().filter(|used| used.name == *name);
                        uses.any(|used| used.reads != Some(false) || used.writes != Some(false))
                    });
                    if sources.may_name_more() && !matches!(from, SaidBy::DataSet(_)) {
                        bound.push("?");
                    }
                    for name in bound {
                        let head = format!("{}/{} {mode} {name}", policy.name, rule.id);
                        lines.extend(
                            self.taken(forbidden, undeclared, tuple)
                                .map(|taken| format!("{head}: {taken}")),
                        );
                    }
                }
            }
        }
        lines
    }

    fn taken(&self, forbidden: &[&str], undeclared: &str, tuple: &Tuple) -> impl Iterator<Item = String> {
        let is_taken = |region: &&Region| {
            [None, Some("z1")].into_iter().any(|zone| {
                let place = self.resolve(Some(region.provider), region.region, zone);
                self.in_places(self.place_for(tuple, place).as_ref(), forbidden) != No
            })
        };
        let taken: Vec<(&str, &str)> = self
            .set
            .regions
            .iter()
            .filter(is_taken)
            .map(|region| (region.provider, region.region))
            .collect();
        let crosses = |link: &Link| {
            let mut countries = link.countries.iter();
            countries.any(|country| {
                let mut terms = forbidden.iter();
                terms.any(|term| self.subject_in(country, term) != No)
            })
        };
        // Nobody says which of the links between two regions traffic takes.
        let is_beside = |one: &Link, other: &Link| {
            let [from, to] = other.ends;
            one.ends == [from, to] || one.ends == [to, from]
        };
        let is_gone = |link: &&Link| {
            let mut beside = self.set.links.iter().filter(|other| is_beside(link, other));
            link.ends.iter().any(|end| taken.contains(end)) || beside.any(crosses)
        };
        let links: Vec<String> = self
            .set
            .links
            .iter()
            .filter(is_gone)
            .map(|link| format!("link {}", link.name))
            .collect();
        let regions = taken
            .into_iter()
            .map(|(provider, region)| format!("region {provider}/{region}"));
        let regions: Vec<String> = regions.collect();
        let undeclared = (undeclared == "deny").then(|| "undeclared".to_owned());
        regions.into_iter().chain(links).chain(undeclared)
    }
}
