//! `PolicyTest`: what a set must decide. What it names must exist, so that no case holds by a slip of the pen.

mod carrier;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::policies::activities;
use super::{references, regions, unique};
use crate::model::nearest_word;
use crate::policy::catalogue::Catalogue;
use crate::policy::definition::{
    Activity, ActivitySet, Demand, Exception, Outcome, Policy, PolicyTest, Reason, RuleIndex, TestCase,
    TestPlace, ThoughtOfPlace,
};
use crate::policy::document::{Object, Origin};
use crate::policy::schema::{PolicyTestSpec, TestCaseSpec, TestFactsSpec, Text};
use crate::policy::words::{DayBoundary, Reader};

/// What tests are checked against.
pub(super) struct Grounds<'a> {
    /// The policies, as far as they could be read.
    pub policies: &'a [Policy],
    /// The exceptions, as far as they could be read.
    pub exceptions: &'a [Exception],
    /// The regions, as far as they could be read.
    pub catalogue: &'a Catalogue,
    /// Whether some object could not be read, which may be the one that is missing.
    pub incomplete: bool,
}

pub(super) fn tests(
    objects: &[Object<PolicyTestSpec>],
    grounds: &Grounds<'_>,
    reader: &mut Reader,
) -> Vec<PolicyTest> {
    let by_name = unique(objects, "PolicyTest", reader);
    by_name
        .into_iter()
        .filter_map(|(name, object)| test(name, object, grounds, reader))
        .collect()
}

fn test(
    name: Arc<str>,
    object: &Object<PolicyTestSpec>,
    grounds: &Grounds<'_>,
    reader: &mut Reader,
) -> Option<PolicyTest> {
    let Object { origin, spec, .. } = object;
    let at = reader.instant(origin, &spec.at, DayBoundary::Start);
    if spec.cases.value.is_empty() {
        let sentence = "a test has at least one case".to_owned();
        reader.error("L01", origin.position(&spec.cases), sentence, None);
    }
    let mut names = BTreeSet::new();
    let mut cases = Vec::new();
    for written in &spec.cases.value {
        case_name(origin, &written.name, reader);
        if !names.insert(written.name.value.trim()) {
            let sentence = format!("a second case is called `{}`", written.name.value);
            reader.error("L04", origin.position(&written.name), sentence, None);
        }
        cases.extend(case(origin, written, at, grounds, reader));
    }
    Some(PolicyTest {
        name,
        at: at?,
        cases,
        written_at: object.position(),
    })
}

fn case_name(origin: &Origin, text: &Text, reader: &mut Reader) {
    let name = &text.value;
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        let sentence = format!("`{}` is not the name of a case", name.escape_default());
        let fix = "say in one line what must hold".to_owned();
        reader.error("L01", origin.position(text), sentence, Some(fix));
    }
}

fn case(
    origin: &Origin,
    spec: &TestCaseSpec,
    at: Option<Timestamp>,
    grounds: &Grounds<'_>,
    reader: &mut Reader,
) -> Option<TestCase> {
    let carrier = carrier::carrier(origin, spec, reader);
    let performs = performs(origin, spec, reader);
    let place = place(origin, spec, at, grounds, reader);
    let exceptions_count = match &spec.exceptions {
        None => Some(true),
        Some(text) => switch(origin, text, reader),
    };
    let words = Outcome::ALL.map(Outcome::word);
    let expects = reader.word(origin, &spec.expect, "outcome", &words, |word| {
        let mut all = Outcome::ALL.into_iter();
        all.find(|outcome| outcome.word() == word)
    });
    let because = match &spec.because {
        None => None,
        Some(text) => {
            let reason = reason(origin, text, grounds, reader)?;
            is_possible(
                origin,
                text,
                (reason, expects?, exceptions_count?),
                grounds,
                reader,
            );
            Some(reason)
        }
    };
    Some(TestCase {
        name: spec.name.value.trim().to_owned(),
        carrier: carrier?,
        performs,
        place: place?,
        exceptions_count: exceptions_count?,
        expects: expects?,
        because,
        written_at: origin.position(&spec.name),
    })
}

/// `on` and `off` mean here what other YAML readers make of them, so they need no quotes.
fn switch(origin: &Origin, text: &Text, reader: &mut Reader) -> Option<bool> {
    match text.value.as_str() {
        "on" | "true" => Some(true),
        "off" | "false" => Some(false),
        word => {
            let sentence = format!("`{word}` is neither `on` nor `off`");
            reader.error("L01", origin.position(text), sentence, None);
            None
        }
    }
}

fn performs(origin: &Origin, spec: &TestCaseSpec, reader: &mut Reader) -> ActivitySet {
    let usual = ActivitySet::default()
        .with(Activity::Process)
        .with(Activity::Store);
    let Some(written) = &spec.activities else {
        return usual;
    };
    let at = origin.position(written);
    let performs = activities(origin, &written.value, at.clone(), reader);
    if !written.value.is_empty() && !performs.contains(Activity::Process) {
        let sentence = "every pod performs `process`".to_owned();
        let fix = "add it to the list".to_owned();
        reader.error("L06", at, sentence, Some(fix));
    } else if spec.storage_class.is_some() && !performs.contains(Activity::Store) {
        let sentence = "a pod with a storage class mounts a claim and performs `store`".to_owned();
        let fix = "add it to the list".to_owned();
        reader.error("L06", at, sentence, Some(fix));
    }
    performs
}

