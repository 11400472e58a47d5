//! The CustomResourceDefinitions that are shipped are those of the types that read files.
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use domicile::cli::Outcome;
use domicile::cli::schema::{SchemaArgs, SchemaOf, run};
use domicile::custom_resources::{CustomResource, take_policies};
use domicile::embedded;
use domicile::policy::{CUSTOM_KINDS, CustomKind, GROUP, custom_resource_definition};
use serde_json::{Value, json};

use super::now;

fn printed(kind: Option<&str>) -> Result<String, String> {
    let arguments = SchemaArgs {
        kind: kind.map(str::to_owned),
        of: SchemaOf::CustomResources,
    };
    let mut out = Vec::new();
    let outcome = run(&arguments, &mut out).map_err(|problem| problem.to_string())?;
    assert_eq!(outcome, Outcome::Holds);
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn the_shipped_definitions_are_those_of_the_types_that_read_files() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/crds/crds.yaml");
    let text = printed(None).unwrap();
    if std::env::var_os("DOMICILE_UPDATE_EXPECTED").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert!(
        fs::read_to_string(&path).ok().as_ref() == Some(&text),
        "write it anew: `domicile schema --of custom-resources > deploy/crds/crds.yaml`"
    );
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    let names: Vec<&str> = documents
        .iter()
        .filter_map(|it| it["metadata"]["name"].as_str())
        .collect();
    let expected = CUSTOM_KINDS.map(|kind| format!("{}.{GROUP}", kind.plural));
    assert_eq!(names, expected);
}

#[test]
fn one_kind_alone_is_printed_and_one_that_is_none_is_told() {
    let one: Vec<Value> = serde_saphyr::from_multiple(&printed(Some("DataSet")).unwrap()).unwrap();
    assert_eq!(one.len(), 1);
    assert_eq!(one[0]["spec"]["names"]["kind"], "DataSet");
    assert_eq!(
        printed(Some("DataSett")),
        Err("unknown kind `DataSett`; did you mean `DataSet`?".to_owned())
    );
    assert!(
        printed(Some("PolicyTest"))
            .unwrap_err()
            .starts_with("unknown kind `PolicyTest`")
    );
}

#[test]
fn roles_name_every_kind() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/components/custom-resources/rbac.yaml");
    let documents: Vec<Value> = serde_saphyr::from_multiple(&fs::read_to_string(path).unwrap()).unwrap();
    let mut kinds: Vec<String> = CUSTOM_KINDS.iter().map(|kind| kind.plural.to_owned()).collect();
    kinds.sort();
    let statuses: Vec<String> = kinds.iter().map(|kind| format!("{kind}/status")).collect();
    let mut roles = 0;
    for role in documents
        .iter()
        .filter(|document| document["kind"] == "ClusterRole")
    {
        let name = role["metadata"]["name"].as_str().unwrap();
        let expected = if name.ends_with("-status") {
            &statuses
        } else {
            &kinds
        };
        assert_eq!(
            role["rules"][0]["resources"],
            serde_json::json!(expected),
            "{name}"
        );
        roles += 1;
    }
    assert_eq!(roles, 3);
}

/// The objects of our kinds in the files that are shipped, by their files, as `kubectl apply` would send them.
fn shipped() -> Vec<(String, CustomKind, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (name, data_sets) = embedded::data_sets();
    let mut files: Vec<(String, String)> = embedded::policies()
        .iter()
        .chain([&(name, data_sets)])
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    let mut open = vec![root.join("examples")];
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                files.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut objects = Vec::new();
    for (name, text) in files {
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        for document in documents {
            let is_ours = document["apiVersion"]
                .as_str()
                .is_some_and(|it| it.starts_with(GROUP));
            let kind = CUSTOM_KINDS
                .into_iter()
                .find(|kind| document["kind"] == kind.kind && is_ours);
            objects.extend(kind.map(|kind| (name.clone(), kind, document)));
        }
    }
    assert!(objects.len() > 100, "{} objects", objects.len());
    objects
}

/// A DNS subdomain of RFC 1123, as Kubernetes wants the names of objects.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty() && label.bytes().all(is_inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

#[test]
fn what_is_shipped_could_be_applied_as_it_stands() {
    for known in CUSTOM_KINDS {
        let definition = custom_resource_definition(known.kind).unwrap();
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let validator = jsonschema::validator_for(schema).unwrap();
        for (file, _, object) in shipped().iter().filter(|(_, kind, _)| *kind == known) {
            let name = object["metadata"]["name"].as_str().unwrap();
            assert!(is_name(name), "{file}: `{name}`");
            let problems: Vec<String> = validator
                .iter_errors(object)
                .map(|problem| format!("{}: {problem}", problem.instance_path()))
                .collect();
            assert!(problems.is_empty(), "{file}: `{name}`: {problems:?}");
        }
    }
}

/// Beside the shipped set in files stand its own policies once more, as objects under other names: they restrict nothing
/// anew and permit nothing, and a cluster that has the set in both ways is taken.
#[test]
fn the_shipped_policies_as_objects_beside_themselves_permit_nothing_more() {
    let mut texts: Vec<(String, String)> = embedded::policies()
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    let files = texts.len();
    for (file, kind, mut object) in shipped() {
        let is_built_in = embedded::policies().iter().any(|(name, _)| *name == file);
        if kind.kind != "PlacementPolicy" || !is_built_in {
            continue;
        }
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        object["metadata"]["name"] = json!(format!("{name}-again"));
        let resource = CustomResource::from_json(kind, &object).unwrap();
        texts.push((resource.text.name, resource.text.text));
    }
    assert!(texts.len() >= files + 9);
    let named = texts.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let taken = take_policies(named, now());
    let refused: Vec<String> = taken
        .err()
        .into_iter()
        .flatten()
        .map(|it| it.to_string())
        .collect();
    assert_eq!(refused, Vec::<String>::new());
}
