//! Traces: the schema that editors take, the page that explains them, and the verbs.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use domicile::cli::Outcome;
use domicile::cli::trace::{TraceArgs, run};
use domicile::simulation::trace::synthesis::FleetRules;
use domicile::simulation::trace::{EVENTS, Trace, trace_schema};
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    fs::read_to_string(root().join("docs/trace.md")).unwrap()
}

/// The blocks of the page in a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let begin = format!("```{language}\n");
    let blocks = page.split(begin.as_str()).skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

#[test]
fn the_file_for_editors_is_the_schema_of_traces() {
    let path = root().join("docs/schema/trace.schema.json");
    let schema = serde_json::to_string_pretty(&trace_schema()).unwrap() + "\n";
    if std::env::var_os("DOMICILE_UPDATE_EXPECTED").is_some() {
        fs::write(&path, &schema).unwrap();
    }
    assert!(
        fs::read_to_string(&path).ok().as_ref() == Some(&schema),
        "write it anew: `domicile schema --of trace > docs/schema/trace.schema.json`"
    );
}

#[test]
fn every_property_of_the_schema_says_what_it_is() {
    fn walk(schema: &Value, path: &str, silent: &mut Vec<String>) {
        match schema {
            Value::Array(items) => items.iter().for_each(|item| walk(item, path, silent)),
            Value::Object(fields) => {
                for (key, value) in fields {
                    let path = format!("{path}/{key}");
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
    let schema = trace_schema();
    let mut silent = Vec::new();
    walk(&schema, "", &mut silent);
    assert!(silent.is_empty(), "{silent:#?}");
    assert!(!schema.to_string().contains("\"null\""));
}

#[test]
fn the_page_shows_every_event_as_it_is_read() {
    let page = page();
    let [lines] = blocks(&page, "jsonl").try_into().unwrap();
    let trace = Trace::read("docs/trace.md", lines.as_bytes()).unwrap();
    let validator = jsonschema::validator_for(&trace_schema()).unwrap();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(validator.is_valid(&line), "{line}");
    }
    for event in EVENTS {
        assert!(
            trace.events.iter().any(|shown| shown.what.word() == event),
            "{event} is not shown"
        );
        assert!(page.contains(&format!("`{event}`")), "{event} is not explained");
    }
    let [rules] = blocks(&page, "yaml").try_into().unwrap();
    FleetRules::read("docs/trace.md", &rules).unwrap();
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    trace: TraceArgs,
}

/// Runs `domicile trace` with these words.
fn trace(words: &[&str]) -> Result<(Outcome, String), String> {
    let line = Line::try_parse_from(["trace"].iter().chain(words)).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    let outcome = run(&line.trace, &mut out).map_err(|error| format!("{error:#}"))?;
    Ok((outcome, String::from_utf8(out).unwrap()))
}

/// A file of a folder, as text for the command line.
fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path: PathBuf = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn a_trace_is_imported_made_up_shown_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = file(
        &folder,
        "nodes.csv",
        "sn,cpu_milli,memory_mib,gpu,model\nn0,32000,262144,0,\nn1,64000,131072,2,P100\n",
    );
    let pods = file(
        &folder,
        "pods.csv",
        "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n\
         p0,12000,16384,1,460,P100|T4,LS,Running,3,9,4\np1,500,1024,0,0,,BE,Pending,1,86401,\n",
    );
    let out = folder.path().join("t.jsonl").display().to_string();
    let import = |seed: &str| {
        let words = [
            "import",
            "openb",
            "--nodes",
            &nodes,
            "--pods",
            &pods,
            "--out",
            &out,
            "--synthesis",
        ];
        let words = [&words[..], &["--seed", seed, "--output", "json"]].concat();
        let (outcome, said) = trace(&words).unwrap();
        assert_eq!(outcome, Outcome::Holds);
        (
            fs::read_to_string(&out).unwrap(),
            serde_json::from_str::<Value>(&said).unwrap(),
        )
    };
    let (first, said) = import("7");
    assert_eq!((&said["v"], &said["kind"]), (&1.into(), &"trace-summary".into()));
    assert_eq!(
        (&said["seed"], &said["eventsByWord"]["pod.create"]),
        (&7.into(), &2.into())
    );
    assert_eq!(
        (&said["lastMs"], &said["mostPodsAtOnce"]),
        (&86_401_000.into(), &2.into())
    );
    assert_eq!(first, import("7").0);
    assert_ne!(first, import("8").0);

    let (outcome, shown) = trace(&["show", &out]).unwrap();
    assert_eq!(outcome, Outcome::Holds);
    for said in [
        " over 1.0 days, from openb with synthesis",
        "made up by seed 8",
        "left out\n  ",
        "2  pod.create",
    ] {
        assert!(shown.contains(said), "{said}\n{shown}");
    }
    let (outcome, checked) = trace(&["check", &out]).unwrap();
    assert_eq!(outcome, Outcome::Holds, "{checked}");

    let broken = file(
        &folder,
        "broken.jsonl",
        &first.replace("\"pod.delete\"", "\"pod.deleted\""),
    );
    let (outcome, checked) = trace(&["check", &broken, "--most", "1"]).unwrap();
    assert_eq!(outcome, Outcome::Finding);
    assert!(
        checked.contains("unknown event `pod.deleted`; did you mean `pod.delete`?"),
        "{checked}"
    );
    assert!(
        checked.contains("\n1 error more\n") && checked.ends_with(", 2 errors\n"),
        "{checked}"
    );
    let (_, json) = trace(&["check", &broken, "--output", "json"]).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["kind"], &json["wrong"]),
        (&"trace-check".into(), &2.into())
    );
    assert!(
        trace(&["show", &broken])
            .unwrap_err()
            .contains("domicile trace check")
    );
    assert!(
        trace(&["check", "/no/such/trace"])
            .unwrap_err()
            .contains("`/no/such/trace` cannot be read")
    );
}

