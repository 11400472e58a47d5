//! `domicile exceptions list`: every exception of a set, the one that ends first first.
//!
//! Exit code 0; with `--expiring`, 1 where an exception expires within that time. What it says of requests and
//! approvals is what the files say: nothing here can know whether they took place.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;

use super::Outcome;
use super::counted::counted;
use super::output::{TableOutput, write_json};
use super::policy_set::{PolicyFiles, PolicySource};
use crate::config::parse_instant;
use crate::policy::{Exception, ExceptionState, PolicySet, demand_in_words, selector_in_words};
use crate::spreadsheet::Table;

/// What is lifted for whom, where, and until when
#[derive(Debug, Clone, Args)]
pub struct ExceptionsArgs {
    #[command(subcommand)]
    verb: ExceptionsVerb,
}

#[derive(Debug, Clone, Subcommand)]
enum ExceptionsVerb {
    /// List every exception of a set, the one that ends first first
    List(ListArgs),
}

/// Which exceptions are listed, and how
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// The policies: a directory, or one file; those that are built in where it is not given
    #[arg(value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// The same, as other verbs name it
    #[arg(long, value_name = "DIR", conflicts_with = "directory")]
    pub policies: Option<PathBuf>,
    /// The policies of a file that `domicile snapshot` wrote, where none are named, at the instant at which it was taken
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// List only what expires within so many days, such as 30d, and exit with 1 where anything does
    #[arg(long, value_name = "DAYS", value_parser = parse_days)]
    pub expiring: Option<u32>,
    /// Judge at this instant (RFC 3339, or a date for its midnight UTC) instead of now
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    pub at: Option<Timestamp>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: TableOutput,
}

fn parse_days(text: &str) -> Result<u32, String> {
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
    days.filter(|days| (1..=3_650).contains(days))
        .ok_or_else(|| format!("`{text}` is no number of days: write it such as 30d"))
}

/// Answers `domicile exceptions`.
///
/// # Errors
/// Where the policies cannot be read or do not load, or the answer cannot be written.
pub fn run(args: &ExceptionsArgs, now: Timestamp, out: &mut dyn Write) -> Result<Outcome> {
    match &args.verb {
        ExceptionsVerb::List(args) => list(args, now, out),
    }
}

/// Answers `domicile exceptions list`.
///
/// # Errors
/// Where the policies cannot be read or do not load, or the answer cannot be written.
pub fn list(args: &ListArgs, now: Timestamp, out: &mut dyn Write) -> Result<Outcome> {
    let read = PolicyFiles::read(PolicySource {
        path: args.directory.as_deref().or(args.policies.as_deref()),
        snapshot: args.snapshot.as_deref(),
    })?;
    let list = List::new(&read.compile()?, read.instant(args.at, now), args.expiring);
    match args.output {
        TableOutput::Text => list.write(out)?,
        TableOutput::Json => write_json(out, &list)?,
        TableOutput::Csv => list.write_csv(out)?,
    }
    Ok(Outcome::holds_if(
        args.expiring.is_none() || list.exceptions.is_empty(),
    ))
}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct List {
    v: u32,
    kind: &'static str,
    at: String,
    /// The hash of the set.
    digest: String,
    /// Absent where every exception is listed.
    expiring_within_days: Option<u32>,
    pending: usize,
    in_force: usize,
    expired: usize,
    /// Those that are listed.
    exceptions: Vec<Row>,
}

/// An exception in the answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    state: &'static str,
    /// Absent where it has expired.
    days_left: Option<i64>,
    not_before: String,
    expires: String,
    /// `policy/rule`.
    relaxes: String,
    /// What that rule permits.
    rule: String,
    namespace: String,
    workload: Option<String>,
    locations: String,
    data: String,
    category: &'static str,
    reason: String,
    compensating_controls: Vec<String>,
    requested_by: String,
    approved_by: String,
    ticket: String,
    /// Where request and approval are known from: the file that says so, and nothing else.
    asserted_by: String,
    #[serde(skip)]
    lasts: String,
}

/// `in force, 70 days left until 2027-01-31T00:00:00Z`.
fn lasts(exception: &Exception, at: Timestamp) -> String {
    let state = exception.state(at);
    let (word, not_before, expires) = (state.word(), exception.not_before, exception.expires);
    let days = usize::try_from(exception.days_left(at).unwrap_or(0)).unwrap_or(0);
    let days = counted(days, "day");
    match state {
        ExceptionState::Pending => format!("{word} until {not_before}, {days} left until {expires}"),
        ExceptionState::InForce => format!("{word}, {days} left until {expires}"),
        ExceptionState::Expired => format!("{word} since {expires}"),
    }
}

