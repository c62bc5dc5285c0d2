//! Builds the Parameters of an answer.

use fhir_model::{AnyValue, Parameters, ParametersParameter, Primitive, Resource, Str};

use crate::terminology::code_system::Value;

/// The parameters of an answer, in the order in which they are added.
#[derive(Debug, Default)]
pub(super) struct Answer {
    parameter: Vec<ParametersParameter>,
}

impl Answer {
    pub(super) fn value(&mut self, name: &str, value: AnyValue) -> &mut Self {
        self.parameter.push(named(name, value));
        self
    }

    pub(super) fn string(&mut self, name: &str, text: &str) -> &mut Self {
        self.value(name, AnyValue::String(text.into()))
    }

    pub(super) fn code(&mut self, name: &str, code: &str) -> &mut Self {
        self.value(name, AnyValue::Code(code.into()))
    }

    pub(super) fn uri(&mut self, name: &str, uri: &str) -> &mut Self {
        self.value(name, AnyValue::Uri(uri.into()))
    }

    pub(super) fn boolean(&mut self, name: &str, yes: bool) -> &mut Self {
        self.value(name, AnyValue::Boolean(yes.into()))
    }

    /// A parameter with parts.
    pub(super) fn parts(&mut self, name: &str, parts: Answer) -> &mut Self {
        self.parameter.push(ParametersParameter {
            name: name.into(),
            part: parts.parameter,
            ..ParametersParameter::default()
        });
        self
    }

    pub(super) fn resource(&mut self, name: &str, resource: Resource) -> &mut Self {
        self.parameter.push(ParametersParameter {
            name: name.into(),
            resource: Some(resource),
            ..ParametersParameter::default()
        });
        self
    }

    pub(super) fn finish(self) -> Parameters {
        Parameters {
            parameter: self.parameter,
            ..Parameters::default()
        }
    }
}

fn named(name: &str, value: AnyValue) -> ParametersParameter {
    ParametersParameter {
        name: name.into(),
        value: Some(value),
        ..ParametersParameter::default()
    }
}

/// The value of a concept's property.
pub(super) fn of_value(value: Value<'_>) -> AnyValue {
    let text = |t: &str| Primitive::<Str>::from(t);
    match value {
        Value::Code(code) => AnyValue::Code(text(code)),
        Value::String(string) => AnyValue::String(text(string)),
        Value::Integer(number) => AnyValue::Integer(number.into()),
        Value::Boolean(yes) => AnyValue::Boolean(yes.into()),
        Value::DateTime(time) => match time.parse() {
            Ok(time) => AnyValue::DateTime(time),
            Err(_) => AnyValue::String(text(time)),
        },
        Value::Decimal(number) => match number.parse() {
            Ok(number) => AnyValue::Decimal(number),
            Err(_) => AnyValue::String(text(number)),
        },
        Value::Coding {
            system,
            code,
            display,
        } => AnyValue::Coding(Box::new(fhir_model::Coding {
            system: system.map(text).unwrap_or_default(),
            code: text(code),
            display: display.map(text).unwrap_or_default(),
            ..fhir_model::Coding::default()
        })),
    }
}
