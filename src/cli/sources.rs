//! The files that `serve` keeps: how each is compiled, and where a good state goes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use arc_swap::ArcSwap;
use jiff::Timestamp;

use super::custom_resources::Inboxes;
use crate::assembly::{FleetFacts, SourceText, fleet_facts, latency_table};
use crate::config::{FleetSource, ObjectSource, ServeSettings};
use crate::custom_resources::{in_words, take_data_sets, take_policies};
use crate::embedded;
use crate::files::{
    Compile, Inbox, Source, SourceFiles, SourceHealth, SourceKeeper, SourceName, SourceStatus, SourceWatch,
    StateStore, WatchSettings, watch,
};
use crate::model::{DataSet, DataSetName, NamespaceName};
use crate::policy::{Finding, PolicySet};
use crate::publish::Publisher;

/// What is told of a source after each look at it.
pub type Report = Arc<dyn Fn(&SourceHealth) + Send + Sync>;

/// The watches of all sources; they end when this is dropped.
pub struct Kept {
    watches: Vec<SourceWatch>,
}

impl Kept {
    /// Asks for a look at every file now.
    pub fn look_now(&self) {
        self.watches.iter().for_each(SourceWatch::look_now);
    }
}

/// Looks at every source once, in the order in which they depend on each other, and goes on watching
/// those that are files.
///
/// # Errors
/// Where a watch cannot be set up.
pub fn keep_sources(
    settings: &ServeSettings,
    publisher: &Arc<Publisher>,
    exempt: &Arc<ArcSwap<BTreeSet<NamespaceName>>>,
    report: &Report,
    inboxes: &Inboxes,
) -> Result<Kept> {
    let exempt = exempt.clone();
    let keeping = Keeping {
        settings,
        publisher,
        report,
    };
    let mut watches = vec![
        keeping.keep(
            SourceName::Policies,
            policies_source(settings, inboxes),
            Box::new(compile_policies),
            move |publisher, policies| {
                exempt.store(Arc::new(policies.settings().exempt_namespaces.clone()));
                publisher.policies(policies);
            },
        )?,
        keeping.keep(
            SourceName::DataSets,
            data_sets_source(settings, inboxes),
            compile_data_sets(publisher.clone()),
            |publisher, loaded| publisher.data_sets(loaded.0.clone(), &loaded.1),
        )?,
        keeping.keep(
            SourceName::Latency,
            source(settings.latency.as_ref(), &[embedded::latency()]),
            compile_latency(publisher.clone()),
            |publisher, texts| publisher.latency(texts),
        )?,
    ];
    let fleet = match &settings.fleet {
        FleetSource::Cluster => None,
        FleetSource::File(path) => Some(Source::Path(path.clone())),
        FleetSource::Embedded => Some(Source::Embedded(vec![embedded::fleet()])),
    };
    if let Some(fleet) = fleet {
        let publish = |publisher: &Publisher, fleet: Arc<FleetFacts>| publisher.fleet((*fleet).clone());
        watches.push(keeping.keep(SourceName::Fleet, fleet, Box::new(compile_fleet), publish)?);
    }
    Ok(Kept {
        watches: watches.into_iter().flatten().collect(),
    })
}

/// Where the texts of the policies are.
pub fn policies_source(settings: &ServeSettings, inboxes: &Inboxes) -> Source {
    let files = source(settings.policies.as_ref(), embedded::policies());
    joined(files, settings.policies_from, inboxes.policies.as_ref())
}

/// Where the texts of the data sets are.
pub fn data_sets_source(settings: &ServeSettings, inboxes: &Inboxes) -> Source {
    let files = source(settings.data_sets.as_ref(), &[embedded::data_sets()]);
    joined(files, settings.data_sets_from, inboxes.data_sets.as_ref())
}

fn joined(files: Source, from: ObjectSource, inbox: Option<&Inbox>) -> Source {
    match (from, inbox) {
        (ObjectSource::Files, _) | (_, None) => files,
        (ObjectSource::CustomResources, Some(inbox)) => Source::Handed(inbox.clone()),
        (ObjectSource::Both, Some(inbox)) => Source::Beside(Box::new(files), inbox.clone()),
    }
}

fn source(named: Option<&PathBuf>, embedded: &[(&'static str, &'static str)]) -> Source {
    named.map_or_else(
        || Source::Embedded(embedded.to_vec()),
        |path| Source::Path(path.clone()),
    )
}

struct Keeping<'a> {
    settings: &'a ServeSettings,
    publisher: &'a Arc<Publisher>,
    report: &'a Report,
}

