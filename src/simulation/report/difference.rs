//! Who is elsewhere under the other policies: `diff.csv`, a row for each pod whose region is another one.

use std::io;

use crate::simulation::answers::{added_us, why};
use crate::simulation::drive::{Outcome, Roster};
use crate::spreadsheet::Table;

const HEADER: [&str; 9] = [
    "namespace",
    "pod",
    "workload",
    "region_a",
    "region_b",
    "latency_a_us",
    "latency_b_us",
    "added_us",
    "why",
];

/// Writes the table.
pub fn diff_csv(roster: &Roster<'_>, before: &Outcome, after: &Outcome) -> io::Result<String> {
    let mut text = Vec::new();
    let mut table = Table::new(&mut text, &HEADER)?;
    let lives = before.lives.iter().zip(&after.lives).zip(&roster.pods);
    for ((was, is), made) in lives.filter(|((was, _), _)| was.counts()) {
        let (from, to) = (before.region(was), after.region(is));
        let Some(kind) = roster.kinds.get(made.kind).filter(|_| from != to) else {
            continue;
        };
        let number = |number: Option<u64>| number.map_or(String::new(), |number| number.to_string());
        table.row([
            made.pod.spec.namespace.clone(),
            made.pod.spec.name.clone(),
            kind.workload.clone(),
            from.unwrap_or_default().to_owned(),
            to.unwrap_or_default().to_owned(),
            number(was.cost.us()),
            number(is.cost.us()),
            added_us(was, is).map_or(String::new(), |us| us.to_string()),
            why((before, from), (after, to), made.kind),
        ])?;
    }
    table.end()?;
    String::from_utf8(text).map_err(io::Error::other)
}
