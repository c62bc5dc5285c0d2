//! The places of a request that a client writes text into.

use actix_web::http::header::HeaderValue;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::front::{escaped, json as with_body, request};

/// A place: its name, and the request with a text in it; `None` where HTTP itself cannot carry the text.
pub(crate) struct Place {
    pub(crate) name: &'static str,
    make: fn(&'static str, &[u8]) -> Option<TestRequest>,
}

impl Place {
    pub(crate) fn request(&self, text: &[u8]) -> Option<TestRequest> {
        (self.make)(self.name, text)
    }
}

/// Requests whose path or query holds the text at `¤`.
const READS: [&str; 74] = [
    "/Patient?name=¤",
    "/Patient?name:exact=¤",
    "/Patient?name:contains=¤",
    "/Patient?name:missing=¤",
    "/Patient?name:¤=x",
    "/Patient?¤=x",
    "/Patient?gender=¤",
    "/Patient?gender:not=¤",
    "/Patient?identifier=¤|x",
    "/Patient?identifier=urn:x|¤",
    "/Patient?identifier:of-type=a|b|¤",
    "/Condition?code:text=¤",
    "/Patient?birthdate=¤",
    "/Patient?birthdate=ge¤",
    "/Patient?organization=¤",
    "/Patient?organization=Organization/¤",
    "/Patient?organization:identifier=¤",
    "/Patient?organization:Organization=¤",
    "/Patient?organization.name=¤",
    "/Patient?organization.¤=x",
    "/Patient?organization:¤.name=x",
    "/Observation?value-quantity=¤",
    "/Observation?value-quantity=5||¤",
    "/Observation?value-quantity=5|http://unitsofmeasure.org|¤",
    "/Observation?code-value-quantity=¤$5",
    "/Observation?code-value-quantity=a$¤",
    "/Observation?code-value-quantity=¤",
    "/Observation?subject:Patient.name=¤",
    "/RiskAssessment?probability=¤",
    "/Patient?_has:Observation:patient:code=¤",
    "/Patient?_has:¤:patient:code=x",
    "/Patient?_has:Observation:¤:code=x",
    "/Patient?_has:Observation:patient:¤=x",
    "/Patient?_id=¤",
    "/Patient?_lastUpdated=¤",
    "/Patient?_list=¤",
    "/Patient?_filter=¤",
    "/Patient?_filter=name eq \"¤\"",
    "/Patient?_filter=¤ eq a",
    "/Patient?_filter=name ¤ a",
    "/Patient?_profile:below=¤",
    "/Patient?_profile:above=¤",
    "/ValueSet?url=¤",
    "/Patient?_tag=¤",
    "/Patient?_sort=¤",
    "/Patient?_sort=-¤,_id",
    "/Patient?_count=¤",
    "/Patient?_total=¤",
    "/Patient?_summary=¤",
    "/Patient?_elements=¤",
    "/Patient?_include=¤",
    "/Patient?_include=Patient:¤",
    "/Patient?_include=Patient:organization:¤",
    "/Patient?_revinclude:iterate=¤",
    "/Patient?_revinclude=Observation:¤",
    "/Location?near=¤",
    "/Location?near=51|0|¤|km",
    "?_type=¤",
    "?_type=Patient&_source=¤",
    "/Patient?_page=¤",
    "/Patient?_contained=¤",
    "/Patient?_format=¤",
    "/Patient?_query=¤",
    "/Patient?_text=¤",
    "/¤",
    "/¤/a",
    "/Patient/¤",
    "/Patient/a/_history/¤",
    "/Patient/¤/Observation",
    "/Patient/a/¤",
    "/Patient/$¤",
    "/_history?_since=¤&_at=2026",
    "/Patient/a/$everything?_since=¤",
    "/Patient?code:in=¤",
];

/// Headers that the text is the value of, or stands in at `¤`.
const HEADERS: [(&str, &str); 9] = [
    ("If-Match", "W/\"¤\""),
    ("If-None-Match", "¤"),
    ("If-Modified-Since", "¤"),
    ("If-None-Exist", "identifier=¤"),
    ("If-None-Exist", "¤"),
    ("Prefer", "return=¤"),
    ("Accept", "¤"),
    ("Content-Type", "¤"),
    ("X-Request-ID", "¤"),
];

/// Patches and bodies that hold the text, as JSON strings.
const BODIES: [(&str, &str, &str, &str); 17] = [
    (
        "path of a JSON patch",
        "PATCH",
        "application/json-patch+json",
        r#"[{"op":"remove","path":¤}]"#,
    ),
    (
        "source of a JSON patch",
        "PATCH",
        "application/json-patch+json",
        r#"[{"op":"copy","from":¤,"path":"/name/0/text"}]"#,
    ),
    (
        "operation of a JSON patch",
        "PATCH",
        "application/json-patch+json",
        r#"[{"op":¤,"path":"/active"}]"#,
    ),
    (
        "tested value of a JSON patch",
        "PATCH",
        "application/json-patch+json",
        r#"[{"op":"test","path":"/name/0/family","value":¤}]"#,
    ),
    (
        "member of a merge patch",
        "PATCH",
        "application/merge-patch+json",
        "{¤:1}",
    ),
    (
        "path of a FHIRPath patch",
        "PATCH",
        "application/fhir+json",
        r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"delete"},{"name":"path","valueString":¤}]}]}"#,
    ),
    (
        "name of a FHIRPath patch",
        "PATCH",
        "application/fhir+json",
        r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient"},{"name":"name","valueString":¤},{"name":"value","valueString":"x"}]}]}"#,
    ),
    (
        "path of an XML patch",
        "PATCH",
        "application/xml-patch+xml",
        "<diff><remove sel=\"¤\"/></diff>",
    ),
    (
        "content of an XML patch",
        "PATCH",
        "application/xml-patch+xml",
        "<diff><replace sel=\"f:Patient/f:gender/@value\">¤</replace></diff>",
    ),
    (
        "id in a body",
        "PUT",
        "application/fhir+json",
        r#"{"resourceType":"Patient","id":¤}"#,
    ),
    (
        "type in a body",
        "PUT",
        "application/fhir+json",
        r#"{"resourceType":¤,"id":"a"}"#,
    ),
    (
        "member of a body",
        "PUT",
        "application/fhir+json",
        r#"{"resourceType":"Patient","id":"a",¤:"x"}"#,
    ),
    ("GraphQL query", "POST $graphql", "application/graphql", "¤"),
    (
        "argument of a GraphQL query",
        "POST $graphql",
        "application/json",
        r#"{"query":"query($n: string) { PatientList(name: $n) { id } }","variables":{"n":¤}}"#,
    ),
    (
        "URL in a transaction",
        "POST",
        "application/fhir+json",
        r#"{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":¤}}]}"#,
    ),
    (
        "condition in a transaction",
        "POST",
        "application/fhir+json",
        r#"{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Basic","code":{"text":"x"}},"request":{"method":"POST","url":"Basic","ifNoneExist":¤}}]}"#,
    ),
    (
        "search form",
        "POST _search",
        "application/x-www-form-urlencoded",
        "name:contains=¤",
    ),
];

