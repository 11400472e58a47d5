//! What `docs/` says of the program, held against the program: links, files, metrics, log sentences.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domicile::admission::{MutateOutcome, ValidateOutcome};
use domicile::config::{SETTINGS, ServeArgs, load};
use domicile::decisions::Verb;
use domicile::files::{SourceHealth, SourceName, SourceState};
use domicile::metrics::{Metrics, PairCounts, Scanned};
use domicile::prometheus::{QueryFailure, Reason};
use jiff::Timestamp;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages of `docs/`, with their texts.
fn pages() -> Vec<(PathBuf, String)> {
    let mut pages: Vec<(PathBuf, String)> = fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    pages.sort();
    assert!(pages.len() >= 3, "the pages were not found");
    pages
}

/// Every word of a text that begins so, up to what no word of its kind has.
fn words<'a>(text: &'a str, beginning: &'a str, inside: fn(char) -> bool) -> impl Iterator<Item = &'a str> {
    text.match_indices(beginning).map(move |(at, _)| {
        let (_, rest) = text.split_at(at);
        rest.split(|c| !inside(c)).next().unwrap_or(rest)
    })
}

#[test]
fn links_and_files_are_there() {
    for (page, text) in pages() {
        for link in text.split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            assert!(
                page.parent().unwrap().join(target).exists(),
                "{}: {target}",
                page.display()
            );
        }
        for file in words(&text, "deploy/", |c| {
            c.is_ascii_alphanumeric() || "/-_.".contains(c)
        }) {
            assert!(
                root().join(file.trim_end_matches('.')).exists(),
                "{}: {file}",
                page.display()
            );
        }
    }
}

#[test]
fn metrics_exist() {
    let metrics = Metrics::new();
    // Families say nothing before they are used.
    metrics.refused("rule", None, "enforce");
    metrics.exception_used("ex-1");
    metrics.failed(Verb::Filter, "not-ready");
    metrics.reviewed(Verb::Mutate, "confined", Duration::ZERO);
    metrics.source(&SourceHealth {
        name: SourceName::Policies,
        state: SourceState::Current {
            since: Timestamp::UNIX_EPOCH,
        },
        digest: None,
        confirmed_at: Some(Timestamp::UNIX_EPOCH),
        state_write_failures: 0,
    });
    let latency = metrics.latency();
    latency.polled("probes", "p50", "answered");
    latency.succeeded("probes", Timestamp::UNIX_EPOCH);
    latency.left_out("probes", ["two-series"].into_iter());
    latency.seen("probes", Some(Timestamp::UNIX_EPOCH), Some(Timestamp::UNIX_EPOCH));
    latency.pairs(PairCounts::default());
    let tls = metrics.tls();
    tls.loaded("extender", Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
    tls.client_refused("extender", "missing");
    metrics.retries().tried("woken");
    metrics.retries().bound("policies", Duration::ZERO);
    metrics.scan().findings(&BTreeMap::new());
    metrics.scan().ended(Scanned {
        at: Timestamp::UNIX_EPOCH,
        pods: 0,
        took: Duration::ZERO,
    });
    let served = metrics.encode(Timestamp::UNIX_EPOCH);
    let types = served.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let known: BTreeSet<&str> = types.filter_map(|line| line.split(' ').next()).collect();
    let mut named = 0;
    for (page, text) in pages() {
        for word in words(&text, "domicile_", |c| c.is_ascii_lowercase() || c == '_') {
            let family = word.trim_end_matches("_total");
            // One family cannot be used from here.
            assert!(
                known.contains(family) || family == "domicile_decisions",
                "{}: {word} is not among {known:?}",
                page.display()
            );
            named += 1;
        }
    }
    assert!(named > 10, "only {named} metrics are named");
}

/// The blocks of YAML of a page that begin with this line.
fn blocks<'a>(text: &'a str, first_line: &'a str) -> impl Iterator<Item = &'a str> {
    let blocks = text.split("```yaml\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap());
    blocks.filter(move |block| block.starts_with(first_line))
}

#[test]
fn settings_of_live_latency_load_and_every_word_about_it_is_explained() {
    let page = fs::read_to_string(root().join("docs/latency.md")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("domicile.yaml");
    let mut loaded = 0;
    for block in blocks(&page, "live-latency:\n") {
        fs::write(&file, block).unwrap();
        let arguments = ServeArgs {
            config: Some(file.clone()),
            ..ServeArgs::default()
        };
        load(&arguments, &BTreeMap::new()).unwrap_or_else(|error| panic!("{error}\n{block}"));
        loaded += 1;
    }
    assert_eq!(loaded, 2);
    let words = Reason::ALL.iter().map(|reason| reason.word());
    for word in words.chain(QueryFailure::OUTCOMES) {
        assert!(page.contains(&format!("`{word}`")), "{word} is not explained");
    }
}

#[test]
fn every_outcome_and_setting_of_admission_is_explained() {
    let page = fs::read_to_string(root().join("docs/admission.md")).unwrap();
    let mutated = MutateOutcome::ALL.map(MutateOutcome::word);
    let validated = ValidateOutcome::ALL.map(ValidateOutcome::word);
    for word in mutated.into_iter().chain(validated) {
        assert!(page.contains(&format!("`{word}`")), "{word} is not explained");
    }
    let settings = SETTINGS.iter().map(|setting| setting.key);
    let settings: Vec<&str> = settings.filter(|key| key.starts_with("admission.")).collect();
    assert!(settings.len() > 5, "{settings:?}");
    for key in settings {
        let is_told = page.contains(&format!("`{key}`"));
        let of_certificate = key.strip_prefix("admission.tls");
        let is_told = is_told || of_certificate.is_some_and(|key| page.contains(&format!("`{key}`")));
        assert!(is_told, "{key} is not explained");
    }
}

#[test]
fn sentences_of_the_log_are_said() {
    let mut sources = String::new();
    let mut open = vec![root().join("src")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => sources.push_str(&fs::read_to_string(path).unwrap()),
            }
        }
    }
    let failures = fs::read_to_string(root().join("docs/failures.md")).unwrap();
    for sentence in [
        "source is bad; the last good one still decides",
        "files that an earlier run saved decide",
        "good files are not saved",
        "saved files are not used",
        "the watch broke and is taken up again",
        "permitted nodes exist outside the offered sample",
        "the files of TLS are bad; the last good certificate is served",
        "the certificate that is served expired",
        "this replica acts as the only one",
        "a pod cannot be woken",
    ] {
        assert!(failures.contains(sentence), "no longer told: {sentence}");
        assert!(sources.contains(sentence), "no longer said: {sentence}");
    }
}

#[test]
fn the_image_is_built_from_everything_that_is_compiled_in() {
    let dockerfile = fs::read_to_string(root().join("deploy/Dockerfile")).unwrap();
    let let_in = fs::read_to_string(root().join(".dockerignore")).unwrap();
    let copied: BTreeSet<&str> = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("COPY ")?.split(' ').next())
        .collect();
    let mut needed: BTreeSet<String> = ["src", "tests", "benches"].map(str::to_owned).into();
    let mut open = vec![root().join("src")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for part in text.split("include_str!(\"").skip(1) {
                let included = folder.join(part.split('"').next().unwrap());
                let included = included.canonicalize().expect("what is included is there");
                let inside = included.strip_prefix(root().canonicalize().unwrap()).unwrap();
                needed.insert(
                    inside
                        .components()
                        .next()
                        .unwrap()
                        .as_os_str()
                        .to_string_lossy()
                        .into(),
                );
            }
        }
    }
    assert!(
        needed.contains("policies") && needed.contains("defaults"),
        "{needed:?}"
    );
    for folder in needed {
        assert!(copied.contains(folder.as_str()), "`{folder}` is not copied");
        assert!(
            let_in.lines().any(|line| line.strip_prefix('!') == Some(&folder)),
            "`{folder}` is not let in"
        );
    }
}

