//! Links to other entries, piece by piece.

use super::*;

fn links() -> BundleLinks {
    let mut links = BundleLinks::default();
    let new = |reference: &str| Assigned {
        reference: reference.into(),
        created: true,
    };
    assert!(links.insert("urn:uuid:a", new("Patient/1")));
    assert!(links.insert("http://e.org/r4/Patient/9", new("Patient/2")));
    assert!(links.insert(
        "urn:uuid:p",
        Assigned {
            reference: "Patient/3".into(),
            created: false
        }
    ));
    assert!(!links.insert("urn:uuid:a", new("Patient/4")));
    links
}

#[test]
fn a_reference_keeps_its_version_and_fragment() {
    let reference = |value: &str| links().resolve(LinkKind::Reference, value, Some("http://e.org/r4/"));
    let expected = [
        ("urn:uuid:a", Some("Patient/1")),
        ("urn:uuid:a#x", Some("Patient/1#x")),
        ("urn:uuid:a/_history/5", Some("Patient/1/_history/1")),
        ("urn:uuid:a/_history/5#x", Some("Patient/1/_history/1#x")),
        ("urn:uuid:p/_history/5", Some("Patient/3/_history/5")),
        ("Patient/9", Some("Patient/2")),
        ("Patient/9/_history/2", Some("Patient/2/_history/1")),
        ("http://e.org/r4/Patient/9", Some("Patient/2")),
        ("Patient/8", None),
        ("#x", None),
        ("", None),
        ("urn:uuid:b", None),
        ("Nothing/9", None),
    ];
    for (value, wanted) in expected {
        assert_eq!(reference(value).as_deref(), wanted, "{value}");
    }
    assert_eq!(links().resolve(LinkKind::Reference, "Patient/9", None), None);
}

#[test]
fn a_uri_is_replaced_where_it_is_equal_only() {
    let uri = |value: &str| links().resolve(LinkKind::Uri, value, Some("http://e.org/r4/"));
    assert_eq!(uri("urn:uuid:a").as_deref(), Some("Patient/1"));
    assert_eq!(
        (uri("urn:uuid:a#x"), uri("Patient/9"), uri("urn:uuid:ab")),
        (None, None, None)
    );
}

#[test]
fn narrative_is_changed_in_href_and_src_only() {
    let narrative = |text: &str| links().resolve(LinkKind::Narrative, text, None);
    let expected = [
        (
            r#"<div><a href="urn:uuid:a">x</a></div>"#,
            Some(r#"<div><a href="Patient/1">x</a></div>"#),
        ),
        (
            r#"<a title="a>b" href = 'urn:uuid:a#f'/><img src="urn:uuid:p"/>"#,
            Some(r#"<a title="a>b" href = 'Patient/1#f'/><img src="Patient/3"/>"#),
        ),
        (
            r#"<a title="href=" href="urn:uuid:a"/>"#,
            Some(r#"<a title="href=" href="Patient/1"/>"#),
        ),
        (r#"<p title="urn:uuid:a">href="urn:uuid:a"</p>"#, None),
        (r#"<a data-href="urn:uuid:a">urn:uuid:a</a>"#, None),
        (r#"<a href="urn:uuid:b"/>"#, None),
        (r#"<a href="urn:uuid:a"#, None),
        ("<", None),
        ("", None),
        (
            "é<a href=\"urn:uuid:a\">é</a>",
            Some("é<a href=\"Patient/1\">é</a>"),
        ),
    ];
    for (text, wanted) in expected {
        assert_eq!(narrative(text).as_deref(), wanted, "{text}");
    }
}

#[test]
fn the_root_of_a_full_url_is_what_stands_before_type_and_id() {
    assert_eq!(root_of("http://e.org/r4/Patient/9"), Some("http://e.org/r4/"));
    assert_eq!(root_of("https://e.org/Patient/9"), Some("https://e.org/"));
    for none in ["urn:uuid:a", "http://e.org/r4/Nothing/9", "Patient/9", "", "/"] {
        assert_eq!(root_of(none), None, "{none}");
    }
}

#[test]
fn literals_with_escapes_are_understood() {
    assert_eq!(unquoted(br#""a\u002fb\"""#).unwrap(), "a/b\"");
    assert_eq!(unquoted(b"\"plain\"").unwrap(), "plain");
}
