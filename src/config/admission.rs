//! The settings of `/mutate` and `/validate`.

use clap::ValueEnum;

use super::settings::WordSetting;
use crate::admission::{Growth, Nowhere};

/// From which providers nodes may still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NodeProviders {
    /// From those that the nodes of the fleet have; from any while the place of some node is not known.
    Fleet,
    /// From any of the catalogue.
    Catalogue,
}

impl WordSetting for NodeProviders {
    const WORDS: &'static [(&'static str, Self)] = &[("fleet", Self::Fleet), ("catalogue", Self::Catalogue)];
}

impl From<NodeProviders> for Growth {
    fn from(providers: NodeProviders) -> Self {
        match providers {
            NodeProviders::Fleet => Self::ProvidersOfFleet,
            NodeProviders::Catalogue => Self::Catalogue,
        }
    }
}

/// What becomes of a pod that may run nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnNowhere {
    /// It is admitted with a warning.
    Warn,
    /// It is rejected.
    Reject,
}

impl WordSetting for OnNowhere {
    const WORDS: &'static [(&'static str, Self)] = &[("warn", Self::Warn), ("reject", Self::Reject)];
}

impl From<OnNowhere> for Nowhere {
    fn from(on_nowhere: OnNowhere) -> Self {
        match on_nowhere {
            OnNowhere::Warn => Self::Warn,
            OnNowhere::Reject => Self::Reject,
        }
    }
}
