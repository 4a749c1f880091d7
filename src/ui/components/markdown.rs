//! Markdown as views: the parser's events become elements, never HTML text.
//!
//! HTML in the source is shown as the text it is, images become links (nothing is fetched from elsewhere by reading), and
//! only links that stay here or go to the web are links.

use leptos::prelude::*;
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::{CopyButton, DiffLines};

/// Elements within elements that are drawn; deeper ones are flattened into their parent.
const DEEPEST: usize = 32;

/// A text in Markdown (CommonMark, with tables, strike-through and task lists). Its first heading level is an `h2`.
#[component]
pub fn Markdown(#[prop(into)] text: Signal<String>) -> impl IntoView {
    view! { <div class="prose">{move || text.with(|text| draw(parse(text)))}</div> }
}

/// What an element is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Paragraph,
    Heading(u8),
    Quote,
    Code {
        is_diff: bool,
    },
    List,
    OrderedList(u64),
    Item,
    Table,
    Head,
    Row,
    HeadCell,
    Cell,
    Emphasis,
    Strong,
    Struck,
    /// Where it leads, or `None` for a place that is not shown as a link.
    Link(Option<String>),
    /// Draws its content only.
    Plain,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Element(Kind, Vec<Piece>),
    Text(String),
    InlineCode(String),
    Break,
    Rule,
    Task(bool),
}

/// Reads Markdown into pieces. Total: every text is some Markdown.
fn parse(text: &str) -> Vec<Piece> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut open: Vec<(Kind, Vec<Piece>)> = vec![(Kind::Plain, Vec::new())];
    let mut in_head = false;
    for event in Parser::new_ext(text, options) {
        let piece = match event {
            Event::Start(tag) => {
                in_head |= matches!(tag, Tag::TableHead);
                open.push((kind_of(tag, in_head), Vec::new()));
                continue;
            }
            Event::End(tag) => {
                in_head &= tag != TagEnd::TableHead;
                let (kind, pieces) = open.pop().expect("the parser closes what it opens");
                Piece::Element(kind, pieces)
            }
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => Piece::Text(text.into_string()),
            Event::Code(text) => Piece::InlineCode(text.into_string()),
            Event::SoftBreak => Piece::Text(" ".to_owned()),
            Event::HardBreak => Piece::Break,
            Event::Rule => Piece::Rule,
            Event::TaskListMarker(done) => Piece::Task(done),
            Event::FootnoteReference(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                Piece::Text(text.into_string())
            }
        };
        let deep = open.len() > DEEPEST;
        let (_, siblings) = open.last_mut().expect("the root stays open");
        match piece {
            Piece::Element(_, pieces) if deep => siblings.extend(pieces),
            piece => siblings.push(piece),
        }
    }
    open.swap_remove(0).1
}

fn kind_of(tag: Tag<'_>, in_head: bool) -> Kind {
    match tag {
        Tag::Paragraph => Kind::Paragraph,
        Tag::Heading { level, .. } => Kind::Heading(below(level)),
        Tag::BlockQuote(_) => Kind::Quote,
        Tag::CodeBlock(CodeBlockKind::Fenced(language)) => Kind::Code { is_diff: language.as_ref() == "diff" },
        Tag::CodeBlock(CodeBlockKind::Indented) => Kind::Code { is_diff: false },
        Tag::List(None) => Kind::List,
        Tag::List(Some(first)) => Kind::OrderedList(first),
        Tag::Item => Kind::Item,
        Tag::Table(_) => Kind::Table,
        Tag::TableHead => Kind::Head,
        Tag::TableRow => Kind::Row,
        Tag::TableCell => {
            if in_head {
                Kind::HeadCell
            } else {
                Kind::Cell
            }
        }
        Tag::Emphasis => Kind::Emphasis,
        Tag::Strong => Kind::Strong,
        Tag::Strikethrough => Kind::Struck,
        Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => Kind::Link(safe_target(&dest_url)),
        _ => Kind::Plain,
    }
}

/// One level below the page's own title, 2 to 6.
fn below(level: HeadingLevel) -> u8 {
    (level as u8 + 1).min(6)
}

/// Where a link may lead: to the web, or within this site. Everything with another scheme, or with what a browser would
/// read as one, is no link.
fn safe_target(target: &str) -> Option<String> {
    let target = target.trim();
    let lower = target.to_ascii_lowercase();
    let web = lower.starts_with("http://") || lower.starts_with("https://");
    let odd = target.chars().any(|c| c.is_control() || c == '\\');
    let scheme_like = target.split(['/', '?', '#']).next().is_some_and(|head| head.contains(':'));
    let elsewhere = target.starts_with("//");
    (!target.is_empty() && !odd && (web || (!scheme_like && !elsewhere))).then(|| target.to_owned())
}

fn draw(pieces: Vec<Piece>) -> Vec<AnyView> {
    pieces.into_iter().map(draw_one).collect()
}

fn draw_one(piece: Piece) -> AnyView {
    match piece {
        Piece::Text(text) => text.into_any(),
        Piece::InlineCode(text) => view! { <code>{text}</code> }.into_any(),
        Piece::Break => view! { <br /> }.into_any(),
        Piece::Rule => view! { <hr /> }.into_any(),
        Piece::Task(done) => {
            let label = if done { "done" } else { "to do" };
            view! { <input type="checkbox" disabled checked=done aria-label=label />" " }.into_any()
        }
        Piece::Element(kind, pieces) => draw_element(kind, pieces),
    }
}

