//! Pods without a node: by cause under each scheduler, and by what those are told that residency refuses.

use std::fmt::{self, Write as _};

use super::causes::causes;
use super::figures::{count, counted, names};
use super::series;
use super::table::{Cell, Column, bar, table};
use crate::simulation::summary::Summary;

/// Sentences that are shown, at most.
const MOST_SENTENCES: usize = 40;

/// Workloads that are named for each sentence, at most.
const MOST_WORKLOADS: usize = 8;

/// Writes both tables.
pub fn refused(page: &mut String, summary: &Summary) -> fmt::Result {
    let Some(subject) = series::subject(summary) else {
        return Ok(());
    };
    if summary.comparators.iter().all(|of| of.unschedulable.total == 0) && summary.refused.is_empty() {
        page.push_str("<p>Every pod finds a node under every scheduler.</p>\n");
        return Ok(());
    }
    let there = causes(&subject.of.unschedulable)
        .into_iter()
        .filter(|cause| cause.pods > 0);
    let sentences: Vec<String> = there
        .map(|cause| format!("{} {}", count(cause.pods), cause.long))
        .collect();
    if !sentences.is_empty() {
        writeln!(
            page,
            "<p>Under {}, of the pods without a node:</p>\n<ul>",
            subject.name()
        )?;
        for sentence in sentences {
            writeln!(page, "<li>{sentence}</li>")?;
        }
        page.push_str("</ul>\n");
    }
    by_cause(page, summary)?;
    by_sentence(page, summary)
}

/// Causes that somebody has, as columns.
fn by_cause(page: &mut String, summary: &Summary) -> fmt::Result {
    let mut columns = vec![Column::words("scheduler"), Column::numbers("all")];
    let mut rows: Vec<Vec<Cell>> = series::all(summary)
        .map(|series| {
            vec![
                Cell::Markup(series.name()),
                Cell::text(count(series.of.unschedulable.total)),
            ]
        })
        .collect();
    let of_each: Vec<_> = summary
        .comparators
        .iter()
        .map(|of| causes(&of.unschedulable))
        .collect();
    for (at, cause) in causes(&Default::default()).into_iter().enumerate() {
        let pods: Vec<u64> = of_each
            .iter()
            .filter_map(|causes| Some(causes.get(at)?.pods))
            .collect();
        if pods.iter().all(|pods| *pods == 0) {
            continue;
        }
        columns.push(Column::numbers(cause.short));
        for (row, pods) in rows.iter_mut().zip(pods) {
            row.push(Cell::text(count(pods)));
        }
    }
    table(
        page,
        "pods without a node, by what keeps them from one",
        &columns,
        &rows,
    )
}

fn by_sentence(page: &mut String, summary: &Summary) -> fmt::Result {
    let Some(most) = summary.refused.iter().map(|group| group.pods).max() else {
        return Ok(());
    };
    page.push_str("<h3>what pods are told that residency refuses</h3>\n");
    let columns = [
        Column::numbers("pods"),
        Column::words("they are told"),
        Column::words("workloads"),
    ];
    let rows = summary.refused.iter().take(MOST_SENTENCES).map(|group| {
        vec![
            Cell::Markup(format!("{}{}", count(group.pods), bar(group.pods, most))),
            Cell::Prose(group.sentence.clone()),
            Cell::Classed(
                "names",
                super::escape::Text(&names(&group.workloads, MOST_WORKLOADS)).to_string(),
            ),
        ]
    });
    table(
        page,
        "pods that may run on no node of the fleet, by sentence",
        &columns,
        &rows.collect::<Vec<_>>(),
    )?;
    let more = summary.refused.len().saturating_sub(MOST_SENTENCES);
    if more > 0 {
        writeln!(
            page,
            "<p class=\"fine\">{} more in <code>summary.json</code>.</p>",
            counted(more as u64, "sentence")
        )?;
    }
    Ok(())
}
