//! The CustomResourceDefinitions of our kinds, from the types that read files, so that a file and an object of a
//! cluster are one language.
//!
//! Inputs: the schemas of this module. Outputs: one definition for a kind, as JSON. Invariants: every kind is
//! cluster-scoped, of the one version that files have, with a status of its own; a rule in CEL refuses nothing that the
//! reader takes, but for two names of settings and spellings of instants that RFC 3339 has not. Deliberately absent:
//! `PolicyTest`, which its author runs and no cluster does.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::json_schema;
use super::structural::{add_rule, rule, structural};

/// The API group of our kinds.
pub const GROUP: &str = "domicile.dev";

/// The one version of them.
pub const VERSION: &str = "v1alpha1";

/// The annotation of a definition that tells it from those of other versions: a digest of what it specifies.
pub const DEFINITION_ANNOTATION: &str = "domicile.dev/definition";

/// How many bytes of a digest it has.
const DIGEST_BYTES: usize = 8;

/// A kind that a cluster can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CustomKind {
    /// As documents write it.
    pub kind: &'static str,
    /// As paths and roles write it.
    pub plural: &'static str,
    /// As kubectl names one object: `placementpolicy.domicile.dev/eu-only`.
    pub singular: &'static str,
}

/// The kinds that a cluster can hold, in the order in which files are documented.
pub const CUSTOM_KINDS: [CustomKind; 8] = [
    kind("PolicySettings", "policysettings", "policysettings"),
    kind("Region", "regions", "region"),
    kind("JurisdictionGroup", "jurisdictiongroups", "jurisdictiongroup"),
    DATA_SET,
    kind("NetworkLink", "networklinks", "networklink"),
    kind("PlacementPolicy", "placementpolicies", "placementpolicy"),
    kind("PlacementException", "placementexceptions", "placementexception"),
    kind("Guarantee", "guarantees", "guarantee"),
];

/// The one kind that is a fact beside the policies.
pub const DATA_SET: CustomKind = kind("DataSet", "datasets", "dataset");

/// The name of the one `PolicySettings` of a cluster.
pub const SETTINGS_NAME: &str = "default";

const fn kind(kind: &'static str, plural: &'static str, singular: &'static str) -> CustomKind {
    CustomKind {
        kind,
        plural,
        singular,
    }
}

/// The definition of a kind; `None` where the cluster can hold no such kind.
#[must_use]
pub fn custom_resource_definition(kind: &str) -> Option<Value> {
    let CustomKind {
        kind,
        plural,
        singular,
    } = CUSTOM_KINDS.into_iter().find(|known| known.kind == kind)?;
    let spec = json!({
        "group": GROUP,
        "scope": "Cluster",
        "names": {
            "kind": kind,
            "listKind": format!("{kind}List"),
            "plural": plural,
            "singular": singular,
            "categories": ["domicile"]
        },
        "versions": [{
            "name": VERSION,
            "served": true,
            "storage": true,
            "subresources": {"status": {}},
            "additionalPrinterColumns": columns(kind),
            "schema": {"openAPIV3Schema": object_schema(kind)?}
        }]
    });
    Some(json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{plural}.{GROUP}"),
            "labels": {"app.kubernetes.io/name": "domicile"},
            "annotations": {DEFINITION_ANNOTATION: digest(&spec)}
        },
        "spec": spec
    }))
}

/// The digest that the definition of a kind bears; `None` where the cluster can hold no such kind.
#[must_use]
pub fn definition_digest(kind: &str) -> Option<String> {
    let definition = custom_resource_definition(kind)?;
    let annotations = definition.pointer("/metadata/annotations")?;
    Some(annotations.get(DEFINITION_ANNOTATION)?.as_str()?.to_owned())
}

/// Of a specification; its keys are in order.
fn digest(spec: &Value) -> String {
    let hash = Sha256::digest(spec.to_string());
    hash.iter()
        .take(DIGEST_BYTES)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The schema of an object. What its metadata may be is for the API server to say.
fn object_schema(kind: &str) -> Option<Value> {
    let schema = json_schema(Some(kind))?;
    let nothing = Map::new();
    let definitions = schema
        .get("definitions")
        .and_then(Value::as_object)
        .unwrap_or(&nothing);
    let mut spec = structural(schema.pointer("/properties/spec")?, definitions);
    for (path, rules) in rules_of(kind) {
        let Value::Object(part) = spec.pointer_mut(path)? else {
            return None;
        };
        rules.into_iter().for_each(|rule| add_rule(part, rule));
    }
    if let Some(Value::Object(rules)) = spec
        .pointer_mut("/properties/rules")
        .filter(|_| kind == "PlacementPolicy")
    {
        // No two rules of a policy have one id, and whoever applies one rule leaves the others alone.
        rules.insert("x-kubernetes-list-type".to_owned(), "map".into());
        rules.insert("x-kubernetes-list-map-keys".to_owned(), json!(["id"]));
    }
    let mut object = json!({
        "description": schema.get("description")?,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": "The version of the language: domicile.dev/v1alpha1."},
            "kind": {"type": "string", "description": format!("What the object is: {kind}.")},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": status()
        }
    });
    if kind == "PolicySettings"
        && let Value::Object(object) = &mut object
    {
        let holds = format!("self.metadata.name == '{SETTINGS_NAME}'");
        let message = format!("a cluster has one PolicySettings and its name is `{SETTINGS_NAME}`");
        add_rule(object, rule(&holds, &message));
    }
    Some(object)
}

