//! Where a finding stands in an object: people know its fields and not the lines of our text of it.
//!
//! Inputs: a finding, the texts that it is about. Outputs: a sentence. Invariant: a finding in a file is told as
//! everywhere, with line and column.

use serde_json::Value;

use super::resource::is_custom_resource;
use crate::policy::{CUSTOM_RESOURCES, Finding};

/// A finding with where it stands: by line in a file, by field in an object.
#[must_use]
pub fn in_words<'a>(finding: &Finding, texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let file = finding.position.file.as_str();
    if file == CUSTOM_RESOURCES {
        return format!(
            "{file}: {} {}: {}",
            finding.level.word(),
            finding.code,
            advice(finding)
        );
    }
    if !is_custom_resource(file) {
        return finding.to_string();
    }
    let text = texts.into_iter().find(|(name, _)| *name == file);
    let field = text.and_then(|(_, text)| field_at(text, finding.position.line));
    let field = field.map_or_else(String::new, |field| format!(" {field}"));
    format!(
        "{file}{field}: {} {}: {}",
        finding.level.word(),
        finding.code,
        advice(finding)
    )
}

/// The same without the name of the object, for its own status.
#[must_use]
pub(super) fn within(finding: &Finding, text: &str) -> String {
    match field_at(text, finding.position.line) {
        Some(field) => format!("{} {field}: {}", finding.code, advice(finding)),
        None => format!("{}: {}", finding.code, advice(finding)),
    }
}

fn advice(finding: &Finding) -> String {
    match &finding.fix {
        Some(fix) => format!("{}; {fix}", finding.sentence),
        None => finding.sentence.clone(),
    }
}

/// The field on a line of a text, such as `spec.rules[0].allowed[1]`; `None` for the object as a whole.
fn field_at(text: &str, line: usize) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    let mut fields = Vec::new();
    gather(&value, "", &mut fields);
    let field = fields.into_iter().nth(line.checked_sub(1)?)?;
    (!field.is_empty()).then_some(field)
}

/// The field of each line, as the text is written: one line for each value, and one for each end of several.
fn gather(value: &Value, path: &str, fields: &mut Vec<String>) {
    fields.push(path.to_owned());
    match value {
        Value::Object(inner) if !inner.is_empty() => {
            for (name, value) in inner {
                gather(value, &beneath(path, name), fields);
            }
            fields.push(path.to_owned());
        }
        Value::Array(items) if !items.is_empty() => {
            for (number, item) in items.iter().enumerate() {
                gather(item, &format!("{path}[{number}]"), fields);
            }
            fields.push(path.to_owned());
        }
        _ => {}
    }
}

fn beneath(path: &str, name: &str) -> String {
    let is_plain = name.chars().all(|character| character.is_ascii_alphanumeric());
    match (is_plain, path.is_empty()) {
        (true, true) => name.to_owned(),
        (true, false) => format!("{path}.{name}"),
        (false, _) => format!("{path}[\"{name}\"]"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_line_of_a_text_has_its_field() {
        let value = json!({
            "a": {"b": [], "c/d": {"e": 1}},
            "f": [{"g": "x"}, "y"],
        });
        let text = format!("{value:#}");
        let mut fields = Vec::new();
        gather(&value, "", &mut fields);
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        assert_eq!(fields.len(), lines.len(), "{text}");
        for (field, line) in fields.iter().zip(lines) {
            let opening = ["{", "}", "]", "},", "],"].contains(&line);
            let last = field
                .rsplit(['.', '"', '['])
                .find(|part| !part.is_empty() && *part != "]");
            let last = last.unwrap_or_default().trim_end_matches(']');
            assert!(
                opening || line.starts_with(&format!("\"{last}")) || last.parse::<usize>().is_ok(),
                "{field}: {line}"
            );
        }
        assert_eq!(field_at(&text, 1), None);
        assert_eq!(field_at(&text, 3).as_deref(), Some("a.b"));
        assert_eq!(field_at(&text, 5).as_deref(), Some("a[\"c/d\"].e"));
        assert_eq!(field_at(&text, 10).as_deref(), Some("f[0].g"));
        assert_eq!(field_at(&text, 12).as_deref(), Some("f[1]"));
        assert_eq!(field_at(&text, 99), None);
        assert_eq!(field_at(&text, 0), None);
    }
}
