//! What two questions must have in common before their likeness counts: the token gate.
//!
//! Vectors say what a text is about, and little about the number, the name or the `not` in it: "a loom for 5 people" and "a loom
//! for 50 people" are neighbours. So whatever can turn an answer around must be the same in both: numbers with units, signs and
//! dates, names, addresses and paths, code, quoted texts, negations, and words that come in opposites. Words of scripts other than
//! Latin must all be the same. Numbers, names, code and quotes must also stand in the same order: "from Paris to Rome" is not
//! "from Rome to Paris".
//!
//! Pure. Wherever it is in doubt it refuses: that costs a call, and the other way round a wrong answer.

mod words;

use std::collections::BTreeSet;

/// What of a text counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::cache) struct Facts {
    numbers: Vec<String>,
    names: Vec<String>,
    code: Vec<String>,
    quoted: Vec<String>,
    /// Sorted.
    negations: Vec<&'static str>,
    /// Sorted.
    directions: Vec<&'static str>,
    /// Words of scripts other than Latin.
    foreign: BTreeSet<String>,
    /// First words of sentences that may be names, in lower case: the other text has them too, wherever.
    perhaps: BTreeSet<String>,
    /// Every word in lower case, in order.
    words: Vec<String>,
    /// Whether two things in it must not change places.
    has_turn: bool,
}

/// What is not the same in two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cache) enum Differs {
    Numbers,
    Names,
    Code,
    Quotes,
    Negations,
    Directions,
    Script,
    Order,
    /// One of them says nothing in words.
    Nothing,
}

impl Differs {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Numbers => "numbers",
            Self::Names => "names",
            Self::Code => "code",
            Self::Quotes => "quotes",
            Self::Negations => "negations",
            Self::Directions => "directions",
            Self::Script => "script",
            Self::Order => "order",
            Self::Nothing => "nothing",
        }
    }
}

impl Facts {
    /// Reads them.
    pub fn of(text: &str) -> Self {
        let mut facts = Self::default();
        let plain = facts.take_spans(&text.replace(['\u{2019}', '\u{2018}'], "'"));
        let raw: Vec<&str> = plain.split_whitespace().collect();
        let mut is_start = true;
        let mut at = 0;
        while let Some(word) = raw.get(at) {
            let next = raw.get(at + 1).copied();
            at += 1 + usize::from(facts.take_word(word, next, is_start));
            let ends = raw[at - 1].trim_end_matches([')', ']', '"', '\'']);
            is_start = ends.ends_with(['.', '!', '?', ':', ';']) || raw[at - 1] == "-" || raw[at - 1] == "*";
        }
        facts.negations.sort_unstable();
        facts.directions.sort_unstable();
        facts
    }

    /// Whether an answer to the one may be given to the other, as far as their words say.
    ///
    /// # Errors
    /// The first thing that is not the same.
    pub fn admits(&self, other: &Self) -> Result<(), Differs> {
        let has_all = |from: &Self, to: &Self| from.perhaps.iter().all(|word| to.words.contains(word));
        if self.words.is_empty() || other.words.is_empty() {
            Err(Differs::Nothing)
        } else if self.foreign != other.foreign {
            Err(Differs::Script)
        } else if self.numbers != other.numbers {
            Err(Differs::Numbers)
        } else if self.code != other.code {
            Err(Differs::Code)
        } else if self.quoted != other.quoted {
            Err(Differs::Quotes)
        } else if self.names != other.names || !has_all(self, other) || !has_all(other, self) {
            Err(Differs::Names)
        } else if self.negations != other.negations {
            Err(Differs::Negations)
        } else if self.directions != other.directions {
            Err(Differs::Directions)
        } else if self.is_turned(other) {
            Err(Differs::Order)
        } else {
            Ok(())
        }
    }

    /// Whether two words that count in both have changed places, where that matters.
    fn is_turned(&self, other: &Self) -> bool {
        let heavy = |facts: &Self| -> Vec<String> {
            let counts =
                |word: &&String| word.chars().count() > 2 && !words::is_small(word) && !words::is_turning(None, word);
            facts.words.iter().filter(counts).cloned().collect()
        };
        let (ours, theirs) = (heavy(self), heavy(other));
        let is_same_bag = {
            let (mut one, mut two) = (ours.clone(), theirs.clone());
            one.sort_unstable();
            two.sort_unstable();
            one == two
        };
        if !is_same_bag && !self.has_turn && !other.has_turn {
            return false;
        }
        let shared = |from: &[String], to: &[String]| -> Vec<String> {
            from.iter().filter(|word| to.contains(word)).cloned().collect()
        };
        let (ours, theirs) = (shared(&ours, &theirs), shared(&theirs, &ours));
        ours != theirs
    }

