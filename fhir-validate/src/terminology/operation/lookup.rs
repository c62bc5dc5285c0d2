//! `CodeSystem/$lookup` (<https://hl7.org/fhir/R4/codesystem-operation-lookup.html>).

use fhir_model::{AnyValue, Parameters};

use super::answer::{Answer, of_value};
use super::input::Input;
use super::{Request, with_own_resources};
use crate::terminology::canonical;
use crate::terminology::code_system::CodeSystem;
use crate::terminology::display;
use crate::terminology::issue::{Cause, Issue, Refusal, no_code_system};
use crate::terminology::rule::Rule;

/// Says what a code system has on a code.
///
/// # Errors
/// The code or its system is not given, the code system is not held, or does not have the code.
pub fn lookup(request: &Request<'_>, parameters: &Parameters) -> Result<Parameters, Refusal> {
    let input = Input::new(parameters);
    let library = with_own_resources(&request.library, &input)?;
    let coding = input.coding("coding");
    let code = coding
        .and_then(|c| c.code.as_str())
        .or_else(|| input.text("code"));
    let code =
        code.ok_or_else(|| Refusal::invalid("the code is missing: give 'code' and 'system', or 'coding'"))?;
    let system = coding
        .and_then(|c| c.system.as_str())
        .or_else(|| input.text("system"));
    let (url, in_url) = canonical::split(system.ok_or_else(|| {
        Refusal::invalid("the code system is missing: give 'system' with 'code', or 'coding.system'")
    })?);
    let version = coding.and_then(|c| c.version.as_str());
    let version = version.or_else(|| input.text("version")).or(in_url);
    let unknown = |version: Option<&str>| {
        let version = version.map_or_else(String::new, |v| format!(" version '{v}'"));
        let text = format!("Unknown code '{code}' in the CodeSystem '{url}'{version}");
        Refusal::new(
            Cause::NotFound,
            Issue::error("not-found", "invalid-code", "Unknown_Code_in_Version", text).at("code"),
        )
    };
    let Some(held) = library.code_system(url, version) else {
        return match Rule::of(url).map(|rule| rule.has(code)) {
            Some(Some(true)) => Ok(by_rule(url)),
            Some(Some(false)) => Err(unknown(None)),
            _ => {
                let versions = library.code_system_versions(url);
                let issue = no_code_system(url, version, &versions);
                Err(Refusal::new(Cause::NotFound, issue.at("system")))
            }
        };
    };
    let found = held.find(code);
    let index = found.ok_or_else(|| unknown(held.head.version.as_deref()))?;
    let languages = input.languages(request.accept_language)?;
    let displays = display::displays(Some(&held), Some(index), None);
    let asked: Vec<&str> = input.texts("property").collect();
    let shown = display::best(&displays, &languages);
    Ok(answer(&held, index, shown, &asked))
}

/// All that is known where a rule makes the codes.
fn by_rule(url: &str) -> Parameters {
    let mut answer = Answer::default();
    answer.string("name", url);
    answer.finish()
}

fn answer(held: &CodeSystem, index: u32, display: Option<&str>, asked: &[&str]) -> Parameters {
    let wants = |property: &str| asked.is_empty() || asked.iter().any(|a| *a == property || *a == "*");
    let mut answer = Answer::default();
    answer.string("name", held.head.name.as_deref().unwrap_or(&held.head.url));
    if let Some(version) = &held.head.version {
        answer.string("version", version);
    }
    answer.string("display", display.unwrap_or_else(|| held.code(index)));
    answer.code("code", held.code(index));
    answer.uri("system", &held.head.url);
    answer.boolean("abstract", held.is_abstract(index));
    if let Some(definition) = held.definition(index).filter(|_| wants("definition")) {
        answer.string("definition", definition);
    }
    if wants("designation") || asked.iter().any(|a| a.starts_with("lang.")) {
        designations(&mut answer, held, index, asked);
    }
    properties(&mut answer, held, index, wants);
    answer.finish()
}

fn designations(answer: &mut Answer, held: &CodeSystem, index: u32, asked: &[&str]) {
    let languages: Vec<&str> = asked.iter().filter_map(|a| a.strip_prefix("lang.")).collect();
    for designation in held.designations(index) {
        let wanted = languages.is_empty() || designation.language.is_some_and(|l| languages.contains(&l));
        if !wanted {
            continue;
        }
        let mut parts = Answer::default();
        if let Some(language) = designation.language {
            parts.code("language", language);
        }
        if let Some(use_) = designation.use_ {
            parts.value("use", AnyValue::Coding(Box::new(use_.clone())));
        }
        parts.string("value", designation.value);
        answer.parts("designation", parts);
    }
}

fn properties(answer: &mut Answer, held: &CodeSystem, index: u32, wants: impl Fn(&str) -> bool) {
    let mut add = |code: &str, value: AnyValue, description: Option<&str>| {
        let mut parts = Answer::default();
        parts.code("code", code).value("value", value);
        if let Some(description) = description {
            parts.string("description", description);
        }
        answer.parts("property", parts);
    };
    if wants("inactive") {
        add(
            "inactive",
            AnyValue::Boolean(held.is_inactive(index).into()),
            None,
        );
    }
    for (name, related) in [("parent", held.parents(index)), ("child", held.children(index))] {
        if wants(name) {
            for other in related {
                let code = AnyValue::Code(held.code(*other).into());
                add(name, code, held.display(*other));
            }
        }
    }
    // Links and activity are said above, whatever properties say them.
    let own = held
        .values(index)
        .filter(|(code, _)| !matches!(*code, "parent" | "child" | "inactive"));
    for (code, value) in own.filter(|(code, _)| wants(code)) {
        add(code, of_value(value), None);
    }
}
