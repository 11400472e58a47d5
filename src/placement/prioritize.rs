//! Which of the nodes that passed is nearest to its clients and data.
//!
//! The cost of an access depends on the node class alone, so it is computed once for each class; the
//! score of a node is that of its class. A new member of a data set prefers failure domains without a copy
//! beyond that (`membership.rs`).

use super::assessment::Assessment;
use super::cost::{AccessCost, Demanded, Total, access_cost, total};
use super::membership::Crowding;
use super::score::ScoreScale;
use crate::model::Score;
use crate::snapshot::{ClassIndex, NodeClass};

/// The score of each class that was offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassScores {
    by_class: Vec<Score>,
    unknown: Vec<bool>,
    offered: Vec<(Option<ClassIndex>, usize)>,
    all_equal: bool,
}

impl ClassScores {
    /// The classes of the offered nodes with how many nodes of each were offered; `None` stands for the
    /// nodes that are not known.
    pub fn offered(&self) -> impl Iterator<Item = (Option<ClassIndex>, usize)> {
        self.offered.iter().copied()
    }

    /// The score of a node by its class; an unknown node gets the least.
    #[must_use]
    pub fn score(&self, class: Option<ClassIndex>) -> Score {
        class
            .and_then(|class| self.by_class.get(class.as_usize()))
            .copied()
            .unwrap_or(Score::LEAST)
    }

    /// Whether nobody knows what it costs to be there.
    #[must_use]
    pub fn is_unknown(&self, class: Option<ClassIndex>) -> bool {
        class
            .and_then(|class| self.unknown.get(class.as_usize()))
            .copied()
            .unwrap_or(true)
    }

    /// Whether every offered node has the same score, so that saying it changes nothing.
    #[must_use]
    pub fn all_equal(&self) -> bool {
        self.all_equal
    }
}

/// Scores candidates. A class that the filter refuses gets the least score, whoever offers it; where the
/// settings only observe, it refuses none, and policies do not sway the score either.
#[must_use]
pub fn prioritize(
    assessment: &Assessment<'_>,
    candidates: impl Iterator<Item = Option<ClassIndex>>,
) -> ClassScores {
    let (table, demand) = (assessment.snapshot.latency(), assessment.demand());
    prioritize_by(
        assessment,
        |_, class| total(table, demand, class.point),
        candidates,
    )
}

/// As [`prioritize`], by other costs of classes than those of the snapshot: of a pod that comes after others which the
/// snapshot does not know, as in a simulation.
#[must_use]
pub fn prioritize_by(
    assessment: &Assessment<'_>,
    cost: impl Fn(ClassIndex, &NodeClass) -> Demanded<Total>,
    candidates: impl Iterator<Item = Option<ClassIndex>>,
) -> ClassScores {
    let mut offered = vec![0_usize; assessment.snapshot.classes().len()];
    let mut unknown_offered = 0;
    for class in candidates {
        match class.and_then(|class| offered.get_mut(class.as_usize())) {
            Some(nodes) => *nodes += 1,
            None => unknown_offered += 1,
        }
    }
    let cost = |(index, class)| {
        let cost = cost(index, class);
        match &assessment.membership {
            Some(membership) => membership.preferring(cost, class),
            None => cost,
        }
    };
    let costs: Vec<Demanded<Total>> = assessment
        .snapshot
        .classes()
        .map(|(index, class)| match assessment.passes(Some(index)) {
            true => cost((index, class)),
            false => Demanded::NotDemanded,
        })
        .collect();
    let of_offered = costs
        .iter()
        .zip(&offered)
        .filter(|(_, nodes)| **nodes > 0)
        .map(|(cost, _)| *cost);
    let scale = ScoreScale::new(costs.iter().copied(), of_offered);
    let by_class: Vec<Score> = costs.iter().map(|cost| scale.score(*cost)).collect();
    let mut given = by_class
        .iter()
        .zip(&offered)
        .filter(|(_, nodes)| **nodes > 0)
        .map(|(score, _)| *score);
    let first = given.next().unwrap_or(Score::LEAST);
    let all_equal = given.all(|score| score == first) && (unknown_offered == 0 || first == Score::LEAST);
    let unknown = costs.iter().map(|cost| *cost == Demanded::Unknown).collect();
    let classes = assessment.snapshot.classes().zip(offered);
    let offered = classes
        .map(|((class, _), nodes)| (Some(class), nodes))
        .chain([(None, unknown_offered)])
        .filter(|(_, nodes)| *nodes > 0)
        .collect();
    ClassScores {
        by_class,
        unknown,
        offered,
        all_equal,
    }
}

impl Assessment<'_> {
    /// The copies of a data set that share the failure domain of a class with a new member; `None` where none does.
    #[must_use]
    pub fn crowding(&self, class: &NodeClass) -> Option<Crowding<'_>> {
        self.membership.as_ref()?.crowding(class)
    }

    /// What it costs the pod to be in a class, leg by leg.
    #[must_use]
    pub fn cost(&self, class: ClassIndex) -> AccessCost {
        let point = self.snapshot.class(class).and_then(|class| class.point);
        access_cost(self.snapshot.latency(), self.demand(), point)
    }
}