/// The rules of a kind that hold between fields: where they stand in the schema of the specification, and the rules.
fn rules_of(kind: &str) -> Vec<(&'static str, Vec<Value>)> {
    match kind {
        "PlacementException" => {
            let instant = |field: &str| {
                format!("timestamp(self.{field}.size() == 10 ? self.{field} + 'T00:00:00Z' : self.{field})")
            };
            let in_order = format!("{} < {}", instant("notBefore"), instant("expires"));
            vec![(
                "",
                vec![
                    rule(
                        "self.requestedBy != self.approvedBy",
                        "`approvedBy` is somebody else than `requestedBy`",
                    ),
                    rule(&in_order, "`notBefore` is before `expires`"),
                ],
            )]
        }
        "PlacementPolicy" => vec![
            (
                "/properties/appliesTo",
                vec![rule(
                    "has(self.anyOf) != (has(self.data) || has(self.namespaces) || has(self.storageClasses) || has(self.dataSets))",
                    "`appliesTo` is one block or `anyOf`",
                )],
            ),
            (
                "",
                vec![rule("self.rules.size() > 0", "a policy has at least one rule")],
            ),
        ],
        "JurisdictionGroup" => vec![(
            "",
            vec![rule("self.members.size() > 0", "a group has at least one member")],
        )],
        _ => Vec::new(),
    }
}

/// What a replica that leads writes about an object (docs/custom-resources.md).
fn status() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    json!({
        "type": "object",
        "description": "What became of the object. Domicile writes it; nobody else should.",
        "properties": {
            "observedGeneration": {
                "type": "integer",
                "format": "int64",
                "description": "The `metadata.generation` that the conditions speak of."
            },
            "conditions": {
                "type": "array",
                "description": "Accepted: whether the set with this object decides. Proved: whether every guarantee of the set holds. Linted: whether nothing is found that its author should know.",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
                "items": {
                    "type": "object",
                    "required": ["type", "status", "lastTransitionTime", "reason", "message"],
                    "properties": {
                        "type": text("Accepted, Proved or Linted."),
                        "status": {"type": "string", "enum": ["True", "False", "Unknown"], "description": "True, False or Unknown."},
                        "observedGeneration": {"type": "integer", "format": "int64", "description": "The generation that it speaks of."},
                        "lastTransitionTime": {"type": "string", "format": "date-time", "description": "Since when the status is so."},
                        "reason": text("One word for programs."),
                        "message": text("A sentence for people, with findings and where they stand.")
                    }
                }
            }
        }
    })
}

/// The columns that `kubectl get` prints.
fn columns(kind: &str) -> Value {
    let column = |name: &str, path: &str| json!({"name": name, "type": "string", "jsonPath": path});
    let condition = |name: &str| {
        let path = format!(".status.conditions[?(@.type==\"{name}\")].status");
        json!({"name": name, "type": "string", "jsonPath": path})
    };
    let own: &[(&str, &str)] = match kind {
        "PolicySettings" => &[("Mode", ".spec.mode"), ("Uncovered", ".spec.uncovered")],
        "Region" => &[
            ("Provider", ".spec.provider"),
            ("Region", ".spec.region"),
            ("Country", ".spec.country"),
        ],
        "JurisdictionGroup" => &[("As of", ".spec.asOf"), ("Review by", ".spec.reviewBy")],
        "DataSet" => &[
            ("Classification", ".spec.profile.classification"),
            ("Consistency", ".spec.consistency"),
        ],
        "NetworkLink" => &[
            ("From", ".spec.from"),
            ("To", ".spec.to"),
            ("As of", ".spec.asOf"),
        ],
        "PlacementPolicy" => &[("Mode", ".spec.mode"), ("Owner", ".spec.owner.team")],
        "PlacementException" => &[
            ("Namespace", ".spec.scope.namespace"),
            ("Policy", ".spec.relaxes.policy"),
            ("Rule", ".spec.relaxes.rule"),
            ("Expires", ".spec.expires"),
        ],
        "Guarantee" => &[("Says", ".spec.says")],
        _ => &[],
    };
    let mut columns: Vec<Value> = own.iter().map(|(name, path)| column(name, path)).collect();
    columns.push(condition("Accepted"));
    if kind != DATA_SET.kind {
        columns.push(condition("Proved"));
    }
    if kind == "PlacementPolicy" {
        columns.push(json!({"name": "Title", "type": "string", "jsonPath": ".spec.title", "priority": 1}));
    }
    columns.push(json!({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}));
    columns.into()
}

