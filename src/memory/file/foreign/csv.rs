//! Tables: a line of names, then an entry a line; what stands in quotes may have commas, quotes written twice, and ends of lines.

use serde_json::json;

use super::{bare, plain};
use crate::memory::file::Record;
use crate::model::Timestamp;
use crate::model::memory::Trust;

pub(super) fn read(text: &str, namespace: &str) -> Result<Vec<(String, Record)>, String> {
    let mut rows = rows(text.strip_prefix('\u{feff}').unwrap_or(text))?.into_iter();
    let (_, names) = rows.next().ok_or("expected a line of names, with key and content among them")?;
    let names: Vec<String> = names.iter().map(|name| name.trim().to_lowercase()).collect();
    for wanted in ["key", "content"] {
        if !names.iter().any(|name| name == wanted) {
            return Err(format!("line 1: expected a column {wanted}"));
        }
    }
    let mut records = Vec::new();
    for (line, cells) in rows {
        let place = format!("line {line}");
        if cells.len() != names.len() {
            return Err(format!("{place}: expected {} cells, found {}", names.len(), cells.len()));
        }
        let mut record = bare(namespace, String::new(), String::new(), None);
        for (name, cell) in names.iter().zip(cells).filter(|(_, cell)| !cell.is_empty()) {
            set(&mut record, name, cell).map_err(|expected| format!("{place}, {name}: expected {expected}"))?;
        }
        records.push((place, record));
    }
    Ok(records)
}

/// Puts a cell where its column's name says; a name of its own is a fact.
fn set(record: &mut Record, name: &str, cell: String) -> Result<(), &'static str> {
    match name {
        "key" => record.key = plain(&cell, 512),
        "content" => record.content = cell.replace('\0', "\u{fffd}"),
        "namespace" => record.namespace = cell,
        "tags" => {
            let tags = cell.split([',', ';']).map(str::trim).filter(|tag| !tag.is_empty());
            record.tags = tags.map(str::to_owned).collect();
        }
        "importance" => record.importance = Some(cell.trim().parse().map_err(|_| "a number from 0 to 1")?),
        "group" => record.group = Some(cell),
        "position" => record.position = Some(cell.trim().parse().map_err(|_| "a whole number")?),
        "expires_at" => {
            record.expires_at = Some(Timestamp::parse(cell.trim()).ok_or("a time such as 2026-11-21T08:30:00Z")?);
        }
        "trust" => record.trust = Some(Trust::parse(cell.trim()).ok_or("user, tool, model or web")?),
        name => _ = record.metadata.insert(name.to_owned(), json!(cell)),
    }
    Ok(())
}

/// The rows, each with the line in which it begins; empty lines are none.
fn rows(text: &str) -> Result<Vec<(usize, Vec<String>)>, String> {
    let (mut rows, mut cells, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut line, mut began) = (false, 1, 1);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        line += usize::from(c == '\n');
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted || cell.is_empty() => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                end(&mut rows, &mut cells, &mut cell, began);
                began = line;
            }
            c => cell.push(c),
        }
    }
    if quoted {
        return Err(format!("line {began}: expected a quote at the end of a cell"));
    }
    end(&mut rows, &mut cells, &mut cell, began);
    Ok(rows)
}

fn end(rows: &mut Vec<(usize, Vec<String>)>, cells: &mut Vec<String>, cell: &mut String, began: usize) {
    cells.push(std::mem::take(cell));
    let row = std::mem::take(cells);
    if row.len() > 1 || !row[0].is_empty() {
        rows.push((began, row));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_becomes_entries() {
        let text =
            "Key,Content,tags,importance,team\r\na,\"One, \"\"two\"\"\nthree\",\"x; y\",0.9,core\n\nb,Plain,,,\n";
        let records = read(text, "imports/csv").expect("it reads");
        let (place, first) = &records[0];
        assert_eq!(
            (place.as_str(), first.content.as_str(), first.tags.join(",")),
            ("line 2", "One, \"two\"\nthree", "x,y".to_owned())
        );
        assert_eq!((first.importance, first.metadata["team"].clone()), (Some(0.9), json!("core")));
        let (place, second) = &records[1];
        assert_eq!((place.as_str(), second.key.as_str(), second.metadata.len()), ("line 5", "b", 0));
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_line() {
        for (text, expected) in [
            ("", "expected a line of names"),
            ("key,text\n", "line 1: expected a column content"),
            ("key,content\na\n", "line 2: expected 2 cells, found 1"),
            ("key,content,importance\na,b,much\n", "line 2, importance: expected a number"),
            ("key,content\na,\"b\n", "line 2: expected a quote"),
        ] {
            let error = read(text, "x").expect_err("refused");
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
