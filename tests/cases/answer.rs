//! What a case expects, and how an answer differs from it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::server::BASE;
use crate::table::Case;

/// What must come back; what is left out is not looked at, but for the total and for outcomes, which must never surprise.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    /// Matches of the first page as `Type/id`, in order.
    #[serde(default)]
    ids: Option<Vec<String>>,
    /// The order of `ids` does not count.
    #[serde(default)]
    any_order: bool,
    /// Matches of each page, in order, to the last one.
    #[serde(default)]
    pages: Option<Vec<Vec<String>>>,
    /// Entries that were included, in any order; none where it is left out.
    #[serde(default)]
    includes: Vec<String>,
    /// `Bundle.total`: a number or `"absent"`. Without it the number of `ids`, unless the query has `_count` or `_total`.
    #[serde(default)]
    total: Option<Value>,
    /// The self link below the base, read as people do (not escaped).
    #[serde(default, rename = "self")]
    self_link: Option<String>,
    /// 200 where it is left out.
    #[serde(default)]
    status: Option<u16>,
    /// What the OperationOutcome must say, each somewhere. Where it is left out, a 200 has none.
    #[serde(default)]
    outcome: Vec<String>,
    /// For some resources, by `Type/id`, the names of exactly the members that they have.
    #[serde(default)]
    members: BTreeMap<String, BTreeSet<String>>,
    /// Entries of a history as `METHOD Type/id/_history/version`, in order.
    #[serde(default)]
    history: Option<Vec<String>>,
    /// Values of the body by JSON Pointer; null where there is none.
    #[serde(default)]
    values: BTreeMap<String, Value>,
    /// Headers of the answer, by name.
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

/// An answer, its body read.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

impl Answer {
    fn entries<'a>(&'a self, mode: &'a str) -> impl Iterator<Item = &'a Value> {
        let entries = self.body["entry"].as_array().map_or(&[][..], Vec::as_slice);
        entries.iter().filter(move |e| e["search"]["mode"] == mode)
    }

    /// `Type/id` of the entries of that mode; of what is contained `Type/id in Type/id`.
    fn found(&self, mode: &str) -> Vec<String> {
        let of = |entry: &Value| {
            let resource = &entry["resource"];
            let part = |name: &str| resource[name].as_str().unwrap_or("?").to_owned();
            let name = format!("{}/{}", part("resourceType"), part("id"));
            let own = format!("#{}", part("id"));
            let below = entry["fullUrl"]
                .as_str()
                .and_then(|url| url.strip_prefix(BASE)?.strip_prefix('/'));
            match below {
                Some(url) if url == name => name,
                Some(url) if url.ends_with(&own) => format!("{name} in {}", url.trim_end_matches(&own)),
                _ => format!("{name} at {}", entry["fullUrl"]),
            }
        };
        self.entries(mode).map(of).collect()
    }

    /// `METHOD Type/id/_history/version` of the entries of a history.
    fn versions(&self) -> Vec<String> {
        let entries = self.body["entry"].as_array().map_or(&[][..], Vec::as_slice);
        let of_versions = entries
            .iter()
            .filter(|e| e["resource"]["resourceType"] != "OperationOutcome");
        let of = |entry: &Value| {
            let url = text(&entry["fullUrl"]);
            let key = url.strip_prefix(BASE).unwrap_or(url).trim_start_matches('/');
            let tag = text(&entry["response"]["etag"]);
            let version = tag.trim_start_matches("W/").trim_matches('"');
            format!("{} {key}/_history/{version}", text(&entry["request"]["method"]))
        };
        of_versions.map(of).collect()
    }

    /// The link of that relation.
    pub(crate) fn link(&self, relation: &str) -> Option<&str> {
        let links = self.body["link"].as_array()?;
        links.iter().find(|l| l["relation"] == relation)?["url"].as_str()
    }

    /// The texts of all issues of all outcomes.
    fn outcome(&self) -> String {
        if self.body["resourceType"] == "OperationOutcome" {
            return self.body["issue"].to_string();
        }
        // In a history it has no mode.
        let entries = self.body["entry"].as_array().map_or(&[][..], Vec::as_slice);
        let texts = entries
            .iter()
            .filter(|e| e["search"]["mode"] == "outcome" || self.body["type"] == "history")
            .filter(|e| e["resource"]["resourceType"] == "OperationOutcome")
            .map(|e| e["resource"]["issue"].to_string());
        texts.collect::<Vec<_>>().join(" ")
    }
}

