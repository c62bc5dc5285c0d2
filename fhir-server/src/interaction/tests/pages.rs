//! Page links.

use super::*;
use crate::context::TenantId;

fn with_patients(count: usize) -> TestServer {
    let server = TestServer::new();
    for i in 0..count {
        server
            .put(&format!("Patient/p{i}"), &patient(&format!("p{i}"), true))
            .unwrap();
    }
    server
}

fn patient(id: &str, active: bool) -> String {
    format!(r#"{{"resourceType":"Patient","id":"{id}","active":{active}}}"#)
}

fn next(bundle: &Value) -> Option<String> {
    let links = bundle["link"].as_array()?;
    Some(
        links.iter().find(|l| l["relation"] == "next")?["url"]
            .as_str()?
            .to_owned(),
    )
}

fn ids(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries
        .iter()
        .map(|e| e["resource"]["id"].as_str().unwrap().to_owned())
        .collect()
}

/// The ids of all pages, `between` called between two.
fn walk(server: &TestServer, first: &str, mut between: impl FnMut(usize)) -> Vec<String> {
    let (mut url, mut all) = (first.to_owned(), Vec::new());
    for page in 0.. {
        let bundle = server.json(&url);
        all.extend(ids(&bundle));
        let Some(following) = next(&bundle) else {
            return all;
        };
        url = following;
        between(page);
    }
    unreachable!("pages without end")
}

#[test]
fn pages_give_every_row_once_in_both_directions() {
    let server = with_patients(7);
    let rising = walk(&server, "Patient?_count=3&_sort=_lastUpdated", |_| {});
    assert_eq!(rising, ["p0", "p1", "p2", "p3", "p4", "p5", "p6"]);
    let falling = walk(&server, "Patient?_count=3", |_| {});
    assert_eq!(falling, ["p6", "p5", "p4", "p3", "p2", "p1", "p0"]);
    assert_eq!(walk(&server, "Patient?_count=7", |_| {}).len(), 7);
}

#[test]
fn rows_added_or_changed_meanwhile_do_not_disturb_the_others() {
    for sort in ["_lastUpdated", "-_lastUpdated"] {
        let server = with_patients(6);
        let all = walk(&server, &format!("Patient?_count=2&_sort={sort}"), |page| {
            server.post("Patient", PATIENT).unwrap();
            if page == 0 {
                server.put("Patient/p3", &patient("p3", false)).unwrap();
            }
        });
        let mut unchanged: Vec<_> = all.iter().filter(|id| *id != "p3").cloned().collect();
        unchanged.sort();
        assert_eq!(unchanged, ["p0", "p1", "p2", "p4", "p5"], "{sort}");
        assert!(all.len() <= 6);
    }
}

#[test]
fn the_total_stays_that_of_the_first_page() {
    let server = with_patients(5);
    let first = server.json("Patient?_count=2&foo=1");
    server.post("Patient", PATIENT).unwrap();
    let second = server.json(&next(&first).unwrap());
    assert_eq!(
        (first["total"].as_u64(), second["total"].as_u64()),
        (Some(5), Some(5))
    );
    assert_eq!(second["link"][0]["url"].as_str(), next(&first).as_deref());
}

#[test]
fn a_link_is_good_for_every_server_of_the_database() {
    let server = with_patients(5);
    let link = next(&server.json("Patient?_count=2")).unwrap();
    let again = TestServer::over(
        server.store.clone(),
        server.clock.clone(),
        Settings::default(),
        Arc::new(PermitAll),
    );
    assert_eq!(ids(&again.json(&link)), ids(&server.json(&link)));
}

fn refused(server: &TestServer, url: &str) {
    let (status, code, place) = told(server.get(url));
    assert_eq!(
        (status, code, place.as_str()),
        (400, "value", "http._page"),
        "{url}"
    );
}

#[test]
fn a_link_that_was_changed_or_cut_off_is_refused() {
    let server = with_patients(5);
    let link = next(&server.json("Patient?_count=2")).unwrap();
    let (url, token) = link.split_once("?_page=").unwrap();
    for end in [0, 1, 10, 43, token.len() - 1] {
        if end > 0 {
            refused(&server, &format!("{url}?_page={}", &token[..end]));
        }
    }
    for at in (0..token.len()).step_by(7) {
        let changed: String = token
            .char_indices()
            .map(|(i, c)| {
                if i == at {
                    if c == 'A' { 'B' } else { 'A' }
                } else {
                    c
                }
            })
            .collect();
        refused(&server, &format!("{url}?_page={changed}"));
    }
    refused(&server, &format!("{url}?_page={token}A"));
    refused(&server, &format!("{url}?_page={}", "A".repeat(100_000)));
    refused(&server, &format!("{url}?_page={token}&_count=3"));
    refused(&server, &format!("Basic?_page={token}"));
    refused(&server, &format!("?_page={token}"));
    refused(&server, &format!("Patient/_history?_page={token}"));
}

#[test]
fn a_link_of_another_database_or_tenant_is_refused() {
    let server = with_patients(5);
    let link = next(&server.json("Patient?_count=2")).unwrap();
    let foreign = fresh(server.clock.clone());
    refused(
        &TestServer::over(
            foreign,
            server.clock.clone(),
            Settings::default(),
            Arc::new(PermitAll),
        ),
        &link,
    );
    let mut context = server.context();
    context.tenant = TenantId(2);
    let result = server.send_in(server.engine.session(context), &request("GET", &link));
    assert_eq!(told(result), (400, "value", "http._page".into()));
}
