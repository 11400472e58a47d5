//! What measurements say of one statistic, cell by cell, and which of several readings of a pair counts.
//!
//! Inputs: measurements and a statistic. Output: for a pair of places the reading that counts, in this order:
//!
//! 1. what is measured now, whatever it is, before what a file says of some day;
//! 2. a reading of the statistic itself before a guess from another one, so that a P95 guessed from a P50
//!    never displaces a measured P95;
//! 3. the finest: zones, a zone and a region, the regions;
//! 4. what is fresh before what is stale;
//! 5. this way before the way back: both measure the same loop.
//!
//! Where both ways are fresh and of one kind, their mean counts for both: they measure the same loop, so they
//! differ by noise. Dated ways stay as the file has them, because two rows of a file
//! may be of two days. Both directed figures stay in [`Measurements`] for whoever checks their difference.
//! Invariant: the order of the measurements changes nothing. Deliberately absent: guesses about pairs that
//! nobody measured.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use super::measurement::{Freshness, MeasuredPlace, Reading};
use super::measurements::Measurements;
use super::places::{Layout, Places, Spot};
use super::table::Estimate;
use crate::model::{Latency, Provenance, RegionKey, Statistic};

/// A reading and how it stands to the present.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    /// The round trip.
    pub(super) latency: Latency,
    is_exact: bool,
    freshness: Freshness,
}

/// The readings of all measured pairs.
#[derive(Debug)]
pub(super) struct Readings {
    layout: Layout,
    cells: Vec<Option<Seen>>,
    measured: Vec<(Spot, Spot, Seen)>,
    /// Whether some measured pair touches the region, by number.
    touched: Vec<bool>,
}

impl Readings {
    /// Numbers the places of all measurements and reads each pair.
    pub(super) fn read<'a>(
        measurements: &'a Measurements,
        more_regions: impl Iterator<Item = &'a RegionKey>,
        statistic: Statistic,
    ) -> (Places, Self) {
        let mut known: HashMap<&MeasuredPlace, usize> = HashMap::new();
        let mut found: Vec<&MeasuredPlace> = Vec::new();
        let mut number = |place: &'a MeasuredPlace| {
            *known.entry(place).or_insert_with(|| {
                found.push(place);
                found.len() - 1
            })
        };
        let mut pairs = Vec::with_capacity(measurements.len());
        let mut row_before: Vec<(&MeasuredPlace, usize)> = Vec::new();
        for (from, row) in measurements.rows() {
            let from = number(from);
            for (at, (to, measurement)) in row.iter().enumerate() {
                let Reading { latency, is_exact } = measurement.reading(statistic);
                let seen = Seen {
                    latency,
                    is_exact,
                    freshness: measurement.freshness,
                };
                // Most rows of a matrix name the same places in the same order, so few are looked up.
                let to = match row_before.get(at) {
                    Some((place, number)) if *place == to => *number,
                    _ => {
                        let number = number(to);
                        match row_before.get_mut(at) {
                            Some(before) => *before = (to, number),
                            None => row_before.push((to, number)),
                        }
                        number
                    }
                };
                pairs.push((from, to, seen));
            }
        }
        for (from, to) in measurements.unreachable() {
            number(from);
            number(to);
        }
        let places = Places::number(found.iter().copied(), more_regions);
        let spots: Vec<Option<Spot>> = found
            .iter()
            .map(|place| places.find(&place.region, place.zone.as_deref()))
            .collect();
        let spot = |number: usize| spots.get(number).copied().flatten();
        let measured: Vec<(Spot, Spot, Seen)> = pairs
            .into_iter()
            .filter_map(|(from, to, seen)| Some((spot(from)?, spot(to)?, seen)))
            .collect();
        (places.clone(), Self::lay_out(&places, measured))
    }

    fn lay_out(places: &Places, measured: Vec<(Spot, Spot, Seen)>) -> Self {
        let regions = places.regions();
        let mut fine = vec![false; regions * regions];
        let mut touched = vec![false; regions];
        for (from, to, _) in &measured {
            for (from, to) in [(from, to), (to, from)] {
                if let Some(touched) = touched.get_mut(from.region()) {
                    *touched = true;
                }
                if (from.row() > 0 || to.row() > 0)
                    && let Some(fine) = fine.get_mut(from.region() * regions + to.region())
                {
                    *fine = true;
                }
            }
        }
        let layout = Layout::new(places, |from, to| {
            fine.get(from * regions + to).copied().unwrap_or(false)
        });
        let mut cells = vec![None; layout.cells()];
        for (from, to, seen) in &measured {
            if let Some(cell) = layout.cell(*from, *to).and_then(|cell| cells.get_mut(cell)) {
                *cell = Some(*seen);
            }
        }
        Self {
            layout,
            cells,
            measured,
            touched,
        }
    }

    /// Every measured pair.
    pub(super) fn measured(&self) -> impl Iterator<Item = (Spot, Spot, Seen)> {
        self.measured.iter().copied()
    }

    /// Whether some measured pair touches a region.
    pub(super) fn touches(&self, region: usize) -> bool {
        self.touched.get(region).copied().unwrap_or(false)
    }

    /// Where the cells lie.
    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Where the cells lie, for good.
    pub(super) fn into_layout(self) -> Layout {
        self.layout
    }

    /// What was read of exactly this pair, this way.
    pub(super) fn at(&self, from: Spot, to: Spot) -> Option<Seen> {
        *self.cells.get(self.layout.cell(from, to)?)?
    }

    /// What counts for a pair, from whatever measurement says most about it.
    pub(super) fn counting(&self, from: Spot, to: Spot) -> Option<Estimate> {
        let levels = [
            (from, to),
            (from, to.widened()),
            (from.widened(), to),
            (from.widened(), to.widened()),
        ];
        // Without a block all levels are one cell.
        let levels = if self.layout.is_fine(from.region(), to.region()) {
            levels.as_slice()
        } else {
            levels.get(3..).unwrap_or_default()
        };
        let mut best: Option<(Rank, Estimate)> = None;
        for (level, (from, to)) in levels.iter().enumerate() {
            let ways = (self.at(*from, *to), self.at(*to, *from));
            let Some((rank, estimate)) = of_two_ways(ways.0, ways.1, level) else {
                continue;
            };
            if best.as_ref().is_none_or(|(least, _)| rank < *least) {
                best = Some((rank, estimate));
            }
        }
        best.map(|(_, estimate)| estimate)
    }
}

