//! Quantities as Kubernetes writes them: `500m`, `2`, `1.5`, `32Gi`, `1e3`.
//!
//! Invariants: what is not a quantity is an error, never a zero; a fraction is rounded up, as the API
//! server does.

/// A text that is no quantity, or one that is out of range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no quantity such as `500m`, `2` or `32Gi`")]
pub struct InvalidQuantity(pub String);

/// The suffixes and what they multiply by.
const SUFFIXES: [(&str, f64); 13] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
];

/// Integers beyond this are not exact in the arithmetic used here: 9 petabytes of memory.
const GREATEST: f64 = 9_007_199_254_740_992.0;

/// Reads a number of CPUs as thousandths.
///
/// # Errors
/// Where the text is no quantity.
pub fn cpu_millis(text: &str) -> Result<u64, InvalidQuantity> {
    in_units(text, 1000.0)
}

/// Reads an amount of memory as bytes, or a count as itself.
///
/// # Errors
/// Where the text is no quantity.
pub fn whole(text: &str) -> Result<u64, InvalidQuantity> {
    in_units(text, 1.0)
}

fn in_units(text: &str, units: f64) -> Result<u64, InvalidQuantity> {
    let invalid = || InvalidQuantity(text.to_owned());
    let (number, factor) = SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor)))
        .unwrap_or((text, 1.0));
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    if number.is_empty() || !number.chars().all(plain) || number.starts_with(['-', '+', 'e', 'E']) {
        return Err(invalid());
    }
    let number: f64 = number.parse().map_err(|_| invalid())?;
    // The product is rounded to nine places first, so that 0.1 x 1000 does not become 101 by its last bit.
    let value = ((number * factor * units * 1e3).round() / 1e3).ceil();
    if (0.0..=GREATEST).contains(&value) {
        Ok(value as u64)
    } else {
        Err(invalid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_kubernetes_reads_them() {
        for (text, millis) in [
            ("500m", 500),
            ("2", 2000),
            ("0.1", 100),
            ("1.5", 1500),
            ("7910m", 7910),
            ("1e1", 10_000),
            ("100u", 1),
        ] {
            assert_eq!(cpu_millis(text), Ok(millis), "{text}");
        }
        for (text, bytes) in [
            ("32Gi", 34_359_738_368),
            ("30900000Ki", 31_641_600_000),
            ("128M", 128_000_000),
            ("58", 58),
            ("1e9", 1_000_000_000),
        ] {
            assert_eq!(whole(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_an_error() {
        for text in [
            "", "m", "-1", "+1", "1 Gi", "1gi", "inf", "NaN", "0x10", "e3", "1e99", "9999P",
        ] {
            assert!(whole(text).is_err(), "{text}");
        }
    }
}
