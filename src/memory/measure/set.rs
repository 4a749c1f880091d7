//! Sets of documents, questions and judgements, in the format of BEIR.
//!
//! `corpus.jsonl` has lines `{"_id","title","text","metadata"}`, `queries.jsonl` lines `{"_id","text","metadata"}`, `qrels/*.tsv` a
//! head line and then question, document and judgement, with tabs between. Beyond that, ours: `group` and `position` in a
//! document's metadata are those of the entry, and a question whose metadata say `"kind": "none"` has no answer in the corpus.
//!
//! Source: Thakur and others 2021, "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval Models".

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::model::memory::EntryDraft;

/// Documents, questions, and which answer which.
#[derive(Debug, Clone)]
pub struct Set {
    /// What it is called.
    pub name: String,
    /// In the order of the file.
    pub documents: Vec<Document>,
    /// Those with an answer, and those that are known to have none.
    pub questions: Vec<Question>,
}

/// A document.
#[derive(Debug, Clone)]
pub struct Document {
    /// Unique in its set; the key of the entry.
    pub id: String,
    /// What the entry is written with: the title stands before the text.
    pub draft: EntryDraft,
}

/// A question.
#[derive(Debug, Clone)]
pub struct Question {
    /// Unique in its set.
    pub id: String,
    /// As a person asks.
    pub text: String,
    /// The documents that answer it, with how well (1 and up); none for a question without an answer.
    pub answers: HashMap<String, u32>,
}

#[derive(Deserialize)]
struct CorpusLine {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default)]
    title: Option<String>,
    text: String,
    #[serde(default)]
    metadata: Map<String, Value>,
}

#[derive(Deserialize)]
struct QueryLine {
    #[serde(rename = "_id")]
    id: String,
    text: String,
    #[serde(default)]
    metadata: Map<String, Value>,
}

macro_rules! shipped {
    ($name:literal) => {
        Set::parse(
            $name,
            include_str!(concat!("../../../benches/memory/", $name, "/corpus.jsonl")),
            include_str!(concat!("../../../benches/memory/", $name, "/queries.jsonl")),
            &[include_str!(concat!("../../../benches/memory/", $name, "/qrels/test.tsv"))],
        )
        .expect("the shipped sets are read by a test")
    };
}

impl Set {
    /// The sets that are shipped: conversations, and documents.
    pub fn shipped() -> [Self; 2] {
        [shipped!("conversations"), shipped!("documents")]
    }

    /// Reads a folder. Of several files of judgements, `test.tsv` counts, else all.
    ///
    /// # Errors
    /// What is missing or doesn't read, with its file.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|error| format!("{} can't be read: {error}", path.display()))
        };
        let judged = folder.join("qrels");
        let test = judged.join("test.tsv");
        let files = if test.is_file() {
            vec![test]
        } else {
            let listed =
                std::fs::read_dir(&judged).map_err(|error| format!("{} can't be read: {error}", judged.display()))?;
            let mut files: Vec<_> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
            files.retain(|path| path.extension().is_some_and(|extension| extension == "tsv"));
            files.sort();
            files
        };
        let judgements: Vec<String> = files.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
        let judgements: Vec<&str> = judgements.iter().map(String::as_str).collect();
        let name =
            folder.file_name().map_or_else(|| folder.display().to_string(), |n| n.to_string_lossy().into_owned());
        Self::parse(&name, &read(&folder.join("corpus.jsonl"))?, &read(&folder.join("queries.jsonl"))?, &judgements)
            .map_err(|error| format!("{}: {error}", folder.display()))
    }

    /// Reads the texts of a set's files. Questions without a judgement are left out, unless they are marked to have no answer.
    ///
    /// # Errors
    /// The first line that doesn't read.
    pub fn parse(name: &str, corpus: &str, queries: &str, judgements: &[&str]) -> Result<Self, String> {
        let documents = lines::<CorpusLine>("corpus.jsonl", corpus)?.into_iter().map(Document::from).collect();
        let mut judged: HashMap<String, HashMap<String, u32>> = HashMap::new();
        for text in judgements {
            for (number, line) in text.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty()) {
                let wrong = || format!("qrels, line {}: expected question, document and judgement", number + 1);
                let mut columns = line.trim_end().split('\t');
                let (question, document) = columns.next().zip(columns.next()).ok_or_else(wrong)?;
                let judgement: i64 = columns.next().and_then(|column| column.parse().ok()).ok_or_else(wrong)?;
                if let Ok(judgement @ 1..) = u32::try_from(judgement) {
                    judged.entry(question.to_owned()).or_default().insert(document.to_owned(), judgement);
                }
            }
        }
        let mut questions = Vec::new();
        for line in lines::<QueryLine>("queries.jsonl", queries)? {
            let answers = judged.remove(&line.id).unwrap_or_default();
            let has_none = line.metadata.get("kind").and_then(Value::as_str) == Some("none");
            if !answers.is_empty() || has_none {
                questions.push(Question { id: line.id, text: line.text, answers });
            }
        }
        Ok(Self { name: name.to_owned(), documents, questions })
    }
}

impl From<CorpusLine> for Document {
    fn from(line: CorpusLine) -> Self {
        let CorpusLine { id, title, text, mut metadata } = line;
        let group = metadata.remove("group").and_then(|group| group.as_str().map(str::to_owned));
        let position = metadata.remove("position").and_then(|position| position.as_i64());
        let title = title.unwrap_or_default();
        let content = if title.is_empty() { text } else { format!("{title}\n\n{text}") };
        let position = position.filter(|_| group.is_some());
        Self { id, draft: EntryDraft { content, metadata, group, position, ..EntryDraft::default() } }
    }
}

fn lines<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<Vec<T>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| format!("{file}, line {}: {error}", number + 1))
    };
    lines.map(read).collect()
}
