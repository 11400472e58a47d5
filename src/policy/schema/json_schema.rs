//! The JSON Schema of policy files, from the types that read them, so that editors complete, explain and check.
//!
//! Inputs: the types of this module. Outputs: one schema for all kinds, which looks at `kind`, or the one of a
//! kind. Invariants: every kind that is read has a schema; every property says what it is; unknown properties are
//! errors, as they are for the reader. Draft 7, which editors know best. A schema sees one document: what needs
//! the whole set (whether a group, a team, a rule exists) is for `domicile lint`.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::{
    DataSetSpec, ExceptionSpec, GroupSpec, GuaranteeSpec, Metadata, NetworkLinkSpec, PolicySpec,
    PolicyTestSpec, RegionSpec, SettingsSpec,
};
use crate::policy::document::{API_VERSION, KINDS};

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// The schema of a kind, or of every kind; `None` where there is no such kind.
#[must_use]
pub fn json_schema(kind: Option<&str>) -> Option<Value> {
    let mut generator = SchemaSettings::draft07().into_generator();
    let mut root = match kind {
        Some(kind) => document(&mut generator, kind)?,
        None => every_kind(&mut generator)?,
    };
    let own = generator.take_definitions(true);
    let fields = root.as_object_mut()?;
    let definitions = fields
        .entry("definitions")
        .or_insert_with(|| Value::Object(Map::new()));
    definitions.as_object_mut()?.extend(own);
    fields.insert("$schema".to_owned(), DRAFT.into());
    without_null(&mut root);
    Some(root)
}

/// A document is of the kind that it says; `if` and `then` keep the errors of other kinds away.
fn every_kind(generator: &mut SchemaGenerator) -> Option<Value> {
    let mut definitions = Map::new();
    let mut cases = Vec::new();
    for kind in KINDS {
        definitions.insert(kind.to_owned(), document(generator, kind)?);
        cases.push(json!({
            "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
            "then": {"$ref": format!("#/definitions/{kind}")}
        }));
    }
    Some(json!({
        "title": "Policy files of Domicile",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": api_version(),
            "kind": {"enum": KINDS, "description": "What the document is."}
        },
        "allOf": cases,
        "definitions": definitions
    }))
}

fn api_version() -> Value {
    json!({"const": API_VERSION, "description": "The version of the language."})
}

fn document(generator: &mut SchemaGenerator, kind: &str) -> Option<Value> {
    let (spec, says): (Schema, &str) = match kind {
        "PolicySettings" => (
            generator.subschema_for::<SettingsSpec>(),
            "What holds for the whole set. A set has exactly one.",
        ),
        "Region" => (
            generator.subschema_for::<RegionSpec>(),
            "What the company knows about a region. What is not stated is not known, and satisfies no rule.",
        ),
        "JurisdictionGroup" => (
            generator.subschema_for::<GroupSpec>(),
            "A named, dated list of countries and other places.",
        ),
        "DataSet" => (
            generator.subschema_for::<DataSetSpec>(),
            "Data that pods name, what it is, and where its copies are.",
        ),
        "NetworkLink" => (
            generator.subschema_for::<NetworkLinkSpec>(),
            "Which countries traffic between two places crosses. What it says is believed; only rules with `transit` look at it.",
        ),
        "PlacementPolicy" => (
            generator.subschema_for::<PolicySpec>(),
            "One legal reason: to which data it applies, and where that data may be. Every policy restricts.",
        ),
        "PlacementException" => (
            generator.subschema_for::<ExceptionSpec>(),
            "Lifts one rule, for one namespace, named data and named places, until it expires.",
        ),
        "Guarantee" => (
            generator.subschema_for::<GuaranteeSpec>(),
            "What must never be possible under the set.",
        ),
        "PolicyTest" => (
            generator.subschema_for::<PolicyTestSpec>(),
            "What the set must decide, case by case.",
        ),
        _ => return None,
    };
    let metadata = generator.subschema_for::<Metadata>();
    Some(json!({
        "title": kind,
        "description": says,
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": api_version(),
            "kind": {"const": kind, "description": says},
            "metadata": {"allOf": [metadata], "description": "Its name."},
            "spec": {"allOf": [spec], "description": says}
        },
        "additionalProperties": false
    }))
}

/// Takes `null` out of a schema: a field that may be left out is left out, and never `null`.
pub fn without_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Object(fields) => {
            if let Some(Value::Array(words)) = fields.get_mut("enum") {
                words.retain(|word| !word.is_null());
            }
            if let Some(Value::Array(types)) = fields.get_mut("type") {
                types.retain(|word| word != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    fields.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(of)) = fields.get_mut("anyOf") {
                of.retain(|schema| schema.get("type") != Some(&Value::from("null")));
                if of.len() == 1
                    && let Some(one) = fields.remove("anyOf")
                {
                    fields.insert("allOf".to_owned(), one);
                }
            }
            if fields.get("default").is_some_and(Value::is_null) {
                fields.remove("default");
            }
            fields.values_mut().for_each(without_null);
        }
        _ => {}
    }
}
