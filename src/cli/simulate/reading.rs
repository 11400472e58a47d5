//! The files of a run: the run file, and what it names.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use sha2::{Digest as _, Sha256};

use crate::assembly::SourceText;
use crate::cli::facts::{FactTexts, read_snapshot, read_texts};
use crate::cli::policy_set::read_policies;
use crate::config::SourceArgs;
use crate::simulation::trace::synthesis::{DEFAULT_RULES, SynthesisRules};
use crate::simulation::trace::{Trace, What};
use crate::simulation::{PoliciesB, RunFile, Scenario, ScenarioTexts};

/// Reads a run file and everything that it names, relative to it.
///
/// # Errors
/// Where something cannot be read, every problem at once.
pub fn read_scenario(path: &Path) -> Result<Scenario> {
    read_scenario_in(path, None)
}

/// The same in the world of a snapshot, where one is named besides.
///
/// # Errors
/// Where something cannot be read, every problem at once; and where both the run file and the snapshot state a fact.
pub fn read_scenario_in(path: &Path, snapshot: Option<&Path>) -> Result<Scenario> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).with_context(|| format!("`{name}` cannot be read"))?;
    let run = RunFile::read(&name, &text).map_err(|problems| anyhow!(problems.join("\n  ")))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let beside = |named: &Option<String>| named.as_ref().map(|named| folder.join(named));
    let world = read_snapshot(world_of(&run, &name, folder, snapshot)?.as_deref())?;
    // Nodes come from a file unless they are made up or the trace has them.
    let is_named = run.fleet.file.is_some() || world.is_some();
    let texts: FactTexts = match world {
        Some(world) => world,
        None => read_texts(&SourceArgs {
            fleet: beside(&run.fleet.file),
            policies: beside(&run.policies),
            data_sets: beside(&run.data_sets),
            latency: beside(&run.latency),
        })?,
    };
    let reads_fleet = is_named || (run.fleet.nodes.is_empty() && run.trace.is_none());
    let (trace, trace_version) = match &run.trace {
        Some(named) => {
            let (trace, version) = read_trace(&folder.join(named), named)?;
            (Some(trace), version)
        }
        None => (None, String::new()),
    };
    let loads = match (&trace, &run.trace) {
        (Some(trace), Some(named)) => read_loads(trace, folder.join(named).parent().unwrap_or(folder))?,
        _ => BTreeMap::new(),
    };
    let synthesis = match &run.synthesis {
        Some(synthesis) => Some(read_rules(folder, synthesis.rules.as_deref())?),
        None => None,
    };
    let policies_b = match &run.policies_b {
        Some(PoliciesB::Folder(named)) => Some(read_policies(Some(&folder.join(named)))?),
        Some(PoliciesB::Variant(named)) => {
            let replacing = read_policies(Some(&folder.join(named)))?;
            Some(replaced(&texts.rules.policies, replacing))
        }
        None => None,
    };
    let texts = ScenarioTexts {
        run: text,
        rules: texts.rules,
        fleet: reads_fleet.then_some(texts.fleet),
        policies_b,
        loads,
        trace,
        trace_version,
        synthesis,
    };
    Scenario::assemble(run, texts)
        .map_err(|problems| anyhow!("the run cannot begin:\n  {}", problems.join("\n  ")))
}

/// The snapshot that the run begins in: the one that is named beside the run file, or in it.
fn world_of(run: &RunFile, name: &str, folder: &Path, named: Option<&Path>) -> Result<Option<PathBuf>> {
    let Some(named) = named else {
        return Ok(run.snapshot.as_ref().map(|named| folder.join(named)));
    };
    let mut twice = run.facts_of_a_snapshot();
    twice.extend(run.snapshot.as_ref().map(|_| "snapshot"));
    if !twice.is_empty() {
        let keys: Vec<String> = twice.iter().map(|key| format!("`{key}`")).collect();
        bail!(
            "{name}: `{}` has a world, and the run file states {} too; one of them must go",
            named.display(),
            keys.join(", ")
        );
    }
    Ok(Some(named.to_owned()))
}

/// Files, with those of the same name replaced and others added.
fn replaced(files: &[SourceText], replacing: Vec<SourceText>) -> Vec<SourceText> {
    let stays = |file: &&SourceText| !replacing.iter().any(|other| other.name == file.name);
    let stay: Vec<SourceText> = files.iter().filter(stays).cloned().collect();
    stay.into_iter().chain(replacing).collect()
}

/// A trace, and what tells its text from any other.
fn read_trace(path: &Path, named: &str) -> Result<(Trace, String)> {
    let name = path.display().to_string();
    let file = File::open(path).with_context(|| format!("`{name}` cannot be read"))?;
    let trace = Trace::read(name.clone(), BufReader::new(file)).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(|error| format!("\n  {error}")).collect();
        anyhow!("the trace cannot be used:{}", lines.concat())
    })?;
    let mut hasher = Sha256::new();
    trace
        .write(&mut HashWriter(&mut hasher))
        .with_context(|| format!("`{name}` cannot be written anew"))?;
    let digest: String = hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok((trace, format!("{named} {digest}")))
}

/// A hash of what is written.
struct HashWriter<'h>(&'h mut Sha256);

impl std::io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The policies that a trace loads, relative to it.
fn read_loads(trace: &Trace, folder: &Path) -> Result<BTreeMap<String, Vec<SourceText>>> {
    let mut loads = BTreeMap::new();
    for event in &trace.events {
        if let What::PolicyLoad(load) = &event.what
            && !loads.contains_key(&load.path)
        {
            loads.insert(load.path.clone(), read_policies(Some(&folder.join(&load.path)))?);
        }
    }
    Ok(loads)
}

fn read_rules(folder: &Path, named: Option<&str>) -> Result<(SynthesisRules, String)> {
    let (name, text) = match named {
        Some(named) => {
            let path = folder.join(named);
            let name = path.display().to_string();
            let text = fs::read_to_string(&path).with_context(|| format!("`{name}` cannot be read"))?;
            (name, text)
        }
        None => ("the built-in rules".to_owned(), DEFAULT_RULES.to_owned()),
    };
    let rules = SynthesisRules::read(&name, &text).map_err(|problems| anyhow!(problems.join("\n  ")))?;
    Ok((rules, text))
}
