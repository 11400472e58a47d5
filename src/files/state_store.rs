//! The last good files of each source, kept on disk for the next start.
//!
//! Inputs: the *texts* of a source, never what was compiled from them, so that a newer program compiles
//! them anew. Outputs: one JSON file for each source. Invariants: a file appears whole or not at all
//! (written beside, synced, renamed, directory synced); one whose SHA-256 does not fit is not used.
//! The sum finds damage and careless edits; it is no signature, so guard the directory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::assembly::SourceText;

use super::digest::sha256_of;
use super::source::{SourceFiles, SourceName};

/// The version of the format.
const VERSION: u32 = 1;

/// A state file that cannot be used, or not written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The operating system refused to read.
    #[error("the state file `{}` cannot be read: {error}", .path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What it said.
        #[source]
        error: io::Error,
    },
    /// It is cut off, or no state file at all.
    #[error("the state file `{}` is not whole: {error}", .path.display())]
    NotWhole {
        /// Which file.
        path: PathBuf,
        /// What the parser said.
        #[source]
        error: serde_json::Error,
    },
    /// Another version wrote it.
    #[error("the state file `{}` has format version {version}, and this program reads {VERSION}", .path.display())]
    Version {
        /// Which file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// It was changed after it was written.
    #[error("the state file `{}` was changed after it was written: its SHA-256 does not fit its content", .0.display())]
    Changed(PathBuf),
    /// It belongs to another source.
    #[error("the state file `{}` holds the source `{source_word}`", .path.display())]
    OtherSource {
        /// Which file.
        path: PathBuf,
        /// What it holds.
        source_word: String,
    },
    /// The operating system refused to write.
    #[error("the state file `{}` cannot be written: {error}", .path.display())]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// What it said.
        #[source]
        error: io::Error,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    version: u32,
    sha256: String,
    /// Kept as it was written, because the sum is over these bytes.
    content: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    source: String,
    read_from: String,
    saved_at: Timestamp,
    files: Vec<ContentFile>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContentFile {
    name: String,
    text: String,
}

/// Good files of an earlier time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persisted {
    /// The files.
    pub files: SourceFiles,
    /// When they were saved; they were good at least then.
    pub saved_at: Timestamp,
    /// Where they had been read from.
    pub read_from: String,
}

/// A directory with one state file for each source. One process at a time may write to it.
#[derive(Debug, Clone)]
pub struct StateStore {
    directory: PathBuf,
}

impl StateStore {
    /// A store in a directory, which is made when something is saved.
    #[must_use]
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Where the files of a source are kept.
    #[must_use]
    pub fn path_of(&self, source: SourceName) -> PathBuf {
        self.directory.join(format!("{source}.json"))
    }

    /// Saves good files in place of those that were saved before.
    ///
    /// # Errors
    /// Where the disk does not take them; what was saved before is untouched then.
    pub fn save(
        &self,
        source: SourceName,
        files: &SourceFiles,
        read_from: &str,
        saved_at: Timestamp,
    ) -> Result<(), StateError> {
        let path = self.path_of(source);
        let content = Content {
            source: source.word().to_owned(),
            read_from: read_from.to_owned(),
            saved_at,
            files: files
                .iter()
                .map(|(name, text)| ContentFile {
                    name: name.to_owned(),
                    text: text.to_owned(),
                })
                .collect(),
        };
        let write = || -> io::Result<()> {
            let content = serde_json::value::to_raw_value(&content)?;
            let envelope = Envelope {
                version: VERSION,
                sha256: sha256_of([content.get().as_bytes()]).to_string(),
                content,
            };
            fs::create_dir_all(&self.directory)?;
            replace_whole(&self.directory, &path, &serde_json::to_vec(&envelope)?)
        };
        write().map_err(|error| StateError::Unwritable {
            path: path.clone(),
            error,
        })
    }

