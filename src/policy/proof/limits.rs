//! What a proof rests on, and what it does not speak of.

use crate::model::RESTRICTED_REGION_LABEL;
use crate::policy::PolicySet;
use crate::policy::calendar::{day, last_day};
use crate::policy::definition::{RegionKeyTrust, Unlabelled};
use crate::policy::limits_of_control::LIMITS_OF_CONTROL;

impl PolicySet {
    /// What must be true for a proof to be true of the world.
    #[must_use]
    pub fn proofs_rest_on(&self) -> Vec<String> {
        let definitions = &self.definitions;
        let mut grounds = vec![
            "every region lies where the catalogue says, and operators and attestations are as it says"
                .to_owned(),
        ];
        grounds.extend(definitions.groups.iter().map(|group| {
            let review = last_day(group.review_by);
            let as_of = day(group.as_of);
            format!(
                "the group `{}` has the members of its file: as of {as_of}, to be reviewed by {review}",
                group.name
            )
        }));
        grounds.push(match definitions.settings.region_key {
            RegionKeyTrust::Topology => {
                "a node is in the region that its topology label says, which its kubelet may set".to_owned()
            }
            RegionKeyTrust::ProviderId => "a node is in the region that its providerID says".to_owned(),
            RegionKeyTrust::NodeRestriction { from } => format!(
                "a node is in the region that its topology label says, confirmed by the label \
                 `{RESTRICTED_REGION_LABEL}` for data of classification {} and above",
                from.word()
            ),
        });
        grounds.push("the data is what its namespace, volumes, data sets and pods say it is".to_owned());
        grounds
    }

    /// What a proof does not speak of.
    #[must_use]
    pub fn proofs_leave_out(&self) -> Vec<String> {
        let settings = &self.definitions.settings;
        let mut left_out = Vec::new();
        if settings.observe {
            left_out.push("the present: under `mode: observe` nothing is refused; what is proved would hold under `mode: enforce`".to_owned());
        }
        let unlabelled = match &settings.unlabelled {
            Unlabelled::Allow => "which run anywhere".to_owned(),
            Unlabelled::Deny => "which run nowhere".to_owned(),
            Unlabelled::ConfineTo(terms) => {
                format!("which run in {}", self.definitions.places_in_words(terms))
            }
        };
        left_out.push(format!(
            "pods of namespaces that say nothing about their data, {unlabelled}"
        ));
        left_out.push("pods of namespaces that state that they have no governed data".to_owned());
        let names = self.transit_rules().into_iter().map(|name| format!("`{name}`"));
        let names: Vec<String> = names.collect();
        if !names.is_empty() {
            left_out.push(format!(
                "what {} on routes: that only refuses more than what is proved here, and no guarantee speaks of routes",
                match names.as_slice() {
                    [one] => format!("{one} says"),
                    several => format!("{} say", several.join(" and ")),
                }
            ));
        }
        if !settings.exempt_namespaces.is_empty() {
            let names = settings.exempt_namespaces.iter().map(|name| format!("`{name}`"));
            left_out.push(format!(
                "what the exempt namespaces {} say about data",
                names.collect::<Vec<_>>().join(" and ")
            ));
        }
        if !self.definitions.exceptions.is_empty() {
            left_out.push("whether exceptions were really approved: their files assert it".to_owned());
        }
        left_out.extend(LIMITS_OF_CONTROL.map(str::to_owned));
        left_out
    }
}
