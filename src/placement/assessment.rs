//! What a snapshot has to say about a pod, before any candidate is looked at.

use jiff::Timestamp;

use crate::model::PodRequirements;
use crate::policy::{Cause, Mode, Profile, Verdict, evaluate, profile, sentence};
use crate::snapshot::{ClassIndex, Snapshot};

/// A pod judged against every node class of a snapshot.
#[derive(Debug)]
pub struct Assessment<'s> {
    /// The world that it was judged in.
    pub snapshot: &'s Snapshot,
    /// What data the pod carries.
    pub profile: Profile,
    /// Which places it may be put in.
    pub verdict: Verdict,
    permitted: Vec<bool>,
}

/// Why a node is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// The policies refuse its place.
    Policy(Cause),
    /// The node is not known, and the pod is governed.
    UnknownNode,
}

/// Judges a pod against every node class.
#[must_use]
pub fn assess<'s>(snapshot: &'s Snapshot, pod: &PodRequirements, now: Timestamp) -> Assessment<'s> {
    let profile = profile(snapshot.facts(), pod, now);
    let verdict = evaluate(snapshot.policies(), &profile, now);
    let permitted = snapshot
        .classes()
        .map(|(_, class)| verdict.permits(class.place, class.region_is_confirmed))
        .collect();
    Assessment {
        snapshot,
        profile,
        verdict,
        permitted,
    }
}

impl Assessment<'_> {
    /// Whether nothing is refused, by the settings.
    #[must_use]
    pub fn observes(&self) -> bool {
        self.snapshot.policies().settings().observe
    }

    /// Whether the policies permit a class, whatever the settings make of that. A node without a class
    /// is unknown: it is permitted only for a pod that is not governed.
    #[must_use]
    pub fn permits(&self, class: Option<ClassIndex>) -> bool {
        match class {
            Some(class) => self.permitted.get(class.as_usize()).copied().unwrap_or(false),
            None => !self.verdict.governed,
        }
    }

    /// Whether a class passes the filter: as [`Assessment::permits`], or anything where the settings
    /// only observe.
    #[must_use]
    pub fn passes(&self, class: Option<ClassIndex>) -> bool {
        self.permits(class) || self.observes()
    }

    /// How many nodes of the fleet are permitted.
    #[must_use]
    pub fn permitted_nodes(&self) -> usize {
        let permitted = self
            .snapshot
            .classes()
            .filter(|(index, _)| self.permits(Some(*index)));
        permitted.map(|(_, class)| class.nodes).sum()
    }

    /// The one constant sentence of a refusal of this pod.
    #[must_use]
    pub fn sentence(&self) -> String {
        sentence(
            self.snapshot.policies(),
            &self.profile,
            &self.verdict,
            self.snapshot.places(),
        )
    }

    /// Everything that refuses a class, enforced or only recorded.
    pub fn refusals(&self, class: Option<ClassIndex>) -> impl Iterator<Item = (Refusal, Mode)> {
        let unknown =
            (class.is_none() && self.verdict.governed).then_some((Refusal::UnknownNode, Mode::Enforce));
        let class = class.and_then(|class| self.snapshot.class(class));
        let by_policy = self.verdict.restrictions.iter().filter_map(move |restriction| {
            let leaves = class.is_none_or(|class| restriction.leaves(class.place, class.region_is_confirmed));
            (!leaves).then_some((Refusal::Policy(restriction.cause), restriction.mode))
        });
        unknown.into_iter().chain(by_policy)
    }
}
