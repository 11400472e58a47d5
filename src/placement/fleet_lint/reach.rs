//! How much of a fleet is left to data: nothing, one region, or enough not to be told.

use std::collections::BTreeSet;

use super::coverage::COVER_IT;
use crate::model::RegionKey;
use crate::policy::{Cause, Level, Restriction};
use crate::snapshot::{NodeClass, Snapshot};

/// Too little of a fleet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TooLittle {
    /// No node.
    Nothing,
    /// The nodes of one region only.
    OneRegion(RegionKey),
}

impl TooLittle {
    /// Whether too little is left of a fleet. Of a fleet that has only one region, one is not too little.
    pub fn of(snapshot: &Snapshot, permits: impl Fn(&NodeClass) -> bool) -> Option<Self> {
        let mut regions: BTreeSet<Option<&RegionKey>> = BTreeSet::new();
        let mut permitted: BTreeSet<Option<&RegionKey>> = BTreeSet::new();
        for (_, class) in snapshot.classes() {
            regions.insert(class.region.as_ref());
            if permits(class) {
                permitted.insert(class.region.as_ref());
            }
        }
        let known_regions = regions.iter().flatten().count();
        let mut permitted = permitted.into_iter();
        match (permitted.next(), permitted.next()) {
            (None, _) => Some(Self::Nothing),
            (Some(Some(only)), None) if known_regions > 1 => Some(Self::OneRegion(only.clone())),
            _ => None,
        }
    }

    /// An error where nothing is left.
    pub fn level(&self) -> Level {
        match self {
            Self::Nothing => Level::Error,
            Self::OneRegion(_) => Level::Warning,
        }
    }

    /// The beginning of the sentence: what is permitted, before for what.
    pub fn in_words(&self) -> String {
        match self {
            Self::Nothing => "no node of the fleet is permitted".to_owned(),
            Self::OneRegion(region) => format!("only one region of the fleet is permitted (`{region}`)"),
        }
    }

    /// What to do about it, given what leaves so little.
    pub fn fix<'r>(&self, causes: impl IntoIterator<Item = &'r Restriction>) -> Option<String> {
        let fix = match self {
            Self::OneRegion(_) => {
                "permit a second region, or add nodes in one: the loss of this one stops it"
            }
            Self::Nothing => match causes.into_iter().map(|restriction| restriction.cause).min()? {
                // Their sentences say what to do.
                Cause::Malformed | Cause::Unlabelled | Cause::StaleFacts => return None,
                Cause::Uncovered => COVER_IT,
                Cause::Rule(_) => "add nodes where it is permitted, or change the policies",
            },
        };
        Some(fix.to_owned())
    }
}
