//! The shape of expressions in SNOMED's Expression Constraint Language: operands and what joins them, brackets in pairs
//! (<https://docs.snomed.org/snomed-ct-specifications/snomed-ct-expression-constraint-language>).
//!
//! Invariant: one pass over the text; what is not understood in a filter between double braces is let pass.

/// A part of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    /// A concept, `*`, a number or a text.
    Operand,
    /// `<`, `^` and the like, before an operand.
    Prefix,
    /// `AND`, `:`, `=` and the like, between operands.
    Join,
    Open(char),
    Close(char),
}

/// What is wrong with an expression, if something is.
pub(super) fn problem(text: &str) -> Option<String> {
    let tokens = match tokens(text) {
        Ok(tokens) => tokens,
        Err(problem) => return Some(problem),
    };
    let mut open = Vec::new();
    let mut expects_operand = true;
    for (at, token) in tokens {
        match token {
            Token::Operand | Token::Open(_) | Token::Prefix if !expects_operand => {
                return Some(format!("an operator is missing before character {}", at + 1));
            }
            Token::Operand => expects_operand = false,
            Token::Prefix => {}
            Token::Join if expects_operand => {
                return Some(format!("an operand is missing before character {}", at + 1));
            }
            Token::Join => expects_operand = true,
            Token::Open(bracket) => open.push(bracket),
            Token::Close(bracket) => {
                if expects_operand || open.pop() != Some(opening(bracket)) {
                    return Some(format!("the {bracket:?} at character {} closes nothing", at + 1));
                }
            }
        }
    }
    if let Some(bracket) = open.last() {
        return Some(format!("a {bracket:?} is not closed"));
    }
    expects_operand.then(|| "it ends before an operand".to_owned())
}

fn opening(bracket: char) -> char {
    if bracket == ')' { '(' } else { '{' }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len();
        let (token, length) = match first {
            _ if first.is_whitespace() => (None, first.len_utf8()),
            '(' | '{' => {
                if rest.starts_with("{{") {
                    let end = rest.find("}}").ok_or("a filter is not closed")?;
                    (None, end + 2)
                } else {
                    (Some(Token::Open(first)), 1)
                }
            }
            ')' | '}' => (Some(Token::Close(first)), 1),
            '<' | '>' | '^' => (
                Some(if is_comparison(rest, &all) {
                    Token::Join
                } else {
                    Token::Prefix
                }),
                run_of(rest, "<>^!="),
            ),
            '!' if rest.starts_with("!!") => (Some(Token::Prefix), run_of(rest, "!<>")),
            '!' | '=' => (Some(Token::Join), run_of(rest, "!=")),
            ':' | ',' => (Some(Token::Join), 1),
            '.' => (Some(Token::Join), run_of(rest, ".")),
            '*' => (Some(Token::Operand), 1),
            '|' => (None, quoted(rest, '|')?),
            '"' => (Some(Token::Operand), quoted(rest, '"')?),
            '[' => (None, rest.find(']').ok_or("a cardinality is not closed")? + 1),
            _ => word(rest)?,
        };
        all.extend(token.map(|t| (at, t)));
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(all)
}

/// `<` and `>` before a number compare.
fn is_comparison(rest: &str, before: &[(usize, Token)]) -> bool {
    let after = rest.trim_start_matches(['<', '>', '=', '!']).trim_start();
    after.starts_with('#') && matches!(before.last(), Some((_, Token::Operand)))
}

fn run_of(rest: &str, characters: &str) -> usize {
    rest.find(|c: char| !characters.contains(c)).unwrap_or(rest.len())
}

fn quoted(rest: &str, quote: char) -> Result<usize, String> {
    let end = rest
        .get(1..)
        .and_then(|r| r.find(quote))
        .ok_or_else(|| format!("a {quote:?} is not closed"))?;
    Ok(end + 2)
}

fn word(rest: &str) -> Result<(Option<Token>, usize), String> {
    let end = rest
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '#' | '-' | '+' | '_')))
        .unwrap_or(rest.len());
    let word = rest.get(..end).unwrap_or_default();
    let token = match word.to_ascii_uppercase().as_str() {
        "" => {
            return Err(format!(
                "{:?} is not part of the language",
                rest.chars().next().unwrap_or_default()
            ));
        }
        "AND" | "OR" | "MINUS" => Token::Join,
        "R" if rest.get(end..).is_some_and(|r| {
            r.trim_start().starts_with(['<', '>', '^', '*'])
                || r.trim_start().starts_with(|c: char| c.is_ascii_digit())
        }) =>
        {
            Token::Prefix
        }
        _ => Token::Operand,
    };
    Ok((Some(token), end))
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn operands_need_operators_between_them() {
        for good in [
            "<< 404684003 |Clinical finding|",
            "< 19829001 AND < 301867009",
            "(< 1 OR <! 2) MINUS ^ 700043003",
            "*",
            "< 404684003: 363698007 |Finding site| = << 39057004",
            "<< 27658006: 411116001 = << 385049006, { 1142139005 = #1 }",
            "< 91723000 {{ term = \"heart att\" }}",
            "< 373873005: [1..3] 127489000 = < 105590001",
            "<< 125605004 . 363698007",
        ] {
            assert_eq!(problem(good), None, "{good}");
        }
        for bad in [
            "234234 << 234234",
            "<<",
            "(< 1",
            "< 1)",
            "< 1 AND",
            "AND < 1",
            "< 1 |open",
            "",
        ] {
            assert!(problem(bad).is_some(), "{bad}");
        }
    }
}
