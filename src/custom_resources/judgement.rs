//! Whether a source is taken, and what its authors should know.
//!
//! Inputs: the texts of a source, objects of a cluster and files alike, told apart by their names; an instant. Outputs:
//! what is taken, or every finding that keeps it from being so; for statuses, a [`Judgement`]. Invariant: `serve` takes
//! a source by the very functions that judge it here.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::resource::is_custom_resource;
use crate::model::DataSetName;
use crate::policy::{
    Finding, Loaded, PolicySet, Position, WrittenDataSets, beyond_floor, lint, lint_data_sets,
    read_written_data_sets,
};

/// What became of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Whether it decides. Where not, what it said before still does.
    pub is_taken: bool,
    /// Whether its guarantees were proved: how many there are. `None` where it has none to prove (data sets), or could
    /// not be read as far as that.
    pub guarantees: Option<usize>,
    /// What was found, in the order of positions.
    pub findings: Vec<Finding>,
    /// The texts that were judged, by their names.
    pub texts: BTreeMap<String, String>,
}

/// Takes policies: every file holds an object, they can be read, every guarantee holds, and the objects of a cluster permit nothing that files
/// beside them refuse.
///
/// # Errors
/// Every finding that is in the way.
pub fn take_policies<'a>(
    texts: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
    now: Timestamp,
) -> Result<Loaded, Vec<Finding>> {
    let loaded = PolicySet::load_to_decide(texts.clone())?;
    let (objects, files): (Vec<_>, Vec<_>) =
        texts.into_iter().partition(|(name, _)| is_custom_resource(name));
    if !objects.is_empty() && !files.is_empty() {
        let floor = PolicySet::load(files)?.set;
        let beyond = beyond_floor(&floor, &loaded.set, now);
        if !beyond.is_empty() {
            return Err(beyond);
        }
    }
    let broken = loaded.set.prove(now).findings(&loaded.set);
    match broken.is_empty() {
        true => Ok(loaded),
        false => Err(broken),
    }
}

/// Judges policies.
#[must_use]
pub fn judge_policies<'a>(
    texts: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
    now: Timestamp,
) -> (Judgement, Option<PolicySet>) {
    let judged = judged_texts(texts.clone());
    match take_policies(texts, now) {
        Ok(Loaded { set, mut findings }) => {
            let guarantees = Some(set.definitions().guarantees.len());
            findings.extend(lint(&set, now));
            findings.sort();
            findings.dedup();
            let judgement = Judgement {
                is_taken: true,
                guarantees,
                findings,
                texts: judged,
            };
            (judgement, Some(set))
        }
        Err(findings) => {
            // A set of which only guarantees are broken could be read.
            let proved = findings.iter().all(|finding| finding.code == BROKEN_GUARANTEE);
            let judgement = Judgement {
                is_taken: false,
                guarantees: proved.then_some(findings.len()),
                findings,
                texts: judged,
            };
            (judgement, None)
        }
    }
}

/// The code of a guarantee that does not hold.
pub(super) const BROKEN_GUARANTEE: &str = "L14";

/// Takes data sets. One that stands among the policies too is an error: the policies' authors counted on what they wrote.
///
/// # Errors
/// Every finding that is in the way.
pub fn take_data_sets<'a>(
    texts: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
    policies: Option<&PolicySet>,
) -> Result<WrittenDataSets, Vec<Finding>> {
    let written = read_written_data_sets(texts)?;
    let nothing = BTreeMap::new();
    let among_policies = policies.map_or(&nothing, PolicySet::data_sets);
    let twice: Vec<Finding> = written
        .data_sets
        .keys()
        .filter(|name| among_policies.contains_key(*name))
        .filter_map(|name| second(name, &written))
        .collect();
    match twice.is_empty() {
        true => Ok(written),
        false => Err(twice),
    }
}

/// The finding about a data set that stands among the policies too; files may, as they always might.
fn second(name: &DataSetName, written: &WrittenDataSets) -> Option<Finding> {
    let position: &Position = written.written_at.get(name)?;
    is_custom_resource(&position.file).then(|| {
        let sentence = format!("a DataSet among the policies is called `{name}` too");
        Finding::error("L04", position.clone(), sentence).with_fix("remove one of them".to_owned())
    })
}

/// Judges data sets beside the policies that decide.
#[must_use]
pub fn judge_data_sets<'a>(
    texts: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
    policies: Option<&PolicySet>,
) -> Judgement {
    let judged = judged_texts(texts.clone());
    let (is_taken, findings) = match take_data_sets(texts, policies) {
        Ok(written) => (
            true,
            policies.map_or_else(Vec::new, |policies| lint_data_sets(policies, &written)),
        ),
        Err(findings) => (false, findings),
    };
    Judgement {
        is_taken,
        guarantees: None,
        findings,
        texts: judged,
    }
}

fn judged_texts<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, String> {
    let texts = texts.into_iter().filter(|(name, _)| is_custom_resource(name));
    texts
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect()
}
