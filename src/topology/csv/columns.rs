//! The columns of a latency file: which there are, and where they stand in one.

use std::collections::BTreeMap;

use ::csv::StringRecord;

use crate::model::nearest_word;

/// Where the columns are.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) rtt_ms: usize,
    pub(super) p95_ms: Option<usize>,
    pub(super) statistic: Option<usize>,
    pub(super) samples: Option<usize>,
    pub(super) measured_at: Option<usize>,
    pub(super) source: Option<usize>,
    pub(super) freshness: Option<usize>,
    pub(super) reachable: Option<usize>,
    pub(super) count: usize,
}

/// The columns that a file may have; the first three it must.
const COLUMNS: [&str; 10] = [
    "from",
    "to",
    "rtt_ms",
    "p95_ms",
    "statistic",
    "samples",
    "measured_at",
    "source",
    "freshness",
    "reachable",
];

impl Columns {
    /// Finds the columns in the first row.
    ///
    /// # Errors
    /// Every column that is not known, there twice or missing.
    pub(super) fn read(header: &StringRecord) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let mut found: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, name) in header.iter().enumerate() {
            if !COLUMNS.contains(&name) {
                let known = match nearest_word(name, COLUMNS) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("the columns are {}", COLUMNS.join(", ")),
                };
                problems.push(format!("the column `{name}` is not known; {known}"));
            } else if found.insert(name, index).is_some() {
                problems.push(format!("the column `{name}` is there twice"));
            }
        }
        let column = |name: &str| found.get(name).copied();
        let required = [column("from"), column("to"), column("rtt_ms")];
        for (name, index) in COLUMNS.iter().zip(required) {
            if index.is_none() {
                problems.push(format!("the column `{name}` is missing"));
            }
        }
        match required {
            [Some(from), Some(to), Some(rtt_ms)] if problems.is_empty() => Ok(Self {
                from,
                to,
                rtt_ms,
                p95_ms: column("p95_ms"),
                statistic: column("statistic"),
                samples: column("samples"),
                measured_at: column("measured_at"),
                source: column("source"),
                freshness: column("freshness"),
                reachable: column("reachable"),
                count: header.len(),
            }),
            _ => Err(problems),
        }
    }
}
