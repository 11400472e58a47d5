//! The schedulers side by side: a row for each.

use std::fmt::{self, Write as _};

use super::escape::Text;
use super::figures::{UNKNOWN, added_ms, count, counted, ms, share, span};
use super::series::{self, Series};
use super::table::{Cell, Column, table};
use crate::simulation::summary::Summary;

/// Causes of violations that are named for each scheduler, at most.
const MOST_CAUSES: usize = 6;

/// Writes the table, and what it leaves to sentences.
pub fn comparators(page: &mut String, summary: &Summary) -> fmt::Result {
    if summary.comparators.is_empty() {
        return Ok(());
    }
    page.push_str("<p>Each placed the same pods in the same world; only what is said of it differs.</p>\n");
    let columns = [
        Column::words("scheduler"),
        Column::numbers("placed"),
        Column::numbers("without a node"),
        Column::numbers("break a policy"),
        Column::numbers("latency, median"),
        Column::numbers("95th"),
        Column::numbers("99th"),
        Column::numbers("above the best place, mean"),
        Column::numbers("wait for a node, 95th"),
    ];
    let rows: Vec<Vec<Cell>> = series::all(summary).map(|series| row(&series)).collect();
    table(page, "what each scheduler makes of the pods", &columns, &rows)?;
    page.push_str(
        "<p class=\"fine\">The best place is the one of the least latency that the policies permit, whether there is \
         room or not, so nobody can be below 0.</p>\n",
    );
    violations(page, summary)?;
    attempts(page, summary)
}

fn row(series: &Series<'_>) -> Vec<Cell> {
    let of = series.of;
    let known = &of.latency.known;
    let class = if of.violations > 0 { "bad" } else { "good" };
    vec![
        Cell::Markup(format!("{}<small>{}</small>", series.name(), Text(&of.is))),
        Cell::text(count(of.placed)),
        Cell::text(count(of.unschedulable.total)),
        Cell::Classed(class, count(of.violations)),
        Cell::text(ms(known.p50_us)),
        Cell::text(ms(known.p95_us)),
        Cell::text(ms(known.p99_us)),
        Cell::text(added_ms(of.gap.mean_us)),
        Cell::text(of.waits.p95_ms.map_or_else(|| UNKNOWN.to_owned(), span)),
    ]
}

/// Who breaks which policy.
fn violations(page: &mut String, summary: &Summary) -> fmt::Result {
    let mut breaking = series::all(summary)
        .filter(|series| series.of.violations > 0 || series.of.forbidden_at_end > 0)
        .peekable();
    if breaking.peek().is_none() {
        page.push_str("<p>No scheduler makes a placement that the policies forbid.</p>\n");
        return Ok(());
    }
    page.push_str("<h3>who breaks which policy</h3>\n<ul>\n");
    for series in breaking {
        let of = series.of;
        let mut causes: Vec<(&String, &u64)> = of.violations_by.iter().collect();
        // The sort is stable: equals stay in the order of names.
        causes.sort_by_key(|(_, placements)| std::cmp::Reverse(**placements));
        write!(
            page,
            "<li>{}: {}",
            series.name(),
            counted(of.violations, "forbidden placement")
        )?;
        for (at, (cause, placements)) in causes.iter().take(MOST_CAUSES).enumerate() {
            let before = if at == 0 { ", by" } else { "," };
            write!(
                page,
                "{before} <code>{}</code> {}",
                Text(cause),
                count(**placements)
            )?;
        }
        if causes.len() > MOST_CAUSES {
            write!(page, ", and {} more", causes.len() - MOST_CAUSES)?;
        }
        if of.forbidden_at_end > of.violations {
            let pods = counted(of.forbidden_at_end, "pod");
            write!(
                page,
                "; {pods} at the end where the policies of then forbid it, for nobody moves a pod that runs"
            )?;
        }
        page.push_str("</li>\n");
    }
    page.push_str("</ul>\n");
    Ok(())
}

/// How often pods were tried, where that tells something.
fn attempts(page: &mut String, summary: &Summary) -> fmt::Result {
    let tells = |series: &Series<'_>| {
        let attempts = &series.of.attempts;
        attempts.blind > 0 || attempts.evicted > 0 || attempts.preempted > 0
    };
    if !series::all(summary).any(|series| tells(&series)) {
        return Ok(());
    }
    page.push_str(
        "<h3>how often pods were tried</h3>\n<p>An extender is shown only a sample of the nodes that fit. An \
         attempt is blind where that sample holds no permitted node though the fleet has some.</p>\n",
    );
    let columns = [
        Column::words("scheduler"),
        Column::numbers("attempts"),
        Column::numbers("most for one pod"),
        Column::numbers("blind"),
        Column::numbers("pods with a blind one"),
        Column::numbers("pods that lost their node to another"),
        Column::numbers("pods that lost it with the node"),
    ];
    let rows = series::all(summary).map(|series| {
        let attempts = &series.of.attempts;
        let blind = match attempts.blind {
            0 => "0".to_owned(),
            blind => format!("{} ({})", count(blind), share(blind, attempts.total)),
        };
        vec![
            Cell::Markup(series.name()),
            Cell::text(count(attempts.total)),
            Cell::text(count(attempts.most)),
            Cell::text(blind),
            Cell::text(count(attempts.blind_pods)),
            Cell::text(count(attempts.preempted)),
            Cell::text(count(attempts.evicted)),
        ]
    });
    table(
        page,
        "attempts to place pods",
        &columns,
        &rows.collect::<Vec<_>>(),
    )
}
