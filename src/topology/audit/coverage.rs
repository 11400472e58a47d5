//! How much of what matters is measured, and what stands in where it is not.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Provenance, RegionKey};
use crate::topology::LatencyTable;

/// How the latency of the directed pairs between some regions is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// How many regions.
    pub regions: usize,
    /// How many directed pairs they make.
    pub pairs: usize,
    /// How many of them are known in which way; what is not here is known in no way.
    pub known: BTreeMap<Provenance, usize>,
}

impl Coverage {
    /// Counts the directed pairs between these regions.
    #[must_use]
    pub fn of(table: &LatencyTable, regions: &BTreeSet<RegionKey>) -> Self {
        let mut coverage = Self {
            regions: regions.len(),
            pairs: regions.len() * regions.len().saturating_sub(1),
            known: BTreeMap::new(),
        };
        let points: Vec<_> = regions.iter().map(|region| table.locate(region, None)).collect();
        for (row, from) in points.iter().enumerate() {
            for (column, to) in points.iter().enumerate() {
                let (Some(from), Some(to)) = (from, to) else {
                    continue;
                };
                if row != column
                    && let Some(estimate) = table.between(*from, *to)
                {
                    *coverage.known.entry(estimate.provenance).or_default() += 1;
                }
            }
        }
        coverage
    }

    /// How many pairs somebody measured, this way or the other.
    #[must_use]
    pub fn measured(&self) -> usize {
        let measured = self
            .known
            .iter()
            .filter(|(provenance, _)| provenance.is_measured());
        measured.map(|(_, pairs)| pairs).sum()
    }

    /// How many pairs nothing is known about.
    #[must_use]
    pub fn unknown(&self) -> usize {
        self.pairs - self.known.values().sum::<usize>()
    }
}
