//! The paths of XML Patch: the part of XPath 1.0 that RFC 5261 (section 4.1) takes, and paths with `@value` in predicates,
//! which FHIR's elements need.
//!
//! `f:Patient/f:name[2]/f:given[@value='Amy']`, `//f:name[f:use/@value='old' and f:family]`, `f:note/text()[1]`,
//! `f:id/@value`, `comment()[1]`, `namespace::p`.

use std::sync::Arc;

use fhir_model::xml::{Element, Node};

use super::budget::{Budget, Exhausted};

/// Steps in one path at most, and predicates at one step.
const MAX_STEPS: usize = 64;

/// A path.
#[derive(Debug)]
pub(super) struct XPath {
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    /// `//`: at any depth.
    anywhere: bool,
    test: Test,
    predicates: Vec<Predicate>,
}

#[derive(Debug)]
enum Test {
    /// An element; `None` for `*`.
    Element(Option<Wanted>),
    Attribute(Wanted),
    Namespace(String),
    Text,
    Comment,
    Instruction(Option<String>),
}

/// A name to look for.
#[derive(Debug)]
struct Wanted {
    local: String,
    namespace: Arc<str>,
}

#[derive(Debug)]
enum Predicate {
    Position(usize),
    Last,
    /// All must hold: a path below the element, and what it must equal.
    Holds(Vec<(Vec<Inner>, Option<String>)>),
}

/// A step of a path within a predicate.
#[derive(Debug)]
enum Inner {
    Child(Wanted),
    Attribute(Wanted),
    This,
}

/// What a path selects: the indexes of children down from the document's element, and what of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selected {
    pub(super) way: Vec<usize>,
    pub(super) part: Part,
}

/// What of the node at the end of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The node itself.
    Whole,
    /// An attribute of it, by its place.
    Attribute(usize),
    /// A declaration of a namespace, by its place.
    Declaration(usize),
}

/// Finds the namespace of a prefix; the empty one is the default namespace.
pub(super) type Prefixes<'p> = &'p dyn Fn(&str) -> Option<Arc<str>>;

impl XPath {
    /// Reads a path.
    ///
    /// # Errors
    /// It is none of those that are taken, in words.
    pub(super) fn parse(text: &str, prefixes: Prefixes<'_>) -> Result<XPath, String> {
        let mut parser = Parser {
            rest: text.trim(),
            prefixes,
        };
        let mut steps = Vec::new();
        let mut anywhere = parser.eat("//");
        if !anywhere {
            parser.eat("/");
        }
        loop {
            steps.push(parser.step(anywhere)?);
            anywhere = parser.eat("//");
            if steps.len() >= MAX_STEPS {
                return Err(format!("the path has more than {MAX_STEPS} steps"));
            }
            if !anywhere && !parser.eat("/") {
                break;
            }
        }
        match parser.rest.is_empty() {
            true => Ok(XPath { steps }),
            false => Err(parser.unexpected("`/`, `[` or the end of the path")),
        }
    }

    /// Everything that the path selects in a document.
    pub(super) fn select(&self, root: &Element, budget: &mut Budget) -> Result<Vec<Selected>, Exhausted> {
        let mut found: Vec<Selected> = Vec::new();
        for (at, step) in self.steps.iter().enumerate() {
            let mut next = Vec::new();
            if at == 0 {
                // The document holds one node that counts, its element.
                let mut first = Vec::new();
                if step.matches(root) {
                    first.push((Selected::whole(Vec::new()), root));
                }
                step.keep(first, &mut next, budget)?;
                if step.anywhere {
                    step.below(root, &[], &mut next, budget)?;
                }
            }
            for selected in &found {
                let Some(element) = element_at(root, &selected.way) else {
                    continue;
                };
                match step.anywhere {
                    true => step.below(element, &selected.way, &mut next, budget)?,
                    false => step.children(element, &selected.way, &mut next, budget)?,
                }
            }
            budget.work(next.len() * std::mem::size_of::<Selected>())?;
            next.dedup();
            found = next;
        }
        Ok(found)
    }
}

/// The element at the end of a way.
pub(super) fn element_at<'e>(root: &'e Element, way: &[usize]) -> Option<&'e Element> {
    way.iter()
        .try_fold(root, |at, index| at.children.get(*index)?.element())
}

impl Selected {
    fn whole(way: Vec<usize>) -> Self {
        let part = Part::Whole;
        Selected { way, part }
    }
}

impl Step {
    fn matches(&self, element: &Element) -> bool {
        match &self.test {
            Test::Element(wanted) => wanted.as_ref().is_none_or(|w| w.is(&element.name)),
            _ => false,
        }
    }

