//! Which scenario of the design is tested where: every number from 1 to 80 has a test that bears it, waits for a feature, or is owed.

use std::collections::BTreeSet;
use std::path::Path;

use super::effects::PENDING;

/// Scenarios whose test has another name than theirs: its number, the file, and the test.
const ELSEWHERE: &[(u32, &str, &str)] = &[
    (
        74,
        "http/tests/tenants.rs",
        "the_same_nhs_number_in_two_organisations_never_meets_s_049",
    ),
    (
        75,
        "http/tests/canaries.rs",
        "con_75_neither_logs_nor_metrics_hold_anything_of_a_record",
    ),
    (
        79,
        "interaction/tests/consent/interference.rs",
        "an_answer_says_nothing_of_what_is_hidden",
    ),
];

/// Scenarios without a test that bears their number: what is missing.
const OWED: &[(u32, &str)] = &[(80, "a bench of search with consent on and off")];

/// The numbers in a test's name: `con_4_to_6_only` is 4, 5 and 6, `con_28_29_and_43_a` is 28, 29 and 43.
fn numbers(name: &str) -> Vec<u32> {
    let mut found: Vec<u32> = Vec::new();
    let mut through = false;
    for word in name.trim_start_matches("con_").split('_') {
        match (word, word.parse::<u32>()) {
            ("and", _) => {}
            ("to", _) => through = true,
            (_, Ok(number)) => {
                let first = match found.last() {
                    Some(last) if through => last + 1,
                    _ => number,
                };
                found.extend(first..=number);
                through = false;
            }
            _ => break,
        }
    }
    found
}

/// The tests of a source file, by name.
fn tests(source: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim) {
        if line.starts_with("#[") && (line.ends_with("[test]") || line.ends_with("::test]")) {
            is_test = true;
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
            names.extend(rest.split_once('(').map(|(name, _)| name.to_owned()));
            is_test = false;
        }
    }
    names
}

#[test]
fn a_name_bears_the_numbers_it_says() {
    assert_eq!(numbers("con_4_to_6_only_what_is_active"), [4, 5, 6]);
    assert_eq!(numbers("con_28_29_and_43_a_consent"), [28, 29, 43]);
    assert_eq!(numbers("con_1_and_2_treatment_needs_1_thing"), [1, 2]);
    assert_eq!(numbers("con_tests_7"), [] as [u32; 0]);
    let source = "fn con_1_no_test() {}\n#[test]\nfn con_2_a_test() {}\n// fn con_3_a_remark() {}";
    assert_eq!(tests(source), BTreeSet::from(["con_2_a_test".to_owned()]));
}

#[test]
fn every_scenario_is_tested_or_says_what_it_waits_for() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let read =
        |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut accounted: BTreeSet<u32> = BTreeSet::new();
    for file in std::fs::read_dir(sources.join("interaction/tests/consent")).unwrap() {
        let named = tests(&read(&file.unwrap().path()));
        let by_number = named.iter().filter(|name| name.starts_with("con_"));
        accounted.extend(by_number.flat_map(|name| numbers(name)));
    }
    for (number, file, test) in ELSEWHERE {
        assert!(
            tests(&read(&sources.join(file))).contains(*test),
            "CON-{number}: {file} has no test {test}"
        );
        accounted.insert(*number);
    }
    for (number, waits) in OWED {
        assert!(
            !accounted.contains(number),
            "CON-{number} is tested and waits for {waits}"
        );
    }
    accounted.extend(OWED.iter().map(|(number, _)| *number));
    accounted.extend(PENDING.iter().map(|(number, ..)| *number));
    let missing: Vec<u32> = (1..=80).filter(|number| !accounted.contains(number)).collect();
    assert_eq!(missing, [] as [u32; 0], "scenarios with neither a test nor a row");
    assert_eq!(accounted.last(), Some(&80), "a number beyond the design's");
}
