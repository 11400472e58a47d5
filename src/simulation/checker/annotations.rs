//! What the annotations `domicile.dev/*` of one object say (docs/policies.md, 2).
//!
//! Inputs: who speaks, and the annotations as they stand. Output: [`Said`], or the first thing that cannot be read,
//! which refuses the pod. Invariant: nothing under our prefix is ignored.
//! Deliberately absent: advice on how to mend an annotation; and what limits, clients and peers mean, which are
//! read only to tell that they can be.

use std::collections::{BTreeMap, BTreeSet};

use super::words::Level;
use crate::model::{
    Country, DataSetName, LabelSelector, NamespaceName, RegionReference, Subdivision, is_dns_label,
};

const PREFIX: &str = "domicile.dev/";

/// What Domicile itself writes, and nobody reads back.
const WRITTEN_BY_DOMICILE: [&str; 6] = [
    "admitted-by",
    "admitted-places",
    "decision",
    "decision-snapshot",
    "decision-time",
    "woken-at",
];

const CATEGORIES: [&str; 12] = [
    "personal",
    "special-category",
    "health",
    "biometric",
    "genetic",
    "child",
    "precise-location",
    "criminal-justice",
    "payment",
    "financial",
    "export-controlled",
    "government",
];

/// The one category that is about machines.
const TELEMETRY: &str = "telemetry";

/// The most peers, and the most labels of one.
const MOST_PEERS: usize = 32;

/// The greatest number of requests and the greatest weight of a client.
const GREATEST: f64 = 1e6;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaker {
    Namespace,
    Pod,
    Claim,
    Volume,
    StorageClass,
}

/// What one object says.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    /// What a namespace says of its data as a whole.
    pub(super) as_a_whole: Option<AsAWhole>,
    pub(super) classifications: Option<BTreeSet<Level>>,
    pub(super) categories: Option<BTreeSet<String>>,
    pub(super) subjects: Option<BTreeSet<String>>,
    /// The data sets that it names.
    pub(super) uses: Vec<Use>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AsAWhole {
    NoData,
    ByWorkload,
}

/// A data set in use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Use {
    pub(super) name: String,
    /// It may be read unless it says that it is not.
    pub(super) may_read: bool,
    pub(super) may_write: bool,
}

impl Speaker {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Namespace => "Namespace",
            Self::Pod => "Pod",
            Self::Claim => "PersistentVolumeClaim",
            Self::Volume => "PersistentVolume",
            Self::StorageClass => "StorageClass",
        }
    }

    /// A pod or a claim says neither `public` nor `none`.
    fn only_adds(self) -> bool {
        matches!(self, Self::Pod | Self::Claim)
    }
}

impl Said {
    /// Whether it says something about the data itself.
    pub(super) fn has_profile(&self) -> bool {
        self.classifications.is_some() || self.categories.is_some() || self.subjects.is_some()
    }
}

/// Reads the annotations of one object.
///
/// # Errors
/// The first that cannot be read, as a sentence that names it.
pub(super) fn read(speaker: Speaker, annotations: &BTreeMap<String, String>) -> Result<Said, String> {
    let mut said = Said::default();
    for (key, value) in annotations {
        let Some(word) = key.strip_prefix(PREFIX) else {
            continue;
        };
        read_one(speaker, (word, value), &mut said)
            .map_err(|problem| format!("annotation `{key}` on {}: {problem}", speaker.word()))?;
    }
    if said.as_a_whole.is_some() && said.has_profile() {
        let kind = speaker.word();
        return Err(format!(
            "annotation `{PREFIX}data` on {kind}: it stands beside a profile"
        ));
    }
    Ok(said)
}

fn read_one(speaker: Speaker, (word, value): (&str, &str), said: &mut Said) -> Result<(), String> {
    match word {
        "data" => {
            said.as_a_whole = Some(match value.trim() {
                _ if speaker != Speaker::Namespace => return Err("only a Namespace may have it".to_owned()),
                "none" => AsAWhole::NoData,
                "by-workload" => AsAWhole::ByWorkload,
                other => return Err(format!("unknown value `{other}`")),
            });
        }
        "data-classification" => {
            let levels = members(value, ',')?
                .into_iter()
                .map(|word| match Level::of_word(word) {
                    Some(Level::Public) if speaker.only_adds() => Err("it only adds data".to_owned()),
                    Some(level) => Ok(level),
                    None => Err(format!("unknown classification `{word}`")),
                });
            said.classifications = Some(levels.collect::<Result<_, _>>()?);
        }
        "data-categories" => {
            let is_one = |word: &str| CATEGORIES.contains(&word) || word == TELEMETRY;
            said.categories = Some(dimension(speaker, value, is_one)?);
        }
        "data-subjects" => {
            let is_one = |word: &str| Country::new(word).is_ok() || Subdivision::new(word).is_ok();
            said.subjects = Some(dimension(speaker, value, is_one)?);
        }
        "data-sets" => said.uses = data_sets(value)?,
        "clients" => clients(value)?,
        "peers" => peers(value)?,
        "max-read-ms" | "max-write-ms" => {
            let limit: Option<f64> = value.trim().parse().ok();
            let is_one = limit.is_some_and(|limit| limit.is_finite() && limit > 0.0);
            ensure(is_one, || format!("`{value}` is no limit in milliseconds"))?;
        }
        _ => {
            let is_ours = WRITTEN_BY_DOMICILE.contains(&word);
            ensure(is_ours, || "unknown annotation".to_owned())?;
        }
    }
    Ok(())
}

