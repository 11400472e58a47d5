//! What a reader takes away: what was simulated, what the policies cost, whom they leave out, whether all obey.
//!
//! Invariants: each figure here carries the path of the figure of the summary that it shows and its value there, so that a
//! program, and the test, can compare them.

use std::fmt::{self, Write as _};

use super::causes::{causes, in_short};
use super::escape::{Prose, Text};
use super::figures::{added_ms, count, counted, ms, share};
use super::series;
use crate::simulation::summary::{ComparatorSummary, ComplianceCost, Summary, Unschedulable};

/// What was simulated, in a line.
pub fn what_is_shown(page: &mut String, summary: &Summary) -> fmt::Result {
    let run = &summary.run;
    writeln!(
        page,
        "<p class=\"facts\">{} of {} on {} in {}; policies as of {}; seed {}; run <code>{}</code></p>",
        counted(run.pods, "pod"),
        counted(run.workloads, "workload"),
        counted(run.nodes, "node"),
        counted(run.regions, "region"),
        Text(&run.at),
        run.seed,
        Text(&run.id)
    )
}

/// The figures at the top.
pub fn headline(page: &mut String, summary: &Summary) -> fmt::Result {
    let Some(subject) = series::subject(summary) else {
        page.push_str("<p class=\"lead\">No scheduler placed anything, so there are no figures.</p>\n");
        return Ok(());
    };
    let of = subject.of;
    page.push_str("<div class=\"headline\">\n<p class=\"lead\">");
    lead(page, summary, of)?;
    page.push_str("</p>\n<dl class=\"tiles\">\n");
    match summary.cost.as_ref().filter(|cost| cost.added.pods > 0) {
        Some(cost) => latency_added(page, cost)?,
        None => latency(page, of)?,
    }
    without_a_node(page, of)?;
    if of.attempts.blind > 0 {
        blind(page, of)?;
    }
    violations(page, summary, of)?;
    page.push_str("</dl>\n</div>\n");
    Ok(())
}

fn lead(page: &mut String, summary: &Summary, of: &ComparatorSummary) -> fmt::Result {
    let added = |us: i64| match added_ms(Some(us)) {
        _ if us.unsigned_abs() < 50 => "<strong>nothing</strong>".to_owned(),
        some => format!("at most <strong>{some}</strong>"),
    };
    let cost = summary
        .cost
        .as_ref()
        .and_then(|cost| cost.added.p50_us.zip(cost.added.p95_us));
    if let Some((p50, p95)) = cost {
        let (p50, p95) = (added(p50), added(p95));
        write!(
            page,
            "Obeying the policies adds {p50} to an access of half of the pods, and {p95} to that of 95 of 100. "
        )?;
    }
    match of.unschedulable.total {
        0 => page.push_str("Every pod finds a node."),
        total => {
            let stay = if total == 1 { "stays" } else { "stay" };
            let (total, of_all) = (counted(total, "pod"), share(of.unschedulable.total, of.pods));
            write!(page, "<strong>{total}</strong> ({of_all}) {stay} without a node.")?;
        }
    }
    let without = summary
        .comparator("kube-default")
        .filter(|other| other.violations > 0 && other.id != of.id);
    if let Some(without) = without {
        let placements = counted(without.violations, "placement");
        write!(
            page,
            " kube-scheduler alone would make <strong>{placements}</strong> that the policies forbid."
        )?;
    }
    let attempts = &of.attempts;
    if attempts.blind > 0 {
        let (blind, of_all) = (count(attempts.blind), share(attempts.blind, attempts.total));
        let all = counted(attempts.total, "attempt");
        write!(
            page,
            " In <strong>{blind}</strong> of {all} ({of_all}) kube-scheduler showed the extender no permitted node \
             though the fleet has some."
        )?;
    }
    if cost.is_none() {
        write!(
            page,
            " What the policies cost is not known: {}.",
            why_no_cost(summary)
        )?;
    }
    Ok(())
}

fn why_no_cost(summary: &Summary) -> String {
    match &summary.cost {
        Some(_) => "no pod has a known latency both with and without them".to_owned(),
        None => {
            "that needs <code>domicile</code> and <code>residency-off</code> among the comparators of the run"
                .to_owned()
        }
    }
}

/// A figure and where it stands in the summary.
struct Figure<'f> {
    path: &'f str,
    value: i128,
    shown: String,
}

