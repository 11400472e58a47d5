//! A snapshot file: one world as the texts that it was read from, so that the file alone gives the same decisions.
//!
//! Inputs and outputs: JSON with `v` and `kind`. Invariants: each source is there as it was written, so that nothing is
//! lost by reading it and writing it again; what a reader of this version would misunderstand is refused. Deliberately
//! absent: what the texts mean, and who took them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::ObjectError;

/// The version that is written and read.
pub const SNAPSHOT_VERSION: u32 = 1;

/// What the file says it is.
pub const SNAPSHOT_KIND: &str = "snapshot";

/// A text and its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedText {
    /// What its problems are reported under.
    pub name: String,
    /// The text.
    pub text: String,
}

/// A world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SnapshotFile {
    v: u32,
    kind: String,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// The id that the snapshot of these texts has; records of decisions bear it.
    pub id: String,
    /// The last instant at which a cluster confirmed the objects; absent where they are not of a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// Every file of the policies.
    pub policies: Vec<NamedText>,
    /// The files of data sets.
    pub data_sets: Vec<NamedText>,
    /// The latency files.
    pub latency: Vec<NamedText>,
    /// The objects, as kubectl lists them.
    pub fleet: NamedText,
}

/// The texts of a world by their sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotTexts {
    /// Every file of the policies.
    pub policies: Vec<NamedText>,
    /// The files of data sets.
    pub data_sets: Vec<NamedText>,
    /// The latency files.
    pub latency: Vec<NamedText>,
    /// The objects.
    pub fleet: NamedText,
}

/// As much of a file as says what it is.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Header {
    v: Option<u32>,
    kind: Option<String>,
}

impl SnapshotFile {
    /// A file of these texts.
    #[must_use]
    pub fn new(
        texts: SnapshotTexts,
        id: String,
        taken_at: Timestamp,
        confirmed_at: Option<Timestamp>,
    ) -> Self {
        let SnapshotTexts {
            policies,
            data_sets,
            latency,
            fleet,
        } = texts;
        Self {
            v: SNAPSHOT_VERSION,
            kind: SNAPSHOT_KIND.to_owned(),
            taken_at,
            id,
            confirmed_at,
            policies,
            data_sets,
            latency,
            fleet,
        }
    }

    /// Reads a file; `None` where it is something else, such as what kubectl lists.
    ///
    /// # Errors
    /// Where it is a snapshot that cannot be read, or one of another version.
    pub fn read(text: &str) -> Result<Option<Self>, ObjectError> {
        // Whatever else it is, it is JSON; a look at a large YAML file would cost as much as reading it.
        if !text.trim_start().starts_with('{') {
            return Ok(None);
        }
        let header: Header = serde_json::from_str(text).unwrap_or_default();
        if header.kind.as_deref() != Some(SNAPSHOT_KIND) {
            return Ok(None);
        }
        match header.v {
            Some(SNAPSHOT_VERSION) => serde_json::from_str(text)
                .map(Some)
                .map_err(ObjectError::from_parser),
            Some(other) => Err(ObjectError::Syntax(format!(
                "it is a snapshot of version {other} and this program reads version {SNAPSHOT_VERSION}"
            ))),
            None => Err(ObjectError::Missing("v")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> SnapshotFile {
        let text = |name: &str| NamedText {
            name: name.to_owned(),
            text: format!("\"{name}\"\n"),
        };
        let texts = SnapshotTexts {
            policies: vec![text("a.yaml"), text("b.yaml")],
            data_sets: Vec::new(),
            latency: vec![text("l.csv")],
            fleet: text("the cluster"),
        };
        let at: Timestamp = "2027-01-31T12:00:00Z".parse().expect("an instant");
        SnapshotFile::new(texts, "0123".to_owned(), at, Some(at))
    }

    #[test]
    fn what_is_written_is_read() {
        let text = serde_json::to_string_pretty(&file()).expect("JSON");
        assert_eq!(SnapshotFile::read(&text), Ok(Some(file())));
    }

    #[test]
    fn what_is_no_snapshot_is_left_to_others_and_a_bad_one_is_an_error() {
        for other in [
            "",
            "kind: snapshot\nv: 1\n",
            "{}",
            "{",
            r#"{"kind":"List","items":[]}"#,
        ] {
            assert_eq!(SnapshotFile::read(other), Ok(None), "{other}");
        }
        let written = serde_json::to_string(&file()).expect("JSON");
        for (from, to, problem) in [
            (r#""v":1"#, r#""v":2"#, "version 2"),
            (r#""v":1,"#, "", "`v` is missing"),
            (r#""id":"#, r#""ids":"#, "unknown field `ids`"),
            (r#""dataSets":[],"#, "", "missing field `dataSets`"),
        ] {
            let error = SnapshotFile::read(&written.replace(from, to)).expect_err(to);
            assert!(error.to_string().contains(problem), "{error}");
        }
    }
}
