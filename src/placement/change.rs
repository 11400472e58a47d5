//! What a change makes of the nodes that a pod may have.
//!
//! Inputs: the worlds that decided before, each with an instant at which it did, and the world that decides now.
//! Output: for a pod, whether some node passes now that one of them did not let pass. Invariants: nodes are walked
//! through once for each change, to find which class became which; a pod costs as many steps as there are classes.
//! A node that was not known before was refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::assess;
use crate::model::PodRequirements;
use crate::snapshot::{ClassIndex, Snapshot};

/// What changed, for people and for the label of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Nobody knows what decided before: this replica just began to act.
    Beginning,
    /// The policy set: policies, exceptions, groups, regions, settings, data sets among them.
    Policies,
    /// Latencies, for pods that state a limit.
    Latency,
    /// Nodes, namespaces, volumes, or the files of data sets.
    Facts,
    /// A date: a policy, a member of a group, an exception or a certification began or ended.
    Date,
}

impl Cause {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Beginning => "beginning",
            Self::Policies => "policies",
            Self::Latency => "latency",
            Self::Facts => "facts",
            Self::Date => "date",
        }
    }
}

/// A world that decided, and an instant at which it did.
#[derive(Debug, Clone)]
pub struct Decided {
    /// The world.
    pub snapshot: Arc<Snapshot>,
    /// The instant.
    pub at: Timestamp,
}

/// A world that decided before, and which class each of its nodes has now.
#[derive(Debug)]
struct Before {
    decided: Decided,
    /// Each pair that some node has, once: its class then and now.
    classes: Vec<(Option<ClassIndex>, ClassIndex)>,
}

/// What changed.
#[derive(Debug)]
pub struct Change {
    /// Worlds that may have refused a pod; none where nobody knows.
    before: Vec<Before>,
    after: Decided,
    cause: Cause,
}

impl Change {
    /// Compares worlds. `before` is empty where nobody knows what decided.
    #[must_use]
    pub fn new(before: Vec<Decided>, after: Decided) -> Self {
        let cause = before
            .iter()
            .map(|before| cause(before, &after))
            .max_by_key(|cause| match cause {
                // A publication tells more than the date that passed beside it.
                Cause::Policies => 3,
                Cause::Latency => 2,
                Cause::Facts => 1,
                Cause::Date | Cause::Beginning => 0,
            });
        let before = before.into_iter().map(|decided| Before {
            classes: classes(&decided.snapshot, &after.snapshot),
            decided,
        });
        Self {
            before: before.collect(),
            cause: cause.unwrap_or(Cause::Beginning),
            after,
        }
    }

    /// What decides now.
    #[must_use]
    pub fn after(&self) -> &Decided {
        &self.after
    }

    /// What changed.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// Whether some node passes now that did not, be it that it is permitted or that the settings only observe. Where
    /// nobody knows what decided before: whether some node passes, for a pod that may be refused.
    #[must_use]
    pub fn admits(&self, pod: &PodRequirements) -> bool {
        let is = assess(&self.after.snapshot, pod, self.after.at);
        if self.before.is_empty() {
            // Any other pod was never refused by us.
            let mut classes = self.after.snapshot.classes();
            return is.may_be_refused() && classes.any(|(class, _)| is.passes(Some(class)));
        }
        self.before.iter().any(|before| {
            let passing: Vec<_> = before
                .classes
                .iter()
                .filter(|(_, now)| is.passes(Some(*now)))
                .collect();
            if passing.is_empty() {
                return false;
            }
            let was = assess(&before.decided.snapshot, pod, before.decided.at);
            passing.into_iter().any(|(then, _)| !was.passes(*then))
        })
    }
}

fn cause(before: &Decided, after: &Decided) -> Cause {
    let (then, now) = (&before.snapshot, &after.snapshot);
    if then.policies().digest() != now.policies().digest() {
        Cause::Policies
    } else if Arc::ptr_eq(then, now) {
        Cause::Date
    } else if then.latency().digest() != now.latency().digest() {
        Cause::Latency
    } else {
        Cause::Facts
    }
}

/// Which class became which: each pair once.
fn classes(before: &Snapshot, after: &Snapshot) -> Vec<(Option<ClassIndex>, ClassIndex)> {
    if before.shares_all_but_running(after) {
        return after.classes().map(|(class, _)| (Some(class), class)).collect();
    }
    let nodes = after.fleet().nodes.keys();
    let pairs = nodes.filter_map(|node| {
        let name = node.as_str().as_bytes();
        Some((before.class_of(name), after.class_of(name)?))
    });
    let pairs: BTreeSet<_> = pairs.collect();
    pairs.into_iter().collect()
}
