//! Phrases that the sentences of refusals, lists and explanations share.
//!
//! Inputs: parts of definitions. Outputs: phrases to be put into a sentence. Invariants: a phrase has no ", " in
//! it, by which kube-scheduler joins reasons, and depends on its part alone, on no instant.

use super::definition::{DataSelector, Definitions, Demand, PathUnknown, Requirement, SubjectSelector};
use crate::model::{Category, KeyCustody, Tenancy};

/// What a rule permits: "permits only group EEA".
#[must_use]
pub fn demand_in_words(definitions: &Definitions, demand: &Demand) -> String {
    match demand {
        Demand::Allowed(terms) => format!("permits only {}", definitions.places_in_words(terms)),
        Demand::Denied(terms) => format!("permits no place in {}", definitions.places_in_words(terms)),
        Demand::Required(requirement) => {
            format!(
                "permits only places {}",
                requirement_in_words(definitions, requirement)
            )
        }
        Demand::PrimaryMustBeIn(terms) => format!(
            "permits writes only to data sets with every leader in {}",
            definitions.places_in_words(terms)
        ),
        Demand::FromReplicaIn(terms) => format!(
            "permits reads only from data sets with a replica in {}",
            definitions.places_in_words(terms)
        ),
        Demand::NoReplicaOutside(terms) => format!(
            "permits new copies only in {}",
            definitions.places_in_words(terms)
        ),
        Demand::Transit(transit) => {
            let declared = match transit.when_path_unknown {
                PathUnknown::Deny => "declared ",
                PathUnknown::Warn => "",
            };
            format!(
                "permits only {declared}routes outside {}",
                definitions.places_in_words(&transit.forbid)
            )
        }
        Demand::ReplicaMustExistIn(terms) => format!(
            "permits new copies elsewhere only where one is in {}",
            definitions.places_in_words(terms)
        ),
    }
}

/// What a place must meet, as it stands behind "places": "attested for PCI-DSS".
#[must_use]
pub fn requirement_in_words(definitions: &Definitions, requirement: &Requirement) -> String {
    let mut parts = Vec::new();
    if let Some(entities) = &requirement.legal_entity {
        parts.push(format!(
            "operated by {}",
            entities.join(" or ").replace(", ", " ")
        ));
    }
    if let Some(terms) = &requirement.controlled_from {
        parts.push(format!(
            "whose operator is controlled from {}",
            definitions.places_in_words(terms)
        ));
    }
    if let Some(terms) = &requirement.admin_access_from {
        parts.push(format!(
            "that are administered from {}",
            definitions.places_in_words(terms)
        ));
    }
    if let Some(wanted) = &requirement.certifications {
        let wanted: Vec<String> = wanted
            .iter()
            .map(|wanted| match &wanted.level {
                Some(level) => format!("{} {level}", wanted.scheme),
                None => wanted.scheme.to_string(),
            })
            .collect();
        parts.push(format!("attested for {}", wanted.join(" or ").replace(", ", " ")));
    }
    if let Some(custody) = &requirement.key_custody {
        let words: Vec<&str> = custody
            .iter()
            .map(|custody| match custody {
                KeyCustody::Provider => "the provider",
                KeyCustody::Customer => "the customer",
                KeyCustody::External => "an external service",
            })
            .collect();
        parts.push(format!("where {} holds the keys", words.join(" or ")));
    }
    if let Some(tenancy) = &requirement.tenancy {
        let words: Vec<&str> = tenancy
            .iter()
            .map(|tenancy| match tenancy {
                Tenancy::Shared => "shared",
                Tenancy::Dedicated => "dedicated",
            })
            .collect();
        parts.push(format!("on {} machines", words.join(" or ")));
    }
    parts.join(" and ")
}

/// What data a selector speaks of: "personal or health data about people of group EEA".
#[must_use]
pub fn selector_in_words(definitions: &Definitions, selector: &DataSelector) -> String {
    let mut said = match &selector.categories {
        None => "data".to_owned(),
        Some(categories) => {
            let names: Vec<&str> = categories
                .iter()
                .flatten()
                .map(|category| Category::word(*category))
                .collect();
            match (names.is_empty(), categories.contains(&None)) {
                (true, _) => "data of no category".to_owned(),
                (false, false) => format!("{} data", names.join(" or ")),
                (false, true) => format!("{} data or data of no category", names.join(" or ")),
            }
        }
    };
    if let Some(subjects) = &selector.subjects {
        let mut of_people = Vec::new();
        let mut of_nobody = false;
        for subject in subjects {
            match subject {
                SubjectSelector::None => of_nobody = true,
                SubjectSelector::Place(term) => of_people.push(term.clone()),
            }
        }
        if !of_people.is_empty() {
            said.push_str(" about people of ");
            said.push_str(&definitions.places_in_words(&of_people));
        }
        if of_nobody {
            said.push_str(if of_people.is_empty() { "" } else { " or" });
            said.push_str(" about no person");
        }
    }
    if let Some(least) = selector.at_least {
        said.push_str(&format!(" that is {} or more sensitive", least.word()));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::PolicySet;

    #[test]
    fn data_is_said_by_category_people_and_sensitivity() {
        for (selector, words) in [
            ("categories: [personal]", "personal data"),
            ("categories: [none]", "data of no category"),
            (
                "categories: [none, financial, telemetry]",
                "financial or telemetry data or data of no category",
            ),
            (
                "subjects: [\"DE\", none]",
                "data about people of DE or about no person",
            ),
            ("subjects: [none]", "data about no person"),
            (
                "classification: {atLeast: confidential}",
                "data that is confidential or more sensitive",
            ),
            (
                "classification: {atLeast: internal}, categories: [payment], subjects: [\"DE\", \"FR\"]",
                "payment data about people of DE or FR that is internal or more sensitive",
            ),
        ] {
            let text = format!(
                "apiVersion: domicile.dev/v1alpha1\nkind: PolicySettings\nmetadata: {{name: s}}\n\
                 spec: {{mode: enforce, uncovered: deny, unlabelled: allow, regionKey: topology}}\n---\n\
                 apiVersion: domicile.dev/v1alpha1\nkind: PlacementPolicy\nmetadata: {{name: p}}\n\
                 spec: {{title: t, owner: {{team: a, contact: b}}, legalBasis: [{{cite: c}}], mode: enforce, \
                 appliesTo: {{data: {{{selector}}}}}, rules: [{{id: r, allowed: [\"DE\"]}}]}}\n"
            );
            let loaded = PolicySet::load([("a.yaml", text.as_str())]).expect(selector);
            let definitions = loaded.set.definitions();
            let data = definitions.policies[0].applies_to[0]
                .data
                .as_ref()
                .expect(selector);
            assert_eq!(selector_in_words(definitions, data), words);
        }
    }
}
