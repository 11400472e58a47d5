//! The places of one table as numbers, and where a pair of them lies in memory.
//!
//! Inputs: every place that a table speaks of. Output: a number for each region, a row for each of its
//! zones, and a [`Layout`]: one cell for each pair of regions, and for pairs whose zones were measured a
//! block of cells instead, so that a table costs what was measured and a look-up is two reads.
//! Invariants: numbers follow the order of the keys, so equal places make equal numbers; row 0 of a region
//! stands for all of it that has no row of its own. Deliberately absent: what a cell holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::measurement::MeasuredPlace;
use crate::model::RegionKey;

/// A region, or a zone of one, as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Spot {
    region: u32,
    /// 0 is the region.
    row: u32,
}

impl Spot {
    /// A whole region.
    pub(super) fn whole(region: usize) -> Self {
        Self::of(region, 0)
    }

    /// A row of a region.
    pub(super) fn of(region: usize, row: usize) -> Self {
        // There are fewer places than memory for their names.
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            region: number(region),
            row: number(row),
        }
    }

    /// The number of its region.
    pub(super) fn region(self) -> usize {
        self.region as usize
    }

    /// Its row in the region; 0 is the region.
    pub(super) fn row(self) -> usize {
        self.row as usize
    }

    /// The region that it lies in.
    pub(super) fn widened(self) -> Self {
        Self { row: 0, ..self }
    }
}

/// Every place of a table.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    regions: BTreeMap<RegionKey, Region>,
    /// In order: every region and, behind it, its zones.
    all: Vec<MeasuredPlace>,
    /// How many rows each region has: 1 and one for each zone.
    rows: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Region {
    number: usize,
    zones: BTreeMap<Arc<str>, usize>,
}

impl Places {
    /// Numbers the places, and the regions of those that are zones.
    pub(super) fn number<'a>(
        places: impl Iterator<Item = &'a MeasuredPlace>,
        more_regions: impl Iterator<Item = &'a RegionKey>,
    ) -> Self {
        let mut zones: BTreeMap<&RegionKey, BTreeSet<&Arc<str>>> = BTreeMap::new();
        for place in places {
            zones
                .entry(&place.region)
                .or_default()
                .extend(place.zone.as_ref());
        }
        for region in more_regions {
            zones.entry(region).or_default();
        }
        let mut numbered = Self::default();
        for (number, (key, zones)) in zones.into_iter().enumerate() {
            numbered.all.push(MeasuredPlace::region(key.clone()));
            numbered.all.extend(zones.iter().map(|zone| MeasuredPlace {
                region: key.clone(),
                zone: Some(Arc::clone(zone)),
            }));
            numbered.rows.push(zones.len() + 1);
            let zones = zones.into_iter().cloned().zip(1..).collect();
            numbered.regions.insert(key.clone(), Region { number, zones });
        }
        numbered
    }

    /// Every place, in order.
    pub(super) fn all(&self) -> &[MeasuredPlace] {
        &self.all
    }

    /// How many regions there are.
    pub(super) fn regions(&self) -> usize {
        self.rows.len()
    }

    /// The keys of the regions, in the order of their numbers.
    pub(super) fn region_keys(&self) -> impl Iterator<Item = &RegionKey> {
        self.regions.keys()
    }

    /// How many rows a region has.
    pub(super) fn rows(&self, region: usize) -> usize {
        self.rows.get(region).copied().unwrap_or(0)
    }

    /// Finds a region and a zone; a zone without a row is the region.
    pub(super) fn find(&self, region: &RegionKey, zone: Option<&str>) -> Option<Spot> {
        let region = self.regions.get(region)?;
        let row = zone.and_then(|zone| region.zones.get(zone)).copied().unwrap_or(0);
        Some(Spot::of(region.number, row))
    }
}

/// Where the cell of a pair lies.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    /// Of each pair of regions: where its cells begin, and how many rows the second region has in it. One
    /// cell has 0 rows: each row of either region is the same.
    pairs: Vec<(u32, u32)>,
    regions: usize,
    cells: usize,
}

impl Layout {
    /// Lays out the cells; `is_fine` tells which pairs of regions need a cell for each pair of rows.
    pub(super) fn new(places: &Places, is_fine: impl Fn(usize, usize) -> bool) -> Self {
        let regions = places.regions();
        let mut pairs = Vec::with_capacity(regions * regions);
        let mut cells = 0;
        for from in 0..regions {
            for to in 0..regions {
                let (rows, size) = if is_fine(from, to) {
                    (places.rows(to), places.rows(from) * places.rows(to))
                } else {
                    (0, 1)
                };
                pairs.push((
                    u32::try_from(cells).unwrap_or(u32::MAX),
                    u32::try_from(rows).unwrap_or(u32::MAX),
                ));
                cells += size;
            }
        }
        Self {
            pairs,
            regions,
            cells,
        }
    }

    /// How many cells there are.
    pub(super) fn cells(&self) -> usize {
        self.cells
    }

    /// Which cell is that of a pair.
    pub(super) fn cell(&self, from: Spot, to: Spot) -> Option<usize> {
        let (start, rows) = *self.pairs.get(from.region() * self.regions + to.region())?;
        let within = if rows == 0 { 0 } else { from.row * rows + to.row };
        Some((start + within) as usize)
    }

    /// Whether each pair of rows of two regions has a cell of its own.
    pub(super) fn is_fine(&self, from: usize, to: usize) -> bool {
        let pair = self.pairs.get(from * self.regions + to);
        pair.is_some_and(|(_, rows)| *rows > 0)
    }
}
