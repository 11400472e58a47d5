//! The JSON Schema of policy files: what the reader takes it takes, and every property says what it is.

use std::fs;
use std::path::{Path, PathBuf};

use domicile::policy::{KINDS, json_schema};
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_beneath(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_beneath(&path));
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

fn every_kind() -> jsonschema::Validator {
    jsonschema::validator_for(&json_schema(None).unwrap()).unwrap()
}

fn problems(validator: &jsonschema::Validator, document: &Value) -> Vec<String> {
    let errors = validator.iter_errors(document);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn every_file_that_is_right_is_valid() {
    let validator = every_kind();
    let mut files = files_beneath(&root().join("policies"));
    for file in ["authoring/everything.yaml", "lint/base.yaml", "lint/clean.yaml"] {
        files.push(root().join("tests").join(file));
    }
    let mut checked = 0;
    for file in files {
        for document in documents(&fs::read_to_string(&file).unwrap()) {
            let found = problems(&validator, &document);
            assert!(found.is_empty(), "{}: {found:#?}", file.display());
            // The schema of its kind alone says the same.
            let of_kind = json_schema(document["kind"].as_str()).unwrap();
            let of_kind = jsonschema::validator_for(&of_kind).unwrap();
            assert!(of_kind.is_valid(&document), "{}", file.display());
            checked += 1;
        }
    }
    assert!(checked > 150, "only {checked} documents");
}

#[test]
fn what_is_wrong_is_not_valid() {
    let right = json!({
        "apiVersion": "domicile.dev/v1alpha1",
        "kind": "PlacementPolicy",
        "metadata": {"name": "p"},
        "spec": {
            "title": "t",
            "owner": {"team": "a", "contact": "b"},
            "legalBasis": [{"cite": "c"}],
            "mode": "enforce",
            "appliesTo": {"data": {"categories": ["personal"]}},
            "rules": [{"id": "place", "allowed": ["DE", "CA-QC", "group/EEA"]}]
        }
    });
    let validator = every_kind();
    assert!(validator.is_valid(&right), "{:?}", problems(&validator, &right));
    for (pointer, wrong) in [
        ("/apiVersion", json!("domicile.dev/v2")),
        ("/kind", json!("PlacementPolice")),
        ("/metadata/name", json!(7)),
        ("/spec/mode", json!("enforced")),
        ("/spec/owner", json!({"team": "a"})),
        ("/spec/owner", json!({"team": "a", "contact": "b", "phone": "c"})),
        ("/spec/appliesTo/data/categories", json!(["persnal"])),
        (
            "/spec/appliesTo/data",
            json!({"classification": {"atLeast": "secret"}}),
        ),
        ("/spec/rules/0/allowed", json!(["Germany"])),
        ("/spec/rules/0/allowed", Value::Null),
        ("/spec/rules/0", json!({"id": "place"})),
        (
            "/spec/rules/0",
            json!({"id": "place", "allowed": ["DE"], "denied": ["FR"]}),
        ),
        ("/spec/rules/0", json!({"id": "a place", "allowed": ["DE"]})),
        ("/spec", json!({"title": "t"})),
    ] {
        let mut document = right.clone();
        *document.pointer_mut(pointer).unwrap() = wrong.clone();
        assert!(!validator.is_valid(&document), "{pointer}: {wrong}");
    }
}

#[test]
fn every_kind_has_a_schema_and_every_property_a_description() {
    fn walk(schema: &Value, path: &str, silent: &mut Vec<String>) {
        match schema {
            Value::Array(items) => items.iter().for_each(|item| walk(item, path, silent)),
            Value::Object(fields) => {
                for (key, value) in fields {
                    let path = format!("{path}/{key}");
                    // What stands beneath `if` tells kinds apart and is shown to nobody.
                    if key == "properties" && !path.ends_with("/if/properties") {
                        for (name, property) in value.as_object().unwrap() {
                            if property["description"].as_str().is_none_or(str::is_empty) {
                                silent.push(format!("{path}/{name}"));
                            }
                        }
                    }
                    walk(value, &path, silent);
                }
            }
            _ => {}
        }
    }
    assert_eq!(json_schema(Some("Nothing")), None);
    for kind in KINDS.into_iter().map(Some).chain([None]) {
        let schema = json_schema(kind).unwrap();
        let mut silent = Vec::new();
        walk(&schema, "", &mut silent);
        assert!(silent.is_empty(), "{kind:?}: {silent:#?}");
        assert!(!schema.to_string().contains("\"null\""), "{kind:?}");
    }
}

#[test]
fn the_file_for_editors_is_the_schema() {
    let path = root().join("docs/schema/domicile.schema.json");
    let schema = serde_json::to_string_pretty(&json_schema(None).unwrap()).unwrap() + "\n";
    if std::env::var_os("DOMICILE_UPDATE_EXPECTED").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &schema).unwrap();
    }
    assert!(
        fs::read_to_string(&path).ok().as_ref() == Some(&schema),
        "write it anew: `domicile schema > docs/schema/domicile.schema.json`"
    );
}
