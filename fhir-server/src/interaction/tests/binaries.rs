//! Binary in its two forms.

use super::*;
use crate::interaction::binary;

fn native(mut request: Request, content: &[u8]) -> Request {
    request.body = Some(RequestBody::Native {
        content_type: "image/png".into(),
        content: content.to_vec().into(),
        security_context: Some("Patient/p".into()),
    });
    request
}

/// The content of a Binary in JSON.
fn content(resource: &str) -> binary::Content {
    let resource = fhir_model::json::from_str(resource).unwrap();
    binary::content(resource.get().unwrap()).unwrap()
}

#[test]
fn content_of_its_own_type_becomes_a_binary_and_comes_back() {
    let server = TestServer::new();
    let bytes: Vec<u8> = (0..=255).collect();
    let created = server.send(&native(request("POST", "Binary"), &bytes)).unwrap();
    assert_eq!(
        (created.status, created.location.as_deref()),
        (201, Some("Binary/id-1/_history/1"))
    );
    let binary = server.json("Binary/id-1");
    assert_eq!(binary["contentType"], "image/png");
    assert_eq!(binary["securityContext"]["reference"], "Patient/p");
    let content_back = content(&text(&server.get("Binary/id-1").unwrap()));
    let expected = binary::Content {
        content_type: "image/png".into(),
        bytes,
        security_context: Some("Patient/p".into()),
    };
    assert_eq!(content_back, expected);
}

#[test]
fn put_of_content_takes_the_id_of_the_url() {
    let server = TestServer::new();
    let put = native(request("PUT", "Binary/b"), b"one");
    assert_eq!(server.send(&put).unwrap().status, 201);
    assert_eq!(server.send(&put).unwrap().version, Some(1));
    assert_eq!(
        server
            .send(&native(request("PUT", "Binary/b"), b"two"))
            .unwrap()
            .version,
        Some(2)
    );
}

#[test]
fn white_space_in_base64_is_kept_and_decoded() {
    let server = TestServer::new();
    let sent = r#"{"resourceType":"Binary","contentType":"text/plain","data":"QUJD\nQUI="}"#;
    server.post("Binary", sent).unwrap();
    let stored = text(&server.get("Binary/id-1").unwrap());
    assert!(stored.contains(r#""data":"QUJD\nQUI=""#));
    assert_eq!(content(&stored).bytes, b"ABCAB");
}

#[test]
fn a_binary_without_data_has_no_bytes() {
    let content = content(r#"{"resourceType":"Binary","contentType":"text/plain"}"#);
    assert!(content.bytes.is_empty());
}

#[test]
fn what_is_too_large_or_empty_or_not_for_binary_is_refused() {
    let server = TestServer::with(|settings| settings.binary_bytes = 12);
    server.send(&native(request("POST", "Binary"), &[0; 12])).unwrap();
    assert_eq!(
        told(server.send(&native(request("POST", "Binary"), &[0; 13]))).0,
        413
    );
    assert_eq!(told(server.send(&native(request("POST", "Binary"), &[]))).0, 400);
    assert_eq!(
        told(server.send(&native(request("POST", "Patient"), b"x"))).0,
        415
    );
    let fhir = format!(
        r#"{{"resourceType":"Binary","contentType":"a/b","data":"{}"}}"#,
        "QUJD".repeat(5)
    );
    assert_eq!(
        told(server.post("Binary", &fhir)),
        (413, "too-long", "Binary.data".into())
    );
    let wrong = r#"{"resourceType":"Binary","contentType":"a/b","data":"QUJ"}"#;
    assert_eq!(
        told(server.post("Binary", wrong)),
        (400, "structure", "Binary.data".into())
    );
}
