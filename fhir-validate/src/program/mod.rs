//! [`Program`]: a profile compiled to what it asks beyond the base definition of its type.
//!
//! The snapshot becomes a tree of [`Rule`]s. What the base already asks is left out, and so are branches in which nothing
//! is left: most elements of most profiles cost nothing.
//!
//! Invariant: a program holds no text that is read again; paths, expressions and values are ready to use.

mod compile;
mod discriminator;
mod facts;

use crate::finding::Severity;
use fhir_model::path::Expression;
use serde_json::Value;

pub(crate) use compile::{REGEX, bounded_regex};
pub(crate) use discriminator::{Matcher, Step, Test};
pub(crate) use facts::{bindings, constraints, types};

/// The index of a rule in its program.
pub(crate) type RuleId = usize;

/// A compiled profile.
pub(crate) struct Program {
    /// `url|version`
    pub(crate) canonical: String,
    pub(crate) url: String,
    /// The type that it constrains.
    pub(crate) type_name: String,
    /// Its rules only warn.
    pub(crate) is_draft: bool,
    /// The first is that of the root.
    pub(crate) rules: Vec<Rule>,
    pub(crate) narrative: Option<NarrativeRule>,
}

/// What a profile asks of the narrative through extensions of its `text` elements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NarrativeRule {
    /// `required`, `prohibited` and so on, by what it is about.
    pub(crate) language: Option<String>,
    pub(crate) source: Option<String>,
}

/// What is asked of one element.
#[derive(Default)]
pub(crate) struct Rule {
    /// The id of the element definition.
    pub(crate) id: String,
    /// The element's name, without `[x]`.
    pub(crate) name: String,
    /// Where the element stands among the fields of its type, if it does.
    pub(crate) field: usize,
    /// The type of a choice that the name itself tells, as in `valueQuantity`.
    pub(crate) variant: Option<String>,
    pub(crate) slice: Option<String>,
    pub(crate) min: u32,
    pub(crate) max: u32,
    /// Whether the cardinality is narrower than the base's.
    pub(crate) counts: bool,
    pub(crate) types: Vec<TypeRule>,
    /// Whether types, their profiles or their targets are fewer than the base's.
    pub(crate) narrows_types: bool,
    pub(crate) fixed: Option<Value>,
    pub(crate) pattern: Option<Value>,
    pub(crate) min_value: Option<Value>,
    pub(crate) max_value: Option<Value>,
    pub(crate) max_length: Option<usize>,
    pub(crate) min_length: Option<usize>,
    pub(crate) regex: Option<regex::Regex>,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) slicing: Option<Slicing>,
    pub(crate) slices: Vec<RuleId>,
    pub(crate) children: Vec<RuleId>,
    /// Nothing is left to ask here or below.
    pub(crate) is_idle: bool,
    /// How values of this slice are told.
    pub(crate) matchers: Vec<Matcher>,
}

/// A type that an element may have.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TypeRule {
    pub(crate) code: String,
    /// At least one of them, where there are any.
    pub(crate) profiles: Vec<String>,
    /// What a reference may point to; empty for anything.
    pub(crate) targets: Vec<String>,
    pub(crate) aggregation: Vec<String>,
}

/// How strictly codes come from a value set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strength {
    Required,
    Extensible,
    Preferred,
    /// The greatest value set of an extensible or preferred binding: required.
    Maximum,
}

/// Which codes an element takes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Binding {
    pub(crate) strength: Strength,
    pub(crate) value_set: String,
    /// Only where this holds for the resource.
    pub(crate) usage: Vec<(String, String)>,
    /// One coding in the value set is enough, or every value needs one.
    pub(crate) any: bool,
}

/// An invariant.
#[derive(Clone)]
pub(crate) struct Constraint {
    pub(crate) key: String,
    pub(crate) severity: Severity,
    pub(crate) human: Option<String>,
    pub(crate) test: Check,
}

/// How an invariant is tested.
#[derive(Clone)]
pub(crate) enum Check {
    Path(Expression),
    /// By the rule of the same meaning that another layer has.
    Elsewhere,
    /// It cannot be compiled; why.
    Broken(String),
}

/// How the values of an element are divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slicing {
    pub(crate) rules: SlicingRules,
    pub(crate) ordered: bool,
    /// Nothing tells the slices apart but their place.
    pub(crate) by_position: bool,
    pub(crate) has_discriminators: bool,
}

/// Whether values of no slice are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SlicingRules {
    Open,
    OpenAtEnd,
    Closed,
}

impl Rule {
    /// The id as a path of the specification: without slice names.
    pub(crate) fn path(&self) -> String {
        let parts = self
            .id
            .split('.')
            .map(|part| part.split(':').next().unwrap_or(part));
        parts.collect::<Vec<_>>().join(".")
    }
}
