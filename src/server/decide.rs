//! One request, one snapshot, one instant: from the bytes of a body to the bytes of an answer.
//!
//! Pure: the command line's and the simulator's decisions are the same calls of `placement`.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::decisions::ScoreSummary;
use crate::extender::{
    AnswerBody, BadRequest, RefusalReasons, filter_error, filter_refused, filter_survivors,
    preemption_candidates, priorities, read_arguments, read_preemption_arguments,
};
use crate::model::{DataSetName, PodRequirements, Score};
use crate::placement::{
    self, Answer, Assessment, BlindSample, ByException, ClassScores, FilterOutcome, Preemption, ReasonCode,
    ReasonCount, assess,
};
use crate::policy::Mode;
use crate::snapshot::Snapshot;

/// What an operator may choose about answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AnswerSettings {
    /// On how many refused nodes the sentence stands.
    pub refusal_reasons: RefusalReasons,
    /// What to answer when permitted nodes exist and none was offered.
    pub on_blind_sample: BlindSample,
}

/// What was decided about one request.
#[derive(Debug)]
pub struct Decided<'s, 'b> {
    /// The answer.
    pub answer: AnswerBody<'b>,
    /// The pod.
    pub pod: PodRequirements,
    /// What the snapshot says about the pod.
    pub assessment: Assessment<'s>,
    /// What became of the candidates.
    pub outcome: Outcome,
    /// What exceptions did for them.
    pub by_exception: Option<ByException>,
}

/// What became of the candidates of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// They were filtered.
    Filter(FilterOutcome),
    /// They were scored.
    Prioritize {
        /// How many there were.
        candidates: usize,
        /// How many of them the policies permit.
        permitted: usize,
        /// What they were given.
        scores: ScoreSummary,
    },
    /// Preemption was judged.
    Preempt {
        /// On how many nodes somebody might be evicted.
        candidates: usize,
        /// How many of them may be kept, whatever the mode makes of that.
        permitted: usize,
        /// The data sets whose last permitted copy is on permitted nodes among them, and would go.
        last_copies: BTreeSet<DataSetName>,
        /// On how many of them that is so, as a reason; none where it is so on none.
        reasons: Vec<ReasonCount>,
    },
}

impl Outcome {
    /// How many nodes the request offered.
    #[must_use]
    pub fn candidates(&self) -> usize {
        match self {
            Self::Filter(outcome) => outcome.candidates,
            Self::Prioritize { candidates, .. } | Self::Preempt { candidates, .. } => *candidates,
        }
    }

    /// How many of them the policies permit, or, for preemption, how many may be kept.
    #[must_use]
    pub fn permitted(&self) -> usize {
        match self {
            Self::Filter(outcome) => outcome.permitted,
            Self::Prioritize { permitted, .. } | Self::Preempt { permitted, .. } => *permitted,
        }
    }
}

/// Answers `/filter`.
///
/// # Errors
/// Where the body is no request.
pub fn filter<'s, 'b>(
    snapshot: &'s Snapshot,
    body: &'b [u8],
    now: Timestamp,
    settings: AnswerSettings,
) -> Result<Decided<'s, 'b>, BadRequest> {
    let arguments = read_arguments(body, |names| snapshot.classes_of(names))?;
    let assessment = assess(snapshot, &arguments.pod, now);
    let candidates = &arguments.candidates;
    let outcome = placement::filter(&assessment, candidates.classes(), settings.on_blind_sample);
    let answer = match &outcome.answer {
        Answer::Survivors => {
            let survivors = match assessment.observes() {
                true => outcome.candidates,
                false => outcome.permitted,
            };
            filter_survivors(candidates, survivors, |class| assessment.passes(class))
        }
        Answer::Refused(sentence) => {
            AnswerBody::Written(filter_refused(candidates, sentence, settings.refusal_reasons))
        }
        Answer::BlindSample => AnswerBody::Written(filter_error(Answer::BLIND_SAMPLE)),
    };
    let by_exception = assessment.by_exception(candidates.classes().map(|class| (class, 1)));
    Ok(Decided {
        answer,
        pod: arguments.pod,
        assessment,
        outcome: Outcome::Filter(outcome),
        by_exception,
    })
}

