//! Texts as HTML shows them, whatever stands in them.
//!
//! Inputs: texts that somebody wrote. Outputs: the same between tags or in a quoted attribute. Invariants: no text ends
//! a tag or an attribute or begins one; what HTML may not hold becomes the replacement character. Deliberately
//! absent: trust in any text.

use std::fmt::{self, Display, Formatter, Write as _};

/// A text.
pub struct Text<'t>(pub &'t str);

/// A sentence, in which what stands in backticks is shown as code.
pub struct Prose<'t>(pub &'t str);

impl Display for Text<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => formatter.write_str("&amp;")?,
                '<' => formatter.write_str("&lt;")?,
                '>' => formatter.write_str("&gt;")?,
                '"' => formatter.write_str("&quot;")?,
                '\'' => formatter.write_str("&#39;")?,
                '\n' | '\t' => formatter.write_char(' ')?,
                // Controls, and marks that turn the direction of the letters around them.
                letter if letter.is_control() => formatter.write_char('\u{fffd}')?,
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => formatter.write_char('\u{fffd}')?,
                letter => formatter.write_char(letter)?,
            }
        }
        Ok(())
    }
}

impl Display for Prose<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((before, (code, after))) = rest
            .split_once('`')
            .and_then(|(before, after)| Some((before, after.split_once('`')?)))
        {
            write!(formatter, "{}<code>{}</code>", Text(before), Text(code))?;
            rest = after;
        }
        write!(formatter, "{}", Text(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_tag_or_an_attribute() {
        let cases = [
            ("a & b", "a &amp; b"),
            ("<script>", "&lt;script&gt;"),
            ("\" onload='x'", "&quot; onload=&#39;x&#39;"),
            ("a\nb\u{0}c\u{202e}", "a b\u{fffd}c\u{fffd}"),
        ];
        for (text, shown) in cases {
            assert_eq!(Text(text).to_string(), shown);
        }
    }

    #[test]
    fn backticks_are_code_where_they_come_in_pairs() {
        let cases = [
            ("`a<b` refuses `c`", "<code>a&lt;b</code> refuses <code>c</code>"),
            ("one ` alone", "one ` alone"),
            ("`a` and ` alone", "<code>a</code> and ` alone"),
        ];
        for (sentence, shown) in cases {
            assert_eq!(Prose(sentence).to_string(), shown);
        }
    }
}
