//! `_text` and `_content`.

use super::*;

fn with_words(of: &str, query: &str) -> std::result::Result<Filter, Problem> {
    let limits = Limits {
        full_text: true,
        filter_depth: 3,
        ..Limits::default()
    };
    let (name, value) = query.split_once('=').unwrap();
    let types: Vec<&str> = of.split(',').filter(|t| !t.is_empty()).collect();
    read_with(&limits, &types, name, value)
}

/// Words as they are asked for: `t` for the narrative, `c` for all text.
fn short(filter: &Filter) -> String {
    let joined = |all: &[Filter], word: &str| {
        let all: Vec<String> = all.iter().map(short).collect();
        format!("({})", all.join(word))
    };
    match filter {
        Filter::And(all) => joined(all, " & "),
        Filter::Or(any) => joined(any, " | "),
        Filter::Not(inner) => format!("!{}", short(inner)),
        Filter::Words { narrative, phrase } => {
            format!("{}:{}", if *narrative { "t" } else { "c" }, phrase.join("+"))
        }
        other => shown(other),
    }
}

#[test]
fn words_phrases_and_operators_are_understood() {
    for (of, query, wanted) in [
        ("Condition", "_text=bone", "t:bone"),
        ("Condition", "_content=Bone", "c:bone"),
        ("", "_text=bone", "t:bone"),
        ("Patient,Condition", "_content=bone", "c:bone"),
        ("Condition", "_text=a b", "(t:a & t:b)"),
        ("Condition", "_text=a AND b and c", "(t:a & t:b & t:c)"),
        (
            "Condition",
            "_text=(bone OR liver) and metastases",
            "((t:bone | t:liver) & t:metastases)",
        ),
        ("Condition", "_text=a or b c or d", "(t:a | (t:b & t:c) | t:d)"),
        ("Condition", "_text=a NOT b", "(t:a & !t:b)"),
        ("Condition", "_text=not (a b)", "!(t:a & t:b)"),
        ("Condition", "_text=\"big BONE\" x", "(t:big+bone & t:x)"),
        ("Condition", "_text=\"and\"", "t:and"),
        ("Condition", "_text=O'Neill", "t:o+neill"),
        ("Condition", "_text=a - b", "(t:a & t:b)"),
        ("Condition", "_text=a,b c", "(t:a | (t:b & t:c))"),
        ("Condition", "_text=a\\,b", "t:a+b"),
        ("Condition", "_text=12.5", "t:12+5"),
    ] {
        let filter = with_words(of, query).unwrap_or_else(|e| panic!("{of}?{query}: {e:?}"));
        assert_eq!(short(&filter), wanted, "{of}?{query}");
    }
}

#[test]
fn what_is_not_understood_is_refused() {
    let long = format!("_text=\"{}\"", "a ".repeat(33));
    let deep = "_text=((((a))))".to_owned();
    let plain = [
        "&&", "-", "(a", "a)", "()", "\"a", "a and", "and a", "a or", "not", "bon*", "\"\"", "a,",
    ];
    let plain = plain.iter().map(|value| format!("_text={value}"));
    for query in plain.chain([long, deep, "_text:exact=a".to_owned()]) {
        match with_words("Condition", &query) {
            Err(Problem::Refused(error)) => {
                let code = error.code;
                assert!(
                    matches!(code, ErrorCode::Value | ErrorCode::TooCostly),
                    "{query}: {code:?}"
                );
            }
            other => panic!("{query}: {other:?}"),
        }
    }
}

#[test]
fn what_is_not_offered_is_not_known_and_the_setting_is_named() {
    for (of, query) in [
        ("Condition", "_text=a"),
        ("Condition", "subject:Patient._content=a"),
    ] {
        match read(of, query) {
            Err(Problem::Unknown(why)) => assert!(why.contains("search.full_text"), "{why}"),
            other => panic!("{query}: {other:?}"),
        }
    }
    assert!(matches!(
        with_words("Bundle", "_text=a"),
        Err(Problem::Unknown(_))
    ));
    assert!(with_words("Bundle", "_content=a").is_ok());
}
