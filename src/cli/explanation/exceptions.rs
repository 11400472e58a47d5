//! Exceptions as people read them: what they lift, until when, and who answers for them.

use serde::Serialize;

use crate::policy::{Exception, PolicySet};

/// An exception that makes a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExceptionUse {
    /// Its name.
    pub name: String,
    /// `policy/rule` of the refusal that it lifts.
    pub rule: String,
    /// The first instant at which it is over.
    pub until: String,
    /// Who approved it.
    pub approved_by: String,
    /// Where the approval is filed.
    pub ticket: String,
}

impl ExceptionUse {
    /// Describes an exception of a set.
    #[must_use]
    pub fn new(set: &PolicySet, exception: &Exception) -> Self {
        Self {
            name: exception.name.to_string(),
            rule: set.rule_name(exception.relaxes).unwrap_or_default(),
            until: exception.expires.to_string(),
            approved_by: exception.approved_by.clone(),
            ticket: exception.ticket.clone(),
        }
    }

    /// One line.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!(
            "permitted under the exception `{}` until {}; without it `{}` refuses ({}, approved by {})",
            self.name, self.until, self.rule, self.ticket, self.approved_by
        )
    }
}
