//! What one request may cost, by the names of the security targets, on every database: searches (S-066), patterns (S-069), patches and
//! their expressions (S-070).
//!
//! That what takes too long is ended is tested where time is counted: `store/sqlite/tests/limits.rs`, `store/postgres/tests/limits.rs`.

use serde_json::{Value, json};

use crate::front::{Answer, Front, escaped, json as with_body, request};
use crate::fronts;

async fn get(front: &Front, path: &str) -> Answer {
    front.send(request("GET", path)).await
}

async fn put(front: &Front, resource: &Value) -> u16 {
    let part = |name: &str| resource[name].as_str().unwrap();
    let path = format!("/fhir/{}/{}", part("resourceType"), part("id"));
    front
        .send(with_body(request("PUT", &path), &resource.to_string()))
        .await
        .status
}

/// Asserts that a search is answered.
async fn answers(front: &Front, path: &str) -> Answer {
    let answer = get(front, path).await;
    let shown: String = path.chars().take(100).collect();
    assert_eq!(answer.status, 200, "{}: {shown}: {}", front.database, answer.body);
    answer
}

/// Asserts that a search is refused because of what it would cost.
async fn is_too_costly(front: &Front, path: &str) {
    let answer = get(front, path).await;
    let shown: String = path.chars().take(100).collect();
    let is_refused =
        answer.status == 422 && answer.body["issue"][0]["code"] == "too-costly" || answer.status == 413;
    assert!(
        is_refused,
        "{}: {shown}: {} {}",
        front.database, answer.status, answer.body
    );
}

fn modes(answer: &Answer, mode: &str) -> usize {
    let entries = answer.body["entry"].as_array().map_or(&[][..], Vec::as_slice);
    entries
        .iter()
        .filter(|entry| entry["search"]["mode"] == mode)
        .count()
}

#[actix_web::test]
async fn s_066_parameters_values_links_and_keys_have_limits() {
    let (fronts, _files) = fronts().await;
    for front in &fronts {
        let parameters = |count: usize| format!("/fhir/Patient?{}", vec!["family=a"; count].join("&"));
        answers(front, &parameters(100)).await;
        is_too_costly(front, &parameters(101)).await;
        is_too_costly(front, &parameters(500)).await;
        let values = |count: usize| format!("/fhir/Patient?family={}", vec!["a"; count].join(","));
        answers(front, &values(500)).await;
        is_too_costly(front, &values(501)).await;
        is_too_costly(front, &values(10_000)).await;
        let chain = |links: usize| format!("/fhir/Location?{}name=a", "partof:Location.".repeat(links));
        answers(front, &chain(3)).await;
        is_too_costly(front, &chain(4)).await;
        is_too_costly(front, &chain(20)).await;
        let has = |links: usize| {
            format!(
                "/fhir/Observation?{}code=a",
                "_has:Observation:has-member:".repeat(links)
            )
        };
        answers(front, &has(3)).await;
        is_too_costly(front, &has(4)).await;
        is_too_costly(front, &has(10)).await;
        let keys = |count: usize| format!("/fhir/Patient?_sort={}", vec!["family"; count].join(","));
        answers(front, &keys(5)).await;
        is_too_costly(front, &keys(6)).await;
        is_too_costly(front, &keys(50)).await;
        // Each link to any type multiplies what there is to look at.
        is_too_costly(
            front,
            &format!("/fhir/List?item.patient.name={}", vec!["a"; 500].join(",")),
        )
        .await;
    }
}

