//! How bad a finding is, whatever it is about.

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What it is about cannot be used as it is.
    Error,
    /// It can be used; `--strict` makes it an error.
    Warning,
    /// Worth knowing.
    Note,
}

impl Level {
    /// The word that reports use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}
