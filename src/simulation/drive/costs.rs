//! What an access costs pods of a kind, at each class of nodes.
//!
//! Inputs: kinds as they are judged, where pods run. Outputs: costs. Invariants: what no peer sways is worked out once for a
//! kind and a class, and again when the kind is judged again; a pod that runs is a peer of those that call it, and never of
//! itself. Deliberately absent: what the served scores make of costs (`extender`).
#![expect(
    clippy::indexing_slicing,
    reason = "kinds are counted by the roster, and each list has one entry for each"
)]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::judge::{Judge, JudgedKind, Running};
use super::lives::{Cost, whole_us};
use super::nodes::UNKNOWN_PLACE;
use super::roster::KindIndex;
use crate::placement::{AccessDemand, Demanded, Total, access_cost, total};
use crate::simulation::kube::NodeIndex;
use crate::snapshot::{ClassIndex, PeerPlaces, Snapshot};

/// What is worked out of a kind that calls no peers.
#[derive(Debug, Default)]
pub struct KnownCosts {
    /// By class.
    totals: Option<Arc<[Demanded<Total>]>>,
    /// As reports tell it; `None` is a node that is not known.
    told: BTreeMap<Option<ClassIndex>, Cost>,
    /// At the best place that is permitted.
    best_us: Option<Option<u64>>,
}

impl JudgedKind<'_> {
    /// Whether it matters where others run.
    fn calls_peers(&self) -> bool {
        !self.called.is_empty()
    }

    /// What pods of the kind demand, now that others run where they do; `without` is one of them that is not to be
    /// its own peer.
    fn demand(
        &self,
        snapshot: &Snapshot,
        classes: &[Option<ClassIndex>],
        running: &Running,
        without: Option<(KindIndex, NodeIndex)>,
    ) -> Cow<'_, AccessDemand> {
        let mut demand = Cow::Borrowed(self.assessment.demand());
        let point = |node: NodeIndex| {
            let class = classes.get(node.get()).copied().flatten();
            class
                .and_then(|class| snapshot.class(class))
                .and_then(|class| class.point)
        };
        for (position, called) in self.called.iter().enumerate() {
            let mut places = PeerPlaces::default();
            for kind in called {
                for (node, pods) in &running[*kind] {
                    for _ in 0..*pods {
                        places.add(point(*node));
                    }
                }
                if let Some((_, node)) = without.filter(|(own, _)| own == kind) {
                    places.take(point(node));
                }
            }
            if let Some(peers) = demand.to_mut().peers.get_mut(position) {
                peers.places = Some(places);
            }
        }
        demand
    }

    /// What an access costs at each class, whether it is permitted or not.
    pub fn totals(
        &mut self,
        snapshot: &Snapshot,
        classes: &[Option<ClassIndex>],
        running: &Running,
        without: Option<(KindIndex, NodeIndex)>,
    ) -> Arc<[Demanded<Total>]> {
        if let Some(known) = &self.costs.totals {
            return known.clone();
        }
        let demand = self.demand(snapshot, classes, running, without);
        let total_at = |point| total(snapshot.latency(), &demand, point);
        let totals: Arc<[_]> = snapshot
            .classes()
            .map(|(_, class)| total_at(class.point))
            .collect();
        drop(demand);
        if !self.calls_peers() {
            self.costs.totals = Some(totals.clone());
        }
        totals
    }
}

impl Judge<'_> {
    /// What an access costs a pod of a kind on a node.
    pub fn cost(&mut self, kind: KindIndex, node: NodeIndex, running: &Running, at: Timestamp) -> Cost {
        let (snapshot, class) = (self.snapshot, self.class(node));
        self.judged(kind, at);
        let Some(judged) = &mut self.kinds[kind] else {
            return Cost::Unknown;
        };
        if let Some(known) = judged.costs.told.get(&class) {
            return *known;
        }
        let demand = judged.demand(snapshot, &self.classes, running, Some((kind, node)));
        let point = class
            .and_then(|class| snapshot.class(class))
            .and_then(|class| class.point);
        let cost = Cost::of(&access_cost(snapshot.latency(), &demand, point));
        drop(demand);
        if !judged.calls_peers() {
            judged.costs.told.insert(class, cost);
        }
        cost
    }

    /// What an access would cost a pod of a kind at the best place that is permitted and has a node, room or not.
    pub fn best_us(
        &mut self,
        kind: KindIndex,
        node: NodeIndex,
        running: &Running,
        at: Timestamp,
    ) -> Option<u64> {
        let snapshot = self.snapshot;
        if let Some(best_us) = self.judged(kind, at).costs.best_us {
            return best_us;
        }
        let judged = self.kinds[kind].as_mut()?;
        let totals = judged.totals(snapshot, &self.classes, running, Some((kind, node)));
        let permitted = snapshot
            .classes()
            .zip(&*totals)
            .filter(|((class, _), _)| judged.assessment.passes(Some(*class)));
        let costs = permitted.filter_map(|(_, total)| total.known().map(|total| whole_us(total.ms)));
        let best_us = costs.min();
        if !judged.calls_peers() {
            judged.costs.best_us = Some(best_us);
        }
        best_us
    }

    /// By region that the extender lets pods of a kind go to, what an access costs there at the least; nothing where others
    /// that run sway it, and of regions of which nobody knows.
    pub fn costs_by_region(&mut self, kind: KindIndex, at: Timestamp) -> BTreeMap<String, u64> {
        let mut costs = BTreeMap::new();
        let snapshot = self.snapshot;
        let judged = self.judged(kind, at);
        if judged.calls_peers() {
            return costs;
        }
        let totals = judged.totals(snapshot, &[], &Running::new(), None);
        let passing = snapshot
            .classes()
            .zip(&*totals)
            .filter(|((class, _), _)| judged.assessment.passes(Some(*class)));
        for ((_, class), total) in passing {
            let us = match total {
                Demanded::Known(total) => whole_us(total.ms),
                Demanded::NotDemanded => 0,
                Demanded::Unknown => continue,
            };
            let region = class.region.as_ref();
            let region = region.map_or_else(|| UNKNOWN_PLACE.to_owned(), ToString::to_string);
            let least = costs.entry(region).or_insert(us);
            *least = us.min(*least);
        }
        costs
    }
}

/// All points for the nearest, none for the others; where nobody knows, none is nearer.
pub fn score_nearest(totals: &[Demanded<Total>], offered: &[Option<ClassIndex>], scores: &mut [u8]) {
    const ALL_POINTS: u8 = 10;
    let us = |total: &Demanded<Total>| total.known().map(|total| whole_us(total.ms));
    let by_class: Vec<Option<u64>> = totals.iter().map(us).collect();
    let us_of = |class: &Option<ClassIndex>| by_class.get((*class)?.as_usize()).copied().flatten();
    let least = offered.iter().filter_map(us_of).min();
    for (score, class) in scores.iter_mut().zip(offered) {
        let us = us_of(class);
        if us.is_some() && us == least {
            *score = ALL_POINTS;
        }
    }
}
