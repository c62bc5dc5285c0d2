//! The grammar of scopes, case by case (S-022), and that reading and writing are each other's inverse.

use super::*;

fn printed(text: &str) -> Option<String> {
    Scope::read(text).map(|scope| scope.to_string())
}

#[test]
fn what_is_a_scope_and_how_it_is_written() {
    for (text, canonical) in [
        ("patient/Observation.rs", "patient/Observation.rs"),
        ("patient/Observation.c", "patient/Observation.c"),
        ("user/*.cruds", "user/*.cruds"),
        ("system/Patient.cud", "system/Patient.cud"),
        ("system/Patient.d", "system/Patient.d"),
        ("patient/Observation.read", "patient/Observation.rs"),
        ("patient/Observation.write", "patient/Observation.cud"),
        ("patient/*.*", "patient/*.cruds"),
        ("user/*.read", "user/*.rs"),
        (
            "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
            "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
        ),
        (
            "user/Condition.r?category=a&clinical-status=b,c",
            "user/Condition.r?category=a&clinical-status=b,c",
        ),
        (
            "user/Patient.s?name=O%27Brien%20x%26y",
            "user/Patient.s?name=O'Brien%20x%26y",
        ),
        ("user/Patient.s?a=b=c", "user/Patient.s?a=b=c"),
        ("user/Patient.s?name=%C3%A9", "user/Patient.s?name=%C3%A9"),
    ] {
        assert_eq!(printed(text).as_deref(), Some(canonical), "{text}");
    }
}

#[test]
fn what_is_not_a_scope_grants_nothing_s_022() {
    let long = format!("patient/Observation.rs?category={}", "a".repeat(10 * 1024));
    for text in [
        "",
        "patient",
        "patient/",
        "patient/Observation",
        "patient/Observation.",
        "patient/Observation.sr",
        "patient/Observation.rr",
        "patient/Observation.rc",
        "patient/Observation.srudc",
        "patient/Observation.x",
        "patient/Observation.rsx",
        "patient/Observation.RS",
        "patient/Observation.Read",
        "patient/Observation.read.write",
        "patient/Observation.r.s",
        "patient/Observation.**",
        "patient/observation.rs",
        "patient/OBSERVATION.rs",
        "patient/Foo.rs",
        "patient/Resource.rs",
        "patient/DomainResource.rs",
        "patient/Observation*.rs",
        "patient/.rs",
        "patient/ Observation.rs",
        "patient/**.rs",
        "patient//Observation.rs",
        "/Observation.rs",
        "Patient/Observation.rs",
        "patients/Observation.rs",
        "PATIENT/Observation.rs",
        "group/Observation.rs",
        "*/Observation.rs",
        "patient/*.rs?",
        "patient/Observation.rs?a",
        "patient/Observation.rs?=b",
        "patient/Observation.rs?category",
        "patient/Observation.rs?category=",
        "patient/Observation.rs?category=%20",
        "patient/Observation.rs?category=a&",
        "patient/Observation.rs?&category=a",
        "patient/Observation.rs?category=a&&code=b",
        "patient/Observation.rs?category=a&b",
        "patient/Observation.rs?category=%0a",
        "patient/Observation.rs?category=a%00",
        "patient/Observation.rs?category=%7f",
        "patient/Observation.rs?category=%c2%85",
        "patient/Observation.rs?category=%ff",
        "patient/Observation.rs?category=%",
        "patient/Observation.rs?category=%4",
        "patient/Observation.rs?category=%zz",
        "patient/Observation.rs?category=\"a\"",
        "patient/Observation.rs?category=a\\b",
        "patient/Observation.rs\n",
        "patient/Observation.rs\u{0}",
        "patient/Observati\u{43e}n.rs",
        "patient/Observation.r\u{455}",
        "patient/Observation.rs?category=\u{e9}",
        "launch/patient",
        "openid",
        "Observation.rs",
        "patient\\Observation.rs",
        &long,
    ] {
        assert_eq!(printed(text), None, "{text}");
        assert!(Scopes::read(text).resources.is_empty(), "{text}");
    }
}

#[test]
fn a_set_leaves_out_what_it_does_not_know_and_keeps_the_rest() {
    let scopes = Scopes::read(
        "openid  launch/patient patient/Foo.rs patient/Observation.rs bogus openid user/*.read\tx",
    );
    assert_eq!(scopes.to_string(), "openid launch/patient patient/Observation.rs");
    assert!(scopes.has("openid") && !scopes.has("bogus"));
    let many = "user/Patient.rs ".repeat(100_000);
    assert_eq!(Scopes::read(&many).resources.len(), 1);
}

/// A generator of numbers that needs no crate and repeats for its seed.
fn next(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

fn pick<T: Copy>(state: &mut u64, of: &[T]) -> T {
    of[usize::try_from(next(state)).unwrap() % of.len()]
}

#[test]
fn reading_what_was_written_gives_the_same() {
    let seed = 20_261_126;
    let mut state = seed;
    let types: Vec<_> = ResourceType::all().collect();
    let alphabet: Vec<char> = "abcXYZ09-_|,:/.$=&%#+\"\\'?*() éλ\u{1F600}".chars().collect();
    for round in 0..20_000 {
        let text = |state: &mut u64| -> String {
            let length = 1 + next(state) % 12;
            (0..length).map(|_| pick(state, &alphabet)).collect()
        };
        let mut permissions = Permissions::default().with(pick(&mut state, &Permission::ALL));
        for one in Permission::ALL {
            if next(&mut state).is_multiple_of(2) {
                permissions = permissions.with(one);
            }
        }
        let restrictions = next(&mut state) % 4;
        let mut restriction = Vec::new();
        for _ in 0..restrictions {
            restriction.push((text(&mut state), format!("v{}", text(&mut state))));
        }
        let scope = Scope {
            level: pick(
                &mut state,
                &[ScopeLevel::Patient, ScopeLevel::User, ScopeLevel::System],
            ),
            resource_type: (!next(&mut state).is_multiple_of(5)).then(|| pick(&mut state, &types)),
            permissions,
            restriction,
        };
        let printed = scope.to_string();
        assert_eq!(
            Scope::read(&printed),
            Some(scope),
            "seed {seed}, round {round}: {printed}"
        );
        let scopes = Scopes::read(&format!("openid {printed} offline_access"));
        assert_eq!(
            Scopes::read(&scopes.to_string()),
            scopes,
            "seed {seed}, round {round}"
        );
    }
}

#[test]
fn no_text_panics_and_what_is_read_is_written_back_to_itself() {
    let seed = 9;
    let mut state = seed;
    let parts = [
        "patient",
        "user",
        "system",
        "/",
        "*",
        "Observation",
        ".",
        "r",
        "s",
        "c",
        "read",
        "?",
        "a",
        "=",
        "b",
        "&",
        "%",
        "2",
        "0",
        "|",
        "\u{e9}",
        " ",
        "\n",
    ];
    for round in 0..50_000 {
        let length = next(&mut state) % 12;
        let text: String = (0..length).map(|_| pick(&mut state, &parts)).collect();
        if let Some(scope) = Scope::read(&text) {
            assert_eq!(
                Scope::read(&scope.to_string()),
                Some(scope),
                "seed {seed}, round {round}: {text}"
            );
        }
    }
}
