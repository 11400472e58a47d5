//! Whether what must never be possible is impossible, over the whole domain of [`Domain`](super::Domain).
//!
//! Inputs: a set, an instant. Outputs: for each guarantee that it holds, or a counterexample as a sentence.
//! Invariants: the engine that decides about pods decides about cells, so a proof speaks of what the
//! engine does; a guarantee holds only where it holds at the instant and after every later date of the
//! set, so the clock alone never breaks what was proved.
//! Deliberately absent: `mode: observe`, under which nothing is refused whatever is proved; unlabelled
//! pods and exempt namespaces. The answer says so.
//!
//! # What counts against a guarantee
//!
//! Data that may be what the guarantee names (what is not stated may be anything), doing any of its
//! activities, at a place that is not surely allowed by it: a place of which nothing is known counts.
//! A policy in `audit` or `warn` covers provisionally, so its data really runs wherever nothing else
//! refuses it; a proof that took such a policy as absent would call that refused and be wrong. Here it
//! counts as what it does.
//!
//! Every guarantee must hold without exceptions. Where it allows none, it must also hold with all
//! exceptions of any one namespace together, whatever workload they are narrowed to: pods write their
//! owners themselves. Where it lists them, those that open it are listed.

mod limits;
mod search;
mod words;

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::PolicySet;
use super::catalogue::PlaceFacts;
use super::cells::{TooManyKinds, TupleSource, instants};
use super::definition::ActivitySet;
use super::finding::Finding;
use crate::model::{DataTuple, NamespaceName};
pub use words::guarantee_in_words;

/// What became of every guarantee of a set.
#[derive(Debug)]
pub struct Proofs {
    /// As of when.
    pub at: Timestamp,
    /// The instant, and the dates after it that were looked at.
    pub instants: BTreeSet<Timestamp>,
    /// How many cells were decided, each once for every instant, and again with exceptions.
    pub cells: u64,
    /// In the order of the names of guarantees.
    pub proofs: Vec<Proof>,
}

/// What became of one guarantee.
#[derive(Debug)]
pub struct Proof {
    /// Index into [`Definitions::guarantees`](super::Definitions::guarantees).
    pub guarantee: usize,
    /// Whether it holds.
    pub outcome: ProofOutcome,
    /// The exceptions that open it, as indices into [`Definitions::exceptions`](super::Definitions::exceptions).
    pub opened_by: BTreeSet<usize>,
}

/// Whether a guarantee holds.
#[derive(Debug)]
pub enum ProofOutcome {
    /// It does, for as long as the set does not change.
    Holds,
    /// It does not.
    Fails(Box<Counterexample>),
    /// Nobody knows, because the set is too large to be proved.
    Unproved(TooManyKinds),
}

/// What a set permits although a guarantee says never.
#[derive(Debug)]
pub struct Counterexample {
    /// In words.
    pub sentence: String,
    /// When: the instant that was asked about, or a later date.
    pub instant: Timestamp,
    /// With which data.
    pub tuple: DataTuple,
    /// From which source.
    pub source: TupleSource,
    /// Doing what.
    pub performs: ActivitySet,
    /// In a namespace with exceptions, where it takes these.
    pub namespace: Option<NamespaceName>,
    /// The facts of the place; nothing is known of the unknown place.
    pub place: PlaceFacts,
}

impl Proofs {
    /// Whether every guarantee holds.
    #[must_use]
    pub fn all_hold(&self) -> bool {
        let mut outcomes = self.proofs.iter().map(|proof| &proof.outcome);
        outcomes.all(|outcome| matches!(outcome, ProofOutcome::Holds))
    }

    /// A finding for each guarantee that does not hold (docs/policies.md, 4: L14).
    #[must_use]
    pub fn findings(&self, set: &PolicySet) -> Vec<Finding> {
        let broken = self.proofs.iter().filter_map(|proof| {
            let guarantee = set.definitions.guarantees.get(proof.guarantee)?;
            let why = proof.outcome.in_words()?;
            let sentence = format!("the guarantee `{}` does not hold: {why}", guarantee.name);
            let fix = "mend the policies, or say in the guarantee what is to hold";
            Some(Finding::error("L14", guarantee.written_at.clone(), sentence).with_fix(fix.to_owned()))
        });
        broken.collect()
    }
}

impl ProofOutcome {
    /// Why a guarantee does not hold; `None` where it does.
    #[must_use]
    pub fn in_words(&self) -> Option<String> {
        match self {
            Self::Holds => None,
            Self::Fails(counterexample) => Some(counterexample.sentence.clone()),
            Self::Unproved(problem) => Some(format!("it cannot be proved, because {problem}")),
        }
    }
}

impl PolicySet {
    /// Proves every guarantee as of an instant.
    #[must_use]
    pub fn prove(&self, at: Timestamp) -> Proofs {
        let definitions = &self.definitions;
        let instants = if definitions.guarantees.is_empty() {
            BTreeSet::from([at])
        } else {
            instants(&[definitions], at)
        };
        let mut search = search::Search::new(self, at);
        for instant in &instants {
            search.at(*instant);
        }
        Proofs {
            at,
            instants,
            cells: search.cells,
            proofs: search.finish(),
        }
    }
}
