//! What to make up, and by which rules: the file of `--synthesis`.
//!
//! Inputs: its text. Outputs: [`SynthesisRules`], or everything that is wrong with it. Invariants: an unknown field is
//! an error; every share is above 0; what a kind of data says is what a namespace and a data set may say, by the readers of
//! both. The text that is built in is `defaults/synthesis.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::model::{Classification, RegionKey, is_dns_label};
use crate::objects::annotations::{DATA, DATA_CATEGORIES, DATA_CLASSIFICATION, DATA_SUBJECTS};
use crate::objects::{ObjectKind, read_annotations};

/// The only version of the rules.
const VERSION: u32 = 1;

/// The rules that are built in.
pub const DEFAULT_RULES: &str = include_str!("../../../../defaults/synthesis.yaml");

/// The greatest share, the most zones, copies, data sets and requests: a typing error must not fill the memory.
const MOST: u32 = 10_000;

/// The rules.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SynthesisRules {
    v: u32,
    /// Where nodes are that do not say it.
    pub regions: Vec<RegionShare>,
    /// What data workloads carry whose namespace nobody declared.
    pub data: DataRules,
    /// How workloads use their data sets: the first rule that speaks of a workload.
    pub access: Vec<AccessRule>,
}

/// A region and how much of a whole is there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RegionShare {
    /// The region.
    pub region: RegionKey,
    /// Its share, relative to the others.
    pub share: u32,
    /// How many zones it has.
    pub zones: u32,
}

/// What data workloads carry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DataRules {
    /// What draws a kind of data.
    pub by: Grouping,
    /// How fast popularity falls from one data set of a kind to the next: the exponent of Zipf's law, in quarters.
    pub zipf: f64,
    /// How many data sets a workload uses.
    pub data_sets_of_workload: u32,
    /// In how many of a hundred cases a client is in a region of the data, and not in any region.
    pub clients_at_home_percent: u32,
    /// The kinds.
    pub kinds: Vec<DataKind>,
}

/// What draws a kind of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Grouping {
    /// Each workload; its pods move to the namespace `NAMESPACE-KIND`.
    Workload,
    /// Each namespace.
    Namespace,
}

/// A kind of data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DataKind {
    /// Its name.
    pub name: String,
    /// Its share, relative to the others.
    pub share: u32,
    /// What it is; absent for data that no law governs.
    pub profile: Option<KindProfile>,
    /// The regions of its copies and of clients at home; none are all.
    #[serde(default)]
    pub regions: Vec<RegionKey>,
    /// How many data sets there are of it.
    pub data_sets: u32,
    /// How many copies each has.
    pub copies: u32,
    /// `strict` or `available`.
    pub consistency: String,
}

/// What a kind of data is, in the words of policy files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KindProfile {
    /// One.
    pub classification: String,
    /// At least one.
    pub categories: Vec<String>,
    /// At least one.
    pub subjects: Vec<String>,
}

/// How workloads use their data sets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AccessRule {
    /// The labels of the pods of which it speaks; none are all pods.
    #[serde(default)]
    pub pods: BTreeMap<String, String>,
    /// Reads of each data set for each request, from the one number to the other.
    pub reads: [u32; 2],
    /// Writes, in the same way.
    pub writes: [u32; 2],
    /// In how many regions clients are; 0 where nobody waits for an answer.
    pub client_regions: u32,
}

impl DataKind {
    /// The annotations of a namespace whose pods carry it.
    #[must_use]
    pub fn annotations(&self) -> BTreeMap<String, String> {
        let stated = match &self.profile {
            None => vec![(DATA, "none".to_owned())],
            Some(profile) => vec![
                (DATA_CLASSIFICATION, profile.classification.clone()),
                (DATA_CATEGORIES, profile.categories.join(",")),
                (DATA_SUBJECTS, profile.subjects.join(",")),
            ],
        };
        stated
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect()
    }
}

impl DataRules {
    /// The exponent of Zipf's law in quarters.
    pub(super) fn zipf_quarters(&self) -> u32 {
        // It has been checked to be a few whole quarters.
        (self.zipf * 4.0).round() as u32
    }
}

