//! Where records go: a file that may be moved or removed under us by whoever rotates it.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What has become of a sink since it was looked at last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// It is where it was.
    No,
    /// It was renamed, and what was written is in the renamed file; a new one is open now.
    Renamed,
    /// It was removed, and what was written is gone with it; a new one is open now.
    Removed,
}

/// Something that records are appended to.
pub trait Sink: Send + 'static {
    /// Appends some of the bytes and says how many.
    ///
    /// # Errors
    /// Where none could be appended.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Makes what was appended survive a crash of the machine.
    ///
    /// # Errors
    /// Where that is not certain.
    fn sync(&mut self) -> io::Result<()>;

    /// Looks whether the sink was moved, and opens a new one where it was or where that is asked for.
    ///
    /// # Errors
    /// Where no new one can be opened.
    fn follow(&mut self, reopen: bool) -> io::Result<Moved>;
}

/// A file that is appended to, and looked for again by its name when it was moved.
#[derive(Debug)]
pub struct FileSink {
    path: PathBuf,
    file: File,
}

impl FileSink {
    /// Opens a file, which is made where it is missing.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: open(path)?,
        })
    }
}

impl Sink for FileSink {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        match self.file.sync_data() {
            // A pipe or a terminal has nothing to sync.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            outcome => outcome,
        }
    }

    fn follow(&mut self, reopen: bool) -> io::Result<Moved> {
        let ours = self.file.metadata()?;
        let is_there = fs::metadata(&self.path).is_ok_and(|named| is_same(&named, &ours));
        if is_there && !reopen {
            return Ok(Moved::No);
        }
        let fresh = open(&self.path)?;
        // The old file leaves us now; whoever moved it may ship it, so it is made whole first.
        let _ = self.sync();
        self.file = fresh;
        Ok(match (is_there, ours.nlink()) {
            (true, _) => Moved::No,
            (false, 0) => Moved::Removed,
            (false, _) => Moved::Renamed,
        })
    }
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

fn open(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    // A crash may have left half a line. It must not swallow the first record of ours.
    if fs::metadata(path)?.is_file() && !ends_with_newline(path)? {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

fn ends_with_newline(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_followed_by_its_name() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("decisions.jsonl");
        let old = directory.path().join("decisions.jsonl.1");
        let mut sink = FileSink::open(&path).expect("a file");
        sink.append(b"one\n").expect("written");
        assert_eq!(sink.follow(false).expect("there"), Moved::No);

        fs::rename(&path, &old).expect("renamed");
        sink.append(b"two\n").expect("written");
        assert_eq!(sink.follow(false).expect("opened"), Moved::Renamed);
        sink.append(b"three\n").expect("written");
        assert_eq!(fs::read_to_string(&old).expect("text"), "one\ntwo\n");
        assert_eq!(fs::read_to_string(&path).expect("text"), "three\n");

        fs::remove_file(&path).expect("removed");
        sink.append(b"lost\n").expect("written into nothing");
        assert_eq!(sink.follow(false).expect("opened"), Moved::Removed);
        assert_eq!(fs::read_to_string(&path).expect("text"), "");
        assert_eq!(sink.follow(true).expect("opened"), Moved::No);
    }

    #[test]
    fn half_a_line_of_an_earlier_run_is_closed() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("decisions.jsonl");
        fs::write(&path, "{\"v\":1,\"id").expect("half a line");
        let mut sink = FileSink::open(&path).expect("a file");
        sink.append(b"one\n").expect("written");
        let _again = FileSink::open(&path).expect("a file");
        assert_eq!(fs::read_to_string(&path).expect("text"), "{\"v\":1,\"id\none\n");
    }

    #[test]
    fn what_is_no_regular_file_is_written_to_as_well() {
        let mut sink = FileSink::open(Path::new("/dev/null")).expect("a device");
        assert_eq!(sink.append(b"one\n").expect("written"), 4);
        sink.sync().expect("nothing to sync");
        assert_eq!(sink.follow(false).expect("there"), Moved::No);
    }
}
