//! L15 for a fleet: nodes whose region the catalogue does not resolve, and statements of a node about its
//! region that disagree.
//!
//! Nodes that say the same are one finding, with their number and one of their names.

use std::collections::BTreeMap;

use super::references::{Unresolved, did_you_mean, unresolved};
use crate::model::{
    ByName, ContradictingProviders, NodeName, NodeRecord, PROVIDER_LABEL, RESTRICTED_REGION_LABEL, RegionKey,
    RegionReference,
};
use crate::policy::PolicySet;
use crate::policy::definition::RegionKeyTrust;
use crate::policy::finding::{Finding, Level, Position};

const TOPOLOGY_LABEL: &str = "topology.kubernetes.io/region";

/// What is wrong with what a node says about its region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    /// The catalogue does not have the region that counts; perhaps this one was meant.
    NotThere(RegionReference, Option<String>),
    /// Several providers have it.
    Ambiguous(RegionReference, Vec<RegionKey>),
    /// Nothing that counts says a region.
    NoRegion,
    /// A label and the providerID name different providers.
    Providers(ContradictingProviders),
    /// The topology label and the label that kubelets cannot set.
    Restricted(RegionReference, RegionReference),
    /// The settings ask for that label, and it is missing.
    Unconfirmed,
    /// The topology label and the providerID.
    ProviderId(RegionReference, RegionReference),
}

/// Lints what the nodes of a fleet say about their regions. Findings stand at the file as a whole.
#[must_use]
pub fn lint_nodes(
    set: &PolicySet,
    nodes: &ByName<NodeName, NodeRecord>,
    contradicting: &BTreeMap<NodeName, ContradictingProviders>,
    file: &str,
) -> Vec<Finding> {
    let mut troubles: BTreeMap<Trouble, (usize, &NodeName)> = BTreeMap::new();
    for (name, record) in nodes {
        for trouble in troubles_of(set, record, contradicting.get(name)) {
            let (count, _) = troubles.entry(trouble).or_insert((0, name));
            *count += 1;
        }
    }
    let at = Position {
        file: file.to_owned(),
        ..Position::default()
    };
    let findings = troubles.iter().map(|(trouble, (count, example))| {
        let nodes = match count {
            1 => format!("the node `{example}`"),
            several => format!("{several} nodes such as `{example}`"),
        };
        let (level, sentence, fix) = told(trouble, set.settings().region_key, &nodes);
        Finding {
            level,
            ..Finding::error("L15", at.clone(), sentence).with_fix(fix)
        }
    });
    findings.collect()
}

fn troubles_of(
    set: &PolicySet,
    record: &NodeRecord,
    contradicting: Option<&ContradictingProviders>,
) -> Vec<Trouble> {
    if let Some(providers) = contradicting {
        return vec![Trouble::Providers(providers.clone())];
    }
    let trust = set.settings().region_key;
    let by_label = record.locality.region.as_ref();
    let by_provider_id = record.provider_id_region.as_ref();
    let counts = match trust {
        RegionKeyTrust::ProviderId => by_provider_id,
        RegionKeyTrust::Topology | RegionKeyTrust::NodeRestriction { .. } => by_label,
    };
    let mut troubles = Vec::new();
    troubles.extend(match counts {
        None => Some(Trouble::NoRegion),
        Some(region) => unresolved(&set.catalogue, region).map(|why| match why {
            Unresolved::NotThere { near } => Trouble::NotThere(region.clone(), near.map(str::to_owned)),
            Unresolved::Ambiguous(keys) => {
                Trouble::Ambiguous(region.clone(), keys.into_iter().cloned().collect())
            }
        }),
    });
    let asks_for_confirmation = matches!(trust, RegionKeyTrust::NodeRestriction { .. });
    match (by_label, &record.restricted_region) {
        (Some(label), Some(restricted)) if !agree(set, label, restricted) => {
            troubles.push(Trouble::Restricted(label.clone(), restricted.clone()));
        }
        (Some(_), None) if asks_for_confirmation => troubles.push(Trouble::Unconfirmed),
        _ => {}
    }
    if let (Some(label), Some(provider_id)) = (by_label, by_provider_id)
        && label != provider_id
    {
        troubles.push(Trouble::ProviderId(label.clone(), provider_id.clone()));
    }
    troubles
}

