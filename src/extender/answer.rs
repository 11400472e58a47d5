//! Answers, as short as they can be without changing what the scheduler does (docs/kube-scheduler.md).
//!
//! Invariants: names are those of the request in its own bytes; where a node survives, the refused ones are not mentioned; where none
//! survives, the list of survivors is there and empty, for an absent list is a refusal without a reason.

use std::borrow::Cow;
use std::io::Write as _;

use super::candidates::{Candidates, Form};
use super::preemption::NodeVictims;
use super::scan::RawText;
use crate::model::Score;
use crate::snapshot::ClassIndex;

/// On how many refused nodes the sentence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RefusalReasons {
    /// On every one up to 100 candidates, beyond that on one.
    #[default]
    Auto,
    /// On one.
    One,
    /// On every one.
    All,
}

/// With [`RefusalReasons::Auto`], the most candidates of which each bears the sentence. A scheduler that
/// samples offers at least as many, so the rule never depends on the sample.
const MOST_EXPLAINED_NODES: usize = 100;

/// What stands around a score and its node: `{"Host":"","Score":10},`.
const BYTES_PER_SCORE: usize = 24;

/// An answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerBody<'b> {
    /// Written for it.
    Written(Vec<u8>),
    /// A filter result of every name that was offered: the list of the request is the list of the answer, and whoever sends
    /// it need not copy it.
    WholeList(&'b [u8]),
}

impl AnswerBody<'_> {
    /// What stands before and behind the list of a request that is answered whole.
    pub const AROUND_WHOLE_LIST: [&'static [u8]; 2] = [br#"{"NodeNames":"#, br#","Error":""}"#];

    /// All of it in one piece.
    #[must_use]
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        let [before, behind] = Self::AROUND_WHOLE_LIST;
        match self {
            Self::Written(answer) => Cow::Borrowed(answer),
            Self::WholeList(list) => Cow::Owned([before, list, behind].concat()),
        }
    }
}

