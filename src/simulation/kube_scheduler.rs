//! What kube-scheduler itself does with a pod: which nodes it fits on, how they score, which one wins.
//!
//! Modelled: fit by CPU, memory and pod count; the scores LeastAllocated and BalancedAllocation with weight
//! 1 each, CPU and memory alike, in integers as there; an extender's score times its weight times 10
//! (`MaxNodeScore / MaxExtenderPriority`); a random choice among equals.
//! Deliberately absent until the trace (stage 5): node sampling with its rotating zone order (so with 100
//! nodes or more every node is looked at, where kube-scheduler by default looks at some), taints, node
//! affinity, topology spread (which by default pulls pods of one service apart), inter-pod affinity,
//! preemption, requeueing, pods that end.

use rand::{Rng, RngExt};

use super::capacity::Resources;

/// The greatest score of a plugin.
const MAX_NODE_SCORE: u64 = 100;

/// By what kube-scheduler multiplies the score of an extender, beside its weight.
const EXTENDER_FACTOR: u64 = 10;

/// A node and what is taken of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeState {
    /// What it can allocate.
    pub allocatable: Resources,
    /// What placed pods asked for.
    pub requested: Resources,
}

impl NodeState {
    /// An empty node.
    #[must_use]
    pub fn empty(allocatable: Resources) -> Self {
        Self {
            allocatable,
            requested: Resources::default(),
        }
    }

    /// Whether a pod fits.
    #[must_use]
    pub fn fits(&self, request: Resources) -> bool {
        self.requested.plus(request).fits_in(self.allocatable)
    }

    /// The score of the node's resources with the pod on it.
    #[must_use]
    pub fn resource_score(&self, request: Resources) -> u64 {
        let after = self.requested.plus(request);
        let shares = [
            (after.cpu_millis, self.allocatable.cpu_millis),
            (after.memory_bytes, self.allocatable.memory_bytes),
        ];
        least_allocated(shares) + balanced_allocation(shares)
    }
}

/// The mean of what is left of each resource, in hundredths.
fn least_allocated(shares: [(u64, u64); 2]) -> u64 {
    let left = shares.map(
        |(requested, allocatable)| match allocatable.checked_sub(requested) {
            Some(left) if allocatable > 0 => left * MAX_NODE_SCORE / allocatable,
            _ => 0,
        },
    );
    left.iter().sum::<u64>() / 2
}

/// How alike the shares of both resources are: 100 less half their difference.
fn balanced_allocation(shares: [(u64, u64); 2]) -> u64 {
    let [cpu, memory] = shares.map(|(requested, allocatable)| match allocatable {
        0 => 1.0,
        _ => (requested as f64 / allocatable as f64).min(1.0),
    });
    let deviation = ((cpu - memory) / 2.0).abs();
    // Truncated, as the conversion to an integer does there.
    ((1.0 - deviation) * MAX_NODE_SCORE as f64) as u64
}

/// What the extender adds to the score of a node.
#[must_use]
pub fn extender_points(score: u8, weight: u32) -> u64 {
    u64::from(score) * u64::from(weight) * EXTENDER_FACTOR
}

/// The candidate with the greatest score; of several one at random.
pub fn winner(candidates: &[(usize, u64)], random: &mut impl Rng) -> Option<usize> {
    let greatest = candidates.iter().map(|(_, score)| *score).max()?;
    let best: Vec<usize> = candidates
        .iter()
        .filter(|(_, score)| *score == greatest)
        .map(|(node, _)| *node)
        .collect();
    best.get(random.random_range(0..best.len())).copied()
}

#[cfg(test)]
mod tests {
    use rand_pcg::Pcg64;

    use super::*;

    const GIB: u64 = 1 << 30;

    fn resources(cpu_millis: u64, gib: u64, pods: u64) -> Resources {
        Resources {
            cpu_millis,
            memory_bytes: gib * GIB,
            pods,
        }
    }

    #[test]
    fn a_pod_fits_until_any_resource_is_used_up() {
        let mut node = NodeState::empty(resources(2000, 4, 3));
        assert!(node.fits(resources(2000, 4, 1)) && !node.fits(resources(2001, 1, 1)));
        node.requested = resources(1000, 1, 3);
        assert!(!node.fits(resources(1, 0, 1)), "no pod is left");
        assert!(!node.fits(resources(1, 4, 0)), "memory");
    }

    #[test]
    fn scores_are_those_of_the_plugins() {
        let node = NodeState::empty(resources(4000, 16, 110));
        // 75% of the CPU and 75% of the memory are left; the shares are alike.
        assert_eq!(node.resource_score(resources(1000, 4, 1)), 75 + 100);
        // 50% and 100% are left; the shares differ by a half.
        assert_eq!(node.resource_score(resources(2000, 0, 1)), 75 + 75);
        assert_eq!(extender_points(10, 5), 500);
    }

    #[test]
    fn the_greatest_score_wins_and_equals_share_the_chance() {
        let mut random = Pcg64::new(1, 1);
        assert_eq!(winner(&[], &mut random), None);
        assert_eq!(winner(&[(4, 10), (5, 11)], &mut random), Some(5));
        let mut wins = [0; 2];
        for _ in 0..1_000 {
            let node = winner(&[(0, 7), (1, 7), (2, 6)], &mut random).expect("a winner");
            wins[node] += 1;
        }
        assert!(wins.iter().all(|wins| (400..600).contains(wins)), "{wins:?}");
    }
}