/// Answers `/prioritize`.
///
/// # Errors
/// Where the body is no request.
pub fn prioritize<'s>(
    snapshot: &'s Snapshot,
    body: &[u8],
    now: Timestamp,
) -> Result<Decided<'s, 'static>, BadRequest> {
    let arguments = read_arguments(body, |names| snapshot.classes_of(names))?;
    let assessment = assess(snapshot, &arguments.pod, now);
    let candidates = &arguments.candidates;
    let scores = placement::prioritize(&assessment, candidates.classes());
    let answer = match scores.all_equal() {
        // Equal scores order nothing.
        true => b"[]".to_vec(),
        false => priorities(candidates, |class| scores.score(class)),
    };
    let by_exception = assessment.by_exception(scores.offered());
    let (permitted, scores) = summary(&assessment, &scores);
    let outcome = Outcome::Prioritize {
        candidates: candidates.nodes.len(),
        permitted,
        scores,
    };
    Ok(Decided {
        answer: AnswerBody::Written(answer),
        pod: arguments.pod,
        assessment,
        outcome,
        by_exception,
    })
}

/// Answers `/preempt`.
///
/// # Errors
/// Where the body is no request.
pub fn preempt<'s>(
    snapshot: &'s Snapshot,
    body: &[u8],
    now: Timestamp,
) -> Result<Decided<'s, 'static>, BadRequest> {
    let arguments = read_preemption_arguments(body, |names| snapshot.classes_of(names))?;
    let assessment = assess(snapshot, &arguments.pod, now);
    let mut preemption = Preemption::new(&assessment, now);
    let mut permitted_classes = Vec::new();
    let (mut last_copies, mut last_copy_nodes) = (BTreeSet::new(), 0);
    let answer = preemption_candidates(&arguments.nodes, |node| {
        let uids = node.uids.iter().map(|uid| uid.unescaped());
        // What is no text is the UID of no pod.
        let uids: Vec<_> = uids
            .map(|uid| String::from_utf8_lossy(&uid).into_owned())
            .collect();
        let uids: Vec<&str> = uids.iter().map(String::as_str).collect();
        let judged = preemption.judge(node.class, &uids);
        last_copy_nodes += usize::from(!judged.last_copies.is_empty());
        last_copies.extend(judged.last_copies);
        permitted_classes.extend(judged.is_permitted.then_some((node.class, 1)));
        judged.is_kept
    });
    let reason = (last_copy_nodes > 0).then_some(ReasonCount {
        code: ReasonCode::LastCopy,
        rule: None,
        mode: Mode::Enforce,
        nodes: last_copy_nodes,
    });
    let permitted = permitted_classes.len();
    let by_exception = assessment.by_exception(permitted_classes.into_iter());
    Ok(Decided {
        answer: AnswerBody::Written(answer),
        pod: arguments.pod,
        assessment,
        by_exception,
        outcome: Outcome::Preempt {
            candidates: arguments.nodes.len(),
            permitted,
            last_copies,
            reasons: reason.into_iter().collect(),
        },
    })
}

/// How many candidates are permitted, and what all were given.
fn summary(assessment: &Assessment<'_>, scores: &ClassScores) -> (usize, ScoreSummary) {
    let mut permitted = 0;
    let mut nodes_by_score = [0_u64; 1 + Score::GREATEST.get() as usize];
    let mut unknown_nodes = 0;
    for (class, nodes) in scores.offered() {
        if assessment.permits(class) {
            permitted += nodes;
        }
        if scores.is_unknown(class) {
            unknown_nodes += nodes as u64;
        }
        if let Some(with_score) = nodes_by_score.get_mut(usize::from(scores.score(class).get())) {
            *with_score += nodes as u64;
        }
    }
    let mut given = (0_u8..).zip(nodes_by_score).filter(|(_, nodes)| *nodes > 0);
    let (least, nodes) = given.next().unwrap_or((0, 0));
    let (greatest, best_nodes) = given.last().unwrap_or((least, nodes));
    let summary = ScoreSummary {
        least,
        greatest,
        best_nodes,
        unknown_nodes,
    };
    (permitted, summary)
}
