//! What rules on transit make of an answer, in words: which bind, what they cut off, what they cost.
//!
//! Where none binds anything, nothing of this is told.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::report::{DemandRowInReport, Report, RowInReport};
use super::words::{copies_in_words, listed, percent};

/// The columns of the table that tell what the policies cost for what.
pub const SHARES: [&str; 2] = ["for places", "for ways"];

/// Below so many milliseconds a cost is told as none.
const LEAST_MS: f64 = 0.05;

impl Report {
    /// What rules on transit leave without an answer, a sentence each.
    pub fn findings_of_ways(&self) -> Vec<String> {
        let rules: Vec<&str> = self.ways_ruled_by.iter().map(|rule| rule.says.as_str()).collect();
        let rules = rules.join("; ");
        let mut findings = Vec::new();
        if let Some((regions, share)) = of_rows(&self.demand.cut_off) {
            findings.push(format!(
                "no way of a known latency is left from {regions} ({share} of the requests) to any region where a copy \
                 may be: {rules}"
            ));
        }
        let today = self.today.as_ref().map(|today| &today.cut_off);
        if let Some((regions, share)) = today.and_then(|rows| of_rows(rows)) {
            findings.push(format!(
                "today's copies do not serve {share} of the requests, from {regions}, by any way that is left: {rules}"
            ));
        }
        let apart = self.today.as_ref().map(|today| &today.apart);
        if let Some(apart) = apart.filter(|apart| !apart.is_empty()) {
            findings.push(format!(
                "no way is left by which the copy in {} is kept like the others: {rules}",
                listed(apart.iter().map(String::as_str))
            ));
        }
        findings
    }

    /// Writes which rules take ways away.
    pub fn write_ways(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.ways_ruled_by.is_empty() {
            return Ok(());
        }
        writeln!(out, "\nwhich ways lead there: those that are left")?;
        for rule in &self.ways_ruled_by {
            let ask = rule.contact.as_ref().map(|contact| format!("; ask {contact}"));
            writeln!(out, "  {}{}", rule.says, ask.unwrap_or_default())?;
        }
        Ok(())
    }

    /// Writes the best at the same places by every way, where no placement serves the demand by those that are left.
    pub fn write_by_every_way(&self, row: &RowInReport, out: &mut dyn Write) -> io::Result<()> {
        let Some(choice) = &row.by_every_way else {
            return Ok(());
        };
        writeln!(
            out,
            "  by every way: {} at {:.1} ms",
            copies_in_words(&choice.copies),
            choice.ms
        )
    }

    /// Writes what the policies cost for places, and what for ways.
    pub fn write_shares(&self, row: &RowInReport, out: &mut dyn Write) -> io::Result<()> {
        let (Some(residency_ms), Some(transit_ms)) = (row.residency_cost_ms, row.transit_cost_ms) else {
            return Ok(());
        };
        writeln!(
            out,
            "    of that {residency_ms:.1} ms for the places that are refused, {transit_ms:.1} ms for the ways that are \
             taken away"
        )
    }
}

impl RowInReport {
    /// What the policies cost for places, and what for ways.
    pub fn shares(&self) -> [Option<f64>; 2] {
        [self.residency_cost_ms, self.transit_cost_ms]
    }

    /// Whether the policies cost something.
    pub fn has_policy_cost(&self) -> bool {
        self.policy_cost_ms.is_some_and(|cost| cost >= LEAST_MS)
    }
}

/// The regions of rows, each once, and their share of all requests; `None` where there is no row.
fn of_rows(rows: &[DemandRowInReport]) -> Option<(String, String)> {
    if rows.is_empty() {
        return None;
    }
    let regions: BTreeSet<&str> = rows.iter().map(|row| row.region.as_str()).collect();
    let share: f64 = rows.iter().map(|row| row.share).sum();
    Some((listed(regions), percent(share)))
}
