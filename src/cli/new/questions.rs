//! The mandatory answers that flags did not give: asked for, one line each, or named as missing.

use std::io::{BufRead, Write};

use anyhow::{Result, bail};

use super::Console;
use crate::policy::{Answers, PolicySet};

/// Completes the answers.
///
/// # Errors
/// Where one is missing and nobody can be asked, or stops to answer.
pub(super) fn complete(mut answers: Answers, set: &PolicySet, console: &mut Console<'_>) -> Result<Answers> {
    let missing = missing(&answers);
    if missing.is_empty() {
        return Ok(answers);
    }
    let Some(lines) = console.answers.as_deref_mut() else {
        bail!(
            "an answer is missing: give {}, or run it in a terminal to be asked",
            missing.join(", ")
        );
    };
    let mut asking = Asking {
        told: console.told,
        lines,
    };
    let definitions = set.definitions();
    let teams: Vec<&str> = definitions.settings.teams.keys().map(String::as_str).collect();
    let groups: Vec<String> = definitions
        .groups
        .iter()
        .map(|group| format!("group/{}", group.name))
        .collect();
    let places = format!("codes such as DE or CA-QC, {}", groups.join(", "));
    for (answer, question) in [
        (&mut answers.name, "name, such as eea-personal-data".to_owned()),
        (
            &mut answers.title,
            "title, what it demands in one line".to_owned(),
        ),
        (
            &mut answers.team,
            format!("team that answers for it ({})", teams.join(", ")),
        ),
        (
            &mut answers.contact,
            "contact, whom a refused user asks".to_owned(),
        ),
    ] {
        if answer.trim().is_empty() {
            *answer = asking.ask(&question)?;
        }
    }
    if answers.legal_basis.is_empty() {
        answers
            .legal_basis
            .push(asking.ask("legal basis, what it cites")?);
    }
    while selects_nothing(&answers) {
        writeln!(asking.told, "which data: answer at least one of the next three")?;
        answers.categories = words(&asking.ask_if_any("categories, such as personal, payment")?);
        answers.subjects = words(&asking.ask_if_any(&format!("people of ({places})"))?);
        let least =
            asking.ask_if_any("at least so sensitive (public, internal, confidential, restricted)")?;
        answers.at_least = Some(least).filter(|least| !least.is_empty());
    }
    if answers.allowed.is_empty() {
        answers.allowed = words(&asking.ask(&format!("where it may be ({places}, anywhere)"))?);
    }
    Ok(answers)
}

fn selects_nothing(answers: &Answers) -> bool {
    answers.categories.is_empty() && answers.subjects.is_empty() && answers.at_least.is_none()
}

fn missing(answers: &Answers) -> Vec<&'static str> {
    let asked = [
        (answers.name.trim().is_empty(), "`--name`"),
        (answers.title.trim().is_empty(), "`--title`"),
        (answers.team.trim().is_empty(), "`--team`"),
        (answers.contact.trim().is_empty(), "`--contact`"),
        (answers.legal_basis.is_empty(), "`--legal-basis`"),
        (
            selects_nothing(answers),
            "one of `--categories`, `--subjects` and `--at-least`",
        ),
        (answers.allowed.is_empty(), "`--allowed`"),
    ];
    let missing = asked.into_iter().filter(|(is_missing, _)| *is_missing);
    missing.map(|(_, flag)| flag).collect()
}

fn words(line: &str) -> Vec<String> {
    let words = line.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(ToOwned::to_owned).collect()
}

struct Asking<'a> {
    told: &'a mut dyn Write,
    lines: &'a mut dyn BufRead,
}

impl Asking<'_> {
    /// Asks until something is answered.
    fn ask(&mut self, question: &str) -> Result<String> {
        loop {
            let answer = self.ask_if_any(question)?;
            if !answer.is_empty() {
                return Ok(answer);
            }
        }
    }

    /// Asks once; nothing is an answer too.
    fn ask_if_any(&mut self, question: &str) -> Result<String> {
        write!(self.told, "{question}: ")?;
        self.told.flush()?;
        let mut line = String::new();
        if self.lines.read_line(&mut line)? == 0 {
            bail!("the answers ended before every question was answered");
        }
        Ok(line.trim().to_owned())
    }
}
