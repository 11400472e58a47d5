//! The policy engine: from files to a compiled set, from a profile to the places that it permits.
//!
//! Inputs: the texts of policy files; later a pod, the objects of its cluster, an instant. Outputs: a
//! [`PolicySet`] or findings; a [`Profile`] and a [`Verdict`]. Invariants: a set is immutable and either
//! whole or not there; every policy restricts and the set intersects; what is unknown never helps the
//! workload. Deliberately absent: the file system, the clock, Kubernetes clients, latency.
//!
//! ```text
//! text ─ document ─ schema ─ translate (words) ─► Definitions, Catalogue ─ epoch ─► PolicySet
//! pod + objects ─ profile ─► Profile ─ evaluate (selector) ─► Verdict ─ sentence
//! ```

mod calendar;
mod catalogue;
mod cells;
mod data_sets;
mod definition;
mod difference;
mod document;
mod draft;
mod epoch;
mod evaluate;
mod explanation;
mod finding;
mod floor;
mod limits_of_control;
mod lint;
mod matrix;
mod membership;
mod phrase;
mod profile;
mod proof;
mod relaxation;
mod schema;
mod selector;
mod sentence;
mod specimen;
mod testing;
mod transit;
mod translate;
mod words;

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

pub use catalogue::{Catalogue, PlaceFacts, PlaceIndex, PlaceSet};
pub use cells::{
    Domain, FactKinds, HypotheticalPlace, KindOfPlace, Part, TooManyKinds, TupleSource, instants,
    performed_sets,
};
pub use data_sets::{WrittenDataSets, read_data_sets, read_written_data_sets};
pub use definition::{
    Activity, ActivitySet, Definitions, Demand, Exception, ExceptionState, ForbiddenPlaces, Guarantee,
    LatencySettings, LinkEnd, Mode, NetworkLink, Outcome, PathUnknown, Policy, PolicyTest, Reason,
    RegionKeyTrust, Rule, RuleIndex, Settings, TestCase, TransitDemand, Unlabelled,
};
pub use difference::{Difference, RouteChange, SettingChange, Told, ToldPlaces, difference};
pub use document::{KINDS, without_objects};
pub use draft::{Answers, Draft, draft, is_about_draft};
pub use epoch::{Epoch, EpochRule, RuleKind};
pub use evaluate::{
    Cause, PassedUncovered, Reach, Restriction, TransitBinding, UsedException, Verdict, evaluate,
    evaluate_confirmed, reach,
};
pub use explanation::{Explanation, ExplanationPart, explain};
pub use finding::{Finding, Level, Position};
pub use floor::{CUSTOM_RESOURCES, beyond_floor};
pub use limits_of_control::LIMITS_OF_CONTROL;
pub use lint::{FINDING_KINDS, FindingKind, lint, lint_data_sets, lint_nodes};
pub use matrix::{
    Cell, GivenProfile, Matrix, MatrixRow, Permitted, RowOrigin, RowSubject, matrix, read_given,
};
pub use phrase::{demand_in_words, requirement_in_words, selector_in_words};
pub use profile::{Facts, MountedClaim, Profile, Source, SourcedTuple, UsedDataSet, profile};
pub use proof::{Counterexample, Proof, ProofOutcome, Proofs, guarantee_in_words};
pub use relaxation::Relaxation;
pub(crate) use schema::without_null;
pub use schema::{
    CUSTOM_KINDS, CustomKind, DATA_SET, DEFINITION_ANNOTATION, GROUP, SETTINGS_NAME, VERSION,
    custom_resource_definition, definition_digest, json_schema,
};
pub use sentence::{PlacesOfFleet, RefusedAccess, sentence};
pub use specimen::{reader_of, specimens};
pub use testing::{RuleCoverage, TestReport, Tried, run_tests};
pub use transit::{TransitIndex, TransitProfile};

use crate::model::{DataSet, DataSetName};

/// A compiled set of policies.
#[derive(Debug)]
pub struct PolicySet {
    digest: String,
    definitions: Definitions,
    catalogue: Catalogue,
    data_sets: BTreeMap<DataSetName, DataSet>,
    epochs: Vec<Epoch>,
    transit_profiles: Vec<TransitProfile>,
    written_at: lint::WrittenAt,
}

/// A set together with what its author should know.
#[derive(Debug)]
pub struct Loaded {
    /// The set.
    pub set: PolicySet,
    /// Findings below the level of an error.
    pub findings: Vec<Finding>,
}

