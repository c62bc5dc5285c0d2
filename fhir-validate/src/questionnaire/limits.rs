//! Limits on answers, most of them by extensions of items: lengths, sizes, decimal places, least and greatest values, forms,
//! units, numbers of answers (<https://hl7.org/fhir/R4/questionnaire-profiles.html>).

use std::cmp::Ordering;

use fhir_model::primitive::Scalar;
use fhir_model::reflect::{Complex, Node};
use fhir_model::{Extension, QuestionnaireItem};

use super::{error, text_of, values};
use crate::compare::{self, QuantityOrder};
use crate::finding::Severity;
use crate::format::quoted;
use crate::place::{nodes_of, text_of as member};
use crate::program::bounded_regex;
use crate::run::Run;

const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";
const MIN_VALUE: [&str; 1] = ["http://hl7.org/fhir/StructureDefinition/minValue"];
const MAX_VALUE: [&str; 1] = ["http://hl7.org/fhir/StructureDefinition/maxValue"];
const MIN_QUANTITY: [&str; 2] = [
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-minQuantity",
    MIN_VALUE[0],
];
const MAX_QUANTITY: [&str; 2] = [
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-maxQuantity",
    MAX_VALUE[0],
];

/// The number that an extension of that name gives.
fn number(extensions: &[Extension], name: &str) -> Option<u64> {
    let url = format!("{BASE}{name}");
    values(extensions, &[url.as_str()])
        .filter_map(text_of)
        .next()?
        .split('.')
        .next()?
        .parse()
        .ok()
}

/// Checks how many answers there are.
pub(super) fn occurrences(run: &mut Run, item: &QuestionnaireItem, count: usize, missing: Severity) {
    let count = count as u64;
    if let Some(least) = number(&item.extension, "questionnaire-minOccurs").filter(|least| count < *least) {
        run.report(error(format!("the item needs at least {least} answers; it has {count}")).of(missing));
    }
    if let Some(most) = number(&item.extension, "questionnaire-maxOccurs").filter(|most| count > *most) {
        run.report(error(format!(
            "the item takes at most {most} answers; it has {count}"
        )));
    }
}

/// Checks one value.
pub(super) fn check(run: &mut Run, item: &QuestionnaireItem, value: Node<'_>) {
    match value {
        Node::Primitive(_, primitive) => {
            if let Some(Scalar::String(text)) = primitive.scalar() {
                string(run, item, text);
            }
            if let Some(Scalar::Decimal(decimal)) = primitive.scalar() {
                places(run, item, decimal.as_str(), decimal.fraction_digits());
            }
            if let Some(scalar) = primitive.scalar() {
                range(run, item, scalar);
            }
        }
        Node::Complex(complex) => match complex.type_info().name {
            "Quantity" => quantity(run, item, complex),
            "Attachment" => attachment(run, item, complex),
            _ => {}
        },
    }
}

fn string(run: &mut Run, item: &QuestionnaireItem, text: &str) {
    let length = text.chars().count() as u64;
    if let Some(most) = item
        .max_length
        .value
        .and_then(|m| u64::try_from(m).ok())
        .filter(|most| length > *most)
    {
        run.report(error(format!(
            "the answer has {length} characters; at most {most} are allowed"
        )));
    }
    if let Some(least) = number(&item.extension, "minLength").filter(|least| length < *least) {
        run.report(error(format!(
            "the answer has {length} characters; at least {least} are needed"
        )));
    }
    let regex = format!("{BASE}regex");
    for source in values(&item.extension, &[regex.as_str()]).filter_map(text_of) {
        let fits = bounded_regex(&source).is_none_or(|r| r.is_match(text));
        if !fits {
            let format = values(
                &item.extension,
                &["http://hl7.org/fhir/StructureDefinition/entryFormat"],
            )
            .filter_map(text_of)
            .next();
            let like = format.map(|f| format!(", such as {f}")).unwrap_or_default();
            run.report(error(format!(
                "{} is not of the form {source}{like}",
                quoted(text)
            )));
        }
    }
}

fn places(run: &mut Run, item: &QuestionnaireItem, text: &str, digits: u32) {
    if let Some(most) = number(&item.extension, "maxDecimalPlaces").filter(|most| u64::from(digits) > *most) {
        run.report(error(format!(
            "{text} has {digits} decimal places; at most {most} are allowed"
        )));
    }
}

