//! The functions that FHIR adds (<https://hl7.org/fhir/R4/fhirpath.html#functions>).

use super::{Function, html, input_name, one, text_of};
use crate::generated::{Extension, Reference};
use crate::path::environment::{Profiles, Resolved};
use crate::path::error::Error;
use crate::path::eval::{Evaluator, Scope};
use crate::path::plan::Call;
use crate::path::types::FhirType;
use crate::path::value::{Collection, System, Value};
use crate::reflect::{Complex, Node, Nodes, PrimitiveType};

/// Where the definitions of FHIR's own types live.
const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";

impl<'a> Evaluator<'a> {
    pub(super) fn fhir(
        &mut self,
        call: &'a Call,
        input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        match call.function {
            Function::Extension => self.extension(call, &input, scope),
            Function::HasValue => Ok(Value::Boolean(matches!(&*input, [value] if has_value(value))).into()),
            Function::GetValue => Ok(match &*input {
                [value] if has_value(value) => get_value(value).into(),
                _ => Collection::new(),
            }),
            Function::Resolve => self.resolve(&input),
            Function::ElementDefinition => self.element_definition(&input),
            Function::Slice => self.slice(call, input, scope),
            Function::CheckModifiers => self.check_modifiers(call, input, scope),
            Function::ConformsTo => self.conforms_to(call, &input, scope),
            Function::MemberOf => self.member_of(call, &input, scope),
            Function::Subsumes | Function::SubsumedBy => self.subsumes(call, &input, scope),
            _ => self.html_checks(&input),
        }
    }

    fn extension(
        &mut self,
        call: &'a Call,
        input: &[Value<'a>],
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let Some(url) = self.string_argument(call, 0, scope)? else {
            return Ok(Collection::new());
        };
        let mut found = Collection::new();
        for value in input {
            let complex: &'a dyn Complex = match value {
                Value::Node(Node::Complex(complex)) => *complex,
                Value::Node(Node::Primitive(_, primitive)) => match primitive.extras() {
                    Some(extras) => extras,
                    None => continue,
                },
                _ => continue,
            };
            for extension in elements(complex, "extension") {
                self.meter.step()?;
                let is_wanted = |e: &Extension| e.url.as_deref() == Some(&*url);
                if matches!(extension, Node::Complex(c) if c.as_any().downcast_ref().is_some_and(is_wanted)) {
                    self.push(&mut found, Value::Node(extension))?;
                }
            }
        }
        Ok(found)
    }

    /// The targets of references; those that cannot be found, and items that are no references, are left out.
    fn resolve(&mut self, input: &[Value<'a>]) -> Result<Collection<'a>, Error> {
        let mut found = Collection::new();
        for value in input {
            self.meter.step()?;
            let target = match value {
                Value::Node(Node::Complex(complex)) => {
                    let Some(reference) = complex.as_any().downcast_ref::<Reference>() else {
                        continue;
                    };
                    let Some(text) = reference.reference.as_str() else {
                        continue;
                    };
                    self.target(text, reference.type_.as_str())?
                }
                value => match value.as_str() {
                    Some(text) => self.target(text, None)?,
                    None => continue,
                },
            };
            if let Some(target) = target {
                self.push(&mut found, target)?;
            }
        }
        Ok(found)
    }

    /// The resource that a reference points to: contained, in the same Bundle, or found by the resolver.
    fn target(&mut self, reference: &str, type_name: Option<&str>) -> Result<Option<Value<'a>>, Error> {
        let root = match self.root_resource() {
            Some(Value::Node(Node::Complex(root))) => Some(root),
            _ => None,
        };
        if let (Some(id), Some(root)) = (reference.strip_prefix('#'), root) {
            if id.is_empty() {
                return Ok(Some(Value::Node(Node::Complex(root))));
            }
            let mut contained = elements(root, "contained");
            return Ok(contained
                .find(|node| text(*node, "id") == Some(id))
                .map(Value::Node));
        }
        if let Some(root) = root.filter(|r| r.type_info().name == "Bundle") {
            for entry in elements(root, "entry") {
                self.meter.step()?;
                if text(entry, "fullUrl").is_some_and(|url| is_target(url, reference)) {
                    let resource = child(entry, "resource").next();
                    return Ok(resource.map(Value::Node));
                }
            }
        }
        let Some(resolver) = self.env.resolver() else {
            return Ok(None);
        };
        Ok(resolver
            .resolve(reference, type_name)
            .map(|resolved| match resolved {
                Resolved::Borrowed(resource) => Value::Node(Node::Complex(resource.as_complex())),
                Resolved::Owned(resource) => Value::Node(Node::Complex(self.env.keep_resource(*resource))),
                Resolved::Type(name) => Value::Unread(name),
            }))
    }

    fn profiles(&self, function: &str) -> Result<&'a dyn Profiles, Error> {
        self.env.profiles().ok_or_else(|| {
            Error::execution(format!(
                "{function}() needs definitions; set them with Environment::with_profiles"
            ))
        })
    }

