//! What `advise` answers from: the facts, the pods, the regions that are considered, the demand.
//!
//! Everything is read before anything is said, and what is assumed of the demand is kept in words beside it.

use crate::cli::counted::counted;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use jiff::Timestamp;

use super::AdviseArgs;
use crate::assembly::{Problem, fleet_dump, read_rules};
use crate::cli::facts::{FactTexts, lines, read_world};
use crate::cli::simulate::read_scenario_in;
use crate::model::{DataSetName, PodRequirements, RegionKey, RegionReference};
use crate::placement::advice::{
    DemandRow, DemandingPods, KnownRegions, PodDemand, fleet_regions, joined, measured_regions, read_demand,
};
use crate::policy::PolicySet;
use crate::snapshot::Snapshot;

/// The file that the nodes are of, where one is named.
fn named_fleet(args: &AdviseArgs) -> Option<&PathBuf> {
    args.facts.sources.fleet.as_ref().or(args.facts.snapshot.as_ref())
}

/// The facts of an answer.
#[derive(Debug)]
pub struct Gathered {
    /// The world.
    pub snapshot: Arc<Snapshot>,
    /// The instant.
    pub at: Timestamp,
    /// Pods, and how many are like each.
    pods: Vec<(PodRequirements, usize)>,
    /// What the pods were read from, in words.
    pods_source: String,
    /// The regions that are considered.
    pub candidates: BTreeSet<RegionKey>,
    /// Why these, in words.
    pub candidates_source: String,
}

/// The demand of an answer.
#[derive(Debug)]
pub struct Demand {
    /// A row for each region.
    pub rows: Vec<DemandRow>,
    /// Where it comes from, in words.
    pub source: String,
    /// What is assumed of it, in words.
    pub assumed: Vec<String>,
    /// What of it is not known, in words.
    pub doubts: Vec<String>,
}

impl Gathered {
    /// Reads what the flags name.
    ///
    /// # Errors
    /// Where something cannot be read, or a region is not known.
    pub fn read(args: &AdviseArgs, now: Timestamp) -> Result<Self> {
        let (snapshot, at_of_run, pods, pods_source) = match &args.run {
            Some(path) => {
                let scenario = read_scenario_in(path, args.facts.snapshot.as_deref())?;
                let (snapshot, pods) = scenario.opening();
                let source = format!("the pods of `{}`", path.display());
                (snapshot, Some(scenario.run.at), pods, source)
            }
            None => {
                let texts = read_world(&args.facts)?;
                let (snapshot, pods) = world(&texts)?;
                let pods = pods.into_iter().map(|pod| (pod, 1)).collect();
                let named = named_fleet(args);
                let source = named.map_or("the built-in fleet".to_owned(), |path| {
                    format!("`{}`", path.display())
                });
                (Arc::new(snapshot), texts.taken_at, pods, source)
            }
        };
        let at = args.facts.at.or(at_of_run).unwrap_or(now);
        let (candidates, candidates_source) = if !args.regions.is_empty() {
            (named_regions(&snapshot, &args.regions)?, "that `--regions` names")
        } else if args.run.is_some() || named_fleet(args).is_some() {
            (fleet_regions(&snapshot), "where the fleet has nodes")
        } else {
            let measured = measured_regions(&snapshot);
            (measured, "of the catalogue of which a latency is measured")
        };
        if candidates.is_empty() {
            bail!("there is no region {candidates_source}; name some with `--regions`");
        }
        Ok(Self {
            snapshot,
            at,
            pods,
            pods_source,
            candidates,
            candidates_source: candidates_source.to_owned(),
        })
    }

