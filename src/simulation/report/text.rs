//! The summary as people read it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::summary::{ComparatorSummary, LatencySummary, Summary};

/// Writes the text.
pub fn text(summary: &Summary) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut text, summary);
    text
}

fn write(text: &mut String, summary: &Summary) -> std::fmt::Result {
    writeln!(text, "{}", summary.title)?;
    writeln!(
        text,
        "{} pods of {} workloads over {} nodes in {} regions; extender weight {}",
        summary.pods, summary.workloads, summary.nodes, summary.regions, summary.extender_weight
    )?;
    writeln!(
        text,
        "run {}, seed {}, policies as of {}, snapshot {}",
        summary.run_id, summary.seed, summary.at, summary.snapshot
    )?;
    if summary.observes {
        writeln!(text, "the settings only observe, so nothing is refused")?;
    }
    figures(text, summary)?;
    if !summary.refused.is_empty() {
        writeln!(text, "\npods that residency leaves nowhere to run on this fleet")?;
    }
    for group in &summary.refused {
        writeln!(text, "  {} of {}", group.pods, group.workloads.join(", "))?;
        writeln!(text, "    {}", group.sentence)?;
    }
    if !summary.extender_off.violations_by.is_empty() {
        writeln!(
            text,
            "\nwhat the extender kept from happening (pods, by the rule that forbids it)"
        )?;
    }
    for (cause, pods) in &summary.extender_off.violations_by {
        writeln!(text, "  {pods:>7}  {cause}")?;
    }
    regions(text, summary)?;
    writeln!(text, "\nnot modelled: {}", summary.not_modelled.join("; "))
}

fn figures(text: &mut String, summary: &Summary) -> std::fmt::Result {
    let both = |name: &str, figure: &dyn Fn(&ComparatorSummary) -> String| {
        let (with, without) = (figure(&summary.domicile), figure(&summary.extender_off));
        format!("{name:<44}{with:>14}{without:>14}\n")
    };
    let latencies = |name: &str, of: &dyn Fn(&ComparatorSummary) -> LatencySummary| {
        let figure = |name: &str, figure: &dyn Fn(&LatencySummary) -> String| {
            both(name, &|comparator| figure(&of(comparator)))
        };
        let ms = |ms: Option<f64>| ms.map_or("-".to_owned(), |ms| format!("{ms:.1} ms"));
        figure(&format!("access latency{name}, mean"), &|latency| {
            ms(latency.mean_ms)
        }) + &figure("  95th percentile", &|latency| ms(latency.p95_ms))
            + &figure("  of pods", &|latency| latency.pods.to_string())
            + &figure("  in part estimated", &|latency| {
                format!("{:.0}%", latency.estimated_share * 100.0)
            })
    };
    writeln!(text, "\n{:<44}{:>14}{:>14}", "", "domicile", "extender off")?;
    text.push_str(&both("placed", &|comparator| comparator.placed.to_string()));
    text.push_str(&both("residency leaves no node", &|comparator| {
        comparator.refused.to_string()
    }));
    text.push_str(&both("no room where permitted", &|comparator| {
        comparator.no_room_where_permitted.to_string()
    }));
    text.push_str(&both("no room at all", &|comparator| {
        comparator.no_room.to_string()
    }));
    text.push_str(&both("residency violations", &|comparator| {
        comparator.violations.to_string()
    }));
    text.push_str(&latencies("", &|comparator| comparator.latency.clone()));
    text.push_str(&latencies(" where both placed", &|comparator| {
        comparator.latency_where_both_placed.clone()
    }));
    Ok(())
}

fn regions(text: &mut String, summary: &Summary) -> std::fmt::Result {
    let (with, without) = (
        &summary.domicile.pods_by_region,
        &summary.extender_off.pods_by_region,
    );
    let regions: BTreeSet<&String> = with.keys().chain(without.keys()).collect();
    writeln!(
        text,
        "\n{:<44}{:>14}{:>14}",
        "pods by region", "domicile", "extender off"
    )?;
    for region in regions {
        let pods = [with, without].map(|pods| pods.get(region).copied().unwrap_or(0));
        let [with, without] = pods;
        writeln!(text, "  {region:<42}{with:>14}{without:>14}")?;
    }
    Ok(())
}