fn place(
    origin: &Origin,
    spec: &TestCaseSpec,
    at: Option<Timestamp>,
    grounds: &Grounds<'_>,
    reader: &mut Reader,
) -> Option<TestPlace> {
    match (&spec.region, &spec.facts) {
        (Some(region), None) if region.value == "unknown" => Some(TestPlace::Unknown),
        (Some(region), None) => catalogued(origin, region, grounds, reader),
        (None, Some(facts)) => thought_of(origin, facts, at, reader),
        _ => {
            let sentence = "a case has exactly one of `region` and `facts`".to_owned();
            let fix = "write `region: aws/eu-central-1`, `region: unknown` or `facts: {country: \"DE\"}`";
            reader.error("L01", origin.position(&spec.name), sentence, Some(fix.to_owned()));
            None
        }
    }
}

fn catalogued(origin: &Origin, text: &Text, grounds: &Grounds<'_>, reader: &mut Reader) -> Option<TestPlace> {
    let otherwise = "add a Region object for it, or write `facts`";
    let known = (grounds.catalogue, grounds.incomplete);
    references::region(&text.value, origin.position(text), known, otherwise, reader).map(TestPlace::Region)
}

fn thought_of(
    origin: &Origin,
    spec: &TestFactsSpec,
    at: Option<Timestamp>,
    reader: &mut Reader,
) -> Option<TestPlace> {
    let (country, subdivision) = regions::country(origin, &spec.country, spec.subdivision.as_ref(), reader);
    let as_of = match &spec.as_of {
        None => at,
        Some(text) => reader.instant(origin, text, DayBoundary::Start),
    };
    let written = (
        &spec.operator,
        &spec.certifications,
        &spec.key_custody,
        &spec.tenancy,
    );
    let facts = regions::facts(origin, written, reader);
    Some(TestPlace::ThoughtOf(Box::new(ThoughtOfPlace {
        country: country?,
        subdivision,
        as_of: as_of?,
        facts,
    })))
}

fn reason(origin: &Origin, text: &Text, grounds: &Grounds<'_>, reader: &mut Reader) -> Option<Reason> {
    let at = origin.position(text);
    match text.value.as_str() {
        "uncovered" => return Some(Reason::Uncovered),
        "unlabelled" => return Some(Reason::Unlabelled),
        _ => {}
    }
    if let Some(name) = text.value.strip_prefix("exception/") {
        let exceptions = grounds.exceptions;
        let found = exceptions.iter().position(|exception| *exception.name == *name);
        if found.is_none() && !grounds.incomplete {
            let near = nearest_word(name, exceptions.iter().map(|exception| &*exception.name));
            let fix = near.map(|near| format!("did you mean `exception/{near}`?"));
            reader.error("L04", at, format!("no exception is called `{name}`"), fix);
        }
        return found.map(Reason::Exception);
    }
    let Some((policy, rule)) = text.value.rsplit_once('/') else {
        let sentence = format!("`{}` is not a reason", text.value);
        let near = nearest_word(&text.value, ["uncovered", "unlabelled"]);
        let fix = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write `policy/rule`, `exception/NAME`, `uncovered` or `unlabelled`".to_owned(),
        };
        reader.error("L04", at, sentence, Some(fix));
        return None;
    };
    let known = (grounds.policies, grounds.incomplete);
    references::rule((policy, at.clone()), (rule, at), known, reader).map(Reason::Rule)
}

/// A case that can never hold is a mistake of its author, and said before it is run.
fn is_possible(
    origin: &Origin,
    text: &Text,
    (reason, expects, exceptions_count): (Reason, Outcome, bool),
    grounds: &Grounds<'_>,
    reader: &mut Reader,
) {
    let (sentence, fix) = match (reason, expects) {
        (Reason::Exception(_), Outcome::Deny) => ("an exception never refuses", "name a rule"),
        (Reason::Exception(_), Outcome::Allow) if !exceptions_count => (
            "the exception cannot be the reason where `exceptions` is off",
            "write `exceptions: on`",
        ),
        (Reason::Rule(index), _) if is_about_transit(grounds, index) => (
            "a rule with `transit` is about the ways to data and a test speaks of places: it is never a reason",
            "leave `because` out or name another rule",
        ),
        (Reason::Rule(index), Outcome::Allow) => {
            let policy = grounds.policies.get(index.policy);
            let rule = policy.and_then(|policy| policy.rules.get(index.rule));
            if rule.is_none_or(|rule| matches!(rule.demand, Demand::Allowed(_))) {
                return;
            }
            (
                "only a rule with `allowed` is a reason to allow: this one restricts and never covers",
                "leave `because` out or name a rule with `allowed`",
            )
        }
        _ => return,
    };
    reader.error(
        "L06",
        origin.position(text),
        sentence.to_owned(),
        Some(fix.to_owned()),
    );
}

fn is_about_transit(grounds: &Grounds<'_>, index: RuleIndex) -> bool {
    let policy = grounds.policies.get(index.policy);
    let rule = policy.and_then(|policy| policy.rules.get(index.rule));
    rule.is_some_and(|rule| matches!(rule.demand, Demand::Transit(_)))
}
