//! Reads FHIR JSON into any typed value: one interpreter over the reflection tables.
//!
//! Invariant: unknown and duplicate members, empty objects and arrays, and misplaced nulls are never passed over in
//! silence; problems that do not hide what follows are collected, so that one answer names them all.
//!
//! Size: one state machine, whose members, values, spans and issues share the reader's private state.

use super::lexer::{Kind, Lexer, SyntaxError};
use super::trace::{Link, LinkKind, MetaSpan, ResourceSpan, Trace};
use crate::primitive::{Primitive, Str};
use crate::read::{
    Budget, Exhausted, FoundIssue, IssueKind, Partial, ReadError, ReadOptions, UnknownElement,
    UnknownElements,
};
use crate::read::{did_you_mean, locate, quoted};
use crate::reflect::{
    ChoiceNodeMut, Complex, ComplexList, Field, JsonToken, PrimitiveList, PrimitiveNode, PrimitiveType,
    Shape, SlotMut, TypeInfo, TypeKind, Variant,
};
use crate::resource::Resource;

/// The widest primitive: lists of primitives are charged alike, whatever they hold.
const PRIMITIVE: usize = size_of::<Primitive<Str>>();

/// Reading cannot go on; the reason is among the issues found.
struct Stop;

type Flow = Result<(), Stop>;

/// One step of the path to the value being read.
struct Segment {
    name: &'static str,
    index: Option<usize>,
}

/// A member's meaning: an element, and the variant where it is a choice.
struct Member<'t> {
    index: usize,
    field: &'static Field,
    variant: Option<(usize, &'static Variant)>,
    /// `_name` instead of `name`.
    extras: bool,
    info: &'t TypeInfo,
}

/// Which members of one object were met: a bit a field, for `name` and for `_name`.
#[derive(Default)]
struct Seen {
    values: u128,
    extras: u128,
    /// Lists of primitives with a null that needs an extension beside it.
    nulls: u128,
}

pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    options: &'a ReadOptions,
    lexer: Lexer<'a>,
    root: &'static str,
    path: Vec<Segment>,
    depth: usize,
    elements: usize,
    budget: Budget,
    found: Vec<FoundIssue>,
    unknown: Vec<UnknownElement>,
    trace: Option<Trace>,
    /// The resource span whose meta is about to be read.
    meta_of: Option<usize>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], options: &'a ReadOptions) -> Self {
        Reader {
            bytes,
            options,
            lexer: Lexer::new(""),
            root: "",
            path: Vec::new(),
            depth: 0,
            elements: 0,
            budget: Budget::new(&options.limits, bytes.len()),
            found: Vec::new(),
            unknown: Vec::new(),
            trace: None,
            meta_of: None,
        }
    }

    pub(super) fn tracing(mut self) -> Self {
        self.trace = Some(Trace::default());
        self
    }

    /// Reads a whole text as one resource. Where reading stopped there is an issue.
    pub(super) fn resource(mut self) -> (Partial<Resource>, Trace) {
        let mut resource = None;
        let read = self.document(|reader| reader.resource_into(&mut resource, Some(None)));
        let partial = Partial {
            value: resource.filter(|_| read.is_ok()),
            unknown: self.unknown,
            issues: locate(self.bytes, self.found).issues,
        };
        (partial, self.trace.unwrap_or_default())
    }

    /// Reads a whole text into one complex value.
    pub(super) fn complex_into(mut self, value: &mut dyn Complex) -> Result<(), ReadError> {
        self.root = value.type_info().name;
        let read = self.document(|reader| reader.object(value, None));
        if read.is_ok() && self.found.is_empty() {
            Ok(())
        } else {
            Err(locate(self.bytes, self.found))
        }
    }

    fn document(&mut self, read: impl FnOnce(&mut Self) -> Flow) -> Flow {
        let limit = self.options.limits.bytes;
        if self.bytes.len() > limit {
            let message = format!(
                "The text has {} bytes; at most {limit} are read",
                self.bytes.len()
            );
            return self.stop(IssueKind::Limit, 0, message);
        }
        let text = match std::str::from_utf8(self.bytes) {
            Ok(text) => text,
            Err(e) => return self.stop(IssueKind::Syntax, e.valid_up_to(), "The text is not UTF-8 here"),
        };
        if text.starts_with('\u{feff}') {
            let message =
                "The text begins with a byte order mark, which JSON does not allow: send it without";
            return self.stop(IssueKind::Syntax, 0, message);
        }
        self.lexer = Lexer::new(text);
        read(self)?;
        self.lexer.skip_space();
        if self.lexer.at < self.bytes.len() {
            return self.stop(
                IssueKind::Syntax,
                self.lexer.at,
                "There is more text after the end of the JSON value",
            );
        }
        Ok(())
    }

    fn resource_into(&mut self, target: &mut Option<Resource>, entry: Option<Option<usize>>) -> Flow {
        let start = self.value_start();
        if !self.expect_kind(Kind::Object, "a resource: an object")? {
            return Ok(());
        }
        let Some(name) = self.resource_type()? else {
            self.issue(
                IssueKind::Structure,
                start,
                "A resource needs a member \"resourceType\"",
            )?;
            return self.skip();
        };
        let Some(mut resource) = Resource::new(&name) else {
            let hint = did_you_mean(&name, Resource::TYPES.iter().copied());
            let message = format!("There is no resource type {} in FHIR R4{hint}", quoted(&name));
            self.issue(IssueKind::Unknown, start, message)?;
            return self.skip();
        };
        if self.root.is_empty() {
            self.root = resource.type_name();
        }
        self.pay(|b| b.boxed(size_of_val(resource.as_complex())))?;
        let span = self.open_span(start, entry)?;
        self.object(resource.as_complex_mut(), span)?;
        let end = self.lexer.at;
        if let Some(span) = self.span_mut(span) {
            span.span.end = end;
        }
        *target = Some(resource);
        Ok(())
    }

    /// The value of `resourceType`, wherever it stands in the object that comes next.
    fn resource_type(&mut self) -> Result<Option<String>, Stop> {
        let mut ahead = self.lexer.clone();
        let depth = self.options.limits.depth.saturating_sub(self.depth);
        let mut scan = || -> Result<Option<String>, SyntaxError> {
            ahead.expect(b'{', "'{'")?;
            if ahead.eat(b'}') {
                return Ok(None);
            }
            loop {
                let name = ahead.string()?;
                ahead.expect(b':', "':'")?;
                if name == "resourceType" && ahead.kind()? == Kind::String {
                    return Ok(Some(ahead.string()?.into_owned()));
                }
                ahead.skip_value(depth)?;
                if !ahead.eat(b',') {
                    return Ok(None);
                }
            }
        };
        scan().map_err(|e| self.syntax(e))
    }

    /// Reads the object that comes next into `target`.
    fn object(&mut self, target: &mut dyn Complex, span: Option<usize>) -> Flow {
        let info = target.type_info();
        let meta_of = self.meta_of.take();
        if !self.expect_kind(Kind::Object, info.name)? {
            return Ok(());
        }
        self.enter()?;
        let open = self.lexer.at;
        self.lex(|l| l.expect(b'{', "'{'"))?;
        if self.lexer.eat(b'}') {
            self.issue(
                IssueKind::Structure,
                open,
                "An object must not be empty: leave the element out",
            )?;
            self.depth -= 1;
            return Ok(());
        }
        let mut seen = Seen::default();
        let mut next = 0;
        let mut typed = false;
        loop {
            self.lexer.skip_space();
            let at = self.lexer.at;
            let key = self.lex(Lexer::string)?;
            self.lex(|l| l.expect(b':', "':'"))?;
            if info.kind == TypeKind::Resource && key == "resourceType" {
                self.type_member(at, typed)?;
                typed = true;
                self.note_span(span, |s, range| s.resource_type = range, at);
            } else {
                match find(info, &key, next) {
                    Some(member) => {
                        next = member.index + usize::from(!member.extras);
                        self.prepare_meta(&key, span, at);
                        self.member(target, &member, at, &mut seen)?;
                    }
                    None => self.unknown_member(info, &key, at)?,
                }
                self.note_member(&key, span, meta_of, at);
            }
            if !self.lexer.eat(b',') {
                self.lex(|l| l.expect(b'}', "',' or '}'"))?;
                break;
            }
        }
        self.depth -= 1;
        self.check_nulls(target, seen.nulls)
    }

    fn type_member(&mut self, at: usize, again: bool) -> Flow {
        if again {
            self.issue(
                IssueKind::Duplicate,
                at,
                "\"resourceType\" stands here a second time",
            )?;
        }
        if self.expect_kind(Kind::String, "a string")? {
            self.lex(Lexer::string)?;
        }
        Ok(())
    }

    fn member(&mut self, target: &mut dyn Complex, member: &Member<'_>, at: usize, seen: &mut Seen) -> Flow {
        let bit = 1u128.checked_shl(member.index as u32).unwrap_or(0);
        let bits = if member.extras {
            &mut seen.extras
        } else {
            &mut seen.values
        };
        let again = *bits & bit != 0;
        *bits |= bit;
        self.path.push(Segment {
            name: member.field.name,
            index: None,
        });
        if again {
            let name = member.variant.map_or(member.field.name, |(_, v)| v.name);
            let message = match member.variant {
                Some(_) => format!(
                    "A second value for the choice {}[x], as {name:?}",
                    member.field.name
                ),
                None => format!("The member {name:?} stands here a second time"),
            };
            self.issue(IssueKind::Duplicate, at, message)?;
            self.skip()?;
        } else {
            self.element(target, member, at, bit, seen)?;
        }
        self.path.pop();
        Ok(())
    }

    fn element(
        &mut self,
        target: &mut dyn Complex,
        member: &Member<'_>,
        at: usize,
        bit: u128,
        seen: &mut Seen,
    ) -> Flow {
        self.elements += 1;
        if self.elements > self.options.limits.elements {
            let message = format!("More than {} elements", self.options.limits.elements);
            return self.stop(IssueKind::Limit, at, message);
        }
        match target.slot_mut(member.index) {
            Some(SlotMut::Primitive(p)) => self.primitive(p, member),
            Some(SlotMut::Primitives(list)) => {
                let nulls = self.primitives(list, member)?;
                if nulls {
                    seen.nulls |= bit;
                }
                Ok(())
            }
            Some(SlotMut::Complex(slot)) => {
                if self.expect_kind(Kind::Object, member.type_name())? {
                    let value = slot.get_or_insert();
                    self.pay(|b| b.boxed(size_of_val(&*value)))?;
                    self.object(value, None)
                } else {
                    Ok(())
                }
            }
            Some(SlotMut::Complexes(list)) => self.complexes(list, member),
            Some(SlotMut::Choice(slot)) => {
                let Some((index, variant)) = member.variant else {
                    return self.skip();
                };
                if slot.variant().is_some_and(|v| v != index) {
                    let message = format!(
                        "A second value for the choice {}[x], as {:?}",
                        member.field.name, variant.name
                    );
                    self.issue(IssueKind::Duplicate, at, message)?;
                    return self.skip();
                }
                match slot.select(index) {
                    Some(ChoiceNodeMut::Primitive(p)) => self.primitive(p, member),
                    Some(ChoiceNodeMut::Complex(c)) => {
                        self.pay(|b| b.boxed(size_of_val(&*c)))?;
                        self.object(c, None)
                    }
                    None => self.skip(),
                }
            }
            Some(SlotMut::Resource(target)) => {
                let entry = self.entry_index();
                self.resource_into(target, entry)
            }
            Some(SlotMut::Resources(list)) => self.items(|reader, _| {
                reader.pay(|b| b.item(list.len(), size_of::<Resource>()))?;
                let mut item = None;
                reader.resource_into(&mut item, None)?;
                list.extend(item);
                Ok(())
            }),
            None => self.skip(),
        }
    }

    fn complexes(&mut self, list: &mut dyn ComplexList, member: &Member<'_>) -> Flow {
        self.items(|reader, _| {
            let is_object = reader.expect_kind(Kind::Object, member.type_name())?;
            let index = list.len();
            // A list whose items cost nothing yet is charged for its first when that has shown its size.
            if let Some(before) = list.at(0) {
                reader.pay(|b| b.item(index, size_of_val(before)))?;
            }
            match list.push() {
                Some(item) => {
                    if index == 0 {
                        reader.pay(|b| b.item(0, size_of_val(&*item)))?;
                    }
                    // An item that could not be read keeps its place.
                    if is_object {
                        reader.object(item, None)
                    } else {
                        Ok(())
                    }
                }
                None if is_object => reader.skip(),
                None => Ok(()),
            }
        })
    }

    /// A list of primitives, or of their ids and extensions. Says whether a value was null.
    fn primitives(&mut self, list: &mut dyn PrimitiveList, member: &Member<'_>) -> Result<bool, Stop> {
        let mut nulls = false;
        self.items(|reader, index| {
            if index >= list.len() {
                reader.pay(|b| b.item(index, PRIMITIVE))?;
                list.push();
            }
            if reader.lex(Lexer::kind)? == Kind::Null {
                nulls = true;
                return reader.lex(Lexer::word).map(drop);
            }
            match list.at_mut(index) {
                Some(item) => reader.primitive(item, member),
                None => reader.skip(),
            }
        })?;
        Ok(nulls)
    }

    /// Each item of the array that comes next, with its index in the path.
    fn items(&mut self, mut each: impl FnMut(&mut Self, usize) -> Flow) -> Flow {
        if !self.expect_kind(Kind::Array, "an array, as the element repeats")? {
            return Ok(());
        }
        self.enter()?;
        let open = self.lexer.at;
        self.lex(|l| l.expect(b'[', "'['"))?;
        if self.lexer.eat(b']') {
            self.depth -= 1;
            return self.issue(
                IssueKind::Structure,
                open,
                "An array must not be empty: leave the element out",
            );
        }
        let mut index = 0;
        loop {
            if let Some(segment) = self.path.last_mut() {
                segment.index = Some(index);
            }
            each(self, index)?;
            index += 1;
            if !self.lexer.eat(b',') {
                self.lex(|l| l.expect(b']', "',' or ']'"))?;
                break;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn primitive(&mut self, target: &mut dyn PrimitiveNode, member: &Member<'_>) -> Flow {
        if member.extras {
            return match target.extras_mut() {
                Some(extras) => {
                    self.pay(|b| b.boxed(size_of_val(&*extras)))?;
                    self.object(extras, None)
                }
                None => self.skip(),
            };
        }
        let Some(t) = member.primitive() else {
            return self.skip();
        };
        let start = self.value_start();
        let wanted = match t.json_token() {
            JsonToken::String => Kind::String,
            JsonToken::Number => Kind::Number,
            JsonToken::Boolean => Kind::Boolean,
        };
        if !self.expect_kind(wanted, t.name())? {
            return Ok(());
        }
        let parsed = match wanted {
            Kind::String => {
                let text = self.lex(Lexer::string)?;
                if text.is_empty() {
                    return self.issue(
                        IssueKind::Value,
                        start,
                        "A string must not be empty: leave the element out",
                    );
                }
                self.note_link(t, member, start)?;
                self.pay(|b| b.text(text.len()))?;
                target.parse(&text).map_err(|e| (text, e))
            }
            Kind::Number => {
                let text = self.lex(Lexer::number)?;
                self.pay(|b| b.text(text.len()))?;
                target.parse(text).map_err(|e| (text.into(), e))
            }
            _ => {
                let text = self.lex(Lexer::word)?;
                target.parse(text).map_err(|e| (text.into(), e))
            }
        };
        match parsed {
            Ok(()) => Ok(()),
            Err((text, e)) => {
                let message = format!("{} is not a {}: expected {}", quoted(&text), t.name(), e.expected);
                self.issue(IssueKind::Value, start, message)
            }
        }
    }

    fn unknown_member(&mut self, info: &TypeInfo, key: &str, at: usize) -> Flow {
        let start = self.value_start();
        self.skip()?;
        if self.options.unknown == UnknownElements::Report {
            let path = format!(
                "{}.{}",
                self.path_text(),
                key.chars().take(100).collect::<String>()
            );
            let raw = self.lexer.raw(start, self.lexer.at).to_owned();
            let index = self.unknown.len();
            self.pay(|b| b.item(index, size_of::<UnknownElement>()))?;
            self.pay(|b| b.boxed(path.len()))?;
            self.pay(|b| b.boxed(raw.len()))?;
            self.unknown.push(UnknownElement { path, raw });
            return Ok(());
        }
        let names = info.fields.iter().flat_map(|f| match &f.shape {
            Shape::Choice(variants) => variants.iter().map(|v| v.name).collect::<Vec<_>>(),
            _ => vec![f.name],
        });
        let hint = did_you_mean(key, names);
        let message = format!("There is no element {} in {}{hint}", quoted(key), info.name);
        let path = format!(
            "{}.{}",
            self.path_text(),
            key.chars().take(100).collect::<String>()
        );
        self.issue_at_path(IssueKind::Unknown, at, message, path)
    }

    /// Nulls in a list of primitives stand only for items whose extensions are given beside.
    fn check_nulls(&mut self, target: &mut dyn Complex, nulls: u128) -> Flow {
        if nulls == 0 {
            return Ok(());
        }
        let info = target.type_info();
        for (index, field) in info.fields.iter().enumerate() {
            if nulls & 1u128.checked_shl(index as u32).unwrap_or(0) == 0 {
                continue;
            }
            let Some(SlotMut::Primitives(list)) = target.slot_mut(index) else {
                continue;
            };
            for i in 0..list.len() {
                if list
                    .at(i)
                    .is_some_and(|p| p.scalar().is_none() && p.extras().is_none())
                {
                    let path = format!("{}.{}[{i}]", self.path_text(), field.name);
                    let message = "A null in a list needs an id or extension beside it: leave the item out";
                    self.issue_at_path(IssueKind::Structure, self.lexer.at, message.into(), path)?;
                }
            }
        }
        Ok(())
    }

    // --- the trace -------------------------------------------------------------------------------------------------

    fn open_span(&mut self, start: usize, entry: Option<Option<usize>>) -> Result<Option<usize>, Stop> {
        let (Some(trace), Some(entry)) = (self.trace.as_ref(), entry) else {
            return Ok(None);
        };
        let index = trace.resources.len();
        self.pay(|b| b.item(index, size_of::<ResourceSpan>()))?;
        let span = ResourceSpan {
            entry,
            span: start..start,
            resource_type: start..start,
            id: None,
            meta: None,
        };
        self.trace.get_or_insert_default().resources.push(span);
        Ok(Some(index))
    }

    fn span_mut(&mut self, span: Option<usize>) -> Option<&mut ResourceSpan> {
        self.trace.as_mut()?.resources.get_mut(span?)
    }

    fn note_span(
        &mut self,
        span: Option<usize>,
        set: impl FnOnce(&mut ResourceSpan, std::ops::Range<usize>),
        from: usize,
    ) {
        let to = self.lexer.at;
        if let Some(s) = self.span_mut(span) {
            set(s, from..to);
        }
    }

    /// The index in `Bundle.entry` of the resource that comes next, if it is one of the outermost Bundle's.
    fn entry_index(&self) -> Option<Option<usize>> {
        match self.path.as_slice() {
            [Segment { name: "entry", index }, Segment { name: "resource", .. }] if self.root == "Bundle" => {
                Some(*index)
            }
            _ => None,
        }
    }

    fn prepare_meta(&mut self, key: &str, span: Option<usize>, at: usize) {
        if key != "meta" || span.is_none() {
            return;
        }
        let value = self.value_start();
        let meta = MetaSpan {
            member: at..at,
            value: value..value,
            stamps: Vec::new(),
            others: 0,
        };
        if let Some(s) = self.span_mut(span) {
            s.meta = Some(meta);
            self.meta_of = span;
        }
    }

    fn note_member(&mut self, key: &str, span: Option<usize>, meta_of: Option<usize>, at: usize) {
        let to = self.lexer.at;
        if let Some(meta) = self.span_mut(meta_of).and_then(|s| s.meta.as_mut()) {
            match key {
                "versionId" | "_versionId" | "lastUpdated" | "_lastUpdated" => meta.stamps.push(at..to),
                _ => meta.others += 1,
            }
        }
        match (key, self.span_mut(span)) {
            ("id", Some(s)) => s.id = Some(at..to),
            ("meta", Some(ResourceSpan { meta: Some(meta), .. })) => {
                meta.member.end = to;
                meta.value.end = to;
            }
            _ => {}
        }
    }

    fn note_link(&mut self, t: PrimitiveType, member: &Member<'_>, start: usize) -> Flow {
        let span = start..self.lexer.at;
        let kind = match t {
            PrimitiveType::Uri | PrimitiveType::Url | PrimitiveType::Oid | PrimitiveType::Uuid => {
                LinkKind::Uri
            }
            PrimitiveType::Xhtml => LinkKind::Narrative,
            _ if member.info.name == "Reference" && member.field.name == "reference" => LinkKind::Reference,
            _ => return Ok(()),
        };
        if let Some(index) = self.trace.as_ref().map(|trace| trace.links.len()) {
            self.pay(|b| b.item(index, size_of::<Link>()))?;
            self.trace.get_or_insert_default().links.push(Link { span, kind });
        }
        Ok(())
    }

    // --- tokens, issues, limits ------------------------------------------------------------------------------------

    fn lex<T>(&mut self, read: impl FnOnce(&mut Lexer<'a>) -> Result<T, SyntaxError>) -> Result<T, Stop> {
        read(&mut self.lexer).map_err(|e| self.syntax(e))
    }

    fn syntax(&mut self, e: SyntaxError) -> Stop {
        let path = self.path_text();
        self.found.push(FoundIssue {
            kind: IssueKind::Syntax,
            path,
            message: e.message,
            offset: e.offset,
        });
        Stop
    }

    fn value_start(&mut self) -> usize {
        self.lexer.skip_space();
        self.lexer.at
    }

    /// Whether the next value is of that kind; if not, says so and goes past it.
    fn expect_kind(&mut self, wanted: Kind, what: &str) -> Result<bool, Stop> {
        let start = self.value_start();
        let found = self.lex(Lexer::kind)?;
        if found == wanted {
            return Ok(true);
        }
        self.skip()?;
        let raw = quoted(self.lexer.raw(start, self.lexer.at));
        let message = match wanted {
            Kind::Array => format!("Expected {what}, found {}: {raw}", found.described()),
            _ if found == Kind::Null => {
                "null is allowed only in lists of primitives: leave the element out".to_owned()
            }
            _ => format!(
                "Expected {} ({what}), found {}: {raw}",
                wanted.described(),
                found.described()
            ),
        };
        self.issue(IssueKind::Structure, start, message)?;
        Ok(false)
    }

    fn skip(&mut self) -> Flow {
        let depth = self.options.limits.depth.saturating_sub(self.depth);
        self.lex(|l| l.skip_value(depth))
    }

    fn enter(&mut self) -> Flow {
        self.depth += 1;
        if self.depth > self.options.limits.depth {
            let message = format!(
                "The JSON is nested more than {} levels deep",
                self.options.limits.depth
            );
            return self.stop(IssueKind::Limit, self.lexer.at, message);
        }
        Ok(())
    }

    /// Takes from the budget of memory, or ends the reading.
    fn pay(&mut self, cost: impl FnOnce(&mut Budget) -> Result<(), Exhausted>) -> Flow {
        match cost(&mut self.budget) {
            Ok(()) => Ok(()),
            Err(Exhausted) => self.stop(IssueKind::Limit, self.lexer.at, self.budget.message()),
        }
    }

    fn stop(&mut self, kind: IssueKind, offset: usize, message: impl Into<String>) -> Flow {
        let path = self.path_text();
        self.found.push(FoundIssue {
            kind,
            path,
            message: message.into(),
            offset,
        });
        Err(Stop)
    }

    fn issue(&mut self, kind: IssueKind, offset: usize, message: impl Into<String>) -> Flow {
        let path = self.path_text();
        self.issue_at_path(kind, offset, message.into(), path)
    }

    fn issue_at_path(&mut self, kind: IssueKind, offset: usize, message: String, path: String) -> Flow {
        self.found.push(FoundIssue {
            kind,
            path,
            message,
            offset,
        });
        if self.found.len() >= self.options.limits.issues {
            Err(Stop)
        } else {
            Ok(())
        }
    }

    fn path_text(&self) -> String {
        use std::fmt::Write as _;
        let mut text = self.root.to_owned();
        for segment in &self.path {
            text.push('.');
            text.push_str(segment.name);
            if let Some(index) = segment.index {
                // Writing to a String cannot fail.
                let _ = write!(text, "[{index}]");
            }
        }
        text
    }
}

impl Member<'_> {
    fn shape(&self) -> &'static Shape {
        self.variant.map_or(&self.field.shape, |(_, v)| &v.shape)
    }

    fn primitive(&self) -> Option<PrimitiveType> {
        match self.shape() {
            Shape::Primitive(t) => Some(*t),
            _ => None,
        }
    }

    fn type_name(&self) -> &'static str {
        match self.shape() {
            Shape::Primitive(t) => t.name(),
            Shape::Complex(info) => info.name,
            Shape::Resource => "a resource",
            Shape::Choice(_) => "a choice",
        }
    }
}

/// The element that a member's name means. The search begins at `from`, as members mostly come in order.
fn find<'t>(info: &'t TypeInfo, key: &str, from: usize) -> Option<Member<'t>> {
    let (name, extras) = match key.strip_prefix('_') {
        Some(name) => (name, true),
        None => (key, false),
    };
    let fields: &'static [Field] = info.fields;
    let (before, after) = fields.split_at(from.min(fields.len()));
    let ordered = after
        .iter()
        .enumerate()
        .map(|(i, f)| (i + before.len(), f))
        .chain(before.iter().enumerate());
    for (index, field) in ordered {
        let variant = match &field.shape {
            Shape::Choice(variants) if name.starts_with(field.name) => {
                match variants.iter().enumerate().find(|(_, v)| v.name == name) {
                    Some(found) => Some(found),
                    None => continue,
                }
            }
            Shape::Choice(_) => continue,
            _ if field.name == name => None,
            _ => continue,
        };
        let member = Member {
            index,
            field,
            variant,
            extras,
            info,
        };
        if extras && (field.attribute || member.primitive().is_none()) {
            return None;
        }
        return Some(member);
    }
    None
}