    /// What the step selects at any depth.
    fn below(
        &self,
        element: &Element,
        way: &[usize],
        out: &mut Vec<Selected>,
        budget: &mut Budget,
    ) -> Result<(), Exhausted> {
        self.children(element, way, out, budget)?;
        for (index, child) in element.children.iter().enumerate() {
            if let Node::Element(child) = child {
                let mut way = way.to_vec();
                way.push(index);
                self.below(child, &way, out, budget)?;
            }
        }
        Ok(())
    }

    /// What the step selects in an element.
    fn children(
        &self,
        element: &Element,
        way: &[usize],
        out: &mut Vec<Selected>,
        budget: &mut Budget,
    ) -> Result<(), Exhausted> {
        budget.work(64 * (1 + element.children.len() + element.attributes.len()))?;
        match &self.test {
            Test::Attribute(wanted) => {
                let named = |a: &fhir_model::xml::Attribute| wanted.is(&a.name);
                let found = element.attributes.iter().position(named);
                out.extend(found.map(|at| Selected {
                    way: way.to_vec(),
                    part: Part::Attribute(at),
                }));
                Ok(())
            }
            Test::Namespace(prefix) => {
                let found = element.declarations.iter().position(|d| d.prefix == *prefix);
                out.extend(found.map(|at| Selected {
                    way: way.to_vec(),
                    part: Part::Declaration(at),
                }));
                Ok(())
            }
            _ => {
                let mut matching = Vec::new();
                for (index, child) in element.children.iter().enumerate() {
                    if self.matches_child(child) {
                        let mut way = way.to_vec();
                        way.push(index);
                        matching.push((Selected::whole(way), child));
                    }
                }
                self.keep_nodes(matching, out, budget)
            }
        }
    }

    fn matches_child(&self, child: &Node) -> bool {
        match (&self.test, child) {
            (Test::Element(_), Node::Element(element)) => self.matches(element),
            (Test::Text, Node::Text(_)) | (Test::Comment, Node::Comment(_)) => true,
            (Test::Instruction(target), Node::Instruction(text)) => {
                let found = text.split_ascii_whitespace().next().unwrap_or_default();
                target.as_ref().is_none_or(|target| target == found)
            }
            _ => false,
        }
    }

    fn keep(
        &self,
        matching: Vec<(Selected, &Element)>,
        out: &mut Vec<Selected>,
        budget: &mut Budget,
    ) -> Result<(), Exhausted> {
        let mut matching: Vec<(Selected, Option<&Element>)> =
            matching.into_iter().map(|(s, e)| (s, Some(e))).collect();
        self.filter(&mut matching, budget)?;
        out.extend(matching.into_iter().map(|(selected, _)| selected));
        Ok(())
    }

    fn keep_nodes(
        &self,
        matching: Vec<(Selected, &Node)>,
        out: &mut Vec<Selected>,
        budget: &mut Budget,
    ) -> Result<(), Exhausted> {
        let mut matching: Vec<(Selected, Option<&Element>)> =
            matching.into_iter().map(|(s, n)| (s, n.element())).collect();
        self.filter(&mut matching, budget)?;
        out.extend(matching.into_iter().map(|(selected, _)| selected));
        Ok(())
    }

    /// Each predicate counts what the one before left.
    fn filter(
        &self,
        matching: &mut Vec<(Selected, Option<&Element>)>,
        budget: &mut Budget,
    ) -> Result<(), Exhausted> {
        for predicate in &self.predicates {
            match predicate {
                Predicate::Position(at) => {
                    let kept = at.checked_sub(1).filter(|at| *at < matching.len());
                    let one = kept.map(|at| matching.swap_remove(at));
                    matching.clear();
                    matching.extend(one);
                }
                Predicate::Last => {
                    let last = matching.pop();
                    matching.clear();
                    matching.extend(last);
                }
                Predicate::Holds(all) => {
                    for (_, element) in matching.iter() {
                        budget.work(element.map_or(0, Element::weight))?;
                    }
                    matching.retain(|(_, element)| {
                        element
                            .is_some_and(|e| all.iter().all(|(path, value)| holds(e, path, value.as_deref())))
                    });
                }
            }
        }
        Ok(())
    }
}

/// Whether something at that path below an element exists, or has that value.
fn holds(element: &Element, path: &[Inner], value: Option<&str>) -> bool {
    match path.split_first() {
        None => value.is_none_or(|value| element.text() == value),
        Some((Inner::This, rest)) => holds(element, rest, value),
        Some((Inner::Attribute(wanted), _)) => {
            let found = element.attributes.iter().find(|a| wanted.is(&a.name));
            found.is_some_and(|a| value.is_none_or(|value| a.value == value))
        }
        Some((Inner::Child(wanted), rest)) => element
            .children
            .iter()
            .filter_map(Node::element)
            .any(|child| wanted.is(&child.name) && holds(child, rest, value)),
    }
}

