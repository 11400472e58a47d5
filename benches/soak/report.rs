//! What the soak showed, as a table, and what of it must not be.

use std::time::Duration;

use crate::judge::Found;
use crate::load::Seen;
use crate::memory::Growth;

/// Everything that was seen.
pub struct Report {
    pub ran: Duration,
    pub seen: Vec<Seen>,
    pub found: Found,
    pub replays: u64,
    pub changes: usize,
    pub worlds: usize,
    pub tampered: usize,
    pub growth: Growth,
    /// What the program says that it lost and did not decide.
    pub own_count: Result<(u64, u64), String>,
    /// Whether it ended in order.
    pub ended: bool,
    /// Errors in its log.
    pub errors: Vec<String>,
}

impl Report {
    fn answers(&self) -> u64 {
        self.seen.iter().map(|seen| seen.took_us.len() as u64).sum()
    }

    fn failed(&self) -> u64 {
        self.seen.iter().map(|seen| seen.failed).sum()
    }

    /// A table for people.
    pub fn markdown(&self) -> String {
        let found = &self.found;
        let mut took_us: Vec<u32> = self
            .seen
            .iter()
            .flat_map(|seen| seen.took_us.iter().copied())
            .collect();
        took_us.sort_unstable();
        let ms = |share: f64| {
            let at = ((took_us.len() as f64 - 1.0).max(0.0) * share).round() as usize;
            f64::from(took_us.get(at).copied().unwrap_or(0)) / 1e3
        };
        let verdicts: Vec<String> = found
            .verdicts
            .iter()
            .map(|(word, count)| format!("{word} {count}"))
            .collect();
        let mib = |kib: u64| kib as f64 / 1024.0;
        let growth = &self.growth;
        let judged = match growth.is_bounded {
            None => "; too short a run to judge memory by",
            Some(_) => "",
        };
        let held_back: Duration = self.seen.iter().map(|seen| seen.held_back).sum();
        let rows = [
            ("time", format!("{:.1} minutes", self.ran.as_secs_f64() / 60.0)),
            ("answers", self.answers().to_string()),
            (
                "answers a second",
                format!("{:.0}", self.answers() as f64 / self.ran.as_secs_f64()),
            ),
            (
                "P50, P99, slowest answer",
                format!("{:.2} ms, {:.2} ms, {:.1} ms", ms(0.5), ms(0.99), ms(1.0)),
            ),
            ("failed calls", self.failed().to_string()),
            ("records, each compared with a replay", found.records.to_string()),
            ("verdicts", verdicts.join(", ")),
            (
                "replays, of which of one record alone",
                format!("{}, {}", self.replays, found.own_replays),
            ),
            ("disagreements", found.disagreements.to_string()),
            (
                "answers without a record, about created pods that nothing governs",
                found.unrecorded.to_string(),
            ),
            ("records lost", found.lost.to_string()),
            ("rotations of the file of records", found.rotations.to_string()),
            ("changes of facts", self.changes.to_string()),
            (
                "worlds that decided, of those possible",
                format!("{} of {}", found.worlds.len(), self.worlds),
            ),
            (
                "longest that replaced facts still decided",
                format!("{:.1} s", found.outdated.as_secs_f64()),
            ),
            (
                "tampered records shown to the judge, all refused",
                self.tampered.to_string(),
            ),
            (
                "memory, median of the first and of the last window",
                format!(
                    "{:.1} MiB, {:.1} MiB (windows of {} s, the first after as long a warm-up{judged})",
                    mib(growth.first_kib),
                    mib(growth.last_kib),
                    growth.window.as_secs()
                ),
            ),
            ("memory, peak", format!("{:.1} MiB", mib(growth.peak_kib))),
            (
                "load waited for the judge",
                format!("{:.1} s", held_back.as_secs_f64()),
            ),
        ];
        let rows = rows
            .map(|(name, value)| format!("| {name} | {value} |\n"))
            .concat();
        format!("| | |\n|---|---|\n{rows}")
    }

    /// What must not be; nothing where the soak passed.
    pub fn problems(&self) -> Vec<String> {
        let found = &self.found;
        let mut problems: Vec<String> = self.seen.iter().flat_map(|seen| seen.failures.clone()).collect();
        problems.extend(found.told.iter().cloned());
        problems.extend(self.errors.iter().cloned());
        let mut demand = |holds: bool, problem: String| problems.extend((!holds).then_some(problem));
        demand(self.failed() == 0, format!("{} calls failed", self.failed()));
        demand(
            found.disagreements == 0,
            format!("{} disagreements", found.disagreements),
        );
        demand(
            found.lost == 0,
            format!("records tell of {} lost ones", found.lost),
        );
        let all = found.records + found.unrecorded;
        demand(
            all == self.answers(),
            format!(
                "{all} decisions are accounted for, and {} answered",
                self.answers()
            ),
        );
        demand(
            self.own_count == Ok((0, 0)),
            format!("lost and undecided by its own count: {:?}", self.own_count),
        );
        demand(self.ended, "the program did not end in order".to_owned());
        demand(
            self.tampered > 0 && found.records > 0,
            "nothing was judged".to_owned(),
        );
        demand(
            found.worlds.len() > 1,
            "facts changed, and one world decided all".to_owned(),
        );
        let (first, last) = (self.growth.first_kib, self.growth.last_kib);
        demand(
            self.growth.is_bounded != Some(false),
            format!("memory grew from {first} to {last} KiB"),
        );
        problems
    }
}
