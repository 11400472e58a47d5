//! What is wrong with a scheduler configuration, where, and how to mend it.

use std::fmt;

use crate::policy::Level;

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// How bad.
    pub level: Level,
    /// `D01` and so on.
    pub code: &'static str,
    /// The field, such as `extenders[0].ignorable`; empty for the whole file.
    pub place: String,
    /// What is wrong: a lowercase sentence without a period.
    pub sentence: String,
    /// How to mend it.
    pub fix: String,
}

impl Finding {
    /// A finding of any level.
    #[must_use]
    pub fn new(
        level: Level,
        code: &'static str,
        place: impl Into<String>,
        sentence: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            level,
            code,
            place: place.into(),
            sentence: sentence.into(),
            fix: fix.into(),
        }
    }

    /// A trap that the installation must not have.
    #[must_use]
    pub fn error(
        code: &'static str,
        place: impl Into<String>,
        sentence: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::new(Level::Error, code, place, sentence, fix)
    }

    /// Something that is better mended.
    #[must_use]
    pub fn warning(
        code: &'static str,
        place: impl Into<String>,
        sentence: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::new(Level::Warning, code, place, sentence, fix)
    }

    /// Something worth knowing.
    #[must_use]
    pub fn note(
        code: &'static str,
        place: impl Into<String>,
        sentence: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::new(Level::Note, code, place, sentence, fix)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.level.word(), self.code)?;
        if !self.place.is_empty() {
            write!(formatter, " {}", self.place)?;
        }
        write!(formatter, ": {}; {}", self.sentence, self.fix)
    }
}
