//! Which field of an object has the wrong type: parsers tell where, and people ask which.

use serde_json::Value;

#[derive(Clone, Copy)]
enum Shape {
    Text,
    Texts,
    List,
    Object,
}

/// The fields of all kinds that are read, outer ones first.
const FIELDS: [(&[&str], Shape); 19] = [
    (&["kind"], Shape::Text),
    (&["apiVersion"], Shape::Text),
    (&["metadata"], Shape::Object),
    (&["metadata", "name"], Shape::Text),
    (&["metadata", "generateName"], Shape::Text),
    (&["metadata", "namespace"], Shape::Text),
    (&["metadata", "uid"], Shape::Text),
    (&["metadata", "labels"], Shape::Texts),
    (&["metadata", "annotations"], Shape::Texts),
    (&["metadata", "ownerReferences"], Shape::List),
    (&["spec"], Shape::Object),
    (&["spec", "providerID"], Shape::Text),
    (&["spec", "nodeName"], Shape::Text),
    (&["spec", "schedulerName"], Shape::Text),
    (&["spec", "storageClassName"], Shape::Text),
    (&["spec", "volumeName"], Shape::Text),
    (&["spec", "volumes"], Shape::List),
    (&["status"], Shape::Object),
    (&["status", "phase"], Shape::Text),
];

/// Says which field of an object has the wrong type, where it is one of those above.
pub(super) fn mistyped_field(object: &Value) -> Option<String> {
    if !object.is_object() {
        return Some(format!("an object is expected and here is {}", type_of(object)));
    }
    FIELDS.iter().find_map(|(path, shape)| {
        let value = path.iter().try_fold(object, |value, name| value.get(name))?;
        mistyped(&path.join("."), value, *shape)
    })
}

fn mistyped(name: &str, value: &Value, shape: Shape) -> Option<String> {
    let wanted = match (shape, value) {
        (_, Value::Null)
        | (Shape::Text, Value::String(_))
        | (Shape::List, Value::Array(_))
        | (Shape::Object, Value::Object(_)) => return None,
        (Shape::Texts, Value::Object(members)) => {
            let mut members = members.iter();
            return members.find_map(|(key, value)| mistyped(&format!("{name}.{key}"), value, Shape::Text));
        }
        (Shape::Text, _) => "a string",
        (Shape::List, _) => "a list",
        (Shape::Object | Shape::Texts, _) => "an object",
    };
    let fix = match (shape, value) {
        (Shape::Text, Value::Bool(_)) => {
            "; put it in quotes: YAML takes `NO`, `on` and their like for booleans"
        }
        (Shape::Text, Value::Number(_)) => "; put it in quotes",
        _ => "",
    };
    Some(format!("`{name}` is {} and not {wanted}{fix}", type_of(value)))
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
