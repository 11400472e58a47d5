//! The answer about one data set, as programs read it; the text is made from the same values.

use serde::Serialize;

use super::footing::FootingInWords;
use super::gathered::{Demand, Gathered};
use super::words::{
    CauseOfRegions, CopyInWords, LossInWords, by_cause, listed, paths_in_words, percent, rounded,
};
use crate::cli::explanation::{DemandInWords, VERSION, World};
use crate::model::{RegionKey, ReplicaRole};
use crate::placement::Refusal;
use crate::placement::advice::{Advice, ByCopies, Choice, DemandRow, Method, Today, WayRules, roles_of};
use crate::policy::{Cause, PolicySet};

/// What an answer is, and what it is not.
const ADVICE_ONLY: &str = "this is advice: nothing is changed, and no policy says how data may be moved";

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    v: u32,
    kind: &'static str,
    pub world: World,
    pub data_set: String,
    /// Which copies serve an access, in words.
    pub access: String,
    /// Which round trip of all that were timed the costs are made of: `p50` or `p95`.
    pub statistic: &'static str,
    pub demand: DemandInReport,
    pub candidates: Candidates,
    /// The rules on transit that bind some demand, or the copies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ways_ruled_by: Vec<DemandInWords>,
    /// None where no copy is declared.
    pub today: Option<TodayInReport>,
    /// How many copies advice is asked for.
    pub copies: usize,
    pub by_copies: Vec<RowInReport>,
    /// What refuses the regions that the best copies without policies would have.
    pub in_the_way: Vec<CauseOfRegions>,
    /// Rules that ask for a copy elsewhere than the best copies without policies would be.
    pub unmet_without_policies: Vec<DemandInWords>,
    pub footing: FootingInWords,
    /// What makes the exit code 1.
    pub findings: Vec<String>,
    /// What the reader should know before relying on it.
    pub doubts: Vec<String>,
    pub note: &'static str,
}

/// Where requests come from.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DemandInReport {
    /// What it was read from.
    pub source: String,
    /// What is assumed of it.
    pub assumed: Vec<String>,
    pub rows: Vec<DemandRowInReport>,
    /// Rows from which no considered region is a known time away.
    pub left_out: Vec<DemandRowInReport>,
    /// Rows from which rules on transit leave no way to any region where a copy may be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cut_off: Vec<DemandRowInReport>,
}

/// What one region wants.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DemandRowInReport {
    pub region: String,
    /// Its share of all requests, those left out among them.
    pub share: f64,
    pub reads: f64,
    pub writes: f64,
    /// The rules on transit that bind it, where they do not bind all demand alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ways_ruled_by: Option<Vec<String>>,
}

/// Which regions were considered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidates {
    /// Why these.
    pub source: String,
    pub considered: usize,
    /// Left out, since the latency to some demand is not known.
    pub unknown_to_demand: Vec<String>,
}

/// The copies that are there.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TodayInReport {
    /// Milliseconds for each request; none where that is not known.
    pub ms: Option<f64>,
    /// The share of requests that wait for a round trip that nobody measured.
    pub estimated_share: f64,
    pub copies: Vec<CopyInWords>,
    /// The best leader; none where there is not one leader, or no cost is known.
    pub leader: Option<LeaderInReport>,
    /// Rows that these copies do not serve by any way that rules on transit leave.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cut_off: Vec<DemandRowInReport>,
    /// The regions of copies to which rules on transit leave no way by which they are kept like the others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub apart: Vec<String>,
}

/// The best leader among the voters.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaderInReport {
    pub present: String,
    pub best: String,
    pub ms: f64,
    pub saves_ms: f64,
}

/// The best for a number of copies.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RowInReport {
    pub copies: usize,
    pub permitted: Option<ChoiceInReport>,
    /// The best at permitted regions if rules on transit took no way away; only where some bind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_every_way: Option<ChoiceInReport>,
    pub unrestricted: Option<ChoiceInReport>,
    /// What the policies cost, in milliseconds for each request.
    pub policy_cost_ms: Option<f64>,
    /// What of it the regions cost that are refused; only where rules on transit bind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub residency_cost_ms: Option<f64>,
    /// What of it the ways cost that are taken away; only where rules on transit bind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transit_cost_ms: Option<f64>,
    /// How much less the best permitted copies cost than the best of one fewer.
    pub gain_ms: Option<f64>,
}

/// Copies at regions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChoiceInReport {
    pub copies: Vec<CopyInWords>,
    /// Milliseconds for each request.
    pub ms: f64,
    /// The share of requests that wait for a round trip that nobody measured.
    pub estimated_share: f64,
    /// `exact`, or `greedy and swap`.
    pub method: &'static str,
    /// How many placements there are.
    pub placements: u64,
    /// What the loss of each of its regions leaves.
    pub losses: Vec<LossInWords>,
}

