//! Values to look for, made from what the resources have, so that queries find something and just miss something.

use fhir_model::definitions::{SearchParamType as Type, SearchParameter, search_parameter};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::{Sought, Unit};
use crate::data::{SYSTEMS, UNITS};
use crate::evaluate::{Found, World, convert, decimal, ends, is_exact, plain, span_of, texts};
use crate::front::BASE;
use crate::random::Random;

const PREFIXES: [&str; 10] = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"];

fn prefix(random: &mut Random) -> &'static str {
    PREFIXES[random.below(PREFIXES.len())]
}

/// A modifier and values for a parameter of that type of resource; `None` where there is nothing to look for.
pub(super) fn values(
    world: &World,
    random: &mut Random,
    kind: &str,
    parameter: &'static SearchParameter,
) -> Option<(Option<String>, Vec<Sought>)> {
    let missing = |random: &mut Random| {
        Some((
            Some("missing".to_owned()),
            vec![Sought::Missing(random.chance(50))],
        ))
    };
    if parameter.type_ != Type::Composite && random.chance(8) {
        return missing(random);
    }
    let Some(first) = found(world, random, kind, parameter) else {
        return match parameter.type_ {
            Type::Composite => None,
            _ => missing(random),
        };
    };
    let modifier = modifier(random, parameter.type_, &first);
    let mut values = vec![sought(random, parameter, modifier.as_deref(), &first)?];
    while parameter.multiple_or && random.chance(20) {
        let next = found(world, random, kind, parameter)?;
        values.extend(sought(random, parameter, modifier.as_deref(), &next));
    }
    Some((modifier, values))
}

/// A value that some resource of that type has.
fn found(
    world: &World,
    random: &mut Random,
    kind: &str,
    parameter: &'static SearchParameter,
) -> Option<Found> {
    let places: Vec<usize> = (0..world.held.len())
        .filter(|at| world.held[*at].kind == kind)
        .collect();
    for _ in 0..6 {
        let values = places
            .get(random.below(places.len()))
            .map(|at| world.values(parameter, *at))?;
        if !values.is_empty() {
            return Some(random.pick(&values).clone());
        }
    }
    None
}

fn modifier(random: &mut Random, kind: Type, found: &Found) -> Option<String> {
    let has = |name: &str| !found.value[name].is_null();
    let has_words = has("text") || has("coding") || has("display") || has("type");
    let of_type = found.kind == "Identifier" && has("type");
    let target = found.value["reference"].as_str().and_then(local);
    Some(match (kind, random.below(10)) {
        (Type::String, 0..=1) => "exact".to_owned(),
        (Type::String, 2..=3) | (Type::Token, 9) if kind == Type::String => "contains".to_owned(),
        (Type::Token, 0..=1) => "not".to_owned(),
        (Type::Token, 2) if has_words && found.kind != "ContactPoint" => "text".to_owned(),
        (Type::Token, 3..=6) if of_type => "of-type".to_owned(),
        (Type::Reference, 0..=4) if has("identifier") => "identifier".to_owned(),
        (Type::Reference, 5..=6) => target?.0,
        (Type::Uri, 0..=2) => "below".to_owned(),
        (Type::Uri, 3..=4) => "above".to_owned(),
        _ => return None,
    })
}

/// A value for that one, or for one like it.
fn sought(
    random: &mut Random,
    parameter: &'static SearchParameter,
    modifier: Option<&str>,
    found: &Found,
) -> Option<Sought> {
    match parameter.type_ {
        Type::String => string(random, modifier, &texts(found)),
        Type::Token => token(random, modifier, found),
        Type::Date => date(random, found),
        Type::Number => {
            let number = number(random, found)?;
            Some(Sought::Number {
                prefix: prefix(random),
                text: number,
            })
        }
        Type::Quantity => quantity(random, found),
        Type::Reference => reference(random, modifier, found),
        Type::Uri => uri(random, modifier, found.value.as_str()?),
        Type::Special => Some(near(random, found)),
        Type::Composite => {
            let each = parameter
                .components
                .iter()
                .zip(&found.parts)
                .map(|(component, values)| {
                    let value = values.get(random.below(values.len()))?;
                    sought(random, search_parameter(component.definition)?, None, value)
                });
            each.collect::<Option<Vec<_>>>().map(Sought::Parts)
        }
    }
}

fn string(random: &mut Random, modifier: Option<&str>, texts: &[String]) -> Option<Sought> {
    let text = texts.get(random.below(texts.len()))?;
    let text = match random.below(4) {
        0 => text.to_uppercase(),
        1 if modifier != Some("exact") => plain(text),
        _ => text.clone(),
    };
    let letters: Vec<char> = text.chars().collect();
    let end = letters.len() - random.below(letters.len());
    let piece: String = match modifier {
        Some("exact") => text.clone(),
        Some("contains") => letters[random.below(end)..end].iter().collect(),
        _ => letters[..end].iter().collect(),
    };
    (!plain(&piece).is_empty()).then_some(Sought::Text(piece))
}