fn tile(page: &mut String, name: &str, figure: &Figure<'_>, remark: &str, mood: &str) -> fmt::Result {
    writeln!(
        page,
        "<div class=\"tile {mood}\"><dt>{name}</dt><dd><data class=\"figure\" data-figure=\"{}\" value=\"{}\">{}</data>\
         <small>{remark}</small></dd></div>",
        Text(figure.path),
        figure.value,
        Text(&figure.shown)
    )
}

fn latency_added(page: &mut String, cost: &ComplianceCost) -> fmt::Result {
    let pods = format!(
        "each request of {} placed both with the policies and without",
        counted(cost.added.pods, "pod")
    );
    let most = format!(
        "95 of 100 pods pay at most this; the mean is {}, the most {}",
        added_ms(cost.added.mean_us),
        added_ms(cost.added.most_us)
    );
    let tiles = [
        (
            "latency that the policies add, median",
            "p50Us",
            cost.added.p50_us,
            pods,
        ),
        ("the same, 95th percentile", "p95Us", cost.added.p95_us, most),
    ];
    for (name, field, value, remark) in tiles {
        let Some(us) = value else { continue };
        let figure = Figure {
            path: &format!("cost.added.{field}"),
            value: us.into(),
            shown: added_ms(Some(us)),
        };
        tile(page, name, &figure, &remark, "")?;
    }
    Ok(())
}

fn latency(page: &mut String, of: &ComparatorSummary) -> fmt::Result {
    let known = &of.latency.known;
    let pods = format!("of {} of which it is known", counted(known.pods, "pod"));
    let tiles = [
        ("latency of an access, median", "p50Us", known.p50_us),
        ("the same, 95th percentile", "p95Us", known.p95_us),
    ];
    for (name, field, value) in tiles {
        let Some(us) = value else { continue };
        let figure = Figure {
            path: &format!("{}.latency.known.{field}", of.id),
            value: us.into(),
            shown: ms(Some(us)),
        };
        tile(page, name, &figure, &pods, "")?;
    }
    Ok(())
}

fn without_a_node(page: &mut String, of: &ComparatorSummary) -> fmt::Result {
    let all = &of.unschedulable;
    let residency = Figure {
        path: &format!("{}.unschedulable.residency", of.id),
        value: all.residency.into(),
        shown: count(all.residency),
    };
    let others: u64 = causes(all)
        .iter()
        .map(|cause| cause.pods)
        .sum::<u64>()
        .saturating_sub(all.residency);
    let why = match all.residency {
        0 => "each pod is permitted on some node of the fleet",
        _ => "no node of the fleet is permitted for them",
    };
    let remark = match others {
        0 => format!("{why}; nobody is left out for another cause"),
        _ => {
            let rest = Unschedulable { residency: 0, ..*all };
            format!("{why}; without a node for other causes: {}", in_short(&rest))
        }
    };
    tile(page, "pods that residency refuses", &residency, &remark, "")
}

fn blind(page: &mut String, of: &ComparatorSummary) -> fmt::Result {
    let figure = Figure {
        path: &format!("{}.attempts.blind", of.id),
        value: of.attempts.blind.into(),
        shown: count(of.attempts.blind),
    };
    let remark = format!(
        "attempts whose sample of nodes held no permitted one, of {}",
        counted(of.attempts.blind_pods, "pod")
    );
    tile(page, "blind attempts", &figure, &remark, "")
}

fn violations(page: &mut String, summary: &Summary, of: &ComparatorSummary) -> fmt::Result {
    let figure = Figure {
        path: &format!("{}.violations", of.id),
        value: of.violations.into(),
        shown: count(of.violations),
    };
    let by = format!(
        "of <code>{}</code>, found by the checker of placements, which shares no code with the filter",
        Text(&of.id)
    );
    let remark = match of.violations_by.iter().max_by_key(|(_, placements)| **placements) {
        None => by,
        Some((cause, placements)) => {
            let cause = Prose(cause).to_string();
            format!("{by}; most often {cause}, {}", counted(*placements, "time"))
        }
    };
    let mood = match of.violations {
        0 => "good",
        _ if summary.run.observes => "",
        _ => "bad",
    };
    tile(page, "placements that break a policy", &figure, &remark, mood)
}