    /// The files that were saved last; `None` where none ever were.
    ///
    /// # Errors
    /// Where there is a file and it cannot be used.
    pub fn load(&self, source: SourceName) -> Result<Option<Persisted>, StateError> {
        let path = self.path_of(source);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StateError::Unreadable { path, error }),
        };
        let not_whole = |error| StateError::NotWhole {
            path: path.clone(),
            error,
        };
        let envelope: Envelope = serde_json::from_slice(&bytes).map_err(not_whole)?;
        if envelope.version != VERSION {
            return Err(StateError::Version {
                version: envelope.version,
                path,
            });
        }
        if sha256_of([envelope.content.get().as_bytes()]).as_str() != envelope.sha256 {
            return Err(StateError::Changed(path));
        }
        let content: Content = serde_json::from_str(envelope.content.get()).map_err(not_whole)?;
        if content.source != source.word() {
            return Err(StateError::OtherSource {
                path,
                source_word: content.source,
            });
        }
        let files = content.files.into_iter().map(|file| SourceText {
            name: file.name,
            text: file.text,
        });
        Ok(Some(Persisted {
            files: SourceFiles::new(files),
            saved_at: content.saved_at,
            read_from: content.read_from,
        }))
    }
}

/// Puts a file in place of another so that a crash leaves one of the two, whole.
fn replace_whole(directory: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".partial-{}", std::process::id()));
    let partial = PathBuf::from(partial);
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)?;
        File::open(directory)?.sync_all()
    };
    let written = write();
    if written.is_err() {
        // A leftover would hold space on a disk that may just have become full.
        let _ = fs::remove_file(&partial);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> SourceFiles {
        SourceFiles::new([
            SourceText {
                name: "b.yaml".into(),
                text: "two: \"quoted\"\n".into(),
            },
            SourceText {
                name: "a.yaml".into(),
                text: "öne\n".into(),
            },
        ])
    }

    fn saved() -> (tempfile::TempDir, StateStore) {
        let directory = tempfile::tempdir().expect("a directory");
        let store = StateStore::new(directory.path().join("made/on/demand"));
        store
            .save(
                SourceName::Policies,
                &sample(),
                "`/etc/policies`",
                Timestamp::UNIX_EPOCH,
            )
            .expect("saved");
        (directory, store)
    }

    #[test]
    fn what_was_saved_is_loaded_and_nothing_else_is_left() {
        let (_directory, store) = saved();
        let persisted = store
            .load(SourceName::Policies)
            .expect("whole")
            .expect("something");
        assert_eq!(persisted.files, sample());
        assert_eq!(persisted.saved_at, Timestamp::UNIX_EPOCH);
        assert_eq!(persisted.read_from, "`/etc/policies`");
        assert_eq!(store.load(SourceName::Latency).expect("nothing wrong"), None);
        let entries = fs::read_dir(&store.directory).expect("entries");
        assert_eq!(entries.count(), 1);
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_found() {
        let (_directory, store) = saved();
        let path = store.path_of(SourceName::Policies);
        let whole = fs::read(&path).expect("bytes");
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).expect("cut");
            let error = store.load(SourceName::Policies).expect_err("cut off");
            assert!(matches!(error, StateError::NotWhole { .. }), "{length}: {error}");
        }
        for position in 0..whole.len() {
            let mut changed = whole.clone();
            changed[position] ^= 0x01;
            fs::write(&path, &changed).expect("changed");
            assert!(store.load(SourceName::Policies).is_err(), "byte {position}");
        }
    }

    #[test]
    fn another_version_and_another_source_are_told() {
        let (_directory, store) = saved();
        let path = store.path_of(SourceName::Policies);
        fs::copy(&path, store.path_of(SourceName::Latency)).expect("copied");
        let error = store
            .load(SourceName::Latency)
            .expect_err("another source")
            .to_string();
        assert!(error.ends_with("holds the source `policies`"), "{error}");
        let text = fs::read_to_string(&path).expect("text");
        fs::write(&path, text.replacen("\"version\":1", "\"version\":2", 1)).expect("changed");
        let error = store
            .load(SourceName::Policies)
            .expect_err("another version")
            .to_string();
        assert!(
            error.ends_with("has format version 2, and this program reads 1"),
            "{error}"
        );
    }

    #[test]
    fn a_directory_that_cannot_be_is_a_sentence() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("file");
        fs::write(&file, "").expect("a file");
        let store = StateStore::new(file.join("state"));
        let error = store
            .save(SourceName::Fleet, &sample(), "", Timestamp::UNIX_EPOCH)
            .expect_err("a file is no directory")
            .to_string();
        assert!(error.contains("fleet.json` cannot be written"), "{error}");
    }
}
