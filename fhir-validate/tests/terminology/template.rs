//! Compares an answer with a template of the terminology suite, as the suite's own rules say; and brings requests into the form
//! of R4, answers into that of the suite.

use serde_json::{Map, Value};

const PROPERTY: &str = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.expansion.property";
const CONTAINS_PROPERTY: &str =
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.expansion.contains.property";

/// Members that are never compared.
const DROPPED: [&str; 3] = ["text", "meta", "diagnostics"];

/// Compares; says where and how the answer is not as the template has it.
pub(crate) fn compare(template: &Value, answer: &Value, path: &str) -> Result<(), String> {
    match (template, answer) {
        (Value::String(template), answer) if template.starts_with('$') => pattern(template, answer)
            .then_some(())
            .ok_or_else(|| format!("{path}: {answer} is not {template}")),
        (Value::Object(template), Value::Object(answer)) => objects(template, answer, path),
        (Value::Array(template), Value::Array(answer)) => arrays(template, answer, path),
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => Ok(()),
        (template, answer) if template == answer => Ok(()),
        // Templates quote a URL in one message and do not in the next.
        (Value::String(a), Value::String(b)) if path.ends_with(".text") || path.contains("[message]") => {
            let bare = |text: &str| text.replace('\'', "");
            let same = bare(a) == bare(b);
            same.then_some(())
                .ok_or_else(|| format!("{path}: {b:?} instead of {a:?}"))
        }
        (template, answer) => Err(format!("{path}: {answer} instead of {template}")),
    }
}

