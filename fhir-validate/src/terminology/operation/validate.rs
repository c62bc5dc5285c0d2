//! `ValueSet/$validate-code` and `CodeSystem/$validate-code`
//! (<https://hl7.org/fhir/R4/valueset-operation-validate-code.html>,
//! <https://hl7.org/fhir/R4/codesystem-operation-validate-code.html>).

use std::sync::Arc;

use fhir_model::{AnyValue, CodeableConcept, Parameters};

use super::answer::Answer;
use super::check::{Asked, Checked, Checker, Place, Rules};
use super::input::Input;
use super::{Request, with_own_code_system, with_own_resources};
use crate::terminology::canonical;
use crate::terminology::compose::Compiler;
use crate::terminology::issue::{Issue, Refusal, message, not_compiled, outcome};
use crate::terminology::language::Languages;
use crate::terminology::library::Library;
use crate::terminology::set::Compiled;
use crate::terminology::status;

/// Says whether a code is in a value set, and what is wrong with it if it is not.
///
/// # Errors
/// No code or no value set is given, the value set is not held, or cannot be compiled.
pub fn validate_code(request: &Request<'_>, parameters: &Parameters) -> Result<Parameters, Refusal> {
    validate_in_value_set(request, Input::new(parameters))
}

/// The same, for parameters that may be part of a batch.
pub(super) fn validate_in_value_set(request: &Request<'_>, input: Input<'_>) -> Result<Parameters, Refusal> {
    let library = with_own_resources(&request.library, &input)?;
    let asked = asked(&input, true)?;
    let mut rules = rules(&input, request)?;
    let compiled = compiled(&library, &input, &asked)?;
    if let (true, Some(own)) = (rules.languages.is_empty(), &compiled.language) {
        rules.languages = Languages::parse(own).unwrap_or_default();
    }
    let mut checker = Checker {
        library: &library,
        value_set: Some(&compiled),
        rules,
        issues: status::of_value_sets(&compiled)
            .iter()
            .map(status::Warning::issue)
            .collect(),
        each_must_be_in: asked.concept.is_none(),
    };
    let checked: Vec<Checked> = asked.codes.iter().map(|a| checker.check(a)).collect();
    let is_in = checked.iter().any(|c| c.is_member);
    let mut issues = checker.issues;
    if asked.concept.is_some() && !is_in && !issues.iter().any(Issue::is_about_value_set) {
        let text = format!("No valid coding was found for the value set '{}'", compiled.label);
        issues.push(Issue::error(
            "code-invalid",
            "not-in-vs",
            "TX_GENERAL_CC_ERROR_MESSAGE",
            text,
        ));
    }
    Ok(answer(&asked, &checked, &issues, is_in))
}

/// Says whether a code is in its code system, and what is wrong with it if it is not.
///
/// # Errors
/// No code or no code system is given.
pub fn code_system_validate_code(
    request: &Request<'_>,
    parameters: &Parameters,
) -> Result<Parameters, Refusal> {
    let input = Input::new(parameters);
    let library = with_own_resources(&request.library, &input)?;
    let mut asked = asked(&input, false)?;
    let (library, own) = with_own_code_system(library, &input)?;
    let url = own.or_else(|| input.text("url")).map(canonical::split);
    for code in &mut asked.codes {
        code.system = code.system.or(url.map(|(url, _)| url));
        code.version = code
            .version
            .or_else(|| input.text("version"))
            .or(url.and_then(|(_, v)| v));
        if code.system.is_none() {
            return Err(Refusal::invalid(
                "the code system is missing: give 'url', 'codeSystem' or 'coding.system'",
            ));
        }
    }
    let mut checker = Checker {
        library: &library,
        value_set: None,
        rules: rules(&input, request)?,
        issues: Vec::new(),
        each_must_be_in: true,
    };
    let checked: Vec<Checked> = asked.codes.iter().map(|a| checker.check(a)).collect();
    let is_in = checked.iter().any(|c| c.is_member);
    Ok(answer(&asked, &checked, &checker.issues, is_in))
}

/// The codes of a request.
struct Codes<'a> {
    codes: Vec<Asked<'a>>,
    /// The CodeableConcept that they are of.
    concept: Option<&'a CodeableConcept>,
}

