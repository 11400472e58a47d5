//! Changes to a pod as a JSON Patch (RFC 6902).
//!
//! Inputs: what the pod has, what it should have. Output: operations, in order. Invariants: nothing is written that is
//! there already; an object that is missing or `null` on the way is made; a term of the pod keeps everything that
//! stands in it, known or not.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::merge::{MergedTerm, adds_nothing, merge};
use super::term::{Expression, Operator, OwnTerm, Term};
use crate::objects::ObjectError;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const TERMS: &str = "nodeSelectorTerms";
const EXPRESSIONS: &str = "matchExpressions";
const FIELDS: &str = "matchFields";

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Operation {
    /// Adds a value, or puts it in the place of the one that is there.
    Add {
        /// Where, as a JSON Pointer.
        path: String,
        /// What.
        value: Value,
    },
    /// Puts a value in the place of the one that is there.
    Replace {
        /// Where.
        path: String,
        /// What.
        value: Value,
    },
    /// Takes a value away.
    Remove {
        /// Where.
        path: String,
    },
}

/// A JSON Pointer (RFC 6901).
pub(super) fn pointer(parts: &[&str]) -> String {
    let escaped = parts
        .iter()
        .map(|part| part.replace('~', "~0").replace('/', "~1"));
    escaped.fold(String::new(), |path, part| path + "/" + &part)
}

/// Confines a pod to our terms. `affinity` is `spec.affinity` as the pod has it.
///
/// # Errors
/// Where what the pod has is no affinity.
pub(super) fn confine(affinity: Option<&Value>, ours: &[Term]) -> Result<Vec<Operation>, ObjectError> {
    let path = ["spec", "affinity", "nodeAffinity", REQUIRED];
    let required = |terms: Vec<Value>| json!({ TERMS: terms });
    let mut there = affinity.filter(|value| !value.is_null());
    // The deepest object that is there, and how many of the path it takes.
    for depth in 2..=path.len() {
        let (parents, missing) = path.split_at(depth);
        let Some(value) = there else {
            let terms = merge(None, ours);
            let all = required(terms.iter().map(|term| written(None, &term.added)).collect());
            // What is missing below the one that is added.
            let value = missing
                .iter()
                .rev()
                .fold(all, |inner, name| json!({ *name: inner }));
            return Ok(vec![Operation::Add {
                path: pointer(parents),
                value,
            }]);
        };
        let object = value.as_object().ok_or_else(|| wrong(parents, "an object"))?;
        if let [next, ..] = missing {
            there = object.get(*next).filter(|value| !value.is_null());
        }
    }
    let terms = there
        .and_then(|required| required.get(TERMS))
        .filter(|terms| !terms.is_null());
    // A selector without a list of terms matches no node, and the API server refuses it.
    let Some(terms) = terms else {
        return Ok(Vec::new());
    };
    let mut at = path.to_vec();
    at.push(TERMS);
    let terms = terms.as_array().ok_or_else(|| wrong(&at, "a list"))?;
    let own: Vec<OwnTerm> = terms
        .iter()
        .map(|term| own_term(term, &at))
        .collect::<Result<_, _>>()?;
    let merged = merge(Some(&own), ours);
    if adds_nothing(&own, &merged) {
        return Ok(Vec::new());
    }
    let is_one_for_each = merged.len() == own.len();
    Ok(match is_one_for_each {
        true => gains(terms, &merged, &at),
        false => {
            let value = merged
                .iter()
                .map(|term| written(term.own.and_then(|own| terms.get(own)), &term.added));
            let path = pointer(&at);
            vec![Operation::Replace {
                path,
                value: value.collect(),
            }]
        }
    })
}

/// The operations where each term of the pod gains expressions and none becomes two.
fn gains(terms: &[Value], merged: &[MergedTerm<'_>], at: &[&str]) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (number, (term, merged)) in terms.iter().zip(merged).enumerate() {
        if merged.added.is_empty() {
            continue;
        }
        let number = number.to_string();
        let path = |last: &[&str]| pointer(&[at, &[number.as_str(), EXPRESSIONS], last].concat());
        let has_list = term.get(EXPRESSIONS).is_some_and(Value::is_array);
        if has_list {
            let each = merged.added.iter().map(|added| Operation::Add {
                path: path(&["-"]),
                value: json!(added),
            });
            operations.extend(each);
        } else {
            let value = json!(merged.added);
            operations.push(Operation::Add {
                path: path(&[]),
                value,
            });
        }
    }
    operations
}

/// A term with what it gains.
fn written(own: Option<&Value>, added: &[&Expression]) -> Value {
    let mut term: Map<String, Value> = own.and_then(Value::as_object).cloned().unwrap_or_default();
    if !added.is_empty() {
        let list = term.entry(EXPRESSIONS).or_insert(Value::Null);
        let mut all = list.as_array().cloned().unwrap_or_default();
        all.extend(added.iter().map(|added| json!(added)));
        *list = Value::Array(all);
    }
    Value::Object(term)
}

fn own_term(term: &Value, at: &[&str]) -> Result<OwnTerm, ObjectError> {
    let object = match term {
        Value::Null => None,
        Value::Object(object) => Some(object),
        _ => return Err(wrong(at, "a list of objects")),
    };
    let list = |name: &str| match object.and_then(|object| object.get(name)) {
        None | Some(Value::Null) => Ok([].as_slice()),
        Some(Value::Array(list)) => Ok(list.as_slice()),
        Some(_) => Err(wrong(&[at, &[name]].concat(), "a list")),
    };
    let (labels, fields) = (list(EXPRESSIONS)?, list(FIELDS)?);
    Ok(OwnTerm {
        expressions: labels.iter().filter_map(own_expression).collect(),
        is_empty: labels.is_empty() && fields.is_empty(),
    })
}

/// An expression of the pod; one that cannot be read says nothing, so that ours is added beside it.
fn own_expression(written: &Value) -> Option<Expression> {
    let text = |name: &str| written.get(name).and_then(Value::as_str);
    let values = written.get("values").and_then(Value::as_array);
    let values = values
        .into_iter()
        .flatten()
        .map(|value| value.as_str().map(str::to_owned));
    Some(Expression {
        key: text("key")?.to_owned(),
        operator: Operator::from_word(text("operator")?)?,
        values: values.collect::<Option<_>>()?,
    })
}

fn wrong(path: &[&str], expected: &str) -> ObjectError {
    ObjectError::Syntax(format!("`{}` is not {expected}", path.join(".")))
}
