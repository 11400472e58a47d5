//! The first line of a trace: which version it is, where its events come from, and what nobody saw happen but
//! was made up.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The only version of traces.
pub const TRACE_VERSION: u32 = 1;

/// The word that tells a trace from any other file of JSON Lines.
pub const TRACE_KIND: &str = "trace";

/// The unit of `t`.
const T_UNIT: &str = "ms";

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Where the events come from, in words.
    pub source: String,
    /// The instant of `t` 0, where there is one: a recording has it, what was made up has not.
    pub at: Option<Timestamp>,
    /// What made events up, where something did.
    pub generator: Option<Generator>,
    /// What the events leave out of their source: sentences for people.
    pub notes: Vec<String>,
}

impl Header {
    /// A trace of this source, of which nothing else is known.
    #[must_use]
    pub fn new(source: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            at: None,
            generator: None,
            notes: Vec::new(),
        }
    }
}

/// What made events up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Generator {
    /// Decides every random choice.
    pub seed: u64,
    /// Each rule in words.
    pub rules: Vec<String>,
}

/// The line as it is written.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderLine {
    /// The version of the format: 1.
    #[schemars(extend("const" = TRACE_VERSION))]
    v: u32,
    /// What the file is: a trace.
    #[schemars(extend("const" = TRACE_KIND))]
    kind: String,
    /// Where the events come from, in words.
    source: String,
    /// The unit of `t`: milliseconds.
    #[schemars(extend("const" = T_UNIT))]
    t_unit: String,
    /// The instant of `t` 0, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    at: Option<Timestamp>,
    /// What made events up, where something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    generator: Option<Generator>,
    /// What the events leave out of their source: sentences for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

impl HeaderLine {
    /// The header, where the line is one that this program reads.
    pub(super) fn header(self) -> Result<Header, String> {
        if self.kind != TRACE_KIND {
            return Err(format!(
                "`kind` is `{}` where a trace has `{TRACE_KIND}`",
                self.kind
            ));
        }
        if self.v != TRACE_VERSION {
            return Err(format!(
                "`v` is {} where this program reads {TRACE_VERSION}",
                self.v
            ));
        }
        if self.t_unit != T_UNIT {
            return Err(format!("`t_unit` is `{}`; write `{T_UNIT}`", self.t_unit));
        }
        Ok(Header {
            source: self.source,
            at: self.at,
            generator: self.generator,
            notes: self.notes,
        })
    }
}

impl From<&Header> for HeaderLine {
    fn from(header: &Header) -> Self {
        Self {
            v: TRACE_VERSION,
            kind: TRACE_KIND.to_owned(),
            source: header.source.clone(),
            t_unit: T_UNIT.to_owned(),
            at: header.at,
            generator: header.generator.clone(),
            notes: header.notes.clone(),
        }
    }
}