fn range(run: &mut Run, item: &QuestionnaireItem, value: Scalar<'_>) {
    for limit in values(&item.extension, &MIN_VALUE).filter_map(text_of) {
        if compare::scalar(value, &limit) == Some(Ordering::Less) {
            run.report(error(format!(
                "{} is less than {limit}, the least that is allowed",
                value.text()
            )));
        }
    }
    for limit in values(&item.extension, &MAX_VALUE).filter_map(text_of) {
        if compare::scalar(value, &limit) == Some(Ordering::Greater) {
            run.report(error(format!(
                "{} is greater than {limit}, the greatest that is allowed",
                value.text()
            )));
        }
    }
}

fn quantity(run: &mut Run, item: &QuestionnaireItem, value: &dyn Complex) {
    if let Some(decimal) = compare::decimal_of(value) {
        places(run, item, decimal.as_str(), decimal.fraction_digits());
    }
    for (urls, wrong, words) in [
        (&MIN_QUANTITY, Ordering::Less, "less"),
        (&MAX_QUANTITY, Ordering::Greater, "greater"),
    ] {
        for limit in values(&item.extension, urls) {
            let Node::Complex(limit) = limit else { continue };
            let number = compare::decimal_of(limit).map(|d| d.as_str());
            let problem = match compare::quantities(
                value,
                number,
                member(limit, "system"),
                member(limit, "code"),
            ) {
                QuantityOrder::Is(order) if order == wrong => format!(
                    "the quantity is {words} than the limit of {} {}",
                    number.unwrap_or_default(),
                    unit(limit)
                ),
                QuantityOrder::NoUnit => format!(
                    "the quantity cannot be compared with the limit of {} {}: one of them has no coded unit",
                    number.unwrap_or_default(),
                    unit(limit)
                ),
                QuantityOrder::Incomparable => format!(
                    "the quantity cannot be compared with the limit of {} {}: the units are of different kinds",
                    number.unwrap_or_default(),
                    unit(limit)
                ),
                QuantityOrder::Is(_) => continue,
            };
            run.report(error(problem));
        }
    }
    units(run, item, value);
}

fn unit(quantity: &dyn Complex) -> &str {
    member(quantity, "unit")
        .or_else(|| member(quantity, "code"))
        .unwrap_or_default()
}

/// The unit is one of those that the item lists.
fn units(run: &mut Run, item: &QuestionnaireItem, value: &dyn Complex) {
    let url = format!("{BASE}questionnaire-unitOption");
    let urls = [url.as_str()];
    let options: Vec<&dyn Complex> = values(&item.extension, &urls)
        .filter_map(|v| match v {
            Node::Complex(coding) => Some(coding),
            Node::Primitive(..) => None,
        })
        .collect();
    let fits = |option: &&dyn Complex| {
        member(*option, "code") == member(value, "code")
            && member(*option, "system") == member(value, "system")
    };
    if !options.is_empty() && !options.iter().any(fits) {
        let names: Vec<&str> = options.iter().filter_map(|o| member(*o, "code")).collect();
        run.report(error(format!(
            "the unit {:?} is none of {}",
            unit(value),
            names.join(", ")
        )));
    }
}

fn attachment(run: &mut Run, item: &QuestionnaireItem, value: &dyn Complex) {
    let declared = nodes_of(value, "size")
        .and_then(|mut n| n.next())
        .and_then(text_of)
        .and_then(|t| t.parse::<u64>().ok());
    let data = member(value, "data").map(|d| {
        (d.bytes()
            .filter(|b| !b.is_ascii_whitespace() && *b != b'=')
            .count() as u64)
            * 3
            / 4
    });
    if let Some(most) = number(&item.extension, "maxSize") {
        let size = declared.max(data);
        if let Some(size) = size.filter(|size| *size > most) {
            run.report(error(format!(
                "the attachment has {size} bytes; at most {most} are allowed"
            )));
        }
    }
    let url = format!("{BASE}mimeType");
    let urls = [url.as_str()];
    let allowed: Vec<String> = values(&item.extension, &urls).filter_map(text_of).collect();
    let kind = member(value, "contentType").unwrap_or_default();
    if !allowed.is_empty() && !allowed.iter().any(|a| is_of(kind, a)) {
        run.report(error(format!(
            "the attachment is of the type {kind:?}; allowed are {}",
            allowed.join(", ")
        )));
    }
}

/// Whether a media type is one that is allowed: whatever its parameters, and any of the family where that is allowed as `image/*`.
fn is_of(kind: &str, allowed: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default().trim();
    match allowed.strip_suffix('*').filter(|family| family.ends_with('/')) {
        Some(family) => {
            essence.len() > family.len()
                && essence
                    .to_ascii_lowercase()
                    .starts_with(&family.to_ascii_lowercase())
        }
        None => essence.eq_ignore_ascii_case(allowed) || kind.eq_ignore_ascii_case(allowed),
    }
}
