//! Which of the offered nodes a pod may run on.

use std::collections::BTreeMap;

use crate::policy::{Cause, Mode, RuleIndex};
use crate::snapshot::ClassIndex;

use super::assessment::{Assessment, Refusal};
use super::obstacles::ObstacleKind;

/// kube-scheduler offers a sample only where at least this many nodes are feasible
/// (`minFeasibleNodesToFind` of kube-scheduler 1.36): a smaller offer is everything that its own filters
/// left, and says nothing about nodes that were not looked at.
pub const MINIMUM_SAMPLED_NODES: usize = 100;

/// What to answer when permitted nodes exist and none was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BlindSample {
    /// An error, which kube-scheduler retries within seconds.
    #[default]
    Error,
    /// A refusal: right where the scheduler looks at every node.
    Refuse,
}

/// What to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Those that pass.
    Survivors,
    /// None passes, for this constant sentence.
    Refused(String),
    /// None passes, and that may be the fault of the sample.
    BlindSample,
}

impl Answer {
    /// What an error says when the sample was blind.
    pub const BLIND_SAMPLE: &'static str = "permitted nodes exist outside the offered sample";
}

/// Why nodes were refused, as a bounded set of words for metrics and records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReasonCode {
    /// An annotation cannot be read.
    MalformedAnnotation,
    /// The cluster was heard too long ago for the data.
    StaleFacts,
    /// A rule refuses the place.
    Rule,
    /// No policy covers the data.
    Uncovered,
    /// Nobody says what the data is.
    Unlabelled,
    /// No way that the policies permit leads to a data set.
    NoRoute,
    /// The way to a data set is one that nobody declares, which a rule records.
    UndeclaredRoute,
    /// What an access needs is cut off.
    Unreachable,
    /// An access surely takes longer than the pod allows.
    OverLimit,
    /// An access is not measured, and the settings demand that it is.
    Unmeasured,
    /// The node is not known.
    UnknownNode,
    /// Preemption would take the last permitted copy of a data set away.
    LastCopy,
}

impl ReasonCode {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::MalformedAnnotation => "malformed-annotation",
            Self::StaleFacts => "stale-facts",
            Self::Rule => "rule",
            Self::Uncovered => "uncovered",
            Self::Unlabelled => "unlabelled",
            Self::NoRoute => "no-route",
            Self::UndeclaredRoute => "undeclared-route",
            Self::Unreachable => "unreachable",
            Self::OverLimit => "over-limit",
            Self::Unmeasured => "unmeasured",
            Self::UnknownNode => "unknown-node",
            Self::LastCopy => "last-copy",
        }
    }
}

/// How many of the offered nodes one reason refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonCount {
    /// What kind of reason.
    pub code: ReasonCode,
    /// `policy/rule`, for a rule.
    pub rule: Option<String>,
    /// Whether it refuses or is only recorded.
    pub mode: Mode,
    /// How many nodes.
    pub nodes: usize,
}

/// What became of a filter call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterOutcome {
    /// How many nodes were offered.
    pub candidates: usize,
    /// How many of them the policies permit.
    pub permitted: usize,
    /// How many of them are not known.
    pub unknown: usize,
    /// What to answer.
    pub answer: Answer,
    /// Why nodes are refused, in the order of reasons.
    pub reasons: Vec<ReasonCount>,
}

impl Refusal {
    /// The word of a refusal for metrics and records.
    #[must_use]
    pub fn code(self) -> ReasonCode {
        match self {
            Self::UnknownNode => ReasonCode::UnknownNode,
            Self::Access(kind) => kind.code(),
            Self::Policy(Cause::Malformed) => ReasonCode::MalformedAnnotation,
            Self::Policy(Cause::StaleFacts) => ReasonCode::StaleFacts,
            Self::Policy(Cause::Rule(_)) => ReasonCode::Rule,
            Self::Policy(Cause::Uncovered) => ReasonCode::Uncovered,
            Self::Policy(Cause::Unlabelled) => ReasonCode::Unlabelled,
        }
    }
}

/// Filters candidates. Which of them survive is [`Assessment::passes`], asked for each by its class.
#[must_use]
pub fn filter(
    assessment: &Assessment<'_>,
    candidates: impl Iterator<Item = Option<ClassIndex>>,
    on_blind_sample: BlindSample,
) -> FilterOutcome {
    let mut by_class = vec![0_usize; assessment.snapshot.classes().len()];
    let mut offered = 0;
    let mut unknown = 0;
    for class in candidates {
        offered += 1;
        match class.and_then(|class| by_class.get_mut(class.as_usize())) {
            Some(count) => *count += 1,
            None => unknown += 1,
        }
    }
    let mut permitted = if assessment.permits(None) { unknown } else { 0 };
    for ((class, _), count) in assessment.snapshot.classes().zip(&by_class) {
        if assessment.permits(Some(class)) {
            permitted += count;
        }
    }
    let everything_passes = assessment.observes();
    let answer = if permitted > 0 || everything_passes || offered == 0 {
        Answer::Survivors
    } else if on_blind_sample == BlindSample::Error && may_be_blind(assessment, offered) {
        Answer::BlindSample
    } else {
        Answer::Refused(assessment.sentence())
    };
    let reasons = reasons(assessment, &by_class, unknown);
    FilterOutcome {
        candidates: offered,
        permitted,
        unknown,
        answer,
        reasons,
    }
}

