//! Builds the held form of a code system, from a CodeSystem resource and its supplements, or concept by concept from a
//! release of another form.
//!
//! Invariant: what cannot be held whole is refused, never held in part.

use std::collections::HashMap;

use fhir_model::{
    CodeSystem as Resource, CodeSystemConcept, CodeSystemConceptDesignation, CodeSystemConceptProperty,
    CodeSystemConceptPropertyValue as PropertyValue, Coding, Extension,
};

use super::code_system::{
    CodeSystem, Concept, Content, Head, Held, HeldValue, Links, Owner, Span, code_order,
};
use super::extension::{self, kept_of_concept, kept_of_designation, sort_properties};

/// The URI that says that a property means what R4 has it mean, by the code that the property then has.
const DEFINED: &str = "http://hl7.org/fhir/concept-properties#";
/// Properties whose values are the codes of parents, and of children.
const PARENTS: [&str; 2] = ["parent", "subsumedBy"];
const CHILDREN: [&str; 1] = ["child"];

/// The code system is too large to be held: more than 4 GiB of text, or of concepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

/// Collects the concepts of a code system.
pub(super) struct Builder {
    system: CodeSystem,
    /// Child and parent, by index.
    links: Vec<(u32, u32)>,
    /// Links by code, followed when all concepts are known: child's code, or `None` for the parent's, and so on.
    named: Vec<(u32, Span, bool)>,
    use_index: HashMap<String, u32>,
    /// Texts that occur again and again: languages, codes of properties.
    interned: HashMap<String, Span>,
    too_large: bool,
}

/// The held form of a CodeSystem resource, with the designations and properties of supplements added.
///
/// # Errors
/// It is too large.
pub(super) fn code_system(resource: &Resource, supplements: &[&Resource]) -> Result<CodeSystem, TooLarge> {
    let mut builder = Builder::new(head(resource));
    let extra = supplements.iter().map(|s| by_code(s)).collect::<Vec<_>>();
    for supplement in supplements {
        builder.system.head.properties.extend(properties(supplement));
    }
    builder.nested(&resource.concept, None, &extra);
    builder.finish()
}

fn by_code(supplement: &Resource) -> HashMap<&str, &CodeSystemConcept> {
    let mut found = HashMap::new();
    let mut open: Vec<&CodeSystemConcept> = supplement.concept.iter().collect();
    while let Some(concept) = open.pop() {
        open.extend(&concept.concept);
        if let Some(code) = concept.code.as_str() {
            found.insert(code, concept);
        }
    }
    found
}

fn head(resource: &Resource) -> Head {
    let text = |p: &fhir_model::Primitive<fhir_model::Str>| p.as_str().map(str::to_owned);
    Head {
        url: text(&resource.url).unwrap_or_default(),
        version: text(&resource.version),
        name: text(&resource.name),
        language: text(&resource.language),
        content: match resource.content.as_str() {
            Some("fragment" | "example") => Content::Fragment,
            Some("not-present") => Content::NotPresent,
            _ => Content::Complete,
        },
        // What does not say is taken by the letter, as the R4 text advises.
        case_sensitive: resource.case_sensitive.value != Some(false),
        status: text(&resource.status),
        experimental: resource.experimental.value == Some(true),
        standards_status: extension::code(&resource.extension, extension::STANDARDS_STATUS)
            .map(str::to_owned),
        properties: properties(resource).collect(),
    }
}

fn properties(resource: &Resource) -> impl Iterator<Item = (String, Option<String>)> {
    resource.property.iter().filter_map(|p| {
        let uri = p.uri.as_str().map(str::to_owned);
        Some((p.code.as_str()?.to_owned(), uri))
    })
}

impl Builder {
    pub(super) fn new(head: Head) -> Self {
        Builder {
            system: CodeSystem {
                head,
                text: String::new(),
                concepts: Vec::new(),
                sorted: Vec::new(),
                designations: Vec::new(),
                uses: Vec::new(),
                values: Vec::new(),
                extensions: HashMap::new(),
                parents: Links::default(),
                children: Links::default(),
            },
            links: Vec::new(),
            named: Vec::new(),
            use_index: HashMap::new(),
            interned: HashMap::new(),
            too_large: false,
        }
    }

    /// Begins a concept; designations and properties that follow are its own. Gives its index.
    pub(super) fn concept(&mut self, code: &str, display: Option<&str>, definition: Option<&str>) -> u32 {
        let index = self.number(self.system.concepts.len());
        let designations = self.number(self.system.designations.len());
        let values = self.number(self.system.values.len());
        let concept = Concept {
            code: self.text(code),
            display: self.text(display.unwrap_or("")),
            definition: self.text(definition.unwrap_or("")),
            designations: (designations, designations),
            values: (values, values),
            ..Concept::default()
        };
        self.system.concepts.push(concept);
        index
    }

