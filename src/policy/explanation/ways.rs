//! Rules on transit in plain English: what they take away, and what they believe.

use super::{Subject, counted, day_or_instant};
use crate::policy::definition::{PathUnknown, RuleIndex, TransitDemand};

impl Subject<'_> {
    pub(super) fn transit(&self, demand: &TransitDemand) -> String {
        let places = self.definitions.places_in_words(&demand.forbid);
        let unknown = match demand.when_path_unknown {
            PathUnknown::Deny => "a way between two regions that no NetworkLink declares is not taken",
            PathUnknown::Warn => {
                "a way between two other regions that no NetworkLink declares is taken and recorded"
            }
        };
        format!(
            "a data set is reached only over ways that surely lead through no place in {places} and neither begin \
             nor end in one, by a longer way where there is one; {unknown}"
        )
    }

    /// What a rule takes away on the day that is asked about.
    pub(super) fn ways_left(&self, index: RuleIndex) -> Option<String> {
        let from = self.policy.effective_from;
        let instant = from.filter(|from| self.at < *from).unwrap_or(self.at);
        let epoch = self.set.at(instant);
        let rule = epoch.rules.iter().find(|rule| rule.index == index)?;
        let profile = rule.transit?.whatever_the_age();
        let profile = self.set.transit_profiles.get(profile.as_usize())?;
        let taken = profile.forbidden_links.iter().filter(|taken| **taken).count();
        let links = match profile.forbidden_links.len() {
            0 => "no link is declared".to_owned(),
            all => format!(
                "{taken} of the {} of the set are taken away",
                counted(all, "link", "links")
            ),
        };
        let all = self.set.catalogue.regions().count();
        let regions = match profile.forbidden_regions.len() {
            0 => "every region of the catalogue may be an end of a way".to_owned(),
            1 => format!("1 of the {all} regions of the catalogue is no end of a way to another"),
            some => format!("{some} of the {all} regions of the catalogue are no end of a way to another"),
        };
        let when = day_or_instant(super::demands::day_of(instant));
        Some(format!("On {when} {links}; {regions}."))
    }
}

/// What every rule on transit means and leaves out.
pub(super) const WAYS: &str = "Ways within a region are never taken away, nor are those to clients and to other pods. \
     What a link declares is believed: nothing measures through where packets travel.";
