//! Everything that a run needs, read: the world at its beginning and what happens to it.
//!
//! Inputs: a checked run file, the texts of the files that it names, its trace. Outputs: a [`Scenario`], or every problem.
//! Invariants: fleet file, run file and trace become events of one kind, so nothing is simulated that a trace cannot say;
//! the id is a hash of all that decides. Deliberately absent: opening files (`cli::simulate`).

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::drive::{Documents, Roster};
use super::made_up::{fleet_events, pod_events};
use super::run_file::RunFile;
use super::trace::import::{KubectlOptions, import_kubectl};
use super::trace::synthesis::{SynthesisRules, synthesise};
use super::trace::{Event, Generator, Header, Trace};
use super::world::{World, WorldStart};
use crate::assembly::{RuleTexts, SourceText, fleet_facts, latency_measurements, read_rules, version};
use crate::model::PodRequirements;
use crate::policy::PolicySet;
use crate::snapshot::Snapshot;

/// How many bytes of a hash name a run.
const RUN_ID_BYTES: usize = 8;

/// The texts of the files that a run file names.
#[derive(Debug, Clone)]
pub struct ScenarioTexts {
    /// The run file itself.
    pub run: String,
    /// Policies, data sets and latencies.
    pub rules: RuleTexts,
    /// The fleet file, where nodes come from one.
    pub fleet: Option<SourceText>,
    /// The policies of `policy-b`.
    pub policies_b: Option<Vec<SourceText>>,
    /// The policies that the trace loads, by the path that it names.
    pub loads: BTreeMap<String, Vec<SourceText>>,
    /// The trace.
    pub trace: Option<Trace>,
    /// The name of the file of the trace, and what tells its text from any other.
    pub trace_version: String,
    /// The rules by which is made up what the trace lacks, and their text.
    pub synthesis: Option<(SynthesisRules, String)>,
}

/// A run that can begin.
#[derive(Debug)]
pub struct Scenario {
    /// The run file.
    pub run: RunFile,
    /// A hash of all that decides.
    pub id: String,
    /// The world before the first event.
    pub start: WorldStart,
    /// What the checker reads of it.
    pub documents: Documents,
    /// The policies of `policy-b`, and what the checker reads of them.
    pub policies_b: Option<(Arc<PolicySet>, Documents)>,
    /// Where the events come from, in words.
    pub source: String,
    /// What made events up, where something did, under the first seed.
    pub generator: Option<Generator>,
    /// What a reader should know of the events.
    pub notes: Vec<String>,
    /// What happens under the first seed, in the order of time.
    first: Vec<Event>,
    /// What the events of further seeds are made of, where there are further seeds.
    further: Option<Sources>,
}

/// What events are made of, but for the pods of the run file.
#[derive(Debug, Clone)]
struct Sources {
    /// What was there before the trace begins, in the order of time.
    before: Vec<Event>,
    trace: Option<Trace>,
    synthesis: Option<SynthesisRules>,
}

