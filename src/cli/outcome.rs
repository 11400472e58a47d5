//! How a verb ends: exit codes 0 and 1 where it could do its work, and 2 where it could not.

use std::process::ExitCode;

/// What a verb found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What was asked about holds.
    Holds,
    /// It does not: a refusal or a finding.
    Finding,
}

impl Outcome {
    /// What holds, or a finding.
    #[must_use]
    pub fn holds_if(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Finding }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Holds => Self::SUCCESS,
            Outcome::Finding => Self::FAILURE,
        }
    }
}

/// The exit code of a verb that ended; why it could not do its work goes to standard error.
#[must_use]
pub fn exit_code(verb: &str, ended: anyhow::Result<Outcome>) -> ExitCode {
    match ended {
        Ok(outcome) => outcome.into(),
        Err(problem) => {
            eprintln!("domicile {verb}: {problem:#}");
            ExitCode::from(2)
        }
    }
}
