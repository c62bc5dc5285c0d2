//! Expression constraints of SNOMED CT, as far as hierarchies and reference sets decide them
//! (<https://confluence.ihtsdotools.org/display/DOCECL>).
//!
//! Known are `<`, `<<`, `<!`, `<<!`, `>`, `>>`, `>!`, `>>!`, `^`, `*`, terms between bars, parentheses, `AND` (or a
//! comma), `OR` and `MINUS`. Refinements by attributes need more of SNOMED CT than is held.
//!
//! Invariant: what is not understood is an error, never a guess; length and nesting are bounded.

use super::bits::Bits;
use super::code_system::CodeSystem;
use super::filter;

const MAX_LENGTH: usize = 32 << 10;
const MAX_DEPTH: usize = 32;

/// The concepts that meet the constraint.
///
/// # Errors
/// What is not understood, in words.
pub(super) fn apply(system: &CodeSystem, text: &str) -> Result<Bits, String> {
    if text.len() > MAX_LENGTH {
        return Err(format!(
            "an expression constraint of more than {MAX_LENGTH} bytes is not read"
        ));
    }
    let mut parser = Parser {
        system,
        rest: text.trim(),
    };
    let found = parser.compound(0)?;
    match parser.rest.chars().next() {
        None => Ok(found),
        Some(':' | '.' | '{') => {
            Err("expression constraints with attributes or filters cannot be checked".to_owned())
        }
        Some(_) => Err(parser.not_understood()),
    }
}

struct Parser<'a> {
    system: &'a CodeSystem,
    rest: &'a str,
}

/// The longest first.
const OPERATORS: [&str; 9] = ["<<!", ">>!", "<<", ">>", "<!", ">!", "<", ">", "^"];

