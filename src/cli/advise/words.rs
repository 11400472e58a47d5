//! Numbers and causes as `advise` says them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cli::explanation::DemandInWords;
use crate::model::{AccessPaths, ReadPath, RegionKey, ReplicaRole, WritePath};
use crate::placement::Refusal;
use crate::placement::advice::Loss;
use crate::policy::{Cause, PolicySet};

/// How many regions a line names before it counts the rest.
const MOST_REGIONS: usize = 8;

/// Milliseconds, or a share, as far as they are worth telling.
pub fn rounded(number: f64) -> f64 {
    // Adding nothing makes the zero of a difference a plain one.
    (number * 1000.0).round() / 1000.0 + 0.0
}

/// `12.5%`, but `0%` and `100%`.
pub fn percent(share: f64) -> String {
    let said = format!("{:.1}", share * 100.0);
    format!("{}%", said.strip_suffix(".0").unwrap_or(&said))
}

/// How much less one is than the other, with its share of the other; what is no less is more.
pub fn less(than_ms: f64, ms: f64) -> String {
    let by_ms = than_ms - ms;
    if by_ms.abs() < 0.05 {
        return "no less".to_owned();
    }
    let share = percent(by_ms.abs() / than_ms);
    let word = if by_ms > 0.0 { "less" } else { "more" };
    format!("{:.1} ms ({share}) {word}", by_ms.abs())
}

/// Regions in a line, the first of them and how many more.
pub fn listed<'r>(regions: impl IntoIterator<Item = &'r str>) -> String {
    let regions: Vec<&str> = regions.into_iter().collect();
    let named: Vec<&str> = regions.iter().take(MOST_REGIONS).copied().collect();
    match regions.len().saturating_sub(MOST_REGIONS) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// A cause, and the regions that it refuses.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CauseOfRegions {
    #[serde(flatten)]
    pub demand: DemandInWords,
    pub regions: Vec<String>,
}

/// Gathers regions by what refuses them, in the order of causes.
pub fn by_cause<'a>(
    set: &PolicySet,
    refused: impl IntoIterator<Item = (&'a RegionKey, &'a [Cause])>,
) -> Vec<CauseOfRegions> {
    let mut regions: BTreeMap<Cause, Vec<String>> = BTreeMap::new();
    for (region, causes) in refused {
        for cause in causes {
            regions.entry(*cause).or_default().push(region.to_string());
        }
    }
    let causes = regions.into_iter().map(|(cause, regions)| CauseOfRegions {
        demand: DemandInWords::new(set, Refusal::Policy(cause)),
        regions,
    });
    causes.collect()
}

/// A copy at a region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CopyInWords {
    pub region: String,
    pub role: &'static str,
}

impl CopyInWords {
    pub fn new(region: &RegionKey, role: ReplicaRole) -> Self {
        Self {
            region: region.to_string(),
            role: role.word(),
        }
    }
}

/// Copies in a line: a role stands behind what is no plain voter.
pub fn copies_in_words(copies: &[CopyInWords]) -> String {
    let words: Vec<String> = copies
        .iter()
        .map(|copy| match copy.role {
            "voter" => copy.region.clone(),
            role => format!("{} ({role})", copy.region),
        })
        .collect();
    words.join(", ")
}

/// What the loss of a region leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LossInWords {
    pub region: String,
    pub leaves_readable: bool,
    /// Whether enough voters remain for writes; none where nobody votes.
    pub leaves_quorum: Option<bool>,
}

impl LossInWords {
    pub fn new(loss: &Loss) -> Self {
        Self {
            region: loss.region.to_string(),
            leaves_readable: loss.leaves_readable,
            leaves_quorum: loss.leaves_quorum,
        }
    }

    /// What does not survive it; `None` where everything does.
    fn takes(&self) -> Option<&'static str> {
        match (self.leaves_readable, self.leaves_quorum) {
            (true, Some(true) | None) => None,
            (true, Some(false)) => Some("writes (no quorum is left)"),
            (false, Some(true)) => Some("reads (no copy is left that can be read)"),
            (false, Some(false) | None) => Some("reads and writes"),
        }
    }
}

/// What is lost with which region, in a line.
pub fn losses_in_words(losses: &[LossInWords]) -> String {
    let mut taken: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for loss in losses {
        if let Some(takes) = loss.takes() {
            taken.entry(takes).or_default().push(&loss.region);
        }
    }
    if taken.is_empty() {
        return "the loss of any one region leaves reads and writes".to_owned();
    }
    let lines = taken
        .into_iter()
        .map(|(takes, regions)| format!("the loss of {} takes {takes}", regions.join(" or ")));
    lines.collect::<Vec<_>>().join("; ")
}

/// Which copies serve an access, in words.
pub fn paths_in_words(paths: AccessPaths, voters: usize) -> String {
    let reads = match paths.reads {
        ReadPath::Nearest => "any copy that can be read".to_owned(),
        ReadPath::Leader => "the leader".to_owned(),
        ReadPath::Quorum(needed) => format!("{} of {voters} voters", needed),
    };
    let writes = match paths.writes {
        WritePath::Leader if voters > 1 => {
            format!(
                "the leader, which waits for {} of {voters} voters, itself among them",
                voters / 2 + 1
            )
        }
        WritePath::Leader => "the leader".to_owned(),
        WritePath::Quorum(needed) => format!("{needed} of {voters} voters"),
    };
    format!("reads go to {reads}; writes go to {writes}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_as_far_as_they_are_worth_it() {
        assert_eq!(percent(0.5), "50%");
        assert_eq!(percent(1.0 / 3.0), "33.3%");
        assert_eq!(less(100.0, 60.0), "40.0 ms (40%) less");
        assert_eq!(less(60.0, 75.0), "15.0 ms (25%) more");
        assert_eq!(less(60.0, 60.01), "no less");
        assert_eq!(rounded(-0.000_01).to_string(), "0");
        let many: Vec<String> = (0..10).map(|number| format!("w/{number}")).collect();
        assert!(listed(many.iter().map(String::as_str)).ends_with("w/7 and 2 more"));
    }

    #[test]
    fn a_loss_is_told_by_what_it_takes() {
        let loss = |region: &str, leaves_readable, leaves_quorum| LossInWords {
            region: region.to_owned(),
            leaves_readable,
            leaves_quorum,
        };
        let none = [loss("w/a", true, Some(true)), loss("w/b", true, None)];
        assert_eq!(
            losses_in_words(&none),
            "the loss of any one region leaves reads and writes"
        );
        let some = [
            loss("w/a", true, Some(false)),
            loss("w/b", true, Some(false)),
            loss("w/c", false, Some(true)),
        ];
        assert_eq!(
            losses_in_words(&some),
            "the loss of w/c takes reads (no copy is left that can be read); the loss of w/a or w/b takes writes \
             (no quorum is left)"
        );
    }
}
