//! References to rules and to regions of the catalogue, as exceptions, tests and links write them.

use crate::model::{RegionKey, RegionReference, nearest_word};
use crate::policy::catalogue::Catalogue;
use crate::policy::definition::{Policy, RuleIndex};
use crate::policy::finding::Position;
use crate::policy::words::Reader;

/// Finds a rule by the names of its policy and its own, each with its position. Where some object could
/// not be read, that may be the policy that is missing.
pub(super) fn rule(
    (policy_name, policy_at): (&str, Position),
    (rule_id, rule_at): (&str, Position),
    (policies, incomplete): (&[Policy], bool),
    reader: &mut Reader,
) -> Option<RuleIndex> {
    let named = |policy: &Policy| *policy.name == *policy_name;
    let Some(policy) = policies.iter().position(named) else {
        if !incomplete {
            let near = nearest_word(policy_name, policies.iter().map(|policy| &*policy.name));
            let fix = near.map(|near| format!("did you mean `{near}`?"));
            let sentence = format!("no policy is called `{policy_name}`");
            reader.error("L04", policy_at, sentence, fix);
        }
        return None;
    };
    let rules = policies.get(policy).map(|policy| &*policy.rules);
    let rules = rules.unwrap_or_default();
    let Some(rule) = rules.iter().position(|rule| *rule.id == *rule_id) else {
        let near = nearest_word(rule_id, rules.iter().map(|rule| &*rule.id));
        let fix = near.map(|near| format!("did you mean `{near}`?"));
        let sentence = format!("the policy `{policy_name}` has no rule `{rule_id}`");
        reader.error("L04", rule_at, sentence, fix);
        return None;
    };
    Some(RuleIndex { policy, rule })
}

/// Finds a region by its key, or by its own name where one provider has it. `otherwise` is how to mend it
/// where nothing is near. Where some object could not be read, that may be the region that is missing.
pub(super) fn region(
    word: &str,
    at: Position,
    (catalogue, incomplete): (&Catalogue, bool),
    otherwise: &str,
    reader: &mut Reader,
) -> Option<RegionKey> {
    let reference = match RegionReference::parse(word) {
        Ok(reference) => reference,
        Err(problem) => {
            reader.error("L03", at, problem.to_string(), None);
            return None;
        }
    };
    if let Some(key) = catalogue.resolve(&reference) {
        return Some(key.clone());
    }
    if incomplete {
        return None;
    }
    let keys = || catalogue.regions().map(|region| &region.key);
    let fix = match &reference {
        RegionReference::Bare(bare) => {
            let same = keys().filter(|key| key.region() == &**bare);
            let same: Vec<String> = same.map(|key| format!("`{key}`")).collect();
            let near = nearest_word(bare, keys().map(|key| key.region()));
            match near {
                _ if !same.is_empty() => Some(format!("write {}", same.join(" or "))),
                near => near.map(|near| format!("did you mean `{near}`?")),
            }
        }
        RegionReference::Key(key) => {
            let near = nearest_word(key.as_str(), keys().map(|key| key.as_str()));
            near.map(|near| format!("did you mean `{near}`?"))
        }
    };
    let sentence = format!("the region `{reference}` is not in the catalogue");
    reader.error(
        "L03",
        at,
        sentence,
        Some(fix.unwrap_or_else(|| otherwise.to_owned())),
    );
    None
}