#[actix_web::test]
async fn s_066_pages_and_includes_have_limits_whatever_is_asked() {
    let (fronts, _files) = fronts().await;
    for front in &fronts {
        assert_eq!(
            put(front, &json!({"resourceType": "Patient", "id": "p"})).await,
            201
        );
        let entry = |number: usize| {
            json!({"resource": {"resourceType": "Basic", "id": format!("b{number}"), "code": {"text": "x"}, "subject": {"reference": "Patient/p"}},
                "request": {"method": "PUT", "url": format!("Basic/b{number}")}})
        };
        let entries: Vec<Value> = (0..1005).map(entry).collect();
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries}).to_string();
        assert_eq!(
            front
                .send(with_body(request("POST", "/fhir"), &bundle))
                .await
                .status,
            200
        );
        for count in ["1001", "1000000000", "99999999999999999999999999"] {
            let page = answers(front, &format!("/fhir/Basic?_count={count}")).await;
            assert_eq!((modes(&page, "match"), &page.body["total"]), (1000, &json!(1005)));
            assert!(
                page.body["link"].to_string().contains("\"next\""),
                "{}",
                page.body["link"]
            );
        }
        let included = answers(front, "/fhir/Patient?_revinclude=Basic:patient").await;
        assert_eq!(
            (modes(&included, "include"), modes(&included, "outcome")),
            (1000, 1)
        );
    }
}

#[actix_web::test]
async fn s_066_iterate_ends_in_circles_and_after_three_rounds() {
    let (fronts, _files) = fronts().await;
    for front in &fronts {
        for (id, above) in [
            ("a", "b"),
            ("b", "a"),
            ("1", "2"),
            ("2", "3"),
            ("3", "4"),
            ("4", "5"),
            ("5", "6"),
            ("6", "1"),
        ] {
            let part_of = json!({"reference": format!("Organization/{above}")});
            assert_eq!(
                put(
                    front,
                    &json!({"resourceType": "Organization", "id": id, "name": "x", "partOf": part_of})
                )
                .await,
                201
            );
        }
        let circle = answers(front, "/fhir/Organization?_id=a&_include:iterate=Organization:partof&_revinclude:iterate=Organization:partof").await;
        assert_eq!(
            (modes(&circle, "include"), modes(&circle, "outcome")),
            (1, 0),
            "{}",
            circle.body
        );
        // What matches leads to is the first; three rounds more lead to 3, 4 and 5; that there is a sixth is said.
        let chain = answers(
            front,
            "/fhir/Organization?_id=1&_include:iterate=Organization:partof",
        )
        .await;
        assert_eq!(
            (modes(&chain, "include"), modes(&chain, "outcome")),
            (4, 1),
            "{}",
            chain.body
        );
    }
}

#[actix_web::test]
async fn s_066_what_every_resource_passes_is_answered_or_refused() {
    let (fronts, _files) = fronts().await;
    for front in &fronts {
        for number in 0..50 {
            let patient = json!({"resourceType": "Patient", "id": format!("p{number}"), "name": [{"family": "Banana"}], "birthDate": "1980"});
            assert_eq!(put(front, &patient).await, 201);
        }
        for query in [
            "name:contains=a",
            "birthdate=gt0001",
            "name:contains=%25",
            "_lastUpdated=gt0001",
            "_id:not=x",
            "birthdate:missing=false",
        ] {
            let found = answers(front, &format!("/fhir/Patient?{query}&_count=0")).await;
            let expected = if query.ends_with("%25") { 0 } else { 50 };
            assert_eq!(found.body["total"], expected, "{query}");
        }
        let elements: Vec<String> = (0..400).map(|number| format!("e{number}")).collect();
        answers(front, &format!("/fhir/Patient?_elements={}", elements.join(","))).await;
        let form = format!("_elements={}", elements.join(",").repeat(400));
        let huge = request("POST", "/fhir/Patient/_search")
            .insert_header(("Content-Type", "application/x-www-form-urlencoded"));
        let refused = front.send(huge.set_payload(form)).await;
        assert!(
            [400, 413, 414, 422].contains(&refused.status),
            "{}",
            refused.status
        );
    }
}

/// A FHIRPath patch of one operation, sent to `Patient/p`.
async fn patch(front: &Front, kind: &str, path: &str) -> Answer {
    let part = json!([{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]);
    let body = json!({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]});
    front
        .send(with_body(request("PATCH", "/fhir/Patient/p"), &body.to_string()))
        .await
}

