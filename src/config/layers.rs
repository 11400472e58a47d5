//! Layers of settings: defaults, file, environment, flags.
//!
//! Invariants: a key that [`SETTINGS`] does not list is a problem, in whatever layer it stands; every
//! value remembers its origin. Keys are written alike in files and as flags (`on-blind-sample`); the
//! environment writes `DOMICILE__ON_BLIND_SAMPLE`, with `__` for the dot of a nested key.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use ::config::{Config, File, Map, Source, Value, ValueKind};

use super::arguments::ServeArgs;
use super::error::ConfigError;
use super::settings::{ObjectSource, OnBlindSample, RefusalReasons, WordSetting};
use crate::model::nearest_word;

/// One setting: its key, its default and what it means.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The key in files, with a dot between levels.
    pub key: &'static str,
    /// Its default as a file would say it; `None` is unset.
    pub default: Option<&'static str>,
    /// What it means, in a few words.
    pub meaning: &'static str,
}

macro_rules! settings {
    ($($key:literal = $default:expr, $meaning:literal;)*) => {
        /// Every setting of `serve`.
        pub const SETTINGS: &[Setting] = &[
            $(Setting { key: $key, default: $default, meaning: $meaning },)*
        ];
    };
}

settings! {
    "listen" = Some("127.0.0.1:8265"), "address of the extender routes";
    "tls.certificate" = None, "PEM file with the certificate of `listen` and its chain, docs/tls.md";
    "tls.key" = None, "PEM file with its key";
    "tls.client-ca" = None, "PEM file with the authorities whose clients alone are let in";
    "tls.client-names" = None, "list of names of which the certificate of a client must bear one";
    "insecure-http" = Some("false"), "let addresses beyond loopback be unencrypted";
    "admission.listen" = None, "address of /mutate and /validate, docs/admission.md; unset serves neither";
    "admission.tls.certificate" = None, "PEM file with the certificate of that address and its chain, docs/tls.md";
    "admission.tls.key" = None, "PEM file with its key";
    "admission.tls.client-ca" = None, "PEM file with the authorities whose clients alone are let in there";
    "admission.tls.client-names" = None, "list of names of which the certificate of a client there must bear one";
    "admission.nowhere" = Some("warn"), "what becomes of a pod that may run nowhere: warn or reject";
    "admission.scheduler-name" = None, "the scheduler that governed pods get which name the default one";
    "admission.schedulers" = Some("domicile"), "list of the schedulers that ask domicile, for /validate";
    "admission.providers" = Some("fleet"), "from which providers nodes may still come: fleet or catalogue";
    "admission.wait-for-facts" = Some("300ms"), "how long a pod waits for its namespace and claims to be known";
    "admin-listen" = None, "address of /livez, /readyz and /metrics; unset shares `listen`";
    "fleet" = None, "file with nodes and namespaces";
    "cluster" = Some("false"), "watch the cluster instead of a fleet file";
    "read-only" = Some("false"), "write nothing to the cluster: wake no pods, and tell them nothing";
    "lease.name" = Some("domicile"), "the Lease by which replicas agree on who wakes pods, scans and writes status";
    "lease.namespace" = None, "its namespace; unset is that of the pod that domicile runs in";
    "retries.per-second" = Some("50"), "most pods woken in a second after a change that admits them, docs/retries.md";
    "scan.interval" = Some("10m"), "how often every pod is judged although nothing changed, docs/scan.md";
    "policies" = None, "directory of policies";
    "policies-from" = Some("files"), "which policies rule: files, custom-resources or both, docs/custom-resources.md";
    "data-sets" = None, "file or directory of data sets";
    "data-sets-from" = Some("files"), "which data sets count: files, custom-resources or both";
    "latency" = None, "file of measured latencies";
    "live-latency.prometheus" = None, "list of Prometheus servers that know latencies as of now, docs/latency.md";
    "live-latency.estimator.fresh-for" = Some("2m"), "how long a measured latency counts as it is";
    "live-latency.estimator.stale-for" = Some("15m"), "how long it counts at all, before the latency file does again";
    "live-latency.estimator.newest-weight" = Some("0.2"), "share of the newest poll in the moving average";
    "live-latency.estimator.least-change-ms" = Some("1"), "milliseconds that a latency moves before decisions follow";
    "live-latency.estimator.least-change-ratio" = Some("0.1"), "and the share of itself";
    "live-latency.estimator.least-change-polls" = Some("3"), "and for how many polls in a row";
    "live-latency.estimator.partition-failures" = Some("3"), "failures after which a pair counts as parted";
    "live-latency.estimator.partition-polls" = Some("5"), "of how many polls, at most 32";
    "state-dir" = None, "directory that keeps the last good files";
    "decisions" = None, "file for decision records";
    "body-limit-bytes" = Some("268435456"), "most bytes of one request body, and of all in flight together";
    "overload.most-waiting" = Some("256"), "most requests that wait to be decided; a further one gets 503 at once";
    "overload.longest-wait" = Some("300ms"), "how long one waits to be decided before it gets 503, docs/failures.md";
    "on-blind-sample" = Some("error"), "answer when permitted nodes exist and none was offered: error or refuse";
    "refusal-reasons" = Some("auto"), "on how many refused nodes the sentence is written: auto, one or all";
    "reload-interval" = Some("10s"), "how often files are read again although nothing announced a change";
    "log.format" = Some("text"), "text or json";
    "log.filter" = Some("info"), "which log lines are written, as `tracing` directives";
    "workers" = None, "threads that answer; unset is one for each core";
    "shutdown-grace" = Some("10s"), "how long requests in flight may take to finish at a shutdown";
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// A file.
    File(PathBuf),
    /// A variable of the environment.
    Environment(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("the defaults"),
            Self::File(path) => write!(formatter, "the file `{}`", path.display()),
            Self::Environment(variable) => write!(formatter, "the environment variable `{variable}`"),
            Self::Flag(flag) => write!(formatter, "the flag `{flag}`"),
        }
    }
}

