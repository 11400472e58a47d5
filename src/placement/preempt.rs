//! Which of the nodes where preemption would help may be kept as candidates.
//!
//! kube-scheduler dry-runs preemption with its own plugins alone, so without this call it evicts pods on
//! nodes that the filter then refuses (docs/kube-scheduler.md), and pods that hold the last copy of data.
//!
//! Inputs: an assessment of the pod that wants room, and for each candidate the UIDs of its victims. Outputs: whether the
//! candidate stays, and what it would take away. Invariant: a candidate is kept or dropped whole, for its victims are what
//! kube-scheduler needs to evict. Deliberately absent: other victims, which kube-scheduler chooses.

use jiff::Timestamp;

use super::assessment::Assessment;
use super::last_copy::LastCopies;
use crate::model::DataSetName;
use crate::snapshot::ClassIndex;

/// The candidates of one pod, judged one by one.
#[derive(Debug)]
pub struct Preemption<'a, 's> {
    assessment: &'a Assessment<'s>,
    last_copies: LastCopies<'s>,
}

/// What becomes of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedCandidate {
    /// Whether it stays: it is permitted, or the settings only observe and there is somebody to evict.
    pub is_kept: bool,
    /// Whether the policies let the pod run there, there is somebody to evict, and no victim holds the last permitted copy
    /// of a data set.
    pub is_permitted: bool,
    /// The data sets whose last permitted copy its victims hold, of a candidate that would stay but for these.
    pub last_copies: Vec<DataSetName>,
}

impl<'a, 's> Preemption<'a, 's> {
    /// Judges candidates at the instant of the assessment.
    #[must_use]
    pub fn new(assessment: &'a Assessment<'s>, now: Timestamp) -> Self {
        Self {
            assessment,
            last_copies: LastCopies::new(assessment.snapshot, now),
        }
    }

    /// Judges one. A candidate without victims failed only by the extender, and evicting nobody would cure nothing.
    pub fn judge(&mut self, class: Option<ClassIndex>, victims: &[&str]) -> JudgedCandidate {
        if victims.is_empty() || !self.assessment.passes(class) {
            return JudgedCandidate {
                is_kept: false,
                is_permitted: false,
                last_copies: Vec::new(),
            };
        }
        let last_copies = self.last_copies.lost_with(victims);
        let is_permitted = self.assessment.permits(class) && last_copies.is_empty();
        JudgedCandidate {
            is_kept: is_permitted || self.assessment.observes(),
            is_permitted,
            last_copies,
        }
    }
}
