//! The table of an impact: a row for each pod.

use std::io::{self, Write};

use super::report::{PodRow, Report};
use crate::spreadsheet::Table;

const HEADER: [&str; 19] = [
    "namespace",
    "pod",
    "workload",
    "scheduler",
    "node",
    "region",
    "changes",
    "permitted_on_node_before",
    "permitted_on_node_after",
    "permitted_nodes_before",
    "permitted_nodes_after",
    "nodes_lost",
    "nodes_gained",
    "lost_by",
    "gained_by",
    "recorded_by",
    "control",
    "ask",
    "sentence",
];

impl Report<'_> {
    /// Writes the table.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(out, &HEADER)?;
        for pod in &self.pods {
            table.row(cells(pod))?;
        }
        table.end()
    }
}

fn cells(pod: &PodRow<'_>) -> [String; 19] {
    let yes_or_no = |answer: Option<bool>| match answer {
        Some(true) => "yes".to_owned(),
        Some(false) => "no".to_owned(),
        None => String::new(),
    };
    [
        pod.namespace.to_owned(),
        pod.name.to_owned(),
        pod.workload.clone().unwrap_or_default(),
        pod.scheduler.to_owned(),
        pod.node.unwrap_or_default().to_owned(),
        pod.region.clone().unwrap_or_default(),
        pod.changes.join(" "),
        yes_or_no(pod.permitted_on_node_before),
        yes_or_no(pod.permitted_on_node_after),
        pod.permitted_nodes_before.to_string(),
        pod.permitted_nodes_after.to_string(),
        pod.nodes_lost.to_string(),
        pod.nodes_gained.to_string(),
        pod.lost_by.join(" "),
        pod.gained_by.join(" "),
        pod.recorded_by.join(" "),
        pod.control.to_owned(),
        pod.ask.join(" "),
        pod.sentence.unwrap_or_default().to_owned(),
    ]
}