/// How the variables of ours begin.
const ENVIRONMENT_PREFIX: &str = "DOMICILE__";

/// Keys with values and their origins, not yet checked.
#[derive(Debug, Clone, Default)]
struct Layer(BTreeMap<String, (ValueKind, Origin)>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ::config::ConfigError> {
        Ok(self
            .0
            .iter()
            .map(|(key, (kind, _))| (key.clone(), Value::new(None, kind.clone())))
            .collect())
    }
}

/// All layers, merged, every key known.
#[derive(Debug)]
pub(super) struct Layers {
    merged: Config,
    origins: BTreeMap<String, Origin>,
}

impl Layers {
    /// Reads and merges the layers.
    pub(super) fn read(
        arguments: &ServeArgs,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, ConfigError> {
        let mut layers = vec![defaults()];
        if let Some(path) = &arguments.config {
            layers.push(file(path)?);
        }
        layers.push(environment_layer(environment));
        layers.push(flags(arguments));

        let problems: Vec<String> = layers.iter().flat_map(unknown_keys).collect();
        if !problems.is_empty() {
            return Err(ConfigError { problems });
        }
        let mut builder = Config::builder();
        let mut origins = BTreeMap::new();
        for layer in layers {
            let from_layer = layer.0.iter();
            origins.extend(from_layer.map(|(key, (_, origin))| (key.clone(), origin.clone())));
            builder = builder.add_source(layer);
        }
        let merged = builder
            .build()
            .map_err(|error| ConfigError::one(format!("settings cannot be merged: {error}")))?;
        Ok(Self { merged, origins })
    }

    /// The value of a key; `None` where no layer sets it.
    pub(super) fn value(&self, key: &str) -> Option<Value> {
        self.merged.get::<Value>(key).ok()
    }

    /// Where the value of a key came from.
    pub(super) fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }
}

