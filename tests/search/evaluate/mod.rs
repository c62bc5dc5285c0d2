//! The slow evaluator: looks at every resource, finds values by the FHIRPath expressions of R4's SearchParameters, and compares them as
//! the text of R4 says (<https://hl7.org/fhir/R4/search.html>).
//!
//! Invariant: nothing here knows the server's index, its criteria or its SQL; what R4 leaves open is read as `tests/cases/README.md` says.

mod amount;
mod answer;
mod criterion;
mod date;
mod order;
mod place;
mod reference;
mod text;
mod token;
mod uri;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use fhir_model::Resource;
use fhir_model::definitions::{SearchParameter, search_parameters_of};
use fhir_model::path::{self, Environment, Expression};
use fhir_model::reflect::Node;
use serde_json::Value;

pub(crate) use amount::{convert, decimal, ends};
pub(crate) use answer::{Expected, GOES_ON};
pub(crate) use date::span_of;
pub(crate) use text::{plain, texts};
pub(crate) use token::is_exact;

use crate::data::Write;
use crate::front::{START, STEP};

/// A current resource.
pub(crate) struct Held {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) json: Value,
    /// When it was last changed.
    pub(crate) changed: i64,
    typed: Resource,
}

impl Held {
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.kind, self.id)
    }

    /// What is contained under that id, as a world of its own: a chain is evaluated inside contained resources
    /// (<https://hl7.org/fhir/R4/search.html#contained>), and those of these tests refer to nothing.
    fn inside(&self, id: &str) -> Option<World> {
        let contained = self.json["contained"].as_array()?;
        let json = contained.iter().find(|one| one["id"] == *id)?.clone();
        let held = Held {
            kind: json["resourceType"].as_str()?.to_owned(),
            id: id.to_owned(),
            changed: self.changed,
            typed: fhir_model::json::from_str(&json.to_string()).unwrap(),
            json,
        };
        Some(World::of(vec![held]))
    }
}

/// A value that an expression found: its type, and itself as JSON; the value of a primitive as its text.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) kind: String,
    pub(crate) value: Value,
    /// For a composite, the values of each part.
    pub(crate) parts: Vec<Vec<Found>>,
}

type Known = HashMap<(&'static str, usize), Rc<Vec<Found>>>;

/// All resources that there are.
pub(crate) struct World {
    pub(crate) held: Vec<Held>,
    known: RefCell<Known>,
    compiled: RefCell<HashMap<String, Expression>>,
}

impl World {
    /// What is there after those writes.
    pub(crate) fn after(writes: &[Write]) -> World {
        let mut held: Vec<Held> = Vec::new();
        for (write, changed) in writes
            .iter()
            .zip((START..).step_by(usize::try_from(STEP).unwrap()))
        {
            match write {
                Write::Delete(key) => held.retain(|one| one.key() != *key),
                Write::Put(json) => {
                    let part = |name: &str| json[name].as_str().unwrap().to_owned();
                    let (kind, id) = (part("resourceType"), part("id"));
                    let same = |one: &Held| one.kind == kind && one.id == id;
                    // An update that changes nothing makes no version.
                    if held.iter().any(|one| same(one) && one.json == *json) {
                        continue;
                    }
                    held.retain(|one| !same(one));
                    let typed = fhir_model::json::from_str(&json.to_string()).unwrap();
                    held.push(Held {
                        kind,
                        id,
                        json: json.clone(),
                        changed,
                        typed,
                    });
                }
            }
        }
        World::of(held)
    }

    fn of(held: Vec<Held>) -> World {
        World {
            held,
            known: RefCell::default(),
            compiled: RefCell::default(),
        }
    }

    /// The values of a parameter in the resource at that place.
    pub(crate) fn values(&self, parameter: &'static SearchParameter, at: usize) -> Rc<Vec<Found>> {
        if let Some(known) = self.known.borrow().get(&(parameter.url, at)) {
            return known.clone();
        }
        let found = Rc::new(self.evaluate(parameter, at));
        self.known.borrow_mut().insert((parameter.url, at), found.clone());
        found
    }

    fn evaluate(&self, parameter: &'static SearchParameter, at: usize) -> Vec<Found> {
        let held = &self.held[at];
        let node = Node::Complex(held.typed.as_complex());
        let environment = Environment::new().with_resource(node).with_filtering_as();
        let mut all = Vec::new();
        for (branch, only) in branches(parameter.expression.unwrap_or_default()) {
            let expression = self.expression(&branch);
            let values = expression.evaluate(&held.typed, &environment).unwrap();
            for value in values.as_slice() {
                let Some(mut found) = found(value) else { continue };
                if only
                    .as_ref()
                    .is_some_and(|kind| !reference::may_be(&found.value, &held.json, kind))
                {
                    continue;
                }
                for part in parameter.components {
                    let expression = self.expression(part.expression);
                    let values = expression
                        .evaluate(path::Collection::from(value.clone()), &environment)
                        .unwrap();
                    found
                        .parts
                        .push(values.as_slice().iter().filter_map(self::found).collect());
                }
                all.push(found);
            }
        }
        all
    }

    fn expression(&self, source: &str) -> Expression {
        let mut compiled = self.compiled.borrow_mut();
        let compile = || Expression::compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        compiled.entry(source.to_owned()).or_insert_with(compile).clone()
    }
}

/// The parameter of that code for a type.
pub(crate) fn parameter(kind: &str, code: &str) -> Option<&'static SearchParameter> {
    search_parameters_of(kind).find(|parameter| parameter.code == code)
}

/// The branches of a union, and the type that each asks of what it refers to by `where(resolve() is …)`: that is answered here by the
/// look of the reference.
fn branches(expression: &str) -> Vec<(String, Option<String>)> {
    let mut branches = vec![String::new()];
    let mut depth = 0;
    for c in expression.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '|' if depth == 0 => {
                branches.push(String::new());
                continue;
            }
            _ => {}
        }
        branches.last_mut().unwrap().push(c);
    }
    let apart = |branch: String| match branch.trim().split_once(".where(resolve() is ") {
        Some((before, after)) => (before.to_owned(), Some(after.trim_end_matches(')').to_owned())),
        None => (branch.trim().to_owned(), None),
    };
    branches.into_iter().map(apart).collect()
}

/// Nothing for an element that has extensions and no value.
fn found(value: &path::Value<'_>) -> Option<Found> {
    let kind = value.type_of().name.to_owned();
    let value = match value.node() {
        Some(Node::Complex(complex)) => {
            serde_json::from_slice(&fhir_model::json::to_vec_of(complex)).unwrap()
        }
        _ => Value::String(value.text()?.into_owned()),
    };
    Some(Found {
        kind,
        value,
        parts: Vec::new(),
    })
}