/// A filter result with the survivors, in the form of the request.
#[must_use]
pub fn filter_survivors<'b>(
    candidates: &Candidates<'b>,
    survivors: usize,
    passes: impl Fn(Option<ClassIndex>) -> bool,
) -> AnswerBody<'b> {
    let whole = survivors == candidates.nodes.len();
    let answer = match &candidates.form {
        Form::Names(list) if whole => return AnswerBody::WholeList(list),
        Form::Names(list) => {
            let share = share(list.len(), survivors, candidates.nodes.len());
            let mut answer = Vec::with_capacity(share + 64);
            answer.extend_from_slice(br#"{"NodeNames":["#);
            let mut separated = Separated::default();
            for candidate in &candidates.nodes {
                if passes(candidate.class) {
                    separated.next(&mut answer);
                    text(&mut answer, candidate.name);
                }
            }
            answer.extend_from_slice(br#"],"Error":""}"#);
            answer
        }
        Form::Objects(objects) => {
            let mut answer = Vec::new();
            answer.extend_from_slice(br#"{"Nodes":{"items":["#);
            let mut separated = Separated::default();
            for (candidate, object) in candidates.nodes.iter().zip(objects) {
                if passes(candidate.class) {
                    separated.next(&mut answer);
                    answer.extend_from_slice(object);
                }
            }
            answer.extend_from_slice(br#"]},"Error":""}"#);
            answer
        }
    };
    AnswerBody::Written(answer)
}

/// A filter result without survivors: the nodes are unresolvable, so that nobody is evicted for a pod
/// that may not run there anyway (docs/kube-scheduler.md).
#[must_use]
pub fn filter_refused(candidates: &Candidates<'_>, sentence: &str, reasons: RefusalReasons) -> Vec<u8> {
    let mut answer = Vec::new();
    answer.extend_from_slice(match candidates.form {
        Form::Names(_) => br#"{"NodeNames":[],"FailedAndUnresolvableNodes":{"#.as_slice(),
        Form::Objects(_) => br#"{"Nodes":{"items":[]},"FailedAndUnresolvableNodes":{"#.as_slice(),
    });
    let explained = match reasons {
        RefusalReasons::All => candidates.nodes.len(),
        RefusalReasons::Auto if candidates.nodes.len() <= MOST_EXPLAINED_NODES => candidates.nodes.len(),
        RefusalReasons::Auto | RefusalReasons::One => 1,
    };
    let sentence = quoted(sentence);
    let mut separated = Separated::default();
    for candidate in candidates.nodes.iter().take(explained) {
        separated.next(&mut answer);
        text(&mut answer, candidate.name);
        answer.push(b':');
        answer.extend_from_slice(&sentence);
    }
    answer.extend_from_slice(br#"},"Error":""}"#);
    answer
}

/// A filter result that the scheduler takes for a failure, and tries again soon.
#[must_use]
pub fn filter_error(error: &str) -> Vec<u8> {
    [br#"{"Error":"#.as_slice(), &quoted(error), b"}"].concat()
}

/// A list of scores without those that are 0, which is what a node has that is not in it.
#[must_use]
pub fn priorities(candidates: &Candidates<'_>, score: impl Fn(Option<ClassIndex>) -> Score) -> Vec<u8> {
    let names = match &candidates.form {
        Form::Names(list) => list.len(),
        Form::Objects(objects) => objects.len() * 64,
    };
    let mut answer = Vec::with_capacity(names + candidates.nodes.len() * BYTES_PER_SCORE + 2);
    answer.push(b'[');
    answer.extend_from_slice(BEFORE_HOST);
    for candidate in &candidates.nodes {
        let score = score(candidate.class);
        if score > Score::LEAST {
            answer.extend_from_slice(candidate.name.as_bytes());
            answer.extend_from_slice(after_host(score));
        }
    }
    // What begins the item that does not come, with the comma before it, if any item came.
    answer.truncate(answer.len() - BEFORE_HOST.len());
    if answer.last() == Some(&b',') {
        answer.pop();
    }
    answer.push(b']');
    answer
}

/// What stands before the name of a node.
const BEFORE_HOST: &[u8] = br#"{"Host":""#;

/// What stands behind the name of a node with this score, up to the next name; written out because
/// there are so many of them.
fn after_host(score: Score) -> &'static [u8] {
    match score.get() {
        0 => br#"","Score":0},{"Host":""#,
        1 => br#"","Score":1},{"Host":""#,
        2 => br#"","Score":2},{"Host":""#,
        3 => br#"","Score":3},{"Host":""#,
        4 => br#"","Score":4},{"Host":""#,
        5 => br#"","Score":5},{"Host":""#,
        6 => br#"","Score":6},{"Host":""#,
        7 => br#"","Score":7},{"Host":""#,
        8 => br#"","Score":8},{"Host":""#,
        9 => br#"","Score":9},{"Host":""#,
        _ => br#"","Score":10},{"Host":""#,
    }
}

/// A preemption result with the nodes that are kept. Whole victims are answered by their UIDs, which is
/// the only form that the scheduler reads.
#[must_use]
pub fn preemption_candidates(
    nodes: &[NodeVictims<'_>],
    mut keeps: impl FnMut(&NodeVictims<'_>) -> bool,
) -> Vec<u8> {
    let mut answer = Vec::new();
    answer.extend_from_slice(br#"{"NodeNameToMetaVictims":{"#);
    let mut separated = Separated::default();
    for node in nodes.iter().filter(|node| keeps(node)) {
        separated.next(&mut answer);
        text(&mut answer, node.node);
        answer.extend_from_slice(br#":{"Pods":["#);
        let mut separated = Separated::default();
        for uid in &node.uids {
            separated.next(&mut answer);
            answer.extend_from_slice(br#"{"UID":"#);
            text(&mut answer, *uid);
            answer.push(b'}');
        }
        // Writing to a vector never fails.
        let _ = write!(answer, r#"],"NumPDBViolations":{}}}"#, node.violations);
    }
    answer.extend_from_slice(b"}}");
    answer
}

/// Writes a comma before every item but the first.
#[derive(Default)]
struct Separated {
    begun: bool,
}

impl Separated {
    #[inline]
    fn next(&mut self, answer: &mut Vec<u8>) {
        if self.begun {
            answer.push(b',');
        }
        self.begun = true;
    }
}

#[inline]
fn text(answer: &mut Vec<u8>, raw: RawText<'_>) {
    answer.push(b'"');
    answer.extend_from_slice(raw.as_bytes());
    answer.push(b'"');
}

fn quoted(text: &str) -> Vec<u8> {
    // A text always serialises.
    serde_json::to_vec(text).unwrap_or_else(|_| b"\"\"".to_vec())
}

/// What some of the names of a list will take, with a quarter more for names of different lengths.
fn share(bytes: usize, some: usize, all: usize) -> usize {
    let of_some = bytes / all.max(1) * some;
    (of_some + of_some / 4).min(bytes)
}
