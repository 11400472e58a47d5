//! An amount of a resource as Kubernetes writes it: `500m`, `2`, `1.5`, `32Gi`, `1e3`.
//!
//! Inputs: a text or a number of a file. Outputs: whole thousandths of the unit, exact. Invariants: what is no
//! quantity is an error, never a zero; less than a thousandth is rounded up, as the API server does; the
//! same amount is always written the same way. Deliberately absent: negative amounts, which no request is.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A text that is no quantity, or one that is out of range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no quantity such as `500m`, `2` or `32Gi`")]
pub struct InvalidQuantity(pub String);

/// An amount: thousandths of a CPU, of a byte or of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, JsonSchema)]
#[schemars(
    with = "String",
    extend("pattern" = r"^[0-9]*\.?[0-9]*([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?$")
)]
pub struct Quantity {
    thousandths: u64,
}

/// The suffixes, and what they multiply by: a numerator and a denominator.
const SUFFIXES: [(&str, i128, i128); 15] = [
    ("Ki", 1 << 10, 1),
    ("Mi", 1 << 20, 1),
    ("Gi", 1 << 30, 1),
    ("Ti", 1 << 40, 1),
    ("Pi", 1 << 50, 1),
    ("Ei", 1 << 60, 1),
    ("n", 1, 1_000_000_000),
    ("u", 1, 1_000_000),
    ("m", 1, 1_000),
    ("k", 1_000, 1),
    ("M", 1_000_000, 1),
    ("G", 1_000_000_000, 1),
    ("T", 1_000_000_000_000, 1),
    ("P", 1_000_000_000_000_000, 1),
    ("E", 1_000_000_000_000_000_000, 1),
];

/// More digits than this are no quantity that anyone means.
const MOST_DIGITS: usize = 24;

/// The greatest amount, so that sums of several stay within 64 bits: 4 petabytes.
const GREATEST_THOUSANDTHS: i128 = 4_503_599_627_370_496_000;

impl Quantity {
    /// So many whole units.
    #[must_use]
    pub const fn whole(units: u32) -> Self {
        Self {
            thousandths: units as u64 * 1_000,
        }
    }

    /// So many thousandths, as of a CPU.
    #[must_use]
    pub const fn millis(thousandths: u32) -> Self {
        Self {
            thousandths: thousandths as u64,
        }
    }

    /// So many mebibytes.
    #[must_use]
    pub const fn mebibytes(mebibytes: u32) -> Self {
        Self {
            thousandths: (mebibytes as u64) << 20,
        }
        .times_thousand()
    }

    const fn times_thousand(self) -> Self {
        Self {
            thousandths: self.thousandths * 1_000,
        }
    }

    /// Both together.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self {
            thousandths: self.thousandths.saturating_add(other.thousandths),
        }
    }

    /// Thousandths (`MilliValue` in Go), at most 2^62.
    #[must_use]
    pub const fn milli_value(self) -> i64 {
        self.thousandths.cast_signed()
    }

    /// Whole units, rounded up (`Value` in Go).
    #[must_use]
    pub const fn value(self) -> i64 {
        self.thousandths.div_ceil(1_000).cast_signed()
    }
}

impl FromStr for Quantity {
    type Err = InvalidQuantity;

    fn from_str(text: &str) -> Result<Self, InvalidQuantity> {
        thousandths(text)
            .map(|thousandths| Self { thousandths })
            .ok_or_else(|| InvalidQuantity(text.to_owned()))
    }
}

fn thousandths(text: &str) -> Option<u64> {
    plain_thousandths(text).or_else(|| any_thousandths(text))
}

