//! Whether a pod fits on a node, and what the node's resources are worth with it.
//!
//! Inputs: the columns of the nodes, what a pod asks for. Outputs: per node that it does not fit (and whether
//! evicting could help), or the weighted sum of the scores LeastAllocated and BalancedAllocation. Source:
//! `plugins/noderesources` of kubernetes 1.36.3: `fitsRequest`, `leastRequestedScore`, `balancedResourceScorer`
//! (since 1.36 the balance with the pod is compared with the balance without it). Invariant: the integers
//! and the floating point operations are those of Go, in its order. Deliberately absent: other scoring strategies, and scored
//! resources beside CPU and memory.
#![expect(
    clippy::indexing_slicing,
    reason = "the columns of the nodes have one length, and slots come from them"
)]

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::nodes::{Nodes, Request};
use super::profile::Weights;

/// The greatest score of a plugin (`MaxNodeScore`).
pub(super) const MAX_NODE_SCORE: i64 = 100;

/// In place of points: too little is left (`Unschedulable`: evicting may help).
pub(super) const TOO_LITTLE_LEFT: i32 = -1;

/// In place of points: the node is too small (`UnschedulableAndUnresolvable`).
pub(super) const TOO_SMALL: i32 = -2;

/// What all nodes are worth to pods that ask for one thing. Kept from attempt to attempt; what changed in between
/// is computed again.
#[derive(Debug, Clone)]
struct Shape {
    request: Request,
    /// Up to where changes are known.
    seen: u64,
    points: Vec<i32>,
    last_used: u64,
}

/// All that pods ask for.
#[derive(Debug, Clone, Default)]
pub(super) struct Shapes {
    shapes: Vec<Shape>,
    by_request: HashMap<Request, usize, FixedState>,
    clock: u64,
    kept_points: usize,
}

/// Points kept over all shapes: 64 MiB.
const MOST_KEPT_POINTS: usize = 16 << 20;

impl Shapes {
    /// The shape of a request, made where there is none.
    pub fn intern(&mut self, request: Request) -> usize {
        let next = self.shapes.len();
        *self.by_request.entry(request).or_insert_with_key(|request| {
            self.shapes.push(Shape {
                request: request.clone(),
                seen: 0,
                points: Vec::new(),
                last_used: 0,
            });
            next
        })
    }

    /// What is asked for.
    pub fn request(&self, shape: usize) -> &Request {
        &self.shapes[shape].request
    }

    /// Points or codes of all nodes, by slot, as of the last [`Self::refresh`].
    pub fn points(&self, shape: usize) -> &[i32] {
        &self.shapes[shape].points
    }

    /// Brings the points of a shape up to date.
    pub fn refresh(&mut self, shape: usize, nodes: &Nodes, weights: &Weights) {
        self.clock += 1;
        let one = &mut self.shapes[shape];
        one.last_used = self.clock;
        let log = &nodes.load_changes;
        let is_whole = one.points.len() == nodes.len();
        match log.since(one.seen, nodes.len()).filter(|_| is_whole) {
            Some(changed) => {
                for slot in changed {
                    one.points[*slot as usize] = points(nodes, *slot as usize, &one.request, weights);
                }
            }
            None => {
                self.kept_points += nodes.len() - one.points.len();
                one.points.clear();
                let all = (0..nodes.len()).map(|slot| points(nodes, slot, &one.request, weights));
                one.points.extend(all);
            }
        }
        one.seen = log.position();
        while self.kept_points > MOST_KEPT_POINTS.max(2 * nodes.len()) {
            self.forget_oldest();
        }
    }

    /// Frees the points of the shape that was not used for longest.
    fn forget_oldest(&mut self) {
        let kept = self.shapes.iter_mut().filter(|shape| !shape.points.is_empty());
        let Some(oldest) = kept.min_by_key(|shape| shape.last_used) else {
            return;
        };
        self.kept_points -= oldest.points.len();
        oldest.points = Vec::new();
        oldest.seen = 0;
    }
}

