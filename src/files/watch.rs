//! A thread that looks at a source again when something announces a change, and now and then anyway.
//!
//! Inputs: a [`SourceKeeper`], a clock, a callback; or paths and what to do at a look. Outputs: calls of the
//! callback after every look; [`SourceStatus::changed`] says whether anything is new. Invariants: a storm of announcements is one
//! look; announcements are only hints, so a file system that makes none (network mounts), a link that
//! is swapped elsewhere or a watch that could not be set up delay a change by at most the reload
//! interval. The thread ends when its [`SourceWatch`] is dropped.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::keeper::{SourceKeeper, SourceStatus};

/// How a source is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchSettings {
    /// How often it is looked at although nothing announced a change.
    pub reload_interval: Duration,
    /// How long it must be quiet after an announcement before it is looked at.
    pub quiet: Duration,
}

impl WatchSettings {
    /// A watch with the usual quiet time.
    #[must_use]
    pub fn every(reload_interval: Duration) -> Self {
        Self {
            reload_interval,
            quiet: Duration::from_millis(50),
        }
    }
}

/// However long a storm of announcements lasts, it is looked at after this.
const LONGEST_STORM: Duration = Duration::from_secs(1);

enum Signal {
    Announced,
    Stop,
}

/// A thread that watches a source. It ends, and is waited for, when this is dropped.
#[derive(Debug)]
pub struct SourceWatch {
    signals: Sender<Signal>,
    thread: Option<JoinHandle<()>>,
}

impl SourceWatch {
    /// Asks for a look now, as SIGHUP does.
    pub fn look_now(&self) {
        // The thread is gone only at the end of the process, when nothing needs a look.
        let _ = self.signals.send(Signal::Announced);
    }
}

impl Drop for SourceWatch {
    fn drop(&mut self) {
        let _ = self.signals.send(Signal::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Watches a source on a thread of its own. The first look is at once, after the watch is set up, so
/// that nothing between an earlier look of the caller and the watch is missed.
///
/// # Errors
/// Where the thread cannot be started.
pub fn watch<T: Send + Sync + 'static>(
    mut keeper: SourceKeeper<T>,
    settings: WatchSettings,
    clock: impl Fn() -> Timestamp + Send + 'static,
    mut publish: impl FnMut(&SourceStatus<T>) + Send + 'static,
) -> std::io::Result<SourceWatch> {
    let paths = keeper.source().paths();
    let name = keeper.name().to_string();
    watch_files(&name, paths, settings, move || {
        publish(&keeper.refresh(clock()));
    })
}

/// Watches files, or directories, on a thread of its own, and calls `look` where [`watch`] looks at a source.
/// `name` is for the log.
///
/// # Errors
/// Where the thread cannot be started.
pub fn watch_files(
    name: &str,
    paths: Vec<PathBuf>,
    settings: WatchSettings,
    look: impl FnMut() + Send + 'static,
) -> std::io::Result<SourceWatch> {
    let (signals, receiver) = mpsc::channel();
    let announcements = Announcements::of(name, paths, signals.clone());
    let thread = std::thread::Builder::new()
        .name(format!("files-{name}"))
        .spawn(move || run(settings, announcements, &receiver, look))?;
    Ok(SourceWatch {
        signals,
        thread: Some(thread),
    })
}

fn run(
    settings: WatchSettings,
    mut announcements: Announcements,
    signals: &Receiver<Signal>,
    mut look: impl FnMut(),
) {
    loop {
        // Directories may have been replaced, and a watch stays with the one that it was set on.
        announcements.attach();
        look();
        if !wait(signals, settings) {
            return;
        }
    }
}

/// Waits for the next look; `false` where there is none.
fn wait(signals: &Receiver<Signal>, settings: WatchSettings) -> bool {
    match signals.recv_timeout(settings.reload_interval) {
        Err(RecvTimeoutError::Timeout) => return true,
        Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
        Ok(Signal::Announced) => {}
    }
    let storm_began = Instant::now();
    while storm_began.elapsed() < LONGEST_STORM {
        match signals.recv_timeout(settings.quiet) {
            Err(RecvTimeoutError::Timeout) => return true,
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
            Ok(Signal::Announced) => {}
        }
    }
    true
}

/// What the operating system tells about paths and the directories that they are in.
struct Announcements {
    watcher: Option<RecommendedWatcher>,
    paths: Vec<PathBuf>,
    has_failed: bool,
}

impl Announcements {
    fn of(name: &str, paths: Vec<PathBuf>, signals: Sender<Signal>) -> Self {
        // Events bear absolute paths.
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        let paths: Vec<PathBuf> = paths.into_iter().map(absolute).collect();
        let watched = paths.clone();
        let announce = move |event: Result<notify::Event, notify::Error>| {
            let is_change = event.is_ok_and(|event| {
                !is_only_reading(event.kind) && watched.iter().any(|path| concerns(path, &event.paths))
            });
            if is_change {
                let _ = signals.send(Signal::Announced);
            }
        };
        let watcher = match paths.is_empty() {
            true => None,
            false => notify::recommended_watcher(announce)
                .inspect_err(|error| {
                    tracing::warn!(source = name, %error, "no announcements of changes; the source is read at intervals");
                })
                .ok(),
        };
        Self {
            watcher,
            paths,
            has_failed: false,
        }
    }

    fn attach(&mut self) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        let mut failure = None;
        for path in &self.paths {
            // The parent tells of links and directories that are swapped or made again under the same name.
            let parent = watcher.watch(&parent_of(path), RecursiveMode::NonRecursive);
            let whole = if path.is_dir() {
                watcher.watch(path, RecursiveMode::Recursive)
            } else {
                Ok(())
            };
            failure = failure.or(parent.and(whole).err().map(|error| (path, error)));
        }
        match failure {
            None => self.has_failed = false,
            Some((path, error)) if !self.has_failed => {
                self.has_failed = true;
                tracing::warn!(path = %path.display(), %error, "changes may not be announced; the source is read at intervals");
            }
            Some(_) => {}
        }
    }
}

fn parent_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_owned()
}