fn asked<'a>(input: &Input<'a>, in_value_set: bool) -> Result<Codes<'a>, Refusal> {
    if let Some(concept) = input.codeable_concept("codeableConcept") {
        let codings = concept.coding.iter().enumerate();
        let codes = codings
            .filter_map(|(index, c)| coding(c, Place::Concept(index)))
            .collect();
        return Ok(Codes {
            codes,
            concept: Some(concept),
        });
    }
    let none = || {
        Refusal::invalid(
            "Unable to find code to validate (looked for coding | codeableConcept | code+system | code+inferSystem in \
             parameters",
        )
    };
    let one = |code| Codes {
        codes: vec![code],
        concept: None,
    };
    if let Some(stated) = input.coding("coding") {
        return coding(stated, Place::Coding).map(one).ok_or_else(none);
    }
    let code = input.text("code").ok_or_else(none)?;
    let system = input.text("system").filter(|_| in_value_set);
    let infer = input.boolean("inferSystem")? == Some(true);
    if in_value_set && system.is_none() && !infer {
        return Err(none());
    }
    Ok(one(Asked {
        system,
        version: input.text("systemVersion").filter(|_| in_value_set),
        code,
        display: input.text("display"),
        place: Place::Parameters,
        infer: infer && system.is_none(),
    }))
}

fn coding(coding: &fhir_model::Coding, place: Place) -> Option<Asked<'_>> {
    Some(Asked {
        system: coding.system.as_str(),
        version: coding.version.as_str(),
        code: coding.code.as_str()?,
        display: coding.display.as_str(),
        place,
        infer: false,
    })
}

fn rules(input: &Input<'_>, request: &Request<'_>) -> Result<Rules, Refusal> {
    Ok(Rules {
        languages: input.languages(request.accept_language)?,
        abstract_allowed: input.boolean("abstract")?,
        active_only: input.boolean("activeOnly")? == Some(true),
        lenient_display: input.boolean("lenient-display-validation")? == Some(true),
        membership_only: input.boolean("valueset-membership-only")? == Some(true),
    })
}

/// The value set of a request: the one that comes with it, or the one that it names.
///
/// Where it takes any version of a code system, the version that a code states counts, if it is held.
fn compiled(library: &Library, input: &Input<'_>, asked: &Codes<'_>) -> Result<Arc<Compiled>, Refusal> {
    let mut versions = input.versions();
    for code in &asked.codes {
        if let (Some(system), Some(version)) = (code.system, code.version)
            && !versions.decides(system)
            && library.code_system(system, Some(version)).is_some()
        {
            versions.default.push((system.to_owned(), version.to_owned()));
        }
    }
    let compiled = match input.value_set("valueSet") {
        Some(own) => Compiler::new(library, &own.contained, &versions)
            .value_set(own)
            .map(Arc::new),
        None => {
            let url = input.required("url")?;
            let (bare, in_url) = canonical::split(url);
            let of = canonical::join(bare, input.text("valueSetVersion").or(in_url));
            if versions.is_empty() {
                library.compiled(&of)
            } else {
                Compiler::new(library, &[], &versions).by_canonical(&of)
            }
        }
    };
    compiled.map_err(|error| not_compiled(&error))
}

fn answer(asked: &Codes<'_>, checked: &[Checked], issues: &[Issue], is_in: bool) -> Parameters {
    let mut answer = Answer::default();
    let result = is_in && !issues.iter().any(Issue::is_error);
    answer.boolean("result", result);
    // Of a CodeableConcept, the code that is in counts; one that stands alone counts anyway.
    let at = match asked.concept {
        Some(_) => checked.iter().position(|c| c.is_member),
        None => (!checked.is_empty()).then_some(0),
    };
    if let Some((code, found)) = at.and_then(|at| asked.codes.get(at).zip(checked.get(at))) {
        describe(&mut answer, code, found);
    }
    for unknown in checked.iter().filter_map(|c| c.unknown_system.as_deref()) {
        answer.value("x-unknown-system", AnyValue::Canonical(unknown.into()));
    }
    if let Some(concept) = asked.concept {
        let concept = Box::new(concept.clone());
        answer.value("codeableConcept", AnyValue::CodeableConcept(concept));
    }
    if let Some(text) = message(issues) {
        answer.string("message", &text);
    }
    if !issues.is_empty() {
        answer.resource("issues", outcome(issues).into());
    }
    answer.finish()
}

fn describe(answer: &mut Answer, code: &Asked<'_>, found: &Checked) {
    answer.code("code", code.code);
    if let Some(system) = &found.system {
        answer.uri("system", system);
    }
    if let Some(version) = &found.version {
        answer.string("version", version);
    }
    if let Some(display) = &found.display {
        answer.string("display", display);
    }
    if let Some(normalized) = &found.normalized {
        answer.code("normalized-code", normalized);
    }
    if found.inactive {
        answer.boolean("inactive", true);
    }
    if let Some(status) = &found.status {
        answer.code("status", status);
    }
}
