//! What the model of kube-scheduler is worth: how often it agreed, what it has, what it lacks.

use std::fmt::{self, Write as _};

use super::escape::{Prose, Text};
use super::figures::count;
use super::table::{Cell, Column, table};
use crate::simulation::summary::{Agreement, ComparedAttempts, Summary};

/// Writes the box.
pub fn fidelity(page: &mut String, summary: &Summary) -> fmt::Result {
    let fidelity = &summary.fidelity;
    match &fidelity.agreement {
        Some(agreement) => agreed(page, agreement)?,
        None => page.push_str(
            "<p class=\"warning\" role=\"note\"><strong>Nobody compared this model with a real kube-scheduler \
             yet.</strong> Take its figures for relations between schedulers, not for what a cluster will do.</p>\n",
        ),
    }
    page.push_str("<div class=\"two\">\n");
    let lists = [
        ("as kube-scheduler does it", &fidelity.modelled),
        ("left out", &fidelity.not_modelled),
    ];
    for (title, sentences) in lists.into_iter().filter(|(_, sentences)| !sentences.is_empty()) {
        writeln!(page, "<div><h3>{title}</h3>")?;
        list(page, sentences)?;
        page.push_str("</div>\n");
    }
    page.push_str("</div>\n");
    Ok(())
}

/// A list of sentences.
pub fn list(page: &mut String, sentences: &[String]) -> fmt::Result {
    page.push_str("<ul>\n");
    for sentence in sentences {
        writeln!(page, "<li>{}</li>", Prose(sentence))?;
    }
    page.push_str("</ul>\n");
    Ok(())
}

fn agreed(page: &mut String, agreement: &Agreement) -> fmt::Result {
    writeln!(
        page,
        "<p>The model and kube-scheduler {} placed the same pods, with the extender, on {}. The same nodes are feasible \
         where both passed the same nodes to the extender; the same node is chosen is counted where no draw decides. \
         Again: <code>{}</code></p>",
        Text(&agreement.kubernetes),
        Text(&agreement.measured),
        Text(&agreement.command)
    )?;
    let columns = [
        Column::words("workload"),
        Column::numbers("pods"),
        Column::numbers("attempts"),
        Column::words("of these"),
        Column::numbers("same nodes feasible"),
        Column::numbers("same node chosen"),
        Column::words("the others"),
    ];
    let rows = agreement.workloads.iter().map(|workload| {
        let others: Vec<String> = workload
            .disagreements
            .iter()
            .map(|other| Prose(other).to_string())
            .collect();
        vec![
            Cell::text(workload.name.clone()),
            Cell::text(count(workload.pods)),
            Cell::text(
                workload
                    .attempts
                    .map_or(String::new(), |attempts| count(attempts.total)),
            ),
            Cell::text(workload.attempts.as_ref().map_or(String::new(), by_kind)),
            Cell::text(agreed_percent(workload.feasible_percent)),
            Cell::text(agreed_percent(workload.chosen_percent)),
            Cell::Markup(others.join("; ")),
        ]
    });
    table(
        page,
        "how often the model and a real kube-scheduler did the same",
        &columns,
        &rows.collect::<Vec<_>>(),
    )
}

/// The kinds of attempts that there were.
fn by_kind(attempts: &ComparedAttempts) -> String {
    let kinds = [
        (attempts.chosen, "to one best node"),
        (attempts.drawn, "drawn among equals"),
        (attempts.evicting, "evicting others"),
        (attempts.refused, "refused"),
        (attempts.failed, "failed"),
    ];
    let there = kinds.into_iter().filter(|(attempts, _)| *attempts > 0);
    let words: Vec<String> = there
        .map(|(attempts, kind)| format!("{} {kind}", count(attempts)))
        .collect();
    words.join(", ")
}

/// All is said only where it is all.
fn agreed_percent(percent: f64) -> String {
    if percent >= 100.0 {
        return "100%".to_owned();
    }
    format!("{:.1}%", percent.min(99.9))
}
