//! Facts as files that are replaced whole while the program reads them, and when each was.
//!
//! Inputs: the states of each source, and which shall be there next. Outputs: files; for a record's instant and world
//! how long ago the newest fact that it did not yet know was put down. Invariants: single files are renamed into place;
//! the folder of policies is swapped by its link `..data`, as a mounted ConfigMap is.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use domicile::assembly::FactSource;
use jiff::{SignedDuration, Timestamp};

use crate::variants::{Variants, position};

/// When a state of a source was put down.
#[derive(Clone, Copy)]
struct Put {
    at: Timestamp,
    state: usize,
}

/// The files of all sources, and their history.
pub struct Facts<'v> {
    directory: PathBuf,
    variants: &'v Variants,
    history: Mutex<[Vec<Put>; 4]>,
}

impl<'v> Facts<'v> {
    /// Puts the first state of every source down.
    pub fn begin(directory: &Path, variants: &'v Variants) -> Self {
        let facts = Self {
            directory: directory.to_owned(),
            variants,
            history: Mutex::new([const { Vec::new() }; 4]),
        };
        let folder = facts.path(FactSource::Policies);
        for (state, files) in variants.states(FactSource::Policies).iter().enumerate() {
            for file in files {
                let path = folder.join(format!("..{state}")).join(&file.name);
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::write(path, &file.text).expect("a file");
            }
        }
        for source in FactSource::ALL {
            facts.put(source, 0);
        }
        facts
    }

    /// Where a source is, as the program is told.
    pub fn path(&self, source: FactSource) -> PathBuf {
        let folder = self.directory.join(source.word());
        match source {
            FactSource::Policies => folder,
            FactSource::DataSets | FactSource::Latency | FactSource::Fleet => {
                folder.join(&self.variants.states(source)[0][0].name)
            }
        }
    }

    /// Which state of a source is there.
    pub fn current(&self, source: FactSource) -> usize {
        let history = self.history.lock().expect("no thread fails");
        history[position(source)].last().expect("the first state").state
    }

    /// How many times a source was replaced by another state.
    pub fn changes(&self) -> usize {
        let history = self.history.lock().expect("no thread fails");
        history.iter().map(|puts| puts.len() - 1).sum()
    }

    /// Replaces what a source says.
    pub fn put(&self, source: FactSource, state: usize) {
        let put = Put {
            at: Timestamp::now(),
            state,
        };
        self.history.lock().expect("no thread fails")[position(source)].push(put);
        let path = self.path(source);
        if source == FactSource::Policies {
            let link = path.join("..data_tmp");
            symlink(format!("..{state}"), &link).expect("a link");
            fs::rename(link, path.join("..data")).expect("swapped");
            return;
        }
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let beside = path.with_extension("next");
        fs::write(&beside, &self.variants.states(source)[state][0].text).expect("a file");
        fs::rename(beside, path).expect("swapped");
    }

    /// For how long a world that decided at an instant had been out of date, in its most outdated source.
    ///
    /// # Errors
    /// Where a source had not yet, or never, said what that world holds.
    pub fn outdated_for(&self, states: [usize; 4], at: Timestamp) -> Result<Duration, String> {
        let history = self.history.lock().expect("no thread fails");
        let mut longest = Duration::ZERO;
        for (source, (puts, state)) in FactSource::ALL.iter().zip(history.iter().zip(states)) {
            // Records say milliseconds, and cut off what is less.
            let until = at + SignedDuration::from_millis(1);
            let earlier = puts.partition_point(|put| put.at <= until);
            let found = puts[..earlier].iter().rposition(|put| put.state == state);
            let Some(found) = found else {
                return Err(format!("state {state} of {} was not there yet", source.word()));
            };
            if let Some(next) = puts[..earlier].get(found + 1) {
                let for_long = at.duration_since(next.at).max(SignedDuration::ZERO);
                longest = longest.max(for_long.unsigned_abs());
            }
        }
        Ok(longest)
    }
}