#[test]
fn a_cluster_is_imported_and_a_fleet_made_up() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("t.jsonl").display().to_string();
    // The fleet that is built in is what kubectl prints of nodes and namespaces, but for what its nodes hold.
    let list = r#"{"kind":"List","items":[
        {"kind":"Node","metadata":{"name":"n1","labels":{"topology.kubernetes.io/region":"eu-west-1"}},
         "spec":{"providerID":"aws:///eu-west-1a/i-0"},"status":{"allocatable":{"cpu":"4","memory":"16Gi","pods":"58"}}},
        {"kind":"Pod","metadata":{"name":"p","namespace":"shop","uid":"u"},"spec":{"nodeName":"n1"},"status":{"phase":"Running"}}]}"#;
    let cluster = file(&folder, "cluster.json", list);
    let (outcome, said) = trace(&["import", "kubectl", &cluster, "--keep-nodes", "--out", &out]).unwrap();
    assert_eq!(outcome, Outcome::Holds);
    assert!(said.contains("2 events over 0.0 s, from kubectl"), "{said}");
    assert!(fs::read_to_string(&out).unwrap().contains(r#""nodeName":"n1""#));
    let broken = file(
        &folder,
        "broken.json",
        r#"{"kind":"Node","metadata":{"name":"n"}}"#,
    );
    let problem = trace(&["import", "kubectl", &broken, "--out", &out]).unwrap_err();
    assert!(
        problem.contains("Node `n`: it has no `status.allocatable`"),
        "{problem}"
    );

    let rules = file(&folder, "fleet.yaml", &blocks(&page(), "yaml")[0]);
    let (_, said) = trace(&["fleet", &rules, "--out", &out, "--seed", "3"]).unwrap();
    assert!(
        said.contains("3750  aws/eu-west-1") && said.contains("1250  gcp/europe-west3"),
        "{said}"
    );
}
