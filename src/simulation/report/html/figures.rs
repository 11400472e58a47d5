//! Figures as people read them.
//!
//! Inputs: whole numbers in the units of the summary. Outputs: texts with units. Invariants: integer arithmetic, one
//! decimal of a millisecond; a figure that is not known is a dash. Deliberately absent: markup.

/// What stands for a figure that is not known.
pub const UNKNOWN: &str = "\u{2013}";

/// A number with a comma between thousands.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number and a noun, which gets an `s` unless there is one of it.
#[must_use]
pub fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// Microseconds in milliseconds.
#[must_use]
pub fn ms(us: Option<i64>) -> String {
    us.map_or_else(|| UNKNOWN.to_owned(), |us| signed(us, ""))
}

/// A difference in microseconds in milliseconds, with its sign.
#[must_use]
pub fn added_ms(us: Option<i64>) -> String {
    us.map_or_else(|| UNKNOWN.to_owned(), |us| signed(us, "+"))
}

fn signed(us: i64, plus: &str) -> String {
    let tenths = (us.unsigned_abs() + 50) / 100;
    let sign = match us {
        _ if tenths == 0 => "",
        ..0 => "\u{2212}",
        _ => plus,
    };
    format!("{sign}{}.{}\u{a0}ms", count(tenths / 10), tenths % 10)
}

/// Microseconds that are not negative in milliseconds without the unit, for axes.
#[must_use]
pub fn bare_ms(us: i64) -> String {
    let tenths = us.unsigned_abs() / 100;
    if tenths.is_multiple_of(10) {
        return count(tenths / 10);
    }
    format!("{}.{}", count(tenths / 10), tenths % 10)
}

/// A share in percent; a whole of nothing has none.
#[must_use]
pub fn share(part: u64, whole: u64) -> String {
    let permille = (u128::from(part) * 1_000 + u128::from(whole) / 2).checked_div(u128::from(whole));
    permille.map_or_else(
        || UNKNOWN.to_owned(),
        |permille| match permille {
            0 if part > 0 => "<0.1%".to_owned(),
            1_000 if part < whole => ">99.9%".to_owned(),
            _ => format!("{}.{}%", permille / 10, permille % 10),
        },
    )
}

/// Thousandths in whole percent.
#[must_use]
pub fn percent(permille: u64) -> String {
    format!("{}%", permille.saturating_add(5) / 10)
}

/// A span of simulated time, in its two greatest units.
#[must_use]
pub fn span(ms: u64) -> String {
    const UNITS: [(u64, &str); 5] = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "min"),
        (1_000, "s"),
        (1, "ms"),
    ];
    let mut rest = ms;
    let mut parts = Vec::new();
    for (length, unit) in UNITS {
        let whole = rest / length;
        rest %= length;
        if whole > 0 {
            parts.push(format!("{}\u{a0}{unit}", count(whole)));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() {
        return "0\u{a0}s".to_owned();
    }
    parts.join(" ")
}

/// The first of some names, and how many more there are.
#[must_use]
pub fn names(names: &[String], most: usize) -> String {
    let mut told: Vec<String> = names.iter().take(most).cloned().collect();
    let more = names.len().saturating_sub(most);
    if more > 0 {
        told.push(format!("{more} more"));
    }
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
        assert_eq!(
            (counted(1, "pod"), counted(2, "pod")),
            ("1 pod".to_owned(), "2 pods".to_owned())
        );
    }

    #[test]
    fn milliseconds_have_one_decimal_and_a_sign_where_they_are_a_difference() {
        let cases = [
            (0, "0.0\u{a0}ms", "0.0\u{a0}ms"),
            (-49, "0.0\u{a0}ms", "0.0\u{a0}ms"),
            (12_345, "12.3\u{a0}ms", "+12.3\u{a0}ms"),
            (-12_350, "\u{2212}12.4\u{a0}ms", "\u{2212}12.4\u{a0}ms"),
            (1_999_960, "2,000.0\u{a0}ms", "+2,000.0\u{a0}ms"),
        ];
        for (us, plain, difference) in cases {
            assert_eq!(
                (ms(Some(us)), added_ms(Some(us))),
                (plain.to_owned(), difference.to_owned())
            );
        }
        assert_eq!(
            (ms(None), added_ms(None)),
            (UNKNOWN.to_owned(), UNKNOWN.to_owned())
        );
    }

    #[test]
    fn a_tick_has_a_decimal_only_where_it_needs_one() {
        for (us, text) in [(0, "0"), (200, "0.2"), (5_000, "5"), (1_500_000, "1,500")] {
            assert_eq!(bare_ms(us), text);
        }
    }

    #[test]
    fn a_share_is_none_or_all_only_where_it_is() {
        let cases = [
            (0, 0, UNKNOWN),
            (0, 9, "0.0%"),
            (1, 8, "12.5%"),
            (1, 1_000_000, "<0.1%"),
            (999_999, 1_000_000, ">99.9%"),
            (7, 7, "100.0%"),
        ];
        for (part, whole, text) in cases {
            assert_eq!(share(part, whole), text, "{part} of {whole}");
        }
    }

    #[test]
    fn a_span_has_two_units_that_follow_each_other() {
        let cases = [
            (0, "0\u{a0}s"),
            (250, "250\u{a0}ms"),
            (61_000, "1\u{a0}min 1\u{a0}s"),
            (7_200_500, "2\u{a0}h"),
            (90_000_000, "1\u{a0}d 1\u{a0}h"),
        ];
        for (ms, text) in cases {
            assert_eq!(span(ms), text);
        }
    }

    #[test]
    fn a_long_list_says_how_much_is_left_out() {
        let all: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(
            (names(&all, 3), names(&all, 1)),
            ("a, b, c".to_owned(), "a, 2 more".to_owned())
        );
    }
}
