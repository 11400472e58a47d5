//! L03: certifications that nobody holds, written almost as others. L15: replicas at regions that the
//! catalogue does not have, or has twice.

use std::collections::BTreeSet;

use super::Found;
use crate::model::{RegionReference, nearest_word};
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

    pub(super) fn replicas(&mut self) {
        let set = self.set;
        let catalogue = &set.catalogue;
        for data_set in set.data_sets.values() {
            let unknown = Position::default();
            let at = set
                .written_at
                .data_sets
                .get(data_set.name.as_str())
                .unwrap_or(&unknown);
            let references = data_set
                .replicas
                .iter()
                .filter_map(|replica| replica.locality.region.as_ref());
            for reference in references {
                if catalogue.resolve(reference).is_some() {
                    continue;
                }
                let keys = catalogue.regions().map(|region| &region.key);
                let (sentence, fix) = match reference {
                    RegionReference::Bare(bare) => {
                        let with_provider: Vec<String> = keys
                            .filter(|key| key.region() == &**bare)
                            .map(|key| format!("`{key}`"))
                            .collect();
                        if with_provider.len() > 1 {
                            let sentence = format!("the region `{bare}` has several providers");
                            (sentence, format!("write {}", with_provider.join(" or ")))
                        } else {
                            let regions = catalogue.regions().map(|region| region.key.region());
                            (not_in_catalogue(reference), did_you_mean(bare, regions))
                        }
                    }
                    RegionReference::Key(key) => {
                        let fix = did_you_mean(key.as_str(), keys.map(|key| key.as_str()));
                        (not_in_catalogue(reference), fix)
                    }
                };
                let sentence = format!("a replica of `{}`: {sentence}", data_set.name);
                self.add(Level::Error, "L15", at, sentence, &fix);
            }
        }
    }
}

fn not_in_catalogue(reference: &RegionReference) -> String {
    format!("the region `{reference}` is not in the catalogue")
}

fn did_you_mean<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> String {
    match nearest_word(written, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "add a Region object for it".to_owned(),
    }
}
