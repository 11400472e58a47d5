//! What is read, what is refused, and the swap of a ConfigMap under a reader.

use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

fn directory_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(path, text).expect("a file");
    }
    directory
}

fn read(path: &Path) -> Result<SourceFiles, SourceError> {
    read_source(SourceName::Policies, &Source::Path(path.to_owned()))
}

fn names(files: &SourceFiles) -> Vec<&str> {
    files.iter().map(|(name, _)| name).collect()
}

#[test]
fn a_directory_is_read_whole_and_in_order() {
    let directory = directory_with(&[
        ("b.yaml", "b"),
        ("a_test.yaml", "t"),
        ("regions/aws.yml", "r"),
        ("regions/deep/x.json", "{}"),
        ("README.md", "for people"),
        (".hidden.yaml", "h"),
        (".git/x.yaml", "h"),
    ]);
    let files = read(directory.path()).expect("files");
    assert_eq!(
        names(&files),
        vec!["a_test.yaml", "b.yaml", "regions/aws.yml", "regions/deep/x.json"]
    );
    assert_eq!(files.passed_over(), ["README.md".to_owned()]);
    assert_eq!(files.files()[1].text, "b");
}

#[test]
fn the_digest_follows_names_and_texts_and_nothing_else() {
    let first = directory_with(&[("a.yaml", "1"), ("b.yaml", "2")]);
    let same = directory_with(&[("b.yaml", "2"), ("a.yaml", "1"), ("notes.txt", "n")]);
    let renamed = directory_with(&[("a.yaml", "1"), ("c.yaml", "2")]);
    let edited = directory_with(&[("a.yaml", "1"), ("b.yaml", "3")]);
    let digest = |directory: &tempfile::TempDir| read(directory.path()).expect("files").digest();
    assert_eq!(digest(&first), digest(&same));
    assert_ne!(digest(&first), digest(&renamed));
    assert_ne!(digest(&first), digest(&edited));
}

#[test]
fn a_file_may_have_any_extension_and_latencies_are_csv() {
    let directory = directory_with(&[
        ("matrix.csv", "from,to,rtt_ms"),
        ("fleet.txt", "x"),
        ("a.yaml", "x"),
    ]);
    let file = read(&directory.path().join("fleet.txt")).expect("a file");
    assert_eq!(names(&file), vec!["fleet.txt"]);
    let source = Source::Path(directory.path().to_owned());
    let latency = read_source(SourceName::Latency, &source).expect("files");
    assert_eq!(names(&latency), vec!["matrix.csv"]);
}

#[test]
fn embedded_texts_are_read_like_files() {
    let source = Source::Embedded(vec![("b.yaml", "2"), ("a.yaml", "1")]);
    let files = read_source(SourceName::Policies, &source).expect("texts");
    assert_eq!(
        files.iter().collect::<Vec<_>>(),
        vec![("a.yaml", "1"), ("b.yaml", "2")]
    );
    let directory = directory_with(&[("a.yaml", "1"), ("b.yaml", "2")]);
    assert_eq!(files.digest(), read(directory.path()).expect("files").digest());
}

#[test]
fn links_are_followed_and_a_circle_of_them_ends() {
    let directory = directory_with(&[("real/a.yaml", "1")]);
    symlink("real/a.yaml", directory.path().join("link.yaml")).expect("a link");
    symlink("real", directory.path().join("again")).expect("a link");
    let files = read(directory.path()).expect("files");
    assert_eq!(names(&files), vec!["again/a.yaml", "link.yaml", "real/a.yaml"]);

    symlink("..", directory.path().join("real/circle")).expect("a link");
    let error = read(directory.path()).expect_err("a circle").to_string();
    assert!(error.contains("16 directories deep"), "{error}");
}