fn token(random: &mut Random, modifier: Option<&str>, found: &Found) -> Option<Sought> {
    if modifier == Some("text") {
        let value = &found.value;
        let candidates = [
            &value["text"],
            &value["display"],
            &value["coding"][0]["display"],
            &value["type"]["text"],
        ];
        let words = candidates
            .into_iter()
            .find_map(Value::as_str)
            .unwrap_or("Diabetes");
        return string(random, None, &[words.to_owned()]);
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if modifier == Some("of-type") {
        let coding = &found.value["type"]["coding"][0];
        let value = cased(random, &text(&found.value["value"])?);
        return Some(Sought::OfType {
            system: text(&coding["system"])?,
            code: text(&coding["code"])?,
            value,
        });
    }
    let (system, code, is_code_element) = match found.kind.as_str() {
        "CodeableConcept" => {
            let codings = found.value["coding"].as_array()?;
            let coding = random.pick(codings);
            (text(&coding["system"]), text(&coding["code"]), false)
        }
        "Coding" => (text(&found.value["system"]), text(&found.value["code"]), false),
        "Identifier" => (text(&found.value["system"]), text(&found.value["value"]), false),
        "ContactPoint" => (None, text(&found.value["value"]), false),
        // The system that an element of type code implies is left to the case table, and that of booleans too.
        kind => (
            None,
            text(&found.value),
            matches!(kind, "code" | "boolean" | "Boolean"),
        ),
    };
    let is_shared = |code: &str| {
        SYSTEMS
            .iter()
            .any(|(_, exact, codes)| *exact && codes.contains(&code))
    };
    let code = code.map(
        |code| match is_code_element || is_exact(system.as_deref()) || is_shared(&code) {
            true => code,
            false => cased(random, &code),
        },
    );
    match (system, code) {
        (_, Some(code)) if is_code_element => Some(Sought::Token {
            system: None,
            code: Some(code),
        }),
        (Some(system), None) => Some(Sought::Token {
            system: Some(system),
            code: None,
        }),
        (system, Some(code)) => Some(match random.below(6) {
            0 | 1 => Sought::Token {
                system: None,
                code: Some(code),
            },
            2 if system.is_some() => Sought::Token { system, code: None },
            3 => Sought::Token {
                system: Some(String::new()),
                code: Some(code),
            },
            _ => Sought::Token {
                system,
                code: Some(code),
            },
        }),
        (None, None) => None,
    }
}

/// Now and then in another case.
fn cased(random: &mut Random, text: &str) -> String {
    match random.below(6) {
        0 => text.to_uppercase(),
        1 => text.to_lowercase(),
        _ => text.to_owned(),
    }
}

fn date(random: &mut Random, found: &Found) -> Option<Sought> {
    let (first, last) = span_of(found)?;
    let end = if random.chance(50) { first } else { last };
    let end = if [i64::MIN, i64::MAX].contains(&end) {
        first.max(-last)
    } else {
        end
    };
    Some(date_about(random, end))
}

/// A date that begins or ends there, or a little beside it.
pub(super) fn date_about(random: &mut Random, time: i64) -> Sought {
    let beside = *random.pick(&[0, 0, 0, 1, -1, 60_000, -86_400_000, 400 * 86_400_000]);
    let sane = time.clamp(1_400_000_000_000, 1_800_000_000_000) + beside;
    let (zone, suffix) = match random.below(3) {
        0 => (TimeZone::get("Europe/London").unwrap(), ""),
        1 => (TimeZone::fixed(jiff::tz::offset(2)), "+02:00"),
        _ => (TimeZone::UTC, "Z"),
    };
    let at = Timestamp::from_millisecond(sane).unwrap().to_zoned(zone);
    let format = match random.below(7) {
        0 => "%Y",
        1 => "%Y-%m",
        2 | 3 => "%Y-%m-%d",
        4 => "%Y-%m-%dT%H:%M",
        5 => "%Y-%m-%dT%H:%M:%S",
        _ => "%Y-%m-%dT%H:%M:%S%.3f",
    };
    let mut text = at.strftime(format).to_string();
    if format.len() > 8 {
        text.push_str(suffix);
    }
    Sought::Date {
        prefix: prefix(random),
        text,
    }
}

/// A number that is an end of the value, or beside it, with more or fewer digits.
fn number(random: &mut Random, found: &Found) -> Option<String> {
    let ends = ends(found);
    let end = ends.get(random.below(ends.len()))?;
    let exact = decimal(*end);
    Some(match random.below(6) {
        0 if exact.contains('.') => format!("{exact}0"),
        0 => format!("{exact}.0"),
        1 => exact.split('.').next()?.replace("-0", "0"),
        2 => format!("{}.5", exact.split('.').next()?),
        3 => random.text(&["0", "5", "5.5", "100", "-3.0", "72.0", "0.01"]),
        _ => exact,
    })
}

fn quantity(random: &mut Random, found: &Found) -> Option<Sought> {
    let mut number = number(random, found)?;
    let own = if found.kind == "Range" {
        &found.value["high"]
    } else {
        &found.value
    };
    let own = if own.is_null() { &found.value["low"] } else { own };
    let text = |name: &str| own[name].as_str().map(str::to_owned);
    let unit = match (random.below(6), text("system"), text("code"), text("unit")) {
        (0, ..) | (_, None, None, None) => Unit::Any,
        (1, _, Some(code), _) => Unit::Named(code),
        (2, _, _, Some(unit)) | (_, None, _, Some(unit)) => Unit::Named(unit),
        (3 | 4, Some(system), Some(code), _) => {
            let other = random.text(&UNITS);
            match convert(&number, &code, &other) {
                Some(converted) => {
                    number = converted;
                    Unit::Coded(system, other)
                }
                None => Unit::Coded(system, code),
            }
        }
        (_, Some(system), Some(code), _) => Unit::Coded(system, code),
        _ => Unit::Any,
    };
    Some(Sought::Quantity {
        prefix: prefix(random),
        number,
        unit,
    })
}

/// Type and id of a reference to this server.
fn local(text: &str) -> Option<(String, String)> {
    let below = text.strip_prefix(&format!("{BASE}/")).unwrap_or(text);
    let mut steps = below.split('/');
    let (kind, id) = (steps.next()?, steps.next()?);
    fhir_model::type_info(kind).map(|_| (kind.to_owned(), id.to_owned()))
}

fn reference(random: &mut Random, modifier: Option<&str>, found: &Found) -> Option<Sought> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if modifier == Some("identifier") {
        let identifier = &found.value["identifier"];
        let (system, code) = (text(&identifier["system"]), text(&identifier["value"])?);
        return Some(match random.below(4) {
            0 => Sought::Token {
                system: None,
                code: Some(cased(random, &code)),
            },
            1 if system.is_some() => Sought::Token { system, code: None },
            2 => Sought::Token {
                system: Some(String::new()),
                code: Some(code),
            },
            _ => Sought::Token {
                system,
                code: Some(code),
            },
        });
    }
    let whole = text(&found.value["reference"])?;
    if let Some(named) = modifier {
        let (kind, id) = local(&whole)?;
        return Some(Sought::Reference(if kind == named && random.chance(30) {
            format!("{kind}/{id}")
        } else {
            id
        }));
    }
    Some(Sought::Reference(match (local(&whole), random.below(6)) {
        (Some((_, id)), 0) => id,
        (Some((kind, id)), 1) => format!("{BASE}/{kind}/{id}"),
        (Some((kind, id)), 2) => format!("{kind}/{id}/_history/{}", random.within(1, 2)),
        (Some((kind, id)), _) => format!("{kind}/{id}"),
        // What is contained is found by no reference.
        (None, _) if whole.starts_with('#') => return None,
        (None, _) => whole,
    }))
}

