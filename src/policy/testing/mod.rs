//! The tests that stand beside the policies: each case is judged at the instant that its test says, by the
//! same profile and the same evaluator as a pod.
//!
//! Inputs: a set. Outputs: what came of each case, and which rules the cases reach. Invariants: the outcome
//! depends on the set alone; no clock is asked. What the rules say is judged, also where the settings only
//! observe; a node is taken to be one whose region is confirmed.

mod stage;

use super::PolicySet;
use super::catalogue::PlaceIndex;
use super::definition::{Demand, Mode, Outcome, PolicyTest, Reason, RuleIndex, TestCase, Unlabelled};
use super::evaluate::{Cause, Reach, Verdict, evaluate, reach};
use super::profile::Profile;
use super::sentence::{PlacesOfFleet, sentence};
use stage::Stage;

/// What came of all tests of a set.
#[derive(Debug)]
pub struct TestReport<'s> {
    /// Every case, in the order of the names of tests and then of the file.
    pub tried: Vec<Tried<'s>>,
    /// Every rule of the set but those on transit.
    pub coverage: Vec<RuleCoverage>,
    /// The rules on transit: they are about ways and a case speaks of a place, so no case reaches them.
    pub not_judged: Vec<RuleIndex>,
}

/// What came of one case.
#[derive(Debug)]
pub struct Tried<'s> {
    /// Its test.
    pub test: &'s PolicyTest,
    /// The case.
    pub case: &'s TestCase,
    /// What came of it.
    pub outcome: Outcome,
    /// Why: for a refusal all that refuses, else all that covers, lifts or lets through.
    pub reasons: Vec<Reason>,
    /// In a sentence: for a refusal the one that the user of a pod would be told.
    pub sentence: String,
    /// Whether that is what the case expects.
    pub passed: bool,
    /// The rules that bear on the pod, and what each makes of the place; none that an exception lifts.
    pub reached: Vec<(RuleIndex, Outcome)>,
}

/// Whether some case that passed reaches a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleCoverage {
    /// Which rule.
    pub rule: RuleIndex,
    /// With an outcome that it allows.
    pub allows: bool,
    /// With one that it refuses, or would refuse if it were enforced.
    pub denies: bool,
}

impl RuleCoverage {
    /// Whether it is reached in both ways.
    #[must_use]
    pub fn is_tested(&self) -> bool {
        self.allows && self.denies
    }
}

/// Judges every case of a set.
#[must_use]
pub fn run_tests(set: &PolicySet) -> TestReport<'_> {
    let stage = Stage::new(set);
    let cases = set
        .definitions
        .tests
        .iter()
        .flat_map(|test| test.cases.iter().map(move |case| (test, case)));
    let tried: Vec<Tried<'_>> = cases
        .enumerate()
        .map(|(number, (test, case))| {
            let (of_case, place) = stage.set_and_place(number, case);
            try_case(of_case, test, case, place)
        })
        .collect();
    let (judged, not_judged) = rules(set).partition(|rule| !is_about_ways(set, *rule));
    TestReport {
        coverage: coverage(judged, &tried),
        not_judged,
        tried,
    }
}

fn try_case<'s>(set: &PolicySet, test: &'s PolicyTest, case: &'s TestCase, place: PlaceIndex) -> Tried<'s> {
    let profile = stage::profile_of(set, test, case);
    let verdict = evaluate(set, &profile, test.at);
    let bearing = reach(set, &profile, test.at);
    let outcome = if verdict.permits(place, true) {
        Outcome::Allow
    } else {
        Outcome::Deny
    };
    let reasons = match outcome {
        Outcome::Allow => reasons_to_allow(&verdict, &bearing, place),
        Outcome::Deny => reasons_to_deny(&verdict, place),
    };
    let sentence = match outcome {
        Outcome::Allow => allowed_in_words(set, &verdict, &reasons),
        Outcome::Deny => refused_in_words(set, &profile, &verdict, place),
    };
    let as_expected = outcome == case.expects;
    Tried {
        test,
        case,
        outcome,
        passed: as_expected && case.because.is_none_or(|because| reasons.contains(&because)),
        reasons,
        sentence,
        reached: reached(set, &verdict, &bearing, place),
    }
}

fn reasons_to_deny(verdict: &Verdict, place: PlaceIndex) -> Vec<Reason> {
    let refusing = verdict
        .restrictions
        .iter()
        .filter(|restriction| restriction.mode == Mode::Enforce && !restriction.leaves(place, true));
    let reason = |cause| match cause {
        Cause::Rule(index) => Some(Reason::Rule(index)),
        Cause::Uncovered => Some(Reason::Uncovered),
        Cause::Unlabelled => Some(Reason::Unlabelled),
        Cause::Malformed | Cause::StaleFacts => None,
    };
    refusing
        .filter_map(|restriction| reason(restriction.cause))
        .collect()
}