fn ensure(holds: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(problem()) }
}

/// The members of a list, none of which may be empty.
fn members(value: &str, separator: char) -> Result<Vec<&str>, String> {
    let members: Vec<&str> = value.split(separator).map(str::trim).collect();
    let says_each = members.iter().all(|member| !member.is_empty());
    ensure(says_each, || "the list or a member of it is empty".to_owned())?;
    Ok(members)
}

/// A list whose only member may be `none`.
fn dimension(
    speaker: Speaker,
    value: &str,
    is_one: impl Fn(&str) -> bool,
) -> Result<BTreeSet<String>, String> {
    let members = members(value, ',')?;
    let says_none = members.contains(&"none");
    ensure(!says_none || !speaker.only_adds(), || {
        "it only adds data".to_owned()
    })?;
    ensure(!says_none || members.len() == 1, || {
        "`none` stands beside other values".to_owned()
    })?;
    if let Some(stranger) = members.iter().find(|word| !says_none && !is_one(word)) {
        return Err(format!("unknown word `{stranger}`"));
    }
    Ok(members.into_iter().map(str::to_owned).collect())
}

/// `orders: reads=4 writes=1; catalog`.
fn data_sets(value: &str) -> Result<Vec<Use>, String> {
    let mut uses: Vec<Use> = Vec::new();
    for written in members(value, ';')? {
        let (name, options) = written.split_once(':').unwrap_or((written, ""));
        let name = name.trim();
        let is_name = DataSetName::new(name).is_ok() && !name.contains([',', '=']);
        ensure(is_name, || format!("`{name}` is no name of a data set"))?;
        let is_new = uses.iter().all(|known| known.name != name);
        ensure(is_new, || format!("the data set `{name}` is named twice"))?;
        let numbers = options_of(options, &["reads", "writes"])?;
        let may = |word: &str| match numbers.get(word) {
            None => Ok(true),
            Some(number) => requests(number).map(|number| number > 0.0),
        };
        uses.push(Use {
            name: name.to_owned(),
            may_read: may("reads")?,
            may_write: may("writes")?,
        });
    }
    Ok(uses)
}

/// `reads=4 writes=1`, each at most once.
fn options_of<'t>(text: &'t str, known: &[&str]) -> Result<BTreeMap<&'t str, &'t str>, String> {
    let mut options = BTreeMap::new();
    for written in text.split_whitespace() {
        let (word, value) = written.split_once('=').unwrap_or((written, ""));
        ensure(known.contains(&word), || format!("unknown word `{word}`"))?;
        let before = options.insert(word, value);
        ensure(before.is_none(), || format!("`{word}` is stated twice"))?;
    }
    Ok(options)
}

fn requests(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.parse().ok();
    let number = number.filter(|number| (0.0..=GREATEST).contains(number));
    number.ok_or_else(|| format!("`{text}` is no number of requests"))
}

/// `eu-west-1=0.7, us-east-1=0.3`.
fn clients(value: &str) -> Result<(), String> {
    let mut regions: Vec<RegionReference> = Vec::new();
    for written in members(value, ',')? {
        let (region, weight) = written.split_once('=').unwrap_or((written, ""));
        let region = RegionReference::parse(region.trim()).map_err(|_| format!("`{region}` is no region"))?;
        let weight: Option<f64> = weight.trim().parse().ok();
        let is_weight = weight.is_some_and(|weight| weight > 0.0 && weight <= GREATEST);
        ensure(is_weight, || format!("`{written}` has no weight above 0"))?;
        let is_new = !regions.contains(&region);
        ensure(is_new, || format!("the region of `{written}` is named twice"))?;
        regions.push(region);
    }
    Ok(())
}

/// `app=cart,tier=backend: calls=3; app=payment: namespace=billing`.
fn peers(value: &str) -> Result<(), String> {
    let mut known: Vec<(LabelSelector, Option<&str>)> = Vec::new();
    for written in members(value, ';')? {
        let (labels, options) = written.split_once(':').unwrap_or((written, ""));
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for label in labels.split(',') {
            let pair = label.split_once('=');
            let (key, value) = pair.ok_or_else(|| format!("`{label}` is no label with its value"))?;
            pairs.push((key.trim(), value.trim()));
        }
        ensure(pairs.len() <= MOST_PEERS, || {
            "a selector has too many labels".to_owned()
        })?;
        let selector = LabelSelector::new(&pairs).map_err(|invalid| invalid.to_string())?;
        let options = options_of(options, &["calls", "namespace"])?;
        if let Some(calls) = options.get("calls") {
            requests(calls)?;
        }
        let namespace = options.get("namespace").copied();
        let is_namespace = |name: &str| NamespaceName::new(name).is_ok() && is_dns_label(name);
        ensure(namespace.is_none_or(is_namespace), || {
            format!("`{written}` names no namespace")
        })?;
        let peer = (selector, namespace);
        ensure(!known.contains(&peer), || format!("`{written}` is named twice"))?;
        known.push(peer);
    }
    ensure(known.len() <= MOST_PEERS, || {
        "it names too many groups of peers".to_owned()
    })
}