fn uri(random: &mut Random, modifier: Option<&str>, own: &str) -> Option<Sought> {
    let (bare, _) = own.split_once('|').unwrap_or((own, ""));
    Some(Sought::Uri(match modifier {
        Some("below") => match bare.rsplit_once('/') {
            Some((above, _)) if random.chance(60) && !above.ends_with('/') => above.to_owned(),
            _ => bare.to_owned(),
        },
        Some(_) => format!("{bare}{}", random.text(&["", "/b", "/b/c"])),
        None if random.chance(30) => bare.to_owned(),
        None => own.to_owned(),
    }))
}

fn near(random: &mut Random, found: &Found) -> Sought {
    let degrees = |value: &Value| value.as_f64().unwrap_or_default();
    let beside = |random: &mut Random| f64::from(i32::try_from(random.within(-700, 700)).unwrap()) / 1000.0;
    let latitude = (degrees(&found.value["latitude"]) + beside(random)).clamp(-90.0, 90.0);
    let longitude = degrees(&found.value["longitude"]) + beside(random);
    let longitude = if longitude > 180.0 {
        longitude - 360.0
    } else {
        longitude
    };
    Sought::Near {
        latitude,
        longitude,
        kilometres: f64::from(i32::try_from(random.within(0, 120)).unwrap()) + 0.5,
    }
}
