//! The one constant sentence of a refusal (docs/policies.md, 3).
//!
//! Inputs: what restricts the pod, the places of the fleet, what is malformed. Invariants: the sentence
//! depends on the pod and the snapshot alone, never on the offered nodes; it has no node, region, time,
//! measurement or count in it, and no ", ", by which kube-scheduler joins reasons.

use super::PolicySet;
use super::catalogue::PlaceSet;
use super::definition::{Activity, Demand, Mode, RuleIndex};
use super::evaluate::{Cause, Verdict};
use super::phrase::demand_in_words;
use super::profile::{Profile, Source};
use crate::model::RESTRICTED_REGION_LABEL;

/// Where the nodes of a fleet are.
#[derive(Debug, Clone)]
pub struct PlacesOfFleet {
    /// The places that some node has.
    pub all: PlaceSet,
    /// Whether the region of some node is not confirmed by the label that kubelets cannot set.
    pub some_unconfirmed: bool,
}

/// An access that is refused, whatever the place of the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedAccess {
    /// Why, as a phrase.
    pub words: String,
    /// The rules that refuse it; none where no policy does.
    pub rules: Vec<RuleIndex>,
}

/// How many causes a sentence names.
const MOST_CAUSES: usize = 3;

/// Says why pods of this profile are refused on a fleet with these places. What refuses accesses is said
/// after what the policies permit, as far as there is room for it.
#[must_use]
pub fn sentence(
    set: &PolicySet,
    profile: &Profile,
    verdict: &Verdict,
    fleet: &PlacesOfFleet,
    of_accesses: &[RefusedAccess],
) -> String {
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
    let mut is_about_what_is_created = false;
    for restriction in refusing.take(MOST_CAUSES) {
        is_about_what_is_created |= set.is_about_what_is_kept(restriction.cause);
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
    if let Some(claim) = profile
        .claims
        .iter()
        .filter(|claim| claim.creates)
        // A pod may mount one claim both by its name and by a template.
        .min_by_key(|claim| (&claim.claim, claim.is_known))
        && is_about_what_is_created
    {
        let name = &claim.claim;
        parts.push(match claim.is_known {
            true => format!("its claim `{name}` is not bound so the pod creates data where it runs"),
            false => format!("its claim `{name}` is not known so the pod may create data where it runs"),
        });
    }
    let room = MOST_CAUSES.saturating_sub(parts.len());
    for of_access in of_accesses.iter().take(room) {
        parts.push(of_access.words.clone());
        for rule in &of_access.rules {
            if let Some(policy) = set.definitions.policies.get(rule.policy)
                && !contacts.contains(&&*policy.contact)
            {
                contacts.push(&policy.contact);
            }
        }
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
            Cause::StaleFacts => {
                "the cluster has not been heard for longer than `maxFactAge` allows for this data".to_owned()
            }
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

    /// Whether a rule is about data that is kept where a pod runs: what only processes it does not meet the rule.
    fn is_about_what_is_kept(&self, cause: Cause) -> bool {
        let Cause::Rule(index) = cause else {
            return false;
        };
        let rule = self.definitions.rule(index);
        rule.is_some_and(|rule| {
            !rule.activities.contains(Activity::Process)
                || matches!(
                    rule.demand,
                    Demand::NoReplicaOutside(_) | Demand::ReplicaMustExistIn(_)
                )
        })
    }

    /// `policy/rule`.
    #[must_use]
    pub fn rule_name(&self, index: RuleIndex) -> Option<String> {
        let policy = self.definitions.policies.get(index.policy)?;
        let rule = policy.rules.get(index.rule)?;
        Some(format!("{}/{}", policy.name, rule.id))
    }

    /// The names of the rules on transit, in order.
    #[must_use]
    pub fn transit_rules(&self) -> Vec<String> {
        let policies = self.definitions.policies.iter();
        let named = policies.flat_map(|policy| {
            let rules = policy.rules.iter();
            rules
                .filter(|rule| matches!(rule.demand, Demand::Transit(_)))
                .map(|rule| format!("{}/{}", policy.name, rule.id))
        });
        named.collect()
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
