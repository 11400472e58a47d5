//! Findings as SARIF 2.1.0 (OASIS), which code hosts show beside the lines of a pull request.
//!
//! Inputs: findings, the length of the line that each is about, the address of its file. Output: one run.
//! Invariants: columns count Unicode characters, as our positions do, and `columnKind` says so; addresses
//! are relative and free of `..`, so that a report says nothing of the machine it was made on; what has no
//! line has no region, and what has no file has no location. The words of levels are SARIF's.

use std::path::{Component, Path};

use serde::Serialize;

use crate::policy::{FINDING_KINDS, Finding};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// A finding, and what a report has to know about the place that it points to.
#[derive(Debug, Clone, Copy)]
pub struct Located<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// The address of its file; `None` where it is about no file.
    pub uri: Option<&'a str>,
    /// How many characters of its line it underlines, from its column on.
    pub underlined: usize,
}

/// The whole document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SarifLog {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    results: Vec<SarifResult>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Message,
    default_configuration: Configuration,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Message {
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Message,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct ArtifactLocation {
    uri: String,
}

/// On one line. The end column is the one behind the last character.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_column: usize,
}

impl SarifLog {
    /// Makes the document of a run.
    #[must_use]
    pub fn new<'a>(findings: impl IntoIterator<Item = Located<'a>>) -> Self {
        let rules = FINDING_KINDS.iter().map(|kind| Rule {
            id: kind.code,
            short_description: Message {
                text: kind.about.to_owned(),
            },
            default_configuration: Configuration {
                level: kind.level.word(),
            },
        });
        let driver = Driver {
            name: "domicile",
            semantic_version: env!("CARGO_PKG_VERSION"),
            rules: rules.collect(),
        };
        Self {
            schema: SCHEMA,
            version: "2.1.0",
            runs: [Run {
                tool: Tool { driver },
                column_kind: "unicodeCodePoints",
                results: findings.into_iter().map(result).collect(),
            }],
        }
    }
}

fn result(located: Located<'_>) -> SarifResult {
    let finding = located.finding;
    let text = match &finding.fix {
        Some(fix) => format!("{}; {fix}", finding.sentence),
        None => finding.sentence.clone(),
    };
    let location = located.uri.map(|uri| Location {
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation { uri: uri.to_owned() },
            region: region(located),
        },
    });
    SarifResult {
        rule_id: finding.code,
        rule_index: FINDING_KINDS.iter().position(|kind| kind.code == finding.code),
        level: finding.level.word(),
        message: Message { text },
        locations: location.into_iter().collect(),
    }
}

fn region(located: Located<'_>) -> Option<Region> {
    let position = &located.finding.position;
    let start_column = position.column.max(1);
    (position.line > 0).then(|| Region {
        start_line: position.line,
        start_column,
        end_column: start_column + located.underlined,
    })
}

/// The address of a file beneath a folder, as a relative reference. Where the folder was named by an
/// absolute path or one that climbs, the file is addressed from that folder.
#[must_use]
pub fn relative_uri(folder: &Path, file: &Path) -> String {
    let is_plain = |component: Component<'_>| matches!(component, Component::Normal(_) | Component::CurDir);
    let path = if folder.components().all(is_plain) {
        folder.join(file)
    } else {
        file.to_owned()
    };
    let segments = path.components().filter_map(|component| match component {
        Component::Normal(segment) => Some(percent_encoded(&segment.to_string_lossy())),
        _ => None,
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Everything but the unreserved characters of RFC 3986.
fn percent_encoded(segment: &str) -> String {
    let mut encoded = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_relative_and_encoded() {
        for (folder, file, uri) in [
            ("policies", "a.yaml", "policies/a.yaml"),
            (
                "./deploy/policies/",
                "eu/a b.yaml",
                "deploy/policies/eu/a%20b.yaml",
            ),
            ("/etc/policies", "a.yaml", "a.yaml"),
            ("../policies", "ä:1.yaml", "%C3%A4%3A1.yaml"),
            ("", "a.yaml", "a.yaml"),
        ] {
            assert_eq!(
                relative_uri(Path::new(folder), Path::new(file)),
                uri,
                "{folder} {file}"
            );
        }
    }
}
