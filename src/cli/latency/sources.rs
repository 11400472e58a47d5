//! Where the measurements come from: files, or what is built in, read by the catalogue of the policies.

use crate::cli::counted::counted;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use clap::Args;
use jiff::Timestamp;

use super::words::listed;
use super::{StatisticArg, server};
use crate::assembly::{SourceText, WrittenPair, fleet_facts, read_latency};
use crate::cli::facts::{objects_of, read_named, read_snapshot};
use crate::cli::policy_set::{PolicyFiles, PolicySource};
use crate::embedded;
use crate::files::SourceName;
use crate::model::{Coordinates, RegionKey, RegionReference, Statistic, nearest_word};
use crate::policy::PolicySet;
use crate::snapshot::{Inputs, RunningFacts, Snapshot};
use crate::topology::{LatencyFileError, LatencyTable, MeasuredPlace, Measurements};

/// Which measurements are meant.
#[derive(Debug, Clone, Default, Args)]
pub struct LatencyFiles {
    /// Latency files (CSV), or directories of them; what is built in where none is named
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The same, as other verbs name it
    #[arg(long, value_name = "FILE|DIR", conflicts_with = "files")]
    pub latency: Option<PathBuf>,
    /// The measurements that a running server decides by, such as http://127.0.0.1:8265 (plain HTTP)
    #[arg(long, value_name = "URL", conflicts_with_all = ["files", "latency"])]
    pub server: Option<String>,
    /// The policies, whose regions say what a bare region means and where it lies [default: those that are built in]
    #[arg(long, value_name = "DIR")]
    pub policies: Option<PathBuf>,
    /// The latencies and policies of a file that `domicile snapshot` wrote, where none are named
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
}

impl LatencyFiles {
    /// The texts of what is named, each under the name by which people find it.
    fn texts(&self) -> Result<Named> {
        if let Some(server) = &self.server {
            return Named::of_server(server);
        }
        let paths: Vec<&Path> = self
            .files
            .iter()
            .chain(&self.latency)
            .map(PathBuf::as_path)
            .collect();
        Named::of(&paths, self.snapshot.as_deref())
    }

    /// The set whose catalogue is meant.
    fn policies(&self) -> Result<Arc<PolicySet>> {
        catalogued(self.policies.as_deref(), self.snapshot.as_deref())
    }

    /// The instant that ages are judged at: the one that is named, or that of the snapshot, or now.
    ///
    /// # Errors
    /// Where the snapshot cannot be read.
    pub fn instant(&self, named: Option<Timestamp>, now: Timestamp) -> Result<Timestamp> {
        let world = read_snapshot(self.snapshot.as_deref())?;
        Ok(named.or(world.and_then(|world| world.taken_at)).unwrap_or(now))
    }
}

/// The set whose catalogue reads measurements: what is named, or that of the snapshot, or what is built in.
///
/// # Errors
/// Where it cannot be read, is empty, or does not load.
pub fn catalogued(path: Option<&Path>, snapshot: Option<&Path>) -> Result<Arc<PolicySet>> {
    let files = PolicyFiles::read(PolicySource { path, snapshot })?;
    files.compile().map(Arc::new)
}

/// What was read.
#[derive(Debug)]
pub struct Loaded {
    /// The files, for people.
    pub name: String,
    /// The measurements.
    pub measurements: Measurements,
    /// Where each pair is written.
    pub lines: BTreeMap<(MeasuredPlace, MeasuredPlace), WrittenPair>,
    /// What cannot be read; only where problems are asked for.
    pub problems: Vec<LatencyFileError>,
    /// The catalogue is in here.
    pub policies: Arc<PolicySet>,
    /// Where its regions lie.
    pub coordinates: BTreeMap<RegionKey, Coordinates>,
}

impl Loaded {
    /// Reads what is named, whole or not at all, as `serve` does.
    ///
    /// # Errors
    /// Where something cannot be read, and every problem of every file.
    pub fn whole(args: &LatencyFiles) -> Result<Self> {
        Self::usable(args.texts()?, args.policies()?)
    }

    /// Reads these files, or where there is none those of the snapshot, or what is built in, whole or not at all.
    ///
    /// # Errors
    /// Where something cannot be read, and every problem of every file.
    pub fn of(paths: &[&Path], snapshot: Option<&Path>, policies: Arc<PolicySet>) -> Result<Self> {
        Self::usable(Named::of(paths, snapshot)?, policies)
    }

    /// Reads what a running server decides by, whole or not at all.
    ///
    /// # Errors
    /// Where there is no such server, or it is not ready.
    pub fn of_server(server: &str, policies: Arc<PolicySet>) -> Result<Self> {
        Self::usable(Named::of_server(server)?, policies)
    }

    fn usable(named: Named, policies: Arc<PolicySet>) -> Result<Self> {
        let coordinates = policies.catalogue().coordinates();
        let loaded = Self::read(named, policies, &coordinates);
        if loaded.problems.is_empty() {
            return Ok(loaded);
        }
        let lines = loaded.problems.iter().map(|problem| format!("\n  {problem}"));
        bail!("the latencies cannot be used:{}", lines.collect::<String>())
    }

    /// Reads every row that can be read, also what `serve` refuses because of the coordinates, and the
    /// problems of the others.
    ///
    /// # Errors
    /// Where a file or the policies cannot be read.
    pub fn with_problems(args: &LatencyFiles) -> Result<Self> {
        Ok(Self::read(args.texts()?, args.policies()?, &BTreeMap::new()))
    }

    fn read(named: Named, policies: Arc<PolicySet>, judged_by: &BTreeMap<RegionKey, Coordinates>) -> Self {
        let read = read_latency(&named.texts, Some(&policies), judged_by);
        Self {
            name: named.name,
            measurements: read.measurements,
            lines: read.lines,
            problems: read.problems,
            coordinates: policies.catalogue().coordinates(),
            policies,
        }
    }

