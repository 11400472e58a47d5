//! What it costs a pod to call others: its peers, where they run at present.
//!
//! A Service spreads calls evenly, so one call costs the mean round trip over the pods that a selector finds.
//!
//! Inputs: what a pod calls, and where pods run. Outputs: for each selector a leg. Invariants: where no pod
//! is found there is nothing to be near, so nothing is demanded; pods at unknown places leave the mean, which
//! they do at every candidate alike; one unknown way from a candidate makes its leg unknown, so that nothing is
//! cheaper for what is not known; peers sway the order of places and refuse none. Deliberately absent: which
//! pods a Service prefers (topology-aware routing) and how busy they are.

use super::cost::Demanded;
use super::ways::{Leg, Way, Ways, less_certain};
use crate::model::PeerUse;
use crate::snapshot::PeerPlaces;
use crate::topology::{LatencyPoint, LatencyTable};

/// Pods that a pod calls, with places of one latency table.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerDemand {
    /// Which pods, and how often for each request.
    pub peer: PeerUse,
    /// Where they run; `None` where nobody says which pods run.
    pub places: Option<PeerPlaces>,
}

impl PeerDemand {
    /// One call from a place: the mean round trip.
    #[must_use]
    pub fn leg(&self, table: &LatencyTable, node: Option<LatencyPoint>) -> Demanded<Leg> {
        let places = match &self.places {
            Some(places) if places.pods() > 0 && self.peer.calls.get() > 0.0 => places,
            _ => return Demanded::NotDemanded,
        };
        let ways = Ways::of(table);
        let (mut sum_ms, mut pods) = (0.0, 0.0);
        let mut least_certain = None;
        for (point, count) in &places.at {
            let Way::Known(leg) = ways.between(node, Some(*point)) else {
                return Demanded::Unknown;
            };
            sum_ms += f64::from(*count) * leg.ms;
            pods += f64::from(*count);
            least_certain =
                Some(least_certain.map_or(leg.provenance, |other| less_certain(other, leg.provenance)));
        }
        match least_certain {
            Some(provenance) => Demanded::Known(Leg {
                ms: sum_ms / pods,
                provenance,
            }),
            // There are some, and nobody knows where.
            None => Demanded::Unknown,
        }
    }
}

#[cfg(test)]
#[path = "peers_tests.rs"]
mod tests;
