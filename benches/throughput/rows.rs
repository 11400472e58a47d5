//! The configurations that are compared.

use crate::fleet::Share;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    NoExtender,
    /// Parses and echoes names, and scores nothing.
    NoOp,
    Domicile,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affinity {
    None,
    ByHand,
    /// By the webhook of Domicile.
    Injected,
}

pub struct Row {
    pub beside: Beside,
    pub affinity: Affinity,
    /// `percentageOfNodesToScore: 100` instead of what kube-scheduler takes by itself, here a tenth.
    pub looks_at_all: bool,
    pub share: Share,
    /// Every other pod is of a namespace that says nothing about its data.
    pub beside_ungoverned: bool,
}

const fn row(beside: Beside, affinity: Affinity, looks_at_all: bool, share: Share) -> Row {
    Row {
        beside,
        affinity,
        looks_at_all,
        share,
        beside_ungoverned: false,
    }
}

const fn mixed(beside: Beside, affinity: Affinity) -> Row {
    Row {
        beside_ungoverned: true,
        ..row(beside, affinity, false, Half)
    }
}

use Affinity::{ByHand, Injected, None};
use Beside::{Domicile, NoExtender, NoOp};
use Share::{All, Half, Tenth, Ungoverned};

pub const ROWS: [Row; 19] = [
    row(NoExtender, None, false, Ungoverned),
    row(NoOp, None, false, Ungoverned),
    row(Domicile, None, false, Ungoverned),
    row(Domicile, None, false, All),
    row(NoExtender, ByHand, false, Tenth),
    row(NoOp, ByHand, false, Tenth),
    row(Domicile, Injected, false, Tenth),
    row(NoExtender, ByHand, false, Half),
    row(NoOp, ByHand, false, Half),
    row(Domicile, Injected, false, Half),
    row(NoExtender, ByHand, false, All),
    row(NoOp, ByHand, false, All),
    row(Domicile, Injected, false, All),
    mixed(NoOp, ByHand),
    mixed(Domicile, Injected),
    row(NoOp, None, true, Ungoverned),
    row(Domicile, None, true, Tenth),
    row(Domicile, None, true, Half),
    row(Domicile, None, true, All),
];

impl Row {
    /// Names it apart from all others.
    pub fn description(&self) -> String {
        let beside = match self.beside {
            NoExtender => "no extender",
            NoOp => "no-op extender",
            Domicile => "Domicile",
        };
        let affinity = match self.affinity {
            None => "",
            ByHand => " behind affinity by hand",
            Injected => " behind injected affinity",
        };
        let looks_at = if self.looks_at_all { ", all nodes" } else { "" };
        let share = match self.share {
            Ungoverned => "ungoverned",
            Tenth => "10%",
            Half => "50%",
            All => "100%",
        };
        let others = if self.beside_ungoverned {
            " and ungoverned"
        } else {
            ""
        };
        format!("{beside}{affinity}{looks_at}, {share}{others}")
    }

    /// Whose pod that with a number is.
    pub fn share_of(&self, number: usize) -> Share {
        match self.beside_ungoverned && number % 2 == 1 {
            true => Ungoverned,
            false => self.share,
        }
    }

    /// Whether that row is this one with an extender that decides nothing.
    pub fn is_compared_with(&self, other: &Self) -> bool {
        let is_behind = |row: &Self| row.affinity != None;
        // Without affinity the no-op extender lets every pod go everywhere, whatever share it may have.
        self.beside == Domicile
            && other.beside == NoOp
            && self.looks_at_all == other.looks_at_all
            && self.beside_ungoverned == other.beside_ungoverned
            && is_behind(self) == is_behind(other)
            && (!is_behind(self) || self.share == other.share)
    }
}