    fn element_definition(&mut self, input: &[Value<'a>]) -> Result<Collection<'a>, Error> {
        let profiles = self.profiles("elementDefinition")?;
        let mut found = Collection::new();
        for value in input {
            if let Some(definition) = profiles.element_definition(value) {
                let kept = self.env.keep_definition(definition);
                self.push(&mut found, Value::Node(Node::Complex(kept)))?;
            }
        }
        Ok(found)
    }

    fn slice(
        &mut self,
        call: &'a Call,
        input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let (profile, slice) = (
            self.string_argument(call, 0, scope)?,
            self.string_argument(call, 1, scope)?,
        );
        let Some((profile, slice)) = profile.zip(slice) else {
            return Ok(Collection::new());
        };
        let profiles = self.profiles("slice")?;
        let mut found = Collection::new();
        for value in input {
            match profiles.in_slice(&value, &profile, &slice) {
                Some(true) => self.push(&mut found, value)?,
                Some(false) => {}
                None => {
                    return Err(Error::execution(format!(
                        "there is no slice `{slice}` in {profile} for the item"
                    )));
                }
            }
        }
        Ok(found)
    }

    /// The input, if it has no modifier extensions but those named.
    fn check_modifiers(
        &mut self,
        call: &'a Call,
        input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let mut known = Vec::new();
        for index in 0..call.args.len() {
            known.extend(self.string_argument(call, index, scope)?);
        }
        for value in &input {
            let Some(complex) = value.complex() else { continue };
            for extension in elements(complex, "modifierExtension") {
                self.meter.step()?;
                let url = text(extension, "url").unwrap_or_default();
                if !known.iter().any(|k| *k == url) {
                    let message = format!(
                        "{} has the modifier extension {url}, which is not known",
                        value.describe()
                    );
                    return Err(Error::execution(message));
                }
            }
        }
        Ok(input)
    }

    fn conforms_to(
        &mut self,
        call: &'a Call,
        input: &[Value<'a>],
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let url = self.string_argument(call, 0, scope)?;
        let Some((value, url)) = one(input, || input_name(call))?.zip(url) else {
            return Ok(Collection::new());
        };
        if let Some(answer) = self.env.profiles().and_then(|p| p.conforms_to(value, &url)) {
            return Ok(Value::Boolean(answer).into());
        }
        // A typed value conforms to the structure of its type and of the types above.
        let base = url.strip_prefix(BASE).and_then(FhirType::of_name);
        match (value.node(), base) {
            (Some(node), Some(base)) => Ok(Value::Boolean(FhirType::of_node(node).is_a(base)).into()),
            (None, Some(_)) => Ok(Value::Boolean(false).into()),
            (_, None) => Err(Error::execution(format!(
                "the structure definition {url} is not known"
            ))),
        }
    }

    fn member_of(
        &mut self,
        call: &'a Call,
        input: &[Value<'a>],
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let value_set = self.string_argument(call, 0, scope)?;
        let ([value], Some(value_set)) = (input, value_set) else {
            return Ok(Collection::new());
        };
        let Some(terminology) = self.env.terminology() else {
            return Err(no_terminology(call));
        };
        Ok(terminology
            .member_of(value, &value_set)
            .map(Value::Boolean)
            .into())
    }

    fn subsumes(
        &mut self,
        call: &'a Call,
        input: &[Value<'a>],
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let other = self.argument(call, 0, scope)?;
        let pair = one(input, || input_name(call))?.zip(one(&other, || super::argument_name(call, 0))?);
        let Some((value, other)) = pair else {
            return Ok(Collection::new());
        };
        let Some(terminology) = self.env.terminology() else {
            return Err(no_terminology(call));
        };
        let answer = match call.function {
            Function::Subsumes => terminology.subsumes(value, other),
            _ => terminology.subsumes(other, value),
        };
        Ok(answer.map(Value::Boolean).into())
    }

    /// Whether the one XHTML element keeps the rules of narrative; empty for anything else.
    fn html_checks(&mut self, input: &[Value<'a>]) -> Result<Collection<'a>, Error> {
        let [value @ Value::Node(Node::Primitive(PrimitiveType::Xhtml, _))] = input else {
            return Ok(Collection::new());
        };
        let Some(text) = text_of(value) else {
            return Ok(Collection::new());
        };
        self.meter.charge(text.len() / 8)?;
        Ok(Value::Boolean(html::is_narrative(&text)).into())
    }
}

fn no_terminology(call: &Call) -> Error {
    let name = call.function.name();
    Error::execution(format!(
        "{name}() needs a terminology service; set one with Environment::with_terminology"
    ))
}

/// Whether a Bundle's entry of that URL is what a reference points to: by the whole URL, or by the type and id at its
/// end (<https://hl7.org/fhir/R4/bundle.html#references>).
fn is_target(url: &str, reference: &str) -> bool {
    let relative = !reference.contains(':');
    let end = url
        .strip_suffix(reference)
        .filter(|_| relative && !reference.is_empty());
    url == reference || end.is_some_and(|base| base.ends_with('/'))
}

/// Whether a primitive element, or a System value, has a value.
fn has_value(value: &Value<'_>) -> bool {
    match value {
        Value::Node(Node::Primitive(_, primitive)) => primitive.scalar().is_some(),
        Value::Node(Node::Complex(_)) | Value::Type(_) | Value::Unread(_) => false,
        _ => true,
    }
}

/// The System value of a primitive element.
fn get_value<'a>(value: &Value<'a>) -> Option<Value<'a>> {
    match value {
        Value::Node(Node::Primitive(_, primitive)) => {
            System::of_scalar(primitive.scalar()?).map(System::into_value)
        }
        other => Some(other.clone()),
    }
}

/// The values of an element by name.
fn elements<'a>(complex: &'a dyn Complex, name: &str) -> impl Iterator<Item = Node<'a>> + use<'a> {
    let index = complex.type_info().field(name).map(|(index, _)| index);
    index.into_iter().flat_map(move |index| Nodes::of(complex, index))
}

fn child<'a>(node: Node<'a>, name: &str) -> impl Iterator<Item = Node<'a>> + use<'a> {
    let complex = match node {
        Node::Complex(complex) => Some(complex),
        Node::Primitive(..) => None,
    };
    let index = complex
        .and_then(|c| c.type_info().field(name))
        .map(|(index, _)| index);
    complex
        .zip(index)
        .into_iter()
        .flat_map(|(complex, index)| Nodes::of(complex, index))
}

/// The text of a single string-like element of a node.
fn text<'a>(node: Node<'a>, name: &str) -> Option<&'a str> {
    use crate::primitive::Scalar;
    match child(node, name).next()? {
        Node::Primitive(_, primitive) => match primitive.scalar()? {
            Scalar::String(text) => Some(text),
            _ => None,
        },
        Node::Complex(_) => None,
    }
}
