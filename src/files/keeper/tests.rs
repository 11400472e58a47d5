//! Bad files at reload and at restart, repairs, lost and damaged state.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// A source of one file whose text is good unless it says `bad`, and a state directory beside it.
struct Scene {
    directory: tempfile::TempDir,
    clock: Cell<i64>,
    compilations: Arc<std::sync::atomic::AtomicU32>,
}

impl Scene {
    fn new(text: &str) -> Self {
        let scene = Self {
            directory: tempfile::tempdir().expect("a directory"),
            clock: Cell::new(0),
            compilations: Default::default(),
        };
        fs::create_dir(scene.policies()).expect("a directory");
        scene.write(text);
        scene
    }

    fn policies(&self) -> PathBuf {
        self.directory.path().join("policies")
    }

    fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    fn write(&self, text: &str) {
        fs::write(self.policies().join("a.yaml"), text).expect("a file");
    }

    fn keeper(&self) -> SourceKeeper<String> {
        self.keeper_with(&self.state())
    }

    fn keeper_with(&self, state: &Path) -> SourceKeeper<String> {
        let compilations = Arc::clone(&self.compilations);
        SourceKeeper::new(
            SourceName::Policies,
            Source::Path(self.policies()),
            Some(StateStore::new(state.to_owned())),
            Box::new(move |files| {
                compilations.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let Some((name, text)) = files.iter().next() else {
                    return Err(vec!["there is no policy file".to_owned()]);
                };
                if text.contains("bad") {
                    return Err(vec![format!("`{name}` is bad"), "and that is all".to_owned()]);
                }
                Ok(text.to_owned())
            }),
        )
    }

    /// Each look is a second after the one before.
    fn look(&self, keeper: &mut SourceKeeper<String>) -> SourceStatus<String> {
        self.clock.set(self.clock.get() + 1);
        keeper.refresh(at(self.clock.get()))
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("an instant")
}

fn value(status: &SourceStatus<String>) -> Option<&str> {
    status.value.as_ref().map(|value| value.as_str())
}

fn bad() -> Vec<String> {
    vec!["`a.yaml` is bad".to_owned(), "and that is all".to_owned()]
}

#[test]
fn a_bad_file_at_reload_keeps_the_old_one_until_it_is_repaired() {
    let scene = Scene::new("one");
    let mut keeper = scene.keeper();
    let status = scene.look(&mut keeper);
    assert_eq!(value(&status), Some("one"));
    assert_eq!(status.health.state, SourceState::Current { since: at(1) });
    assert!(status.changed);

    assert!(!scene.look(&mut keeper).changed);

    scene.write("bad");
    let status = scene.look(&mut keeper);
    assert_eq!(value(&status), Some("one"));
    assert_eq!(
        status.health.state,
        SourceState::LastKnownGood {
            since: at(3),
            problems: bad()
        }
    );
    assert!(status.changed);
    assert_eq!(
        status.health.confirmed_at,
        Some(at(2)),
        "the source last said it a look ago"
    );

    scene.write("still bad");
    let status = scene.look(&mut keeper);
    assert_eq!(
        status.health.state,
        SourceState::LastKnownGood {
            since: at(3),
            problems: bad()
        }
    );
    assert_eq!(
        status.health.age(at(10)),
        Some(SignedDuration::from_secs(8)),
        "it ages meanwhile"
    );

    scene.write("two");
    let status = scene.look(&mut keeper);
    assert_eq!(value(&status), Some("two"));
    assert_eq!(status.health.state, SourceState::Current { since: at(5) });
}

#[test]
fn a_bad_file_at_restart_is_answered_from_the_state_directory() {
    let scene = Scene::new("one");
    scene.look(&mut scene.keeper());
    scene.write("bad");

    let mut restarted = scene.keeper();
    let status = scene.look(&mut restarted);
    assert_eq!(value(&status), Some("one"));
    assert_eq!(
        status.health.state,
        SourceState::LastKnownGood {
            since: at(2),
            problems: bad()
        }
    );
    assert_eq!(status.health.confirmed_at, Some(at(1)));

    scene.write("two");
    let status = scene.look(&mut restarted);
    assert_eq!(value(&status), Some("two"));
    assert!(!status.health.is_last_known_good());

    scene.write("bad");
    assert_eq!(
        value(&scene.look(&mut scene.keeper())),
        Some("two"),
        "the repair was saved in its turn"
    );
}

#[test]
fn without_saved_files_a_bad_start_holds_nothing_and_says_why() {
    let scene = Scene::new("bad");
    let mut keeper = scene.keeper();
    let status = scene.look(&mut keeper);
    assert!(!status.is_loaded());
    assert_eq!(status.health.state, SourceState::NeverLoaded { problems: bad() });
    assert!(!scene.state().exists(), "what is bad is never saved");
    scene.write("one");
    assert_eq!(value(&scene.look(&mut keeper)), Some("one"));
}

#[test]
fn a_source_that_is_deleted_keeps_what_it_said() {
    let scene = Scene::new("one");
    let mut keeper = scene.keeper();
    scene.look(&mut keeper);
    fs::remove_dir_all(scene.policies()).expect("removed");
    let status = scene.look(&mut keeper);
    assert_eq!(value(&status), Some("one"));
    let SourceState::LastKnownGood { problems, .. } = &status.health.state else {
        panic!("{:?}", status.health.state);
    };
    assert!(problems[0].contains("cannot be read"), "{problems:?}");
    assert!(!scene.look(&mut keeper).changed, "it is told once");

    let status = scene.look(&mut scene.keeper());
    assert_eq!(value(&status), Some("one"), "and also after a restart");

    fs::create_dir(scene.policies()).expect("a directory");
    let status = scene.look(&mut keeper);
    let SourceState::LastKnownGood { problems, .. } = &status.health.state else {
        panic!("{:?}", status.health.state);
    };
    assert_eq!(problems, &["there is no policy file".to_owned()]);
}

#[test]
fn a_damaged_state_file_is_told_and_not_used() {
    let scene = Scene::new("one");
    scene.look(&mut scene.keeper());
    let path = scene.state().join("policies.json");
    let text = fs::read_to_string(&path).expect("a state file");
    scene.write("bad");
    for (damaged, expected) in [
        (text[..text.len() / 2].to_owned(), "is not whole"),
        (text.replace("one", "two"), "was changed after it was written"),
    ] {
        fs::write(&path, damaged).expect("damaged");
        let status = scene.look(&mut scene.keeper());
        assert!(!status.is_loaded());
        let SourceState::NeverLoaded { problems } = &status.health.state else {
            panic!("{:?}", status.health.state);
        };
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[2].contains(expected), "{problems:?}");
    }
    scene.write("three");
    scene.look(&mut scene.keeper());
    scene.write("bad");
    assert_eq!(
        value(&scene.look(&mut scene.keeper())),
        Some("three"),
        "a good source replaces a damaged state file"
    );
}

