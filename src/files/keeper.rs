//! One source with the value that is compiled from it, and what to hold on to when it is bad.
//!
//! Inputs: the source, a closure that compiles its texts, perhaps a state store, and `now` at each
//! look. Outputs: a [`SourceStatus`]. Invariants: a value that is held did compile; what compiled is
//! replaced only by what compiled too; texts that did not change are not compiled again.
//! Absent: threads and clocks (`watch` has them).

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::digest::Sha256Hex;
use super::read::read_source;
use super::source::{OnFailure, Source, SourceFiles, SourceName};
use super::state_store::StateStore;

/// Compiles the texts of a source; every problem at once, one sentence each.
pub type Compile<T> = Box<dyn Fn(&SourceFiles) -> Result<T, Vec<String>> + Send>;

/// Whether what is held is what the source says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceState {
    /// Nothing good was ever there: nothing is held.
    NeverLoaded {
        /// Why not.
        problems: Vec<String>,
    },
    /// What is held is what the source says.
    Current {
        /// Since when.
        since: Timestamp,
    },
    /// The source is bad, and what is held is what it said before.
    LastKnownGood {
        /// Since when the source is bad.
        since: Timestamp,
        /// What is wrong with it.
        problems: Vec<String>,
    },
}

/// How a source is, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceHealth {
    /// Which source.
    pub name: SourceName,
    /// Whether what is held is what it says.
    pub state: SourceState,
    /// The digest of the texts that the held value was compiled from.
    pub digest: Option<Sha256Hex>,
    /// When the source last said what is held.
    pub confirmed_at: Option<Timestamp>,
    /// How often the good files could not be saved, since the start.
    pub state_write_failures: u64,
}

impl SourceHealth {
    /// How long ago the source last said what is held.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        let confirmed_at = self.confirmed_at?;
        Some(now.duration_since(confirmed_at).max(SignedDuration::ZERO))
    }

    /// Whether a value is held that the source no longer says.
    #[must_use]
    pub fn is_last_known_good(&self) -> bool {
        matches!(self.state, SourceState::LastKnownGood { .. })
    }
}

/// How a source is, with its value.
#[derive(Debug)]
pub struct SourceStatus<T> {
    /// How it is.
    pub health: SourceHealth,
    /// The value that is held.
    pub value: Option<Arc<T>>,
    /// Whether the state or the value differ from those of the look before.
    pub changed: bool,
}

impl<T> SourceStatus<T> {
    /// Whether there is a value to decide by.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.value.is_some()
    }
}

#[derive(Debug)]
struct Held<T> {
    value: Arc<T>,
    files: SourceFiles,
    digest: Sha256Hex,
    confirmed_at: Timestamp,
}

/// What a look at the source found.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Sight {
    Files(Sha256Hex),
    Unreadable(String),
}

/// One source and what is held of it.
pub struct SourceKeeper<T> {
    name: SourceName,
    source: Source,
    compile: Compile<T>,
    store: Option<StateStore>,
    held: Option<Held<T>>,
    state: SourceState,
    last_sight: Option<Sight>,
    saved: Option<Sha256Hex>,
    state_write_failures: u64,
}

impl<T> SourceKeeper<T> {
    /// A keeper that has not looked yet. Nothing is kept on disk for what is built in, as it cannot be bad.
    #[must_use]
    pub fn new(name: SourceName, source: Source, store: Option<StateStore>, compile: Compile<T>) -> Self {
        let across_restarts = name.on_failure() == OnFailure::LastKnownGoodAcrossRestarts;
        let can_change = source.can_change();
        Self {
            name,
            source,
            compile,
            store: store.filter(|_| across_restarts && can_change),
            held: None,
            state: SourceState::NeverLoaded {
                problems: vec!["it was not read yet".to_owned()],
            },
            last_sight: None,
            saved: None,
            state_write_failures: 0,
        }
    }

    /// Which source.
    #[must_use]
    pub fn name(&self) -> SourceName {
        self.name
    }

    /// Where its texts are.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Looks at the source, and takes what it says where that is good.
    pub fn refresh(&mut self, now: Timestamp) -> SourceStatus<T> {
        let is_first = self.last_sight.is_none();
        let (sight, files) = match read_source(self.name, &self.source) {
            Ok(files) => (Sight::Files(files.digest()), Some(files)),
            Err(error) => (Sight::Unreadable(error.to_string()), None),
        };
        let changed = self.last_sight.as_ref() != Some(&sight);
        if changed {
            match (&sight, files) {
                (Sight::Files(digest), Some(files)) => self.take(digest.clone(), files, now),
                (Sight::Unreadable(problem), _) => self.fail(vec![problem.clone()], now),
                (Sight::Files(_), None) => {}
            }
            self.last_sight = Some(sight);
        }
        if is_first && self.held.is_none() {
            self.restore(now);
        }
        if matches!(self.state, SourceState::Current { .. }) {
            if let Some(held) = &mut self.held {
                held.confirmed_at = now;
            }
            self.save(now);
        }
        self.status(changed)
    }

