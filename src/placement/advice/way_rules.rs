//! Which rules on transit bind a data set, as somebody uses it, and which ways they leave.
//!
//! Inputs: a verdict of the evaluator, a snapshot. Outputs: rules, and the ways that the server finds for them.
//! Invariants: only what is enforced takes ways away, whatever the settings make of it; several rules take away
//! together what each does. Deliberately absent: which way that is, and how long (`snapshot/ways.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::DataSetName;
use crate::policy::{Mode, Profile, RuleIndex, TransitBinding, TransitIndex, Verdict};
use crate::snapshot::{PermittedWays, Snapshot};

/// Enforced rules on transit, each with what it takes away. None takes nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct WayRules {
    bindings: BTreeSet<(RuleIndex, TransitIndex)>,
}

impl WayRules {
    /// The rules of a verdict that bind a data set of the profile that was judged.
    #[must_use]
    pub fn of(verdict: &Verdict, profile: &Profile, name: &DataSetName) -> Self {
        let number = profile.data_sets.iter().position(|used| used.name == *name);
        let binds = |binding: &&TransitBinding| {
            binding.mode == Mode::Enforce && number.is_some_and(|number| binding.data_sets.contains(&number))
        };
        let bindings = verdict.transit.iter().filter(binds);
        Self {
            bindings: bindings.map(|binding| (binding.rule, binding.profile)).collect(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bindings.is_empty()
    }

    /// The rules, in order.
    pub fn rules(&self) -> impl Iterator<Item = RuleIndex> {
        self.bindings.iter().map(|(rule, _)| *rule)
    }

    /// The ways that they leave; `None` is every way.
    #[must_use]
    pub fn ways(&self, snapshot: &Snapshot) -> Option<Arc<PermittedWays>> {
        let profiles: BTreeSet<TransitIndex> = self.bindings.iter().map(|(_, profile)| *profile).collect();
        snapshot.ways(&profiles)
    }
}
