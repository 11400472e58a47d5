//! In which form a verb answers.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

/// For people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs: versioned, in its field `v`.
    Json,
}

/// For people, for programs, or for a spreadsheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum TableOutput {
    /// For people.
    #[default]
    Text,
    /// For programs: versioned, in its field `v`.
    Json,
    /// For a spreadsheet: RFC 4180, every row.
    Csv,
}

/// Writes one JSON document and ends the line.
///
/// # Errors
/// Where the output cannot be written.
pub fn write_json(out: &mut dyn Write, document: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    writeln!(out)
}
