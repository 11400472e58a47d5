//! What the output is shown on: how wide it is, and whether it has colours.

use std::env;
use std::io::{self, IsTerminal};

/// Columns of a terminal that does not say how wide it is.
const TERMINAL_WIDTH: usize = 80;

/// Columns of what is no terminal: nothing wraps there, but lines should still be read by people.
const FILE_WIDTH: usize = 160;

/// What the output is shown on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// How many columns fit into a line.
    pub width: usize,
    /// Whether colours are shown.
    pub has_colour: bool,
}

impl Screen {
    /// What standard output leads to: colours only on a terminal, and only where `NO_COLOR` is not set
    /// (no-color.org).
    #[must_use]
    pub fn of_standard_output() -> Self {
        if !io::stdout().is_terminal() {
            return Self::file();
        }
        let size = terminal_size::terminal_size();
        Self {
            width: size.map_or(TERMINAL_WIDTH, |(width, _)| usize::from(width.0)),
            has_colour: env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// A file or a pipe.
    #[must_use]
    pub fn file() -> Self {
        Self {
            width: FILE_WIDTH,
            has_colour: false,
        }
    }
}
