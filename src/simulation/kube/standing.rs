//! Whether a pod that was turned away would be turned away again.
//!
//! Inputs: a pod that was tried before, what changed since. Outputs: a [`Standing`], equal as long as every attempt of such
//! pods finds the same nodes; none where that cannot be told cheaply. Invariants: two equal standings mean the same feasible
//! nodes and the same causes, an unmoved search and no draw; the cost follows what changed. Deliberately absent: what the
//! extender says of those nodes.
#![expect(
    clippy::indexing_slicing,
    reason = "classes and slots are handed out by the cluster, and lists have an entry for each"
)]

use super::PodIndex;
use super::class::PodClass;
use super::cluster::Cluster;

/// How the nodes stand to the pods of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Standing {
    class: u32,
    version: u64,
}

impl Standing {
    /// The class of the pods.
    #[must_use]
    pub const fn class(self) -> u32 {
        self.class
    }
}

/// What is remembered of a class.
#[derive(Debug, Clone, Default)]
pub(super) struct Remembered {
    seen_loads: u64,
    seen_facts: u64,
    version: u64,
    /// Per slot, whether the plugins let such pods there.
    is_feasible: Vec<bool>,
    feasible: usize,
}

impl Cluster {
    /// How the nodes stand to a pod. `None` where other pods, nominations or pods to evict have a say, where rules name
    /// single nodes, and where the search would end before it has seen all nodes.
    pub fn standing(&mut self, pod: PodIndex) -> Option<Standing> {
        let class = self.class_of(pod);
        let PodClass {
            named_nodes, near, ..
        } = &self.classes[class];
        let is_plain = named_nodes.is_none() && !near.minds_company();
        if !is_plain || !self.nominations.all().is_empty() || self.has_victims(pod) {
            return None;
        }
        self.prepare(pod);
        let mut remembered = std::mem::take(self.standings.entry(class).or_default());
        self.update(class, &mut remembered);
        let Remembered {
            version, feasible, ..
        } = remembered;
        self.standings.insert(class, remembered);
        let nodes = self.tree.order().len();
        (feasible <= self.profile.feasible_nodes_to_find(nodes)).then_some(Standing {
            class: self.pods[pod.get()].class,
            version,
        })
    }

    /// Brings what is remembered of a class up to date.
    fn update(&self, class: usize, remembered: &mut Remembered) {
        let PodClass { shape, rules, .. } = self.classes[class];
        let points = self.shapes.points(shape);
        let rejectors = &self.verdicts.of(rules).rejector;
        let is_open = |slot: usize| rejectors[slot].is_none() && points[slot] >= 0;
        let (loads, facts) = (&self.nodes.load_changes, &self.nodes.fact_changes);
        let same_facts = remembered.seen_facts == facts.position();
        match loads
            .since(remembered.seen_loads, self.nodes.len())
            .filter(|_| same_facts)
        {
            Some(changed) => {
                for slot in changed {
                    let slot = *slot as usize;
                    let now = is_open(slot);
                    if std::mem::replace(&mut remembered.is_feasible[slot], now) != now {
                        remembered.version += 1;
                        match now {
                            true => remembered.feasible += 1,
                            false => remembered.feasible -= 1,
                        }
                    }
                }
            }
            None => {
                remembered.version += 1;
                remembered.is_feasible.clear();
                remembered.is_feasible.resize(self.nodes.len(), false);
                remembered.feasible = 0;
                for slot in self.tree.order() {
                    let is_feasible = is_open(*slot as usize);
                    remembered.is_feasible[*slot as usize] = is_feasible;
                    remembered.feasible += usize::from(is_feasible);
                }
            }
        }
        remembered.seen_loads = loads.position();
        remembered.seen_facts = facts.position();
    }
}

#[cfg(test)]
#[path = "standing_tests.rs"]
mod tests;