impl SynthesisRules {
    /// Reads the rules; `file` is what problems are reported under.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<String>> {
        let rules: Self = super::read_yaml(file, text).map_err(|problem| vec![problem])?;
        let problems = rules.problems();
        match problems.is_empty() {
            true => Ok(rules),
            false => Err(problems
                .into_iter()
                .map(|problem| format!("{file}: {problem}"))
                .collect()),
        }
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = region_problems(&self.regions);
        if self.v != VERSION {
            problems.push(format!("`v` is {} where this program reads {VERSION}", self.v));
        }
        let zipf = self.data.zipf;
        if !(0.0..=4.0).contains(&zipf) || (zipf * 4.0).fract() != 0.0 {
            problems.push(format!(
                "`data.zipf` is {zipf}; write a number of quarters from 0 to 4, such as 1"
            ));
        }
        if self.data.clients_at_home_percent > 100 {
            problems.push("`data.clientsAtHomePercent` is more than 100".to_owned());
        }
        if self.data.kinds.is_empty() {
            problems.push("`data.kinds` is empty".to_owned());
        }
        let mut names = BTreeSet::new();
        for kind in &self.data.kinds {
            let name = &kind.name;
            if !is_dns_label(name) {
                problems.push(format!(
                    "`data.kinds`: `{name}` is no part of the name of a namespace"
                ));
            }
            if !names.insert(name) {
                problems.push(format!("`data.kinds`: `{name}` is there twice"));
            }
            problems.extend(
                self.kind_problems(kind)
                    .into_iter()
                    .map(|problem| format!("`{name}`: {problem}")),
            );
        }
        if !self.access.last().is_some_and(|rule| rule.pods.is_empty()) {
            problems
                .push("the last rule of `access` has to be one without `pods`, for all others".to_owned());
        }
        for rule in &self.access {
            let ranges = [("reads", rule.reads), ("writes", rule.writes)];
            for (field, [first, last]) in ranges {
                if first > last || last > MOST {
                    problems.push(format!("`access`: `{field}` is from {first} to {last}"));
                }
            }
        }
        problems
    }

    fn kind_problems(&self, kind: &DataKind) -> Vec<String> {
        let mut problems = Vec::new();
        if kind.share == 0 || kind.share > MOST {
            problems.push(format!("`share` is {} and not from 1 to {MOST}", kind.share));
        }
        if kind.data_sets > MOST {
            problems.push(format!("`dataSets` is {}, more than {MOST}", kind.data_sets));
        }
        for region in &kind.regions {
            if !self.regions.iter().any(|share| share.region == *region) {
                problems.push(format!("`{region}` is not among `regions`"));
            }
        }
        let places = match kind.regions.len() {
            0 => self.regions.len(),
            some => some,
        };
        if kind.data_sets > 0 && !(1..=places).contains(&(kind.copies as usize)) {
            problems.push(format!(
                "`copies` is {} where there are {places} regions",
                kind.copies
            ));
        }
        if let Some(profile) = &kind.profile
            && Classification::from_word(&profile.classification).is_none()
        {
            problems.push(format!("`{}` is no classification", profile.classification));
        }
        let annotations = kind.annotations();
        let pairs = annotations
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()));
        let read = read_annotations(ObjectKind::Namespace, pairs);
        problems.extend(read.malformed.into_iter().map(|malformed| malformed.problem));
        problems
    }
}

/// What is wrong with regions and their shares.
pub(super) fn region_problems(regions: &[RegionShare]) -> Vec<String> {
    let mut problems = Vec::new();
    if regions.is_empty() {
        problems.push("`regions` is empty".to_owned());
    }
    let mut known = BTreeSet::new();
    for RegionShare { region, share, zones } in regions {
        if !known.insert(region) {
            problems.push(format!("`regions`: `{region}` is there twice"));
        }
        if !(1..=MOST).contains(share) {
            problems.push(format!(
                "`regions`: the share of `{region}` is {share} and not from 1 to {MOST}"
            ));
        }
        if !(1..=26).contains(zones) {
            problems.push(format!(
                "`regions`: `{region}` has {zones} zones and not from 1 to 26"
            ));
        }
    }
    problems
}

impl RegionShare {
    /// The name of one of its zones, from 0, as its provider would call it.
    #[must_use]
    pub fn zone(&self, number: u32) -> String {
        let region = self.region.region();
        let letter = char::from_u32(u32::from('a') + number).unwrap_or('a');
        match self.region.provider() {
            "aws" => format!("{region}{letter}"),
            "gcp" => format!("{region}-{letter}"),
            _ => format!("{region}-{}", number + 1),
        }
    }
}
