//! Required node affinity as kube-scheduler reads it, read here once more so that what writes it is held by other code.
//! Source: `component-helpers/scheduling/corev1/nodeaffinity` and `apimachinery/pkg/labels` of Kubernetes 1.36.

use std::collections::BTreeMap;

use serde_json::Value;

/// Whether a pod's required node affinity admits a node of these labels.
pub fn admits(pod: &Value, labels: &BTreeMap<String, String>) -> bool {
    let required = pod.pointer("/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution");
    let Some(required) = required.filter(|required| !required.is_null()) else {
        return true;
    };
    let terms = required.get("nodeSelectorTerms").and_then(Value::as_array);
    terms.into_iter().flatten().any(|term| term_admits(term, labels))
}

fn term_admits(term: &Value, labels: &BTreeMap<String, String>) -> bool {
    let list = |name: &str| {
        let list = term.get(name).and_then(Value::as_array);
        list.into_iter().flatten()
    };
    assert_eq!(list("matchFields").count(), 0, "not of these tests");
    // A term without anything in it matches no node.
    list("matchExpressions").next().is_some()
        && list("matchExpressions").all(|expression| holds(expression, labels))
}

fn holds(expression: &Value, labels: &BTreeMap<String, String>) -> bool {
    let text = |name: &str| expression.get(name).and_then(Value::as_str).unwrap();
    let label = labels.get(text("key"));
    let values = expression.get("values").and_then(Value::as_array);
    let has = |label: &String| {
        values
            .into_iter()
            .flatten()
            .any(|value| value.as_str() == Some(label))
    };
    match text("operator") {
        "In" => label.is_some_and(has),
        "NotIn" => !label.is_some_and(has),
        "Exists" => label.is_some(),
        "DoesNotExist" => label.is_none(),
        other => panic!("the operator {other} is not of these tests"),
    }
}
