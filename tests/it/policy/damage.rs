//! Seeded damage to real policy files: the shipped ones and every case of the linter. Never a panic, never
//! more findings than the text has bytes. `fuzz/` has a target for single files.

use std::fs;
use std::path::Path;

use domicile::policy::{PolicySet, lint};
use jiff::Timestamp;

use super::choices::{Choices, hold_for, wanted_cases};

/// Pieces that YAML or the language gives a meaning.
const PIECES: [&str; 28] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "'",
    "&a ",
    "*a ",
    "<<: ",
    "---\n",
    "...\n",
    "\n",
    "\n  ",
    "- ",
    "? ",
    "| ",
    "> ",
    "!!str ",
    "!!binary ",
    "\u{feff}",
    "\u{0}",
    "null",
    "NO",
    "group/EEA",
    "anywhere",
    "9999-12-31",
];

/// The longest that a text may grow to: damage is not the test of limits.
const MOST_BYTES: usize = 60_000;

fn texts() -> Vec<String> {
    let shipped = domicile::embedded::policies().iter();
    let mut texts: Vec<String> = shipped
        .filter(|(name, _)| !name.starts_with("regions"))
        .map(|(_, text)| (*text).to_owned())
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint");
    let mut cases: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    cases.sort();
    texts.extend(cases.iter().map(|path| fs::read_to_string(path).unwrap()));
    assert!(texts.len() > 40, "only {} texts", texts.len());
    texts
}

fn boundary(text: &str, from: usize) -> usize {
    let from = from.min(text.len());
    (from..=text.len())
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(text.len())
}

/// A part of a text, which begins and ends between two characters.
fn part<'a>(choices: &mut Choices, text: &'a str, most: usize) -> &'a str {
    let from = boundary(text, choices.below(text.len() + 1));
    let to = boundary(text, from + choices.below(most));
    &text[from..to]
}

fn damage(choices: &mut Choices, texts: &[String], text: &mut String) {
    let at = boundary(text, choices.below(text.len() + 1));
    match choices.below(9) {
        0 => text.insert_str(at, choices.one(&PIECES)),
        1 => text.truncate(at),
        // One byte becomes another, so that what was text may be anything.
        2 => {
            let to = boundary(text, at + 1);
            let byte = u8::try_from(choices.below(128)).unwrap();
            text.replace_range(at..to, &char::from(byte).to_string());
        }
        3 => {
            let to = boundary(text, at + choices.below(60));
            text.replace_range(at..to, "");
        }
        // A part of another file, or the same part once more.
        4 => {
            let other = &texts[choices.below(texts.len())];
            let spliced = part(choices, other, 400).to_owned();
            text.insert_str(at, &spliced);
        }
        5 => {
            let again = part(choices, text, 800).to_owned();
            text.insert_str(at, &again);
        }
        // Deep nesting, long lists, long words.
        6 => text.insert_str(
            at,
            &["[", "{a: ", "- ", "? "][choices.below(4)].repeat(1 + choices.below(2_000)),
        ),
        7 => text.insert_str(
            at,
            &["x, ", "\"DE\", ", "*a, ", "group/EEA, "][choices.below(4)].repeat(1 + choices.below(4_000)),
        ),
        _ => text.insert_str(
            at,
            &["x", "-", "\u{1f600}", " "][choices.below(4)].repeat(1 + choices.below(20_000)),
        ),
    }
    let end = boundary(text, MOST_BYTES);
    text.truncate(end);
}

#[test]
fn damaged_policy_files_never_panic() {
    let texts = texts();
    let base = texts
        .iter()
        .find(|text| text.starts_with("# What every case of this folder starts from"))
        .unwrap();
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    hold_for(wanted_cases() / 2, |choices| {
        let mut text = texts[choices.below(texts.len())].clone();
        for _ in 0..=choices.below(3) {
            damage(choices, &texts, &mut text);
        }
        let files = [("base.yaml", base.as_str()), ("damaged.yaml", text.as_str())];
        // Every second time alone, so that the settings are damaged too.
        let files = &files[choices.below(2)..];
        let tried = std::panic::catch_unwind(|| match PolicySet::load(files.iter().copied()) {
            Ok(loaded) => loaded.findings.len() + lint(&loaded.set, now).len(),
            Err(findings) => findings.len(),
        });
        let most = files.iter().map(|(_, text)| text.len()).sum::<usize>() + 1;
        match tried {
            Ok(findings) if findings <= most => Ok(1),
            Ok(findings) => Err(format!("{findings} findings for {most} bytes: {text}")),
            Err(_) => Err(format!("it panics: {text}")),
        }
    });
}
