//! Over JSON that nobody needs, at the pace of its strings.
//!
//! Whole `Nodes` are tens of megabytes of which one name each is read. Inputs: the bytes from where a value begins.
//! Outputs: where it ends. Invariants: what is given an end here is valid JSON but for its UTF-8, which whoever hands the bytes
//! on has to look at; whatever is unusual has none (`None`), valid or not, and goes to serde, which says what is wrong and where.
//! Deliberately absent: errors; values.

use super::scan::plain_prefix;

/// How deep objects and lists may stand in each other: a bit for each.
const DEEPEST: u32 = u128::BITS;

/// The end of the value that begins at `at`, which may have white space before it.
pub(super) fn value_end(text: &[u8], at: usize) -> Option<usize> {
    // The kinds of what is open, the innermost in the lowest bit: 1 is an object.
    let (mut open, mut depth) = (0_u128, 0_u32);
    let mut at = at;
    loop {
        at = past_white_space(text, at);
        match *text.get(at)? {
            b'"' => at = string_end(text, at + 1)?,
            b'{' => {
                (open, depth) = (open << 1 | 1, one_deeper(depth)?);
                at = past_white_space(text, at + 1);
                if text.get(at) != Some(&b'}') {
                    (_, at) = key(text, at)?;
                    continue;
                }
            }
            b'[' => {
                (open, depth) = (open << 1, one_deeper(depth)?);
                at = past_white_space(text, at + 1);
                if text.get(at) != Some(&b']') {
                    continue;
                }
            }
            b't' => at = past(text, at, b"true")?,
            b'f' => at = past(text, at, b"false")?,
            b'n' => at = past(text, at, b"null")?,
            b'-' | b'0'..=b'9' => at = number_end(text, at)?,
            _ => return None,
        }
        // Behind a value, or at the end of what is open and empty.
        loop {
            if depth == 0 {
                return Some(at);
            }
            at = past_white_space(text, at);
            let is_object = open & 1 == 1;
            match *text.get(at)? {
                b',' if is_object => {
                    (_, at) = key(text, past_white_space(text, at + 1))?;
                    break;
                }
                b',' => {
                    at += 1;
                    break;
                }
                b'}' if is_object => {}
                b']' if !is_object => {}
                _ => return None,
            }
            at += 1;
            (open, depth) = (open >> 1, depth - 1);
        }
    }
}

/// The name of the node object that begins at `at`, and the end of the object. `None` too where a key has an escape, a
/// field that is read is there twice or not at all, or the name is not plain text.
pub(super) fn node(text: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let mut name = None;
    let mut has_metadata = false;
    let end = members(text, at, |key, at| {
        if key != b"metadata" {
            return value_end(text, at);
        }
        if std::mem::replace(&mut has_metadata, true) {
            return None;
        }
        members(text, past_white_space(text, at), |key, at| {
            if key != b"name" {
                return value_end(text, at);
            }
            let (plain, end) = plain_string(text, past_white_space(text, at))?;
            name.replace(plain).is_none().then_some(end)
        })
    })?;
    Some((name?, end))
}

/// Goes over the members of the object that begins at `at`; `value` is told each key and where its value begins, and tells where
/// it ends. Gives the end of the object.
fn members<'t>(
    text: &'t [u8],
    at: usize,
    mut value: impl FnMut(&'t [u8], usize) -> Option<usize>,
) -> Option<usize> {
    let mut at = past_white_space(text, past(text, at, b"{")?);
    if text.get(at) == Some(&b'}') {
        return Some(at + 1);
    }
    loop {
        let (name, begins) = key(text, at)?;
        if name.contains(&b'\\') {
            return None;
        }
        at = past_white_space(text, value(name, begins)?);
        match *text.get(at)? {
            b',' => at = past_white_space(text, at + 1),
            b'}' => return Some(at + 1),
            _ => return None,
        }
    }
}

/// A key, still escaped, and where its value may begin.
fn key(text: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let begins = past(text, at, b"\"")?;
    let end = string_end(text, begins)?;
    let colon = past_white_space(text, end);
    Some((text.get(begins..end - 1)?, past(text, colon, b":")?))
}

/// A string without escapes and with nothing beyond ASCII, and what is behind it.
fn plain_string(text: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let begins = past(text, at, b"\"")?;
    let (plain, rest) = text
        .get(begins..)?
        .split_at_checked(plain_prefix(text.get(begins..)?))?;
    (rest.first() == Some(&b'"')).then_some((plain, begins + plain.len() + 1))
}

/// What is behind the string whose first byte, behind the quote, is at `at`. Half a character by escapes is let pass, as
/// serde lets it pass where nobody needs the value.
fn string_end(text: &[u8], at: usize) -> Option<usize> {
    let mut at = at;
    loop {
        at += plain_prefix(text.get(at..)?);
        match *text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => match *text.get(at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                b'u' if text.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => at += 6,
                _ => return None,
            },
            0x80.. => at += 1,
            _ => return None,
        }
    }
}

/// What is behind the number that begins at `at`.
fn number_end(text: &[u8], at: usize) -> Option<usize> {
    let sign = usize::from(text.get(at) == Some(&b'-'));
    let whole = at + sign;
    let mut at = past_digits(text, whole)?;
    if text.get(whole) == Some(&b'0') && at > whole + 1 {
        return None;
    }
    if text.get(at) == Some(&b'.') {
        at = past_digits(text, at + 1)?;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        at = past_digits(text, at + 1 + sign)?;
    }
    Some(at)
}

