//! A first policy from answers: the mandatory fields and no more, with one case that allows and one that denies.
//!
//! Inputs: answers as somebody gave them, the set that the policy will stand in, an instant. Outputs: the text
//! of a policy and its test, what to know about it; or what is wrong with the answers. Invariants: every word
//! is checked by loading the text beside the set, as any file is; which regions the cases name, and what comes
//! of them, the evaluator decides. Deliberately absent: rules of its own about what a policy may say.

mod cases;
mod text;

use jiff::Timestamp;

use super::PolicySet;
use super::definition::RuleIndex;
use super::finding::{Finding, Level};
use super::lint::lint;
use cases::Cases;

/// The name under which findings speak of the new text. No file has it.
const FILE: &str = "(new policy)";

/// The mandatory things about a policy, as they were given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answers {
    /// Its name.
    pub name: String,
    /// In one line, for people.
    pub title: String,
    /// Which team answers for it.
    pub team: String,
    /// Whom a refused user asks.
    pub contact: String,
    /// What it cites.
    pub legal_basis: Vec<String>,
    /// `enforce`, `warn` or `audit`.
    pub mode: String,
    /// The categories that it selects; empty is any.
    pub categories: Vec<String>,
    /// Whose data it selects; empty is anybody's.
    pub subjects: Vec<String>,
    /// The least classification that it selects.
    pub at_least: Option<String>,
    /// Where that data may be.
    pub allowed: Vec<String>,
}

/// A policy that loads beside its set.
#[derive(Debug)]
pub struct Draft {
    /// The policy and its test, as a file of two documents.
    pub text: String,
    /// What its cases could not show, in sentences.
    pub remarks: Vec<String>,
    /// What lint finds with the policy in the set and not without it.
    pub findings: Vec<Finding>,
}

impl Draft {
    /// Whether lint calls something an error.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.findings.iter().any(|finding| finding.level == Level::Error)
    }
}

/// Whether a finding is about the new text, which nobody can open yet.
#[must_use]
pub fn is_about_draft(finding: &Finding) -> bool {
    finding.position.file == FILE
}

/// Drafts a policy that will stand in a set, of which the files are given too.
///
/// # Errors
/// What is wrong with the answers.
pub fn draft(
    answers: &Answers,
    set: &PolicySet,
    files: &[(&str, &str)],
    at: Timestamp,
) -> Result<Draft, Vec<Finding>> {
    // A test file says its instant in whole seconds.
    let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
    let load = |text: &str| {
        let with_draft = files.iter().copied().chain([(FILE, text)]);
        PolicySet::load(with_draft).map(|loaded| loaded.set)
    };
    let policy = text::policy(answers);
    let with_policy = load(&policy)?;
    let mut policies = with_policy.definitions.policies.iter();
    let cases = policies
        .position(|policy| *policy.name == *answers.name)
        .and_then(|policy| Cases::choose(&with_policy, RuleIndex { policy, rule: 0 }, at));
    let (text, remarks) = match cases {
        None => (policy, vec!["no data was found to test it with".to_owned()]),
        Some(cases) => {
            let test = text::test(&free_test_name(set, &answers.name), at, &cases);
            (policy + &test, cases.remarks)
        }
    };
    let with_test = load(&text)?;
    let before = lint(set, at);
    let mut findings = lint(&with_test, at);
    findings.retain(|finding| !before.contains(finding));
    Ok(Draft {
        text,
        remarks,
        findings,
    })
}

/// The name of the policy; with a number where another test has that name.
fn free_test_name(set: &PolicySet, name: &str) -> String {
    let is_taken = |name: &str| set.definitions.tests.iter().any(|test| *test.name == *name);
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| !is_taken(name)).unwrap_or_default()
}
