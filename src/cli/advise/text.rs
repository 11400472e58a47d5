//! The answer about one data set, for people.

use crate::cli::counted::counted;
use std::io::{self, Write};

use super::report::{ChoiceInReport, Report, RowInReport, TodayInReport, counted_copies};
use super::ways::SHARES;
use super::words::{CopyInWords, copies_in_words, less, listed, losses_in_words, percent};

/// How many places of demand are told; JSON has all.
const MOST_ROWS: usize = 8;

impl Report {
    /// Writes the text.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "data set {}: where its copies would best be, judged at {}",
            self.data_set, self.world.at
        )?;
        writeln!(out, "  {}", self.note)?;
        self.write_demand(out)?;
        writeln!(
            out,
            "\nwhere a copy may be: {} of {} {}",
            self.footing.permitted_regions.len(),
            counted(self.candidates.considered, "region"),
            self.candidates.source
        )?;
        self.footing.write_regions(out)?;
        self.write_ways(out)?;
        if let Some(today) = &self.today {
            today.write(out)?;
            writeln!(out, "  {}", losses_in_words(&self.footing.losses))?;
        }
        self.write_table(out)?;
        self.write_best(out)?;
        if !self.findings.is_empty() {
            writeln!(out, "\nfindings")?;
        }
        for finding in &self.findings {
            writeln!(out, "  {finding}")?;
        }
        if !self.doubts.is_empty() {
            writeln!(out, "\nbefore you rely on it")?;
        }
        for doubt in &self.doubts {
            writeln!(out, "  {doubt}")?;
        }
        Ok(())
    }

    fn write_demand(&self, out: &mut dyn Write) -> io::Result<()> {
        let demand = &self.demand;
        writeln!(out, "\nwhere requests come from: {}", demand.source)?;
        let mut rows: Vec<_> = demand.rows.iter().collect();
        rows.sort_by(|one, other| other.share.total_cmp(&one.share));
        let told = rows.iter().take(MOST_ROWS);
        let width = told.clone().map(|row| row.region.len()).max().unwrap_or(0);
        for row in told {
            let bound = row.ways_ruled_by.as_ref().map(|rules| match rules.as_slice() {
                [] => "  by every way".to_owned(),
                rules => format!("  by ways that {} leaves", rules.join(" and ")),
            });
            writeln!(
                out,
                "  {:<width$}  {:>6}  reads={} writes={}{}",
                row.region,
                percent(row.share),
                row.reads,
                row.writes,
                bound.unwrap_or_default()
            )?;
        }
        if rows.len() > MOST_ROWS {
            writeln!(out, "  and {} more", counted(rows.len() - MOST_ROWS, "region"))?;
        }
        for assumed in &demand.assumed {
            writeln!(out, "  assumed: {assumed}")?;
        }
        writeln!(out, "  {}", self.access)
    }

    fn write_table(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "\nthe best, in milliseconds for each request ({})",
            self.statistic
        )?;
        let mut header = vec![
            "copies",
            "permitted",
            "one more buys",
            "without policies",
            "policies cost",
        ];
        let has_ways = !self.ways_ruled_by.is_empty();
        header.extend(SHARES.into_iter().filter(|_| has_ways));
        let ms = |ms: Option<f64>| ms.map_or("-".to_owned(), |ms| format!("{ms:.1}"));
        let gain = |row: &RowInReport| {
            let (Some(gain), Some(choice)) = (row.gain_ms, &row.permitted) else {
                return "-".to_owned();
            };
            format!(
                "{gain:.1} ({})",
                percent(gain / (choice.ms + gain).max(f64::MIN_POSITIVE))
            )
        };
        writeln!(out, "  {}  found", header.join("  "))?;
        for row in &self.by_copies {
            let mut cells = vec![
                row.copies.to_string(),
                ms(row.permitted.as_ref().map(|choice| choice.ms)),
                gain(row),
                ms(row.unrestricted.as_ref().map(|choice| choice.ms)),
                ms(row.policy_cost_ms),
            ];
            cells.extend(row.shares().into_iter().filter(|_| has_ways).map(ms));
            let cells = cells.iter().zip(&header).map(|(cell, head)| {
                let width = head.len();
                format!("{cell:>width$}")
            });
            let methods = [&row.permitted, &row.unrestricted].into_iter().flatten();
            let mut methods: Vec<&str> = methods.map(|choice| choice.method).collect();
            methods.dedup();
            let line = format!("{}  {}", cells.collect::<Vec<_>>().join("  "), methods.join(", "));
            writeln!(out, "  {}", line.trim_end())?;
        }
        for row in &self.by_copies {
            if let Some(choice) = &row.permitted {
                writeln!(out, "  {}: {}", row.copies, copies_in_words(&choice.copies))?;
            }
        }
        Ok(())
    }

    /// Whether these are the copies that are there.
    fn is_today(&self, choice: &ChoiceInReport) -> bool {
        let sorted = |copies: &[CopyInWords]| {
            let mut sorted = copies.to_vec();
            sorted.sort();
            sorted
        };
        let today = self.today.as_ref();
        today.is_some_and(|today| sorted(&today.copies) == sorted(&choice.copies))
    }

    fn write_best(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some(row) = self.asked() else {
            return Ok(());
        };
        let copies = counted_copies(row.copies);
        let Some(best) = &row.permitted else {
            writeln!(
                out,
                "\nno placement of {copies} is permitted and serves the demand"
            )?;
            return self.write_by_every_way(row, out);
        };
        writeln!(out, "\nthe best {copies}: {}", copies_in_words(&best.copies))?;
        let beside = match self.today.as_ref().and_then(|today| today.ms) {
            Some(_) if self.is_today(best) => ", as today".to_owned(),
            Some(today_ms) => format!(", {} than today", less(today_ms, best.ms)),
            None => String::new(),
        };
        writeln!(out, "  {:.1} ms{beside}; {}", best.ms, found(best))?;
        writeln!(out, "  {}", losses_in_words(&best.losses))?;
        let Some(unrestricted) = &row.unrestricted else {
            return Ok(());
        };
        if !row.has_policy_cost() {
            return writeln!(
                out,
                "  without policies no placement is better: they cost nothing here"
            );
        }
        writeln!(
            out,
            "  without policies: {} at {:.1} ms, {} ({})",
            copies_in_words(&unrestricted.copies),
            unrestricted.ms,
            less(best.ms, unrestricted.ms),
            found(unrestricted)
        )?;
        self.write_shares(row, out)?;
        for cause in &self.in_the_way {
            let regions = listed(cause.regions.iter().map(String::as_str));
            let ask = cause
                .demand
                .contact
                .as_ref()
                .map(|contact| format!("; ask {contact}"));
            writeln!(
                out,
                "    refused there: {regions}: {}{}",
                cause.demand.says,
                ask.unwrap_or_default()
            )?;
        }
        for demand in &self.unmet_without_policies {
            writeln!(out, "    not met there: {}", demand.says)?;
        }
        Ok(())
    }
}

fn found(choice: &ChoiceInReport) -> String {
    match choice.method {
        "exact" => format!("exact: the best of {}", counted_placements(choice.placements)),
        method => format!("{method}, of {}", counted_placements(choice.placements)),
    }
}

fn counted_placements(placements: u64) -> String {
    match placements {
        1 => "1 placement".to_owned(),
        u64::MAX => "countless placements".to_owned(),
        placements => format!("{placements} placements"),
    }
}

impl TodayInReport {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let ms = self.ms.map_or("not known".to_owned(), |ms| {
            format!("{ms:.1} ms for each request")
        });
        writeln!(out, "\ntoday: {ms}")?;
        writeln!(out, "  {}", copies_in_words(&self.copies))?;
        let Some(leader) = &self.leader else {
            return Ok(());
        };
        match &self.ms {
            Some(today_ms) if leader.best != leader.present => writeln!(
                out,
                "  the best leader among its voters is {}: {:.1} ms, {} than with {}",
                leader.best,
                leader.ms,
                less(*today_ms, leader.ms),
                leader.present
            ),
            _ => writeln!(
                out,
                "  its leader is the best among its voters: {}",
                leader.present
            ),
        }
    }
}
