//! What each region carries under each scheduler: a table whose cells are the darker the fuller.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use super::escape::Text;
use super::figures::{UNKNOWN, count, counted, percent};
use super::series;
use super::table::{Cell, Column, table};
use crate::simulation::summary::{RegionUse, Summary};

/// By how many thousandths the fullest moment must exceed the end to be told.
const TOLD_ABOVE_PERMILLE: u64 = 50;

/// Writes the table.
pub fn regions(page: &mut String, summary: &Summary) -> fmt::Result {
    let mut by_region: BTreeMap<&str, Vec<Option<&RegionUse>>> = BTreeMap::new();
    let columns = summary.comparators.len();
    for (at, of) in summary.comparators.iter().enumerate() {
        for region in &of.regions {
            let row = by_region
                .entry(&region.region)
                .or_insert_with(|| vec![None; columns]);
            if let Some(cell) = row.get_mut(at) {
                *cell = Some(region);
            }
        }
    }
    let is_used = |row: &&Vec<Option<&RegionUse>>| {
        row.iter()
            .flatten()
            .any(|region| region.pods > 0 || region.most_cpu_permille > 0)
    };
    let used = by_region.values().filter(is_used).count();
    if used == 0 {
        return Ok(());
    }
    page.push_str(
        "<p>The share of its CPU that the pods of a region ask for at the end of the run, and how many they are; the \
         darker a cell, the fuller the region. The peak is the fullest moment, where it was fuller than the end.</p>\n",
    );
    let mut heads = vec![
        Column::words("region"),
        Column::numbers("nodes"),
        Column::numbers("CPUs"),
    ];
    heads.extend(series::all(summary).map(|series| Column::numbers_under(series.name())));
    let rows = by_region
        .iter()
        .filter(|(_, row)| is_used(row))
        .map(|(region, row)| {
            let first = row.iter().flatten().next();
            let mut cells = vec![
                Cell::place(region),
                Cell::text(first.map_or_else(|| UNKNOWN.to_owned(), |region| count(region.nodes))),
                Cell::text(
                    first.map_or_else(|| UNKNOWN.to_owned(), |region| count(region.cpu_milli / 1_000)),
                ),
            ];
            cells.extend(row.iter().map(|region| cell(*region)));
            cells
        });
    table(
        page,
        "CPU asked for, and pods, by region",
        &heads,
        &rows.collect::<Vec<_>>(),
    )?;
    scale(page)?;
    let idle: Vec<&str> = by_region
        .iter()
        .filter(|(_, row)| !is_used(row))
        .map(|(region, _)| *region)
        .collect();
    if !idle.is_empty() {
        let idle_regions = counted(idle.len() as u64, "region");
        writeln!(
            page,
            "<p class=\"fine\">{idle_regions} without a pod under any scheduler: {}.</p>",
            Text(&idle.join(", "))
        )?;
    }
    Ok(())
}

fn cell(region: Option<&RegionUse>) -> Cell {
    let Some(region) = region else {
        return Cell::text(UNKNOWN);
    };
    let asked = u128::from(region.cpu_asked_milli) * 1_000;
    let Some(permille) = asked.checked_div(u128::from(region.cpu_milli)) else {
        return match region.pods {
            0 => Cell::Classed("down", "no node".to_owned()),
            pods => Cell::Classed("down", format!("no node <small>{}</small>", counted(pods, "pod"))),
        };
    };
    let permille = u64::try_from(permille).unwrap_or(u64::MAX);
    let of_all = match permille {
        0..5 if region.cpu_asked_milli > 0 => "&lt;1%".to_owned(),
        permille => percent(permille),
    };
    let mut shown = format!("{of_all} <small>{}</small>", counted(region.pods, "pod"));
    if region.most_cpu_permille > permille.saturating_add(TOLD_ABOVE_PERMILLE) {
        // Writing to a String cannot fail.
        let _ = write!(shown, "<small>peak {}</small>", percent(region.most_cpu_permille));
    }
    // Pods that ask for little are not nothing.
    Cell::Classed(level(permille.max(u64::from(region.pods > 0))), shown)
}

fn level(permille: u64) -> &'static str {
    match permille {
        0 => "h0",
        1..=200 => "h1",
        201..=400 => "h2",
        401..=600 => "h3",
        601..=800 => "h4",
        801..=1_000 => "h5",
        _ => "h6",
    }
}

fn scale(page: &mut String) -> fmt::Result {
    let levels = [
        ("h0", "nothing"),
        ("h1", "to 20%"),
        ("h2", "to 40%"),
        ("h3", "to 60%"),
        ("h4", "to 80%"),
        ("h5", "to 100%"),
    ];
    page.push_str("<p class=\"scale fine\">");
    for (class, name) in levels {
        write!(page, "<span class=\"{class}\">{name}</span>")?;
    }
    page.push_str("</p>\n");
    Ok(())
}
