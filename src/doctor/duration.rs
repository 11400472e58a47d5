//! Durations as Go reads them (`time.ParseDuration`): `500ms`, `1m30s`, `-1.5h`.

/// Milliseconds of a Go duration; `None` for what Go cannot read.
pub fn parse_milliseconds(text: &str) -> Option<f64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0.0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at_checked(end)?;
        if !number.contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let (unit, after) = unit(after)?;
        total += number.parse::<f64>().ok()? * unit;
        rest = after;
    }
    /// Go counts nanoseconds in 64 bits: about 292 years.
    const LONGEST_MS: f64 = 9_223_372_036_854.775;
    (total <= LONGEST_MS).then_some(sign * total)
}

/// The unit that a text begins with, in milliseconds, and the rest.
fn unit(text: &str) -> Option<(f64, &str)> {
    // `m` comes after `ms`, of which it is the beginning.
    const UNITS: [(&str, f64); 8] = [
        ("ns", 0.000_001),
        ("us", 0.001),
        ("\u{b5}s", 0.001),
        ("\u{3bc}s", 0.001),
        ("ms", 1.0),
        ("s", 1_000.0),
        ("m", 60_000.0),
        ("h", 3_600_000.0),
    ];
    UNITS
        .iter()
        .find_map(|(name, size)| Some((*size, text.strip_prefix(name)?)))
}

#[cfg(test)]
mod tests {
    use super::parse_milliseconds;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("500ms", Some(500.0)),
            ("1m0.5s", Some(60_500.0)),
            ("-5s", Some(-5_000.0)),
            ("0", Some(0.0)),
            (".5s", Some(500.0)),
            ("1000000h", Some(3.6e12)),
            ("5 s", None),
            ("5", None),
            ("", None),
            ("s", None),
            (".s", None),
            ("1.2.3s", None),
            ("9000000h", None),
        ] {
            assert_eq!(parse_milliseconds(text), expected, "{text}");
        }
    }
}