    /// The statistic that is asked for, or else the one that the settings decide by.
    pub fn statistic(&self, asked: Option<StatisticArg>) -> Statistic {
        asked.map_or(self.policies.settings().latency.statistic, Statistic::from)
    }

    /// The regions that some measured pair touches.
    pub fn measured_regions(&self) -> BTreeSet<RegionKey> {
        let pairs = self.measurements.iter();
        pairs
            .flat_map(|(from, to, _)| [from.region.clone(), to.region.clone()])
            .collect()
    }

    /// The regions of which anything is known: that some measured pair touches, or a parted one.
    pub fn known_regions(&self) -> BTreeSet<RegionKey> {
        let pairs = self.measurements.known();
        pairs
            .flat_map(|(from, to, ..)| [from.region.clone(), to.region.clone()])
            .collect()
    }

    /// Every region of the catalogue.
    pub fn catalogued_regions(&self) -> BTreeSet<RegionKey> {
        let regions = self.policies.catalogue().regions();
        regions.map(|region| region.key.clone()).collect()
    }

    /// The region that somebody means: of the catalogue, or a measured one.
    ///
    /// # Errors
    /// Where there is none or several, with the nearest name.
    pub fn region(&self, text: &str) -> Result<RegionKey> {
        let reference = RegionReference::parse(text.trim()).map_err(|problem| anyhow!("{problem}"))?;
        if let Some(key) = self.policies.catalogue().resolve(&reference)
            && self.policies.catalogue().region(key).is_some()
        {
            return Ok(key.clone());
        }
        let mut known = self.catalogued_regions();
        known.extend(self.known_regions());
        let meant: Vec<RegionKey> = known
            .iter()
            .filter(|key| match &reference {
                RegionReference::Key(wanted) => wanted == *key,
                RegionReference::Bare(wanted) => **wanted == *key.region(),
            })
            .cloned()
            .collect();
        match &*meant {
            [key] => Ok(key.clone()),
            [] => {
                let whole = known.iter().map(RegionKey::as_str);
                let names = known.iter().map(RegionKey::region);
                let nearest = match reference {
                    RegionReference::Key(_) => nearest_word(text, whole),
                    RegionReference::Bare(_) => nearest_word(text, names),
                };
                let hint = nearest.map(|nearest| format!("; did you mean `{nearest}`?"));
                bail!("no region is called `{text}`{}", hint.unwrap_or_default())
            }
            several => bail!("`{text}` is {}: write one of them", listed(several)),
        }
    }
}

/// Texts, and what people call them together.
struct Named {
    name: String,
    texts: Vec<SourceText>,
}

impl Named {
    /// What a running server decides by.
    fn of_server(server: &str) -> Result<Self> {
        let text = server::fetch(server)?;
        Ok(Self {
            name: text.name.clone(),
            texts: vec![text],
        })
    }

    /// The files at these paths, each under the path by which an editor finds it; what is built in where
    /// there is none, nor a snapshot.
    fn of(paths: &[&Path], snapshot: Option<&Path>) -> Result<Self> {
        if let (true, Some(path)) = (paths.is_empty(), snapshot) {
            let world = read_snapshot(snapshot)?;
            return Ok(Self {
                name: format!("the latencies of `{}`", path.display()),
                texts: world.map(|world| world.rules.latency).unwrap_or_default(),
            });
        }
        if paths.is_empty() {
            return Ok(Self {
                name: "the built-in measurements".to_owned(),
                texts: read_named(SourceName::Latency, None, &[embedded::latency()])?,
            });
        }
        let mut all = Vec::new();
        for path in paths {
            let mut texts = read_named(SourceName::Latency, Some(path), &[])?;
            if texts.is_empty() {
                bail!("no latency file (.csv) is beneath `{}`", path.display());
            }
            for text in &mut texts {
                let whole = if path.is_dir() {
                    path.join(&text.name)
                } else {
                    path.to_path_buf()
                };
                text.name = whole.display().to_string();
            }
            all.extend(texts);
        }
        let name = match &*all {
            [text] => text.name.clone(),
            several => counted(several.len(), "file"),
        };
        Ok(Self { name, texts: all })
    }
}

/// The regions where the nodes of a fleet are, as far as the catalogue knows them.
///
/// # Errors
/// Where the file cannot be read.
pub fn fleet_regions(path: &Path, policies: &Arc<PolicySet>) -> Result<BTreeSet<RegionKey>> {
    let texts = read_named(SourceName::Fleet, Some(path), &[])?;
    let Ok([text]) = <[SourceText; 1]>::try_from(texts) else {
        bail!("a fleet is one file, and `{}` is not", path.display());
    };
    let (text, _) = objects_of(text)?;
    let facts = fleet_facts(&text).map_err(|problems| {
        let lines = problems.iter().map(|problem| format!("\n  {problem}"));
        anyhow!("the fleet cannot be used:{}", lines.collect::<String>())
    })?;
    // No decision is made, so what tells this snapshot from another does not matter.
    let snapshot = Snapshot::new(Inputs {
        fleet: facts.fleet,
        fleet_version: facts.version,
        policies: policies.clone(),
        data_sets: Arc::default(),
        data_sets_version: String::new(),
        latency: Arc::new(LatencyTable::default()),
        running: RunningFacts::default(),
        confirmed_until: None,
    });
    let regions: BTreeSet<RegionKey> = snapshot
        .classes()
        .filter_map(|(_, class)| class.region.clone())
        .collect();
    if regions.is_empty() {
        bail!("no node of `{}` is in a region of the catalogue", path.display());
    }
    Ok(regions)
}
