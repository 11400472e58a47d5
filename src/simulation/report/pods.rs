//! The table of pods: `pods.csv`, a row for each pod in the order in which they came.

use std::io;

use super::latency::hundredths;
use super::summary::region_of;
use crate::model::Provenance;
use crate::placement::AccessCost;
use crate::simulation::run::{Comparator, Placement, Simulated, SimulatedWorkload};
use crate::snapshot::{ClassIndex, Snapshot};
use crate::spreadsheet::Table;

const HEADER: [&str; 15] = [
    "namespace",
    "pod",
    "domicile",
    "domicile_node",
    "domicile_region",
    "domicile_permitted",
    "domicile_ms",
    "domicile_least_certain",
    "off",
    "off_node",
    "off_region",
    "off_permitted",
    "off_ms",
    "off_least_certain",
    "reason",
];

/// Writes the table.
///
/// # Errors
/// Where it cannot be written, which memory always can.
pub fn pods_csv(snapshot: &Snapshot, simulated: &Simulated<'_>) -> io::Result<String> {
    let mut text = Vec::new();
    let mut table = Table::new(&mut text, &HEADER)?;
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
            let cost = |class| simulated.cost(comparator, pod.workload, class);
            fields.extend(placed(snapshot, simulated, workload, placement, cost));
        }
        fields.push(match simulated.placement(Comparator::Domicile, position) {
            Placement::Refused => workload.assessment.sentence(),
            _ => String::new(),
        });
        table.row(&fields)?;
    }
    table.end()?;
    String::from_utf8(text).map_err(io::Error::other)
}

fn placed(
    snapshot: &Snapshot,
    simulated: &Simulated<'_>,
    workload: &SimulatedWorkload<'_>,
    placement: Placement,
    cost: impl Fn(ClassIndex) -> Option<AccessCost>,
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
        let cost = node.class.and_then(cost);
        if let Some(total) = cost.as_ref().and_then(|cost| cost.total.known()) {
            *ms = hundredths(total.ms).to_string();
        }
        let source = cost.and_then(|cost| cost.least_certain);
        *least_certain = source.map_or("", Provenance::word).to_owned();
    }
    fields
}
