//! JSON Schema as an API server takes it in a CustomResourceDefinition: a structural schema.
//!
//! Inputs: a schema of draft 7 with its definitions, as [`json_schema`](fn@super::json_schema) gives it. Outputs: the same
//! without references, of the keywords alone that `JSONSchemaProps` has. Invariants: every node has a type, but for
//! those that are one word or fields, of which the API server checks nothing and our reader everything; what has no
//! keyword there (exactly one of some fields, the words that may be keys) is a rule in CEL with a sentence of its own;
//! lists that hold rules are bounded, since the API server counts what a rule may cost at worst. Unknown fields are
//! not spoken of: a client that validates strictly (kubectl does) has them refused.
//! Source: kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions, "Specifying a
//! structural schema", 2026-11-21.

use serde_json::{Map, Value, json};

/// The most items of a list that holds rules in CEL. There are some 250 countries.
pub const MOST_ITEMS: u32 = 1_000;

/// The keyword of rules in CEL.
pub const RULES: &str = "x-kubernetes-validations";

/// Keywords that mean the same in both.
const KEPT: [&str; 8] = [
    "description",
    "type",
    "enum",
    "pattern",
    "minimum",
    "maximum",
    "minItems",
    "required",
];

/// The same schema in structural form.
pub fn structural(written: &Value, definitions: &Map<String, Value>) -> Value {
    let schema = flattened(written, definitions);
    let mut structural = Map::new();
    if schema.contains_key("anyOf") {
        // Its form is said by nothing else.
        let described = descriptions(written, definitions).join(" ");
        structural.insert("description".to_owned(), described.into());
        structural.insert("x-kubernetes-preserve-unknown-fields".to_owned(), true.into());
        return Value::Object(structural);
    }
    for keyword in KEPT {
        structural.extend(
            schema
                .get(keyword)
                .map(|value| (keyword.to_owned(), value.clone())),
        );
    }
    if let Some(only) = schema.get("const") {
        structural.insert("enum".to_owned(), json!([only]));
    }
    match schema.get("format").and_then(Value::as_str) {
        // The API server knows signed integers alone; the least value is said by `minimum`.
        Some("uint32") => {
            structural.insert("format".to_owned(), "int64".into());
        }
        Some(format) => {
            structural.insert("format".to_owned(), format.into());
        }
        None => {}
    }
    if let Some(Value::Object(properties)) = schema.get("properties") {
        let properties = properties.iter();
        let properties: Map<String, Value> = properties
            .map(|(name, property)| (name.clone(), self::structural(property, definitions)))
            .collect();
        structural.insert("properties".to_owned(), properties.into());
    }
    if let Some(values @ Value::Object(_)) = schema.get("additionalProperties") {
        structural.insert(
            "additionalProperties".to_owned(),
            self::structural(values, definitions),
        );
    }
    if let Some(items) = schema.get("items") {
        let items = self::structural(items, definitions);
        if has_rules(&items) {
            structural.insert("maxItems".to_owned(), MOST_ITEMS.into());
        }
        structural.insert("items".to_owned(), items);
    }
    if let Some(Value::Array(words)) = schema.get("propertyNames").and_then(|names| names.get("enum")) {
        structural.insert("maxProperties".to_owned(), words.len().into());
        let words = words.iter().filter_map(Value::as_str);
        add_rule(&mut structural, keys_rule(&words.collect::<Vec<_>>()));
    }
    if let Some(Value::Array(cases)) = schema.get("oneOf") {
        let fields = cases
            .iter()
            .filter_map(|case| case.get("required")?.get(0)?.as_str());
        add_rule(&mut structural, exactly_one_rule(&fields.collect::<Vec<_>>()));
    }
    Value::Object(structural)
}

/// Adds a rule to a schema, beside those that are there.
pub fn add_rule(schema: &mut Map<String, Value>, rule: Value) {
    let rules = schema.entry(RULES).or_insert_with(|| json!([]));
    if let Some(rules) = rules.as_array_mut() {
        rules.push(rule);
    }
}

/// A rule and what is told where it does not hold.
pub fn rule(holds: &str, message: &str) -> Value {
    json!({"rule": holds, "message": message})
}

/// A schema with what it refers to in its place. What is said where it is referred to stands before that.
fn flattened(schema: &Value, definitions: &Map<String, Value>) -> Map<String, Value> {
    let Value::Object(own) = schema else {
        return Map::new();
    };
    let mut flat = Map::new();
    if let Some(name) = own.get("$ref").and_then(Value::as_str) {
        let name = name.rsplit('/').next().unwrap_or(name);
        if let Some(definition) = definitions.get(name) {
            flat = flattened(definition, definitions);
        }
    }
    for part in own.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        flat.extend(flattened(part, definitions));
    }
    let own = own
        .iter()
        .filter(|(keyword, _)| !["$ref", "allOf"].contains(&keyword.as_str()));
    flat.extend(own.map(|(keyword, value)| (keyword.clone(), value.clone())));
    flat
}

