//! What is permitted only because of an exception.
//!
//! Inputs: an assessment, classes of nodes. Outputs: which exceptions made a difference there, and to how
//! many nodes. Invariant: an exception that changes nothing for the classes asked about is not told of.

use super::assessment::Assessment;
use crate::policy::Exception;
use crate::snapshot::ClassIndex;

/// What exceptions did for the candidates of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByException {
    /// How many candidates are permitted only because of them.
    pub nodes: usize,
    /// Their names, in order.
    pub exceptions: Vec<String>,
}

impl Assessment<'_> {
    /// The exceptions in force without which a class would be refused; none where it would not be, and
    /// none where it is refused all the same.
    #[must_use]
    pub fn exceptions_at(&self, class: ClassIndex) -> Vec<&Exception> {
        let verdict = &self.verdict;
        let is_permitted = self.permits(Some(class));
        let Some(class) = self.snapshot.class(class) else {
            return Vec::new();
        };
        let (place, is_confirmed) = (class.place, class.region_is_confirmed);
        if !is_permitted || verdict.permits_without_exceptions(place, is_confirmed) {
            return Vec::new();
        }
        let all = &self.snapshot.policies().definitions().exceptions;
        let at_place = verdict
            .exceptions
            .iter()
            .filter(|used| used.places.contains(place));
        at_place.filter_map(|used| all.get(used.index)).collect()
    }

    /// What exceptions do for offered nodes, given by class and how many there are; `None` is nothing.
    #[must_use]
    pub fn by_exception(
        &self,
        offered: impl Iterator<Item = (Option<ClassIndex>, usize)>,
    ) -> Option<ByException> {
        self.verdict.without_exceptions.as_ref()?;
        let mut by_class = vec![0_usize; self.snapshot.classes().len()];
        for (class, nodes) in offered {
            if let Some(count) = class.and_then(|class| by_class.get_mut(class.as_usize())) {
                *count += nodes;
            }
        }
        let mut nodes = 0;
        let mut exceptions: Vec<String> = Vec::new();
        let offered = self.snapshot.classes().zip(by_class);
        for ((class, _), count) in offered.filter(|(_, count)| *count > 0) {
            let used = self.exceptions_at(class);
            if used.is_empty() {
                continue;
            }
            nodes += count;
            exceptions.extend(used.iter().map(|exception| exception.name.to_string()));
        }
        exceptions.sort_unstable();
        exceptions.dedup();
        (nodes > 0).then_some(ByException { nodes, exceptions })
    }
}
