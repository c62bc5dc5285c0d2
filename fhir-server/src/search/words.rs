//! The words of a text, for `_text` and `_content` (<https://hl7.org/fhir/R4/search.html#content>): cut and folded here, so that all databases
//! agree on them. No stemming, no stop words.
//!
//! Invariant: a word has letters and digits alone, in the spelling of [`fold`](super::text::fold), and at most [`MAX_WORD`] bytes.

use super::text::fold;

/// Bytes of a word that count: what is longer is known by its beginning.
const MAX_WORD: usize = 120;

/// The words of a text in their order. A sign of a script that is written without spaces is a word of its own.
pub(crate) fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut words = Vec::new();
    let mut word = String::new();
    for c in folded.chars() {
        if is_whole(c) {
            finish(&mut word, &mut words);
            words.push(c.to_string());
        } else if c.is_alphanumeric() {
            if word.len() + c.len_utf8() <= MAX_WORD {
                word.push(c);
            }
        } else {
            finish(&mut word, &mut words);
        }
    }
    finish(&mut word, &mut words);
    words
}

fn finish(word: &mut String, words: &mut Vec<String>) {
    if !word.is_empty() {
        words.push(std::mem::take(word));
    }
}

/// Kana, ideographs and the like.
fn is_whole(c: char) -> bool {
    c.is_alphanumeric()
        && matches!(c, '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
            | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_at_all_that_is_no_letter_and_no_digit() {
        for (text, wanted) in [
            ("Chest pain, acute.", vec!["chest", "pain", "acute"]),
            ("O'Neill re-admitted", vec!["o", "neill", "re", "admitted"]),
            ("Größe 12.5mg/dl", vec!["grosse", "12", "5mg", "dl"]),
            ("日本ab", vec!["日", "本", "ab"]),
            ("!? -", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(words(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_long_word_is_known_by_its_beginning_and_folding_again_changes_nothing() {
        let long = "é".repeat(500);
        assert_eq!(words(&long), ["e".repeat(MAX_WORD)]);
        for word in words("Straße İstanbul ﬁnn Ⅳ ŁÓDŹ 東京") {
            assert_eq!(words(&word), [word]);
        }
    }
}