impl Row {
    fn new(set: &PolicySet, exception: &Exception, at: Timestamp) -> Self {
        let definitions = set.definitions();
        let rule = definitions.rule(exception.relaxes);
        let written_at = &exception.written_at;
        Self {
            name: exception.name.to_string(),
            state: exception.state(at).word(),
            days_left: exception.days_left(at),
            not_before: exception.not_before.to_string(),
            expires: exception.expires.to_string(),
            relaxes: set.rule_name(exception.relaxes).unwrap_or_default(),
            rule: rule.map_or(String::new(), |rule| demand_in_words(definitions, &rule.demand)),
            namespace: exception.namespace.to_string(),
            workload: exception.workload.as_ref().map(ToString::to_string),
            locations: definitions.places_in_words(&exception.locations),
            data: selector_in_words(definitions, &exception.data),
            category: exception.category.word(),
            reason: exception.reason.clone(),
            compensating_controls: exception.compensating_controls.clone(),
            requested_by: exception.requested_by.clone(),
            approved_by: exception.approved_by.clone(),
            ticket: exception.ticket.clone(),
            asserted_by: format!("{}:{}", written_at.file, written_at.line),
            lasts: lasts(exception, at),
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let workload = self.workload.as_ref();
        let workload = workload.map_or(String::new(), |workload| format!(", only {workload}"));
        writeln!(out, "{}: {}", self.name, self.lasts)?;
        writeln!(out, "  lifts      {}, which {}", self.relaxes, self.rule)?;
        writeln!(out, "  for        namespace {}{workload}", self.namespace)?;
        writeln!(out, "  at         {}", self.locations)?;
        writeln!(out, "  data       {}", self.data)?;
        writeln!(out, "  because    {} ({})", self.reason, self.category)?;
        for control in &self.compensating_controls {
            writeln!(out, "  instead    {control}")?;
        }
        writeln!(
            out,
            "  approval   {} asked, {} approved, ticket {}, as the file says ({})",
            self.requested_by, self.approved_by, self.ticket, self.asserted_by
        )
    }
}

impl List {
    fn new(set: &PolicySet, at: Timestamp, expiring_within_days: Option<u32>) -> Self {
        let mut exceptions: Vec<&Exception> = set.definitions().exceptions.iter().collect();
        let count = |state| {
            exceptions
                .iter()
                .filter(|exception| exception.state(at) == state)
                .count()
        };
        let (pending, in_force, expired) = (
            count(ExceptionState::Pending),
            count(ExceptionState::InForce),
            count(ExceptionState::Expired),
        );
        if let Some(days) = expiring_within_days {
            exceptions.retain(|exception| exception.expires_within(days, at));
        }
        exceptions.sort_by(|one, other| (one.expires, &one.name).cmp(&(other.expires, &other.name)));
        Self {
            v: super::explanation::VERSION,
            kind: "exceptions",
            at: at.to_string(),
            digest: set.digest().to_owned(),
            expiring_within_days,
            pending,
            in_force,
            expired,
            exceptions: exceptions
                .into_iter()
                .map(|exception| Row::new(set, exception, at))
                .collect(),
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        for row in &self.exceptions {
            row.write(out)?;
            writeln!(out)?;
        }
        let all = self.pending + self.in_force + self.expired;
        write!(out, "as of {}: {}", self.at, counted(all, "exception"))?;
        if all > 0 {
            let (in_force, pending, expired) = (self.in_force, self.pending, self.expired);
            write!(out, ", {in_force} in force, {pending} pending, {expired} expired")?;
        }
        if let Some(days) = self.expiring_within_days {
            let within = counted(usize::try_from(days).unwrap_or(0), "day");
            write!(out, "; {} within {within}", expire(self.exceptions.len()))?;
        }
        writeln!(out)
    }

    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(
            out,
            &[
                "name",
                "state",
                "days_left",
                "not_before",
                "expires",
                "relaxes",
                "rule",
                "namespace",
                "workload",
                "locations",
                "data",
                "category",
                "reason",
                "compensating_controls",
                "requested_by",
                "approved_by",
                "ticket",
                "asserted_by",
            ],
        )?;
        for row in &self.exceptions {
            let days_left = row.days_left.map_or(String::new(), |days| days.to_string());
            table.row([
                row.name.as_str(),
                row.state,
                &days_left,
                &row.not_before,
                &row.expires,
                &row.relaxes,
                &row.rule,
                &row.namespace,
                row.workload.as_deref().unwrap_or(""),
                &row.locations,
                &row.data,
                row.category,
                &row.reason,
                &row.compensating_controls.join("; "),
                &row.requested_by,
                &row.approved_by,
                &row.ticket,
                &row.asserted_by,
            ])?;
        }
        table.end()
    }
}

/// `1 expires`, `2 expire`.
fn expire(count: usize) -> String {
    format!("{count} {}", if count == 1 { "expires" } else { "expire" })
}
