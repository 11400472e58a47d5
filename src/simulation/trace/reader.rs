//! A trace, read line by line.
//!
//! Inputs: JSON Lines from anything that can be read. Outputs: the header, then events one at a time, each line
//! checked against those before it; or for a line what is wrong with it. Invariants: memory holds one line and what is
//! there at that time (nodes, UIDs of pods, data sets), so a trace may be longer than memory; a line that is wrong
//! changes nothing, and reading goes on behind it. Empty lines are passed over. Deliberately absent: opening files.

use std::io::{self, BufRead, Read as _};

use super::error::{Fault, TraceError};
use super::event::Event;
use super::header::Header;
use super::known::Known;
use super::line::{read_event, read_header};

/// The longest line, in bytes: a pod with all that Kubernetes lets it have is below it.
const LONGEST_LINE: u64 = 4 << 20;

/// The most errors of a trace that are told at once.
const MOST_ERRORS: usize = 20;

/// The events of a trace.
#[derive(Debug)]
pub struct Events<R> {
    lines: Lines<R>,
    header: Header,
    known: Known,
}

impl<R: BufRead> Events<R> {
    /// Begins to read; `file` is what errors are reported under.
    ///
    /// # Errors
    /// Where the first line is no header that this program reads.
    pub fn new(file: impl Into<String>, input: R) -> Result<Self, TraceError> {
        let mut lines = Lines {
            file: file.into(),
            input,
            line: Vec::new(),
            number: 0,
            is_broken: false,
        };
        let header = match lines.next_line() {
            Ok(true) => read_header(&lines.line),
            Ok(false) => Err(Fault::whole(
                "the file is empty; the first line of a trace is its header",
            )),
            Err(fault) => Err(fault),
        };
        match header {
            Ok(header) => Ok(Self {
                lines,
                header,
                known: Known::default(),
            }),
            Err(fault) => Err(lines.error(fault)),
        }
    }

    /// The first line.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The line of the last event, from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.lines.number
    }

    fn read(&mut self) -> Result<Option<Event>, Fault> {
        if !self.lines.next_line()? {
            return Ok(None);
        }
        let line = &self.lines.line;
        let event = read_event(line)?;
        self.known
            .admit(&event)
            .map_err(|(field, sentence)| Fault::of_field(line, field, sentence))?;
        Ok(Some(event))
    }
}

impl<R: BufRead> Iterator for Events<R> {
    type Item = Result<Event, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().map_err(|fault| self.lines.error(fault)).transpose()
    }
}

/// The lines of a file.
#[derive(Debug)]
struct Lines<R> {
    file: String,
    input: R,
    line: Vec<u8>,
    number: u64,
    /// Whether nothing more can be read.
    is_broken: bool,
}

impl<R: BufRead> Lines<R> {
    /// Reads the next line that is not empty; whether there is one.
    fn next_line(&mut self) -> Result<bool, Fault> {
        while !self.is_broken {
            self.line.clear();
            self.number += 1;
            let read = self
                .input
                .by_ref()
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut self.line);
            let length = read.map_err(|error| {
                self.is_broken = true;
                Fault::whole(format!("the file cannot be read on: {error}"))
            })?;
            if length == 0 {
                return Ok(false);
            }
            if length as u64 == LONGEST_LINE && !self.line.ends_with(b"\n") {
                self.is_broken = true;
                return Err(Fault::whole(format!(
                    "the line has more than {LONGEST_LINE} bytes"
                )));
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn error(&self, fault: Fault) -> TraceError {
        TraceError {
            file: self.file.clone(),
            line: self.number,
            column: fault.column,
            sentence: fault.sentence,
        }
    }
}

/// A whole trace in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The first line.
    pub header: Header,
    /// The events in the order of their times.
    pub events: Vec<Event>,
}

impl Trace {
    /// Reads a trace whole; `file` is what errors are reported under.
    ///
    /// # Errors
    /// The first errors, up to twenty.
    pub fn read(file: impl Into<String>, input: impl BufRead) -> Result<Self, Vec<TraceError>> {
        let mut reader = Events::new(file, input).map_err(|error| vec![error])?;
        let mut events = Vec::new();
        let mut errors = Vec::new();
        for event in reader.by_ref() {
            match event {
                Ok(event) => events.push(event),
                Err(error) => errors.push(error),
            }
            if errors.len() == MOST_ERRORS {
                break;
            }
        }
        match errors.is_empty() {
            true => Ok(Self {
                header: reader.header,
                events,
            }),
            false => Err(errors),
        }
    }

    /// Writes the trace: the same bytes for the same trace.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub fn write(&self, out: impl io::Write) -> io::Result<()> {
        let mut writer = super::Writer::new(out, &self.header)?;
        for event in &self.events {
            writer.write(event)?;
        }
        writer.end()
    }
}