#[test]
fn saved_files_that_no_longer_compile_are_told() {
    let scene = Scene::new("one");
    scene.look(&mut scene.keeper());
    scene.write("bad");
    let mut stricter: SourceKeeper<String> = SourceKeeper::new(
        SourceName::Policies,
        Source::Path(scene.policies()),
        Some(StateStore::new(scene.state())),
        Box::new(|_| Err(vec!["nothing is good enough".to_owned()])),
    );
    let status = scene.look(&mut stricter);
    let SourceState::NeverLoaded { problems } = &status.health.state else {
        panic!("{:?}", status.health.state);
    };
    assert!(
        problems[1].ends_with("no longer compile: nothing is good enough"),
        "{problems:?}"
    );
}

#[test]
fn a_state_directory_that_takes_nothing_is_counted_and_never_fatal() {
    let scene = Scene::new("one");
    let blocked = scene.directory.path().join("blocked");
    fs::write(&blocked, "").expect("a file where the directory should be");
    let mut keeper = scene.keeper_with(&blocked);
    let status = scene.look(&mut keeper);
    assert_eq!(value(&status), Some("one"));
    assert_eq!(status.health.state_write_failures, 1);
    assert_eq!(
        scene.look(&mut keeper).health.state_write_failures,
        2,
        "it is tried again"
    );
    fs::remove_file(&blocked).expect("removed");
    assert_eq!(scene.look(&mut keeper).health.state_write_failures, 2);
    assert!(blocked.join("policies.json").exists());
}

#[test]
fn texts_that_did_not_change_are_not_compiled_again() {
    let scene = Scene::new("one");
    let mut keeper = scene.keeper();
    let first = scene.look(&mut keeper).value.expect("a value");
    for _ in 0..3 {
        scene.look(&mut keeper);
    }
    scene.write("bad");
    scene.look(&mut keeper);
    scene.look(&mut keeper);
    scene.write("one");
    let status = scene.look(&mut keeper);
    assert!(
        status.changed,
        "the state is another, although the value is the same"
    );
    assert_eq!(status.health.state, SourceState::Current { since: at(7) });
    assert!(Arc::ptr_eq(&first, &status.value.expect("a value")));
    assert_eq!(
        scene.compilations.load(std::sync::atomic::Ordering::Relaxed),
        2,
        "`one` and `bad`, once each"
    );
}

#[test]
fn what_is_built_in_is_current_and_leaves_no_state() {
    let directory = tempfile::tempdir().expect("a directory");
    let state = directory.path().join("state");
    let mut keeper: SourceKeeper<usize> = SourceKeeper::new(
        SourceName::Policies,
        Source::Embedded(vec![("a.yaml", "1")]),
        Some(StateStore::new(state.clone())),
        Box::new(|files| Ok(files.files().len())),
    );
    let status = keeper.refresh(at(1));
    assert_eq!(status.value.as_deref(), Some(&1));
    assert_eq!(status.health.state, SourceState::Current { since: at(1) });
    assert!(!state.exists());
}