    /// Marks the last concept as no longer to be used.
    pub(super) fn set_inactive(&mut self) {
        if let Some(last) = self.system.concepts.last_mut() {
            last.inactive = true;
        }
    }

    /// Says that one concept is a kind of another, by index.
    pub(super) fn link(&mut self, child: u32, parent: u32) {
        self.links.push((child, parent));
    }

    /// A designation of the last concept.
    pub(super) fn designation(&mut self, language: Option<&str>, use_: Option<&Coding>, value: &str) {
        let held = Held {
            language: self.interned(language.unwrap_or("")),
            value: self.text(value),
            use_: use_.map(|u| self.use_of(u)),
            withdrawn: false,
        };
        self.system.designations.push(held);
        let end = self.number(self.system.designations.len());
        if let Some(last) = self.system.concepts.last_mut() {
            last.designations.1 = end;
        }
    }

    /// A property of the last concept whose value is a code.
    pub(super) fn code_property(&mut self, property: &str, code: &str) {
        let value = HeldValue::Code(self.interned(code));
        self.value(property, value);
    }

    fn value(&mut self, property: &str, value: HeldValue) {
        let property = self.interned(property);
        self.system.values.push((property, value));
        let end = self.number(self.system.values.len());
        if let Some(last) = self.system.concepts.last_mut() {
            last.values.1 = end;
        }
    }

    fn nested(
        &mut self,
        concepts: &[CodeSystemConcept],
        parent: Option<u32>,
        extra: &[HashMap<&str, &CodeSystemConcept>],
    ) {
        for concept in concepts {
            let Some(code) = concept.code.as_str() else {
                continue;
            };
            let index = self.concept(code, concept.display.as_str(), concept.definition.as_str());
            self.links.extend(parent.map(|p| (index, p)));
            self.details(index, concept);
            for supplement in extra {
                if let Some(more) = supplement.get(code) {
                    self.details(index, more);
                }
            }
            self.nested(&concept.concept, Some(index), extra);
        }
    }

    /// Designations, properties and extensions of a concept, or of what supplements it.
    fn details(&mut self, index: u32, concept: &CodeSystemConcept) {
        for designation in &concept.designation {
            self.typed_designation(designation);
        }
        for property in &concept.property {
            self.typed_property(index, property);
        }
        for (property, value) in sort_properties(&concept.extension) {
            let value = match value {
                extension::Sorted::Text(text) => HeldValue::String(self.text(&text)),
                extension::Sorted::Number(text) => HeldValue::Decimal(self.text(&text)),
            };
            self.value(property, value);
        }
        let status = extension::code(&concept.extension, extension::STANDARDS_STATUS);
        if let Some(status @ ("deprecated" | "withdrawn")) = status {
            self.set_status(status);
        }
        let kept = kept_of_concept(&concept.extension);
        if !kept.is_empty() {
            self.system
                .extensions
                .entry(Owner::Concept(index))
                .or_default()
                .extend(kept);
        }
    }

    fn typed_designation(&mut self, designation: &CodeSystemConceptDesignation) {
        let Some(value) = designation.value.as_str() else {
            return;
        };
        self.designation(designation.language.as_str(), designation.use_.as_deref(), value);
        let status = extension::code(&designation.extension, extension::STANDARDS_STATUS);
        if let Some(last) = self.system.designations.last_mut() {
            last.withdrawn = matches!(status, Some("deprecated" | "withdrawn"));
        }
        let kept: Vec<Extension> = kept_of_designation(&designation.extension);
        if !kept.is_empty() {
            let at = self.number(self.system.designations.len().saturating_sub(1));
            self.system.extensions.insert(Owner::Designation(at), kept);
        }
    }

    fn typed_property(&mut self, index: u32, property: &CodeSystemConceptProperty) {
        let Some(code) = property.code.as_str() else {
            return;
        };
        let Some(held) = property.value.as_ref().and_then(|v| self.held(v)) else {
            return;
        };
        match held {
            HeldValue::Code(other) | HeldValue::Coding(_, other, _) if PARENTS.contains(&code) => {
                self.named.push((index, other, true));
            }
            HeldValue::Code(other) | HeldValue::Coding(_, other, _) if CHILDREN.contains(&code) => {
                self.named.push((index, other, false));
            }
            _ => {}
        }
        self.mark(code, held);
        self.value(code, held);
    }

