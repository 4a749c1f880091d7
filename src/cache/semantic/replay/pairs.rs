//! Labelled pairs of questions: lines of `{"a": "…", "b": "…", "same": true}`.
//!
//! `same` says whether the answer to the one is an answer to the other. A line may have a `kind`, by which figures are parted, and
//! whatever else: it is not looked at. What lines say holds beyond them: where a is the same as b, and b as c, so is a as c. Of questions
//! that no lines lead from one to the other nothing is known; they are taken to have other answers.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

/// The longest kind, in characters.
const MAX_KIND: usize = 40;
/// The set that is shipped, by the name of its file.
const SHIPPED: (&str, &str) = ("questions.jsonl", include_str!("../../../../benches/cache/questions.jsonl"));

/// Two questions, by their places among all texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The one.
    pub a: usize,
    /// The other.
    pub b: usize,
    /// Whether the answer to the one is an answer to the other.
    pub same: bool,
    /// What the pair is an example of; empty where its line does not say.
    pub kind: String,
}

/// A set of pairs.
#[derive(Debug, Clone, Default)]
pub struct Pairs {
    /// All questions, each once, in the order of the lines.
    pub texts: Vec<String>,
    /// In the order of the lines.
    pub pairs: Vec<Pair>,
    /// The answer of each question, by a number.
    answers: Vec<usize>,
    /// Answers of which a line says that they are not the same, the lower number first.
    apart: HashSet<(usize, usize)>,
}

impl Pairs {
    /// The set that is shipped.
    pub fn shipped() -> Self {
        Self::parse(&[SHIPPED]).expect("the shipped set is read by a test")
    }

    /// Reads files, given by their name and text, as one set.
    ///
    /// # Errors
    /// The first line that does not fit, with its file, number and field; that there is none.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, String> {
        let mut set = Self::default();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut lines = Vec::new();
        for (file, text) in files {
            for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                let at = format!("{file}, line {}", number + 1);
                let Line { a, b, same, kind } = Line::read(line).map_err(|why| format!("{at}{why}"))?;
                let mut place = |text: String| {
                    *places.entry(text).or_insert_with_key(|text| {
                        set.texts.push(text.clone());
                        set.texts.len() - 1
                    })
                };
                let (a, b) = (place(a), place(b));
                if a == b {
                    return Err(format!("{at}, b: expected another text than in a"));
                }
                set.pairs.push(Pair { a, b, same, kind });
                lines.push(at);
            }
        }
        if set.pairs.is_empty() {
            return Err("expected at least one pair".to_owned());
        }
        set.tell_answers(&lines)?;
        Ok(set)
    }

    /// Gives questions that lines join the same number.
    fn tell_answers(&mut self, lines: &[String]) -> Result<(), String> {
        fn root(answers: &mut [usize], mut at: usize) -> usize {
            while answers[at] != at {
                answers[at] = answers[answers[at]];
                at = answers[at];
            }
            at
        }
        let mut answers: Vec<usize> = (0..self.texts.len()).collect();
        for pair in self.pairs.iter().filter(|pair| pair.same) {
            let (a, b) = (root(&mut answers, pair.a), root(&mut answers, pair.b));
            answers[a.max(b)] = a.min(b);
        }
        self.answers = (0..answers.len()).map(|at| root(&mut answers, at)).collect();
        for (pair, line) in self.pairs.iter().zip(lines).filter(|(pair, _)| !pair.same) {
            let (a, b) = (self.answers[pair.a], self.answers[pair.b]);
            if a == b {
                return Err(format!("{line}, same: expected true: other lines say that both have the same answer"));
            }
            self.apart.insert((a.min(b), a.max(b)));
        }
        Ok(())
    }

    /// The number of a question's answer.
    pub(super) fn answer(&self, text: usize) -> usize {
        self.answers[text]
    }

    /// Whether the answer to the one is an answer to the other, as far as lines say.
    pub fn is_same(&self, one: usize, other: usize) -> bool {
        self.answers[one] == self.answers[other]
    }

    /// Whether lines say that, or the contrary.
    pub fn is_labelled(&self, one: usize, other: usize) -> bool {
        let (one, other) = (self.answers[one], self.answers[other]);
        one == other || self.apart.contains(&(one.min(other), one.max(other)))
    }
}

struct Line {
    a: String,
    b: String,
    same: bool,
    kind: String,
}

impl Line {
    /// What does not fit begins with what parts it from the place: `, field: expected …`.
    fn read(line: &str) -> Result<Self, String> {
        let wrong = |why: String| format!(r#": expected {{"a": "…", "b": "…", "same": true}}, {why}"#);
        let fields: Map<String, Value> = match serde_json::from_str(line) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => return Err(wrong("found something else".to_owned())),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let text = |name: &str| match fields.get(name) {
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(text.clone()),
            _ => Err(format!(", {name}: expected a text that says something")),
        };
        let same = fields.get("same").and_then(Value::as_bool);
        let kind = match fields.get("kind") {
            None | Some(Value::Null) => Some(""),
            Some(kind) => kind.as_str().filter(|kind| kind.chars().count() <= MAX_KIND),
        };
        Ok(Self {
            a: text("a")?,
            b: text("b")?,
            same: same.ok_or(", same: expected true or false")?,
            kind: kind.ok_or_else(|| format!(", kind: expected a text of at most {MAX_KIND} characters"))?.to_owned(),
        })
    }
}