/// What almost all quantities are: a few digits and one of the common suffixes.
fn plain_thousandths(text: &str) -> Option<u64> {
    let suffix = text.trim_start_matches(|byte: char| byte.is_ascii_digit());
    let digits = text.strip_suffix(suffix).filter(|digits| digits.len() <= 6)?;
    let times = match suffix {
        "m" => 1,
        "" => 1_000,
        "Ki" => 1_000 << 10,
        "Mi" => 1_000 << 20,
        "Gi" => 1_000 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(times)
}

fn any_thousandths(text: &str) -> Option<u64> {
    let (number, numerator, denominator) = SUFFIXES
        .iter()
        .find_map(|(suffix, up, down)| Some((text.strip_suffix(suffix)?, *up, *down)))
        .unwrap_or((text, 1, 1));
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        // A suffix and an exponent exclude each other.
        Some(_) if number.len() != text.len() => return None,
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (number, 0),
    };
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: String = [before, after].concat();
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain || digits.len() > MOST_DIGITS {
        return None;
    }
    let power = exponent.checked_sub(i32::try_from(after.len()).ok()?)?;
    let ten = 10_i128.checked_pow(power.unsigned_abs())?;
    let digits: i128 = digits.parse().ok()?;
    let (up, down) = if power < 0 { (1, ten) } else { (ten, 1) };
    let above = digits
        .checked_mul(numerator)?
        .checked_mul(up)?
        .checked_mul(1_000)?;
    let below = denominator.checked_mul(down)?;
    let rounded_up = above / below + i128::from(above % below != 0);
    (rounded_up <= GREATEST_THOUSANDTHS)
        .then(|| u64::try_from(rounded_up).ok())
        .flatten()
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.thousandths / 1_000;
        if !self.thousandths.is_multiple_of(1_000) {
            return write!(formatter, "{}m", self.thousandths);
        }
        for (suffix, shift) in [("Gi", 30), ("Mi", 20)] {
            if units > 0 && units.trailing_zeros() >= shift {
                return write!(formatter, "{}{suffix}", units >> shift);
            }
        }
        write!(formatter, "{units}")
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Quantity;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a quantity such as `500m`, `2` or `32Gi`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Quantity, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, units: u64) -> Result<Quantity, E> {
                self.visit_str(&units.to_string())
            }

            fn visit_i64<E: de::Error>(self, units: i64) -> Result<Quantity, E> {
                self.visit_str(&units.to_string())
            }

            fn visit_f64<E: de::Error>(self, units: f64) -> Result<Quantity, E> {
                self.visit_str(&units.to_string())
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_kubernetes_reads_them() {
        for (text, thousandths) in [
            ("500m", 500),
            ("2", 2_000),
            ("999999Gi", 1_073_740_750_258_176_000),
            ("3Ki", 3_072_000),
            ("7Mi", 7_340_032_000),
            ("0.1", 100),
            ("1.5", 1_500),
            (".5", 500),
            ("5.", 5_000),
            ("1e1", 10_000),
            ("12e-1", 1_200),
            ("100u", 1),
            ("1n", 1),
            ("32Gi", 34_359_738_368_000),
            ("0.5Gi", 536_870_912_000),
            ("30900000Ki", 31_641_600_000_000),
            ("128M", 128_000_000_000),
            ("64Ti", 70_368_744_177_664_000),
        ] {
            assert_eq!(text.parse(), Ok(Quantity { thousandths }), "{text}");
            assert_eq!(any_thousandths(text), Some(thousandths), "{text}");
        }
        for text in [
            "", "m", "-1", "+1", "1 Gi", "1gi", "inf", "NaN", "0x10", "e3", "1e99", "1e3Mi", "9Ei", ".",
            "1.2.3",
        ] {
            assert!(text.parse::<Quantity>().is_err(), "{text}");
        }
    }

    #[test]
    fn values_round_up_and_are_written_one_way() {
        let read = |text: &str| text.parse::<Quantity>().unwrap();
        assert_eq!((read("1500m").value(), read("1500m").milli_value()), (2, 1_500));
        for (text, written) in [
            ("1500m", "1500m"),
            ("2000m", "2"),
            ("2048Mi", "2Gi"),
            ("1536Mi", "1536Mi"),
            ("1Ki", "1024"),
            ("0", "0"),
        ] {
            assert_eq!(read(text).to_string(), written);
            assert_eq!(read(written), read(text));
        }
        assert_eq!(serde_json::from_str::<Quantity>("1.5").unwrap(), read("1500m"));
        assert_eq!(serde_json::from_str::<Quantity>("\"3Gi\"").unwrap(), read("3Gi"));
        assert!(serde_json::from_str::<Quantity>("-3").is_err());
        assert_eq!(Quantity::mebibytes(3), read("3Mi"));
    }
}
