//! Scenarios of the first-class endpoints: what to send to the sandbox, and what it answers. `scenarios.json` has them by `operationId`;
//! the document holds them as `x-scenarios` and in the words of each operation, the site as a page.
//!
//! A row has `scenario` (words), `request` (`method`, `path` below the FHIR base, and where they are sent `as` for whose token, with scopes
//! after the name, `headers` and `body`), `answer` (`status`, `words`, and what it holds at least: `headers`, `body`) and, where something has
//! to happen before, `after`: requests.
//!
//! Invariant: a test sends every row to a sandbox and holds the answer against it.

use fhir_validate::schema::Json;

use crate::error::{Error, Result};

const SCENARIOS: &str = include_str!("scenarios.json");

/// Where they stand in an operation.
const KEY: &str = "x-scenarios";

fn all() -> Result<Json> {
    serde_json::from_str(SCENARIOS).map_err(Error::internal)
}

/// Puts the scenarios into the operations of the document.
pub(super) fn tell(document: &mut Json) -> Result<()> {
    let all = all()?;
    let Some(Json::Object(paths)) = document.get_mut("paths") else {
        return Ok(());
    };
    for (_, item) in paths {
        let Json::Object(operations) = item else { continue };
        for (_, operation) in operations {
            let id = operation.get("operationId").and_then(Json::as_str);
            let Some(rows) = id.and_then(|id| all.get(id)) else {
                continue;
            };
            let words = operation.get("description").and_then(Json::as_str);
            let words = format!(
                "{}\n\n**Scenarios** of the sandbox:\n\n{}\nThe sandbox answers each of them so.",
                words.unwrap_or_default(),
                table(rows)
            );
            operation.set("description", words);
            operation.set(KEY, rows.clone());
        }
    }
    Ok(())
}

/// Every table, as Markdown.
///
/// # Errors
/// A fault of the build: the scenarios in it cannot be read.
pub fn page() -> Result<String> {
    let mut text = include_str!("scenarios.md").to_owned();
    for (id, rows) in all()?.members() {
        let at = id.find(char::is_uppercase).unwrap_or_default();
        let (interaction, resource_type) = id.split_at(at);
        text.push_str(&format!(
            "\n## {resource_type}: {interaction}\n\n[Try it](reference#{id})\n\n{}",
            table(rows)
        ));
    }
    Ok(text)
}

fn table(rows: &Json) -> String {
    let mut table = "| scenario | request | answer |\n|---|---|---|\n".to_owned();
    for row in rows.items() {
        let words = |name: &str| row.get(name).and_then(Json::as_str).unwrap_or_default();
        let after: String = row
            .get("after")
            .map_or(&[][..], Json::items)
            .iter()
            .map(|one| format!(", after {}", request(one)))
            .collect();
        let sent = row.get("request").map(request).unwrap_or_default();
        let answer = row.get("answer").map(answer).unwrap_or_default();
        table.push_str(&format!("| {} | {sent}{after} | {answer} |\n", words("scenario")));
    }
    table
}

fn request(request: &Json) -> String {
    let text = |name: &str| request.get(name).and_then(Json::as_str);
    let mut told = format!(
        "`{} {}`",
        text("method").unwrap_or_default(),
        text("path").unwrap_or_default()
    );
    if let Some(person) = text("as") {
        let (person, scope) = person.split_once(' ').unwrap_or((person, ""));
        told.push_str(&format!(" with a token of `{person}`"));
        if !scope.is_empty() {
            told.push_str(&format!(" for `{scope}`"));
        }
    }
    for (name, value) in request.get("headers").map_or(&[][..], Json::members) {
        told.push_str(&format!(" with `{name}: {}`", value.as_str().unwrap_or_default()));
    }
    if let Some(body) = request.get("body") {
        told.push_str(&format!(
            " and the body `{}`",
            body.text().split_whitespace().collect::<Vec<_>>().join(" ")
        ));
    }
    told
}

fn answer(answer: &Json) -> String {
    let status = match answer.get("status") {
        Some(Json::Number(status)) => status.to_string(),
        _ => String::new(),
    };
    let words = answer.get("words").and_then(Json::as_str).unwrap_or_default();
    let issue = answer
        .get("body")
        .and_then(|body| body.get("issue"))
        .and_then(|issues| issues.items().first());
    let of_issue = |name: &str| issue.and_then(|issue| issue.get(name));
    let code = of_issue("code")
        .and_then(Json::as_str)
        .map(|code| format!(" `{code}`"));
    let place = of_issue("expression")
        .and_then(|all| all.items().first())
        .and_then(Json::as_str);
    let place = place.map(|place| format!(" at `{place}`"));
    format!(
        "**{status}**{}{}: {words}",
        code.unwrap_or_default(),
        place.unwrap_or_default()
    )
}