impl Parser<'_> {
    fn not_understood(&self) -> String {
        let at: String = self.rest.chars().take(40).collect();
        format!("the expression constraint is not understood from '{at}' on")
    }

    fn take(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else {
            return false;
        };
        self.rest = rest.trim_start();
        true
    }

    /// A word, whatever the case of its letters, with white space or a parenthesis after it.
    fn take_word(&mut self, word: &str) -> bool {
        let found = self
            .rest
            .get(..word.len())
            .is_some_and(|w| w.eq_ignore_ascii_case(word));
        let after = self.rest.get(word.len()..).unwrap_or("");
        if found && after.starts_with([' ', '\t', '\n', '\r', '(', '<', '>', '^', '*']) {
            self.rest = after.trim_start();
            return true;
        }
        false
    }

    /// Parts joined by one kind of operator; mixing kinds needs parentheses.
    fn compound(&mut self, depth: usize) -> Result<Bits, String> {
        if depth > MAX_DEPTH {
            return Err(format!(
                "an expression constraint nests more than {MAX_DEPTH} parentheses"
            ));
        }
        let mut found = self.simple(depth)?;
        let mut joined: Option<Join> = None;
        while let Some(join) = self.join() {
            if joined.is_some_and(|j| j != join || j == Join::Minus) {
                return Err("an expression constraint mixes operators without parentheses".to_owned());
            }
            joined = Some(join);
            let next = self.simple(depth)?;
            match join {
                Join::And => found.intersect(&next),
                Join::Minus => found.intersect(&next.complement()),
                // What is in one of them is not outside both.
                Join::Or => {
                    let mut outside = found.complement();
                    outside.intersect(&next.complement());
                    found = outside.complement();
                }
            }
        }
        Ok(found)
    }

    fn join(&mut self) -> Option<Join> {
        if self.take(",") || self.take_word("AND") {
            Some(Join::And)
        } else if self.take_word("OR") {
            Some(Join::Or)
        } else if self.take_word("MINUS") {
            Some(Join::Minus)
        } else {
            None
        }
    }

    fn simple(&mut self, depth: usize) -> Result<Bits, String> {
        let operator = OPERATORS.into_iter().find(|o| self.take(o));
        let focus = if self.take("(") {
            let inner = self.compound(depth + 1)?;
            if !self.take(")") {
                return Err(self.not_understood());
            }
            inner
        } else if self.take("*") {
            Bits::of(self.system.len(), |_| true)
        } else {
            return self.concept(operator);
        };
        Ok(match operator {
            Some(operator) => self.related(operator, &focus),
            None => focus,
        })
    }

    fn concept(&mut self, operator: Option<&str>) -> Result<Bits, String> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (code, rest) = self.rest.split_at(digits);
        if !(6..=18).contains(&code.len()) {
            return Err(self.not_understood());
        }
        self.rest = rest.trim_start();
        if let Some(term) = self.rest.strip_prefix('|') {
            let (_, rest) = term
                .split_once('|')
                .ok_or("a term in an expression constraint does not end")?;
            self.rest = rest.trim_start();
        }
        let system = self.system;
        if operator == Some("^") {
            // The concept of a reference set need not be held.
            return Ok(Bits::of(system.len(), |i| {
                system.values(i).any(|(p, v)| p == "memberOf" && v.text() == code)
            }));
        }
        let mut only = Bits::none(system.len());
        if let Some(index) = system.find(code) {
            only.add(index);
        }
        Ok(match operator {
            Some(operator) => self.related(operator, &only),
            None => only,
        })
    }

    /// The concepts that stand so to one of those, in one walk.
    fn related(&self, operator: &str, focus: &Bits) -> Bits {
        let system = self.system;
        let itself = operator.starts_with("<<") || operator.starts_with(">>");
        let near = |next: &dyn Fn(u32) -> Vec<u32>| {
            let mut near = if itself {
                focus.clone()
            } else {
                Bits::none(system.len())
            };
            for index in focus.iter().flat_map(next) {
                near.add(index);
            }
            near
        };
        match operator {
            "<<" | "<" => filter::walk(system, focus, itself, |i| system.children(i)),
            ">>" | ">" => filter::walk(system, focus, itself, |i| system.parents(i)),
            "<!" | "<<!" => near(&|i| system.children(i).to_vec()),
            ">!" | ">>!" => near(&|i| system.parents(i).to_vec()),
            _ => Bits::of(system.len(), |i| {
                let mut sets = system.values(i).filter(|(p, _)| *p == "memberOf");
                sets.any(|(_, v)| system.find(&v.text()).is_some_and(|set| focus.has(set)))
            }),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Join {
    And,
    Or,
    Minus,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminology::build::Builder;
    use crate::terminology::code_system::{Content, Head};

    /// 100000 over 100001 and 100002, 100001 over 100003, which is in the reference set 900000.
    fn system() -> CodeSystem {
        let mut builder = Builder::new(Head {
            url: "http://snomed.info/sct".to_owned(),
            version: None,
            name: None,
            language: None,
            content: Content::Complete,
            case_sensitive: true,
            status: None,
            experimental: false,
            standards_status: None,
            properties: Vec::new(),
        });
        for code in ["100000", "100001", "100002", "100003"] {
            builder.concept(code, None, None);
        }
        builder.code_property("memberOf", "900000");
        builder.link(1, 0);
        builder.link(2, 0);
        builder.link(3, 1);
        builder.finish().unwrap()
    }

    #[test]
    fn constraints_pick_concepts_by_hierarchy_and_reference_set() {
        let system = system();
        let cases: [(&str, &[u32]); 13] = [
            ("<< 100001 |one|", &[1, 3]),
            ("<100000|root|", &[1, 2, 3]),
            ("<! 100000", &[1, 2]),
            ("<<! 100000", &[0, 1, 2]),
            (">> 100003", &[0, 1, 3]),
            (">! 100003", &[1]),
            ("^ 900000", &[3]),
            ("* MINUS << 100001", &[0, 2]),
            ("100002 OR 100003 or 100000", &[0, 2, 3]),
            ("<< 100000 AND (<< 100001 OR 100002)", &[1, 2, 3]),
            ("<< 100000, ^900000", &[3]),
            ("< (100001 OR 100002)", &[3]),
            ("100009", &[]),
        ];
        for (text, expected) in cases {
            let found: Vec<u32> = apply(&system, text).unwrap().iter().collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let system = system();
        let deep = format!("{}100001{}", "(".repeat(100), ")".repeat(100));
        for text in [
            "",
            "<< ",
            "<< 100001 : 100002 = 100003",
            "100001 AND 100002 OR 100003",
            "100001 |x",
            "(100001",
            "100001 x",
            &deep,
        ] {
            assert!(apply(&system, text).is_err(), "{text}");
        }
    }
}
