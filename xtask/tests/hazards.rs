//! The hazard log (G17) and the table of targets name tests that exist: each control and promise is proved by something that runs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use xtask::workspace_root;

fn tests_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !matches!(name.as_str(), "target" | ".git" | "generated" | "installed") {
            tests_in(&path, found);
        } else if name.ends_with(".rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let parts = text.split("test").skip(1);
            // `#[test]`, or with arguments; between the attribute and the function other attributes may stand.
            let is_attribute = |part: &&str| {
                part.starts_with("]\n")
                    || (part.starts_with('(') && part.lines().next().is_some_and(|l| l.ends_with(")]")))
            };
            let named = parts
                .filter(is_attribute)
                .filter_map(|part| part.split("fn ").nth(1)?.split('(').next());
            found.extend(named.map(str::to_owned));
        }
    }
}

#[test]
fn g17_each_hazard_has_a_control_and_tests_that_exist() {
    let root = workspace_root();
    let log = std::fs::read_to_string(root.join("docs/clinical-safety/hazard-log.md")).unwrap();
    let mut known = BTreeSet::new();
    tests_in(&root, &mut known);
    let mut hazards = 0;
    for row in log.lines().filter(|line| line.starts_with("| H-")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 8, "{row}");
        assert!(cells.iter().all(|cell| !cell.is_empty()), "{row}");
        hazards += 1;
        assert_eq!(cells[0], format!("H-{hazards:02}"), "the hazards are counted");
        for named in cells[7].split(',') {
            let named = named.trim().trim_matches('`');
            assert!(known.contains(named), "{}: there is no test `{named}`", cells[0]);
        }
    }
    assert!(hazards >= 20, "{hazards} hazards");
}

#[test]
fn each_target_of_the_table_has_tests_that_exist() {
    let root = workspace_root();
    let table = std::fs::read_to_string(root.join("docs/targets.md")).unwrap();
    let mut known = BTreeSet::new();
    tests_in(&root, &mut known);
    let mut targets = BTreeSet::new();
    let is_row = |line: &&str| line.starts_with("| S-") || line.starts_with("| R-");
    for row in table.lines().filter(is_row) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 3, "{row}");
        targets.extend(cells[0].split(", "));
        let named: Vec<&str> = cells[2]
            .split(',')
            .map(|name| name.trim().trim_matches('`'))
            .collect();
        for test in named {
            assert!(known.contains(test), "{}: there is no test `{test}`", cells[0]);
        }
    }
    assert_eq!(targets.len(), 15, "{targets:?}");
}

#[test]
fn each_target_of_tokens_scopes_and_the_authority_is_named_by_a_test() {
    let mut known = BTreeSet::new();
    tests_in(&workspace_root(), &mut known);
    let numbers = (1..=40).chain([47, 49]).map(|number| format!("{number:03}"));
    let named = numbers.chain(["039a", "039b", "039c"].map(str::to_owned));
    for number in named {
        let name = format!("s_{number}");
        let is_named =
            |test: &String| test.starts_with(&format!("{name}_")) || test.ends_with(&format!("_{name}"));
        assert!(known.iter().any(is_named), "no test is named for S-{number}");
    }
}

/// One kind of secret is compared with what a client sends: an app's, of at least 32 characters, of which a hash is kept. It is compared in
/// constant time, in one place. Else apps prove who they are by keys, codes and tokens are signed, and page links are sealed.
#[test]
fn s_021_secrets_are_kept_hashed_and_compared_in_constant_time_in_one_place() {
    let root = workspace_root();
    for folder in [
        "fhir-server/src/authority",
        "fhir-server/src/token",
        "fhir-server/src/config",
    ] {
        for file in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.is_file() {
                let text = std::fs::read_to_string(&path).unwrap();
                let is_the_place = path.ends_with("authority/assertion.rs");
                assert_eq!(
                    text.contains("verify_slices_are_equal(own, &hashed)"),
                    is_the_place,
                    "{}",
                    path.display()
                );
                for compared in ["secret ==", "== secret", "secret.eq(", "== hashed"] {
                    assert!(!text.contains(compared), "{}: {compared}", path.display());
                }
            }
        }
    }
    let configuration = std::fs::read_to_string(root.join("docs/configuration.md")).unwrap();
    assert!(configuration.contains("keys_file"));
    for setting in ["`secret`", "_secret`", "password`"] {
        assert!(!configuration.contains(setting), "{setting}");
    }
}
