//! Terms of required node affinity: terms are joined by or, the expressions of one by and.
//!
//! Invariant: what is said of two expressions holds for every node, after the Go source of kube-scheduler 1.36
//! (`component-helpers/scheduling/corev1/nodeaffinity`): `NotIn` admits a node without the label, an empty term none.

use serde::Serialize;

/// How an expression compares a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Operator {
    /// The label is there and has one of the values.
    In,
    /// The label is not there or has none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// It is not.
    DoesNotExist,
    /// The label is a number greater than the value.
    Gt,
    /// The label is a number less than the value.
    Lt,
}

impl Operator {
    /// Reads the word of Kubernetes; `None` where it is none.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let known = [
            ("In", Self::In),
            ("NotIn", Self::NotIn),
            ("Exists", Self::Exists),
            ("DoesNotExist", Self::DoesNotExist),
            ("Gt", Self::Gt),
            ("Lt", Self::Lt),
        ];
        known
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, operator)| *operator)
    }
}

/// What is asked of one label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Expression {
    /// The key of the label.
    pub key: String,
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

impl Expression {
    /// An expression; values keep their order.
    #[must_use]
    pub fn new<'a>(key: &str, operator: Operator, values: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            key: key.to_owned(),
            operator,
            values: values.into_iter().map(str::to_owned).collect(),
        }
    }

    /// Whether every node that this admits is surely admitted by the other too.
    #[must_use]
    pub fn implies(&self, other: &Self) -> bool {
        let has = |value: &String| other.values.contains(value);
        if self.key != other.key {
            return false;
        }
        match (self.operator, other.operator) {
            (Operator::In, Operator::In) => self.values.iter().all(has),
            (Operator::In, Operator::NotIn) => !self.values.iter().any(has),
            (Operator::NotIn, Operator::NotIn) => {
                other.values.iter().all(|value| self.values.contains(value))
            }
            (Operator::DoesNotExist, Operator::NotIn | Operator::DoesNotExist)
            | (Operator::In | Operator::Exists | Operator::Gt | Operator::Lt, Operator::Exists) => true,
            _ => self == other,
        }
    }

    /// Whether surely no node is admitted by both.
    #[must_use]
    pub fn contradicts(&self, other: &Self) -> bool {
        if self.key != other.key {
            return false;
        }
        let within = |one: &Self, of: &Self| one.values.iter().all(|value| of.values.contains(value));
        match (self.operator, other.operator) {
            (Operator::In, Operator::In) => !self.values.iter().any(|value| other.values.contains(value)),
            (Operator::In, Operator::NotIn) => within(self, other),
            (Operator::NotIn, Operator::In) => within(other, self),
            (Operator::DoesNotExist, Operator::In | Operator::Exists)
            | (Operator::In | Operator::Exists, Operator::DoesNotExist) => true,
            _ => false,
        }
    }
}

/// A term of ours: all its expressions hold. It has at least one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Term {
    /// The expressions, in the order in which they are written.
    #[serde(rename = "matchExpressions")]
    pub expressions: Vec<Expression>,
}

/// A term that a pod has already.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnTerm {
    /// What it asks of labels, as far as it can be read.
    pub expressions: Vec<Expression>,
    /// Whether it asks for anything at all, of labels or of fields: a term that does not matches no node.
    pub is_empty: bool,
}

#[cfg(test)]
mod tests {
    use super::Operator::{DoesNotExist, Exists, Gt, In, NotIn};
    use super::*;

    fn of(operator: Operator, values: &[&str]) -> Expression {
        Expression::new("zone", operator, values.iter().copied())
    }

    #[test]
    fn what_follows_from_what_and_what_cannot_be_together() {
        for (one, other, implies, contradicts) in [
            (of(In, &["a"]), of(In, &["a", "b"]), true, false),
            (of(In, &["a", "b"]), of(In, &["a"]), false, false),
            (of(In, &["a"]), of(In, &["b"]), false, true),
            (of(In, &["a"]), of(NotIn, &["b"]), true, false),
            (of(In, &["a"]), of(NotIn, &["a", "b"]), false, true),
            (of(NotIn, &["a", "b"]), of(In, &["a"]), false, true),
            (of(NotIn, &["a", "b"]), of(In, &["a", "c"]), false, false),
            (of(NotIn, &["a", "b"]), of(NotIn, &["a"]), true, false),
            (of(NotIn, &["a"]), of(NotIn, &["a", "b"]), false, false),
            (of(DoesNotExist, &[]), of(NotIn, &["a"]), true, false),
            (of(DoesNotExist, &[]), of(DoesNotExist, &[]), true, false),
            (of(DoesNotExist, &[]), of(Exists, &[]), false, true),
            (of(Exists, &[]), of(DoesNotExist, &[]), false, true),
            (of(In, &["a"]), of(DoesNotExist, &[]), false, true),
            (of(In, &["a"]), of(Exists, &[]), true, false),
            (of(Gt, &["1"]), of(Exists, &[]), true, false),
            (of(Gt, &["1"]), of(Gt, &["1"]), true, false),
            (of(Gt, &["1"]), of(Gt, &["0"]), false, false),
            (of(Exists, &[]), of(NotIn, &["a"]), false, false),
        ] {
            assert_eq!(one.implies(&other), implies, "{one:?} implies {other:?}");
            assert_eq!(one.contradicts(&other), contradicts, "{one:?} against {other:?}");
            let elsewhere = Expression {
                key: "rack".to_owned(),
                ..other
            };
            assert!(!one.implies(&elsewhere) && !one.contradicts(&elsewhere));
        }
    }

    #[test]
    fn expressions_are_written_as_kubernetes_reads_them() {
        let written = serde_json::to_string(&Term {
            expressions: vec![of(In, &["a"]), of(DoesNotExist, &[])],
        });
        assert_eq!(
            written.ok().as_deref(),
            Some(
                r#"{"matchExpressions":[{"key":"zone","operator":"In","values":["a"]},{"key":"zone","operator":"DoesNotExist"}]}"#
            )
        );
    }
}
