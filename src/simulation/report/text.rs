//! The summary as people read it.

use std::fmt::Write as _;

use crate::simulation::summary::{
    ComparatorSummary, ComplianceCost, Distribution, Moved, RegionFailure, Summary,
};

/// The figures over several seeds that are told; the summary has more.
const TOLD_OF_SEEDS: [&str; 5] = [
    "unschedulable.total",
    "violations",
    "latency.known.meanUs",
    "latency.known.p95Us",
    "gap.meanUs",
];

/// Groups of pods that are told, at most; the tables have all.
const MOST_GROUPS: usize = 12;

/// Writes the text.
pub fn text(summary: &Summary) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut text, summary);
    text
}

fn write(text: &mut String, summary: &Summary) -> std::fmt::Result {
    let run = &summary.run;
    writeln!(text, "{}", run.title)?;
    writeln!(
        text,
        "{} pods of {} workloads over {} nodes in {} regions; events from {}; extender weight {}",
        run.pods, run.workloads, run.nodes, run.regions, run.trace.source, run.scheduler.extender_weight
    )?;
    writeln!(
        text,
        "run {}, seed {}, policies as of {}, snapshot {}",
        run.id, run.seed, run.at, run.snapshot
    )?;
    if let Some(stopped) = &summary.stopped {
        writeln!(
            text,
            "THE RUN IS NOT COMPLETE ({} of {} runs): {}",
            stopped.runs_done, stopped.runs, stopped.why
        )?;
    }
    if run.observes {
        writeln!(text, "the settings only observe, so nothing is refused")?;
    }
    comparators(text, summary)?;
    if let Some(cost) = &summary.cost {
        compliance(text, cost)?;
    }
    if let Some(moved) = &summary.moved {
        moves(text, moved)?;
    }
    if !summary.refused.is_empty() {
        writeln!(text, "\npods that residency leaves nowhere to run on this fleet")?;
    }
    for group in summary.refused.iter().take(MOST_GROUPS) {
        writeln!(text, "  {} of {}", group.pods, group.workloads.join(", "))?;
        writeln!(text, "    {}", group.sentence)?;
    }
    if !summary.failures.is_empty() {
        failures(text, &summary.failures)?;
    }
    seeds(text, summary)?;
    fidelity(text, summary)
}

/// A table with a column for each comparator.
fn comparators(text: &mut String, summary: &Summary) -> std::fmt::Result {
    let columns = &summary.comparators;
    let mut row = |name: &str, figure: &dyn Fn(&ComparatorSummary) -> String| {
        write!(text, "{name:<34}")?;
        for column in columns {
            write!(text, "{:>18}", figure(column))?;
        }
        writeln!(text)
    };
    row("", &|_| String::new())?;
    row("", &|of| of.id.clone())?;
    row("placed", &|of| of.placed.to_string())?;
    row("without a node", &|of| of.unschedulable.total.to_string())?;
    row("  residency", &|of| of.unschedulable.residency.to_string())?;
    row("  capacity", &|of| of.unschedulable.capacity.to_string())?;
    row("  sampling blind", &|of| {
        of.unschedulable.sampling_blind.to_string()
    })?;
    row("  partition", &|of| of.unschedulable.partition.to_string())?;
    row("  other", &|of| {
        let all = of.unschedulable;
        (all.scheduling_rules + all.latency_limit + all.unknown_place).to_string()
    })?;
    row("residency violations", &|of| of.violations.to_string())?;
    row("attempts", &|of| of.attempts.total.to_string())?;
    row("  blind", &|of| of.attempts.blind.to_string())?;
    row("pods that lost their node", &|of| {
        (of.attempts.evicted + of.attempts.preempted).to_string()
    })?;
    row("access latency, median", &|of| ms(of.latency.known.p50_us))?;
    row("  95th percentile", &|of| ms(of.latency.known.p95_us))?;
    row("  99th percentile", &|of| ms(of.latency.known.p99_us))?;
    row("  of pods", &|of| of.latency.known.pods.to_string())?;
    row("  in part estimated", &|of| {
        format!("{}%", (of.latency.estimated_permille + 5) / 10)
    })?;
    row("above the best place, mean", &|of| ms(of.gap.mean_us))?;
    row("mean, of pods that call no others", &|of| {
        ms(of.lower_bound.map(|bound| bound.mean_us))
    })?;
    row("  no placement is below", &|of| {
        ms(of.lower_bound.map(|bound| bound.bound_mean_us))
    })
}

fn ms(us: Option<i64>) -> String {
    us.map_or_else(|| "-".to_owned(), |us| format!("{:.1} ms", us as f64 / 1_000.0))
}

fn added(of: &Distribution) -> String {
    format!(
        "mean {}, median {}, 95th {}, 99th {} over {} pods",
        ms(of.mean_us),
        ms(of.p50_us),
        ms(of.p95_us),
        ms(of.p99_us),
        of.pods
    )
}

