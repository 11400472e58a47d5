//! How a pod uses data: where its requests come from, what it reads and what it writes.

use super::labels::LabelSelector;
use super::locality::RegionReference;
use super::names::{DataSetName, NamespaceName};

/// A number of reads or writes for each request that a pod serves: finite and not negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct RequestsPerCall(f64);

impl RequestsPerCall {
    /// One for each request.
    pub const ONE: Self = Self(1.0);

    /// Checks a number: finite, not negative, at most a million.
    #[must_use]
    pub fn new(number: f64) -> Option<Self> {
        (0.0..=1e6).contains(&number).then_some(Self(number))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

/// How a pod uses one data set.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSetUse {
    /// Which data set.
    pub name: DataSetName,
    /// Reads for each request; unstated is `None`.
    pub reads: Option<RequestsPerCall>,
    /// Writes for each request; unstated is `None`, which a rule on writes takes for "may write".
    pub writes: Option<RequestsPerCall>,
}

impl DataSetUse {
    /// Reads that the latency model counts: one where nothing at all is stated.
    #[must_use]
    pub fn counted_reads(&self) -> f64 {
        let unstated = if self.writes.is_none() { 1.0 } else { 0.0 };
        self.reads.map_or(unstated, RequestsPerCall::get)
    }

    /// Writes that the latency model counts: none where none is stated.
    #[must_use]
    pub fn counted_writes(&self) -> f64 {
        self.writes.map_or(0.0, RequestsPerCall::get)
    }
}

/// The share of requests that comes from one region.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientWeight {
    /// Where the clients are.
    pub region: RegionReference,
    /// Their share: more than 0; shares are relative to their sum.
    pub weight: f64,
}

/// Pods that a pod calls while it serves a request.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerUse {
    /// Their namespace; `None` is that of the pod which calls them.
    pub namespace: Option<NamespaceName>,
    /// By which labels they are found, wherever they run.
    pub selector: LabelSelector,
    /// Calls for each request.
    pub calls: RequestsPerCall,
}

/// How a pod uses data, from everything that speaks about it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccessProfile {
    /// Where its clients are; empty where nobody said.
    pub clients: Vec<ClientWeight>,
    /// What it uses.
    pub data_sets: Vec<DataSetUse>,
    /// Which other pods it calls.
    pub peers: Vec<PeerUse>,
    /// The longest that a read may take, in milliseconds.
    pub max_read_ms: Option<f64>,
    /// The longest that a write may take, in milliseconds.
    pub max_write_ms: Option<f64>,
}