/// Whether two references mean one region. The label that kubelets cannot set names no provider where only
/// a label does, so a bare region agrees where the catalogue says which it is, or where its name is the
/// same and nothing depends on it.
fn agree(set: &PolicySet, one: &RegionReference, other: &RegionReference) -> bool {
    let name = |reference: &RegionReference| match reference {
        RegionReference::Key(key) => key.region().to_owned(),
        RegionReference::Bare(region) => region.to_string(),
    };
    let (key, other_key) = (set.catalogue.resolve(one), set.catalogue.resolve(other));
    match (key, other_key) {
        (Some(key), Some(other_key)) => key == other_key,
        _ if matches!(set.settings().region_key, RegionKeyTrust::NodeRestriction { .. }) => one == other,
        _ => name(one) == name(other),
    }
}

/// The level, the sentence and the fix.
fn told(trouble: &Trouble, trust: RegionKeyTrust, nodes: &str) -> (Level, String, String) {
    match trouble {
        Trouble::NotThere(region, near) => {
            let sentence = format!("the region `{region}` of {nodes} is not in the catalogue");
            (Level::Error, sentence, did_you_mean(near.as_deref()))
        }
        Trouble::Ambiguous(region, keys) => {
            let providers: Vec<String> = keys.iter().map(|key| format!("`{}`", key.provider())).collect();
            let sentence = format!("the region `{region}` of {nodes} has several providers");
            let fix = format!("write the label `{PROVIDER_LABEL}`: {}", providers.join(" or "));
            (Level::Error, sentence, fix)
        }
        Trouble::NoRegion => {
            let (what, fix) = match trust {
                RegionKeyTrust::ProviderId => (
                    "providerID",
                    "let a cloud controller write it, or set `regionKey: topology`".to_owned(),
                ),
                RegionKeyTrust::Topology | RegionKeyTrust::NodeRestriction { .. } => (
                    "label",
                    format!("write the label `{TOPOLOGY_LABEL}` where governed data is to run"),
                ),
            };
            let sentence = format!("the region of {nodes} is not known: no {what} names it");
            (Level::Note, sentence, fix)
        }
        Trouble::Providers(ContradictingProviders {
            by_label,
            by_provider_id,
        }) => {
            let sentence = format!(
                "the label `{PROVIDER_LABEL}` of {nodes} says `{by_label}` and the providerID is one of \
                     `{by_provider_id}`: the region counts as unknown"
            );
            (Level::Note, sentence, "correct or remove the label".to_owned())
        }
        Trouble::Restricted(label, restricted) => {
            let sentence = format!(
                "two labels of {nodes} disagree: `{TOPOLOGY_LABEL}` says `{label}` and \
                     `{RESTRICTED_REGION_LABEL}` says `{restricted}`: {}",
                what_counts(trust)
            );
            (
                Level::Note,
                sentence,
                "correct the label that is wrong".to_owned(),
            )
        }
        Trouble::Unconfirmed => {
            let sentence = format!(
                "no label `{RESTRICTED_REGION_LABEL}` confirms the region of {nodes}: {}",
                what_counts(trust)
            );
            let fix = "let an administrator write the label";
            (Level::Note, sentence, fix.to_owned())
        }
        Trouble::ProviderId(label, provider_id) => {
            let counts = match trust {
                RegionKeyTrust::ProviderId => "the region counts as unknown",
                RegionKeyTrust::Topology | RegionKeyTrust::NodeRestriction { .. } => "the label counts",
            };
            let sentence = format!(
                "the label `{TOPOLOGY_LABEL}` of {nodes} says `{label}` and the providerID names \
                     `{provider_id}`: {counts}"
            );
            (Level::Note, sentence, "correct the label".to_owned())
        }
    }
}

/// What follows where the label that kubelets cannot set does not confirm the region.
fn what_counts(trust: RegionKeyTrust) -> String {
    match trust {
        RegionKeyTrust::Topology => "the first counts".to_owned(),
        RegionKeyTrust::ProviderId => "the providerID counts".to_owned(),
        RegionKeyTrust::NodeRestriction { from } => {
            format!(
                "data of classification {} and above does not run there",
                from.word()
            )
        }
    }
}
