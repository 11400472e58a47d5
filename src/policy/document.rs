//! Files of several documents, taken apart and read by kind.
//!
//! Inputs: (file name, text). Outputs: [`Objects`] with positions, and findings. Invariant: every
//! document is either in the outcome or in a finding; none is skipped. Size, number, aliases and depth
//! are limited, so that no file takes long or much memory.

use serde::de::DeserializeOwned;
use serde_saphyr::{Location, Spanned};

use super::finding::{Finding, Position};
use super::schema::{
    DataSetSpec, Document, ExceptionSpec, GroupSpec, GuaranteeSpec, Header, NetworkLinkSpec, PolicySpec,
    PolicyTestSpec, RegionSpec, SettingsSpec, Text,
};
use crate::model::nearest_word;

/// The only version of our objects.
pub const API_VERSION: &str = "domicile.dev/v1alpha1";

/// The longest file that is read, in bytes: some twenty thousand regions.
const MOST_BYTES: usize = 8 << 20;

/// The most objects of a set. The catalogue of three clouds has about 150.
const MOST_DOCUMENTS: usize = 10_000;

/// Kinds that this version reads.
pub const KINDS: [&str; 9] = [
    "PolicySettings",
    "Region",
    "JurisdictionGroup",
    "DataSet",
    "NetworkLink",
    "PlacementPolicy",
    "PlacementException",
    "Guarantee",
    "PolicyTest",
];

/// Where a document begins.
#[derive(Debug, Clone)]
pub struct Origin {
    file: String,
    lines_before: usize,
    bytes_before: usize,
}

impl Origin {
    /// The position of a text of this document.
    pub fn position<T>(&self, spanned: &Spanned<T>) -> Position {
        self.at(spanned.referenced)
    }

    /// How many bytes of the file stand before a text, where it is written out and not only referred to.
    pub fn byte_offset<T>(&self, spanned: &Spanned<T>) -> Option<usize> {
        let in_document = spanned.defined.span().byte_offset()?;
        Some(self.bytes_before + usize::try_from(in_document).ok()?)
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
    /// `NetworkLink`.
    pub links: Vec<Object<NetworkLinkSpec>>,
    /// `PlacementPolicy`.
    pub policies: Vec<Object<PolicySpec>>,
    /// `PlacementException`.
    pub exceptions: Vec<Object<ExceptionSpec>>,
    /// `Guarantee`.
    pub guarantees: Vec<Object<GuaranteeSpec>>,
    /// `PolicyTest`.
    pub tests: Vec<Object<PolicyTestSpec>>,
    count: usize,
}

/// Reads files.
pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> (Objects, Vec<Finding>) {
    let mut objects = Objects::default();
    let mut findings = Vec::new();
    for (file, text) in files {
        if text.len() > MOST_BYTES {
            let sentence = format!("the file has {} bytes where {MOST_BYTES} are allowed", text.len());
            let position = Position {
                file: file.to_owned(),
                ..Position::default()
            };
            findings.push(Finding::error("L01", position, sentence));
            continue;
        }
        for document in documents(text) {
            if objects.count + findings.len() >= MOST_DOCUMENTS {
                let sentence = format!("the set has more than {MOST_DOCUMENTS} objects");
                let position = Position {
                    file: file.to_owned(),
                    line: document.lines_before + 1,
                    column: 1,
                    length: 0,
                };
                findings.push(Finding::error("L01", position, sentence));
                return (objects, findings);
            }
            let origin = Origin {
                file: file.to_owned(),
                lines_before: document.lines_before,
                bytes_before: document.bytes_before,
            };
            match read_document(&mut objects, origin, document.text) {
                Ok(()) => objects.count += 1,
                Err(finding) => findings.push(finding),
            }
        }
    }
    (objects, findings)
}

/// Which files of a set hold no object. A file that is written in place is empty for an instant, and cut off at its
/// beginning it may stay so; the set without it is another one, which may permit more. So whoever decides by files takes
/// none of these.
pub fn without_objects<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<Finding> {
    let blank = files.into_iter().filter(|(_, text)| documents(text).is_empty());
    let findings = blank.map(|(file, _)| {
        let position = Position {
            file: file.to_owned(),
            line: 1,
            column: 1,
            length: 0,
        };
        Finding::error("L01", position, "the file holds no object".to_owned())
            .with_fix("remove the file, or write an object into it".to_owned())
    });
    findings.collect()
}

/// A document of a file.
struct Part<'a> {
    lines_before: usize,
    bytes_before: usize,
    text: &'a str,
}