    /// Takes code and quotes out of a text; returns the rest.
    fn take_spans(&mut self, text: &str) -> String {
        const QUOTES: [(char, char); 5] =
            [('"', '"'), ('\u{201c}', '\u{201d}'), ('\u{201e}', '\u{201c}'), ('«', '»'), ('「', '」')];
        let mut rest = String::with_capacity(text.len());
        let mut tail = text;
        while let Some(first) = tail.chars().next() {
            let fence = ["```", "`"].into_iter().find(|fence| tail.starts_with(fence));
            if let Some(fence) = fence
                && let Some((inner, after)) = tail[fence.len()..].split_once(fence)
            {
                self.code.push(inner.trim().to_owned());
                self.words.push(inner.trim().to_owned());
                rest.push(' ');
                tail = after;
                continue;
            }
            let closing = QUOTES.iter().find(|(open, _)| *open == first).map(|(_, close)| *close);
            if let Some(close) = closing
                && let Some((inner, after)) = tail[first.len_utf8()..].split_once(close)
            {
                self.quote(inner);
                rest.push(' ');
                tail = after;
                continue;
            }
            // An apostrophe stands within a word; a quote stands before one.
            if first == '\''
                && rest.chars().next_back().is_none_or(char::is_whitespace)
                && let Some(end) = tail[1..]
                    .match_indices('\'')
                    .map(|(at, _)| at)
                    .find(|at| tail[at + 2..].chars().next().is_none_or(|next| !next.is_alphanumeric()))
            {
                self.quote(&tail[1..=end]);
                rest.push(' ');
                tail = &tail[end + 2..];
                continue;
            }
            rest.push(first);
            tail = &tail[first.len_utf8()..];
        }
        rest
    }

    fn quote(&mut self, inner: &str) {
        self.quoted.push(inner.trim().to_owned());
        self.words.push(inner.trim().to_owned());
    }

    /// Takes note of a word; true when the next one belongs to it.
    fn take_word(&mut self, raw: &str, next: Option<&str>, is_start: bool) -> bool {
        let word = raw.trim_matches(|c: char| "()[]{},;:!?\"'…¿¡".contains(c)).trim_end_matches('.');
        if word.is_empty() {
            return false;
        }
        if raw.contains("()") {
            self.code.push(word.to_owned());
            self.words.push(word.to_owned());
            return false;
        }
        if !word.chars().any(char::is_alphanumeric) {
            // A dash or a bullet is no operator; a smaller-than is.
            if !["-", "–", "—", "*", "•"].contains(&word) {
                self.code.push(word.to_owned());
            }
            return false;
        }
        if word.chars().any(is_foreign) {
            self.foreign.insert(word.to_owned());
            self.words.push(word.to_owned());
            return false;
        }
        let word = word.strip_suffix("'s").unwrap_or(word);
        if let Some((value, takes_next)) = number(word, next) {
            self.words.push(value.clone());
            self.numbers.push(value);
            return takes_next;
        }
        self.plain_word(word, is_start);
        false
    }

    fn plain_word(&mut self, word: &str, is_start: bool) {
        let lower = word.to_lowercase();
        let before = self.words.last().cloned();
        self.has_turn |= words::is_turning(before.as_deref(), &lower);
        if let Some(stem) = lower.strip_suffix("n't") {
            self.negations.push("not");
            self.words.push(stem.to_owned());
            return;
        }
        if is_address(word) {
            self.names.push(word.to_owned());
        } else if is_identifier(word) {
            self.code.push(word.to_owned());
        } else if let Some(says) = words::negation(&lower) {
            self.negations.push(says);
        } else if lower.starts_with("non-") || lower.starts_with("n'") {
            self.negations.push("not");
        } else if words::is_date(&lower) {
            self.numbers.push(lower.clone());
        } else if let Some(value) = words::number(&lower) {
            self.numbers.push(value.to_owned());
        } else if let Some(says) = words::direction(&lower) {
            self.directions.push(says);
        } else if word.starts_with(char::is_uppercase) && !is_pronoun(&lower) {
            let is_loud =
                word.chars().filter(|c| c.is_alphabetic()).count() > 1 && word.chars().all(|c| !c.is_lowercase());
            if !is_start || is_loud {
                self.names.push(word.to_owned());
            } else if !words::is_opener(&lower) {
                self.perhaps.insert(lower.clone());
            }
        }
        self.words.push(lower);
    }
}

