//! "Did you mean": the known word that is nearest to what somebody wrote.

/// The nearest of the known words, where it is near enough to be meant: at most a third of the
/// written characters (and at least one) differ. Case does not count. The first of equally near words
/// wins, so that the answer does not depend on chance.
#[must_use]
pub fn nearest_word<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Beyond this, an answer would be a guess and the comparison long.
    const LONGEST_CHARACTERS: usize = 64;
    let written: Vec<char> = written.to_lowercase().chars().collect();
    if written.is_empty() || written.len() > LONGEST_CHARACTERS {
        return None;
    }
    let most_edits = (written.len() / 3).max(1);
    let mut nearest: Option<(usize, &str)> = None;
    for word in known {
        let edits = edit_distance(&written, word);
        if edits <= most_edits && nearest.is_none_or(|(least, _)| edits < least) {
            nearest = Some((edits, word));
        }
    }
    nearest.map(|(_, word)| word)
}

/// Insertions, deletions and substitutions (Levenshtein) that turn one text into the other.
fn edit_distance(written: &[char], word: &str) -> usize {
    let mut row: Vec<usize> = (0..=written.len()).collect();
    for (number, wanted) in word.to_lowercase().chars().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        let mut left = number + 1;
        next.push(left);
        for ((above_left, above), have) in row.iter().zip(row.iter().skip(1)).zip(written) {
            let substituted = above_left + usize::from(*have != wanted);
            left = substituted.min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::nearest_word;

    #[test]
    fn a_typing_error_finds_its_word_and_a_guess_finds_none() {
        let known = ["personal", "payment", "health"];
        for (written, meant) in [
            ("persnal", Some("personal")),
            ("Health", Some("health")),
            ("paymnet", Some("payment")),
            ("weather", None),
            ("", None),
        ] {
            assert_eq!(nearest_word(written, known), meant, "{written}");
        }
    }
}
