//! The state over time: `timeseries.csv`, a row for each comparator and sample.

use std::io;

use crate::simulation::summary::Summary;
use crate::spreadsheet::Table;

const HEADER: [&str; 8] = [
    "comparator",
    "t_ms",
    "running",
    "waiting",
    "lost_nodes",
    "cpu_permille",
    "p50_us",
    "p95_us",
];

/// Writes the table.
pub fn timeseries_csv(summary: &Summary) -> io::Result<String> {
    let mut text = Vec::new();
    let mut table = Table::new(&mut text, &HEADER)?;
    for comparator in &summary.comparators {
        for sample in &comparator.timeline {
            let us = |us: Option<i64>| us.map_or(String::new(), |us| us.to_string());
            table.row([
                comparator.id.clone(),
                sample.t_ms.to_string(),
                sample.running.to_string(),
                sample.waiting.to_string(),
                sample.lost_nodes.to_string(),
                sample.cpu_permille.to_string(),
                us(sample.p50_us),
                us(sample.p95_us),
            ])?;
        }
    }
    table.end()?;
    String::from_utf8(text).map_err(io::Error::other)
}