impl Wanted {
    fn is(&self, name: &fhir_model::xml::Name) -> bool {
        self.local == name.local && self.namespace == name.namespace
    }
}

struct Parser<'x> {
    rest: &'x str,
    prefixes: Prefixes<'x>,
}

impl<'x> Parser<'x> {
    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start();
        match rest.strip_prefix(token) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    fn unexpected(&self, wanted: &str) -> String {
        let found = super::shortened(self.rest);
        match found.is_empty() {
            true => format!("the path ends where {wanted} is expected"),
            false => format!("{wanted} is expected at {found:?}"),
        }
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        match self.eat(token) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("`{token}`"))),
        }
    }

    fn step(&mut self, anywhere: bool) -> Result<Step, String> {
        let test = self.test()?;
        let mut predicates = Vec::new();
        while self.eat("[") {
            if predicates.len() >= MAX_STEPS {
                return Err(format!("a step has more than {MAX_STEPS} predicates"));
            }
            predicates.push(self.predicate()?);
            self.expect("]")?;
        }
        Ok(Step {
            anywhere,
            test,
            predicates,
        })
    }

    fn test(&mut self) -> Result<Test, String> {
        if self.eat("@") {
            return self.wanted(false).map(Test::Attribute);
        }
        if self.eat("*") {
            return Ok(Test::Element(None));
        }
        for (word, test) in [("text()", Test::Text), ("comment()", Test::Comment)] {
            if self.eat(word) {
                return Ok(test);
            }
        }
        if self.eat("processing-instruction(") {
            let target = match self.rest.trim_start().starts_with(['\'', '"']) {
                true => Some(self.literal()?),
                false => None,
            };
            self.expect(")")?;
            return Ok(Test::Instruction(target));
        }
        if self.eat("namespace::") {
            return self.name().map(Test::Namespace);
        }
        self.wanted(true).map(|wanted| Test::Element(Some(wanted)))
    }

    fn predicate(&mut self) -> Result<Predicate, String> {
        if self.eat("last()") {
            return Ok(Predicate::Last);
        }
        let digits = self.rest.trim_start();
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        if count > 0 {
            let (number, after) = digits.split_at(count);
            self.rest = after;
            return match number.parse() {
                Ok(at) => Ok(Predicate::Position(at)),
                Err(_) => Err(format!("{:?} is too large a position", super::shortened(number))),
            };
        }
        let mut all = vec![self.condition()?];
        while self.eat("and ") {
            all.push(self.condition()?);
            if all.len() >= MAX_STEPS {
                return Err(format!("a predicate has more than {MAX_STEPS} conditions"));
            }
        }
        Ok(Predicate::Holds(all))
    }

    fn condition(&mut self) -> Result<(Vec<Inner>, Option<String>), String> {
        let mut path = Vec::new();
        loop {
            if path.len() >= MAX_STEPS {
                return Err(format!("a path in a predicate has more than {MAX_STEPS} steps"));
            }
            if self.eat("@") {
                path.push(Inner::Attribute(self.wanted(false)?));
                break;
            }
            if self.eat(".") || self.eat("text()") {
                path.push(Inner::This);
            } else {
                path.push(Inner::Child(self.wanted(true)?));
            }
            if !self.eat("/") {
                break;
            }
        }
        let value = match self.eat("=") {
            true => Some(self.literal()?),
            false => None,
        };
        Ok((path, value))
    }

    fn literal(&mut self) -> Result<String, String> {
        let rest = self.rest.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'));
        let inside = quote.and_then(|quote| rest.strip_prefix(quote)?.split_once(quote));
        match inside {
            Some((literal, after)) => {
                self.rest = after;
                Ok(literal.to_owned())
            }
            None => Err(self.unexpected("a text in quotes")),
        }
    }

    fn name(&mut self) -> Result<String, String> {
        let rest = self.rest.trim_start();
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))
            .unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.')) {
            return Err(self.unexpected("a name"));
        }
        self.rest = after;
        Ok(name.to_owned())
    }

    /// A name with its namespace; without a prefix an element has the default one, an attribute none.
    fn wanted(&mut self, default: bool) -> Result<Wanted, String> {
        let first = self.name()?;
        let (prefix, local) = match self.rest.strip_prefix(':').filter(|r| !r.starts_with(':')) {
            Some(after) => {
                self.rest = after;
                (first, self.name()?)
            }
            None => (String::new(), first),
        };
        let namespace = match (prefix.is_empty(), default) {
            (true, false) => Some(Arc::from("")),
            _ => (self.prefixes)(&prefix),
        };
        match namespace {
            Some(namespace) => Ok(Wanted { local, namespace }),
            None => Err(format!(
                "the prefix {:?} is not declared in the patch: declare it with xmlns:{}",
                super::shortened(&prefix),
                super::shortened(&prefix)
            )),
        }
    }
}
