//! The walls of ARCHITECTURE.md, held by reading `src/`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which modules of ours each pure module may name. What is not listed here is a shell and may name all.
const MAY_IMPORT: [(&str, &[&str]); 12] = [
    ("model", &[]),
    ("topology", &["model"]),
    ("policy", &["model"]),
    ("objects", &["model"]),
    ("replicas", &["model", "topology"]),
    ("snapshot", &["model", "policy", "topology", "replicas"]),
    (
        "placement",
        &["model", "policy", "topology", "replicas", "snapshot"],
    ),
    (
        "admission",
        &["model", "objects", "placement", "policy", "snapshot"],
    ),
    ("scan", &["model", "policy", "snapshot", "placement", "admission"]),
    ("extender", &["model", "objects", "placement", "snapshot"]),
    ("custom_resources", &["assembly", "model", "policy"]),
    (
        "assembly",
        &["model", "objects", "policy", "topology", "snapshot"],
    ),
];

/// What a pure module never names: the outside world.
const OUTSIDE_WORLD: [&str; 16] = [
    "kube::",
    "k8s_openapi",
    "actix",
    "tokio",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "rand::rng",
    "rand::random",
    "println!",
];

/// What single shells never name.
const SHELLS_NEVER_NAME: [(&str, &[&str]); 5] = [
    ("server", &["kube::", "k8s_openapi"]),
    ("prometheus", &["kube::", "k8s_openapi", "actix"]),
    (
        "live_latency",
        &[
            "kube::",
            "k8s_openapi",
            "actix",
            "tokio",
            "Timestamp::now",
            "prometheus::",
        ],
    ),
    ("cluster", &["actix"]),
    (
        "simulation",
        &[
            // The crate; `simulation::kube` is our model of kube-scheduler.
            " kube::",
            "(kube::",
            "<kube::",
            "k8s_openapi",
            "actix",
            "tokio",
            "SystemTime",
            "Timestamp::now",
            "rand::rng",
        ],
    ),
];

/// Lines of a file beyond which it must be split, tests not counted.
const MOST_LINES: usize = 600;

const FORBIDDEN_NAMES: [&str; 6] = ["util", "utils", "helper", "helpers", "common", "prelude"];

fn sources() -> BTreeMap<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut open = vec![root.clone()];
    let mut found = BTreeMap::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.insert(path.strip_prefix(&root).unwrap().to_owned(), text);
            }
        }
    }
    assert!(found.len() > 30, "the sources were not found");
    found
}

fn is_test_file(path: &Path) -> bool {
    let stem = path.file_stem().unwrap().to_string_lossy();
    stem == "tests" || stem.ends_with("_tests")
}

/// The code of a file without its comments and its inline tests.
fn code(text: &str) -> String {
    let without_tests = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
    let lines = without_tests
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines
        .map(|line| line.split(" // ").next().unwrap())
        .collect::<Vec<_>>()
        .join("\n")
}

fn module(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The modules of ours that a text names through `crate::`.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in code.split("crate::").skip(1) {
        let name: String = part
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        if let Some(list) = part.strip_prefix('{') {
            let inner = list.split('}').next().unwrap();
            found.extend(
                inner
                    .split(',')
                    .map(|item| item.trim().split("::").next().unwrap().to_owned()),
            );
        } else if !name.is_empty() {
            found.insert(name);
        }
    }
    found
}

#[test]
fn modules_name_only_what_their_wall_lets_through() {
    let mut breaches = Vec::new();
    for (path, text) in sources() {
        if is_test_file(&path) {
            continue;
        }
        let module = module(&path);
        let code = code(&text);
        if let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == module) {
            for import in imports(&code) {
                if import != module && !allowed.contains(&import.as_str()) {
                    breaches.push(format!(
                        "{}: `{module}` may not import `{import}`",
                        path.display()
                    ));
                }
            }
            for word in OUTSIDE_WORLD.iter().filter(|word| code.contains(**word)) {
                breaches.push(format!("{}: `{module}` may not name `{word}`", path.display()));
            }
        }
        for (_, words) in SHELLS_NEVER_NAME.iter().filter(|(name, _)| *name == module) {
            for word in words.iter().filter(|word| code.contains(**word)) {
                breaches.push(format!("{}: `{module}` may not name `{word}`", path.display()));
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

/// What finds violations must not be wrong where what avoids them is.
#[test]
fn the_checker_of_simulations_shares_no_code_with_what_decides() {
    const SHARED: [&str; 10] = [
        "policy::",
        "placement::",
        "snapshot::",
        "super::super",
        "read_annotations",
        "Catalogue",
        "Category::",
        "Classification::",
        "Profile::",
        "DataTuple",
    ];
    let all = sources();
    let files = all.iter().filter(|(path, _)| {
        path.starts_with("simulation/checker") || path.ends_with("simulation/checker.rs")
    });
    let files: Vec<(&PathBuf, &String)> = files.collect();
    assert!(files.len() > 5, "the checker was not found");
    for (path, text) in files {
        let code = code(text);
        for word in SHARED {
            assert!(
                !code.contains(word),
                "{}: the checker may not name `{word}`",
                path.display()
            );
        }
        for import in imports(&code) {
            assert_eq!(
                import,
                "model",
                "{}: the checker reads for itself",
                path.display()
            );
        }
    }
}

#[test]
fn the_wall_test_sees_imports_and_not_comments() {
    let text = "//! crate::server\nuse crate::model::Score;\nuse crate::{policy::A, snapshot};\n\n#[cfg(test)]\nmod tests {\n    use crate::cluster::X;\n}\n";
    let expected: BTreeSet<String> = ["model", "policy", "snapshot"]
        .into_iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(imports(&code(text)), expected);
}

#[test]
fn every_module_says_what_it_is() {
    let silent: Vec<String> = sources()
        .into_iter()
        .filter(|(path, text)| !is_test_file(path) && !text.starts_with("//! "))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "no `//!` in {silent:?}");
}

#[test]
fn files_stay_small_and_are_named_for_what_they_hold() {
    for (path, text) in sources() {
        let lines = text.split("\n#[cfg(test)]\nmod ").next().unwrap().lines().count();
        assert!(
            is_test_file(&path) || lines <= MOST_LINES,
            "{} has {lines} lines",
            path.display()
        );
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            !FORBIDDEN_NAMES.contains(&stem.as_str()),
            "{} is named for nothing",
            path.display()
        );
    }
}
