//! Where the accesses to a data set come from.
//!
//! Inputs: rows of a file, or pods that name the data set. Output: a row for each region, and where rules on transit
//! bind some pods of it and not others, for each of these. Invariant: rows of one region and the same rules
//! are joined into one that costs the same, since a cost is a sum over requests. What is assumed of pods:
//! each has the same number of requests; one that is bound is where it runs, and any other is at the permitted
//! regions that are nearest to its clients, by their weights, or spread evenly over all permitted regions where
//! it states no clients, or the ways to them are not known. Deliberately absent: peers, and how busy a pod is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::way_rules::WayRules;
use crate::model::{DataSetName, Locality, PodRequirements, RegionKey};
use crate::placement::{Assessment, assess};
use crate::snapshot::Snapshot;
use crate::topology::LatencyPoint;

/// What one region wants of a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct DemandRow {
    /// Where the requests are served that read and write.
    pub region: RegionKey,
    /// How many there are: more than 0, relative to the other rows.
    pub requests: f64,
    /// Reads for each request.
    pub reads: f64,
    /// Writes for each request.
    pub writes: f64,
    /// The rules on transit that bind who asks. `None` is nobody in particular, whom those bind that bind every reader.
    pub ways: Option<WayRules>,
}

/// Joins the rows of one region that the same rules bind, in the order of regions.
#[must_use]
pub fn joined(rows: impl IntoIterator<Item = DemandRow>) -> Vec<DemandRow> {
    let mut by_region: BTreeMap<(RegionKey, Option<WayRules>), DemandRow> = BTreeMap::new();
    for row in rows {
        let of_whom = (row.region.clone(), row.ways.clone());
        match by_region.get_mut(&of_whom) {
            Some(known) => {
                let requests = known.requests + row.requests;
                let mean = |one: f64, other: f64| (one * known.requests + other * row.requests) / requests;
                (known.reads, known.writes) = (mean(known.reads, row.reads), mean(known.writes, row.writes));
                known.requests = requests;
            }
            None => {
                by_region.insert(of_whom, row);
            }
        }
    }
    by_region.into_values().collect()
}

/// Pods that are alike.
#[derive(Debug, Clone, Copy)]
pub struct DemandingPods<'p> {
    /// One of them.
    pub pod: &'p PodRequirements,
    /// How many there are.
    pub count: usize,
}

/// What pods want of a data set, and how it was found out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PodDemand {
    /// A row for each region.
    pub rows: Vec<DemandRow>,
    /// Pods that name the data set.
    pub pods: usize,
    /// Those of them that are where they run.
    pub where_they_run: usize,
    /// Those that are thought to be near their clients.
    pub near_clients: usize,
    /// Those that are spread over the regions that are permitted to them.
    pub spread: usize,
    /// Those of which nobody knows where they are or could be; they are left out.
    pub nowhere: usize,
}

impl PodDemand {
    /// Gathers what pods want of a data set.
    #[must_use]
    pub fn of<'p>(
        snapshot: &Snapshot,
        pods: impl IntoIterator<Item = DemandingPods<'p>>,
        name: &DataSetName,
        now: Timestamp,
    ) -> Self {
        let mut demand = Self::default();
        let mut rows = Vec::new();
        for DemandingPods { pod, count } in pods {
            let assessment = assess(snapshot, pod, now);
            let mut uses = assessment.profile.access.data_sets.iter();
            let Some(used) = uses.find(|used| used.name == *name) else {
                continue;
            };
            let ways = WayRules::of(&assessment.verdict, &assessment.profile, name);
            let places = demand.places(&assessment, pod, count);
            rows.extend(places.into_iter().map(|(region, share)| DemandRow {
                region,
                requests: share * count as f64,
                reads: used.counted_reads(),
                writes: used.counted_writes(),
                ways: Some(ways.clone()),
            }));
        }
        demand.rows = joined(rows);
        demand
    }

    /// Where a pod is, or is thought to be, with shares that sum up to 1; empty is nowhere.
    fn places(
        &mut self,
        assessment: &Assessment<'_>,
        pod: &PodRequirements,
        count: usize,
    ) -> Vec<(RegionKey, f64)> {
        self.pods += count;
        let snapshot = assessment.snapshot;
        if let Some(node) = &pod.node {
            let class = snapshot.class_of(node.as_str().as_bytes());
            let class = class.and_then(|class| snapshot.class(class));
            let region = class.and_then(|class| class.region.clone());
            *self.counter(region.is_some(), |demand| &mut demand.where_they_run) += count;
            return region.into_iter().map(|region| (region, 1.0)).collect();
        }
        let permitted = permitted_regions(assessment);
        if let Some(places) = near_clients(assessment, &permitted) {
            self.near_clients += count;
            return places;
        }
        *self.counter(!permitted.is_empty(), |demand| &mut demand.spread) += count;
        let share = 1.0 / permitted.len() as f64;
        permitted.into_iter().map(|region| (region, share)).collect()
    }

    fn counter(&mut self, is_known: bool, counter: fn(&mut Self) -> &mut usize) -> &mut usize {
        if is_known {
            counter(self)
        } else {
            &mut self.nowhere
        }
    }
}

/// The regions of the fleet where a node passes for a pod.
fn permitted_regions(assessment: &Assessment<'_>) -> BTreeSet<RegionKey> {
    let classes = assessment.snapshot.classes();
    let passing = classes.filter(|(class, _)| assessment.passes(Some(*class)));
    passing.filter_map(|(_, class)| class.region.clone()).collect()
}

/// For each client the nearest of these regions; `None` where there are no clients, or a way is not known.
fn near_clients(
    assessment: &Assessment<'_>,
    permitted: &BTreeSet<RegionKey>,
) -> Option<Vec<(RegionKey, f64)>> {
    let snapshot = assessment.snapshot;
    let table = snapshot.latency();
    let clients = &assessment.profile.access.clients;
    let weights: f64 = clients.iter().map(|client| client.weight).sum();
    let mut places = Vec::with_capacity(clients.len());
    for client in clients {
        let from = snapshot.locate(&Locality {
            region: Some(client.region.clone()),
            ..Locality::default()
        })?;
        let way = |region: &RegionKey| -> Option<f64> {
            let to: LatencyPoint = table.locate(region, None)?;
            table.between(from, to).map(|estimate| estimate.latency.as_ms())
        };
        let known = permitted.iter().filter_map(|region| Some((region, way(region)?)));
        let (nearest, _) = known.min_by(|(_, one), (_, other)| one.total_cmp(other))?;
        places.push((nearest.clone(), client.weight / weights));
    }
    (!places.is_empty()).then_some(places)
}
