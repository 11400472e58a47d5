//! `domicile prove DIR`: whether what the guarantees of a set say is so, for every region there may be.
//!
//! Exit code 0 where there is a guarantee and every one holds; 1 where one does not, there is none, or the
//! set does not load; 2 where there is nothing to read.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::Outcome;
use super::lint::instant;
use super::output::{Output, write_json};
use super::policy_set::{PolicyFiles, PolicySource};
use crate::policy::{Exception, Finding, PolicySet, Proof, ProofOutcome, guarantee_in_words};

/// Prove the guarantees of policies, or show what breaks them
#[derive(Debug, Clone, Args)]
pub struct ProveArgs {
    /// The directory of policies, or one file
    #[arg(value_name = "DIR", required_unless_present = "snapshot")]
    pub directory: Option<PathBuf>,
    /// The policies of a file that `domicile snapshot` wrote, where none are named, at the instant at which it was taken
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// The instant or day (UTC) from which on guarantees must hold; the present where it is not given
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub at: Option<Timestamp>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// Answers `domicile prove`.
///
/// # Errors
/// Where the files cannot be read, there is none, or the answer cannot be written.
pub fn run(args: &ProveArgs, now: Timestamp, out: &mut dyn Write) -> Result<Outcome> {
    let read = PolicyFiles::read(PolicySource {
        path: args.directory.as_deref(),
        snapshot: args.snapshot.as_deref(),
    })?;
    let at = read.instant(args.at, now);
    let report = match PolicySet::load(read.files.iter()) {
        Ok(loaded) => Report::of_set(&loaded.set, at),
        Err(findings) => Report::of_findings(&findings, at),
    };
    match args.output {
        Output::Text => report.write(out)?,
        Output::Json => write_json(out, &report)?,
    }
    Ok(Outcome::holds_if(report.holds))
}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    v: u32,
    kind: &'static str,
    /// Whether there is a guarantee and every one holds.
    holds: bool,
    at: String,
    /// The hash of the set; absent where it does not load.
    set: Option<String>,
    /// Why the set does not load.
    findings: Vec<String>,
    guarantees: Vec<Row>,
    /// The dates of the set that were looked at beside the instant.
    later_dates: Vec<String>,
    /// How many cells were decided.
    cells: u64,
    /// Exceptions that are not over.
    exceptions: Vec<ExceptionRow>,
    rests_on: Vec<String>,
    does_not_speak_of: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    file: String,
    line: usize,
    /// What its author says.
    says: String,
    /// What was checked.
    checked: String,
    holds: bool,
    /// Why it does not hold.
    counterexample: Option<String>,
    /// From when on it does not hold, where the clock alone breaks it.
    broken_from: Option<String>,
    /// The exceptions that open it.
    opened_by: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExceptionRow {
    name: String,
    rule: String,
    namespace: String,
    from: String,
    expires: String,
}

impl Report {
    fn of_set(set: &PolicySet, at: Timestamp) -> Self {
        let proofs = set.prove(at);
        let definitions = set.definitions();
        let rows = proofs.proofs.iter();
        let guarantees: Vec<Row> = rows.filter_map(|proof| Row::new(set, proof, at)).collect();
        let live = definitions
            .exceptions
            .iter()
            .filter(|exception| at < exception.expires);
        Self {
            v: super::explanation::VERSION,
            kind: "prove",
            holds: !guarantees.is_empty() && proofs.all_hold(),
            at: at.to_string(),
            set: Some(set.digest().to_owned()),
            findings: Vec::new(),
            guarantees,
            later_dates: proofs
                .instants
                .iter()
                .filter(|date| **date > at)
                .map(ToString::to_string)
                .collect(),
            cells: proofs.cells,
            exceptions: live.map(|exception| ExceptionRow::new(set, exception)).collect(),
            rests_on: set.proofs_rest_on(),
            does_not_speak_of: set.proofs_leave_out(),
        }
    }

