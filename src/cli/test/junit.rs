//! The answer of `domicile test` as `JUnit` XML, which build servers show: one suite for each test.
//!
//! Invariant: the text is well-formed XML whatever somebody wrote into a file. Class and name of a case are
//! the names of its test and its own, so they stay the same from run to run. Deliberately absent: how long a
//! case took, and when it ran; the answer depends on the files alone.

use std::io::{self, Write};

use super::report::{Report, Test};

/// Writes the answer.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let problems = report.problems.len();
    let cases = report.passed + report.failed + problems;
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(
        out,
        r#"<testsuites name="domicile test" tests="{cases}" failures="{}" errors="{problems}">"#,
        report.failed
    )?;
    for test in &report.tests {
        suite(test, out)?;
    }
    if problems > 0 {
        writeln!(
            out,
            r#"  <testsuite name="policies" tests="{problems}" failures="0" errors="{problems}" skipped="0">"#
        )?;
        for (number, problem) in report.problems.iter().enumerate() {
            writeln!(
                out,
                r#"    <testcase classname="policies" name="problem {}">"#,
                number + 1
            )?;
            writeln!(out, r#"      <error message="{}"/>"#, escaped(problem))?;
            writeln!(out, "    </testcase>")?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn suite(test: &Test, out: &mut dyn Write) -> io::Result<()> {
    let name = escaped(&test.name);
    writeln!(
        out,
        r#"  <testsuite name="{name}" tests="{}" failures="{}" errors="0" skipped="0">"#,
        test.cases.len(),
        test.failed()
    )?;
    writeln!(
        out,
        r#"    <properties><property name="at" value="{}"/></properties>"#,
        escaped(&test.at)
    )?;
    for case in &test.cases {
        let (title, file) = (escaped(&case.name), escaped(&case.file));
        let begin = format!(r#"    <testcase classname="{name}" name="{title}" file="{file}""#);
        if case.passed {
            writeln!(out, "{begin}/>")?;
            continue;
        }
        let expected = case.expected_in_words();
        let got = case.got_in_words();
        writeln!(out, "{begin}>")?;
        writeln!(
            out,
            r#"      <failure message="{}" type="unexpected outcome">{}</failure>"#,
            escaped(&format!("expected {expected}, got {got}")),
            escaped(&case.place())
        )?;
        writeln!(out, "    </testcase>")?;
    }
    writeln!(out, "  </testsuite>")
}

/// Text for an attribute or an element. What XML 1.0 cannot hold at all is replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            // A bare line end in an attribute is read back as a space.
            '\t' | '\n' | '\r' => escaped.push_str(&format!("&#{};", u32::from(character))),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_written_otherwise_or_replaced() {
        assert_eq!(
            escaped("a<b> & \"c\" 'd'\n\u{1}\u{fffe}ü"),
            "a&lt;b&gt; &amp; &quot;c&quot; &apos;d&apos;&#10;\u{fffd}\u{fffd}ü"
        );
    }
}