    /// The demand for a data set: of a file, else of the pods.
    ///
    /// # Errors
    /// Where the file cannot be read, or no pod is known that names the data set.
    pub fn demand(&self, file: Option<&Path>, name: &DataSetName) -> Result<Demand> {
        let source = &self.pods_source;
        if let Some(path) = file {
            return self.demand_of_file(path);
        }
        let pods = self
            .pods
            .iter()
            .map(|(pod, count)| DemandingPods { pod, count: *count });
        let found = PodDemand::of(&self.snapshot, pods, name, self.at);
        if found.pods == 0 {
            bail!(
                "no pod of {source} names `{name}`; say where the demand is with `--demand FILE`, \
                 `--fleet DUMP` or `--run RUN`"
            );
        }
        if found.rows.is_empty() {
            bail!("of no pod of {source} that names `{name}` is it known where it runs or could");
        }
        let mut assumed = vec!["every pod has as many requests".to_owned()];
        if found.near_clients > 0 {
            assumed.push(
                "a pod that is bound to no node is at the permitted regions nearest to its clients"
                    .to_owned(),
            );
        }
        if found.spread > 0 {
            assumed.push(
                "a pod that is bound to no node and states no clients is spread evenly over the regions permitted to it"
                    .to_owned(),
            );
        }
        let doubt = format!(
            "left out, since nobody knows where they run or could: {}",
            counted(found.nowhere, "pod")
        );
        Ok(Demand {
            source: format!(
                "pods of {source} that name it: {} ({} where they run, {} near their clients, {} spread)",
                found.pods, found.where_they_run, found.near_clients, found.spread
            ),
            rows: found.rows,
            assumed,
            doubts: (found.nowhere > 0).then_some(doubt).into_iter().collect(),
        })
    }

    fn demand_of_file(&self, path: &Path) -> Result<Demand> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| format!("`{name}` cannot be read"))?;
        let keys = keys(self.snapshot.policies());
        let regions = KnownRegions {
            resolve: |reference: &RegionReference| resolve(&self.snapshot, reference),
            keys: &keys,
        };
        let rows = read_demand(&name, &text, regions).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(|error| format!("\n  {error}")).collect();
            anyhow!("the demand cannot be used:{}", lines.concat())
        })?;
        Ok(Demand {
            source: format!("{} of `{name}`", counted(rows.len(), "row")),
            rows: joined(rows),
            assumed: Vec::new(),
            doubts: Vec::new(),
        })
    }
}

/// The world of these texts, and the pods of its fleet.
fn world(texts: &FactTexts) -> Result<(Snapshot, Vec<PodRequirements>)> {
    let rules = read_rules(&texts.rules);
    let dump = fleet_dump(&texts.fleet);
    match (rules, dump) {
        (Ok(rules), Ok(dump)) => Ok((Snapshot::new(rules.over(&dump.facts)), dump.pods)),
        (rules, dump) => {
            let of_fleet = dump.err().into_iter().flatten().map(Problem::Fleet);
            let problems: Vec<Problem> = rules.err().into_iter().flatten().chain(of_fleet).collect();
            bail!("the facts cannot be used:{}", lines(&problems))
        }
    }
}

fn named_regions(snapshot: &Snapshot, written: &[String]) -> Result<BTreeSet<RegionKey>> {
    let keys = keys(snapshot.policies());
    let known = KnownRegions {
        // Of what the catalogue does not have nobody knows whether a copy may be there.
        resolve: |reference: &RegionReference| snapshot.policies().catalogue().resolve(reference).cloned(),
        keys: &keys,
    };
    let found = written.iter().map(|text| known.find(text.trim()));
    found
        .collect::<Result<_, String>>()
        .map_err(|problem| anyhow!(problem))
}

/// A region of the catalogue, or one that was measured all the same.
fn resolve(snapshot: &Snapshot, reference: &RegionReference) -> Option<RegionKey> {
    let catalogued = snapshot.policies().catalogue().resolve(reference);
    catalogued.cloned().or_else(|| match reference {
        RegionReference::Key(key) => snapshot.latency().locate(key, None).map(|_| key.clone()),
        RegionReference::Bare(_) => None,
    })
}

fn keys(set: &PolicySet) -> Vec<&str> {
    set.catalogue()
        .regions()
        .map(|region| region.key.as_str())
        .collect()
}