#[actix_web::test]
async fn s_069_patterns_that_explode_elsewhere_are_matched_or_refused() {
    let (fronts, _files) = fronts().await;
    for front in &fronts {
        let text = format!("{}!", "a".repeat(100_000));
        let patient =
            json!({"resourceType": "Patient", "id": "p", "name": [{"family": text, "given": ["x"]}]});
        for (pattern, is_found) in [
            ("(a+)+$", false),
            ("(a|aa)+$", false),
            ("(a|a)*$", true),
            ("(.*a){20}$", false),
            ("([a-zA-Z]+)*!$", true),
            ("^(a+)+!$", true),
            // Too large once compiled, look-around, a back reference.
            ("((a{100}){100}){100}", false),
            ("(?=a)a", false),
            ("(a)\\\\1", false),
        ] {
            assert!(put(front, &patient).await < 300);
            let path = format!("Patient.name.where(family.matches('{pattern}')).given[0]");
            let answer = patch(front, "delete", &path).await;
            let is_deleted = get(front, "/fhir/Patient/p").await.body["name"][0]["given"].is_null();
            assert_eq!(
                is_deleted, is_found,
                "{pattern}: {} {}",
                answer.status, answer.body
            );
            assert!(
                [200, 400, 422].contains(&answer.status),
                "{pattern}: {} {}",
                answer.status,
                answer.body
            );
        }
        let replaced = patch(
            front,
            "delete",
            "Patient.name.where(family.replaceMatches('a', '$0$0$0$0$0$0$0$0').length() > 1).given",
        )
        .await;
        assert!(replaced.status < 500, "{}", replaced.body);
        let doubling = format!(
            "Patient.name.where(family{}.length() > 1)",
            ".replaceMatches('a', 'aaaaaaaaaa')".repeat(20)
        );
        assert_eq!(patch(front, "delete", &doubling).await.status, 422);
    }
}

#[actix_web::test]
async fn s_070_expressions_that_never_end_are_ended() {
    let (fronts, _files) = fronts().await;
    for front in &fronts {
        let patient =
            json!({"resourceType": "Patient", "id": "p", "name": [{"family": "a"}, {"family": "b"}]});
        assert_eq!(put(front, &patient).await, 201);
        let before = get(front, "/fhir/Patient/p").await;
        let nested = |open: &str, close: &str, times: usize| {
            format!("{}Patient{}.name", open.repeat(times), close.repeat(times))
        };
        for path in [
            format!("Patient.name{}", ".combine($this)".repeat(3)),
            format!("Patient.name{}", ".combine(Patient.name)".repeat(200)),
            format!(
                "Patient.where(name{}.exists())",
                ".select($this.combine($this))".repeat(40)
            ),
            "Patient.where(repeat(combine($this).combine(1)).exists())".to_owned(),
            format!(
                "Patient.where(name{}.exists())",
                ".select(%resource.name)".repeat(60)
            ),
            format!(
                "Patient.where(descendants(){}.exists())",
                ".select(%resource.descendants())".repeat(30)
            ),
            nested("(", ")", 100),
            nested("(", ")", 10_000),
            format!("Patient.name[{}0{}]", "(".repeat(200), ")".repeat(200)),
            format!("Patient.where({}1 = 1)", "not ".repeat(5000)),
            format!("Patient.where(1{})", " + 1".repeat(20_000)),
            format!("Patient.where({} > 1)", "9".repeat(5000)),
            format!("Patient.where('{}' = 'x')", "x".repeat(70_000)),
            format!("Patient.where(@2024-01-01 + {} years > @2024)", "9".repeat(18)),
            "Patient.where(1.power(1e9) > 0)".to_owned(),
            "Patient.where(10.power(400) > 0)".to_owned(),
            "%context.id".to_owned(),
            "%rootResource.meta".to_owned(),
            "Patient.name.first().resolve()".to_owned(),
        ] {
            let answer = patch(front, "delete", &path).await;
            let shown: String = path.chars().take(80).collect();
            let is_refused = [400, 413, 422].contains(&answer.status);
            assert!(
                is_refused || answer.status == 200,
                "{}: {shown}: {} {}",
                front.database,
                answer.status,
                answer.body
            );
            let after = get(front, "/fhir/Patient/p").await;
            assert_eq!(after, before, "{}: {shown} has changed it", front.database);
        }
    }
}

