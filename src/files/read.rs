//! One reading of a source: a file, or a directory with everything beneath it.
//!
//! Invariants: the path itself and the `..data` link of a mounted ConfigMap or Secret are resolved once,
//! everything is read beneath what they led to, and they must still lead there at the end. So a swap
//! during a reading cannot mix two versions, nor lose files of one that is deleted meanwhile (a listing
//! leaves out what is gone, without an error). Only regular files are opened, so that a pipe cannot
//! hold the reader forever.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::assembly::SourceText;

use super::source::{Limits, Source, SourceFiles, SourceName};

/// A source that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The operating system refused.
    #[error("`{}` cannot be read: {error}", .path.display())]
    Unreadable {
        /// What was read.
        path: PathBuf,
        /// What it said.
        #[source]
        error: io::Error,
    },
    /// A pipe, a device or a socket.
    #[error("`{}` is neither a file nor a directory", .0.display())]
    NeitherFileNorDirectory(PathBuf),
    /// A file that is too large.
    #[error("`{}` has more than {limit} bytes, which is the limit for one file", .path.display())]
    FileTooLarge {
        /// Which file.
        path: PathBuf,
        /// The limit.
        limit: u64,
    },
    /// Too much in all.
    #[error("`{}` holds more than {limit} bytes in its files together, which is the limit", .path.display())]
    TooLarge {
        /// The source.
        path: PathBuf,
        /// The limit.
        limit: u64,
    },
    /// Too many files.
    #[error("`{}` holds more than {limit} files, which is the limit", .path.display())]
    TooManyFiles {
        /// The source.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// Too many directories below each other.
    #[error("`{}` is more than {limit} directories deep: does a link lead back to a directory above it", .path.display())]
    TooDeep {
        /// The directory that is too deep.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// A link was swapped during every attempt.
    #[error("`{}` changed during each of {ATTEMPTS} readings", .0.display())]
    KeepsChanging(PathBuf),
    /// A directory where a file is expected.
    #[error("`{}` is a directory, and a file is expected", .0.display())]
    IsDirectory(PathBuf),
    /// What is handed in is not known.
    #[error("{0}")]
    NotHanded(String),
    /// A file that is called as a text that is handed in.
    #[error(
        "a file is called `{0}`, as an object of the cluster is: give the file an extension, or another name"
    )]
    SameName(String),
    /// Text or a name that is not UTF-8.
    #[error("`{}` is not UTF-8", .0.display())]
    NotUtf8(PathBuf),
}

impl SourceError {
    /// Whether another attempt may do better: something vanished, or was swapped, during the reading.
    fn is_passing(&self) -> bool {
        match self {
            Self::Unreadable { error, .. } => error.kind() == io::ErrorKind::NotFound,
            Self::KeepsChanging(_) => true,
            _ => false,
        }
    }
}

/// How often a reading is begun in all, where files vanish or links are swapped in its course.
const ATTEMPTS: u32 = 16;
/// How long it waits before it begins again.
const PAUSE_BETWEEN_ATTEMPTS: Duration = Duration::from_millis(5);

/// Reads a source: names relative to it, in order.
///
/// # Errors
/// Where something cannot be read, is not text, or exceeds a limit. Nothing is read in part.
pub fn read_source(name: SourceName, source: &Source) -> Result<SourceFiles, SourceError> {
    match source {
        Source::Embedded(files) => Ok(SourceFiles::new(files.iter().map(|(name, text)| SourceText {
            name: (*name).to_owned(),
            text: (*text).to_owned(),
        }))),
        Source::Path(path) => read_path(path, name.extensions(), name.limits()),
        Source::Handed(inbox) => inbox.look().map(SourceFiles::new).map_err(SourceError::NotHanded),
        Source::Beside(source, inbox) => {
            let files = read_source(name, source)?;
            let handed = inbox.look().map_err(SourceError::NotHanded)?;
            beside(&files, handed)
        }
    }
}

/// Files and what is handed in, as one. No text takes the place of another.
fn beside(files: &SourceFiles, handed: Vec<SourceText>) -> Result<SourceFiles, SourceError> {
    let names: BTreeSet<&str> = files.iter().map(|(name, _)| name).collect();
    if let Some(same) = handed.iter().find(|text| names.contains(text.name.as_str())) {
        return Err(SourceError::SameName(same.name.clone()));
    }
    let all = files.files().iter().cloned().chain(handed);
    Ok(SourceFiles::with_passed_over(all, files.passed_over().to_vec()))
}

/// The most bytes of a file that is read by itself; a bundle of every public authority has 300 kB.
const SINGLE_FILE: Limits = Limits {
    file_bytes: 1024 * 1024,
    total_bytes: 1024 * 1024,
    files: 1,
    depth: 0,
};

/// Reads one file that is no source of facts, such as a certificate, with the same care.
///
/// # Errors
/// Where it cannot be read, is no text, or has more than 1 MiB.
pub fn read_file(path: &Path) -> Result<String, SourceError> {
    if path.is_dir() {
        return Err(SourceError::IsDirectory(path.to_owned()));
    }
    let files = read_path(path, &[], SINGLE_FILE)?;
    Ok(files.iter().map(|(_, text)| text).collect())
}

