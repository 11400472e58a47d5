//! Cells that two sets judge differently, and when.
//!
//! Inputs: both sets compiled over the same places, a pod of one tuple, instants. Outputs: the places that
//! change hands, those together that do at the same times. Invariant: both verdicts are the engine's.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::policy::PolicySet;
use crate::policy::catalogue::PlaceSet;
use crate::policy::evaluate::evaluate;
use crate::policy::profile::Profile;

/// Stretches of time, each with its first instant and the first one after; `None` is for ever.
pub type When = Vec<(Timestamp, Option<Timestamp>)>;

/// Places that change hands at the same times.
#[derive(Debug, Clone)]
pub struct Moved {
    /// Whether they are newly permitted; else they are newly refused.
    pub is_permitted: bool,
    /// When.
    pub when: When,
    /// Which; never empty.
    pub places: PlaceSet,
}

/// A pod as both sets see it at an instant.
pub struct Seen<'p> {
    /// By the old set.
    pub old: Cow<'p, Profile>,
    /// By the new set.
    pub new: Cow<'p, Profile>,
}

impl<'p> Seen<'p> {
    /// A pod that both see alike.
    #[must_use]
    pub fn alike(profile: &'p Profile) -> Self {
        Self {
            old: Cow::Borrowed(profile),
            new: Cow::Borrowed(profile),
        }
    }
}

/// Compares what the sets say of a pod.
pub fn moved<'p>(
    (old, new): (&PolicySet, &PolicySet),
    instants: &[Timestamp],
    seen: impl Fn(Timestamp) -> Seen<'p>,
) -> Vec<Moved> {
    let mut permitted = Stretches::default();
    let mut refused = Stretches::default();
    let (mut of_old, mut of_new) = (Last::default(), Last::default());
    for at in instants {
        let seen = seen(*at);
        let before = of_old.permitted(old, &seen.old, *at);
        let after = of_new.permitted(new, &seen.new, *at);
        permitted.note(*at, without(after, before));
        refused.note(*at, without(before, after));
    }
    let of = |is_permitted: bool| {
        move |(when, places): (When, PlaceSet)| Moved {
            is_permitted,
            when,
            places,
        }
    };
    let permitted = permitted.ended().map(of(true));
    permitted.chain(refused.ended().map(of(false))).collect()
}

/// What a set said at the instant before: a date of the other set changes nothing of it.
#[derive(Default)]
struct Last {
    since: Option<Timestamp>,
    permitted: PlaceSet,
}

impl Last {
    #[expect(
        clippy::ptr_arg,
        reason = "whether it is borrowed tells whether it is the same pod"
    )]
    fn permitted(&mut self, set: &PolicySet, profile: &Cow<'_, Profile>, at: Timestamp) -> &PlaceSet {
        let since = set.at(at).from;
        // A pod that is made anew for each instant may differ.
        let is_the_same = matches!(profile, Cow::Borrowed(_)) && self.since == Some(since);
        if !is_the_same {
            self.permitted = evaluate(set, profile, at).permitted;
            self.since = Some(since);
        }
        &self.permitted
    }
}

fn without(places: &PlaceSet, others: &PlaceSet) -> PlaceSet {
    let mut left = places.clone();
    left.subtract(others);
    left
}

/// Places by the stretches of time that they are in; a place is in one of these at most.
#[derive(Default)]
struct Stretches {
    parts: Vec<(When, PlaceSet)>,
}

impl Stretches {
    /// Notes which places are in from an instant on.
    fn note(&mut self, at: Timestamp, places: PlaceSet) {
        let mut others = places.clone();
        let mut parts = Vec::with_capacity(self.parts.len() + 1);
        for (when, part) in self.parts.drain(..) {
            others.subtract(&part);
            let outside = without(&part, &places);
            let mut inside = part;
            inside.intersect(&places);
            for (part, is_in) in [(inside, true), (outside, false)] {
                if part.is_empty() {
                    continue;
                }
                let mut when = when.clone();
                match (when.last_mut(), is_in) {
                    (Some((_, end @ None)), false) => *end = Some(at),
                    (Some((_, Some(_))), true) => when.push((at, None)),
                    _ => {}
                }
                parts.push((when, part));
            }
        }
        if !others.is_empty() {
            parts.push((vec![(at, None)], others));
        }
        self.parts = parts;
    }

    fn ended(self) -> impl Iterator<Item = (When, PlaceSet)> {
        self.parts.into_iter()
    }
}