fn compliance(text: &mut String, cost: &ComplianceCost) -> std::fmt::Result {
    writeln!(
        text,
        "\nwhat the policies add to an access ({} against {})",
        cost.with, cost.without
    )?;
    writeln!(
        text,
        "  {}; pods without a node for them: {}",
        added(&cost.added),
        cost.unplaceable
    )?;
    for policy in cost.by_policy.iter().take(MOST_GROUPS) {
        writeln!(
            text,
            "  {} takes places from {} pods, which pay {}",
            policy.policy,
            policy.pods,
            added(&policy.added)
        )?;
        if let Some(alone) = &policy.alone {
            let unplaceable = alone.unplaceable;
            writeln!(
                text,
                "    by itself: {}; pods without a node for it: {unplaceable}",
                added(&alone.added)
            )?;
        }
    }
    for data_set in &cost.by_data_set {
        writeln!(
            text,
            "  users of {}: {}",
            data_set.data_set,
            added(&data_set.added)
        )?;
    }
    Ok(())
}

fn moves(text: &mut String, moved: &Moved) -> std::fmt::Result {
    writeln!(text, "\nfrom policies A to policies B")?;
    writeln!(
        text,
        "  same region {}, another region {}, gain a node {}, lose their node {}, without one under both {}",
        moved.same_region,
        moved.other_region,
        moved.gained_a_node,
        moved.lost_their_node,
        moved.without_a_node
    )?;
    writeln!(text, "  an access costs them more by {}", added(&moved.added))?;
    for group in moved.groups.iter().take(MOST_GROUPS) {
        let place = |region: &Option<String>| region.clone().unwrap_or_else(|| "no node".to_owned());
        writeln!(
            text,
            "  {} of {}: {} to {}, {} more: {}",
            group.pods,
            group.workload,
            place(&group.from),
            place(&group.to),
            ms(group.mean_added_us),
            group.why
        )?;
    }
    Ok(())
}

fn failures(text: &mut String, failures: &[RegionFailure]) -> std::fmt::Result {
    writeln!(text, "\nwhere a region is lost")?;
    writeln!(
        text,
        "  {:<28}{:>8}{:>12}{:>10}{:>14}{:>10}",
        "", "pods", "elsewhere", "stranded", "mean added", "cut off"
    )?;
    for failure in failures {
        writeln!(
            text,
            "  {:<28}{:>8}{:>12}{:>10}{:>14}{:>10}",
            failure.region,
            failure.pods,
            failure.placed_elsewhere,
            failure.stranded.total,
            ms(failure.added.mean_us),
            failure.cut_off
        )?;
        let told = |text: &mut String, what: &str, names: &[String]| match names.is_empty() {
            true => Ok(()),
            false => writeln!(text, "    {what}: {}", names.join(", ")),
        };
        told(text, "stranded", &failure.stranded_workloads)?;
        told(
            text,
            "no permitted region is left for",
            &failure.data_sets_without_region,
        )?;
        told(text, "every copy is lost of", &failure.data_sets_lost)?;
    }
    Ok(())
}

fn seeds(text: &mut String, summary: &Summary) -> std::fmt::Result {
    let Some(seeds) = &summary.seeds else {
        return Ok(());
    };
    writeln!(
        text,
        "\nover {} seeds, with {}% intervals",
        seeds.seeds.len(),
        seeds.confidence_percent
    )?;
    for of in &seeds.comparators {
        let told = of
            .figures
            .iter()
            .filter(|(name, _)| TOLD_OF_SEEDS.contains(&name.as_str()));
        for (name, interval) in told {
            writeln!(
                text,
                "  {} {name}: {} ({} to {})",
                of.id, interval.mean, interval.low, interval.high
            )?;
        }
    }
    for (name, interval) in &seeds.cost {
        writeln!(
            text,
            "  cost {name}: {} ({} to {})",
            interval.mean, interval.low, interval.high
        )?;
    }
    Ok(())
}

fn fidelity(text: &mut String, summary: &Summary) -> std::fmt::Result {
    match &summary.fidelity.agreement {
        Some(agreement) => {
            writeln!(
                text,
                "\nthe model against kube-scheduler {}, measured {}",
                agreement.kubernetes, agreement.measured
            )?;
            for workload in &agreement.workloads {
                let attempts = workload.attempts.map(|attempts| attempts.total);
                writeln!(
                    text,
                    "  {}: {}% the same feasible nodes, {}% the same node over {} pods{}",
                    workload.name,
                    workload.feasible_percent,
                    workload.chosen_percent,
                    workload.pods,
                    attempts.map_or(String::new(), |attempts| format!(" and {attempts} attempts"))
                )?;
            }
        }
        None => writeln!(
            text,
            "\nnobody has measured yet how well the model agrees with kube-scheduler"
        )?,
    }
    writeln!(
        text,
        "what the model leaves out, {} things, is listed in report.html and under `fidelity` in summary.json",
        summary.fidelity.not_modelled.len()
    )
}