fn read_path(path: &Path, extensions: &[&str], limits: Limits) -> Result<SourceFiles, SourceError> {
    // A ConfigMap swap deletes the version that it replaces, perhaps while it is read.
    for _ in 1..ATTEMPTS {
        match Reading::of(path, extensions, limits) {
            Err(error) if error.is_passing() && path.exists() => {
                std::thread::sleep(PAUSE_BETWEEN_ATTEMPTS);
            }
            outcome => return outcome,
        }
    }
    Reading::of(path, extensions, limits)
}

struct Reading<'a> {
    path: &'a Path,
    extensions: &'a [&'a str],
    limits: Limits,
    files: Vec<SourceText>,
    passed_over: Vec<String>,
    bytes: u64,
    /// Links, or paths with links in them, and what they led to.
    resolved: Vec<(PathBuf, PathBuf)>,
}

impl<'a> Reading<'a> {
    fn of(path: &'a Path, extensions: &'a [&'a str], limits: Limits) -> Result<SourceFiles, SourceError> {
        let mut reading = Self {
            path,
            extensions,
            limits,
            files: Vec::new(),
            passed_over: Vec::new(),
            bytes: 0,
            resolved: Vec::new(),
        };
        let resolved = reading.resolve(path)?;
        let metadata = fs::metadata(&resolved).map_err(|error| unreadable(path, error))?;
        if metadata.is_dir() {
            reading.directory(&resolved, "", 0)?;
        } else {
            // The name that was given, not what it resolves to: a swap must not rename the file.
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| SourceError::NotUtf8(path.to_owned()))?;
            reading.file(&resolved, name.to_owned())?;
        }
        for (link, target) in &reading.resolved {
            if fs::canonicalize(link).ok().as_ref() != Some(target) {
                return Err(SourceError::KeepsChanging(link.clone()));
            }
        }
        Ok(SourceFiles::with_passed_over(reading.files, reading.passed_over))
    }

    fn resolve(&mut self, path: &Path) -> Result<PathBuf, SourceError> {
        let target = fs::canonicalize(path).map_err(|error| unreadable(path, error))?;
        self.resolved.push((path.to_owned(), target.clone()));
        Ok(target)
    }

    /// The directory whose files are read: for a mounted ConfigMap, the version that `..data` leads to.
    fn version_of(&mut self, directory: &Path) -> Result<PathBuf, SourceError> {
        let link = directory.join("..data");
        if !link.is_symlink() {
            return Ok(directory.to_owned());
        }
        self.resolve(&link)
    }

    fn directory(&mut self, directory: &Path, prefix: &str, depth: usize) -> Result<(), SourceError> {
        if depth > self.limits.depth {
            return Err(SourceError::TooDeep {
                path: directory.to_owned(),
                limit: self.limits.depth,
            });
        }
        let directory = self.version_of(directory)?;
        let entries = fs::read_dir(&directory).map_err(|error| unreadable(&directory, error))?;
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(&directory, error))?;
            let path = entry.path();
            let file_name = entry.file_name();
            let Some(name) = file_name.to_str() else {
                return Err(SourceError::NotUtf8(path));
            };
            if name.starts_with('.') {
                continue;
            }
            let relative = format!("{prefix}{name}");
            // `metadata` follows links; what they lead to decides.
            let metadata = fs::metadata(&path).map_err(|error| unreadable(&path, error))?;
            if metadata.is_dir() {
                let resolved = self.resolve(&path)?;
                self.directory(&resolved, &format!("{relative}/"), depth + 1)?;
            } else if has_extension(Path::new(name), self.extensions) {
                self.file(&path, relative)?;
            } else {
                self.passed_over.push(relative);
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: String) -> Result<(), SourceError> {
        let metadata = fs::metadata(path).map_err(|error| unreadable(path, error))?;
        if !metadata.is_file() {
            return Err(SourceError::NeitherFileNorDirectory(path.to_owned()));
        }
        if self.files.len() >= self.limits.files {
            return Err(SourceError::TooManyFiles {
                path: self.path.to_owned(),
                limit: self.limits.files,
            });
        }
        let file = File::open(path).map_err(|error| unreadable(path, error))?;
        let limit = self.limits.file_bytes;
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(limit)).unwrap_or(0));
        // The file may grow while it is read, so its length is not trusted.
        file.take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| unreadable(path, error))?;
        let length = bytes.len() as u64;
        if length > limit {
            return Err(SourceError::FileTooLarge {
                path: path.to_owned(),
                limit,
            });
        }
        self.bytes += length;
        if self.bytes > self.limits.total_bytes {
            return Err(SourceError::TooLarge {
                path: self.path.to_owned(),
                limit: self.limits.total_bytes,
            });
        }
        let text = String::from_utf8(bytes).map_err(|_| SourceError::NotUtf8(path.to_owned()))?;
        self.files.push(SourceText { name, text });
        Ok(())
    }
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| extensions.contains(&extension))
}

fn unreadable(path: &Path, error: io::Error) -> SourceError {
    SourceError::Unreadable {
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests;