/// Every place; at least 40.
pub(crate) fn all() -> Vec<Place> {
    let mut all: Vec<Place> = READS.iter().map(|name| Place { name, make: read }).collect();
    all.extend(HEADERS.iter().map(|(_, name)| Place { name, make: header }));
    all.extend(BODIES.iter().map(|(name, ..)| Place { name, make: body }));
    all.push(Place {
        name: "condition of an update",
        make: |_, text| Some(conditional("PUT", text)),
    });
    all.push(Place {
        name: "condition of a deletion",
        make: |_, text| Some(conditional("DELETE", text)),
    });
    all.push(Place {
        name: "condition of a patch",
        make: |_, text| Some(conditional("PATCH", text)),
    });
    all.push(Place {
        name: "text in a resource",
        make: create,
    });
    all
}

fn read(template: &'static str, text: &[u8]) -> Option<TestRequest> {
    let (path, query) = template.split_once('?').unwrap_or((template, ""));
    let path = path.replace('¤', &escaped(text));
    let mut pairs = query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let filled = |part: &str| match part.split_once('¤') {
            Some((before, after)) => format!(
                "{}{}{}",
                escaped(before.as_bytes()),
                escaped(text),
                escaped(after.as_bytes())
            ),
            None => escaped(part.as_bytes()),
        };
        format!("{}={}", filled(name), filled(value))
    });
    let query = match query {
        "" => String::new(),
        _ => format!("?{}", pairs.by_ref().collect::<Vec<_>>().join("&")),
    };
    Some(request("GET", &format!("/fhir{path}{query}")))
}

