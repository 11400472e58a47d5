//! From a node's name to its class: the one look-up that a decision does for each node.
//!
//! All names lie in one buffer and the table holds offsets, so that a look-up touches two cache lines
//! and a request with thousands of names allocates nothing.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::ClassIndex;
use crate::model::NodeName;

#[derive(Debug, Clone, Copy)]
struct Entry {
    start: u32,
    length: u32,
    class: ClassIndex,
}

/// Which class each node belongs to.
#[derive(Debug, Clone)]
pub struct NodeIndex {
    names: Vec<u8>,
    table: HashTable<Entry>,
    // Seeded anew in each process, so that nobody can choose names that collide.
    hasher: RandomState,
}

impl NodeIndex {
    /// Builds the index. Names are unique.
    pub fn new<'a>(nodes: impl ExactSizeIterator<Item = (&'a NodeName, ClassIndex)>) -> Self {
        let mut index = Self {
            names: Vec::new(),
            table: HashTable::with_capacity(nodes.len()),
            hasher: RandomState::default(),
        };
        for (name, class) in nodes {
            index.insert(name.as_str().as_bytes(), class);
        }
        index
    }

    fn insert(&mut self, name: &[u8], class: ClassIndex) {
        let (Ok(start), Ok(length)) = (u32::try_from(self.names.len()), u32::try_from(name.len())) else {
            // 4 GiB of node names is beyond any cluster; a node left out is an unknown one, which fails closed.
            return;
        };
        self.names.extend_from_slice(name);
        let Self { names, table, hasher } = self;
        table.insert_unique(hasher.hash_one(name), Entry { start, length, class }, |entry| {
            hasher.hash_one(name_of(names, *entry))
        });
    }

    /// The class of a node, `None` where the name is not known.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<ClassIndex> {
        let hash = self.hasher.hash_one(name);
        self.table
            .find(hash, |entry| name_of(&self.names, *entry) == name)
            .map(|entry| entry.class)
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }
}

fn name_of(names: &[u8], entry: Entry) -> &[u8] {
    let start = entry.start as usize;
    names.get(start..start + entry.length as usize).unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_class_and_others_find_none() {
        let nodes: Vec<(NodeName, ClassIndex)> = (0..5_000)
            .map(|n| (NodeName::new(&format!("node-{n}")).unwrap(), ClassIndex(n % 7)))
            .collect();
        let index = NodeIndex::new(nodes.iter().map(|(name, class)| (name, *class)));
        assert_eq!(index.len(), 5_000);
        for (name, class) in &nodes {
            assert_eq!(index.get(name.as_str().as_bytes()), Some(*class));
        }
        assert_eq!(index.get(b"node-5000"), None);
        assert_eq!(index.get(b""), None);
    }
}