impl Keeping<'_> {
    /// Looks once, now, and then watches on a thread of its own. What is built in is not watched.
    fn keep<T: Send + Sync + 'static>(
        &self,
        name: SourceName,
        source: Source,
        compile: Compile<T>,
        publish: impl Fn(&Publisher, Arc<T>) + Send + 'static,
    ) -> Result<Option<SourceWatch>> {
        let built_in = !source.can_change();
        let store = self.settings.state_dir.clone().map(StateStore::new);
        let mut keeper = SourceKeeper::new(name, source, store, compile);
        let (publisher, report) = (self.publisher.clone(), self.report.clone());
        let take = move |status: &SourceStatus<T>| {
            report(&status.health);
            if let Some(value) = status.value.as_ref().filter(|_| status.changed) {
                publish(&publisher, value.clone());
            }
        };
        take(&keeper.refresh(Timestamp::now()));
        if built_in {
            return Ok(None);
        }
        let every = WatchSettings::every(self.settings.reload_interval);
        watch(keeper, every, Timestamp::now, take)
            .map(Some)
            .with_context(|| format!("cannot watch {name}"))
    }
}

fn sentences(findings: &[Finding], files: &SourceFiles) -> Vec<String> {
    let sentences = findings.iter().map(|finding| in_words(finding, files.iter()));
    sentences.collect()
}

/// A set whose guarantees do not hold is as bad as one that cannot be read.
fn compile_policies(files: &SourceFiles) -> Result<PolicySet, Vec<String>> {
    let taken = take_policies(files.iter(), Timestamp::now());
    let loaded = taken.map_err(|findings| sentences(&findings, files))?;
    sentences(&loaded.findings, files)
        .iter()
        .for_each(|finding| tracing::warn!("{finding}"));
    Ok(loaded.set)
}

type DataSets = BTreeMap<DataSetName, DataSet>;

fn compile_data_sets(publisher: Arc<Publisher>) -> Compile<(Arc<DataSets>, Vec<SourceText>)> {
    Box::new(move |files| {
        let policies = publisher.current_policies();
        let taken = take_data_sets(files.iter(), policies.as_deref());
        let written = taken.map_err(|findings| sentences(&findings, files))?;
        Ok((Arc::new(written.data_sets), files.files().to_vec()))
    })
}

/// The texts are what is kept: the table is built by the catalogue, which may change without them.
fn compile_latency(publisher: Arc<Publisher>) -> Compile<Vec<SourceText>> {
    Box::new(move |files| {
        let policies = publisher.current_policies();
        match latency_table(files.files(), policies.as_deref()) {
            Ok(_) => Ok(files.files().to_vec()),
            Err(errors) => Err(errors.iter().map(ToString::to_string).collect()),
        }
    })
}

