//! Answers and cases as YAML. Invariant: the text is read back as the words that were given, whatever they are.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::Answers;
use super::cases::{Case, Cases};
use crate::policy::document::API_VERSION;

/// The policy: one document.
pub(super) fn policy(answers: &Answers) -> String {
    let cited: Vec<String> = answers
        .legal_basis
        .iter()
        .map(|cite| format!("{{cite: {}}}", quoted(cite)))
        .collect();
    let mut data = Vec::new();
    if let Some(least) = &answers.at_least {
        data.push(format!("classification: {{atLeast: {}}}", word(least)));
    }
    if !answers.categories.is_empty() {
        data.push(format!("categories: [{}]", list(&answers.categories, word)));
    }
    if !answers.subjects.is_empty() {
        data.push(format!("subjects: [{}]", list(&answers.subjects, place)));
    }
    format!(
        "apiVersion: {API_VERSION}\n\
         kind: PlacementPolicy\n\
         metadata: {{name: {name}}}\n\
         spec:\n\
         \x20 title: {title}\n\
         \x20 owner: {{team: {team}, contact: {contact}}}\n\
         \x20 legalBasis: [{cited}]\n\
         \x20 mode: {mode}\n\
         \x20 appliesTo: {{data: {{{data}}}}}\n\
         \x20 rules: [{{id: place, allowed: [{allowed}]}}]\n",
        name = word(&answers.name),
        title = word(&answers.title),
        team = word(&answers.team),
        contact = word(&answers.contact),
        cited = cited.join(", "),
        mode = word(&answers.mode),
        data = data.join(", "),
        allowed = list(&answers.allowed, place),
    )
}

/// Its test: a document that stands behind it.
pub(super) fn test(name: &str, at: Timestamp, cases: &Cases) -> String {
    let mut text = format!(
        "---\n\
         apiVersion: {API_VERSION}\n\
         kind: PolicyTest\n\
         metadata: {{name: {}}}\n\
         spec:\n\
         \x20 at: \"{at}\"\n\
         \x20 cases:\n",
        word(name)
    );
    let [classification, category, subject] = cases.data.words();
    let subject = place(&subject);
    let data =
        format!("{{classification: {classification}, categories: [{category}], subjects: [{subject}]}}");
    for Case {
        name,
        region,
        expects,
        because,
    } in &cases.cases
    {
        let because = because
            .as_ref()
            .map_or(String::new(), |because| format!(", because: {}", word(because)));
        // Writing into a `String` cannot fail.
        let _ = writeln!(
            text,
            "    - {{name: {}, data: {data}, region: {}, expect: {}{because}}}",
            word(name),
            word(region),
            expects.word()
        );
    }
    text
}

fn list(words: &[String], write: fn(&str) -> String) -> String {
    let words: Vec<String> = words.iter().map(|word| write(word)).collect();
    words.join(", ")
}

/// A place: a code is always quoted, as other YAML readers take Norway for false.
fn place(text: &str) -> String {
    match text {
        "none" | "anywhere" => text.to_owned(),
        _ if text.starts_with("group/") => word(text),
        _ => quoted(text),
    }
}

/// A word as it is, where no YAML reader takes it for anything else.
fn word(text: &str) -> String {
    const OTHERWISE: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan"];
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with(' ')
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, ' ' | '/' | '_' | '.' | '@' | '-'))
        && !OTHERWISE.contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { quoted(text) }
}

/// In double quotes (YAML 1.2.2, 7.3.1).
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                // Writing into a `String` cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_they_could_be_read_otherwise() {
        for (given, written) in [
            ("privacy-office", "privacy-office"),
            ("Data stays in Québec", "Data stays in Québec"),
            ("no", "\"no\""),
            ("2026", "\"2026\""),
            ("a: b", "\"a: b\""),
            ("a #b", "\"a #b\""),
            ("say \"x\"\n\t", "\"say \\\"x\\\"\\n\\u0009\""),
            ("", "\"\""),
            ("end ", "\"end \""),
        ] {
            assert_eq!(word(given), written);
        }
        for (given, written) in [
            ("NO", "\"NO\""),
            ("CA-QC", "\"CA-QC\""),
            ("group/EEA", "group/EEA"),
            ("anywhere", "anywhere"),
            ("group/{x}", "\"group/{x}\""),
        ] {
            assert_eq!(place(given), written);
        }
    }
}