/// Whether kube-scheduler may have left permitted nodes out of what it offered: permitted nodes exist,
/// and the offer is neither everything nor so small that it was no sample.
fn may_be_blind(assessment: &Assessment<'_>, offered: usize) -> bool {
    offered >= MINIMUM_SAMPLED_NODES
        && offered < assessment.snapshot.node_count()
        && assessment.permitted_nodes() > 0
}

fn reasons(assessment: &Assessment<'_>, by_class: &[usize], unknown: usize) -> Vec<ReasonCount> {
    let mut reasons = Vec::new();
    for restriction in &assessment.verdict.restrictions {
        let refused = assessment
            .snapshot
            .classes()
            .zip(by_class)
            .filter(|((_, class), _)| !restriction.leaves(class.place, class.region_is_confirmed))
            .map(|(_, count)| count)
            .sum();
        if refused > 0 {
            let rule = match restriction.cause {
                Cause::Rule(index) => assessment.snapshot.policies().rule_name(index),
                _ => None,
            };
            reasons.push(ReasonCount {
                code: Refusal::Policy(restriction.cause).code(),
                rule,
                mode: restriction.mode,
                nodes: refused,
            });
        }
    }
    reasons.extend(reasons_of_routes(assessment, by_class, unknown));
    let others = ObstacleKind::ALL.into_iter();
    for kind in others.filter(|kind| *kind != ObstacleKind::NoRoute) {
        let meets = |class| assessment.obstacles(class).iter().any(|found| found.kind == kind);
        let classes = assessment.snapshot.classes().zip(by_class);
        let known: usize = classes
            .filter(|((class, _), _)| meets(Some(*class)))
            .map(|(_, count)| count)
            .sum();
        let nodes = known + if meets(None) { unknown } else { 0 };
        if nodes > 0 {
            reasons.push(ReasonCount {
                code: Refusal::Access(kind).code(),
                rule: None,
                mode: Mode::Enforce,
                nodes,
            });
        }
    }
    if unknown > 0 && assessment.verdict.governed {
        reasons.push(ReasonCount {
            code: ReasonCode::UnknownNode,
            rule: None,
            mode: Mode::Enforce,
            nodes: unknown,
        });
    }
    reasons
}

/// What rules on transit refuse and record, by rule.
fn reasons_of_routes(assessment: &Assessment<'_>, by_class: &[usize], unknown: usize) -> Vec<ReasonCount> {
    let (snapshot, transit) = (assessment.snapshot, &assessment.transit);
    let rules = transit.rules();
    if rules.is_empty() {
        return Vec::new();
    }
    let offered = snapshot.classes().zip(by_class);
    let offered = offered.map(|((_, class), nodes)| (Some(class), *nodes));
    let offered = offered.chain([(None, unknown)]).filter(|(_, nodes)| *nodes > 0);
    let mut closed: BTreeMap<(RuleIndex, bool), usize> = BTreeMap::new();
    let mut undeclared: BTreeMap<RuleIndex, usize> = BTreeMap::new();
    for (class, nodes) in offered {
        for closing in transit.closing(snapshot, class) {
            *closed.entry(closing).or_default() += nodes;
        }
        for rule in transit.undeclared(snapshot, class) {
            *undeclared.entry(rule).or_default() += nodes;
        }
    }
    let mode_of = |rule: RuleIndex| {
        let mut bindings = assessment.verdict.transit.iter();
        bindings
            .find(|binding| binding.rule == rule)
            .map_or(Mode::Audit, |binding| binding.mode)
    };
    let reason = |code, rule: RuleIndex, mode, nodes| ReasonCount {
        code,
        rule: snapshot.policies().rule_name(rule),
        mode,
        nodes,
    };
    let closed = closed
        .into_iter()
        .map(|((rule, _), nodes)| reason(ReasonCode::NoRoute, rule, mode_of(rule), nodes));
    // What is only recorded refuses nothing, whatever the mode of the policy.
    let recorded = |rule| match mode_of(rule) {
        Mode::Enforce => Mode::Warn,
        mode => mode,
    };
    let undeclared = undeclared
        .into_iter()
        .map(|(rule, nodes)| reason(ReasonCode::UndeclaredRoute, rule, recorded(rule), nodes));
    closed.chain(undeclared).collect()
}
