//! Which nodes changed since someone last looked, so that what is computed per node is computed again for
//! those alone.
//!
//! Inputs: marks. Outputs: the nodes marked since a position, or that all are to be looked at. Invariants:
//! a reader that replays what it is given has seen every mark; memory is bounded.

/// Marks kept; whoever is further behind looks at all nodes.
const MOST_KEPT: usize = 1 << 16;

/// Nodes in the order in which they were marked.
#[derive(Debug, Clone, Default)]
pub(super) struct ChangeLog {
    /// The position of the first mark that is kept.
    first: u64,
    marks: Vec<u32>,
}

impl ChangeLog {
    /// Marks a node.
    pub fn mark(&mut self, slot: usize) {
        if self.marks.len() == MOST_KEPT {
            let dropped = MOST_KEPT / 2;
            self.marks.drain(..dropped);
            self.first += dropped as u64;
        }
        self.marks.push(u32::try_from(slot).unwrap_or(u32::MAX));
    }

    /// After the last mark.
    pub fn position(&self) -> u64 {
        self.first + self.marks.len() as u64
    }

    /// The nodes marked since a position; `None` where looking at all `nodes` is no dearer.
    pub fn since(&self, position: u64, nodes: usize) -> Option<&[u32]> {
        let from = usize::try_from(position.checked_sub(self.first)?).ok()?;
        let marks = self.marks.get(from..)?;
        (marks.len() <= nodes).then_some(marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_sees_every_mark_or_is_told_to_look_at_all() {
        let mut log = ChangeLog::default();
        let start = log.position();
        log.mark(3);
        log.mark(1);
        assert_eq!(log.since(start, 10), Some([3, 1].as_slice()));
        assert_eq!(log.since(start, 1), None, "two marks for one node");
        let middle = log.position();
        for slot in 0..MOST_KEPT {
            log.mark(slot);
        }
        assert_eq!(log.since(start, usize::MAX), None, "dropped");
        assert_eq!(log.since(middle, usize::MAX), None, "dropped too");
        assert_eq!(log.since(log.position(), 0), Some([].as_slice()));
    }
}
