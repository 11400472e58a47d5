//! An impact for people: made to be pasted into a change request.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::report::{CauseGroup, Report, SetInWords, WorkloadLine};
use crate::cli::counted::counted;
use crate::cli::explanation::DemandInWords;
use crate::placement::Change;

/// How many workloads a cause lists before it counts the rest.
const MOST_WORKLOADS: usize = 20;

/// How many namespaces are listed before the rest are counted.
const MOST_NAMESPACES: usize = 12;

/// How many digits of a hash tell a set from another for people.
const DIGITS_OF_HASH: usize = 12;

impl Report<'_> {
    /// Writes the text.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.write_head(out)?;
        self.write_totals(out)?;
        if !self.lost_by.is_empty() {
            writeln!(out, "\nwhat takes nodes away, under {}", self.after.name)?;
            write_groups(out, &self.lost_by, Side::Loss)?;
        }
        if !self.gained_by.is_empty() {
            writeln!(
                out,
                "\nwhat kept nodes away until now, under {}",
                self.before.name
            )?;
            write_groups(out, &self.gained_by, Side::Gain)?;
        }
        self.write_recorded(out)?;
        self.write_outside_control(out)?;
        writeln!(out, "\nwhat this does not speak of")?;
        for limit in self.does_not_speak_of {
            writeln!(out, "  {limit}")?;
        }
        writeln!(
            out,
            "  what else keeps a pod from a node: room, affinity, taints; kube-scheduler looks after those"
        )
    }

    fn write_head(&self, out: &mut dyn Write) -> io::Result<()> {
        let fleet = &self.fleet;
        writeln!(
            out,
            "impact of {} on {} and {} of {}, judged at {}\n",
            self.after.name,
            counted(fleet.pods, "pod"),
            counted(fleet.nodes, "node"),
            fleet.name,
            self.at
        )?;
        let set = |set: &SetInWords<'_>| {
            let hash: String = set.policy_set.chars().take(DIGITS_OF_HASH).collect();
            format!("{} ({hash})", set.name)
        };
        writeln!(out, "  before  {}", set(&self.before))?;
        writeln!(out, "  after   {}", set(&self.after))?;
        if self.before.observes {
            writeln!(
                out,
                "  before: the settings only observe, so that nothing is refused now"
            )?;
        }
        if self.after.observes {
            writeln!(
                out,
                "  after: the settings only observe: nothing of this is refused until they say `mode: enforce`"
            )?;
        }
        if fleet.ended_pods > 0 {
            writeln!(
                out,
                "  {} ended and need no verdict",
                counted(fleet.ended_pods, "pod")
            )?;
        }
        if !fleet.not_in_dump.is_empty() {
            writeln!(
                out,
                "  the dump has no {}: what they say about data is not considered",
                fleet.not_in_dump.join(", no ")
            )?;
        }
        Ok(())
    }

    fn write_totals(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\n   pods")?;
        for change in Change::ALL {
            writeln!(out, "{:>7}  {}", self.totals.get(change), in_words(change))?;
        }
        let as_before = &self.as_before;
        for (pods, words) in [
            (as_before.refused_on_node, "run where both refuse them"),
            (as_before.unschedulable, "have no node under either"),
        ] {
            if pods > 0 {
                writeln!(out, "{pods:>7}  {words}")?;
            }
        }
        writeln!(out, "{:>7}  stand as they did", as_before.unchanged)?;
        let asked: Vec<String> = self
            .fleet
            .schedulers
            .iter()
            .map(|(scheduler, pods)| format!("{scheduler} ({pods})"))
            .collect();
        writeln!(out, "  schedulers that they ask for: {}", asked.join(", "))
    }

    fn write_recorded(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.recorded_by.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "\nwhat is only recorded, under {}, and would be refused where it runs",
            self.after.name
        )?;
        for group in &self.recorded_by {
            let pods = counted(group.pods, "pod");
            writeln!(out, "  {} (mode {}): {pods}", group.demand.says, group.mode)?;
            write_owner(out, &group.demand)?;
        }
        Ok(())
    }

    fn write_outside_control(&self, out: &mut dyn Write) -> io::Result<()> {
        let outside = &self.outside_control;
        writeln!(out, "\noutside control")?;
        writeln!(
            out,
            "  {} about whose data nobody says anything{}",
            counted(outside.unlabelled_pods, "pod"),
            list(&outside.unlabelled_namespaces)
        )?;
        writeln!(
            out,
            "  {} of exempt namespaces",
            counted(outside.exempt_pods, "pod")
        )
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Loss,
    Gain,
}

