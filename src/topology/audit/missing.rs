//! What ought to be measured and is not.

use std::collections::{BTreeMap, BTreeSet};

use super::findings::{Audited, LatencyFinding};
use crate::model::RegionKey;

/// The pairs of regions of two providers, each counted once.
#[derive(Debug, Default)]
struct Group<'a> {
    pairs: usize,
    missing: usize,
    first: Option<(&'a RegionKey, &'a RegionKey)>,
}

impl Audited<'_> {
    /// Regions and pairs that nobody measured, and pairs of one direction.
    pub(super) fn missing(&self) -> Vec<LatencyFinding> {
        let pairs = self.measurements.iter();
        let measured: BTreeSet<(&RegionKey, &RegionKey)> =
            pairs.map(|(from, to, _)| (&from.region, &to.region)).collect();
        let touched: BTreeSet<&RegionKey> = measured.iter().flat_map(|(from, to)| [*from, *to]).collect();
        let mut found = Vec::new();
        let unmeasured: Vec<RegionKey> = self
            .regions
            .iter()
            .filter(|region| !touched.contains(region))
            .cloned()
            .collect();
        if !unmeasured.is_empty() {
            found.push(LatencyFinding::UnmeasuredRegions {
                regions: unmeasured,
                used: self.regions_are_used,
            });
        }
        let wanted: Vec<&RegionKey> = self
            .regions
            .iter()
            .filter(|region| touched.contains(region))
            .collect();
        found.extend(self.missing_pairs(&wanted, &measured));
        let mut one_way = self
            .measurements
            .iter()
            .filter(|(from, to, _)| from != to && self.measurements.get(to, from).is_none());
        if let Some((from, to, _)) = one_way.next() {
            found.push(LatencyFinding::OneWay {
                pairs: 1 + one_way.count(),
                first: (from.clone(), to.clone()),
            });
        }
        found
    }

    /// One finding for each two providers: a cloud measures itself, and not the way to another.
    fn missing_pairs(
        &self,
        wanted: &[&RegionKey],
        measured: &BTreeSet<(&RegionKey, &RegionKey)>,
    ) -> Vec<LatencyFinding> {
        let mut groups: BTreeMap<(&str, &str), Group<'_>> = BTreeMap::new();
        for from in wanted {
            for to in wanted.iter().filter(|to| from < *to) {
                let group = groups.entry((from.provider(), to.provider())).or_default();
                group.pairs += 1;
                if !measured.contains(&(*from, *to)) && !measured.contains(&(*to, *from)) {
                    group.missing += 1;
                    group.first.get_or_insert((from, to));
                }
            }
        }
        let mut found = Vec::new();
        for ((one, other), group) in groups {
            if let Some((from, to)) = group.first {
                found.push(LatencyFinding::MissingPairs {
                    providers: (one.to_owned(), other.to_owned()),
                    pairs: group.missing,
                    of: group.pairs,
                    first: (from.clone(), to.clone()),
                    used: self.regions_are_used,
                });
            }
        }
        found
    }
}
