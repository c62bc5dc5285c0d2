//! From a snapshot to a program.

use fhir_model::reflect::{Shape, TypeInfo};
use serde_json::Value;

use super::discriminator::{self, same_types};
use super::{Constraint, NarrativeRule, Program, Rule, RuleId, TypeRule, facts};
use crate::definition::{Definition, Facts, Store, choice, extension, list, short_type, text};
use crate::snapshot::Node;

const LANGUAGE_CONTROL: &str = "http://hl7.org/fhir/StructureDefinition/narrative-language-control";
const SOURCE_CONTROL: &str = "http://hl7.org/fhir/StructureDefinition/narrative-source-control";
/// The extension that gives a primitive a form.
pub(crate) const REGEX: &str = "http://hl7.org/fhir/StructureDefinition/regex";
const MIN_LENGTH: &str = "http://hl7.org/fhir/StructureDefinition/minLength";

struct Compiler<'s> {
    store: &'s Store,
    rules: Vec<Rule>,
    narrative: Option<NarrativeRule>,
}

impl Program {
    /// Compiles a snapshot. What its base definitions ask already is left out.
    pub(crate) fn compile(
        definition: &Definition,
        elements: &[Facts],
        store: &Store,
        is_draft: bool,
    ) -> Program {
        let mut compiler = Compiler {
            store,
            rules: Vec::new(),
            narrative: None,
        };
        if let Some(tree) = Node::build(elements) {
            compiler.rule(
                &tree,
                None,
                &tree.name.clone(),
                fhir_model::type_info(&definition.type_name),
            );
        }
        compiler.mark_idle();
        Program {
            canonical: definition.canonical(),
            url: definition.url.clone(),
            type_name: definition.type_name.clone(),
            is_draft,
            rules: compiler.rules,
            narrative: compiler.narrative,
        }
    }
}

impl Compiler<'_> {
    fn rule(
        &mut self,
        node: &Node,
        slicing: Option<&Facts>,
        id: &str,
        info: Option<&'static TypeInfo>,
    ) -> RuleId {
        let mut rule = self.own(node, id);
        let place = self.rules.len();
        if let Some(slicing) = slicing {
            rule.matchers = discriminator::matchers(node, slicing, self.store);
            if rule.matchers.is_empty()
                && let Some(variant) = &rule.variant
            {
                let test = discriminator::Test::Types(vec![variant.clone()]);
                rule.matchers.push(discriminator::Matcher {
                    path: Vec::new(),
                    test,
                });
            }
        }
        // An element that refers to another's content has what the base asks of that, not the slices that a profile adds.
        let own_info = own_info(&rule, info, place == 0);
        self.rules.push(rule);
        let mut children = Vec::new();
        for child in &node.children {
            let id = format!("{id}.{}", child.name);
            let id = child.slice.as_ref().map_or(id.clone(), |s| format!("{id}:{s}"));
            let made = self.rule(child, None, &id, own_info);
            self.set_field(made, own_info);
            children.push(made);
        }
        let stem = id
            .rsplit_once(':')
            .filter(|_| node.slice.is_some())
            .map_or(id, |(stem, _)| stem);
        let mut slices = Vec::new();
        for slice in &node.slices {
            let id = format!("{stem}:{}", slice.slice.as_deref().unwrap_or_default());
            slices.push(self.rule(slice, Some(&node.facts), &id, info));
        }
        if let Some(rule) = self.rules.get_mut(place) {
            rule.children = children;
            rule.slices = slices;
        }
        place
    }

    /// Finds the element among the fields of its parent's type; a name such as `valueQuantity` is split.
    fn set_field(&mut self, rule: RuleId, info: Option<&'static TypeInfo>) {
        let (Some(rule), Some(info)) = (self.rules.get_mut(rule), info) else {
            return;
        };
        if let Some((index, _)) = info.field(&rule.name) {
            rule.field = index;
            return;
        }
        for (index, field) in info.fields.iter().enumerate() {
            let Shape::Choice(variants) = &field.shape else {
                continue;
            };
            if let Some(variant) = variants.iter().find(|v| v.name == rule.name) {
                rule.field = index;
                rule.name = field.name.to_owned();
                rule.variant = Some(variant.type_name.to_owned());
            }
        }
    }

    fn own(&mut self, node: &Node, id: &str) -> Rule {
        let facts = &node.facts;
        let base = self.base_of(facts);
        let (min, max) = facts::cardinality(facts);
        let (base_min, base_max) = base.as_ref().map_or((0, u32::MAX), facts::cardinality);
        let base_types = base.as_ref().map(facts::types).unwrap_or_default();
        let types = facts::types(facts);
        let base_bindings = base.as_ref().map(facts::bindings).unwrap_or_default();
        let is_root = !id.contains('.');
        self.note_narrative(facts);
        Rule {
            id: id.to_owned(),
            name: node.name.trim_end_matches("[x]").to_owned(),
            slice: node.slice.clone(),
            min,
            max,
            counts: !is_root && (min > base_min || max < base_max),
            narrows_types: !is_root
                && narrows(&types, &base_types)
                && !facts.contains_key("contentReference"),
            types,
            fixed: choice(facts, "fixed").map(|(_, v)| v.clone()),
            pattern: choice(facts, "pattern").map(|(_, v)| v.clone()),
            min_value: choice(facts, "minValue").map(|(_, v)| v.clone()),
            max_value: choice(facts, "maxValue").map(|(_, v)| v.clone()),
            max_length: facts
                .get("maxLength")
                .and_then(Value::as_u64)
                .and_then(|n| usize::try_from(n).ok()),
            min_length: extension(list(facts.get("extension")), MIN_LENGTH)
                .and_then(Value::as_u64)
                .and_then(|n| usize::try_from(n).ok()),
            regex: regex_of(facts),
            bindings: facts::bindings(facts)
                .into_iter()
                .filter(|b| !base_bindings.contains(b))
                .collect(),
            constraints: new_constraints(facts, base.as_ref()),
            slicing: facts::slicing(facts).filter(|_| !node.slices.is_empty()),
            ..Rule::default()
        }
    }

    /// The element of the base definition, which is checked in any case.
    fn base_of(&self, facts: &Facts) -> Option<Facts> {
        let path = facts
            .get("base")
            .and_then(|b| b.get("path"))
            .and_then(Value::as_str)
            .or_else(|| text(facts, "path"))?;
        let type_name = path.split('.').next()?;
        let definition = self.store.of_type(type_name)?.definition()?;
        definition
            .snapshot
            .iter()
            .find(|e| text(e, "path") == Some(path))
            .cloned()
    }

    fn note_narrative(&mut self, facts: &Facts) {
        let extensions = list(facts.get("extension"));
        for (url, is_language) in [(LANGUAGE_CONTROL, true), (SOURCE_CONTROL, false)] {
            let Some(code) = extension(extensions, url).and_then(Value::as_str) else {
                continue;
            };
            let rule = self.narrative.get_or_insert_default();
            let place = if is_language {
                &mut rule.language
            } else {
                &mut rule.source
            };
            *place = Some(code.to_owned());
        }
    }

    /// Marks rules with nothing left to ask. Rules that refer to each other are idle if nothing else in the circle asks.
    fn mark_idle(&mut self) {
        for rule in &mut self.rules {
            rule.is_idle = is_quiet(rule);
        }
        loop {
            let mut changed = false;
            for index in 0..self.rules.len() {
                let Some(rule) = self.rules.get(index) else {
                    continue;
                };
                let asks = |id: &RuleId| self.rules.get(*id).is_some_and(|r| !r.is_idle);
                if rule.is_idle && rule.children.iter().chain(&rule.slices).any(asks) {
                    if let Some(rule) = self.rules.get_mut(index) {
                        rule.is_idle = false;
                    }
                    changed = true;
                }
            }
            if !changed {
                return;
            }
        }
    }
}

