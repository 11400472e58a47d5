//! SHA-256 as lowercase hexadecimal text.

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};

/// A SHA-256 digest: 64 lowercase hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256Hex(Arc<str>);

impl Sha256Hex {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sha256Hex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The digest of several pieces. Each is preceded by its length, so that moving a byte from one piece
/// to the next changes the digest.
#[must_use]
pub fn sha256_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Sha256Hex {
    let mut hasher = Sha256::new();
    for piece in pieces {
        hasher.update((piece.len() as u64).to_le_bytes());
        hasher.update(piece);
    }
    let mut digits = String::with_capacity(64);
    for byte in hasher.finalize() {
        // Writing into a `String` cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    Sha256Hex(digits.into())
}

#[cfg(test)]
mod tests {
    use super::sha256_of;

    #[test]
    fn pieces_do_not_run_into_each_other() {
        let digest = |pieces: &[&str]| sha256_of(pieces.iter().map(|piece| piece.as_bytes()));
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_ne!(digest(&["ab"]), digest(&["ab", ""]));
        assert_eq!(digest(&["ab", "c"]), digest(&["ab", "c"]));
        assert_eq!(digest(&[]).as_str().len(), 64);
    }
}
