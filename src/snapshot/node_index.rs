//! From a node's name to its class: the one look-up that a decision does for each node.
//!
//! Most of its time is waiting for memory. So an entry is one cache line and holds the name itself, and
//! several look-ups go side by side: a table of slots, small enough to stay near, says where each entry
//! should be, then all entries are fetched, and only then is a name compared. A request with thousands of
//! names allocates nothing.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::ClassIndex;
use crate::model::NodeName;

/// How many names are looked up together. Each look-up waits for memory, and a processor waits for
/// several at once if nothing else stands between them. More than eight were no faster (15,000 names).
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

/// Where an entry is, and half of the hash of its name, so that an entry of another name is hardly ever fetched.
#[derive(Debug, Clone, Copy)]
struct Slot {
    fingerprint: u32,
    entry: u32,
}

impl Slot {
    /// No entry has this number.
    const EMPTY: Self = Self {
        fingerprint: 0,
        entry: u32::MAX,
    };
}

/// Slots by the hashes of names: a power of two of them, at most half of them taken. What finds its slot taken has the
/// next that is free.
#[derive(Debug, Clone)]
struct Slots {
    slots: Box<[Slot]>,
    /// What is left of a hash behind the bits that say where its slot is.
    shift: u32,
}

impl Slots {
    fn for_entries(count: usize) -> Self {
        // At least two, so that a shift is less than the width of a hash.
        let slots = (count * 2).next_power_of_two().max(2);
        Self {
            slots: vec![Slot::EMPTY; slots].into(),
            shift: u64::BITS - slots.trailing_zeros(),
        }
    }

    /// The first entry in the slots of a hash that is the right one; `None` where an empty slot comes before it.
    #[inline]
    fn find(&self, hash: u64, is_right: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len() - 1;
        // Never cut: the shift leaves no more bits than there are slots.
        let mut number = (hash >> self.shift) as usize;
        loop {
            let slot = self.slots.get(number & mask)?;
            if slot.entry == Slot::EMPTY.entry {
                return None;
            }
            if slot.fingerprint == hash as u32 && is_right(slot.entry) {
                return Some(slot.entry);
            }
            number += 1;
        }
    }

    fn insert(&mut self, hash: u64, entry: u32) {
        let mask = self.slots.len() - 1;
        let mut number = (hash >> self.shift) as usize;
        while let Some(slot) = self.slots.get_mut(number & mask) {
            if slot.entry == Slot::EMPTY.entry {
                let fingerprint = hash as u32;
                *slot = Slot { fingerprint, entry };
                return;
            }
            number += 1;
        }
    }
}

/// Which class each node belongs to.
#[derive(Debug, Clone)]
pub struct NodeIndex {
    slots: Slots,
    entries: Vec<Entry>,
    long_names: BTreeMap<Box<[u8]>, ClassIndex>,
    // Seeded anew in each process, so that nobody can choose names that collide.
    hasher: RandomState,
}

impl NodeIndex {
    /// Builds the index. Names are unique, and there are fewer than four thousand million.
    pub fn new<'a>(nodes: impl ExactSizeIterator<Item = (&'a NodeName, ClassIndex)>) -> Self {
        let hasher = RandomState::default();
        let mut slots = Slots::for_entries(nodes.len());
        let mut entries = Vec::with_capacity(nodes.len());
        let mut long_names = BTreeMap::new();
        for ((name, class), number) in nodes.zip(0_u32..) {
            let name = name.as_str().as_bytes();
            match Entry::new(name, class) {
                Some(entry) => {
                    slots.insert(hasher.hash_one(name), number - long_names.len() as u32);
                    entries.push(entry);
                }
                None => {
                    long_names.insert(name.into(), class);
                }
            }
        }
        Self {
            slots,
            entries,
            long_names,
            hasher,
        }
    }

    /// The class of a node, `None` where the name is not known.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<ClassIndex> {
        if name.len() > LONGEST_INLINE_BYTES {
            return self.long_names.get(name).copied();
        }
        let entry = |number: u32| self.entries.get(number as usize);
        let is_right = |number| entry(number).is_some_and(|entry| entry.name() == name);
        let number = self.slots.find(self.hasher.hash_one(name), is_right)?;
        entry(number).map(|entry| entry.class)
    }

    /// The classes of several nodes.
    #[must_use]
    pub fn get_all(&self, names: [&[u8]; NAMES_AT_ONCE]) -> [Option<ClassIndex>; NAMES_AT_ONCE] {
        let hashes = names.map(|name| self.hasher.hash_one(name));
        let entries = hashes.map(|hash| {
            let likely = self.slots.find(hash, |_| true)?;
            self.entries.get(likely as usize)
        });
        // Nothing depends on these but what comes after all of them, so that their lines are fetched together.
        let beginnings =
            entries.map(|entry| entry.map_or((ClassIndex(0), 0), |entry| (entry.class, entry.length)));
        let mut found = [None; NAMES_AT_ONCE];
        let likely = entries.into_iter().zip(beginnings);
        for ((class, name), (entry, (likely_class, length))) in found.iter_mut().zip(names).zip(likely) {
            *class = match entry {
                Some(entry) if usize::from(length) == name.len() && entry.name() == name => {
                    Some(likely_class)
                }
                // Not known, longer than an entry, or behind another name with the same fingerprint.
                _ => self.get(name),
            };
        }
        found
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len() + self.long_names.len()
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
    fn entries_with_one_hash_are_all_found_and_none_of_a_hash_that_only_looks_like_it() {
        let mut slots = Slots::for_entries(8);
        let (hash, same_slot, same_fingerprint) = (7 << 60 | 9, 7 << 60 | 8, 3 << 60 | 9);
        for (entry, hash) in [(0, hash), (1, hash), (2, same_slot), (3, hash), (4, u64::MAX)] {
            slots.insert(hash, entry);
        }
        for entry in [0, 1, 3] {
            assert_eq!(slots.find(hash, |found| found == entry), Some(entry));
        }
        assert_eq!(slots.find(hash, |found| found == 2), None);
        assert_eq!(slots.find(same_slot, |_| true), Some(2));
        assert_eq!(slots.find(same_fingerprint, |_| true), None);
        // The last slot is followed by the first.
        slots.insert(u64::MAX, 5);
        assert_eq!(slots.find(u64::MAX, |found| found == 5), Some(5));
        assert_eq!(Slots::for_entries(0).find(hash, |_| true), None);
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
