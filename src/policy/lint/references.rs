//! L03: certifications that nobody holds, written almost as others. L15: replicas at regions that the
//! catalogue does not have, or has twice.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use crate::model::{DataSet, DataSetName, RegionKey, RegionReference, nearest_word};
use crate::policy::catalogue::Catalogue;
use crate::policy::definition::{Demand, Requirement};
use crate::policy::finding::{Level, Position};

impl Found<'_> {
    pub(super) fn certifications(&mut self) {
        let set = self.set;
        let held: BTreeSet<&str> = set
            .catalogue
            .places()
            .flat_map(|(_, place)| place.facts.certifications.iter().flatten())
            .map(|certification| &*certification.scheme)
            .collect();
        let of_rules = set.definitions.policies.iter().flat_map(|policy| &policy.rules);
        let of_rules = of_rules.filter_map(|rule| match &rule.demand {
            Demand::Required(requirement) => Some((requirement, &rule.written_at)),
            _ => None,
        });
        let of_members = set.definitions.groups.iter().flat_map(|group| {
            let requirements = group.members.iter().filter_map(|member| member.required.as_ref());
            requirements.map(|requirement| (requirement, &group.written_at))
        });
        let requirements: Vec<(&Requirement, &Position)> = of_rules.chain(of_members).collect();
        for (requirement, at) in requirements {
            for wanted in requirement.certifications.iter().flatten() {
                let scheme = &*wanted.scheme;
                if held.contains(scheme) {
                    continue;
                }
                if let Some(near) = nearest_word(scheme, held.iter().copied()) {
                    let sentence = format!("no region has a certification `{scheme}`");
                    self.add(
                        Level::Error,
                        "L03",
                        at,
                        sentence,
                        &format!("did you mean `{near}`?"),
                    );
                }
            }
        }
    }

    pub(super) fn replicas(
        &mut self,
        data_sets: &BTreeMap<DataSetName, DataSet>,
        written_at: &BTreeMap<DataSetName, Position>,
    ) {
        let catalogue = &self.set.catalogue;
        for data_set in data_sets.values() {
            let unknown = Position::default();
            let at = written_at.get(&data_set.name).unwrap_or(&unknown);
            let references = data_set
                .replicas
                .iter()
                .filter_map(|replica| replica.locality.region.as_ref());
            for reference in references {
                let (sentence, fix) = match unresolved(catalogue, reference) {
                    None => continue,
                    Some(Unresolved::Ambiguous(keys)) => {
                        let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
                        let sentence = format!("the region `{reference}` has several providers");
                        (sentence, format!("write {}", keys.join(" or ")))
                    }
                    Some(Unresolved::NotThere { near }) => {
                        let sentence = format!("the region `{reference}` is not in the catalogue");
                        (sentence, did_you_mean(near))
                    }
                };
                let sentence = format!("a replica of `{}`: {sentence}", data_set.name);
                self.add(Level::Error, "L15", at, sentence, &fix);
            }
        }
    }
}

/// Why a reference means no region of the catalogue.
pub(super) enum Unresolved<'a> {
    /// Several providers have a region of this name.
    Ambiguous(Vec<&'a RegionKey>),
    /// None has; perhaps this one was meant.
    NotThere { near: Option<&'a str> },
}

/// What keeps a reference from meaning one region; `None` where nothing does.
pub(super) fn unresolved<'a>(
    catalogue: &'a Catalogue,
    reference: &RegionReference,
) -> Option<Unresolved<'a>> {
    if catalogue.resolve(reference).is_some() {
        return None;
    }
    let keys = || catalogue.regions().map(|region| &region.key);
    let near = match reference {
        RegionReference::Key(key) => nearest_word(key.as_str(), keys().map(RegionKey::as_str)),
        RegionReference::Bare(bare) => {
            let same: Vec<&RegionKey> = keys().filter(|key| key.region() == &**bare).collect();
            if !same.is_empty() {
                return Some(Unresolved::Ambiguous(same));
            }
            nearest_word(bare, keys().map(RegionKey::region))
        }
    };
    Some(Unresolved::NotThere { near })
}

pub(super) fn did_you_mean(near: Option<&str>) -> String {
    match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "add a Region object for it".to_owned(),
    }
}