/// Whether an event on any of these paths may concern the source. Its parent may be a busy directory.
fn concerns(watched: &Path, paths: &[PathBuf]) -> bool {
    // A link may lead through any of its neighbours, as each file of a mounted ConfigMap does.
    paths.is_empty() || paths.iter().any(|path| path.starts_with(watched)) || watched.is_symlink()
}

/// Whether an event tells of a reading, which changes nothing. Our own readings cause such events, and
/// taking them for changes would never end.
fn is_only_reading(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
        EventKind::Access(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::source::{Source, SourceName};
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn keeper(path: &Path) -> SourceKeeper<String> {
        SourceKeeper::new(
            SourceName::Policies,
            Source::Path(path.to_owned()),
            None,
            Box::new(|files| Ok(files.iter().map(|(_, text)| text).collect())),
        )
    }

    /// Watches and sends on what is new, and counts looks.
    fn watched(path: &Path, settings: WatchSettings) -> (SourceWatch, Receiver<(bool, String)>) {
        let (sender, receiver) = mpsc::channel();
        let watch = watch(
            keeper(path),
            settings,
            || Timestamp::UNIX_EPOCH,
            move |status| {
                let text = status.value.as_deref().cloned().unwrap_or_default();
                let _ = sender.send((status.changed, text));
            },
        )
        .expect("a thread");
        (watch, receiver)
    }

    fn next_change(receiver: &Receiver<(bool, String)>) -> String {
        loop {
            let (changed, text) = receiver.recv_timeout(PATIENCE).expect("a change in time");
            if changed {
                return text;
            }
        }
    }

    #[test]
    fn changes_are_announced_also_after_the_directory_was_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("policies");
        fs::create_dir(&path).expect("a directory");
        fs::write(path.join("a.yaml"), "one").expect("a file");
        let (_watch, receiver) = watched(&path, WatchSettings::every(Duration::from_secs(3600)));
        assert_eq!(next_change(&receiver), "one");

        fs::write(path.join("a.yaml"), "two").expect("a file");
        assert_eq!(next_change(&receiver), "two");

        fs::create_dir(path.join("deeper")).expect("a directory");
        fs::write(path.join("deeper/b.yaml"), "+").expect("a file");
        assert_eq!(next_change(&receiver), "two+");

        let other = directory.path().join("other");
        fs::create_dir(&other).expect("a directory");
        fs::write(other.join("a.yaml"), "three").expect("a file");
        fs::rename(&path, directory.path().join("old")).expect("moved away");
        fs::rename(&other, &path).expect("moved in");
        let mut text = next_change(&receiver);
        if text != "three" {
            // Between the two renames the source was gone, which may have been seen.
            text = next_change(&receiver);
        }
        assert_eq!(text, "three");

        fs::write(path.join("a.yaml"), "four").expect("a file");
        assert_eq!(next_change(&receiver), "four");
    }

    #[test]
    fn reading_announces_nothing_so_that_it_comes_to_rest() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("a.yaml"), "one").expect("a file");
        let (_watch, receiver) = watched(directory.path(), WatchSettings::every(Duration::from_secs(3600)));
        assert_eq!(next_change(&receiver), "one");
        fs::read(directory.path().join("a.yaml")).expect("a reading by somebody else");
        std::thread::sleep(Duration::from_millis(400));
        assert!(receiver.try_iter().count() <= 1, "it looks again and again");
    }

    #[test]
    fn without_announcements_a_change_is_found_at_the_interval() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("a.yaml");
        fs::write(&file, "one").expect("a file");
        let (signals, receiver) = mpsc::channel();
        let (sender, looks) = mpsc::channel();
        let silent = Announcements {
            watcher: None,
            paths: Vec::new(),
            has_failed: false,
        };
        let mut keeper = keeper(directory.path());
        let settings = WatchSettings::every(Duration::from_millis(20));
        let thread = std::thread::spawn(move || {
            run(settings, silent, &receiver, move || {
                let status = keeper.refresh(Timestamp::UNIX_EPOCH);
                let text = status.value.as_deref().cloned().unwrap_or_default();
                let _ = sender.send((status.changed, text));
            });
        });
        assert_eq!(next_change(&looks), "one");
        fs::write(&file, "two").expect("a file");
        assert_eq!(next_change(&looks), "two");
        signals.send(Signal::Stop).expect("a thread");
        thread.join().expect("an end");
    }

    #[test]
    fn a_storm_of_announcements_is_one_look() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("a.yaml"), "one").expect("a file");
        let (watch, receiver) = watched(directory.path(), WatchSettings::every(Duration::from_secs(3600)));
        assert_eq!(next_change(&receiver), "one");
        for _ in 0..500 {
            watch.look_now();
        }
        assert_eq!(receiver.recv_timeout(PATIENCE), Ok((false, "one".to_owned())));
        std::thread::sleep(Duration::from_millis(300));
        assert!(receiver.try_iter().count() <= 1);
    }

    #[test]
    fn neighbours_concern_a_source_only_where_it_is_a_link() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("a.yaml");
        let link = directory.path().join("link.yaml");
        fs::write(&file, "one").expect("a file");
        std::os::unix::fs::symlink("a.yaml", &link).expect("a link");
        let neighbour = [directory.path().join("..data")];
        assert!(!concerns(&file, &neighbour));
        assert!(concerns(&link, &neighbour));
        assert!(concerns(&file, std::slice::from_ref(&file)));
        assert!(concerns(directory.path(), &neighbour));
    }

    #[test]
    fn a_swap_of_a_mounted_config_map_is_announced_also_to_a_single_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path();
        for (version, text) in [("..1", "one"), ("..2", "two")] {
            fs::create_dir(root.join(version)).expect("a version");
            fs::write(root.join(version).join("a.yaml"), text).expect("a file");
        }
        let link = |target: &str, name: &str| {
            std::os::unix::fs::symlink(target, root.join(name)).expect("a link");
        };
        link("..1", "..data");
        link("..data/a.yaml", "a.yaml");
        let settings = WatchSettings::every(Duration::from_secs(3600));
        let (_whole, whole) = watched(root, settings);
        let (_single, single) = watched(&root.join("a.yaml"), settings);
        assert_eq!(
            (next_change(&whole), next_change(&single)),
            ("one".into(), "one".into())
        );
        link("..2", "..data_tmp");
        fs::rename(root.join("..data_tmp"), root.join("..data")).expect("swapped");
        assert_eq!(
            (next_change(&whole), next_change(&single)),
            ("two".into(), "two".into())
        );
    }

    #[test]
    fn dropping_the_watch_ends_the_thread() {
        let directory = tempfile::tempdir().expect("a directory");
        let (watch, receiver) = watched(directory.path(), WatchSettings::every(Duration::from_secs(3600)));
        drop(watch);
        // The sender is dropped with the thread's callback, after at most the first look.
        assert!(receiver.iter().count() <= 1);
    }
}
