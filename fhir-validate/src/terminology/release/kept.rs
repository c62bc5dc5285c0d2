//! A release as it is kept once it was read: the held form of its code systems, packed, so that a server begins with it at once.
//!
//! Invariant: whatever a file says of its sizes, reading ends within the bounds, and what is damaged is refused.

use std::io::{self, Read, Write};

use serde_json::{Value, json};

use super::{Bounds, Release, ReleaseError};
use crate::terminology::code_system::{CodeSystem, Concept, Content, Head, Held, HeldValue, Links, Span};

/// What a file begins with; another form has another number.
const MAGIC: &[u8] = b"FHIR terminology 1\n";
/// Items that are made room for before they are read.
const AT_FIRST: usize = 1 << 16;

impl Release {
    /// Writes the release in the form in which it is kept.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(MAGIC)?;
        let mut packed = zstd::Encoder::new(to, 6)?;
        packed.include_checksum(true)?;
        let mut out = Out(&mut packed);
        out.size(self.systems.len())?;
        for system in &self.systems {
            out.system(system)?;
        }
        packed.finish()?.flush()
    }

    /// Reads a release in the form in which it is kept; `name` is the file's, for messages.
    ///
    /// # Errors
    /// It is not in that form, damaged, or larger than the bounds allow.
    pub fn read(name: &str, from: &mut dyn Read, bounds: &Bounds) -> Result<Release, ReleaseError> {
        let damaged = |error: io::Error| match error.kind() {
            io::ErrorKind::FileTooLarge => ReleaseError::TooLarge(format!("{name}: {error}")),
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::Other => {
                ReleaseError::Malformed(format!("{name} is damaged ({error}): load the release again"))
            }
            _ => ReleaseError::Io(name.to_owned(), error),
        };
        let mut magic = [0; MAGIC.len()];
        from.read_exact(&mut magic).map_err(damaged)?;
        if magic != MAGIC {
            let text = format!("{name} is not kept in the form of this version: load the release again");
            return Err(ReleaseError::Malformed(text));
        }
        let mut packed = zstd::Decoder::new(from).map_err(damaged)?;
        let mut input = In {
            from: &mut packed,
            left: bounds.bytes,
        };
        input.release().map_err(damaged)
    }
}

struct Out<'w>(&'w mut dyn Write);

impl Out<'_> {
    fn size(&mut self, size: usize) -> io::Result<()> {
        self.0.write_all(&(size as u64).to_le_bytes())
    }

    fn number(&mut self, number: u32) -> io::Result<()> {
        self.0.write_all(&number.to_le_bytes())
    }

    fn span(&mut self, span: Span) -> io::Result<()> {
        self.number(span.start)?;
        self.number(span.len)
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        self.size(text.len())?;
        self.0.write_all(text.as_bytes())
    }

    fn all<T>(
        &mut self,
        items: &[T],
        mut one: impl FnMut(&mut Self, &T) -> io::Result<()>,
    ) -> io::Result<()> {
        self.size(items.len())?;
        items.iter().try_for_each(|item| one(self, item))
    }

    fn system(&mut self, system: &CodeSystem) -> io::Result<()> {
        self.text(&head(&system.head).to_string())?;
        self.text(&system.text)?;
        self.all(&system.concepts, |out, concept| {
            for span in [concept.code, concept.display, concept.definition, concept.status] {
                out.span(span)?;
            }
            for (from, to) in [concept.designations, concept.values] {
                out.number(from)?;
                out.number(to)?;
            }
            let flags = [concept.inactive, concept.is_abstract, concept.deprecated];
            out.0.write_all(&flags.map(u8::from))
        })?;
        self.all(&system.sorted, |out, index| out.number(*index))?;
        self.all(&system.designations, |out, held| {
            out.span(held.language)?;
            out.span(held.value)?;
            out.number(held.use_.unwrap_or(u32::MAX))?;
            out.0.write_all(&[u8::from(held.withdrawn)])
        })?;
        self.all(&system.uses, |out, coding| {
            let json = fhir_model::json::to_vec_of(coding);
            out.size(json.len())?;
            out.0.write_all(&json)
        })?;
        self.all(&system.values, |out, (property, value)| {
            out.span(*property)?;
            out.value(*value)
        })?;
        for links in [&system.parents, &system.children] {
            let (starts, targets) = links.parts();
            self.all(starts, |out, at| out.number(*at))?;
            self.all(targets, |out, at| out.number(*at))?;
        }
        Ok(())
    }

    fn value(&mut self, value: HeldValue) -> io::Result<()> {
        let none = Span::default();
        let (tag, spans) = match value {
            HeldValue::Code(text) => (0, [text, none, none]),
            HeldValue::String(text) => (1, [text, none, none]),
            HeldValue::Coding(system, code, display) => (2, [system, code, display]),
            HeldValue::Integer(number) => {
                let start = u32::from_le_bytes(number.to_le_bytes());
                (3, [Span { start, len: 0 }, none, none])
            }
            HeldValue::Boolean(yes) => {
                let start = u32::from(yes);
                (4, [Span { start, len: 0 }, none, none])
            }
            HeldValue::DateTime(text) => (5, [text, none, none]),
            HeldValue::Decimal(text) => (6, [text, none, none]),
        };
        self.0.write_all(&[tag])?;
        let used = if tag == 2 { &spans[..] } else { &spans[..1] };
        used.iter().try_for_each(|span| self.span(*span))
    }
}

