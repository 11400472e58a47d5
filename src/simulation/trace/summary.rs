//! What is in a trace, counted.
//!
//! Inputs: its events, one at a time. Outputs: counts in the order of their names. Invariant: memory holds one number for
//! each event word, region and namespace, however long the trace is.

use std::collections::BTreeMap;

use super::event::{Event, What};

/// Said of a node whose labels do not name a provider and a region of it.
const ELSEWHERE: &str = "not by label";

/// Counts of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TraceSummary {
    /// When the last event is: milliseconds from the beginning.
    pub last_ms: u64,
    /// How many events there are of each word.
    pub events: BTreeMap<&'static str, usize>,
    /// How many nodes join in each region, by the two labels that name it.
    pub nodes_by_region: BTreeMap<String, usize>,
    /// How many pods are created in each namespace.
    pub pods_by_namespace: BTreeMap<String, usize>,
    /// How many of the pods say something about data or clients.
    pub pods_with_annotations: usize,
    /// How many pods are there at once at most, whether or not they have a node.
    pub most_pods_at_once: usize,
    pods_now: usize,
}

impl TraceSummary {
    /// Counts all events of a trace.
    #[must_use]
    pub fn of<'e>(events: impl IntoIterator<Item = &'e Event>) -> Self {
        let mut summary = Self::default();
        for event in events {
            summary.add(event);
        }
        summary
    }

    /// Counts an event.
    pub fn add(&mut self, event: &Event) {
        self.last_ms = event.t_ms;
        *self.events.entry(event.what.word()).or_default() += 1;
        match &event.what {
            What::NodeAdd(node) => {
                let region = node.region();
                let region = region.map_or_else(|| ELSEWHERE.to_owned(), |region| region.to_string());
                *self.nodes_by_region.entry(region).or_default() += 1;
            }
            What::PodCreate(pod) => {
                let namespace = &pod.spec.namespace;
                match self.pods_by_namespace.get_mut(namespace) {
                    Some(count) => *count += 1,
                    None => {
                        self.pods_by_namespace.insert(namespace.clone(), 1);
                    }
                }
                self.pods_with_annotations += usize::from(!pod.annotations.is_empty());
                self.pods_now += 1;
                self.most_pods_at_once = self.most_pods_at_once.max(self.pods_now);
            }
            What::PodDelete(_) => self.pods_now = self.pods_now.saturating_sub(1),
            _ => {}
        }
    }

    /// How many events there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.events.values().sum()
    }
}
