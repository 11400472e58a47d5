//! Domains: the values of a label of nodes.
//!
//! Inputs: labels of nodes. Outputs: per label and slot the number of the value. Invariants: numbers are given in the
//! order in which values appear and never again; a node without the label is [`NOWHERE`].
#![expect(
    clippy::indexing_slicing,
    reason = "keys are handed out here, and each has an entry per slot"
)]

use std::collections::HashMap;

use super::super::spec::{Labels, NodeSpec};

/// The domain of a node that lacks the label.
pub(in super::super) const NOWHERE: u32 = u32::MAX;

/// The key by which each node is a domain of its own.
pub(in super::super) const EACH_NODE: usize = 0;

/// One label of nodes.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Key {
    label: String,
    values: HashMap<String, u32>,
    /// Per slot.
    pub domain: Vec<u32>,
    pub domains: usize,
}

/// All labels that some rule names.
#[derive(Debug, Clone)]
pub(in super::super) struct Topology {
    keys: Vec<Key>,
}

impl Default for Topology {
    fn default() -> Self {
        Self {
            keys: vec![Key::default()],
        }
    }
}

impl Topology {
    /// The key of a label, made where there is none.
    pub fn intern(&mut self, label: &str, nodes: &[NodeSpec], is_there: &[bool]) -> usize {
        let named = self.keys.iter().skip(1).position(|key| key.label == label);
        if let Some(found) = named {
            return found + 1;
        }
        let mut key = Key {
            label: label.to_owned(),
            ..Key::default()
        };
        for (node, is_there) in nodes.iter().zip(is_there) {
            let domain = if *is_there {
                key.domain_of(&node.labels)
            } else {
                NOWHERE
            };
            key.domain.push(domain);
        }
        self.keys.push(key);
        self.keys.len() - 1
    }

    /// One key.
    pub fn key(&self, key: usize) -> &Key {
        &self.keys[key]
    }

    /// A node comes, in the next slot.
    pub fn add(&mut self, slot: usize, labels: &Labels) {
        for (index, key) in self.keys.iter_mut().enumerate() {
            let domain = if index == EACH_NODE {
                key.domains = slot + 1;
                u32::try_from(slot).unwrap_or(NOWHERE)
            } else {
                key.domain_of(labels)
            };
            key.domain.push(domain);
        }
    }

    /// The labels of a node changed.
    pub fn relabel(&mut self, slot: usize, labels: &Labels) {
        for key in self.keys.iter_mut().skip(1) {
            key.domain[slot] = key.domain_of(labels);
        }
    }

    /// Where a node is by a key.
    pub fn domain(&self, key: usize, slot: usize) -> u32 {
        self.keys[key].domain[slot]
    }
}

impl Key {
    fn domain_of(&mut self, labels: &Labels) -> u32 {
        let Some(value) = labels.get(&self.label) else {
            return NOWHERE;
        };
        if let Some(found) = self.values.get(value) {
            return *found;
        }
        let next = u32::try_from(self.domains).unwrap_or(NOWHERE);
        self.values.insert(value.clone(), next);
        self.domains += 1;
        next
    }
}
