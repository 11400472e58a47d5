//! The table of pods: `pods.csv`, a row for each pod in the order in which they came.

use super::latency::hundredths;
use super::summary::region_of;
use crate::model::Provenance;
use crate::simulation::run::{Comparator, Placement, Simulated, SimulatedWorkload};
use crate::snapshot::Snapshot;

const HEADER: &str = "namespace,pod,\
    domicile,domicile_node,domicile_region,domicile_permitted,domicile_ms,domicile_least_certain,\
    off,off_node,off_region,off_permitted,off_ms,off_least_certain,reason\n";

/// Writes the table.
pub fn pods_csv(snapshot: &Snapshot, simulated: &Simulated<'_>) -> String {
    let mut table = HEADER.to_owned();
    for (position, pod) in simulated.pods.iter().enumerate() {
        let Some(workload) = simulated.workloads.get(pod.workload) else {
            continue;
        };
        let mut fields = vec![
            workload.namespace.clone(),
            format!("{}-{}", workload.name, pod.ordinal),
        ];
        for comparator in Comparator::ALL {
            let placement = simulated.placement(comparator, position);
            fields.extend(placed(snapshot, simulated, workload, placement));
        }
        fields.push(match simulated.placement(Comparator::Domicile, position) {
            Placement::Refused => workload.assessment.sentence(),
            _ => String::new(),
        });
        let fields: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
        table.push_str(&fields.join(","));
        table.push('\n');
    }
    table
}

fn placed(
    snapshot: &Snapshot,
    simulated: &Simulated<'_>,
    workload: &SimulatedWorkload<'_>,
    placement: Placement,
) -> [String; 6] {
    let word = match placement {
        Placement::Placed(_) => "placed",
        Placement::NoRoom => "no-room",
        Placement::NoRoomWherePermitted => "no-room-where-permitted",
        Placement::Refused => "refused",
    };
    let mut fields = [word, "", "", "", "", ""].map(str::to_owned);
    let [_, name, region, permitted, ms, least_certain] = &mut fields;
    if let Placement::Placed(index) = placement
        && let Some(node) = simulated.nodes.get(index)
    {
        *name = node.name.to_string();
        *region = region_of(snapshot, node.class);
        *permitted = workload.assessment.permits(node.class).to_string();
        let cost = node.class.map(|class| workload.assessment.cost(class));
        if let Some(total) = cost.as_ref().and_then(|cost| cost.total.known()) {
            *ms = hundredths(total.ms).to_string();
        }
        let source = cost.and_then(|cost| cost.least_certain);
        *least_certain = source.map_or("", Provenance::word).to_owned();
    }
    fields
}

/// RFC 4180, and no cell that a spreadsheet would take for a formula.
fn quoted(field: &str) -> String {
    let guarded = match field.chars().next() {
        Some('=' | '+' | '-' | '@') => format!("'{field}"),
        _ => field.to_owned(),
    };
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_no_formula() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("a, \"b\""), "\"a, \"\"b\"\"\"");
        assert_eq!(quoted("=1+1"), "'=1+1");
    }
}