#[actix_web::test]
async fn s_070_patches_that_grow_without_end_are_refused() {
    let (fronts, _files) = fronts().await;
    for front in &fronts {
        let patient =
            json!({"resourceType": "Patient", "id": "p", "name": [{"given": ["0123456789".repeat(10)]}]});
        assert_eq!(put(front, &patient).await, 201);
        let before = get(front, "/fhir/Patient/p").await;
        let copy = json!({"op": "copy", "from": "/name", "path": "/name/0/x"});
        let double = json!({"op": "copy", "from": "/name/0", "path": "/name/-"});
        let deeper = json!({"op": "copy", "from": "", "path": "/x"});
        let add = json!({"op": "add", "path": "/name/-", "value": {"family": "x".repeat(10_000)}});
        for operations in [
            vec![copy; 60],
            vec![double; 100_000],
            vec![deeper; 60],
            vec![add; 5000],
        ] {
            let body = Value::from(operations).to_string();
            let request = request("PATCH", "/fhir/Patient/p")
                .insert_header(("Content-Type", "application/json-patch+json"));
            let answer = front.send(request.set_payload(body)).await;
            assert!(
                [400, 413, 422].contains(&answer.status),
                "{} {}",
                answer.status,
                answer.body
            );
            assert_eq!(get(front, "/fhir/Patient/p").await, before);
        }
    }
}

/// Patches of what the server alone says: media type and body.
fn forbidden() -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for path in ["/id", "/meta/versionId", "/meta/lastUpdated", "/resourceType"] {
        for operation in [
            json!({"op": "remove", "path": path}),
            json!({"op": "replace", "path": path, "value": "7"}),
        ] {
            all.push(("application/json-patch+json", json!([operation]).to_string()));
        }
        all.push((
            "application/json-patch+json",
            json!([{"op": "move", "from": path, "path": "/language"}]).to_string(),
        ));
    }
    for member in [
        json!({"id": "q"}),
        json!({"id": null}),
        json!({"resourceType": "Group"}),
        json!({"meta": {"versionId": "7"}}),
    ] {
        all.push(("application/merge-patch+json", member.to_string()));
    }
    for sel in [
        "f:Patient/f:id",
        "f:Patient/f:meta/f:versionId",
        "f:Patient/f:id/@value",
    ] {
        all.push((
            "application/xml-patch+xml",
            format!("<diff><remove sel=\"{sel}\"/></diff>"),
        ));
    }
    for path in ["Patient.id", "Patient.meta.versionId", "Patient.meta.lastUpdated"] {
        let part = json!([{"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": path}]);
        let body = json!({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]});
        all.push(("application/fhir+json", body.to_string()));
    }
    all
}

#[actix_web::test]
async fn s_070_no_patch_reaches_id_version_and_time() {
    let (fronts, _files) = fronts().await;
    for front in &fronts {
        let patient =
            json!({"resourceType": "Patient", "id": "p", "active": true, "meta": {"tag": [{"code": "x"}]}});
        assert_eq!(put(front, &patient).await, 201);
        for (kind, body) in forbidden() {
            let version = get(front, "/fhir/Patient/p").await.body["meta"]["versionId"].clone();
            let request = request("PATCH", "/fhir/Patient/p").insert_header(("Content-Type", kind));
            let answer = front.send(request.set_payload(body.clone())).await;
            let after = get(front, "/fhir/Patient/p").await.body;
            assert!(answer.status < 500, "{body}: {} {}", answer.status, answer.body);
            assert_eq!(
                (&after["id"], &after["resourceType"]),
                (&json!("p"), &json!("Patient")),
                "{body}"
            );
            assert_ne!(after["meta"]["versionId"], "7", "{body}");
            // It is refused, or what the server says itself is as if it had not been touched.
            let is_refused = [400, 422].contains(&answer.status) && after["meta"]["versionId"] == version;
            let is_kept = answer.status == 200 && after["meta"]["lastUpdated"] == "2026-11-26T12:00:00.000Z";
            assert!(
                is_refused || is_kept,
                "{}: {body}: {} {after}",
                front.database,
                answer.status
            );
        }
        assert_eq!(
            get(front, &format!("/fhir/Patient?_id={}", escaped(b"q")))
                .await
                .body["total"],
            0
        );
    }
}
