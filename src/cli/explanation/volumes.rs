//! The volumes of a pod as people and programs read them: where a bound one is, and that an unbound one is made where the
//! pod lands.

use serde::Serialize;

use super::access::{AccessLeg, rounded};
use crate::model::Locality;
use crate::placement::{Assessment, Demanded, Leg, VolumeDemand};

/// Where a bound volume is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumePlace {
    /// The claim.
    pub claim: String,
    /// The volume.
    pub volume: String,
    /// `provider/region/zone`, as far as is known, of each place from which it can be used.
    pub places: Vec<String>,
    /// The only node that can use it, of a local volume.
    pub node: Option<String>,
}

/// A claim of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MountedVolume {
    /// The claim.
    pub claim: String,
    /// Where its volume is, where it is bound to one that is known.
    pub bound: Option<VolumePlace>,
    /// Whether the claim is known.
    pub known: bool,
    /// Whether the pod creates data where it runs: the claim is not bound, and its class waits for the pod; one that is
    /// not known may be such a one.
    pub creates: bool,
}

/// The claims of a pod of which something is known.
#[must_use]
pub fn mounted_volumes(assessment: &Assessment<'_>) -> Vec<MountedVolume> {
    let bound = &assessment.demand().volumes;
    let claims = assessment.profile.claims.iter();
    let mounted = claims.map(|claim| MountedVolume {
        claim: claim.claim.to_string(),
        bound: bound
            .iter()
            .find(|bound| bound.claim == claim.claim)
            .map(VolumePlace::new),
        known: claim.is_known,
        creates: claim.creates,
    });
    mounted.collect()
}

/// Describes the way to a volume.
#[must_use]
pub(super) fn volume_leg(way: Demanded<Leg>, demanded: &VolumeDemand) -> AccessLeg {
    let leg = way.known();
    AccessLeg {
        leg: "volume",
        times: 1.0,
        volume: Some(VolumePlace::new(demanded)),
        ms: leg.map(|leg| rounded(leg.ms)),
        provenance: leg.map(|leg| leg.provenance.word()),
        measured: leg.map(|leg| leg.provenance.is_measured()),
        ..AccessLeg::default()
    }
}

impl VolumePlace {
    fn new(demanded: &VolumeDemand) -> Self {
        Self {
            claim: demanded.claim.to_string(),
            volume: demanded.volume.to_string(),
            places: demanded.localities.iter().map(place_in_words).collect(),
            node: demanded.node.as_ref().map(ToString::to_string),
        }
    }

    fn place_in_words(&self) -> String {
        match (&self.node, self.places.as_slice()) {
            (Some(node), [place]) => format!("local to node `{node}` in {place}"),
            (Some(node), _) => format!("local to node `{node}` of which nobody knows where it is"),
            (None, []) => "it does not say where it is".to_owned(),
            (None, places) => format!("in {}", places.join(" and ")),
        }
    }

    /// The leg in one phrase.
    pub(super) fn leg_in_words(&self, leg: &AccessLeg) -> String {
        let ms = match leg.ms {
            Some(ms) => format!("{ms:.1} ms"),
            // What is the same everywhere draws nowhere.
            None if self.places.is_empty() => "counts nothing".to_owned(),
            None => "unknown".to_owned(),
        };
        let how = leg.provenance.map_or(String::new(), |how| format!(", {how}"));
        format!(
            "its volume `{}` ({}): {ms}{how}",
            self.volume,
            self.place_in_words()
        )
    }
}

impl MountedVolume {
    /// What is known of the claim, in one phrase.
    #[must_use]
    pub fn in_words(&self) -> String {
        let claim = &self.claim;
        match &self.bound {
            Some(bound) => format!(
                "claim `{claim}`: volume `{}`, {}",
                bound.volume,
                bound.place_in_words()
            ),
            None if !self.known => {
                format!(
                    "claim `{claim}`: not known, so the pod may create data where it runs (activities store and replicate)"
                )
            }
            None if self.creates => {
                format!(
                    "claim `{claim}`: not bound, so the pod creates data where it runs (activities store and replicate)"
                )
            }
            None => format!("claim `{claim}`: where its volume is is not known"),
        }
    }
}

pub(super) fn place_in_words(locality: &Locality) -> String {
    let region = locality
        .region
        .as_ref()
        .map_or_else(|| "an unknown region".to_owned(), ToString::to_string);
    match &locality.zone {
        Some(zone) => format!("{region}/{zone}"),
        None => region,
    }
}
