//! `domicile explain`, exactly: the shipped policies, and a set with every word of the language. The expected
//! texts are `tests/authoring/*.txt`; `DOMICILE_UPDATE_EXPECTED=1` writes them anew, for somebody to read.

use std::fs;
use std::path::{Path, PathBuf};

use domicile::cli::explain::{ExplainArgs, run};
use domicile::cli::{Outcome, Output};

use super::{everything, now};

fn arguments(policies: &Path) -> ExplainArgs {
    ExplainArgs {
        policy: None,
        all: true,
        policies: Some(policies.to_owned()),
        snapshot: None,
        at: None,
        output: Output::Text,
    }
}

fn explained(arguments: &ExplainArgs) -> Result<String, String> {
    let mut out = Vec::new();
    let outcome = run(arguments, now(), &mut out).map_err(|problem| format!("{problem:#}"))?;
    assert_eq!(outcome, Outcome::Holds);
    Ok(String::from_utf8(out).unwrap())
}

fn expected(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/authoring")
        .join(name)
}

/// The hash of a set changes with every comment in it; what is explained does not.
fn without_digest(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("Set "));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_policy_gives_its_text() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let mut wrong = Vec::new();
    for (policies, name) in [(shipped, "shipped.txt"), (everything(), "everything.txt")] {
        let said = without_digest(&explained(&arguments(&policies)).unwrap());
        if std::env::var_os("DOMICILE_UPDATE_EXPECTED").is_some() {
            fs::write(expected(name), &said).unwrap();
        }
        if fs::read_to_string(expected(name)).ok().as_ref() != Some(&said) {
            wrong.push(format!("{name}:\n{said}"));
        }
        let longest = said.lines().map(|line| line.chars().count()).max();
        assert!(
            longest <= Some(110),
            "{name} has a line of {longest:?} characters"
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_name_that_is_almost_right_is_told() {
    let of_name = |name: &str| ExplainArgs {
        policy: Some(name.to_owned()),
        all: false,
        ..arguments(&everything())
    };
    let said = explained(&of_name("card-dta")).unwrap_err();
    assert_eq!(said, "no policy is called `card-dta`; did you mean `card-data`?");
    let said = explained(&of_name("weather")).unwrap_err();
    assert!(
        said.ends_with("there are au-my-health-record, card-data, nordic-trial, routes-of-records"),
        "{said}"
    );
    let said = explained(&of_name("card-data")).unwrap();
    assert!(
        said.contains("Policy card-data") && !said.contains("nordic-trial"),
        "{said}"
    );
}

#[test]
fn json_has_the_same_sentences() {
    let text = explained(&arguments(&everything())).unwrap();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = words(&text);
    let json = explained(&ExplainArgs {
        output: Output::Json,
        ..arguments(&everything())
    });
    let json: serde_json::Value = serde_json::from_str(&json.unwrap()).unwrap();
    assert_eq!((&json["v"], &json["kind"]), (&1.into(), &"explanation".into()));
    let policies = json["policies"].as_array().unwrap();
    assert_eq!(policies.len(), 4);
    for part in policies
        .iter()
        .flat_map(|policy| policy["parts"].as_array().unwrap())
    {
        for sentence in part["sentences"].as_array().unwrap() {
            let sentence = words(sentence.as_str().unwrap());
            assert!(text.contains(&sentence), "{sentence}");
        }
    }
}
