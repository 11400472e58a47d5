//! The settings of `serve` as types that cannot be wrong.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use super::admission::AdmissionServer;
use super::live_latency::LiveLatencySettings;
use super::overload::OverloadSettings;
use crate::cluster::DutySettings;
use crate::cluster::lease::LeaseSettings;
use crate::server::TlsSettings;

/// A setting whose value is one of a few words.
pub trait WordSetting: Sized + Copy + 'static {
    /// Every word with its meaning.
    const WORDS: &'static [(&'static str, Self)];

    /// Finds a value by its word.
    #[must_use]
    fn from_word(word: &str) -> Option<Self> {
        Self::WORDS
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, value)| *value)
    }
}

/// What to answer when permitted nodes exist in the fleet and none of them was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnBlindSample {
    /// An error, after which kube-scheduler tries again soon with another sample.
    Error,
    /// A refusal, after which the pod waits for an event.
    Refuse,
}

impl WordSetting for OnBlindSample {
    const WORDS: &'static [(&'static str, Self)] = &[("error", Self::Error), ("refuse", Self::Refuse)];
}

/// On how many refused nodes the sentence is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RefusalReasons {
    /// On all where at most 100 were offered, else on one.
    Auto,
    /// On one.
    One,
    /// On all.
    All,
}

impl WordSetting for RefusalReasons {
    const WORDS: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("one", Self::One), ("all", Self::All)];
}

/// Where rules, or data sets, come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ObjectSource {
    /// Files, or what is built in.
    Files,
    /// Custom resources of the cluster.
    CustomResources,
    /// Files, and custom resources beside them.
    Both,
}

impl WordSetting for ObjectSource {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("files", Self::Files),
        ("custom-resources", Self::CustomResources),
        ("both", Self::Both),
    ];
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object for each line.
    Json,
}

impl WordSetting for LogFormat {
    const WORDS: &'static [(&'static str, Self)] = &[("text", Self::Text), ("json", Self::Json)];
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// How lines look.
    pub format: LogFormat,
    /// Which lines are written: `tracing` directives, known to be readable.
    pub filter: String,
}

/// Where nodes and namespaces come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FleetSource {
    /// A file.
    File(PathBuf),
    /// The API server of the cluster.
    Cluster,
    /// The fleet that is built in.
    Embedded,
}

/// The settings of `domicile serve`.
#[derive(Debug, Clone, PartialEq)]
pub struct ServeSettings {
    /// Where kube-scheduler finds us.
    pub listen: SocketAddr,
    /// How it is encrypted; `None` is not at all.
    pub tls: Option<TlsSettings>,
    /// Where the admin routes are; `None` shares `listen`.
    pub admin_listen: Option<SocketAddr>,
    /// How API servers are answered; `None` is not at all.
    pub admission: Option<AdmissionServer>,
    /// Where nodes and namespaces come from.
    pub fleet: FleetSource,
    /// Whether nothing is written to the cluster: no pod is woken, and none is told anything.
    pub read_only: bool,
    /// By which Lease replicas agree on the one that writes to the cluster.
    pub lease: LeaseSettings,
    /// How often that one scans, and how fast it wakes pods.
    pub duties: DutySettings,
    /// Where the files of policies are; `None` is built in, as below.
    pub policies: Option<PathBuf>,
    /// Whether files, objects of the cluster or both are the policies.
    pub policies_from: ObjectSource,
    /// Where the files of data sets are.
    pub data_sets: Option<PathBuf>,
    /// Whether files, objects of the cluster or both are the data sets.
    pub data_sets_from: ObjectSource,
    /// Where measured latencies come from.
    pub latency: Option<PathBuf>,
    /// Where latencies come from that are measured now.
    pub live_latency: LiveLatencySettings,
    /// Where the last good files are kept; `None` keeps them in memory only.
    pub state_dir: Option<PathBuf>,
    /// Where decision records go; `None` writes none.
    pub decisions: Option<PathBuf>,
    /// The most bytes of one body, and of all bodies that are being read at one time.
    pub body_limit_bytes: NonZeroUsize,
    /// How much may wait to be decided.
    pub overload: OverloadSettings,
    /// What to answer to a blind sample.
    pub on_blind_sample: OnBlindSample,
    /// On how many refused nodes the sentence is written.
    pub refusal_reasons: RefusalReasons,
    /// How often files are read again although nothing announced a change.
    pub reload_interval: Duration,
    /// What is logged, and how.
    pub log: LogSettings,
    /// Threads that answer; `None` is one for each core.
    pub workers: Option<NonZeroUsize>,
    /// How long requests in flight may take to finish at a shutdown.
    pub shutdown_grace: Duration,
}
