//! How many nodes kube-scheduler looks at for one pod: what it does not offer, an extender cannot permit.

use super::configuration::Configuration;
use super::finding::Finding;
use super::{Phase, Situation};
use crate::placement::{BlindSample, MINIMUM_SAMPLED_NODES};
use crate::policy::Level;

/// The least part of its nodes that every profile looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visibility {
    percentages: Least,
}

/// The least of several settings of `percentageOfNodesToScore`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Least {
    /// 100 everywhere.
    All,
    /// Less somewhere.
    Sampled,
}

impl Visibility {
    /// Of a configuration.
    pub fn of(configuration: &Configuration) -> Self {
        let every = settings(configuration).all(|(_, percentage)| percentage >= 100);
        let percentages = if every { Least::All } else { Least::Sampled };
        Self { percentages }
    }

    /// What to answer when permitted nodes exist and none was offered: where every node is looked at,
    /// nothing was left out, so a refusal is the truth, and only it lets kube-scheduler preempt.
    pub fn on_blind_sample(self, nodes: Option<u64>) -> BlindSample {
        let few = nodes.is_some_and(|nodes| nodes < least_sampled());
        match self.percentages {
            Least::All => BlindSample::Refuse,
            Least::Sampled if few => BlindSample::Refuse,
            Least::Sampled => BlindSample::Error,
        }
    }
}

fn least_sampled() -> u64 {
    u64::try_from(MINIMUM_SAMPLED_NODES).unwrap_or(u64::MAX)
}

/// Each profile's field and percentage in force: its own, or else that of all.
fn settings(configuration: &Configuration) -> impl Iterator<Item = (String, i64)> {
    configuration
        .profiles
        .iter()
        .enumerate()
        .map(|(index, profile)| match profile.percentage {
            Some(own) => (format!("profiles[{index}].percentageOfNodesToScore"), own),
            None => ("percentageOfNodesToScore".to_owned(), configuration.percentage),
        })
}

/// How many of its nodes kube-scheduler tries to find feasible for one pod (`numFeasibleNodesToFind`).
fn looked_at(nodes: u64, percentage: i64) -> u64 {
    let least = least_sampled();
    if nodes < least {
        return nodes;
    }
    let percentage = match u64::try_from(percentage).unwrap_or(0) {
        0 => 50_u64.saturating_sub(nodes / 125).max(5),
        set => set,
    };
    (nodes.saturating_mul(percentage) / 100).max(least).min(nodes)
}

/// Finds profiles that look at a sample only (D08). Where pods carry the permitted places as node affinity, nodes
/// elsewhere are no part of the sample.
pub fn check(configuration: &Configuration, situation: &Situation, findings: &mut Vec<Finding>) {
    if situation.admission {
        return;
    }
    let mut places: Vec<(String, i64)> = settings(configuration).collect();
    places.sort();
    places.dedup();
    for (place, percentage) in places {
        if percentage >= 100 {
            continue;
        }
        let sentence = match situation.nodes {
            Some(nodes) => {
                let seen = looked_at(nodes, percentage);
                if seen >= nodes {
                    continue;
                }
                format!(
                    "only {seen} of {nodes} nodes are looked at for one pod, so a pod whose permitted nodes are not among them waits though they exist"
                )
            }
            None => "with 100 nodes or more only a sample is looked at for one pod, so a pod whose permitted nodes are not in it waits though they exist".to_owned(),
        };
        let fix = match situation.nodes {
            Some(_) => {
                "set `percentageOfNodesToScore: 100`, or let the admission webhook write the permitted places into pods and say so by --admission"
            }
            None => {
                "set `percentageOfNodesToScore: 100`, or say by --nodes or --cluster that there are fewer, or by --admission that the webhook writes the permitted places into pods"
            }
        };
        let certain = situation.nodes.is_some() && situation.phase == Phase::Enforce;
        let level = if certain { Level::Error } else { Level::Warning };
        findings.push(Finding::new(level, "D08", place, sentence, fix));
    }
}

#[cfg(test)]
mod tests {
    use super::looked_at;

    #[test]
    fn as_many_nodes_are_looked_at_as_kube_scheduler_says() {
        for (nodes, percentage, expected) in [
            (99, 0, 99),
            (100, 0, 100),
            (120, 0, 100),
            (1_000, 0, 420),
            (5_000, 0, 500),
            (15_000, 0, 750),
            (5_000, 50, 2_500),
            (5_000, 1, 100),
            (5_000, 100, 5_000),
        ] {
            assert_eq!(
                looked_at(nodes, percentage),
                expected,
                "{nodes} nodes at {percentage}"
            );
        }
    }
}
