//! User input inside a sentence.

use std::fmt::Write as _;

/// The most characters that a sentence repeats of what somebody wrote.
const LONGEST_CHARACTERS: usize = 64;

/// Puts what somebody wrote into backticks, fit for one line of a log, a condition or a terminal.
///
/// Control characters, backticks and characters that reverse the direction of text become `?`; a
/// space after a comma is left out, because kube-scheduler joins reasons by ", "; what is too long is
/// cut, and the cut is shown by an ellipsis.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut said = String::with_capacity(text.len().min(LONGEST_CHARACTERS) + 2);
    said.push('`');
    let mut kept = 0_usize;
    let mut after_comma = false;
    for character in text.chars() {
        if after_comma && character == ' ' {
            continue;
        }
        if kept == LONGEST_CHARACTERS {
            said.push('…');
            break;
        }
        after_comma = character == ',';
        said.push(if is_unfit(character) { '?' } else { character });
        kept += 1;
    }
    said.push('`');
    said
}

fn is_unfit(character: char) -> bool {
    character == '`'
        || character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The words as an enumeration for people: "`a` or `b` or `c`", without commas.
pub(crate) fn alternatives<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut said = String::new();
    for word in words {
        if !said.is_empty() {
            said.push_str(" or ");
        }
        // Writing to a string never fails.
        let _ = write!(said, "`{word}`");
    }
    said
}

#[cfg(test)]
mod tests {
    use super::{alternatives, quoted};

    #[test]
    fn input_cannot_leave_its_backticks_nor_its_line() {
        for (written, said) in [
            ("DE", "`DE`"),
            ("a, b,  c", "`a,b,c`"),
            ("x`; rm", "`x?; rm`"),
            ("two\nlines\u{202e}", "`two?lines?`"),
            ("", "``"),
        ] {
            assert_eq!(quoted(written), said, "{written:?}");
        }
    }

    #[test]
    fn long_input_is_cut_at_64_characters_and_not_inside_one() {
        assert_eq!(quoted(&"ä".repeat(64)), format!("`{}`", "ä".repeat(64)));
        assert_eq!(quoted(&"ä".repeat(65)), format!("`{}…`", "ä".repeat(64)));
    }

    #[test]
    fn alternatives_have_no_comma() {
        assert_eq!(alternatives(["a", "b"]), "`a` or `b`");
    }
}
