//! From merged layers to settings that cannot be wrong.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use ::config::{Value, ValueKind};
use jiff::SignedDuration;
use tracing_subscriber::EnvFilter;

use super::arguments::ServeArgs;
use super::error::ConfigError;
use super::layers::{Layers, Origin};
use super::live_latency::{LiveLatencySettings, sources};
use super::settings::{FleetSource, LogSettings, ObjectSource, ServeSettings, WordSetting};
use crate::cluster::DutySettings;
use crate::cluster::lease::LeaseSettings;
use crate::topology::{EstimatorSettings, Hysteresis, InvalidEstimatorSettings, PartitionRule};

/// The least time between two unannounced readings of the files.
const SHORTEST_RELOAD_INTERVAL: Duration = Duration::from_millis(100);
/// The most: facts of an hour ago are a surprise to whoever changed them.
const LONGEST_RELOAD_INTERVAL: Duration = Duration::from_hours(1);
/// The longest wait at a shutdown; Kubernetes kills long before.
const LONGEST_SHUTDOWN_GRACE: Duration = Duration::from_mins(10);
/// Below this many bytes not even one pod of ordinary size fits.
const LEAST_BODY_LIMIT_BYTES: usize = 64 * 1024;
/// Far more threads than kube-scheduler, which asks about one pod at a time, could keep busy.
const MOST_WORKERS: usize = 1024;

/// The least time between two scans of all pods that nothing asked for.
const SHORTEST_SCAN_INTERVAL: Duration = Duration::from_secs(10);
/// The most: whoever looks at findings of a day ago is late.
const LONGEST_SCAN_INTERVAL: Duration = Duration::from_hours(24);
/// More pods than kube-scheduler places in a second.
const MOST_RETRIES_PER_SECOND: usize = 1_000;

/// The list of sources of live latency.
const SOURCES_KEY: &str = "live-latency.prometheus";

/// Reads, merges and checks every layer.
///
/// # Errors
/// Where the file cannot be read, a key is unknown or a value cannot be; every problem is told.
pub fn load(
    arguments: &ServeArgs,
    environment: &BTreeMap<String, String>,
) -> Result<ServeSettings, ConfigError> {
    let mut reader = Reader {
        layers: Layers::read(arguments, environment)?,
        problems: Vec::new(),
    };
    let settings = reader.settings();
    match settings {
        Some(settings) if reader.problems.is_empty() => Ok(settings),
        _ => Err(ConfigError {
            problems: reader.problems,
        }),
    }
}

/// Reads settings one after another and gathers what is wrong with them.
pub(super) struct Reader {
    layers: Layers,
    problems: Vec<String>,
}

impl Reader {
    fn settings(&mut self) -> Option<ServeSettings> {
        let tls = self.tls("tls");
        // Whoever names a certificate means to encrypt, even where something is wrong with the rest.
        let means_tls = self.is_set("tls.certificate");
        let listen = self.guarded_address("listen", "tls", means_tls);
        let admission = self.admission();
        let admin_listen = self.address("admin-listen");
        if listen.is_some() && listen == admin_listen {
            self.reject(
                "admin-listen",
                "is the address of `listen`: leave it out to share that",
            );
        }
        let fleet = self.fleet();
        let read_only = self.truth("read-only");
        let lease = self.lease();
        let duties = self.duties();
        let policies = self.path("policies");
        let policies_from = self.object_source("policies-from", "policies", &fleet);
        let data_sets = self.path("data-sets");
        let data_sets_from = self.object_source("data-sets-from", "data-sets", &fleet);
        let latency = self.path("latency");
        let live_latency = self.live_latency();
        let state_dir = self.path("state-dir");
        let decisions = self.path("decisions");
        let body_limit_bytes = self.number("body-limit-bytes", LEAST_BODY_LIMIT_BYTES, usize::MAX / 2);
        let overload = self.overload();
        let on_blind_sample = self.word("on-blind-sample");
        let refusal_reasons = self.word("refusal-reasons");
        let reload_interval = self.duration(
            "reload-interval",
            SHORTEST_RELOAD_INTERVAL,
            LONGEST_RELOAD_INTERVAL,
        );
        let log = self.log();
        let workers = self.number("workers", 1, MOST_WORKERS);
        let shutdown_grace = self.duration("shutdown-grace", Duration::ZERO, LONGEST_SHUTDOWN_GRACE);
        Some(ServeSettings {
            listen: listen?,
            tls,
            admin_listen,
            admission,
            fleet,
            read_only,
            lease: lease?,
            duties: duties?,
            policies,
            policies_from: policies_from?,
            data_sets,
            data_sets_from: data_sets_from?,
            latency,
            live_latency: live_latency?,
            state_dir,
            decisions,
            body_limit_bytes: body_limit_bytes?,
            overload: overload?,
            on_blind_sample: on_blind_sample?,
            refusal_reasons: refusal_reasons?,
            reload_interval: reload_interval?,
            log: log?,
            workers,
            shutdown_grace: shutdown_grace?,
        })
    }

