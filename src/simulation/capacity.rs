//! What nodes can hold and pods ask for.
//!
//! Inputs: the text of a fleet file. Outputs: what each node can allocate. Invariant: a node whose
//! capacity nobody states is an error, since a guess would decide how many pods fit.
//! Deliberately absent: extended resources, ephemeral storage, and pods that already run.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::quantity::{cpu_millis, whole};

/// An amount of what is shared on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resources {
    /// Thousandths of a CPU.
    pub cpu_millis: u64,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Pods.
    pub pods: u64,
}

impl Resources {
    /// Whether this is at most the other in everything.
    #[must_use]
    pub fn fits_in(self, room: Self) -> bool {
        self.cpu_millis <= room.cpu_millis && self.memory_bytes <= room.memory_bytes && self.pods <= room.pods
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            cpu_millis: self.cpu_millis.saturating_add(other.cpu_millis),
            memory_bytes: self.memory_bytes.saturating_add(other.memory_bytes),
            pods: self.pods.saturating_add(other.pods),
        }
    }
}

/// What the nodes of a fleet can allocate, by name. Cordoned nodes are not there.
pub type Capacities = BTreeMap<String, Resources>;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Document {
    kind: String,
    metadata: Metadata,
    spec: Spec,
    status: Status,
    items: Vec<Document>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    unschedulable: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    allocatable: Option<Allocatable>,
}

#[derive(Debug, Deserialize)]
struct Allocatable {
    cpu: QuantityText,
    memory: QuantityText,
    pods: QuantityText,
}

/// Kubernetes writes a quantity as text or, where it is whole, as a number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum QuantityText {
    Text(String),
    Number(u64),
}

impl QuantityText {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// Reads what the nodes of a fleet file can allocate. That the file is one is checked elsewhere.
///
/// # Errors
/// Every node whose capacity is missing or cannot be read.
pub fn capacities(text: &str) -> Result<Capacities, Vec<String>> {
    let documents: Vec<Document> = if text.trim_start().starts_with('{') {
        serde_json::from_str(text)
            .map(|document| vec![document])
            .map_err(|error| vec![error.to_string()])?
    } else {
        serde_saphyr::from_multiple(text).map_err(|error| vec![error.to_string()])?
    };
    let mut found = Capacities::new();
    let mut problems = Vec::new();
    for document in &documents {
        let of_list = document.kind.strip_suffix("List").unwrap_or("");
        for item in std::iter::once(document).chain(&document.items) {
            let kind = if item.kind.is_empty() { of_list } else { &item.kind };
            if kind != "Node" || item.spec.unschedulable == Some(true) {
                continue;
            }
            let name = item.metadata.name.clone().unwrap_or_default();
            match item.status.allocatable.as_ref().map(resources) {
                Some(Ok(resources)) => {
                    found.insert(name, resources);
                }
                Some(Err(problem)) => problems.push(format!("node `{name}`: {problem}")),
                None => problems.push(format!(
                    "node `{name}` has no `status.allocatable`, so nobody knows what fits"
                )),
            }
        }
    }
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(problems)
    }
}

fn resources(allocatable: &Allocatable) -> Result<Resources, String> {
    let said = |field: &str, problem: String| format!("`status.allocatable.{field}`: {problem}");
    let cpu = allocatable.cpu.text();
    let memory = allocatable.memory.text();
    let pods = allocatable.pods.text();
    Ok(Resources {
        cpu_millis: cpu_millis(&cpu).map_err(|problem| said("cpu", problem.to_string()))?,
        memory_bytes: whole(&memory).map_err(|problem| said("memory", problem.to_string()))?,
        pods: whole(&pods).map_err(|problem| said("pods", problem.to_string()))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_found_in_lists_and_documents_and_cordoned_ones_left_out() {
        let yaml = "kind: List\nitems:\n- kind: Namespace\n  metadata: {name: x}\n- kind: Node\n  metadata: {name: a}\n  \
            status: {allocatable: {cpu: 7910m, memory: 4Gi, pods: \"58\"}}\n---\nkind: Node\nmetadata: {name: b}\n\
            spec: {unschedulable: true}\n---\nkind: Node\nmetadata: {name: c}\nstatus: {allocatable: {cpu: 2, memory: 1Gi, pods: 8}}\n";
        let found = capacities(yaml).expect("capacities");
        assert_eq!(found.keys().collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(found["a"].cpu_millis, 7910);
        let json = r#"{"kind":"NodeList","items":[{"metadata":{"name":"a"},"status":{"allocatable":{"cpu":"2","memory":"1Ki","pods":"3"}}}]}"#;
        let expected = Resources {
            cpu_millis: 2000,
            memory_bytes: 1024,
            pods: 3,
        };
        assert_eq!(capacities(json).expect("capacities")["a"], expected);
    }

    #[test]
    fn a_node_without_capacity_is_an_error_that_names_it() {
        let problems = capacities("kind: Node\nmetadata: {name: a}\n").expect_err("no capacity");
        assert!(problems[0].starts_with("node `a` has no"), "{problems:?}");
        let text =
            "kind: Node\nmetadata: {name: a}\nstatus: {allocatable: {cpu: many, memory: 1Gi, pods: 1}}\n";
        let problems = capacities(text).expect_err("bad capacity");
        assert!(
            problems[0].contains("`status.allocatable.cpu`: `many`"),
            "{problems:?}"
        );
    }
}
