//! What the lines so far have made known, against which each further line is held.
//!
//! Inputs: events in the order of the file. Outputs: nothing, or the field that is wrong and why. Invariants: the
//! cost of an event does not grow with the number of pods; what is refused changes nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use foldhash::fast::RandomState;

use super::data_set::with_leader;
use super::event::{Event, LatencyChange, NamedNode, RegionLink, TracePod, What};
use crate::model::{DataSet, DataSetName, NodeName, RegionKey, nearest_word};
use crate::objects::ObjectError;
use crate::topology::LONGEST_MS;

/// Microseconds of a millisecond.
const US_PER_MS: u64 = 1_000;

/// What is there.
#[derive(Debug, Default)]
pub(super) struct Known {
    t_ms: u64,
    nodes: BTreeSet<NodeName>,
    pods: HashSet<Box<str>, RandomState>,
    data_sets: BTreeMap<DataSetName, DataSet>,
    down: BTreeSet<RegionKey>,
    cut: BTreeSet<(RegionKey, RegionKey)>,
}

/// An event that cannot happen: the field that is wrong, and why.
pub(super) type Misfit = (&'static str, String);

impl Known {
    /// Lets an event happen.
    pub(super) fn admit(&mut self, event: &Event) -> Result<(), Misfit> {
        if event.t_ms < self.t_ms {
            let sentence = format!(
                "`t` is {} after a line with {}; events stand in the order of their times",
                event.t_ms, self.t_ms
            );
            return Err(("t", sentence));
        }
        self.happen(&event.what)?;
        self.t_ms = event.t_ms;
        Ok(())
    }

    fn happen(&mut self, what: &What) -> Result<(), Misfit> {
        match what {
            What::NodeAdd(node) => {
                let name = match NodeName::new(&node.spec.name) {
                    Ok(name) => name,
                    Err(error) => {
                        return Err(("name", ObjectError::Name { field: "name", error }.to_string()));
                    }
                };
                if self.nodes.contains(&name) {
                    return Err(("name", format!("a node `{name}` is there already")));
                }
                self.nodes.insert(name);
                Ok(())
            }
            What::NodeRemove(NamedNode { node }) => {
                self.know_node(node.as_str(), "node")?;
                self.nodes.remove(node);
                Ok(())
            }
            What::NodeCordon(NamedNode { node }) | What::NodeUncordon(NamedNode { node }) => {
                self.know_node(node.as_str(), "node")
            }
            What::PodCreate(pod) => self.add_pod(pod),
            What::PodDelete(pod) => match self.pods.remove(pod.uid.as_str()) {
                true => Ok(()),
                false => Err(("uid", format!("no pod `{}` is there", pod.uid))),
            },
            What::DataSetSet(data_set) => {
                let data_set = data_set.data_set().clone();
                self.data_sets.insert(data_set.name.clone(), data_set);
                Ok(())
            }
            What::DataSetLeader(leader) => {
                let Some(data_set) = self.data_sets.get_mut(&leader.id) else {
                    let known = self.data_sets.keys().map(DataSetName::as_str);
                    return Err(("id", unknown("data set", leader.id.as_str(), known)));
                };
                *data_set = with_leader(data_set, leader).map_err(|sentence| ("region", sentence))?;
                Ok(())
            }
            What::LatencySet(latency) => latency_is_possible(latency),
            What::RegionDown(region) => match self.down.insert(region.region.clone()) {
                true => Ok(()),
                false => Err(("region", format!("region `{}` is down already", region.region))),
            },
            What::RegionUp(region) => match self.down.remove(&region.region) {
                true => Ok(()),
                false => Err(("region", format!("region `{}` is not down", region.region))),
            },
            What::LinkCut(link) => {
                self.cut.extend(pairs(link)?);
                Ok(())
            }
            What::LinkHeal(link) => {
                let pairs = pairs(link)?;
                if let Some((a, b)) = pairs.iter().find(|pair| !self.cut.contains(*pair)) {
                    return Err(("a", format!("`{a}` and `{b}` are not cut off from each other")));
                }
                self.cut.retain(|pair| !pairs.contains(pair));
                Ok(())
            }
            What::PolicyLoad(load) if load.path.is_empty() || load.path.starts_with('/') => {
                let sentence = "`path` is a folder of policies, relative to the trace";
                Err(("path", sentence.to_owned()))
            }
            What::NamespaceSet(_) | What::PolicyLoad(_) => Ok(()),
        }
    }

    fn know_node(&self, node: &str, field: &'static str) -> Result<(), Misfit> {
        if self.nodes.contains(node) {
            return Ok(());
        }
        let known = self.nodes.iter().map(NodeName::as_str);
        Err((field, unknown("node", node, known)))
    }

    fn add_pod(&mut self, pod: &TracePod) -> Result<(), Misfit> {
        if pod.uid.is_empty() {
            return Err(("uid", "`uid` is empty".to_owned()));
        }
        if let Some(node) = &pod.spec.node_name {
            self.know_node(node, "nodeName")?;
        }
        match self.pods.insert(pod.uid.as_str().into()) {
            true => Ok(()),
            false => Err(("uid", format!("a pod `{}` is there already", pod.uid))),
        }
    }
}

/// Something that is named and not there, and what somebody may have meant.
fn unknown<'a>(thing: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    match nearest_word(name, known) {
        Some(near) => format!("no {thing} `{name}` is there; did you mean `{near}`?"),
        None => format!("no {thing} `{name}` is there"),
    }
}

fn latency_is_possible(latency: &LatencyChange) -> Result<(), Misfit> {
    let LatencyChange {
        from,
        to,
        p50_us,
        p95_us,
    } = latency;
    if from.is_inside_one_region(to) {
        return Err((
            "to",
            "a latency inside one region is one between two of its zones".to_owned(),
        ));
    }
    if from == to {
        return Err(("to", format!("`from` and `to` are both `{to}`")));
    }
    let longest = (LONGEST_MS as u64).saturating_mul(US_PER_MS);
    if *p50_us > longest {
        return Err((
            "p50_us",
            format!("`p50_us` is {p50_us} where no round trip takes more than {longest}"),
        ));
    }
    match p95_us {
        Some(p95_us) if p95_us < p50_us => Err((
            "p95_us",
            format!("`p95_us` is {p95_us}, less than `p50_us` with {p50_us}"),
        )),
        Some(p95_us) if *p95_us > longest => Err((
            "p95_us",
            format!("`p95_us` is {p95_us} where no round trip takes more than {longest}"),
        )),
        _ => Ok(()),
    }
}

/// The pairs of a link, each with the lesser region first.
fn pairs(link: &RegionLink) -> Result<BTreeSet<(RegionKey, RegionKey)>, Misfit> {
    let mut pairs = BTreeSet::new();
    for a in &link.a {
        for b in &link.b {
            if a == b {
                return Err(("b", format!("`{a}` is on both sides")));
            }
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            pairs.insert((low.clone(), high.clone()));
        }
    }
    match pairs.is_empty() {
        true => Err(("a", "`a` and `b` name regions each".to_owned())),
        false => Ok(pairs),
    }
}
