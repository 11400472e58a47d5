//! Big fleets: so many nodes over shares of regions, evenly over their zones, of a few shapes by share.
//!
//! Inputs: the rules and a seed, which decides which node has which shape. Outputs: a trace of nodes alone. Invariants:
//! every share is kept to one node; the names of nodes are different, and in the order of regions and zones.

use serde::Deserialize;

use super::draw::{Draw, Purpose, apportion};
use super::rules::{RegionShare, region_problems};
use crate::simulation::kube::spec::{Labels, NodeSpec, ResourceList, Taint};
use crate::simulation::trace::{Event, Generator, Header, Trace, TraceNode, What};

/// The only version of the rules.
const VERSION: u32 = 1;

/// The most nodes: a typing error must not fill the memory.
const MOST_NODES: u32 = 1_000_000;

/// What fleet to make up.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FleetRules {
    v: u32,
    /// How many nodes.
    pub nodes: u32,
    /// Where they are.
    pub regions: Vec<RegionShare>,
    /// What they are.
    pub shapes: Vec<NodeShape>,
}

/// Equal nodes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NodeShape {
    /// Its name, for people.
    pub name: String,
    /// Its share, relative to the others.
    pub share: u32,
    /// What pods can use of a node.
    pub allocatable: ResourceList,
    /// Labels beside those of its place.
    #[serde(default)]
    pub labels: Labels,
    /// Its taints.
    #[serde(default)]
    pub taints: Vec<Taint>,
}

impl FleetRules {
    /// Reads the rules; `file` is what problems are reported under.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<String>> {
        let rules: Self = super::read_yaml(file, text).map_err(|problem| vec![problem])?;
        let mut problems = region_problems(&rules.regions);
        if rules.v != VERSION {
            problems.push(format!("`v` is {} where this program reads {VERSION}", rules.v));
        }
        if !(1..=MOST_NODES).contains(&rules.nodes) {
            problems.push(format!(
                "`nodes` is {} and not from 1 to {MOST_NODES}",
                rules.nodes
            ));
        }
        if rules.shapes.is_empty() {
            problems.push("`shapes` is empty".to_owned());
        }
        for shape in rules.shapes.iter().filter(|shape| shape.share == 0) {
            problems.push(format!("`shapes`: the share of `{}` is 0", shape.name));
        }
        match problems.is_empty() {
            true => Ok(rules),
            false => Err(problems
                .into_iter()
                .map(|problem| format!("{file}: {problem}"))
                .collect()),
        }
    }
}

/// Makes a fleet.
#[must_use]
pub fn fleet(rules: &FleetRules, seed: u64) -> Trace {
    let mut header = Header::new("a fleet that is made up");
    header.generator = Some(Generator {
        seed,
        rules: rules.rules_in_words(),
    });
    let mut shapes = Vec::new();
    let shares: Vec<u64> = rules.shapes.iter().map(|shape| u64::from(shape.share)).collect();
    for (shape, count) in rules
        .shapes
        .iter()
        .zip(apportion(u64::from(rules.nodes), &shares))
    {
        shapes.extend((0..count).map(|_| shape));
    }
    Draw::new(seed, Purpose::Shapes).shuffle(&mut shapes);
    let mut shapes = shapes.into_iter();
    let shares: Vec<u64> = rules.regions.iter().map(|share| u64::from(share.share)).collect();
    let mut events = Vec::new();
    for (region, count) in rules
        .regions
        .iter()
        .zip(apportion(u64::from(rules.nodes), &shares))
    {
        let even = vec![1; region.zones as usize];
        for (number, of_zone) in (0..).zip(apportion(count, &even)) {
            let zone = region.zone(number);
            for (node, shape) in (1..=of_zone).zip(shapes.by_ref()) {
                let spec = NodeSpec {
                    name: format!("{}-{zone}-{node:04}", region.region.provider()),
                    labels: shape.labels.clone(),
                    allocatable: shape.allocatable.clone(),
                    taints: shape.taints.clone(),
                    unschedulable: false,
                };
                events.push(Event {
                    t_ms: 0,
                    what: What::NodeAdd(Box::new(TraceNode::in_region(spec, &region.region, Some(&zone)))),
                });
            }
        }
    }
    Trace { header, events }
}