impl Expect {
    /// Whether anything at all is expected.
    pub(crate) fn tests_something(&self) -> bool {
        self.ids.is_some()
            || self.pages.is_some()
            || self.total.is_some()
            || self.self_link.is_some()
            || self.history.is_some()
            || !self.values.is_empty()
            || self.status.is_some_and(|status| status != 200)
    }

    /// Whether all pages are asked for.
    pub(crate) fn wants_pages(&self) -> bool {
        self.pages.is_some()
    }

    /// In what the answer differs, a sentence each.
    pub(crate) fn differences(&self, case: &Case, pages: &[Answer]) -> Vec<String> {
        let mut found = Differences::default();
        let Some(first) = pages.first() else {
            return vec!["no answer".into()];
        };
        let status = self.status.unwrap_or(200);
        if first.status != status {
            let told = if first.status >= 400 {
                first.outcome()
            } else {
                first.found("match").join(" ")
            };
            return vec![format!("expected status {status}, got {}: {told}", first.status)];
        }
        self.compare_outcome(first, &mut found);
        for (name, expected) in &self.headers {
            found.differ(name, &Some(expected), &first.headers.get(name));
        }
        for (pointer, expected) in &self.values {
            let got = first.body.pointer(pointer).unwrap_or(&Value::Null);
            found.differ(pointer, &expected, &got);
        }
        if let Some(expected) = &self.history {
            found.differ("history", expected, &first.versions());
        }
        if status >= 400 {
            return found.0;
        }
        self.compare_matches(pages, &mut found);
        let sorted = |mut names: Vec<String>| {
            names.sort();
            names
        };
        found.differ(
            "includes",
            &sorted(self.includes.clone()),
            &sorted(first.found("include")),
        );
        self.compare_total(case, first, &mut found);
        if let Some(expected) = &self.self_link {
            let link = first.link("self").unwrap_or("none");
            let got = readable(link.strip_prefix(BASE).unwrap_or(link));
            found.differ("self", expected, &got.trim_start_matches('/').to_owned());
        }
        for (name, members) in &self.members {
            let got = first
                .entries("match")
                .chain(first.entries("include"))
                .map(|e| &e["resource"])
                .find(|r| format!("{}/{}", text(&r["resourceType"]), text(&r["id"])) == *name)
                .and_then(Value::as_object)
                .map(|object| object.keys().cloned().collect::<BTreeSet<String>>());
            found.differ(&format!("members of {name}"), &Some(members.clone()), &got);
        }
        found.0
    }

    fn compare_outcome(&self, answer: &Answer, found: &mut Differences) {
        let told = answer.outcome();
        if answer.status >= 400 && answer.body["resourceType"] != "OperationOutcome" {
            found
                .0
                .push(format!("no OperationOutcome comes with status {}", answer.status));
        }
        if self.outcome.is_empty() && answer.status < 400 && !told.is_empty() {
            found.0.push(format!("an outcome nobody expected: {told}"));
        }
        for part in &self.outcome {
            if !told.contains(part.as_str()) {
                found.0.push(format!("the outcome does not say {part:?}: {told}"));
            }
        }
    }

    fn compare_matches(&self, pages: &[Answer], found: &mut Differences) {
        if let (Some(expected), Some(first)) = (&self.ids, pages.first()) {
            let (mut expected, mut got) = (expected.clone(), first.found("match"));
            if self.any_order {
                expected.sort();
                got.sort();
            }
            found.differ("ids", &expected, &got);
        }
        if let Some(expected) = &self.pages {
            let got: Vec<Vec<String>> = pages.iter().map(|page| page.found("match")).collect();
            found.differ("pages", expected, &got);
        }
    }

    fn compare_total(&self, case: &Case, answer: &Answer, found: &mut Differences) {
        let asked = format!("{}&{}", case.query, case.form.as_deref().unwrap_or_default());
        let expected = match (&self.total, &self.ids) {
            (Some(total), _) => total.clone(),
            (None, Some(ids)) if !asked.contains("_count=") && !asked.contains("_total=") => ids.len().into(),
            _ => return,
        };
        let got = answer.body.get("total").cloned().unwrap_or("absent".into());
        found.differ("total", &expected, &got);
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn differ<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, expected: &T, got: &T) {
        if expected != got {
            self.0.push(format!("{what}: expected {expected:?}, got {got:?}"));
        }
    }
}

/// A URL's text without escapes.
fn readable(url: &str) -> String {
    let mut out = Vec::new();
    let mut rest = url.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16)).unwrap_or(0);
                let value = digit() * 16 + digit();
                out.extend(u8::try_from(value));
            }
            b'+' => out.push(b' '),
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
