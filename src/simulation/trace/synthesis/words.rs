//! The rules of a synthesis in words, for whoever reads its results.

use super::fleet::FleetRules;
use super::rules::{AccessRule, DataKind, Grouping, RegionShare, SynthesisRules};
use crate::model::RegionKey;

impl SynthesisRules {
    /// Each rule in a sentence.
    #[must_use]
    pub fn rules_in_words(&self) -> Vec<String> {
        let mut words = vec![format!(
            "a node that does not say where it is gets a region by share: {}; the nodes of a region take its zones in turn",
            regions_in_words(&self.regions)
        )];
        let total: u32 = self.data.kinds.iter().map(|kind| kind.share).sum();
        words.push(match self.data.by {
            Grouping::Workload => {
                "each workload of a namespace that nobody declared draws a kind of data by share, and its pods \
                 move to the namespace NAMESPACE-KIND"
            }
            Grouping::Namespace => "each namespace that nobody declared draws a kind of data by share",
        }.to_owned());
        words.extend(self.data.kinds.iter().map(|kind| kind_in_words(kind, total)));
        words.push(format!(
            "a workload uses {} data sets of its kind; the k-th is drawn with weight 1/k^{} (Zipf)",
            self.data.data_sets_of_workload, self.data.zipf
        ));
        words.extend(self.access.iter().map(access_in_words));
        words.push(format!(
            "a client is in a region of the kind of data in {}% of the cases, and else in any; both by share",
            self.data.clients_at_home_percent
        ));
        words
    }
}

impl FleetRules {
    /// Each rule in a sentence.
    #[must_use]
    pub fn rules_in_words(&self) -> Vec<String> {
        let total: u32 = self.shapes.iter().map(|shape| shape.share).sum();
        let mut words = vec![format!(
            "{} nodes in regions by share, evenly over their zones: {}",
            self.nodes,
            regions_in_words(&self.regions)
        )];
        words.extend(self.shapes.iter().map(|shape| {
            let holds = shape
                .allocatable
                .iter()
                .map(|(resource, amount)| format!("{resource} {amount}"));
            let holds: Vec<String> = holds.collect();
            format!(
                "{} of {total} nodes are `{}`: {}",
                shape.share,
                shape.name,
                holds.join(", ")
            )
        }));
        words
    }
}

fn regions_in_words(regions: &[RegionShare]) -> String {
    let total: u32 = regions.iter().map(|share| share.share).sum();
    let shares = regions
        .iter()
        .map(|share| format!("{} {}", share.region, share.share));
    format!("{} of {total}", shares.collect::<Vec<_>>().join(", "))
}

fn kind_in_words(kind: &DataKind, total: u32) -> String {
    let what = match &kind.profile {
        None => "data that no law governs".to_owned(),
        Some(profile) => format!(
            "{} data, {}, about people in {}",
            profile.classification,
            profile.categories.join(" and "),
            profile.subjects.join(", ")
        ),
    };
    let places = match kind.regions.as_slice() {
        [] => "any region".to_owned(),
        regions => regions
            .iter()
            .map(RegionKey::as_str)
            .collect::<Vec<_>>()
            .join(", "),
    };
    format!(
        "{} of {total} are `{}`: {what}; {} data sets, {}, with {} copies each in {places}",
        kind.share, kind.name, kind.data_sets, kind.consistency, kind.copies
    )
}

fn access_in_words(rule: &AccessRule) -> String {
    let pods = rule.pods.iter().map(|(key, value)| format!("`{key}={value}`"));
    let pods: Vec<String> = pods.collect();
    let pods = match pods.as_slice() {
        [] => "any other workload".to_owned(),
        pods => format!("a workload of {}", pods.join(" and ")),
    };
    let range = |[first, last]: [u32; 2], thing: &str| match first == last {
        true => format!("{first} {thing}"),
        false => format!("{first} to {last} {thing}"),
    };
    let clients = match rule.client_regions {
        0 => "nobody waits for it".to_owned(),
        1 => "its clients are in 1 region".to_owned(),
        regions => format!("its clients are in {regions} regions"),
    };
    format!(
        "{pods} asks each of its data sets for {} and {} for each request; {clients}",
        range(rule.reads, "reads"),
        range(rule.writes, "writes")
    )
}
