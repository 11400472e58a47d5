//! L10: exceptions that are over. L11: what is past its review, or ends soon. L16: what is not in force yet.

use jiff::{SignedDuration, Timestamp};

use super::{Found, day, last_day};
use crate::policy::definition::{Mode, PlaceTerm};
use crate::policy::finding::{Level, Position};

/// How many days before a date people are told, the shortest first. Three months ahead is news and no
/// warning: under `--strict` a set that nobody touched would fail, and an exception of 90 days never pass.
const NOTICE_DAYS: [(i64, Level); 3] = [(7, Level::Warning), (30, Level::Warning), (90, Level::Note)];

impl Found<'_> {
    pub(super) fn dates(&mut self) {
        let set = self.set;
        for group in &set.definitions.groups {
            let name = &group.name;
            self.review(&format!("the group `{name}`"), group.review_by, &group.written_at);
            for member in &group.members {
                let member_name = match &member.term {
                    PlaceTerm::Country(country) => country.code().to_owned(),
                    PlaceTerm::Subdivision(part) => part.code().to_owned(),
                    term => set.definitions.places_in_words(std::slice::from_ref(term)),
                };
                // A membership that is over is history, not news.
                if let Some(until) = member.until.filter(|until| self.at < *until) {
                    let what = format!("the membership of {member_name} in the group `{name}`");
                    self.ends_soon(&what, until, &group.written_at);
                }
            }
        }
        for policy in &set.definitions.policies {
            let (name, at) = (&policy.name, &policy.written_at);
            if let Some(review_by) = policy.review_by {
                self.review(&format!("the policy `{name}`"), review_by, at);
            }
            match policy.effective_until {
                Some(until) if until <= self.at => {
                    let sentence = format!(
                        "the policy `{name}` was effective until {} and still restricts",
                        last_day(until)
                    );
                    self.add(
                        Level::Warning,
                        "L11",
                        at,
                        sentence,
                        "remove the policy or renew its date",
                    );
                }
                Some(until) => self.ends_soon(&format!("the policy `{name}`"), until, at),
                None => {}
            }
            if let Some(from) = policy.effective_from.filter(|from| self.at < *from) {
                let sentence = format!(
                    "the policy `{name}` is not in force until {}: until then it covers no data",
                    day(from)
                );
                self.add(Level::Note, "L16", at, sentence, "");
            }
            if let Some(from) = policy
                .enforce_from
                .filter(|from| self.at < *from && policy.mode == Mode::Enforce)
            {
                let sentence = format!(
                    "the policy `{name}` is not enforced until {}: until then it only records",
                    day(from)
                );
                self.add(Level::Note, "L16", at, sentence, "");
            }
        }
        self.exception_dates();
        self.certification_dates();
    }

    fn exception_dates(&mut self) {
        let set = self.set;
        for exception in &set.definitions.exceptions {
            let what = format!("the exception `{}`", exception.name);
            if exception.expires <= self.at {
                let sentence = format!("{what} expired on {}", day(exception.expires));
                let fix = "remove it: it lifts nothing any more";
                self.add(Level::Error, "L10", &exception.written_at, sentence, fix);
            } else {
                self.ends_soon(&what, exception.expires, &exception.written_at);
            }
        }
    }

    fn certification_dates(&mut self) {
        let set = self.set;
        for region in set.catalogue.regions() {
            let unknown = Position::default();
            let at = set
                .written_at
                .regions
                .get(region.key.as_str())
                .unwrap_or(&unknown);
            let of_region = region.facts.certifications.iter().flatten();
            let of_zones = region
                .zones
                .values()
                .flat_map(|zone| zone.certifications.iter().flatten());
            for held in of_region.chain(of_zones) {
                let what = format!("the certification `{}` of `{}`", held.scheme, region.key);
                match held.valid_until {
                    Some(until) if until <= self.at => {
                        let sentence = format!("{what} ended with {}", last_day(until));
                        self.add(Level::Warning, "L11", at, sentence, "renew it or take it out");
                    }
                    Some(until) => self.ends_soon(&what, until, at),
                    None => {}
                }
            }
        }
    }

    fn review(&mut self, what: &str, by: Timestamp, at: &Position) {
        if by <= self.at {
            let sentence = format!("{what} was to be reviewed by {}", last_day(by));
            self.add(
                Level::Warning,
                "L11",
                at,
                sentence,
                "review it and set the next date",
            );
        } else if let Some((days, level)) = self.notice(by) {
            let sentence = format!("{what} is to be reviewed by {}, within {days} days", last_day(by));
            self.add(level, "L11", at, sentence, "review it and set the next date");
        }
    }

    fn ends_soon(&mut self, what: &str, until: Timestamp, at: &Position) {
        if let Some((days, level)) = self.notice(until) {
            let sentence = format!("{what} ends with {}, within {days} days", last_day(until));
            self.add(level, "L11", at, sentence, "");
        }
    }

    /// The shortest notice that a date falls under, and how loud it is.
    pub(super) fn notice(&self, date: Timestamp) -> Option<(i64, Level)> {
        let left = date.duration_since(self.at);
        let (days, level) = NOTICE_DAYS
            .iter()
            .find(|(days, _)| left <= SignedDuration::from_hours(days * 24))?;
        Some((*days, *level))
    }
}