impl PolicySet {
    /// Reads and compiles a set. Files are (name, text); the order of files is irrelevant but for the
    /// positions in findings.
    ///
    /// # Errors
    /// All findings, where one of them is an error.
    pub fn load<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Loaded, Vec<Finding>> {
        let files: BTreeMap<&str, &str> = files.into_iter().collect();
        let (objects, findings) = document::read(files.iter().map(|(name, text)| (*name, *text)));
        let mut reader = words::Reader {
            findings,
            knows_groups: true,
            ..words::Reader::default()
        };
        reader.sources = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        let (definitions, catalogue) = translate::translate(&objects, &mut reader);
        let data_sets = data_sets::translate_data_sets(&objects.data_sets, &mut reader);
        let mut findings = reader.findings;
        findings.sort();
        let failed = findings.iter().any(|finding| finding.level == Level::Error);
        let Some(definitions) = definitions.filter(|_| !failed) else {
            return Err(findings);
        };
        let Some(timeline) = epoch::epochs(&definitions, &catalogue) else {
            let sentence = "the set has too many rules and dates together".to_owned();
            let position = Position::default();
            findings.push(
                Finding::error("L01", position, sentence)
                    .with_fix("write dates that many policies share as one date".to_owned()),
            );
            return Err(findings);
        };
        let set = Self {
            digest: digest(&files),
            definitions,
            catalogue,
            data_sets,
            epochs: timeline.epochs,
            transit_profiles: timeline.transit_profiles,
            written_at: written_at(&objects),
        };
        Ok(Loaded { set, findings })
    }

    /// As [`load`](Self::load), for whoever decides by the files: each must hold an object ([`without_objects`]).
    ///
    /// # Errors
    /// As [`load`](Self::load), and where a file holds no object.
    pub fn load_to_decide<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
    ) -> Result<Loaded, Vec<Finding>> {
        let blank = without_objects(files.clone());
        match blank.is_empty() {
            true => Self::load(files),
            false => Err(blank),
        }
    }

    /// The hash of the files: the same files give the same hash anywhere.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What the set says, before any date is considered.
    #[must_use]
    pub fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.definitions.settings
    }

    /// What the company knows about regions.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Data sets that stand among the policies.
    #[must_use]
    pub fn data_sets(&self) -> &BTreeMap<DataSetName, DataSet> {
        &self.data_sets
    }

    /// Where the names of the data sets among the policies stand.
    #[must_use]
    pub fn data_sets_written_at(&self) -> &BTreeMap<DataSetName, Position> {
        &self.written_at.data_sets
    }

    /// What rules on transit take away of the links of [`Definitions::links`], by [`TransitIndex`]; each of these
    /// holds for some data at some time.
    #[must_use]
    pub fn transit_profiles(&self) -> &[TransitProfile] {
        &self.transit_profiles
    }

    /// The numbers of these, in order.
    pub fn transit_indices(&self) -> impl Iterator<Item = TransitIndex> {
        TransitIndex::first(self.transit_profiles.len())
    }

    /// The stretch of time that an instant lies in.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> &Epoch {
        static NEVER: Epoch = Epoch::NEVER;
        let after = self.epochs.partition_point(|epoch| epoch.from <= now);
        // The first epoch begins before every instant, so there always is one.
        self.epochs.get(after.saturating_sub(1)).unwrap_or(&NEVER)
    }

    /// Whether a pod about whose data nobody says anything runs anywhere.
    #[must_use]
    pub fn unlabelled_is_allowed(&self) -> bool {
        matches!(self.definitions.settings.unlabelled, Unlabelled::Allow)
    }
}

fn written_at(objects: &document::Objects) -> lint::WrittenAt {
    let regions = objects.regions.iter().map(|object| {
        let (provider, region) = (&object.spec.provider.value, &object.spec.region.value);
        (format!("{provider}/{region}"), object.position())
    });
    lint::WrittenAt {
        regions: regions.collect(),
        data_sets: data_sets::written_at(&objects.data_sets),
    }
}

fn digest(files: &BTreeMap<&str, &str>) -> String {
    let mut hasher = Sha256::new();
    for (name, text) in files {
        // Lengths keep two neighbouring files from being read as one.
        hasher.update(name.len().to_le_bytes());
        hasher.update(name);
        hasher.update(text.len().to_le_bytes());
        hasher.update(text);
    }
    hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
