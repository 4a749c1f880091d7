//! A file of items, read part by part: JSON Lines, CSV (RFC 4180), or lines of text.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::model::workflow::StepError;

/// Items of one page.
const MOST_ITEMS: usize = 500;
/// Bytes of one page, but for its last item.
const PAGE_BYTES: u64 = 256 * 1024;
/// Bytes of one item.
const MOST_BYTES: u64 = 1024 * 1024;

/// Where to go on in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Cursor {
    /// In bytes.
    offset: u64,
    /// Lines that were read, for people.
    line: u64,
    /// The names of the columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    columns: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Format {
    Json,
    Csv,
    Lines,
}

/// Reads the items from the cursor on; null comes in place of the next cursor when the file ends.
///
/// # Errors
/// `data` for what is no item, `not_found` when the file went away or was cut.
pub fn read(path: &Path, cursor: &Value) -> Result<(Vec<Value>, Value), StepError> {
    let mut cursor: Cursor = match cursor {
        Value::Null => Cursor::default(),
        cursor => Cursor::deserialize(cursor).map_err(|error| StepError::permanent("data", error.to_string()))?,
    };
    let gone = |error: std::io::Error| StepError::transient("not_found", format!("the file can't be read: {error}"));
    let mut file = File::open(path).map_err(gone)?;
    if file.metadata().map_err(gone)?.len() < cursor.offset {
        return Err(StepError::permanent("not_found", "the file was cut while it was read"));
    }
    file.seek(SeekFrom::Start(cursor.offset)).map_err(gone)?;
    let format = match path.extension().and_then(|extension| extension.to_str()) {
        Some("jsonl" | "ndjson" | "json") => Format::Json,
        Some("csv") => Format::Csv,
        _ => Format::Lines,
    };
    let mut reader = BufReader::new(file);
    let (start, mut items) = (cursor.offset, Vec::new());
    while items.len() < MOST_ITEMS && cursor.offset - start < PAGE_BYTES {
        let Some(record) = next_record(&mut reader, &mut cursor, format == Format::Csv)? else {
            return Ok((items, Value::Null));
        };
        items.extend(item(format, &record, &mut cursor)?);
    }
    Ok((items, json!(cursor)))
}

/// A line; of CSV with all that stands in quotes.
fn next_record(reader: &mut impl BufRead, cursor: &mut Cursor, quoted: bool) -> Result<Option<String>, StepError> {
    let (mut record, mut is_open) = (Vec::new(), false);
    loop {
        let left = MOST_BYTES - record.len() as u64;
        let read = reader.by_ref().take(left).read_until(b'\n', &mut record);
        let read = read.map_err(|error| StepError::transient("not_found", error.to_string()))?;
        let is_whole = record.ends_with(b"\n");
        if !is_whole && record.len() as u64 >= MOST_BYTES {
            return Err(wrong(cursor, "an item of more than 1 MiB"));
        }
        cursor.offset += read as u64;
        cursor.line += u64::from(read > 0);
        // Of what is new: a quote that never ends would have all of it looked at again with each line.
        let is_odd = record[record.len() - read..].iter().fold(false, |is_odd, byte| is_odd ^ (*byte == b'"'));
        is_open ^= quoted && is_odd;
        if read == 0 && is_open {
            return Err(wrong(cursor, "a quote without an end"));
        }
        if read == 0 || !is_open {
            break;
        }
    }
    if record.is_empty() {
        return Ok(None);
    }
    let text = String::from_utf8(record).map_err(|_| wrong(cursor, "bytes that are no UTF-8"))?;
    // A mark of the byte order is no part of the first item.
    Ok(Some(text.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r']).to_owned()))
}

fn item(format: Format, record: &str, cursor: &mut Cursor) -> Result<Option<Value>, StepError> {
    if record.trim().is_empty() {
        return Ok(None);
    }
    match format {
        Format::Lines => Ok(Some(record.into())),
        Format::Json => match serde_json::from_str(record) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(wrong(cursor, &format!("what is no JSON value: {error}"))),
        },
        Format::Csv => {
            let cells = cells(record).ok_or_else(|| wrong(cursor, "a quote in the middle of a cell"))?;
            if cursor.columns.is_empty() {
                cursor.columns = cells;
                return Ok(None);
            }
            if cells.len() != cursor.columns.len() {
                let found = format!("{} cells for {} columns", cells.len(), cursor.columns.len());
                return Err(wrong(cursor, &found));
            }
            let row = cursor.columns.iter().cloned().zip(cells.into_iter().map(Value::from));
            Ok(Some(Value::Object(row.collect::<Map<_, _>>())))
        }
    }
}

fn wrong(cursor: &Cursor, found: &str) -> StepError {
    StepError::permanent("data", format!("the file has {found}, in line {}", cursor.line))
}

/// The cells of a row; `None` when a quote stands where none may.
fn cells(row: &str) -> Option<Vec<String>> {
    let (mut cells, mut rest) = (Vec::new(), row);
    loop {
        let (cell, after) = match rest.strip_prefix('"') {
            None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
            Some(quoted) => {
                let mut end = quoted.find('"')?;
                while quoted[end + 1..].starts_with('"') {
                    end += 2 + quoted[end + 2..].find('"')?;
                }
                (&quoted[..end], &quoted[end + 1..])
            }
        };
        cells.push(if rest.starts_with('"') { cell.replace("\"\"", "\"") } else { cell.to_owned() });
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Some(cells),
            None => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(name: &str, text: &str) -> Result<Vec<Value>, StepError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        let (mut all, mut cursor) = (Vec::new(), Value::Null);
        loop {
            let (items, next) = read(&path, &cursor)?;
            all.extend(items);
            if next.is_null() {
                return Ok(all);
            }
            cursor = next;
        }
    }

    #[test]
    fn each_line_of_json_is_an_item() {
        assert_eq!(all("a.jsonl", "1\n\n{\"b\": 2}"), Ok(vec![json!(1), json!({"b": 2})]));
        let error = all("a.jsonl", "1\n{").expect_err("no JSON");
        assert!(error.message.contains("line 2"), "{error:?}");
    }

    #[test]
    fn rows_have_the_names_of_the_columns() {
        let text = "\u{feff}id,note\r\n1,\"says \"\"hi\"\",\nthen goes\"\r\n2,\r\n";
        let rows = vec![json!({"id": "1", "note": "says \"hi\",\nthen goes"}), json!({"id": "2", "note": ""})];
        assert_eq!(all("a.csv", text), Ok(rows));
        assert!(all("a.csv", "id,note\n1").is_err_and(|error| error.message.contains("1 cells for 2 columns")));
        assert!(all("a.csv", "id\n\"open\n").is_err_and(|error| error.message.contains("a quote without an end")));
        assert!(all("a.csv", "id\n\"a\"b\n").is_err());
    }

    #[test]
    fn a_long_file_comes_in_pages_without_gaps() {
        let text = (0..1234).map(|n| n.to_string()).collect::<Vec<_>>().join("\n") + "\n";
        let items = all("a.txt", &text).expect("reads");
        assert_eq!(items, (0..1234).map(|n| json!(n.to_string())).collect::<Vec<_>>());
    }
}
