//! Calls to peers as people and programs read them: which pods, how many at how many places, what a call costs.
//!
//! Invariant: peers of which none runs are told too, since they explain why a pod is drawn nowhere.

use serde::Serialize;

use super::access::{AccessLeg, rounded};
use crate::placement::{Demanded, Leg, PeerDemand};
use crate::snapshot::PeerPlaces;

/// The pods that a selector finds at present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeersFound {
    /// By which labels they are found.
    pub selector: String,
    /// In which namespace.
    pub namespace: String,
    /// How many there are; absent where nobody says which pods run.
    pub pods: Option<u64>,
    /// At how many places that latency tells apart.
    pub places: usize,
    /// How many of them are on nodes whose place is not known; these do not count.
    pub at_unknown_place: u32,
}

/// Describes the calls to one group of peers.
#[must_use]
pub(super) fn call_leg(call: Demanded<Leg>, demanded: &PeerDemand) -> AccessLeg {
    let leg = call.known();
    AccessLeg {
        leg: "call",
        times: demanded.peer.calls.get(),
        peers: Some(PeersFound::new(demanded)),
        ms: leg.map(|leg| rounded(leg.ms)),
        provenance: leg.map(|leg| leg.provenance.word()),
        measured: leg.map(|leg| leg.provenance.is_measured()),
        ..AccessLeg::default()
    }
}

impl PeersFound {
    fn new(demanded: &PeerDemand) -> Self {
        let (peer, places) = (&demanded.peer, demanded.places.as_ref());
        let namespace = peer.namespace.as_ref();
        Self {
            selector: peer.selector.to_string(),
            namespace: namespace.map(ToString::to_string).unwrap_or_default(),
            pods: places.map(PeerPlaces::pods),
            places: places.map_or(0, |places| places.at.len()),
            at_unknown_place: places.map_or(0, |places| places.at_unknown),
        }
    }

    /// How many pods there are and where, in a phrase.
    fn in_words(&self) -> String {
        let Some(pods) = self.pods else {
            return "nobody says which pods run".to_owned();
        };
        let counted = |number: u64, one: &str, many: &str| match number {
            1 => format!("1 {one}"),
            _ => format!("{number} {many}"),
        };
        let found = counted(pods, "pod", "pods");
        match (pods, self.at_unknown_place) {
            (0, _) => "none runs".to_owned(),
            (_, 0) => format!("{found} at {}", counted(self.places as u64, "place", "places")),
            (_, unknown) if u64::from(unknown) == pods => format!("{found} and nobody knows where"),
            (_, unknown) => format!(
                "{found} at {} and {unknown} of them nobody knows where",
                counted(self.places as u64, "place", "places")
            ),
        }
    }

    /// The leg in one phrase.
    pub(super) fn call_in_words(&self, leg: &AccessLeg) -> String {
        let PeersFound {
            selector, namespace, ..
        } = self;
        let ms = match (leg.ms, self.pods) {
            (Some(ms), _) => format!("{ms:.1} ms"),
            // Nobody is there to be near.
            (None, None | Some(0)) => "counts nothing".to_owned(),
            (None, _) if leg.times <= 0.0 => "counts nothing".to_owned(),
            (None, _) => "unknown".to_owned(),
        };
        let how = leg.provenance.map_or(String::new(), |how| match leg.measured {
            Some(false) => format!(", in part {how}"),
            _ => format!(", {how}"),
        });
        let found = self.in_words();
        let times = leg.times;
        format!("{times} x call of pods `{selector}` in `{namespace}` ({found}): {ms}{how}")
    }
}