    fn take(&mut self, digest: Sha256Hex, files: SourceFiles, now: Timestamp) {
        if self.held.as_ref().is_some_and(|held| held.digest == digest) {
            // The source says again what is held: an edit was taken back.
            self.succeed(now);
            return;
        }
        match (self.compile)(&files) {
            Ok(value) => {
                for name in files.passed_over() {
                    tracing::info!(source = %self.name, file = name, "file passed over because of its extension");
                }
                self.held = Some(Held {
                    value: Arc::new(value),
                    files,
                    digest,
                    confirmed_at: now,
                });
                self.succeed(now);
            }
            Err(problems) => self.fail(problems, now),
        }
    }

    fn succeed(&mut self, now: Timestamp) {
        let digest = self.held.as_ref().map(|held| held.digest.to_string());
        tracing::info!(source = %self.name, from = %self.source, digest, "source loaded");
        self.state = SourceState::Current { since: now };
    }

    fn fail(&mut self, problems: Vec<String>, now: Timestamp) {
        let told = problems.join("; ");
        if self.held.is_none() {
            tracing::error!(source = %self.name, from = %self.source, problems = told, "source is bad and nothing good is held");
            self.state = SourceState::NeverLoaded { problems };
            return;
        }
        tracing::error!(source = %self.name, from = %self.source, problems = told, "source is bad; the last good one still decides");
        let since = match self.state {
            SourceState::LastKnownGood { since, .. } => since,
            SourceState::NeverLoaded { .. } | SourceState::Current { .. } => now,
        };
        self.state = SourceState::LastKnownGood { since, problems };
    }

    /// At a start with a bad source: takes the files that an earlier run saved.
    fn restore(&mut self, now: Timestamp) {
        let SourceState::NeverLoaded { problems } = &mut self.state else {
            return;
        };
        let Some(store) = &self.store else {
            return;
        };
        let persisted = match store.load(self.name) {
            Ok(Some(persisted)) => persisted,
            Ok(None) => return,
            Err(error) => {
                tracing::error!(source = %self.name, %error, "saved files are not used");
                problems.push(error.to_string());
                return;
            }
        };
        match (self.compile)(&persisted.files) {
            Ok(value) => {
                tracing::error!(
                    source = %self.name, saved_at = %persisted.saved_at, read_from = persisted.read_from,
                    "source is bad at the start; files that an earlier run saved decide"
                );
                let digest = persisted.files.digest();
                self.saved = Some(digest.clone());
                self.held = Some(Held {
                    value: Arc::new(value),
                    files: persisted.files,
                    digest,
                    confirmed_at: persisted.saved_at,
                });
                self.state = SourceState::LastKnownGood {
                    since: now,
                    problems: std::mem::take(problems),
                };
            }
            Err(more) => {
                let path = store.path_of(self.name);
                tracing::error!(source = %self.name, problems = more.join("; "), "saved files no longer compile");
                let first = more.into_iter().next().unwrap_or_default();
                problems.push(format!(
                    "the files saved in `{}` no longer compile: {first}",
                    path.display()
                ));
            }
        }
    }

    /// Saves what is held, where that was not done. A failure is counted and tried again at the next look.
    fn save(&mut self, now: Timestamp) {
        let (Some(store), Some(held)) = (&self.store, &self.held) else {
            return;
        };
        if self.saved.as_ref() == Some(&held.digest) {
            return;
        }
        let already_there = store.load(self.name).ok().flatten();
        let is_saved = already_there.is_some_and(|persisted| persisted.files.digest() == held.digest);
        let outcome = if is_saved {
            Ok(())
        } else {
            store.save(self.name, &held.files, &self.source.to_string(), now)
        };
        match outcome {
            Ok(()) => self.saved = Some(held.digest.clone()),
            Err(error) => {
                self.state_write_failures += 1;
                tracing::error!(source = %self.name, %error, "good files are not saved; a restart could not fall back on them");
            }
        }
    }

    fn status(&self, changed: bool) -> SourceStatus<T> {
        SourceStatus {
            health: SourceHealth {
                name: self.name,
                state: self.state.clone(),
                digest: self.held.as_ref().map(|held| held.digest.clone()),
                confirmed_at: self.held.as_ref().map(|held| held.confirmed_at),
                state_write_failures: self.state_write_failures,
            },
            value: self.held.as_ref().map(|held| Arc::clone(&held.value)),
            changed,
        }
    }
}

#[cfg(test)]
mod tests;
