//! Misspelt words: how far apart two words are, and a quick test that rules most pairs out.

/// Letters that a misspelling may differ by: none below 4 letters, 1 up to 7, 2 from 8 on. Words that begin with a digit
/// are never guessed.
///
/// Source: the thresholds follow common practice (Elasticsearch's `fuzziness: AUTO` has 3 and 6).
pub(super) fn allowed(word: &str) -> u32 {
    if word.chars().next().is_none_or(char::is_numeric) {
        return 0;
    }
    match word.chars().count() {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

/// The letters that occur in a word, as bits.
///
/// One edit changes at most two bits (a letter goes, another comes), so words whose signatures differ in more than
/// `2 * edits` bits are farther apart than `edits`. Checking that costs a nanosecond, so a scan of the vocabulary replaces
/// a neighbourhood index many times its size.
pub(super) fn signature(word: &str) -> u64 {
    word.chars().fold(0, |bits, c| {
        let bit = match c {
            'a'..='z' => c as u32 - 'a' as u32,
            '0'..='9' => 26 + (c as u32 - '0' as u32),
            other => 36 + (other as u32) % 28,
        };
        bits | (1 << bit)
    })
}

/// Longest word that can be guessed, in characters.
pub(super) const MAX_CHARS: usize = 32;

/// The number of letters inserted, deleted, replaced or swapped with their neighbour between two words, if at most `most`;
/// else `None`, also for words longer than [`MAX_CHARS`].
///
/// Source: optimal string alignment, the restricted form of Damerau 1964.
pub(super) fn distance(a: &str, b: &str, most: u32) -> Option<u32> {
    let mut left = ['\0'; MAX_CHARS];
    let mut right = ['\0'; MAX_CHARS];
    let (n, m) = (letters(a, &mut left)?, letters(b, &mut right)?);
    if n.abs_diff(m) as u32 > most {
        return None;
    }
    let mut rows = [[0_u8; MAX_CHARS + 1]; 3];
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j as u8;
    }
    for i in 1..=n {
        let (now, before, earlier) = (i % 3, (i + 2) % 3, (i + 1) % 3);
        rows[now][0] = i as u8;
        let mut best = i as u8;
        for j in 1..=m {
            let same = left[i - 1] == right[j - 1];
            let mut cost = (rows[before][j] + 1).min(rows[now][j - 1] + 1).min(rows[before][j - 1] + u8::from(!same));
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                cost = cost.min(rows[earlier][j - 2] + 1);
            }
            rows[now][j] = cost;
            best = best.min(cost);
        }
        // A swap reaches two rows back, but costs one: two rows over the limit never come back under it.
        if u32::from(best) > most + 1 {
            return None;
        }
    }
    let found = u32::from(rows[n % 3][m]);
    (found <= most).then_some(found)
}

fn letters(word: &str, into: &mut [char; MAX_CHARS]) -> Option<usize> {
    let mut count = 0;
    for c in word.chars() {
        *into.get_mut(count)? = c;
        count += 1;
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        let check = |a: &str, b: &str, expected: Option<u32>| {
            assert_eq!(distance(a, b, 2), expected, "{a} {b}");
            assert_eq!(distance(b, a, 2), expected, "{b} {a}");
        };
        check("pool", "pool", Some(0));
        check("conection", "connection", Some(1));
        check("teh", "the", Some(1));
        check("exhuasted", "exhausted", Some(1));
        check("kitten", "sitting", None);
        check("abcd", "cdab", None);
        check("", "ab", Some(2));
        check("ca", "abc", None);
    }

    #[test]
    fn words_within_reach_have_near_signatures() {
        for (a, b) in [("conection", "connection"), ("abcd", "abce"), ("pool", "pools"), ("naive", "naïve")] {
            let edits = distance(a, b, 2).expect("near");
            assert!((signature(a) ^ signature(b)).count_ones() <= 2 * edits, "{a} {b}");
        }
    }

    #[test]
    fn short_words_and_numbers_are_not_guessed() {
        assert_eq!(["the", "pool", "replica", "exhausted", "20262026"].map(allowed), [0, 1, 1, 2, 0]);
    }
}
