//! The CustomResourceDefinitions that are shipped are those of the types that read files.

use std::fs;
use std::path::Path;

use domicile::cli::Outcome;
use domicile::cli::schema::{SchemaArgs, SchemaOf, run};
use domicile::policy::{CUSTOM_KINDS, GROUP};
use serde_json::Value;

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