impl Scenario {
    /// Makes a scenario of texts.
    ///
    /// # Errors
    /// Every problem of every text.
    pub fn assemble(run: RunFile, texts: ScenarioTexts) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let id = run_id(&texts);
        let rules = read_rules(&texts.rules)
            .map_err(|found| {
                problems.extend(
                    found
                        .iter()
                        .map(|problem| format!("{}: {problem}", problem.source().word())),
                )
            })
            .ok();
        let measurements = rules.as_ref().and_then(|rules| {
            // What is wrong with these files has just been told.
            latency_measurements(&texts.rules.latency, Some(&rules.policies)).ok()
        });
        let mut policies = |files: &[SourceText]| {
            let named = files.iter().map(|file| (file.name.as_str(), file.text.as_str()));
            PolicySet::load_to_decide(named)
                .map_err(|found| problems.extend(found.iter().map(|finding| format!("policies: {finding}"))))
                .ok()
                .map(|loaded| Arc::new(loaded.set))
        };
        let policies_b = texts.policies_b.as_deref().and_then(&mut policies);
        let loads: BTreeMap<String, Arc<PolicySet>> = texts
            .loads
            .iter()
            .filter_map(|(path, files)| Some((path.clone(), policies(files)?)))
            .collect();
        let fleet = texts.fleet.as_ref().and_then(|file| {
            let facts = fleet_facts(file)
                .map_err(|found| problems.extend(found.iter().map(|error| format!("fleet: {error}"))))
                .ok()?;
            let options = KubectlOptions {
                keep_nodes: true,
                ..KubectlOptions::default()
            };
            let trace = import_kubectl([(file.name.as_str(), file.text.as_str())], options)
                .map_err(|found| problems.extend(found.iter().map(|error| format!("fleet: {error}"))))
                .ok()?;
            Some((facts.fleet, trace))
        });
        let (Some(rules), Some(measurements), true) = (rules, measurements, problems.is_empty()) else {
            return Err(problems);
        };
        let (objects, fleet_trace) = fleet.unzip();
        let mut notes = Vec::new();
        let mut before = fleet_events(&run);
        if let Some(trace) = fleet_trace {
            notes.extend(trace.header.notes);
            // What a fleet file shows was there before the run begins.
            before.extend(trace.events.into_iter().map(|event| Event { t_ms: 0, ..event }));
        }
        let sources = Sources {
            before,
            trace: texts.trace,
            synthesis: texts.synthesis.map(|(rules, _)| rules),
        };
        let further = (run.seeds > 1).then(|| sources.clone());
        let (first, header) = sources.events(&run, run.seed).map_err(|problem| vec![problem])?;
        let (mut source, mut generator) = ("the run file".to_owned(), None);
        if let Some(header) = header {
            source = header.source;
            generator = header.generator;
            notes.extend(header.notes);
        }
        let documents = Documents {
            policies: texts.rules.policies,
            data_sets: texts.rules.data_sets,
            loads: texts.loads,
        };
        let of_b = |policies: Vec<SourceText>| Documents {
            policies,
            ..documents.clone()
        };
        let documents_b = texts.policies_b.map(of_b);
        Ok(Self {
            id,
            start: WorldStart::new(rules, measurements, objects.as_deref(), loads),
            policies_b: policies_b.zip(documents_b),
            documents,
            source,
            generator,
            notes,
            first,
            further,
            run,
        })
    }

    /// What happens under the first seed, in the order of time.
    #[must_use]
    pub fn first_events(&self) -> &[Event] {
        &self.first
    }

    /// What happens under one of the further seeds of the run, in the order of time.
    ///
    /// # Errors
    /// Where the run has no further seeds, or what the trace lacks cannot be made up: a sentence.
    pub fn further_events(&self, seed: u64) -> Result<Vec<Event>, String> {
        let sources = self.further.clone().ok_or("the run has one seed alone")?;
        Ok(sources.events(&self.run, seed)?.0)
    }

    /// The world once everything of `t` 0 has happened, and each kind of pods of the run with how many there are.
    #[must_use]
    pub fn opening(&self) -> (Arc<Snapshot>, Vec<(PodRequirements, usize)>) {
        let events = self.first_events();
        let mut world = World::new(&self.start, &self.start.policies, None);
        for event in events.iter().take_while(|event| event.t_ms == 0) {
            world.apply(&event.what);
        }
        let roster = Roster::of(events);
        let mut counts = vec![0; roster.kinds.len()];
        for made in &roster.pods {
            if let Some(count) = counts.get_mut(made.kind) {
                *count += 1;
            }
        }
        let kinds = roster.kinds.into_iter().map(|kind| kind.pod);
        (world.snapshot(), kinds.zip(counts).collect())
    }
}

impl Sources {
    /// What happens under a seed, in the order of time, and the header of the trace with what it lacked: of one time what was
    /// there before, then the trace, then the pods of the run file.
    fn events(self, run: &RunFile, seed: u64) -> Result<(Vec<Event>, Option<Header>), String> {
        let mut events = self.before;
        let mut header = None;
        if let Some(trace) = self.trace {
            let made = match &self.synthesis {
                Some(rules) => synthesise(trace, rules, seed)?,
                None => trace,
            };
            header = Some(made.header);
            events.extend(made.events);
        }
        events.extend(pod_events(run, seed));
        // The sort is stable.
        events.sort_by_key(|event| event.t_ms);
        Ok((events, header))
    }
}

/// A name for all that decides a run: the program and every text.
fn run_id(texts: &ScenarioTexts) -> String {
    let mut hasher = Sha256::new();
    let mut add = |part: &str| {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part);
    };
    add(env!("CARGO_PKG_VERSION"));
    add(&texts.run);
    for files in [
        &texts.rules.policies,
        &texts.rules.data_sets,
        &texts.rules.latency,
    ] {
        add(&version(files));
    }
    add(&texts
        .fleet
        .as_ref()
        .map_or(String::new(), |file| version(std::slice::from_ref(file))));
    add(&texts.policies_b.as_deref().map_or(String::new(), version));
    for (path, files) in &texts.loads {
        add(path);
        add(&version(files));
    }
    add(&texts.trace_version);
    add(texts.synthesis.as_ref().map_or("", |(_, text)| text));
    let hash = hasher.finalize();
    let bytes = hash.iter().take(RUN_ID_BYTES);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}
