//! `/memory/import` and `/memory/export`: entries as lines of JSON or as an archive of Markdown files, as they come and go.

use std::collections::VecDeque;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Params;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal, bare};
use crate::memory::file::{Archive, Lines, Record};
use crate::memory::{self, Filter, Imported};
use crate::model::{ApiError, PageRequest};
use crate::runtime::{Ctx, Runtime};

/// The longest line that is read: an entry of the largest size, with everything escaped.
const MOST_LINE_BYTES: usize = 8 << 20;
/// The longest body that is read: 512 MiB.
const MOST_BYTES: usize = 512 << 20;
/// Refused lines that are named.
const MOST_NAMED: usize = 1_000;
/// Entries that are read at once.
const PART: u32 = 50;
/// The media types of lines of JSON.
const LINES: [&str; 3] = ["application/x-ndjson", "application/ndjson", "application/jsonl"];

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(import_entries)).routes(routes!(export_memory))
}

/// Where entries go.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// Put everything below this namespace; absent: each entry where its line says.
    #[serde(default)]
    into: String,
}

/// What became of the lines.
#[derive(Debug, Default, Serialize, ToSchema)]
struct ImportReport {
    /// New entries.
    imported: u64,
    /// Entries with a new version.
    updated: u64,
    /// Entries that were as their lines say.
    unchanged: u64,
    /// Lines that were left out; the first 1,000.
    refused: Vec<RefusedLine>,
    /// Lines that were left out and are not named.
    more_refused: u64,
}

/// A line that was left out.
#[derive(Debug, Serialize, ToSchema)]
struct RefusedLine {
    /// 1 is the first.
    line: u64,
    /// Why, in words.
    reason: String,
}

