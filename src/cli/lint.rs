//! `domicile lint DIR`: what is wrong with a set of policies, where, and how to mend it.
//!
//! Exit code 0 where nothing is wrong, 1 where a finding is an error (with `--strict`, a warning too), 2
//! where there is nothing to lint.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::Outcome;
use super::output::{Output, write_json};
use crate::files::{Source, SourceFiles, SourceName, read_source};
use crate::policy::{Finding, Level, PolicySet, lint};

/// Check policies: what is wrong, where, and how to mend it
#[derive(Debug, Clone, Args)]
pub struct LintArgs {
    /// The directory of policies, or one file
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// The instant or day (UTC) as of which dates are judged; the present where it is not given
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub at: Option<Timestamp>,
    /// Treat warnings as errors
    #[arg(long)]
    pub strict: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

fn instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(instant) = text.parse() {
        return Ok(instant);
    }
    let date: Option<Date> = text.parse().ok().filter(|_| text.len() == "2026-12-31".len());
    date.and_then(|date| date.to_zoned(TimeZone::UTC).ok())
        .map(|zoned| zoned.timestamp())
        .ok_or_else(|| "write 2026-12-31 or 2026-12-31T00:00:00Z".to_owned())
}

/// Answers `domicile lint`.
///
/// # Errors
/// Where the files cannot be read, there is none, or the answer cannot be written.
pub fn run(args: &LintArgs, now: Timestamp, out: &mut dyn Write) -> Result<Outcome> {
    let files = read_source(SourceName::Policies, &Source::Path(args.directory.clone()))?;
    if files.is_empty() {
        bail!(
            "no policy file (.yaml, .yml, .json) is beneath `{}`",
            args.directory.display()
        );
    }
    let report = Report::new(&files, args.at.unwrap_or(now));
    match args.output {
        Output::Text => report.write(&files, out)?,
        Output::Json => write_json(out, &report)?,
    }
    let wrong = report.errors + if args.strict { report.warnings } else { 0 };
    Ok(Outcome::holds_if(wrong == 0))
}

/// What a set holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    policies: usize,
    groups: usize,
    regions: usize,
    data_sets: usize,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    v: u32,
    kind: &'static str,
    /// The instant as of which dates were judged.
    at: String,
    files: usize,
    /// Absent where the set does not load.
    set: Option<Counts>,
    errors: usize,
    warnings: usize,
    notes: usize,
    findings: Vec<Row>,
    /// Files that were not read because of their extension.
    passed_over: Vec<String>,
}

/// A finding in the answer. A line or column of 0 is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    code: &'static str,
    level: &'static str,
    file: String,
    line: usize,
    column: usize,
    length: usize,
    sentence: String,
    fix: Option<String>,
}

impl Report {
    fn new(files: &SourceFiles, at: Timestamp) -> Self {
        let (set, mut findings) = match PolicySet::load(files.iter()) {
            Ok(loaded) => {
                let mut findings = loaded.findings;
                findings.extend(lint(&loaded.set, at));
                let definitions = loaded.set.definitions();
                let counts = Counts {
                    policies: definitions.policies.len(),
                    groups: definitions.groups.len(),
                    regions: loaded.set.catalogue().regions().count(),
                    data_sets: loaded.set.data_sets().len(),
                };
                (Some(counts), findings)
            }
            Err(findings) => (None, findings),
        };
        findings.sort();
        let count = |level: Level| findings.iter().filter(|finding| finding.level == level).count();
        Self {
            v: super::explanation::VERSION,
            kind: "lint",
            at: at.to_string(),
            files: files.files().len(),
            set,
            errors: count(Level::Error),
            warnings: count(Level::Warning),
            notes: count(Level::Note),
            findings: findings.into_iter().map(Row::from).collect(),
            passed_over: files.passed_over().to_vec(),
        }
    }

    fn write(&self, files: &SourceFiles, out: &mut dyn Write) -> io::Result<()> {
        let lines: BTreeMap<&str, Vec<&str>> = files
            .iter()
            .map(|(name, text)| (name, text.lines().collect()))
            .collect();
        for row in &self.findings {
            let Row {
                file,
                line,
                column,
                level,
                code,
                sentence,
                ..
            } = row;
            let mut place = file.clone();
            for number in [line, column].into_iter().filter(|_| *line > 0) {
                write!(place, ":{number}").map_err(io::Error::other)?;
            }
            if !place.is_empty() {
                place.push_str(": ");
            }
            writeln!(out, "{place}{level} {code}: {sentence}")?;
            let written = lines
                .get(file.as_str())
                .and_then(|lines| lines.get(line.checked_sub(1)?));
            if let Some(written) = written {
                writeln!(out, "{line:>6} | {written}")?;
                writeln!(out, "       | {}", underline(written, *column, row.length))?;
            }
            if let Some(fix) = &row.fix {
                writeln!(out, "       = {fix}")?;
            }
        }
        if !self.passed_over.is_empty() {
            writeln!(out, "not read, by extension: {}", self.passed_over.join(", "))?;
        }
        writeln!(out, "{}", self.summary())
    }

    fn summary(&self) -> String {
        let counted = |count: usize, one: &str, several: &str| {
            format!("{count} {}", if count == 1 { one } else { several })
        };
        let held = match &self.set {
            Some(set) => [
                counted(set.policies, "policy", "policies"),
                counted(set.groups, "group", "groups"),
                counted(set.regions, "region", "regions"),
                counted(set.data_sets, "data set", "data sets"),
            ]
            .join(", "),
            None => format!("{}, not loaded", counted(self.files, "file", "files")),
        };
        let found = [
            (self.errors, "error", "errors"),
            (self.warnings, "warning", "warnings"),
            (self.notes, "note", "notes"),
        ];
        let found: Vec<String> = found
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, several)| counted(count, one, several))
            .collect();
        if found.is_empty() {
            format!("{held}: no findings")
        } else {
            format!("{held}: {}", found.join(", "))
        }
    }
}

impl From<Finding> for Row {
    fn from(finding: Finding) -> Self {
        let Finding {
            position,
            code,
            level,
            sentence,
            fix,
        } = finding;
        Self {
            code,
            level: level.word(),
            file: position.file,
            line: position.line,
            column: position.column,
            length: position.length,
            sentence,
            fix,
        }
    }
}

/// Carets below the text that a finding is about. Tabs stay tabs, so that the carets stand below it.
fn underline(line: &str, column: usize, length: usize) -> String {
    let before = column.saturating_sub(1);
    let indent: String = line
        .chars()
        .take(before)
        .map(|character| if character == '\t' { '\t' } else { ' ' })
        .collect();
    // What is longer than its line (a whole block) is underlined to the end of the line.
    let rest = line.trim_end().chars().count().saturating_sub(before);
    indent + &"^".repeat(length.min(rest).max(1))
}
