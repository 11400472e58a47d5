//! The facts of an offline verb: named by the same flags as for `serve`, read once, judged at one instant.
//!
//! What is not named comes from the defaults that are built in. Every problem of every source is told at
//! once.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use jiff::Timestamp;

use crate::assembly::{Problem, RuleTexts, SourceText, assemble};
use crate::config::{FactsArgs, SourceArgs};
use crate::embedded;
use crate::files::{Source, SourceFiles, SourceName, read_source};
use crate::model::PodRequirements;
use crate::objects;
use crate::snapshot::Snapshot;

/// A world and the instant at which it is asked.
#[derive(Debug)]
pub struct Facts {
    /// The world.
    pub snapshot: Snapshot,
    /// The instant.
    pub at: Timestamp,
}

/// The texts of all facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactTexts {
    /// Everything but the fleet.
    pub rules: RuleTexts,
    /// The fleet.
    pub fleet: SourceText,
}

/// Reads the facts that the flags name; `now` is the instant unless they name one.
///
/// # Errors
/// Where a source cannot be read or has a problem.
pub fn read_facts(args: &FactsArgs, now: Timestamp) -> Result<Facts> {
    Ok(Facts {
        snapshot: snapshot(&read_texts(&args.sources)?)?,
        at: args.at.unwrap_or(now),
    })
}

/// Reads the texts that the flags name.
///
/// # Errors
/// Where something cannot be read.
pub fn read_texts(sources: &SourceArgs) -> Result<FactTexts> {
    let fleet = read_named(SourceName::Fleet, sources.fleet.as_deref(), &[embedded::fleet()])?;
    let count = fleet.len();
    let fleet = <[SourceText; 1]>::try_from(fleet)
        .map_err(|_| anyhow!("a fleet is one file and there are {count} here"))?;
    let [fleet] = fleet;
    Ok(FactTexts {
        rules: RuleTexts {
            policies: read_named(
                SourceName::Policies,
                sources.policies.as_deref(),
                embedded::policies(),
            )?,
            data_sets: read_named(
                SourceName::DataSets,
                sources.data_sets.as_deref(),
                &[embedded::data_sets()],
            )?,
            latency: read_named(
                SourceName::Latency,
                sources.latency.as_deref(),
                &[embedded::latency()],
            )?,
        },
        fleet,
    })
}

/// Reads the files of a policy set; what is not named is what is built in.
///
/// # Errors
/// Where something cannot be read, or nothing is there.
pub fn read_policies(path: Option<&Path>) -> Result<Vec<SourceText>> {
    let files = read_named(SourceName::Policies, path, embedded::policies())?;
    match path {
        Some(path) if files.is_empty() => Err(anyhow!(
            "no policy file (.yaml, .yml, .json) is beneath `{}`",
            path.display()
        )),
        _ => Ok(files),
    }
}

/// Reads the texts of one source; what is not named is what is built in.
///
/// # Errors
/// Where something cannot be read.
pub fn read_named(
    name: SourceName,
    path: Option<&Path>,
    built_in: &[(&'static str, &'static str)],
) -> Result<Vec<SourceText>> {
    let source = match path {
        Some(path) => Source::Path(path.to_owned()),
        None => Source::Embedded(built_in.to_vec()),
    };
    let files = read_source(name, &source).with_context(|| format!("the {name} cannot be read"))?;
    Ok(texts(&files))
}

fn texts(files: &SourceFiles) -> Vec<SourceText> {
    files
        .iter()
        .map(|(name, text)| SourceText::new(name, text))
        .collect()
}

/// Makes the world of these texts.
///
/// # Errors
/// Every problem of every source, a line each.
pub fn snapshot(texts: &FactTexts) -> Result<Snapshot> {
    let (inputs, _) = assemble(&texts.rules, &texts.fleet)
        .map_err(|problems| anyhow!("the facts cannot be used:{}", lines(&problems)))?;
    Ok(Snapshot::new(inputs))
}

/// Problems, each on a line of its own.
#[must_use]
pub fn lines(problems: &[Problem]) -> String {
    let lines = problems
        .iter()
        .map(|problem| format!("\n  {}: {problem}", problem.source().word()));
    lines.collect()
}

/// A manifest, and the pod that it speaks of.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The text.
    pub text: String,
    /// The pod.
    pub pod: PodRequirements,
}

/// Reads the pod of a manifest; `-` is standard input.
///
/// # Errors
/// Where it cannot be read or is no pod.
pub fn read_pod(path: &Path) -> Result<PodRequirements> {
    Ok(read_manifest(path)?.pod)
}

/// Reads a manifest of a pod; `-` is standard input.
///
/// # Errors
/// Where it cannot be read or is no pod.
pub fn read_manifest(path: &Path) -> Result<Manifest> {
    let (name, text) = if path == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().lock().read_to_string(&mut text);
        read.context("standard input cannot be read")?;
        ("standard input".to_owned(), text)
    } else {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| format!("`{name}` cannot be read"))?;
        (name, text)
    };
    let pod = objects::read_pod(&text, &name).map_err(|problem| anyhow!("{problem}"))?;
    Ok(Manifest { text, pod })
}
