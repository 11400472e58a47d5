//! What the loss of each region would do.

use std::cmp::Reverse;
use std::fmt::{self, Write as _};

use super::causes::in_short;
use super::escape::Text;
use super::figures::{added_ms, count, counted, names};
use super::table::{Cell, Column, bar, table};
use crate::simulation::summary::{RegionFailure, Summary};

/// Names in a cell, at most.
const MOST_NAMES: usize = 6;

/// Writes the worst in a sentence, and the table.
pub fn failures(page: &mut String, summary: &Summary) -> fmt::Result {
    if summary.failures.is_empty() {
        return Ok(());
    }
    let mut worst: Vec<&RegionFailure> = summary.failures.iter().filter(|failure| harms(failure)).collect();
    // The sort is stable: equals stay in the order of regions.
    worst.sort_by_key(|failure| {
        let data_sets = failure.data_sets_lost.len() + failure.data_sets_without_region.len();
        Reverse((failure.stranded.total, data_sets, failure.cut_off, failure.pods))
    });
    page.push_str(
        "<p>Each region by itself is taken away at the end of the run, and its pods are placed anew. ",
    );
    match worst.first().filter(|failure| failure.stranded.total > 0) {
        Some(failure) => writeln!(
            page,
            "The loss of <strong>{}</strong> strands most: {} of {}.</p>",
            Text(&failure.region),
            count(failure.stranded.total),
            counted(failure.pods, "pod")
        )?,
        None => page.push_str("No loss strands a pod.</p>\n"),
    }
    if !worst.is_empty() {
        let columns = [
            Column::words("region that is lost"),
            Column::numbers("pods there"),
            Column::numbers("find another node"),
            Column::numbers("stranded"),
            Column::words("kept from a node by"),
            Column::numbers("added to those that move, mean"),
            Column::numbers("95th"),
            Column::numbers("cut off elsewhere"),
            Column::words("data sets"),
        ];
        let rows: Vec<Vec<Cell>> = worst.iter().map(|failure| row(failure)).collect();
        table(
            page,
            "what the loss of each region does, the worst first",
            &columns,
            &rows,
        )?;
        page.push_str(
            "<p class=\"fine\">Cut off elsewhere are pods that run in another region and can no longer reach what they \
             access. A data set without a permitted region has pods that use it and no place left for them.</p>\n",
        );
    }
    let harmless: Vec<&str> = summary
        .failures
        .iter()
        .filter(|failure| !harms(failure))
        .map(|failure| failure.region.as_str())
        .collect();
    if !harmless.is_empty() {
        let regions = counted(harmless.len() as u64, "region");
        writeln!(
            page,
            "<p class=\"fine\">{regions} whose loss touches nobody: {}.</p>",
            Text(&harmless.join(", "))
        )?;
    }
    Ok(())
}

/// Whether a loss touches anybody.
fn harms(failure: &RegionFailure) -> bool {
    let data_sets = &failure.data_sets_without_region;
    failure.pods > 0 || failure.cut_off > 0 || !data_sets.is_empty() || !failure.data_sets_lost.is_empty()
}

fn row(failure: &RegionFailure) -> Vec<Cell> {
    let stranded = failure.stranded.total;
    let mut causes = Text(&in_short(&failure.stranded)).to_string();
    if !failure.stranded_workloads.is_empty() {
        let workloads = names(&failure.stranded_workloads, MOST_NAMES);
        // Writing to a String cannot fail.
        let _ = write!(causes, "<small>{}</small>", Text(&workloads));
    }
    let mut data_sets = String::new();
    let told = [
        ("no permitted region", &failure.data_sets_without_region),
        ("every copy lost", &failure.data_sets_lost),
    ];
    for (what, sets) in told.into_iter().filter(|(_, sets)| !sets.is_empty()) {
        let _ = write!(
            data_sets,
            "<span class=\"line-of\">{what}: {}</span>",
            Text(&names(sets, MOST_NAMES))
        );
    }
    vec![
        Cell::place(&failure.region),
        Cell::text(count(failure.pods)),
        Cell::text(count(failure.placed_elsewhere)),
        Cell::Classed(
            if stranded > 0 { "bad" } else { "" },
            format!("{}{}", count(stranded), bar(stranded, failure.pods)),
        ),
        Cell::Markup(causes),
        Cell::text(added_ms(failure.added.mean_us)),
        Cell::text(added_ms(failure.added.p95_us)),
        Cell::text(count(failure.cut_off)),
        Cell::Markup(data_sets),
    ]
}
