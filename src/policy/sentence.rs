//! The one constant sentence of a refusal (docs/policies.md, 3).
//!
//! Inputs: what restricts the pod, the places of the fleet, what is malformed. Invariants: the sentence
//! depends on the pod and the snapshot alone, never on the offered nodes; it has no node, region, time,
//! measurement or count in it, and no ", ", by which kube-scheduler joins reasons.

use super::PolicySet;
use super::catalogue::PlaceSet;
use super::definition::RuleIndex;
use super::definition::{Definitions, Demand, Mode, Requirement};
use super::evaluate::{Cause, Verdict};
use super::profile::{Profile, Source};
use crate::model::{KeyCustody, RESTRICTED_REGION_LABEL, Tenancy};

/// Where the nodes of a fleet are.
#[derive(Debug, Clone)]
pub struct PlacesOfFleet {
    /// The places that some node has.
    pub all: PlaceSet,
    /// Whether the region of some node is not confirmed by the label that kubelets cannot set.
    pub some_unconfirmed: bool,
}

/// How many causes a sentence names.
const MOST_CAUSES: usize = 3;

/// Says why pods of this profile are refused on a fleet with these places.
#[must_use]
pub fn sentence(set: &PolicySet, profile: &Profile, verdict: &Verdict, fleet: &PlacesOfFleet) -> String {
    // The pod's own first, then the least, so that the sentence is constant.
    let malformed = profile.malformed.iter();
    if let Some((source, malformed)) = malformed.min_by_key(|(source, malformed)| {
        (
            *source != Source::Pod,
            source,
            &malformed.annotation,
            &malformed.problem,
        )
    }) {
        return format!(
            "domicile: annotation `{}` on {source}: {}",
            malformed.annotation, malformed.problem
        );
    }
    let mut parts: Vec<String> = Vec::new();
    let mut contacts: Vec<&str> = Vec::new();
    let refusing = verdict
        .restrictions
        .iter()
        .filter(|restriction| restriction.mode == Mode::Enforce && !fleet.all.is_within(&restriction.admits));
    for restriction in refusing.take(MOST_CAUSES) {
        parts.push(set.cause_in_words(restriction.cause));
        if let Cause::Rule(index) = restriction.cause
            && let Some(policy) = set.definitions.policies.get(index.policy)
            && !contacts.contains(&&*policy.contact)
        {
            contacts.push(&policy.contact);
        }
    }
    // Confirmation is asked for by several rules alike, so it is said once.
    if verdict.needs_confirmed_region && fleet.some_unconfirmed && parts.len() < MOST_CAUSES {
        parts.push(format!(
            "this data runs only where the label `{RESTRICTED_REGION_LABEL}` confirms the region of the node"
        ));
    }
    if parts.is_empty() {
        return "domicile: only nodes that are known are permitted; a new node is known within seconds"
            .to_owned();
    }
    let mut said = format!("domicile: {}", parts.join("; "));
    if !contacts.is_empty() {
        said.push_str("; ask ");
        said.push_str(&contacts.join(" or "));
    }
    said
}

impl PolicySet {
    /// A cause as what it permits: "`eea-personal-data/place` permits only group EEA".
    #[must_use]
    pub fn cause_in_words(&self, cause: Cause) -> String {
        match cause {
            Cause::Malformed => "an annotation cannot be read".to_owned(),
            Cause::Uncovered => {
                "no policy permits this data anywhere; declare it or ask for a policy".to_owned()
            }
            Cause::Unlabelled => match &self.definitions.settings.unlabelled {
                super::definition::Unlabelled::ConfineTo(terms) => {
                    format!(
                        "data that nobody labelled is confined to {}",
                        self.definitions.places_in_words(terms)
                    )
                }
                _ => "data that nobody labelled may not run; annotate the namespace".to_owned(),
            },
            Cause::Rule(index) => match (self.rule_name(index), self.demand(index)) {
                (Some(name), Some(demand)) => {
                    format!("`{name}` {}", demand_in_words(&self.definitions, demand))
                }
                _ => "a rule refuses".to_owned(),
            },
        }
    }

    /// `policy/rule`.
    #[must_use]
    pub fn rule_name(&self, index: RuleIndex) -> Option<String> {
        let policy = self.definitions.policies.get(index.policy)?;
        let rule = policy.rules.get(index.rule)?;
        Some(format!("{}/{}", policy.name, rule.id))
    }

    fn demand(&self, index: RuleIndex) -> Option<&Demand> {
        Some(
            &self
                .definitions
                .policies
                .get(index.policy)?
                .rules
                .get(index.rule)?
                .demand,
        )
    }
}

fn demand_in_words(definitions: &Definitions, demand: &Demand) -> String {
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
        Demand::ReplicaMustExistIn(terms) => format!(
            "permits new copies elsewhere only where one is in {}",
            definitions.places_in_words(terms)
        ),
    }
}

fn requirement_in_words(definitions: &Definitions, requirement: &Requirement) -> String {
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