    fn of_findings(findings: &[Finding], at: Timestamp) -> Self {
        Self {
            v: super::explanation::VERSION,
            kind: "prove",
            holds: false,
            at: at.to_string(),
            set: None,
            findings: findings.iter().map(ToString::to_string).collect(),
            guarantees: Vec::new(),
            later_dates: Vec::new(),
            cells: 0,
            exceptions: Vec::new(),
            rests_on: Vec::new(),
            does_not_speak_of: Vec::new(),
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some(set) = &self.set else {
            for finding in &self.findings {
                writeln!(out, "{finding}")?;
            }
            return writeln!(out, "the set does not load, so nothing is proved");
        };
        for row in &self.guarantees {
            row.write(out)?;
        }
        if self.guarantees.is_empty() {
            return writeln!(
                out,
                "the set has no guarantee, so nothing is proved; add a Guarantee object"
            );
        }
        writeln!(out, "set {set}")?;
        let until = match self.later_dates.last() {
            Some(last) if self.later_dates.len() == 1 => {
                format!("and at the one later date of the set, {last}")
            }
            Some(last) => {
                let dates = self.later_dates.len();
                format!("and at the {dates} later dates of the set, the last {last}")
            }
            None => "and the set mentions no later date".to_owned(),
        };
        writeln!(out, "looked at {} {until}; {} cells", self.at, self.cells)?;
        if self.holds {
            writeln!(out, "what holds goes on holding until the set changes")?;
        }
        for exception in &self.exceptions {
            let ExceptionRow {
                name,
                rule,
                namespace,
                from,
                expires,
            } = exception;
            writeln!(
                out,
                "exception `{name}` lifts `{rule}` in the namespace `{namespace}` from {from} until {expires}"
            )?;
        }
        list(out, "This rests on:", &self.rests_on)?;
        list(out, "This does not speak of:", &self.does_not_speak_of)
    }
}

fn list(out: &mut dyn Write, title: &str, items: &[String]) -> io::Result<()> {
    writeln!(out, "\n{title}")?;
    items.iter().try_for_each(|item| writeln!(out, "  - {item}"))
}

impl Row {
    fn new(set: &PolicySet, proof: &Proof, at: Timestamp) -> Option<Self> {
        let definitions = set.definitions();
        let guarantee = definitions.guarantees.get(proof.guarantee)?;
        let exceptions = proof.opened_by.iter();
        let exceptions = exceptions.filter_map(|index| definitions.exceptions.get(*index));
        let broken_from = match &proof.outcome {
            ProofOutcome::Fails(counterexample) if counterexample.instant > at => {
                Some(counterexample.instant.to_string())
            }
            _ => None,
        };
        Some(Self {
            name: guarantee.name.to_string(),
            file: guarantee.written_at.file.clone(),
            line: guarantee.written_at.line,
            says: guarantee.says.clone(),
            checked: guarantee_in_words(definitions, guarantee),
            holds: matches!(proof.outcome, ProofOutcome::Holds),
            counterexample: proof.outcome.in_words(),
            broken_from,
            opened_by: exceptions.map(|exception| exception.name.to_string()).collect(),
        })
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let word = if self.holds { "holds" } else { "FAILS" };
        writeln!(out, "{word}  {} ({}:{})", self.name, self.file, self.line)?;
        writeln!(out, "  says:    {}", self.says)?;
        writeln!(out, "  checked: {}", self.checked)?;
        if let Some(counterexample) = &self.counterexample {
            writeln!(out, "  but:     {counterexample}")?;
        }
        for exception in &self.opened_by {
            writeln!(out, "  opened by the exception `{exception}`")?;
        }
        writeln!(out)
    }
}

impl ExceptionRow {
    fn new(set: &PolicySet, exception: &Exception) -> Self {
        Self {
            name: exception.name.to_string(),
            rule: set.rule_name(exception.relaxes).unwrap_or_default(),
            namespace: exception.namespace.to_string(),
            from: exception.not_before.to_string(),
            expires: exception.expires.to_string(),
        }
    }
}