    /// What the properties that R4 defines say about a concept.
    fn mark(&mut self, code: &str, held: HeldValue) {
        let text = match held {
            HeldValue::Code(t) | HeldValue::String(t) => self.system.str(t).to_owned(),
            HeldValue::Boolean(b) => b.to_string(),
            _ => String::new(),
        };
        let meaning = self.meaning(code);
        match (meaning.as_str(), text.as_str()) {
            ("status", status) if !status.is_empty() => self.set_status(status),
            ("inactive", "true") => self.set_inactive(),
            ("deprecated", "true") => self.set_status("deprecated"),
            ("notSelectable" | "abstract", "true") => {
                if let Some(last) = self.system.concepts.last_mut() {
                    last.is_abstract = true;
                }
            }
            _ => {}
        }
    }

    /// The name that R4 has for a property of that code: by its URI, else by the code itself.
    fn meaning(&self, code: &str) -> String {
        let declared = self.system.head.properties.iter().find(|(c, _)| c == code);
        let uri = declared.and_then(|(_, uri)| uri.as_deref());
        uri.and_then(|u| u.strip_prefix(DEFINED))
            .filter(|name| matches!(*name, "status" | "inactive" | "deprecated" | "notSelectable"))
            .unwrap_or(code)
            .to_owned()
    }

    fn set_status(&mut self, status: &str) {
        let span = self.interned(status);
        if let Some(last) = self.system.concepts.last_mut() {
            last.status = span;
            last.inactive |= matches!(status, "retired" | "inactive");
            last.deprecated |= matches!(status, "deprecated" | "withdrawn");
        }
    }

    fn held(&mut self, value: &PropertyValue) -> Option<HeldValue> {
        Some(match value {
            PropertyValue::Code(code) => HeldValue::Code(self.text(code.as_str()?)),
            PropertyValue::String(text) => HeldValue::String(self.text(text.as_str()?)),
            PropertyValue::Integer(number) => HeldValue::Integer(number.value?),
            PropertyValue::Boolean(yes) => HeldValue::Boolean(yes.value?),
            PropertyValue::DateTime(time) => HeldValue::DateTime(self.text(time.value.as_ref()?.as_str())),
            PropertyValue::Decimal(number) => HeldValue::Decimal(self.text(number.value.as_ref()?.as_str())),
            PropertyValue::Coding(coding) => {
                let code = coding.code.as_str()?;
                HeldValue::Coding(
                    self.interned(coding.system.as_str().unwrap_or("")),
                    self.text(code),
                    self.text(coding.display.as_str().unwrap_or("")),
                )
            }
        })
    }

    fn number(&mut self, n: usize) -> u32 {
        u32::try_from(n).unwrap_or_else(|_| {
            self.too_large = true;
            0
        })
    }

    fn text(&mut self, text: &str) -> Span {
        if text.is_empty() {
            return Span::default();
        }
        let span = Span {
            start: self.number(self.system.text.len()),
            len: self.number(text.len()),
        };
        if !self.too_large {
            self.system.text.push_str(text);
        }
        span
    }

    fn interned(&mut self, text: &str) -> Span {
        if let Some(span) = self.interned.get(text) {
            return *span;
        }
        let span = self.text(text);
        self.interned.insert(text.to_owned(), span);
        span
    }

    fn use_of(&mut self, coding: &Coding) -> u32 {
        let key = format!(
            "{}|{}|{}",
            coding.system.as_str().unwrap_or(""),
            coding.code.as_str().unwrap_or(""),
            coding.display.as_str().unwrap_or("")
        );
        if let Some(index) = self.use_index.get(&key) {
            return *index;
        }
        let index = self.number(self.system.uses.len());
        self.system.uses.push(coding.clone());
        self.use_index.insert(key, index);
        index
    }

    /// The code system, all concepts known.
    pub(super) fn finish(self) -> Result<CodeSystem, TooLarge> {
        let Builder {
            mut system,
            mut links,
            named,
            too_large,
            ..
        } = self;
        if too_large {
            return Err(TooLarge);
        }
        let mut sorted: Vec<u32> = (0..system.len()).collect();
        sorted.sort_by(|a, b| code_order(system.code(*a), system.code(*b)));
        system.sorted = sorted;
        for (index, other, is_parent) in named {
            if let Some(other) = system.find(system.str(other)) {
                links.push(if is_parent { (index, other) } else { (other, index) });
            }
        }
        links.retain(|(child, parent)| child != parent);
        let turned = links.iter().map(|(child, parent)| (*parent, *child)).collect();
        system.children = Links::new(system.len(), turned);
        system.parents = Links::new(system.len(), links);
        system.text.shrink_to_fit();
        Ok(system)
    }
}
