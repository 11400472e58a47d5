//! Files of several documents, taken apart and read by kind.
//!
//! Inputs: (file name, text). Outputs: [`Objects`] with positions, and findings. Invariant: every
//! document is either in the outcome or in a finding; none is skipped. Limits on size, aliases and
//! depth are those of the YAML reader's budget.

use serde::de::DeserializeOwned;
use serde_saphyr::{Location, Spanned};

use super::finding::{Finding, Position};
use super::schema::{DataSetSpec, Document, GroupSpec, Header, PolicySpec, RegionSpec, SettingsSpec, Text};
use crate::model::nearest_word;

/// The only version of our objects.
pub const API_VERSION: &str = "domicile.dev/v1alpha1";

/// Kinds that this version reads.
const KINDS: [&str; 5] = [
    "PolicySettings",
    "Region",
    "JurisdictionGroup",
    "DataSet",
    "PlacementPolicy",
];

/// Kinds of the language that this version does not read yet.
const LATER_KINDS: [&str; 3] = ["PlacementException", "Guarantee", "PolicyTest"];

/// Where a document begins.
#[derive(Debug, Clone)]
pub struct Origin {
    file: String,
    lines_before: usize,
}

impl Origin {
    /// The position of a text of this document.
    pub fn position<T>(&self, spanned: &Spanned<T>) -> Position {
        self.at(spanned.referenced)
    }

    /// The position of a location of this document.
    pub fn at(&self, location: Location) -> Position {
        let count = |number: u64| usize::try_from(number).unwrap_or(0);
        Position {
            file: self.file.clone(),
            line: self.lines_before + count(location.line()).max(1),
            column: count(location.column()).max(1),
            length: count(location.span().len()),
        }
    }
}

/// An object and where it stands.
#[derive(Debug)]
pub struct Object<S> {
    /// Its document.
    pub origin: Origin,
    /// Its name.
    pub name: Text,
    /// What it says.
    pub spec: S,
}

impl<S> Object<S> {
    /// The position of its name.
    pub fn position(&self) -> Position {
        self.origin.position(&self.name)
    }
}

/// Everything that was read, by kind, in the order of files.
#[derive(Debug, Default)]
pub struct Objects {
    /// `PolicySettings`.
    pub settings: Vec<Object<SettingsSpec>>,
    /// `Region`.
    pub regions: Vec<Object<RegionSpec>>,
    /// `JurisdictionGroup`.
    pub groups: Vec<Object<GroupSpec>>,
    /// `DataSet`.
    pub data_sets: Vec<Object<DataSetSpec>>,
    /// `PlacementPolicy`.
    pub policies: Vec<Object<PolicySpec>>,
}

/// Reads files.
pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> (Objects, Vec<Finding>) {
    let mut objects = Objects::default();
    let mut findings = Vec::new();
    for (file, text) in files {
        for (lines_before, document) in documents(text) {
            let origin = Origin {
                file: file.to_owned(),
                lines_before,
            };
            if let Err(finding) = read_document(&mut objects, origin, document) {
                findings.push(finding);
            }
        }
    }
    (objects, findings)
}

/// Cuts a text at its document markers. A line that begins with `---` is one even inside a block
/// scalar (YAML 1.2.2, 9.1.2), so this needs no parser.
fn documents(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut start_line = 0;
    let mut offset = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let marker = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']));
        if marker {
            found.push((start_line, text.get(start..offset).unwrap_or("")));
            // What follows the marker on its own line still belongs to the document.
            start = offset + "---".len();
            start_line = number;
        }
        offset += line.len();
    }
    found.push((start_line, text.get(start..).unwrap_or("")));
    found.retain(|(_, document)| !is_blank(document));
    found
}

fn is_blank(document: &str) -> bool {
    document
        .lines()
        .map(str::trim)
        .all(|line| line.is_empty() || line.starts_with('#') || line == "...")
}

