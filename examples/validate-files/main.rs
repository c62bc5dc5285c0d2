//! Validates files against FHIR R4 and UK Core without a server: one line a finding, and a failure where there is an error.

use std::process::ExitCode;

use fhir_model::read::ReadOptions;
use fhir_validate::{Severity, Validator};

/// The findings in a file's text, a line each, and whether one is an error.
fn findings(validator: &Validator, name: &str, text: &[u8]) -> (Vec<String>, bool) {
    let found = validator.validate_text(text, &[], &ReadOptions::default());
    let lines = found.iter().map(|finding| {
        format!(
            "{name}: {}: {}: {}",
            finding.severity.code(),
            finding.expression,
            finding.message
        )
    });
    (
        lines.collect(),
        found.iter().any(|finding| finding.severity == Severity::Error),
    )
}

fn main() -> ExitCode {
    let validator = Validator::builder().uk_core().build();
    let mut failed = false;
    for name in std::env::args().skip(1) {
        match std::fs::read(&name) {
            Ok(text) => {
                let (lines, is_wrong) = findings(&validator, &name, &text);
                failed |= is_wrong;
                lines.iter().for_each(|line| println!("{line}"));
            }
            Err(error) => {
                failed = true;
                println!("{name}: {error}");
            }
        }
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_file_passes_and_a_bad_one_is_told_where() {
        let validator = Validator::builder().uk_core().build();
        let good = br#"{"resourceType":"Patient","active":true}"#;
        assert!(!findings(&validator, "good.json", good).1);
        let bad = br#"{"resourceType":"Patient","gender":"femal"}"#;
        let (lines, is_wrong) = findings(&validator, "bad.json", bad);
        assert!(
            is_wrong && lines.iter().any(|line| line.contains("Patient.gender")),
            "{lines:?}"
        );
    }
}