    pub(super) fn reject(&mut self, key: &str, problem: &str) {
        let origin = self.layers.origin(key);
        self.problems.push(format!("`{key}` from {origin} {problem}"));
    }

    /// Where the value of a key comes from.
    pub(super) fn origin(&self, key: &str) -> &Origin {
        self.layers.origin(key)
    }

    /// A value as it was written.
    pub(super) fn value(&self, key: &str) -> Option<Value> {
        self.layers.value(key)
    }

    /// Whether any layer sets a key.
    pub(super) fn is_set(&self, key: &str) -> bool {
        self.layers.value(key).is_some()
    }

    /// A value as text; what is no single value is a problem.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let value = self.layers.value(key)?;
        let text = match value.kind {
            ValueKind::Nil => String::new(),
            ValueKind::Array(_) | ValueKind::Table(_) => {
                self.reject(key, "has several values where one is expected");
                return None;
            }
            _ => value.into_string().unwrap_or_default(),
        };
        if text.is_empty() {
            self.reject(key, "is empty: leave it out to leave it unset");
            return None;
        }
        Some(text)
    }

    pub(super) fn address(&mut self, key: &str) -> Option<SocketAddr> {
        let text = self.text(key)?;
        let address = text.parse().ok();
        if address.is_none() {
            self.reject(
                key,
                &format!("is `{text}`: write an IP address and a port such as 127.0.0.1:8265"),
            );
        }
        address
    }

    pub(super) fn truth(&mut self, key: &str) -> bool {
        match self.text(key).as_deref() {
            Some("true") => true,
            Some("false") | None => false,
            Some(other) => {
                self.reject(key, &format!("is `{other}`: write true or false"));
                false
            }
        }
    }

    pub(super) fn path(&mut self, key: &str) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    fn fleet(&mut self) -> FleetSource {
        let file = self.path("fleet");
        match (file, self.truth("cluster")) {
            (Some(_), true) => {
                let cluster = self.layers.origin("cluster").to_string();
                self.reject(
                    "fleet",
                    &format!("and `cluster` from {cluster} both say where nodes come from: leave one out"),
                );
                FleetSource::Embedded
            }
            (Some(file), false) => FleetSource::File(file),
            (None, true) => FleetSource::Cluster,
            (None, false) => FleetSource::Embedded,
        }
    }

    /// Which source rules. One that is not asked must not be named, or somebody would count on it.
    fn object_source(&mut self, key: &str, files: &str, fleet: &FleetSource) -> Option<ObjectSource> {
        let source = self.word(key)?;
        if source != ObjectSource::Files && *fleet != FleetSource::Cluster {
            self.reject(
                key,
                "needs `cluster`, whose objects they are: set `cluster: true`",
            );
        }
        if source == ObjectSource::CustomResources && self.is_set(files) {
            let asked = self.layers.origin(key).to_string();
            self.reject(
                files,
                &format!("is read by nobody, since `{key}` from {asked} is `custom-resources`: leave it out, or write `both`"),
            );
        }
        Some(source)
    }

    fn lease(&mut self) -> Option<LeaseSettings> {
        let name = self.object_name("lease.name");
        let namespace = match self.is_set("lease.namespace") {
            true => Some(self.object_name("lease.namespace")?),
            false => None,
        };
        Some(LeaseSettings {
            name: name?,
            namespace,
        })
    }

    fn duties(&mut self) -> Option<DutySettings> {
        let scan_interval = self.duration("scan.interval", SHORTEST_SCAN_INTERVAL, LONGEST_SCAN_INTERVAL);
        let per_second = self.number("retries.per-second", 1, MOST_RETRIES_PER_SECOND);
        Some(DutySettings {
            scan_interval: scan_interval?,
            retries_per_second: u32::try_from(per_second?.get()).ok()?,
        })
    }

    /// The name of an object of the cluster, as the API server takes it.
    fn object_name(&mut self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        let is_letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        let is_name = text.len() <= 63
            && text.chars().all(|letter| is_letter(letter) || letter == '-')
            && text.starts_with(is_letter)
            && text.ends_with(is_letter);
        if !is_name {
            self.reject(
                key,
                &format!("is `{text}`: write lowercase letters, digits and hyphens, at most 63"),
            );
        }
        is_name.then_some(text)
    }

    pub(super) fn number(&mut self, key: &str, least: usize, most: usize) -> Option<NonZeroUsize> {
        let text = self.text(key)?;
        let number = text
            .parse()
            .ok()
            .filter(|number| (least..=most).contains(number))
            .and_then(NonZeroUsize::new);
        if number.is_none() {
            self.reject(
                key,
                &format!("is `{text}`: write a whole number, {least} to {most}"),
            );
        }
        number
    }

    pub(super) fn word<T: WordSetting>(&mut self, key: &str) -> Option<T> {
        let text = self.text(key)?;
        let value = T::from_word(&text);
        if value.is_none() {
            let words: Vec<&str> = T::WORDS.iter().map(|(word, _)| *word).collect();
            self.reject(key, &format!("is `{text}`: write {}", words.join(" or ")));
        }
        value
    }

    pub(super) fn duration(&mut self, key: &str, least: Duration, most: Duration) -> Option<Duration> {
        let text = self.text(key)?;
        let duration = text
            .parse::<SignedDuration>()
            .ok()
            .and_then(|duration| Duration::try_from(duration).ok())
            .filter(|duration| (least..=most).contains(duration));
        if duration.is_none() {
            self.reject(
                key,
                &format!("is `{text}`: write a time with its unit such as 10s, {least:?} to {most:?}"),
            );
        }
        duration
    }

    fn live_latency(&mut self) -> Option<LiveLatencySettings> {
        let estimator = self.estimator()?;
        let Some(value) = self.value(SOURCES_KEY) else {
            return Some(LiveLatencySettings {
                prometheus: Vec::new(),
                estimator,
            });
        };
        match sources(value, estimator.fresh_for) {
            Ok(prometheus) => Some(LiveLatencySettings {
                prometheus,
                estimator,
            }),
            Err(problems) => {
                for problem in problems {
                    self.reject(SOURCES_KEY, &problem);
                }
                None
            }
        }
    }

    fn estimator(&mut self) -> Option<EstimatorSettings> {
        const LONGEST_AGE: Duration = Duration::from_hours(24);
        let key = |name: &str| format!("live-latency.estimator.{name}");
        let age = |reader: &mut Self, name: &str| {
            let age = reader.duration(&key(name), Duration::from_secs(1), LONGEST_AGE)?;
            SignedDuration::try_from(age).ok()
        };
        let fresh_for = age(self, "fresh-for");
        let stale_for = age(self, "stale-for");
        let ewma_weight = self.decimal(&key("newest-weight"));
        let least_ms = self.decimal(&key("least-change-ms"));
        let least_ratio = self.decimal(&key("least-change-ratio"));
        let mut count = |name: &str| {
            let count = self.number(&key(name), 1, 1_000)?;
            u32::try_from(count.get()).ok()
        };
        let windows = count("least-change-polls");
        let failures = count("partition-failures");
        let of_windows = count("partition-polls");
        let settings = EstimatorSettings {
            fresh_for: fresh_for?,
            stale_for: stale_for?,
            ewma_weight: ewma_weight?,
            hysteresis: Hysteresis {
                least_ms: least_ms?,
                least_ratio: least_ratio?,
                windows: windows?,
            },
            partition: PartitionRule {
                failures: failures?,
                of_windows: of_windows?,
            },
        };
        settings
            .checked()
            .map_err(|problem| {
                let key = key(match problem {
                    InvalidEstimatorSettings::Ages => "stale-for",
                    InvalidEstimatorSettings::Weight => "newest-weight",
                    InvalidEstimatorSettings::Hysteresis => "least-change-ms",
                    InvalidEstimatorSettings::Partition => "partition-polls",
                });
                self.reject(&key, &format!("cannot be: {problem}"));
            })
            .ok()
    }

    fn decimal(&mut self, key: &str) -> Option<f64> {
        let text = self.text(key)?;
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        if number.is_none() {
            self.reject(key, &format!("is `{text}`: write a number such as 0.2"));
        }
        number
    }

    fn log(&mut self) -> Option<LogSettings> {
        let format = self.word("log.format");
        let filter = self.text("log.filter")?;
        if let Err(error) = EnvFilter::try_new(&filter) {
            self.reject("log.filter", &format!("is `{filter}`: {error}"));
        }
        Some(LogSettings {
            format: format?,
            filter,
        })
    }
}
