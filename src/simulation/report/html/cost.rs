//! What each policy costs, and what the users of each data set pay.

use std::fmt::{self, Write as _};

use super::escape::Text;
use super::figures::{UNKNOWN, added_ms, count, counted};
use super::table::{Cell, Column, bar, table};
use crate::simulation::summary::{ComplianceCost, DataSetCost, Distribution, PolicyCost, Summary};

/// Rows of a table, at most.
const MOST_ROWS: usize = 60;

/// Writes both tables.
pub fn cost(page: &mut String, summary: &Summary) -> fmt::Result {
    let Some(cost) = &summary.cost else {
        return Ok(());
    };
    writeln!(
        page,
        "<p>Each pod under <code>{}</code> against the same pod under <code>{}</code>. {}</p>",
        Text(&cost.with),
        Text(&cost.without),
        match cost.unplaceable {
            0 => "Every pod that has a node without the policies has one with them.".to_owned(),
            pods => format!("{} with the policies and a node without them.", have_none(pods)),
        }
    )?;
    if cost.by_policy.is_empty() {
        page.push_str("<p>No policy takes a node of the fleet from any pod.</p>\n");
    } else {
        by_policy(page, cost)?;
    }
    if !cost.by_data_set.is_empty() {
        by_data_set(page, &cost.by_data_set)?;
    }
    Ok(())
}

fn have_none(pods: u64) -> String {
    format!(
        "{} {} no node",
        counted(pods, "pod"),
        if pods == 1 { "has" } else { "have" }
    )
}

fn by_policy(page: &mut String, cost: &ComplianceCost) -> fmt::Result {
    let measured = cost.by_policy.iter().any(|policy| policy.alone.is_some());
    let mut columns = vec![
        Column::words("policy"),
        Column::numbers("pods that lose places by it"),
        Column::numbers("all policies add to these, median"),
        Column::numbers("95th"),
    ];
    if measured {
        columns.push(Column::numbers("it alone adds, mean"));
        columns.push(Column::numbers("95th"));
        columns.push(Column::numbers("pods without a node for it alone"));
    }
    let alone = |policy: &PolicyCost| {
        policy
            .alone
            .and_then(|alone| alone.added.mean_us)
            .unwrap_or(0)
            .unsigned_abs()
    };
    let most = cost.by_policy.iter().map(alone).max().unwrap_or(0);
    let rows = cost.by_policy.iter().take(MOST_ROWS).map(|policy| {
        let mut row = vec![
            Cell::Markup(format!("<code>{}</code>", Text(&policy.policy))),
            Cell::text(count(policy.pods)),
            Cell::text(added_ms(policy.added.p50_us)),
            Cell::text(added_ms(policy.added.p95_us)),
        ];
        match &policy.alone {
            Some(only) => row.extend([
                Cell::Markup(format!(
                    "{}{}",
                    added_ms(only.added.mean_us),
                    bar(alone(policy), most)
                )),
                Cell::text(added_ms(only.added.p95_us)),
                Cell::text(count(only.unplaceable)),
            ]),
            None => row.extend([UNKNOWN, UNKNOWN, UNKNOWN].map(Cell::text)),
        }
        row
    });
    table(
        page,
        "what each policy costs",
        &columns,
        &rows.collect::<Vec<_>>(),
    )?;
    page.push_str(match measured {
        true => {
            "<p class=\"fine\">What a policy adds alone is the run with all policies against one in which this policy is \
             only recorded. Where two policies forbid the same, neither adds it alone. The mean is over all pods.</p>\n"
        }
        false => {
            "<p class=\"fine\">What all policies add is told of the pods that a policy takes places from; what it adds \
             alone was not asked for in this run.</p>\n"
        }
    });
    more(page, cost.by_policy.len())
}

fn by_data_set(page: &mut String, data_sets: &[DataSetCost]) -> fmt::Result {
    let columns = [
        Column::words("data set"),
        Column::numbers("pods"),
        Column::numbers("the policies add, mean"),
        Column::numbers("median"),
        Column::numbers("95th"),
        Column::numbers("pods without a node for them"),
    ];
    let mean = |added: &Distribution| added.mean_us.unwrap_or(0).unsigned_abs();
    let most = data_sets.iter().map(|cost| mean(&cost.added)).max().unwrap_or(0);
    let mut dearest: Vec<&DataSetCost> = data_sets.iter().collect();
    // The sort is stable: equals stay in the order of names.
    dearest.sort_by_key(|cost| std::cmp::Reverse((cost.added.mean_us, cost.unplaceable)));
    let rows = dearest.into_iter().take(MOST_ROWS).map(|cost| {
        vec![
            Cell::Markup(format!("<code>{}</code>", Text(&cost.data_set))),
            Cell::text(count(cost.added.pods)),
            Cell::Markup(format!(
                "{}{}",
                added_ms(cost.added.mean_us),
                bar(mean(&cost.added), most)
            )),
            Cell::text(added_ms(cost.added.p50_us)),
            Cell::text(added_ms(cost.added.p95_us)),
            Cell::text(count(cost.unplaceable)),
        ]
    });
    table(
        page,
        "what the users of each data set pay, the dearest first",
        &columns,
        &rows.collect::<Vec<_>>(),
    )?;
    more(page, data_sets.len())
}

fn more(page: &mut String, rows: usize) -> fmt::Result {
    match rows.saturating_sub(MOST_ROWS) {
        0 => Ok(()),
        more => writeln!(
            page,
            "<p class=\"fine\">{} more in <code>summary.json</code>.</p>",
            count(more as u64)
        ),
    }
}
