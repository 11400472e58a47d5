//! Tables that people open in a spreadsheet: CSV by RFC 4180.
//!
//! Inputs: rows of text. Output: the CSV. Invariant: no cell begins as a formula does, for the text in it may
//! come from whoever may name a pod. Deliberately absent: reading CSV, and byte order marks.

use std::io::{self, Write};

use csv::{Terminator, WriterBuilder};

/// A table that is being written.
pub struct Table<W: Write> {
    writer: csv::Writer<W>,
}

impl<W: Write> Table<W> {
    /// Begins a table with its header.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub fn new(out: W, header: &[&str]) -> io::Result<Self> {
        let writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
        let mut table = Self { writer };
        table.row(header)?;
        Ok(table)
    }

    /// Writes a row, which has as many cells as the header.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) -> io::Result<()> {
        for cell in cells {
            let cell = cell.as_ref();
            match cell.chars().next() {
                Some('=' | '+' | '-' | '@' | '\t' | '\r') => self.writer.write_field(format!("'{cell}"))?,
                _ => self.writer.write_field(cell)?,
            }
        }
        self.writer.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// Ends the table.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub fn end(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be_and_are_no_formula() {
        for (cell, written) in [
            ("plain", "plain"),
            ("a, \"b\"", "\"a, \"\"b\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("=\"a\"", "\"'=\"\"a\"\"\""),
            ("1-2", "1-2"),
            ("", ""),
        ] {
            let mut out = Vec::new();
            let mut table = Table::new(&mut out, &["a", "b"]).expect("memory");
            table.row([cell, "x"]).expect("memory");
            table.end().expect("memory");
            let text = String::from_utf8(out).expect("text");
            assert_eq!(text, format!("a,b\r\n{written},x\r\n"));
        }
    }
}
