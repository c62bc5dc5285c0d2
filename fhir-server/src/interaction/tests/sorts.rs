//! `_sort`, and paging in each order.

use super::record::{ids, record};
use super::*;

#[test]
fn matches_come_in_the_order_asked_for_and_those_without_a_value_last() {
    let server = record();
    for (url, expected) in [
        ("Patient?_sort=birthdate", ["ann", "bob", "nobody"]),
        ("Patient?_sort=-birthdate", ["bob", "ann", "nobody"]),
        ("Patient?_sort=family", ["bob", "ann", "nobody"]),
        ("Patient?_sort=-family", ["ann", "bob", "nobody"]),
        ("Patient?_sort=gender,-_id", ["ann", "bob", "nobody"]),
        ("Patient?_sort=_id", ["ann", "bob", "nobody"]),
        ("Patient?_sort=-_id", ["nobody", "bob", "ann"]),
        ("Patient?_sort=active,-birthdate", ["ann", "bob", "nobody"]),
        ("Patient?_sort=_lastUpdated", ["ann", "bob", "nobody"]),
    ] {
        assert_eq!(ids(&server, url), expected, "{url}");
        let mut paged = Vec::new();
        let mut next = Some(format!("{url}&_count=1"));
        while let Some(url) = next {
            paged.extend(ids(&server, &url));
            let bundle = server.json(&url);
            let links = bundle["link"].as_array().unwrap().clone();
            let link = links.iter().find(|l| l["relation"] == "next");
            next = link.map(|l| l["url"].as_str().unwrap().to_owned());
        }
        assert_eq!(paged, expected, "{url}, page by page");
    }
}

#[test]
fn what_cannot_be_sorted_by_is_reported_and_left_out() {
    let server = record();
    for sort in ["nmae", "family,nmae", "", "-", "code-value-quantity", "_text"] {
        let bundle = server.json(&format!("Patient?_sort={sort}&gender=male"));
        assert_eq!(
            bundle["link"][0]["url"],
            format!("{BASE}/Patient?gender=male"),
            "{sort}"
        );
        assert!(bundle.to_string().contains("http._sort"), "{sort}");
    }
    assert_eq!(told(server.get("Patient?_sort=a,b,c,d,e,f")).1, "too-costly");
    assert_eq!(told(server.get("Patient?_sort=family&_sort=gender")).0, 400);
}
