//! The nearest right spelling of a wrong name.

/// Longer names are not compared.
const LONGEST: usize = 60;
/// No more names than these are compared.
const MOST: usize = 2_000;

/// The known name that is nearest to a wrong one, if any is near.
pub(crate) fn nearest<'n>(wrong: &str, known: impl IntoIterator<Item = &'n str>) -> Option<String> {
    if wrong.len() > LONGEST {
        return None;
    }
    let allowed = (wrong.chars().count() / 2).min(2);
    let distance = |name: &str| {
        if name.eq_ignore_ascii_case(wrong) {
            0
        } else {
            edits(wrong, name)
        }
    };
    let near = known.into_iter().take(MOST).filter(|n| n.len() <= LONGEST + 4).map(|n| (distance(n), n));
    near.filter(|(distance, _)| *distance <= allowed).min().map(|(_, name)| name.to_owned())
}

/// Letters to add, drop or change to come from one to the other.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let (mut diagonal, mut left) = (i, i + 1);
        for (cell, y) in row.iter_mut().skip(1).zip(&b) {
            let change = diagonal + usize::from(x != *y);
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
    use super::nearest;

    #[test]
    fn only_what_is_near_is_named() {
        assert_eq!(nearest("mael", ["male", "female"]).as_deref(), Some("male"));
        assert_eq!(nearest("Male", ["male", "female"]).as_deref(), Some("male"));
        assert_eq!(nearest("x", ["male", "female"]), None);
    }
}
