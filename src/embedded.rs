//! What the program runs on where nothing else is named: the shipped policies, fleet, data sets and
//! latencies, compiled in.
//!
//! Inputs: the files of `policies/` and `defaults/` at build time. Outputs: their texts, named as in
//! those folders. Invariant: the list equals the folder (a test holds it), so nothing is shipped in part.

/// The shipped policy set: file name relative to `policies/`, and text, in the order of names.
#[must_use]
pub fn policies() -> &'static [(&'static str, &'static str)] {
    &[
        (
            "au-my-health-record.yaml",
            include_str!("../policies/au-my-health-record.yaml"),
        ),
        (
            "business-data.yaml",
            include_str!("../policies/business-data.yaml"),
        ),
        ("card-data.yaml", include_str!("../policies/card-data.yaml")),
        (
            "ch-personal-data.yaml",
            include_str!("../policies/ch-personal-data.yaml"),
        ),
        (
            "cn-personal-data.yaml",
            include_str!("../policies/cn-personal-data.yaml"),
        ),
        (
            "eea-personal-data.yaml",
            include_str!("../policies/eea-personal-data.yaml"),
        ),
        (
            "eea-sovereign.yaml",
            include_str!("../policies/eea-sovereign.yaml"),
        ),
        ("groups.yaml", include_str!("../policies/groups.yaml")),
        (
            "guarantees/au-my-health-record.yaml",
            include_str!("../policies/guarantees/au-my-health-record.yaml"),
        ),
        (
            "guarantees/business-data.yaml",
            include_str!("../policies/guarantees/business-data.yaml"),
        ),
        (
            "guarantees/card-data.yaml",
            include_str!("../policies/guarantees/card-data.yaml"),
        ),
        (
            "guarantees/ch-personal-data.yaml",
            include_str!("../policies/guarantees/ch-personal-data.yaml"),
        ),
        (
            "guarantees/cn-personal-data.yaml",
            include_str!("../policies/guarantees/cn-personal-data.yaml"),
        ),
        (
            "guarantees/eea-personal-data.yaml",
            include_str!("../policies/guarantees/eea-personal-data.yaml"),
        ),
        (
            "guarantees/eea-sovereign.yaml",
            include_str!("../policies/guarantees/eea-sovereign.yaml"),
        ),
        (
            "guarantees/embargoes.yaml",
            include_str!("../policies/guarantees/embargoes.yaml"),
        ),
        (
            "guarantees/uk-personal-data.yaml",
            include_str!("../policies/guarantees/uk-personal-data.yaml"),
        ),
        (
            "guarantees/us-personal-data.yaml",
            include_str!("../policies/guarantees/us-personal-data.yaml"),
        ),
        ("regions/aws.yaml", include_str!("../policies/regions/aws.yaml")),
        (
            "regions/azure.yaml",
            include_str!("../policies/regions/azure.yaml"),
        ),
        (
            "regions/europe.yaml",
            include_str!("../policies/regions/europe.yaml"),
        ),
        ("regions/gcp.yaml", include_str!("../policies/regions/gcp.yaml")),
        ("settings.yaml", include_str!("../policies/settings.yaml")),
        (
            "tests/au-my-health-record.yaml",
            include_str!("../policies/tests/au-my-health-record.yaml"),
        ),
        (
            "tests/business-data.yaml",
            include_str!("../policies/tests/business-data.yaml"),
        ),
        (
            "tests/card-data.yaml",
            include_str!("../policies/tests/card-data.yaml"),
        ),
        (
            "tests/ch-personal-data.yaml",
            include_str!("../policies/tests/ch-personal-data.yaml"),
        ),
        (
            "tests/cn-personal-data.yaml",
            include_str!("../policies/tests/cn-personal-data.yaml"),
        ),
        (
            "tests/eea-personal-data.yaml",
            include_str!("../policies/tests/eea-personal-data.yaml"),
        ),
        (
            "tests/eea-sovereign.yaml",
            include_str!("../policies/tests/eea-sovereign.yaml"),
        ),
        (
            "tests/uk-personal-data.yaml",
            include_str!("../policies/tests/uk-personal-data.yaml"),
        ),
        (
            "tests/us-personal-data.yaml",
            include_str!("../policies/tests/us-personal-data.yaml"),
        ),
        (
            "uk-personal-data.yaml",
            include_str!("../policies/uk-personal-data.yaml"),
        ),
        (
            "us-personal-data.yaml",
            include_str!("../policies/us-personal-data.yaml"),
        ),
    ]
}

/// The default fleet: file name and text.
#[must_use]
pub fn fleet() -> (&'static str, &'static str) {
    ("fleet.yaml", include_str!("../defaults/fleet.yaml"))
}

/// The data sets of the default fleet: file name and text.
#[must_use]
pub fn data_sets() -> (&'static str, &'static str) {
    ("data-sets.yaml", include_str!("../defaults/data-sets.yaml"))
}

/// The measured latencies between regions: file name and text.
#[must_use]
pub fn latency() -> (&'static str, &'static str) {
    ("latency.csv", include_str!("../defaults/latency.csv"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Every YAML file below a folder, relative to it, in order.
    fn yaml_files(folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![folder.to_path_buf()];
        while let Some(current) = open.pop() {
            for entry in std::fs::read_dir(current).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    open.push(path);
                } else if path.extension().is_some_and(|extension| extension == "yaml") {
                    let relative = path.strip_prefix(folder).expect("below the folder");
                    found.push(relative.to_str().expect("a name in UTF-8").replace('\\', "/"));
                }
            }
        }
        found.sort();
        found
    }

    #[test]
    fn the_embedded_list_is_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
        let embedded: Vec<&str> = policies().iter().map(|(name, _)| *name).collect();
        assert_eq!(embedded, yaml_files(&folder));
        for (name, text) in policies() {
            assert_eq!(*text, std::fs::read_to_string(folder.join(name)).expect("a file"));
        }
    }

    #[test]
    fn the_shipped_set_loads_without_a_finding() {
        let loaded = crate::policy::PolicySet::load(policies().iter().copied())
            .unwrap_or_else(|findings| panic!("{}", findings[0]));
        assert_eq!(loaded.findings, Vec::new());
        let data_sets = crate::policy::read_data_sets([data_sets()]);
        assert!(data_sets.is_ok_and(|data_sets| !data_sets.is_empty()));
    }
}
