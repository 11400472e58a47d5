//! The JSON Schema of a line of a trace, from the types that read it.
//!
//! Invariants: every event has a schema, every property says what it is, and unknown properties are errors, as they
//! are for the reader; the `spec` of a data set is that of policy files. Draft 7, as the schema of policy files. A schema
//! sees one line: what needs those before it (whether a node is there) is for `domicile trace check`.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::event::{
    LatencyChange, LeaderMove, NamedNode, NamedPod, NamedRegion, PolicyLoad, RegionLink, TraceNamespace,
    TracePod,
};
use super::header::HeaderLine;
use super::line::EVENTS;
use super::node::WrittenNode;
use crate::model::DataSetName;
use crate::policy::{json_schema, without_null};

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// The schema of a line: the header, or any event.
#[must_use]
pub fn trace_schema() -> Value {
    let mut generator = SchemaSettings::draft07().into_generator();
    let header = HeaderLine::json_schema(&mut generator).to_value();
    let mut definitions = Map::new();
    let mut cases = vec![json!({
        "if": {"not": {"required": ["ev"]}},
        "then": {"$ref": "#/definitions/header"}
    })];
    for event in EVENTS {
        if let Some(schema) = event_schema(&mut generator, event) {
            definitions.insert(event.to_owned(), schema);
        }
        cases.push(json!({
            "if": {"properties": {"ev": {"const": event}}, "required": ["ev"]},
            "then": {"$ref": format!("#/definitions/{event}")}
        }));
    }
    definitions.insert("header".to_owned(), header);
    definitions.extend(data_set_definitions());
    definitions.extend(generator.take_definitions(true));
    let mut schema = json!({
        "$schema": DRAFT,
        "title": "A line of a trace of Domicile",
        "description": "The first line is the header, every other line an event; lines stand in the order of `t`.",
        "type": "object",
        "properties": {"ev": {"enum": EVENTS, "description": "What happens."}},
        "allOf": cases,
        "definitions": definitions
    });
    without_null(&mut schema);
    schema
}

/// The schema of the line of an event.
fn event_schema(generator: &mut SchemaGenerator, event: &str) -> Option<Value> {
    let (fields, says): (Value, &str) = match event {
        "node.add" => (fields::<WrittenNode<'_>>(generator), "A node joins."),
        "node.remove" => (
            fields::<NamedNode>(generator),
            "A node is gone, and what ran on it.",
        ),
        "node.cordon" => (fields::<NamedNode>(generator), "A node takes no more pods."),
        "node.uncordon" => (fields::<NamedNode>(generator), "A node takes pods again."),
        "pod.create" => (
            fields::<TracePod>(generator),
            "A pod wants a node, or runs on the one that it names.",
        ),
        "pod.delete" => (fields::<NamedPod>(generator), "A pod is gone."),
        "namespace.set" => (
            fields::<TraceNamespace>(generator),
            "A namespace is made or changed.",
        ),
        "dataset.set" => (data_set_fields(generator)?, "A data set is made or changed."),
        "dataset.leader" => (
            fields::<LeaderMove>(generator),
            "Another copy of a data set leads.",
        ),
        "latency.set" => (
            fields::<LatencyChange>(generator),
            "The latency between two places is another one.",
        ),
        "region.down" => (fields::<NamedRegion>(generator), "A region is lost."),
        "region.up" => (fields::<NamedRegion>(generator), "A region is back."),
        "link.cut" => (
            fields::<RegionLink>(generator),
            "Regions no longer reach each other.",
        ),
        "link.heal" => (fields::<RegionLink>(generator), "Regions reach each other again."),
        "policy.load" => (fields::<PolicyLoad>(generator), "Other policies hold."),
        _ => return None,
    };
    let mut schema = fields;
    let properties = schema.get_mut("properties")?.as_object_mut()?;
    properties.insert(
        "t".to_owned(),
        json!({
            "description": "When: milliseconds from the beginning of the trace, no less than on the line before.",
            "type": "integer",
            "minimum": 0
        }),
    );
    properties.insert("ev".to_owned(), json!({"const": event, "description": says}));
    let required = schema.get_mut("required")?.as_array_mut()?;
    required.splice(0..0, [json!("t"), json!("ev")]);
    schema
        .as_object_mut()?
        .insert("description".to_owned(), says.into());
    Some(schema)
}

fn fields<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    T::json_schema(generator).to_value()
}

fn data_set_fields(generator: &mut SchemaGenerator) -> Option<Value> {
    let of_kind = json_schema(Some("DataSet"))?;
    Some(json!({
        "type": "object",
        "required": ["id", "spec"],
        "properties": {
            "id": {"description": "Its name.", "allOf": [generator.subschema_for::<DataSetName>()]},
            "spec": of_kind.pointer("/properties/spec")?
        },
        "additionalProperties": false
    }))
}

/// What the `spec` of a data set refers to.
fn data_set_definitions() -> Map<String, Value> {
    match json_schema(Some("DataSet"))
        .as_mut()
        .and_then(|schema| schema.get_mut("definitions"))
    {
        Some(Value::Object(definitions)) => std::mem::take(definitions),
        _ => Map::new(),
    }
}
