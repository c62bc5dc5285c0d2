//! The search behind `$everything`: the compartment around a patient or an encounter, and what its members refer to outside of it
//! (<https://hl7.org/fhir/R4/patient-operation-everything.html>, <https://hl7.org/fhir/R4/encounter-operation-everything.html>).
//!
//! Invariant: nothing that belongs to another patient is added by reference: includes lead only to types that belong to no patient, and
//! from an encounter to its own patient.

use super::compartment;
use super::include::{Direction, Include};
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::query::{Reader, malformed};
use crate::search::criteria::Scope;
use crate::search::{care_date, compartment as definition, span};
use crate::store::{Compare, Criterion, Filter, Key, ParameterNumber, ResourceType, Test, ValueKind};

/// What is asked of everything around that resource.
pub(crate) struct Everything {
    /// The patient or encounter.
    pub(crate) centre: Key,
}

impl Everything {
    /// The path below the base.
    pub(super) fn path(&self) -> String {
        format!("{}/$everything", self.centre)
    }

    /// Reads `start`, `end` and `_since`; gives what to search for, and what to add.
    pub(super) fn read(
        &self,
        reader: &mut Reader<'_>,
        scope: &Scope<'_>,
        types: &[ResourceType],
    ) -> Result<(Filter, Vec<Include>)> {
        let mut members = definition::members(self.centre.resource_type);
        members.retain(|member| types.is_empty() || types.contains(member));
        let mut filter = compartment::of_types(scope.registry, &self.centre, &members);
        if let Some(range) = range(reader, scope)? {
            filter = filter.and(within(scope, &members, range));
        }
        if let Some(since) = reader.one("_since")? {
            let (from, _) = span::of_date_text(since.trim(), scope.zone)
                .map_err(|_| malformed("_since", since, "an instant, such as 2026-01-31T09:30:00Z"))?;
            filter = filter.and(Filter::LastUpdated {
                from: Some(crate::context::Millis(from)),
                to: None,
            });
        }
        Ok((filter, self.include(types).into_iter().collect()))
    }

    /// What the members refer to outside of the compartment, where that is asked for.
    fn include(&self, types: &[ResourceType]) -> Option<Include> {
        let patient = ResourceType::from_name("Patient");
        let of_patients = patient.map(definition::members).unwrap_or_default();
        let outside = |t: &ResourceType| {
            let own_patient = Some(*t) == patient && Some(self.centre.resource_type) != patient;
            own_patient || !of_patients.contains(t)
        };
        let targets: Vec<_> = ResourceType::all()
            .filter(outside)
            .filter(|t| types.is_empty() || types.contains(t))
            .collect();
        (!targets.is_empty()).then_some(Include {
            direction: Direction::Forward,
            source: None,
            parameters: Vec::new(),
            targets,
            canonicals: Vec::new(),
            urls: Vec::new(),
            iterate: false,
        })
    }
}

/// The first and last millisecond of `start` and `end`; `None` where neither is sent.
fn range(reader: &mut Reader<'_>, scope: &Scope<'_>) -> Result<Option<(i64, i64)>> {
    let mut read = |name: &'static str| -> Result<Option<(i64, i64)>> {
        let Some(text) = reader.one(name)? else {
            return Ok(None);
        };
        span::of_date_text(text.trim(), scope.zone)
            .map(Some)
            .map_err(|_| malformed(name, text, "a date, such as 2026-01-31"))
    };
    let (start, end) = (read("start")?, read("end")?);
    let range = (
        start.map_or(span::OPEN_START, |(first, _)| first),
        end.map_or(span::OPEN_END, |(_, last)| last),
    );
    if range.0 > range.1 {
        let text = "start is after end: no care was given between them.";
        return Err(Error::new(ErrorCode::Value, text).at("http.start"));
    }
    Ok((start.is_some() || end.is_some()).then_some(range))
}

/// Resources of those types whose care was given in the range, or at no time that is told. A resource has rows of the parameters of its
/// own type alone, so that all types are asked at once.
fn within(scope: &Scope<'_>, members: &[ResourceType], (first, last): (i64, i64)) -> Filter {
    let parameters = members
        .iter()
        .flat_map(|member| care_date::of_type(scope.registry, *member));
    let numbers: Vec<ParameterNumber> = parameters.map(|parameter| parameter.number).collect();
    let has_any = |test: &Test| {
        let has = |parameter: &ParameterNumber| {
            Filter::Has(Criterion {
                parameter: *parameter,
                test: test.clone(),
            })
        };
        Filter::Or(numbers.iter().map(has).collect())
    };
    let told = has_any(&Test::Exists(ValueKind::Date));
    let in_range = has_any(&Test::Date(Compare::Ap, first, last));
    Filter::Or(vec![Filter::Not(Box::new(told)), in_range])
}
