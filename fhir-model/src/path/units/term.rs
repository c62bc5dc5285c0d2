//! The grammar of UCUM codes: `kg.m/s2`, `10*3/uL`, `mm[Hg]`, `{beats}/min`, `(m/s)2`
//! (<https://ucum.org/ucum#section-Syntax-Rules>).

/// A symbol (a unit with its prefix, or a number) and its exponent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::path) struct Component<'c> {
    pub(in crate::path) symbol: &'c str,
    pub(in crate::path) exponent: i32,
}

/// The components of a code with parentheses resolved, in order; `None` where it is not of the grammar.
pub(in crate::path) fn components(code: &str) -> Option<Vec<Component<'_>>> {
    let mut reader = Reader { rest: code, depth: 0 };
    let mut found = Vec::new();
    reader.term(1, &mut found)?;
    reader.rest.is_empty().then_some(found)
}

/// Writes components as a code: those above the line joined by dots, those below each after a slash.
pub(in crate::path) fn write(components: &[(String, i32)]) -> String {
    let mut code = String::new();
    for (symbol, exponent) in components.iter().filter(|(_, e)| *e > 0) {
        if !code.is_empty() {
            code.push('.');
        }
        push(&mut code, symbol, *exponent);
    }
    for (symbol, exponent) in components.iter().filter(|(_, e)| *e < 0) {
        code.push('/');
        push(&mut code, symbol, -exponent);
    }
    if code.is_empty() { "1".to_owned() } else { code }
}

fn push(code: &mut String, symbol: &str, exponent: i32) {
    code.push_str(symbol);
    if exponent != 1 {
        code.push_str(&exponent.to_string());
    }
}

struct Reader<'c> {
    rest: &'c str,
    depth: u32,
}

impl<'c> Reader<'c> {
    fn eat(&mut self, mark: char) -> bool {
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Components joined by `.` and `/`; a slash may come first.
    fn term(&mut self, sign: i32, found: &mut Vec<Component<'c>>) -> Option<()> {
        self.depth += 1;
        if self.depth > 8 {
            return None;
        }
        let mut here = if self.eat('/') { -sign } else { sign };
        loop {
            self.component(here, found)?;
            here = match self.rest.bytes().next() {
                Some(b'.') => sign,
                Some(b'/') => -sign,
                _ => break,
            };
            self.rest = self.rest.get(1..)?;
        }
        self.depth -= 1;
        Some(())
    }

    fn component(&mut self, sign: i32, found: &mut Vec<Component<'c>>) -> Option<()> {
        if self.eat('(') {
            let start = found.len();
            self.term(1, found)?;
            self.eat(')').then_some(())?;
            let exponent = self.exponent()?.unwrap_or(1);
            for component in found.iter_mut().skip(start) {
                component.exponent = component.exponent.checked_mul(exponent)?.checked_mul(sign)?;
            }
            return Some(());
        }
        if self.rest.starts_with('{') {
            return self.annotation();
        }
        let symbol = self.symbol()?;
        let exponent = self.exponent()?.unwrap_or(1).checked_mul(sign)?;
        found.push(Component { symbol, exponent });
        if self.rest.starts_with('{') {
            self.annotation()
        } else {
            Some(())
        }
    }

    /// `{text}`, which has no meaning.
    fn annotation(&mut self) -> Option<()> {
        let end = self.rest.find('}')?;
        let text = self.rest.get(1..end)?;
        if !text.bytes().all(|b| b.is_ascii_graphic() || b == b' ') || text.contains('{') {
            return None;
        }
        self.rest = self.rest.get(end + 1..)?;
        Some(())
    }

    /// A number, or a unit up to its exponent. Digits within brackets and after `*` or `^` belong as UCUM has it.
    fn symbol(&mut self) -> Option<&'c str> {
        let bytes = self.rest.as_bytes();
        let mut end = 0;
        if bytes.starts_with(b"10*") || bytes.starts_with(b"10^") {
            end = 3;
        } else if bytes.first()?.is_ascii_digit() {
            end = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
        } else {
            let mut bracket = false;
            for byte in bytes {
                match byte {
                    b'[' if !bracket => bracket = true,
                    b']' if bracket => bracket = false,
                    _ if bracket && byte.is_ascii_graphic() => {}
                    b'a'..=b'z' | b'A'..=b'Z' | b'%' | b'\'' | b'_' => {}
                    _ => break,
                }
                end += 1;
            }
            if bracket {
                return None;
            }
        }
        let (symbol, rest) = self.rest.split_at_checked(end).filter(|_| end > 0)?;
        self.rest = rest;
        Some(symbol)
    }

    /// The exponent, if one follows; `None` where it is too long to be one.
    fn exponent(&mut self) -> Option<Option<i32>> {
        let sign = self.rest.strip_prefix(['+', '-']).map_or(0, |_| 1);
        let digits = self
            .rest
            .get(sign..)?
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count();
        if digits == 0 {
            return (sign == 0).then_some(None);
        }
        let (text, rest) = self.rest.split_at_checked(sign + digits)?;
        let value = text.strip_prefix('+').unwrap_or(text).parse().ok()?;
        self.rest = rest;
        Some(Some(value))
    }
}