fn unknown_keys(layer: &Layer) -> Vec<String> {
    let unknown = layer
        .0
        .iter()
        .filter(|(key, _)| SETTINGS.iter().all(|setting| setting.key != key.as_str()));
    unknown
        .map(|(key, (_, origin))| {
            let spelled = key.replace('_', "-").to_lowercase();
            let folded = spelled.replace('-', "");
            let same_letters = SETTINGS
                .iter()
                .find(|setting| setting.key.replace('-', "") == folded)
                .map(|setting| setting.key);
            let meant =
                same_letters.or_else(|| nearest_word(&spelled, SETTINGS.iter().map(|setting| setting.key)));
            let hint = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`"));
            format!("{origin} sets `{key}`, which is no setting{hint}")
        })
        .collect()
}

fn defaults() -> Layer {
    let set = SETTINGS.iter().filter_map(|setting| {
        let text = setting.default?;
        Some((
            setting.key.to_owned(),
            (ValueKind::String(text.to_owned()), Origin::Default),
        ))
    });
    Layer(set.collect())
}

fn file(path: &Path) -> Result<Layer, ConfigError> {
    let known = ["yaml", "yml", "json", "toml"];
    let extension = path
        .extension()
        .map(|extension| extension.to_string_lossy().to_lowercase());
    if !extension.is_some_and(|extension| known.contains(&extension.as_str())) {
        return Err(ConfigError::one(format!(
            "the file `{}` has none of the extensions .yaml, .yml, .json and .toml, by which its format is known",
            path.display()
        )));
    }
    let table = Config::builder()
        .add_source(File::from(path))
        .build()
        .and_then(|config| config.collect())
        .map_err(|error| {
            ConfigError::one(format!("the file `{}` cannot be read: {error}", path.display()))
        })?;
    let mut layer = Layer::default();
    flatten("", table, &Origin::File(path.to_owned()), &mut layer);
    Ok(layer)
}

fn flatten(prefix: &str, table: Map<String, Value>, origin: &Origin, layer: &mut Layer) {
    let ordered: BTreeMap<String, Value> = table.into_iter().collect();
    for (key, value) in ordered {
        let path = if prefix.is_empty() {
            key
        } else {
            format!("{prefix}.{key}")
        };
        match value.kind {
            ValueKind::Table(inner) => flatten(&path, inner, origin, layer),
            kind => {
                layer.0.insert(path, (kind, origin.clone()));
            }
        }
    }
}

fn environment_layer(environment: &BTreeMap<String, String>) -> Layer {
    let ours = environment.iter().filter_map(|(variable, value)| {
        let key = variable.strip_prefix(ENVIRONMENT_PREFIX)?;
        let key = key.replace("__", ".").replace('_', "-").to_lowercase();
        Some((
            key,
            (
                ValueKind::String(value.clone()),
                Origin::Environment(variable.clone()),
            ),
        ))
    });
    Layer(ours.collect())
}

fn word_of<T: WordSetting + PartialEq>(value: T) -> Option<String> {
    let mut words = T::WORDS.iter();
    words
        .find(|(_, known)| *known == value)
        .map(|(word, _)| (*word).to_owned())
}

fn flags(arguments: &ServeArgs) -> Layer {
    // Exhaustive on purpose: a new flag that no key takes does not compile.
    let ServeArgs {
        config: _,
        listen,
        tls,
        admin_listen,
        admission,
        insecure_http,
        cluster,
        read_only,
        sources,
        policies_from,
        data_sets_from,
        state_dir,
        decisions,
        on_blind_sample,
        refusal_reasons,
    } = arguments;
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
    let given = [
        ("listen", listen.clone()),
        ("tls.certificate", path(&tls.tls_certificate)),
        ("tls.key", path(&tls.tls_key)),
        ("tls.client-ca", path(&tls.tls_client_ca)),
        ("tls.client-names", tls.tls_client_names.clone()),
        ("insecure-http", insecure_http.then(|| "true".to_owned())),
        ("admin-listen", admin_listen.clone()),
        ("admission.listen", admission.admission_listen.clone()),
        (
            "admission.tls.certificate",
            path(&admission.admission_tls_certificate),
        ),
        ("admission.tls.key", path(&admission.admission_tls_key)),
        (
            "admission.tls.client-ca",
            path(&admission.admission_tls_client_ca),
        ),
        (
            "admission.tls.client-names",
            admission.admission_tls_client_names.clone(),
        ),
        ("cluster", cluster.then(|| "true".to_owned())),
        ("read-only", read_only.then(|| "true".to_owned())),
        ("fleet", path(&sources.fleet)),
        ("policies", path(&sources.policies)),
        ("policies-from", policies_from.and_then(word_of::<ObjectSource>)),
        ("data-sets", path(&sources.data_sets)),
        ("data-sets-from", data_sets_from.and_then(word_of::<ObjectSource>)),
        ("latency", path(&sources.latency)),
        ("state-dir", path(state_dir)),
        ("decisions", path(decisions)),
        (
            "on-blind-sample",
            on_blind_sample.and_then(word_of::<OnBlindSample>),
        ),
        (
            "refusal-reasons",
            refusal_reasons.and_then(word_of::<RefusalReasons>),
        ),
    ];
    let set = given.into_iter().filter_map(|(key, value)| {
        Some((
            key.to_owned(),
            (
                ValueKind::String(value?),
                Origin::Flag(format!("--{}", key.replace('.', "-"))),
            ),
        ))
    });
    Layer(set.collect())
}