fn header(template: &'static str, text: &[u8]) -> Option<TestRequest> {
    let (name, _) = HEADERS.iter().find(|(_, value)| *value == template)?;
    let (before, after) = template.split_once('¤')?;
    // A condition is a query, and written like one.
    let text = if *name == "If-None-Exist" {
        escaped(text).into_bytes()
    } else {
        text.to_vec()
    };
    let value = HeaderValue::from_bytes(&[before.as_bytes(), &text, after.as_bytes()].concat()).ok()?;
    let patient = r#"{"resourceType":"Patient","id":"h","active":true}"#;
    Some(match *name {
        "If-Match" => {
            with_body(request("PUT", "/fhir/Patient/h"), patient).insert_header(("If-Match", value))
        }
        "If-None-Exist" => {
            with_body(request("POST", "/fhir/Patient"), patient).insert_header(("If-None-Exist", value))
        }
        "Content-Type" => request("PUT", "/fhir/Patient/h")
            .insert_header(("Content-Type", value))
            .set_payload(patient),
        name => request("GET", "/fhir/Patient/a").insert_header((name, value)),
    })
}

/// As a JSON string; what is no text goes in as the bytes themselves.
fn quoted(text: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(text) {
        Ok(text) => json!(text).to_string().into_bytes(),
        Err(_) => [b"\"", text, b"\""].concat(),
    }
}

fn body(name: &'static str, text: &[u8]) -> Option<TestRequest> {
    let (_, method, kind, template) = BODIES.iter().find(|(known, ..)| *known == name)?;
    let (before, after) = template.split_once('¤')?;
    let filled = match *kind {
        "application/x-www-form-urlencoded" => escaped(text).into_bytes(),
        "application/graphql" | "application/xml-patch+xml" => text.to_vec(),
        _ => quoted(text),
    };
    let payload = [before.as_bytes(), &filled, after.as_bytes()].concat();
    let path = match *method {
        "POST _search" => "/fhir/Patient/_search",
        "POST $graphql" => "/fhir/$graphql",
        "POST" => "/fhir",
        _ => "/fhir/Patient/a",
    };
    let method = method.split(' ').next()?;
    Some(
        request(method, path)
            .insert_header(("Content-Type", *kind))
            .set_payload(payload),
    )
}

/// A write of whatever has an identifier that is not there.
fn conditional(method: &str, text: &[u8]) -> TestRequest {
    let path = format!("/fhir/Patient?identifier={}&active=false&_id=none", escaped(text));
    match method {
        "PATCH" => request("PATCH", &path)
            .insert_header(("Content-Type", "application/json-patch+json"))
            .set_payload(r#"[{"op":"test","path":"/id","value":"a"}]"#),
        "DELETE" => request("DELETE", &path),
        method => with_body(
            request(method, &path),
            r#"{"resourceType":"Patient","active":true}"#,
        ),
    }
}

/// The text as a name, an identifier, a tag and a uri of a new resource.
fn create(_: &'static str, text: &[u8]) -> Option<TestRequest> {
    let text = String::from_utf8(text.to_vec()).ok()?;
    Some(with_body(
        request("POST", "/fhir/Patient"),
        &holding(&text).to_string(),
    ))
}

/// A Patient who holds the text wherever text may be.
pub(crate) fn holding(text: &str) -> Value {
    json!({
        "resourceType": "Patient",
        "name": [{"family": text}],
        "identifier": [{"system": "urn:x", "value": text}],
        "address": [{"city": text}],
    })
}