/// Reads entries, one a line, as they come, at most 512 MiB. What is as its line says stays untouched, so the same can be sent again. A
/// line that does not fit is left out and named; the others are taken.
#[utoipa::path(post, path = "/memory/import", tag = "memory", params(ImportQuery),
    request_body(content = String, content_type = "application/x-ndjson", description = "one entry a line, as the export gives them"),
    responses(
    (status = 200, description = "what became of the lines", body = ImportReport),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 413, description = "the body or a line is too large; what was read before is kept", body = Problem),
    (status = 415, description = "not application/x-ndjson", body = Problem),
    (status = 422, description = "the parameter does not fit, or the body broke off", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn import_entries(
    Caller(ctx): Caller,
    Params(query): Params<ImportQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    ctx.authorize(crate::model::auth::Action::WriteMemory).map_err(memory::Error::from)?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !LINES.iter().any(|lines| media_type.eq_ignore_ascii_case(lines)) {
        let detail = "expected a body of application/x-ndjson";
        return Ok(bare(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported media type", detail.to_owned()));
    }
    if !query.into.is_empty() {
        memory::check_namespace(&query.into).map_err(|field| ApiError::invalid("into", field.message))?;
    }
    let mut report = ImportReport::default();
    let (mut lines, mut read, mut number) = (Lines::default(), 0, 0);
    let mut parts = body.into_data_stream();
    loop {
        let part = parts.next().await.transpose().map_err(|_| ApiError::invalid("", "expected the whole body"))?;
        let is_last = part.is_none();
        let part = part.unwrap_or_default();
        read += part.len();
        if read > MOST_BYTES {
            return Err(too_large(format!("the body: expected at most {MOST_BYTES} bytes")).into());
        }
        lines.feed(&part, is_last);
        while let Some(line) = lines.take_line() {
            number += 1;
            take(&ctx, &query.into, number, &line, &mut report).await?;
        }
        if lines.waiting() > MOST_LINE_BYTES {
            return Err(too_large(format!("line {}: expected at most {MOST_LINE_BYTES} bytes", number + 1)).into());
        }
        if is_last {
            return Ok(Json(report).into_response());
        }
    }
}

fn too_large(detail: String) -> ApiError {
    ApiError::TooLarge { detail }
}

/// Takes a line, or names why not. What is wrong with the line ends nothing; a failure of ours does.
async fn take(ctx: &Ctx, into: &str, line: u64, text: &[u8], report: &mut ImportReport) -> Result<(), Refusal> {
    if text.iter().all(u8::is_ascii_whitespace) {
        return Ok(());
    }
    let reason = match serde_json::from_slice::<Record>(text) {
        Err(error) => error.to_string(),
        Ok(mut record) => {
            if !into.is_empty() {
                let whole = [into, &record.namespace].join("/");
                whole.trim_end_matches('/').clone_into(&mut record.namespace);
            }
            match memory::import_record(ctx, &record).await {
                Ok((Imported::New, _)) => {
                    report.imported += 1;
                    return Ok(());
                }
                Ok((Imported::Updated, _)) => {
                    report.updated += 1;
                    return Ok(());
                }
                Ok((Imported::Unchanged, _)) => {
                    report.unchanged += 1;
                    return Ok(());
                }
                Err(error @ (memory::Error::Db(_) | memory::Error::Index | memory::Error::Denied(_))) => {
                    return Err(error.into());
                }
                Err(error) => error.to_string(),
            }
        }
    };
    if report.refused.len() < MOST_NAMED {
        report.refused.push(RefusedLine { line, reason });
    } else {
        report.more_refused += 1;
    }
    Ok(())
}

/// Which entries, and how they are written.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// This namespace and all below it; absent means all.
    #[serde(default)]
    namespace: String,
    /// `jsonl`: one entry a line; `markdown`: a tar archive with one file an entry, its namespace as folders.
    #[serde(default)]
    #[param(inline)]
    format: ExportFormat,
}

/// How entries are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ExportFormat {
    #[default]
    Jsonl,
    Markdown,
}

/// Gives the entries of a namespace and all below it, as `weft memory import` and the import here read them, while they are read: changed
/// last first, without what is in quarantine. A file that breaks off was not read to its end.
#[utoipa::path(get, path = "/memory/export", tag = "memory", params(ExportQuery), responses(
    (status = 200, description = "the entries", content((String = "application/x-ndjson"), (String = "application/x-tar"))),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn export_memory(Caller(ctx): Caller, Params(query): Params<ExportQuery>) -> Result<Response, Refusal> {
    let filter = Filter { namespace: query.namespace, ..Filter::default() };
    // What can't be read is refused before anything is sent.
    let first = memory::list(&ctx, &filter, &PageRequest { limit: PART, cursor: None }).await?;
    let (media_type, name) = match query.format {
        ExportFormat::Jsonl => ("application/x-ndjson", "memory.jsonl"),
        ExportFormat::Markdown => ("application/x-tar", "memory.tar"),
    };
    let state =
        Export { ctx, filter, format: query.format, waiting: VecDeque::new(), next: first.next, is_over: false };
    let state = state.with(first.items.into_iter().map(Record::from));
    let body = Body::from_stream(stream::try_unfold(state, go_on));
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .unwrap_or(HeaderValue::from_static("attachment"));
    let headers =
        [(header::CONTENT_TYPE, HeaderValue::from_static(media_type)), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, body).into_response())
}

/// An export on its way.
struct Export {
    ctx: Ctx,
    filter: Filter,
    format: ExportFormat,
    /// What is read and not sent.
    waiting: VecDeque<Bytes>,
    /// The cursor of the next page.
    next: Option<String>,
    is_over: bool,
}

impl Export {
    fn with(mut self, records: impl Iterator<Item = Record>) -> Self {
        for record in records {
            self.waiting.push_back(match self.format {
                ExportFormat::Jsonl => record.to_line(),
                ExportFormat::Markdown => Archive::file(&record.path().join("/"), record.to_markdown().as_bytes()),
            });
        }
        self
    }
}

/// The next part; it is read when the one before was taken.
async fn go_on(mut export: Export) -> Result<Option<(Bytes, Export)>, memory::Error> {
    loop {
        if let Some(bytes) = export.waiting.pop_front() {
            return Ok(Some((bytes, export)));
        }
        match export.next.take() {
            Some(cursor) => {
                let request = PageRequest { limit: PART, cursor: Some(cursor) };
                let page = memory::list(&export.ctx, &export.filter, &request).await?;
                export.next = page.next;
                export = export.with(page.items.into_iter().map(Record::from));
            }
            None if export.is_over => return Ok(None),
            None => {
                export.is_over = true;
                if export.format == ExportFormat::Markdown {
                    export.waiting.push_back(Archive::end());
                }
            }
        }
    }
}
