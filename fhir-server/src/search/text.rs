//! [`fold`]: text as a search by words of people looks at it: without case, accents and differences of spacing
//! (<https://hl7.org/fhir/R4/search.html#string>).
//!
//! Invariant: folding folded text changes nothing, and what is written in composed and decomposed characters folds alike, so that
//! two databases that compare bytes agree.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Text in compatibility decomposition (NFKD) without marks, its case folded, characters that nobody sees dropped, runs of white
/// space as one space, none at the ends. At most some eighteen times as long as the text.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return fold_ascii(text);
    }
    let mut folded = String::with_capacity(text.len());
    let mut gap = false;
    for c in text.nfkd().filter(|c| !is_combining_mark(*c) && !is_unseen(*c)) {
        if c.is_whitespace() {
            gap = true;
            continue;
        }
        // By way of upper case, so that `ß` and `ẞ` are `ss`, `ς` is `σ` and `ſ` is `s`.
        let folds = c
            .to_lowercase()
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase);
        for c in folds {
            push(&mut folded, &mut gap, c);
        }
    }
    folded
}

/// Most text is ASCII: no tables are needed.
fn fold_ascii(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut gap = false;
    for c in text.chars() {
        // `char::is_whitespace` also takes the vertical tab, which `is_ascii_whitespace` does not.
        if c.is_whitespace() {
            gap = true;
        } else {
            push(&mut folded, &mut gap, c.to_ascii_lowercase());
        }
    }
    folded
}

fn push(folded: &mut String, gap: &mut bool, c: char) {
    if std::mem::take(gap) && !folded.is_empty() {
        folded.push(' ');
    }
    // Some letters decompose only once their case is folded.
    if !is_combining_mark(c) {
        folded.push(c);
    }
}

/// Soft hyphens, joiners, marks of direction and of byte order.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_spacing_do_not_count() {
        for (text, folded) in [
            ("Smith", "smith"),
            ("  O'Neill \t-\n Smith ", "o'neill - smith"),
            ("Müller", "muller"),
            ("Mu\u{308}ller", "muller"),
            ("STRASSE Straße", "strasse strasse"),
            ("ΟΔΥΣΣΕΎΣ", "οδυσσευσ"),
            ("İstanbul", "istanbul"),
            ("ﬁnn Ⅳ １２", "finn iv 12"),
            ("Siân\u{A0}\u{2003}Ó\u{AD}Sé", "sian ose"),
            ("日本 語", "日本 語"),
            ("a\u{B}b", "a b"),
            ("", ""),
            (" \n ", ""),
            ("\u{301}", ""),
        ] {
            assert_eq!(fold(text), folded, "{text:?}");
        }
    }

    #[test]
    fn folding_twice_is_folding_once() {
        for point in 0..=0x1FFFF {
            let Some(c) = char::from_u32(point) else { continue };
            let once = fold(&format!("a{c}b"));
            assert_eq!(fold(&once), once, "U+{point:04X}");
            let decomposed: String = format!("a{c}b").nfd().collect();
            assert_eq!(fold(&decomposed), once, "U+{point:04X}");
        }
    }
}
