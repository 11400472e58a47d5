//! Which sources there are, what is read of them and what happens when they are bad.

use std::fmt;
use std::path::PathBuf;

use crate::assembly::SourceText;

use super::digest::{Sha256Hex, sha256_of};
use super::inbox::Inbox;

/// A source of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceName {
    /// Policies, settings, regions and groups.
    Policies,
    /// Data sets and their replicas.
    DataSets,
    /// Measured latencies.
    Latency,
    /// Nodes and namespaces from a file.
    Fleet,
    /// Latencies that are measured now, by whatever live sources there are. They are polled and not files,
    /// and named here so that all sources stand in one list.
    LiveLatency,
    /// Nodes and namespaces from the API server. It is not read by this module, and named here so that
    /// all sources stand in one list.
    Cluster,
}

/// What happens when a source that was good becomes bad. A source that was *never* good fails closed:
/// without it the server is not ready and pods wait. Live latency alone is never waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// The last good facts decide, but they age: first they count as worse, then what other sources say
    /// takes their place, down to nothing known. Never waited for, at a start either.
    LastKnownGoodUntilTooOld,
    /// The last good facts decide, also after a restart where a state directory is named.
    LastKnownGoodAcrossRestarts,
    /// The last facts decide for as long as the process lives; after a restart it fails closed.
    LastKnownGoodWhileRunning,
}

/// How much is read of a source before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of one file.
    pub file_bytes: u64,
    /// The most bytes of all files.
    pub total_bytes: u64,
    /// The most files.
    pub files: usize,
    /// The most directories below each other.
    pub depth: usize,
}

const MEBIBYTE: u64 = 1024 * 1024;

impl SourceName {
    /// Every source.
    pub const ALL: [Self; 6] = [
        Self::Policies,
        Self::DataSets,
        Self::Latency,
        Self::Fleet,
        Self::LiveLatency,
        Self::Cluster,
    ];

    /// The word in flags, metrics, logs and state files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Policies => "policies",
            Self::DataSets => "data-sets",
            Self::Latency => "latency",
            Self::Fleet => "fleet",
            Self::LiveLatency => "live-latency",
            Self::Cluster => "cluster",
        }
    }

    /// What happens when the source becomes bad. This is the one place that says it.
    #[must_use]
    pub fn on_failure(self) -> OnFailure {
        match self {
            // A typing error in a file must not stop a cluster, and what the files said before is the
            // last thing that somebody approved.
            Self::Policies | Self::DataSets | Self::Latency | Self::Fleet => {
                OnFailure::LastKnownGoodAcrossRestarts
            }
            // An old measurement is worth less than a dated one that says so, and no pod may wait for
            // milliseconds.
            Self::LiveLatency => OnFailure::LastKnownGoodUntilTooOld,
            // The API server is the authority on its nodes: after a restart nothing else will do.
            Self::Cluster => OnFailure::LastKnownGoodWhileRunning,
        }
    }

    /// The extensions of the files that are read in a directory. A file that is named itself may have any.
    #[must_use]
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Latency => &["csv"],
            Self::LiveLatency => &[],
            Self::Policies | Self::DataSets | Self::Fleet | Self::Cluster => &["yaml", "yml", "json"],
        }
    }

    /// How much is read before the source is refused.
    #[must_use]
    pub fn limits(self) -> Limits {
        // 15,000 nodes as kubectl prints them are about 150 MB; policies are written by people.
        let file_bytes = match self {
            Self::Fleet | Self::Cluster => 1024 * MEBIBYTE,
            Self::Latency | Self::LiveLatency => 64 * MEBIBYTE,
            Self::Policies | Self::DataSets => 8 * MEBIBYTE,
        };
        Limits {
            file_bytes,
            total_bytes: file_bytes.max(128 * MEBIBYTE),
            files: 10_000,
            depth: 16,
        }
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// Where the texts of a source are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Built in: names and texts.
    Embedded(Vec<(&'static str, &'static str)>),
    /// A file or a directory.
    Path(PathBuf),
    /// What is handed in.
    Handed(Inbox),
    /// What is handed in, beside another source; both are one.
    Beside(Box<Source>, Inbox),
}

impl Source {
    /// The paths that are read.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        match self {
            Self::Path(path) => vec![path.clone()],
            Self::Beside(source, _) => source.paths(),
            Self::Embedded(_) | Self::Handed(_) => Vec::new(),
        }
    }

    /// Whether it can become another, or bad.
    #[must_use]
    pub fn can_change(&self) -> bool {
        !matches!(self, Self::Embedded(_))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded(_) => formatter.write_str("the embedded default"),
            Self::Path(path) => write!(formatter, "`{}`", path.display()),
            Self::Handed(_) => formatter.write_str("the custom resources of the cluster"),
            Self::Beside(source, _) => write!(formatter, "{source} and the custom resources of the cluster"),
        }
    }
}

/// The texts of a source as one reading found them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceFiles {
    files: Vec<SourceText>,
    passed_over: Vec<String>,
}

impl SourceFiles {
    /// Takes files in any order.
    #[must_use]
    pub fn new(files: impl IntoIterator<Item = SourceText>) -> Self {
        Self::with_passed_over(files, Vec::new())
    }

    pub(super) fn with_passed_over(
        files: impl IntoIterator<Item = SourceText>,
        mut passed_over: Vec<String>,
    ) -> Self {
        let mut files: Vec<SourceText> = files.into_iter().collect();
        files.sort();
        passed_over.sort();
        Self { files, passed_over }
    }

    /// The files in the order of their names, which are relative to the source, with `/` between directories.
    #[must_use]
    pub fn files(&self) -> &[SourceText] {
        &self.files
    }

    /// Names and texts in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.files
            .iter()
            .map(|file| (file.name.as_str(), file.text.as_str()))
    }

    /// Whether there is no file at all. Whether that is an error is for whoever compiles them to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Names of files that were not read because of their extension.
    #[must_use]
    pub fn passed_over(&self) -> &[String] {
        &self.passed_over
    }

    /// The digest of names and texts.
    #[must_use]
    pub fn digest(&self) -> Sha256Hex {
        sha256_of(
            self.iter()
                .flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]),
        )
    }
}
