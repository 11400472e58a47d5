//! What is wrong with settings: every problem at once, one sentence each.

use std::fmt;

/// Settings that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Lowercase sentences; there is at least one.
    pub problems: Vec<String>,
}

impl ConfigError {
    /// One problem.
    #[must_use]
    pub fn one(problem: String) -> Self {
        Self {
            problems: vec![problem],
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.problems.join("\n"))
    }
}

impl std::error::Error for ConfigError {}
