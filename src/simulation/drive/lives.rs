//! What becomes of each pod of a run.

use crate::model::Provenance;
use crate::placement::AccessCost;
use crate::simulation::kube::{Causes, NodeIndex, PodIndex};

/// Microseconds of a millisecond.
const US_PER_MS: f64 = 1_000.0;

/// What keeps a pod from a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keeps {
    /// Nodes are permitted, and none has room.
    Capacity,
    /// Nodes are permitted, and taints, selectors, affinity or spread exclude them.
    SchedulingRules,
    /// The policies permit no node.
    Residency,
    /// The extender was shown no permitted node, though some exist.
    SamplingBlind,
    /// What the pod accesses is cut off.
    Partition,
    /// An access takes too long, or is not measured where it must be.
    LatencyLimit,
    /// Nobody knows where the nodes are.
    UnknownPlace,
}

impl Keeps {
    /// The word in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Capacity => "capacity",
            Self::SchedulingRules => "scheduling-rules",
            Self::Residency => "residency",
            Self::SamplingBlind => "sampling-blind",
            Self::Partition => "partition",
            Self::LatencyLimit => "latency-limit",
            Self::UnknownPlace => "unknown-place",
        }
    }
}

/// What an access costs a pod where it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cost {
    /// It names neither clients nor data sets, nor peers that run.
    #[default]
    NotDemanded,
    /// Nobody knows.
    Unknown,
    /// Expected microseconds for each request.
    Known {
        /// How many.
        us: u64,
        /// Whether some leg is a guess over a distance.
        is_estimated: bool,
    },
}

impl Cost {
    /// Of what the placement engine says, in whole microseconds.
    #[must_use]
    pub fn of(cost: &AccessCost) -> Self {
        use crate::placement::Demanded;
        match cost.total {
            Demanded::NotDemanded => Self::NotDemanded,
            Demanded::Unknown => Self::Unknown,
            Demanded::Known(total) => Self::Known {
                us: whole_us(total.ms),
                is_estimated: cost.least_certain.is_some_and(is_estimated),
            },
        }
    }

    /// Microseconds, where they are known.
    #[must_use]
    pub fn us(self) -> Option<u64> {
        match self {
            Self::Known { us, .. } => Some(us),
            Self::NotDemanded | Self::Unknown => None,
        }
    }
}

/// Whole microseconds.
pub fn whole_us(ms: f64) -> u64 {
    (ms * US_PER_MS).round() as u64
}

/// Whether somebody guessed; what is assumed inside a region is off by a millisecond or two.
fn is_estimated(provenance: Provenance) -> bool {
    !provenance.is_measured() && provenance != Provenance::AssumedLocal
}

/// What becomes of a pod.
#[derive(Debug, Clone, Default)]
pub struct PodLife {
    /// The pod of the model that stands for it now; another after each loss of its node.
    pub pod: Option<PodIndex>,
    /// Whether it ran where the trace says, without being placed.
    pub already_there: bool,
    /// Whether it has begun: a pod that never did is not counted.
    pub began: bool,
    /// When it did.
    pub began_ms: u64,
    /// When it was taken back, if it was.
    pub ended_ms: Option<u64>,
    /// When it got its first node.
    pub first_bound_ms: Option<u64>,
    /// Where it is, or was when it ended.
    pub node: Option<NodeIndex>,
    /// Attempts.
    pub attempts: u64,
    /// Attempts that showed the extender no permitted node though some exist.
    pub blind: u64,
    /// How often it lost its node to a pod of greater priority.
    pub preempted: u64,
    /// How often it lost its node with it.
    pub evicted: u64,
    /// What the last attempt without success said, and whether it was blind.
    pub last: Option<(Causes, bool)>,
    /// What keeps it from a node, when it ended without one.
    pub keeps: Option<Keeps>,
    /// What forbade its placements, as the checker says, each once.
    pub breaches: Vec<String>,
    /// Placements that were forbidden.
    pub violations: u64,
    /// Whether the policies of then forbid its place when the run ends.
    pub forbidden_at_end: bool,
    /// What an access costs where it ended.
    pub cost: Cost,
    /// What one would at the best place that is permitted, room or not.
    pub best_us: Option<u64>,
}
