//! A trace, written line by line.
//!
//! Invariant: the same events give the same bytes; every line is one that the reader takes.

use std::io::{self, Write};

use super::event::Event;
use super::header::Header;
use super::line::{header_line, write_event};

/// Writes events as they come.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    line: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins a trace with its header.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub fn new(mut out: W, header: &Header) -> io::Result<Self> {
        writeln!(out, "{}", header_line(header)?)?;
        Ok(Self {
            out,
            line: Vec::new(),
        })
    }

    /// Writes an event, which must be no earlier than those before.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub fn write(&mut self, event: &Event) -> io::Result<()> {
        self.line.clear();
        write_event(event, &mut self.line)?;
        self.line.push(b'\n');
        self.out.write_all(&self.line)
    }

    /// Ends the trace.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub fn end(mut self) -> io::Result<()> {
        self.out.flush()
    }
}
