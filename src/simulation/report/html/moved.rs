//! Who moves from policies A to policies B, and why.

use std::fmt::{self, Write as _};

use super::escape::Text;
use super::figures::{added_ms, count, counted, share};
use super::table::{Cell, Column, bar, table};
use crate::simulation::summary::{Moved, MovedPods, Summary};

/// Groups that are shown, at most; `diff.csv` has every pod.
const MOST_GROUPS: usize = 50;

/// Writes what changes, and the table.
pub fn moved(page: &mut String, summary: &Summary) -> fmt::Result {
    let Some(moved) = &summary.moved else {
        return Ok(());
    };
    writeln!(
        page,
        "<p>A is <code>{}</code>, B is <code>{}</code>. Of {} that both know, {} the region ({}). For \
         those with a node under both, each access changes by {} on average, and for 95 of 100 by {} at most.</p>",
        Text(&moved.from),
        Text(&moved.to),
        counted(moved.pods, "pod"),
        if moved.other_region == 1 {
            "1 changes".to_owned()
        } else {
            format!("{} change", count(moved.other_region))
        },
        share(moved.other_region, moved.pods),
        added_ms(moved.added.mean_us),
        added_ms(moved.added.p95_us)
    )?;
    fates(page, moved)?;
    let Some(most) = moved.groups.iter().map(|group| group.pods).max() else {
        page.push_str("<p>Nobody moves.</p>\n");
        return Ok(());
    };
    let columns = [
        Column::words("workload"),
        Column::numbers("pods"),
        Column::words("from A"),
        Column::words("to B"),
        Column::numbers("added, mean"),
        Column::words("why"),
    ];
    let rows: Vec<Vec<Cell>> = moved
        .groups
        .iter()
        .take(MOST_GROUPS)
        .map(|group| row(group, most))
        .collect();
    table(page, "pods that move alike, most first", &columns, &rows)?;
    let more = moved.groups.iter().skip(MOST_GROUPS);
    let (groups, pods) = more.fold((0, 0), |(groups, pods), group| (groups + 1, pods + group.pods));
    if groups > 0 {
        let (groups, pods) = (counted(groups, "group"), counted(pods, "pod"));
        writeln!(
            page,
            "<p class=\"fine\">{groups} more of {pods}; <code>diff.csv</code> has every pod.</p>"
        )?;
    }
    Ok(())
}

/// How many of each fate, as a list of figures.
fn fates(page: &mut String, moved: &Moved) -> fmt::Result {
    let fates = [
        ("same region", moved.same_region),
        ("another region", moved.other_region),
        ("gain a node", moved.gained_a_node),
        ("lose their node", moved.lost_their_node),
        ("without a node under both", moved.without_a_node),
    ];
    page.push_str("<dl class=\"counts\">\n");
    for (name, pods) in fates {
        writeln!(
            page,
            "<div><dt>{name}</dt><dd>{}<small>{}</small></dd></div>",
            count(pods),
            share(pods, moved.pods)
        )?;
    }
    page.push_str("</dl>\n");
    Ok(())
}

fn row(group: &MovedPods, most: u64) -> Vec<Cell> {
    let place = |region: &Option<String>| match region {
        Some(region) => Cell::place(region),
        None => Cell::Markup("<em>no node</em>".to_owned()),
    };
    vec![
        Cell::place(&group.workload),
        Cell::Markup(format!("{}{}", count(group.pods), bar(group.pods, most))),
        place(&group.from),
        place(&group.to),
        Cell::text(added_ms(group.mean_added_us)),
        Cell::Prose(group.why.clone()),
    ]
}
