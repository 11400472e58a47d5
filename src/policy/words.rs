//! Words of a policy file as values: codes, dates, places, enumerations; each with its finding.
//!
//! A word that does not parse is reported and left out; the caller goes on, so that one run finds
//! everything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::definition::{GroupIndex, PlaceTerm, SubjectSelector};
use super::document::Origin;
use super::finding::{Finding, Position};
use super::schema::Text;
use crate::model::{
    Category, Classification, Country, InvalidPlace, Subdivision, country_from_near_miss, nearest_word,
};

/// Reads words, and gathers what is wrong with them.
#[derive(Debug, Default)]
pub struct Reader {
    /// What was found so far.
    pub findings: Vec<Finding>,
    /// The groups that exist, by name.
    pub groups: BTreeMap<Arc<str>, GroupIndex>,
    /// Whether the groups are all there are, so that naming another one is an error.
    pub knows_groups: bool,
    /// The teams that the settings name; none where they name none.
    pub teams: BTreeSet<String>,
    /// The text of the files, by name, to see how a word was written.
    pub sources: BTreeMap<String, String>,
}

/// Whether a date names the beginning of its day or the end.
#[derive(Debug, Clone, Copy)]
pub enum DayBoundary {
    /// `from`: the day belongs to what begins.
    Start,
    /// `until`: the day still belongs to what ends, so the instant is the start of the next.
    End,
}

impl Reader {
    /// Notes an error.
    pub fn error(&mut self, code: &'static str, position: Position, sentence: String, fix: Option<String>) {
        self.findings
            .push(Finding::error(code, position, sentence).with_fix(fix));
    }

