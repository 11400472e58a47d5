//! What is wrong with a policy file, where, and how to mend it (docs/policies.md, 4).

use std::fmt;

pub use crate::model::Level;

/// A place in a file. Lines and columns count from 1; 0 is unknown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// The file, relative to the folder of policies.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
    /// How many characters to underline.
    pub length: usize,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where.
    pub position: Position,
    /// `L01` and so on.
    pub code: &'static str,
    /// How bad.
    pub level: Level,
    /// What is wrong: a lowercase sentence without a period.
    pub sentence: String,
    /// How to mend it.
    pub fix: Option<String>,
}

impl Finding {
    /// An error without a fix.
    #[must_use]
    pub fn error(code: &'static str, position: Position, sentence: String) -> Self {
        Self {
            position,
            code,
            level: Level::Error,
            sentence,
            fix: None,
        }
    }

    /// The same with a fix.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<Option<String>>) -> Self {
        self.fix = fix.into();
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position {
            file, line, column, ..
        } = &self.position;
        write!(
            formatter,
            "{file}:{line}:{column}: {} {}: {}",
            self.level.word(),
            self.code,
            self.sentence
        )?;
        if let Some(fix) = &self.fix {
            write!(formatter, "; {fix}")?;
        }
        Ok(())
    }
}