/// Points of one node, or why it has none.
pub(super) fn points(nodes: &Nodes, slot: usize, request: &Request, weights: &Weights) -> i32 {
    if let Some(code) = misfit(nodes, slot, request) {
        return code;
    }
    let fit = least_allocated(
        [
            nodes.scored_cpu[slot] + request.scored_cpu,
            nodes.scored_memory[slot] + request.scored_memory,
        ],
        [nodes.cpu[slot], nodes.memory[slot]],
    );
    let balance = if request.cpu == 0 && request.memory == 0 {
        // `isBestEffortPod`: the plugin leaves such pods alone.
        0
    } else {
        balanced_allocation(
            [nodes.used_cpu[slot], nodes.used_memory[slot]],
            [request.cpu, request.memory],
            [nodes.cpu[slot], nodes.memory[slot]],
        )
    };
    let sum = fit * i64::from(weights.node_resources_fit) + balance * i64::from(weights.balanced_allocation);
    i32::try_from(sum).unwrap_or(i32::MAX)
}

/// Whether a pod fits on a node as it is.
pub(super) fn fits(nodes: &Nodes, slot: usize, request: &Request) -> bool {
    misfit(nodes, slot, request).is_none()
}

/// Why a pod does not fit (`fitsRequest`).
fn misfit(nodes: &Nodes, slot: usize, request: &Request) -> Option<i32> {
    let mut code = (nodes.pods[slot] + 1 > nodes.most_pods[slot]).then_some(TOO_LITTLE_LEFT);
    if request.is_nothing() {
        return code;
    }
    let mut check = |asked: i64, allocatable: i64, used: i64| {
        if asked > 0 && asked > allocatable - used {
            let found = if asked > allocatable {
                TOO_SMALL
            } else {
                TOO_LITTLE_LEFT
            };
            code = Some(code.map_or(found, |code| code.min(found)));
        }
    };
    check(request.cpu, nodes.cpu[slot], nodes.used_cpu[slot]);
    check(request.memory, nodes.memory[slot], nodes.used_memory[slot]);
    check(request.storage, nodes.storage[slot], nodes.used_storage[slot]);
    for (column, asked) in &request.others {
        let other = &nodes.others[*column];
        check(*asked, other.allocatable[slot], other.used[slot]);
    }
    code
}

/// The mean of what is left of CPU and memory (`leastResourceScorer`).
fn least_allocated(requested: [i64; 2], allocatable: [i64; 2]) -> i64 {
    let mut sum = 0;
    let mut weights = 0;
    for (requested, allocatable) in requested.into_iter().zip(allocatable) {
        if allocatable == 0 {
            continue;
        }
        weights += 1;
        if requested <= allocatable {
            sum += (allocatable - requested) * MAX_NODE_SCORE / allocatable;
        }
    }
    if weights == 0 { 0 } else { sum / weights }
}

/// By how much the pod evens out the use of CPU and memory (`balancedResourceScorer`).
fn balanced_allocation(used: [i64; 2], request: [i64; 2], allocatable: [i64; 2]) -> i64 {
    let with = balance([used[0] + request[0], used[1] + request[1]], allocatable);
    let without = balance(used, allocatable);
    MAX_NODE_SCORE / 2 + (MAX_NODE_SCORE / 2 + with - without) / 2
}

/// How alike the shares of CPU and memory are (`balancedResourceScore`).
fn balance(requested: [i64; 2], allocatable: [i64; 2]) -> i64 {
    if allocatable.contains(&0) {
        return MAX_NODE_SCORE;
    }
    let share = |index: usize| (requested[index] as f64 / allocatable[index] as f64).min(1.0);
    let deviation = ((share(0) - share(1)) / 2.0).abs();
    ((1.0 - deviation) * MAX_NODE_SCORE as f64) as i64
}

#[cfg(test)]
#[path = "resources_tests.rs"]
mod tests;
