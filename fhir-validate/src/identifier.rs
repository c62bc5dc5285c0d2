//! The identifier layer: identifiers that carry a check digit. NHS numbers have ten digits, the last of them the check
//! digit modulus 11 (<https://www.datadictionary.nhs.uk/attributes/nhs_number.html>).

use fhir_model::reflect::Complex;

use crate::format::quoted;
use crate::layer::Layer;
use crate::place::text_of;
use crate::run::{Report, Run, Scope};

/// The system of NHS numbers.
const NHS_NUMBER: &str = "https://fhir.nhs.uk/Id/nhs-number";

/// Checks an Identifier.
pub(crate) fn check(run: &mut Run, scope: &Scope<'_>, identifier: &dyn Complex) {
    if text_of(identifier, "system") != Some(NHS_NUMBER) {
        return;
    }
    let Some(value) = text_of(identifier, "value") else {
        return;
    };
    if let Some(problem) = problem(value) {
        let message = format!("{} is not an NHS number: {problem}", quoted(value));
        let report = Report::error(Layer::Identifier, message).of(scope.inner.options.nhs_numbers);
        run.report_in("value", report.rule("nhs-number"));
    }
}

/// What is wrong with an NHS number.
fn problem(value: &str) -> Option<&'static str> {
    let digits: Option<Vec<u32>> = value.chars().map(|c| c.to_digit(10)).collect();
    let Some(Ok(digits)) = digits.map(<[u32; 10]>::try_from) else {
        return Some("it has ten digits and nothing between them");
    };
    // The first digit weighs ten, the ninth two, and the check digit one: all of it is a multiple of eleven.
    let sum: u32 = digits
        .iter()
        .zip((1..=10).rev())
        .map(|(digit, weight)| digit * weight)
        .sum();
    (!sum.is_multiple_of(11)).then_some("its check digit is wrong")
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn the_check_digit_is_modulus_11() {
        for good in ["9990000018", "9434765919", "4010232137"] {
            assert_eq!(problem(good), None, "{good}");
        }
        for bad in ["9990000019", "9434765910", "1234567890"] {
            assert_eq!(problem(bad), Some("its check digit is wrong"), "{bad}");
        }
    }

    #[test]
    fn an_nhs_number_has_ten_digits_and_nothing_between_them() {
        for bad in [
            "",
            "943 476 5919",
            "943476591",
            "94347659190",
            "943476591X",
            "९४३४७६५९१९",
        ] {
            assert!(problem(bad).is_some_and(|p| p.contains("ten digits")), "{bad}");
        }
    }
}