/// The lower counts: dated, a guess, the level, stale, the way back.
type Rank = (bool, bool, usize, bool, bool);

fn of_two_ways(this: Option<Seen>, back: Option<Seen>, level: usize) -> Option<(Rank, Estimate)> {
    let rank = |seen: &Seen, is_back: bool| -> Rank {
        (
            !seen.freshness.is_live(),
            !seen.is_exact,
            level,
            seen.freshness == Freshness::Stale,
            is_back,
        )
    };
    let (seen, is_back) = match (this, back) {
        (Some(this), Some(back)) if rank(&back, true) < rank(&this, false) => (back, true),
        (Some(this), _) => (this, false),
        (None, back) => (back?, true),
    };
    let latency = match (this, back) {
        (Some(this), Some(back)) if are_one_loop(this, back) => mean(this.latency, back.latency),
        _ => seen.latency,
    };
    let provenance = if !seen.is_exact {
        Provenance::EstimatedByStatistic
    } else if seen.freshness == Freshness::Stale {
        Provenance::MeasuredStale
    } else if is_back {
        Provenance::MeasuredReverse
    } else {
        Provenance::Measured
    };
    let estimate = Estimate { latency, provenance };
    Some((rank(&seen, is_back), estimate))
}

fn are_one_loop(this: Seen, back: Seen) -> bool {
    this.freshness == Freshness::Fresh && back.freshness == Freshness::Fresh && this.is_exact == back.is_exact
}

fn mean(one: Latency, other: Latency) -> Latency {
    // The mean of two latencies is one.
    Latency::from_ms(f64::midpoint(one.as_ms(), other.as_ms())).unwrap_or(one)
}

/// Which pairs are known to be parted.
#[derive(Debug, Clone, Default)]
pub(super) struct Partitions {
    /// Every pair of which something is known, of the regions between which anything is parted.
    known: BTreeMap<(Spot, Spot), bool>,
}

impl Partitions {
    /// Reads what is unreachable, and what was measured of the same regions.
    pub(super) fn read(measurements: &Measurements, places: &Places, readings: &Readings) -> Self {
        let find = |place: &MeasuredPlace| places.find(&place.region, place.zone.as_deref());
        let parted: Vec<(Spot, Spot)> = measurements
            .unreachable()
            .filter_map(|(from, to)| Some((find(from)?, find(to)?)))
            .collect();
        if parted.is_empty() {
            return Self::default();
        }
        let between: BTreeSet<(usize, usize)> = parted
            .iter()
            .flat_map(|(from, to)| [(from.region(), to.region()), (to.region(), from.region())])
            .collect();
        let reached = readings
            .measured()
            .filter(|(from, to, seen)| {
                seen.freshness.is_live() && between.contains(&(from.region(), to.region()))
            })
            .map(|(from, to, _)| ((from, to), false));
        let parted = parted.into_iter().map(|pair| (pair, true));
        Self {
            // What is parted comes last, so it wins over the round trip that was measured before.
            known: reached.chain(parted).collect(),
        }
    }

    /// Whether any place is known not to reach another.
    pub(super) fn has_any(&self) -> bool {
        !self.known.is_empty()
    }

    /// Whether one place is known not to reach another: the finest that is known of it decides, and of two
    /// ways this one.
    pub(super) fn is_unreachable(&self, from: Spot, to: Spot) -> bool {
        if self.known.is_empty() {
            return false;
        }
        let levels = [
            (from, to),
            (from, to.widened()),
            (from.widened(), to),
            (from.widened(), to.widened()),
        ];
        levels
            .into_iter()
            .flat_map(|(from, to)| [(from, to), (to, from)])
            .find_map(|pair| self.known.get(&pair).copied())
            .unwrap_or(false)
    }
}

#[cfg(test)]
#[path = "readings_tests.rs"]
mod tests;
