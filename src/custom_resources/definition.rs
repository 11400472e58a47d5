//! The definitions of our kinds that a cluster has.
//!
//! Inputs: the definition of a kind as the API server has it, if it has it. Output: what it has. Invariant: a definition is that of
//! this program where it bears the digest that this program writes. Deliberately absent: what API servers add to a definition.

use serde_json::Value;

use crate::policy::DEFINITION_ANNOTATION;

/// What a cluster has of the definition of a kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defined {
    /// None.
    Missing,
    /// One by which the API server serves no objects: it is deleted just now, or its names belong to another.
    NotServed,
    /// One, with the digest that it bears; `None` where it bears none.
    As(Option<String>),
}

impl Defined {
    /// Reads a CustomResourceDefinition.
    #[must_use]
    pub fn of(definition: &Value) -> Self {
        let conditions = definition.pointer("/status/conditions").and_then(Value::as_array);
        let is_served = conditions.into_iter().flatten().any(|condition| {
            condition.get("type").and_then(Value::as_str) == Some("Established")
                && condition.get("status").and_then(Value::as_str) == Some("True")
        });
        if !is_served || definition.pointer("/metadata/deletionTimestamp").is_some() {
            return Self::NotServed;
        }
        let annotations = definition.pointer("/metadata/annotations");
        let digest = annotations.and_then(|annotations| annotations.get(DEFINITION_ANNOTATION));
        Self::As(digest.and_then(Value::as_str).map(str::to_owned))
    }
}
