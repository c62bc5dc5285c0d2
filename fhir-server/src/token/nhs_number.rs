//! NHS numbers: ten digits, of which the last checks the others by modulus 11.

/// Whether it is an NHS number.
pub(super) fn is_nhs_number(text: &str) -> bool {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(10)).collect();
    let Some([front @ .., check]) = digits.as_deref() else {
        return false;
    };
    if front.len() != 9 {
        return false;
    }
    let sum: u32 = front
        .iter()
        .zip((2..=10).rev())
        .map(|(digit, weight)| digit * weight)
        .sum();
    // A remainder of 1 would need the check digit 10, so no such number is given.
    (11 - sum % 11) % 11 == *check
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_digit_checks_the_others() {
        for good in ["9990000018", "9434765919", "9000000009"] {
            assert!(is_nhs_number(good), "{good}");
        }
        for bad in [
            "9990000019",
            "9990000081",
            "999000001",
            "99900000180",
            "",
            "999000001X",
            "999 000 0018",
            "٩٩٩٠٠٠٠٠١٨",
        ] {
            assert!(!is_nhs_number(bad), "{bad}");
        }
    }
}
