//! A cursor over a body of JSON, for the few levels that have many members.
//!
//! The outer objects and the list of names are walked here, at about a byte-parallel pace; everything
//! else (the pod, whole nodes, victims) is handed to serde where it begins, and the cursor goes on
//! where serde stopped. Invariant: no byte is looked at more often than a constant number of times, and
//! those of plain names but the last few only once.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use wide::{CmpEq, CmpLt, i8x16};

use super::error::BadRequest;
use super::skip;

/// A JSON string as it stands in the body, without its quotes: escapes are still escapes, and it may be
/// written into another body as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawText<'b>(&'b [u8]);

impl<'b> RawText<'b> {
    /// Takes a whole JSON value that serde has found valid; `None` where it is no string, or half a character.
    pub(super) fn from_json(json: &'b str) -> Option<Self> {
        let text = json.strip_prefix('"')?.strip_suffix('"')?;
        // Where serde only looks for the end of a value, it passes a lone surrogate over.
        let reads = !text.contains('\\') || serde_json::from_str::<String>(json).is_ok();
        reads.then_some(Self(text.as_bytes()))
    }

    /// The bytes in the body.
    #[must_use]
    pub fn as_bytes(self) -> &'b [u8] {
        self.0
    }

    /// The text that is meant.
    #[must_use]
    pub fn unescaped(self) -> Cow<'b, [u8]> {
        if self.0.contains(&b'\\') {
            let quoted = [b"\"", self.0, b"\""].concat();
            // The scanner let no string pass that does not read; an unread one would be an unknown name.
            let text = serde_json::from_slice::<String>(&quoted).unwrap_or_default();
            Cow::Owned(text.into_bytes())
        } else {
            Cow::Borrowed(self.0)
        }
    }
}

/// A position in a body.
#[derive(Debug)]
pub(super) struct Scanner<'b> {
    body: &'b [u8],
    at: usize,
}

impl<'b> Scanner<'b> {
    pub(super) fn new(body: &'b [u8]) -> Self {
        Self { body, at: 0 }
    }

