//! What members of data sets are treated to beyond their accesses, as people and programs read it: of a new one the copy
//! that it clones from, and the copies that are in its failure domain already; of one that runs whether it holds a last
//! copy.

use jiff::Timestamp;
use serde::Serialize;

use super::access::{AccessLeg, rounded};
use super::volumes::place_in_words;
use crate::model::PodRequirements;
use crate::placement::{CloneDemand, Crowding, Demanded, LastCopies, Leg};
use crate::snapshot::Snapshot;

/// The copy that a new member clones from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CloneSource {
    /// The pod that holds it.
    pub pod: String,
    /// Where it is, as far as is known.
    pub place: String,
}

/// How many copies share the failure domain of a place.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Apart {
    /// Of which data set.
    pub data_set: String,
    /// How many.
    pub copies: usize,
    /// What they count against the place in the score, in milliseconds of access.
    pub ms: f64,
}

/// The data sets whose last permitted copy a pod holds that runs already, so that preemption spares it.
#[must_use]
pub fn last_copies_of(snapshot: &Snapshot, pod: &PodRequirements, now: Timestamp) -> Vec<String> {
    let held = LastCopies::new(snapshot, now).lost_with(&[&pod.uid]);
    held.iter().map(ToString::to_string).collect()
}

/// The same in one phrase; nothing where it holds none.
#[must_use]
pub fn last_copies_in_words(data_sets: &[String]) -> Option<String> {
    let names: Vec<String> = data_sets.iter().map(|name| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| {
        format!(
            "without it no permitted copy of {} would be ready: preemption spares it",
            names.join(" or of ")
        )
    })
}

/// Describes the way to a copy that is cloned from.
#[must_use]
pub(super) fn clone_leg(way: Demanded<Leg>, demanded: &CloneDemand) -> AccessLeg {
    let leg = way.known();
    AccessLeg {
        leg: "clone",
        data_set: Some(demanded.data_set.to_string()),
        times: 1.0,
        clone: Some(CloneSource {
            pod: demanded.pod.to_string(),
            place: place_in_words(&demanded.locality),
        }),
        ms: leg.map(|leg| rounded(leg.ms)),
        provenance: leg.map(|leg| leg.provenance.word()),
        measured: leg.map(|leg| leg.provenance.is_measured()),
        ..AccessLeg::default()
    }
}

impl CloneSource {
    /// The leg in one phrase.
    pub(super) fn leg_in_words(&self, leg: &AccessLeg) -> String {
        let ms = leg
            .ms
            .map_or_else(|| "unknown".to_owned(), |ms| format!("{ms:.1} ms"));
        let how = leg.provenance.map_or(String::new(), |how| format!(", {how}"));
        let data_set = leg.data_set.as_deref().unwrap_or_default();
        format!(
            "cloning `{data_set}` from pod `{}` in {}: {ms}{how}",
            self.pod, self.place
        )
    }
}

impl Apart {
    /// Describes it.
    #[must_use]
    pub fn new(crowding: &Crowding<'_>) -> Self {
        Self {
            data_set: crowding.data_set.to_string(),
            copies: crowding.copies,
            ms: crowding.ms(),
        }
    }

    /// In one phrase.
    #[must_use]
    pub fn in_words(&self) -> String {
        let copies = if self.copies == 1 { "copy" } else { "copies" };
        format!(
            "its failure domain has {} {copies} of `{}` already: in the score that counts {} ms more",
            self.copies, self.data_set, self.ms
        )
    }
}