fn reasons_to_allow(verdict: &Verdict, bearing: &[Reach], place: PlaceIndex) -> Vec<Reason> {
    let covering = bearing.iter().filter(|bearing| bearing.covers);
    let mut reasons: Vec<Reason> = covering.map(|bearing| Reason::Rule(bearing.rule)).collect();
    let lifting = verdict
        .exceptions
        .iter()
        .filter(|used| used.places.contains(place));
    reasons.extend(lifting.map(|used| Reason::Exception(used.index)));
    if verdict.passed.uncovered > 0 {
        reasons.push(Reason::Uncovered);
    }
    let mut restrictions = verdict.restrictions.iter();
    let is_confined = restrictions.any(|restriction| restriction.cause == Cause::Unlabelled);
    if verdict.passed.unlabelled > 0 || is_confined {
        reasons.push(Reason::Unlabelled);
    }
    reasons
}

fn refused_in_words(set: &PolicySet, profile: &Profile, verdict: &Verdict, place: PlaceIndex) -> String {
    let mut here = set.catalogue.no_place();
    here.insert(place);
    let fleet = PlacesOfFleet {
        all: here,
        some_unconfirmed: false,
    };
    sentence(set, profile, verdict, &fleet, &[])
}

fn allowed_in_words(set: &PolicySet, verdict: &Verdict, reasons: &[Reason]) -> String {
    let said = |reason: &Reason| match reason {
        Reason::Rule(_) => format!("`{}` covers data of it", set.reason_name(*reason)),
        Reason::Exception(_) => format!("`{}` lifts a refusal", set.reason_name(*reason)),
        Reason::Uncovered => "no policy covers data of it and the settings let that pass".to_owned(),
        Reason::Unlabelled => match &set.definitions.settings.unlabelled {
            Unlabelled::ConfineTo(terms) => {
                let places = set.definitions.places_in_words(terms);
                format!("nobody says what data it has and the settings confine that to {places}")
            }
            _ => "nobody says what data it has and the settings let that pass".to_owned(),
        },
    };
    let mut parts: Vec<String> = reasons.iter().map(said).collect();
    if verdict.passed.no_data > 0 {
        parts.push("it states that it has no governed data".to_owned());
    }
    if verdict.passed.public > 0 {
        parts.push("its data is public and about nobody".to_owned());
    }
    if parts.is_empty() {
        parts.push("nothing refuses it".to_owned());
    }
    parts.join("; ")
}

/// What each rule makes of a place. A refusal that an exception lifts says nothing about the rule.
fn reached(
    set: &PolicySet,
    verdict: &Verdict,
    bearing: &[Reach],
    place: PlaceIndex,
) -> Vec<(RuleIndex, Outcome)> {
    let lifted = |rule: RuleIndex| {
        let mut used = verdict
            .exceptions
            .iter()
            .filter(|used| used.places.contains(place));
        used.any(|used| {
            let exception = set.definitions.exceptions.get(used.index);
            exception.is_some_and(|exception| exception.relaxes == rule)
        })
    };
    let of_rule = |bearing: &Reach| {
        let mut restrictions = verdict.restrictions.iter();
        let refuses = restrictions.any(|restriction| {
            restriction.cause == Cause::Rule(bearing.rule) && !restriction.leaves(place, true)
        });
        let outcome = if refuses { Outcome::Deny } else { Outcome::Allow };
        (bearing.rule, outcome)
    };
    let standing = bearing
        .iter()
        .filter(|bearing| !lifted(bearing.rule) && !is_about_ways(set, bearing.rule));
    standing.map(of_rule).collect()
}

/// Every rule of a set.
fn rules(set: &PolicySet) -> impl Iterator<Item = RuleIndex> {
    let policies = set.definitions.policies.iter().enumerate();
    policies
        .flat_map(|(policy, written)| (0..written.rules.len()).map(move |rule| RuleIndex { policy, rule }))
}

fn is_about_ways(set: &PolicySet, rule: RuleIndex) -> bool {
    let demand = set.definitions.rule(rule).map(|rule| &rule.demand);
    matches!(demand, Some(Demand::Transit(_)))
}

fn coverage(rules: Vec<RuleIndex>, tried: &[Tried<'_>]) -> Vec<RuleCoverage> {
    let passed = || tried.iter().filter(|tried| tried.passed);
    rules
        .into_iter()
        .map(|rule| RuleCoverage {
            rule,
            allows: passed().any(|tried| {
                tried.outcome == Outcome::Allow && tried.reached.contains(&(rule, Outcome::Allow))
            }),
            denies: passed().any(|tried| tried.reached.contains(&(rule, Outcome::Deny))),
        })
        .collect()
}

impl PolicySet {
    /// A reason in the words of a test file.
    #[must_use]
    pub fn reason_name(&self, reason: Reason) -> String {
        match reason {
            Reason::Rule(index) => self.rule_name(index).unwrap_or_default(),
            Reason::Exception(index) => {
                let exception = self.definitions.exceptions.get(index);
                exception.map_or_else(String::new, |exception| format!("exception/{}", exception.name))
            }
            Reason::Uncovered => "uncovered".to_owned(),
            Reason::Unlabelled => "unlabelled".to_owned(),
        }
    }
}
