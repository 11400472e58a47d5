//! Lists in annotations, and how each finding about a member of one is told.

use std::borrow::Cow;

use super::Reader;
use crate::model::nearest_word;
use crate::objects::quoted::alternatives;

/// The most findings that are told of one annotation; the rest are counted.
const MOST_FINDINGS: usize = 4;

/// "did you mean `x`?" where a word is near enough, else the words that there are.
pub(super) fn did_you_mean(written: &str, known: &[&str]) -> String {
    match nearest_word(written, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write {}", alternatives(known.iter().copied())),
    }
}

impl Reader {
    /// Reads the members of a list one by one. A member that cannot be read is told and left out, so
    /// the others stay. Nothing between two separators is a finding: it is what a template leaves behind
    /// whose value was missing, and whoever wrote it meant more data than the list then says.
    pub(super) fn members<T: PartialEq>(
        &mut self,
        annotation: &'static str,
        value: &str,
        separator: char,
        mut read: impl FnMut(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let mut members: Vec<T> = Vec::new();
        let mut findings: Vec<String> = Vec::new();
        if value.trim().is_empty() {
            findings.push("the list is empty; fill it or take the annotation off".to_owned());
        } else {
            for written in value.split(separator).map(str::trim) {
                if written.is_empty() {
                    findings.push(format!(
                        "a member of the list is empty; take the spare `{separator}` out"
                    ));
                    continue;
                }
                match read(written) {
                    Ok(member) if !members.contains(&member) => members.push(member),
                    Ok(_) => {}
                    Err(finding) => findings.push(finding),
                }
            }
        }
        self.problems(annotation, findings);
        members
    }

    /// Tells the first findings of an annotation and counts the rest, so that the answer stays short
    /// whatever somebody writes.
    fn problems(&mut self, annotation: &'static str, mut findings: Vec<String>) {
        // Equal findings say no more than one.
        let mut told = std::collections::BTreeSet::new();
        findings.retain(|finding| told.insert(finding.clone()));
        let untold = findings.len().saturating_sub(MOST_FINDINGS);
        findings.truncate(MOST_FINDINGS);
        for finding in findings {
            self.problem(annotation, finding);
        }
        if untold > 0 {
            self.malformed.push(crate::model::Malformed {
                annotation: Cow::Borrowed(annotation),
                problem: format!("{untold} more members of the list cannot be read"),
            });
        }
    }
}