    /// The bytes that are not read yet.
    pub(super) fn rest(&self) -> &'b [u8] {
        self.body.get(self.at..).unwrap_or(&[])
    }

    fn malformed(&self) -> BadRequest {
        BadRequest::MalformedJson { byte: self.at }
    }

    /// The next byte that is not white space, which stays unread.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.body.get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Reads `null` if it is there.
    pub(super) fn take_null(&mut self) -> bool {
        let found = self.peek() == Some(b'n') && self.rest().starts_with(b"null");
        if found {
            self.at += 4;
        }
        found
    }

    /// What is wrong where the next value is not of the type that `otherwise` tells of: that, or that
    /// there is no value at all.
    pub(super) fn unexpected(&mut self, otherwise: &BadRequest) -> BadRequest {
        match self.peek() {
            Some(b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => otherwise.clone(),
            _ => self.malformed(),
        }
    }

    fn open(&mut self, byte: u8, otherwise: &BadRequest) -> Result<(), BadRequest> {
        match self.take(byte) {
            true => Ok(()),
            false => Err(self.unexpected(otherwise)),
        }
    }

    /// Reads an object; `member` is called at each value and reads it.
    pub(super) fn object(
        &mut self,
        otherwise: &BadRequest,
        mut member: impl FnMut(&mut Self, RawText<'b>) -> Result<(), BadRequest>,
    ) -> Result<(), BadRequest> {
        self.open(b'{', otherwise)?;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let Some(key) = self.string()? else {
                return Err(self.malformed());
            };
            if !self.take(b':') {
                return Err(self.malformed());
            }
            member(self, key)?;
            if self.take(b',') {
                continue;
            }
            return if self.take(b'}') {
                Ok(())
            } else {
                Err(self.malformed())
            };
        }
    }

    /// Reads a list; `item` is called at each value and reads it.
    pub(super) fn list(
        &mut self,
        otherwise: &BadRequest,
        mut item: impl FnMut(&mut Self) -> Result<(), BadRequest>,
    ) -> Result<(), BadRequest> {
        self.open(b'[', otherwise)?;
        if self.take(b']') {
            return Ok(());
        }
        loop {
            item(self)?;
            if self.take(b',') {
                continue;
            }
            return if self.take(b']') {
                Ok(())
            } else {
                Err(self.malformed())
            };
        }
    }

    /// Reads strings, so many at a time, for as long as they stand there in the plainest form: each without
    /// escapes and with nothing but a comma before the next. The last string is left, and all that stand
    /// in another form; a string follows in any case if one was read.
    #[inline]
    pub(super) fn plain_strings<const N: usize>(&mut self, mut each: impl FnMut([RawText<'b>; N])) {
        loop {
            let before = self.at;
            let mut texts = [RawText(b""); N];
            for text in &mut texts {
                let Some(plain) = self.plain_string() else {
                    self.at = before;
                    return;
                };
                *text = plain;
            }
            each(texts);
        }
    }

    #[inline]
    fn plain_string(&mut self) -> Option<RawText<'b>> {
        let (b'"', rest) = self.rest().split_first()? else {
            return None;
        };
        match rest.split_at_checked(plain_prefix(rest))? {
            (text, [b'"', b',', b'"', ..]) => {
                self.at += text.len() + 3;
                Some(RawText(text))
            }
            _ => None,
        }
    }

    /// Reads a string; `None` where the next value is none.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Option<RawText<'b>>, BadRequest> {
        if !self.take(b'"') {
            return Ok(None);
        }
        let rest = self.rest();
        let length = plain_prefix(rest);
        let raw = match rest.get(length) {
            Some(b'"') => RawText(rest.get(..length).unwrap_or(&[])),
            _ => self.unusual_string()?,
        };
        self.at += raw.0.len() + 1;
        Ok(Some(raw))
    }

    /// Looks for the end of a string that has escapes or letters beyond ASCII; the cursor stands behind
    /// the opening quote.
    #[cold]
    fn unusual_string(&self) -> Result<RawText<'b>, BadRequest> {
        let rest = self.rest();
        let mut length = 0;
        loop {
            match rest.get(length) {
                Some(b'"') => break,
                Some(b'\\') => length += 2,
                Some(_) => length += 1,
                None => {
                    return Err(BadRequest::MalformedJson {
                        byte: self.body.len(),
                    });
                }
            }
        }
        let quoted = self.body.get(self.at - 1..=self.at + length).unwrap_or(&[]);
        // serde knows every rule about escapes, control characters and UTF-8.
        match serde_json::from_slice::<Cow<'_, str>>(quoted) {
            Ok(_) => Ok(RawText(rest.get(..length).unwrap_or(&[]))),
            Err(_) => Err(self.malformed()),
        }
    }

    /// Reads an object by serde, and gives its bytes too.
    pub(super) fn object_value<T: Deserialize<'b>>(
        &mut self,
        invalid: impl Fn(String) -> BadRequest,
    ) -> Result<(T, &'b [u8]), BadRequest> {
        // serde would take a list for an object too.
        if self.peek() != Some(b'{') {
            return Err(self.unexpected(&invalid("it is not an object".to_owned())));
        }
        self.value(invalid)
    }

    /// Reads a node in the form that Go's encoder gives it, and gives its name and its bytes; nothing is read where it stands
    /// there in another form.
    pub(super) fn usual_node(&mut self) -> Option<(RawText<'b>, &'b [u8])> {
        self.peek();
        let (name, end) = skip::node(self.body, self.at)?;
        let object = self.body.get(self.at..end)?;
        self.at = end;
        Some((RawText(name), object))
    }

    /// Reads any value by serde, and gives its bytes too. The cursor stands where the value begins.
    fn value<T: Deserialize<'b>>(
        &mut self,
        invalid: impl Fn(String) -> BadRequest,
    ) -> Result<(T, &'b [u8]), BadRequest> {
        let rest = self.rest();
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<T>();
        match values.next() {
            Some(Ok(value)) => {
                let length = values.byte_offset();
                self.at += length;
                Ok((value, rest.get(..length).unwrap_or(&[])))
            }
            Some(Err(error)) if error.is_data() => Err(invalid(without_position(&error))),
            Some(Err(error)) => Err(BadRequest::MalformedJson {
                byte: self.at + offset(rest, error.line(), error.column()),
            }),
            None => Err(self.malformed()),
        }
    }

    /// Reads a value that nobody needs.
    pub(super) fn skip(&mut self) -> Result<(), BadRequest> {
        if let Some(end) = skip::value_end(self.body, self.at) {
            self.at = end;
            return Ok(());
        }
        self.value::<IgnoredAny>(|_| BadRequest::MalformedJson { byte: 0 })
            .map(|_| ())
    }

    /// Makes sure that nothing follows.
    pub(super) fn end(&mut self) -> Result<(), BadRequest> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(BadRequest::TrailingBytes { byte: self.at }),
        }
    }
}

