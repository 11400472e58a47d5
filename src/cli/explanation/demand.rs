//! What takes places away, in words, apart from any pod: the rule, what it cites, whom to ask.

use serde::Serialize;

use crate::placement::Refusal;
use crate::policy::{Cause, Policy, PolicySet};

/// A rule, or what stands in for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DemandInWords {
    /// `rule`, `uncovered`, `unlabelled`, `malformed-annotation`, `unreachable`, `over-limit`, `unmeasured` or
    /// `unknown-node`.
    pub cause: &'static str,
    /// `policy/rule`, for a rule.
    pub rule: Option<String>,
    /// What it demands.
    pub says: String,
    /// The title of the policy.
    pub title: Option<String>,
    /// What the policy cites.
    pub legal_basis: Vec<String>,
    /// The team that answers for it.
    pub team: Option<String>,
    /// Whom to ask.
    pub contact: Option<String>,
}

impl DemandInWords {
    /// Describes a cause of a set.
    #[must_use]
    pub fn new(set: &PolicySet, refusal: Refusal) -> Self {
        let (rule, policy) = match refusal {
            Refusal::Policy(Cause::Rule(index)) => {
                (set.rule_name(index), set.definitions().policies.get(index.policy))
            }
            _ => (None, None),
        };
        Self {
            cause: refusal.code().word(),
            rule,
            says: match refusal {
                Refusal::Policy(cause) => set.cause_in_words(cause),
                Refusal::Access(kind) => kind.in_words().to_owned(),
                Refusal::UnknownNode => "the fleet has no node of this name".to_owned(),
            },
            title: policy.map(|policy| policy.title.clone()),
            legal_basis: policy.map(Policy::cited).unwrap_or_default(),
            team: policy.map(|policy| policy.team.clone()),
            contact: policy.map(|policy| policy.contact.to_string()),
        }
    }

    /// `policy/rule`, or the word for what is no rule.
    #[must_use]
    pub fn short_name(&self) -> &str {
        self.rule.as_deref().unwrap_or(self.cause)
    }
}
