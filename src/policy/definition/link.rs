//! Links: which countries traffic between two places crosses, as somebody declares it.
//!
//! Invariants: both ends are regions of the catalogue, and not the same one; no two links join the same two
//! places. Nothing measures whether a declaration is true.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{Country, RegionKey};
use crate::policy::finding::Position;

/// An end of a link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkEnd {
    /// Its region.
    pub region: RegionKey,
    /// The zone, where the link is one of that zone.
    pub zone: Option<Arc<str>>,
}

impl fmt::Display for LinkEnd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.zone {
            Some(zone) => write!(formatter, "{}/{zone}", self.region),
            None => write!(formatter, "{}", self.region),
        }
    }
}

/// What somebody declares of the way between two places; it holds both ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkLink {
    /// Its name.
    pub name: Arc<str>,
    /// One end.
    pub from: LinkEnd,
    /// The other.
    pub to: LinkEnd,
    /// Every country that traffic may cross, besides those of the ends.
    pub countries: BTreeSet<Country>,
    /// Who carries the traffic.
    pub provider: String,
    /// When it was true.
    pub as_of: Timestamp,
    /// Where it comes from.
    pub source: Option<String>,
    /// Where its name stands.
    pub written_at: Position,
}

impl NetworkLink {
    /// The regions that it joins, in their order.
    #[must_use]
    pub fn regions(&self) -> [&RegionKey; 2] {
        self.ends().map(|end| &end.region)
    }

    /// Its ends in their order, whichever way it is written.
    #[must_use]
    pub fn ends(&self) -> [&LinkEnd; 2] {
        let mut ends = [&self.from, &self.to];
        ends.sort();
        ends
    }
}