#[test]
fn what_is_no_text_in_a_regular_file_is_refused_with_its_name() {
    let missing = read(Path::new("/nowhere/policies"))
        .expect_err("missing")
        .to_string();
    assert!(
        missing.starts_with("`/nowhere/policies` cannot be read"),
        "{missing}"
    );

    let directory = directory_with(&[]);
    assert!(
        read(directory.path()).expect("an empty directory").is_empty(),
        "whoever compiles says no"
    );

    let path = directory.path().join("bytes.yaml");
    fs::write(&path, [0xff, 0xfe]).expect("a file");
    let error = read(directory.path()).expect_err("no text").to_string();
    assert!(error.ends_with("bytes.yaml` is not UTF-8"), "{error}");
    fs::remove_file(path).expect("removed");

    symlink("nothing", directory.path().join("dangling.yaml")).expect("a link");
    let error = read(directory.path()).expect_err("a link to nothing").to_string();
    assert!(error.contains("dangling.yaml` cannot be read"), "{error}");
}

#[test]
fn a_device_does_not_hold_the_reader() {
    let directory = directory_with(&[]);
    symlink("/dev/zero", directory.path().join("endless.yaml")).expect("a link");
    let error = read(directory.path()).expect_err("a device").to_string();
    assert!(
        error.ends_with("endless.yaml` is neither a file nor a directory"),
        "{error}"
    );
    let error = read(Path::new("/dev/null")).expect_err("a device").to_string();
    assert_eq!(error, "`/dev/null` is neither a file nor a directory");
}

#[test]
fn limits_are_told_with_their_figure() {
    let directory = directory_with(&[("a.yaml", "12345"), ("b.yaml", "12345"), ("c/d.yaml", "1")]);
    let ample = Limits {
        file_bytes: 5,
        total_bytes: 11,
        files: 3,
        depth: 1,
    };
    let read = |limits| read_path(directory.path(), &["yaml"], limits);
    assert!(read(ample).is_ok(), "exactly at every limit");
    for (limits, expected) in [
        (
            Limits {
                file_bytes: 4,
                ..ample
            },
            "more than 4 bytes, which is the limit for one file",
        ),
        (
            Limits {
                total_bytes: 10,
                ..ample
            },
            "more than 10 bytes in its files together",
        ),
        (Limits { files: 2, ..ample }, "more than 2 files"),
        (Limits { depth: 0, ..ample }, "more than 0 directories deep"),
    ] {
        let error = read(limits).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// Mounts a version as kubelet does: a directory of its own, a link swapped by rename, the old removed.
fn mount(root: &Path, version: u32) {
    let fresh = root.join(format!("..version-{version}"));
    fs::create_dir(&fresh).expect("a version");
    for name in ["a.yaml", "b.yaml", "c.yaml"] {
        fs::write(fresh.join(name), version.to_string()).expect("a file");
    }
    let old = fs::read_link(root.join("..data")).ok();
    symlink(fresh.file_name().expect("a name"), root.join("..data_tmp")).expect("a link");
    fs::rename(root.join("..data_tmp"), root.join("..data")).expect("swapped");
    for name in ["a.yaml", "b.yaml", "c.yaml"] {
        if !root.join(name).is_symlink() {
            symlink(format!("..data/{name}"), root.join(name)).expect("a link");
        }
    }
    if let Some(old) = old {
        fs::remove_dir_all(root.join(old)).expect("removed");
    }
}

#[test]
fn a_reader_never_sees_two_versions_of_a_mounted_config_map() {
    let directory = directory_with(&[]);
    mount(directory.path(), 0);
    let stop = AtomicBool::new(false);
    let mut seen = BTreeSet::new();
    std::thread::scope(|scope| {
        let stop = &stop;
        let root = directory.path();
        scope.spawn(move || {
            let mut version = 0;
            while !stop.load(Ordering::Relaxed) {
                version += 1;
                mount(root, version);
                std::thread::sleep(Duration::from_micros(700));
            }
        });
        for _ in 0..400 {
            let files = match read(root) {
                Ok(files) => files,
                // A slow machine may meet a swap at every attempt: that is told, and nothing is mixed.
                Err(SourceError::KeepsChanging(_)) => continue,
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    panic!("{error}");
                }
            };
            let texts: Vec<&str> = files.iter().map(|(_, text)| text).collect();
            let mixed = texts.len() != 3 || texts.iter().any(|text| *text != texts[0]);
            if mixed {
                stop.store(true, Ordering::Relaxed);
                panic!("mixed versions: {texts:?}");
            }
            seen.insert(texts[0].to_owned());
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(seen.len() > 1, "the swaps did not meet the reader");
}