fn draw_element(kind: Kind, pieces: Vec<Piece>) -> AnyView {
    match kind {
        Kind::Code { is_diff } => draw_code(&pieces, is_diff),
        Kind::Table => draw_table(pieces),
        Kind::Paragraph => view! { <p>{draw(pieces)}</p> }.into_any(),
        Kind::Heading(2) => view! { <h2>{draw(pieces)}</h2> }.into_any(),
        Kind::Heading(3) => view! { <h3>{draw(pieces)}</h3> }.into_any(),
        Kind::Heading(4) => view! { <h4>{draw(pieces)}</h4> }.into_any(),
        Kind::Heading(5) => view! { <h5>{draw(pieces)}</h5> }.into_any(),
        Kind::Heading(_) => view! { <h6>{draw(pieces)}</h6> }.into_any(),
        Kind::Quote => view! { <blockquote>{draw(pieces)}</blockquote> }.into_any(),
        Kind::List => view! { <ul>{draw(pieces)}</ul> }.into_any(),
        Kind::OrderedList(first) => view! { <ol start=first.to_string()>{draw(pieces)}</ol> }.into_any(),
        Kind::Item => view! { <li>{draw(pieces)}</li> }.into_any(),
        Kind::Head | Kind::Row => view! { <tr>{draw(pieces)}</tr> }.into_any(),
        Kind::HeadCell => view! { <th scope="col">{draw(pieces)}</th> }.into_any(),
        Kind::Cell => view! { <td>{draw(pieces)}</td> }.into_any(),
        Kind::Emphasis => view! { <em>{draw(pieces)}</em> }.into_any(),
        Kind::Strong => view! { <strong>{draw(pieces)}</strong> }.into_any(),
        Kind::Struck => view! { <del>{draw(pieces)}</del> }.into_any(),
        Kind::Link(Some(href)) => {
            view! { <a href=href rel="noopener noreferrer nofollow">{draw(pieces)}</a> }.into_any()
        }
        Kind::Link(None) | Kind::Plain => draw(pieces).into_any(),
    }
}

/// A block of code, with its copy button.
fn draw_code(pieces: &[Piece], is_diff: bool) -> AnyView {
    let text: String = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let copied = text.trim_end_matches('\n').to_owned();
    let text = if is_diff { view! { <DiffLines text /> }.into_any() } else { text.into_any() };
    view! {
        <div class="code-box">
            // In a `code` of its own: a browser drops the line break that a `pre` begins with, and would miss the text.
            <pre class="code" class:diff=is_diff tabindex="0"><code>{text}</code></pre>
            <CopyButton text=copied label="Copy the code" />
        </div>
    }
    .into_any()
}

/// A table in a region that scrolls sideways; the head's row apart from the others.
fn draw_table(mut pieces: Vec<Piece>) -> AnyView {
    let body = if pieces.is_empty() { Vec::new() } else { pieces.split_off(1) };
    view! {
        <div class="table-wrap" tabindex="0" role="group" aria-label="Table">
            <table class="table">
                <thead>{draw(pieces)}</thead>
                <tbody>{draw(body)}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Piece {
        Piece::Text(value.to_owned())
    }

    #[test]
    fn only_the_web_and_this_site_are_linked() {
        for good in ["https://a.example/x?y=1", "HTTP://a.example", "/runs/1", "#part", "report.md", "a/b:c"] {
            assert_eq!(safe_target(good).as_deref(), Some(good));
        }
        for bad in [
            "javascript:alert(1)",
            " JavaScript:x",
            "data:text/html,x",
            "//evil.example",
            "java\nscript:x",
            "\\\\evil",
            "vbscript:x",
            "",
        ] {
            assert_eq!(safe_target(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn html_stays_text() {
        let html = "<b onclick=x>hi</b>";
        let Piece::Element(Kind::Paragraph, pieces) = &parse(html)[0] else { panic!("a paragraph") };
        assert_eq!(pieces, &[text("<b onclick=x>"), text("hi"), text("</b>")]);
        assert_eq!(parse("<script>x</script>\n"), [Piece::Element(Kind::Plain, vec![text("<script>x</script>\n")])]);
    }

    #[test]
    fn a_first_heading_stands_below_the_title_of_the_page() {
        assert_eq!(parse("# Report"), [Piece::Element(Kind::Heading(2), vec![text("Report")])]);
        assert_eq!(parse("###### Deep"), [Piece::Element(Kind::Heading(6), vec![text("Deep")])]);
    }

    #[test]
    fn a_table_has_a_head_and_rows() {
        let Piece::Element(Kind::Table, rows) = &parse("|a|b|\n|-|-|\n|1|2|\n")[0] else { panic!("a table") };
        let Piece::Element(Kind::Head, head) = &rows[0] else { panic!("a head") };
        assert_eq!(head[0], Piece::Element(Kind::HeadCell, vec![text("a")]));
        let Piece::Element(Kind::Row, row) = &rows[1] else { panic!("a row") };
        assert_eq!(row[1], Piece::Element(Kind::Cell, vec![text("2")]));
    }

    #[test]
    fn an_image_is_a_link_by_its_description() {
        let Piece::Element(Kind::Paragraph, pieces) = &parse("![a cat](https://a.example/cat.png)")[0] else {
            panic!("a paragraph")
        };
        assert_eq!(
            pieces[0],
            Piece::Element(Kind::Link(Some("https://a.example/cat.png".to_owned())), vec![text("a cat")])
        );
    }

    #[test]
    fn nesting_has_an_end() {
        fn depth(pieces: &[Piece]) -> usize {
            let below = pieces.iter().map(|piece| match piece {
                Piece::Element(_, pieces) => 1 + depth(pieces),
                _ => 0,
            });
            below.max().unwrap_or(0)
        }
        assert!(depth(&parse(&">".repeat(5_000))) <= DEEPEST + 1);
    }
}
