//! What is wrong with a trace, and where.
//!
//! Inputs: what the parser of JSON says. Outputs: plain sentences with the word that was probably meant.

use std::fmt;

use serde_json::error::Category;

use crate::model::nearest_word;

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TraceError {
    /// The file, as the caller names it.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The column, in bytes, from 1; 0 where the whole line is meant.
    pub column: usize,
    /// A lowercase sentence with user input in backticks.
    pub sentence: String,
}

impl fmt::Display for TraceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            sentence,
        } = self;
        match column {
            0 => write!(formatter, "{file}:{line}: {sentence}"),
            _ => write!(formatter, "{file}:{line}:{column}: {sentence}"),
        }
    }
}

/// What is wrong within a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The column, in bytes, from 1; 0 where the whole line is meant.
    pub column: usize,
    /// A sentence.
    pub sentence: String,
}

impl Fault {
    /// About the whole line.
    pub(super) fn whole(sentence: impl Into<String>) -> Self {
        Self {
            column: 0,
            sentence: sentence.into(),
        }
    }

    /// About the value of a field of the line.
    pub(super) fn of_field(line: &[u8], field: &str, sentence: String) -> Self {
        let key = format!("\"{field}\":");
        let column = line
            .windows(key.len())
            .position(|window| window == key.as_bytes());
        Self {
            column: column.map_or(0, |before| before + 1),
            sentence,
        }
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        let said = error.to_string();
        let said = said
            .rsplit_once(" at line ")
            .map_or(said.as_str(), |(said, _)| said);
        let sentence = match error.classify() {
            Category::Data => in_plain_words(said),
            Category::Syntax | Category::Eof | Category::Io => format!("the line is no JSON object: {said}"),
        };
        Self {
            column: error.column(),
            sentence,
        }
    }
}

/// What the parser says about a value, in the words of people.
pub(super) fn in_plain_words(said: &str) -> String {
    if let Some((unknown, known)) = said
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split_once("`, "))
    {
        return format!("unknown field `{unknown}`; {}", meant(unknown, &listed(known)));
    }
    if let Some((unknown, known)) = said
        .strip_prefix("unknown variant `")
        .and_then(|rest| rest.split_once("`, "))
    {
        return format!(
            "`{unknown}` is not known here; {}",
            meant(unknown, &listed(known))
        );
    }
    if let Some(field) = said.strip_prefix("missing field ") {
        return format!("{field} is missing");
    }
    if let Some(field) = said.strip_prefix("duplicate field ") {
        return format!("{field} is there twice; keep one");
    }
    let invalid = said
        .strip_prefix("invalid type: ")
        .or(said.strip_prefix("invalid value: "));
    match invalid.and_then(|rest| rest.split_once(", expected ")) {
        Some((found, expected)) => {
            let expected = expected.strip_prefix("struct ").map_or(expected, |_| "an object");
            format!("here is {found} where {expected} is expected")
        }
        None => said.to_owned(),
    }
}

/// The words that the parser lists: the one of JSON puts them into backticks, the one of YAML does not.
fn listed(text: &str) -> Vec<&str> {
    let Some(list) = text.strip_prefix("expected ") else {
        return Vec::new();
    };
    let list = list.strip_prefix("one of ").unwrap_or(list);
    let words = list.split(", ").flat_map(|words| words.split(" or "));
    words.map(|word| word.trim_matches('`')).collect()
}

/// Which of the known words somebody meant, or which there are.
pub(super) fn meant(written: &str, known: &[&str]) -> String {
    match nearest_word(written, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "take it out".to_owned(),
        None => format!("there are `{}`", known.join("`, `")),
    }
}
