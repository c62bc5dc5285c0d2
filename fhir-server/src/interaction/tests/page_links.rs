//! Page links that are not as they were given: refused, whoever changed them and however (S-051).
//!
//! `FHIR_TEST_LONG=1` tries 100,000; `FHIR_TEST_SEED` repeats the choices of a run.

use super::*;
use crate::context::TenantId;

/// Choices that a seed repeats (SplitMix64).
struct Choices(u64);

impl Choices {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % end.max(1) as u64).unwrap()
    }
}

fn seed() -> u64 {
    let asked = std::env::var("FHIR_TEST_SEED").ok();
    let clock = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    asked
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(clock.as_secs())
}

/// A token that is not any of those; what is changed in it, at random.
fn changed(tokens: &[String], choices: &mut Choices) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const ODD: [char; 8] = ['=', '+', '/', ' ', '\0', '%', 'é', '\u{1F600}'];
    let own = tokens[choices.below(tokens.len())].clone();
    let other = &tokens[choices.below(tokens.len())];
    let at = choices.below(own.len());
    let letter = char::from(ALPHABET[choices.below(ALPHABET.len())]);
    match choices.below(10) {
        0 => format!("{}{letter}{}", &own[..at], &own[at + 1..]),
        1 => own[..at].to_owned(),
        2 => own[at..].to_owned(),
        3 => format!("{own}{letter}"),
        4 => format!("{}{letter}{}", &own[..at], &own[at..]),
        // The signature of one and the content of another.
        5 => format!("{}{}", &own[..43.min(own.len())], &other[43.min(other.len())..]),
        6 => format!("{}{}", &own[..at], &other[at.min(other.len())..]),
        7 => own.repeat(1 + choices.below(400)),
        8 => format!("{}{}{}", &own[..at], ODD[choices.below(ODD.len())], &own[at..]),
        _ => (0..choices.below(300))
            .map(|_| char::from(ALPHABET[choices.below(64)]))
            .collect(),
    }
}

fn token_of(bundle: &Value) -> String {
    let links = bundle["link"].as_array().unwrap();
    let next = links.iter().find(|link| link["relation"] == "next").unwrap();
    next["url"]
        .as_str()
        .unwrap()
        .split_once("_page=")
        .unwrap()
        .1
        .to_owned()
}

/// Fifteen patients whose ids begin with that letter, for that tenant.
fn filled(server: &TestServer, tenant: i64, letter: char) {
    for number in 0..15 {
        let id = format!("{letter}{number}");
        let body = format!(r#"{{"resourceType":"Patient","id":"{id}","active":true}}"#);
        let mut context = server.context();
        context.tenant = TenantId(tenant);
        let request = with_body(request("PUT", &format!("Patient/{id}")), &body);
        server.send_in(server.engine.session(context), &request).unwrap();
    }
}

fn ask(server: &TestServer, tenant: i64, path: &str, token: &str) -> Result<Response, Error> {
    let mut context = server.context();
    context.tenant = TenantId(tenant);
    let mut asked = request("GET", path);
    asked.query = vec![("_page".into(), token.to_owned())];
    server.send_in(server.engine.session(context), &asked)
}

#[test]
fn a_page_link_that_was_changed_is_refused_and_never_shows_another_page() {
    let rounds = if std::env::var_os("FHIR_TEST_LONG").is_some() {
        100_000
    } else {
        2_000
    };
    let seed = seed();
    println!("{rounds} links, seed {seed}");
    let server = TestServer::new();
    filled(&server, 1, 'a');
    filled(&server, 2, 'b');
    let paths = ["Patient", "Patient/_history", ""];
    let mut tokens = Vec::new();
    for path in [
        "Patient?_count=4",
        "Patient?_count=3&_sort=_id",
        "Patient/_history?_count=4",
        "?_type=Patient&_count=5",
    ] {
        tokens.push(token_of(&server.json(path)));
    }
    let mut choices = Choices(seed);
    let mut refused = 0;
    for round in 0..rounds {
        let token = changed(&tokens, &mut choices);
        let path = paths[choices.below(paths.len())];
        let tenant = 1 + i64::from(choices.below(4) == 0);
        match ask(&server, tenant, path, &token) {
            Err(error) => {
                let status = error.code.facts().status;
                assert!(
                    matches!(status, 400 | 410),
                    "round {round}, seed {seed}: {status} {token}"
                );
                refused += 1;
            }
            // A change that changes nothing.
            Ok(response) => {
                assert!(tokens.contains(&token), "round {round}, seed {seed}: {token}");
                assert_eq!(tenant, 1, "round {round}, seed {seed}: another tenant's page");
                assert!(!text(&response).contains("\"b"), "round {round}, seed {seed}");
            }
        }
    }
    println!("{refused} refused");
    assert!(refused > rounds * 9 / 10);
}

#[test]
fn a_page_link_is_good_for_its_own_tenant_and_url_alone() {
    let server = TestServer::new();
    filled(&server, 1, 'a');
    filled(&server, 2, 'b');
    let token = token_of(&server.json("Patient?_count=4"));
    assert_eq!(
        json(&ask(&server, 1, "Patient", &token).unwrap())["entry"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    for (tenant, path) in [
        (2, "Patient"),
        (1, "Observation"),
        (1, ""),
        (1, "Patient/_history"),
        (7, "Patient"),
    ] {
        assert_eq!(told(ask(&server, tenant, path, &token)).0, 400, "{tenant} {path}");
    }
}

#[test]
fn a_page_link_tells_nothing_to_who_reads_it_and_is_the_same_for_the_same_page() {
    use base64::Engine as _;
    let server = TestServer::new();
    filled(&server, 1, 'a');
    let token = token_of(&server.json("Patient?_count=4"));
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(&token)
        .unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("Patient") && !text.contains("\"m\""), "{text}");
    assert_eq!(token, token_of(&server.json("Patient?_count=4")));
    assert_ne!(token, token_of(&server.json("Patient?_count=5")));
}
