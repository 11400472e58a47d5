//! From a node's name to its class: the one look-up that a decision does for each node.
//!
//! Most of its time is waiting for memory. So an entry is one cache line and holds the name itself: a
//! look-up waits once, and a request with thousands of names allocates nothing.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::ClassIndex;
use crate::model::NodeName;

/// How many names are looked up together. Each look-up waits for memory, and a processor waits for
/// several at once if nothing else stands between them.
pub const NAMES_AT_ONCE: usize = 8;

/// The longest name that fits into an entry beside its length and class. Cloud providers' names are
/// shorter; a longer one costs a second search.
const LONGEST_INLINE_BYTES: usize = 64 - 4 - 1;

#[derive(Debug, Clone)]
#[repr(align(64))]
struct Entry {
    class: ClassIndex,
    length: u8,
    name: [u8; LONGEST_INLINE_BYTES],
}

impl Entry {
    /// `None` where the name is too long.
    fn new(name: &[u8], class: ClassIndex) -> Option<Self> {
        let mut entry = Self {
            class,
            length: u8::try_from(name.len()).ok()?,
            name: [0; LONGEST_INLINE_BYTES],
        };
        entry.name.get_mut(..name.len())?.copy_from_slice(name);
        Some(entry)
    }

    fn name(&self) -> &[u8] {
        self.name.get(..usize::from(self.length)).unwrap_or(&[])
    }
}

/// Which class each node belongs to.
#[derive(Debug, Clone)]
pub struct NodeIndex {
    table: HashTable<Entry>,
    long_names: BTreeMap<Box<[u8]>, ClassIndex>,
    // Seeded anew in each process, so that nobody can choose names that collide.
    hasher: RandomState,
}

impl NodeIndex {
    /// Builds the index. Names are unique.
    pub fn new<'a>(nodes: impl ExactSizeIterator<Item = (&'a NodeName, ClassIndex)>) -> Self {
        let hasher = RandomState::default();
        let mut table = HashTable::with_capacity(nodes.len());
        let mut long_names = BTreeMap::new();
        for (name, class) in nodes {
            let name = name.as_str().as_bytes();
            match Entry::new(name, class) {
                Some(entry) => {
                    table.insert_unique(hasher.hash_one(name), entry, |entry: &Entry| {
                        hasher.hash_one(entry.name())
                    });
                }
                None => {
                    long_names.insert(name.into(), class);
                }
            }
        }
        Self {
            table,
            long_names,
            hasher,
        }
    }

    /// The class of a node, `None` where the name is not known.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<ClassIndex> {
        self.find(name, self.hasher.hash_one(name))
    }

    /// The classes of several nodes.
    #[must_use]
    pub fn get_all(&self, names: [&[u8]; NAMES_AT_ONCE]) -> [Option<ClassIndex>; NAMES_AT_ONCE] {
        let hashes = names.map(|name| self.hasher.hash_one(name));
        let mut found = [None; NAMES_AT_ONCE];
        for ((class, name), hash) in found.iter_mut().zip(names).zip(hashes) {
            *class = self.find(name, hash);
        }
        found
    }

    fn find(&self, name: &[u8], hash: u64) -> Option<ClassIndex> {
        if name.len() > LONGEST_INLINE_BYTES {
            return self.long_names.get(name).copied();
        }
        self.table
            .find(hash, |entry| entry.name() == name)
            .map(|entry| entry.class)
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len() + self.long_names.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
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

    #[test]
    fn names_of_every_length_are_found_and_their_beginnings_are_not() {
        assert_eq!(size_of::<Entry>(), 64);
        let nodes: Vec<(NodeName, ClassIndex)> = (1..=253)
            .map(|length| {
                (
                    NodeName::new(&"n".repeat(length)).unwrap(),
                    ClassIndex(length as u32),
                )
            })
            .collect();
        let (odd, even): (Vec<_>, Vec<_>) = nodes.iter().partition(|(_, class)| class.0 % 2 == 1);
        let index = NodeIndex::new(odd.iter().map(|(name, class)| (name, *class)));
        assert_eq!(index.len(), 127);
        for (name, class) in odd {
            let bytes = name.as_str().as_bytes();
            assert_eq!(index.get(bytes), Some(*class));
            let mut several: [&[u8]; NAMES_AT_ONCE] = [b"stranger"; NAMES_AT_ONCE];
            several[class.as_usize() % NAMES_AT_ONCE] = bytes;
            let found = index.get_all(several);
            assert_eq!(found.iter().flatten().collect::<Vec<_>>(), [class]);
            assert_eq!(found[class.as_usize() % NAMES_AT_ONCE], Some(*class));
        }
        for (name, _) in even {
            assert_eq!(index.get(name.as_str().as_bytes()), None, "{name}");
        }
    }
}
