//! The code that is spelled most nearly like one that is not there.
//!
//! Invariant: at most [`MAX_COMPARED`] codes are compared, and none of great length.

use fhir_model::spelling::distance;

/// Codes that are compared.
const MAX_COMPARED: usize = 5_000;
/// Letters of a code that is compared.
const MAX_LETTERS: usize = 60;

/// The nearest of the codes: at most two letters other, and no more than a third of them.
pub(crate) fn nearest<'a>(wrong: &str, codes: impl Iterator<Item = &'a str>) -> Option<String> {
    let letters = wrong.chars().count();
    if letters > MAX_LETTERS {
        return None;
    }
    let most = (letters / 3).min(2);
    let near = codes.take(MAX_COMPARED).filter_map(|code| {
        let apart = code.len().abs_diff(wrong.len());
        if apart > 4 * most || code.len() > 4 * MAX_LETTERS {
            return None;
        }
        let distance = distance(wrong, code);
        (distance <= most).then_some((distance, code))
    });
    near.min().map(|(_, code)| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_code_is_found_and_a_far_one_is_not() {
        let codes = || ["male", "female", "other", "unknown"].into_iter();
        assert_eq!(nearest("femal", codes()), Some("female".to_owned()));
        assert_eq!(nearest("Male", codes()), Some("male".to_owned()));
        assert_eq!(nearest("unknwon", codes()), Some("unknown".to_owned()));
        assert_eq!(nearest("m", codes()), None);
        assert_eq!(nearest("nothing", codes()), None);
    }
}