fn in_words(change: Change) -> &'static str {
    match change {
        Change::RefusedOnNode => "refused on the node where they run",
        Change::Unschedulable => "left without any node of the fleet",
        Change::LosesNodes => "lose nodes and keep some",
        Change::PermittedOnNode => "permitted on the node where they run, which is refused now",
        Change::Schedulable => "given nodes, where they have none now",
        Change::GainsNodes => "gain nodes beside those that they have",
    }
}

fn write_groups(out: &mut dyn Write, groups: &[CauseGroup], side: Side) -> io::Result<()> {
    writeln!(
        out,
        "(a pod for which several make the difference is counted by each)"
    )?;
    for group in groups {
        let told = Change::ALL
            .into_iter()
            .filter(|change| group.totals.get(*change) > 0)
            .map(|change| format!("{} {}", group.totals.get(change), in_words(change)));
        let told: Vec<String> = told.collect();
        writeln!(out, "\n  {}", group.demand.says)?;
        write_owner(out, &group.demand)?;
        writeln!(out, "    {}: {}", counted(group.pods, "pod"), told.join(", "))?;
        for line in group.workloads.iter().take(MOST_WORKLOADS) {
            write_workload(out, line, side)?;
        }
        let more = group.workloads.iter().skip(MOST_WORKLOADS);
        let (lines, pods) = more.fold((0, 0), |(lines, pods), line| (lines + 1, pods + line.pods));
        if lines > 0 {
            writeln!(
                out,
                "      and {} in {lines} more lines; `--output csv` has each",
                counted(pods, "pod")
            )?;
        }
    }
    Ok(())
}

fn write_owner(out: &mut dyn Write, demand: &DemandInWords) -> io::Result<()> {
    if let Some(title) = &demand.title {
        writeln!(out, "    {title}")?;
    }
    if !demand.legal_basis.is_empty() {
        writeln!(out, "    legal basis: {}", demand.legal_basis.join("; "))?;
    }
    if let (Some(team), Some(contact)) = (&demand.team, &demand.contact) {
        writeln!(out, "    ask: {contact} ({team})")?;
    }
    Ok(())
}

fn write_workload(out: &mut dyn Write, line: &WorkloadLine, side: Side) -> io::Result<()> {
    let moved: usize = line.on_node.values().sum();
    write!(
        out,
        "      {} {}, {}: permitted nodes {} -> {}",
        line.namespace,
        line.workload,
        counted(line.pods, "pod"),
        line.nodes_before,
        line.nodes_after
    )?;
    if moved > 0 {
        let moves = match side {
            Side::Loss => "refused where they run",
            Side::Gain => "permitted where they run",
        };
        write!(out, "; {moved} {moves}{}", list(&line.on_node))?;
    }
    writeln!(out)?;
    if let Some(problem) = &line.problem {
        writeln!(out, "        {problem}")?;
    }
    Ok(())
}

/// `: name (number), name (number) and 3 more`; nothing where there is nothing.
fn list(numbers: &BTreeMap<impl AsRef<str>, usize>) -> String {
    if numbers.is_empty() {
        return String::new();
    }
    let mut most: Vec<(&str, usize)> = numbers
        .iter()
        .map(|(name, number)| (name.as_ref(), *number))
        .collect();
    most.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    let named = most.iter().take(MOST_NAMESPACES);
    let named: Vec<String> = named.map(|(name, number)| format!("{name} ({number})")).collect();
    let more = match most.len().saturating_sub(MOST_NAMESPACES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(": {}{more}", named.join(", "))
}
