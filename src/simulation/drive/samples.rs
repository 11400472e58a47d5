//! The state of a run at instants of equal distance.

use std::collections::BTreeMap;

use super::judge::Judge;
use super::{Drive, Name};
use crate::simulation::percentiles::nearest_rank;
use crate::simulation::summary::Sample;
use crate::snapshot::ClassIndex;

/// Samples between the beginning and the last event.
const SAMPLES: u64 = 48;

/// What is counted on the way, and the samples so far.
#[derive(Debug)]
pub struct Samples {
    pub running: u64,
    pub lost_nodes: u64,
    pub taken: Vec<Sample>,
    /// The greatest share of the CPU of each region that was asked for, in thousandths.
    pub most_cpu_permille: BTreeMap<Name, u64>,
    step_ms: u64,
    next_ms: u64,
    last_ms: u64,
}

/// What is asked for of a region and what it has, in thousandths of a CPU and in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Load {
    pub nodes: u64,
    pub cpu_asked: u64,
    pub cpu: u64,
    pub memory_asked: u64,
    pub memory: u64,
}

impl Load {
    /// The share of the CPU that is asked for, in thousandths.
    pub fn cpu_permille(&self) -> u64 {
        (self.cpu_asked * 1_000).checked_div(self.cpu).unwrap_or(0)
    }
}

impl Samples {
    /// None yet, of a run whose last event is then.
    pub fn up_to(last_ms: u64) -> Self {
        let step_ms = (last_ms / SAMPLES).max(1);
        Self {
            running: 0,
            lost_nodes: 0,
            taken: Vec::new(),
            most_cpu_permille: BTreeMap::new(),
            step_ms,
            next_ms: 0,
            last_ms,
        }
    }
}

impl Drive<'_> {
    /// Takes the samples that are due before a time.
    pub(super) fn sample_until(&mut self, t_ms: u64, judge: &mut Judge<'_>) {
        while self.samples.next_ms < t_ms
            && self.samples.next_ms <= self.samples.last_ms
            && self.samples.last_ms > 0
        {
            let sample_ms = self.samples.next_ms;
            self.sample(sample_ms, judge);
            self.samples.next_ms += self.samples.step_ms;
        }
    }

    /// Takes a sample.
    pub(super) fn sample(&mut self, t_ms: u64, judge: &mut Judge<'_>) {
        let loads = self.loads();
        let mut all = Load::default();
        for (region, load) in loads {
            all.cpu_asked += load.cpu_asked;
            all.cpu += load.cpu;
            let most = self.samples.most_cpu_permille.entry(region).or_insert(0);
            *most = (*most).max(load.cpu_permille());
        }
        let latencies = self.latencies(judge);
        self.samples.taken.push(Sample {
            t_ms,
            running: self.samples.running,
            waiting: self.queue.len() as u64,
            lost_nodes: self.samples.lost_nodes + self.lives.iter().map(|life| life.evicted).sum::<u64>(),
            cpu_permille: all.cpu_permille(),
            p50_us: nearest_rank(&latencies, 500),
            p95_us: nearest_rank(&latencies, 950),
        });
    }

    /// What is asked for in each region.
    pub(super) fn loads(&self) -> BTreeMap<Name, Load> {
        let mut loads: BTreeMap<Name, Load> = BTreeMap::new();
        for node in self.nodes.all() {
            let load = loads.entry(node.region.clone()).or_default();
            if node.is_there {
                let [cpu, memory] = self.cluster.load_of(node.index);
                let of = |amount: i64| u64::try_from(amount).unwrap_or(0);
                load.nodes += 1;
                load.cpu_asked += of(cpu.0);
                load.cpu += of(cpu.1);
                load.memory_asked += of(memory.0);
                load.memory += of(memory.1);
            }
        }
        loads
    }

    /// What an access costs the pods that run, in rising order.
    fn latencies(&self, judge: &mut Judge<'_>) -> Vec<i64> {
        let at = self.at();
        let mut latencies = Vec::new();
        for (kind, nodes) in self.running.iter().enumerate() {
            let mut known: BTreeMap<Option<ClassIndex>, Option<u64>> = BTreeMap::new();
            for (node, pods) in nodes {
                let us = known.entry(judge.class(*node));
                let us = us.or_insert_with(|| judge.cost(kind, *node, &self.running, at).us());
                if let Some(us) = us.and_then(|us| i64::try_from(us).ok()) {
                    latencies.extend((0..*pods).map(|_| us));
                }
            }
        }
        latencies.sort_unstable();
        latencies
    }
}
