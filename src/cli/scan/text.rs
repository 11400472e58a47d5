//! A scan in words.

use std::io::{self, Write};

use super::report::{CopyRow, FindingRow, Report};
use crate::cli::counted::counted;
use crate::scan::FindingKind;

/// How many pods of one finding the text lists; the table has all.
const MOST_PODS: usize = 20;

impl Report {
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "scan of {} of {}, judged at {}",
            counted(self.pods, "pod"),
            self.fleet,
            self.world.at
        )?;
        if self.world.observes {
            writeln!(out, "  (the settings only observe: nothing of this is refused)")?;
        }
        for kind in FindingKind::ALL {
            self.write_kind(kind, out)?;
            self.write_copies(kind, out)?;
        }
        writeln!(
            out,
            "\n{} of {} pass",
            self.passing_pods,
            counted(self.pods, "pod")
        )
    }

    fn write_kind(&self, kind: FindingKind, out: &mut dyn Write) -> io::Result<()> {
        let rows: Vec<&FindingRow> = self
            .findings
            .iter()
            .filter(|row| row.kind == Some(kind))
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "\n{} {}: {}",
            level(kind),
            kind.word(),
            counted(rows.len(), "pod")
        )?;
        for row in rows.iter().take(MOST_PODS) {
            let on = match (&row.node, &row.region) {
                (Some(node), Some(region)) => format!(" on {node} in {region}"),
                (Some(node), None) => format!(" on {node}"),
                (None, _) => String::new(),
            };
            writeln!(out, "  {}/{}{on}: {}", row.namespace, row.pod, row.says)?;
            writeln!(out, "    fix: {}", row.fix)?;
        }
        let more = rows.len().saturating_sub(MOST_PODS);
        if more > 0 {
            writeln!(
                out,
                "  and {} more; `--output csv` lists all",
                counted(more, "pod")
            )?;
        }
        Ok(())
    }
}

impl Report {
    fn write_copies(&self, kind: FindingKind, out: &mut dyn Write) -> io::Result<()> {
        let rows: Vec<&CopyRow> = self.copies.iter().filter(|row| row.kind == kind).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let number = match rows.len() {
            1 => "1 copy".to_owned(),
            more => format!("{more} copies"),
        };
        writeln!(out, "\n{} {}: {number}", level(kind), kind.word())?;
        for row in rows {
            let role = row.role.map_or(String::new(), |role| format!(" ({role})"));
            let place = row
                .place
                .as_deref()
                .map_or(String::new(), |place| format!(" in {place}"));
            writeln!(out, "  {}{role}{place}{}: {}", row.data_set, row.held(), row.says)?;
            writeln!(out, "    fix: {}", row.fix)?;
        }
        Ok(())
    }
}

fn level(kind: FindingKind) -> &'static str {
    if kind.is_failure() { "error" } else { "note" }
}
