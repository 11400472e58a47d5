//! The nodes as columns: what each can allocate and what its pods ask for.
//!
//! Inputs: node specifications, pods that come and go. Outputs: columns by slot. Invariants: all columns
//! have one length; a slot belongs to one node and is not used again; every change is marked. Source of what is counted:
//! `NodeInfo` of kubernetes 1.36 (`framework/types.go`): requests as stated for the fit, and with 100m of CPU and
//! 200Mi of memory where nothing is stated for the score (`util/pod_resources.go`).
#![expect(
    clippy::indexing_slicing,
    reason = "all columns have one length, and slots are handed out here"
)]

use super::change_log::ChangeLog;
use super::spec::{Labels, NodeSpec, ResourceList, Taint};

/// What counts as asked for where a pod states no CPU, in thousandths (`DefaultMilliCPURequest`).
const UNSTATED_CPU: i64 = 100;

/// What counts as asked for where a pod states no memory, in bytes (`DefaultMemoryRequest`).
const UNSTATED_MEMORY: i64 = 200 * 1024 * 1024;

/// What a pod asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Request {
    /// Thousandths of a CPU, as stated.
    pub cpu: i64,
    /// Bytes of memory, as stated.
    pub memory: i64,
    /// Bytes of the node's own disk.
    pub storage: i64,
    /// Thousandths of a CPU as the score counts them.
    pub scored_cpu: i64,
    /// Bytes of memory as the score counts them.
    pub scored_memory: i64,
    /// Other resources, by their column.
    pub others: Vec<(usize, i64)>,
}

impl Request {
    /// Whether nothing is asked for but a place.
    pub fn is_nothing(&self) -> bool {
        self.cpu == 0 && self.memory == 0 && self.storage == 0 && self.others.is_empty()
    }
}

/// A resource beyond CPU, memory, disk and pods.
#[derive(Debug, Clone)]
pub(super) struct OtherResource {
    pub name: String,
    pub allocatable: Vec<i64>,
    pub used: Vec<i64>,
}

/// The columns.
#[derive(Debug, Clone, Default)]
pub(super) struct Nodes {
    pub specs: Vec<NodeSpec>,
    pub is_there: Vec<bool>,
    pub cpu: Vec<i64>,
    pub memory: Vec<i64>,
    pub storage: Vec<i64>,
    pub most_pods: Vec<i64>,
    pub used_cpu: Vec<i64>,
    pub used_memory: Vec<i64>,
    pub used_storage: Vec<i64>,
    pub scored_cpu: Vec<i64>,
    pub scored_memory: Vec<i64>,
    pub pods: Vec<i64>,
    pub others: Vec<OtherResource>,
    /// Nodes whose pods changed.
    pub load_changes: ChangeLog,
    /// Nodes whose labels, taints or being there changed.
    pub fact_changes: ChangeLog,
}

impl Nodes {
    /// How many slots there are, of nodes that are gone too.
    pub fn len(&self) -> usize {
        self.specs.len()
    }

    /// A node comes: its slot.
    pub fn add(&mut self, spec: NodeSpec) -> usize {
        let slot = self.specs.len();
        let amount = |name: &str| spec.allocatable.get(name).copied().unwrap_or_default();
        self.cpu.push(amount("cpu").milli_value());
        self.memory.push(amount("memory").value());
        self.storage.push(amount("ephemeral-storage").value());
        self.most_pods.push(amount("pods").value());
        let used = [
            &mut self.used_cpu,
            &mut self.used_memory,
            &mut self.used_storage,
            &mut self.scored_cpu,
            &mut self.scored_memory,
            &mut self.pods,
        ];
        used.into_iter().for_each(|column| column.push(0));
        for other in &mut self.others {
            other.allocatable.push(0);
            other.used.push(0);
        }
        for (name, amount) in others(&spec.allocatable) {
            let other = self.other(name, slot + 1);
            self.others[other].allocatable[slot] = amount;
        }
        self.specs.push(spec);
        self.is_there.push(true);
        self.load_changes.mark(slot);
        self.fact_changes.mark(slot);
        slot
    }

    /// A node goes; its pods went before.
    pub fn remove(&mut self, slot: usize) {
        self.is_there[slot] = false;
        self.fact_changes.mark(slot);
    }

    /// The column of a resource, made where there is none.
    fn other(&mut self, name: &str, slots: usize) -> usize {
        let found = self.others.iter().position(|other| other.name == name);
        found.unwrap_or_else(|| {
            self.others.push(OtherResource {
                name: name.to_owned(),
                allocatable: vec![0; slots],
                used: vec![0; slots],
            });
            self.others.len() - 1
        })
    }

    /// What a pod asks for, in columns.
    pub fn request(&mut self, requests: &ResourceList) -> Request {
        let stated = |name: &str| requests.get(name).copied();
        let mut request = Request {
            cpu: stated("cpu").unwrap_or_default().milli_value(),
            memory: stated("memory").unwrap_or_default().value(),
            storage: stated("ephemeral-storage").unwrap_or_default().value(),
            scored_cpu: stated("cpu").map_or(UNSTATED_CPU, |cpu| cpu.milli_value()),
            scored_memory: stated("memory").map_or(UNSTATED_MEMORY, |memory| memory.value()),
            others: Vec::new(),
        };
        for (name, amount) in others(requests).filter(|(_, amount)| *amount > 0) {
            let column = self.other(name, self.specs.len());
            request.others.push((column, amount));
        }
        request
    }

    /// Adds what a pod asks for to a node, or takes it away.
    pub fn load(&mut self, slot: usize, request: &Request, sign: i64) {
        self.used_cpu[slot] += sign * request.cpu;
        self.used_memory[slot] += sign * request.memory;
        self.used_storage[slot] += sign * request.storage;
        self.scored_cpu[slot] += sign * request.scored_cpu;
        self.scored_memory[slot] += sign * request.scored_memory;
        self.pods[slot] += sign;
        for (column, amount) in &request.others {
            self.others[*column].used[slot] += sign * amount;
        }
        self.load_changes.mark(slot);
    }

    /// Changes the taints of a node.
    pub fn set_taints(&mut self, slot: usize, taints: Vec<Taint>) {
        self.specs[slot].taints = taints;
        self.fact_changes.mark(slot);
    }

    /// Changes the labels of a node: the ones before.
    pub fn set_labels(&mut self, slot: usize, labels: Labels) -> Labels {
        self.fact_changes.mark(slot);
        std::mem::replace(&mut self.specs[slot].labels, labels)
    }

    /// Cordons a node, or ends that.
    pub fn set_unschedulable(&mut self, slot: usize, unschedulable: bool) {
        self.specs[slot].unschedulable = unschedulable;
        self.fact_changes.mark(slot);
    }
}

/// The resources that have no column of their own, in the order of their names.
fn others(list: &ResourceList) -> impl Iterator<Item = (&str, i64)> {
    let own = ["cpu", "memory", "ephemeral-storage", "pods"];
    list.iter()
        .filter(move |(name, _)| !own.contains(&name.as_str()))
        .map(|(name, amount)| (name.as_str(), amount.value()))
}
