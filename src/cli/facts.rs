//! The facts of an offline verb: named by the same flags as for `serve`, read once, judged at one instant.
//!
//! What is not named comes from a snapshot file, or else from the defaults that are built in. Every problem of every
//! source is told at once.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use jiff::Timestamp;

use crate::assembly::{Problem, RuleTexts, SourceText, assemble};
use crate::config::{FactsArgs, SourceArgs};
use crate::embedded;
use crate::files::{Source, SourceFiles, SourceName, read_source};
use crate::model::PodRequirements;
use crate::objects::{self, NamedText, SnapshotFile, SnapshotTexts};
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
    /// The last instant at which a cluster confirmed the fleet; `None` where nobody says.
    pub confirmed_until: Option<Timestamp>,
    /// When the texts were taken, where they are those of a snapshot.
    pub taken_at: Option<Timestamp>,
}

impl FactTexts {
    /// The instant that is asked about: the one that is named, or when a snapshot was taken, or the present.
    #[must_use]
    pub fn instant(&self, named: Option<Timestamp>, now: Timestamp) -> Timestamp {
        named.or(self.taken_at).unwrap_or(now)
    }

    /// Puts a fleet that was listed just now in the place of what was there.
    pub fn now_has(&mut self, fleet: SourceText) {
        self.fleet = fleet;
        self.confirmed_until = None;
        self.taken_at = None;
    }

    /// These texts as a snapshot file. The id is that of the snapshot that is made of them.
    ///
    /// # Errors
    /// Every problem of every source.
    pub fn to_file(&self, taken_at: Timestamp) -> Result<SnapshotFile> {
        let named = |text: &SourceText| NamedText {
            name: text.name.clone(),
            text: text.text.clone(),
        };
        let all = |texts: &[SourceText]| texts.iter().map(named).collect();
        let texts = SnapshotTexts {
            policies: all(&self.rules.policies),
            data_sets: all(&self.rules.data_sets),
            latency: all(&self.rules.latency),
            fleet: named(&self.fleet),
        };
        let id = snapshot(self)?.id().to_owned();
        Ok(SnapshotFile::new(texts, id, taken_at, self.confirmed_until))
    }

    /// The texts of a snapshot file.
    #[must_use]
    pub fn of_file(file: SnapshotFile) -> Self {
        let plain = |text: NamedText| SourceText::new(text.name, text.text);
        let all = |texts: Vec<NamedText>| texts.into_iter().map(plain).collect();
        Self {
            rules: RuleTexts {
                policies: all(file.policies),
                data_sets: all(file.data_sets),
                latency: all(file.latency),
            },
            fleet: plain(file.fleet),
            confirmed_until: file.confirmed_at,
            taken_at: Some(file.taken_at),
        }
    }
}

/// Reads the facts that the flags name; `now` is the instant unless they name one.
///
/// # Errors
/// Where a source cannot be read or has a problem.
pub fn read_facts(args: &FactsArgs, now: Timestamp) -> Result<Facts> {
    let texts = read_world(args)?;
    Ok(Facts {
        snapshot: snapshot(&texts)?,
        at: texts.instant(args.at, now),
    })
}

/// Reads the texts that the flags name: those of a snapshot, and in the place of what it has those that are named
/// beside it.
///
/// # Errors
/// Where something cannot be read.
pub fn read_world(args: &FactsArgs) -> Result<FactTexts> {
    let Some(mut texts) = read_snapshot(args.snapshot.as_deref())? else {
        return read_texts(&args.sources);
    };
    let sources = &args.sources;
    if sources.policies.is_some() {
        texts.rules.policies = policies(sources)?;
    }
    if sources.data_sets.is_some() {
        texts.rules.data_sets = data_sets(sources)?;
    }
    if sources.latency.is_some() {
        texts.rules.latency = latency(sources)?;
    }
    if sources.fleet.is_some() {
        (texts.fleet, texts.confirmed_until) = fleet(sources)?;
    }
    Ok(texts)
}

/// Reads the snapshot that a flag names, where one is named.
///
/// # Errors
/// Where it cannot be read, or is no snapshot.
pub fn read_snapshot(path: Option<&Path>) -> Result<Option<FactTexts>> {
    let Some(path) = path else { return Ok(None) };
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("`{name}` cannot be read"))?;
    let read = SnapshotFile::read(&text).map_err(|problem| anyhow!("`{name}`: {problem}"))?;
    let file = read.with_context(|| {
        format!(
            "`{name}` is no snapshot: `domicile snapshot` writes one, and --fleet reads what kubectl lists"
        )
    })?;
    Ok(Some(FactTexts::of_file(file)))
}

/// The snapshot that is at the path of a source, where one is.
///
/// # Errors
/// Where it is a snapshot that cannot be used.
pub fn snapshot_at(path: &Path) -> Result<Option<FactTexts>> {
    // What else is wrong with it, whoever reads it as that source tells.
    let Ok(text) = std::fs::read_to_string(path) else {
        return Ok(None);
    };
    let read = SnapshotFile::read(&text).map_err(|problem| anyhow!("`{}`: {problem}", path.display()))?;
    Ok(read.map(FactTexts::of_file))
}

/// Reads the texts that the flags name.
///
/// # Errors
/// Where something cannot be read.
pub fn read_texts(sources: &SourceArgs) -> Result<FactTexts> {
    let (fleet, confirmed_until) = fleet(sources)?;
    Ok(FactTexts {
        rules: RuleTexts {
            policies: policies(sources)?,
            data_sets: data_sets(sources)?,
            latency: latency(sources)?,
        },
        fleet,
        confirmed_until,
        taken_at: None,
    })
}

fn policies(sources: &SourceArgs) -> Result<Vec<SourceText>> {
    let path = sources.policies.as_deref();
    read_named(SourceName::Policies, path, embedded::policies())
}

fn data_sets(sources: &SourceArgs) -> Result<Vec<SourceText>> {
    let path = sources.data_sets.as_deref();
    read_named(SourceName::DataSets, path, &[embedded::data_sets()])
}

fn latency(sources: &SourceArgs) -> Result<Vec<SourceText>> {
    let path = sources.latency.as_deref();
    read_named(SourceName::Latency, path, &[embedded::latency()])
}

/// The fleet, and until when a cluster confirmed it, where it is that of a snapshot.
fn fleet(sources: &SourceArgs) -> Result<(SourceText, Option<Timestamp>)> {
    let fleet = read_named(SourceName::Fleet, sources.fleet.as_deref(), &[embedded::fleet()])?;
    let count = fleet.len();
    let [fleet] = <[SourceText; 1]>::try_from(fleet)
        .map_err(|_| anyhow!("a fleet is one file and there are {count} here"))?;
    objects_of(fleet)
}

/// The objects of a fleet file, of a snapshot those that it has; and until when a cluster confirmed these.
///
/// # Errors
/// Where it is a snapshot that cannot be used.
pub fn objects_of(fleet: SourceText) -> Result<(SourceText, Option<Timestamp>)> {
    let read = SnapshotFile::read(&fleet.text);
    match read.map_err(|problem| anyhow!("`{}`: {problem}", fleet.name))? {
        Some(file) => Ok((
            SourceText::new(file.fleet.name, file.fleet.text),
            file.confirmed_at,
        )),
        None => Ok((fleet, None)),
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
    let (mut inputs, _) = assemble(&texts.rules, &texts.fleet)
        .map_err(|problems| anyhow!("the facts cannot be used:{}", lines(&problems)))?;
    inputs.confirmed_until = texts.confirmed_until;
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
