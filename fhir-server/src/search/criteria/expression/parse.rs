//! Reads the text of a `_filter`, within limits of depth and number.

use super::{Comparison, Expression, Operator, Step};
use crate::error::{Error, ErrorCode, Result};
use crate::search::criteria::Limits;
use crate::search::criteria::{name, too_costly};

impl Expression {
    /// Reads a whole expression.
    ///
    /// # Errors
    /// It cannot be read, with the place; or it is longer or deeper than the limits.
    pub(in super::super) fn parse(text: &str, limits: &Limits) -> Result<Expression> {
        let mut parser = Parser {
            text,
            rest: text,
            limits,
            comparisons: 0,
        };
        let expression = parser.expression(0)?;
        parser.spaces();
        match parser.rest.is_empty() {
            true => Ok(expression),
            false => Err(parser.wrong("`and`, `or` or the end")),
        }
    }

    fn and(self, other: Expression) -> Expression {
        match self {
            Expression::And(mut all) => {
                all.push(other);
                Expression::And(all)
            }
            first => Expression::And(vec![first, other]),
        }
    }

    fn or(self, other: Expression) -> Expression {
        match self {
            Expression::Or(mut any) => {
                any.push(other);
                Expression::Or(any)
            }
            first => Expression::Or(vec![first, other]),
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    rest: &'t str,
    limits: &'t Limits,
    comparisons: usize,
}

impl<'t> Parser<'t> {
    /// Units with `and` and `or` between, from left to right.
    fn expression(&mut self, depth: usize) -> Result<Expression> {
        if depth > self.limits.filter_depth {
            return Err(too_costly(
                "_filter",
                format!(
                    "_filter has more than {} levels of parentheses.",
                    self.limits.filter_depth
                ),
            ));
        }
        let mut left = self.unit(depth)?;
        loop {
            self.spaces();
            if self.keyword("and") {
                left = left.and(self.unit(depth)?);
            } else if self.keyword("or") {
                left = left.or(self.unit(depth)?);
            } else {
                return Ok(left);
            }
        }
    }

    /// `(expression)`, `not (expression)` or a comparison.
    fn unit(&mut self, depth: usize) -> Result<Expression> {
        self.spaces();
        let after_not = self.rest.strip_prefix("not").map(str::trim_start);
        if let Some(after) = after_not.filter(|rest| rest.starts_with('(')) {
            self.rest = after;
            let inner = self.within('(', ')', depth)?;
            return Ok(Expression::Not(Box::new(inner)));
        }
        match self.rest.starts_with('(') {
            true => self.within('(', ')', depth),
            false => self.comparison(depth),
        }
    }

    fn within(&mut self, open: char, close: char, depth: usize) -> Result<Expression> {
        self.take(open)?;
        let inner = self.expression(depth + 1)?;
        self.spaces();
        self.take(close)?;
        Ok(inner)
    }

    fn comparison(&mut self, depth: usize) -> Result<Expression> {
        self.comparisons += 1;
        if self.comparisons > self.limits.filter_comparisons {
            return Err(too_costly(
                "_filter",
                format!(
                    "_filter has more than {} comparisons.",
                    self.limits.filter_comparisons
                ),
            ));
        }
        let (steps, code) = self.path(depth)?;
        self.spaces();
        let operator = self.word(|c| c.is_ascii_lowercase());
        let operator = Operator::named(operator)
            .filter(|_| self.rest.starts_with(char::is_whitespace))
            .ok_or_else(|| self.wrong("an operator such as eq, with spaces around it"))?;
        self.spaces();
        let value = self.value()?;
        Ok(Expression::Comparison(Comparison {
            steps,
            code,
            operator,
            value,
        }))
    }

    /// Links, then the code that is compared.
    fn path(&mut self, depth: usize) -> Result<(Vec<Step>, String)> {
        let mut steps = Vec::new();
        loop {
            if steps.len() > self.limits.chain + self.limits.has {
                return Err(too_costly(
                    "_filter",
                    "A path of _filter has too many links.".to_owned(),
                ));
            }
            if let Some(back) = self.rest.strip_prefix("_has:") {
                self.rest = back;
                let resource_type = self.name()?.to_owned();
                self.take(':')?;
                let code = self.name()?.to_owned();
                self.take(':')?;
                steps.push(Step::Back { resource_type, code });
                continue;
            }
            let step = self.word(|c| is_name(c) || c == ':');
            let (code, resource_type) = name::apart(step);
            if code.is_empty() || resource_type.is_some_and(|t| t.is_empty() || t.contains(':')) {
                return Err(self.wrong("the code of a search parameter"));
            }
            let only = match self.rest.starts_with('[') {
                true => Some(self.within('[', ']', depth)?),
                false => None,
            };
            match self.rest.strip_prefix('.') {
                Some(rest) => self.rest = rest,
                None if only.is_some() => return Err(self.wrong("`.` and a code after `]`")),
                None if resource_type.is_some() => return Err(self.wrong("`.` and a code after the type")),
                None => return Ok((steps, code.to_owned())),
            }
            steps.push(Step::Forward {
                code: code.to_owned(),
                resource_type: resource_type.map(str::to_owned),
                only,
            });
        }
    }

    /// A string in quotation marks as JSON has it, or all up to white space or a closing bracket.
    fn value(&mut self) -> Result<String> {
        if !self.rest.starts_with('"') {
            let value = self.word(|c| !c.is_whitespace() && !matches!(c, ')' | ']'));
            return match value.is_empty() {
                true => Err(self.wrong("a value")),
                false => Ok(value.to_owned()),
            };
        }
        let mut escaped = false;
        let end = self.rest.char_indices().skip(1).find(|(_, c)| {
            let ends = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        });
        let quoted = end.and_then(|(at, _)| self.rest.split_at_checked(at + 1));
        let read = quoted.and_then(|(text, rest)| Some((serde_json::from_str::<String>(text).ok()?, rest)));
        let (value, rest) = read.ok_or_else(|| self.wrong("a string as JSON has it, in quotation marks"))?;
        if value.contains('\0') {
            return Err(self.wrong("a string without the character 0"));
        }
        self.rest = rest;
        Ok(value)
    }

    fn name(&mut self) -> Result<&'t str> {
        match self.word(is_name) {
            "" => Err(self.wrong("a name")),
            name => Ok(name),
        }
    }

    /// The longest run of such characters, which may be empty.
    fn word(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        word
    }

    /// Takes a word that white space or a parenthesis follows.
    fn keyword(&mut self, word: &str) -> bool {
        match self.rest.strip_prefix(word) {
            Some(rest) if rest.starts_with(|c: char| c.is_whitespace() || c == '(') => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn take(&mut self, expected: char) -> Result<()> {
        match self.rest.strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(self.wrong(&format!("`{expected}`"))),
        }
    }

    fn spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// What was expected where the parser stands.
    fn wrong(&self, expected: &str) -> Error {
        let read = self.text.len() - self.rest.len();
        let at = self.text.get(..read).map_or(0, |read| read.chars().count()) + 1;
        let found: String = self.rest.chars().take(20).collect();
        let found = if found.is_empty() {
            "the end".to_owned()
        } else {
            format!("{found:?}")
        };
        let text = format!(
            "_filter cannot be read at character {at}: expected {expected}, found {found}. Comparisons are written like \
             name co \"pet\" and birthdate ge 2014-10-10."
        );
        Error::new(ErrorCode::Value, text).at("http._filter")
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Expression> {
        Expression::parse(text, &Limits::default())
    }

    /// The expression with every grouping shown.
    fn shown(expression: &Expression) -> String {
        let joined = |all: &[Expression], word: &str| {
            let all: Vec<String> = all.iter().map(shown).collect();
            format!("({})", all.join(word))
        };
        match expression {
            Expression::And(all) => joined(all, " and "),
            Expression::Or(any) => joined(any, " or "),
            Expression::Not(inner) => format!("not({})", shown(inner)),
            Expression::Comparison(c) => {
                let step = |step: &Step| match step {
                    Step::Forward {
                        code,
                        resource_type,
                        only,
                    } => {
                        let named = resource_type.as_ref().map_or(String::new(), |t| format!(":{t}"));
                        let only = only.as_ref().map_or(String::new(), |e| format!("[{}]", shown(e)));
                        format!("{code}{named}{only}.")
                    }
                    Step::Back { resource_type, code } => format!("_has:{resource_type}:{code}:"),
                };
                let steps: String = c.steps.iter().map(step).collect();
                format!("{steps}{} {} {:?}", c.code, c.operator.name(), c.value)
            }
        }
    }

    #[test]
    fn expressions_are_read_as_the_specification_writes_them() {
        let cases = [
            (r#"name co "pet""#, r#"name co "pet""#),
            (
                r#"given eq "peter" and birthdate ge 2014-10-10"#,
                r#"(given eq "peter" and birthdate ge "2014-10-10")"#,
            ),
            (
                "code eq http://loinc.org|1234-5",
                r#"code eq "http://loinc.org|1234-5""#,
            ),
            (r#"subject.name co "pet""#, r#"subject.name co "pet""#),
            (
                r#"related[type eq "has-component"].target pr false"#,
                r#"related[type eq "has-component"].target pr "false""#,
            ),
            (
                "related[type eq has-component].target re Observation/4",
                r#"related[type eq "has-component"].target re "Observation/4""#,
            ),
            ("not (a eq 1)", r#"not(a eq "1")"#),
            ("not(a eq 1) or b eq 2", r#"(not(a eq "1") or b eq "2")"#),
            ("((a eq 1))", r#"a eq "1""#),
            (r#"a eq "say \"hi\" (now)""#, r#"a eq "say \"hi\" (now)""#),
            ("subject:Patient.name eq x", r#"subject:Patient.name eq "x""#),
            (
                "_has:Observation:patient:code eq x",
                r#"_has:Observation:patient:code eq "x""#,
            ),
            ("notes eq 1 and order eq 2", r#"(notes eq "1" and order eq "2")"#),
        ];
        for (text, expected) in cases {
            assert_eq!(
                shown(&parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn and_and_or_are_taken_from_left_to_right() {
        assert_eq!(
            shown(&parse("a eq 1 or b eq 2 and c eq 3 and d eq 4").unwrap()),
            r#"((a eq "1" or b eq "2") and c eq "3" and d eq "4")"#
        );
        assert_eq!(
            shown(&parse("a eq 1 or (b eq 2 and c eq 3)").unwrap()),
            r#"(a eq "1" or (b eq "2" and c eq "3"))"#
        );
    }

    #[test]
    fn what_is_no_expression_is_refused_with_its_place() {
        for text in [
            "",
            " ",
            "a",
            "a eq",
            "a eq ",
            "eq 1",
            "a xx 1",
            "a eq 1 and",
            "a eq 1 b eq 2",
            "(a eq 1",
            "a eq 1)",
            "a eq \"x",
            "not a eq 1",
            "a[b eq 1] eq 2",
            "a[b eq 1.c eq 2",
            "a. eq 1",
            ".a eq 1",
            "a:Patient eq 1",
            "_has:A:b eq 1",
            "a eq \"\\u0000\"",
            "()",
            "é eq 1",
            "a eq \"\\x\"",
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.code, ErrorCode::Value, "{text}");
            assert!(error.issues[0].diagnostics.contains("at character"), "{text}");
        }
    }

    #[test]
    fn depth_and_number_are_limited() {
        let deep = format!("{}a eq 1{}", "(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(parse(&deep).unwrap_err().code, ErrorCode::TooCostly);
        let nested = format!(
            "{}b eq 1{}.c eq 1",
            "a[".repeat(50_000),
            "].b eq 1".repeat(50_000)
        );
        assert_eq!(parse(&nested).unwrap_err().code, ErrorCode::TooCostly);
        let negated = format!("{}a eq 1{}", "not(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(parse(&negated).unwrap_err().code, ErrorCode::TooCostly);
        let many = vec!["a eq 1"; 101].join(" or ");
        assert_eq!(parse(&many).unwrap_err().code, ErrorCode::TooCostly);
        let long = format!("{}z eq 1", "a.".repeat(50_000));
        assert_eq!(parse(&long).unwrap_err().code, ErrorCode::TooCostly);
    }
}
