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
        }
    }

    /// The types it may refer to, to read.
    pub(super) fn target_names(&self) -> String {
        let names: Vec<&str> = self.targets.iter().map(|t| t.name()).collect();
        names.join(", ")
    }

    /// Whether it has rows of that kind.
    pub(super) fn has_rows(&self, kind: ValueKind) -> bool {
        self.rows.contains(&kind)
    }
}