/// What is said of a schema: where it is referred to, then where it is defined.
fn descriptions(schema: &Value, definitions: &Map<String, Value>) -> Vec<String> {
    let own = schema
        .get("description")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let name = schema.get("$ref").and_then(Value::as_str);
    let name = name.and_then(|name| name.rsplit('/').next());
    let referred = name.and_then(|name| definitions.get(name)).into_iter();
    let parts = schema
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let inner = referred
        .chain(parts)
        .flat_map(|inner| descriptions(inner, definitions));
    own.into_iter().chain(inner).collect()
}

fn has_rules(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => fields.contains_key(RULES) || fields.values().any(has_rules),
        Value::Array(items) => items.iter().any(has_rules),
        _ => false,
    }
}

fn exactly_one_rule(fields: &[&str]) -> Value {
    let count: Vec<String> = fields
        .iter()
        .map(|field| format!("(has(self.{}) ? 1 : 0)", escaped(field)))
        .collect();
    let quoted: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
    rule(
        &format!("{} == 1", count.join(" + ")),
        &format!("write exactly one of {}", quoted.join(" ")),
    )
}

fn keys_rule(words: &[&str]) -> Value {
    let listed: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    rule(
        &format!("self.all(key, key in [{}])", listed.join(", ")),
        &format!("the keys are {}", words.join(" ")),
    )
}

/// A field as CEL names it: a word of the language stands between underscores.
fn escaped(field: &str) -> String {
    match field {
        "in" | "true" | "false" | "null" => format!("__{field}__"),
        _ => field.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(schema: &Value) -> Value {
        let definitions = json!({
            "Place": {"type": "string", "pattern": "^[A-Z]{2}$", "description": "A country."},
            "Either": {"anyOf": [{"type": "string"}, {"type": "object"}], "description": "One or the other."},
            "One": {"type": "object", "oneOf": [{"required": ["in"]}, {"required": ["outside"]}],
                    "properties": {"in": {"type": "string"}, "outside": {"type": "string"}},
                    "additionalProperties": false}
        });
        structural(schema, definitions.as_object().unwrap())
    }

    #[test]
    fn a_reference_is_written_out_and_what_is_said_beside_it_stands_first() {
        assert_eq!(
            of(
                &json!({"allOf": [{"$ref": "#/definitions/Place"}], "description": "Where.", "default": "DE"})
            ),
            json!({"type": "string", "pattern": "^[A-Z]{2}$", "description": "Where."})
        );
        assert_eq!(
            of(&json!({"$ref": "#/definitions/Place"}))["description"],
            "A country."
        );
    }

    #[test]
    fn what_is_of_two_types_is_left_to_the_reader() {
        assert_eq!(
            of(&json!({"$ref": "#/definitions/Either"})),
            json!({"description": "One or the other.", "x-kubernetes-preserve-unknown-fields": true})
        );
        assert_eq!(
            of(&json!({"allOf": [{"$ref": "#/definitions/Either"}], "description": "Whose."}))["description"],
            "Whose. One or the other."
        );
    }

    #[test]
    fn exactly_one_field_is_a_rule_and_a_list_of_such_is_bounded() {
        let list = of(&json!({"type": "array", "items": {"$ref": "#/definitions/One"}}));
        assert_eq!(list["maxItems"], MOST_ITEMS);
        assert_eq!(
            list["items"][RULES],
            json!([{
                "rule": "(has(self.__in__) ? 1 : 0) + (has(self.outside) ? 1 : 0) == 1",
                "message": "write exactly one of `in` `outside`"
            }])
        );
        let text = list.to_string();
        assert!(
            !text.contains("additionalProperties") && !text.contains("oneOf"),
            "{text}"
        );
        assert!(
            of(&json!({"type": "array", "items": {"type": "string"}}))
                .get("maxItems")
                .is_none()
        );
    }

    #[test]
    fn keys_from_a_list_are_a_rule_and_values_keep_their_schema() {
        let ages = of(&json!({
            "type": "object",
            "propertyNames": {"enum": ["public", "internal"]},
            "additionalProperties": {"type": "integer", "format": "uint32", "minimum": 0}
        }));
        assert_eq!(
            ages,
            json!({
                "type": "object",
                "maxProperties": 2,
                "additionalProperties": {"type": "integer", "format": "int64", "minimum": 0},
                RULES: [{"rule": "self.all(key, key in ['public', 'internal'])", "message": "the keys are public internal"}]
            })
        );
    }
}