/// I, whatever comes after it.
fn is_pronoun(lower: &str) -> bool {
    lower == "i" || lower.starts_with("i'")
}

/// Whether it is a letter of a script other than Latin.
fn is_foreign(c: char) -> bool {
    let is_latin =
        c.is_ascii() || matches!(c, '\u{80}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | '\u{2c60}'..='\u{2c7f}');
    c.is_alphabetic() && !is_latin
}

/// Handles, addresses of mail and of the web, paths.
fn is_address(word: &str) -> bool {
    word.contains(['@', '/', '\\', '~']) || word.starts_with("www.") || (word.starts_with('#') && word.len() > 1)
}

/// Names as programs have them.
fn is_identifier(word: &str) -> bool {
    let letters: Vec<char> = word.chars().collect();
    let has_hump = letters.windows(2).any(|pair| pair[0].is_lowercase() && pair[1].is_uppercase());
    let has_digit = letters.iter().any(char::is_ascii_digit);
    let has_mark = letters.iter().any(|c| !c.is_alphanumeric() && !['-', '\''].contains(c));
    has_hump || has_digit || has_mark
}

/// A number with its unit, and whether that was the next word.
fn number(word: &str, next: Option<&str>) -> Option<(String, bool)> {
    let (currency, rest) = match word.chars().next() {
        Some(sign @ ('$' | '€' | '£')) => (words::unit(&sign.to_string()), &word[sign.len_utf8()..]),
        _ => (None, word),
    };
    let (sign, digits) = match rest.chars().next() {
        Some(sign @ ('-' | '+' | '−' | '±')) => (sign.to_string().replace('−', "-"), &rest[sign.len_utf8()..]),
        _ => (String::new(), rest),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !digits.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let end = digits.find(|c: char| !c.is_ascii_digit() && !".,:-/".contains(c)).unwrap_or(digits.len());
    let (value, tail) = digits.split_at(end);
    let value = plain_thousands(value.trim_end_matches(['.', ',']));
    let own = tail.to_lowercase();
    let own = words::unit(&own).map_or(own.clone(), str::to_owned);
    if let Some(currency) = currency {
        return Some((format!("{sign}{value} {currency}{own}"), false));
    }
    if !own.is_empty() {
        return Some((format!("{sign}{value} {own}"), false));
    }
    let next =
        next.map(|next| next.trim_matches(|c: char| "()[]{},;:!?\"'".contains(c)).trim_end_matches('.').to_lowercase());
    let is_year = sign.is_empty() && value.len() == 4 && (value.starts_with("19") || value.starts_with("20"));
    let of_next = next.as_deref().and_then(|next| {
        let counted = !is_year && !next.is_empty() && next.chars().all(char::is_alphabetic) && !words::is_small(next);
        words::unit(next).map(str::to_owned).or_else(|| counted.then(|| next.to_owned()))
    });
    // Of a word that is no unit the gate also looks at what it says itself.
    let takes_next = next.as_deref().is_some_and(|next| words::unit(next).is_some());
    Some(match of_next {
        Some(unit) => (format!("{sign}{value} {unit}"), takes_next),
        None => (format!("{sign}{value}"), false),
    })
}

/// `1,000` as `1000`; anything else as it is.
fn plain_thousands(value: &str) -> String {
    let mut groups = value.split(',');
    let head = groups.next().unwrap_or_default();
    let is_plain = |group: &str| group.chars().all(|c| c.is_ascii_digit());
    let fits = value.contains(',')
        && (1..=3).contains(&head.len())
        && is_plain(head)
        && groups.all(|group| group.len() == 3 && is_plain(group));
    if fits { value.replace(',', "") } else { value.to_owned() }
}

#[cfg(test)]
mod tests;