#[test]
fn every_code_of_the_doctor_is_explained_once() {
    let page = fs::read_to_string(root().join("docs/doctor.md")).unwrap();
    let explained: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| D")?.split(' ').next())
        .collect();
    let mut raised: BTreeSet<String> = BTreeSet::new();
    for entry in fs::read_dir(root().join("src/doctor")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for word in words(&text, "\"D", |c| c == '"' || c == 'D' || c.is_ascii_digit()) {
            if word.len() == "\"D00\"".len() {
                raised.insert(word.trim_matches('"').trim_start_matches('D').to_owned());
            }
        }
    }
    assert_eq!(explained, raised.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn every_code_of_the_check_of_latencies_is_explained_once() {
    let page = fs::read_to_string(root().join("docs/latency.md")).unwrap();
    let explained: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| M")?.split(' ').next())
        .collect();
    let text = fs::read_to_string(root().join("src/cli/latency/finding.rs")).unwrap();
    let codes = words(&text, "\"M", |c| c == '"' || c == 'M' || c.is_ascii_digit());
    let raised: BTreeSet<&str> = codes
        .map(|word| word.trim_matches('"').trim_start_matches('M'))
        .collect();
    assert_eq!(explained, raised.into_iter().collect::<Vec<_>>());
}

#[test]
fn every_code_of_lint_is_explained_once() {
    let page = fs::read_to_string(root().join("docs/policies.md")).unwrap();
    let explained: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| L")?.split(' ').next())
        .collect();
    let mut raised: BTreeSet<String> = BTreeSet::new();
    let mut open = vec![root().join("src/policy"), root().join("src/placement")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if !path.ends_with("lint/codes.rs") {
                // That table has every code, raised or not.
                let text = fs::read_to_string(path).unwrap();
                for word in words(&text, "\"L", |c| c == '"' || c == 'L' || c.is_ascii_digit()) {
                    if word.len() == "\"L00\"".len() {
                        raised.insert(word.trim_matches('"').trim_start_matches('L').to_owned());
                    }
                }
            }
        }
    }
    assert_eq!(explained, raised.iter().map(String::as_str).collect::<Vec<_>>());
    let kinds = domicile::policy::FINDING_KINDS.map(|kind| kind.code.trim_start_matches('L'));
    assert!(explained.iter().all(|code| kinds.contains(code)), "{explained:?}");
}
