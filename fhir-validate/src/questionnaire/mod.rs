//! The questionnaire layer: answers against the questionnaire that they answer
//! (<https://hl7.org/fhir/R4/questionnaireresponse.html>).

use fhir_model::reflect::Complex;

use crate::run::{Run, Scope};

pub(crate) fn check(_run: &mut Run, _scope: &Scope<'_>, _value: &dyn Complex) {}
