//! [`Facet`]: what a value is compared with: a parameter, or a part of a composite.

use fhir_model::definitions::SearchParamType;

use crate::search::registry::{Parameter, Part};
use crate::store::{ParameterNumber, ResourceType, ValueKind};

/// What a value is compared with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facet<'p> {
    /// Its number.
    pub(super) number: ParameterNumber,
    /// The code of the parameter, for errors.
    pub(super) code: &'p str,
    /// How its values compare.
    pub(super) kind: SearchParamType,
    /// The types that it may refer to; none is any.
    pub(super) targets: &'p [ResourceType],
    /// The kinds of rows that it has.
    pub(super) rows: &'p [ValueKind],
    /// The parts of a composite.
    pub(super) parts: &'p [Part],
    /// The parameter, where it is a whole one.
    whole: Option<&'p Parameter>,
}

impl<'p> Facet<'p> {
    /// A parameter.
    pub(super) fn of(parameter: &'p Parameter) -> Self {
        Facet {
            number: parameter.number,
            code: &parameter.code,
            kind: parameter.kind,
            targets: &parameter.targets,
            rows: parameter.value_kinds(),
            parts: &parameter.components,
            whole: Some(parameter),
        }
    }

    /// A part of this composite.
    pub(super) fn part(&self, part: &'p Part) -> Self {
        Facet {
            number: part.parameter,
            code: self.code,
            kind: part.kind,
            targets: &part.targets,
            rows: part.value_kinds(),
            parts: &[],
            whole: None,
        }
    }

    /// The types it may refer to, to read.
    pub(super) fn target_names(&self) -> String {
        let names: Vec<&str> = self.targets.iter().map(|t| t.name()).collect();
        names.join(", ")
    }

    /// Whether all of its values are identifiers.
    pub(super) fn is_of_identifiers(&self) -> bool {
        self.whole.is_some_and(Parameter::is_of_identifiers)
    }

    /// Whether it has rows of that kind.
    pub(super) fn has_rows(&self, kind: ValueKind) -> bool {
        self.rows.contains(&kind)
    }
}