/// Which bytes are a quote, a backslash, a control character or not ASCII: a bit for each, the first the lowest.
#[inline]
fn unusual(block: &[u8; 16]) -> i32 {
    // Signed, what is not ASCII is below every control character.
    let block = i8x16::new(block.map(|byte| byte as i8));
    let unusual = block.cmp_eq(i8x16::splat(b'"' as i8))
        | block.cmp_eq(i8x16::splat(b'\\' as i8))
        | block.cmp_lt(i8x16::splat(0x20));
    unusual.move_mask()
}

/// How many bytes stand before the first that is a quote, a backslash, a control character or not ASCII.
/// Where the next name begins depends on it, so that names are read no faster than this says where one ends. It looks at 16
/// bytes at a time: names mostly end within the same sixteen, which a processor learns to guess.
#[inline]
pub(super) fn plain_prefix(bytes: &[u8]) -> usize {
    let (blocks, tail) = bytes.as_chunks::<16>();
    let mut length = 0;
    for block in blocks {
        let unusual = unusual(block);
        if unusual != 0 {
            return length + unusual.trailing_zeros() as usize;
        }
        length += 16;
    }
    let plain = tail
        .iter()
        .take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f | 0x80..));
    length + plain.count()
}

/// What serde says without the position, which counts from the value and not from the body.
fn without_position(error: &serde_json::Error) -> String {
    let said = error.to_string();
    match said.rfind(" at line ") {
        Some(end) => said.get(..end).unwrap_or_default().to_owned(),
        None => said,
    }
}

/// The offset of a position that serde gives in lines and columns, both from 1.
fn offset(text: &[u8], line: usize, column: usize) -> usize {
    let mut start = 0;
    for _ in 1..line {
        let rest = text.get(start..).unwrap_or(&[]);
        match rest.iter().position(|byte| *byte == b'\n') {
            Some(length) => start += length + 1,
            None => break,
        }
    }
    start + column.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_prefix_ends_at_each_unusual_byte_wherever_it_stands() {
        for length in 0..40 {
            for unusual in [b'"', b'\\', 0, 0x1f, 0x80, 0xc3, 0xff] {
                let mut text = vec![b'a'; length];
                text.push(unusual);
                text.extend_from_slice(b"\"bcd\\efghijk");
                assert_eq!(plain_prefix(&text), length, "{unusual:#x} after {length}");
            }
            let usual: Vec<u8> = (0x20..0x7f_u8)
                .filter(|byte| !matches!(byte, b'"' | b'\\'))
                .cycle()
                .skip(length)
                .take(length)
                .collect();
            assert_eq!(plain_prefix(&usual), length);
        }
    }

    #[test]
    fn a_string_is_read_as_serde_reads_it() {
        for text in [
            r#""""#,
            r#""node-a""#,
            r#""a\"b""#,
            r#""a\\""#,
            r#""\u006eode""#,
            r#""nœud-de-longueur-suffisante""#,
        ] {
            let mut scanner = Scanner::new(text.as_bytes());
            let raw = scanner.string().expect(text).expect(text);
            let meant: String = serde_json::from_str(text).expect(text);
            assert_eq!(raw.unescaped().as_ref(), meant.as_bytes(), "{text}");
            assert_eq!(scanner.end(), Ok(()), "{text}");
        }
        for text in [r#"""#, r#""a\"#, r#""a\x""#, "\"a\u{1}\"", r#""\ud800""#] {
            assert!(serde_json::from_str::<String>(text).is_err(), "{text}");
            assert!(Scanner::new(text.as_bytes()).string().is_err(), "{text}");
        }
        assert!(Scanner::new(b"\"\xff\"").string().is_err());
        assert_eq!(Scanner::new(b"7").string(), Ok(None));
    }

    #[test]
    fn half_a_character_in_a_node_or_a_victim_is_no_text() {
        for (json, reads) in [
            (r#""a""#, true),
            (r#""\ud83d\ude00""#, true),
            (r#""\ud800""#, false),
            ("7", false),
        ] {
            assert_eq!(RawText::from_json(json).is_some(), reads, "{json}");
        }
    }

    #[test]
    fn an_error_of_serde_is_placed_in_the_whole_body() {
        let body = b"  [1,\n 2,\n x]";
        let mut scanner = Scanner::new(body);
        assert_eq!(scanner.skip(), Err(BadRequest::MalformedJson { byte: 11 }));
        assert_eq!(body.get(11), Some(&b'x'));
    }
}
