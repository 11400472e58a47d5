//! `domicile explain POLICY`: a policy in plain English, good enough to sign.
//!
//! Exit code 0, or 2 where there is no such policy. What is said is decided in
//! [`policy::explain`](crate::policy::explain); here it is only laid out.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::Outcome;
use super::output::{Output, write_json};
use super::policy_set::{PolicyFiles, PolicySource};
use crate::config::parse_instant;
use crate::model::nearest_word;
use crate::policy::{Explanation, PolicySet, explain};

/// The longest line of the text, in characters, where no single word is longer.
const LINE_CHARACTERS: usize = 100;

/// A policy in plain English
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// The name of the policy
    #[arg(value_name = "POLICY", required_unless_present = "all")]
    pub policy: Option<String>,
    /// Explain every policy of the set
    #[arg(long, conflicts_with = "policy")]
    pub all: bool,
    /// The policies: a directory, or one file; those that are built in where it is not given
    #[arg(long, value_name = "DIR")]
    pub policies: Option<PathBuf>,
    /// The policies of a file that `domicile snapshot` wrote, where none are named, at the instant at which it was taken
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// Explain as of this instant (RFC 3339, or a date for its midnight UTC) instead of now
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    pub at: Option<Timestamp>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// Answers `domicile explain`.
///
/// # Errors
/// Where the policies cannot be read or do not load, no policy has the name, or the answer cannot be written.
pub fn run(args: &ExplainArgs, now: Timestamp, out: &mut dyn Write) -> Result<Outcome> {
    let read = PolicyFiles::read(PolicySource {
        path: args.policies.as_deref(),
        snapshot: args.snapshot.as_deref(),
    })?;
    let (set, at) = (read.compile()?, read.instant(args.at, now));
    let wanted = match &args.policy {
        Some(name) => vec![policy_of_name(&set, name)?],
        None => (0..set.definitions().policies.len()).collect(),
    };
    let answer = Answer {
        v: super::explanation::VERSION,
        kind: "explanation",
        at: at.to_string(),
        digest: set.digest().to_owned(),
        policies: wanted
            .into_iter()
            .filter_map(|policy| explain(&set, policy, at))
            .collect(),
    };
    match args.output {
        Output::Text => answer.write(out)?,
        Output::Json => write_json(out, &answer)?,
    }
    Ok(Outcome::Holds)
}

fn policy_of_name(set: &PolicySet, name: &str) -> Result<usize> {
    let policies = &set.definitions().policies;
    policies
        .iter()
        .position(|policy| *policy.name == *name)
        .ok_or_else(|| {
            let names = || policies.iter().map(|policy| &*policy.name);
            match nearest_word(name, names()) {
                Some(near) => anyhow!("no policy is called `{name}`; did you mean `{near}`?"),
                None => {
                    let names: Vec<&str> = names().collect();
                    anyhow!("no policy is called `{name}`; there are {}", names.join(", "))
                }
            }
        })
}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    v: u32,
    kind: &'static str,
    at: String,
    /// The hash of the set.
    digest: String,
    policies: Vec<Explanation>,
}

impl Answer {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        for (number, explanation) in self.policies.iter().enumerate() {
            if number > 0 {
                writeln!(out)?;
            }
            writeln!(out, "{}", explanation.title)?;
            writeln!(out, "{}", "=".repeat(explanation.title.chars().count()))?;
            writeln!(out)?;
            let version = explanation.version.as_ref();
            let version = version.map_or(String::new(), |version| format!(", version {version}"));
            writeln!(out, "Policy {}{version}, as of {}.", explanation.name, self.at)?;
            writeln!(out, "Set {}.", self.digest)?;
            for part in &explanation.parts {
                writeln!(out)?;
                writeln!(out, "{}", part.heading)?;
                for sentence in &part.sentences {
                    for line in wrapped("  - ", sentence) {
                        writeln!(out, "{line}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// A text in lines, the first behind a mark and the others indented as far.
fn wrapped(mark: &str, text: &str) -> Vec<String> {
    let indent = " ".repeat(mark.chars().count());
    let mut lines = Vec::new();
    let mut line = mark.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        let longer = line.chars().count() + 1 + word.chars().count();
        if !is_empty && longer > LINE_CHARACTERS {
            lines.push(std::mem::replace(&mut line, indent.clone()));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_filled_and_a_long_word_stands_alone() {
        let long = "x".repeat(120);
        let text = format!("{} {long} end", "word ".repeat(25));
        let lines = wrapped("  - ", &text);
        assert!(lines[0].starts_with("  - word word"), "{lines:?}");
        assert!(
            lines
                .iter()
                .all(|line| line.chars().count() <= LINE_CHARACTERS || line.trim() == long)
        );
        assert_eq!(lines.last().map(String::as_str), Some("    end"));
        let words = lines.join(" ");
        assert_eq!(words.split_whitespace().count(), 1 + 25 + 2);
    }
}
