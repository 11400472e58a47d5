//! The files that `serve` keeps: how each is compiled, and where a good state goes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use arc_swap::ArcSwap;
use jiff::Timestamp;

use crate::assembly::{FleetFacts, SourceText, fleet_facts, latency_table};
use crate::config::{FleetSource, ServeSettings};
use crate::embedded;
use crate::files::{
    Compile, Source, SourceFiles, SourceHealth, SourceKeeper, SourceName, SourceStatus, SourceWatch,
    StateStore, WatchSettings, watch,
};
use crate::model::{DataSet, DataSetName, NamespaceName};
use crate::policy::{Finding, PolicySet, read_data_sets};
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
            source(settings.policies.as_ref(), embedded::policies()),
            Box::new(compile_policies),
            move |publisher, policies| {
                exempt.store(Arc::new(policies.settings().exempt_namespaces.clone()));
                publisher.policies(policies);
            },
        )?,
        keeping.keep(
            SourceName::DataSets,
            source(settings.data_sets.as_ref(), &[embedded::data_sets()]),
            Box::new(compile_data_sets),
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
        let built_in = matches!(source, Source::Embedded(_));
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

fn sentences(findings: Vec<Finding>) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

/// A set whose guarantees do not hold is as bad as one that cannot be read.
fn compile_policies(files: &SourceFiles) -> Result<PolicySet, Vec<String>> {
    let loaded = PolicySet::load(files.iter()).map_err(sentences)?;
    loaded
        .findings
        .iter()
        .for_each(|finding| tracing::warn!("{finding}"));
    let set = loaded.set;
    let broken = set.prove(Timestamp::now()).findings(&set);
    if broken.is_empty() {
        Ok(set)
    } else {
        Err(sentences(broken))
    }
}

type DataSets = BTreeMap<DataSetName, DataSet>;

fn compile_data_sets(files: &SourceFiles) -> Result<(Arc<DataSets>, Vec<SourceText>), Vec<String>> {
    let data_sets = read_data_sets(files.iter()).map_err(sentences)?;
    Ok((Arc::new(data_sets), files.files().to_vec()))
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
    use crate::files::SourceState;

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
}