fn objects(template: &Map<String, Value>, answer: &Map<String, Value>, path: &str) -> Result<(), String> {
    let list = |name: &str| -> Vec<&str> {
        let items = template.get(name).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let (optional, counted) = (list("$optional-properties$"), list("$count-arrays$"));
    let may_lack = |name: &str| optional.contains(&name) || optional.contains(&"*");
    for (name, expected) in template {
        if name.starts_with('$') || DROPPED.contains(&name.as_str()) {
            continue;
        }
        let at = format!("{path}.{name}");
        match answer.get(name) {
            None if may_lack(name) || is_wholly_optional(expected) => {}
            None => return Err(format!("{at} is missing: {expected}")),
            Some(found) if counted.contains(&name.as_str()) => {
                let len = |v: &Value| v.as_array().map(Vec::len);
                if len(expected) != len(found) {
                    return Err(format!(
                        "{at} has {:?} items instead of {:?}",
                        len(found),
                        len(expected)
                    ));
                }
            }
            Some(found) => compare(expected, found, &at)?,
        }
    }
    let known = |name: &str| template.contains_key(name) || DROPPED.contains(&name) || may_lack(name);
    // `location` is the older name of `expression`; some templates have both, some one.
    let repeats = |name: &str| name == "location" && answer.get("expression") == answer.get("location");
    match answer.keys().find(|name| !known(name) && !repeats(name)) {
        Some(name) => Err(format!("{path}.{name} should not be there: {}", answer[name])),
        None => Ok(()),
    }
}

/// The order does not count.
fn arrays(template: &[Value], answer: &[Value], path: &str) -> Result<(), String> {
    let mut left: Vec<&Value> = answer.iter().collect();
    let (optional, required): (Vec<&Value>, Vec<&Value>) =
        template.iter().partition(|item| is_optional(item));
    for item in required {
        take(item, &mut left, path)?;
    }
    for item in optional {
        let _ = take(item, &mut left, path);
    }
    match left.first() {
        Some(more) => Err(format!("{path} has an item too many: {more}")),
        None => Ok(()),
    }
}

fn take(item: &Value, left: &mut Vec<&Value>, path: &str) -> Result<(), String> {
    let mut reasons: Vec<String> = Vec::new();
    for (at, found) in left.iter().enumerate() {
        let label = item
            .get("name")
            .or(item.get("code"))
            .and_then(Value::as_str)
            .unwrap_or("");
        match compare(item, found, &format!("{path}[{label}]")) {
            Ok(()) => {
                left.remove(at);
                return Ok(());
            }
            Err(reason) if found.get("name") == item.get("name") => reasons.push(reason),
            Err(_) => {}
        }
    }
    Err(if reasons.is_empty() {
        format!("{path} lacks {item}")
    } else {
        reasons.join(" / ")
    })
}

fn is_wholly_optional(list: &Value) -> bool {
    list.as_array().is_some_and(|items| items.iter().all(is_optional))
}

fn is_optional(item: &Value) -> bool {
    match item.get("$optional$") {
        Some(Value::Bool(yes)) => *yes,
        // A mode in which it may be absent, or must not be; the tests are run in none.
        Some(Value::String(_)) => true,
        _ => false,
    }
}

fn pattern(template: &str, answer: &Value) -> bool {
    if template == "$$" {
        return true;
    }
    let Value::String(answer) = answer else {
        return template == "$$";
    };
    let inner = template.strip_prefix('$').and_then(|t| t.strip_suffix('$'));
    let Some(inner) = inner else {
        return template == answer;
    };
    let fragments = |list: &str| {
        let folded = answer.to_lowercase();
        list.split('|').all(|f| folded.contains(&f.to_lowercase()))
    };
    match inner.split_once(':') {
        Some(("choice", choices)) => choices.split('|').any(|c| c == answer),
        Some(("fragments", list)) => fragments(list),
        // The number of the message, then what it must say. A version after `|` belongs to the URL before it.
        Some(("external", rest)) => rest.split_once(':').is_none_or(|(_, list)| fragments(list)),
        _ => shape(inner, answer),
    }
}

fn shape(kind: &str, answer: &str) -> bool {
    match kind {
        "id" => !answer.is_empty() && answer.len() <= 64,
        "uuid" => answer.strip_prefix("urn:uuid:").unwrap_or(answer).len() == 36,
        "instant" | "date" => answer.as_bytes().first().is_some_and(u8::is_ascii_digit),
        "url" => answer.contains(':'),
        "token" => !answer.contains(char::is_whitespace),
        "semver" => answer.split('.').count() >= 3,
        _ => !answer.is_empty(),
    }
}

#[test]
fn an_answer_that_differs_is_found() {
    let template: Value = serde_json::json!({
        "$optional-properties$": ["id"], "id": "$id$", "text": "t",
        "list": [{"name": "a", "v": 1}, {"$optional$": true, "name": "b"}],
        "message": "$fragments:one|two$",
    });
    let answer = |list: Value, message: &str| serde_json::json!({"list": list, "message": message});
    let right = serde_json::json!([{"name": "a", "v": 1.0}]);
    assert_eq!(
        compare(&template, &answer(right.clone(), "Two and one"), ""),
        Ok(())
    );
    assert!(compare(&template, &answer(right, "two"), "").is_err());
    assert!(compare(&template, &answer(serde_json::json!([]), "one two"), "").is_err());
    let more = serde_json::json!([{"name": "a", "v": 1}, {"name": "b"}, {"name": "c"}]);
    assert!(compare(&template, &answer(more, "one two"), "").is_err());
}

/// `"valueBoolean": "true"` is not JSON of any release.
pub(crate) fn unquote(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(unquote),
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(text) if name == "valueBoolean" => *member = Value::Bool(text == "true"),
                    _ => unquote(member),
                }
            }
        }
        _ => {}
    }
}

/// Turns the extensions that stand for members of R5 back into those.
pub(crate) fn restore(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(restore),
        Value::Object(members) => {
            members.values_mut().for_each(restore);
            let Some(Value::Array(extensions)) = members.remove("extension") else {
                return;
            };
            let (properties, others): (Vec<Value>, Vec<Value>) = extensions
                .into_iter()
                .partition(|x| x["url"] == PROPERTY || x["url"] == CONTAINS_PROPERTY);
            if !properties.is_empty() {
                members.insert("property".to_owned(), properties.iter().map(property).collect());
            }
            if !others.is_empty() {
                members.insert("extension".to_owned(), Value::Array(others));
            }
        }
        _ => {}
    }
}

fn property(extension: &Value) -> Value {
    let mut property = Map::new();
    for part in extension["extension"].as_array().unwrap() {
        let (name, value) = part
            .as_object()
            .unwrap()
            .iter()
            .find(|(n, _)| n.starts_with("value"))
            .unwrap();
        let name = if part["url"] == "value" {
            name.as_str()
        } else {
            part["url"].as_str().unwrap()
        };
        property.insert(name.to_owned(), value.clone());
    }
    Value::Object(property)
}
