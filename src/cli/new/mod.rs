//! `domicile new policy`: a first policy from the mandatory answers, with a test beside it.
//!
//! What flags do not answer is asked for where standard input is a terminal. Exit code 0 where the text is
//! written; 1 where an answer is wrong, and nothing is written, or where lint calls what is written an error;
//! 2 where an answer is missing, the set cannot be read, or the file is there already.

mod questions;

use std::fs::OpenOptions;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::Outcome;
use super::policy_set::{PolicyFiles, PolicySource};
use crate::config::parse_instant;
use crate::policy::{Answers, Finding, draft, is_about_draft};

/// Begin a new file
#[derive(Debug, Clone, Args)]
pub struct NewArgs {
    #[command(subcommand)]
    verb: NewVerb,
}

#[derive(Debug, Clone, Subcommand)]
enum NewVerb {
    /// Write a policy with what is mandatory, and a test that allows and one that denies
    Policy(Box<NewPolicyArgs>),
}

/// The mandatory answers, the set that the policy will stand in, and where it is written
#[derive(Debug, Clone, Args)]
pub struct NewPolicyArgs {
    /// Its name, such as eea-personal-data
    #[arg(long)]
    pub name: Option<String>,
    /// What it demands, in one line for people
    #[arg(long)]
    pub title: Option<String>,
    /// The team that answers for it
    #[arg(long)]
    pub team: Option<String>,
    /// Whom a refused user asks
    #[arg(long)]
    pub contact: Option<String>,
    /// A law, a standard or a contract that it rests on; may be there several times
    #[arg(long, value_name = "CITATION")]
    pub legal_basis: Vec<String>,
    /// What becomes of its verdicts: enforce, warn or audit
    #[arg(long, default_value = "enforce")]
    pub mode: String,
    /// The data: any of these categories, such as personal,payment
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub categories: Vec<String>,
    /// The data: about people of any of these places, such as group/EEA,CH
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub subjects: Vec<String>,
    /// The data: at least so sensitive, such as confidential
    #[arg(long, value_name = "CLASSIFICATION")]
    pub at_least: Option<String>,
    /// Where that data may be, such as group/EEA,CH or CA-QC
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub allowed: Vec<String>,
    /// The policies that it will stand among: a directory, or one file; those that are built in where it is not
    /// given
    #[arg(long, value_name = "DIR")]
    pub policies: Option<PathBuf>,
    /// The file to write, which must not be there; - is standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub out: PathBuf,
    /// Test at this instant (RFC 3339, or a date for its midnight UTC) instead of now
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    pub at: Option<Timestamp>,
}

/// Where the text goes, where people are spoken to, and where they answer; `None` is not at all.
pub struct Console<'a> {
    /// The text.
    pub out: &'a mut dyn Write,
    /// Questions and remarks.
    pub told: &'a mut dyn Write,
    /// Answers.
    pub answers: Option<&'a mut dyn BufRead>,
}

/// Answers `domicile new`.
///
/// # Errors
/// Where an answer is missing, the set cannot be read, or the text cannot be written.
pub fn run(args: &NewArgs, now: Timestamp, out: &mut dyn Write) -> Result<Outcome> {
    let NewVerb::Policy(args) = &args.verb;
    let stdin = io::stdin();
    let is_asked = stdin.is_terminal();
    let mut answers = stdin.lock();
    let console = Console {
        out,
        told: &mut io::stderr(),
        answers: is_asked.then_some(&mut answers),
    };
    new_policy(args, now, console)
}

/// Answers `domicile new policy`.
///
/// # Errors
/// Where an answer is missing, the set cannot be read, or the text cannot be written.
pub fn new_policy(args: &NewPolicyArgs, now: Timestamp, mut console: Console<'_>) -> Result<Outcome> {
    let to_file = (args.out != Path::new("-")).then_some(args.out.as_path());
    if let Some(path) = to_file.filter(|path| path.exists()) {
        bail!("{}", taken(path));
    }
    let read = PolicyFiles::read(PolicySource {
        path: args.policies.as_deref(),
        snapshot: None,
    })?;
    let set = read.compile()?;
    let files: Vec<(&str, &str)> = read.files.iter().collect();
    let answers = questions::complete(given(args), &set, &mut console)?;
    let drafted = match draft(&answers, &set, &files, args.at.unwrap_or(now)) {
        Ok(drafted) => drafted,
        Err(findings) => {
            tell(&findings, console.told)?;
            writeln!(console.told, "nothing was written")?;
            return Ok(Outcome::Finding);
        }
    };
    match to_file {
        None => console.out.write_all(drafted.text.as_bytes())?,
        Some(path) => write_new(path, &drafted.text)?,
    }
    for remark in &drafted.remarks {
        writeln!(console.told, "{remark}")?;
    }
    tell(&drafted.findings, console.told)?;
    if let Some(path) = to_file {
        writeln!(console.told, "`{}` is written", path.display())?;
    }
    Ok(Outcome::holds_if(!drafted.is_wrong()))
}

fn given(args: &NewPolicyArgs) -> Answers {
    let trimmed = |list: &[String]| list.iter().map(|word| word.trim().to_owned()).collect();
    Answers {
        name: args.name.clone().unwrap_or_default(),
        title: args.title.clone().unwrap_or_default(),
        team: args.team.clone().unwrap_or_default(),
        contact: args.contact.clone().unwrap_or_default(),
        legal_basis: args.legal_basis.clone(),
        mode: args.mode.clone(),
        categories: trimmed(&args.categories),
        subjects: trimmed(&args.subjects),
        at_least: args.at_least.clone(),
        allowed: trimmed(&args.allowed),
    }
}

/// Writes a file that must not be there, even if somebody else made it in the meantime.
fn write_new(path: &Path, text: &str) -> Result<()> {
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = match opened {
        Err(problem) if problem.kind() == io::ErrorKind::AlreadyExists => bail!("{}", taken(path)),
        opened => opened.with_context(|| format!("`{}` cannot be written", path.display()))?,
    };
    file.write_all(text.as_bytes())
        .with_context(|| format!("`{}` cannot be written", path.display()))
}

fn taken(path: &Path) -> String {
    format!(
        "`{}` is there already and is not overwritten; name another file",
        path.display()
    )
}

/// The new text is nothing that anybody could look up a line in, so its findings stand without a position.
fn tell(findings: &[Finding], told: &mut dyn Write) -> io::Result<()> {
    for finding in findings {
        if !is_about_draft(finding) {
            writeln!(told, "{finding}")?;
            continue;
        }
        let (level, code) = (finding.level.word(), finding.code);
        write!(told, "{level} {code}: {}", finding.sentence)?;
        match &finding.fix {
            Some(fix) => writeln!(told, "; {fix}")?,
            None => writeln!(told)?,
        }
    }
    Ok(())
}
