//! How near two words are, for "did you mean".

/// Letters to add, drop or change to come from one to the other; another case of an ASCII letter is no change.
///
/// It takes time and memory by the product, and by the length, of the two: bound them first.
///
/// ```
/// assert_eq!(fhir_model::spelling::distance("Pateint", "patient"), 2);
/// ```
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(&b) {
            let change = diagonal + usize::from(!x.eq_ignore_ascii_case(y));
            diagonal = *cell;
            left = change.min(left + 1).min(*cell + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn letters_are_counted_and_their_case_is_not() {
        assert_eq!(distance("Patient", "PATIENT"), 0);
        assert_eq!(distance("Patient", "Patint"), 1);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("é", "e"), 1);
    }
}