/// What is behind at least one digit.
fn past_digits(text: &[u8], at: usize) -> Option<usize> {
    let digits = text.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit());
    let count = digits.count();
    (count > 0).then_some(at + count)
}

#[inline]
fn past_white_space(text: &[u8], at: usize) -> usize {
    let mut at = at;
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = text.get(at) {
        at += 1;
    }
    at
}

fn past(text: &[u8], at: usize, expected: &[u8]) -> Option<usize> {
    text.get(at..)?
        .starts_with(expected)
        .then_some(at + expected.len())
}

fn one_deeper(depth: u32) -> Option<u32> {
    (depth < DEEPEST).then_some(depth + 1)
}

#[cfg(test)]
mod tests {
    use serde::de::IgnoredAny;

    use super::*;

    /// Where serde sees the value end, if it sees one.
    fn end_for_serde(text: &[u8]) -> Option<usize> {
        let mut values = serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        Some(values.byte_offset())
    }

    const VALID: &[&str] = &[
        r#"{"a":[1,-2.5e+10,0,0.25E-3,{"b":{}},[],[[]]],"c":"d\"\\\/\b\f\n\r\tA","e":null,"f":true,"g":false}"#,
        " \n\t\r[ 1 , { \"a\" : [ ] , \"\" : \"\" } ]",
        r#""k:{\"type\":\"Ready\"} nœud 名""#,
        r#""half a character \ud800""#,
        "-0",
        "12 ",
    ];

    const INVALID: &[&str] = &[
        "",
        "{",
        "[",
        "\"",
        "\"\\",
        "\"\\u12",
        "\"\\u12g4\"",
        "\"\\x\"",
        "\"\u{1}\"",
        "{]",
        "[}",
        "[1 2]",
        "[1,]",
        "{\"a\" 1}",
        "{\"a\":1,}",
        "{a:1}",
        "{,}",
        "{\"a\":}",
        "[,1]",
        "01",
        "-",
        "1.",
        "1e",
        ".5",
        "+1",
        "tru",
        "nul",
        "falsy",
        "}",
        "{\"a\":1]",
    ];

    #[test]
    fn a_value_ends_where_serde_sees_it_end() {
        for text in VALID {
            assert_eq!(
                value_end(text.as_bytes(), 0),
                end_for_serde(text.as_bytes()),
                "{text}"
            );
            assert!(value_end(text.as_bytes(), 0).is_some(), "{text}");
        }
        for text in INVALID {
            assert_eq!(value_end(text.as_bytes(), 0), None, "{text}");
        }
    }

    /// Each byte of each text replaced by each that means something, taken out, or doubled.
    #[test]
    fn whatever_has_an_end_here_has_the_same_for_serde() {
        let mut compared = 0;
        for text in VALID {
            for at in 0..text.len() {
                let (before, after) = (&text.as_bytes()[..at], &text.as_bytes()[at + 1..]);
                let mut damaged = vec![[before, after].concat(), before.to_vec()];
                for byte in b"{}[],:\"\\0-.eEtnu \x01\x80\xff" {
                    damaged.push([before, &[*byte], after].concat());
                    damaged.push([before, &[*byte], &text.as_bytes()[at..]].concat());
                }
                for text in damaged {
                    // In a list, or a number would end where anything else begins.
                    let text = [b"[", text.as_slice(), b"]"].concat();
                    if let Some(end) = value_end(&text, 0) {
                        compared += 1;
                        assert_eq!(
                            Some(end),
                            end_for_serde(&text),
                            "{}",
                            String::from_utf8_lossy(&text)
                        );
                    }
                }
            }
        }
        assert!(compared > 1_000, "{compared}");
    }

    #[test]
    fn what_is_too_deep_is_left_to_serde() {
        let nested = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
        assert_eq!(value_end(nested(128).as_bytes(), 0), Some(256));
        assert_eq!(value_end(nested(129).as_bytes(), 0), None);
    }

    #[test]
    fn a_node_is_read_by_its_name_or_left_to_serde() {
        let named = |text: &'static str| node(text.as_bytes(), 0);
        let usual =
            r#"{ "kind":"Node","metadata": {"labels":{"name":"x"},"name" : "n-1","uid":"u"} ,"spec":{}}"#;
        assert_eq!(named(usual), Some((b"n-1".as_slice(), usual.len())));
        for text in [
            r#"{"metadata":{"name":"n-1"},"metadata":{"name":"n-2"}}"#,
            r#"{"metadata":{"name":"n-1","name":"n-1"}}"#,
            r#"{"met\u0061data":{"name":"n-1"}}"#,
            r#"{"metadata":{"name":"n\u002d1"}}"#,
            r#"{"metadata":{"name":"nœud"}}"#,
            r#"{"metadata":{"name":7}}"#,
            r#"{"metadata":{}}"#,
            r#"{"metadata":"n-1"}"#,
            "{}",
            "[]",
            r#"{"metadata":{"name":"n-1"}"#,
        ] {
            assert_eq!(named(text), None, "{text}");
        }
    }
}
