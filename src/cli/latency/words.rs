//! The words and numbers that the verbs about latency share.

use jiff::{SignedDuration, Timestamp, Unit};

use crate::model::RegionKey;
use crate::topology::day_or_instant;

/// How many regions a sentence names before it counts the rest.
const MOST_REGIONS: usize = 6;

/// Milliseconds for people: a tenth is what such measurements are worth, a hundredth below 10.
pub fn ms(ms: f64) -> String {
    if ms < 10.0 {
        format!("{ms:.2}")
    } else {
        format!("{ms:.1}")
    }
}

/// Milliseconds for programs: a microsecond is enough, and no estimate gets a tail of digits.
pub fn rounded(ms: f64) -> f64 {
    (ms * 1_000.0).round() / 1_000.0
}

/// A share of a whole; nothing of nothing is 0%. What is there never looks as if it were not, and what lacks
/// never as if it did not.
pub fn percent(part: usize, whole: usize) -> String {
    let share = 100.0 * part as f64 / whole.max(1) as f64;
    match part {
        0 => "0%".to_owned(),
        all if all == whole => "100%".to_owned(),
        _ if share < 0.1 => "<0.1%".to_owned(),
        _ if share > 99.9 => ">99.9%".to_owned(),
        _ => format!("{share:.1}%"),
    }
}

/// The age of something; what lies ahead says so.
pub fn age(at: Timestamp, then: Timestamp) -> String {
    let age = at.duration_since(then);
    if age < SignedDuration::ZERO {
        return format!("in {}", duration(-age));
    }
    duration(age)
}

/// When something was, seen from an instant: a day or an instant, and how long ago.
pub fn when(at: Timestamp, then: Timestamp) -> String {
    let ago = if then > at { "" } else { " ago" };
    format!("{} ({}{ago})", day_or_instant(then), age(at, then))
}

/// An instant without what people never look at.
pub fn to_the_second(at: Timestamp) -> Timestamp {
    at.round(Unit::Second).unwrap_or(at)
}

/// A duration in the largest unit of which there are two.
pub fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (minutes, hours, days) {
        (..2, _, _) => format!("{seconds} s"),
        (_, ..2, _) => format!("{minutes} min"),
        (_, _, ..2) => format!("{hours} h"),
        _ => format!("{days} d"),
    }
}

/// Regions in a sentence: the first few, and how many more.
pub fn listed(regions: &[RegionKey]) -> String {
    let mut named: Vec<String> = regions.iter().map(|region| format!("`{region}`")).collect();
    if named.len() > MOST_REGIONS + 1 {
        let more = named.len() - MOST_REGIONS;
        named.truncate(MOST_REGIONS);
        named.push(format!("{more} more"));
    }
    let last = named.pop().unwrap_or_default();
    if named.is_empty() {
        last
    } else {
        format!("{} and {last}", named.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_shares_are_short_and_true() {
        for (seconds, words) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_199, "119 min"),
            (7_200, "2 h"),
            (172_799, "47 h"),
            (172_800, "2 d"),
        ] {
            assert_eq!(duration(SignedDuration::from_secs(seconds)), words);
        }
        for (part, whole, words) in [
            (0, 0, "0%"),
            (0, 10, "0%"),
            (1, 10_000, "<0.1%"),
            (9_999, 10_000, ">99.9%"),
            (10, 10, "100%"),
            (1, 4, "25.0%"),
            (1, 3, "33.3%"),
        ] {
            assert_eq!(percent(part, whole), words, "{part} of {whole}");
        }
    }
}