/// Cuts a text at its document markers. A line that begins with `---` is one even inside a block
/// scalar (YAML 1.2.2, 9.1.2), so this needs no parser.
fn documents(text: &str) -> Vec<Part<'_>> {
    let mut found = Vec::new();
    // Some editors begin a file with the mark of its encoding.
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    // A document keeps its marker, so that columns on that line are those of the file.
    let mut start = text.len() - body.len();
    let mut start_line = 0;
    let mut offset = start;
    let part = |lines_before, bytes_before, end| Part {
        lines_before,
        bytes_before,
        text: text.get(bytes_before..end).unwrap_or(""),
    };
    for (number, line) in body.split_inclusive('\n').enumerate() {
        let marker = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']));
        if marker {
            found.push(part(start_line, start, offset));
            start = offset;
            start_line = number;
        }
        offset += line.len();
    }
    found.push(part(start_line, start, text.len()));
    found.retain(|part| !is_blank(part.text));
    found
}

fn is_blank(document: &str) -> bool {
    document
        .strip_prefix("---")
        .unwrap_or(document)
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
        "JurisdictionGroup" => {
            read_into(&mut objects.groups, origin, text)?;
            if let Some(group) = objects.groups.last_mut()
                && let Some(name) = group.spec.name.take()
            {
                group.name = name;
            }
            Ok(())
        }
        "DataSet" => read_into(&mut objects.data_sets, origin, text),
        "NetworkLink" => read_into(&mut objects.links, origin, text),
        "PlacementPolicy" => read_into(&mut objects.policies, origin, text),
        "PlacementException" => read_into(&mut objects.exceptions, origin, text),
        "Guarantee" => read_into(&mut objects.guarantees, origin, text),
        "PolicyTest" => read_into(&mut objects.tests, origin, text),
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
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 32,
            max_nodes: 100_000,
            max_aliases: 1_000,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 10_000,
            max_replay_stack_depth: 8,
        },
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let location = error.location().unwrap_or(Location::UNKNOWN);
        let message = error.without_snippet().to_string();
        // The reader repeats the position in its message, counted from the document instead of the file.
        let sentence = message
            .split(" at line ")
            .next()
            .unwrap_or(&message)
            .trim_start_matches("error: ");
        // It also tells programmers how to switch the check off.
        let sentence = sentence
            .split(", set DuplicateKeyPolicy")
            .next()
            .unwrap_or(sentence);
        let first_line = sentence.lines().next().unwrap_or(sentence);
        let (sentence, fix) = in_our_words(first_line);
        Finding::error("L01", origin.at(location), sentence).with_fix(fix)
    })
}

/// What the YAML reader says in the words of its programmers, for the authors of policies.
fn in_our_words(message: &str) -> (String, Option<String>) {
    if let Some((unknown, known)) = message.split_once(", expected one of ")
        && let Some(written) = unknown.strip_prefix("unknown field `")
    {
        let written = written.trim_end_matches('`');
        let fix = match nearest_word(written, known.split(", ").map(|word| word.trim_matches('`'))) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the fields are {known}"),
        };
        return (unknown.to_owned(), Some(fix));
    }
    let sentence = match message {
        "expected sequence start" => "a list belongs here",
        "expected mapping start" => "fields belong here",
        "expected string scalar" => "one word or text belongs here",
        other => other,
    };
    (sentence.to_owned(), None)
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
        let lines: Vec<usize> = documents(text).iter().map(|part| part.lines_before).collect();
        assert_eq!(lines, vec![1, 3]);
    }

    #[test]
    fn the_mark_of_an_encoding_and_windows_line_ends_are_no_text() {
        let text = "\u{feff}---\r\n# nothing\r\n---\r\nkind: Region\r\n";
        assert_eq!(
            findings(text),
            [
                "a.yaml:3:1: error L01: the document has no `apiVersion`; write `apiVersion: domicile.dev/v1alpha1`"
            ]
        );
    }

    #[test]
    fn a_document_of_no_known_kind_is_a_finding_with_the_way_out() {
        let of_kind = |kind: &str| format!("---\napiVersion: {API_VERSION}\nkind: {kind}\n");
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