#[cfg(test)]
mod tests {
    use super::super::structural::RULES;
    use super::*;
    use crate::policy::KINDS;

    /// Every schema beneath a value that describes data, with its path.
    fn schemas<'a>(schema: &'a Value, path: &str, found: &mut Vec<(String, &'a Map<String, Value>)>) {
        let Value::Object(fields) = schema else {
            panic!("{path} is no schema: {schema}");
        };
        found.push((path.to_owned(), fields));
        for (name, property) in fields
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            schemas(property, &format!("{path}.{name}"), found);
        }
        for keyword in ["items", "additionalProperties"] {
            if let Some(inner) = fields.get(keyword) {
                schemas(inner, &format!("{path}[{keyword}]"), found);
            }
        }
    }

    #[test]
    fn every_kind_but_tests_has_a_definition() {
        let known: Vec<&str> = CUSTOM_KINDS.iter().map(|known| known.kind).collect();
        let files: Vec<&str> = KINDS.into_iter().filter(|kind| *kind != "PolicyTest").collect();
        assert_eq!(known, files);
        for kind in known {
            assert!(custom_resource_definition(kind).is_some(), "{kind}");
        }
        assert_eq!(custom_resource_definition("PolicyTest"), None);
    }

    #[test]
    fn every_schema_is_structural_and_every_field_says_what_it_is() {
        const KEYWORDS: [&str; 17] = [
            "additionalProperties",
            "description",
            "enum",
            "format",
            "items",
            "maxItems",
            "maxProperties",
            "maximum",
            "minItems",
            "minimum",
            "pattern",
            "properties",
            "required",
            "type",
            "x-kubernetes-list-map-keys",
            "x-kubernetes-list-type",
            RULES,
        ];
        const OPEN: &str = "x-kubernetes-preserve-unknown-fields";
        let mut open = Vec::new();
        for known in CUSTOM_KINDS {
            let definition = custom_resource_definition(known.kind).unwrap();
            let schema = definition
                .pointer("/spec/versions/0/schema/openAPIV3Schema")
                .unwrap();
            let mut found = Vec::new();
            schemas(schema, known.kind, &mut found);
            for (path, schema) in found {
                if schema.contains_key(OPEN) {
                    open.push(path);
                    assert_eq!(schema.len(), 2, "{schema:?}");
                    continue;
                }
                assert!(schema["type"].is_string(), "{path} has no type");
                let foreign: Vec<&String> = schema
                    .keys()
                    .filter(|key| !KEYWORDS.contains(&key.as_str()))
                    .collect();
                assert!(foreign.is_empty(), "{path} has {foreign:?}");
                let is_item = path.ends_with(']') || path.ends_with(".metadata");
                assert!(is_item || schema.contains_key("description"), "{path} is silent");
                assert!(
                    !(schema.contains_key("properties") && schema.contains_key("additionalProperties")),
                    "{path}"
                );
                for name in schema
                    .get("required")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                {
                    assert!(
                        schema["properties"].get(name.as_str().unwrap()).is_some(),
                        "{path}: {name}"
                    );
                }
            }
        }
        assert_eq!(
            open,
            [
                "PolicySettings.spec.regionKey",
                "PolicySettings.spec.unlabelled",
                "DataSet.spec.owner"
            ]
        );
    }

    #[test]
    fn an_exception_that_its_asker_approves_or_that_ends_before_it_begins_breaks_a_rule() {
        let definition = custom_resource_definition("PlacementException").unwrap();
        let rules = definition
            .pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec/x-kubernetes-validations")
            .unwrap();
        let told: Vec<&str> = rules
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|rule| rule["message"].as_str())
            .collect();
        assert_eq!(
            told,
            [
                "`approvedBy` is somebody else than `requestedBy`",
                "`notBefore` is before `expires`"
            ]
        );
    }
}
