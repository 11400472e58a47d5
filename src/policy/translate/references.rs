//! References to rules, as exceptions and tests write them.

use crate::model::nearest_word;
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
