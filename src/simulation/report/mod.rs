//! The files of a run: the summary for programs, a page and a text for people, tables.
//!
//! Inputs: a run and its summary. Outputs: texts by the names of their files. Invariants: the same run gives the same bytes;
//! every number of the text stands in the summary. Deliberately absent: writing files.

mod difference;
mod html;
mod pods;
mod text;
mod timeline;

use std::io;

use super::comparator::Comparator;
use super::run::Run;
use super::summary::Summary;

/// A file of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

/// Every file of a run, the summary first.
///
/// # Errors
/// Where a table cannot be written, which memory always can.
pub fn report_files(run: &Run<'_>, summary: &Summary) -> io::Result<Vec<ReportFile>> {
    let file = |name, text| ReportFile { name, text };
    let mut files = vec![
        file("summary.json", summary.to_json()?),
        file("report.html", html::html(summary)),
        file("pods.csv", pods::pods_csv(run)?),
        file("timeseries.csv", timeline::timeseries_csv(summary)?),
    ];
    let both = [Comparator::Domicile, Comparator::PolicyB].map(|comparator| run.outcome(&comparator));
    if let [Some(before), Some(after)] = both {
        files.push(file("diff.csv", difference::diff_csv(run.roster, before, after)?));
    }
    let decisions: String = run
        .outcomes
        .iter()
        .filter_map(|(_, outcome)| outcome.as_ref())
        .map(|outcome| outcome.decisions.as_str())
        .collect();
    if !decisions.is_empty() {
        files.push(file("decisions.jsonl", decisions));
    }
    Ok(files)
}

/// The summary as people read it.
#[must_use]
pub fn summary_text(summary: &Summary) -> String {
    text::text(summary)
}