fn is_quiet(rule: &Rule) -> bool {
    !rule.counts
        && !rule.narrows_types
        && rule.fixed.is_none()
        && rule.pattern.is_none()
        && rule.min_value.is_none()
        && rule.max_value.is_none()
        && rule.max_length.is_none()
        && rule.min_length.is_none()
        && rule.regex.is_none()
        && rule.bindings.is_empty()
        && rule.constraints.is_empty()
        && rule.slicing.is_none()
}

/// Whether the types allow less than those of the base.
fn narrows(types: &[TypeRule], base: &[TypeRule]) -> bool {
    !types.is_empty() && !same_types(types, base)
}

fn new_constraints(facts: &Facts, base: Option<&Facts>) -> Vec<Constraint> {
    let known = base.map(|b| list(b.get("constraint"))).unwrap_or_default();
    let is_known = |c: &Value| {
        known
            .iter()
            .any(|k| k.get("key") == c.get("key") && k.get("expression") == c.get("expression"))
    };
    let own: Vec<Value> = list(facts.get("constraint"))
        .iter()
        .filter(|c| !is_known(c))
        .cloned()
        .collect();
    let mut only = Facts::new();
    only.insert("constraint".into(), Value::from(own));
    facts::constraints(&only)
}

/// A form that the definition asks of a primitive. Its size is bounded, so that compiling it is.
fn regex_of(facts: &Facts) -> Option<regex::Regex> {
    let types = list(facts.get("type"));
    let on_type = || {
        types
            .iter()
            .find_map(|t| extension(list(t.get("extension")), REGEX))
    };
    let source = extension(list(facts.get("extension")), REGEX)
        .or_else(on_type)?
        .as_str()?;
    let base = facts
        .get("base")
        .and_then(|b| b.get("path"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    if base.ends_with(".value") && !base.starts_with(|c: char| c.is_ascii_uppercase()) {
        // The form of the primitive type itself, which its own layer checks.
        return None;
    }
    bounded_regex(source)
}

/// Compiles a regular expression that must match a whole value, within bounds; `None` where that cannot be.
pub(crate) fn bounded_regex(source: &str) -> Option<regex::Regex> {
    regex::RegexBuilder::new(&format!("^(?:{source})$"))
        .size_limit(1 << 20)
        .dfa_size_limit(1 << 20)
        .build()
        .ok()
}

/// The facts of the type of the values that a rule is about, where it has one type only.
fn own_info(rule: &Rule, parent: Option<&'static TypeInfo>, is_root: bool) -> Option<&'static TypeInfo> {
    if is_root {
        return parent;
    }
    let field = parent.and_then(|p| p.field(&rule.name));
    if let Some((_, field)) = field
        && let Shape::Complex(info) = &field.shape
    {
        return Some(info);
    }
    match rule.types.as_slice() {
        [only] => fhir_model::type_info(short_type(&only.code)),
        _ => None,
    }
}