fn compile_fleet(files: &SourceFiles) -> Result<FleetFacts, Vec<String>> {
    let [file] = files.files() else {
        return Err(vec![format!(
            "a fleet is one file and here are {}",
            files.files().len()
        )]);
    };
    fleet_facts(file).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custom_resources::CustomResource;
    use crate::files::SourceState;
    use crate::policy::CUSTOM_KINDS;

    const SET: &str = r#"
apiVersion: domicile.dev/v1alpha1
kind: PolicySettings
metadata: {name: settings}
spec: {mode: enforce, uncovered: UNCOVERED, unlabelled: allow, exemptNamespaces: [], regionKey: topology}
---
apiVersion: domicile.dev/v1alpha1
kind: Guarantee
metadata: {name: no-health-data-abroad}
spec:
  says: Health data never leaves the country
  never: {data: {categories: [health]}, activities: [process], location: {outside: ["DE"]}}
"#;

    #[test]
    fn a_set_whose_guarantee_fails_is_not_taken_and_the_last_good_one_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("set.yaml");
        let write = |uncovered: &str| {
            std::fs::write(&file, SET.replace("UNCOVERED", uncovered)).expect("a file");
        };
        let source = Source::Path(folder.path().to_owned());
        let mut keeper = SourceKeeper::new(SourceName::Policies, source, None, Box::new(compile_policies));
        write("allow");
        let never_good = keeper.refresh(Timestamp::now());
        assert!(!never_good.is_loaded());
        write("deny");
        let good = keeper.refresh(Timestamp::now()).value.expect("a good set");
        write("allow");
        let bad = keeper.refresh(Timestamp::now());
        assert_eq!(bad.value.expect("the last good set").digest(), good.digest());
        let SourceState::LastKnownGood { problems, .. } = bad.health.state else {
            panic!("{:?}", bad.health.state);
        };
        let [problem] = problems.as_slice() else {
            panic!("{problems:?}");
        };
        assert!(
            problem.contains("the guarantee `no-health-data-abroad` does not hold: data of"),
            "{problem}"
        );
    }

    /// A policy as an object of the cluster.
    fn object(name: &str, demand: &str) -> SourceText {
        let object = format!(
            r#"{{"metadata": {{"name": "{name}"}}, "spec": {{"title": "t", "owner": {{"team": "a", "contact": "b"}},
            "legalBasis": [{{"cite": "c"}}], "mode": "enforce", "appliesTo": {{"data": {{"categories": ["health"]}}}},
            "rules": [{{"id": "place", {demand}}}]}}}}"#
        );
        let object = serde_json::from_str(&object).expect("JSON");
        let kind = CUSTOM_KINDS
            .into_iter()
            .find(|kind| kind.kind == "PlacementPolicy");
        let object = CustomResource::from_json(kind.expect("a kind"), &object);
        object.expect("a name").text
    }

    #[test]
    fn objects_beside_files_only_restrict_and_what_is_not_known_keeps_what_was() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("set.yaml"), SET.replace("UNCOVERED", "deny")).expect("a file");
        let inbox = Inbox::empty("not listed yet");
        let source = Source::Beside(Box::new(Source::Path(folder.path().to_owned())), inbox.clone());
        let mut keeper = SourceKeeper::new(SourceName::Policies, source, None, Box::new(compile_policies));
        let mut with = |handed: Result<Vec<SourceText>, String>| {
            inbox.hand_in(handed);
            let status = keeper.refresh(Timestamp::now());
            let problems = match status.health.state {
                SourceState::Current { .. } => Vec::new(),
                SourceState::LastKnownGood { problems, .. } | SourceState::NeverLoaded { problems } => {
                    problems
                }
            };
            (status.value.map(|set| set.digest().to_owned()), problems)
        };
        let restricting = object("not-in-france", r#""denied": ["FR"]"#);
        assert_eq!(
            with(Err("not listed yet".to_owned())),
            (None, vec!["not listed yet".to_owned()])
        );
        let (files_alone, fine) = with(Ok(Vec::new()));
        assert!(files_alone.is_some() && fine.is_empty());
        let (both, fine) = with(Ok(vec![restricting.clone()]));
        assert_eq!(fine, [""; 0]);
        assert_ne!(both, files_alone);
        for (objects, told) in [
            (
                vec![restricting.clone(), object("in-germany", r#""allowed": ["DE"]"#)],
                "custom resources: error L19: they would permit what the files refuse: ",
            ),
            (
                vec![object("nowhere", r#""allowed": ["group/EEA"]"#)],
                "placementpolicy.domicile.dev/nowhere spec.rules[0].allowed[0]: error L04: ",
            ),
            (
                vec![SourceText::new(
                    "policysettings.domicile.dev/default",
                    SET.split("---").next().unwrap_or_default(),
                )],
                "L04",
            ),
        ] {
            let (held, problems) = with(Ok(objects));
            assert_eq!(held, both, "{problems:?}");
            assert!(
                problems.first().is_some_and(|first| first.contains(told)),
                "{problems:?}"
            );
        }
        assert_eq!(
            with(Err("nobody answers".to_owned())),
            (both.clone(), vec!["nobody answers".to_owned()])
        );
        assert_eq!(with(Ok(vec![restricting])), (both, Vec::new()));
    }

    #[test]
    fn no_file_takes_the_place_of_an_object() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = object("a.yaml", r#""denied": ["FR"]"#);
        let file = folder.path().join(&text.name);
        std::fs::create_dir_all(file.parent().expect("a folder above")).expect("a folder");
        std::fs::write(&file, &text.text).expect("a file");
        let inbox = Inbox::empty("");
        inbox.hand_in(Ok(vec![text]));
        let source = Source::Beside(Box::new(Source::Path(folder.path().to_owned())), inbox);
        let mut keeper = SourceKeeper::new(SourceName::Policies, source, None, Box::new(compile_policies));
        let SourceState::NeverLoaded { problems } = keeper.refresh(Timestamp::now()).health.state else {
            panic!("it was taken");
        };
        assert!(
            problems[0].starts_with("a file is called `placementpolicy.domicile.dev/a.yaml`"),
            "{problems:?}"
        );
    }
}