fn head(head: &Head) -> Value {
    json!({
        "url": head.url,
        "version": head.version,
        "name": head.name,
        "language": head.language,
        "complete": head.content == Content::Complete,
        "caseSensitive": head.case_sensitive,
        "status": head.status,
        "experimental": head.experimental,
        "standardsStatus": head.standards_status,
        "properties": head.properties,
    })
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

struct In<'r> {
    from: &'r mut dyn Read,
    left: u64,
}

impl In<'_> {
    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        self.take(N as u64)?;
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn take(&mut self, bytes: u64) -> io::Result<()> {
        let left = self.left.checked_sub(bytes);
        self.left =
            left.ok_or_else(|| io::Error::new(io::ErrorKind::FileTooLarge, "more bytes than are read"))?;
        Ok(())
    }

    fn size(&mut self) -> io::Result<usize> {
        usize::try_from(u64::from_le_bytes(self.bytes()?)).map_err(|_| invalid("a size"))
    }

    fn number(&mut self) -> io::Result<u32> {
        Ok(u32::from_le_bytes(self.bytes()?))
    }

    fn span(&mut self) -> io::Result<Span> {
        Ok(Span {
            start: self.number()?,
            len: self.number()?,
        })
    }

    fn flag(&mut self) -> io::Result<bool> {
        Ok(self.bytes::<1>()? == [1])
    }

    fn text(&mut self) -> io::Result<String> {
        let size = self.size()?;
        self.take(size as u64)?;
        let mut text = String::new();
        let read = Read::take(&mut *self.from, size as u64).read_to_string(&mut text)?;
        match read == size {
            true => Ok(text),
            false => Err(invalid("it ends too early")),
        }
    }

    fn all<T>(&mut self, mut one: impl FnMut(&mut Self) -> io::Result<T>) -> io::Result<Vec<T>> {
        let size = self.size()?;
        let mut items = Vec::with_capacity(size.min(AT_FIRST));
        for _ in 0..size {
            items.push(one(self)?);
        }
        items.shrink_to_fit();
        Ok(items)
    }

    fn release(&mut self) -> io::Result<Release> {
        let systems = self.all(In::system)?;
        // What follows the last one is the checksum, which is looked at when the end is read.
        match self.from.read(&mut [0])? {
            0 => Ok(Release { systems }),
            _ => Err(invalid("something follows its end")),
        }
    }

    fn system(&mut self) -> io::Result<CodeSystem> {
        let head: Value = serde_json::from_str(&self.text()?)?;
        let head = read_head(&head).ok_or_else(|| invalid("its head"))?;
        let text = self.text()?;
        let concepts = self.all(|input| {
            Ok(Concept {
                code: input.span()?,
                display: input.span()?,
                definition: input.span()?,
                status: input.span()?,
                designations: (input.number()?, input.number()?),
                values: (input.number()?, input.number()?),
                inactive: input.flag()?,
                is_abstract: input.flag()?,
                deprecated: input.flag()?,
            })
        })?;
        let sorted = self.all(In::number)?;
        let designations = self.all(|input| {
            Ok(Held {
                language: input.span()?,
                value: input.span()?,
                use_: Some(input.number()?).filter(|at| *at != u32::MAX),
                withdrawn: input.flag()?,
            })
        })?;
        let uses = self.all(|input| {
            let text = input.text()?;
            fhir_model::json::from_slice_as(text.as_bytes()).map_err(|_| invalid("a Coding"))
        })?;
        let values = self.all(|input| Ok((input.span()?, input.value()?)))?;
        let mut links = || Ok::<_, io::Error>(Links::of_parts(self.all(In::number)?, self.all(In::number)?));
        let (parents, children) = (links()?, links()?);
        Ok(CodeSystem {
            head,
            text,
            concepts,
            sorted,
            designations,
            uses,
            values,
            extensions: Default::default(),
            parents,
            children,
        })
    }

    fn value(&mut self) -> io::Result<HeldValue> {
        let [tag] = self.bytes()?;
        let first = self.span()?;
        Ok(match tag {
            0 => HeldValue::Code(first),
            1 => HeldValue::String(first),
            2 => HeldValue::Coding(first, self.span()?, self.span()?),
            3 => HeldValue::Integer(i32::from_le_bytes(first.start.to_le_bytes())),
            4 => HeldValue::Boolean(first.start == 1),
            5 => HeldValue::DateTime(first),
            6 => HeldValue::Decimal(first),
            _ => return Err(invalid("a value")),
        })
    }
}

fn read_head(value: &Value) -> Option<Head> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let yes = |name: &str| value.get(name).and_then(Value::as_bool);
    let property = |pair: &Value| {
        let uri = pair.get(1).and_then(Value::as_str).map(str::to_owned);
        Some((pair.get(0)?.as_str()?.to_owned(), uri))
    };
    Some(Head {
        url: text("url")?,
        version: text("version"),
        name: text("name"),
        language: text("language"),
        content: match yes("complete")? {
            true => Content::Complete,
            false => Content::Fragment,
        },
        case_sensitive: yes("caseSensitive")?,
        status: text("status"),
        experimental: yes("experimental")?,
        standards_status: text("standardsStatus"),
        properties: value
            .get("properties")?
            .as_array()?
            .iter()
            .filter_map(property)
            .collect(),
    })
}
