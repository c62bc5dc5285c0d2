//! Markdown, the error catalogue and the index for search as HTML and JSON.
//!
//! Invariant: what does not come from the project's own Markdown stands in a page escaped.

use std::borrow::Cow;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};
use serde_json::json;

use super::pages::{PAGES, Page, Source};
use crate::catalogue::Entry;

/// A whole page around what stands in `main`.
pub(super) fn page(page: &Page, main: &str) -> String {
    let menu: String = PAGES
        .iter()
        .map(|one| {
            let current = if one.path == page.path {
                " aria-current=\"page\""
            } else {
                ""
            };
            let path = if one.path.is_empty() { "./" } else { one.path };
            format!("<li><a href=\"{path}\"{current}>{}</a></li>", one.title)
        })
        .collect();
    let script = page
        .script
        .map(|name| format!("<script type=\"module\" src=\"{name}\"></script>"))
        .unwrap_or_default();
    include_str!("page.html")
        .replace("{{title}}", page.title)
        .replace("{{menu}}", &menu)
        .replace("{{script}}", &script)
        .replace("{{main}}", main)
}

/// The Markdown of a page that has any.
pub(super) fn markdown(page: &Page) -> Option<Cow<'static, str>> {
    match page.source {
        Source::Markdown(text) => Some(text.into()),
        // What cannot be made is a fault of the build, which tests find; the other pages are there all the same.
        Source::Made(make) => make().ok().map(Cow::from),
        Source::Html(_) | Source::Catalogue => None,
    }
}

/// Markdown as HTML; each heading has an id, so that it can be linked, and tables and code can be scrolled by keyboard.
pub(super) fn article(text: &str) -> String {
    let mut events: Vec<Event<'_>> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
    let mut open = None;
    for at in 0..events.len() {
        match events.get(at) {
            Some(Event::Start(Tag::Heading { .. })) => open = Some(at),
            Some(Event::End(TagEnd::Heading(_))) => {
                let Some(from) = open.take() else { continue };
                let name = slug(&words(events.get(from..at).unwrap_or_default()));
                if let Some(Event::Start(Tag::Heading { id, .. })) = events.get_mut(from) {
                    *id = Some(CowStr::from(name));
                }
            }
            _ => {}
        }
    }
    for event in &mut events {
        if let Event::Start(Tag::Link { dest_url, .. }) = event {
            *dest_url = link(dest_url).into();
        }
    }
    let mut out = String::new();
    html::push_html(&mut out, events.into_iter());
    let out = out
        .replace(
            "<table>",
            "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Table\"><table>",
        )
        .replace("</table>", "</table></div>")
        .replace("<th></th>", "<td></td>")
        .replace("<pre>", "<pre tabindex=\"0\">");
    format!("<article>{out}</article>")
}

/// A link of a document in the repository as one of the site.
fn link(target: &str) -> String {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let name = path.rsplit('/').next().and_then(|file| file.strip_suffix(".md"));
    match name.filter(|name| PAGES.iter().any(|page| page.path == *name)) {
        Some(name) if anchor.is_empty() => name.to_owned(),
        Some(name) => format!("{name}#{anchor}"),
        None => target.to_owned(),
    }
}

fn words(events: &[Event<'_>]) -> String {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
            _ => None,
        })
        .collect()
}

/// The id of a heading.
fn slug(words: &str) -> String {
    let parts: Vec<String> = words
        .split(|c: char| !c.is_alphanumeric())
        .filter(|part| !part.is_empty())
        .map(str::to_lowercase)
        .collect();
    parts.join("-")
}

/// What search looks through: each part of each page with its heading.
pub(super) fn index() -> String {
    let mut parts = Vec::new();
    for page in PAGES {
        let Some(text) = markdown(page) else {
            parts.push(
                json!({ "page": page.path, "title": page.title, "heading": page.title, "text": page.title }),
            );
            continue;
        };
        let (mut heading, mut body, mut inside) = (String::new(), String::new(), false);
        for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { .. }) => {
                    parts.push(part(page, &heading, &body));
                    (heading, body, inside) = (String::new(), String::new(), true);
                }
                Event::End(TagEnd::Heading(_)) => inside = false,
                Event::Text(text) | Event::Code(text) => {
                    let to = if inside { &mut heading } else { &mut body };
                    to.push_str(&text);
                }
                Event::SoftBreak | Event::HardBreak | Event::End(_) => body.push(' '),
                _ => {}
            }
        }
        parts.push(part(page, &heading, &body));
    }
    parts.retain(|part| part["text"] != "" || part["heading"] != "");
    serde_json::Value::from(parts).to_string()
}

fn part(page: &Page, heading: &str, body: &str) -> serde_json::Value {
    let anchor = slug(heading);
    json!({ "page": page.path, "title": page.title, "heading": heading, "anchor": anchor, "text": body.trim() })
}

/// The page of the error catalogue; the id of an entry is its anchor.
pub(super) fn catalogue(entries: &[Entry]) -> String {
    let list: String = entries
        .iter()
        .map(|entry| {
            let place = entry
                .expression
                .map(|place| format!(" at <code>{}</code>", escaped(place)))
                .unwrap_or_default();
            format!(
                "<section id=\"{id}\"><h2>{title}</h2><p class=\"tags\"><b>{status}</b> <code>{issue}</code> <code>{code}</code></p>\
                 <dl><dt>Cause</dt><dd>{cause}</dd><dt>Cure</dt><dd>{cure}</dd>\
                 <dt>For example</dt><dd>{message}{place}</dd></dl></section>",
                id = escaped(entry.id),
                title = escaped(entry.title),
                status = entry.status,
                issue = escaped(entry.issue),
                code = escaped(entry.code),
                cause = marked(entry.cause),
                cure = marked(entry.cure),
                message = marked(entry.message),
            )
        })
        .collect();
    format!(
        "<article><h1>Errors</h1><p>Every error is an OperationOutcome whose issues name the place, the value and the cure, and link \
         here. The same list for programs: <a href=\"errors.json\">errors.json</a>.</p>{list}</article>"
    )
}

/// Escaped, with what stands between backticks as code.
fn marked(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        match at % 2 {
            0 => out.push_str(&escaped(part)),
            _ => out.push_str(&format!("<code>{}</code>", escaped(part))),
        }
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_can_be_linked_and_documents_link_to_pages() {
        let html = article("# Who *sees* `what`\n\n[a](../docs/audit.md#x) [b](https://hl7.org/fhir)\n");
        assert!(html.contains("<h1 id=\"who-sees-what\">"), "{html}");
        assert!(html.contains("href=\"audit#x\""), "{html}");
        assert!(html.contains("href=\"https://hl7.org/fhir\""), "{html}");
    }

    #[test]
    fn a_message_with_markup_is_shown_not_obeyed() {
        assert_eq!(
            marked("`<b>` & \"x\""),
            "<code>&lt;b&gt;</code> &amp; &quot;x&quot;"
        );
    }
}