fn read_document(objects: &mut Objects, origin: Origin, text: &str) -> Result<(), Finding> {
    let header: Header = parse(&origin, text)?;
    let start = || Position {
        file: origin.file.clone(),
        line: origin.lines_before + 1,
        column: 1,
        length: 0,
    };
    let version = header.api_version.ok_or_else(|| {
        Finding::error("L01", start(), "the document has no `apiVersion`".to_owned())
            .with_fix(format!("write `apiVersion: {API_VERSION}`"))
    })?;
    if version.value != API_VERSION {
        let sentence = format!("`{}` is not a version that this program reads", version.value);
        return Err(Finding::error("L01", origin.position(&version), sentence)
            .with_fix(format!("write `apiVersion: {API_VERSION}`")));
    }
    let kind = header.kind.ok_or_else(|| {
        Finding::error("L01", start(), "the document has no `kind`".to_owned())
            .with_fix(format!("the kinds are {}", KINDS.join(", ")))
    })?;
    match kind.value.as_str() {
        "PolicySettings" => read_into(&mut objects.settings, origin, text),
        "Region" => read_into(&mut objects.regions, origin, text),
        "JurisdictionGroup" => read_into(&mut objects.groups, origin, text),
        "DataSet" => read_into(&mut objects.data_sets, origin, text),
        "PlacementPolicy" => read_into(&mut objects.policies, origin, text),
        later if LATER_KINDS.contains(&later) => {
            let sentence = format!("kind `{later}` is not supported by this version");
            Err(Finding::error("L01", origin.position(&kind), sentence)
                .with_fix("leave the document out: a part of a set is never ignored".to_owned()))
        }
        unknown => {
            let fix = match nearest_word(unknown, KINDS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the kinds are {}", KINDS.join(", ")),
            };
            Err(
                Finding::error("L01", origin.position(&kind), format!("unknown kind `{unknown}`"))
                    .with_fix(fix),
            )
        }
    }
}

fn read_into<S: DeserializeOwned>(
    into: &mut Vec<Object<S>>,
    origin: Origin,
    text: &str,
) -> Result<(), Finding> {
    let document: Document<S> = parse(&origin, text)?;
    into.push(Object {
        origin,
        name: document.metadata.name,
        spec: document.spec,
    });
    Ok(())
}

fn parse<T: DeserializeOwned>(origin: &Origin, text: &str) -> Result<T, Finding> {
    serde_saphyr::from_str(text).map_err(|error| {
        let location = error.location().unwrap_or(Location::UNKNOWN);
        let message = error.without_snippet().to_string();
        // The reader repeats the position in its message, counted from the document instead of the file.
        let sentence = message
            .split(" at line ")
            .next()
            .unwrap_or(&message)
            .trim_start_matches("error: ");
        let first_line = sentence.lines().next().unwrap_or(sentence);
        Finding::error("L01", origin.at(location), first_line.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        read([("a.yaml", text)])
            .1
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn documents_are_cut_at_their_markers_and_blank_ones_do_not_count() {
        let text = "# head\n---\na: 1\n--- \nb: |\n  -- no\n---\n# nothing\n";
        let lines: Vec<usize> = documents(text).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, vec![1, 3]);
    }

    #[test]
    fn a_document_of_no_known_kind_is_a_finding_with_the_way_out() {
        let of_kind = |kind: &str| format!("---\napiVersion: {API_VERSION}\nkind: {kind}\n");
        assert_eq!(findings(&of_kind("Guarantee")).len(), 1);
        assert!(findings(&of_kind("PlacementPolice"))[0].ends_with("did you mean `PlacementPolicy`?"));
        assert!(findings("kind: Region\n")[0].contains("no `apiVersion`"));
        assert!(findings("apiVersion: domicile.dev/v2\nkind: Region\n")[0].contains("`domicile.dev/v2`"));
    }

    #[test]
    fn an_unknown_field_is_found_at_its_line_in_the_file() {
        let text = format!(
            "# comment\n---\napiVersion: {API_VERSION}\nkind: JurisdictionGroup\nmetadata: {{name: EU}}\nspec:\n  asOf: \"2026-01-01\"\n  reviewBy: \"2027-01-01\"\n  source: x\n  membres: []\n"
        );
        let found = findings(&text);
        assert!(found[0].starts_with("a.yaml:10:"), "{found:?}");
        assert!(found[0].contains("membres"), "{found:?}");
    }

    #[test]
    fn a_duplicate_field_and_broken_yaml_are_findings() {
        assert_eq!(findings("apiVersion: x\napiVersion: y\n").len(), 1);
        assert_eq!(findings("a: [1\n").len(), 1);
        assert_eq!(findings("just text\n").len(), 1);
    }
}
