//! What policies in mode `warn` have to say about a pod.
//!
//! Inputs: an assessment. Output: one sentence, as constant as that of a refusal, or none. Invariant: only a rule that
//! would take a node of the fleet away, or a way to data from one, is told.

use super::assessment::Assessment;
use crate::policy::{Cause, Mode};

impl Assessment<'_> {
    /// What would be refused of the fleet, were all policies enforced that only warn.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let warns = self.verdict.restrictions.iter().filter(|restriction| {
            let leaves = |place, is_confirmed| restriction.leaves(place, is_confirmed);
            restriction.mode == Mode::Warn
                && (self.snapshot.classes()).any(|(_, class)| !leaves(class.place, class.region_is_confirmed))
        });
        let of_places = warns.map(|restriction| restriction.cause);
        let of_ways = self.warned_ways().into_iter().map(Cause::Rule);
        let policies = self.snapshot.policies();
        let said: Vec<String> = of_places
            .chain(of_ways)
            .map(|cause| policies.cause_in_words(cause))
            .collect();
        (!said.is_empty()).then(|| format!("domicile: not enforced yet: {}", said.join("; ")))
    }
}