    /// Reads a word by a function that finds it among those that are known.
    pub fn word<T>(
        &mut self,
        origin: &Origin,
        text: &Text,
        what: &str,
        known: &[&'static str],
        find: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        self.check_quoting(origin, text);
        let found = find(&text.value);
        if found.is_none() {
            let fix = match nearest_word(&text.value, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write one of {}", known.join(", ")),
            };
            self.error(
                "L03",
                origin.position(text),
                format!("unknown {what} `{}`", text.value),
                Some(fix),
            );
        }
        found
    }

    /// Reads a classification.
    pub fn classification(&mut self, origin: &Origin, text: &Text) -> Option<Classification> {
        let known = Classification::ALL.map(Classification::word);
        self.word(origin, text, "classification", &known, Classification::from_word)
    }

    /// Reads a category; the inner `None` is the word `none`.
    pub fn category(&mut self, origin: &Origin, text: &Text) -> Option<Option<Category>> {
        let mut known: Vec<&'static str> = Category::ALL.map(Category::word).to_vec();
        known.push("none");
        self.word(origin, text, "category", &known, |word| match word {
            "none" => Some(None),
            _ => Category::from_word(word).map(Some),
        })
    }

    /// Reads a country code.
    pub fn country(&mut self, origin: &Origin, text: &Text) -> Option<Country> {
        self.check_quoting(origin, text);
        match Country::new(&text.value) {
            Ok(country) => Some(country),
            Err(problem) => {
                self.invalid_place(origin, text, &problem);
                None
            }
        }
    }

    /// Reads a subdivision code.
    pub fn subdivision(&mut self, origin: &Origin, text: &Text) -> Option<Subdivision> {
        match Subdivision::new(&text.value) {
            Ok(subdivision) => Some(subdivision),
            Err(problem) => {
                self.invalid_place(origin, text, &problem);
                None
            }
        }
    }

    fn invalid_place(&mut self, origin: &Origin, text: &Text, problem: &InvalidPlace) {
        let fix = country_from_near_miss(&text.value)
            .map(|meant| format!("write `\"{meant}\"`"))
            .or_else(|| {
                self.groups
                    .contains_key(text.value.as_str())
                    .then(|| format!("did you mean `group/{}`?", text.value))
            });
        self.error("L03", origin.position(text), problem.to_string(), fix);
    }

    /// Reads a place: a country, a subdivision, `group/NAME` or `anywhere`.
    pub fn place(&mut self, origin: &Origin, text: &Text) -> Option<PlaceTerm> {
        let word = text.value.as_str();
        if word == "anywhere" {
            return Some(PlaceTerm::Anywhere);
        }
        if let Some(name) = word.strip_prefix("group/") {
            return self.group(origin, text, name).map(PlaceTerm::Group);
        }
        if word.contains('-') {
            return self.subdivision(origin, text).map(PlaceTerm::Subdivision);
        }
        self.country(origin, text).map(PlaceTerm::Country)
    }

    /// Finds a group by its name.
    pub fn group(&mut self, origin: &Origin, text: &Text, name: &str) -> Option<GroupIndex> {
        let found = self.groups.get(name).copied();
        if found.is_none() {
            let near = nearest_word(name, self.groups.keys().map(AsRef::as_ref)).map(ToOwned::to_owned);
            let fix = near.map(|near| format!("did you mean `group/{near}`?"));
            self.error(
                "L04",
                origin.position(text),
                format!("no group is called `{name}`"),
                fix,
            );
        }
        found
    }

    /// Reads a list of places that must have a member.
    pub fn places(&mut self, origin: &Origin, texts: &[Text], list: &str, at: Position) -> Vec<PlaceTerm> {
        if texts.is_empty() {
            self.error("L05", at, format!("the list `{list}` names no place"), None);
        }
        texts.iter().filter_map(|text| self.place(origin, text)).collect()
    }

    /// Reads a subject of a selector or of a data set.
    pub fn subject(&mut self, origin: &Origin, text: &Text) -> Option<SubjectSelector> {
        match text.value.as_str() {
            "none" => Some(SubjectSelector::None),
            "anywhere" => {
                let sentence = "`anywhere` names places, not people".to_owned();
                self.error(
                    "L03",
                    origin.position(text),
                    sentence,
                    Some("leave `subjects` out".to_owned()),
                );
                None
            }
            _ => self.place(origin, text).map(SubjectSelector::Place),
        }
    }

    /// Reads a date or an instant, in UTC.
    pub fn instant(&mut self, origin: &Origin, text: &Text, boundary: DayBoundary) -> Option<Timestamp> {
        if let Ok(instant) = text.value.parse::<Timestamp>() {
            return Some(instant);
        }
        // The reader of dates takes a date with a time too, and forgets the time.
        let is_date_alone = text.value.len() == "2026-12-31".len();
        let start_of = |date: Date| date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
        let instant = text
            .value
            .parse::<Date>()
            .ok()
            .filter(|_| is_date_alone)
            .and_then(|date| match boundary {
                DayBoundary::Start => start_of(date),
                DayBoundary::End => date.checked_add(1.day()).ok().and_then(start_of),
            });
        if instant.is_none() {
            let sentence = format!("`{}` is not a date", text.value);
            let fix = "write \"2026-12-31\" or \"2026-12-31T00:00:00Z\"".to_owned();
            self.error("L01", origin.position(text), sentence, Some(fix));
        }
        instant
    }

    /// Reads an age in whole days, written `400d`.
    pub fn age(&mut self, origin: &Origin, text: &Text) -> Option<SignedDuration> {
        const UNITS: [(char, i64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
        /// Ten thousand years are beyond every date.
        const MOST_SECONDS: i64 = 3_650_000 * 86_400;
        let seconds = UNITS.iter().find_map(|(suffix, seconds)| {
            let number: u32 = text.value.strip_suffix(*suffix)?.parse().ok()?;
            i64::from(number).checked_mul(*seconds)
        });
        let seconds = seconds.filter(|seconds| (1..=MOST_SECONDS).contains(seconds));
        if seconds.is_none() {
            let sentence = format!("`{}` is not an age", text.value);
            let fix = "write whole days, such as `400d`, or for the objects of the cluster alone `12h`, `10m` or `30s`";
            self.error("L01", origin.position(text), sentence, Some(fix.to_owned()));
        }
        seconds.map(SignedDuration::from_secs)
    }

    /// A word that other YAML readers take for a boolean must be quoted: unquoted `NO` is Norway here
    /// and false elsewhere.
    pub fn check_quoting(&mut self, origin: &Origin, text: &Text) {
        const BOOLEANS_OF_YAML_1_1: [&str; 8] = ["y", "n", "yes", "no", "on", "off", "true", "false"];
        if !BOOLEANS_OF_YAML_1_1.contains(&text.value.to_ascii_lowercase().as_str()) {
            return;
        }
        let position = origin.position(text);
        let source = self.sources.get(&position.file).map(String::as_bytes);
        let written = origin
            .byte_offset(text)
            .and_then(|offset| source.and_then(|source| source.get(offset)));
        if !matches!(written, Some(b'"' | b'\'')) {
            let sentence = format!(
                "`{}` is not quoted and other YAML readers make it a boolean",
                text.value
            );
            self.error(
                "L02",
                position,
                sentence,
                Some(format!("write `\"{}\"`", text.value)),
            );
        }
    }
}