impl Report {
    /// Puts advice into words.
    #[must_use]
    pub fn new(gathered: &Gathered, demand: &Demand, advice: &Advice) -> Self {
        let set = gathered.snapshot.policies();
        let footing = FootingInWords::new(set, &advice.footing);
        let placed = gathered.snapshot.replicas().get(&advice.footing.name);
        let roles = placed.map(|placed| roles_of(&placed.data_set, advice.copies));
        let voters = roles.iter().flatten().filter(|role| role.votes()).count();
        let in_the_way = advice.in_the_way.iter();
        let in_the_way = in_the_way.map(|refused| (&refused.region, refused.causes.as_slice()));
        let unmet = advice.unmet_without_policies.iter();
        let demanded = |cause: &Cause| DemandInWords::new(set, Refusal::Policy(*cause));
        let demand_in_report = InReport::new(set, demand, advice);
        let mut report = Self {
            v: VERSION,
            kind: "advise",
            world: World::new(&gathered.snapshot, gathered.at),
            data_set: advice.footing.name.to_string(),
            access: paths_in_words(advice.paths, voters),
            statistic: advice.statistic.word(),
            demand: demand_in_report.demand(demand, advice),
            candidates: Candidates {
                source: gathered.candidates_source.clone(),
                considered: gathered.candidates.len(),
                unknown_to_demand: advice
                    .unknown_to_demand
                    .iter()
                    .map(RegionKey::to_string)
                    .collect(),
            },
            ways_ruled_by: advice.ways_ruled_by.iter().map(demanded).collect(),
            today: advice
                .today
                .as_ref()
                .map(|today| TodayInReport::new(today, advice, &demand_in_report)),
            copies: advice.copies,
            by_copies: rows(&advice.by_copies),
            in_the_way: by_cause(set, in_the_way),
            unmet_without_policies: unmet.map(demanded).collect(),
            findings: footing.findings(),
            footing,
            doubts: demand.doubts.clone(),
            note: ADVICE_ONLY,
        };
        let of_ways = report.findings_of_ways();
        report.findings.extend(of_ways);
        let doubts = report.doubts(advice);
        report.doubts.extend(doubts);
        report
    }

    /// The best for the number of copies that is asked for.
    pub fn asked(&self) -> Option<&RowInReport> {
        self.by_copies.iter().find(|row| row.copies == self.copies)
    }

    fn doubts(&self, advice: &Advice) -> Vec<String> {
        let mut doubts = Vec::new();
        let asked = self.asked();
        let permitted = asked.and_then(|row| row.permitted.as_ref());
        let unrestricted = asked.and_then(|row| row.unrestricted.as_ref());
        let estimated = [
            ("today", self.today.as_ref().map(|today| today.estimated_share)),
            (
                "with the best copies",
                permitted.map(|choice| choice.estimated_share),
            ),
            (
                "with the best without policies",
                unrestricted.map(|choice| choice.estimated_share),
            ),
        ];
        let estimated = estimated.into_iter().filter_map(|(when, share)| {
            let share = share.filter(|share| *share > 0.0)?;
            Some(format!("{} {when}", percent(share)))
        });
        let estimated: Vec<String> = estimated.collect();
        if !estimated.is_empty() {
            doubts.push(format!(
                "requests wait for a round trip that nobody measured: {}; an estimate is meant to be too long rather \
                 than too short (`domicile latency` tells which ways are estimated)",
                estimated.join(", ")
            ));
        }
        let is_unknown = |today: &TodayInReport| today.ms.is_none() && today.cut_off.is_empty();
        if self.today.as_ref().is_some_and(is_unknown) {
            doubts
                .push("what today's copies cost is not known: some copy or some way to it is not".to_owned());
        }
        if !self.demand.left_out.is_empty() {
            let regions = self.demand.left_out.iter().map(|row| row.region.as_str());
            let share: f64 = self.demand.left_out.iter().map(|row| row.share).sum();
            doubts.push(format!(
                "{} of the requests are left out, since no latency from there is known: {}",
                percent(share),
                listed(regions)
            ));
        }
        if !self.candidates.unknown_to_demand.is_empty() {
            let regions = self.candidates.unknown_to_demand.iter().map(String::as_str);
            doubts.push(format!(
                "left out, since the latency to some demand is not known: {}",
                listed(regions)
            ));
        }
        if asked.is_some_and(|row| row.permitted.is_none()) {
            doubts.push(format!(
                "no placement of {} that the policies permit serves the demand",
                counted_copies(self.copies)
            ));
        }
        if asked.is_some_and(|row| {
            [&row.permitted, &row.unrestricted]
                .into_iter()
                .flatten()
                .any(|choice| choice.method != "exact")
        }) {
            doubts.push("where every placement was not tried, a better one may exist".to_owned());
        }
        if advice.footing.replicating_is_uncovered {
            doubts.push(
                "no policy says where this data may be replicated (`activities: [replicate]`): a copy is judged as data \
                 that is processed and stored"
                    .to_owned(),
            );
        }
        if self.world.observes {
            doubts.push("the settings only observe: copies are judged as if they enforced".to_owned());
        }
        doubts
    }
}

