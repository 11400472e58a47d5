//! How a verb ends: exit codes 0 and 1 where it could do its work, 2 where it could not, 130 where it was stopped.

use std::process::ExitCode;

/// What a verb found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What was asked about holds.
    Holds,
    /// It does not: a refusal or a finding.
    Finding,
    /// Somebody stopped it, and what there was by then is told.
    Stopped,
}

impl Outcome {
    /// The exit code of what was stopped: 128 and the number of the signal, as shells have it.
    pub const STOPPED_CODE: u8 = 130;

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
            Outcome::Stopped => Self::from(Outcome::STOPPED_CODE),
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
