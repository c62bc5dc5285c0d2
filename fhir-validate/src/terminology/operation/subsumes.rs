//! `CodeSystem/$subsumes` (<https://hl7.org/fhir/R4/codesystem-operation-subsumes.html>).

use fhir_model::Parameters;

use super::answer::Answer;
use super::input::Input;
use super::{Request, with_own_code_system, with_own_resources};
use crate::terminology::canonical;
use crate::terminology::code_system::CodeSystem;
use crate::terminology::issue::{Cause, Issue, Refusal, no_code_system};

/// Says whether one code is a kind of another.
///
/// # Errors
/// The codes or their system are not given, the code system is not held, or does not have a code.
pub fn subsumes(request: &Request<'_>, parameters: &Parameters) -> Result<Parameters, Refusal> {
    let input = Input::new(parameters);
    let library = with_own_resources(&request.library, &input)?;
    let (library, own) = with_own_code_system(library, &input)?;
    let (a, b) = (input.coding("codingA"), input.coding("codingB"));
    let system =
        |coding: Option<&'_ fhir_model::Coding>| coding.and_then(|c| c.system.as_str().map(str::to_owned));
    let (of_a, of_b) = (system(a), system(b));
    if let (Some(of_a), Some(of_b)) = (&of_a, &of_b)
        && of_a != of_b
    {
        return Err(Refusal::invalid(format!(
            "'codingA' and 'codingB' are of two code systems, '{of_a}' and '{of_b}'"
        )));
    }
    let named = own.or_else(|| input.text("system")).map(str::to_owned);
    let system = of_a.or(of_b).or(named);
    let system = system.ok_or_else(|| Refusal::invalid("the parameter 'system' is missing"))?;
    let (url, in_url) = canonical::split(&system);
    let version = input
        .text("version")
        .or_else(|| a.and_then(|c| c.version.as_str()))
        .or(in_url);
    let held = library.code_system(url, version).ok_or_else(|| {
        let issue = no_code_system(url, version, &library.code_system_versions(url));
        Refusal::new(Cause::NotFound, issue.at("system"))
    })?;
    let a = find(
        &held,
        a.and_then(|c| c.code.as_str()).or_else(|| input.text("codeA")),
        "codeA",
    )?;
    let b = find(
        &held,
        b.and_then(|c| c.code.as_str()).or_else(|| input.text("codeB")),
        "codeB",
    )?;
    let outcome = if a == b {
        "equivalent"
    } else if held.subsumes(a, b) {
        "subsumes"
    } else if held.subsumes(b, a) {
        "subsumed-by"
    } else {
        "not-subsumed"
    };
    let mut answer = Answer::default();
    answer.code("outcome", outcome);
    Ok(answer.finish())
}

fn find(held: &CodeSystem, code: Option<&str>, name: &str) -> Result<u32, Refusal> {
    let code = code.ok_or_else(|| Refusal::invalid(format!("the parameter '{name}' is missing")))?;
    held.find(code).ok_or_else(|| {
        let text = format!("Unknown code '{code}' in the CodeSystem '{}'", held.canonical());
        let issue = Issue::error("not-found", "invalid-code", "Unknown_Code_in_Version", text);
        Refusal::new(Cause::NotFound, issue.at(name))
    })
}