/// `1 copy`, `3 copies`.
pub fn counted_copies(copies: usize) -> String {
    match copies {
        1 => "1 copy".to_owned(),
        copies => format!("{copies} copies"),
    }
}

/// How rows of demand are told.
struct InReport<'a> {
    set: &'a PolicySet,
    /// Of all rows, those left out among them.
    requests: f64,
    /// Whether rules on transit bind some rows and not others.
    are_bound_apart: bool,
}

impl<'a> InReport<'a> {
    fn new(set: &'a PolicySet, demand: &Demand, advice: &Advice) -> Self {
        let rows = || advice.demand.iter().chain(&advice.cut_off).map(|row| &row.ways);
        Self {
            set,
            requests: demand.rows.iter().map(|row| row.requests).sum(),
            are_bound_apart: rows().zip(rows().skip(1)).any(|(one, other)| one != other),
        }
    }

    fn demand(&self, demand: &Demand, advice: &Advice) -> DemandInReport {
        DemandInReport {
            source: demand.source.clone(),
            assumed: demand.assumed.clone(),
            rows: self.rows(&advice.demand),
            left_out: self.rows(&advice.demand_left_out),
            cut_off: self.rows(&advice.cut_off),
        }
    }

    fn rows(&self, rows: &[DemandRow]) -> Vec<DemandRowInReport> {
        rows.iter().map(|row| self.row(row)).collect()
    }

    fn row(&self, row: &DemandRow) -> DemandRowInReport {
        let rules = row.ways.iter().flat_map(WayRules::rules);
        let rules = rules.filter_map(|rule| self.set.rule_name(rule));
        DemandRowInReport {
            region: row.region.to_string(),
            share: rounded(row.requests / self.requests),
            reads: rounded(row.reads),
            writes: rounded(row.writes),
            ways_ruled_by: self.are_bound_apart.then(|| rules.collect()),
        }
    }
}

impl TodayInReport {
    fn new(today: &Today, advice: &Advice, in_report: &InReport<'_>) -> Self {
        let copies = advice.footing.today.iter().map(|copy| {
            let written = copy.locality.region.as_ref().map(ToString::to_string);
            let known = copy.region.as_ref().map(ToString::to_string);
            CopyInWords {
                region: known.or(written).unwrap_or_default(),
                role: copy.role.word(),
            }
        });
        Self {
            ms: today.cost_ms.map(rounded),
            estimated_share: rounded(today.estimated_share),
            copies: copies.collect(),
            leader: today.leader.as_ref().map(|leader| LeaderInReport {
                present: leader.present.to_string(),
                best: leader.best.to_string(),
                ms: rounded(leader.cost_ms),
                saves_ms: rounded(leader.saves_ms),
            }),
            cut_off: in_report.rows(&today.cut_off),
            apart: today.apart.iter().map(RegionKey::to_string).collect(),
        }
    }
}

impl ChoiceInReport {
    fn new(choice: &Choice) -> Self {
        let (Method::Exact { plans } | Method::GreedyAndSwap { plans }) = choice.method;
        let copy = |(region, role): &(RegionKey, ReplicaRole)| CopyInWords::new(region, *role);
        Self {
            copies: choice.copies.iter().map(copy).collect(),
            ms: rounded(choice.cost_ms),
            estimated_share: rounded(choice.estimated_share),
            method: choice.method.words(),
            placements: plans,
            losses: choice.losses.iter().map(LossInWords::new).collect(),
        }
    }
}

fn rows(by_copies: &[ByCopies]) -> Vec<RowInReport> {
    let before = |copies: usize| {
        let row = by_copies.iter().find(|row| row.copies + 1 == copies)?;
        Some(row.permitted.as_ref()?.cost_ms)
    };
    let row = |row: &ByCopies| RowInReport {
        copies: row.copies,
        permitted: row.permitted.as_ref().map(ChoiceInReport::new),
        by_every_way: row.by_every_way.as_ref().map(ChoiceInReport::new),
        unrestricted: row.unrestricted.as_ref().map(ChoiceInReport::new),
        policy_cost_ms: row.policy_cost_ms().map(rounded),
        residency_cost_ms: row.residency_cost_ms().map(rounded),
        transit_cost_ms: row.transit_cost_ms().map(rounded),
        gain_ms: before(row.copies)
            .zip(row.permitted.as_ref())
            .map(|(before, choice)| rounded(before - choice.cost_ms)),
    };
    by_copies.iter().map(row).collect()
}
