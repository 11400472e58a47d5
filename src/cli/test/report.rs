//! The answer of `domicile test`, for people and for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::cli::counted::counted;
use crate::cli::explanation::VERSION;
use crate::policy::{Finding, Level, PolicySet, PolicyTest, Tried, run_tests};

/// What is said of a set without tests.
const NOTHING_TESTED: &str = "nothing was tested: the set has no PolicyTest";

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    v: u32,
    kind: &'static str,
    /// The hash of the set; absent where it does not load.
    set: Option<String>,
    /// Whether there is a test and every case passes.
    pub holds: bool,
    /// How many cases passed.
    pub passed: usize,
    /// How many did not.
    pub failed: usize,
    /// Each test with its cases.
    pub tests: Vec<Test>,
    /// Which rules the cases that passed reach.
    coverage: Vec<Covered>,
    /// Rules about the ways to data, of which no test can speak.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_judged: Vec<String>,
    /// Why nothing could be tested.
    pub problems: Vec<String>,
}

/// A test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Test {
    /// Its name.
    pub name: String,
    /// The instant at which its cases are judged.
    pub at: String,
    /// Its cases.
    pub cases: Vec<Case>,
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Case {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub file: String,
    line: usize,
    column: usize,
    /// Whether it passed.
    pub passed: bool,
    expected: Expected,
    got: Got,
}

/// What a case expects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Expected {
    outcome: &'static str,
    because: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Got {
    outcome: &'static str,
    /// All that refuses; or all that covers, lifts or lets through.
    because: Vec<String>,
    sentence: String,
}

/// A rule, and whether cases that passed reach it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Covered {
    rule: String,
    allow: bool,
    deny: bool,
}

impl Report {
    /// Runs the tests of a set that loads.
    pub(super) fn of_set(set: &PolicySet) -> Self {
        let ran = run_tests(set);
        let mut tests: BTreeMap<&str, Test> = BTreeMap::new();
        for tried in &ran.tried {
            let test = tests.entry(&tried.test.name);
            let test = test.or_insert_with(|| Test::new(tried.test));
            test.cases.push(Case::new(set, tried));
        }
        let passed = ran.tried.iter().filter(|tried| tried.passed).count();
        let failed = ran.tried.len() - passed;
        let coverage = ran.coverage.iter().map(|covered| Covered {
            rule: set.rule_name(covered.rule).unwrap_or_default(),
            allow: covered.allows,
            deny: covered.denies,
        });
        let problems = match ran.tried.is_empty() {
            true => vec![NOTHING_TESTED.to_owned()],
            false => Vec::new(),
        };
        Self {
            v: VERSION,
            kind: "test",
            set: Some(set.digest().to_owned()),
            holds: failed == 0 && problems.is_empty(),
            passed,
            failed,
            tests: tests.into_values().collect(),
            coverage: coverage.collect(),
            not_judged: ran
                .not_judged
                .iter()
                .filter_map(|rule| set.rule_name(*rule))
                .collect(),
            problems,
        }
    }

    /// Tells why a set does not load, so that nothing could be tested.
    pub(super) fn of_findings(findings: &[Finding]) -> Self {
        let errors = findings.iter().filter(|finding| finding.level == Level::Error);
        Self {
            v: VERSION,
            kind: "test",
            set: None,
            holds: false,
            passed: 0,
            failed: 0,
            tests: Vec::new(),
            coverage: Vec::new(),
            not_judged: Vec::new(),
            problems: errors.map(ToString::to_string).collect(),
        }
    }

    /// Writes the answer for people.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        for test in &self.tests {
            for case in test.cases.iter().filter(|case| !case.passed) {
                let Case {
                    file, line, column, ..
                } = case;
                writeln!(
                    out,
                    "{file}:{line}:{column}: failed: {}: {}",
                    test.name, case.name
                )?;
                writeln!(out, "       expected  {}", case.expected_in_words())?;
                writeln!(out, "       got       {}", case.got_in_words())?;
            }
        }
        for problem in &self.problems {
            writeln!(out, "{problem}")?;
        }
        if self.tests.is_empty() {
            if self.set.is_none() {
                writeln!(out, "nothing was tested: the set does not load")?;
            }
            return Ok(());
        }
        self.write_coverage(out)?;
        writeln!(
            out,
            "{} in {}: {} passed, {} failed",
            counted(self.passed + self.failed, "case"),
            counted(self.tests.len(), "test"),
            self.passed,
            self.failed
        )
    }

    fn write_coverage(&self, out: &mut dyn Write) -> io::Result<()> {
        let longest = self.coverage.iter().map(|covered| covered.rule.len()).max();
        let width = longest.unwrap_or(0).max("rule".len());
        writeln!(out, "{:width$}  allow     deny", "rule")?;
        let word = |reached: bool| if reached { "tested" } else { "untested" };
        for covered in &self.coverage {
            let Covered { rule, allow, deny } = covered;
            writeln!(out, "{rule:width$}  {:<8}  {}", word(*allow), word(*deny))?;
        }
        let tested = self
            .coverage
            .iter()
            .filter(|covered| covered.allow && covered.deny);
        writeln!(
            out,
            "{} of {} tested with allow and with deny",
            tested.count(),
            counted(self.coverage.len(), "rule")
        )?;
        for rule in &self.not_judged {
            writeln!(
                out,
                "{rule} is about the ways to data and a test speaks of places, so it is not judged here"
            )?;
        }
        Ok(())
    }
}

impl Test {
    fn new(test: &PolicyTest) -> Self {
        Self {
            name: test.name.to_string(),
            at: test.at.to_string(),
            cases: Vec::new(),
        }
    }

    /// How many of its cases did not pass.
    pub(super) fn failed(&self) -> usize {
        self.cases.iter().filter(|case| !case.passed).count()
    }
}

impl Case {
    fn new(set: &PolicySet, tried: &Tried<'_>) -> Self {
        let position = &tried.case.written_at;
        Self {
            name: tried.case.name.clone(),
            file: position.file.clone(),
            line: position.line,
            column: position.column,
            passed: tried.passed,
            expected: Expected {
                outcome: tried.case.expects.word(),
                because: tried.case.because.map(|reason| set.reason_name(reason)),
            },
            got: Got {
                outcome: tried.outcome.word(),
                because: tried
                    .reasons
                    .iter()
                    .map(|reason| set.reason_name(*reason))
                    .collect(),
                sentence: tried.sentence.clone(),
            },
        }
    }

    /// What it expects, in words.
    pub(super) fn expected_in_words(&self) -> String {
        match &self.expected.because {
            Some(because) => format!("{} because of `{because}`", self.expected.outcome),
            None => self.expected.outcome.to_owned(),
        }
    }

    /// What came of it, in words.
    pub(super) fn got_in_words(&self) -> String {
        format!("{}: {}", self.got.outcome, self.got.sentence)
    }

    /// Where it stands, as compilers write it.
    pub(super) fn place(&self) -> String {
        format!("{}:{}:{}", self.file, self.line, self.column)
    }
}
